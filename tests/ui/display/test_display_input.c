/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys and pointer through the X server, the widget and the connection to the engine. */
#include <gdk/x11/gdkx.h>
#include <linux/input-event-codes.h>

#include "display/lock/oriel-pointer-lock.h"
#include "fixture.h"

static bool log_has(struct fixture *fixture, const char *text)
{
    return strstr(fixture->engine->log->str, text) != NULL;
}

/* The keys in this order, whatever else came between. */
static bool keys_have(struct fixture *fixture, const char *text)
{
    return strstr(fixture->engine->keys->str, text) != NULL;
}

static void log_clear(struct fixture *fixture)
{
    fixture_settle(fixture);
    g_string_truncate(fixture->engine->log, 0);
    g_string_truncate(fixture->engine->keys, 0);
}

static unsigned long xid(GtkWindow *window)
{
    return gdk_x11_surface_get_xid(gtk_native_get_surface(GTK_NATIVE(window)));
}

static void pointer_move(struct fixture *fixture, guint x, guint y)
{
    int window_x, window_y;

    fixture_window_place(fixture, x, y, &window_x, &window_y);
    fixture_xdotool("mousemove --window %lu %d %d", xid(fixture->window), window_x, window_y);
}

/* Keys that are down by the server's keyboard stay so for the next test otherwise. */
static void keys_up(void)
{
    fixture_xdotool("keyup Control_L keyup Alt_L keyup Shift_L keyup Super_L keyup Control_R keyup "
                    "Shift_R keyup a");
}

/* --- Keys */

TEST(keys_go_by_place)
{
    struct fixture *fixture = fixture_new(800, 600);

    fixture_xdotool("key a key Tab key F10 key ctrl+q key Escape");
    UNTIL(log_has(fixture, "key 1 0\n"));
    CHECK(keys_have(fixture, "key 30 1\nkey 30 0\n"));
    CHECK(keys_have(fixture, "key 15 1\nkey 15 0\n"));
    CHECK(keys_have(fixture, "key 68 1\nkey 68 0\n"));
    CHECK(keys_have(fixture, "key 29 1\nkey 16 1\n"));
    CHECK(gtk_widget_has_focus(GTK_WIDGET(fixture->display)));
    CHECK(fake_engine_is_let_go(fixture->engine));
    fixture_free(fixture);
}

static gboolean on_shortcut(GtkWidget *widget, GVariant *arguments, gpointer data)
{
    (*(guint *)data)++;
    return TRUE;
}

static void shortcut_add(GtkWindow *window, const char *trigger, guint *times)
{
    GtkEventController *controller = gtk_shortcut_controller_new();

    gtk_shortcut_controller_set_scope(GTK_SHORTCUT_CONTROLLER(controller),
                                      GTK_SHORTCUT_SCOPE_GLOBAL);
    gtk_event_controller_set_propagation_phase(controller, GTK_PHASE_CAPTURE);
    gtk_shortcut_controller_add_shortcut(
        GTK_SHORTCUT_CONTROLLER(controller),
        gtk_shortcut_new(gtk_shortcut_trigger_parse_string(trigger),
                         gtk_callback_action_new(on_shortcut, times, NULL)));
    gtk_widget_add_controller(GTK_WIDGET(window), controller);
}

TEST(shortcuts_of_the_window_wait_for_the_focus)
{
    struct fixture *fixture = fixture_new(800, 600);
    guint quits = 0, fullscreens = 0;

    /* The window has its shortcuts before it has a display. */
    g_object_ref(fixture->display);
    gtk_box_remove(GTK_BOX(gtk_window_get_child(fixture->window)), GTK_WIDGET(fixture->display));
    shortcut_add(fixture->window, "<Control>q", &quits);
    shortcut_add(fixture->window, "F11", &fullscreens);
    gtk_box_prepend(GTK_BOX(gtk_window_get_child(fixture->window)), GTK_WIDGET(fixture->display));
    g_object_unref(fixture->display);
    gtk_widget_grab_focus(GTK_WIDGET(fixture->display));
    fixture_xdotool("key ctrl+q key F11");
    UNTIL(fullscreens == 1);
    CHECK_EQ(quits, 0);
    fixture_settle(fixture);
    CHECK(!log_has(fixture, "key 87 1"));
    gtk_widget_grab_focus(fixture->button);
    fixture_xdotool("key ctrl+q");
    UNTIL(quits == 1);
    fixture_free(fixture);
}

