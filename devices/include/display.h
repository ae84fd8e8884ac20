/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A display adapter as the console (engine/display/console.c) sees it. The console owns the surface
 * and calls these functions, under the device's domain lock, only while somebody watches or asks.
 */
#ifndef DEVICES_DISPLAY_H
#define DEVICES_DISPLAY_H

#include <stdbool.h>
#include <stdint.h>

struct device;

enum {
    DISPLAY_WIDTH_MAX = 8192,
    DISPLAY_HEIGHT_MAX = 8192,
    DISPLAY_COLUMNS_MAX = 256,
    DISPLAY_ROWS_MAX = 128,
};

/* The top byte of every pixel: viewers show the surface as it is, with an opaque alpha channel. */
#define DISPLAY_OPAQUE UINT32_C(0xff000000)

/* Pixels, 8 bits a colour in host byte order: blue in the low byte, DISPLAY_OPAQUE on top. */
struct surface {
    uint32_t *pixels;
    uint32_t width, height; /* pixels, 1..DISPLAY_*_MAX */
    uint32_t stride;        /* pixels from one line to the next */
};

struct rect {
    uint32_t x, y, width, height;
};

/* What changed since the last render: a bounded list; when it is full, rectangles are joined. */
enum { DAMAGE_RECTS_MAX = 64 };

struct damage {
    struct rect rects[DAMAGE_RECTS_MAX];
    unsigned n;
};

/* Adds a rectangle (already inside the surface); left out if one holds it already, joined with the
 * last if they touch or there is no room. */
void damage_add(struct damage *damage, uint32_t x, uint32_t y, uint32_t width, uint32_t height);

struct display_mode {
    uint32_t width, height; /* pixels */
    bool text;              /* a text mode, with a grid of characters */
    uint32_t columns, rows; /* of the grid */
    bool blank;             /* the guest has turned the picture off; it renders black */
};

struct text_cell {
    uint8_t character; /* code page 437 */
    uint8_t attribute; /* VGA attribute byte: background 7:4, foreground 3:0 */
};

struct text_cursor {
    bool visible;
    uint32_t column, row;
};

struct display_ops {
    /* The current mode. Never fails; clamps whatever the registers say. */
    void (*mode)(struct device *device, struct display_mode *mode);
    /*
     * Draws what changed since the last call (every pixel if `full`) into a surface of exactly the
     * current mode's size and adds what it drew to *damage. Returns false, drawing nothing, if the
     * surface no longer has the mode's size.
     */
    bool (*render)(struct device *device, const struct surface *surface, bool full,
                   struct damage *damage);
    /* Copies the grid of a text mode, columns * rows cells. False in a graphics mode. */
    bool (*text)(struct device *device, struct text_cell *cells, uint32_t columns, uint32_t rows,
                 struct text_cursor *cursor);
    /*
     * The monitor prefers width x height pixels from now on (the viewer's size), or the nearest
     * that the adapter can show; the guest learns it as the adapter's specification says, if it
     * looks. NULL: the adapter has no such thing.
     */
    void (*set_size)(struct device *device, uint32_t width, uint32_t height);
};

#endif
