/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pasting as keystrokes, selecting text, asking the guest for a size, and what screen readers are
 * told. */
#include <gdk/x11/gdkx.h>

#include "fixture.h"

static void action(struct fixture *fixture, const char *name)
{
    CHECK(gtk_widget_activate_action(GTK_WIDGET(fixture->display), name, NULL));
}

static gboolean is_typing(struct fixture *fixture)
{
    gboolean typing;

    g_object_get(fixture->display, "typing", &typing, NULL);
    return typing;
}

static gboolean is_selecting(struct fixture *fixture)
{
    gboolean selecting;

    g_object_get(fixture->display, "selecting-text", &selecting, NULL);
    return selecting;
}

static void clipboard_set(struct fixture *fixture, const char *text)
{
    gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(fixture->display)), text);
}

TEST(a_paste_is_typed_in_parts)
{
    struct fixture *fixture = fixture_new(720, 400);
    g_autofree char *text = g_strnfill(100, 'x');

    clipboard_set(fixture, text);
    action(fixture, "display.paste");
    UNTIL(!is_typing(fixture));
    CHECK_EQ(fake_engine_count(fixture->engine, "type xxxx"), 4);
    CHECK(fixture->notice == NULL);
    fixture_free(fixture);
}

TEST(a_paste_can_be_cancelled)
{
    struct fixture *fixture = fixture_new(720, 400);
    g_autofree char *text = g_strnfill(100000, 'x');
    guint parts;

    clipboard_set(fixture, text);
    action(fixture, "display.paste");
    UNTIL(fake_engine_count(fixture->engine, "type xxxx") > 0);
    action(fixture, "display.cancel-paste");
    CHECK(!is_typing(fixture));
    fixture_settle(fixture);
    fixture_settle(fixture);
    parts = fake_engine_count(fixture->engine, "type xxxx");
    fixture_settle(fixture);
    CHECK_EQ(fake_engine_count(fixture->engine, "type xxxx"), parts);
    CHECK(parts < 100000 / 32);
    CHECK(fixture->notice == NULL);
    fixture_free(fixture);
}

TEST(a_pause_ends_a_paste)
{
    struct fixture *fixture = fixture_new(720, 400);
    g_autofree char *text = g_strnfill(100000, 'x');

    clipboard_set(fixture, text);
    action(fixture, "display.paste");
    UNTIL(fake_engine_count(fixture->engine, "type xxxx") > 0);
    fake_engine_set_state(fixture->engine, "paused");
    UNTIL(!is_typing(fixture));
    CHECK(fake_engine_count(fixture->engine, "type xxxx") < 100000 / 32);
    fixture_free(fixture);
}

TEST(an_empty_clipboard_is_told)
{
    struct fixture *fixture = fixture_new(720, 400);

    gdk_clipboard_set_content(gtk_widget_get_clipboard(GTK_WIDGET(fixture->display)), NULL);
    action(fixture, "display.paste");
    UNTIL(fixture->notice);
    CHECK(!is_typing(fixture));
    fixture_free(fixture);
}

/* --- Selecting text */

static void on_clipboard(GObject *source, GAsyncResult *result, gpointer data)
{
    char **text = data;

    *text = gdk_clipboard_read_text_finish(GDK_CLIPBOARD(source), result, NULL);
    if (!*text) {
        *text = g_strdup("");
    }
}

static char *clipboard_get(struct fixture *fixture)
{
    char *text = NULL;

    gdk_clipboard_read_text_async(gtk_widget_get_clipboard(GTK_WIDGET(fixture->display)), NULL,
                                  on_clipboard, &text);
    UNTIL(text);
    return text;
}

/* A screen of 80 x 25 characters, 9 x 16 dots each. */
static char *text_screen(void)
{
    GString *text = g_string_new(NULL);

    for (guint row = 0; row < 25; row++) {
        g_string_append_printf(text, row == 3 ? "\n" : "Line %u of the screen\n", row);
    }
    return g_string_free(text, FALSE);
}

