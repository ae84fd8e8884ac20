/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a CD image says of itself: the primary volume descriptor (ECMA-119 8.4) and the boot
 * catalogue (El Torito 1.0, section 2). Foreign bytes: a catalogue has a bounded number of entries.
 */
#include "oriel-media-private.h"

#include <string.h>

enum {
    ISO_SECTOR = 2048,
    DESCRIPTORS_FIRST = 16,
    DESCRIPTORS_MAX = 32,
    VOLUME_IDENTIFIER = 40,
    VOLUME_IDENTIFIER_LENGTH = 32,
    BOOT_SYSTEM = 7,
    CATALOG_POINTER = 0x47,
    CATALOG_ENTRY = 32,
    CATALOG_ENTRIES_MAX = ISO_SECTOR / CATALOG_ENTRY,
};

enum descriptor_type {
    DESCRIPTOR_BOOT_RECORD = 0,
    DESCRIPTOR_PRIMARY = 1,
    DESCRIPTOR_TERMINATOR = 255,
};

enum {
    PLATFORM_X86 = 0x00,
    PLATFORM_EFI = 0xef,
    ENTRY_BOOTABLE = 0x88,
    HEADER_VALIDATION = 0x01,
    HEADER_SECTION = 0x90,
    HEADER_SECTION_LAST = 0x91,
};

gboolean iso_recognise(int fd)
{
    char identifier[5];

    return media_read(fd, DESCRIPTORS_FIRST * ISO_SECTOR + 1, identifier, sizeof(identifier)) &&
           (memcmp(identifier, "CD001", 5) == 0 || memcmp(identifier, "BEA01", 5) == 0);
}

static const char el_torito[] = "EL TORITO SPECIFICATION"; /* with its zero byte */

gboolean iso_begins_with_boot_record(int fd)
{
    char identifier[sizeof(el_torito)];

    return media_read(fd, (DESCRIPTORS_FIRST + 1) * ISO_SECTOR + BOOT_SYSTEM, identifier,
                      sizeof(identifier)) &&
           memcmp(identifier, el_torito, sizeof(el_torito)) == 0;
}

/* Characters of the descriptor without the blanks behind them, or NULL if there are none. */
static char *descriptor_text(const guint8 *bytes, gsize length)
{
    g_autofree char *raw = g_strndup((const char *)bytes, length);
    char *text = g_utf8_make_valid(g_strchomp(raw), -1);

    for (char *p = text; *p; p++) {
        if (g_ascii_iscntrl(*p)) {
            *p = ' ';
        }
    }
    if (!*text) {
        g_clear_pointer(&text, g_free);
    }
    return text;
}

/* Which platforms the boot catalogue serves. */
static void catalog_read(int fd, guint32 sector, gboolean *x86, gboolean *efi)
{
    guint8 catalog[ISO_SECTOR];
    guint8 platform;

    if (!media_read(fd, (guint64)sector * ISO_SECTOR, catalog, sizeof(catalog)) ||
        catalog[0] != HEADER_VALIDATION || catalog[30] != 0x55 || catalog[31] != 0xaa) {
        return;
    }
    platform = catalog[1];
    for (int i = 1; i < CATALOG_ENTRIES_MAX; i++) {
        const guint8 *entry = catalog + i * CATALOG_ENTRY;

        if (entry[0] == HEADER_SECTION || entry[0] == HEADER_SECTION_LAST) {
            platform = entry[1];
        } else if (entry[0] == ENTRY_BOOTABLE) {
            *x86 |= platform == PLATFORM_X86;
            *efi |= platform == PLATFORM_EFI;
        }
    }
}

void iso_describe(int fd, OrielMedia *media)
{
    guint8 descriptor[ISO_SECTOR];
    gboolean x86 = FALSE, efi = FALSE;

    for (int i = 0; i < DESCRIPTORS_MAX; i++) {
        guint64 offset = (guint64)(DESCRIPTORS_FIRST + i) * ISO_SECTOR;

        if (!media_read(fd, offset, descriptor, sizeof(descriptor)) ||
            memcmp(descriptor + 1, "CD001", 5) != 0 || descriptor[0] == DESCRIPTOR_TERMINATOR) {
            break;
        }
        if (descriptor[0] == DESCRIPTOR_PRIMARY && !media->label) {
            media->label =
                descriptor_text(descriptor + VOLUME_IDENTIFIER, VOLUME_IDENTIFIER_LENGTH);
        } else if (descriptor[0] == DESCRIPTOR_BOOT_RECORD &&
                   memcmp(descriptor + BOOT_SYSTEM, el_torito, sizeof(el_torito) - 1) == 0) {
            guint32 sector;

            memcpy(&sector, descriptor + CATALOG_POINTER, sizeof(sector));
            catalog_read(fd, GUINT32_FROM_LE(sector), &x86, &efi);
        }
    }
    media->bootable = x86 || efi;
    media->uefi_only = efi && !x86;
}
