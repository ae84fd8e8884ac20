/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Work on files of strangers, done by a process of its own that can do little else: oriel-worker,
 * one for each piece of work. It may read what the request names, change or fill what the request
 * names, and nothing more: no other file, no network, no other program (Landlock and seccomp; see
 * worker-sandbox.h).
 *
 * Both sides speak D-Bus, peer to peer, over a pair of sockets (worker-protocol.h). The process
 * ends with the answer, with its caller, or when it is cancelled and does not heed it in a few
 * seconds.
 *
 * Threads: blocking; any thread. `progress` is called from the calling thread, several times a
 * second, also while there is nothing new.
 */
#ifndef ORIEL_WORKER_H
#define ORIEL_WORKER_H

#include <gio/gio.h>

#include "oriel-files.h"

typedef struct {
    const char *operation; /* see worker-operations.c */
    GVariant *options;     /* a{sv}; a floating reference is taken */
    const char *reads[3];  /* files, and folders with all that is in them, that it may read */
    const char *change;    /* a file that it may also change in its place, or NULL */
    const char *fill;      /* a folder in which it may make files, or NULL */
    const int *file;       /* an open file to write, or NULL; stays the caller's */
    gboolean systems;      /* it will need the database of systems */
    gboolean texts;        /* it will read texts of strangers, in whatever encoding */
    gboolean finishes;     /* cancelled too late, it goes on to its end: it is not ended by force */
} OrielWorkerRequest;

/* The answer of a worker whose process has not ended yet. */
typedef struct OrielWorker OrielWorker;

/*
 * Does the work. The answer is an a{sv}. Errors: those of the operation; HOST if the process cannot
 * be started or ended unexpectedly; G_IO_ERROR_CANCELLED.
 */
GVariant *oriel_worker_run(const OrielWorkerRequest *request, OrielProgress progress, gpointer data,
                           GCancellable *cancellable, GError **error);

/* The same, but the process, with the locks that it has, stays until oriel_worker_end(). */
OrielWorker *oriel_worker_run_and_hold(const OrielWorkerRequest *request, GVariant **answer,
                                       OrielProgress progress, gpointer data,
                                       GCancellable *cancellable, GError **error);
void oriel_worker_end(OrielWorker *worker);

/* Options of a request: pairs of key and text (also names of files), ending with NULL; without
 * those whose text is NULL. Floating. */
GVariant *oriel_worker_texts(const char *key, ...) G_GNUC_NULL_TERMINATED;

/*
 * Whether `path` is a text, which may name other files of its folder (a description of a machine,
 * of a VMDK in pieces): then reading it means to read in its folder. The folder, g_free(), or NULL.
 */
char *oriel_worker_folder_of_text(const char *path);

/* Whether the kernel can limit which files a worker opens. */
gboolean oriel_worker_has_landlock(void);

#endif
