/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Work on the file of a disk (oriel-drive-care.h) as its machine's operation.
 *
 * Threads: main context only. `widget` is kept until the end; `done` is called once, with what went
 * wrong, or with a sentence about the result.
 */
#ifndef ORIEL_DISK_CARE_H
#define ORIEL_DISK_CARE_H

#include <gtk/gtk.h>

#include "settings/oriel-machine-work.h"

typedef enum {
    DISK_CARE_CHECK,
    DISK_CARE_REPAIR,
    DISK_CARE_COMPACT,
    DISK_CARE_TO_RAW,
    DISK_CARE_TO_QCOW2,
} DiskCare;

void disk_care_begin(GtkWidget *widget, OrielMachineItem *item, const char *drive, DiskCare which,
                     MachineWorkDone done);

#endif
