/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pointer lock of a guest that has only a mouse, on X11: movement comes by XTEST, relative, as
 * from a mouse, and goes through XInput's raw events.
 */
#include <gdk/x11/gdkx.h>

#include "display/lock/oriel-pointer-lock.h"
#include "fixture.h"

static unsigned long xid(GtkWindow *window)
{
    return gdk_x11_surface_get_xid(gtk_native_get_surface(GTK_NATIVE(window)));
}

static bool log_has(struct fixture *fixture, const char *text)
{
    return strstr(fixture->engine->log->str, text) != NULL;
}

static void log_clear(struct fixture *fixture)
{
    fixture_settle(fixture);
    g_string_truncate(fixture->engine->log, 0);
}

static bool is_locked(struct fixture *fixture)
{
    return oriel_display_is_pointer_locked(fixture->display);
}

/* Where the server has the pointer, in pixels of the screen. */
static void pointer_get(struct fixture *fixture, int *x, int *y)
{
    Display *display =
        gdk_x11_display_get_xdisplay(gtk_widget_get_display(GTK_WIDGET(fixture->window)));
    Window root, child;
    int window_x, window_y;
    unsigned int buttons;

    CHECK(XQueryPointer(display, DefaultRootWindow(display), &root, &child, x, y, &window_x,
                        &window_y, &buttons));
}

static bool motion_is(struct fixture *fixture, int x, int y)
{
    int dx, dy;

    fake_engine_motion(fixture->engine, &dx, &dy);
    return dx == x && dy == y;
}

/* The pointer over a pixel of the guest. */
static void pointer_place(struct fixture *fixture, guint x, guint y)
{
    int window_x, window_y;

    fixture_window_place(fixture, x, y, &window_x, &window_y);
    fixture_xdotool("mousemove --window %lu %d %d", xid(fixture->window), window_x, window_y);
}

static void lock(struct fixture *fixture)
{
    pointer_place(fixture, 400, 300);
    fixture_xdotool("click 1");
    UNTIL(is_locked(fixture));
    log_clear(fixture);
}

static void mode_set(struct fixture *fixture, const char *name, OrielPointerMode mode)
{
    fake_engine_set_pointer_mode(fixture->engine, name);
    UNTIL(oriel_display_backend_get_pointer_mode(fixture->backend) == mode);
}

static struct fixture *mouse_new(void)
{
    struct fixture *fixture = fixture_new(800, 600);

    mode_set(fixture, "relative", ORIEL_POINTER_MODE_RELATIVE);
    return fixture;
}

TEST(movement_has_no_edge)
{
    struct fixture *fixture = mouse_new();
    int x, y, later_x, later_y;

    lock(fixture);
    pointer_get(fixture, &x, &y);
    fixture_xdotool("mousemove_relative 3000 0");
    UNTIL(motion_is(fixture, 3000, 0));
    fixture_xdotool("mousemove_relative 3000 2000 mousemove_relative 3000 2000");
    UNTIL(motion_is(fixture, 9000, 4000));
    fixture_xdotool("mousemove_relative -- -10000 -5000");
    UNTIL(motion_is(fixture, -1000, -1000));
    /* The steepest ways past the corners of the pixel. */
    fixture_xdotool(
        "mousemove_relative 1 900 mousemove_relative 900 1 mousemove_relative -- -1 -900 "
        "mousemove_relative -- -900 -1 mousemove_relative 1 1");
    UNTIL(motion_is(fixture, -999, -999));
    pointer_get(fixture, &later_x, &later_y);
    CHECK_EQ(later_x, x);
    CHECK_EQ(later_y, y);
    fixture_free(fixture);
}

