/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a guest's picture lies in the widget, and which guest pixel is under the pointer. Pure
 * functions; drawing and input use the same result.
 *
 * The picture's edges lie on device pixels: a place is computed in device pixels of the surface, as
 * integers, and given in logical coordinates of the widget. `scale` is device pixels for one
 * logical unit and need not be whole.
 *
 * Threads: any.
 */
#ifndef ORIEL_GEOMETRY_H
#define ORIEL_GEOMETRY_H

#include <glib.h>

typedef enum {
    ORIEL_SCALING_FIT,     /* as large as fits, keeping the aspect */
    ORIEL_SCALING_INTEGER, /* the largest whole multiple that fits; smaller than 1 as FIT */
    ORIEL_SCALING_ACTUAL,  /* one guest pixel is one device pixel; scrolls */
    ORIEL_SCALING_FOLLOW,  /* the guest is asked for the widget's size in device pixels; else FIT */
} OrielScaling;

/* What oriel_geometry_place() goes by. */
typedef struct {
    double x, y;          /* the widget's origin in its surface, logical */
    double width, height; /* the widget's size, logical */
    double scale;         /* > 0 */
    guint guest_width, guest_height;
    double pan_x, pan_y; /* ACTUAL only: device pixels of the picture left of and above the view */
    OrielScaling scaling;
} OrielGeometryInput;

typedef struct {
    double x, y, width, height; /* the picture in the widget, logical */
    int device_width, device_height;
    guint zoom; /* device pixels of one guest pixel if that is a whole number, else 0 */
    int overflow_x, overflow_y; /* device pixels by which the picture exceeds the widget */
    guint guest_width, guest_height;
} OrielGeometry;

/* Without a picture or without room everything is 0. */
OrielGeometry oriel_geometry_place(const OrielGeometryInput *input);

/*
 * The guest pixel at a place in the widget. Outside the picture it is the nearest, and FALSE is
 * returned. Without a picture: FALSE and 0, 0.
 */
gboolean oriel_geometry_to_guest(const OrielGeometry *geometry, double x, double y, guint *guest_x,
                                 guint *guest_y);

/*
 * The size that FOLLOW asks a guest for: the widget in device pixels, the width rounded down to a
 * multiple of 8 as CVT modes want it. FALSE if the widget is smaller than 320 x 200.
 */
gboolean oriel_geometry_wanted_size(const OrielGeometryInput *input, guint *width, guint *height);

#endif
