/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pictures of screens, made smaller once instead of every time that they are drawn. Any thread;
 * worker threads, as the functions take some milliseconds.
 */
#ifndef ORIEL_SMALL_PICTURE_H
#define ORIEL_SMALL_PICTURE_H

#include <gdk/gdk.h>

/* A picture within the size, in pixels, that keeps its proportions; one that is smaller stays as it
 * is. NULL if the file is no PNG, or one larger than screens are. Unref. */
GdkTexture *oriel_small_picture_read(const char *path, int width, int height);

/* The same of `lines` lines of `columns` opaque pixels (blue, green, red, unused), `stride` bytes
 * from one to the next, a multiple of 4. */
GdkTexture *oriel_small_picture_make(GBytes *pixels, guint columns, guint lines, guint stride,
                                     int width, int height);

#endif
