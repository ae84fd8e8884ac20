/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Disks of appliances: opening them, and what can be told from them before they are copied. */
#include <string.h>

#include "config/config.h"
#include "oriel-import-private.h"

enum {
    GPT_ENTRIES_MAX = 128,
    BOOT_CODE = 440, /* bytes of a master boot record */
    EXTENTS_MAX = 1 << 20,
};

struct image *import_image_open(OrielImport *import, const struct import_drive *drive,
                                const char *scratch, GCancellable *cancellable, GError **error)
{
    guint64 limit = (drive->capacity ? drive->capacity : IMPORT_DISK_MAX) + IMPORT_SPARE;
    struct storage *storage = oriel_appliance_source_storage(import->source, drive->file, scratch,
                                                             limit, cancellable, error);
    enum image_format format;
    struct image *image;

    if (!storage) {
        return NULL;
    }
    if (!image_detect(storage, &format, error)) {
        storage_free(storage);
        return NULL;
    }
    image = image_open(storage, format, error);
    if (image && (image->backing_name || image->size > IMPORT_DISK_MAX || image->size == 0)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    image->backing_name
                        ? "The appliance is refused: its disk “%s” is only a difference to another "
                          "file. Export it again as a whole."
                        : "The appliance is refused: its disk “%s” has no size that a disk can "
                          "have.",
                    drive->file->href);
        g_clear_pointer(&image, image_free);
    }
    return image;
}

static guint32 le32(const guint8 *bytes)
{
    guint32 value;

    memcpy(&value, bytes, sizeof(value));
    return GUINT32_FROM_LE(value);
}

static guint64 le64(const guint8 *bytes)
{
    return le32(bytes) | (guint64)le32(bytes + 4) << 32;
}

gboolean import_image_is_uefi(struct image *image)
{
    static const guint8 system_partition[16] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
                                                 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };
    guint8 mbr[IMAGE_SECTOR], header[IMAGE_SECTOR];
    g_autofree guint8 *entries = NULL;
    guint32 n, size;
    guint64 at;

    if (image->size < 4 * IMAGE_SECTOR || image_read(image, 0, mbr, sizeof(mbr)) != 0 ||
        image_read(image, IMAGE_SECTOR, header, sizeof(header)) != 0 ||
        memcmp(header, "EFI PART", 8) != 0) {
        return FALSE;
    }
    for (guint i = 0; i < BOOT_CODE; i++) {
        if (mbr[i]) {
            return FALSE;
        }
    }
    at = le64(header + 72);
    n = MIN(le32(header + 80), GPT_ENTRIES_MAX);
    size = le32(header + 84);
    if (n == 0 || size != 128 || at > image->size / IMAGE_SECTOR ||
        (guint64)n * size > image->size - at * IMAGE_SECTOR) {
        return FALSE;
    }
    entries = g_malloc((gsize)n * size);
    if (image_read(image, at * IMAGE_SECTOR, entries, (gsize)n * size) != 0) {
        return FALSE;
    }
    for (guint i = 0; i < n; i++) {
        if (memcmp(entries + (gsize)i * size, system_partition, sizeof(system_partition)) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

guint64 import_image_data(struct image *image)
{
    guint64 offset = 0, data = 0;

    for (guint i = 0; offset < image->size; i++) {
        enum image_kind kind;
        uint64_t known;

        if (i == EXTENTS_MAX ||
            image_status(image, offset, image->size - offset, &kind, &known) != 0) {
            return image->size; /* not worth more looking */
        }
        data += kind == IMAGE_DATA ? known : 0;
        offset += known;
    }
    return data;
}
