/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See offload.h. IPv6 extension headers are nothing that large segments have. */
#include "net/offload.h"

#include "bytes.h"

enum {
    TYPE_OFFSET = 12, /* Ethernet */
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TYPE_VLAN = 0x8100,

    IPV4_LENGTH = 2, /* offsets in headers */
    IPV4_ID = 4,
    IPV4_FRAGMENT = 6,
    IPV4_PROTOCOL = 9,
    IPV4_CHECKSUM = 10,
    IPV4_ADDRESSES = 12,
    IPV4_HEADER_MIN = 20,
    IPV4_MORE_FRAGMENTS = 0x2000,
    IPV4_DONT_FRAGMENT = 0x4000,
    IPV4_FRAGMENT_OFFSET = 0x1fff,
    IPV6_LENGTH = 4,
    IPV6_NEXT = 6,
    IPV6_ADDRESSES = 8,
    IPV6_HEADER = 40,
    PROTOCOL_TCP = 6,
    TCP_SEQUENCE = 4,
    TCP_OFFSET = 12,
    TCP_FLAGS = 13,
    TCP_CHECKSUM = 16,
    TCP_HEADER_MIN = 20,
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_PUSH = 0x08,
    TCP_CWR = 0x80,
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_MSS_SIZE = 4,
    UDP_CHECKSUM = 6,
};

/* Where things are in a TCP packet: offsets in the frame. */
struct packet {
    uint32_t ip, tcp, data;
    bool v6;
};

/* --- Checksums (RFC 1071) --------------------------------------------------------------------- */

/* The sum so far and n more bytes, not folded. Sums are of 16-bit words as they are in memory. */
static uint64_t sum(uint64_t so_far, const uint8_t *bytes, uint32_t n)
{
    uint32_t i = 0;

    /* Four words of 32 bits at once: large segments go through here whole. */
    for (; i + 16 <= n; i += 16) {
        so_far += (uint64_t)load_le32(bytes + i) + load_le32(bytes + i + 4) +
                  load_le32(bytes + i + 8) + load_le32(bytes + i + 12);
    }
    for (; i + 4 <= n; i += 4) {
        so_far += load_le32(bytes + i);
    }
    if (i + 2 <= n) {
        so_far += load_le16(bytes + i);
        i += 2;
    }
    return i < n ? so_far + bytes[i] : so_far;
}

static uint16_t fold(uint64_t value)
{
    while (value > 0xffff) {
        value = (value & 0xffff) + (value >> 16);
    }
    return (uint16_t)value;
}

/* Of addresses, protocol and length of a TCP packet with so many bytes behind the IP header. */
static uint64_t pseudo_sum(const uint8_t *bytes, const struct packet *packet, uint32_t length)
{
    const uint8_t *ip = bytes + packet->ip;
    uint64_t value = packet->v6 ? sum(0, ip + IPV6_ADDRESSES, 32) : sum(0, ip + IPV4_ADDRESSES, 8);

    value += __builtin_bswap16((uint16_t)length) + __builtin_bswap16((uint16_t)(length >> 16));
    return value + __builtin_bswap16(PROTOCOL_TCP);
}

static void ipv4_checksum_set(uint8_t *ip)
{
    store_le16(ip + IPV4_CHECKSUM, 0);
    store_le16(ip + IPV4_CHECKSUM, (uint16_t)~fold(sum(0, ip, (ip[0] & 0xfu) * 4)));
}

/* Lengths and checksums of a packet that ends with the frame. */
static void packet_complete(uint8_t *bytes, const struct packet *packet, uint32_t length)
{
    uint8_t *ip = bytes + packet->ip, *tcp = bytes + packet->tcp;
    uint32_t behind = length - packet->tcp;

    if (packet->v6) {
        store_be16(ip + IPV6_LENGTH, (uint16_t)(length - packet->ip - IPV6_HEADER));
    } else {
        store_be16(ip + IPV4_LENGTH, (uint16_t)(length - packet->ip));
        ipv4_checksum_set(ip);
    }
    store_le16(tcp + TCP_CHECKSUM, 0);
    store_le16(tcp + TCP_CHECKSUM,
               (uint16_t)~fold(sum(pseudo_sum(bytes, packet, behind), tcp, behind)));
}

void offload_checksum(struct net_offload *offload, uint8_t *bytes, uint32_t length)
{
    if (offload->flags & NET_NEEDS_CSUM) {
        uint16_t value =
            (uint16_t)~fold(sum(0, bytes + offload->csum_start, length - offload->csum_start));

        if (value == 0 && offload->csum_offset == UDP_CHECKSUM) {
            value = 0xffff; /* 0 would say that there is none */
        }
        store_le16(bytes + offload->csum_start + offload->csum_offset, value);
    }
    *offload = (struct net_offload){ .flags = NET_CSUM_VALID };
}

/* --- Looking at packets ----------------------------------------------------------------------- */

