/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asking the guest for the widget's size: after a time of quiet, one request under way at a time,
 * and no more after some that were ignored.
 */
#include "oriel-display-private.h"

enum {
    QUIET_MS = 250,
    ANSWER_MS = 2000,
    IGNORED_MAX = 3,
};

static gboolean size_is_wanted(OrielDisplay *display, guint *width, guint *height)
{
    OrielGeometryInput input = oriel_display_geometry_input(display);

    return display->scaling == ORIEL_SCALING_FOLLOW && display->backend &&
           gtk_widget_get_mapped(GTK_WIDGET(display)) && display->resize_ignored < IGNORED_MAX &&
           input.guest_width > 0 && oriel_display_backend_get_can_resize(display->backend) &&
           oriel_geometry_wanted_size(&input, width, height) &&
           (input.guest_width != *width || input.guest_height != *height);
}

static gboolean on_timer(gpointer data);

static void timer_set(OrielDisplay *display, guint milliseconds)
{
    g_clear_handle_id(&display->resize_timer, g_source_remove);
    display->resize_timer = g_timeout_add(milliseconds, on_timer, display);
}

static void request(OrielDisplay *display)
{
    guint width, height;

    g_clear_handle_id(&display->resize_timer, g_source_remove);
    if (size_is_wanted(display, &width, &height)) {
        display->resize_width = width;
        display->resize_height = height;
        timer_set(display, ANSWER_MS);
        oriel_display_backend_set_size(display->backend, width, height);
    }
}

/* Quiet enough to ask, or the time for an answer is over. */
static gboolean on_timer(gpointer data)
{
    OrielDisplay *display = data;
    guint width, height, asked_width = display->resize_width, asked_height = display->resize_height;

    display->resize_timer = 0;
    if (asked_width == 0) {
        request(display);
        return G_SOURCE_REMOVE;
    }
    display->resize_width = display->resize_height = 0;
    display->resize_ignored++;
    if (size_is_wanted(display, &width, &height) &&
        (width != asked_width || height != asked_height)) {
        request(display);
    }
    return G_SOURCE_REMOVE;
}

void oriel_display_resize_later(OrielDisplay *display)
{
    guint width, height;

    if (display->resize_width == 0 && size_is_wanted(display, &width, &height)) {
        timer_set(display, QUIET_MS);
    }
}

void oriel_display_resize_now(OrielDisplay *display)
{
    if (display->resize_width == 0 && display->resize_timer != 0) {
        request(display);
    }
}

void oriel_display_resize_happened(OrielDisplay *display)
{
    OrielFramebuffer *framebuffer = oriel_picture_get_framebuffer(display->picture);
    gboolean followed = framebuffer && display->resize_width > 0 &&
                        oriel_framebuffer_get_width(framebuffer) == display->resize_width &&
                        oriel_framebuffer_get_height(framebuffer) == display->resize_height;

    if (followed) {
        g_clear_handle_id(&display->resize_timer, g_source_remove);
        display->resize_width = display->resize_height = 0;
        display->resize_ignored = 0;
        /* The window may have another size meanwhile. */
        request(display);
    } else {
        oriel_display_resize_later(display);
    }
}

void oriel_display_resize_reset(OrielDisplay *display)
{
    g_clear_handle_id(&display->resize_timer, g_source_remove);
    display->resize_width = display->resize_height = 0;
    display->resize_ignored = 0;
}

void oriel_display_resize_to_guest(OrielDisplay *display)
{
    OrielFramebuffer *framebuffer = oriel_picture_get_framebuffer(display->picture);
    GtkWidget *widget = GTK_WIDGET(display);
    int scale = gtk_widget_get_scale_factor(widget), width, height;

    if (!framebuffer || !display->window) {
        return;
    }
    width = ((int)oriel_framebuffer_get_width(framebuffer) + scale - 1) / scale;
    height = ((int)oriel_framebuffer_get_height(framebuffer) + scale - 1) / scale;
    gtk_window_set_default_size(display->window,
                                gtk_widget_get_width(GTK_WIDGET(display->window)) -
                                    gtk_widget_get_width(widget) + width,
                                gtk_widget_get_height(GTK_WIDGET(display->window)) -
                                    gtk_widget_get_height(widget) + height);
}
