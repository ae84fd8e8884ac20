/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An appliance becomes a machine: OVA and OVF, the machines of other programs (oriel-foreign.h),
 * Vagrant's boxes, loose disk images, and all of these when they are packed. First the plan: what
 * the appliance declares, what the machine gets of it, what is not honoured, how much space it
 * takes. Then the import, which builds the machine in a hidden folder: it is there whole or not at
 * all, whatever fails, is cancelled or killed.
 *
 * Threads: blocking; any, one import in one thread at a time.
 */
#ifndef ORIEL_IMPORT_H
#define ORIEL_IMPORT_H

#include <gio/gio.h>

#include "oriel-files.h"
#include "appliance/ovf/oriel-ovf.h"

typedef struct OrielImport OrielImport;

typedef struct {
    const char *machine;    /* which one of several, by name; NULL: the only one */
    const char *name;       /* of the machine; NULL: as the appliance says */
    const char *folder;     /* where its folder goes; NULL: the library's own */
    const char *disks;      /* a folder where files may lie that the description names elsewhere */
    gboolean first_machine; /* with `machine` NULL: the first of several instead of an error */
    gboolean accept_licence;
    gboolean ignore_manifest;  /* import what differs from it, too */
    const OrielImport *before; /* an earlier look at the same file: what was unpacked for it need
                                  not be unpacked again; NULL: none */
} OrielImportOptions;

/* What is planned. Texts are owned by the import. */
typedef struct {
    const OrielAppliance *appliance;
    const OrielOvfMachine *machine;
    const char *name; /* a machine may be called so, if it is not taken */
    const char *os;   /* id of a system */
    guint cpus;
    guint64 memory; /* bytes */
    gboolean uefi;
    const char *firmware_reason; /* "as it says", ...; static */
    guint64 disks_size; /* bytes of all disks as the guest sees them: what they may grow to */
    guint64 space;      /* bytes that they are expected to take now */
    guint64 space_free; /* bytes */
    gboolean has_manifest, is_signed;
    GPtrArray *drives; /* a line for each drive */
    GPtrArray *cards;  /* a line for each network card */
    GPtrArray *notes;  /* sentences: what is not honoured, what changes */
} OrielImportReport;

/*
 * Opens an appliance and makes the plan; writes nothing but a nameless file where the machine will
 * be, for what is packed. `options` is copied. Errors: NOT_FOUND, PERMISSION, INVALID, CORRUPT,
 * HOST, G_IO_ERROR_CANCELLED.
 */
OrielImport *oriel_import_open(const char *path, const OrielImportOptions *options,
                               GCancellable *cancellable, GError **error);
OrielImport *oriel_import_ref(OrielImport *import);
/* Drops one reference; NULL is allowed. */
void oriel_import_free(OrielImport *import);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrielImport, oriel_import_free)
const OrielImportReport *oriel_import_report(const OrielImport *import);

/* What only oriel_import_run() needs: whoever has read the report decides. Nobody else uses it now.
 */
void oriel_import_decide(OrielImport *import, const char *name, gboolean accept_licence,
                         gboolean ignore_manifest);

/*
 * Makes the machine and returns its folder. `progress` is called from the calling thread. Errors
 * also: STATE (a licence was not accepted), EXISTS, NO_SPACE, G_IO_ERROR_CANCELLED. g_free().
 */
char *oriel_import_run(OrielImport *import, OrielProgress progress, gpointer data,
                       GCancellable *cancellable, GError **error);

#endif
