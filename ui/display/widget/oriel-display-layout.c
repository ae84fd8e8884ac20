/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the picture and the scrollbars are in the display widget. */
#include "oriel-display-private.h"

GtkAdjustment *oriel_display_adjustment(OrielDisplay *display, GtkOrientation orientation)
{
    return gtk_scrollbar_get_adjustment(GTK_SCROLLBAR(display->scrollbars[orientation]));
}

OrielGeometryInput oriel_display_geometry_input(OrielDisplay *display)
{
    GtkWidget *widget = GTK_WIDGET(display);
    GtkNative *native = gtk_widget_get_native(widget);
    OrielFramebuffer *framebuffer = oriel_picture_get_framebuffer(display->picture);
    OrielGeometryInput input = {
        .width = gtk_widget_get_width(widget),
        .height = gtk_widget_get_height(widget),
        .scale = gtk_widget_get_scale_factor(widget),
        .pan_x =
            gtk_adjustment_get_value(oriel_display_adjustment(display, GTK_ORIENTATION_HORIZONTAL)),
        .pan_y =
            gtk_adjustment_get_value(oriel_display_adjustment(display, GTK_ORIENTATION_VERTICAL)),
        .scaling = display->scaling,
    };

    if (framebuffer) {
        input.guest_width = oriel_framebuffer_get_width(framebuffer);
        input.guest_height = oriel_framebuffer_get_height(framebuffer);
    }
    if (native) {
        double x, y;
        graphene_point_t origin;

        gtk_native_get_surface_transform(native, &x, &y);
        if (gtk_widget_compute_point(widget, GTK_WIDGET(native), &GRAPHENE_POINT_INIT(0, 0),
                                     &origin)) {
            input.x = origin.x + x;
            input.y = origin.y + y;
        }
    }
    return input;
}

void oriel_display_update_geometry(OrielDisplay *display)
{
    OrielGeometryInput input = oriel_display_geometry_input(display);

    display->geometry = oriel_geometry_place(&input);
}

static void scrollbar_update(OrielDisplay *display, GtkOrientation orientation, int view,
                             int overflow)
{
    GtkAdjustment *adjustment = oriel_display_adjustment(display, orientation);

    gtk_adjustment_configure(adjustment, MIN(gtk_adjustment_get_value(adjustment), overflow), 0,
                             view + overflow, view * 0.1, view * 0.9, view);
    gtk_widget_set_child_visible(display->scrollbars[orientation], overflow > 0);
}

void oriel_display_layout_scrollbars(OrielDisplay *display, int width, int height)
{
    int thickness[2], minimum;

    for (int i = 0; i < 2; i++) {
        gtk_widget_measure(display->scrollbars[i],
                           i == GTK_ORIENTATION_HORIZONTAL ? GTK_ORIENTATION_VERTICAL
                                                           : GTK_ORIENTATION_HORIZONTAL,
                           -1, &minimum, &thickness[i], NULL, NULL);
    }
    gtk_widget_size_allocate(
        display->scrollbars[GTK_ORIENTATION_HORIZONTAL],
        &(GtkAllocation){ 0, height - thickness[0], MAX(width - thickness[1], 1), thickness[0] },
        -1);
    gtk_widget_size_allocate(
        display->scrollbars[GTK_ORIENTATION_VERTICAL],
        &(GtkAllocation){ width - thickness[1], 0, thickness[1], MAX(height - thickness[0], 1) },
        -1);
}

void oriel_display_layout_update(OrielDisplay *display)
{
    int scale = gtk_widget_get_scale_factor(GTK_WIDGET(display));

    oriel_display_update_geometry(display);
    scrollbar_update(display, GTK_ORIENTATION_HORIZONTAL,
                     gtk_widget_get_width(GTK_WIDGET(display)) * scale,
                     display->geometry.overflow_x);
    scrollbar_update(display, GTK_ORIENTATION_VERTICAL,
                     gtk_widget_get_height(GTK_WIDGET(display)) * scale,
                     display->geometry.overflow_y);
}
