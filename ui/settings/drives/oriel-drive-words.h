/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the settings pages call drives, and what can be done to them. Main context only. */
#ifndef ORIEL_DRIVE_WORDS_H
#define ORIEL_DRIVE_WORDS_H

#include "model/oriel-machine-item.h"

/* "Disk 1", "CD Drive 2": numbered from one, by the number in the id. g_free(). */
char *drive_title(const OrielDrive *drive);

/*
 * What `config` has that `other` has not, as the pages show it: settings by `describe` (with the
 * key and the value in `config`; NULL for keys that it does not know), drives by their titles.
 * Empty if they are the same. g_free().
 */
char *settings_difference(const OrielConfig *config, const OrielConfig *other,
                          char *(*describe)(gpointer data, const char *key, const char *value),
                          gpointer data);

/* What can be done to the drives: anything while the machine is off, what is in slots while it runs
 * with them, or nothing but changing CDs. */
typedef enum {
    DRIVES_NOW_ALL,
    DRIVES_NOW_SLOTS,
    DRIVES_NOW_MEDIA,
} DrivesNow;

DrivesNow drives_now(OrielMachineItem *item);
/* The same as a sentence; NULL for anything. */
const char *drives_now_words(DrivesNow now);
/* Whether the drive can be removed, and what to say of that in any case. */
gboolean drive_is_removable(const OrielDrive *drive, DrivesNow now, const char **words);

#endif
