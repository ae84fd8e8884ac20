/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-picture.h. */
#include "oriel-picture.h"

#include <string.h>

enum {
    BYTES_PER_PIXEL = 4,
};

/* Part of the picture with a texture of its own. */
struct tile {
    guint x, y, width, height; /* guest pixels */
    GdkTexture *texture;       /* NULL: none yet */
    GskRenderNode *node;       /* instead of it for the cairo renderer */
    gboolean dirty;            /* the texture, or what was drawn, shows older pixels */
};

struct _OrielPicture {
    OrielFramebuffer *framebuffer;
    struct tile *tiles;
    guint columns, rows;
    guint zoom;     /* that the tiles were made for */
    gboolean cairo; /* the renderer takes cairo's drawings as they are */
    guint64 textures_made;
};

static void tiles_free(OrielPicture *picture)
{
    for (guint i = 0; i < picture->columns * picture->rows; i++) {
        g_clear_object(&picture->tiles[i].texture);
        g_clear_pointer(&picture->tiles[i].node, gsk_render_node_unref);
    }
    g_clear_pointer(&picture->tiles, g_free);
    picture->columns = picture->rows = 0;
}

/* Cuts the picture for a zoom: one tile for all of it at 0. */
static void tiles_make(OrielPicture *picture, guint zoom)
{
    guint width = oriel_framebuffer_get_width(picture->framebuffer);
    guint height = oriel_framebuffer_get_height(picture->framebuffer);
    guint edge = zoom > 0 ? ORIEL_PICTURE_TILE : ORIEL_FRAMEBUFFER_MAX;

    tiles_free(picture);
    picture->zoom = zoom;
    picture->columns = (width + edge - 1) / edge;
    picture->rows = (height + edge - 1) / edge;
    picture->tiles = g_new0(struct tile, picture->columns * picture->rows);
    for (guint row = 0; row < picture->rows; row++) {
        for (guint column = 0; column < picture->columns; column++) {
            struct tile *tile = &picture->tiles[row * picture->columns + column];

            tile->x = column * edge;
            tile->y = row * edge;
            tile->width = MIN(edge, width - tile->x);
            tile->height = MIN(edge, height - tile->y);
            tile->dirty = TRUE;
        }
    }
}

static void row_repeat(guint32 *to, const guint8 *from, guint width, guint zoom)
{
    for (guint x = 0; x < width; x++) {
        guint32 pixel;

        memcpy(&pixel, from + (gsize)x * BYTES_PER_PIXEL, sizeof(pixel));
        for (guint n = 0; n < zoom; n++) {
            *to++ = pixel;
        }
    }
}

/* The bytes of a tile with each pixel repeated zoom x zoom times. */
static GBytes *pixels_repeat(GBytes *bytes, gsize stride, const struct tile *tile, guint zoom)
{
    const guint8 *from = g_bytes_get_data(bytes, NULL);
    gsize line = (gsize)tile->width * zoom;
    guint32 *pixels = g_new(guint32, line * tile->height * zoom);
    guint32 *to = pixels;

    for (guint y = 0; y < tile->height; y++, from += stride) {
        row_repeat(to, from, tile->width, zoom);
        for (guint n = 1; n < zoom; n++) {
            memcpy(to + n * line, to, line * BYTES_PER_PIXEL);
        }
        to += zoom * line;
    }
    return g_bytes_new_take(pixels, line * tile->height * zoom * BYTES_PER_PIXEL);
}

static void tile_refresh(OrielPicture *picture, struct tile *tile)
{
    gsize stride = oriel_framebuffer_get_stride(picture->framebuffer);
    guint zoom = MAX(picture->zoom, 1);
    g_autoptr(GBytes) bytes = oriel_framebuffer_get_bytes(picture->framebuffer, tile->x, tile->y,
                                                          tile->width, tile->height);

    if (zoom > 1) {
        GBytes *repeated = pixels_repeat(bytes, stride, tile, zoom);

        g_bytes_unref(bytes);
        bytes = repeated;
        stride = (gsize)tile->width * zoom * BYTES_PER_PIXEL;
    }
    g_clear_object(&tile->texture);
    tile->texture = gdk_memory_texture_new((int)(tile->width * zoom), (int)(tile->height * zoom),
                                           GDK_MEMORY_B8G8R8A8_PREMULTIPLIED, bytes, stride);
    tile->dirty = FALSE;
    picture->textures_made++;
}

OrielPicture *oriel_picture_new(void)
{
    return g_new0(OrielPicture, 1);
}

void oriel_picture_free(OrielPicture *picture)
{
    tiles_free(picture);
    g_clear_object(&picture->framebuffer);
    g_free(picture);
}

