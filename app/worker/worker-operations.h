/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What oriel-worker can do, by name. */
#ifndef ORIEL_WORKER_OPERATIONS_H
#define ORIEL_WORKER_OPERATIONS_H

#include <gio/gio.h>

#include "oriel-files.h"

struct worker_call {
    GVariantDict *options;
    int file; /* -1: none */
    OrielProgress progress;
    gpointer data;
    GCancellable *cancellable;
};

/* Blocking. The answer, an a{sv}, or NULL with *error set: those of the operation; INVALID if there
 * is none of that name. */
GVariant *worker_operation_run(const char *name, const struct worker_call *call, GError **error);

#endif
