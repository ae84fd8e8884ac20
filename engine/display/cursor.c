/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See cursor.h. */
#include "display/cursor.h"

/* A premultiplied pixel over an opaque one. */
static uint32_t pixel_over(uint32_t above, uint32_t below)
{
    uint32_t rest = 255 - (above >> 24), pixel = DISPLAY_OPAQUE;

    for (unsigned shift = 0; shift < 24; shift += 8) {
        uint32_t sum = (above >> shift & 255) + ((below >> shift & 255) * rest + 127) / 255;

        pixel |= (sum > 255 ? 255 : sum) << shift;
    }
    return pixel;
}

void cursor_draw(const struct display_cursor *cursor, const struct surface *surface)
{
    if (!cursor->visible) {
        return;
    }
    for (uint32_t i = 0; i < DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE; i++) {
        int64_t x = (int64_t)cursor->x + i % DISPLAY_CURSOR_SIDE;
        int64_t y = (int64_t)cursor->y + i / DISPLAY_CURSOR_SIDE;

        if (x >= 0 && x < surface->width && y >= 0 && y < surface->height) {
            uint32_t *pixel = &surface->pixels[y * surface->stride + x];

            *pixel = pixel_over(cursor->pixels[i], *pixel);
        }
    }
}
