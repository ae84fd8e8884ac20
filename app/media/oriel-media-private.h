/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of this folder share. */
#ifndef ORIEL_MEDIA_PRIVATE_H
#define ORIEL_MEDIA_PRIVATE_H

#include "oriel-media.h"
#include "oriel-system.h"

/*
 * Reads exactly `length` bytes at `offset`. FALSE if the file ends before, or cannot be read: then
 * there is nothing to recognise there.
 */
gboolean media_read(int fd, guint64 offset, void *bytes, gsize length);

/* Sets what the bytes of an open file say: all but path, size (needed before) and system. */
void media_recognise(int fd, OrielMedia *media);

/*
 * Looks into the file at `path`, in this process: oriel-worker's part of oriel_media_identify().
 * With `systems` it also says which system a CD installs, for which oriel_system_prepare() must
 * have been called where no code can be loaded. Errors: those of oriel_media_identify().
 */
OrielMedia *media_look(const char *path, gboolean systems, GCancellable *cancellable,
                       GError **error);
/* As an a{sv}, and back from one that the worker sent: INVALID if it cannot be true. Floating. */
GVariant *media_to_wire(const OrielMedia *media);
OrielMedia *media_from_wire(GVariant *wire, const char *path, GError **error);

/* Whether an ISO 9660 (or UDF) volume begins in sector 16. */
gboolean iso_recognise(int fd);
/* Whether the second volume descriptor is El Torito's, as on CDs that boot a PC. */
gboolean iso_begins_with_boot_record(int fd);
/* Fills in what the volume says of itself: label, El Torito boot entries. */
void iso_describe(int fd, OrielMedia *media);

/* The system on an ISO image: by osinfo-db, otherwise by its label. Blocking. */
void iso_identify_system(int fd, OrielMedia *media, GCancellable *cancellable);

/* The systems Oriel knows by itself: also without osinfo-db. */
typedef struct {
    const char *id, *name, *family;
    const char *labels; /* pattern of volume labels (GRegex, group "release"), or NULL */
    guint memory_minimum, memory_recommended; /* MiB */
    guint disk_recommended;                   /* GiB */
    gboolean uefi, virtio, clock_local;
    guint virtio_display; /* first release that knows a virtio display; 0: not known of any */
} SystemRow;

extern const SystemRow system_table[];
extern const gsize system_table_rows;

/*
 * The id of the system whose labels fit, with its release if the label says that ("debian12"), or
 * NULL. g_free().
 */
char *system_by_label(const char *label);

#endif
