/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cursor of an engine: as the host's, over the picture, in screenshots; and displays behind the
 * first. */
#include "fixture.h"
#include "display/engine/oriel-engine-backend.h"

enum {
    SIDE = FAKE_CURSOR_SIDE,
    BYTES = SIDE * SIDE * 4,
    RED = 0xffff0000,
};

static void cursor_send(struct fixture *fixture, guint shape, gboolean visible, int x, int y,
                        gsize bytes)
{
    guint before = fixture->engine->next_cursors;

    UNTIL(fixture->engine->cursor_waiting);
    fake_engine_cursor(fixture->engine, shape, visible, x, y, RED, bytes);
    UNTIL(fixture->engine->next_cursors > before);
}

static GdkTexture *cursor_now(struct fixture *fixture, int *hot_x, int *hot_y)
{
    OrielGuestCursor *cursor = oriel_display_backend_get_cursor(fixture->backend);

    CHECK(cursor != NULL);
    return oriel_guest_cursor_get_texture(cursor, hot_x, hot_y);
}

TEST(shapes_come_once_and_may_be_hidden)
{
    struct fixture *fixture = fixture_new(800, 600);
    int hot_x, hot_y, x, y;
    GdkTexture *texture;

    CHECK(oriel_display_backend_get_cursor(fixture->backend) == NULL);
    cursor_send(fixture, 0, FALSE, 0, 0, 0);
    CHECK(oriel_display_backend_get_cursor(fixture->backend) == NULL);
    cursor_send(fixture, 3, TRUE, -2, 70, BYTES);
    CHECK_EQ(fixture->engine->cursor_known, 3);
    texture = cursor_now(fixture, &hot_x, &hot_y);
    CHECK(texture && gdk_texture_get_width(texture) == SIDE && hot_x == SIDE / 2 && hot_y == hot_x);
    CHECK(oriel_display_backend_get_cursor_place(fixture->backend, &x, &y));
    CHECK(x == -2 && y == 70);
    cursor_send(fixture, 3, FALSE, 5, 6, 0);
    CHECK(cursor_now(fixture, &hot_x, &hot_y) == NULL);
    cursor_send(fixture, 3, TRUE, 5, 6, 0);
    CHECK(cursor_now(fixture, &hot_x, &hot_y) == texture);
    cursor_send(fixture, 0, FALSE, 0, 0, 0);
    CHECK(oriel_display_backend_get_cursor(fixture->backend) == NULL);
    fixture_free(fixture);
}

static guint32 rendered_pixel(struct fixture *fixture, guint x, guint y)
{
    guint width, height;
    g_autofree guint32 *pixels = fixture_render(fixture, &width, &height);

    return pixels[((height - 600) / 2 + y) * width + (width - 800) / 2 + x];
}

/* Only a guest that is told how far the pointer goes has it elsewhere than the host. */
TEST(a_relative_cursor_is_over_the_picture)
{
    struct fixture *fixture = fixture_new(800, 600);

    oriel_display_set_scaling(fixture->display, ORIEL_SCALING_INTEGER);
    cursor_send(fixture, 1, TRUE, 100, 50, BYTES);
    CHECK_EQ(rendered_pixel(fixture, 100, 50), fake_engine_pixel(100, 50));
    fake_engine_set_pointer_mode(fixture->engine, "relative");
    UNTIL(oriel_display_backend_get_pointer_mode(fixture->backend) == ORIEL_POINTER_MODE_RELATIVE);
    CHECK_EQ(rendered_pixel(fixture, 99, 50), fake_engine_pixel(99, 50));
    CHECK_EQ(rendered_pixel(fixture, 100, 50), RED);
    CHECK_EQ(rendered_pixel(fixture, 107, 57), RED);
    CHECK_EQ(rendered_pixel(fixture, 108, 57), fake_engine_pixel(108, 57));
    cursor_send(fixture, 1, TRUE, 200, 50, 0);
    CHECK_EQ(rendered_pixel(fixture, 100, 50), fake_engine_pixel(100, 50));
    CHECK_EQ(rendered_pixel(fixture, 200, 50), RED);
    fixture_free(fixture);
}

TEST(screenshots_hold_the_cursor)
{
    struct fixture *fixture = fixture_new(800, 600);
    g_autoptr(GdkTexture) texture = NULL;
    g_autofree guint32 *pixels = g_new(guint32, 800 * 600);

    cursor_send(fixture, 1, TRUE, -4, 596, BYTES);
    texture = oriel_display_screenshot(fixture->display);
    gdk_texture_download(texture, (guchar *)pixels, 800 * 4);
    CHECK_EQ(pixels[596 * 800 + 3], RED);
    CHECK_EQ(pixels[596 * 800 + 4], fake_engine_pixel(4, 596));
    CHECK_EQ(pixels[595 * 800], fake_engine_pixel(0, 595));
    fixture_free(fixture);
}

TEST(a_shape_that_lies_ends_the_cursor)
{
    struct fixture *fixture = fixture_new(800, 600);
    guint before;

    UNTIL(fixture->engine->cursor_waiting);
    before = fixture->engine->next_cursors;
    fake_engine_cursor(fixture->engine, 1, TRUE, 0, 0, RED, BYTES - 4);
    fixture_settle(fixture);
    CHECK_EQ(fixture->engine->next_cursors, before);
    CHECK(oriel_display_backend_get_cursor(fixture->backend) == NULL);
    CHECK_EQ(oriel_display_backend_get_status(fixture->backend), ORIEL_DISPLAY_STATUS_CONNECTED);
    fixture_free(fixture);
}

/* The fake has only the first display. */
TEST(another_display_is_another_object)
{
    struct fixture *fixture = fixture_new(800, 600);
    OrielDisplayBackend *second = oriel_engine_backend_new(fixture->engine->client, 2);

    oriel_display_set_backend(fixture->display, second);
    UNTIL(oriel_display_backend_get_status(second) == ORIEL_DISPLAY_STATUS_FAILED);
    g_object_unref(second);
    fixture_free(fixture);
}

TEST_MAIN(T(shapes_come_once_and_may_be_hidden), T(a_relative_cursor_is_over_the_picture),
          T(screenshots_hold_the_cursor), T(a_shape_that_lies_ends_the_cursor),
          T(another_display_is_another_object))
