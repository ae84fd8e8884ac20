/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See desktop.h. */
#include "display/desktop.h"

#include "device.h"

void desktop_init(struct desktop *desktop, struct device *adapter, void (*lock)(struct device *),
                  void (*unlock)(struct device *))
{
    const struct display_ops *ops = adapter->class->display;

    desktop->n = ops->heads ? ops->heads(adapter) : 1;
    g_assert(desktop->n >= 1 && desktop->n <= DISPLAY_HEADS_MAX);
    for (unsigned head = 0; head < desktop->n; head++) {
        desktop->consoles[head] = console_new(adapter, head, lock, unlock);
        console_set_desktop(desktop->consoles[head], desktop);
    }
}

void desktop_clear(struct desktop *desktop)
{
    for (unsigned head = 0; head < desktop->n; head++) {
        g_clear_pointer(&desktop->consoles[head], console_free);
    }
    desktop->n = 0;
}

static uint32_t scale(uint32_t at, uint32_t from, uint32_t to)
{
    return from > 0 ? (uint32_t)((uint64_t)MIN(at, from - 1) * to / from) : 0;
}

void console_place(struct console *console, struct desktop_place *place)
{
    const struct desktop *desktop = console_get_desktop(console);
    struct desktop_place all = { .width = 0 };
    unsigned connected = 0;

    for (unsigned i = 0; desktop && i < desktop->n; i++) {
        uint32_t width, height;

        if (desktop->consoles[i] != console && !console_is_connected(desktop->consoles[i])) {
            continue;
        }
        console_get_size(desktop->consoles[i], &width, &height);
        if (desktop->consoles[i] == console) {
            all.x = all.width + scale(place->x, place->width, width);
            all.y = scale(place->y, place->height, height);
        }
        all.width += width;
        all.height = MAX(all.height, height);
        connected++;
    }
    if (connected > 1) {
        *place = all;
    }
}
