/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bounded lists of changed rectangles. See devices/include/display.h.
 */
#include "display.h"

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static bool touches(const struct rect *a, const struct rect *b)
{
    return a->x <= b->x + b->width && b->x <= a->x + a->width && a->y <= b->y + b->height &&
           b->y <= a->y + a->height;
}

static bool holds(const struct rect *a, const struct rect *b)
{
    return a->x <= b->x && b->x + b->width <= a->x + a->width && a->y <= b->y &&
           b->y + b->height <= a->y + a->height;
}

static void join(struct rect *a, const struct rect *b)
{
    uint32_t right = larger(a->x + a->width, b->x + b->width);
    uint32_t bottom = larger(a->y + a->height, b->y + b->height);

    a->x = smaller(a->x, b->x);
    a->y = smaller(a->y, b->y);
    a->width = right - a->x;
    a->height = bottom - a->y;
}

void damage_add(struct damage *damage, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    struct rect rect = { x, y, width, height };

    if (width == 0 || height == 0) {
        return;
    }
    for (unsigned i = 0; i < damage->n; i++) {
        if (holds(&damage->rects[i], &rect)) {
            return;
        }
    }
    if (damage->n > 0 && touches(&damage->rects[damage->n - 1], &rect)) {
        join(&damage->rects[damage->n - 1], &rect);
    } else if (damage->n < DAMAGE_RECTS_MAX) {
        damage->rects[damage->n++] = rect;
    } else {
        join(&damage->rects[damage->n - 1], &rect);
    }
}
