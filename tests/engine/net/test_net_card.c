/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is behind a network card: against processes that misbehave (fake_net.c), and against the
 * real oriel-net, with a guest that is a few frames: DHCP, UDP to and from this computer, a private
 * network.
 */
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bytes.h"
#include "net/card.h"

enum {
    WAIT_SECONDS = 120, /* of a loaded computer */
};

/* A card's owner: a lock, and what has come. */
struct owner {
    GMutex lock;
    GCond changed;
    struct net_card *card;
    bool link;
    unsigned calls, downs;      /* of on_net(); times that the link went down */
    GQueue frames;              /* GBytes */
    struct net_offload offload; /* of the last */
};

static struct net_cards *cards;
static struct owner owner, second;

static void enter(void *context)
{
    g_mutex_lock(&((struct owner *)context)->lock);
}

static void leave(void *context)
{
    g_mutex_unlock(&((struct owner *)context)->lock);
}

static void on_net(void *context)
{
    struct owner *o = context;
    const struct net_received *received;
    bool link = net_card_link(o->card);

    while ((received = net_card_peek(o->card))) {
        o->offload = received->offload;
        g_queue_push_tail(&o->frames, g_bytes_new(received->bytes, received->length));
        net_card_drop(o->card);
    }
    o->downs += o->link && !link;
    o->link = link;
    o->calls++;
    g_cond_broadcast(&o->changed);
}

static OrielConfig *config_new(void)
{
    OrielConfig *config = oriel_config_new("Test");
    OrielNetwork *network = oriel_config_add_network(config, NULL);

    g_free(network->mac);
    network->mac = g_strdup("02:00:00:00:00:07");
    return config;
}

static struct net_cards *cards_start(const OrielConfig *config, struct owner *o, unsigned accept)
{
    const struct net_owner functions = { enter, leave, on_net };
    struct net_cards *made = net_cards_new(config, &functions);

    memset(o, 0, sizeof(*o));
    g_mutex_init(&o->lock);
    g_cond_init(&o->changed);
    g_queue_init(&o->frames);
    o->card = net_cards_find(made, ((const OrielNetwork *)config->networks->pdata[0])->id, NULL);
    o->link = net_card_link(o->card);
    net_card_set_owner(o->card, o);
    net_card_accept(o->card, accept);
    net_cards_go(made);
    return made;
}

static void owner_clear(struct owner *o)
{
    g_queue_clear_full(&o->frames, (GDestroyNotify)g_bytes_unref);
    g_mutex_clear(&o->lock);
    g_cond_clear(&o->changed);
}

static void setup(const char *behaviour, unsigned accept)
{
    g_autoptr(OrielConfig) config = config_new();

    if (behaviour) {
        g_setenv("ORIEL_NET", g_getenv("FAKE_NET_PROGRAM"), TRUE);
        g_setenv("FAKE_NET", behaviour, TRUE);
    } else {
        g_setenv("ORIEL_NET", g_getenv("ORIEL_NET_PROGRAM"), TRUE);
    }
    ((OrielNetwork *)config->networks->pdata[0])->host_access = TRUE;
    cards = cards_start(config, &owner, accept);
}

static void finish(void)
{
    net_cards_free(cards);
    owner_clear(&owner);
}

/* Waits, outside of the owner, until it is true. */
#define WAIT(o, condition)                                                                         \
    do {                                                                                           \
        gint64 end_ = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;                      \
        bool good_ = true;                                                                         \
        g_mutex_lock(&(o)->lock);                                                                  \
        while (!(condition) && good_) {                                                            \
            good_ = g_cond_wait_until(&(o)->changed, &(o)->lock, end_);                            \
        }                                                                                          \
        g_mutex_unlock(&(o)->lock);                                                                \
        if (!good_) {                                                                              \
            test_fail(__FILE__, __LINE__, "never true: %s", #condition);                           \
        }                                                                                          \
    } while (0)

/* Sends, as a device does: again after on_net() when there was no room. */
static void frame_send(struct owner *o, const uint8_t *bytes, uint32_t length,
                       const struct net_offload *offload)
{
    static const struct net_offload none;
    uint32_t half = length / 2;
    struct block_span spans[] = { { (void *)bytes, half },
                                  { (void *)(bytes + half), length - half } };
    const struct net_frame frame = { offload ? *offload : none, length, 2, spans };
    gint64 end = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;
    unsigned sent;

    g_mutex_lock(&o->lock);
    while ((sent = net_card_send(o->card, &frame, 1)) == 0 &&
           g_cond_wait_until(&o->changed, &o->lock, end)) {
    }
    g_mutex_unlock(&o->lock);
    CHECK_EQ(sent, 1);
}

static GBytes *frame_next(struct owner *o)
{
    GBytes *bytes;

    WAIT(o, o->frames.length > 0);
    g_mutex_lock(&o->lock);
    bytes = g_queue_pop_head(&o->frames);
    g_mutex_unlock(&o->lock);
    return bytes;
}

static uint8_t frame[4000];

static uint32_t frame_make(uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        frame[i] = (uint8_t)(i * 5 + 1);
    }
    return length;
}

