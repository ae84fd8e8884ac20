/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the 82574L looks at inside a frame: IPv4, IPv6 without extension headers, TCP and UDP (RFC
 * 791, 8200, 9293, 768), their checksums (RFC 1071), the RSS hash (datasheet section 7.1.10) and
 * the check sequence of Ethernet (IEEE 802.3 section 3.2.9).
 *
 * Frames are anybody's: every header is looked at only once it lies inside.
 */
#include "e1000e.h"

enum {
    TYPE_OFFSET = 12,
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TYPE_VLAN = 0x8100,
    IPV4_HEADER = 20,
    IPV4_LENGTH = 2,
    IPV4_FRAGMENT = 6,
    IPV4_PROTOCOL = 9,
    IPV4_ADDRESSES = 12,
    IPV6_HEADER = 40,
    IPV6_LENGTH = 4,
    IPV6_NEXT = 6,
    IPV6_ADDRESSES = 8,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    TCP_HEADER = 20,
    TCP_OFFSET = 12,
    UDP_HEADER = 8,
    UDP_CHECKSUM = 6,

    MRQC_ENABLE = 3,
    MRQC_RSS = 1,
    MRQC_TCP_IPV4 = 1 << 16,
    MRQC_IPV4 = 1 << 17,
    MRQC_TCP_IPV6 = 1 << 18,
    MRQC_IPV6_EX = 1 << 19,
    MRQC_IPV6 = 1 << 20,
    RSS_TCP_IPV4 = 1, /* types */
    RSS_IPV4 = 2,
    RSS_TCP_IPV6 = 3,
    RSS_IPV6_EX = 4,
    RSS_IPV6 = 5,
};

static void transport_look(struct e1000e_packet *packet, const uint8_t *bytes, uint32_t length,
                           uint8_t protocol)
{
    uint32_t header = 0;

    packet->data = packet->transport;
    if (packet->fragment) {
        return;
    }
    if (protocol == PROTOCOL_TCP && range_fits(packet->transport, TCP_HEADER, length)) {
        header = (bytes[packet->transport + TCP_OFFSET] >> 4) * 4u;
        packet->tcp = header >= TCP_HEADER && range_fits(packet->transport, header, length);
    } else if (protocol == PROTOCOL_UDP) {
        header = UDP_HEADER;
        packet->udp = range_fits(packet->transport, header, length);
    }
    packet->data += packet->tcp || packet->udp ? header : 0;
}

void e1000e_packet_look(struct e1000e_packet *packet, const uint8_t *bytes, uint32_t length)
{
    unsigned type = load_be16(bytes + TYPE_OFFSET);

    *packet = (struct e1000e_packet){ .ip = NET_HEADER_SIZE };
    if (type == TYPE_VLAN && length >= NET_HEADER_SIZE + NET_VLAN_SIZE) {
        type = load_be16(bytes + TYPE_OFFSET + NET_VLAN_SIZE);
        packet->ip += NET_VLAN_SIZE;
    }
    packet->data = packet->ip;

    const uint8_t *ip = bytes + packet->ip;

    if (type == TYPE_IPV4 && range_fits(packet->ip, IPV4_HEADER, length)) {
        uint32_t header = (ip[0] & 0xfu) * 4;

        packet->ip4 = ip[0] >> 4 == 4 && header >= IPV4_HEADER &&
                      range_fits(packet->ip, header, length) &&
                      load_be16(ip + IPV4_LENGTH) >= header &&
                      load_be16(ip + IPV4_LENGTH) <= length - packet->ip;
        if (packet->ip4) {
            packet->fragment = load_be16(ip + IPV4_FRAGMENT) & 0x3fff;
            packet->transport = packet->ip + header;
            transport_look(packet, bytes, packet->ip + load_be16(ip + IPV4_LENGTH),
                           ip[IPV4_PROTOCOL]);
        }
    } else if (type == TYPE_IPV6 && range_fits(packet->ip, IPV6_HEADER, length)) {
        packet->ip6 = ip[0] >> 4 == 6 &&
                      range_fits(packet->ip + IPV6_HEADER, load_be16(ip + IPV6_LENGTH), length);
        if (packet->ip6) {
            packet->transport = packet->ip + IPV6_HEADER;
            transport_look(packet, bytes, packet->transport + load_be16(ip + IPV6_LENGTH),
                           ip[IPV6_NEXT]);
        }
    }
}