static void drag(struct fixture *fixture, guint column, guint row, guint to_column, guint to_row)
{
    unsigned long window =
        gdk_x11_surface_get_xid(gtk_native_get_surface(GTK_NATIVE(fixture->window)));
    int x, y, to_x, to_y;

    fixture_window_place(fixture, column * 9 + 4, row * 16 + 8, &x, &y);
    fixture_window_place(fixture, to_column * 9 + 4, to_row * 16 + 8, &to_x, &to_y);
    fixture_xdotool(
        "mousemove --window %lu %d %d mousedown 1 mousemove --window %lu %d %d mouseup 1", window,
        x, y, window, to_x, to_y);
    fixture_settle(fixture);
}

TEST(characters_are_selected_and_copied)
{
    static const struct {
        guint from_column, from_row, to_column, to_row;
        const char *text;
    } drags[] = {
        { 5, 1, 5, 1, "" },
        { 5, 1, 8, 1, "1 of" },
        { 8, 1, 5, 1, "1 of" },
        { 14, 1, 3, 2, "screen\nLine" },
        { 12, 2, 3, 4, "e screen\n\nLine" },
        { 60, 5, 79, 5, "" },
    };
    struct fixture *fixture = fixture_new(720, 400);
    g_autofree char *screen = text_screen();

    fixture->engine->text = screen;
    for (gsize i = 0; i < G_N_ELEMENTS(drags); i++) {
        g_autofree char *copied = NULL;

        clipboard_set(fixture, "before");
        action(fixture, "display.select-text");
        CHECK(is_selecting(fixture));
        fixture_settle(fixture);
        drag(fixture, drags[i].from_column, drags[i].from_row, drags[i].to_column, drags[i].to_row);
        fixture_xdotool("key ctrl+c");
        fixture_settle(fixture);
        copied = clipboard_get(fixture);
        CHECK_STR(copied, *drags[i].text ? drags[i].text : "before");
        CHECK_EQ(is_selecting(fixture), *drags[i].text == '\0');
        fixture_xdotool("key Escape");
        UNTIL(!is_selecting(fixture) || *drags[i].text);
    }
    CHECK_EQ(fake_engine_count(fixture->engine, "key 46"), 0);
    fixture_free(fixture);
}

TEST(the_selection_is_seen)
{
    struct fixture *fixture = fixture_new(720, 400);
    g_autofree char *screen = text_screen();
    g_autofree guint32 *before = NULL;
    g_autofree guint32 *after = NULL;
    guint width, height, left, top;

    oriel_display_set_scaling(fixture->display, ORIEL_SCALING_INTEGER);
    fixture->engine->text = screen;
    action(fixture, "display.select-text");
    fixture_settle(fixture);
    before = fixture_render(fixture, &width, &height);
    left = (width - 720) / 2;
    top = (height - 400) / 2;
    fixture_xdotool("key ctrl+a");
    fixture_settle(fixture);
    after = fixture_render(fixture, &width, &height);
    CHECK_EQ(before[(top + 8) * width + left + 4], fixture->engine->pixels[8 * 720 + 4]);
    CHECK_EQ(after[(top + 8) * width + left + 4],
             fixture->engine->pixels[8 * 720 + 4] ^ 0x00ffffff);
    fixture_free(fixture);
}

TEST(graphics_have_no_text)
{
    struct fixture *fixture = fixture_new(720, 400);

    action(fixture, "display.select-text");
    UNTIL(fixture->notice);
    CHECK(!is_selecting(fixture));
    fixture_free(fixture);
}

TEST(text_that_is_no_screen_is_refused)
{
    struct fixture *fixture = fixture_new(720, 400);
    g_autofree char *lines = g_strnfill(100000, '\n');
    g_autofree char *line = g_strnfill(100000, 'x');
    const char *const texts[] = { lines, line, "" };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        fixture->engine->text = texts[i];
        g_clear_pointer(&fixture->notice, g_free);
        action(fixture, "display.select-text");
        UNTIL(fixture->notice);
        CHECK(!is_selecting(fixture));
    }
    fixture_free(fixture);
}

/* --- Size of the guest */

static guint sizes(struct fixture *fixture)
{
    return fake_engine_count(fixture->engine, "size ");
}

static void window_resize(struct fixture *fixture, int width, int height)
{
    fixture_xdotool("windowsize --sync %lu %d %d",
                    gdk_x11_surface_get_xid(gtk_native_get_surface(GTK_NATIVE(fixture->window))),
                    width, height);
}

