/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What keeps oriel-worker to its work. Files: Landlock, by paths. System calls: a list of those
 * that reading and writing need (seccomp), without sockets, programs, processes, and memory that
 * can be executed. No new privileges, no core dumps, at most WORKER_MEMORY_MAX bytes of memory.
 *
 * A kernel without Landlock, or without seccomp, does without that part; check-host says so
 * (oriel_worker_has_landlock()).
 */
#ifndef ORIEL_WORKER_SANDBOX_H
#define ORIEL_WORKER_SANDBOX_H

#include <glib.h>
#include <stdint.h>

#include "worker/worker-protocol.h"

#define WORKER_MEMORY_MAX (UINT64_C(512) << 20)

/* Paths; those that are not there are left out. Each list ends with NULL. */
struct worker_rights {
    const char *reads[WORKER_PATHS_MAX + 1];
    const char *changes[WORKER_PATHS_MAX + 1];
    const char *fills[WORKER_PATHS_MAX + 1];
    gboolean systems; /* and the database of systems */
    gboolean texts;   /* and texts in any encoding, for which code has been loaded */
};

/* Enters the sandbox for ever. Before the process has a second thread. */
void worker_sandbox_enter(const struct worker_rights *rights);

#endif
