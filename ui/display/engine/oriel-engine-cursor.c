/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cursor of our own engine: NextCursor waits in the engine until the cursor is another one,
 * elsewhere, hidden or shown. An engine that does not answer it draws the cursor into the picture.
 */
#include "oriel-engine-backend-private.h"

enum {
    SIDE_MAX = 256,
    BYTES_PER_PIXEL = 4,
};

/* Tells the widget about a shape, or that there is none to be seen. */
static void cursor_tell(OrielEngineBackend *engine)
{
    OrielGuestCursor *cursor = NULL;

    if (engine->shape != 0) {
        cursor = oriel_guest_cursor_new(engine->cursor_shown ? engine->cursor : NULL,
                                        engine->cursor_hot_x, engine->cursor_hot_y);
    }
    oriel_display_backend_set_cursor(ORIEL_DISPLAY_BACKEND(engine), cursor);
    g_clear_pointer(&cursor, oriel_guest_cursor_unref);
}

/* FALSE if the pixels are not what the sizes say. */
static gboolean shape_take(OrielEngineBackend *engine, guint width, guint height, GVariant *pixels)
{
    g_autoptr(GBytes) bytes = g_variant_get_data_as_bytes(pixels);

    if (width < 1 || width > SIDE_MAX || height < 1 || height > SIDE_MAX ||
        g_bytes_get_size(bytes) != (gsize)width * height * BYTES_PER_PIXEL) {
        return FALSE;
    }
    g_clear_object(&engine->cursor);
    engine->cursor = gdk_memory_texture_new((int)width, (int)height, GDK_MEMORY_DEFAULT, bytes,
                                            (gsize)width * BYTES_PER_PIXEL);
    return TRUE;
}

/* FALSE if the answer makes no sense. */
static gboolean answer_take(OrielEngineBackend *engine, GVariant *reply)
{
    g_autoptr(GVariant) pixels = NULL;
    guint shape, hot_x, hot_y, width, height;
    gboolean visible, changed;
    int x, y;

    g_variant_get(reply, "(ubiiuuuu@ay)", &shape, &visible, &x, &y, &hot_x, &hot_y, &width, &height,
                  &pixels);
    changed = shape != engine->shape || visible != engine->cursor_shown;
    if (shape != 0 && shape != engine->shape && !shape_take(engine, width, height, pixels)) {
        return FALSE;
    }
    engine->shape = shape;
    engine->cursor_shown = visible;
    engine->cursor_hot_x = (int)MIN(hot_x, SIDE_MAX);
    engine->cursor_hot_y = (int)MIN(hot_y, SIDE_MAX);
    if (changed) {
        cursor_tell(engine);
    }
    oriel_display_backend_move_cursor(ORIEL_DISPLAY_BACKEND(engine), x, y);
    return TRUE;
}

static void on_cursor(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    OrielEngineBackend *engine = data;
    g_autoptr(OrielEngineBackend) keep = NULL;

    /* Cancelled: the backend may be gone. The end of the connection is noticed elsewhere. */
    if (!reply) {
        return;
    }
    keep = g_object_ref(engine);
    if (answer_take(engine, reply) && !g_cancellable_is_cancelled(engine->cancellable)) {
        oriel_engine_backend_cursor_follow(engine);
    }
}

void oriel_engine_backend_cursor_follow(OrielEngineBackend *engine)
{
    g_dbus_connection_call(engine->connection, NULL, engine->path, DISPLAY_INTERFACE, "NextCursor",
                           g_variant_new("(u)", engine->shape), G_VARIANT_TYPE("(ubiiuuuuay)"),
                           G_DBUS_CALL_FLAGS_NONE, TIMEOUT_NEVER, engine->cancellable, on_cursor,
                           engine);
}
