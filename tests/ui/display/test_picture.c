/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Textures made of framebuffers: which are made anew, and what they show. */
#include "display/picture/oriel-picture.h"
#include "test.h"

static GskRenderNode *draw(OrielPicture *picture, guint zoom)
{
    GtkSnapshot *snapshot;

    gtk_init();
    snapshot = gtk_snapshot_new();

    oriel_picture_snapshot(picture, snapshot, &GRAPHENE_RECT_INIT(3, 5, 800, 600), zoom);
    return gtk_snapshot_free_to_node(snapshot);
}

static void damage(OrielPicture *picture, int x, int y, int width, int height)
{
    cairo_region_t *region =
        cairo_region_create_rectangle(&(cairo_rectangle_int_t){ x, y, width, height });

    oriel_picture_damage(picture, region);
    cairo_region_destroy(region);
}

/* Textures made by drawing once more. */
static guint64 made(OrielPicture *picture, guint zoom)
{
    guint64 before = oriel_picture_get_textures_made(picture);
    GskRenderNode *node = draw(picture, zoom);

    g_clear_pointer(&node, gsk_render_node_unref);
    return oriel_picture_get_textures_made(picture) - before;
}

TEST(only_changed_tiles_are_made_anew)
{
    g_autoptr(OrielPicture) picture = oriel_picture_new();
    g_autoptr(OrielFramebuffer) framebuffer = oriel_framebuffer_new(800, 600);

    oriel_picture_set_framebuffer(picture, framebuffer);
    CHECK_EQ(made(picture, 1), 4 * 3);
    CHECK_EQ(made(picture, 1), 0);
    damage(picture, 0, 0, 1, 1);
    CHECK_EQ(made(picture, 1), 1);
    damage(picture, 255, 255, 2, 2);
    damage(picture, 799, 599, 1, 1);
    CHECK_EQ(made(picture, 1), 5);
    damage(picture, 800, 600, 100, 100);
    damage(picture, -100, -100, 100, 100);
    CHECK_EQ(made(picture, 1), 0);
    damage(picture, 0, 0, 800, 600);
    CHECK_EQ(made(picture, 1), 12);
    CHECK_EQ(made(picture, 0), 1);
    damage(picture, 5, 5, 1, 1);
    CHECK_EQ(made(picture, 0), 1);
    CHECK_EQ(made(picture, 2), 12);
}

TEST(damage_before_the_first_drawing_is_kept)
{
    g_autoptr(OrielPicture) picture = oriel_picture_new();
    g_autoptr(OrielFramebuffer) framebuffer = oriel_framebuffer_new(100, 100);
    g_autoptr(OrielFramebuffer) other = oriel_framebuffer_new(50, 50);

    damage(picture, 0, 0, 10, 10);
    CHECK(draw(picture, 1) == NULL);
    oriel_picture_set_framebuffer(picture, framebuffer);
    damage(picture, 0, 0, 10, 10);
    CHECK_EQ(made(picture, 1), 1);
    oriel_picture_set_framebuffer(picture, other);
    CHECK_EQ(made(picture, 1), 1);
    oriel_picture_set_framebuffer(picture, NULL);
    CHECK_EQ(made(picture, 1), 0);
}

TEST(a_texture_shares_the_memory)
{
    g_autoptr(OrielPicture) picture = oriel_picture_new();
    g_autoptr(OrielFramebuffer) framebuffer = oriel_framebuffer_new(200, 100);
    guint8 *pixels = oriel_framebuffer_get_pixels(framebuffer);
    GskRenderNode *node;
    GdkTexture *texture;
    guint32 copy[200 * 100];

    oriel_picture_set_framebuffer(picture, framebuffer);
    node = draw(picture, 1);
    texture = gsk_texture_node_get_texture(gsk_render_node_get_node_type(node) == GSK_TEXTURE_NODE
                                               ? node
                                               : gsk_container_node_get_child(node, 0));
    memset(pixels, 0xff, 4); /* later than the texture was made: it must not be a copy */
    gdk_texture_download(texture, (guchar *)copy, 200 * 4);
    CHECK_EQ(copy[0], 0xffffffff);
    CHECK_EQ(copy[1], 0);
    gsk_render_node_unref(node);
}

