/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where an appliance's files come from: a tar (OVA) in any order, or the folder of an OVF. Files
 * are never unpacked by their names; a name that leads elsewhere, a link or a device is refused.
 *
 * Threads: blocking; any, several at a time once it is open.
 */
#ifndef ORIEL_APPLIANCE_SOURCE_H
#define ORIEL_APPLIANCE_SOURCE_H

#include <gio/gio.h>

#include "block/storage.h"
#include "oriel-files.h"
#include "oriel-ovf.h"

typedef struct OrielApplianceSource OrielApplianceSource;

/*
 * Opens an OVA, an OVF, or a folder with one, and reads its description, checked against the
 * manifest. Errors: NOT_FOUND, PERMISSION, INVALID, CORRUPT (cut short), HOST.
 */
OrielApplianceSource *oriel_appliance_source_open(const char *path, GError **error);
void oriel_appliance_source_free(OrielApplianceSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrielApplianceSource, oriel_appliance_source_free)

/* The description. Owned by the source. */
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