void oriel_picture_set_framebuffer(OrielPicture *picture, OrielFramebuffer *framebuffer)
{
    if (g_set_object(&picture->framebuffer, framebuffer)) {
        tiles_free(picture);
    }
}

OrielFramebuffer *oriel_picture_get_framebuffer(OrielPicture *picture)
{
    return picture->framebuffer;
}

void oriel_picture_damage(OrielPicture *picture, const cairo_region_t *region)
{
    for (guint i = 0; i < picture->columns * picture->rows; i++) {
        struct tile *tile = &picture->tiles[i];
        const cairo_rectangle_int_t area = { (int)tile->x, (int)tile->y, (int)tile->width,
                                             (int)tile->height };

        if (!tile->dirty &&
            cairo_region_contains_rectangle(region, &area) != CAIRO_REGION_OVERLAP_OUT) {
            tile->dirty = TRUE;
        }
    }
}

void oriel_picture_set_cairo(OrielPicture *picture, gboolean cairo)
{
    if (picture->cairo != cairo) {
        picture->cairo = cairo;
        tiles_free(picture);
    }
}

/*
 * A drawing of the tile's own memory. cairo copies pixels of a surface that ends before what was
 * drawn from it, so the surface is kept as long as the drawing.
 */
static void tile_draw(OrielPicture *picture, struct tile *tile, const graphene_rect_t *area)
{
    static const cairo_user_data_key_t surface_key, bytes_key;
    GBytes *bytes = oriel_framebuffer_get_bytes(picture->framebuffer, tile->x, tile->y, tile->width,
                                                tile->height);
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        (guchar *)g_bytes_get_data(bytes, NULL), CAIRO_FORMAT_RGB24, (int)tile->width,
        (int)tile->height, (int)oriel_framebuffer_get_stride(picture->framebuffer));
    cairo_t *cr;

    cairo_surface_set_user_data(surface, &bytes_key, bytes, (cairo_destroy_func_t)g_bytes_unref);
    g_clear_pointer(&tile->node, gsk_render_node_unref);
    tile->node = gsk_cairo_node_new(area);
    cr = gsk_cairo_node_get_draw_context(tile->node);
    cairo_rectangle(cr, (double)area->origin.x, (double)area->origin.y, (double)area->size.width,
                    (double)area->size.height);
    cairo_translate(cr, (double)area->origin.x, (double)area->origin.y);
    cairo_scale(cr, (double)area->size.width / tile->width,
                (double)area->size.height / tile->height);
    cairo_set_source_surface(cr, surface, 0, 0);
    cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
    if (picture->zoom > 0) {
        cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_NEAREST);
    }
    cairo_fill(cr);
    cairo_destroy(cr);
    cairo_surface_set_user_data(gsk_cairo_node_get_surface(tile->node), &surface_key, surface,
                                (cairo_destroy_func_t)cairo_surface_destroy);
    tile->dirty = FALSE;
    picture->textures_made++;
}

static void tile_snapshot(OrielPicture *picture, struct tile *tile, GtkSnapshot *snapshot,
                          const graphene_rect_t *area)
{
    graphene_rect_t drawn = GRAPHENE_RECT_INIT(0, 0, 0, 0);

    if (!picture->cairo) {
        if (tile->dirty) {
            tile_refresh(picture, tile);
        }
        gtk_snapshot_append_texture(snapshot, tile->texture, area);
        return;
    }
    if (tile->node) {
        gsk_render_node_get_bounds(tile->node, &drawn);
    }
    if (tile->dirty || !graphene_rect_equal(&drawn, area)) {
        tile_draw(picture, tile, area);
    }
    gtk_snapshot_append_node(snapshot, tile->node);
}

void oriel_picture_snapshot(OrielPicture *picture, GtkSnapshot *snapshot,
                            const graphene_rect_t *bounds, guint zoom)
{
    float scale_x, scale_y;

    if (!picture->framebuffer) {
        return;
    }
    if (!picture->tiles || picture->zoom != zoom) {
        tiles_make(picture, zoom);
    }
    scale_x = bounds->size.width / (float)oriel_framebuffer_get_width(picture->framebuffer);
    scale_y = bounds->size.height / (float)oriel_framebuffer_get_height(picture->framebuffer);
    for (guint i = 0; i < picture->columns * picture->rows; i++) {
        struct tile *tile = &picture->tiles[i];

        tile_snapshot(picture, tile, snapshot,
                      &GRAPHENE_RECT_INIT(bounds->origin.x + (float)tile->x * scale_x,
                                          bounds->origin.y + (float)tile->y * scale_y,
                                          (float)tile->width * scale_x,
                                          (float)tile->height * scale_y));
    }
}

guint64 oriel_picture_get_textures_made(OrielPicture *picture)
{
    return picture->textures_made;
}
