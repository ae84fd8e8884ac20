/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small driver of the display adapter for its tests: the BIOS's register sets of the standard
 * modes, and a watcher that keeps a surface as the console does.
 */
#ifndef TESTS_DEVICES_TEST_VGA_H
#define TESTS_DEVICES_TEST_VGA_H

#include "test.h"

#include "display.h"
#include "fake_machine.h"

enum {
    FRAMEBUFFER = 0xe0000000,
    REGISTERS = 0xf0000000,
};

struct vga_mode {
    uint8_t misc, sequencer[5], crtc[25], graphics[9], attribute[21];
};

static const struct vga_mode mode_text = {
    /* 3: 80x25, 9x16 */
    0x67,
    { 0x03, 0x00, 0x03, 0x00, 0x02 },
    { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
      0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
    { 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff },
    { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
      0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00 },
};
__attribute__((unused)) static const struct vga_mode mode_cga = {
    /* 4: 320x200, 4 colours */
    0x63,
    { 0x03, 0x09, 0x03, 0x00, 0x02 },
    { 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xa2, 0xff },
    { 0x00, 0x00, 0x00, 0x00, 0x00, 0x30, 0x0f, 0x00, 0xff },
    { 0x00, 0x13, 0x15, 0x17, 0x02, 0x04, 0x06, 0x07, 0x10, 0x11, 0x12,
      0x13, 0x14, 0x15, 0x16, 0x17, 0x01, 0x00, 0x03, 0x00, 0x00 },
};
__attribute__((unused)) static const struct vga_mode mode_cga_mono = {
    /* 6: 640x200, 2 colours */
    0x63,
    { 0x03, 0x01, 0x01, 0x00, 0x06 },
    { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x00, 0x96, 0xb9, 0xc2, 0xff },
    { 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0d, 0x00, 0xff },
    { 0x00, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17,
      0x17, 0x17, 0x17, 0x17, 0x17, 0x01, 0x00, 0x01, 0x00, 0x00 },
};
__attribute__((unused)) static const struct vga_mode mode_low = {
    /* D: 320x200, 16 colours */
    0x63,
    { 0x03, 0x09, 0x0f, 0x00, 0x06 },
    { 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc0, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xe3, 0xff },
    { 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x0f, 0xff },
    { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x10, 0x11, 0x12,
      0x13, 0x14, 0x15, 0x16, 0x17, 0x01, 0x00, 0x0f, 0x00, 0x00 },
};
__attribute__((unused)) static const struct vga_mode mode_planar = {
    /* 12: 640x480, 16 colours */
    0xe3,
    { 0x03, 0x01, 0x0f, 0x00, 0x06 },
    { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0x00, 0x40, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff },
    { 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x0f, 0xff },
    { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
      0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x01, 0x00, 0x0f, 0x00, 0x00 },
};
__attribute__((unused)) static const struct vga_mode mode_256 = {
    /* 13: 320x200, 256 colours */
    0x63,
    { 0x03, 0x01, 0x0f, 0x00, 0x0e },
    { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff },
    { 0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x05, 0x0f, 0xff },
    { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
      0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x41, 0x00, 0x0f, 0x00, 0x00 },
};

struct screen {
    struct fake *fake;
    struct device *device;
    struct surface surface;
    struct damage damage; /* of the last screen_render() */
    struct display_mode mode;
};

static inline void vga_set(struct screen *s, uint16_t index_port, uint8_t index, uint8_t value)
{
    fake_out(s->fake, index_port, 2, (uint64_t)value << 8 | index);
}

static inline uint8_t vga_get(struct screen *s, uint16_t index_port, uint8_t index)
{
    fake_out(s->fake, index_port, 1, index);
    return (uint8_t)fake_in(s->fake, index_port + 1, 1);
}

static inline void attribute_set(struct screen *s, uint8_t index, uint8_t value)
{
    fake_in(s->fake, 0x3da, 1);
    fake_out(s->fake, 0x3c0, 1, index);
    fake_out(s->fake, 0x3c0, 1, value);
    fake_out(s->fake, 0x3c0, 1, 0x20);
}

static inline void palette_set(struct screen *s, uint8_t index, uint8_t red, uint8_t green,
                               uint8_t blue)
{
    fake_out(s->fake, 0x3c8, 1, index);
    fake_out(s->fake, 0x3c9, 1, red);
    fake_out(s->fake, 0x3c9, 1, green);
    fake_out(s->fake, 0x3c9, 1, blue);
}

/* What palette_start() makes of an index: distinct, and black only for 0. */
static inline uint32_t palette_color(unsigned index)
{
    uint32_t red = index & 0x3f, green = index >> 2 & 0x3f, blue = (index * 7) & 0x3f;

    return (red << 2 | red >> 4) << 16 | (green << 2 | green >> 4) << 8 | (blue << 2 | blue >> 4);
}

static inline void palette_start(struct screen *s)
{
    for (unsigned i = 0; i < 256; i++) {
        palette_set(s, (uint8_t)i, i & 0x3f, i >> 2 & 0x3f, (i * 7) & 0x3f);
    }
}

static inline void mode_start(struct screen *s, const struct vga_mode *mode)
{
    fake_out(s->fake, 0x3c2, 1, mode->misc);
    for (uint8_t i = 0; i < 5; i++) {
        vga_set(s, 0x3c4, i, mode->sequencer[i]);
    }
    vga_set(s, 0x3d4, 0x11, 0);
    for (uint8_t i = 0; i < 25; i++) {
        vga_set(s, 0x3d4, i, mode->crtc[i]);
    }
    for (uint8_t i = 0; i < 9; i++) {
        vga_set(s, 0x3ce, i, mode->graphics[i]);
    }
    for (uint8_t i = 0; i < 21; i++) {
        attribute_set(s, i, mode->attribute[i]);
    }
    fake_out(s->fake, 0x3c6, 1, 0xff);
    palette_start(s);
}

static inline void dispi_set(struct screen *s, uint16_t index, uint16_t value)
{
    fake_out(s->fake, 0x1ce, 2, index);
    fake_out(s->fake, 0x1cf, 2, value);
}

static inline uint16_t dispi_get(struct screen *s, uint16_t index)
{
    fake_out(s->fake, 0x1ce, 2, index);
    return (uint16_t)fake_in(s->fake, 0x1cf, 2);
}

static inline void dispi_start(struct screen *s, uint16_t width, uint16_t height, uint16_t bpp,
                               uint16_t flags)
{
    dispi_set(s, 4, 0);
    dispi_set(s, 1, width);
    dispi_set(s, 2, height);
    dispi_set(s, 3, bpp);
    dispi_set(s, 4, 0x41 | flags);
    fake_in(s->fake, 0x3da, 1);
    fake_out(s->fake, 0x3c0, 1, 0x20);
}

static inline void screen_open_with(struct screen *s, const struct option_value *values)
{
    memset(s, 0, sizeof(*s));
    s->fake = fake_new(65536);
    s->device = fake_add(s->fake, "stdvga", values);
    fake_map_bar(s->device, 2, REGISTERS);
    fake_map_bar(s->device, 0, FRAMEBUFFER);
    fake_out(s->fake, 0x3c2, 1, 1); /* ports at 3Dx */
}

static inline void screen_open(struct screen *s)
{
    screen_open_with(s, NULL);
}

static inline void screen_close(struct screen *s)
{
    free(s->surface.pixels);
    fake_free(s->fake);
}

/* What the console does: follow the mode's size, draw what changed. A new surface is full of junk.
 */
static inline void screen_render(struct screen *s)
{
    const struct display_ops *ops = s->device->class->display;
    bool full = false;

    ops->mode(s->device, 0, &s->mode);
    if (s->mode.width != s->surface.width || s->mode.height != s->surface.height) {
        free(s->surface.pixels);
        s->surface.width = s->mode.width;
        s->surface.height = s->mode.height;
        s->surface.stride = s->mode.width + 3;
        s->surface.pixels = malloc((size_t)s->surface.stride * s->surface.height * 4);
        memset(s->surface.pixels, 0x5a, (size_t)s->surface.stride * s->surface.height * 4);
        full = true;
    }
    s->damage.n = 0;
    CHECK(ops->render(s->device, 0, &s->surface, full, &s->damage));
}

/* The colour of a pixel, which must be opaque. */
static inline uint32_t pixel(const struct screen *s, uint32_t x, uint32_t y)
{
    if (x >= s->surface.width || y >= s->surface.height) {
        test_fail(__FILE__, __LINE__, "pixel %u,%u is outside the picture", x, y);
    }
    uint32_t value = s->surface.pixels[(size_t)y * s->surface.stride + x];

    if ((value & DISPLAY_OPAQUE) != DISPLAY_OPAQUE) {
        test_fail(__FILE__, __LINE__, "pixel %u,%u is not opaque: %#x", x, y, value);
    }
    return value & ~DISPLAY_OPAQUE;
}

/* True if the last drawing damaged exactly one rectangle, this one. */
static inline bool damaged(const struct screen *s, uint32_t x, uint32_t y, uint32_t width,
                           uint32_t height)
{
    const struct rect *r = &s->damage.rects[0];

    if (s->damage.n != 1 || r->x != x || r->y != y || r->width != width || r->height != height) {
        printf("# %u rectangles", s->damage.n);
        for (unsigned i = 0; i < s->damage.n; i++) {
            r = &s->damage.rects[i];
            printf(" %u,%u %ux%u", r->x, r->y, r->width, r->height);
        }
        printf("\n");
        return false;
    }
    return true;
}

/* True if drawing all of it anew gives what the surface holds, which incremental drawing made. */
static inline bool screen_is_current(struct screen *s)
{
    struct surface fresh = s->surface;
    struct damage damage = { .n = 0 };
    size_t bytes = (size_t)fresh.stride * fresh.height * 4;
    bool same;

    fresh.pixels = malloc(bytes);
    memcpy(fresh.pixels, s->surface.pixels, bytes);
    for (uint32_t y = 0; y < fresh.height; y++) {
        memset(fresh.pixels + (size_t)y * fresh.stride, 0xa5, fresh.width * 4);
    }
    same = s->device->class->display->render(s->device, 0, &fresh, true, &damage) &&
           memcmp(fresh.pixels, s->surface.pixels, bytes) == 0;
    free(fresh.pixels);
    return same;
}

#endif