TEST(the_click_that_locks_is_not_for_the_guest)
{
    struct fixture *fixture = mouse_new();

    log_clear(fixture);
    pointer_place(fixture, 400, 300);
    fixture_xdotool("click 3");
    UNTIL(is_locked(fixture));
    fixture_settle(fixture);
    CHECK_EQ(fake_engine_count(fixture->engine, "motion 0 0 2"), 0);
    CHECK(!oriel_display_is_grabbed(fixture->display)); /* the system's shortcuts stay the host's */
    log_clear(fixture);
    fixture_xdotool("click 3 click 8 click 4 click 5");
    UNTIL(log_has(fixture, "motion 0 0 0 -1\n"));
    CHECK(log_has(fixture, "motion 0 0 2 0\n"));
    CHECK(log_has(fixture, "motion 0 0 8 0\n"));
    CHECK(log_has(fixture, "motion 0 0 0 1\n"));
    CHECK(fake_engine_is_let_go(fixture->engine));
    fixture_free(fixture);
}

/* Everything waits in the two connections until the program looks; pauses because the server tells
 * times in milliseconds. */
TEST(movement_and_buttons_keep_their_order)
{
    struct fixture *fixture = mouse_new();
    g_autoptr(GError) error = NULL;

    lock(fixture);
    CHECK(g_spawn_command_line_sync("xdotool mousemove_relative 100 0 sleep 0.01 mousedown 1 "
                                    "sleep 0.01 mousemove_relative 50 7 sleep 0.01 mouseup 1 "
                                    "sleep 0.01 mousemove_relative -- -25 0",
                                    NULL, NULL, NULL, &error));
    UNTIL(motion_is(fixture, 125, 7));
    CHECK(log_has(fixture, "motion 100 0 0 0\nmotion 0 0 1 0\nmotion 50 7 1 0\nmotion 0 0 0 0\n"
                           "motion -25 0 0 0\n"));
    fixture_free(fixture);
}

TEST(the_pointer_is_hidden_while_it_is_locked)
{
    struct fixture *fixture = mouse_new();
    GtkWidget *display = GTK_WIDGET(fixture->display), *window = GTK_WIDGET(fixture->window);

    CHECK(!gtk_widget_get_cursor(display));
    lock(fixture);
    CHECK_STR(gdk_cursor_get_name(gtk_widget_get_cursor(display)), "none");
    CHECK_STR(gdk_cursor_get_name(gtk_widget_get_cursor(window)), "none");
    gtk_widget_activate_action(display, "display.release", NULL);
    CHECK(!is_locked(fixture));
    CHECK(!gtk_widget_get_cursor(display));
    CHECK(!gtk_widget_get_cursor(window));
    fixture_free(fixture);
}

TEST(a_guest_with_a_tablet_has_no_lock)
{
    struct fixture *fixture = fixture_new(800, 600);

    pointer_place(fixture, 400, 300);
    fixture_xdotool("click 1");
    UNTIL(log_has(fixture, "pointer 400 300 1 0\n"));
    fixture_settle(fixture);
    CHECK(!is_locked(fixture));
    fixture_free(fixture);
}

/* Nothing holds the pointer, and movement is not for the guest. */
static void free_check(struct fixture *fixture)
{
    int x, y, later_x, later_y;

    fixture_xdotool("mousemove 10 10");
    pointer_get(fixture, &x, &y);
    fixture_settle(fixture);
    g_string_truncate(fixture->engine->log, 0);
    fixture_xdotool("mousemove_relative 2 1");
    pointer_get(fixture, &later_x, &later_y);
    CHECK_EQ(later_x, x + 2);
    CHECK_EQ(later_y, y + 1);
}