TEST(repeats_are_passed_on_and_end)
{
    struct fixture *fixture = fixture_new(800, 600);

    /* The server repeats a key that is held; a guest's keyboard does not by itself. */
    fixture_xdotool("keydown a");
    UNTIL(fake_engine_count(fixture->engine, "key 30 1") >= 3);
    fixture_xdotool("keyup a");
    UNTIL(log_has(fixture, "key 30 0\n"));
    fixture_settle(fixture);
    CHECK_EQ(fake_engine_count(fixture->engine, "key 30 0"), 1);
    CHECK(fake_engine_is_let_go(fixture->engine));
    fixture_free(fixture);
}

TEST(send_keys_presses_together)
{
    struct fixture *fixture = fixture_new(800, 600);

    CHECK(gtk_widget_activate_action(GTK_WIDGET(fixture->display), "display.send-keys", "s",
                                     "ctrl+alt+delete"));
    fixture_settle(fixture);
    CHECK(keys_have(fixture, "key 29 1\nkey 56 1\nkey 111 1\nkey 111 0\nkey 56 0\nkey 29 0\n"));
    CHECK(!oriel_display_send_keys(fixture->display, "ctrl+nonsense"));
    fixture_free(fixture);
}

/* --- No key stays down */

static const struct {
    const char *name;
    guint code;
} held[] = {
    { "Control_L", KEY_LEFTCTRL },
    { "Control_R", KEY_RIGHTCTRL },
    { "Shift_L", KEY_LEFTSHIFT },
    { "Shift_R", KEY_RIGHTSHIFT },
    { "Alt_L", KEY_LEFTALT },
    { "Super_L", KEY_LEFTMETA },
    { "a", KEY_A },
};

/* Holds each key in turn while `lose` takes the keyboard away. */
static void stuck_check(struct fixture *fixture, void (*lose)(struct fixture *),
                        void (*back)(struct fixture *))
{
    for (gsize i = 0; i < G_N_ELEMENTS(held); i++) {
        g_autofree char *down = g_strdup_printf("key %u 1\n", held[i].code);
        g_autofree char *up = g_strdup_printf("key %u 0\n", held[i].code);

        log_clear(fixture);
        fixture_xdotool("keydown %s", held[i].name);
        UNTIL(log_has(fixture, down));
        lose(fixture);
        UNTIL(log_has(fixture, up));
        fixture_xdotool("keyup %s", held[i].name);
        fixture_settle(fixture);
        CHECK(fake_engine_is_let_go(fixture->engine));
        back(fixture);
        fixture_settle(fixture);
        CHECK(fake_engine_is_let_go(fixture->engine));
    }
}

static void focus_display(struct fixture *fixture)
{
    gtk_widget_grab_focus(GTK_WIDGET(fixture->display));
    UNTIL(gtk_widget_has_focus(GTK_WIDGET(fixture->display)));
}

static void focus_button(struct fixture *fixture)
{
    gtk_widget_grab_focus(fixture->button);
}

TEST(focus_lost_lets_keys_go)
{
    struct fixture *fixture = fixture_new(800, 600);

    stuck_check(fixture, focus_button, focus_display);
    fixture_free(fixture);
}

static GtkWindow *other_window;

static void window_leave(struct fixture *fixture)
{
    fixture_window_focus(other_window);
    UNTIL(!gtk_window_is_active(fixture->window));
}

static void window_back(struct fixture *fixture)
{
    fixture_window_focus(fixture->window);
    UNTIL(gtk_window_is_active(fixture->window));
    focus_display(fixture);
}

TEST(another_window_lets_keys_go)
{
    struct fixture *fixture = fixture_new(800, 600);

    other_window = GTK_WINDOW(gtk_window_new());
    gtk_window_present(other_window);
    fixture_window_focus(other_window);
    window_back(fixture);
    stuck_check(fixture, window_leave, window_back);
    gtk_window_destroy(other_window);
    fixture_free(fixture);
}