TEST(the_guest_follows_the_window)
{
    struct fixture *fixture = fixture_new(720, 400);
    guint width, height, before;

    fixture->engine->follows_size = TRUE;
    fake_engine_set_can_resize(fixture->engine, TRUE);
    oriel_display_set_scaling(fixture->display, ORIEL_SCALING_FOLLOW);
    UNTIL(sizes(fixture) == 1);
    UNTIL(fixture->engine->waiting && fixture->engine->shown == fixture->engine->scanout);
    g_object_get(fixture->display, "guest-width", &width, "guest-height", &height, NULL);
    CHECK_EQ(width, gtk_widget_get_width(GTK_WIDGET(fixture->display)) / 8 * 8);
    CHECK_EQ(height, gtk_widget_get_height(GTK_WIDGET(fixture->display)));
    window_resize(fixture, 1011, 603);
    UNTIL(sizes(fixture) == 2);
    UNTIL(fixture->engine->waiting && fixture->engine->shown == fixture->engine->scanout);
    before = sizes(fixture);
    fixture_settle(fixture);
    CHECK_EQ(sizes(fixture), before);
    fixture_free(fixture);
}

TEST(a_guest_that_ignores_is_asked_no_more)
{
    struct fixture *fixture = fixture_new(720, 400);

    fake_engine_set_can_resize(fixture->engine, TRUE);
    oriel_display_set_scaling(fixture->display, ORIEL_SCALING_FOLLOW);
    for (guint i = 0; i < 3; i++) {
        UNTIL(sizes(fixture) == i + 1);
        window_resize(fixture, 800 + 16 * (int)i, 600);
    }
    /* Two seconds for the third answer, then silence. */
    for (guint i = 0; i < 30; i++) {
        window_resize(fixture, 900 + 16 * (int)i % 64, 600);
        fixture_iterate();
    }
    CHECK_EQ(sizes(fixture), 3);
    fixture_free(fixture);
}

TEST(a_guest_that_cannot_is_not_asked)
{
    struct fixture *fixture = fixture_new(720, 400);

    oriel_display_set_scaling(fixture->display, ORIEL_SCALING_FOLLOW);
    window_resize(fixture, 1000, 600);
    for (guint i = 0; i < 10; i++) {
        fixture_iterate();
    }
    CHECK_EQ(sizes(fixture), 0);
    fixture_free(fixture);
}

TEST(the_window_takes_the_guests_size)
{
    struct fixture *fixture = fixture_new(720, 400);

    action(fixture, "display.resize-to-guest");
    UNTIL(gtk_widget_get_width(GTK_WIDGET(fixture->display)) == 720 &&
          gtk_widget_get_height(GTK_WIDGET(fixture->display)) == 400);
    fixture_free(fixture);
}

/* --- Screen readers */

TEST(screen_readers_are_told)
{
    struct fixture *fixture = fixture_new(720, 400);
    g_autofree char *problem = NULL;

    CHECK(gtk_test_accessible_has_role(GTK_ACCESSIBLE(fixture->display), GTK_ACCESSIBLE_ROLE_IMG));
    oriel_display_set_machine_name(fixture->display, "Debian");
    problem = gtk_test_accessible_check_property(GTK_ACCESSIBLE(fixture->display),
                                                 GTK_ACCESSIBLE_PROPERTY_LABEL, "Screen of Debian");
    CHECK(problem == NULL);
    CHECK(gtk_test_accessible_has_property(GTK_ACCESSIBLE(fixture->display),
                                           GTK_ACCESSIBLE_PROPERTY_DESCRIPTION));
    fixture_free(fixture);
}

TEST_MAIN(T(a_paste_is_typed_in_parts), T(a_paste_can_be_cancelled), T(a_pause_ends_a_paste),
          T(an_empty_clipboard_is_told), T(characters_are_selected_and_copied),
          T(the_selection_is_seen), T(graphics_have_no_text), T(text_that_is_no_screen_is_refused),
          T(the_guest_follows_the_window), T(a_guest_that_ignores_is_asked_no_more),
          T(a_guest_that_cannot_is_not_asked), T(the_window_takes_the_guests_size),
          T(screen_readers_are_told))
