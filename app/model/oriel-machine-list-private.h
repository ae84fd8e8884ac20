/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the list's files share. Threads: main context. */
#ifndef ORIEL_MACHINE_LIST_PRIVATE_H
#define ORIEL_MACHINE_LIST_PRIVATE_H

#include <gio/gunixmounts.h>

#include "oriel-machine-item-private.h"
#include "oriel-machine-list.h"
#include "oriel-runtime-watch.h"

struct _OrielMachineList {
    GObject parent;
    GPtrArray *items;    /* OrielMachineItem, the rows */
    GPtrArray *deleted;  /* OrielMachineItem, hidden until commit or undo */
    GPtrArray *deleting; /* OrielMachineItem, hidden: on their way to the trash */
    GHashTable *ignored; /* folders that are about to leave the list; set of char * */
    gboolean loading;
    guint n_active;
    guint scan; /* source */
    gboolean scanning, scan_again, disposed;
    GFileMonitor *folder_monitor, *registry_monitor;
    GUnixMountMonitor *mounts;
    OrielRuntimeWatch *runtime;
};

/* Adds rows, removes a row; the model's signals follow. */
void machine_list_add(OrielMachineList *list, GPtrArray *items);
void machine_list_add_one(OrielMachineList *list, OrielMachineItem *item);
gboolean machine_list_remove(OrielMachineList *list, OrielMachineItem *item);
/* The item of which `get` says the text, or NULL. */
OrielMachineItem *machine_items_find(const GPtrArray *items,
                                     const char *(*get)(OrielMachineItem *item), const char *text);
/* Looks for machines that came or went. */
void machine_list_scan(OrielMachineList *list);

#endif