static void pause_machine(struct fixture *fixture)
{
    fake_engine_set_state(fixture->engine, "paused");
    UNTIL(!oriel_display_backend_get_accepts_input(fixture->backend));
}

static void resume_machine(struct fixture *fixture)
{
    fixture_xdotool("key b");
    fixture_settle(fixture);
    CHECK(!log_has(fixture, "key 48 1"));
    fake_engine_set_state(fixture->engine, "running");
    UNTIL(oriel_display_backend_get_accepts_input(fixture->backend));
}

TEST(a_paused_machine_lets_keys_go)
{
    struct fixture *fixture = fixture_new(800, 600);

    stuck_check(fixture, pause_machine, resume_machine);
    fixture_free(fixture);
}

static void hide(struct fixture *fixture)
{
    gtk_widget_set_visible(GTK_WIDGET(fixture->display), FALSE);
}

static void show(struct fixture *fixture)
{
    gtk_widget_set_visible(GTK_WIDGET(fixture->display), TRUE);
    focus_display(fixture);
}

TEST(a_hidden_display_lets_keys_go)
{
    struct fixture *fixture = fixture_new(800, 600);

    stuck_check(fixture, hide, show);
    fixture_free(fixture);
}

static void release(struct fixture *fixture)
{
    gtk_widget_activate_action(GTK_WIDGET(fixture->display), "display.release", NULL);
}

static void grab(struct fixture *fixture)
{
    gtk_widget_activate_action(GTK_WIDGET(fixture->display), "display.grab", NULL);
    UNTIL(oriel_display_is_grabbed(fixture->display));
}

TEST(a_grab_lost_lets_keys_go)
{
    struct fixture *fixture = fixture_new(800, 600);

    grab(fixture);
    stuck_check(fixture, release, grab);
    fixture_free(fixture);
}

TEST(another_backend_lets_keys_go)
{
    struct fixture *fixture = fixture_new(800, 600);

    fixture_xdotool("keydown Alt_L keydown a");
    UNTIL(log_has(fixture, "key 30 1\n"));
    oriel_display_set_backend(fixture->display, NULL);
    fixture_settle(fixture);
    CHECK(keys_have(fixture, "key 30 0\nkey 56 0\n"));
    keys_up();
    fixture_free(fixture);
}

TEST(modifiers_held_before_the_focus_came_are_pressed)
{
    struct fixture *fixture = fixture_new(800, 600);

    focus_button(fixture);
    log_clear(fixture);
    fixture_xdotool("keydown Control_R");
    fixture_settle(fixture);
    focus_display(fixture);
    fixture_xdotool("key c");
    UNTIL(log_has(fixture, "key 46 0\n"));
    CHECK(keys_have(fixture, "key 29 1\nkey 46 1\nkey 46 0\n"));
    fixture_xdotool("keyup Control_R");
    UNTIL(log_has(fixture, "key 29 0\n"));
    CHECK(fake_engine_is_let_go(fixture->engine));
    fixture_free(fixture);
}

/* --- Ways out */

TEST(the_release_chord_gives_everything_back)
{
    struct fixture *fixture = fixture_new(800, 600);

    grab(fixture);
    fixture_xdotool("key ctrl+alt+Delete");
    UNTIL(log_has(fixture, "key 111 0\n"));
    fixture_settle(fixture);
    CHECK(oriel_display_is_grabbed(fixture->display));
    fixture_xdotool("keydown Control_L keydown Alt_L keyup Alt_L keyup Control_L");
    UNTIL(!oriel_display_is_grabbed(fixture->display));
    UNTIL(!gtk_widget_has_focus(GTK_WIDGET(fixture->display)));
    fixture_settle(fixture);
    CHECK(fake_engine_is_let_go(fixture->engine));
    log_clear(fixture);
    fixture_xdotool("key b");
    fixture_settle(fixture);
    CHECK_EQ(fake_engine_count(fixture->engine, "key"), 0);
    fixture_free(fixture);
}

