/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The console: the picture of one display adapter and the list of those who watch it. It owns the
 * surface, asks the adapter to draw what changed at a pace that follows activity (16 ms while
 * something moves, up to 250 ms when idle, never without watchers), and tells the watchers which
 * rectangles changed.
 *
 * Threads: main loop only.
 */
#ifndef ENGINE_CONSOLE_H
#define ENGINE_CONSOLE_H

#include <glib.h>
#include <stdbool.h>

#include "display.h"

struct console;
struct machine;

struct console_watcher {
    /* The surface has another size (and another address). */
    void (*resized)(void *context, const struct surface *surface);
    /* Pixels inside `damage` changed; the surface is valid until the callback returns and
     * between callbacks on the main loop. */
    void (*damaged)(void *context, const struct surface *surface, const struct damage *damage);
    /* True when the watcher cannot take another frame yet: the console skips refreshing if all are
     * busy. */
    bool (*busy)(void *context);
    void *context;
};

/* `lock`/`unlock` bracket calls into the adapter (its domain). `adapter` outlives the console. */
struct console *console_new(struct device *adapter, void (*lock)(struct device *),
                            void (*unlock)(struct device *));
void console_free(struct console *console);

/* The watcher structure stays the caller's and must live until removed. `resized` is called at
 * once. */
void console_watch(struct console *console, const struct console_watcher *watcher);
void console_unwatch(struct console *console, const struct console_watcher *watcher);

/* Something happened that likely changes the picture (input, mode change): refresh soon. */
void console_wake(struct console *console);

/* Brings the surface up to date now and returns it; valid until the main loop runs again. */
const struct surface *console_surface(struct console *console);
/* The picture now, for the caller to keep: g_free(copy->pixels). */
void console_copy(struct console *console, struct surface *copy);
/* The characters of a text mode as UTF-8 lines (trailing blanks removed), or NULL in a graphics
 * mode. g_free(). */
char *console_text(struct console *console, struct text_cursor *cursor);

#endif
