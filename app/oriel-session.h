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
#include "oriel-library.h"

/*
 * Starts the machine's engine, detached from this process, and returns when the guest runs (or is
 * ready to run, if `paused`). Errors: those of the engine (LOCKED if it runs already, NO_KVM, ...),
 * TIMEOUT never.
 */
gboolean oriel_session_start(const OrielMachine *machine, gboolean paused,
                             GCancellable *cancellable, GError **error);

/*
 * The proxy of a running machine's engine, its properties loaded. NULL with *error set: STATE if
 * the machine does not run (a copy of it with the same UUID may), TIMEOUT if its engine does not
 * answer within ten seconds. Unref.
 */
OrielEngine *oriel_session_connect(const OrielMachine *machine, GError **error);

/*
 * The state for people and scripts: "stopped", "running", "paused", "crashed", "unresponsive"
 * (its engine does not answer), "unavailable", "damaged". Static. If there is something to say
 * about it, *message becomes a sentence, otherwise NULL; g_free(). `message` may be NULL.
 */
const char *oriel_session_state(const OrielMachine *machine, char **message);

#endif
