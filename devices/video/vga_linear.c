/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Linear modes of the DISPI interface, 8 to 32 bits a pixel. Pixels are little endian, or big
 * endian when the guest says so in the extended registers.
 */
#include "bytes.h"
#include "vga.h"

static uint32_t bits_widen(uint32_t value, unsigned bits)
{
    value <<= 8 - bits;
    return value | value >> bits;
}

static uint32_t rgb555(uint32_t value)
{
    return DISPLAY_OPAQUE | bits_widen(value >> 10 & 31, 5) << 16 |
           bits_widen(value >> 5 & 31, 5) << 8 | bits_widen(value & 31, 5);
}

static uint32_t rgb565(uint32_t value)
{
    return DISPLAY_OPAQUE | bits_widen(value >> 11 & 31, 5) << 16 |
           bits_widen(value >> 5 & 63, 6) << 8 | bits_widen(value & 31, 5);
}

static uint32_t bytes_per_pixel(const struct picture *picture)
{
    switch (picture->kind) {
    case PICTURE_8:
        return 1;
    case PICTURE_15:
    case PICTURE_16:
        return 2;
    case PICTURE_24:
        return 3;
    default:
        return 4;
    }
}

static void line_make(struct vga *vga, const struct picture *picture, const uint8_t *from)
{
    const uint32_t *colors = vga->drawn->colors;
    uint32_t *to = vga->drawn->line, width = picture->width;
    bool big = picture->big_endian;

    switch (picture->kind) {
    case PICTURE_8:
        for (uint32_t x = 0; x < width; x++) {
            to[x] = colors[from[x]];
        }
        break;
    case PICTURE_15:
        for (uint32_t x = 0; x < width; x++) {
            to[x] = rgb555(big ? load_be16(from + 2 * x) : load_le16(from + 2 * x));
        }
        break;
    case PICTURE_16:
        for (uint32_t x = 0; x < width; x++) {
            to[x] = rgb565(big ? load_be16(from + 2 * x) : load_le16(from + 2 * x));
        }
        break;
    case PICTURE_24:
        for (uint32_t x = 0; x < width; x++) {
            const uint8_t *p = from + 3 * x;

            to[x] = DISPLAY_OPAQUE | (big ? (uint32_t)(p[0] << 16 | p[1] << 8 | p[2])
                                          : (uint32_t)(p[2] << 16 | p[1] << 8 | p[0]));
        }
        break;
    default:
        for (uint32_t x = 0; x < width; x++) {
            to[x] = DISPLAY_OPAQUE | (big ? load_be32(from + 4 * x) : load_le32(from + 4 * x));
        }
        break;
    }
}

void vga_linear_draw(struct vga *vga, const struct picture *picture, struct canvas *canvas)
{
    uint64_t length = (uint64_t)picture->width * bytes_per_pixel(picture);

    for (uint32_t y = 0; y < picture->height; y++) {
        uint64_t offset = picture->start + (uint64_t)y * picture->pitch;

        if (!range_fits(offset, length, vga->vram_size)) {
            break; /* dispi_picture() has made it fit; this guards what it says */
        }
        if (canvas->redraw || vga_dirty(vga, offset, length)) {
            line_make(vga, picture, vga->vram + offset);
            canvas_line(canvas, y, vga->drawn->line);
        }
    }
}