TEST(whole_zooms_repeat_pixels)
{
    g_autoptr(OrielPicture) picture = oriel_picture_new();
    g_autoptr(OrielFramebuffer) framebuffer = oriel_framebuffer_new(2, 2);
    guint32 *pixels = (guint32 *)(void *)oriel_framebuffer_get_pixels(framebuffer);
    GskRenderNode *node;
    GdkTexture *texture;
    guint32 copy[6 * 6];

    for (guint i = 0; i < 4; i++) {
        pixels[i] = 0xff000000 | i;
    }
    oriel_picture_set_framebuffer(picture, framebuffer);
    node = draw(picture, 3);
    texture = gsk_texture_node_get_texture(gsk_render_node_get_node_type(node) == GSK_TEXTURE_NODE
                                               ? node
                                               : gsk_container_node_get_child(node, 0));
    CHECK_EQ(gdk_texture_get_width(texture), 6);
    gdk_texture_download(texture, (guchar *)copy, 6 * 4);
    for (guint y = 0; y < 6; y++) {
        for (guint x = 0; x < 6; x++) {
            CHECK_EQ(copy[y * 6 + x], pixels[y / 3 * 2 + x / 3]);
        }
    }
    gsk_render_node_unref(node);
}

/* What the cairo renderer draws of the picture. */
static void render(GskRenderNode *node, guint32 *to, int side)
{
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        (guchar *)to, CAIRO_FORMAT_ARGB32, side, side, side * 4);
    cairo_t *cr = cairo_create(surface);

    cairo_translate(cr, -3, -5); /* where draw() puts the picture */
    gsk_render_node_draw(node, cr);
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
}

TEST(drawings_for_cairo_share_the_memory)
{
    enum {
        SIDE = 6,
    };
    g_autoptr(OrielPicture) picture = oriel_picture_new();
    g_autoptr(OrielFramebuffer) framebuffer = oriel_framebuffer_new(800, 600);
    guint32 *pixels = (guint32 *)(void *)oriel_framebuffer_get_pixels(framebuffer);
    guint32 drawn[SIDE * SIDE] = { 0 };
    GskRenderNode *node;

    for (guint i = 0; i < SIDE; i++) {
        pixels[i] = 0x00102030 + i; /* the fourth byte says nothing */
    }
    oriel_picture_set_framebuffer(picture, framebuffer);
    oriel_picture_set_cairo(picture, TRUE);
    node = draw(picture, 1);
    render(node, drawn, SIDE);
    for (guint i = 0; i < SIDE; i++) {
        CHECK_EQ(drawn[i], 0xff102030 + i);
    }
    pixels[0] = 0x00ffffff; /* later than the drawing was made: it must not be of a copy */
    render(node, drawn, SIDE);
    CHECK_EQ(drawn[0], 0xffffffff);
    oriel_picture_set_framebuffer(picture, NULL); /* the drawing keeps what it needs */
    render(node, drawn, SIDE);
    CHECK_EQ(drawn[0], 0xffffffff);
    gsk_render_node_unref(node);
}

TEST(drawings_for_cairo_stay_where_nothing_changed)
{
    g_autoptr(OrielPicture) picture = oriel_picture_new();
    g_autoptr(OrielFramebuffer) framebuffer = oriel_framebuffer_new(800, 600);
    GskRenderNode *before, *after;

    oriel_picture_set_framebuffer(picture, framebuffer);
    oriel_picture_set_cairo(picture, TRUE);
    before = draw(picture, 1);
    CHECK_EQ(gsk_container_node_get_n_children(before), 4 * 3);
    damage(picture, 300, 10, 1, 1);
    after = draw(picture, 1);
    for (guint i = 0; i < 4 * 3; i++) {
        gboolean same =
            gsk_container_node_get_child(before, i) == gsk_container_node_get_child(after, i);

        CHECK_EQ(same, i != 1);
    }
    gsk_render_node_unref(before);
    gsk_render_node_unref(after);
    CHECK_EQ(made(picture, 1), 0);
    CHECK_EQ(made(picture, 2), 12);
    oriel_picture_set_cairo(picture, FALSE);
    CHECK_EQ(made(picture, 1), 12);
}

TEST_MAIN(T(drawings_for_cairo_share_the_memory), T(drawings_for_cairo_stay_where_nothing_changed),
          T(only_changed_tiles_are_made_anew), T(damage_before_the_first_drawing_is_kept),
          T(a_texture_shares_the_memory), T(whole_zooms_repeat_pixels))
