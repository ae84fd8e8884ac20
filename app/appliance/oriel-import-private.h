/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the import share. */
#ifndef ORIEL_IMPORT_PRIVATE_H
#define ORIEL_IMPORT_PRIVATE_H

#include "block/image.h"
#include "oriel-appliance-source.h"
#include "oriel-import.h"

#define IMPORT_DISK_MAX (G_GUINT64_CONSTANT(1) << 46) /* 64 TiB */
/* Bytes that an unpacked file may have more than its disk. */
#define IMPORT_SPARE    (G_GUINT64_CONSTANT(64) << 20)

/* A drive that the machine gets. */
struct import_drive {
    OrielOvfDriveKind kind;
    OrielOvfBus bus;
    const OrielOvfFile *file; /* NULL: an empty disk or CD drive */
    guint64 capacity;         /* bytes, as declared; 0: not said */
    guint64 size;             /* bytes as the guest sees it, as far as known */
    guint64 space;            /* bytes that it is expected to take */
};

struct OrielImport {
    OrielAppliance *appliance;
    OrielApplianceSource *source;
    OrielImportOptions options;
    OrielImportReport report;
    char *name, *folder; /* owned texts of options and report */
    GArray *drives;      /* struct import_drive */
};

/* Opens a disk of the appliance. NULL with *error set: INVALID for what leads to other files. */
struct image *import_image_open(OrielImport *import, const struct import_drive *drive,
                                const char *scratch, GCancellable *cancellable, GError **error);
/* Whether it starts by UEFI only: a GPT with an EFI system partition, and no boot code. */
gboolean import_image_is_uefi(struct image *image);
/* Bytes that hold data. */
guint64 import_image_data(struct image *image);

#endif
