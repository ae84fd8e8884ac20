/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See server.h. */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <gmodule.h>
#include <unistd.h>

#include "config/config.h"
#include "display/server.h"

struct display_listener {
    char *module_name, *address, *password, *name;
    char *unix_path; /* removed at the end */
    struct console *console;
    struct input *input;
    GSocket *socket;
    GSource *source;
    const struct display_server *module;
    void *server;
};

/* Beside the engine's program when it runs from the build folder, otherwise where it was installed.
 */
static char *module_path(const char *name)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(program ? program : ".");
    g_autofree char *file = g_strdup_printf("oriel-%s.so", name);
    g_autofree char *beside = g_build_filename(folder, "display", file, NULL);

    if (g_file_test(beside, G_FILE_TEST_EXISTS)) {
        return g_steal_pointer(&beside);
    }
    return g_build_filename(ORIEL_MODULE_DIR, file, NULL);
}

static const struct display_server *module_load(const char *name)
{
    g_autofree char *path = module_path(name);
    GModule *module = g_module_open(path, G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);
    gpointer symbol = NULL;

    if (!module) {
        g_warning("The display server “%s” could not be loaded: %s", name, g_module_error());
        return NULL;
    }
    g_module_make_resident(module);
    if (!g_module_symbol(module, "display_server", &symbol)) {
        g_warning("“%s” is no display server: %s", path, g_module_error());
    }
    return symbol;
}

static gboolean accepted(GSocket *socket, GIOCondition condition, gpointer data)
{
    struct display_listener *listener = data;
    g_autoptr(GSocket) connection = g_socket_accept(socket, NULL, NULL);

    if (!connection) {
        return G_SOURCE_CONTINUE;
    }
    if (!listener->module) {
        listener->module = module_load(listener->module_name);
        if (!listener->module) {
            return G_SOURCE_CONTINUE;
        }
        listener->server = listener->module->start(listener->console, listener->input,
                                                   listener->name, listener->password);
    }
    int fd = fcntl(g_socket_get_fd(connection), F_DUPFD_CLOEXEC, 0);

    if (fd >= 0) {
        listener->module->add_client(listener->server, fd);
    }
    return G_SOURCE_CONTINUE;
}

static GSocketAddress *address_parse(struct display_listener *listener, GError **error)
{
    const char *colon = strrchr(listener->address, ':');

    if (g_str_has_prefix(listener->address, "unix:")) {
        listener->unix_path = g_strdup(listener->address + 5);
        g_unlink(listener->unix_path);
        return g_unix_socket_address_new(listener->unix_path);
    }
    g_autofree char *host =
        colon ? g_strndup(listener->address, (gsize)(colon - listener->address)) : NULL;
    guint64 port = 0;

    if (host && host[0] == '[' && g_str_has_suffix(host, "]")) { /* an IPv6 address */
        memmove(host, host + 1, strlen(host));
        host[strlen(host) - 1] = '\0';
    }
    if (g_strcmp0(host, "localhost") == 0) {
        g_free(host);
        host = g_strdup("127.0.0.1");
    }
    if (!host || !g_hostname_is_ip_address(host) ||
        !g_ascii_string_to_unsigned(colon + 1, 10, 0, G_MAXUINT16, &port, NULL)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "“%s” is not an address to listen on; write ADDRESS:PORT, such as 127.0.0.1:5900.",
                    listener->address);
        return NULL;
    }
    if (!listener->password || !*listener->password) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "The screen is not offered on %s without a password; set vnc.password first.",
                    listener->address);
        return NULL;
    }
    return g_inet_socket_address_new_from_string(host, (guint)port);
}

/* Port 0 lets the host choose; the address then tells the one it chose. */
static void address_update(struct display_listener *listener)
{
    g_autoptr(GSocketAddress) address = g_socket_get_local_address(listener->socket, NULL);

    if (address && G_IS_INET_SOCKET_ADDRESS(address)) {
        GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS(address);
        g_autofree char *host = g_inet_address_to_string(g_inet_socket_address_get_address(inet));

        g_free(listener->address);
        listener->address = g_strdup_printf(strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
                                            (unsigned)g_inet_socket_address_get_port(inet));
    }
}

static bool listen_on(struct display_listener *listener, GError **error)
{
    g_autoptr(GSocketAddress) address = address_parse(listener, error);
    g_autoptr(GError) cause = NULL;

    if (!address) {
        return false;
    }
    listener->socket = g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_STREAM,
                                    G_SOCKET_PROTOCOL_DEFAULT, &cause);
    if (!listener->socket || !g_socket_bind(listener->socket, address, TRUE, &cause) ||
        !g_socket_listen(listener->socket, &cause)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                    "The screen cannot be offered on %s: %s. Choose another address or port.",
                    listener->address, cause->message);
        return false;
    }
    g_socket_set_blocking(listener->socket, FALSE);
    address_update(listener);
    listener->source = g_socket_create_source(listener->socket, G_IO_IN, NULL);
    g_source_set_callback(listener->source, G_SOURCE_FUNC(accepted), listener, NULL);
    g_source_attach(listener->source, g_main_context_get_thread_default());
    return true;
}

struct display_listener *display_listener_new(const char *module, const char *address,
                                              const char *password, struct console *console,
                                              struct input *input, const char *name, GError **error)
{
    struct display_listener *listener = g_new0(struct display_listener, 1);

    listener->module_name = g_strdup(module);
    listener->address = g_strdup(address);
    listener->password = g_strdup(password);
    listener->name = g_strdup(name);
    listener->console = console;
    listener->input = input;
    if (!listen_on(listener, error)) {
        display_listener_free(listener);
        return NULL;
    }
    return listener;
}

void display_listener_free(struct display_listener *listener)
{
    if (!listener) {
        return;
    }
    if (listener->source) {
        g_source_destroy(listener->source);
        g_source_unref(listener->source);
    }
    if (listener->server) {
        listener->module->stop(listener->server);
    }
    g_clear_object(&listener->socket);
    if (listener->unix_path) {
        g_unlink(listener->unix_path);
    }
    g_free(listener->unix_path);
    g_free(listener->module_name);
    g_free(listener->address);
    g_free(listener->password);
    g_free(listener->name);
    g_free(listener);
}

const char *display_listener_address(const struct display_listener *listener)
{
    return listener->address;
}
