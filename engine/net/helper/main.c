/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * oriel-net: the network behind one card of a running machine. The engine starts it with two
 * sockets (wire.h) and it ends with them. Everything that comes from outside is handled here and
 * not in the engine; when something goes wrong here the machine loses its cable for a moment.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper.h"
#include "net/offload.h"

enum {
    BATCH = 16,
    SLOT_SIZE = sizeof(struct wire_frame) + NET_FRAME_MAX,
    POLL_FRAMES = 0, /* places in the array for poll() */
    POLL_CONTROL = 1,
};

struct helper {
    bool started;
    struct frames frames;
    struct bucket from_guest;
    struct user *user;
    struct private_network *network;
    GArray *pollfds;
    uint8_t *slots;
};

/* --- Control ---------------------------------------------------------------------------------- */

static int start_carry_out(struct helper *helper, struct wire_start *start)
{
    start->folder[sizeof(start->folder) - 1] = start->name[sizeof(start->name) - 1] = '\0';
    if (helper->started || start->mtu < 576 || start->mtu > 65520) {
        return EINVAL;
    }
    if (start->mode == WIRE_USER) {
        helper->user = user_new(start, &helper->frames);
    } else {
        helper->network = private_new(start, &helper->frames);
        if (!helper->network) {
            return errno;
        }
    }
    helper->started = true;
    sandbox_enter(start);
    return 0;
}

static int capture_carry_out(struct helper *helper, int fd)
{
    capture_free(helper->frames.capture);
    helper->frames.capture = fd >= 0 ? capture_new(fd) : NULL;
    return 0;
}

/* Takes `fd`. */
static int request_carry_out(struct helper *helper, struct wire_request *request, int fd)
{
    if (request->op == WIRE_CAPTURE) {
        return capture_carry_out(helper, fd);
    }
    if (fd >= 0) {
        close(fd);
    }
    switch (request->op) {
    case WIRE_START:
        return start_carry_out(helper, &request->start);
    case WIRE_FORWARD_ADD:
    case WIRE_FORWARD_REMOVE:
        return helper->user
                   ? user_forward(helper->user, &request->forward, request->op == WIRE_FORWARD_ADD)
                   : EINVAL;
    case WIRE_LIMITS:
        bucket_set(&helper->frames.to_guest, request->limits.to_guest);
        bucket_set(&helper->from_guest, request->limits.from_guest);
        return 0;
    case WIRE_CONNECTIONS:
        return 0;
    default:
        return EINVAL;
    }
}

/* A request and its descriptor (-1: none); false at the end of the engine. */
static bool request_read(struct wire_request *request, int *fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } ancillary;
    struct iovec iov = { request, sizeof(*request) };
    struct msghdr message = { .msg_iov = &iov,
                              .msg_iovlen = 1,
                              .msg_control = ancillary.bytes,
                              .msg_controllen = sizeof(ancillary.bytes) };
    ssize_t n = recvmsg(WIRE_CONTROL_FD, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;

    *fd = -1;
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof(int))) {
        memcpy(fd, CMSG_DATA(header), sizeof(int));
    }
    return n == (ssize_t)sizeof(*request);
}

static bool control_handle(struct helper *helper)
{
    static struct wire_connection connections[WIRE_CONNECTIONS_MAX];
    struct wire_request request;
    struct wire_reply reply = { 0 };
    int fd;

    if (!request_read(&request, &fd)) {
        return false;
    }
    reply.error = request_carry_out(helper, &request, fd);
    if (request.op == WIRE_CONNECTIONS) {
        reply.n = flows_list(helper->frames.flows, connections);
    }
    if (send(WIRE_CONTROL_FD, &reply, sizeof(reply), MSG_NOSIGNAL) < 0) {
        return false;
    }
    for (unsigned i = 0; i < reply.n; i++) {
        if (send(WIRE_CONTROL_FD, &connections[i], sizeof(connections[i]), MSG_NOSIGNAL) < 0) {
            return false;
        }
    }
    return true;
}

/* --- Frames of the guest ---------------------------------------------------------------------- */

static void frame_handle(struct helper *helper, uint8_t *slot, gsize size)
{
    struct wire_frame header;
    uint8_t *bytes = slot + sizeof(header);
    uint32_t length = (uint32_t)(size - sizeof(header));

    memcpy(&header, slot, sizeof(header));
    if (!helper->started || !offload_valid(&header.offload, bytes, length)) {
        return;
    }
    flows_note(helper->frames.flows, false, bytes, length);
    capture_note(helper->frames.capture, false, bytes, length);
    bucket_take(&helper->from_guest, length);
    if (helper->user) {
        user_input(helper->user, &header, bytes, length);
    } else {
        private_input(helper->network, &header, bytes, length);
    }
}