/* The IP header of a frame: its offset and type; false: none. */
static bool ip_find(const uint8_t *bytes, uint32_t length, uint32_t *ip, uint16_t *type)
{
    *ip = NET_HEADER_SIZE;
    if (length < NET_HEADER_SIZE) {
        return false;
    }
    *type = load_be16(bytes + TYPE_OFFSET);
    if (*type == TYPE_VLAN && length >= NET_HEADER_SIZE + NET_VLAN_SIZE) {
        *type = load_be16(bytes + TYPE_OFFSET + NET_VLAN_SIZE);
        *ip += NET_VLAN_SIZE;
    }
    return *type == TYPE_IPV4 || *type == TYPE_IPV6;
}

/* A frame that is a whole TCP packet, no fragment, and ends with it or later. */
static bool packet_find(const uint8_t *bytes, uint32_t length, struct packet *packet)
{
    uint16_t type;
    uint32_t header;

    if (!ip_find(bytes, length, &packet->ip, &type)) {
        return false;
    }
    packet->v6 = type == TYPE_IPV6;
    header = packet->v6 ? IPV6_HEADER : IPV4_HEADER_MIN;
    if (!range_fits(packet->ip, header, length)) {
        return false;
    }
    const uint8_t *ip = bytes + packet->ip;

    if (packet->v6) {
        if (ip[0] >> 4 != 6 || ip[IPV6_NEXT] != PROTOCOL_TCP) {
            return false;
        }
    } else {
        uint16_t fragment = load_be16(ip + IPV4_FRAGMENT);

        header = (ip[0] & 0xfu) * 4;
        if (ip[0] >> 4 != 4 || header < IPV4_HEADER_MIN || ip[IPV4_PROTOCOL] != PROTOCOL_TCP ||
            (fragment & (IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET)) != 0) {
            return false;
        }
    }
    packet->tcp = packet->ip + header;
    if (!range_fits(packet->tcp, TCP_HEADER_MIN, length)) {
        return false;
    }
    header = (bytes[packet->tcp + TCP_OFFSET] >> 4) * 4u;
    packet->data = packet->tcp + header;
    return header >= TCP_HEADER_MIN && packet->data <= length;
}

bool offload_valid(const struct net_offload *offload, const uint8_t *bytes, uint32_t length)
{
    struct packet packet;

    if (length < NET_FRAME_MIN || length > NET_FRAME_MAX ||
        (offload->flags & ~(NET_NEEDS_CSUM | NET_CSUM_VALID | NET_ECN)) != 0) {
        return false;
    }
    if ((offload->flags & NET_NEEDS_CSUM) &&
        !range_fits((uint32_t)offload->csum_start + offload->csum_offset, 2, length)) {
        return false;
    }
    switch (offload->gso) {
    case NET_GSO_NONE:
        return !(offload->flags & NET_ECN);
    case NET_GSO_TCP4:
    case NET_GSO_TCP6:
        return (offload->flags & NET_NEEDS_CSUM) && offload->gso_size >= OFFLOAD_GSO_SIZE_MIN &&
               packet_find(bytes, length, &packet) && packet.v6 == (offload->gso == NET_GSO_TCP6) &&
               length - packet.ip <= 65535u + (packet.v6 ? (uint32_t)IPV6_HEADER : 0) &&
               offload->csum_start == packet.tcp && offload->csum_offset == TCP_CHECKSUM;
    default:
        return false;
    }
}

/* --- Large segments --------------------------------------------------------------------------- */

void offload_whole(struct net_offload *offload, uint8_t *bytes, uint32_t length)
{
    struct packet packet;

    if (packet_find(bytes, length, &packet)) {
        packet_complete(bytes, &packet, length);
    }
    *offload = (struct net_offload){ .flags = NET_CSUM_VALID };
}

bool offload_large(struct net_offload *offload, uint8_t *bytes, uint32_t length, unsigned mtu)
{
    struct packet packet;

    if (!packet_find(bytes, length, &packet) || length - packet.ip <= mtu ||
        mtu < packet.data - packet.ip + OFFLOAD_GSO_SIZE_MIN) {
        return false;
    }
    *offload = (struct net_offload){
        .flags = NET_NEEDS_CSUM,
        .gso = packet.v6 ? NET_GSO_TCP6 : NET_GSO_TCP4,
        .header_length = (uint16_t)packet.data,
        .gso_size = (uint16_t)(mtu - (packet.data - packet.ip)),
        .csum_start = (uint16_t)packet.tcp,
        .csum_offset = TCP_CHECKSUM,
    };
    store_le16(bytes + packet.tcp + TCP_CHECKSUM,
               fold(pseudo_sum(bytes, &packet, length - packet.tcp)));
    return true;
}

