/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A private network: each card of it is a datagram socket in one folder, which only its user can
 * enter. A frame for one address goes to the socket from which that address was last heard,
 * everything else to all. Nobody is in charge, so nobody can be missed.
 *
 * How it fails: a socket whose process is gone is removed from the folder by whoever notices. A
 * card that takes nothing for a while loses frames, like one on a real network.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "helper.h"
#include "net/offload.h"

enum {
    PEERS_MAX = 64,
    ADDRESSES = 256,
    LOOK_AGAIN_MS = 1000,
    RETRY_MS = 1,
    RETRIES_MAX = 20,
    FRAMES_AT_ONCE = 32,
    MESSAGE_MAX = sizeof(struct wire_frame) + NET_FRAME_MAX,
    BUFFER_BYTES = 4 << 20,
};

struct address {
    uint8_t mac[NET_MAC_SIZE];
    struct sockaddr_un at;
};

struct private_network {
    int fd;
    struct frames *frames;
    char folder[WIRE_PATH_SIZE];
    struct sockaddr_un own;
    struct sockaddr_un peers[PEERS_MAX];
    unsigned n_peers;
    gint64 looked_at; /* milliseconds */
    struct address addresses[ADDRESSES];
    struct {
        uint8_t bytes[MESSAGE_MAX];
        gsize length; /* 0: none */
        struct sockaddr_un to;
        unsigned retries;
    } waiting;
    uint8_t message[MESSAGE_MAX];
};

static gint64 now_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

static bool path_make(struct sockaddr_un *address, const char *folder, const char *name)
{
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    return g_snprintf(address->sun_path, sizeof(address->sun_path), "%s/%s", folder, name) <
           (int)sizeof(address->sun_path);
}

static bool is_same(const struct sockaddr_un *a, const struct sockaddr_un *b)
{
    return strcmp(a->sun_path, b->sun_path) == 0;
}

