/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One machine as a window sees it: an observable object over a machine's folder and, while it runs,
 * its engine. All engine ends are seen here: a closed connection, the state property, an answer
 * that does not come. They go through one state machine with generation numbers, so that news of
 * an earlier run never counts for a later one. Nothing here starts a machine by itself.
 *
 * Threads: main context only; nothing blocks (files are read on worker threads).
 *
 * Properties, all read-only, all with notify: "name" (s), "folder" (s), "uuid" (s), "state"
 * (OrielMachineState), "message" (s: a sentence about the state, may be empty), "engine"
 * (OrielEngine, NULL while it does not run), "config" (pointer, OrielConfig), "thumbnail" (s: path
 * of a PNG, may be NULL), "operation" (OrielOperation under way on it, or NULL), "waiting-keys"
 * (strv: settings that differ from those the machine runs with).
 */
#ifndef ORIEL_MACHINE_ITEM_H
#define ORIEL_MACHINE_ITEM_H

#include <gio/gio.h>

#include "oriel-engine-contract.h"
#include "library/oriel-library.h"
#include "oriel-operation.h"

typedef enum {
    ORIEL_MACHINE_STATE_UNAVAILABLE, /* its folder is not there: a drive that is not plugged in */
    ORIEL_MACHINE_STATE_DAMAGED,     /* machine.json cannot be used */
    ORIEL_MACHINE_STATE_PENDING,     /* being made by `operation` */
    ORIEL_MACHINE_STATE_STOPPED,
    ORIEL_MACHINE_STATE_SAVED, /* stopped, with its running state in the folder */
    ORIEL_MACHINE_STATE_STARTING,
    ORIEL_MACHINE_STATE_RUNNING,
    ORIEL_MACHINE_STATE_PAUSED,
    ORIEL_MACHINE_STATE_SAVING,
    ORIEL_MACHINE_STATE_STOPPING,
    ORIEL_MACHINE_STATE_CRASHED, /* the guest crashed; its engine still shows the screen */
    ORIEL_MACHINE_STATE_LOST,    /* the engine runs and does not answer */
} OrielMachineState;

#define ORIEL_TYPE_MACHINE_STATE (oriel_machine_state_get_type())
GType oriel_machine_state_get_type(void);
/* "running", as orielctl prints it. */
const char *oriel_machine_state_to_string(OrielMachineState state);

#define ORIEL_TYPE_MACHINE_ITEM (oriel_machine_item_get_type())
G_DECLARE_FINAL_TYPE(OrielMachineItem, oriel_machine_item, ORIEL, MACHINE_ITEM, GObject)

/*
 * Signals: "stopped-unexpectedly" (s message): the engine ended, or the guest crashed, and nobody
 * had asked for it. "was-reset": the guest restarted. "media-changed" (s drive).
 */

const char *oriel_machine_item_get_name(OrielMachineItem *item);
const char *oriel_machine_item_get_folder(OrielMachineItem *item);
const char *oriel_machine_item_get_uuid(OrielMachineItem *item);
OrielMachineState oriel_machine_item_get_state(OrielMachineItem *item);
const char *oriel_machine_item_get_message(OrielMachineItem *item);
const char *oriel_machine_item_get_thumbnail(OrielMachineItem *item);
OrielOperation *oriel_machine_item_get_operation(OrielMachineItem *item);
const char *const *oriel_machine_item_get_waiting_keys(OrielMachineItem *item);
/* Disks and network cards can come and go now: it runs, and was started with "hotplug".
 * notify::waiting-keys tells of a change, too. */
gboolean oriel_machine_item_can_plug(OrielMachineItem *item);
/* The connected engine, or NULL. Its connection carries the Display interface as well. */
OrielEngine *oriel_machine_item_get_engine(OrielMachineItem *item);
/* The settings as they are on disk; NULL when they cannot be read. Valid until notify::config. */
const OrielConfig *oriel_machine_item_get_config(OrielMachineItem *item);
/* A copy for the blocking functions of app/, to be used on a worker thread. */
OrielMachine *oriel_machine_item_dup_machine(OrielMachineItem *item);
/* True from STARTING to LOST: an engine process has the machine. */
gboolean oriel_machine_item_is_active(OrielMachineItem *item);
/* It is tried (oriel-trial.h): nothing of it is kept. */
gboolean oriel_machine_item_is_trial(OrielMachineItem *item);

/* Starts (or, from SAVED, resumes) the machine. Errors: those of oriel_session_start(). */
void oriel_machine_item_start_async(OrielMachineItem *item, gboolean discard_saved,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer data);
gboolean oriel_machine_item_start_finish(OrielMachineItem *item, GAsyncResult *result,
                                         GError **error);

typedef enum {
    ORIEL_COMMAND_PAUSE,
    ORIEL_COMMAND_RESUME,
    ORIEL_COMMAND_RESET,
    ORIEL_COMMAND_SHUT_DOWN, /* presses the power button; returns at once */
    ORIEL_COMMAND_POWER_OFF,
    ORIEL_COMMAND_SAVE, /* saves the running state and ends the engine */
    ORIEL_COMMAND_KILL, /* ends an engine that does not answer (state LOST) */
} OrielCommand;

/* Errors: STATE where the state does not allow it, and the engine's own. */
void oriel_machine_item_command_async(OrielMachineItem *item, OrielCommand command,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer data);
gboolean oriel_machine_item_command_finish(OrielMachineItem *item, GAsyncResult *result,
                                           GError **error);

/*
 * Changes settings, all or none: key and value alternate, as oriel_config_set() takes them, NULL at
 * the end. "name" is not among them: rename with oriel_rename() in oriel_machine_item_operate().
 * "config" has notified before the callback runs. Errors: INVALID with a sentence for the row where
 * the mistake was made; CORRUPT, PERMISSION, STATE (saved machine), ...
 */
void oriel_machine_item_set_async(OrielMachineItem *item, const char *const *pairs,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer data);
gboolean oriel_machine_item_set_finish(OrielMachineItem *item, GAsyncResult *result,
                                       GError **error);

/*
 * Asks the engine whether it still answers; the state becomes LOST if it does not. For a window in
 * which somebody sees nothing happen: commands under way are watched anyway.
 */
void oriel_machine_item_check(OrielMachineItem *item);

/*
 * Takes a picture of the running machine into FOLDER/thumbnail.png; "thumbnail" notifies when it is
 * there. A machine that pauses or is turned off does so by itself. No more often than needed.
 */
void oriel_machine_item_refresh_thumbnail(OrielMachineItem *item);

/*
 * Runs blocking work on the machine (add a disk, rename, move, ...) as its operation: `work` gets
 * `data`; the item's "operation" shows it, and the item reads its folder again when it has ended.
 * If the work returns a folder, that is where the machine is from then on. The caller connects to
 * the operation's "ended". Owned by the caller as well: unref. If other work is under way, the
 * operation ends with STATE.
 */
OrielOperation *oriel_machine_item_operate(OrielMachineItem *item, const char *title,
                                           OrielOperationWork work, gpointer data,
                                           GDestroyNotify free_data);

/* Reads the folder again, soon; after somebody else may have changed it. */
void oriel_machine_item_reload(OrielMachineItem *item);

/*
 * For who shows the machine: as long as somebody watches, the item follows its folder as others
 * change it. An item that nobody watches is read again when its engine ends, after work on it, and
 * by oriel_machine_list_reload(); only a damaged one is followed all the time. Each call of watch
 * needs one of unwatch.
 */
void oriel_machine_item_watch(OrielMachineItem *item);
void oriel_machine_item_unwatch(OrielMachineItem *item);

#endif
