/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Graphics modes whose lines the CRTC walks: 16 colours from four planes (modes 0Dh-12h and DISPI
 * with 4 bits a pixel), CGA's four colours from two planes (modes 4 and 5; mode 6 is planar with
 * one plane enabled), 256 colours (mode 13h and mode X).
 *
 * A character clock is one byte of each plane, 8 dots. In 256-colour modes these four bytes are
 * four pixels of two dots each. The attribute controller's detour through its palette, which
 * 256-colour modes leave transparent, is not modelled for them.
 */
#include "bytes.h"
#include "vga.h"

/* The bits of a byte as the lowest bits of eight bytes; the highest becomes the lowest byte. */
static uint64_t bits_spread(uint8_t byte)
{
    return byte * UINT64_C(0x8040201008040201) >> 7 & UINT64_C(0x0101010101010101);
}

/* The colour numbers of eight dots, first dot in the low byte. */
static uint64_t planar_dots(uint32_t planes)
{
    return bits_spread((uint8_t)planes) | bits_spread((uint8_t)(planes >> 8)) << 1 |
           bits_spread((uint8_t)(planes >> 16)) << 2 | bits_spread((uint8_t)(planes >> 24)) << 3;
}

/* Two bits a pixel: four from planes 0 and 2, then four from planes 1 and 3. */
static uint64_t cga_dots(uint32_t planes)
{
    uint64_t dots = 0;

    for (unsigned i = 0; i < 8; i++) {
        uint32_t pair = planes >> (i < 4 ? 0 : 8);
        unsigned shift = 6 - i % 4 * 2;

        dots |= (uint64_t)((pair >> shift & 3) | (pair >> 16 >> shift & 3) << 2) << (8 * i);
    }
    return dots;
}

static uint32_t *dots_put(uint32_t *to, uint64_t dots, const uint32_t *colors, uint32_t repeat)
{
    for (unsigned i = 0; i < 8; i++, dots >>= 8) {
        for (uint32_t n = 0; n < repeat; n++) {
            *to++ = colors[dots & 15];
        }
    }
    return to;
}

static uint32_t *pixels_put(uint32_t *to, uint32_t planes, const uint32_t *colors, uint32_t repeat)
{
    for (unsigned i = 0; i < 4; i++, planes >>= 8) {
        for (uint32_t n = 0; n < 2 * repeat; n++) {
            *to++ = colors[planes & 0xff];
        }
    }
    return to;
}

/* Fills drawn->line with a line and, for panning, one character clock more. */
static void line_make(struct vga *vga, const struct picture *picture, const struct scan *scan)
{
    struct vga_drawn *drawn = vga->drawn;
    uint32_t *to = drawn->line;

    for (uint32_t column = 0; column <= picture->columns; column++) {
        uint32_t planes = load_le32(vga->vram + 4 * (size_t)scan_offset(picture, scan, column));

        switch (picture->kind) {
        case PICTURE_CHAIN:
            to = pixels_put(to, planes, drawn->colors, picture->dot_repeat);
            break;
        case PICTURE_CGA:
            to = dots_put(to, cga_dots(planes), drawn->colors16, picture->dot_repeat);
            break;
        default:
            to = dots_put(to, planar_dots(planes), drawn->colors16, picture->dot_repeat);
            break;
        }
    }
}

static bool line_changed(const struct vga *vga, const struct picture *picture,
                         const struct scan *scan)
{
    uint32_t first = scan_offset(picture, scan, 0);
    uint32_t last = scan_offset(picture, scan, picture->columns);

    if (last != first + picture->columns) { /* wraps around, or skips from bank to bank */
        return true;
    }
    return vga_dirty(vga, 4 * (uint64_t)first, 4 * (uint64_t)(last - first + 1));
}

void vga_planar_draw(struct vga *vga, const struct picture *picture, struct canvas *canvas)
{
    uint32_t made_offset = UINT32_MAX, made_pan = 0; /* what drawn->line shows */
    struct scan scan;

    scan_start(picture, &scan);
    for (uint32_t y = 0; y < picture->height; y++) {
        uint32_t offset = scan_offset(picture, &scan, 0);

        if (canvas->redraw || line_changed(vga, picture, &scan)) {
            if (offset != made_offset || scan.pan != made_pan) {
                line_make(vga, picture, &scan);
                made_offset = offset;
                made_pan = scan.pan;
            }
            canvas_line(canvas, y, vga->drawn->line + scan.pan * picture->dot_repeat);
        }
        scan_next(picture, &scan, y);
    }
}
