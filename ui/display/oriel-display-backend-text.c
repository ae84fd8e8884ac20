/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text to and from a backend: typing in parts, and the characters of a text screen. */
#include "oriel-display-backend.h"

#include <glib/gi18n-lib.h>

enum {
    PART_CHARACTERS = 32, /* so that cancelling has an effect soon */
};

/* A typing under way. */
struct typing {
    char *text;
    const char *rest;
};

static void typing_free(gpointer data)
{
    struct typing *typing = data;

    g_free(typing->text);
    g_free(typing);
}

static OrielDisplayBackendClass *class_of(OrielDisplayBackend *backend)
{
    return ORIEL_DISPLAY_BACKEND_GET_CLASS(backend);
}

static gboolean is_connected(OrielDisplayBackend *backend)
{
    return oriel_display_backend_get_status(backend) == ORIEL_DISPLAY_STATUS_CONNECTED;
}

gboolean oriel_display_backend_can_type(OrielDisplayBackend *backend)
{
    return class_of(backend)->type_text && is_connected(backend);
}

gboolean oriel_display_backend_can_get_text(OrielDisplayBackend *backend)
{
    return class_of(backend)->get_text && is_connected(backend);
}

static void typing_go_on(GTask *task);

static void on_part_typed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    GError *error = NULL;

    if (!g_task_propagate_boolean(G_TASK(result), &error)) {
        g_task_return_error(task, error);
    } else {
        typing_go_on(g_steal_pointer(&task));
    }
}

/* Types the next part; takes over the task. */
static void typing_go_on(GTask *task)
{
    OrielDisplayBackend *backend = g_task_get_source_object(task);
    struct typing *typing = g_task_get_task_data(task);
    g_autofree char *part = NULL;
    const char *end = typing->rest;
    GTask *step;

    for (guint n = 0; n < PART_CHARACTERS && *end; n++) {
        end = g_utf8_next_char(end);
    }
    if (end == typing->rest || g_task_return_error_if_cancelled(task)) {
        if (end == typing->rest) {
            g_task_return_boolean(task, TRUE);
        }
        g_object_unref(task);
        return;
    }
    part = g_strndup(typing->rest, (gsize)(end - typing->rest));
    typing->rest = end;
    step = g_task_new(backend, NULL, on_part_typed, task);
    class_of(backend)->type_text(backend, part, step);
    g_object_unref(step);
}

void oriel_display_backend_type_text_async(OrielDisplayBackend *backend, const char *text,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data)
{
    GTask *task = g_task_new(backend, cancellable, callback, user_data);
    struct typing *typing = g_new0(struct typing, 1);

    typing->text = g_utf8_make_valid(text, -1);
    typing->rest = typing->text;
    g_task_set_task_data(task, typing, typing_free);
    if (!oriel_display_backend_can_type(backend)) {
        g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                                _("This screen takes no text now."));
        g_object_unref(task);
        return;
    }
    typing_go_on(task);
}

gboolean oriel_display_backend_type_text_finish(OrielDisplayBackend *backend, GAsyncResult *result,
                                                GError **error)
{
    g_return_val_if_fail(g_task_is_valid(result, backend), FALSE);
    return g_task_propagate_boolean(G_TASK(result), error);
}

void oriel_display_backend_get_text_async(OrielDisplayBackend *backend, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(backend, cancellable, callback, user_data);

    if (oriel_display_backend_can_get_text(backend)) {
        class_of(backend)->get_text(backend, task);
    } else {
        g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                                _("This screen gives no text."));
    }
}

char *oriel_display_backend_get_text_finish(OrielDisplayBackend *backend, GAsyncResult *result,
                                            GError **error)
{
    g_return_val_if_fail(g_task_is_valid(result, backend), NULL);
    return g_task_propagate_pointer(G_TASK(result), error);
}
