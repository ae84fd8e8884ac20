/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See sections.h. */
#include "snapshot/sections.h"

#include <string.h>
#include <zlib.h>

#include "bytes.h"

enum {
    HEADER_SIZE = 16,
    COUNT_AT = 8,
    SECTION_HEADER_SIZE = SECTION_KIND_SIZE + SECTION_NAME_SIZE + 16,
};

static const char magic[8] = { 'O', 'R', 'I', 'E', 'L', 'S', 'T', '1' };

GByteArray *sections_new(void)
{
    GByteArray *file = g_byte_array_new();

    g_byte_array_set_size(file, HEADER_SIZE);
    memset(file->data, 0, HEADER_SIZE);
    memcpy(file->data, magic, sizeof(magic));
    return file;
}

void sections_add(GByteArray *file, const char *kind, const char *name, uint32_t version,
                  const void *bytes, size_t length)
{
    uint8_t header[SECTION_HEADER_SIZE] = { 0 };
    uint8_t *at = header + SECTION_KIND_SIZE + SECTION_NAME_SIZE;

    g_assert(strlen(kind) < SECTION_KIND_SIZE && strlen(name) < SECTION_NAME_SIZE);
    g_assert(length <= UINT32_MAX / 2);
    memcpy(header, kind, strlen(kind));
    memcpy(header + SECTION_KIND_SIZE, name, strlen(name));
    store_le32(at, version);
    store_le32(at + 4, (uint32_t)length);
    store_le32(at + 8, (uint32_t)crc32(0, bytes, (uInt)length));
    g_byte_array_append(file, header, sizeof(header));
    g_byte_array_append(file, bytes, (guint)length);
    store_le32(file->data + COUNT_AT, load_le32(file->data + COUNT_AT) + 1);
}

/* Printable, ended, and nothing behind the end: names that look equal are equal. */
static bool text_is_sound(const uint8_t *text, size_t size)
{
    size_t length = strnlen((const char *)text, size);

    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_isgraph((char)text[i])) {
            return false;
        }
    }
    for (size_t i = length; i < size; i++) {
        if (text[i] != 0) {
            return false;
        }
    }
    return length > 0 && length < size;
}

/* Reads the section at `at`; the bytes it takes, or 0. */
static size_t section_read(const uint8_t *at, size_t left, struct section *section)
{
    const uint8_t *numbers = at + SECTION_KIND_SIZE + SECTION_NAME_SIZE;

    if (left < SECTION_HEADER_SIZE || !text_is_sound(at, SECTION_KIND_SIZE) ||
        !text_is_sound(at + SECTION_KIND_SIZE, SECTION_NAME_SIZE)) {
        return 0;
    }
    memcpy(section->kind, at, SECTION_KIND_SIZE);
    memcpy(section->name, at + SECTION_KIND_SIZE, SECTION_NAME_SIZE);
    section->version = load_le32(numbers);
    section->length = load_le32(numbers + 4);
    section->bytes = at + SECTION_HEADER_SIZE;
    if (section->length > left - SECTION_HEADER_SIZE || load_le32(numbers + 12) != 0 ||
        load_le32(numbers + 8) != (uint32_t)crc32(0, section->bytes, section->length)) {
        return 0;
    }
    return SECTION_HEADER_SIZE + section->length;
}

GArray *sections_parse(const uint8_t *data, size_t length)
{
    g_autoptr(GArray) sections = g_array_new(FALSE, FALSE, sizeof(struct section));
    size_t done = HEADER_SIZE;
    uint32_t n;

    if (length < HEADER_SIZE || memcmp(data, magic, sizeof(magic)) != 0) {
        return NULL;
    }
    n = load_le32(data + COUNT_AT);
    if (n > SECTIONS_MAX || load_le32(data + COUNT_AT + 4) != 0) {
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct section section;
        size_t taken = section_read(data + done, length - done, &section);

        if (taken == 0 || sections_find(sections, section.kind, section.name)) {
            return NULL;
        }
        g_array_append_val(sections, section);
        done += taken;
    }
    return done == length ? g_steal_pointer(&sections) : NULL;
}

const struct section *sections_find(const GArray *sections, const char *kind, const char *name)
{
    for (guint i = 0; i < sections->len; i++) {
        const struct section *section = &g_array_index(sections, struct section, i);

        if (strcmp(section->kind, kind) == 0 && strcmp(section->name, name) == 0) {
            return section;
        }
    }
    return NULL;
}

const void *sections_bytes(const GArray *sections, const char *kind, const char *name,
                           uint32_t version, size_t length)
{
    const struct section *section = sections_find(sections, kind, name);

    return section && section->version == version && section->length == length ? section->bytes
                                                                               : NULL;
}
