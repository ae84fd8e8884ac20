/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine's engine: starting it, finding it while it runs, talking to it.
 *
 * Threads: functions block; any thread. The window calls them from worker threads and uses the
 * proxy's own asynchronous calls.
 */
#ifndef ORIEL_SESSION_H
#define ORIEL_SESSION_H

#include <gio/gio.h>

#include "oriel-engine-contract.h"
#include "oriel-files.h"
#include "library/oriel-library.h"

enum {
    ORIEL_SESSION_PATIENCE = 10, /* seconds in which an engine answers, however busy the host is */
};

typedef enum {
    ORIEL_START_PAUSED = 1 << 0,        /* ready, but not running yet */
    ORIEL_START_DISCARD_SAVED = 1 << 1, /* forget the saved state and boot */
} OrielStartFlags;

/*
 * Starts the machine's engine, detached from this process, and returns when the guest runs (or is
 * ready to run, if `paused`). Errors: those of the engine (LOCKED if it runs already, NO_KVM, ...),
 * TIMEOUT never. If `process` is not NULL, it becomes the engine's process; unref.
 */
gboolean oriel_session_start(const OrielMachine *machine, OrielStartFlags flags,
                             GSubprocess **process, GCancellable *cancellable, GError **error);

/* A part of an open file on which a disk of the machine builds (block/lent.h). */
typedef struct {
    char *name;
    int fd; /* stays the caller's */
    guint64 offset, size;
} OrielLoan;

/*
 * The same with loans, for a machine that is tried: it runs until *until is closed, which this
 * process does at the latest when it ends.
 */
gboolean oriel_session_start_lent(const OrielMachine *machine, const OrielLoan *loans, guint n,
                                  GSubprocess **process, int *until, GCancellable *cancellable,
                                  GError **error);

/* What looking for an engine found. */
typedef enum {
    ORIEL_FOUND_ENGINE,
    ORIEL_FOUND_NOTHING,  /* no engine runs the machine */
    ORIEL_FOUND_OTHER,    /* an engine of another version of Oriel */
    ORIEL_FOUND_NO_SENSE, /* something that does not speak the contract, or has no answer in time */
} OrielFound;

/*
 * Saves the state of a running or paused machine and ends its engine; the next start goes on from
 * there. `progress` counts thousandths. Cancelling leaves the machine as it was. Errors: STATE,
 * NO_SPACE, HOST.
 */
gboolean oriel_session_save(const OrielMachine *machine, OrielProgress progress, gpointer data,
                            GCancellable *cancellable, GError **error);

/*
 * The proxy of a running machine's engine, its properties loaded; its calls have no time limit of
 * their own. NULL with *error set: STATE if the machine does not run (a copy of it with the same
 * UUID may), HOST if something else answers, TIMEOUT if its engine does not answer within
 * ORIEL_SESSION_PATIENCE seconds. Unref.
 */
OrielEngine *oriel_session_connect(const OrielMachine *machine, GError **error);

/*
 * The same without a limit but `cancellable`. *found says what was found; *pid becomes the engine's
 * process id as far as it is known, otherwise 0.
 */
OrielEngine *oriel_session_find(const OrielMachine *machine, OrielFound *found, pid_t *pid,
                                GCancellable *cancellable, GError **error);

/*
 * The connected control socket under `path`, which waits while others are before it, but
 * not longer than ORIEL_SESSION_PATIENCE seconds. NULL with *error set:
 * G_IO_ERROR_CONNECTION_REFUSED if nobody listens, G_IO_ERROR_NOT_FOUND if the path leads nowhere,
 * G_IO_ERROR_WOULD_BLOCK if too many wait, G_IO_ERROR_CANCELLED. Unref.
 */
GSocketConnection *oriel_session_connect_socket(const char *path, GCancellable *cancellable,
                                                GError **error);

/*
 * Ends an engine that oriel_session_start() or oriel_session_start_lent() has given out and waits
 * for its end: it is asked, and forced if it does not heed that. Either takes at most
 * ORIEL_SESSION_PATIENCE seconds. Nothing is done if it has ended. Errors: HOST, TIMEOUT if the
 * system still holds it.
 */
gboolean oriel_session_end(GSubprocess *process, const OrielMachine *machine, GError **error);

/*
 * Ends the process that serves the machine's control socket, without asking it, and waits for its
 * end. Errors: STATE if there is none, HOST, TIMEOUT if it cannot be ended.
 */
gboolean oriel_session_kill(const OrielMachine *machine, GError **error);

/*
 * Writes the picture of a display (the first is 1) as PNG to `path`: into a temporary file first,
 * so that `path` is a whole picture or what it was. Errors: the engine's, NOT_FOUND, PERMISSION,
 * ...
 */
gboolean oriel_session_screenshot(OrielEngine *engine, guint display, const char *path,
                                  guint *width, guint *height, GCancellable *cancellable,
                                  GError **error);

/*
 * The state for people and scripts: "stopped", "saved" (stopped, and the
 * next start goes on), "running", "paused", "crashed", "unresponsive" (an
 * engine has it and gives no sensible answer), "unavailable", "damaged". Static. If there is
 * something to say about it, *message becomes a sentence, otherwise NULL; g_free(). `message` may
 * be NULL.
 */
const char *oriel_session_state(const OrielMachine *machine, char **message);

#endif
