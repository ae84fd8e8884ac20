/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the partition table of a disk tells about its firmware and its system. */
#include <string.h>

#include "oriel-import-private.h"

enum {
    GPT_ENTRIES_MAX = 128,
    GPT_ENTRY = 128,
    BOOT_CODE = 440, /* bytes of a master boot record */
    MBR_ENTRIES = 446,
};

static const guint8 efi_system[16] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
                                       0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };
static const guint8 linux_files[16] = { 0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47,
                                        0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4 };
static const guint8 linux_root[16] = { 0xe3, 0xbc, 0x68, 0x4f, 0xcd, 0xe8, 0xb1, 0x4d,
                                       0x96, 0xe7, 0xfb, 0xca, 0xf9, 0x84, 0xb7, 0x09 };
static const guint8 microsoft_reserved[16] = { 0x16, 0xe3, 0xc9, 0xe3, 0x5c, 0x0b, 0xb8, 0x4d,
                                               0x81, 0x7d, 0xf9, 0x2d, 0xf0, 0x02, 0x15, 0xae };

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

/* The GPT's entries, NULL without one. g_free(). */
static guint8 *gpt_read(struct image *image, guint *n)
{
    guint8 header[IMAGE_SECTOR];
    g_autofree guint8 *entries = NULL;
    guint64 at;

    if (image->size < 4 * IMAGE_SECTOR ||
        image_read(image, IMAGE_SECTOR, header, sizeof(header)) != 0 ||
        memcmp(header, "EFI PART", 8) != 0) {
        return NULL;
    }
    at = le64(header + 72);
    *n = MIN(le32(header + 80), GPT_ENTRIES_MAX);
    if (*n == 0 || le32(header + 84) != GPT_ENTRY || at > image->size / IMAGE_SECTOR ||
        (guint64)*n * GPT_ENTRY > image->size - at * IMAGE_SECTOR) {
        return NULL;
    }
    entries = g_malloc((gsize)*n * GPT_ENTRY);
    return image_read(image, at * IMAGE_SECTOR, entries, (gsize)*n * GPT_ENTRY) == 0
               ? g_steal_pointer(&entries)
               : NULL;
}

static gboolean has_type(const guint8 *entries, guint n, const guint8 type[16])
{
    for (guint i = 0; i < n; i++) {
        if (memcmp(entries + (gsize)i * GPT_ENTRY, type, 16) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

gboolean import_image_is_uefi(struct image *image)
{
    guint8 mbr[IMAGE_SECTOR];
    g_autofree guint8 *entries = NULL;
    guint n;

    if (image->size < sizeof(mbr) || image_read(image, 0, mbr, sizeof(mbr)) != 0) {
        return FALSE;
    }
    for (guint i = 0; i < BOOT_CODE; i++) {
        if (mbr[i]) {
            return FALSE;
        }
    }
    entries = gpt_read(image, &n);
    return entries && has_type(entries, n, efi_system);
}

const char *import_image_system(struct image *image)
{
    guint8 mbr[IMAGE_SECTOR];
    g_autofree guint8 *entries = NULL;
    guint n;

    if (image->size < sizeof(mbr) || image_read(image, 0, mbr, sizeof(mbr)) != 0) {
        return NULL;
    }
    entries = gpt_read(image, &n);
    if (entries) {
        return has_type(entries, n, linux_files) || has_type(entries, n, linux_root) ? "linux"
               : has_type(entries, n, microsoft_reserved)                            ? "windows"
                                                                                     : NULL;
    }
    for (guint i = 0; i < 4 && mbr[510] == 0x55 && mbr[511] == 0xaa; i++) {
        switch (mbr[MBR_ENTRIES + 16 * i + 4]) {
        case 0x82: /* swap */
        case 0x83: /* files */
        case 0x8e: /* LVM */
            return "linux";
        case 0x07: /* NTFS */
            return "windows";
        default:
            break;
        }
    }
    return NULL;
}
