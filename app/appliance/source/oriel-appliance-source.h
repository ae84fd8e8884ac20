/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where an appliance's files come from: a tar (OVA, box) in any order, also packed by gzip, xz,
 * zstd or bzip2; a zip; the folder of a description; a loose disk image. Files are never unpacked
 * by their names; a name that leads elsewhere, a link or a device is refused. What it is, its
 * content says.
 *
 * Threads: blocking; any, several at a time once it is open.
 */
#ifndef ORIEL_APPLIANCE_SOURCE_H
#define ORIEL_APPLIANCE_SOURCE_H

#include <gio/gio.h>

#include "block/storage.h"
#include "oriel-files.h"
#include "appliance/foreign/oriel-foreign.h"

typedef struct OrielApplianceSource OrielApplianceSource;

typedef struct {
    const char *disks; /* a folder where files are looked for that are not beside the description;
                          NULL: none */
    int scratch; /* an open file that what is packed is unpacked into, or -1; stays the caller's */
    GVariant *unpacked; /* what of it is in `scratch` already: oriel_appliance_source_unpacked() of
                           an earlier time; NULL: nothing */
} OrielApplianceSourceOptions;

/*
 * Opens a file or folder and reads its description. Errors: NOT_FOUND, PERMISSION, INVALID,
 * CORRUPT (cut short), NO_SPACE, HOST.
 */
OrielApplianceSource *oriel_appliance_source_open(const char *path,
                                                  const OrielApplianceSourceOptions *options,
                                                  GError **error);
void oriel_appliance_source_free(OrielApplianceSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrielApplianceSource, oriel_appliance_source_free)

/* What was unpacked into `scratch`, floating; NULL: it is not packed. */
GVariant *oriel_appliance_source_unpacked(const OrielApplianceSource *source);

/* Of the description; UNKNOWN: there is none, only disks. */
OrielForeign oriel_appliance_source_format(const OrielApplianceSource *source);
/* UNKNOWN only: the names (char *) of the disk images, at least one. Owned by the source. */
const GPtrArray *oriel_appliance_source_images(const OrielApplianceSource *source);
/* The description, and what it is called for a user. Owned by the source. */
const char *oriel_appliance_source_text(const OrielApplianceSource *source, gsize *length);
const char *oriel_appliance_source_name(const OrielApplianceSource *source);
/* Whether there is a manifest, and a certificate for it. */
gboolean oriel_appliance_source_has_manifest(const OrielApplianceSource *source);
gboolean oriel_appliance_source_is_signed(const OrielApplianceSource *source);

/* Bytes that a declared file takes in the appliance, all chunks. NOT_FOUND, INVALID. */
gboolean oriel_appliance_source_size(OrielApplianceSource *source, const OrielOvfFile *file,
                                     guint64 *size, GError **error);
/* Whether it lies there as one piece that is not compressed. */
gboolean oriel_appliance_source_is_plain(OrielApplianceSource *source, const OrielOvfFile *file);
/*
 * Where a file lies that is plain: *name is that in the appliance's folder, "" for the archive
 * itself or what was unpacked of it (g_free()). FALSE if it lies nowhere that the user could point
 * at.
 */
gboolean oriel_appliance_source_place(OrielApplianceSource *source, const OrielOvfFile *file,
                                      char **name, guint64 *offset, guint64 *size);
/*
 * The file's content: in its place if it is plain; otherwise put together, and unpacked to at most
 * `limit` bytes, in a nameless file in the folder `scratch`. storage_free().
 */
struct storage *oriel_appliance_source_storage(OrielApplianceSource *source,
                                               const OrielOvfFile *file, const char *scratch,
                                               guint64 limit, GCancellable *cancellable,
                                               GError **error);
/*
 * Compares a file (NULL: the description) with the manifest; TRUE without one that names it.
 * CORRUPT if it differs, G_IO_ERROR_CANCELLED.
 */
gboolean oriel_appliance_source_verify(OrielApplianceSource *source, const OrielOvfFile *file,
                                       GCancellable *cancellable, GError **error);

#endif
