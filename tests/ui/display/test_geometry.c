/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "display/picture/oriel-geometry.h"

#include <math.h>

#include "test.h"

static const double scales[] = { 1, 1.25, 1.5, 1.75, 2, 3 };

static OrielGeometryInput input_of(OrielScaling scaling, double width, double height, double scale,
                                   guint guest_width, guint guest_height)
{
    return (OrielGeometryInput){ .width = width,
                                 .height = height,
                                 .scale = scale,
                                 .guest_width = guest_width,
                                 .guest_height = guest_height,
                                 .scaling = scaling };
}

static bool is_whole(double value)
{
    return fabs(value - round(value)) < 1e-6;
}

/* Edges on device pixels, inside the widget, and every guest pixel's middle maps back to it. */
static void place_check(const OrielGeometryInput *input)
{
    OrielGeometry place = oriel_geometry_place(input);
    guint x, y;

    CHECK(place.width > 0 && place.height > 0);
    CHECK(is_whole((input->x + place.x) * input->scale));
    CHECK(is_whole((input->y + place.y) * input->scale));
    CHECK(is_whole(place.width * input->scale));
    CHECK(is_whole(place.height * input->scale));
    if (input->scaling != ORIEL_SCALING_ACTUAL) {
        CHECK(place.width * input->scale <= input->width * input->scale + 1);
        CHECK(place.height * input->scale <= input->height * input->scale + 1);
        CHECK_EQ(place.overflow_x, 0);
        CHECK_EQ(place.overflow_y, 0);
    }
    for (guint i = 0; i < input->guest_width; i += 7) {
        guint row = i % input->guest_height;
        double at_x = place.x + (i + 0.5) * place.width / input->guest_width;
        double at_y = place.y + (row + 0.5) * place.height / input->guest_height;

        CHECK(oriel_geometry_to_guest(&place, at_x, at_y, &x, &y));
        CHECK_EQ(x, i);
        CHECK_EQ(y, row);
    }
}

TEST(every_scale_and_mode_snaps_and_maps_back)
{
    for (size_t s = 0; s < G_N_ELEMENTS(scales); s++) {
        for (int scaling = ORIEL_SCALING_FIT; scaling <= ORIEL_SCALING_FOLLOW; scaling++) {
            for (int offset = 0; offset < 3; offset++) {
                OrielGeometryInput input =
                    input_of((OrielScaling)scaling, 801 + offset, 600, scales[s], 720, 400);

                input.x = offset * 13;
                input.y = offset * 7 + 47;
                place_check(&input);
                input.guest_width = 1920;
                input.guest_height = 1080;
                place_check(&input);
            }
        }
    }
}

TEST(device_pixel_edges_map_to_the_pixel_they_begin)
{
    for (size_t s = 0; s < G_N_ELEMENTS(scales); s++) {
        OrielGeometryInput input =
            input_of(ORIEL_SCALING_ACTUAL, 700 / scales[s], 500 / scales[s], scales[s], 640, 480);
        OrielGeometry place = oriel_geometry_place(&input);

        CHECK_EQ(place.zoom, 1);
        for (int i = 0; i < 640; i++) {
            guint x, y;

            oriel_geometry_to_guest(&place, place.x + i / scales[s], place.y, &x, &y);
            CHECK_EQ(x, i);
        }
    }
}

TEST(fit_is_as_large_as_fits)
{
    OrielGeometryInput input = input_of(ORIEL_SCALING_FIT, 1000, 1000, 1, 640, 480);
    OrielGeometry place = oriel_geometry_place(&input);

    CHECK_EQ(place.device_width, 1000);
    CHECK_EQ(place.device_height, 750);
    CHECK(place.x == 0 && place.y == 125);
    CHECK_EQ(place.zoom, 0);
    input = input_of(ORIEL_SCALING_FIT, 640, 480, 2, 640, 480);
    place = oriel_geometry_place(&input);
    CHECK_EQ(place.zoom, 2);
    CHECK_EQ(place.device_width, 1280);
    CHECK(place.width == 640 && place.height == 480);
}

TEST(the_same_size_is_shown_pixel_by_pixel)
{
    for (size_t s = 0; s < G_N_ELEMENTS(scales); s++) {
        OrielGeometryInput input =
            input_of(ORIEL_SCALING_FIT, 1280 / scales[s], 720 / scales[s], scales[s], 1280, 720);
        OrielGeometry place = oriel_geometry_place(&input);

        CHECK_EQ(place.device_width, 1280);
        CHECK_EQ(place.device_height, 720);
        CHECK_EQ(place.zoom, 1);
    }
}

