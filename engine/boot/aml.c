/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Terms of ACPI machine language. See aml.h. */
#include "aml.h"

#include <string.h>

#include "bytes.h"
#include "files.h"

enum {
    NAME_OP = 0x08,
    BYTE_PREFIX = 0x0a,
    WORD_PREFIX = 0x0b,
    DWORD_PREFIX = 0x0c,
    STRING_PREFIX = 0x0d,
    QWORD_PREFIX = 0x0e,
    SCOPE_OP = 0x10,
    BUFFER_OP = 0x11,
    PACKAGE_OP = 0x12,
    METHOD_OP = 0x14,
    DUAL_NAME = 0x2e,
    MULTI_NAME = 0x2f,
    EXT_PREFIX = 0x5b,
    EXT_REGION = 0x80,
    EXT_FIELD = 0x81,
    EXT_DEVICE = 0x82,
    IF_OP = 0xa0,
    ELSE_OP = 0xa1,

    SPACE_PCI_CONFIG = 2,
    FIELD_BYTE_ACCESS = 1, /* no lock, preserve */
    METHOD_SERIALIZED = 1 << 3,
    SEGMENT = 4,
};

static void put(GByteArray *aml, uint8_t byte)
{
    g_byte_array_append(aml, &byte, 1);
}

static void put_value(GByteArray *aml, unsigned size, uint64_t value)
{
    guint8 bytes[8];

    store_le64(bytes, value);
    g_byte_array_append(aml, bytes, size);
}

/* --- Lengths ---------------------------------------------------------------------------------- */

/*
 * PkgLength (section 20.2.4) counts itself: one byte below 64, otherwise a lead byte with the
 * number of further bytes and the low four bits.
 */
static unsigned package_length(uint8_t out[4], size_t content)
{
    unsigned extra = 0;
    size_t length;

    if (content + 1 < 64) {
        out[0] = (uint8_t)(content + 1);
        return 1;
    }
    do {
        extra++;
        length = content + 1 + extra;
    } while (length >> (4 + 8 * extra) != 0);
    g_assert(extra <= 3);
    out[0] = (uint8_t)(extra << 6 | (length & 0x0f));
    for (unsigned i = 0; i < extra; i++) {
        out[1 + i] = (uint8_t)(length >> (4 + 8 * i));
    }
    return extra + 1;
}

void aml_close(GByteArray *aml, size_t mark)
{
    uint8_t length[4];
    size_t content = aml->len - mark;
    unsigned n = package_length(length, content);

    g_byte_array_set_size(aml, aml->len + n);
    memmove(aml->data + mark + n, aml->data + mark, content);
    memcpy(aml->data + mark, length, n);
}

/* --- Data ------------------------------------------------------------------------------------- */

void aml_op(GByteArray *aml, enum aml_op op)
{
    put(aml, (uint8_t)op);
}

void aml_local(GByteArray *aml, unsigned n)
{
    put(aml, (uint8_t)(AML_LOCAL0 + n));
}

void aml_arg(GByteArray *aml, unsigned n)
{
    put(aml, (uint8_t)(AML_ARG0 + n));
}

void aml_integer(GByteArray *aml, uint64_t value)
{
    if (value <= 1) {
        put(aml, value != 0 ? AML_ONE : AML_ZERO);
    } else if (value <= UINT8_MAX) {
        put(aml, BYTE_PREFIX);
        put_value(aml, 1, value);
    } else if (value <= UINT16_MAX) {
        put(aml, WORD_PREFIX);
        put_value(aml, 2, value);
    } else if (value <= UINT32_MAX) {
        aml_dword(aml, (uint32_t)value);
    } else {
        put(aml, QWORD_PREFIX);
        put_value(aml, 8, value);
    }
}

size_t aml_dword(GByteArray *aml, uint32_t value)
{
    put(aml, DWORD_PREFIX);
    put_value(aml, 4, value);
    return aml->len - 4;
}

void aml_string(GByteArray *aml, const char *text)
{
    put(aml, STRING_PREFIX);
    g_byte_array_append(aml, (const guint8 *)text, (guint)strlen(text) + 1);
}

/* Three letters of five bits, then four hexadecimal digits, most significant first
 * (section 19.6.36). */
