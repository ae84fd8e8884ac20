/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a file is, by its content and never by its name: an installer or live CD, a disk image, an
 * appliance, a machine of ours. Files are not trusted: oriel-worker looks into them.
 *
 * Threads: blocking (a process that reads a little); any thread.
 */
#ifndef ORIEL_MEDIA_H
#define ORIEL_MEDIA_H

#include <gio/gio.h>

typedef enum {
    ORIEL_MEDIA_UNKNOWN,
    ORIEL_MEDIA_ISO,     /* ISO 9660, bootable or not */
    ORIEL_MEDIA_DISK,    /* a disk image: `format` says which */
    ORIEL_MEDIA_OVA,     /* a tar with an OVF descriptor, or that of VMware */
    ORIEL_MEDIA_OVF,     /* the description of a machine, OVF or another: `format` says which */
    ORIEL_MEDIA_MACHINE, /* a machine's folder, or its machine.json */
    ORIEL_MEDIA_ARCHIVE, /* compressed or packed: zip, gz, xz, zst, 7z */
    ORIEL_MEDIA_KERNEL,  /* a Linux kernel image (bzImage) */
} OrielMediaKind;

typedef struct {
    char *path; /* absolute */
    OrielMediaKind kind;
    guint64 size; /* bytes of the file */
    /* "raw", "qcow2", "vmdk", "vdi", ..., or "ovf", "vmware", ...; static; NULL if neither. */
    const char *format;
    char *label;        /* the volume's own name, or NULL */
    char *system;       /* id of the system on it (oriel-system.h), or NULL if not known */
    gboolean bootable;  /* ISO: has an El Torito catalogue; raw disk: a boot sector or GPT */
    gboolean uefi_only; /* ISO: its catalogue has only a UEFI entry */
    gboolean live;      /* ISO: runs without being installed */
} OrielMedia;

void oriel_media_free(OrielMedia *media);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrielMedia, oriel_media_free)

/* Whether a machine can be made of a disk image of this format: it runs it, or converts it. */
gboolean oriel_disk_format_runs(const char *format);

/*
 * Looks into a file or folder. Errors: NOT_FOUND, PERMISSION, HOST; INVALID with a sentence for an
 * ISO that is cut short; G_IO_ERROR_CANCELLED. A file that is nothing known is no error: kind
 * UNKNOWN.
 */
OrielMedia *oriel_media_identify(const char *path, GCancellable *cancellable, GError **error);
/* The same on a worker thread. */
void oriel_media_identify_async(const char *path, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer data);
OrielMedia *oriel_media_identify_finish(GAsyncResult *result, GError **error);

#endif
