/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blocking operations of app/ on one machine, started from a window: each runs as the item's
 * operation (oriel_machine_item_operate()) and tells how it ended.
 *
 * Threads: main context only. `widget` is kept until the end; `done` is called once, with what went
 * wrong or NULL. A cancelled operation has the error G_IO_ERROR_CANCELLED.
 */
#ifndef ORIEL_MACHINE_WORK_H
#define ORIEL_MACHINE_WORK_H

#include <gtk/gtk.h>

#include "appliance/export/oriel-export.h"
#include "model/oriel-machine-item.h"

typedef void (*MachineWorkDone)(GtkWidget *widget, const GError *error, const char *result);

void machine_work_rename(GtkWidget *widget, OrielMachineItem *item, const char *name,
                         MachineWorkDone done);
/* Into another folder: a new parent. */
void machine_work_move(GtkWidget *widget, OrielMachineItem *item, const char *folder,
                       MachineWorkDone done);
/* A new disk of `size` ("20G"), or a copy of the image at that path. */
void machine_work_add_disk(GtkWidget *widget, OrielMachineItem *item, const char *source,
                           MachineWorkDone done);
void machine_work_add_cdrom(GtkWidget *widget, OrielMachineItem *item, MachineWorkDone done);
/* A disk's file goes to the trash. */
void machine_work_remove_drive(GtkWidget *widget, OrielMachineItem *item, const char *drive,
                               MachineWorkDone done);
/* With `partition` also the last partition grows. The result says what there is to do now. */
void machine_work_grow(GtkWidget *widget, OrielMachineItem *item, const char *drive,
                       const char *size, gboolean partition, MachineWorkDone done);
/* Puts the image at `path` into a CD drive, now if the machine runs; NULL takes it out. */
void machine_work_change_medium(GtkWidget *widget, OrielMachineItem *item, const char *drive,
                                const char *path, MachineWorkDone done);
/*
 * Exports to a new file or folder, see oriel_export(). The name of an archive gets its ending; with
 * the ending it replaces a file of that name, about which the user has been asked.
 */
void machine_work_export(GtkWidget *widget, OrielMachineItem *item, const char *target,
                         OrielOvfProfile profile, OrielOvfController controller,
                         MachineWorkDone done);
/* A card to the user's network, and one less. */
void machine_work_add_network(GtkWidget *widget, OrielMachineItem *item, MachineWorkDone done);
void machine_work_remove_network(GtkWidget *widget, OrielMachineItem *item, const char *network,
                                 MachineWorkDone done);
/* A port of this computer leads to the guest, or no longer, at once if the machine runs; see
 * oriel-networks.h. */
void machine_work_add_forward(GtkWidget *widget, OrielMachineItem *item, const char *network,
                              const char *forward, MachineWorkDone done);
void machine_work_remove_forward(GtkWidget *widget, OrielMachineItem *item, const char *network,
                                 const char *forward, MachineWorkDone done);
/* Puts the settings of a revision (OrielRevision.number) back. */
void machine_work_restore(GtkWidget *widget, OrielMachineItem *item, guint revision,
                          MachineWorkDone done);

#endif
