/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file `state` of a saved machine: named sections of bytes, each with a version and a CRC.
 *
 * Form, little endian: 8 bytes magic "ORIELST1", u32 number of sections, u32 0; each section: kind
 * (16 bytes) and name (32 bytes), both ASCII and ended and filled up by zeroes, u32 version, u32
 * length, u32 CRC-32 of the bytes, u32 0, then the bytes. Nothing follows the last one.
 *
 * The file is not trusted: sections_parse() checks every length, sum and checksum, and that no two
 * sections are of one kind and name. What the bytes mean is checked by whoever takes them.
 *
 * Threads: none of its own.
 */
#ifndef ENGINE_SNAPSHOT_SECTIONS_H
#define ENGINE_SNAPSHOT_SECTIONS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    SECTION_KIND_SIZE = 16,
    SECTION_NAME_SIZE = 32,
    SECTIONS_MAX = 4096,
};

struct section {
    char kind[SECTION_KIND_SIZE];
    char name[SECTION_NAME_SIZE];
    uint32_t version;
    uint32_t length;
    const uint8_t *bytes; /* in the data that was parsed */
};

/* An empty file, to which sections are added; the number of them is kept up to date. */
GByteArray *sections_new(void);
void sections_add(GByteArray *file, const char *kind, const char *name, uint32_t version,
                  const void *bytes, size_t length);

/* Array of struct section, which refer to `data`; NULL if anything is wrong. g_array_unref(). */
GArray *sections_parse(const uint8_t *data, size_t length);
const struct section *sections_find(const GArray *sections, const char *kind, const char *name);
/* The bytes of a section that has exactly this version and length; NULL otherwise. */
const void *sections_bytes(const GArray *sections, const char *kind, const char *name,
                           uint32_t version, size_t length);

#endif
