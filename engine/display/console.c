/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See console.h. One GSource carries the pace: its ready time is when to look at the adapter next,
 * or never while nobody waits for a frame, so an unwatched machine causes no wake-up here.
 *
 * Pace: 16 ms after something changed or console_wake(), then 33, 100 and 250 ms while the picture
 * stays the same.
 */
#include "display/console.h"

#include <string.h>

#include "display/cursor.h"

#include "device.h"

static const unsigned pace_ms[] = { 16, 16, 16, 16, 33, 33, 33, 33, 100, 100, 100, 100, 250 };

struct console {
    struct device *adapter;
    unsigned head;
    const struct desktop *desktop;
    void (*lock)(struct device *);
    void (*unlock)(struct device *);
    struct scanout *scanout;      /* NULL without watchers */
    bool stale;                   /* it has never been drawn */
    struct display_cursor cursor; /* as watchers know it */
    GPtrArray *watchers;
    GSource *source;
    unsigned idle; /* looks without a change, index into pace_ms */
    gint64 looked; /* when; microseconds of the monotonic clock */
};

static const struct display_ops *ops_of(const struct console *console)
{
    return console->adapter->class->display;
}

/* Inside the adapter's domain. */
static void mode_get(struct console *console, struct display_mode *mode)
{
    ops_of(console)->mode(console->adapter, console->head, mode);
    g_assert(mode->width >= 1 && mode->width <= DISPLAY_WIDTH_MAX);
    g_assert(mode->height >= 1 && mode->height <= DISPLAY_HEIGHT_MAX);
}

/* Inside the adapter's domain. True if the cursor is not what it was. */
static bool cursor_update(struct console *console)
{
    struct display_cursor *cursor = &console->cursor;
    guint32 shape = cursor->shape;
    gint32 x = cursor->x, y = cursor->y;
    bool visible = cursor->visible;

    if (!ops_of(console)->cursor) {
        return false;
    }
    ops_of(console)->cursor(console->adapter, console->head, cursor);
    return cursor->shape != shape || cursor->x != x || cursor->y != y || cursor->visible != visible;
}

/* Draws what changed; true if the size changed on the way. */
static bool scanout_update(struct console *console, struct damage *damage, bool *cursor)
{
    struct display_mode mode;
    bool resized = false;

    damage->n = 0;
    console->looked = g_get_monotonic_time();
    console->lock(console->adapter);
    mode_get(console, &mode);
    if (!console->scanout || mode.width != console->scanout->surface.width ||
        mode.height != console->scanout->surface.height) {
        g_clear_pointer(&console->scanout, scanout_free);
        console->scanout = scanout_new(mode.width, mode.height);
        console->stale = true;
        resized = true;
    }
    if (ops_of(console)->render(console->adapter, console->head, &console->scanout->surface,
                                console->stale, damage)) {
        console->stale = false;
    }
    *cursor = cursor_update(console);
    console->unlock(console->adapter);
    return resized;
}

static const struct console_watcher *watcher_at(const struct console *console, guint i)
{
    return g_ptr_array_index(console->watchers, i);
}

static void cursor_tell(struct console *console, const struct console_watcher *watcher)
{
    if (watcher->cursor) {
        watcher->cursor(watcher->context, &console->cursor);
    }
}

/* Updates the scanout and tells every watcher. */
static bool refresh(struct console *console)
{
    struct damage damage;
    bool cursor, resized = scanout_update(console, &damage, &cursor);
    const struct surface *surface = &console->scanout->surface;

    for (guint i = 0; resized && i < console->watchers->len; i++) {
        const struct console_watcher *watcher = watcher_at(console, i);

        watcher->resized(watcher->context, surface);
    }
    for (guint i = 0; damage.n > 0 && i < console->watchers->len; i++) {
        const struct console_watcher *watcher = watcher_at(console, i);

        watcher->damaged(watcher->context, surface, &damage);
    }
    for (guint i = 0; cursor && i < console->watchers->len; i++) {
        cursor_tell(console, watcher_at(console, i));
    }
    return resized || cursor || damage.n > 0;
}

static bool all_busy(const struct console *console)
{
    for (guint i = 0; i < console->watchers->len; i++) {
        const struct console_watcher *watcher = watcher_at(console, i);

        if (!watcher->busy || !watcher->busy(watcher->context)) {
            return false;
        }
    }
    return true;
}

/* Arms the next look, or none if nobody waits for it. */
static void look_plan(struct console *console)
{
    gint64 next = console->looked + pace_ms[console->idle] * 1000;

    g_source_set_ready_time(console->source, all_busy(console) ? -1 : next);
}

static gboolean tick(gpointer data)
{
    struct console *console = data;

    if (!all_busy(console)) {
        if (refresh(console)) {
            console->idle = 0;
        } else if (console->idle + 1 < G_N_ELEMENTS(pace_ms)) {
            console->idle++;
        }
    }
    look_plan(console);
    return G_SOURCE_CONTINUE;
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    return callback(data);
}

struct console *console_new(struct device *adapter, unsigned head, void (*lock)(struct device *),
                            void (*unlock)(struct device *))
{
    static GSourceFuncs functions = { .dispatch = source_dispatch };
    struct console *console = g_new0(struct console, 1);

    console->adapter = adapter;
    console->head = head;
    console->lock = lock;
    console->unlock = unlock;
    console->watchers = g_ptr_array_new();
    console->source = g_source_new(&functions, sizeof(GSource));
    g_source_set_name(console->source, "console");
    g_source_set_callback(console->source, tick, console, NULL);
    g_source_set_ready_time(console->source, -1);
    g_source_attach(console->source, g_main_context_get_thread_default());
    return console;
}