void aml_eisa_id(GByteArray *aml, const char *id)
{
    uint32_t value = 0;

    g_assert(strlen(id) == 7);
    for (unsigned i = 0; i < 3; i++) {
        value = value << 5 | (uint32_t)(id[i] - '@');
    }
    for (unsigned i = 3; i < 7; i++) {
        value = value << 4 | (uint32_t)g_ascii_xdigit_value(id[i]);
    }
    aml_dword(aml, GUINT32_SWAP_LE_BE(value));
}

void aml_bytes(GByteArray *aml, const void *bytes, size_t n)
{
    size_t mark;

    put(aml, BUFFER_OP);
    mark = aml->len;
    aml_integer(aml, n);
    g_byte_array_append(aml, bytes, (guint)n);
    aml_close(aml, mark);
}

void aml_uuid(GByteArray *aml, const char *text)
{
    guint8 guid[16];

    uuid_to_guid(text, guid);
    aml_bytes(aml, guid, sizeof(guid));
}

/* --- Names ------------------------------------------------------------------------------------ */

static void put_segment(GByteArray *aml, const char *segment)
{
    size_t length = strlen(segment);

    g_assert(length >= 1 && length <= SEGMENT);
    for (unsigned i = 0; i < SEGMENT; i++) {
        put(aml, i < length ? (uint8_t)segment[i] : '_');
    }
}

void aml_path(GByteArray *aml, const char *path)
{
    g_auto(GStrv) segments = NULL;
    unsigned n;

    while (*path == '\\' || *path == '^') {
        put(aml, (uint8_t)*path++);
    }
    segments = g_strsplit(path, ".", -1);
    n = g_strv_length(segments);
    if (n == 2) {
        put(aml, DUAL_NAME);
    } else if (n > 2) {
        put(aml, MULTI_NAME);
        put(aml, (uint8_t)n);
    }
    for (unsigned i = 0; i < n; i++) {
        put_segment(aml, segments[i]);
    }
}

void aml_name(GByteArray *aml, const char *path)
{
    put(aml, NAME_OP);
    aml_path(aml, path);
}

void aml_name_integer(GByteArray *aml, const char *path, uint64_t value)
{
    aml_name(aml, path);
    aml_integer(aml, value);
}

/* --- What has a length ------------------------------------------------------------------------ */

static size_t open_named(GByteArray *aml, const char *path)
{
    size_t mark = aml->len;

    aml_path(aml, path);
    return mark;
}

size_t aml_scope(GByteArray *aml, const char *path)
{
    put(aml, SCOPE_OP);
    return open_named(aml, path);
}

size_t aml_device(GByteArray *aml, const char *path)
{
    put(aml, EXT_PREFIX);
    put(aml, EXT_DEVICE);
    return open_named(aml, path);
}

size_t aml_method(GByteArray *aml, const char *path, unsigned arguments, bool serialized)
{
    size_t mark;

    put(aml, METHOD_OP);
    mark = open_named(aml, path);
    put(aml, (uint8_t)(arguments | (serialized ? METHOD_SERIALIZED : 0)));
    return mark;
}

size_t aml_if(GByteArray *aml)
{
    put(aml, IF_OP);
    return aml->len;
}

size_t aml_else(GByteArray *aml)
{
    put(aml, ELSE_OP);
    return aml->len;
}

size_t aml_package(GByteArray *aml, unsigned elements)
{
    size_t mark;

    g_assert(elements <= UINT8_MAX);
    put(aml, PACKAGE_OP);
    mark = aml->len;
    put(aml, (uint8_t)elements);
    return mark;
}

void aml_pci_region(GByteArray *aml, const char *name, unsigned offset, unsigned length)
{
    put(aml, EXT_PREFIX);
    put(aml, EXT_REGION);
    aml_path(aml, name);
    put(aml, SPACE_PCI_CONFIG);
    aml_integer(aml, offset);
    aml_integer(aml, length);
}

size_t aml_field_bytes(GByteArray *aml, const char *region)
{
    size_t mark;

    put(aml, EXT_PREFIX);
    put(aml, EXT_FIELD);
    mark = open_named(aml, region);
    put(aml, FIELD_BYTE_ACCESS);
    return mark;
}

void aml_field_unit(GByteArray *aml, const char *name, unsigned bits)
{
    uint8_t length[4];
    /* Here the PkgLength is a number of bits and does not count itself. */
    unsigned n = bits < 64 ? 1 : 2;

    g_assert(bits < 1 << 12);
    length[0] = (uint8_t)(n == 1 ? bits : 1u << 6 | (bits & 0x0f));
    length[1] = (uint8_t)(bits >> 4);
    if (name == NULL) {
        put(aml, 0);
    } else {
        put_segment(aml, name);
    }
    g_byte_array_append(aml, length, n);
}