TEST(the_click_that_grabs_is_not_for_the_guest)
{
    struct fixture *fixture = fixture_new(800, 600);

    oriel_display_set_grab_policy(fixture->display, ORIEL_GRAB_CLICK);
    pointer_move(fixture, 400, 300);
    UNTIL(log_has(fixture, "pointer 400 300 0"));
    fixture_xdotool("click 1");
    UNTIL(oriel_display_is_grabbed(fixture->display));
    fixture_settle(fixture);
    CHECK(!log_has(fixture, "pointer 400 300 1"));
    fixture_xdotool("click 1");
    UNTIL(log_has(fixture, "pointer 400 300 1"));
    fixture_settle(fixture);
    CHECK(fake_engine_is_let_go(fixture->engine));
    gtk_widget_grab_focus(fixture->button);
    UNTIL(!oriel_display_is_grabbed(fixture->display));
    oriel_display_set_grab_policy(fixture->display, ORIEL_GRAB_NEVER);
    fixture_xdotool("click 1");
    UNTIL(gtk_widget_has_focus(GTK_WIDGET(fixture->display)));
    fixture_settle(fixture);
    CHECK(!oriel_display_is_grabbed(fixture->display));
    fixture_free(fixture);
}

/* --- Pointer */

TEST(the_pointer_is_at_the_pixel_under_it)
{
    static const guint sizes[][2] = { { 800, 600 }, { 640, 480 }, { 1920, 1080 }, { 320, 200 } };
    struct fixture *fixture = fixture_new(800, 600);

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *expected =
            g_strdup_printf("pointer %u %u 0 0\n", sizes[i][0] / 3, sizes[i][1] / 4);

        fake_engine_show(fixture->engine, sizes[i][0], sizes[i][1]);
        UNTIL(fixture->engine->waiting && fixture->engine->shown == fixture->engine->scanout);
        pointer_move(fixture, sizes[i][0] / 2, sizes[i][1] / 2);
        log_clear(fixture);
        pointer_move(fixture, sizes[i][0] / 3, sizes[i][1] / 4);
        fixture_settle(fixture);
        if (sizes[i][0] <= 800) {
            UNTIL(log_has(fixture, expected));
        } else {
            UNTIL(fake_engine_count(fixture->engine, "pointer") >
                  0); /* pixels smaller than the screen's */
        }
    }
    fixture_free(fixture);
}

TEST(buttons_and_wheel)
{
    struct fixture *fixture = fixture_new(800, 600);

    pointer_move(fixture, 100, 100);
    fixture_xdotool("click 1 click 2 click 3 click 8 click 9");
    UNTIL(log_has(fixture, "pointer 100 100 16"));
    CHECK(log_has(fixture, "pointer 100 100 1 0\n"));
    CHECK(log_has(fixture, "pointer 100 100 4 0\n"));
    CHECK(log_has(fixture, "pointer 100 100 2 0\n"));
    CHECK(log_has(fixture, "pointer 100 100 8 0\n"));
    fixture_settle(fixture);
    CHECK(fake_engine_is_let_go(fixture->engine));
    fixture_xdotool("click 4");
    UNTIL(log_has(fixture, "pointer 100 100 0 1\n"));
    fixture_xdotool("click 5");
    UNTIL(log_has(fixture, "pointer 100 100 0 -1\n"));
    fixture_free(fixture);
}

TEST(a_drag_stays_with_the_guest)
{
    struct fixture *fixture = fixture_new(800, 600);
    int x, y;

    pointer_move(fixture, 700, 300);
    fixture_xdotool("mousedown 1");
    UNTIL(log_has(fixture, "pointer 700 300 1 0\n"));
    fixture_window_place(fixture, 799, 300, &x, &y);
    fixture_xdotool("mousemove --window %lu %d %d", xid(fixture->window), x + 60,
                    y); /* into the border */
    UNTIL(log_has(fixture, "pointer 799 300 1 0\n"));
    fixture_xdotool("mouseup 1");
    UNTIL(log_has(fixture, "pointer 799 300 0 0\n"));
    log_clear(fixture);
    fixture_xdotool("click 1");
    fixture_settle(fixture);
    CHECK_EQ(fake_engine_count(fixture->engine, "pointer"), 0);
    fixture_free(fixture);
}

static void on_other_lock(gpointer data, gboolean locked)
{
    CHECK(locked);
}

