/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * serial: the terminal, or standard input and output, joined to a serial port's socket. On a
 * terminal, raw mode until Ctrl+]; otherwise until standard input ends and the guest has been quiet
 * for a moment.
 */
#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <poll.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "orielctl.h"

enum {
    LEAVE = 0x1d, /* Ctrl+] */
    QUIET_MS = 1000,
};

static gboolean write_all(int fd, const char *bytes, gsize n)
{
    while (n > 0) {
        ssize_t written = write(fd, bytes, n);

        if (written < 0 && errno != EINTR) {
            return FALSE;
        }
        if (written > 0) {
            bytes += written;
            n -= (gsize)written;
        }
    }
    return TRUE;
}

/* Moves what is there from one side to the other; FALSE when it is over. `terminal` looks for
 * Ctrl+]. */
static gboolean pump(int from, int to, gboolean terminal)
{
    char bytes[4096];
    ssize_t n = read(from, bytes, sizeof(bytes));

    if (n < 0 && errno == EINTR) {
        return TRUE;
    }
    for (ssize_t i = 0; terminal && i < n; i++) {
        if (bytes[i] == LEAVE) {
            return FALSE;
        }
    }
    return n > 0 && write_all(to, bytes, (gsize)n);
}

static void converse(int socket, gboolean terminal)
{
    struct pollfd fds[2] = { { .fd = socket, .events = POLLIN },
                             { .fd = STDIN_FILENO, .events = POLLIN } };

    for (;;) {
        int n = poll(fds, 2, fds[1].fd < 0 ? QUIET_MS : -1);

        if (n == 0 || (n < 0 && errno != EINTR)) {
            return;
        }
        if ((fds[0].revents & (POLLIN | POLLHUP)) && !pump(socket, STDOUT_FILENO, FALSE)) {
            return;
        }
        if ((fds[1].revents & (POLLIN | POLLHUP)) && !pump(STDIN_FILENO, socket, terminal)) {
            if (terminal) {
                return;
            }
            fds[1].fd = -1; /* all is said; what the guest answers is still shown */
        }
    }
}

gboolean run_serial(const struct call *call, GError **error)
{
    g_autoptr(OrielEngine) engine = call_engine(call, NULL, error);
    const char *port = call_option(call, "port");
    gboolean terminal = isatty(STDIN_FILENO);
    struct termios before, raw;
    guint64 index = 0;

    if (!engine || (port && !g_ascii_string_to_unsigned(port, 10, 0, 255, &index, error))) {
        return FALSE;
    }
    const char *const *sockets = oriel_engine_get_serial_sockets(engine);

    if (!sockets || index >= g_strv_length((char **)sockets)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND, "“%s” has no serial port %d.",
                    call->arguments[0], (int)index);
        return FALSE;
    }
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(sockets[index]);
    g_autoptr(GSocket) socket =
        g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, error);

    if (!socket || !g_socket_connect(socket, address, NULL, error)) {
        return FALSE;
    }
    if (terminal && tcgetattr(STDIN_FILENO, &before) == 0) {
        raw = before;
        cfmakeraw(&raw);
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        fprintf(stderr, "Connected to “%s”; Ctrl+] leaves.\r\n", call->arguments[0]);
    }
    converse(g_socket_get_fd(socket), terminal);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
        fprintf(stderr, "\n");
    }
    return TRUE;
}
