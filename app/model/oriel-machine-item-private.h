/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the item's files and the list share. Threads: main context, unless said otherwise. */
#ifndef ORIEL_MACHINE_ITEM_PRIVATE_H
#define ORIEL_MACHINE_ITEM_PRIVATE_H

#include "oriel-machine-item.h"
#include "running/oriel-supervisor.h"

/* Which file is there: another one, or one that was written since, differs. All 0: none. */
typedef struct {
    guint64 inode;
    gint64 time; /* of the last change, ns since 1970 */
} FileStamp;

/* What of a machine's folder is read, without the reading. */
typedef struct {
    gboolean exists; /* the folder */
    gboolean saved;  /* the machine has a saved state */
    FileStamp settings, thumbnail;
} MachineStamp;

/* Worker thread: blocks. */
MachineStamp machine_stamp_take(const char *folder);
gboolean machine_stamps_equal(const MachineStamp *a, const MachineStamp *b);

/* What a look into a machine's folder found. */
typedef struct {
    OrielMachine *machine;
    char *thumbnail;    /* path, or NULL */
    MachineStamp stamp; /* earlier than the rest */
} MachineReading;

/* Worker thread: blocks. Never NULL. */
MachineReading *machine_reading_new(const char *folder);
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
    guint watchers;          /* oriel_machine_item_watch() */
    GFileMonitor *monitor;   /* of the folder, or NULL */
    gboolean watch_begins;   /* a worker makes the monitor */
    guint reload;            /* source */
    gboolean reading_now, read_again, disposed;
    gboolean thumbnail_busy;
    gboolean is_trial;
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

/* oriel-machine-item-watch.c. After every change of the folder or of who watches. */
void machine_item_watch_follow(OrielMachineItem *item);

/* oriel-machine-item-saving.c. After every change of the engine: */
void machine_item_saving_follow(OrielMachineItem *item);
/* The saving has ended, well if `error` is NULL. Nothing if there is none. */
void machine_item_saving_end(OrielMachineItem *item, const GError *error);
/* Whether the saving under way is one that somebody has cancelled. */
gboolean machine_item_saving_is_cancelled(OrielMachineItem *item);

#endif
