/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The picture of an engine in the widget: pixels, damage, pace, and engines that mean harm. */
#include <fcntl.h>

#include "fixture.h"
#include "display/engine/oriel-engine-backend.h"

/* The widget shows the engine's memory, each pixel zoom x zoom device pixels, centred. */
static void pixels_check(struct fixture *fixture, guint zoom)
{
    struct fake_engine *engine = fixture->engine;
    guint width, height;
    g_autofree guint32 *pixels = fixture_render(fixture, &width, &height);
    guint left = (width - engine->width * zoom) / 2, top = (height - engine->height * zoom) / 2;

    for (guint y = 0; y < engine->height * zoom; y++) {
        for (guint x = 0; x < engine->width * zoom; x++) {
            CHECK_EQ(pixels[(top + y) * width + left + x],
                     engine->pixels[y / zoom * engine->width + x / zoom]);
        }
    }
}

/* Says that something changed and waits until it was drawn. */
static void damage_and_wait(struct fixture *fixture, guint x, guint y, guint width, guint height)
{
    guint before = fixture->engine->next_frames;

    fake_engine_damage(fixture->engine, x, y, width, height);
    UNTIL(fixture->engine->next_frames > before && fixture->engine->waiting);
}

TEST(whole_zooms_are_exact)
{
    static const guint sizes[][3] = {
        { 640, 400, 1 }, { 720, 401, 1 }, { 400, 300, 2 }, { 257, 200, 3 }, { 33, 17, 27 }
    };
    struct fixture *fixture = fixture_new(800, 600);

    oriel_display_set_scaling(fixture->display, ORIEL_SCALING_INTEGER);
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        fake_engine_show(fixture->engine, sizes[i][0], sizes[i][1]);
        UNTIL(fixture->engine->waiting && fixture->engine->shown == fixture->engine->scanout);
        pixels_check(fixture, sizes[i][2]);
    }
    fixture_free(fixture);
}

TEST(damage_shows_the_new_pixels)
{
    struct fixture *fixture = fixture_new(800, 600);

    oriel_display_set_scaling(fixture->display, ORIEL_SCALING_INTEGER);
    UNTIL(fixture->engine->waiting);
    for (guint i = 0; i < 600; i += 61) {
        fixture->engine->pixels[i * 800 + i] = 0xff123456;
        damage_and_wait(fixture, i, i, 1, 1);
        pixels_check(fixture, 1);
    }
    fixture_free(fixture);
}

static GtkAdjustment *adjustment_of(struct fixture *fixture, GtkOrientation orientation)
{
    GtkWidget *child = gtk_widget_get_first_child(GTK_WIDGET(fixture->display));

    while (!GTK_IS_SCROLLBAR(child) ||
           gtk_orientable_get_orientation(GTK_ORIENTABLE(child)) != orientation) {
        child = gtk_widget_get_next_sibling(child);
    }
    return gtk_widget_get_child_visible(child) ? gtk_scrollbar_get_adjustment(GTK_SCROLLBAR(child))
                                               : NULL;
}

TEST(a_picture_larger_than_the_widget_scrolls)
{
    struct fixture *fixture = fixture_new(800, 600);
    g_autofree guint32 *first = NULL;
    g_autofree guint32 *last = NULL;
    guint width, height;

    oriel_display_set_scaling(fixture->display, ORIEL_SCALING_ACTUAL);
    CHECK(adjustment_of(fixture, GTK_ORIENTATION_HORIZONTAL) == NULL);
    fake_engine_show(fixture->engine, 2000, 1500);
    UNTIL(fixture->engine->waiting && fixture->engine->shown == fixture->engine->scanout);
    first = fixture_render(fixture, &width, &height);
    CHECK_EQ(first[0], fake_engine_pixel(0, 0));
    CHECK_EQ(first[200 * width + 100], fake_engine_pixel(100, 200));
    gtk_adjustment_set_value(adjustment_of(fixture, GTK_ORIENTATION_HORIZONTAL), 1e6);
    gtk_adjustment_set_value(adjustment_of(fixture, GTK_ORIENTATION_VERTICAL), 1e6);
    last = fixture_render(fixture, &width, &height);
    CHECK_EQ(last[0], fake_engine_pixel(2000 - width, 1500 - height));
    fixture_free(fixture);
}

