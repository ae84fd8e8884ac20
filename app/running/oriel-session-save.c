/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Saving a machine, with progress and cancelling. See oriel-session.h. */
#include "oriel-session.h"

/* One oriel_session_save(): what the main loop of the call waits for. */
struct save_call {
    OrielEngine *engine;
    OrielProgress progress;
    gpointer data;
    gboolean done, good;
    GError *error;
};

static void save_done(GObject *source, GAsyncResult *result, gpointer data)
{
    struct save_call *call = data;

    call->good = oriel_engine_call_save_finish(call->engine, result, &call->error);
    call->done = TRUE;
}

static void save_progress(OrielEngine *engine, GParamSpec *property, struct save_call *call)
{
    if (call->progress) {
        call->progress((guint64)(oriel_engine_get_save_progress(engine) * 1000), 1000, call->data);
    }
}

static void save_cancelled(GCancellable *cancellable, struct save_call *call)
{
    oriel_engine_call_cancel_save(call->engine, NULL, NULL, NULL);
}

gboolean oriel_session_save(const OrielMachine *machine, OrielProgress progress, gpointer data,
                            GCancellable *cancellable, GError **error)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    struct save_call call = { .progress = progress, .data = data };
    GDBusConnection *connection;
    gulong cancel = 0;

    g_main_context_push_thread_default(context);
    call.engine = oriel_session_connect(machine, error);
    if (call.engine) {
        connection = g_dbus_proxy_get_connection(G_DBUS_PROXY(call.engine));
        g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(call.engine), G_MAXINT);
        g_signal_connect(call.engine, "notify::save-progress", G_CALLBACK(save_progress), &call);
        oriel_engine_call_save(call.engine, NULL, save_done, &call);
        if (cancellable) {
            cancel = g_cancellable_connect(cancellable, G_CALLBACK(save_cancelled), &call, NULL);
        }
        /* The engine ends by itself; until then it holds the machine. */
        while (!call.done || (call.good && !g_dbus_connection_is_closed(connection))) {
            g_main_context_iteration(context, TRUE);
        }
        g_cancellable_disconnect(cancellable, cancel);
        g_signal_handlers_disconnect_by_data(call.engine, &call);
        g_clear_object(&call.engine);
    }
    while (g_main_context_iteration(context, FALSE)) {
        /* what the proxy has left to be freed there */
    }
    g_main_context_pop_thread_default(context);
    if (call.error) {
        g_dbus_error_strip_remote_error(call.error);
        g_propagate_error(error, call.error);
    }
    return call.good;
}
