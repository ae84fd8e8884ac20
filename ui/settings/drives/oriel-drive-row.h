/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A drive on the page of drives: a row that opens to its settings and to what can be done to it.
 * Main context only.
 */
#ifndef ORIEL_DRIVE_ROW_H
#define ORIEL_DRIVE_ROW_H

#include "oriel-disk-sizes.h"
#include "oriel-drive-words.h"
#include "settings/rows/oriel-setting-rows.h"

/*
 * What a disk takes of the host's, of what it could; or what lies in a CD drive. `folder`: the
 * machine's; `size`: of a disk, NULL if it is not known. g_free().
 */
char *drive_row_subtitle(const OrielDrive *drive, const char *folder, const DiskSize *size);

/*
 * An AdwExpanderRow. What it changes are settings of `settings`; its buttons are the page's actions
 * "drives.grow", "care", "insert", "eject" and "remove" for the drive's id.
 */
GtkWidget *drive_row_new(OrielSettingRows *settings, const OrielDrive *drive, const char *subtitle,
                         DrivesNow now, gboolean can_grow);

/* A flat button for the end of a row, whose action is for the drive's id. */
GtkWidget *drive_icon_button_new(const char *icon, const char *label, const char *action,
                                 const char *id);

#endif