TEST(a_slow_viewer_is_asked_nothing)
{
    struct fixture *fixture = fixture_new(800, 600);
    guint before = fixture->engine->next_frames;

    /* A hundred changes while nothing is drawn are one answer. */
    for (guint i = 0; i < 100; i++) {
        fake_engine_damage(fixture->engine, i, i, 10, 10);
    }
    UNTIL(fixture->engine->waiting && !fixture->engine->damage);
    CHECK(fixture->engine->next_frames - before <= 2);
    fixture_free(fixture);
}

TEST(a_hidden_viewer_fetches_nothing)
{
    struct fixture *fixture = fixture_new(800, 600);
    guint before;

    gtk_widget_set_visible(GTK_WIDGET(fixture->display), FALSE);
    fake_engine_damage(fixture->engine, 0, 0, 10, 10); /* the call that waited ends */
    fixture_settle(fixture);
    before = fixture->engine->next_frames;
    for (guint i = 0; i < 20; i++) {
        fake_engine_damage(fixture->engine, 0, 0, 10, 10);
        fixture_settle(fixture);
    }
    CHECK_EQ(fixture->engine->next_frames, before);
    CHECK(fixture->engine->waiting == NULL);
    fixture->engine->pixels[5] = 0xffabcdef;
    gtk_widget_set_visible(GTK_WIDGET(fixture->display), TRUE);
    UNTIL(fixture->engine->waiting && !fixture->engine->damage);
    oriel_display_set_scaling(fixture->display, ORIEL_SCALING_INTEGER);
    fixture_settle(fixture);
    pixels_check(fixture, 1);
    fixture_free(fixture);
}

TEST(a_screenshot_is_the_guests_picture)
{
    struct fixture *fixture = fixture_new(321, 123);
    g_autoptr(GdkTexture) texture = oriel_display_screenshot(fixture->display);
    g_autofree guint32 *pixels = g_new(guint32, 321 * 123);

    fixture->engine->pixels[0] = 0; /* it is a copy */
    gdk_texture_download(texture, (guchar *)pixels, 321 * 4);
    for (guint y = 0; y < 123; y++) {
        for (guint x = 0; x < 321; x++) {
            CHECK_EQ(pixels[y * 321 + x], fake_engine_pixel(x, y));
        }
    }
    oriel_display_set_backend(fixture->display, NULL);
    CHECK(oriel_display_screenshot(fixture->display) == NULL);
    fixture_free(fixture);
}

/* --- Engines that mean harm */

static bool has_failed(struct fixture *fixture)
{
    return oriel_display_backend_get_status(fixture->backend) == ORIEL_DISPLAY_STATUS_FAILED;
}

static void failure_check(struct fixture *fixture)
{
    UNTIL(has_failed(fixture));
    CHECK(strlen(oriel_display_backend_get_message(fixture->backend)) > 20);
    fixture_settle(fixture);
    fixture_free(fixture);
}

TEST(memory_that_may_shrink_is_refused)
{
    struct fixture *fixture = fixture_new(800, 600);

    fake_engine_show_memory(fixture->engine, 640, 480, 640 * 480 * 4, 0);
    failure_check(fixture);
}

TEST(memory_that_is_too_small_is_refused)
{
    struct fixture *fixture = fixture_new(800, 600);

    fake_engine_show_memory(fixture->engine, 640, 480, 640 * 480 * 4 - 1,
                            F_SEAL_SHRINK | F_SEAL_GROW);
    failure_check(fixture);
}

TEST(absurd_sizes_are_refused)
{
    static const guint sizes[][3] = { { 0, 480, 2560 },          { 640, 0, 2560 },
                                      { 640, 480, 2559 },        { 640, 480, 4 },
                                      { 0x40000000, 480, 2560 }, { 640, 0xffffffff, 2560 },
                                      { 16385, 1, 65540 },       { 640, 480, 0xfffffffc } };

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        struct fixture *fixture = fixture_new(800, 600);

        fake_engine_show(fixture->engine, 640, 480);
        fixture->engine->said_width = sizes[i][0];
        fixture->engine->said_height = sizes[i][1];
        fixture->engine->said_stride = sizes[i][2];
        failure_check(fixture);
    }
}

TEST(a_picture_without_memory_is_refused)
{
    struct fixture *fixture = fixture_new(800, 600);

    fixture->engine->no_memory = TRUE;
    fake_engine_show(fixture->engine, 640, 480);
    failure_check(fixture);
}

