/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys and the pointer lock on Wayland, under headless mutter: its remote desktop interface presses
 * keys and moves a mouse as if they were there, and the compositor decides about focus, system
 * shortcuts and the lock.
 */
#include <gtk/gtk.h>
#include <linux/input-event-codes.h>

#include "fake_engine.h"
#include "display/widget/oriel-display.h"
#include "display/engine/oriel-engine-backend.h"
#include "test.h"

#define REMOTE_DESKTOP "org.gnome.Mutter.RemoteDesktop"

static GDBusConnection *session_bus;
static char *session_path;
static struct fake_engine *engine;
static GtkWindow *window;
static OrielDisplay *display;
static OrielDisplayBackend *backend;

static gboolean on_tick(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        gint64 until_ = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;                              \
        while (!(condition)) {                                                                     \
            if (g_get_monotonic_time() > until_) {                                                 \
                test_fail(__FILE__, __LINE__, "did not become true: %s", #condition);              \
            }                                                                                      \
            g_main_context_iteration(NULL, TRUE);                                                  \
        }                                                                                          \
    } while (0)

static GVariant *remote_call(const char *path, const char *interface, const char *method,
                             GVariant *parameters)
{
    g_autoptr(GError) error = NULL;
    GVariant *reply =
        g_dbus_connection_call_sync(session_bus, REMOTE_DESKTOP, path, interface, method,
                                    parameters, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);

    if (!reply) {
        test_fail(__FILE__, __LINE__, "%s: %s", method, error->message);
    }
    return reply;
}

static void key(guint code, gboolean down)
{
    g_variant_unref(remote_call(session_path, REMOTE_DESKTOP ".Session", "NotifyKeyboardKeycode",
                                g_variant_new("(ub)", code, down)));
}

static bool log_has(const char *text)
{
    return strstr(engine->keys->str, text) != NULL;
}

static void window_make(void)
{
    window = GTK_WINDOW(gtk_window_new());
    display = ORIEL_DISPLAY(oriel_display_new());
    gtk_window_set_child(window, GTK_WIDGET(display));
    gtk_window_set_default_size(window, 800, 600);
    backend = oriel_engine_backend_new(engine->client, 1);
    oriel_display_set_backend(display, backend);
    gtk_window_present(window);
    gtk_widget_grab_focus(GTK_WIDGET(display));
}

/* The compositor has a keyboard, and so a focus, with the first keys, which get lost. */
static void warm_up(void)
{
    for (guint i = 0; i < 600 && !log_has("key 88 0\n"); i++) {
        gint64 end = g_get_monotonic_time() + G_USEC_PER_SEC / 10;

        key(KEY_F12, TRUE);
        key(KEY_F12, FALSE);
        while (g_get_monotonic_time() < end && !log_has("key 88 0\n")) {
            g_main_context_iteration(NULL, TRUE);
        }
    }
    CHECK(log_has("key 88 0\n"));
}

TEST(a_key_arrives)
{
    g_autoptr(GVariant) reply = NULL;

    gtk_init();
    g_timeout_add(20, on_tick, NULL);
    session_bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, NULL);
    CHECK(session_bus);
    reply = remote_call("/org/gnome/Mutter/RemoteDesktop", REMOTE_DESKTOP, "CreateSession", NULL);
    g_variant_get(reply, "(o)", &session_path);
    g_variant_unref(remote_call(session_path, REMOTE_DESKTOP ".Session", "Start", NULL));
    engine = fake_engine_new();
    fake_engine_show(engine, 640, 400);
    window_make();
    warm_up();
    CHECK(gtk_window_is_active(window));
    CHECK(gtk_widget_has_focus(GTK_WIDGET(display)));
}

/* GDK drops keys to which the host's layout gives no symbol at all. */
TEST(keys_go_by_place)
{
    static const guint codes[] = { KEY_A,     KEY_TAB,     KEY_F10,     KEY_102ND,
                                   KEY_PAUSE, KEY_KPENTER, KEY_RIGHTALT };

    g_string_truncate(engine->keys, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_autofree char *expected = g_strdup_printf("key %u 1\nkey %u 0\n", codes[i], codes[i]);

        key(codes[i], TRUE);
        key(codes[i], FALSE);
        UNTIL(log_has(expected));
    }
    CHECK(fake_engine_is_let_go(engine));
}

TEST(a_grab_is_what_the_compositor_grants)
{
    gtk_widget_activate_action(GTK_WIDGET(display), "display.grab", NULL);
    UNTIL(oriel_display_is_grabbed(display));
    key(KEY_LEFTMETA, TRUE); /* the compositor's own, unless it is told otherwise */
    key(KEY_LEFTMETA, FALSE);
    UNTIL(log_has("key 125 1\nkey 125 0\n"));
    key(KEY_LEFTCTRL, TRUE);
    key(KEY_LEFTALT, TRUE);
    UNTIL(log_has("key 56 1\n"));
    key(KEY_LEFTALT, FALSE);
    UNTIL(!oriel_display_is_grabbed(display));
    key(KEY_LEFTCTRL, FALSE);
    UNTIL(fake_engine_is_let_go(engine));
    gtk_widget_grab_focus(GTK_WIDGET(display));
}

