/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-geometry.h. */
#include "oriel-geometry.h"

#include <math.h>

enum {
    WIDTH_GRANULARITY = 8,
    WANTED_WIDTH_MIN = 320,
    WANTED_HEIGHT_MIN = 200,
};

/* The widget in device pixels of its surface. */
struct view {
    int x, y, width, height;
};

static struct view view_of(const OrielGeometryInput *input)
{
    struct view view = {
        .x = (int)lround(input->x * input->scale),
        .y = (int)lround(input->y * input->scale),
    };

    view.width = (int)lround((input->x + input->width) * input->scale) - view.x;
    view.height = (int)lround((input->y + input->height) * input->scale) - view.y;
    return view;
}

/* As large as fits, keeping the aspect; rounded, at least one pixel. */
static void size_fit(OrielGeometry *place, const struct view *view)
{
    gint64 guest_width = place->guest_width, guest_height = place->guest_height;

    if (view->width * guest_height <= view->height * guest_width) {
        place->device_width = view->width;
        place->device_height =
            (int)((view->width * guest_height * 2 + guest_width) / (guest_width * 2));
    } else {
        place->device_height = view->height;
        place->device_width =
            (int)((view->height * guest_width * 2 + guest_height) / (guest_height * 2));
    }
    place->device_width = CLAMP(place->device_width, 1, view->width);
    place->device_height = CLAMP(place->device_height, 1, view->height);
}

static void size_multiple(OrielGeometry *place, guint zoom)
{
    place->device_width = (int)(place->guest_width * zoom);
    place->device_height = (int)(place->guest_height * zoom);
}

/* A guest that took the size it was asked for, or the nearest that its modes allow. */
static gboolean follows(const OrielGeometry *place, const struct view *view)
{
    int width = (int)place->guest_width, height = (int)place->guest_height;

    return width <= view->width && width > view->width - WIDTH_GRANULARITY &&
           height <= view->height && height > view->height - WIDTH_GRANULARITY;
}

static void size_choose(OrielGeometry *place, const struct view *view, OrielScaling scaling)
{
    guint zoom =
        MIN((guint)view->width / place->guest_width, (guint)view->height / place->guest_height);

    if (scaling == ORIEL_SCALING_ACTUAL ||
        (scaling == ORIEL_SCALING_FOLLOW && follows(place, view))) {
        size_multiple(place, 1);
    } else if (scaling == ORIEL_SCALING_INTEGER && zoom >= 1) {
        size_multiple(place, zoom);
    } else {
        size_fit(place, view);
    }
}

/* Centred if there is room, otherwise moved by as much of the pan as there is to see. */
static int origin_choose(int view_size, int size, double pan)
{
    return size <= view_size ? (view_size - size) / 2
                             : -(int)CLAMP(lround(pan), 0, (long)(size - view_size));
}

OrielGeometry oriel_geometry_place(const OrielGeometryInput *input)
{
    OrielGeometry place = { 0 };
    struct view view = view_of(input);
    int x, y;

    if (input->guest_width == 0 || input->guest_height == 0 || view.width <= 0 ||
        view.height <= 0) {
        return place;
    }
    place.guest_width = input->guest_width;
    place.guest_height = input->guest_height;
    size_choose(&place, &view, input->scaling);
    if (place.device_width % (int)place.guest_width == 0 &&
        place.device_height % (int)place.guest_height == 0 &&
        place.device_width / (int)place.guest_width ==
            place.device_height / (int)place.guest_height) {
        place.zoom = (guint)place.device_width / place.guest_width;
    }
    place.overflow_x = MAX(place.device_width - view.width, 0);
    place.overflow_y = MAX(place.device_height - view.height, 0);
    x = view.x + origin_choose(view.width, place.device_width, input->pan_x);
    y = view.y + origin_choose(view.height, place.device_height, input->pan_y);
    place.x = x / input->scale - input->x;
    place.y = y / input->scale - input->y;
    place.width = place.device_width / input->scale;
    place.height = place.device_height / input->scale;
    return place;
}

static gboolean axis_to_guest(double offset, double size, guint guest_size, guint *guest)
{
    double pixel;

    if (size <= 0 || guest_size == 0) {
        *guest = 0;
        return FALSE;
    }
    /* Edges of pixels are not exact in floating point: a thousandth belongs to the next. */
    pixel = floor(offset * guest_size / size + 0.001);
    *guest = (guint)CLAMP(pixel, 0, (double)guest_size - 1);
    return pixel >= 0 && pixel < guest_size;
}

gboolean oriel_geometry_to_guest(const OrielGeometry *geometry, double x, double y, guint *guest_x,
                                 guint *guest_y)
{
    gboolean inside_x =
        axis_to_guest(x - geometry->x, geometry->width, geometry->guest_width, guest_x);
    gboolean inside_y =
        axis_to_guest(y - geometry->y, geometry->height, geometry->guest_height, guest_y);

    return inside_x && inside_y;
}

gboolean oriel_geometry_wanted_size(const OrielGeometryInput *input, guint *width, guint *height)
{
    struct view view = view_of(input);

    if (view.width < WANTED_WIDTH_MIN || view.height < WANTED_HEIGHT_MIN) {
        return FALSE;
    }
    *width = (guint)view.width / WIDTH_GRANULARITY * WIDTH_GRANULARITY;
    *height = (guint)view.height;
    return TRUE;
}
