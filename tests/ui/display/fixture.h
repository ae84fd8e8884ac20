/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A window with a display and a button beside it, on the X server of the test, and a fake engine.
 * Input comes by XTEST, through the server.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <gtk/gtk.h>

#include "fake_engine.h"
#include "display/widget/oriel-display.h"
#include "test.h"

struct fixture {
    struct fake_engine *engine;
    OrielDisplayBackend *backend;
    GtkWindow *window;
    OrielDisplay *display;
    GtkWidget *button;
    char *notice; /* the last one */
};

/* Runs the main loop until something is true; a minute without it fails the test. */
#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        gint64 until_ = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;                              \
        while (!(condition)) {                                                                     \
            if (g_get_monotonic_time() > until_) {                                                 \
                test_fail(__FILE__, __LINE__, "did not become true: %s", #condition);              \
            }                                                                                      \
            fixture_iterate();                                                                     \
        }                                                                                          \
    } while (0)

/* Mapped, focused, the engine's picture of width x height shown. */
struct fixture *fixture_new(guint width, guint height);
void fixture_free(struct fixture *fixture);
void fixture_iterate(void);

/* Commands of xdotool, done and seen by the server when it returns. */
void fixture_xdotool(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Gives the keyboard to a window, as soon as the window manager shows it. */
void fixture_window_focus(GtkWindow *window);
/* What the engine was told so far: what came before has been handled by all sides. */
void fixture_settle(struct fixture *fixture);
/* A pixel of the X window that shows a guest pixel, if that is not smaller. */
void fixture_window_place(struct fixture *fixture, guint x, guint y, int *window_x, int *window_y);
/* The widget as its renderer draws it: width x height pixels, B8G8R8A8. g_free(). */
guint32 *fixture_render(struct fixture *fixture, guint *width, guint *height);

#endif
