/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys, pointer and text to the engine.
 *
 * Pointer events that change nothing but the place wait while an earlier one is unanswered, and
 * become one; buttons and keys never wait and never overtake them.
 */
#include "oriel-engine-backend-private.h"

enum {
    POINTER_CALLS_MAX = 256, /* unanswered; an engine that hangs gets no more motion */
};

static void on_pointer_answer(GObject *source, GAsyncResult *result, gpointer data);

static void pointer_send(OrielEngineBackend *engine, const struct pointer_event *event)
{
    OrielFramebuffer *framebuffer =
        oriel_display_backend_get_framebuffer(ORIEL_DISPLAY_BACKEND(engine));

    engine->last = *event;
    engine->pointer_calls++;
    if (event->absolute) {
        oriel_engine_backend_call(
            engine, ENGINE_INTERFACE, "Pointer",
            g_variant_new("(uuuuuui)", engine->display, event->x, event->y,
                          framebuffer ? oriel_framebuffer_get_width(framebuffer) : 1,
                          framebuffer ? oriel_framebuffer_get_height(framebuffer) : 1,
                          event->buttons, event->wheel),
            "()", TIMEOUT_NEVER, on_pointer_answer);
    } else {
        oriel_engine_backend_call(
            engine, ENGINE_INTERFACE, "Motion",
            g_variant_new("(iiui)", event->dx, event->dy, event->buttons, event->wheel), "()",
            TIMEOUT_NEVER, on_pointer_answer);
    }
}

void oriel_engine_backend_flush(OrielEngineBackend *engine)
{
    if (engine->has_pending) {
        engine->has_pending = FALSE;
        pointer_send(engine, &engine->pending);
    }
}

static void on_pointer_answer(GObject *source, GAsyncResult *result, gpointer data)
{
    OrielEngineBackend *engine = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return;
    }
    engine->pointer_calls--;
    oriel_engine_backend_flush(engine);
}

/* Adds what a later event of the same kind says to the one that waits. */
static void pointer_merge(struct pointer_event *event, const struct pointer_event *later)
{
    event->x = later->x;
    event->y = later->y;
    event->dx = CLAMP((gint64)event->dx + later->dx, -G_MAXINT16, G_MAXINT16);
    event->dy = CLAMP((gint64)event->dy + later->dy, -G_MAXINT16, G_MAXINT16);
    event->wheel = CLAMP((gint64)event->wheel + later->wheel, -G_MAXINT16, G_MAXINT16);
}

static void pointer_queue(OrielEngineBackend *engine, const struct pointer_event *event)
{
    if (engine->has_pending && engine->pending.absolute == event->absolute &&
        engine->pending.buttons == event->buttons) {
        pointer_merge(&engine->pending, event);
    } else {
        oriel_engine_backend_flush(engine);
        engine->pending = *event;
        engine->has_pending = TRUE;
    }
    if (engine->pointer_calls == 0 ||
        (event->buttons != engine->last.buttons && engine->pointer_calls < POINTER_CALLS_MAX)) {
        oriel_engine_backend_flush(engine);
    }
}

static void engine_key(OrielDisplayBackend *backend, guint code, guint keysym, gboolean down)
{
    OrielEngineBackend *engine = ORIEL_ENGINE_BACKEND(backend);

    oriel_engine_backend_flush(engine);
    oriel_engine_backend_call(engine, ENGINE_INTERFACE, "Key", g_variant_new("(ub)", code, down),
                              "()", TIMEOUT_NEVER, NULL);
}

static void engine_pointer(OrielDisplayBackend *backend, guint x, guint y, guint buttons)
{
    pointer_queue(ORIEL_ENGINE_BACKEND(backend),
                  &(struct pointer_event){ .absolute = TRUE, .x = x, .y = y, .buttons = buttons });
}

static void engine_motion(OrielDisplayBackend *backend, int dx, int dy, guint buttons)
{
    pointer_queue(ORIEL_ENGINE_BACKEND(backend),
                  &(struct pointer_event){ .dx = dx, .dy = dy, .buttons = buttons });
}

/* The contract has one wheel, away from the user being positive. */
static void engine_scroll(OrielDisplayBackend *backend, int dx, int dy)
{
    OrielEngineBackend *engine = ORIEL_ENGINE_BACKEND(backend);
    struct pointer_event event = engine->has_pending ? engine->pending : engine->last;

    event.dx = event.dy = 0;
    event.wheel = -dy;
    if (dy != 0) {
        pointer_queue(engine, &event);
    }
}

static void on_typed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    GError *error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

    if (reply) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, error);
    }
}

static void engine_type_text(OrielDisplayBackend *backend, const char *text, GTask *task)
{
    OrielEngineBackend *engine = ORIEL_ENGINE_BACKEND(backend);

    g_dbus_connection_call(engine->connection, NULL, ENGINE_PATH, ENGINE_INTERFACE, "TypeText",
                           g_variant_new("(s)", text), G_VARIANT_TYPE("()"), G_DBUS_CALL_FLAGS_NONE,
                           TIMEOUT_NEVER, engine->cancellable, on_typed, g_object_ref(task));
}

void oriel_engine_backend_input_class_init(OrielDisplayBackendClass *class)
{
    class->key = engine_key;
    class->pointer = engine_pointer;
    class->motion = engine_motion;
    class->scroll = engine_scroll;
    class->type_text = engine_type_text;
}
