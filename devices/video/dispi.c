/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Bochs display interface (DISPI, "VBE extensions" of the Bochs emulator, ids B0C0 to B0C5):
 * the registers behind ports 1CE/1CF and behind BAR 2 offset 500.
 *
 * Values are kept as the guest wrote them. What they mean is computed by geometry_get() at every
 * use: a depth that does not exist counts as 8 bits, widths are whole groups of eight pixels, and
 * the picture is made to fit the surface's limits and video memory. While a mode is on, reading
 * gives the computed values, as guests expect that ask for more than there is.
 */
#include <string.h>

#include "vga.h"

enum {
    ID_FIRST = 0xb0c0,
    ID_LAST = 0xb0c5,
    BPP_MAX = 32,
    ENABLE_BITS = 0x00e3,
};

struct geometry {
    uint32_t bits; /* a pixel takes in video memory */
    uint32_t width, height;
    uint32_t virtual_width, virtual_height;
    uint64_t pitch; /* bytes of video memory, all planes together */
    uint32_t x, y;
    uint64_t start; /* bytes of video memory of the first pixel's byte group */
};

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high)
{
    return value < low ? low : value > high ? high : value;
}

static uint32_t depth_bits(uint16_t bpp)
{
    switch (bpp) {
    case 4:
    case 16:
    case 24:
    case 32:
        return bpp;
    case 15:
        return 16;
    default:
        return 8;
    }
}

/* Bytes of video memory that `pixels` pixels in a row take; planes hold eight a byte. */
static uint64_t pixels_bytes(uint32_t bits, uint64_t pixels)
{
    return bits == 4 ? pixels / 8 * 4 : pixels * (bits / 8);
}

static bool position_fits(const struct vga *vga, struct geometry *g)
{
    g->start = g->y * g->pitch + pixels_bytes(g->bits, g->x);
    return g->start + (g->height - 1) * g->pitch + pixels_bytes(g->bits, g->width) <=
           vga->vram_size;
}

static void geometry_get(const struct vga *vga, struct geometry *g)
{
    const uint16_t *r = vga->dispi;

    g->bits = depth_bits(r[DISPI_BPP]);
    g->width = clamp(r[DISPI_XRES] & ~7u, 8, DISPLAY_WIDTH_MAX);
    g->virtual_width = clamp(r[DISPI_VIRT_WIDTH] & ~7u, g->width, UINT16_MAX & ~7u);
    g->pitch = pixels_bytes(g->bits, g->virtual_width);
    /* At most 256 KiB a line and at least 8 MiB of memory: there are always some lines. */
    g->virtual_height = clamp((uint32_t)(vga->vram_size / g->pitch), 1, UINT16_MAX);
    g->height = clamp(r[DISPI_YRES], 1, DISPLAY_HEIGHT_MAX);
    g->height = clamp(g->height, 1, g->virtual_height);
    g->x = r[DISPI_X_OFFSET];
    g->y = r[DISPI_Y_OFFSET];
    if (!position_fits(vga, g)) {
        g->y = 0;
        if (!position_fits(vga, g)) {
            g->x = 0;
            position_fits(vga, g);
        }
    }
}

static uint16_t banks(const struct vga *vga)
{
    return (uint16_t)(vga->vram_size / VGA_BANK_SIZE);
}

uint16_t dispi_read(struct vga *vga, unsigned index)
{
    struct geometry g;

    if (index >= DISPI_REGISTERS) {
        return 0;
    }
    if (index == DISPI_VIDEO_MEMORY) {
        return banks(vga);
    }
    if (index == DISPI_BANK) {
        return vga->dispi[DISPI_BANK] & (banks(vga) - 1);
    }
    if (vga->dispi[DISPI_ENABLE] & DISPI_GET_CAPS) {
        switch (index) {
        case DISPI_XRES:
            return DISPLAY_WIDTH_MAX;
        case DISPI_YRES:
            return DISPLAY_HEIGHT_MAX;
        case DISPI_BPP:
            return BPP_MAX;
        default:
            break;
        }
    }
    if (!dispi_enabled(vga)) {
        return vga->dispi[index];
    }
    geometry_get(vga, &g);
    switch (index) {
    case DISPI_XRES:
        return (uint16_t)g.width;
    case DISPI_YRES:
        return (uint16_t)g.height;
    case DISPI_VIRT_WIDTH:
        return (uint16_t)g.virtual_width;
    case DISPI_VIRT_HEIGHT:
        return (uint16_t)g.virtual_height;
    case DISPI_X_OFFSET:
        return (uint16_t)g.x;
    case DISPI_Y_OFFSET:
        return (uint16_t)g.y;
    default:
        return vga->dispi[index];
    }
}

