/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guest's cursor over VNC. Clients that know cursors get its shape by LibVNCServer; for the
 * others it is painted into the picture, and what it covers is kept. (The library could paint too,
 * but leaves out the last column and line of the screen, and with them a cursor in that corner.)
 */
#include <stdlib.h>
#include <string.h>

#include "display/cursor.h"
#include "display/vnc_private.h"

enum {
    SIDE = DISPLAY_CURSOR_SIDE,
    PIXELS = SIDE * SIDE,
    OPAQUE_ENOUGH = 128, /* of 255: pixels of clients that know no transparency */
};

/* One bit a pixel, the first one highest. The library frees it. */
static unsigned char *mask_new(const struct display_cursor *cursor)
{
    unsigned char *mask = calloc(PIXELS / 8, 1);

    for (unsigned i = 0; mask && i < PIXELS; i++) {
        if (cursor->pixels[i] >> 24 >= OPAQUE_ENOUGH) {
            mask[i / 8] |= (unsigned char)(0x80 >> i % 8);
        }
    }
    return mask;
}

/* NULL if there is no memory; then none is shown. The library frees each part. */
static rfbCursorPtr shape_new(const struct display_cursor *cursor)
{
    rfbCursorPtr shape = calloc(1, sizeof(*shape));
    unsigned char *colours = malloc(sizeof(cursor->pixels));
    unsigned char *opacities = malloc(PIXELS);
    unsigned char *mask = mask_new(cursor);

    if (!shape || !colours || !opacities || !mask) {
        free(shape);
        free(colours);
        free(opacities);
        free(mask);
        return NULL;
    }
    memcpy(colours, cursor->pixels, sizeof(cursor->pixels));
    for (unsigned i = 0; i < PIXELS; i++) {
        opacities[i] = (unsigned char)(cursor->pixels[i] >> 24);
    }
    shape->cleanup = shape->cleanupMask = shape->cleanupRichSource = TRUE;
    shape->width = shape->height = SIDE;
    shape->xhot = (unsigned short)cursor->hot_x;
    shape->yhot = (unsigned short)cursor->hot_y;
    shape->foreRed = shape->foreGreen = shape->foreBlue = 0xffff;
    shape->mask = mask;
    shape->richSource = colours;
    shape->alphaSource = opacities;
    shape->alphaPreMultiplied = TRUE;
    return shape;
}

void vnc_cursor_send(rfbScreenInfoPtr screen, const struct display_cursor *cursor)
{
    rfbSetCursor(screen, cursor && cursor->visible ? shape_new(cursor) : NULL);
}

/* What of the picture a cursor covers; empty if nothing. */
static struct rect place_of(const struct display_cursor *cursor, const struct surface *surface)
{
    int64_t left = CLAMP((int64_t)cursor->x, 0, (int64_t)surface->width);
    int64_t top = CLAMP((int64_t)cursor->y, 0, (int64_t)surface->height);
    int64_t right = CLAMP((int64_t)cursor->x + SIDE, 0, (int64_t)surface->width);
    int64_t bottom = CLAMP((int64_t)cursor->y + SIDE, 0, (int64_t)surface->height);

    if (!cursor->visible) {
        return (struct rect){ .width = 0 };
    }
    return (struct rect){ (uint32_t)left, (uint32_t)top, (uint32_t)(right - left),
                          (uint32_t)(bottom - top) };
}

void vnc_cursor_paint(struct vnc_painted *painted, const struct display_cursor *cursor,
                      const struct surface *surface)
{
    const struct rect place = place_of(cursor, surface);

    for (uint32_t y = 0; y < place.height; y++) {
        memcpy(painted->covered + (size_t)y * SIDE,
               surface->pixels + (size_t)(place.y + y) * surface->stride + place.x,
               place.width * sizeof(*surface->pixels));
    }
    painted->place = place;
    cursor_draw(cursor, surface);
}

void vnc_cursor_lift(struct vnc_painted *painted, const struct surface *surface)
{
    const struct rect *place = &painted->place;

    for (uint32_t y = 0; y < place->height; y++) {
        memcpy(surface->pixels + (size_t)(place->y + y) * surface->stride + place->x,
               painted->covered + (size_t)y * SIDE, place->width * sizeof(*surface->pixels));
    }
    painted->place = (struct rect){ .width = 0 };
}