/* Who is in the folder, unless somebody has just looked. */
static void peers_look(struct private_network *network)
{
    DIR *dir;
    const struct dirent *entry;

    if (network->looked_at != 0 && now_ms() - network->looked_at < LOOK_AGAIN_MS) {
        return;
    }
    network->looked_at = now_ms();
    network->n_peers = 0;
    dir = opendir(network->folder);
    while (dir && network->n_peers < PEERS_MAX && (entry = readdir(dir))) {
        struct sockaddr_un *peer = &network->peers[network->n_peers];

        if (entry->d_name[0] != '.' && path_make(peer, network->folder, entry->d_name) &&
            !is_same(peer, &network->own)) {
            network->n_peers++;
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static struct address *address_place(struct private_network *network, const uint8_t *mac)
{
    unsigned hash = mac[3] * 7u ^ mac[4] * 31u ^ mac[5];

    return &network->addresses[hash % ADDRESSES];
}

/* --- Sending ---------------------------------------------------------------------------------- */

/* False: the other side takes nothing now. */
static bool message_send(struct private_network *network, const void *bytes, gsize length,
                         const struct sockaddr_un *to)
{
    ssize_t n;

    do {
        n = sendto(network->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL,
                   (const struct sockaddr *)to, sizeof(*to));
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == ECONNREFUSED) {
        unlink(to->sun_path);
        network->looked_at = 0;
    }
    return n >= 0 || errno != EAGAIN;
}

static void waiting_send(struct private_network *network)
{
    if (network->waiting.length > 0 &&
        (message_send(network, network->waiting.bytes, network->waiting.length,
                      &network->waiting.to) ||
         ++network->waiting.retries >= RETRIES_MAX)) {
        network->waiting.length = 0;
    }
}

bool private_busy(const struct private_network *network)
{
    return network->waiting.length > 0;
}

void private_input(struct private_network *network, const struct wire_frame *header,
                   const uint8_t *bytes, uint32_t length)
{
    struct wire_frame clean = { .offload = header->offload };
    const struct address *known = address_place(network, bytes);
    gsize size = sizeof(clean) + length;

    memcpy(network->message, &clean, sizeof(clean));
    memcpy(network->message + sizeof(clean), bytes, length);
    if (!(bytes[0] & 1) && known->at.sun_path[0] && memcmp(known->mac, bytes, NET_MAC_SIZE) == 0) {
        if (!message_send(network, network->message, size, &known->at)) {
            memcpy(network->waiting.bytes, network->message, size);
            network->waiting.length = size;
            network->waiting.to = known->at;
            network->waiting.retries = 0;
        }
        return;
    }
    peers_look(network);
    for (unsigned i = 0; i < network->n_peers; i++) {
        message_send(network, network->message, size, &network->peers[i]);
    }
}

/* --- Receiving -------------------------------------------------------------------------------- */

static bool is_in_folder(const struct private_network *network, const struct sockaddr_un *from,
                         socklen_t size)
{
    gsize n = strlen(network->folder);

    return size > offsetof(struct sockaddr_un, sun_path) && from->sun_family == AF_UNIX &&
           strncmp(from->sun_path, network->folder, n) == 0 && from->sun_path[n] == '/';
}

static void message_take(struct private_network *network, gsize size,
                         const struct sockaddr_un *from)
{
    struct wire_frame header;
    uint8_t *bytes = network->message + sizeof(header);
    uint32_t length = (uint32_t)(size - sizeof(header));
    struct address *address;

    memcpy(&header, network->message, sizeof(header));
    if (!offload_valid(&header.offload, bytes, length)) {
        return;
    }
    address = address_place(network, bytes + NET_MAC_SIZE);
    memcpy(address->mac, bytes + NET_MAC_SIZE, NET_MAC_SIZE);
    address->at = *from;
    frames_give(network->frames, &header.offload, bytes, length);
}

static void receive(struct private_network *network)
{
    for (unsigned i = 0; i < FRAMES_AT_ONCE; i++) {
        struct sockaddr_un from = { 0 };
        socklen_t size = sizeof(from) - 1; /* always with a zero at the end */
        ssize_t n = recvfrom(network->fd, network->message, sizeof(network->message),
                             MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &size);

        if (n < 0) {
            return;
        }
        if (n >= (ssize_t)(sizeof(struct wire_frame) + NET_FRAME_MIN) &&
            n <= (ssize_t)sizeof(network->message) && is_in_folder(network, &from, size)) {
            message_take(network, (gsize)n, &from);
        }
    }
}

/* --- Life ------------------------------------------------------------------------------------- */

void private_fill(struct private_network *network, GArray *pollfds, int *timeout)
{
    const struct pollfd pollfd = { .fd = network->fd, .events = POLLIN };

    g_array_append_val(pollfds, pollfd);
    if (network->waiting.length > 0) {
        *timeout = RETRY_MS;
    }
}

void private_poll(struct private_network *network, GArray *pollfds)
{
    waiting_send(network);
    for (guint i = 0; i < pollfds->len; i++) {
        const struct pollfd *pollfd = &g_array_index(pollfds, struct pollfd, i);

        if (pollfd->fd == network->fd && pollfd->revents != 0) {
            receive(network);
        }
    }
}

struct private_network *private_new(const struct wire_start *start, struct frames *frames)
{
    struct private_network *network = g_new0(struct private_network, 1);
    int size = BUFFER_BYTES;

    network->frames = frames;
    g_strlcpy(network->folder, start->folder, sizeof(network->folder));
    network->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (network->fd < 0 || !path_make(&network->own, start->folder, start->name)) {
        errno = network->fd < 0 ? errno : ENAMETOOLONG;
        return NULL;
    }
    setsockopt(network->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    unlink(network->own.sun_path);
    if (bind(network->fd, (const struct sockaddr *)&network->own, sizeof(network->own)) != 0) {
        return NULL;
    }
    return network;
}

void private_end(struct private_network *network)
{
    unlink(network->own.sun_path);
}
