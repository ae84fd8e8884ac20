/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See serial_socket.h. */
#include "serial_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CLIENTS_MAX = 16,
    INPUT_MAX = 4096,           /* bytes of one client waiting for the guest */
    INPUT_RETRY_MS = 10,        /* while the guest has no room */
    LOG_MAX = 16 * 1024 * 1024, /* bytes; a guest must not fill the host's disk */
};

struct serial_socket {
    struct machine *machine;
    unsigned port;
    char *path;
    int log;
    gsize logged;
    GSocket *socket;
    GSource *accept_source;
    GPtrArray *clients; /* struct client */
};

struct client {
    struct serial_socket *serial;
    GSocket *socket;
    GSource *readable; /* NULL while input waits for the guest */
    GSource *retry;    /* set while input waits for the guest */
    char input[INPUT_MAX];
    gsize n_input;
};

static void client_free(gpointer data)
{
    struct client *client = data;

    if (client->readable) {
        g_source_destroy(client->readable);
        g_source_unref(client->readable);
    }
    if (client->retry) {
        g_source_destroy(client->retry);
        g_source_unref(client->retry);
    }
    g_object_unref(client->socket);
    g_free(client);
}

static void client_watch(struct client *client);

/* Gives the guest what it takes; true when nothing is left. */
static bool input_flush(struct client *client)
{
    gsize taken = machine_serial_input(client->serial->machine, client->serial->port, client->input,
                                       client->n_input);

    memmove(client->input, client->input + taken, client->n_input - taken);
    client->n_input -= taken;
    return client->n_input == 0;
}

static gboolean input_retry(gpointer data)
{
    struct client *client = data;

    if (!input_flush(client)) {
        return G_SOURCE_CONTINUE;
    }
    g_clear_pointer(&client->retry, g_source_unref);
    client_watch(client);
    return G_SOURCE_REMOVE;
}

static gboolean client_readable(GSocket *socket, GIOCondition condition, gpointer data)
{
    struct client *client = data;
    gssize n = g_socket_receive(socket, client->input, sizeof(client->input), NULL, NULL);

    if (n <= 0) {
        g_ptr_array_remove(client->serial->clients, client);
        return G_SOURCE_REMOVE;
    }
    client->n_input = (gsize)n;
    if (input_flush(client)) {
        return G_SOURCE_CONTINUE;
    }
    g_clear_pointer(&client->readable, g_source_unref);
    client->retry = g_timeout_source_new(INPUT_RETRY_MS);
    g_source_set_callback(client->retry, input_retry, client, NULL);
    g_source_attach(client->retry, g_main_context_get_thread_default());
    return G_SOURCE_REMOVE;
}

static void client_watch(struct client *client)
{
    client->readable = g_socket_create_source(client->socket, G_IO_IN, NULL);
    g_source_set_callback(client->readable, G_SOURCE_FUNC(client_readable), client, NULL);
    g_source_attach(client->readable, g_main_context_get_thread_default());
}

static gboolean accepted(GSocket *socket, GIOCondition condition, gpointer data)
{
    struct serial_socket *serial = data;
    g_autoptr(GSocket) connection = g_socket_accept(socket, NULL, NULL);

    if (connection && serial->clients->len < CLIENTS_MAX) {
        struct client *client = g_new0(struct client, 1);

        client->serial = serial;
        client->socket = g_steal_pointer(&connection);
        g_socket_set_blocking(client->socket, FALSE);
        client_watch(client);
        g_ptr_array_add(serial->clients, client);
    }
    return G_SOURCE_CONTINUE;
}

static void log_write(struct serial_socket *serial, const char *bytes, gsize n)
{
    while (n > 0 && serial->logged < LOG_MAX) {
        ssize_t written = write(serial->log, bytes, MIN(n, LOG_MAX - serial->logged));

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return; /* the disk is full: the log has a gap, the guest goes on */
        }
        serial->logged += (gsize)written;
        bytes += written;
        n -= (gsize)written;
    }
}

static void output(void *context, const void *bytes, size_t n)
{
    struct serial_socket *serial = context;

    log_write(serial, bytes, n);
    for (guint i = 0; i < serial->clients->len; i++) {
        struct client *client = g_ptr_array_index(serial->clients, i);

        /* What does not fit into the socket's buffer is lost to this client only. */
        send(g_socket_get_fd(client->socket), bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

static bool serial_listen(struct serial_socket *serial, GError **error)
{
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(serial->path);
    g_autoptr(GError) cause = NULL;

    serial->socket =
        g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, &cause);
    if (!serial->socket || !g_socket_bind(serial->socket, address, TRUE, &cause) ||
        !g_socket_listen(serial->socket, &cause)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                    "The serial port cannot be offered as “%s”: %s.", serial->path, cause->message);
        return false;
    }
    serial->accept_source = g_socket_create_source(serial->socket, G_IO_IN, NULL);
    g_source_set_callback(serial->accept_source, G_SOURCE_FUNC(accepted), serial, NULL);
    g_source_attach(serial->accept_source, g_main_context_get_thread_default());
    return true;
}

struct serial_socket *serial_socket_new(struct machine *machine, unsigned port, const char *path,
                                        const char *log_path, GError **error)
{
    struct serial_socket *serial = g_new0(struct serial_socket, 1);

    serial->machine = machine;
    serial->port = port;
    serial->path = g_strdup(path);
    serial->clients = g_ptr_array_new_with_free_func(client_free);
    serial->log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (serial->log < 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                    "The log “%s” of the serial port cannot be written: %s.", log_path,
                    g_strerror(errno));
        serial_socket_free(serial);
        return NULL;
    }
    if (!serial_listen(serial, error)) {
        serial_socket_free(serial);
        return NULL;
    }
    machine_serial_set_output(machine, port, output, serial);
    return serial;
}

void serial_socket_free(struct serial_socket *serial)
{
    if (!serial) {
        return;
    }
    machine_serial_set_output(serial->machine, serial->port, NULL, NULL);
    if (serial->accept_source) {
        g_source_destroy(serial->accept_source);
        g_source_unref(serial->accept_source);
    }
    g_clear_object(&serial->socket);
    g_ptr_array_free(serial->clients, TRUE);
    if (serial->log >= 0) {
        close(serial->log);
    }
    unlink(serial->path);
    g_free(serial->path);
    g_free(serial);
}
