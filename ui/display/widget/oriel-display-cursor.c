/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guest's cursor as the host's, as large as the picture is. The host's pointer disappears only
 * where the guest's takes its place, or while it is locked. A guest that is told only how far the
 * pointer moves has its cursor elsewhere than the host: then it is drawn over the picture.
 */
#include <math.h>

#include "oriel-display-private.h"

enum {
    CURSOR_MAX = 256, /* logical pixels; compositors drop larger ones */
};

static GdkTexture *texture_scale(GdkTexture *texture, double scale)
{
    int width = gdk_texture_get_width(texture), height = gdk_texture_get_height(texture);
    int to_width = MAX((int)lround(width * scale), 1),
        to_height = MAX((int)lround(height * scale), 1);
    cairo_surface_t *from = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
    cairo_surface_t *to = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, to_width, to_height);
    cairo_t *cr = cairo_create(to);
    g_autoptr(GBytes) bytes = NULL;

    gdk_texture_download(texture, cairo_image_surface_get_data(from),
                         (gsize)cairo_image_surface_get_stride(from));
    cairo_surface_mark_dirty(from);
    cairo_scale(cr, (double)to_width / width, (double)to_height / height);
    cairo_set_source_surface(cr, from, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr),
                             scale == floor(scale) ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD);
    cairo_paint(cr);
    cairo_destroy(cr);
    cairo_surface_flush(to);
    bytes = g_bytes_new(cairo_image_surface_get_data(to),
                        (gsize)cairo_image_surface_get_stride(to) * (gsize)to_height);
    texture = gdk_memory_texture_new(to_width, to_height, GDK_MEMORY_DEFAULT, bytes,
                                     (gsize)cairo_image_surface_get_stride(to));
    cairo_surface_destroy(from);
    cairo_surface_destroy(to);
    return texture;
}

static GdkCursor *cursor_make(OrielGuestCursor *guest, double scale)
{
    int hot_x, hot_y;
    GdkTexture *texture = oriel_guest_cursor_get_texture(guest, &hot_x, &hot_y);
    g_autoptr(GdkTexture) scaled = NULL;
    double largest;

    if (!texture) {
        return gdk_cursor_new_from_name("none", NULL);
    }
    largest = MAX(gdk_texture_get_width(texture), gdk_texture_get_height(texture));
    scale = MIN(scale, CURSOR_MAX / largest);
    if (fabs(scale - 1) < 0.01) {
        return gdk_cursor_new_from_texture(texture, hot_x, hot_y, NULL);
    }
    scaled = texture_scale(texture, scale);
    return gdk_cursor_new_from_texture(
        scaled, CLAMP((int)(hot_x * scale), 0, gdk_texture_get_width(scaled) - 1),
        CLAMP((int)(hot_y * scale), 0, gdk_texture_get_height(scaled) - 1), NULL);
}

/* The guest's cursor where it is drawn over the picture; NULL: it is not. */
static GdkTexture *drawn_cursor(OrielDisplay *display, int *x, int *y)
{
    OrielGuestCursor *guest =
        display->backend ? oriel_display_backend_get_cursor(display->backend) : NULL;
    int hot_x, hot_y;

    if (!guest || !oriel_display_backend_get_cursor_place(display->backend, x, y)) {
        return NULL;
    }
    return oriel_guest_cursor_get_texture(guest, &hot_x, &hot_y);
}

void oriel_display_cursor_moved(OrielDisplay *display)
{
    if (!oriel_display_has_pointer_mode(display, ORIEL_POINTER_MODE_ABSOLUTE)) {
        gtk_widget_queue_draw(GTK_WIDGET(display));
    }
}

void oriel_display_cursor_snapshot(OrielDisplay *display, GtkSnapshot *snapshot)
{
    const OrielGeometry *place = &display->geometry;
    int x, y;
    GdkTexture *texture = drawn_cursor(display, &x, &y);
    double scale = place->width / place->guest_width;

    if (texture && !oriel_display_has_pointer_mode(display, ORIEL_POINTER_MODE_ABSOLUTE)) {
        gtk_snapshot_append_texture(
            snapshot, texture,
            &GRAPHENE_RECT_INIT((float)(place->x + x * scale), (float)(place->y + y * scale),
                                (float)(gdk_texture_get_width(texture) * scale),
                                (float)(gdk_texture_get_height(texture) * scale)));
    }
}

void oriel_display_cursor_paint(OrielDisplay *display, cairo_surface_t *picture)
{
    int x, y;
    GdkTexture *texture = drawn_cursor(display, &x, &y);
    cairo_surface_t *image;
    cairo_t *cr;

    if (!texture) {
        return;
    }
    image = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, gdk_texture_get_width(texture),
                                       gdk_texture_get_height(texture));
    gdk_texture_download(texture, cairo_image_surface_get_data(image),
                         (gsize)cairo_image_surface_get_stride(image));
    cairo_surface_mark_dirty(image);
    cr = cairo_create(picture);
    cairo_set_source_surface(cr, image, x, y);
    cairo_paint(cr);
    cairo_destroy(cr);
    cairo_surface_destroy(image);
    cairo_surface_flush(picture);
}

void oriel_display_update_cursor(OrielDisplay *display)
{
    OrielGuestCursor *guest =
        display->backend ? oriel_display_backend_get_cursor(display->backend) : NULL;
    g_autoptr(GdkCursor) cursor = NULL;

    if (display->selection.active) {
        cursor = gdk_cursor_new_from_name("text", NULL);
    } else if (display->pointer_locked) {
        cursor = gdk_cursor_new_from_name("none", NULL);
    } else if (guest && display->cursor_inside && display->geometry.width > 0 &&
               oriel_display_has_pointer_mode(display, ORIEL_POINTER_MODE_ABSOLUTE)) {
        cursor = cursor_make(guest, display->geometry.width / display->geometry.guest_width);
    }
    gtk_widget_set_cursor(GTK_WIDGET(display), cursor);
    gtk_widget_queue_draw(GTK_WIDGET(display));
}