void console_free(struct console *console)
{
    if (!console) {
        return;
    }
    g_source_destroy(console->source);
    g_source_unref(console->source);
    g_ptr_array_free(console->watchers, TRUE);
    g_clear_pointer(&console->scanout, scanout_free);
    g_free(console);
}

void console_watch(struct console *console, const struct console_watcher *watcher)
{
    refresh(console); /* for those who watch already */
    g_ptr_array_add(console->watchers, (gpointer)watcher);
    watcher->resized(watcher->context, &console->scanout->surface);
    cursor_tell(console, watcher);
    console_wake(console);
}

void console_unwatch(struct console *console, const struct console_watcher *watcher)
{
    g_ptr_array_remove(console->watchers, (gpointer)watcher);
    if (console->watchers->len == 0) {
        g_clear_pointer(&console->scanout, scanout_free);
    }
    look_plan(console);
}

void console_ready(struct console *console)
{
    look_plan(console);
}

void console_wake(struct console *console)
{
    console->idle = 0;
    look_plan(console);
}

const struct scanout *console_scanout(const struct console *console)
{
    g_assert(console->scanout);
    return console->scanout;
}

/* The whole picture for somebody who does not watch it. */
static void copy_draw(struct console *console, struct surface *copy)
{
    struct damage damage = { .n = 0 };
    struct display_mode mode;

    console->lock(console->adapter);
    mode_get(console, &mode);
    *copy = (struct surface){ g_new(uint32_t, (gsize)mode.width * mode.height), mode.width,
                              mode.height, mode.width };
    ops_of(console)->render(console->adapter, console->head, copy, true, &damage);
    cursor_update(console);
    console->unlock(console->adapter);
}

void console_copy(struct console *console, struct surface *copy)
{
    if (console->watchers->len == 0) {
        copy_draw(console, copy);
    } else {
        refresh(console);
        *copy = console->scanout->surface;
        copy->pixels =
            g_memdup2(copy->pixels, (gsize)copy->stride * copy->height * sizeof(*copy->pixels));
    }
    cursor_draw(&console->cursor, copy);
}

void console_set_desktop(struct console *console, const struct desktop *desktop)
{
    console->desktop = desktop;
}

const struct desktop *console_get_desktop(const struct console *console)
{
    return console->desktop;
}

bool console_can_resize(const struct console *console)
{
    return ops_of(console)->set_size != NULL;
}

void console_set_size(struct console *console, uint32_t width, uint32_t height)
{
    console->lock(console->adapter);
    ops_of(console)->set_size(console->adapter, console->head, width, height);
    console->unlock(console->adapter);
    console_wake(console);
}

void console_get_size(struct console *console, uint32_t *width, uint32_t *height)
{
    struct display_mode mode;

    console->lock(console->adapter);
    mode_get(console, &mode);
    console->unlock(console->adapter);
    *width = mode.width;
    *height = mode.height;
}

bool console_is_connected(struct console *console)
{
    bool connected = console->head == 0;

    if (ops_of(console)->connected) {
        console->lock(console->adapter);
        connected = ops_of(console)->connected(console->adapter, console->head);
        console->unlock(console->adapter);
    }
    return connected;
}

void console_set_connected(struct console *console, bool connected)
{
    g_assert(console->head > 0);
    console->lock(console->adapter);
    ops_of(console)->set_connected(console->adapter, console->head, connected);
    console->unlock(console->adapter);
    console_wake(console);
}

/* Code page 437 as the VGA's built-in font shows it, 0x00..0x1f and 0x7f included. */
static const gunichar cp437_low[32] = {
    ' ',    0x263a, 0x263b, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022, 0x25d8, 0x25cb, 0x25d9,
    0x2642, 0x2640, 0x266a, 0x266b, 0x263c, 0x25ba, 0x25c4, 0x2195, 0x203c, 0x00b6, 0x00a7,
    0x25ac, 0x21a8, 0x2191, 0x2193, 0x2192, 0x2190, 0x221f, 0x2194, 0x25b2, 0x25bc,
};
static const gunichar cp437_high[129] = {
    0x2302, 0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8,
    0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb,
    0x00f9, 0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3,
    0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab,
    0x00bb, 0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551,
    0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e,
    0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565,
    0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590,
    0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9,
    0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7,
    0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0,
};

static gunichar cp437_to_unicode(uint8_t character)
{
    if (character < 0x20) {
        return cp437_low[character];
    }
    return character < 0x7f ? character : cp437_high[character - 0x7f];
}

static char *cells_to_text(const struct text_cell *cells, uint32_t columns, uint32_t rows)
{
    GString *text = g_string_new(NULL);

    for (uint32_t row = 0; row < rows; row++) {
        gsize end = text->len;

        for (uint32_t column = 0; column < columns; column++) {
            uint8_t character = cells[row * columns + column].character;

            g_string_append_unichar(text, cp437_to_unicode(character));
            if (character != 0 && character != ' ' && character != 0xff) {
                end = text->len;
            }
        }
        g_string_truncate(text, end);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

char *console_text(struct console *console, struct text_cursor *cursor)
{
    const struct display_ops *ops = ops_of(console);
    struct display_mode mode;
    char *text = NULL;

    console->lock(console->adapter);
    ops->mode(console->adapter, console->head, &mode);
    if (mode.text && mode.columns <= DISPLAY_COLUMNS_MAX && mode.rows <= DISPLAY_ROWS_MAX) {
        g_autofree struct text_cell *cells =
            g_new0(struct text_cell, (gsize)mode.columns * mode.rows);

        if (ops->text(console->adapter, cells, mode.columns, mode.rows, cursor)) {
            text = cells_to_text(cells, mode.columns, mode.rows);
        }
    }
    console->unlock(console->adapter);
    return text;
}