TEST(another_window_lets_keys_go)
{
    static const guint codes[] = { KEY_LEFTCTRL, KEY_RIGHTCTRL, KEY_LEFTSHIFT, KEY_LEFTALT, KEY_A };

    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_autofree char *down = g_strdup_printf("key %u 1\n", codes[i]);
        GtkWindow *other;

        g_string_truncate(engine->keys, 0);
        key(codes[i], TRUE);
        UNTIL(log_has(down));
        other = GTK_WINDOW(gtk_window_new());
        gtk_window_set_transient_for(other, window);
        gtk_window_set_modal(other, TRUE);
        gtk_window_present(other);
        UNTIL(!gtk_window_is_active(window));
        UNTIL(fake_engine_is_let_go(engine));
        key(codes[i], FALSE);
        gtk_window_destroy(other);
        UNTIL(gtk_window_is_active(window));
        gtk_widget_grab_focus(GTK_WIDGET(display));
        UNTIL(gtk_widget_has_focus(GTK_WIDGET(display)));
        CHECK(fake_engine_is_let_go(engine));
    }
}

/* --- The pointer of a guest that has only a mouse */

static void move(double dx, double dy)
{
    g_variant_unref(remote_call(session_path, REMOTE_DESKTOP ".Session",
                                "NotifyPointerMotionRelative", g_variant_new("(dd)", dx, dy)));
}

static void button(gboolean down)
{
    g_variant_unref(remote_call(session_path, REMOTE_DESKTOP ".Session", "NotifyPointerButton",
                                g_variant_new("(ib)", BTN_LEFT, down)));
}

static bool motion_is(int x, int y)
{
    int dx, dy;

    fake_engine_motion(engine, &dx, &dy);
    return dx == x && dy == y;
}

/* Clicks into the middle of the window, which fills the screen, until the compositor gives the
 * lock: its pointer, too, comes with its first events. */
static void lock(void)
{
    for (guint i = 0; i < 600 && !oriel_display_is_pointer_locked(display); i++) {
        gint64 end = g_get_monotonic_time() + G_USEC_PER_SEC / 10;

        if (i == 0) {
            move(-5000, -5000);
            move(640, 400);
        }
        button(TRUE);
        button(FALSE);
        while (g_get_monotonic_time() < end && !oriel_display_is_pointer_locked(display)) {
            g_main_context_iteration(NULL, TRUE);
        }
    }
    CHECK(oriel_display_is_pointer_locked(display));
    g_string_truncate(engine->keys, 0);
    key(KEY_F12, TRUE);
    key(KEY_F12, FALSE);
    UNTIL(log_has("key 88 0\n")); /* and so all that came before */
    g_string_truncate(engine->log, 0);
}

TEST(locked_movement_has_no_edge)
{
    gtk_window_maximize(window);
    UNTIL(gtk_window_is_maximized(window) && gtk_widget_get_width(GTK_WIDGET(display)) >= 1280);
    fake_engine_set_pointer_mode(engine, "relative");
    UNTIL(oriel_display_backend_get_pointer_mode(backend) == ORIEL_POINTER_MODE_RELATIVE);
    lock();
    move(3000, 0);
    UNTIL(motion_is(3000, 0));
    move(3000, 2000);
    move(-10000, -5000);
    UNTIL(motion_is(-4000, -3000));
    move(0.5, 0);
    move(0.5, 0);
    UNTIL(motion_is(-3999, -3000));
    button(TRUE);
    UNTIL(!fake_engine_is_let_go(engine));
    move(7, 0);
    UNTIL(strstr(engine->log->str, "motion 7 0 1 0\n"));
    button(FALSE);
    UNTIL(fake_engine_is_let_go(engine));
}

static void chord(void)
{
    key(KEY_LEFTCTRL, TRUE);
    key(KEY_LEFTALT, TRUE);
    key(KEY_LEFTALT, FALSE);
    key(KEY_LEFTCTRL, FALSE);
}

static void focus_drop(void)
{
    gtk_window_set_focus(window, NULL);
}

static void machine_pause(void)
{
    fake_engine_set_state(engine, "paused");
}

static void fullscreen_leave(void)
{
    gtk_window_unfullscreen(window);
}

TEST(every_way_out_lets_pointer_and_buttons_go)
{
    static void (*const ways[])(void) = { chord, focus_drop, machine_pause, fullscreen_leave };

    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        if (ways[i] == fullscreen_leave) {
            gtk_window_fullscreen(window);
            UNTIL(gtk_window_is_fullscreen(window));
        }
        fake_engine_set_state(engine, "running");
        UNTIL(oriel_display_backend_get_accepts_input(backend));
        gtk_widget_grab_focus(GTK_WIDGET(display));
        UNTIL(gtk_widget_has_focus(GTK_WIDGET(display)));
        lock();
        button(TRUE);
        UNTIL(!fake_engine_is_let_go(engine));
        ways[i]();
        UNTIL(!oriel_display_is_pointer_locked(display));
        UNTIL(fake_engine_is_let_go(engine));
        button(FALSE);
    }
    fake_engine_set_pointer_mode(engine, "absolute");
    gtk_widget_grab_focus(GTK_WIDGET(display));
    UNTIL(gtk_widget_has_focus(GTK_WIDGET(display)));
}

TEST(fullscreen_takes_the_system_shortcuts)
{
    gtk_window_fullscreen(window);
    UNTIL(gtk_window_is_fullscreen(window));
    UNTIL(oriel_display_is_grabbed(display));
    gtk_window_unfullscreen(window);
    UNTIL(!oriel_display_is_grabbed(display));
    gtk_window_destroy(window);
    g_object_unref(backend);
    fake_engine_free(engine);
}

TEST_MAIN(T(a_key_arrives), T(keys_go_by_place), T(a_grab_is_what_the_compositor_grants),
          T(another_window_lets_keys_go), T(locked_movement_has_no_edge),
          T(every_way_out_lets_pointer_and_buttons_go), T(fullscreen_takes_the_system_shortcuts))
