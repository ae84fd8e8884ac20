/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is drawn of a framebuffer: textures that share its memory, made anew where it changed.
 *
 * A GdkTexture is a value that renderers keep a copy of, so a change needs a new one. At whole
 * zooms the picture is cut into tiles with a texture each, and only the changed ones are made anew;
 * their edges lie on device pixels, so that no seam shows. At other zooms neighbours would have to
 * be filtered together, so there is one texture. At zooms of 2 and more the pixels of a tile are
 * repeated beforehand: GTK 4.8 has no way to ask for the nearest pixel.
 *
 * GTK's cairo renderer converts every texture of a frame anew, changed or not, with each pixel as
 * four floating point numbers. It gets drawings of the memory itself instead, of the same tiles,
 * of which it draws those that changed.
 *
 * Threads: main context only.
 */
#ifndef ORIEL_PICTURE_H
#define ORIEL_PICTURE_H

#include <gtk/gtk.h>

#include "oriel-framebuffer.h"

enum {
    ORIEL_PICTURE_TILE = 256, /* guest pixels a side */
};

typedef struct _OrielPicture OrielPicture;

OrielPicture *oriel_picture_new(void);
void oriel_picture_free(OrielPicture *picture);

/* Shows another framebuffer, or none; everything of it counts as changed. */
void oriel_picture_set_framebuffer(OrielPicture *picture, OrielFramebuffer *framebuffer);
OrielFramebuffer *oriel_picture_get_framebuffer(OrielPicture *picture);
/* Notes what changed; parts outside the picture are ignored. Kept until a texture was made of it.
 */
void oriel_picture_damage(OrielPicture *picture, const cairo_region_t *region);
/* Whether what is drawn is for GTK's cairo renderer (GskCairoRenderer); FALSE at first. */
void oriel_picture_set_cairo(OrielPicture *picture, gboolean cairo);
/* Draws all of it into `bounds`; `zoom` as of OrielGeometry. */
void oriel_picture_snapshot(OrielPicture *picture, GtkSnapshot *snapshot,
                            const graphene_rect_t *bounds, guint zoom);

/* Textures or drawings made so far: for tests and benchmarks. */
guint64 oriel_picture_get_textures_made(OrielPicture *picture);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrielPicture, oriel_picture_free)

#endif
