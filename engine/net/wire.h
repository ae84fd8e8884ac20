/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the engine and oriel-net say to each other, on two pairs of SOCK_SEQPACKET sockets that
 * oriel-net gets as descriptors. Each message is one packet, its length given by the packet;
 * numbers are in the host's order, as both are on one computer. Neither side trusts the other.
 *
 * Frames: a struct wire_frame and the frame's bytes, in both directions.
 * Control: the engine sends a struct wire_request, oriel-net answers with a struct wire_reply and,
 * for WIRE_CONNECTIONS, that many struct wire_connection behind it. WIRE_START comes first, once.
 * A descriptor (WIRE_CAPTURE) comes with the request.
 *
 * oriel-net ends when the engine closes either socket.
 */
#ifndef ENGINE_NET_WIRE_H
#define ENGINE_NET_WIRE_H

#include <stdint.h>

#include "net.h"

enum {
    WIRE_FRAMES_FD = 3, /* oriel-net's descriptors */
    WIRE_CONTROL_FD = 4,

    WIRE_ADDRESS_SIZE = 16,
    WIRE_TEXT_SIZE = 160,
    WIRE_PATH_SIZE = 104, /* less than a socket's address takes */
    WIRE_CONNECTIONS_MAX = 256,
};

struct wire_frame {
    struct net_offload offload;
    uint8_t accept; /* from the engine: NET_ACCEPT_* of the card, as of now */
    uint8_t reserved;
};

enum wire_mode {
    WIRE_USER,
    WIRE_PRIVATE,
};

enum wire_op {
    WIRE_START,          /* mode, mtu, mac, host_access; private: folder and name of our socket */
    WIRE_FORWARD_ADD,    /* forward */
    WIRE_FORWARD_REMOVE, /* forward */
    WIRE_CAPTURE,        /* into the file that comes along; without one: no more */
    WIRE_CONNECTIONS,
    WIRE_LIMITS, /* limits */
};

struct wire_forward {
    uint8_t udp, ipv6;
    uint16_t host_port, guest_port;
    uint8_t host[WIRE_ADDRESS_SIZE], guest[WIRE_ADDRESS_SIZE]; /* network order; IPv4 in front */
};

struct wire_start {
    uint32_t mode; /* enum wire_mode */
    uint32_t mtu;
    uint8_t mac[NET_MAC_SIZE];
    uint8_t host_access;
    char folder[WIRE_PATH_SIZE]; /* of the private network's sockets */
    char name[32];               /* of ours in it */
};

struct wire_limits {
    uint64_t to_guest, from_guest; /* bytes a second, 0: none */
};

struct wire_request {
    uint32_t op;
    union {
        struct wire_start start;
        struct wire_forward forward;
        struct wire_limits limits;
    };
};

struct wire_reply {
    int32_t error; /* errno value, 0: done */
    uint32_t n;    /* wire_connections that follow */
};

/* Something that the guest talks to, or that talks to it. */
struct wire_connection {
    uint8_t protocol; /* IP's number: 1, 6, 17, 58 */
    uint8_t ipv6;
    uint8_t closed; /* TCP: both sides have ended, or one has reset it */
    uint8_t reserved;
    uint16_t guest_port, peer_port; /* 0: the protocol has none */
    uint8_t peer[WIRE_ADDRESS_SIZE];
    uint64_t to_guest, from_guest; /* bytes of frames */
    uint32_t idle_seconds;
    char peer_name[92]; /* as the guest asked for it, or empty */
};

#endif
