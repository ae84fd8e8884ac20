/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * serial: the terminal, or standard input and output, joined to a serial port's socket. On a
 * terminal, raw mode until Ctrl+]; otherwise until standard input ends and the guest has been quiet
 * for a moment.
 */
#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gi18n-lib.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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

/* What was typed or read and the guest has not taken yet. */
struct conversation {
    int socket;
    gboolean terminal, input_over;
    char waiting[4096];
    gsize n_waiting;
};

/* Takes input; FALSE if Ctrl+] was pressed. What a guest that reads nothing leaves no room for is
 * lost. */
static gboolean input_take(struct conversation *c)
{
    ssize_t n = read(STDIN_FILENO, c->waiting + c->n_waiting, sizeof(c->waiting) - c->n_waiting);

    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
        c->input_over = TRUE; /* all is said; what the guest answers is still shown */
        return !c->terminal;
    }
    if (n > 0 && c->terminal && memchr(c->waiting + c->n_waiting, LEAVE, (gsize)n)) {
        return FALSE;
    }
    c->n_waiting += n > 0 ? (gsize)n : 0;
    if (c->terminal && c->n_waiting == sizeof(c->waiting)) {
        c->n_waiting--; /* so that Ctrl+] can still be read */
    }
    return TRUE;
}

/* Gives the guest what it takes; FALSE if it is gone. */
static gboolean input_send(struct conversation *c)
{
    ssize_t n = send(c->socket, c->waiting, c->n_waiting, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    memmove(c->waiting, c->waiting + n, c->n_waiting - (gsize)n);
    c->n_waiting -= (gsize)n;
    return TRUE;
}

static gboolean output_take(const struct conversation *c)
{
    char bytes[4096];
    ssize_t n = read(c->socket, bytes, sizeof(bytes));

    if (n < 0 && errno == EINTR) {
        return TRUE;
    }
    return n > 0 && write_all(STDOUT_FILENO, bytes, (gsize)n);
}

static void converse(struct conversation *c)
{
    gboolean on = TRUE;

    while (on) {
        gboolean takes = !c->input_over && (c->terminal || c->n_waiting == 0);
        struct pollfd fds[2] = {
            { .fd = c->socket, .events = (short)(POLLIN | (c->n_waiting > 0 ? POLLOUT : 0)) },
            { .fd = takes ? STDIN_FILENO : -1, .events = POLLIN },
        };
        int n = poll(fds, 2, c->input_over && c->n_waiting == 0 ? QUIET_MS : -1);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        on = n > 0;
        if (on && (fds[0].revents & POLLOUT)) {
            on = input_send(c);
        }
        if (on && (fds[0].revents & (POLLIN | POLLHUP | POLLERR))) {
            on = output_take(c);
        }
        if (on && fds[1].revents) {
            on = input_take(c);
        }
    }
}

gboolean run_serial(const struct call *call, GError **error)
{
    g_autoptr(OrielEngine) engine = call_engine(call, NULL, error);
    const char *port = call_option(call, "port");
    struct termios before, raw;
    gboolean terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    guint64 index = 0;

    if (!engine) {
        return FALSE;
    }
    if (port && !g_ascii_string_to_unsigned(port, 10, 0, 255, &index, NULL)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    _("“%s” is not the number of a serial port."), port);
        return FALSE;
    }
    const char *const *sockets = oriel_engine_get_serial_sockets(engine);

    if (!sockets || index >= g_strv_length((char **)sockets)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND, _("“%s” has no serial port %d."),
                    call->arguments[0], (int)index);
        return FALSE;
    }
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(sockets[index]);
    g_autoptr(GSocket) socket =
        g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, error);

    if (!socket || !g_socket_connect(socket, address, NULL, error)) {
        return FALSE;
    }
    if (terminal) {
        raw = before;
        cfmakeraw(&raw);
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        fprintf(stderr, _("Connected to “%s”; Ctrl+] leaves."), call->arguments[0]);
        fputs("\r\n", stderr);
    }
    struct conversation conversation = { .socket = g_socket_get_fd(socket), .terminal = terminal };

    converse(&conversation);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
        fprintf(stderr, "\n");
    }
    return TRUE;
}
