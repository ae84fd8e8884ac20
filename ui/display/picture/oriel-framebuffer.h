/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory of a guest's picture: pixels that somebody else writes while we show them. Bytes B, G,
 * R, 0xff: GDK_MEMORY_B8G8R8A8_PREMULTIPLIED. Its size never changes; another size is another
 * framebuffer.
 *
 * Threads: immutable; any.
 */
#ifndef ORIEL_FRAMEBUFFER_H
#define ORIEL_FRAMEBUFFER_H

#include <gio/gio.h>

enum {
    ORIEL_FRAMEBUFFER_MAX = 16384, /* pixels a side */
};

#define ORIEL_TYPE_FRAMEBUFFER (oriel_framebuffer_get_type())
G_DECLARE_FINAL_TYPE(OrielFramebuffer, oriel_framebuffer, ORIEL, FRAMEBUFFER, GObject)

/*
 * Maps a memfd read-only; the descriptor stays the caller's. The memory must be sealed against
 * shrinking and large enough for what is said of it; otherwise NULL with *error set
 * (G_IO_ERROR_INVALID_DATA). `stride` in bytes.
 */
OrielFramebuffer *oriel_framebuffer_new_for_memfd(int fd, guint width, guint height, guint stride,
                                                  GError **error);
/* Memory of our own, zeroed, that its maker writes (VNC). NULL if it is out of limits. */
OrielFramebuffer *oriel_framebuffer_new(guint width, guint height);

guint oriel_framebuffer_get_width(OrielFramebuffer *framebuffer);
guint oriel_framebuffer_get_height(OrielFramebuffer *framebuffer);
guint oriel_framebuffer_get_stride(OrielFramebuffer *framebuffer);
/* Of oriel_framebuffer_new() only: the pixels, to write. */
guint8 *oriel_framebuffer_get_pixels(OrielFramebuffer *framebuffer);
/*
 * The bytes of a rectangle as they are now and will become: shares the memory and keeps it mapped.
 * From the first pixel of the rectangle to its last, in lines of get_stride() bytes.
 */
GBytes *oriel_framebuffer_get_bytes(OrielFramebuffer *framebuffer, guint x, guint y, guint width,
                                    guint height);

#endif
