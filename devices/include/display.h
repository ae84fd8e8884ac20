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
    DISPLAY_HEADS_MAX = 4,
    DISPLAY_CURSOR_SIDE = 64, /* pixels across and down of a cursor's shape */
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

/* A cursor that the adapter does not draw into its picture. */
struct display_cursor {
    uint32_t shape; /* another number for each shape; 0: the guest has given none */
    bool visible;
    int32_t x, y;          /* of its top left pixel in the picture; may be outside */
    uint32_t hot_x, hot_y; /* what of the shape points, below DISPLAY_CURSOR_SIDE */
    uint32_t pixels[DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE]; /* ARGB, premultiplied */
};

/* Monitors are connected to heads, numbered from 0. */
struct display_ops {
    /* How many heads there are, 1..DISPLAY_HEADS_MAX. NULL: one, and what has a head among its
     * arguments is about that one. */
    unsigned (*heads)(struct device *device);
    /* The current mode. Never fails; clamps whatever the registers say. */
    void (*mode)(struct device *device, unsigned head, struct display_mode *mode);
    /*
     * Draws what changed since the last call (every pixel if `full`) into a surface of exactly the
     * current mode's size and adds what it drew to *damage. Returns false, drawing nothing, if the
     * surface no longer has the mode's size.
     */
    bool (*render)(struct device *device, unsigned head, const struct surface *surface, bool full,
                   struct damage *damage);
    /*
     * The cursor now. The pixels are only written if cursor->shape is not the current shape. NULL:
     * whatever cursor there is, is part of the picture.
     */
    void (*cursor)(struct device *device, unsigned head, struct display_cursor *cursor);
    /* Copies the grid of a text mode, which only the first head has: columns * rows cells. False in
     * a graphics mode. */
    bool (*text)(struct device *device, struct text_cell *cells, uint32_t columns, uint32_t rows,
                 struct text_cursor *cursor);
    /*
     * The monitor prefers width x height pixels from now on (the viewer's size), or the nearest
     * that the adapter can show; the guest learns it as the adapter's specification says, if it
     * looks. NULL: the adapter has no such thing.
     */
    void (*set_size)(struct device *device, unsigned head, uint32_t width, uint32_t height);
    /* Whether a monitor is connected; at the first head there always is one. NULL: only there. */
    bool (*connected)(struct device *device, unsigned head);
    /* Plugs a monitor in or out; the guest learns it. Not for the first head. Goes with connected.
     */
    void (*set_connected)(struct device *device, unsigned head, bool connected);
};

#endif
