/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the import share. The caller's side (oriel-import.c) has settings and folders;
 * oriel-worker opens the appliance and fills the folder. What the plan says crosses between them as
 * a GVariant (oriel-import-wire.c).
 */
#ifndef ORIEL_IMPORT_PRIVATE_H
#define ORIEL_IMPORT_PRIVATE_H

#include "config/config.h"
#include "block/image.h"
#include "config/config.h"
#include "appliance/source/oriel-appliance-source.h"
#include "oriel-import.h"

#define IMPORT_DISK_MAX (G_GUINT64_CONSTANT(1) << 46) /* 64 TiB */
/* Bytes that an unpacked file may have more than its disk. */
#define IMPORT_SPARE    (G_GUINT64_CONSTANT(64) << 20)

enum {
    IMPORT_MAC = 18,         /* bytes of "00:50:56:aa:bb:cc" */
    IMPORT_PLACE_NAME = 256, /* bytes of a file's name */
    IMPORT_NVRAM_MAX = 1 << 20,
};

/* Where a disk lies whole and not packed, so that it can be read there. */
struct import_place {
    char name[IMPORT_PLACE_NAME]; /* of the file in the appliance's folder; empty: the archive, or
                                     what was unpacked of it */
    guint64 offset, size;         /* bytes; size 0: there is no such place */
    guint format;                 /* enum image_format */
};

/* A drive that the machine gets. */
struct import_drive {
    OrielOvfDriveKind kind;
    OrielOvfBus bus;
    const OrielOvfFile *file; /* NULL: an empty disk or CD drive */
    guint64 capacity;         /* bytes, as declared; 0: not said */
    guint64 size;             /* bytes as the guest sees it, as far as known */
    guint64 space;            /* bytes that it is expected to take */
    struct import_place place;
};

/* A network card that the machine gets. */
struct import_card {
    OrielNetworkModel model;
    char mac[IMPORT_MAC]; /* empty: a new address */
    gboolean connected;
};

struct OrielImport {
    OrielAppliance *appliance;    /* the caller's has what the report needs of it */
    OrielApplianceSource *source; /* in the worker, */
    void (*free_source)(OrielApplianceSource *source); /* which frees it so */
    OrielImportOptions options;
    OrielImportReport report;
    char *name, *folder, *machine, *disks; /* owned texts of options and report */
    GArray *drives;                        /* struct import_drive */
    GArray *cards;                         /* struct import_card */
    GBytes *nvram;                         /* what the firmware keeps; NULL: to be made anew */
    char *path, *reads;                    /* the caller's: what the worker may read */
    GVariant *wire;                        /* the caller's: owns texts of the report */
    int scratch;        /* the caller's: a nameless file for what is packed; -1: none */
    GVariant *unpacked; /* what is in it; NULL: the appliance is not packed */
};

/* One with these options, and nothing else. oriel_import_free(). */
OrielImport *import_new(const OrielImportOptions *options);
/* What a disk gets: qcow2, and the controller of its bus. */
void import_drive_settings(const struct import_drive *drive, OrielDrive *disk);
/* Whether these are variables that our firmware can have. */
gboolean import_nvram_fits(GBytes *nvram);
/* Writes them into a machine's folder. */
gboolean import_nvram_write(const OrielImport *import, const char *folder, GError **error);
/* The caller's part of import_fill(): a worker does it. */
gboolean import_fill_folder(OrielImport *import, const char *folder, gboolean trial,
                            OrielProgress progress, gpointer data, GCancellable *cancellable,
                            GError **error);
/* Whether the file that the worker was to make is there, and nothing else in its place. CORRUPT. */
gboolean import_drive_check(const char *folder, const char *name, GError **error);
/* Sets all but the drives. */
gboolean import_settings(const OrielImport *import, OrielConfig *config, GError **error);

/* The name in the machine's folder of the file that a drive gets; NULL: none. g_free(). */
char *import_drive_name(const OrielImport *import, guint number);

/* --- Between the two -------------------------------------------------------------------------- */

/* The plan as an a{sv}, floating. */
GVariant *import_to_wire(const OrielImport *import);
/* What import->wire says, as if the appliance had been opened here. INVALID. */
gboolean import_from_wire(OrielImport *import, GError **error);

/* --- In the worker ---------------------------------------------------------------------------- */

/* Opens an appliance and makes the plan; see oriel_import_open(). `scratch` is a file to unpack
 * into, or -1; stays the caller's; `unpacked`: what is there already, or NULL. */
OrielImport *import_plan(const char *path, const OrielImportOptions *options, int scratch,
                         GVariant *unpacked, GError **error);
/*
 * Copies all disks and CD images into the folder; with `trial` only those that cannot be read in
 * their place. If it only now turns out what the first disk
 * starts by, the report's `uefi` changes.
 */
gboolean import_fill(OrielImport *import, const char *folder, gboolean trial,
                     OrielProgress progress, gpointer data, GCancellable *cancellable,
                     GError **error);

/* Opens a disk of the appliance with all that it is made of. NULL with *error set: INVALID for what
 * leads out of the appliance, NOT_FOUND. */
struct image *import_image_open(OrielImport *import, const struct import_drive *drive,
                                const char *scratch, GCancellable *cancellable, GError **error);
/* Whether it starts by UEFI only: a GPT with an EFI system partition, and no boot code. */
gboolean import_image_is_uefi(struct image *image);
/* "linux" or "windows" if the partitions are theirs; otherwise NULL. Static. */
const char *import_image_system(struct image *image);
/* The plain name of the file to which this one is a difference; NULL: none, or *error set. */
char *import_image_parent(OrielImport *import, const OrielOvfFile *file, GError **error);
/*
 * Describes a machine of which only the disks are known: a loose image, one that was packed, a
 * folder of Hyper-V.
 */
OrielAppliance *import_images_describe(OrielImport *import, GError **error);
/* Bytes that hold data. */
guint64 import_image_data(struct image *image);

#endif
