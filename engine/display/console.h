/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The console: the picture and the cursor of one head of a display adapter, and the list of those
 * who watch it. While there are any it owns a scanout, has the adapter draw into it what changed,
 * and tells the watchers which rectangles that were. It looks at the adapter at a pace that follows
 * activity: every 16 ms while something moves, down to every 250 ms, and not at all while no
 * watcher waits for a frame.
 *
 * Threads: main loop only.
 */
#ifndef ENGINE_CONSOLE_H
#define ENGINE_CONSOLE_H

#include <glib.h>
#include <stdbool.h>

#include "display.h"
#include "display/scanout.h"

struct console;
struct desktop;

struct console_watcher {
    /* The picture has another size, and a scanout of its own. */
    void (*resized)(void *context, const struct surface *surface);
    /* Pixels inside `damage` changed; the surface is valid until the callback returns and
     * between callbacks on the main loop. Follows resized() with the whole picture. */
    void (*damaged)(void *context, const struct surface *surface, const struct damage *damage);
    /* True when the watcher cannot take another frame yet: while all are busy, the console rests,
     * and a watcher that no longer is calls console_ready(). NULL: never. */
    bool (*busy)(void *context);
    void *context;
    /* Shape, place or visibility of a cursor that is not in the picture changed, or it is the first
     * look of this watcher. The structure is the console's. NULL: it does not matter. */
    void (*cursor)(void *context, const struct display_cursor *cursor);
};

/* `lock`/`unlock` bracket calls into the adapter (its domain). `adapter` outlives the console and
 * has the head. */
struct console *console_new(struct device *adapter, unsigned head, void (*lock)(struct device *),
                            void (*unlock)(struct device *));
void console_free(struct console *console);

/* The watcher structure stays the caller's and must live until removed. `resized` and `cursor` are
 * called at once, with what is up to date. */
void console_watch(struct console *console, const struct console_watcher *watcher);
/* After the last one the scanout is freed. */
void console_unwatch(struct console *console, const struct console_watcher *watcher);

/* A watcher is no longer busy. */
void console_ready(struct console *console);
/* Something happened that likely changes the picture (input, mode change): look soon. */
void console_wake(struct console *console);

/* The picture's memory now, until the next resized() or console_unwatch(). There is a watcher. */
const struct scanout *console_scanout(const struct console *console);
/* The picture now, with the cursor in it, for the caller to keep: g_free(copy->pixels). */
void console_copy(struct console *console, struct surface *copy);
/* A place on a display of width x height pixels. */
struct desktop_place {
    uint32_t x, y, width, height;
};

/* Monitors beside this one; NULL, as at first: there are none. It outlives the console. */
void console_set_desktop(struct console *console, const struct desktop *desktop);
const struct desktop *console_get_desktop(const struct console *console);
/* Turns a place on this monitor into the same one on all connected monitors together. */
void console_place(struct console *console, struct desktop_place *place);

/* The characters of a text mode as UTF-8 lines (trailing blanks removed), or NULL in a graphics
 * mode and for all heads but the first. g_free(). */
char *console_text(struct console *console, struct text_cursor *cursor);

/* Whether the guest can be asked for a size. */
bool console_can_resize(const struct console *console);
/* The size in pixels that the guest shall have; see display_ops->set_size(). The adapter can. */
void console_set_size(struct console *console, uint32_t width, uint32_t height);
/* The picture's size at present. */
void console_get_size(struct console *console, uint32_t *width, uint32_t *height);
/* Whether the head has a monitor. */
bool console_is_connected(struct console *console);
/* Plugs the monitor in or out; not for the first head. */
void console_set_connected(struct console *console, bool connected);

#endif
