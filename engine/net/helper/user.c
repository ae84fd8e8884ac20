/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The user's network: libslirp ends the guest's connections and makes them anew with sockets of
 * this process, so they go wherever the user's own go.
 *
 *   10.0.2.0/24      gateway .2, name server .3, the guest from .15 on (DHCP)
 *   fd6f:7269:656c::/64   gateway ::2, name server ::3, the guest by its own choice
 *
 * Large segments stay large on their way: libslirp takes packets of any size, and sends as large
 * ones as a connection's other side allows. A guest that takes large segments is therefore made to
 * allow them, and what comes for it is cut, by its card or the engine, to what its network allows.
 */
#include <errno.h>
#include <netinet/in.h>
#include <slirp/libslirp.h>
#include <string.h>
#include <sys/socket.h>

#include "helper.h"
#include "net/offload.h"

enum {
    SLIRP_MTU = 65520, /* the most that it takes */
    MSS4 = SLIRP_MTU - 40,
    MSS6 = SLIRP_MTU - 60,
    PIECE = 32768, /* data of the pieces of a segment too large for it */
    TIMERS_MAX = SLIRP_TIMER_NUM + 4,
    RECEIVED_MAX = NET_HEADER_SIZE + 65535,
};

struct timer {
    SlirpTimerId id;
    void *context;
    gint64 at; /* milliseconds of clock_ns(); G_MAXINT64: off */
    bool used;
};

struct user {
    Slirp *slirp;
    struct frames *frames;
    struct timer timers[TIMERS_MAX];
    uint8_t accept; /* of the card */
    unsigned mtu;
    GArray *pollfds; /* while it fills or polls */
    uint8_t scratch[sizeof(struct wire_frame) + RECEIVED_MAX];
    uint8_t piece[sizeof(struct wire_frame) + 256 + 65536];
};

/* --- What libslirp asks for ------------------------------------------------------------------- */

/* A datagram longer than the guest's network takes; what cannot be cut goes as it is. */
static void fragments_give(struct user *user, const uint8_t *bytes, uint32_t length)
{
    const struct net_offload valid = { .flags = NET_CSUM_VALID };
    uint8_t *out = user->piece + sizeof(struct wire_frame);
    uint32_t done = 0, n;

    while ((n = offload_fragment(bytes, length, user->mtu, &done, out)) > 0) {
        frames_give(user->frames, &valid, out, n);
    }
    if (done == 0) {
        frames_give(user->frames, &valid, user->scratch + sizeof(struct wire_frame), length);
    }
}

static ssize_t send_packet(const void *packet, size_t size, void *context)
{
    struct user *user = context;
    uint8_t *bytes = user->scratch + sizeof(struct wire_frame);
    struct net_offload offload = { .flags = NET_CSUM_VALID };
    uint32_t length = (uint32_t)size;

    if (size < NET_FRAME_MIN || size > RECEIVED_MAX) {
        return (ssize_t)size;
    }
    memcpy(bytes, packet, size);
    if (length <= NET_HEADER_SIZE + user->mtu ||
        offload_large(&offload, bytes, length, user->mtu)) {
        frames_give(user->frames, &offload, bytes, length);
    } else {
        fragments_give(user, bytes, length);
    }
    return (ssize_t)size;
}

static void guest_error(const char *message, void *context)
{
    g_debug("guest: %s", message);
}

static int64_t clock_ns(void *context)
{
    return g_get_monotonic_time() * 1000;
}

static void *timer_new(SlirpTimerId id, void *timer_context, void *context)
{
    struct user *user = context;

    for (unsigned i = 0; i < TIMERS_MAX; i++) {
        if (!user->timers[i].used) {
            user->timers[i] = (struct timer){ id, timer_context, G_MAXINT64, true };
            return &user->timers[i];
        }
    }
    g_error("libslirp wants more than %d timers", TIMERS_MAX);
}

static void timer_free(void *timer, void *context)
{
    ((struct timer *)timer)->used = false;
}

static void timer_mod(void *timer, int64_t at, void *context)
{
    ((struct timer *)timer)->at = at;
}

static void register_poll_fd(int fd, void *context)
{
}

static void notify(void *context)
{
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_ns,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = register_poll_fd,
    .unregister_poll_fd = register_poll_fd,
    .notify = notify,
    .timer_new_opaque = timer_new,
};

/* --- The loop --------------------------------------------------------------------------------- */

