/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whom the guest talks to: one entry for each protocol, peer and ports, from the frames that go by.
 * The oldest gives way when there are many. What every network does by itself (DHCP, neighbours) is
 * left out.
 */
#include <string.h>

#include "bytes.h"
#include "helper.h"

enum {
    WAYS = 4,
    SETS = WIRE_CONNECTIONS_MAX / WAYS,
    TYPE_OFFSET = 12,
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    ICMP = 1,
    TCP = 6,
    UDP = 17,
    ICMP6 = 58,
    UDP_HEADER = 8,
    PORT_DNS = 53,
    PORT_DHCP_SERVER = 67,
    PORT_DHCP_CLIENT = 68,
    PORT_DHCP6_CLIENT = 546,
    TCP_FLAGS = 13,
    TCP_FIN = 1,
    TCP_RST = 4,
};

struct flow {
    struct wire_connection connection; /* protocol 0: empty */
    gint64 seen;
    bool ended[2]; /* FIN from the guest, to the guest */
};

struct flows {
    struct flow sets[SETS][WAYS];
    struct names *names;
};

/* What of a frame matters. */
struct header {
    uint8_t protocol;
    bool ipv6;
    const uint8_t *from, *to; /* addresses */
    uint16_t from_port, to_port;
    const uint8_t *data; /* behind the IP header */
    uint32_t length;
};

struct flows *flows_new(void)
{
    struct flows *flows = g_new0(struct flows, 1);

    flows->names = names_new();
    return flows;
}

static bool ports_read(struct header *header)
{
    switch (header->protocol) {
    case TCP:
    case UDP:
        if (header->length < UDP_HEADER) {
            return false;
        }
        header->from_port = load_be16(header->data);
        header->to_port = load_be16(header->data + 2);
        return header->from_port != PORT_DHCP_CLIENT && header->from_port != PORT_DHCP_SERVER &&
               header->from_port != PORT_DHCP6_CLIENT && header->to_port != PORT_DHCP6_CLIENT;
    case ICMP:
        return header->length > 0 && (header->data[0] == 8 || header->data[0] == 0);
    case ICMP6:
        return header->length > 0 && (header->data[0] == 128 || header->data[0] == 129);
    default:
        return false;
    }
}

static bool header_read(const uint8_t *bytes, uint32_t length, struct header *header)
{
    const uint8_t *ip = bytes + NET_HEADER_SIZE;
    uint32_t left = length - NET_HEADER_SIZE, size;

    *header = (struct header){ .ipv6 = load_be16(bytes + TYPE_OFFSET) == TYPE_IPV6 };
    if (header->ipv6) {
        size = 40;
        if (left < size) {
            return false;
        }
        header->protocol = ip[6];
        header->from = ip + 8;
        header->to = ip + 24;
    } else {
        if (load_be16(bytes + TYPE_OFFSET) != TYPE_IPV4 || left < 20) {
            return false;
        }
        size = (ip[0] & 0xfu) * 4;
        if (size < 20 || left < size || (load_be16(ip + 6) & 0x1fff) != 0) {
            return false;
        }
        header->protocol = ip[9];
        header->from = ip + 12;
        header->to = ip + 16;
    }
    header->data = ip + size;
    header->length = left - size;
    return ports_read(header);
}

static bool is_of(const struct flow *flow, const struct wire_connection *key)
{
    const struct wire_connection *c = &flow->connection;

    return c->protocol == key->protocol && c->ipv6 == key->ipv6 &&
           c->guest_port == key->guest_port && c->peer_port == key->peer_port &&
           memcmp(c->peer, key->peer, WIRE_ADDRESS_SIZE) == 0;
}

/* The flow of that key, made in place of the one seen least lately if there is none. */
static struct flow *flow_find(struct flows *flows, const struct wire_connection *key)
{
    uint32_t hash = key->protocol + key->guest_port * 31u + key->peer_port * 131u;
    struct flow *set, *oldest;

    for (unsigned i = 0; i < WIRE_ADDRESS_SIZE; i++) {
        hash = hash * 33 + key->peer[i];
    }
    set = oldest = flows->sets[(hash ^ hash >> 16) % SETS];
    for (unsigned i = 0; i < WAYS; i++) {
        if (is_of(&set[i], key)) {
            return &set[i];
        }
        if (set[i].seen < oldest->seen) {
            oldest = &set[i];
        }
    }
    *oldest = (struct flow){ .connection = *key };
    return oldest;
}

static void tcp_note(struct flow *flow, bool to_guest, const struct header *header)
{
    if (header->length <= TCP_FLAGS) {
        return;
    }
    if (header->data[TCP_FLAGS] & TCP_FIN) {
        flow->ended[to_guest] = true;
    }
    if ((header->data[TCP_FLAGS] & TCP_RST) || (flow->ended[0] && flow->ended[1])) {
        flow->connection.closed = 1;
    }
}

void flows_note(struct flows *flows, bool to_guest, const uint8_t *bytes, uint32_t length)
{
    struct wire_connection key = { 0 };
    struct header header;
    struct flow *flow;

    if (length < NET_HEADER_SIZE || !header_read(bytes, length, &header)) {
        return;
    }
    if (to_guest && header.protocol == UDP && header.from_port == PORT_DNS) {
        names_note(flows->names, header.data + UDP_HEADER, header.length - UDP_HEADER);
    }
    key.protocol = header.protocol;
    key.ipv6 = header.ipv6;
    key.guest_port = to_guest ? header.to_port : header.from_port;
    key.peer_port = to_guest ? header.from_port : header.to_port;
    memcpy(key.peer, to_guest ? header.from : header.to, header.ipv6 ? 16 : 4);
    flow = flow_find(flows, &key);
    flow->seen = g_get_monotonic_time();
    if (to_guest) {
        flow->connection.to_guest += length;
    } else {
        flow->connection.from_guest += length;
    }
    if (header.protocol == TCP) {
        tcp_note(flow, to_guest, &header);
    }
}

static int later_first(const void *a, const void *b)
{
    const struct wire_connection *x = a, *y = b;

    return (x->idle_seconds > y->idle_seconds) - (x->idle_seconds < y->idle_seconds);
}

unsigned flows_list(const struct flows *flows, struct wire_connection *connections)
{
    gint64 now = g_get_monotonic_time();
    unsigned n = 0;

    for (unsigned i = 0; i < WIRE_CONNECTIONS_MAX; i++) {
        const struct flow *flow = &flows->sets[i / WAYS][i % WAYS];
        const char *name;

        if (flow->connection.protocol == 0) {
            continue;
        }
        connections[n] = flow->connection;
        connections[n].idle_seconds = (uint32_t)((now - flow->seen) / G_USEC_PER_SEC);
        name = names_find(flows->names, flow->connection.peer, flow->connection.ipv6);
        g_strlcpy(connections[n].peer_name, name ? name : "", sizeof(connections[n].peer_name));
        n++;
    }
    qsort(connections, n, sizeof(connections[0]), later_first);
    return n;
}
