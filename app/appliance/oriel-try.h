/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Trying an appliance before it is imported: a temporary machine whose disks are read where they
 * lie, in the archive, in what was unpacked of it, or beside the description, and what the guest
 * writes goes to overlays that are thrown away. CDs, and disks that consist of several files or are
 * packed each, are copied first. Its engine ends with its caller, however that ends; the folder
 * that is left then goes with the next machine that is made or tried, or with the next window.
 *
 * Threads: blocking; any.
 */
#ifndef ORIEL_TRY_H
#define ORIEL_TRY_H

#include "appliance/import/oriel-import.h"
#include "library/oriel-library.h"

typedef struct OrielTry OrielTry;

/*
 * Starts it. `progress`, of the copies, is called from the calling thread. Errors: STATE (a licence
 * was not accepted), and those of oriel_import_run() and oriel_session_start().
 */
OrielTry *oriel_try_start(OrielImport *import, OrielProgress progress, gpointer data,
                          GCancellable *cancellable, GError **error);
/* The machine, for all that can be done with one that runs. Owned by the try. */
const OrielMachine *oriel_try_machine(const OrielTry *try);
/* Waits for the end of its engine, which `cancellable` demands. */
void oriel_try_wait(OrielTry *try, GCancellable *cancellable);
/*
 * Ends it if it still runs, and removes all of it. An engine that does not heed that is killed
 * after ORIEL_SESSION_PATIENCE seconds.
 */
void oriel_try_free(OrielTry *try);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrielTry, oriel_try_free)

#endif