static void enable_write(struct vga *vga, uint16_t value)
{
    bool was_enabled = dispi_enabled(vga);
    struct geometry g;

    vga->dispi[DISPI_ENABLE] = value & ENABLE_BITS;
    if (!dispi_enabled(vga)) {
        vga->dispi[DISPI_BANK] = 0;
    } else if (!was_enabled) {
        vga->dispi[DISPI_VIRT_WIDTH] = 0;
        vga->dispi[DISPI_X_OFFSET] = 0;
        vga->dispi[DISPI_Y_OFFSET] = 0;
        geometry_get(vga, &g);
        vga->dispi[DISPI_VIRT_WIDTH] = (uint16_t)g.width;
        if (!(value & DISPI_NO_CLEAR)) {
            memset(vga->vram, 0, g.pitch * g.height);
            vga_memory_touched(vga, 0, g.pitch * g.height);
        }
    }
    vga_memory_place(vga);
}

void dispi_write(struct vga *vga, unsigned index, uint16_t value)
{
    switch (index) {
    case DISPI_ID:
        if (value >= ID_FIRST && value <= ID_LAST) {
            vga->dispi[DISPI_ID] = value;
        }
        break;
    case DISPI_ENABLE:
        enable_write(vga, value);
        break;
    case DISPI_BPP:
    case DISPI_BANK:
        vga->dispi[index] = value;
        vga_memory_place(vga);
        break;
    case DISPI_XRES:
    case DISPI_YRES:
    case DISPI_VIRT_WIDTH:
    case DISPI_X_OFFSET:
    case DISPI_Y_OFFSET:
        vga->dispi[index] = value;
        break;
    default: /* VIRT_HEIGHT and VIDEO_MEMORY are only read; more registers may exist one day */
        break;
    }
}

void dispi_reset(struct vga *vga)
{
    memset(vga->dispi, 0, sizeof(vga->dispi));
    vga->dispi_index = 0;
    vga->dispi[DISPI_ID] = ID_LAST;
}

bool dispi_bank(const struct vga *vga, uint64_t *offset)
{
    if (!dispi_enabled(vga) || depth_bits(vga->dispi[DISPI_BPP]) == 4) {
        return false;
    }
    *offset = (vga->dispi[DISPI_BANK] & (banks(vga) - 1)) * (uint64_t)VGA_BANK_SIZE;
    return true;
}

static enum picture_kind depth_kind(uint16_t bpp)
{
    switch (bpp) {
    case 4:
        return PICTURE_PLANAR;
    case 15:
        return PICTURE_15;
    case 16:
        return PICTURE_16;
    case 24:
        return PICTURE_24;
    case 32:
        return PICTURE_32;
    default:
        return PICTURE_8;
    }
}

void dispi_picture(const struct vga *vga, struct picture *picture)
{
    struct geometry g;

    geometry_get(vga, &g);
    picture->kind = depth_kind(vga->dispi[DISPI_BPP]);
    picture->width = g.width;
    picture->height = g.height;
    picture->start = (uint32_t)g.start;
    picture->pitch = (uint32_t)g.pitch;
    picture->big_endian = vga->big_endian;
    if (picture->kind == PICTURE_PLANAR) {
        picture->start /= 4;
        picture->pitch /= 4;
        picture->offset_mask = vga->vram_size / 4 - 1;
        picture->columns = g.width / 8;
        picture->pan = g.x % 8;
        picture->dot_repeat = 1;
        picture->row_scans = 1;
        picture->scan_repeat = 1;
        picture->line_compare = UINT32_MAX;
        picture->crtc_mode = CRTC_MODE_BYTES | CRTC_MODE_NO_BIT_13 | CRTC_MODE_NO_BIT_14;
    }
}
