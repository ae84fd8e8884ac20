/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Export of a machine as an appliance: an OVA, or a folder with an OVF descriptor, its manifest and
 * the disks. It appears whole or not at all, whatever fails, is cancelled or killed in between, and
 * is read again before it appears.
 *
 * Threads: blocking; any thread. `progress` is called from the calling thread.
 */
#ifndef ORIEL_EXPORT_H
#define ORIEL_EXPORT_H

#include <gio/gio.h>

#include "oriel-files.h"
#include "library/oriel-library.h"
#include "appliance/ovf/oriel-ovf-writer.h"

typedef struct {
    OrielOvfProfile profile;
    OrielOvfController controller;
    gboolean sha1;   /* manifest for older VMware; otherwise SHA-256 */
    gboolean verify; /* compare every block of the result with the machine's disks */
    gboolean force;  /* an existing file at the target is replaced */
} OrielExportOptions;

typedef struct {
    guint64 size;     /* bytes of all files; of an estimate: about */
    guint64 capacity; /* bytes of all disks */
    GPtrArray *files; /* names (char *) of what the appliance consists of, in its order */
    GPtrArray *notes; /* sentences (char *) about what does not travel, or is to be done there */
} OrielExportReport;

void oriel_export_report_free(OrielExportReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrielExportReport, oriel_export_report_free)

/*
 * What an export would give, from a look at a part of the disks. NULL with *error set if it is not
 * possible: STATE (running or saved), NOT_FOUND (a disk is missing), INVALID, ...
 */
OrielExportReport *oriel_export_estimate(const OrielMachine *machine,
                                         const OrielExportOptions *options,
                                         GCancellable *cancellable, GError **error);

/*
 * Exports to `target`: a file if the name ends with ".ova", otherwise a new folder. The machine
 * cannot be started meanwhile. Errors also: EXISTS, NO_SPACE, CORRUPT (what was written does not
 * read back as the disks), G_IO_ERROR_CANCELLED.
 */
OrielExportReport *oriel_export(const OrielMachine *machine, const char *target,
                                const OrielExportOptions *options, OrielProgress progress,
                                gpointer data, GCancellable *cancellable, GError **error);

#endif
