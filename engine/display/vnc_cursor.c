/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guest's cursor for LibVNCServer: clients that know cursors get its shape, for the others the
 * library draws it into what it sends.
 */
#include <stdlib.h>
#include <string.h>

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

void vnc_cursor_set(rfbScreenInfoPtr screen, const struct display_cursor *cursor)
{
    rfbSetCursor(screen, cursor->visible ? shape_new(cursor) : NULL);
}

void vnc_cursor_move(rfbScreenInfoPtr screen, const struct display_cursor *cursor)
{
    LOCK(screen->cursorMutex);
    screen->cursorX = (int)((int64_t)cursor->x + cursor->hot_x);
    screen->cursorY = (int)((int64_t)cursor->y + cursor->hot_y);
    UNLOCK(screen->cursorMutex);
}