/* Firmware and boot menus: a click gives them the keyboard, and that is all. */
TEST(a_guest_that_reads_no_pointer_gets_none)
{
    static const char *const names[] = { "none", "a word of later engines" };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        struct fixture *fixture = fixture_new(800, 600);

        mode_set(fixture, names[i], ORIEL_POINTER_MODE_NONE);
        gtk_widget_grab_focus(fixture->button);
        log_clear(fixture);
        pointer_place(fixture, 400, 300);
        fixture_xdotool("click 1 mousemove_relative 9 9 click 3 click 4 click 5 key a");
        UNTIL(log_has(fixture, "key 30 0\n")); /* and so all that came before */
        CHECK(gtk_widget_has_focus(GTK_WIDGET(fixture->display)));
        CHECK(!is_locked(fixture));
        CHECK_EQ(fake_engine_count(fixture->engine, "motion"), 0);
        CHECK_EQ(fake_engine_count(fixture->engine, "pointer"), 0);
        CHECK(!gtk_widget_get_cursor(GTK_WIDGET(fixture->display)));
        free_check(fixture);
        /* The system has started, and reads its mouse. */
        mode_set(fixture, "relative", ORIEL_POINTER_MODE_RELATIVE);
        lock(fixture);
        fixture_free(fixture);
    }
}

/* The button went down for nobody, so it does not come up for the guest. */
TEST(a_button_held_while_the_guest_takes_the_mouse_is_not_its)
{
    struct fixture *fixture = fixture_new(800, 600);

    mode_set(fixture, "none", ORIEL_POINTER_MODE_NONE);
    pointer_place(fixture, 400, 300);
    log_clear(fixture);
    fixture_xdotool("mousedown 1 key a");
    UNTIL(log_has(fixture, "key 30 0\n"));
    mode_set(fixture, "absolute", ORIEL_POINTER_MODE_ABSOLUTE);
    fixture_xdotool("mousemove_relative 20 0 mouseup 1 key b");
    UNTIL(log_has(fixture, "key 48 0\n"));
    CHECK(log_has(fixture, "pointer "));
    CHECK_EQ(fake_engine_count(fixture->engine, "motion"), 0);
    CHECK(!strstr(fixture->engine->log->str, " 1 0\n"));
    fixture_free(fixture);
}

/* Its cursor is where the host's is, before that moves again. */
TEST(a_tablet_is_told_the_place_at_once)
{
    struct fixture *fixture = fixture_new(800, 600);

    mode_set(fixture, "none", ORIEL_POINTER_MODE_NONE);
    pointer_place(fixture, 400, 300);
    fixture_xdotool("key a");
    UNTIL(log_has(fixture, "key 30 0\n"));
    mode_set(fixture, "absolute", ORIEL_POINTER_MODE_ABSOLUTE);
    UNTIL(log_has(fixture, "pointer 400 300 0 0\n"));
    fixture_free(fixture);
}

/* The release of a press that was not for the guest went lost: the next one does not. */
TEST(no_release_is_taken_for_an_older_one)
{
    struct fixture *fixture = fixture_new(800, 600);

    mode_set(fixture, "none", ORIEL_POINTER_MODE_NONE);
    pointer_place(fixture, 400, 300);
    fixture_xdotool("mousedown 1 key a");
    UNTIL(log_has(fixture, "key 30 0\n"));
    fake_engine_set_state(fixture->engine, "paused");
    UNTIL(!oriel_display_backend_get_accepts_input(fixture->backend));
    fixture_xdotool("mouseup 1");
    fixture_settle(fixture);
    fake_engine_set_state(fixture->engine, "running");
    UNTIL(oriel_display_backend_get_accepts_input(fixture->backend));
    mode_set(fixture, "absolute", ORIEL_POINTER_MODE_ABSOLUTE);
    fixture_xdotool("click 1 key b");
    UNTIL(log_has(fixture, "key 48 0\n"));
    CHECK(log_has(fixture, "pointer 400 300 1 0\n"));
    CHECK(fake_engine_is_let_go(fixture->engine));
    fixture_free(fixture);
}

TEST(a_surface_has_one_lock)
{
    static const OrielPointerLockHandlers handlers;
    struct fixture *fixture = mouse_new();
    GdkSurface *surface = gtk_native_get_surface(GTK_NATIVE(fixture->window));

    lock(fixture);
    CHECK(!oriel_pointer_lock_new(surface, &handlers, NULL));
    oriel_display_release(fixture->display);
    lock(fixture);
    fixture_free(fixture);
}

