/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See process.h. */
#include "net/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
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

/*
 * By posix_spawn(): a fork would copy the page tables of the guest's memory, and hold the locks of
 * the machine and its disks until it has become another program, even when the engine is killed
 * meanwhile.
 */
static int spawn_with(const char *program, int frames, int control, pid_t *pid)
{
    char *const arguments[] = { (char *)program, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    int result;

    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, frames, WIRE_FRAMES_FD);
    posix_spawn_file_actions_adddup2(&actions, control, WIRE_CONTROL_FD);
    posix_spawn_file_actions_addclosefrom_np(&actions, WIRE_CONTROL_FD + 1);
    result = posix_spawn(pid, program, &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return result;
}

static bool spawn(struct net_process *process, int frames, int control, GError **error)
{
    g_autofree char *program = program_find();
    /* Copies that are in nobody's way where the process expects them. */
    int frames_copy = fcntl(frames, F_DUPFD_CLOEXEC, WIRE_CONTROL_FD + 1);
    int control_copy = fcntl(control, F_DUPFD_CLOEXEC, WIRE_CONTROL_FD + 1);
    int result = frames_copy < 0 || control_copy < 0
                     ? errno
                     : spawn_with(program, frames_copy, control_copy, &process->pid);

    if (frames_copy >= 0) {
        close(frames_copy);
    }
    if (control_copy >= 0) {
        close(control_copy);
    }
    if (result == 0) {
        return true;
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                "The network of the machine cannot be started: %s. Its cable is out until then.",
                g_strerror(result));
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
    }
    *process = (struct net_process){ .frames = -1, .control = -1 };
}
