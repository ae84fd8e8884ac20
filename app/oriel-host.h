/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the host lacks to run machines well, in plain words, each with one way to mend it. Blocking;
 * any thread. */
#ifndef ORIEL_HOST_H
#define ORIEL_HOST_H

#include <glib.h>

typedef struct {
    const char *id;   /* "no-kvm", "kvm-permission", ...: stable, for scripts */
    gboolean fatal;   /* no machine can run */
    int code;         /* OrielError that starting a machine would give */
    char *what, *fix; /* a sentence each */
} OrielFinding;

void oriel_finding_free(OrielFinding *finding);

/* OrielFinding; empty if all is well. `library` is the folder whose free space counts. */
GPtrArray *oriel_host_check(const char *library);

#endif
