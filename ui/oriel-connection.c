/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-connection.h. */
#include "oriel-connection.h"

#include <gio/gunixsocketaddress.h>

/* The D-Bus address of the engine's socket: where the connection that controls it leads to. */
static char *address_find(OrielMachineItem *item, GError **error)
{
    OrielEngine *engine = oriel_machine_item_get_engine(item);
    GDBusConnection *connection = engine ? g_dbus_proxy_get_connection(G_DBUS_PROXY(engine)) : NULL;
    GIOStream *stream = connection ? g_dbus_connection_get_stream(connection) : NULL;
    g_autoptr(GSocketAddress) address = NULL;
    g_autofree char *escaped = NULL;

    if (!G_IS_SOCKET_CONNECTION(stream)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED, "“%s” does not run.",
                    oriel_machine_item_get_name(item));
        return NULL;
    }
    address = g_socket_connection_get_remote_address(G_SOCKET_CONNECTION(stream), error);
    if (!address) {
        return NULL;
    }
    if (!G_IS_UNIX_SOCKET_ADDRESS(address)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "“%s” is not reached by a local socket.", oriel_machine_item_get_name(item));
        return NULL;
    }
    escaped =
        g_dbus_address_escape_value(g_unix_socket_address_get_path(G_UNIX_SOCKET_ADDRESS(address)));
    return g_strconcat("unix:path=", escaped, NULL);
}

static void opened(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    g_autoptr(GError) error = NULL;
    GDBusConnection *connection = g_dbus_connection_new_for_address_finish(result, &error);

    if (connection) {
        g_dbus_connection_set_exit_on_close(connection, FALSE);
        g_task_return_pointer(task, connection, g_object_unref);
    } else {
        g_task_return_error(task, g_steal_pointer(&error));
    }
}

void oriel_connection_open_async(OrielMachineItem *item, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer data)
{
    GTask *task = g_task_new(item, cancellable, callback, data);
    g_autoptr(GError) error = NULL;
    g_autofree char *address = address_find(item, &error);

    if (!address) {
        g_task_return_error(task, g_steal_pointer(&error));
        g_object_unref(task);
        return;
    }
    g_dbus_connection_new_for_address(address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL,
                                      cancellable, opened, task);
}

GDBusConnection *oriel_connection_open_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