/* --- Ways out */

static void chord(struct fixture *fixture)
{
    fixture_xdotool("keydown Control_L keydown Alt_L keyup Alt_L keyup Control_L");
}

static void focus_button(struct fixture *fixture)
{
    gtk_widget_grab_focus(fixture->button);
}

static void dialog_open(struct fixture *fixture)
{
    GtkWindow *dialog = GTK_WINDOW(gtk_window_new());

    gtk_window_set_transient_for(dialog, fixture->window);
    gtk_window_set_modal(dialog, TRUE);
    gtk_window_set_destroy_with_parent(dialog, TRUE);
    gtk_window_present(dialog);
    fixture_window_focus(dialog);
}

static void machine_pause(struct fixture *fixture)
{
    fake_engine_set_state(fixture->engine, "paused");
}

static void fullscreen(struct fixture *fixture)
{
    gtk_window_fullscreen(fixture->window);
}

static void hide(struct fixture *fixture)
{
    gtk_widget_set_visible(GTK_WIDGET(fixture->display), FALSE);
}

static void tablet_plug(struct fixture *fixture)
{
    fake_engine_set_pointer_mode(fixture->engine, "absolute");
}

static void mouse_forget(struct fixture *fixture)
{
    fake_engine_set_pointer_mode(fixture->engine, "none");
}

static void text_select(struct fixture *fixture)
{
    gtk_widget_activate_action(GTK_WIDGET(fixture->display), "display.select-text", NULL);
}

static void backend_drop(struct fixture *fixture)
{
    oriel_display_set_backend(fixture->display, NULL);
}

TEST(every_way_out_lets_pointer_and_buttons_go)
{
    static void (*const ways[])(struct fixture *) = {
        chord, focus_button, dialog_open,  machine_pause, fullscreen,
        hide,  tablet_plug,  mouse_forget, text_select,   backend_drop,
    };

    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        struct fixture *fixture = mouse_new();

        lock(fixture);
        fixture_xdotool("mousedown 1");
        UNTIL(log_has(fixture, "motion 0 0 1 0\n"));
        ways[i](fixture);
        UNTIL(!is_locked(fixture));
        UNTIL(fake_engine_is_let_go(fixture->engine));
        fixture_xdotool("mouseup 1");
        fixture_settle(fixture);
        CHECK(fake_engine_is_let_go(fixture->engine));
        free_check(fixture);
        fixture_free(fixture);
    }
}

TEST(the_chord_is_not_one_with_a_click_between)
{
    struct fixture *fixture = mouse_new();

    lock(fixture);
    fixture_xdotool("keydown Control_L keydown Alt_L click 1 keyup Alt_L keyup Control_L");
    UNTIL(log_has(fixture, "key 29 0\n"));
    CHECK(is_locked(fixture));
    CHECK(fake_engine_is_let_go(fixture->engine));
    chord(fixture);
    UNTIL(!is_locked(fixture));
    lock(fixture); /* and in again */
    fixture_xdotool("mousemove_relative 5 5");
    UNTIL(motion_is(fixture, 5, 5));
    fixture_free(fixture);
}

TEST_MAIN(T(movement_has_no_edge), T(the_click_that_locks_is_not_for_the_guest),
          T(movement_and_buttons_keep_their_order), T(the_pointer_is_hidden_while_it_is_locked),
          T(a_guest_with_a_tablet_has_no_lock), T(a_guest_that_reads_no_pointer_gets_none),
          T(a_button_held_while_the_guest_takes_the_mouse_is_not_its),
          T(a_tablet_is_told_the_place_at_once), T(no_release_is_taken_for_an_older_one),
          T(a_surface_has_one_lock), T(every_way_out_lets_pointer_and_buttons_go),
          T(the_chord_is_not_one_with_a_click_between))
