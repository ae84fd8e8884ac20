/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-small-picture.h. */
#include "machine/oriel-small-picture.h"

#include <cairo.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    SCREEN_MAX = 16384, /* pixels, either way */
    HEADER_SIZE = 24,   /* of PNG: signature, then length and name of IHDR, width, height */
};

static GdkTexture *smaller(cairo_surface_t *whole, int width, int height)
{
    double columns = cairo_image_surface_get_width(whole);
    double lines = cairo_image_surface_get_height(whole);
    double ratio = MIN(1, MIN(width / columns, height / lines));
    int to_width = MAX(1, (int)lround(columns * ratio));
    int to_height = MAX(1, (int)lround(lines * ratio));
    cairo_surface_t *small = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, to_width, to_height);
    cairo_t *cr = cairo_create(small);

    cairo_scale(cr, to_width / columns, to_height / lines);
    cairo_set_source_surface(cr, whole, 0, 0);
    cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
    cairo_set_operator(cr, CAIRO_OPERATOR_SOURCE);
    cairo_paint(cr);
    cairo_destroy(cr);
    cairo_surface_flush(small);

    int stride = cairo_image_surface_get_stride(small);
    g_autoptr(GBytes) bytes = g_bytes_new_with_free_func(
        cairo_image_surface_get_data(small), (gsize)stride * (gsize)to_height,
        (GDestroyNotify)cairo_surface_destroy, small);

    return gdk_memory_texture_new(to_width, to_height, GDK_MEMORY_DEFAULT, bytes, (gsize)stride);
}

static guint32 header_number(const guint8 *at)
{
    guint32 number;

    memcpy(&number, at, sizeof(number));
    return GUINT32_FROM_BE(number);
}

/* The decoder would make room for whatever size the file says. */
static gboolean is_screen(FILE *file)
{
    guint8 header[HEADER_SIZE];

    if (fread(header, sizeof(header), 1, file) != 1) {
        return FALSE;
    }
    rewind(file);
    return header_number(header + 16) <= SCREEN_MAX && header_number(header + 20) <= SCREEN_MAX;
}

static cairo_status_t part_read(void *file, unsigned char *data, unsigned int length)
{
    return fread(data, 1, length, file) == length ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_READ_ERROR;
}

GdkTexture *oriel_small_picture_read(const char *path, int width, int height)
{
    FILE *file = fopen(path, "rbe");
    cairo_surface_t *whole;
    GdkTexture *picture = NULL;

    if (!file) {
        return NULL;
    }
    if (is_screen(file)) {
        whole = cairo_image_surface_create_from_png_stream(part_read, file);
        if (cairo_surface_status(whole) == CAIRO_STATUS_SUCCESS) {
            picture = smaller(whole, width, height);
        }
        cairo_surface_destroy(whole);
    }
    fclose(file);
    return picture;
}

GdkTexture *oriel_small_picture_make(GBytes *pixels, guint columns, guint lines, guint stride,
                                     int width, int height)
{
    cairo_surface_t *whole = cairo_image_surface_create_for_data(
        (guint8 *)g_bytes_get_data(pixels, NULL), CAIRO_FORMAT_RGB24, (int)columns, (int)lines,
        (int)stride);
    GdkTexture *picture = smaller(whole, width, height);

    cairo_surface_destroy(whole);
    return picture;
}
