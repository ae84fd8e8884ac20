/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What can be done to the file of a disk while its machine is off: checking, repairing, compacting,
 * another format. Work under way is shown with its progress and can be cancelled; closing the
 * window does not end it.
 *
 * Threads: main context only.
 */
#ifndef ORIEL_DISK_CARE_WINDOW_H
#define ORIEL_DISK_CARE_WINDOW_H

#include <adwaita.h>

#include "model/oriel-machine-item.h"

#define ORIEL_TYPE_DISK_CARE_WINDOW (oriel_disk_care_window_get_type())
G_DECLARE_FINAL_TYPE(OrielDiskCareWindow, oriel_disk_care_window, ORIEL, DISK_CARE_WINDOW,
                     AdwWindow)

/* For the disk `drive` ("disk0"), over `parent`. */
GtkWindow *oriel_disk_care_window_new(OrielMachineItem *item, const char *drive, GtkWindow *parent);

#endif
