/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See process.h. */
#include "net/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"

enum {
    ANSWER_MS = 5000,
    BUFFER_BYTES = 4 << 20, /* as much as the system allows */
};

static char *program_find(void)
{
    g_autofree char *engine = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(engine ? engine : ".");
    const char *chosen = g_getenv("ORIEL_NET");

    return chosen ? g_strdup(chosen) : g_build_filename(folder, "oriel-net", NULL);
}

static bool pair_make(int pair[2], int flags)
{
    int size = BUFFER_BYTES;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0, pair) != 0) {
        return false;
    }
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    return true;
}

static void pair_close(const int pair[2])
{
    if (pair[0] >= 0) {
        close(pair[0]);
        close(pair[1]);
    }
}

static bool spawn(struct net_process *process, int frames, int control, GError **error)
{
    g_autofree char *program = program_find();
    const char *const arguments[] = { program, NULL };
    const int from[] = { frames, control };
    const int to[] = { WIRE_FRAMES_FD, WIRE_CONTROL_FD };
    g_autoptr(GError) cause = NULL;

    if (g_spawn_async_with_pipes_and_fds(NULL, arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                                         NULL, -1, -1, -1, from, to, G_N_ELEMENTS(from),
                                         &process->pid, NULL, NULL, NULL, &cause)) {
        return true;
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                "The network of the machine cannot be started: %s. Its cable is out until then.",
                cause->message);
    return false;
}

bool net_process_start(struct net_process *process, const struct wire_start *start, GError **error)
{
    struct wire_request request = { .op = WIRE_START, .start = *start };
    int frames[2] = { -1, -1 }, control[2] = { -1, -1 }, number;

    *process = (struct net_process){ .frames = -1, .control = -1 };
    if (!pair_make(frames, SOCK_NONBLOCK) || !pair_make(control, 0)) {
        oriel_error_set_errno(error, errno, "The network of the machine cannot be started");
        pair_close(frames);
        return false;
    }
    if (!spawn(process, frames[1], control[1], error)) {
        pair_close(frames);
        pair_close(control);
        return false;
    }
    close(frames[1]);
    close(control[1]);
    process->frames = frames[0];
    process->control = control[0];
    number = net_process_request(process, &request, -1, NULL, NULL);
    if (number != 0) {
        oriel_error_set_errno(error, number, "The network of the machine does not start");
        net_process_end(process);
        return false;
    }
    return true;
}

static int request_send(const struct net_process *process, const struct wire_request *request,
                        int fd)
{
    struct iovec iov = { (void *)request, sizeof(*request) };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } ancillary = { { 0 } };

    if (fd >= 0) {
        struct cmsghdr *header;

        message.msg_control = ancillary.bytes;
        message.msg_controllen = sizeof(ancillary.bytes);
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(int));
    }
    return sendmsg(process->control, &message, MSG_NOSIGNAL | MSG_DONTWAIT) ==
                   (ssize_t)sizeof(*request)
               ? 0
               : EPIPE;
}

/* The next message of the control socket, of exactly `size` bytes. */
static int answer_read(const struct net_process *process, void *bytes, size_t size)
{
    struct pollfd pollfd = { .fd = process->control, .events = POLLIN };
    int ready;

    do {
        ready = poll(&pollfd, 1, ANSWER_MS);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0) {
        return ETIMEDOUT;
    }
    ssize_t n = recv(process->control, bytes, size, MSG_DONTWAIT | MSG_TRUNC);

    return n <= 0 ? EPIPE : n == (ssize_t)size ? 0 : EPROTO;
}

int net_process_request(struct net_process *process, const struct wire_request *request, int fd,
                        struct wire_connection *connections, unsigned *n)
{
    struct wire_reply reply;
    int number;

    if (process->control < 0) {
        return EPIPE;
    }
    number = request_send(process, request, fd);
    if (number == 0) {
        number = answer_read(process, &reply, sizeof(reply));
    }
    if (number == 0 && (reply.error < 0 || reply.n > (connections ? WIRE_CONNECTIONS_MAX : 0))) {
        number = EPROTO;
    }
    for (unsigned i = 0; number == 0 && i < reply.n; i++) {
        number = answer_read(process, &connections[i], sizeof(connections[i]));
    }
    if (number != 0) {
        /* Answers would be taken for those of other requests from here on. */
        close(process->control);
        process->control = -1;
        return number;
    }
    if (n) {
        *n = reply.n;
    }
    return reply.error;
}

void net_process_end(struct net_process *process)
{
    if (process->frames >= 0) {
        close(process->frames);
    }
    if (process->control >= 0) {
        close(process->control);
    }
    if (process->pid != 0) {
        kill(process->pid, SIGKILL);
        while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        g_spawn_close_pid(process->pid);
    }
    *process = (struct net_process){ .frames = -1, .control = -1 };
}
