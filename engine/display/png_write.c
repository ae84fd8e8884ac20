/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A surface as a PNG file, with zlib alone: PNG (ISO/IEC 15948) of 8-bit RGB rows without filter. A
 * screenshot is small and rare, so speed and size of the file matter less than one library fewer in
 * the engine.
 */
#include "display/png_write.h"

#include <string.h>
#include <zlib.h>

static void append_be32(GByteArray *out, uint32_t value)
{
    uint32_t big_endian = GUINT32_TO_BE(value);

    g_byte_array_append(out, (const guint8 *)&big_endian, 4);
}

static void append_chunk(GByteArray *out, const char type[5], const uint8_t *bytes, uint32_t length)
{
    guint start;

    append_be32(out, length);
    start = out->len;
    g_byte_array_append(out, (const guint8 *)type, 4);
    if (length > 0) {
        g_byte_array_append(out, bytes, length);
    }
    append_be32(out, (uint32_t)crc32(0, out->data + start, out->len - start));
}

/* Each row: filter type 0, then R, G, B for each pixel. */
static uint8_t *rows_pack(const struct surface *surface, size_t *size)
{
    size_t row = 1 + (size_t)surface->width * 3;
    uint8_t *rows = g_malloc(row * surface->height), *out = rows;

    for (uint32_t y = 0; y < surface->height; y++) {
        const uint32_t *pixel = surface->pixels + (size_t)y * surface->stride;

        *out++ = 0;
        for (uint32_t x = 0; x < surface->width; x++) {
            *out++ = (uint8_t)(pixel[x] >> 16);
            *out++ = (uint8_t)(pixel[x] >> 8);
            *out++ = (uint8_t)pixel[x];
        }
    }
    *size = row * surface->height;
    return rows;
}

GBytes *png_write(const struct surface *surface)
{
    static const uint8_t signature[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
    uint8_t header[13] = { [8] = 8, [9] = 2 }; /* bit depth, colour type RGB */
    GByteArray *out = g_byte_array_new();
    uint32_t width = GUINT32_TO_BE(surface->width), height = GUINT32_TO_BE(surface->height);
    size_t size;
    g_autofree uint8_t *rows = rows_pack(surface, &size);
    uLongf packed_size = compressBound(size);
    g_autofree uint8_t *packed = g_malloc(packed_size);

    if (compress2(packed, &packed_size, rows, size, 6) != Z_OK) {
        g_assert_not_reached(); /* the buffer is as large as zlib asks for */
    }
    memcpy(header, &width, 4);
    memcpy(header + 4, &height, 4);
    g_byte_array_append(out, signature, sizeof(signature));
    append_chunk(out, "IHDR", header, sizeof(header));
    append_chunk(out, "IDAT", packed, (uint32_t)packed_size);
    append_chunk(out, "IEND", NULL, 0);
    return g_byte_array_free_to_bytes(out);
}