static int add_poll(int fd, int events, void *context)
{
    GArray *pollfds = context;
    struct pollfd pollfd = {
        .fd = fd,
        .events = (short)((events & SLIRP_POLL_IN ? POLLIN : 0) |
                          (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
                          (events & SLIRP_POLL_PRI ? POLLPRI : 0)),
    };

    g_array_append_val(pollfds, pollfd);
    return (int)pollfds->len - 1;
}

static int get_revents(int index, void *context)
{
    const GArray *pollfds = context;
    short events = g_array_index(pollfds, struct pollfd, index).revents;

    return (events & POLLIN ? SLIRP_POLL_IN : 0) | (events & POLLOUT ? SLIRP_POLL_OUT : 0) |
           (events & POLLPRI ? SLIRP_POLL_PRI : 0) | (events & POLLERR ? SLIRP_POLL_ERR : 0) |
           (events & POLLHUP ? SLIRP_POLL_HUP : 0);
}

void user_fill(struct user *user, GArray *pollfds, int *timeout)
{
    uint32_t wait = *timeout < 0 ? UINT32_MAX : (uint32_t)*timeout;
    gint64 now = clock_ns(NULL) / 1000000;

    slirp_pollfds_fill(user->slirp, &wait, add_poll, pollfds);
    for (unsigned i = 0; i < TIMERS_MAX; i++) {
        const struct timer *timer = &user->timers[i];

        if (timer->used && timer->at != G_MAXINT64) {
            wait = (uint32_t)MIN((gint64)wait, MAX(timer->at - now, 0));
        }
    }
    *timeout = wait > G_MAXINT ? -1 : (int)wait;
}

void user_poll(struct user *user, GArray *pollfds)
{
    gint64 now = clock_ns(NULL) / 1000000;

    slirp_pollfds_poll(user->slirp, 0, get_revents, pollfds);
    for (unsigned i = 0; i < TIMERS_MAX; i++) {
        struct timer *timer = &user->timers[i];

        if (timer->used && timer->at <= now) {
            timer->at = G_MAXINT64;
            slirp_handle_timer(user->slirp, timer->id, timer->context);
        }
    }
}

/* --- Frames of the guest ---------------------------------------------------------------------- */

/* More than libslirp takes in one packet. */
static void pieces_input(struct user *user, const struct net_offload *offload, const uint8_t *bytes,
                         uint32_t length)
{
    uint32_t size = MAX(PIECE / offload->gso_size, 1) * offload->gso_size, n;
    struct offload_cut cut;

    offload_cut_start(&cut, offload, bytes, length, size);
    while ((n = offload_cut_next(&cut, user->piece)) > 0) {
        slirp_input(user->slirp, user->piece, (int)n);
    }
}

void user_input(struct user *user, const struct wire_frame *header, uint8_t *bytes, uint32_t length)
{
    struct net_offload offload = header->offload;

    user->accept = header->accept;
    if (offload.gso != NET_GSO_NONE && length > SLIRP_MTU) {
        pieces_input(user, &offload, bytes, length);
        return;
    }
    if (offload.gso != NET_GSO_NONE) {
        offload_whole(&offload, bytes, length);
    } else {
        offload_checksum(&offload, bytes, length);
        offload_mss_set(bytes, length, user->accept & NET_ACCEPT_TCP4 ? MSS4 : 0,
                        user->accept & NET_ACCEPT_TCP6 ? MSS6 : 0);
    }
    slirp_input(user->slirp, bytes, (int)length);
}

/* --- Port forwards ---------------------------------------------------------------------------- */

static socklen_t address_make(struct sockaddr_storage *storage, bool ipv6, const uint8_t *address,
                              uint16_t port)
{
    memset(storage, 0, sizeof(*storage));
    if (ipv6) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)storage;

        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        memcpy(&six->sin6_addr, address, sizeof(six->sin6_addr));
        return sizeof(*six);
    }
    struct sockaddr_in *four = (struct sockaddr_in *)storage;

    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    memcpy(&four->sin_addr, address, sizeof(four->sin_addr));
    return sizeof(*four);
}

int user_forward(struct user *user, const struct wire_forward *forward, bool add)
{
    struct sockaddr_storage host, guest;
    socklen_t size = address_make(&host, forward->ipv6, forward->host, forward->host_port);
    int flags = (forward->udp ? SLIRP_HOSTFWD_UDP : 0) | (forward->ipv6 ? SLIRP_HOSTFWD_V6ONLY : 0);

    if (forward->host_port == 0 || forward->guest_port == 0) {
        return EINVAL;
    }
    address_make(&guest, forward->ipv6, forward->guest, forward->guest_port);
    errno = 0;
    if (add ? slirp_add_hostxfwd(user->slirp, (struct sockaddr *)&host, size,
                                 (struct sockaddr *)&guest, size, flags) == 0
            : slirp_remove_hostxfwd(user->slirp, (struct sockaddr *)&host, size, flags) == 0) {
        return 0;
    }
    return errno != 0 ? errno : add ? EADDRINUSE : ENOENT;
}

/* --- Life ------------------------------------------------------------------------------------- */

struct user *user_new(const struct wire_start *start, struct frames *frames)
{
    struct user *user = g_new0(struct user, 1);
    SlirpConfig config = {
        .version = 4,
        .in_enabled = true,
        .vnetwork.s_addr = htonl(0x0a000200),
        .vnetmask.s_addr = htonl(0xffffff00),
        .vhost.s_addr = htonl(0x0a000202),
        .vdhcp_start.s_addr = htonl(0x0a00020f),
        .vnameserver.s_addr = htonl(0x0a000203),
        .in6_enabled = true,
        .vprefix_len = 64,
        .if_mtu = SLIRP_MTU,
        .if_mru = SLIRP_MTU,
        .disable_host_loopback = !start->host_access,
    };
    static const uint8_t prefix[] = { 0xfd, 0x6f, 0x72, 0x69, 0x65, 0x6c };

    memcpy(&config.vprefix_addr6, prefix, sizeof(prefix));
    config.vhost6 = config.vnameserver6 = config.vprefix_addr6;
    config.vhost6.s6_addr[15] = 2;
    config.vnameserver6.s6_addr[15] = 3;
    user->frames = frames;
    user->mtu = start->mtu;
    user->slirp = slirp_new(&config, &callbacks, user);
    return user;
}
