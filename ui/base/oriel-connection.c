/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-connection.h. */
#include "oriel-connection.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gi18n.h>

#include "running/oriel-session.h"

/* The engine's socket: where the connection that controls it leads to. */
static char *path_find(OrielMachineItem *item, GError **error)
{
    OrielEngine *engine = oriel_machine_item_get_engine(item);
    GDBusConnection *connection = engine ? g_dbus_proxy_get_connection(G_DBUS_PROXY(engine)) : NULL;
    GIOStream *stream = connection ? g_dbus_connection_get_stream(connection) : NULL;
    g_autoptr(GSocketAddress) address = NULL;

    if (!G_IS_SOCKET_CONNECTION(stream)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED, _("“%s” is not running."),
                    oriel_machine_item_get_name(item));
        return NULL;
    }
    address = g_socket_connection_get_remote_address(G_SOCKET_CONNECTION(stream), error);
    if (!address) {
        return NULL;
    }
    if (!G_IS_UNIX_SOCKET_ADDRESS(address)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    _("“%s” is not reached by a local socket."), oriel_machine_item_get_name(item));
        return NULL;
    }
    return g_strdup(g_unix_socket_address_get_path(G_UNIX_SOCKET_ADDRESS(address)));
}

static void open_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    GError *error = NULL;
    g_autoptr(GSocketConnection) stream = oriel_session_connect_socket(data, cancellable, &error);
    GDBusConnection *connection =
        stream ? g_dbus_connection_new_sync(G_IO_STREAM(stream), NULL,
                                            G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL,
                                            cancellable, &error)
               : NULL;

    if (connection) {
        g_task_return_pointer(task, connection, g_object_unref);
    } else {
        g_task_return_error(task, error);
    }
}

void oriel_connection_open_async(OrielMachineItem *item, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer data)
{
    g_autoptr(GTask) task = g_task_new(item, cancellable, callback, data);
    g_autoptr(GError) error = NULL;
    char *path = path_find(item, &error);

    if (!path) {
        g_task_return_error(task, g_steal_pointer(&error));
        return;
    }
    g_task_set_task_data(task, path, g_free);
    g_task_run_in_thread(task, open_in_thread);
}

GDBusConnection *oriel_connection_open_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
