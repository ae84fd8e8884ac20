/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See viewer.h. */
#include "display/viewer.h"

#include "config/config.h"

struct viewer {
    struct console *console;
    struct console_watcher watcher;
    viewer_answer answer;
    struct damage noted; /* not told yet */
    void *call;          /* that waits, or NULL */

    viewer_cursor_answer cursor_answer;
    const struct display_cursor *cursor; /* the console's */
    bool cursor_noted;                   /* it was not told yet as it is now */
    guint32 shape;                       /* that the viewer knows */
    void *cursor_call;                   /* that waits, or NULL */
};

static void note_all(struct viewer *viewer, const struct surface *surface)
{
    viewer->noted.n = 0;
    damage_add(&viewer->noted, 0, 0, surface->width, surface->height);
}

static void on_resized(void *context, const struct surface *surface)
{
    note_all(context, surface);
}

static void answer_now(struct viewer *viewer)
{
    struct damage damage = viewer->noted;
    void *call = g_steal_pointer(&viewer->call);

    viewer->noted.n = 0;
    viewer->answer(call, console_scanout(viewer->console)->id, &damage, NULL);
}

static void on_damaged(void *context, const struct surface *surface, const struct damage *damage)
{
    struct viewer *viewer = context;

    for (unsigned i = 0; i < damage->n; i++) {
        const struct rect *r = &damage->rects[i];

        damage_add(&viewer->noted, r->x, r->y, r->width, r->height);
    }
    if (viewer->call) {
        answer_now(viewer);
    }
}

static void cursor_tell(struct viewer *viewer)
{
    const struct display_cursor *cursor = viewer->cursor;
    bool pixels = cursor->shape != 0 && cursor->shape != viewer->shape;
    void *call = g_steal_pointer(&viewer->cursor_call);

    viewer->cursor_noted = false;
    viewer->shape = cursor->shape;
    viewer->cursor_answer(call, cursor, pixels, NULL);
}

static void on_cursor(void *context, const struct display_cursor *cursor)
{
    struct viewer *viewer = context;

    viewer->cursor = cursor;
    viewer->cursor_noted = true;
    if (viewer->cursor_call) {
        cursor_tell(viewer);
    }
}

static bool is_busy(void *context)
{
    return ((struct viewer *)context)->call == NULL;
}

static void call_end(struct viewer *viewer, const char *why)
{
    g_autoptr(GError) error = g_error_new_literal(ORIEL_ERROR, ORIEL_ERROR_STATE, why);

    if (viewer->call) {
        viewer->answer(g_steal_pointer(&viewer->call), 0, NULL, error);
    }
}

static void cursor_call_end(struct viewer *viewer, const char *why)
{
    g_autoptr(GError) error = g_error_new_literal(ORIEL_ERROR, ORIEL_ERROR_STATE, why);

    if (viewer->cursor_call) {
        viewer->cursor_answer(g_steal_pointer(&viewer->cursor_call), NULL, false, error);
    }
}

struct viewer *viewer_new(struct console *console, viewer_answer answer,
                          viewer_cursor_answer cursor_answer)
{
    struct viewer *viewer = g_new0(struct viewer, 1);

    viewer->console = console;
    viewer->answer = answer;
    viewer->cursor_answer = cursor_answer;
    viewer->watcher =
        (struct console_watcher){ on_resized, on_damaged, is_busy, viewer, on_cursor };
    console_watch(console, &viewer->watcher);
    return viewer;
}

void viewer_free(struct viewer *viewer)
{
    if (!viewer) {
        return;
    }
    console_unwatch(viewer->console, &viewer->watcher);
    call_end(viewer, "The picture is no longer shown to this connection.");
    cursor_call_end(viewer, "The cursor is no longer shown to this connection.");
    g_free(viewer);
}

void viewer_next(struct viewer *viewer, guint32 shown, void *call)
{
    const struct scanout *scanout = console_scanout(viewer->console);

    call_end(viewer, "Another call for the next frame took the place of this one.");
    viewer->call = call;
    if (shown != scanout->id) {
        note_all(viewer, &scanout->surface);
    }
    if (viewer->noted.n > 0) {
        answer_now(viewer);
    } else {
        console_ready(viewer->console);
    }
}

void viewer_next_cursor(struct viewer *viewer, guint32 shown, void *call)
{
    cursor_call_end(viewer, "Another call for the next cursor took the place of this one.");
    viewer->cursor_call = call;
    if (shown != viewer->shape) {
        viewer->shape = shown;
        viewer->cursor_noted = true;
    }
    if (viewer->cursor_noted) {
        cursor_tell(viewer);
    }
}