void offload_cut_start(struct offload_cut *cut, const struct net_offload *offload,
                       const uint8_t *bytes, uint32_t length, uint32_t size)
{
    struct packet packet = { 0 };

    *cut = (struct offload_cut){ .bytes = bytes, .length = length, .size = size };
    cut->ecn = offload->flags & NET_ECN;
    cut->data = packet_find(bytes, length, &packet) ? packet.data : length;
}

uint32_t offload_cut_next(struct offload_cut *cut, uint8_t *out)
{
    uint32_t all = cut->length - cut->data;
    uint32_t n = all - cut->done < cut->size ? all - cut->done : cut->size;
    bool last = cut->done + n == all;
    struct packet packet;

    if (n == 0) {
        return 0;
    }
    memcpy(out, cut->bytes, cut->data);
    memcpy(out + cut->data, cut->bytes + cut->data + cut->done, n);
    if (!packet_find(out, cut->data + n, &packet)) {
        cut->done = all; /* the bytes are not what they were at the start */
        return 0;
    }
    uint8_t *ip = out + packet.ip, *tcp = out + packet.tcp;

    if (!packet.v6) {
        store_be16(ip + IPV4_ID, (uint16_t)(load_be16(ip + IPV4_ID) + cut->n));
    }
    store_be32(tcp + TCP_SEQUENCE, load_be32(tcp + TCP_SEQUENCE) + cut->done);
    if (!last) {
        tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PUSH);
    }
    if (cut->n > 0 && cut->ecn) {
        tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
    }
    packet_complete(out, &packet, cut->data + n);
    cut->done += n;
    cut->n++;
    return cut->data + n;
}

/* --- Fragments -------------------------------------------------------------------------------- */

uint32_t offload_fragment(const uint8_t *bytes, uint32_t length, unsigned mtu, uint32_t *done,
                          uint8_t *out)
{
    const uint8_t *from = bytes + NET_HEADER_SIZE;
    uint32_t header, all, n;
    uint16_t fragment;

    if (length < NET_HEADER_SIZE + IPV4_HEADER_MIN || load_be16(bytes + TYPE_OFFSET) != TYPE_IPV4) {
        return 0;
    }
    header = (from[0] & 0xfu) * 4;
    all = load_be16(from + IPV4_LENGTH);
    fragment = load_be16(from + IPV4_FRAGMENT);
    if (header < IPV4_HEADER_MIN || all < header || NET_HEADER_SIZE + all > length ||
        mtu < header + 8 || (fragment & IPV4_DONT_FRAGMENT)) {
        return 0;
    }
    all -= header;
    if (*done >= all) {
        return 0;
    }
    n = (mtu - header) & ~7u;
    n = all - *done < n ? all - *done : n;
    memcpy(out, bytes, NET_HEADER_SIZE + header);
    memcpy(out + NET_HEADER_SIZE + header, from + header + *done, n);
    store_be16(out + NET_HEADER_SIZE + IPV4_LENGTH, (uint16_t)(header + n));
    store_be16(
        out + NET_HEADER_SIZE + IPV4_FRAGMENT,
        (uint16_t)((fragment + *done / 8) | (*done + n < all ? (unsigned)IPV4_MORE_FRAGMENTS : 0)));
    ipv4_checksum_set(out + NET_HEADER_SIZE);
    *done += n;
    return NET_HEADER_SIZE + header + n;
}

/* --- Opening connections ---------------------------------------------------------------------- */

/* The offset of the option's value; 0: there is none. */
static uint32_t mss_find(const uint8_t *bytes, const struct packet *packet)
{
    uint32_t at = packet->tcp + TCP_HEADER_MIN;

    while (at + 1 < packet->data && bytes[at] != OPTION_END) {
        if (bytes[at] == OPTION_NOP) {
            at++;
            continue;
        }
        if (bytes[at + 1] < 2) {
            return 0;
        }
        if (bytes[at] == OPTION_MSS) {
            return bytes[at + 1] == OPTION_MSS_SIZE && at + OPTION_MSS_SIZE <= packet->data ? at + 2
                                                                                            : 0;
        }
        at += bytes[at + 1];
    }
    return 0;
}

bool offload_mss_set(uint8_t *bytes, uint32_t length, uint16_t mss4, uint16_t mss6)
{
    struct packet packet;
    uint32_t at, end;

    if (!packet_find(bytes, length, &packet) || !(bytes[packet.tcp + TCP_FLAGS] & TCP_SYN)) {
        return false;
    }
    at = mss_find(bytes, &packet);
    end = packet.v6 ? packet.ip + IPV6_HEADER + load_be16(bytes + packet.ip + IPV6_LENGTH)
                    : packet.ip + load_be16(bytes + packet.ip + IPV4_LENGTH);
    if (at == 0 || end < packet.data || end > length) {
        return false;
    }
    if ((packet.v6 ? mss6 : mss4) == 0) {
        return true;
    }
    store_be16(bytes + at, packet.v6 ? mss6 : mss4);
    packet_complete(bytes, &packet, end);
    return true;
}