/* --- Processes that misbehave ----------------------------------------------------------------- */

TEST(echo)
{
    const struct net_offload offload = { .flags = NET_NEEDS_CSUM,
                                         .csum_start = 20,
                                         .csum_offset = 4 };

    setup("echo", NET_ACCEPT_CSUM);
    CHECK(owner.link);
    frame_send(&owner, frame, frame_make(100), &offload);
    g_autoptr(GBytes) back = frame_next(&owner);
    CHECK_EQ(g_bytes_get_size(back), 100);
    CHECK(memcmp(g_bytes_get_data(back, NULL), frame, 100) == 0);
    CHECK(memcmp(&owner.offload, &offload, sizeof(offload)) == 0);
    CHECK_EQ(owner.downs, 0);
    finish();
}

/* What the card does not take is done for it. */
TEST(echo_without_offloads)
{
    const struct net_offload partial = { .flags = NET_NEEDS_CSUM,
                                         .csum_start = 20,
                                         .csum_offset = 4 };
    struct net_offload large = { .flags = NET_NEEDS_CSUM,
                                 .gso = NET_GSO_TCP4,
                                 .gso_size = 1000,
                                 .csum_start = 34,
                                 .csum_offset = 16 };

    setup("echo", 0);
    frame_send(&owner, frame, frame_make(100), &partial);
    g_autoptr(GBytes) back = frame_next(&owner);
    CHECK_EQ(owner.offload.flags, NET_CSUM_VALID);
    CHECK(memcmp(g_bytes_get_data(back, NULL), frame, 100) != 0);
    frame_make(54 + 2500);
    store_be16(frame + 12, 0x0800);
    frame[14] = 0x45;
    store_be16(frame + 20, 0);
    frame[23] = 6;
    frame[46] = 0x50;
    frame_send(&owner, frame, 54 + 2500, &large);
    for (unsigned i = 0; i < 3; i++) {
        g_autoptr(GBytes) segment = frame_next(&owner);

        CHECK_EQ(g_bytes_get_size(segment), 54 + (i < 2 ? 1000 : 500));
        CHECK(memcmp((const uint8_t *)g_bytes_get_data(segment, NULL) + 54, frame + 54 + 1000 * i,
                     g_bytes_get_size(segment) - 54) == 0);
    }
    finish();
}

TEST(garbage)
{
    struct net_counters counters;

    setup("garbage", NET_ACCEPT_CSUM | NET_ACCEPT_TCP4);
    frame_send(&owner, frame, frame_make(64), NULL);
    g_autoptr(GBytes) back = frame_next(&owner);
    CHECK_EQ(g_bytes_get_size(back), 64);
    net_card_counters(owner.card, &counters);
    CHECK(counters.refused > 100);
    CHECK_EQ(counters.frames_received, 1);
    CHECK_EQ(owner.downs, 0);
    finish();
}

/* The cable goes out and in again; what is sent meanwhile is lost or waits, and nothing hangs. */
TEST(process_ends)
{
    struct net_counters counters;

    setup("leaves", 0);
    frame_send(&owner, frame, frame_make(64), NULL);
    WAIT(&owner, owner.downs == 1);
    WAIT(&owner, owner.link);
    net_card_counters(owner.card, &counters);
    CHECK_EQ(counters.restarts, 1);
    finish();
}