TEST(damage_that_lies_is_cut)
{
    struct fixture *fixture = fixture_new(800, 600);

    oriel_display_set_scaling(fixture->display, ORIEL_SCALING_INTEGER);
    fixture->engine->pixels[799] = 0xff010203;
    damage_and_wait(fixture, 799, 0, G_MAXUINT, G_MAXUINT);
    damage_and_wait(fixture, G_MAXUINT, G_MAXUINT, G_MAXUINT, G_MAXUINT);
    damage_and_wait(fixture, 800, 600, 1, 1);
    damage_and_wait(fixture, 0, 0, 0, 0);
    pixels_check(fixture, 1);
    fixture->engine->huge_damage = TRUE;
    fixture->engine->pixels[599 * 800] = 0xff030201;
    damage_and_wait(fixture, 10, 10, 1, 1); /* so many that all counts as changed */
    pixels_check(fixture, 1);
    fixture_free(fixture);
}

TEST(an_engine_that_hangs_leaves_the_window_alive)
{
    struct fixture *fixture = fixture_new(800, 600);

    fixture->engine->hangs = TRUE;
    for (guint i = 0; i < 2000; i++) {
        oriel_display_backend_pointer(fixture->backend, i % 800, i % 600, 0);
    }
    fixture_settle(fixture);
    g_clear_object(&fixture->engine->waiting);
    CHECK(!has_failed(fixture));
    fixture_free(fixture);
}

TEST(an_engine_that_ends_is_told)
{
    struct fixture *fixture = fixture_new(800, 600);

    g_dbus_connection_close(fixture->engine->server, NULL, NULL, NULL);
    UNTIL(oriel_display_backend_get_status(fixture->backend) == ORIEL_DISPLAY_STATUS_CLOSED);
    CHECK(oriel_display_backend_get_framebuffer(fixture->backend) != NULL);
    fixture_free(fixture);
}

TEST(a_refusal_is_not_the_end)
{
    struct fixture *fixture = fixture_new(800, 600);

    fake_engine_refuse(fixture->engine);
    UNTIL(fixture->engine->waiting);
    CHECK(!has_failed(fixture));
    fake_engine_refuse(fixture->engine);
    g_dbus_connection_close(fixture->engine->server, NULL, NULL, NULL);
    UNTIL(oriel_display_backend_get_status(fixture->backend) == ORIEL_DISPLAY_STATUS_CLOSED);
    fixture_free(fixture);
}

TEST(an_engine_without_a_display_is_told)
{
    struct fixture *fixture = fixture_new(800, 600);
    OrielDisplayBackend *other;

    g_dbus_connection_unregister_object(fixture->engine->server, fixture->engine->registrations[0]);
    other = oriel_engine_backend_new(fixture->engine->client, 1);
    oriel_display_set_backend(fixture->display, other);
    UNTIL(oriel_display_backend_get_status(other) == ORIEL_DISPLAY_STATUS_FAILED);
    g_object_unref(other);
    fixture_free(fixture);
}

/* A backend may go while its calls are under way. */
TEST(backends_come_and_go)
{
    struct fixture *fixture = fixture_new(800, 600);

    for (guint i = 0; i < 20; i++) {
        OrielDisplayBackend *backend = oriel_engine_backend_new(fixture->engine->client, 1);

        oriel_display_set_backend(fixture->display, backend);
        oriel_display_backend_pointer(backend, 1, 1, 0);
        g_object_unref(backend);
        for (guint n = 0; n < i; n++) {
            g_main_context_iteration(NULL, FALSE);
        }
    }
    oriel_display_set_backend(fixture->display, NULL);
    fixture_settle(fixture);
    fixture_free(fixture);
}

TEST_MAIN(T(whole_zooms_are_exact), T(damage_shows_the_new_pixels),
          T(a_picture_larger_than_the_widget_scrolls), T(a_slow_viewer_is_asked_nothing),
          T(a_hidden_viewer_fetches_nothing), T(a_screenshot_is_the_guests_picture),
          T(memory_that_may_shrink_is_refused), T(memory_that_is_too_small_is_refused),
          T(absurd_sizes_are_refused), T(a_picture_without_memory_is_refused),
          T(damage_that_lies_is_cut), T(an_engine_that_hangs_leaves_the_window_alive),
          T(an_engine_that_ends_is_told), T(a_refusal_is_not_the_end),
          T(an_engine_without_a_display_is_told), T(backends_come_and_go))