/* One batch; false at the end of the engine. */
static bool frames_handle(struct helper *helper)
{
    struct mmsghdr messages[BATCH] = { 0 };
    struct iovec iov[BATCH];
    unsigned batch = helper->network ? 1 : BATCH; /* there a frame may have to wait */
    int n;

    for (unsigned i = 0; i < batch; i++) {
        iov[i] = (struct iovec){ helper->slots + (size_t)i * SLOT_SIZE, SLOT_SIZE };
        messages[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
    }
    n = recvmmsg(WIRE_FRAMES_FD, messages, batch, MSG_DONTWAIT, NULL);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    for (int i = 0; i < n; i++) {
        if (messages[i].msg_len == 0) {
            return false;
        }
        if (messages[i].msg_len >= sizeof(struct wire_frame) + NET_FRAME_MIN &&
            !(messages[i].msg_hdr.msg_flags & MSG_TRUNC)) {
            frame_handle(helper, iov[i].iov_base, messages[i].msg_len);
        }
    }
    return n > 0;
}

/* --- The loop --------------------------------------------------------------------------------- */

static int sooner(int a, int b)
{
    return a < 0 ? b : b < 0 ? a : MIN(a, b);
}

/* What to wait for. True if the backend is part of it. */
static bool pollfds_fill(struct helper *helper, int *timeout)
{
    const struct pollfd control = { .fd = WIRE_CONTROL_FD, .events = POLLIN };
    struct pollfd frames = { .fd = WIRE_FRAMES_FD };
    int from_guest = bucket_wait(&helper->from_guest);
    int to_guest = bucket_wait(&helper->frames.to_guest);
    bool waits = frames_wait(&helper->frames);

    *timeout = -1;
    g_array_set_size(helper->pollfds, 0);
    frames.events = waits ? POLLOUT : 0;
    if (!waits && from_guest == 0 && !(helper->network && private_busy(helper->network))) {
        frames.events |= POLLIN;
    }
    g_array_append_val(helper->pollfds, frames);
    g_array_append_val(helper->pollfds, control);
    if (helper->user && !waits && to_guest == 0) {
        user_fill(helper->user, helper->pollfds, timeout);
    } else if (helper->network && !waits && to_guest == 0) {
        private_fill(helper->network, helper->pollfds, timeout);
    }
    if (from_guest > 0) {
        *timeout = sooner(*timeout, from_guest);
    }
    if (to_guest > 0 && !waits) {
        *timeout = sooner(*timeout, to_guest);
    }
    return !waits && to_guest == 0;
}

/* False at the end of the engine. */
static bool turn(struct helper *helper)
{
    int timeout;
    bool backend = pollfds_fill(helper, &timeout);
    struct pollfd *pollfds = (struct pollfd *)(void *)helper->pollfds->data;

    if (poll(pollfds, helper->pollfds->len, timeout) < 0 && errno != EINTR) {
        return false;
    }
    short frames = pollfds[POLL_FRAMES].revents, control = pollfds[POLL_CONTROL].revents;

    if ((control && !control_handle(helper)) ||
        ((frames & (POLLHUP | POLLERR)) && !(frames & POLLIN))) {
        return false;
    }
    frames_flush(&helper->frames);
    if (backend && helper->user) {
        user_poll(helper->user, helper->pollfds);
    } else if (backend && helper->network) {
        private_poll(helper->network, helper->pollfds);
    }
    if ((frames & POLLIN) && !frames_handle(helper)) {
        return false;
    }
    return !helper->user || sandbox_resolver_reachable();
}

int main(void)
{
    struct helper helper = { .frames.fd = WIRE_FRAMES_FD };
    int type;
    socklen_t size = sizeof(type);

    if (getsockopt(WIRE_FRAMES_FD, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
        type != SOCK_SEQPACKET) {
        g_printerr("oriel-net is started by oriel-engine and does nothing by itself.\n");
        return 2;
    }
    g_set_prgname("oriel-net");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* of a terminal: it ends with the engine */
    signal(SIGHUP, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    helper.frames.flows = flows_new();
    helper.pollfds = g_array_new(FALSE, TRUE, sizeof(struct pollfd));
    helper.slots = g_malloc((gsize)BATCH * SLOT_SIZE);
    while (turn(&helper)) {
    }
    if (helper.network) {
        private_end(helper.network);
    }
    capture_free(helper.frames.capture);
    _exit(0); /* the rest goes with the process */
}
