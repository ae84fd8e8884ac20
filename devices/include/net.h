/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The network back end as a network card sees it: Ethernet frames without their check sequence, the
 * state of the link, and what is left to the other side to do: checksums and cutting large TCP
 * segments. A card has one back end at most; services net_* of services.h lead to it, on_net() of
 * its class tells that there is something new.
 *
 * Offloads are those of virtio 1.2, section 5.1.6, for every card. A card may send any frame for
 * which offload_valid() of the engine holds; what it gets asks for no more than it said by
 * net_accept().
 */
#ifndef DEVICES_NET_H
#define DEVICES_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "block.h"

struct dev_error;
struct device;

enum {
    NET_MAC_SIZE = 6,
    NET_HEADER_SIZE = 14, /* bytes of an Ethernet header: destination, source, type */
    NET_VLAN_SIZE = 4,    /* of an 802.1Q tag, behind the addresses */
    NET_FRAME_MIN = NET_HEADER_SIZE,
    NET_FRAME_MAX = NET_HEADER_SIZE + NET_VLAN_SIZE + 40 + 65535, /* with a large IPv6 segment */
    NET_BATCH_MAX = 32,                                           /* frames in one net_send() */
    NET_SPANS_MAX = 1024,                                         /* spans of all of them */
};

/* What is left to do for a frame. */
enum {
    /* The checksum of csum_start.. to the end has to be stored at csum_start + csum_offset, where
     * that of the pseudo header is. */
    NET_NEEDS_CSUM = 1u << 0,
    /* Whoever gives the frame has seen to it that its checksum is right. */
    NET_CSUM_VALID = 1u << 1,
    /* With gso: the first of the segments alone has the CWR flag. */
    NET_ECN = 1u << 2,
};

enum net_gso {
    NET_GSO_NONE,
    NET_GSO_TCP4, /* one TCP segment over IPv4 to be cut into such of gso_size bytes; NEEDS_CSUM */
    NET_GSO_TCP6,
};

struct net_offload {
    uint8_t flags;          /* NET_NEEDS_CSUM, ... */
    uint8_t gso;            /* enum net_gso */
    uint16_t header_length; /* with gso: bytes of all headers, or 0; a hint */
    uint16_t gso_size;      /* bytes of data in each segment */
    uint16_t csum_start;    /* with NET_NEEDS_CSUM: offset in the frame, */
    uint16_t csum_offset;   /* and where the checksum is, from there */
};

/* What a card takes with the frames it receives; a bit each for service net_accept. */
enum {
    NET_ACCEPT_CSUM = 1u << 0, /* NET_NEEDS_CSUM */
    NET_ACCEPT_TCP4 = 1u << 1, /* NET_GSO_TCP4, with NET_ACCEPT_CSUM */
    NET_ACCEPT_TCP6 = 1u << 2,
    NET_ACCEPT_ECN = 1u << 3,
};

/* A frame that a card sends. The spans are the card's until net_send() returns. */
struct net_frame {
    struct net_offload offload;
    uint32_t length; /* bytes, NET_FRAME_MIN..NET_FRAME_MAX, the sum of the spans */
    unsigned n_spans;
    const struct block_span *spans;
};

/* A frame that came for a card. */
struct net_received {
    struct net_offload offload;
    uint32_t length;
    const uint8_t *bytes;
};

/*
 * The address of a card as its option has it, "52:54:00:12:34:56": of one card, not of a group. 0,
 * or -EINVAL with *error set, a sentence that names the card.
 */
int net_mac_parse(const struct device *card, const char *text, uint8_t mac[NET_MAC_SIZE],
                  struct dev_error *error);

#endif
