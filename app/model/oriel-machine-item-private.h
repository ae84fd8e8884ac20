/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the item's files and the list share. Threads: main context, unless said otherwise. */
#ifndef ORIEL_MACHINE_ITEM_PRIVATE_H
#define ORIEL_MACHINE_ITEM_PRIVATE_H

#include "oriel-machine-item.h"
#include "running/oriel-supervisor.h"

/* What a look into a machine's folder found. */
typedef struct {
    OrielMachine *machine;
    gboolean exists; /* the folder */
    gboolean saved;  /* the machine has a saved state */
    char *thumbnail; /* path, or NULL */
    gint64 thumbnail_time;
    GFileMonitor *monitor; /* of the folder, or NULL */
} MachineReading;

/* Worker thread: blocks. The monitor, if wanted, reports to the main context. Never NULL. */
MachineReading *machine_reading_new(const char *folder, gboolean with_monitor);
void machine_reading_free(MachineReading *reading);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MachineReading, machine_reading_free)

struct _OrielMachineItem {
    GObject parent;
    char *name, *folder, *uuid, *message;
    OrielMachineState state;
    OrielOperation *operation;
    OrielOperation *saving;      /* while the engine saves; usually `operation` as well */
    OrielSupervisor *supervisor; /* NULL until the settings have been read once */
    OrielEngine *engine;
    OrielConfig *running_config; /* that the engine runs with, if it has said so */
    char **waiting_keys;

    MachineReading *reading; /* NULL: being made */
    GFileMonitor *monitor;
    guint reload; /* source */
    gboolean reading_now, read_again, disposed;
    gboolean thumbnail_busy;
};

/* Take the reading. */
OrielMachineItem *machine_item_new(MachineReading *reading);
void machine_item_take_reading(OrielMachineItem *item, MachineReading *reading);
/* One that `operation` makes; it becomes a machine with machine_item_follow(). */
OrielMachineItem *machine_item_new_pending(const char *name);
/* The machine is in `folder` now. */
void machine_item_follow(OrielMachineItem *item, const char *folder);
void machine_item_set_operation(OrielMachineItem *item, OrielOperation *operation);
void machine_item_set_waiting_keys(OrielMachineItem *item, char **keys);
/* Asks a newly connected engine which settings it runs with. */
void machine_item_running_config_ask(OrielMachineItem *item);
/* The same, while what it said before still counts. */
void machine_item_running_config_ask_again(OrielMachineItem *item);
void machine_item_waiting_keys_update(OrielMachineItem *item);

/* oriel-machine-item-saving.c. After every change of the engine: */
void machine_item_saving_follow(OrielMachineItem *item);
/* The saving has ended, well if `error` is NULL. Nothing if there is none. */
void machine_item_saving_end(OrielMachineItem *item, const GError *error);
/* Whether the saving under way is one that somebody has cancelled. */
gboolean machine_item_saving_is_cancelled(OrielMachineItem *item);

#endif