/* --- Resources -------------------------------------------------------------------------------- */

enum {
    SMALL_IRQ = 0x22, /* two bytes: edge, active high, exclusive */
    SMALL_IO = 0x47,
    SMALL_END = 0x79,
    LARGE_MEMORY_FIXED = 0x86,
    LARGE_DWORD = 0x87,
    LARGE_WORD = 0x88,
    LARGE_INTERRUPT = 0x89,
    LARGE_QWORD = 0x8a,

    IO_DECODE_16 = 1,
    READ_WRITE = 1,

    RANGE_MEMORY = 0,
    RANGE_IO = 1,
    RANGE_BUS = 2,
    RANGE_FIXED = 0x0c, /* minimum and maximum fixed, positive decode, producer */
    IO_ENTIRE = 3,
    MEMORY_CACHEABLE = 1 << 1,

    INTERRUPT_CONSUMER = 1,
    INTERRUPT_SHARED = 1 << 3, /* level, active high */
};

GByteArray *resources_new(void)
{
    return g_byte_array_new();
}

void resource_io(GByteArray *list, uint16_t base, uint8_t length)
{
    put(list, SMALL_IO);
    put(list, IO_DECODE_16);
    put_value(list, 2, base);
    put_value(list, 2, base);
    put(list, 1);
    put(list, length);
}

void resource_irq(GByteArray *list, unsigned irq)
{
    put(list, SMALL_IRQ);
    put_value(list, 2, 1u << irq);
}

void resource_interrupts(GByteArray *list, const uint32_t *numbers, unsigned n)
{
    put(list, LARGE_INTERRUPT);
    put_value(list, 2, 2 + 4 * n);
    put(list, INTERRUPT_CONSUMER | INTERRUPT_SHARED);
    put(list, (uint8_t)n);
    for (unsigned i = 0; i < n; i++) {
        put_value(list, 4, numbers[i]);
    }
}

void resource_memory_fixed(GByteArray *list, uint32_t base, uint32_t length)
{
    put(list, LARGE_MEMORY_FIXED);
    put_value(list, 2, 9);
    put(list, READ_WRITE);
    put_value(list, 4, base);
    put_value(list, 4, length);
}

/* Address space descriptors differ only in the width of their five numbers (section 6.4.3.5). */
struct range {
    uint8_t type, flags;
    uint64_t first, last;
};

static void put_range(GByteArray *list, uint8_t tag, unsigned width, const struct range *range)
{
    put(list, tag);
    put_value(list, 2, 3 + 5 * width);
    put(list, range->type);
    put(list, RANGE_FIXED);
    put(list, range->flags);
    put_value(list, width, 0); /* granularity */
    put_value(list, width, range->first);
    put_value(list, width, range->last);
    put_value(list, width, 0); /* translation */
    put_value(list, width, range->last - range->first + 1);
}

void resource_bus_range(GByteArray *list, uint16_t first, uint16_t last)
{
    put_range(list, LARGE_WORD, 2, &(struct range){ RANGE_BUS, 0, first, last });
}

void resource_io_range(GByteArray *list, uint16_t first, uint16_t last)
{
    put_range(list, LARGE_WORD, 2, &(struct range){ RANGE_IO, IO_ENTIRE, first, last });
}

void resource_memory_range(GByteArray *list, uint32_t first, uint32_t last, bool cacheable)
{
    uint8_t flags = (uint8_t)(READ_WRITE | (cacheable ? MEMORY_CACHEABLE : 0));

    put_range(list, LARGE_DWORD, 4, &(struct range){ RANGE_MEMORY, flags, first, last });
}

void resource_memory_range64(GByteArray *list, uint64_t first, uint64_t last)
{
    put_range(list, LARGE_QWORD, 8,
              &(struct range){ RANGE_MEMORY, READ_WRITE | MEMORY_CACHEABLE, first, last });
}

void aml_resources(GByteArray *aml, GByteArray *list)
{
    put(list, SMALL_END);
    put(list, 0); /* no checksum */
    aml_bytes(aml, list->data, list->len);
    g_byte_array_unref(list);
}
