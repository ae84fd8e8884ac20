/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A display adapter whose picture the test changes: one colour, painted where it says. */
#ifndef TESTS_ENGINE_ADAPTER_H
#define TESTS_ENGINE_ADAPTER_H

#include <string.h>

#include "device.h"
#include "display.h"

struct adapter {
    struct device device;
    struct display_mode mode;
    uint32_t colour;
    struct damage changed; /* what the next look paints and reports */
    unsigned renders, locks;
    uint32_t set_width, set_height; /* as last set */
    const char *text;
    struct display_cursor cursor;
    unsigned heads; /* 0: one */
    bool connected; /* a monitor at each head but the first */
};

static inline void adapter_mode(struct device *device, unsigned head, struct display_mode *mode)
{
    *mode = ((struct adapter *)device)->mode;
}

static inline bool adapter_render(struct device *device, unsigned head,
                                  const struct surface *surface, bool full, struct damage *damage)
{
    struct adapter *a = (struct adapter *)device;

    a->renders++;
    if (surface->width != a->mode.width || surface->height != a->mode.height) {
        return false;
    }
    if (full) {
        a->changed.n = 0;
        damage_add(&a->changed, 0, 0, surface->width, surface->height);
    }
    for (unsigned i = 0; i < a->changed.n; i++) {
        const struct rect *r = &a->changed.rects[i];

        for (uint32_t y = r->y; y < r->y + r->height; y++) {
            for (uint32_t x = r->x; x < r->x + r->width; x++) {
                surface->pixels[(size_t)y * surface->stride + x] = DISPLAY_OPAQUE | a->colour;
            }
        }
        damage_add(damage, r->x, r->y, r->width, r->height);
    }
    a->changed.n = 0;
    return true;
}

static inline bool adapter_text(struct device *device, struct text_cell *cells, uint32_t columns,
                                uint32_t rows, struct text_cursor *cursor)
{
    struct adapter *a = (struct adapter *)device;

    for (uint32_t i = 0; i < columns * rows; i++) {
        cells[i].character = i < strlen(a->text) ? (uint8_t)a->text[i] : ' ';
    }
    *cursor = (struct text_cursor){ true, 1, 2 };
    return true;
}

static inline void adapter_set_size(struct device *device, unsigned head, uint32_t width,
                                    uint32_t height)
{
    struct adapter *a = (struct adapter *)device;

    a->set_width = width;
    a->set_height = height;
}

static inline unsigned adapter_heads(struct device *device)
{
    const struct adapter *a = (const struct adapter *)device;

    return a->heads > 0 ? a->heads : 1;
}

static inline void adapter_cursor(struct device *device, unsigned head,
                                  struct display_cursor *cursor)
{
    *cursor = ((struct adapter *)device)->cursor;
}

static inline bool adapter_connected(struct device *device, unsigned head)
{
    return head == 0 || ((struct adapter *)device)->connected;
}

static inline void adapter_set_connected(struct device *device, unsigned head, bool connected)
{
    ((struct adapter *)device)->connected = connected;
}

/* Every head shows the same picture. */
static const struct display_ops adapter_ops = {
    .heads = adapter_heads,
    .mode = adapter_mode,
    .render = adapter_render,
    .cursor = adapter_cursor,
    .text = adapter_text,
    .set_size = adapter_set_size,
    .connected = adapter_connected,
    .set_connected = adapter_set_connected,
};
static const struct device_class adapter_class = { .name = "adapter", .display = &adapter_ops };

static inline void adapter_lock(struct device *device)
{
    ((struct adapter *)device)->locks++;
}

static inline void adapter_unlock(struct device *device)
{
    ((struct adapter *)device)->locks--;
}

/* The guest paints. */
static inline void adapter_paint(struct adapter *a, uint32_t colour, struct rect r)
{
    a->colour = colour;
    damage_add(&a->changed, r.x, r.y, r.width, r.height);
}

#endif
