/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A scripted engine: the two interfaces of the D-Bus contract over a peer connection in this
 * process, on the main context. It writes down what it is told.
 */
#ifndef FAKE_ENGINE_H
#define FAKE_ENGINE_H

#include <gio/gio.h>

struct fake_engine {
    GDBusConnection *server; /* the engine's end */
    GDBusConnection *client; /* the viewer's */
    guint registrations[2];

    guint scanout; /* id; 0: no picture yet */
    int memory;
    guint32 *pixels;
    guint width, height, stride, said_width, said_height, said_stride;
    GDBusMethodInvocation *waiting; /* NextFrame */
    guint shown;                    /* scanout that the waiting call shows */
    GVariantBuilder *damage;        /* not yet told */
    guint next_frames, get_scanouts;

    GDBusMethodInvocation *cursor_waiting; /* NextCursor */
    guint cursor_known;                    /* shape that the waiting call knows */
    guint next_cursors;

    const char *pointer_mode;
    gboolean can_resize;
    guint leds;
    const char *state;
    gboolean follows_size; /* SetSize makes a new picture */
    gboolean hangs;        /* answers nothing more */
    gboolean no_memory;    /* GetScanout without a descriptor */
    gboolean empty_damage; /* NextFrame answers at once with nothing */
    gboolean huge_damage;  /* more rectangles than the contract allows */
    const char *text;      /* of GetText; NULL: graphics */

    GString *keys; /* the lines of the log about keys */
    GString *log;  /* "key CODE 1\n", "pointer X Y BUTTONS WHEEL\n", "motion DX DY BUTTONS WHEEL\n",
                     "size W H\n", "type TEXT\n" */
};

/* Both ends connected. */
struct fake_engine *fake_engine_new(void);
void fake_engine_free(struct fake_engine *engine);

/* A new picture in sealed memory, every pixel with a value of its own (fake_engine_pixel()). */
void fake_engine_show(struct fake_engine *engine, guint width, guint height);
/* The same with seals of the caller's and memory of `size` bytes. */
void fake_engine_show_memory(struct fake_engine *engine, guint width, guint height, gsize size,
                             int seals);
guint32 fake_engine_pixel(guint x, guint y);
/* Says that a rectangle changed. */
void fake_engine_damage(struct fake_engine *engine, guint x, guint y, guint width, guint height);
enum {
    FAKE_CURSOR_SIDE = 8,
};

/* Answers the call for the cursor, which must be waiting: a square of one colour whose point is in
 * its middle; shape 0: none. `bytes` of pixels are sent. */
void fake_engine_cursor(struct fake_engine *engine, guint shape, gboolean visible, int x, int y,
                        guint32 colour, gsize bytes);
/* Ends the call that waits as an engine does that is about to end. */
void fake_engine_refuse(struct fake_engine *engine);
void fake_engine_set_state(struct fake_engine *engine, const char *state);
void fake_engine_set_can_resize(struct fake_engine *engine, gboolean can_resize);
void fake_engine_set_pointer_mode(struct fake_engine *engine, const char *mode);
void fake_engine_set_leds(struct fake_engine *engine, guint leds);

/* Lines of the log that begin with `prefix`. */
guint fake_engine_count(struct fake_engine *engine, const char *prefix);
/* The sum of all "motion" in the log. */
void fake_engine_motion(struct fake_engine *engine, int *x, int *y);
/* Whether every key that went down went up again, and no button is down. */
gboolean fake_engine_is_let_go(struct fake_engine *engine);

#endif
