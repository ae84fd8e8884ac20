/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The monitors of a display adapter with several heads, side by side from left to right with their
 * tops in line: that is where systems put them that are not told otherwise. A pointer that takes
 * places reaches over all of them.
 *
 * Threads: main loop only.
 */
#ifndef ENGINE_DESKTOP_H
#define ENGINE_DESKTOP_H

#include "display/console.h"

struct desktop {
    struct console *consoles[DISPLAY_HEADS_MAX]; /* one for each head */
    unsigned n;
};

/* Makes a console for each head of the adapter; see console_new(). */
void desktop_init(struct desktop *desktop, struct device *adapter, void (*lock)(struct device *),
                  void (*unlock)(struct device *));
void desktop_clear(struct desktop *desktop);

#endif