TEST(integer_takes_whole_multiples)
{
    OrielGeometryInput input = input_of(ORIEL_SCALING_INTEGER, 1000, 1000, 1.5, 320, 200);
    OrielGeometry place = oriel_geometry_place(&input);

    CHECK_EQ(place.zoom, 4);
    CHECK_EQ(place.device_width, 1280);
    CHECK_EQ(place.device_height, 800);
    input = input_of(ORIEL_SCALING_INTEGER, 300, 300, 1, 320, 200);
    place = oriel_geometry_place(&input);
    CHECK_EQ(place.zoom, 0);
    CHECK_EQ(place.device_width, 300);
}

TEST(actual_pans_within_the_picture)
{
    OrielGeometryInput input = input_of(ORIEL_SCALING_ACTUAL, 500, 300, 2, 1920, 400);
    OrielGeometry place;

    input.pan_x = 300;
    input.pan_y = 300;
    place = oriel_geometry_place(&input);
    CHECK_EQ(place.overflow_x, 920);
    CHECK_EQ(place.overflow_y, 0);
    CHECK(place.x == -150 && place.y == 50);
    input.pan_x = 5000;
    place = oriel_geometry_place(&input);
    CHECK(place.x == -460);
    input.pan_x = -10;
    place = oriel_geometry_place(&input);
    CHECK(place.x == 0);
}

TEST(follow_shows_what_it_asked_for_pixel_by_pixel)
{
    guint width, height;
    OrielGeometryInput input = input_of(ORIEL_SCALING_FOLLOW, 1003, 701, 1.25, 640, 480);

    CHECK(oriel_geometry_wanted_size(&input, &width, &height));
    CHECK_EQ(width, 1248);
    CHECK_EQ(height, 876);
    CHECK_EQ(oriel_geometry_place(&input).zoom, 0);
    input.guest_width = width;
    input.guest_height = height;
    CHECK_EQ(oriel_geometry_place(&input).zoom, 1);
    input.width = 100;
    CHECK(!oriel_geometry_wanted_size(&input, &width, &height));
}

TEST(outside_is_the_nearest_pixel)
{
    OrielGeometryInput input = input_of(ORIEL_SCALING_FIT, 1000, 1000, 1, 640, 480);
    OrielGeometry place = oriel_geometry_place(&input);
    guint x, y;

    CHECK(!oriel_geometry_to_guest(&place, -5, 10, &x, &y));
    CHECK_EQ(x, 0);
    CHECK_EQ(y, 0);
    CHECK(!oriel_geometry_to_guest(&place, 1500, 1500, &x, &y));
    CHECK_EQ(x, 639);
    CHECK_EQ(y, 479);
    CHECK(oriel_geometry_to_guest(&place, 999.9, 874.9, &x, &y));
}

TEST(nothing_to_show_is_nothing)
{
    OrielGeometryInput input = input_of(ORIEL_SCALING_FIT, 0, 100, 1, 640, 480);
    OrielGeometry place = oriel_geometry_place(&input);
    guint x = 1, y = 1;

    CHECK(place.width == 0);
    CHECK(!oriel_geometry_to_guest(&place, 10, 10, &x, &y));
    CHECK_EQ(x, 0);
    CHECK_EQ(y, 0);
    input = input_of(ORIEL_SCALING_FIT, 100, 100, 1, 0, 0);
    CHECK(oriel_geometry_place(&input).width == 0);
    input = input_of(ORIEL_SCALING_FIT, 1, 1, 1, 16384, 16384);
    CHECK_EQ(oriel_geometry_place(&input).device_width, 1);
}

TEST_MAIN(T(every_scale_and_mode_snaps_and_maps_back),
          T(device_pixel_edges_map_to_the_pixel_they_begin), T(fit_is_as_large_as_fits),
          T(the_same_size_is_shown_pixel_by_pixel), T(integer_takes_whole_multiples),
          T(actual_pans_within_the_picture), T(follow_shows_what_it_asked_for_pixel_by_pixel),
          T(outside_is_the_nearest_pixel), T(nothing_to_show_is_nothing))
