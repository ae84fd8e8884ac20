/* SPDX-License-Identifier: GPL-3.0-or-later */
/* OrielGuestCursor of oriel-display-backend.h. */
#include "oriel-display-backend.h"

struct _OrielGuestCursor {
    GdkTexture *texture;
    int hot_x, hot_y;
};

G_DEFINE_BOXED_TYPE(OrielGuestCursor, oriel_guest_cursor, oriel_guest_cursor_ref,
                    oriel_guest_cursor_unref)

static void cursor_clear(gpointer data)
{
    OrielGuestCursor *cursor = data;

    g_clear_object(&cursor->texture);
}

OrielGuestCursor *oriel_guest_cursor_new(GdkTexture *texture, int hot_x, int hot_y)
{
    OrielGuestCursor *cursor = g_atomic_rc_box_new0(OrielGuestCursor);

    if (texture) {
        cursor->texture = g_object_ref(texture);
        cursor->hot_x = CLAMP(hot_x, 0, gdk_texture_get_width(texture) - 1);
        cursor->hot_y = CLAMP(hot_y, 0, gdk_texture_get_height(texture) - 1);
    }
    return cursor;
}

OrielGuestCursor *oriel_guest_cursor_ref(OrielGuestCursor *cursor)
{
    return g_atomic_rc_box_acquire(cursor);
}

void oriel_guest_cursor_unref(OrielGuestCursor *cursor)
{
    g_atomic_rc_box_release_full(cursor, cursor_clear);
}

GdkTexture *oriel_guest_cursor_get_texture(OrielGuestCursor *cursor, int *hot_x, int *hot_y)
{
    *hot_x = cursor->hot_x;
    *hot_y = cursor->hot_y;
    return cursor->texture;
}