/* Somebody else has the lock of the surface: as on a desktop that has none. */
TEST(a_mouse_without_a_lock_gets_motion)
{
    static const OrielPointerLockHandlers handlers = { on_other_lock, NULL };
    struct fixture *fixture = fixture_new(800, 600);
    OrielPointerLock *other = oriel_pointer_lock_new(
        gtk_native_get_surface(GTK_NATIVE(fixture->window)), &handlers, NULL);
    int x, y, sum_x, sum_y;

    CHECK(other);
    fake_engine_set_pointer_mode(fixture->engine, "relative");
    UNTIL(oriel_display_backend_get_pointer_mode(fixture->backend) == ORIEL_POINTER_MODE_RELATIVE);
    pointer_move(fixture, 200, 200);
    pointer_move(fixture, 100, 100);
    fixture_xdotool("click 3"); /* comes after all motion before it */
    UNTIL(log_has(fixture, "motion 0 0 2 0\nmotion 0 0 0 0\n"));
    log_clear(fixture);
    fixture_window_place(fixture, 100, 100, &x, &y);
    fixture_xdotool("mousemove --window %lu %d %d", xid(fixture->window), x + 20, y + 10);
    fixture_xdotool("mousemove --window %lu %d %d", xid(fixture->window), x + 50, y - 30);
    fixture_xdotool("click 1");
    UNTIL(fake_engine_count(fixture->engine, "motion 0 0 1 0") == 1);
    fixture_settle(fixture);
    fake_engine_motion(fixture->engine, &sum_x, &sum_y);
    /* The widget shows 800 x 600 a little larger. */
    CHECK(sum_x >= 40 && sum_x <= 50);
    CHECK(sum_y <= -24 && sum_y >= -30);
    CHECK(fake_engine_is_let_go(fixture->engine));
    CHECK(!oriel_display_is_pointer_locked(fixture->display));
    oriel_pointer_lock_free(other);
    fixture_free(fixture);
}

TEST(a_button_held_is_let_go_with_the_focus)
{
    struct fixture *fixture = fixture_new(800, 600);

    pointer_move(fixture, 10, 10);
    fixture_xdotool("mousedown 1");
    UNTIL(log_has(fixture, "pointer 10 10 1 0\n"));
    gtk_widget_grab_focus(fixture->button);
    UNTIL(log_has(fixture, "pointer 10 10 0 0\n"));
    fixture_xdotool("mouseup 1");
    fixture_settle(fixture);
    CHECK(fake_engine_is_let_go(fixture->engine));
    fixture_free(fixture);
}

/* --- Lock keys */

TEST(lock_keys_follow_the_host_and_give_up)
{
    struct fixture *fixture = fixture_new(800, 600);

    /* The guest shows Caps Lock, the host does not. */
    fake_engine_set_leds(fixture->engine, ORIEL_LED_CAPS);
    fixture_settle(fixture);
    for (guint i = 0; i < 10; i++) {
        focus_button(fixture);
        focus_display(fixture);
        fixture_settle(fixture);
    }
    CHECK(fake_engine_count(fixture->engine, "key 58 1") >= 1);
    CHECK(fake_engine_count(fixture->engine, "key 58 1") <= 2);
    CHECK(fake_engine_is_let_go(fixture->engine));
    fixture_free(fixture);
}

TEST_MAIN(T(keys_go_by_place), T(shortcuts_of_the_window_wait_for_the_focus),
          T(repeats_are_passed_on_and_end), T(send_keys_presses_together),
          T(focus_lost_lets_keys_go), T(another_window_lets_keys_go),
          T(a_paused_machine_lets_keys_go), T(a_hidden_display_lets_keys_go),
          T(a_grab_lost_lets_keys_go), T(another_backend_lets_keys_go),
          T(modifiers_held_before_the_focus_came_are_pressed),
          T(the_release_chord_gives_everything_back), T(the_click_that_grabs_is_not_for_the_guest),
          T(the_pointer_is_at_the_pixel_under_it), T(buttons_and_wheel),
          T(a_drag_stays_with_the_guest), T(a_mouse_without_a_lock_gets_motion),
          T(a_button_held_is_let_go_with_the_focus), T(lock_keys_follow_the_host_and_give_up))
