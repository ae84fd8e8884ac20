/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What network cards leave to others, done in software: checksums, cutting large TCP segments and
 * IPv4 packets (RFC 791, 8200, 9293; offloads as in devices/include/net.h). Frames are anybody's:
 * nothing in them is trusted. Any thread; no state but what the caller holds.
 */
#ifndef ENGINE_NET_OFFLOAD_H
#define ENGINE_NET_OFFLOAD_H

#include "net.h"

enum {
    OFFLOAD_GSO_SIZE_MIN = 48, /* bytes of data in a segment; nobody's TCP goes below */
};

/*
 * True if the offload fits the frame: offsets lie inside, and a large segment is TCP over what it
 * says it is, with whole headers.
 */
bool offload_valid(const struct net_offload *offload, const uint8_t *bytes, uint32_t length);

/* Completes a frame without NET_GSO: nothing is left to do afterwards. */
void offload_checksum(struct net_offload *offload, uint8_t *bytes, uint32_t length);
/*
 * Completes a valid large segment as one packet of its whole length: lengths and checksums. Nothing
 * is left to do afterwards.
 */
void offload_whole(struct net_offload *offload, uint8_t *bytes, uint32_t length);

/*
 * The opposite: a complete TCP packet longer than `mtu` becomes a large segment, whose data is cut
 * so that packets have `mtu` bytes. False if it is none, and the frame is left alone.
 */
bool offload_large(struct net_offload *offload, uint8_t *bytes, uint32_t length, unsigned mtu);

/* A valid large segment being cut; the caller keeps its bytes until the end. */
struct offload_cut {
    const uint8_t *bytes;
    uint32_t length, data; /* bytes of all; where the data begins */
    uint32_t size, done;   /* data in each segment; data given away */
    uint16_t n;            /* segments given away */
    bool ecn;
};

/* Segments get `size` bytes of data each. */
void offload_cut_start(struct offload_cut *cut, const struct net_offload *offload,
                       const uint8_t *bytes, uint32_t length, uint32_t size);
/* The next segment, complete, into `out` of at least 256 + size bytes; its length, 0 at the end. */
uint32_t offload_cut_next(struct offload_cut *cut, uint8_t *out);

/*
 * An IPv4 packet longer than `mtu` in fragments: the one that begins with byte `*done` of the data
 * into `out` of NET_HEADER_SIZE + mtu bytes; its length, 0 at the end or if it cannot be cut. *done
 * starts at 0.
 */
uint32_t offload_fragment(const uint8_t *bytes, uint32_t length, unsigned mtu, uint32_t *done,
                          uint8_t *out);

/*
 * In a TCP packet that opens a connection, gives the sender's maximum segment size another value
 * and corrects the checksum; 0: leaves it. False if it is no such packet.
 */
bool offload_mss_set(uint8_t *bytes, uint32_t length, uint16_t mss4, uint16_t mss6);

#endif