/* --- Checksums -------------------------------------------------------------------------------- */

uint16_t e1000e_sum(uint64_t so_far, const uint8_t *bytes, uint32_t length)
{
    uint32_t i = 0;

    for (; i + 4 <= length; i += 4) {
        so_far += load_le32(bytes + i);
    }
    for (; i < length; i++) {
        so_far += i & 1 ? (uint64_t)bytes[i] << 8 : bytes[i];
    }
    while (so_far > 0xffff) {
        so_far = (so_far & 0xffff) + (so_far >> 16);
    }
    return (uint16_t)so_far;
}

bool e1000e_ip_checksum_good(const struct e1000e_packet *packet, const uint8_t *bytes)
{
    return e1000e_sum(0, bytes + packet->ip, packet->transport - packet->ip) == 0xffff;
}

bool e1000e_transport_checksum_good(const struct e1000e_packet *packet, const uint8_t *bytes,
                                    uint32_t length)
{
    const uint8_t *ip = bytes + packet->ip, *transport = bytes + packet->transport;
    uint32_t header = packet->transport - packet->ip;
    uint32_t n = packet->ip4 ? load_be16(ip + IPV4_LENGTH) - header : load_be16(ip + IPV6_LENGTH);
    uint64_t sum = packet->ip4 ? e1000e_sum(0, ip + IPV4_ADDRESSES, 8)
                               : e1000e_sum(0, ip + IPV6_ADDRESSES, 32);

    if (!range_fits(packet->transport, n, length)) {
        return false;
    }
    if (packet->udp && load_le16(transport + UDP_CHECKSUM) == 0) {
        return true;
    }
    sum += __builtin_bswap16((uint16_t)n);
    sum += __builtin_bswap16(packet->tcp ? PROTOCOL_TCP : PROTOCOL_UDP);
    return e1000e_sum(sum, transport, n) == 0xffff;
}

/* --- Hash and check sequence ------------------------------------------------------------------ */

static uint32_t toeplitz(struct e1000e *e1000e, const uint8_t *input, uint32_t length)
{
    uint8_t key[40];
    uint32_t hash = 0, window;

    for (unsigned i = 0; i < sizeof(key) / 4; i++) {
        store_le32(key + 4 * i, *e1000e_reg(e1000e, REG_RSSRK + 4 * i));
    }
    window = load_be32(key);
    for (uint32_t i = 0; i < length; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            if (input[i] & 0x80u >> bit) {
                hash ^= window;
            }
            window = window << 1 | (key[i + 4] >> (7 - bit) & 1u);
        }
    }
    return hash;
}

uint32_t e1000e_rss_hash(struct e1000e *e1000e, const struct e1000e_packet *packet,
                         const uint8_t *bytes, unsigned *type)
{
    uint32_t mrqc = *e1000e_reg(e1000e, REG_MRQC), addresses = packet->ip4 ? 8 : 32;
    uint8_t input[32 + 4]; /* with the key of 40 bytes a window of 32 bits is left at the end */
    bool ports = false;

    *type = 0;
    if ((mrqc & MRQC_ENABLE) != MRQC_RSS) {
        return 0;
    }
    if (packet->ip4) {
        ports = packet->tcp && (mrqc & MRQC_TCP_IPV4);
        *type = ports ? RSS_TCP_IPV4 : mrqc & MRQC_IPV4 ? RSS_IPV4 : 0;
    } else if (packet->ip6) {
        ports = packet->tcp && (mrqc & MRQC_TCP_IPV6);
        *type = ports                 ? RSS_TCP_IPV6
                : mrqc & MRQC_IPV6_EX ? RSS_IPV6_EX
                : mrqc & MRQC_IPV6    ? RSS_IPV6
                                      : 0;
    }
    if (*type == 0) {
        return 0;
    }
    memcpy(input, bytes + packet->ip + (packet->ip4 ? IPV4_ADDRESSES : IPV6_ADDRESSES), addresses);
    if (ports) {
        memcpy(input + addresses, bytes + packet->transport, 4);
    }
    return toeplitz(e1000e, input, addresses + (ports ? 4 : 0));
}

uint32_t e1000e_fcs(const uint8_t *bytes, uint32_t length)
{
    /* The polynomial over four bits. */
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = 0xffffffff;

    for (uint32_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 0xf];
        crc = crc >> 4 ^ table[crc & 0xf];
    }
    return ~crc;
}