TEST(no_program)
{
    g_autoptr(GError) error = NULL;

    g_setenv("ORIEL_NET", "/nonexistent/oriel-net", TRUE);
    g_autoptr(OrielConfig) config = config_new();
    cards = cards_start(config, &owner, 0);
    WAIT(&owner, !owner.link);
    frame_send(&owner, frame, frame_make(64), NULL); /* goes nowhere */
    CHECK(!net_card_capture(owner.card, -1, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    finish();
}

TEST(answers_that_are_wrong)
{
    g_autofree struct wire_connection *connections =
        g_new(struct wire_connection, WIRE_CONNECTIONS_MAX);

    for (unsigned i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        unsigned n = 0;

        setup(i == 0 ? "liar" : "many", 0);
        frame_send(&owner, frame, frame_make(64), NULL);
        g_bytes_unref(frame_next(&owner)); /* it runs */
        CHECK(!net_card_connections(owner.card, connections, &n, &error));
        CHECK(error->domain == ORIEL_ERROR);
        WAIT(&owner, owner.downs == 1); /* it notices, and another one comes */
        WAIT(&owner, owner.link);
        finish();
    }
}

/* --- The user --------------------------------------------------------------------------------- */

TEST(cable)
{
    struct net_counters counters;

    setup("echo", 0);
    frame_send(&owner, frame, frame_make(64), NULL);
    g_bytes_unref(frame_next(&owner));
    net_card_plug(owner.card, false);
    CHECK(!owner.link);
    frame_send(&owner, frame, 64, NULL);
    net_card_counters(owner.card, &counters);
    CHECK_EQ(counters.dropped, 1);
    net_card_plug(owner.card, true);
    CHECK(owner.link);
    frame_send(&owner, frame, 64, NULL);
    g_bytes_unref(frame_next(&owner));
    finish();
}

/* While the machine stands still nobody enters it, and nothing that came is lost. */
TEST(halt)
{
    setup("echo", 0);
    frame_send(&owner, frame, frame_make(64), NULL);
    g_bytes_unref(frame_next(&owner));
    net_cards_halt(cards);
    unsigned calls = owner.calls;
    frame_send(&owner, frame, 64, NULL);
    g_usleep(50000);
    CHECK_EQ(owner.calls, calls);
    net_cards_go(cards);
    g_bytes_unref(frame_next(&owner));
    net_cards_halt(cards);
    net_cards_replug(cards);
    CHECK(!net_card_link(owner.card));
    net_cards_go(cards);
    WAIT(&owner, owner.downs == 1 && owner.link);
    finish();
}

/* --- oriel-net -------------------------------------------------------------------------------- */

static const uint8_t own[] = { 0x02, 0, 0, 0, 0, 7 };

/* Headers in front of `length` bytes of data at frame + 42; the length of the frame. */
static uint32_t udp_make(const uint8_t *to, uint32_t from_ip, uint32_t to_ip, uint16_t from_port,
                         uint16_t to_port, uint32_t length)
{
    uint32_t sum = 0;

    memcpy(frame, to, 6);
    memcpy(frame + 6, own, 6);
    store_be16(frame + 12, 0x0800);
    memset(frame + 14, 0, 28);
    frame[14] = 0x45;
    store_be16(frame + 16, (uint16_t)(28 + length));
    frame[22] = 64;
    frame[23] = 17;
    store_be32(frame + 26, from_ip);
    store_be32(frame + 30, to_ip);
    for (unsigned i = 14; i < 34; i += 2) {
        sum += load_be16(frame + i);
    }
    store_be16(frame + 24, (uint16_t) ~((sum & 0xffff) + (sum >> 16)));
    store_be16(frame + 34, from_port);
    store_be16(frame + 36, to_port);
    store_be16(frame + 38, (uint16_t)(8 + length));
    return 42 + length;
}

static const uint8_t everybody[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* The next frame of that type and, for UDP, to that port. */
static GBytes *frame_of(struct owner *o, uint16_t type, uint16_t port)
{
    for (;;) {
        GBytes *bytes = frame_next(o);
        const uint8_t *b = g_bytes_get_data(bytes, NULL);

        if (g_bytes_get_size(bytes) >= 42 && load_be16(b + 12) == type &&
            (type != 0x0800 || (b[23] == 17 && load_be16(b + 36) == port))) {
            return bytes;
        }
        g_bytes_unref(bytes);
    }
}

/* Asks for an address, by which the network also learns whose it is. */
static void address_get(void)
{
    static const uint8_t discover[] = { 99, 130, 83, 99, 53, 1, 1, 255 };
    static const uint8_t request[] = { 99, 130, 83, 99, 53, 1, 3, 50, 4, 10, 0, 2, 15, 255 };

    for (unsigned i = 0; i < 2; i++) {
        memset(frame + 42, 0, 300);
        frame[42] = 1;
        frame[43] = 1;
        frame[44] = 6;
        memcpy(frame + 42 + 28, own, 6);
        memcpy(frame + 42 + 236, i == 0 ? discover : request,
               i == 0 ? sizeof(discover) : sizeof(request));
        frame_send(&owner, frame, udp_make(everybody, 0, UINT32_MAX, 68, 67, 300), NULL);
        g_autoptr(GBytes) answer = frame_of(&owner, 0x0800, 68);
        const uint8_t *b = g_bytes_get_data(answer, NULL);

        CHECK_EQ(load_be32(b + 42 + 16), 0x0a00020f);
        CHECK_EQ(b[42 + 240 + 2], i == 0 ? 2 : 5); /* offer, acknowledgement */
    }
}

static int udp_socket(uint16_t *port)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);

    CHECK(bind(fd, (struct sockaddr *)&address, size) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    *port = ntohs(address.sin_port);
    return fd;
}

TEST(guest_and_host)
{
    static const uint8_t gateway[] = { 0x52, 0x55, 10, 0, 2, 2 };
    struct sockaddr_in from;
    socklen_t size = sizeof(from);
    uint16_t port;
    char text[32];
    int host = udp_socket(&port);

    setup(NULL, 0);
    address_get();
    /* There and back. */
    memcpy(frame + 42, "to the host", 11);
    frame_send(&owner, frame, udp_make(gateway, 0x0a00020f, 0x0a000202, 1234, port, 11), NULL);
    CHECK_EQ(recvfrom(host, text, sizeof(text), 0, (struct sockaddr *)&from, &size), 11);
    CHECK(memcmp(text, "to the host", 11) == 0);
    CHECK_EQ(sendto(host, "back", 4, 0, (struct sockaddr *)&from, size), 4);
    g_autoptr(GBytes) back = frame_of(&owner, 0x0800, 1234);
    CHECK(memcmp((const uint8_t *)g_bytes_get_data(back, NULL) + 42, "back", 4) == 0);
    /* A forwarded port. */
    g_autoptr(GError) error = NULL;
    uint16_t other;
    int taken = udp_socket(&other);
    g_autofree char *busy = g_strdup_printf("udp:%u:7", other);

    CHECK(!net_card_forward_add(owner.card, busy, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_EXISTS));
    close(taken);
    CHECK(net_card_forward_add(owner.card, busy, NULL));
    g_clear_error(&error);
    CHECK(!net_card_forward_add(owner.card, busy, &error));
    from.sin_port = htons(other);
    CHECK_EQ(sendto(host, "hello", 5, 0, (struct sockaddr *)&from, size), 5);
    g_autoptr(GBytes) hello = frame_of(&owner, 0x0800, 7);
    CHECK(memcmp((const uint8_t *)g_bytes_get_data(hello, NULL) + 42, "hello", 5) == 0);
    CHECK(net_card_forward_remove(owner.card, busy, NULL));
    g_clear_error(&error);
    CHECK(!net_card_forward_remove(owner.card, busy, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND));
    /* What it knows of all that. */
    g_autofree struct wire_connection *c = g_new(struct wire_connection, WIRE_CONNECTIONS_MAX);
    unsigned n;

    CHECK(net_card_connections(owner.card, c, &n, NULL));
    CHECK_EQ(n, 2);
    const struct wire_connection *first = &c[c[0].guest_port == 1234 ? 0 : 1];
    CHECK_EQ(first->protocol, 17);
    CHECK_EQ(first->guest_port, 1234);
    CHECK_EQ(first->peer_port, port);
    CHECK_EQ(load_be32(first->peer), 0x0a000202);
    CHECK_EQ(first->from_guest, 53);
    CHECK_EQ(first->to_guest, 46);
    close(host);
    finish();
}

/* The one process that a thread of this one has started; 0: none. */
static pid_t child_find(void)
{
    g_autoptr(GDir) dir = g_dir_open("/proc/self/task", 0, NULL);
    const char *task;
    pid_t child = 0;

    while (dir && child == 0 && (task = g_dir_read_name(dir))) {
        g_autofree char *file = g_strdup_printf("/proc/self/task/%s/children", task);
        g_autofree char *text = NULL;

        if (g_file_get_contents(file, &text, NULL, NULL)) {
            child = atoi(text);
        }
    }
    return child;
}

/* The same port leads to the guest after the process has been another one. */
TEST(forwards_outlive_the_process)
{
    uint16_t port;
    int fd = udp_socket(&port);
    g_autofree char *forward = g_strdup_printf("udp:%u:7", port);
    pid_t process;

    setup(NULL, 0);
    address_get();
    close(fd);
    CHECK(net_card_forward_add(owner.card, forward, NULL));
    process = child_find();
    CHECK(process > 0);
    kill(process, SIGKILL);
    WAIT(&owner, owner.downs == 1);
    WAIT(&owner, owner.link);
    int taken = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    CHECK(bind(taken, (struct sockaddr *)&address, sizeof(address)) != 0);
    CHECK_EQ(errno, EADDRINUSE);
    close(taken);
    finish();
}

/* --- Private network -------------------------------------------------------------------------- */

static OrielConfig *private_config(const char *mac)
{
    OrielConfig *config = config_new();
    OrielNetwork *network = config->networks->pdata[0];

    network->mode = ORIEL_NETWORK_PRIVATE;
    network->network = g_strdup("lab");
    g_free(network->mac);
    network->mac = g_strdup(mac);
    return config;
}

TEST(private_network)
{
    static const uint8_t theirs[] = { 0x02, 0, 0, 0, 0, 8 };
    const struct net_offload offload = { .flags = NET_NEEDS_CSUM,
                                         .csum_start = 20,
                                         .csum_offset = 4 };
    g_autofree char *runtime = g_dir_make_tmp("oriel-XXXXXX", NULL);
    g_autoptr(OrielConfig) one = private_config("02:00:00:00:00:07");
    g_autoptr(OrielConfig) two = private_config("02:00:00:00:00:08");
    struct net_cards *others;

    g_setenv("XDG_RUNTIME_DIR", runtime, TRUE);
    g_setenv("ORIEL_NET", g_getenv("ORIEL_NET_PROGRAM"), TRUE);
    cards = cards_start(one, &owner, NET_ACCEPT_CSUM);
    others = cards_start(two, &second, NET_ACCEPT_CSUM);
    WAIT(&owner, owner.calls > 0);
    WAIT(&second, second.calls > 0);
    /* To all, until somebody hears it: the other one may have come a moment ago. */
    for (unsigned i = 0; i < WAIT_SECONDS * 10; i++) {
        frame_make(100);
        memcpy(frame, everybody, 6);
        memcpy(frame + 6, own, 6);
        frame_send(&owner, frame, 100, &offload);
        g_usleep(100000);
        g_mutex_lock(&second.lock);
        bool heard = second.frames.length > 0;
        g_mutex_unlock(&second.lock);
        if (heard) {
            break;
        }
    }
    g_autoptr(GBytes) heard = frame_next(&second);
    CHECK(memcmp(g_bytes_get_data(heard, NULL), frame, 100) == 0);
    CHECK(memcmp(&second.offload, &offload, sizeof(offload)) == 0);
    /* And back to the one. */
    memcpy(frame, own, 6);
    memcpy(frame + 6, theirs, 6);
    frame_send(&second, frame, 200, NULL);
    g_autoptr(GBytes) back = frame_next(&owner);
    CHECK_EQ(g_bytes_get_size(back), 200);
    CHECK(memcmp(g_bytes_get_data(back, NULL), frame, 200) == 0);
    /* Ports are not for such a network. */
    g_autoptr(GError) error = NULL;
    CHECK(!net_card_forward_add(owner.card, "tcp:2222:22", &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
    net_cards_free(others);
    owner_clear(&second);
    finish();
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", runtime);
    CHECK_EQ(system(command), 0);
}

TEST_MAIN(T(echo), T(echo_without_offloads), T(garbage), T(process_ends), T(no_program),
          T(answers_that_are_wrong), T(cable), T(halt), T(guest_and_host),
          T(forwards_outlive_the_process), T(private_network))
