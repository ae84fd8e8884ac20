/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checksums, segments and fragments made in software, against packets computed here by the book. */
#include "test.h"

#include "bytes.h"
#include "net/offload.h"

enum {
    ETH = 14,
    SIZE = NET_FRAME_MAX,
};

static uint8_t frame[SIZE], out[SIZE];

/* RFC 1071 the plain way, over big-endian words. */
static uint32_t plain_sum(const uint8_t *bytes, uint32_t n)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static uint16_t plain_fold(uint32_t sum)
{
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

/* True if the IP and TCP or UDP checksums of a frame are right. */
static bool is_right(const uint8_t *bytes, bool ipv6)
{
    const uint8_t *ip = bytes + ETH;
    uint32_t header = ipv6 ? 40 : (ip[0] & 15u) * 4;
    uint32_t behind = ipv6 ? load_be16(ip + 4) : load_be16(ip + 2) - header;
    uint32_t sum = ipv6 ? plain_sum(ip + 8, 32) + ip[6] : plain_sum(ip + 12, 8) + ip[9];

    sum += behind + plain_sum(ip + header, behind);
    return plain_fold(sum) == 0xffff && (ipv6 || plain_fold(plain_sum(ip, header)) == 0xffff);
}

/* A TCP packet with so many bytes of data, checksums not yet there; its length. */
static uint32_t tcp_make(bool ipv6, uint32_t data, uint8_t flags)
{
    uint8_t *ip = frame + ETH, *tcp = ip + (ipv6 ? 40 : 20);

    memset(frame, 0, sizeof(frame));
    for (unsigned i = 0; i < 12; i++) {
        frame[i] = (uint8_t)(0x10 + i);
    }
    store_be16(frame + 12, ipv6 ? 0x86dd : 0x0800);
    if (ipv6) {
        ip[0] = 0x60;
        store_be16(ip + 4, (uint16_t)(20 + data));
        ip[6] = 6;
        ip[7] = 64;
        memset(ip + 8, 0x21, 32);
    } else {
        ip[0] = 0x45;
        store_be16(ip + 2, (uint16_t)(40 + data));
        store_be16(ip + 4, 0xfffe); /* id */
        ip[8] = 64;
        ip[9] = 6;
        store_be32(ip + 12, 0x0a00020f);
        store_be32(ip + 16, 0x0a000202);
    }
    store_be16(tcp, 1000);
    store_be16(tcp + 2, 80);
    store_be32(tcp + 4, 0xfffffff0); /* sequence: it wraps */
    tcp[12] = 0x50;
    tcp[13] = flags;
    for (uint32_t i = 0; i < data; i++) {
        tcp[20 + i] = (uint8_t)(i * 31 + 7);
    }
    return ETH + (ipv6 ? 60 : 40) + data;
}

static struct net_offload large(bool ipv6, uint16_t size)
{
    return (struct net_offload){ .flags = NET_NEEDS_CSUM,
                                 .gso = ipv6 ? NET_GSO_TCP6 : NET_GSO_TCP4,
                                 .gso_size = size,
                                 .csum_start = ipv6 ? ETH + 40 : ETH + 20,
                                 .csum_offset = 16 };
}

TEST(whole)
{
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        for (uint32_t data = 1; data < 60000; data = data * 5 + 3) {
            uint32_t length = tcp_make(ipv6, data, 0x18);
            struct net_offload offload = large(ipv6, 1000);

            CHECK(offload_valid(&offload, frame, length));
            offload_whole(&offload, frame, length);
            CHECK_EQ(offload.flags, NET_CSUM_VALID);
            CHECK_EQ(offload.gso, NET_GSO_NONE);
            CHECK(is_right(frame, ipv6));
        }
    }
}

TEST(partial_checksum)
{
    uint32_t length = tcp_make(false, 101, 0x10);
    struct net_offload offload = large(false, 0);
    uint32_t pseudo = plain_sum(frame + ETH + 12, 8) + 6 + 121;

    offload.gso = NET_GSO_NONE;
    store_be16(frame + ETH + 20 + 16, plain_fold(pseudo));
    store_be16(frame + ETH + 10, (uint16_t)~plain_fold(plain_sum(frame + ETH, 20)));
    CHECK(offload_valid(&offload, frame, length));
    offload_checksum(&offload, frame, length);
    CHECK(is_right(frame, false));
}

/* A sum of zero in an UDP packet would say that there is none. */
TEST(udp_checksum_is_never_zero)
{
    struct net_offload offload = { .flags = NET_NEEDS_CSUM, .csum_start = 34, .csum_offset = 6 };

    memset(frame, 0, 64);
    store_be16(frame + 34, 0xffff);
    offload_checksum(&offload, frame, 42);
    CHECK_EQ(load_be16(frame + 40), 0xffff);
}

static void cut_check(bool ipv6, uint32_t data, uint16_t size)
{
    static uint8_t all[SIZE];
    uint32_t length = tcp_make(ipv6, data, 0x80 | 0x18 | 0x01), header = length - data, n;
    struct net_offload offload = large(ipv6, size);
    struct offload_cut cut;
    uint32_t done = 0, count = 0;

    offload.flags |= NET_ECN;
    CHECK(offload_valid(&offload, frame, length));
    offload_cut_start(&cut, &offload, frame, length, size);
    while ((n = offload_cut_next(&cut, out)) > 0) {
        const uint8_t *tcp = out + header - 20;
        bool last = done + (n - header) == data;

        CHECK(n - header == size || last);
        CHECK(is_right(out, ipv6));
        CHECK_EQ(load_be32(tcp + 4), (uint32_t)(0xfffffff0 + done));
        CHECK_EQ(tcp[13], (count == 0 ? 0x80 : 0) | 0x10 | (last ? 0x09 : 0));
        CHECK(ipv6 || load_be16(out + ETH + 4) == (uint16_t)(0xfffe + count));
        memcpy(all + done, out + header, n - header);
        done += n - header;
        count++;
    }
    CHECK_EQ(done, data);
    CHECK_EQ(count, (data + size - 1) / size);
    CHECK(memcmp(all, frame + header, data) == 0);
}

TEST(cut)
{
    cut_check(false, 1, 1460);
    cut_check(false, 1460, 1460);
    cut_check(false, 1461, 1460);
    cut_check(false, 65495, 1460);
    cut_check(false, 30000, OFFLOAD_GSO_SIZE_MIN);
    cut_check(true, 65515, 1440);
    cut_check(true, 5, 1440);
}

TEST(large_and_back)
{
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        uint32_t length = tcp_make(ipv6, 20000, 0x18), n, done = 0;
        struct net_offload offload = large(ipv6, 1000);
        struct offload_cut cut;

        offload_whole(&offload, frame, length);
        CHECK(offload_large(&offload, frame, length, 1500));
        CHECK(offload_valid(&offload, frame, length));
        CHECK_EQ(offload.gso_size, ipv6 ? 1440 : 1460);
        offload_cut_start(&cut, &offload, frame, length, offload.gso_size);
        while ((n = offload_cut_next(&cut, out)) > 0) {
            CHECK(is_right(out, ipv6));
            CHECK(n <= ETH + 1500);
            done += n - cut.data;
        }
        CHECK_EQ(done, 20000);
        /* What a card completes as one packet is right, too. */
        offload.gso = NET_GSO_NONE;
        offload_checksum(&offload, frame, length);
        CHECK(is_right(frame, ipv6));
        length = tcp_make(ipv6, 1000, 0x18);
        CHECK(!offload_large(&offload, frame, length, 1500));
    }
}

TEST(offloads_that_are_wrong)
{
    uint32_t length = tcp_make(false, 3000, 0x18);
    const struct net_offload good = large(false, 1000);
    struct net_offload offload;

#define WRONG(change)                                                                              \
    offload = good;                                                                                \
    change;                                                                                        \
    CHECK(!offload_valid(&offload, frame, length))

    CHECK(offload_valid(&good, frame, length));
    WRONG(offload.flags = 0);
    WRONG(offload.flags |= 0x80);
    WRONG(offload.gso = 3);
    WRONG(offload.gso = NET_GSO_TCP6);
    WRONG(offload.gso_size = OFFLOAD_GSO_SIZE_MIN - 1);
    WRONG(offload.csum_start++);
    WRONG(offload.csum_offset = 6);
    WRONG(offload.gso = NET_GSO_NONE; offload.csum_start = 0xffff);
    WRONG(offload.gso = NET_GSO_NONE; offload.csum_start = (uint16_t)(length - 17));
    WRONG(offload.gso = NET_GSO_NONE; offload.flags |= NET_ECN);
    CHECK(!offload_valid(&good, frame, 13));
    CHECK(!offload_valid(&good, frame, NET_FRAME_MAX + 1));
    CHECK(!offload_valid(&good, frame, ETH + 39)); /* half a header */
    frame[ETH + 20 + 12] = 0x40;                   /* TCP header of 16 bytes */
    CHECK(!offload_valid(&good, frame, length));
    frame[ETH + 20 + 12] = 0x50;
    frame[ETH] = 0x44;
    CHECK(!offload_valid(&good, frame, length));
    frame[ETH] = 0x45;
    frame[ETH + 9] = 17;
    CHECK(!offload_valid(&good, frame, length));
    frame[ETH + 9] = 6;
    store_be16(frame + ETH + 6, 0x2000); /* a fragment */
    CHECK(!offload_valid(&good, frame, length));
#undef WRONG
}

TEST(fragments)
{
    uint32_t length = tcp_make(false, 4000, 0), done = 0, n, at = 0;

    frame[ETH + 9] = 17;
    while ((n = offload_fragment(frame, length, 1500, &done, out)) > 0) {
        uint16_t field = load_be16(out + ETH + 6);

        CHECK(n <= ETH + 1500);
        CHECK_EQ(load_be16(out + ETH + 2), n - ETH);
        CHECK_EQ((field & 0x1fff) * 8, at);
        CHECK_EQ((field & 0x2000) != 0, done < 4020);
        CHECK_EQ(plain_fold(plain_sum(out + ETH, 20)), 0xffff);
        CHECK(memcmp(out + ETH + 20, frame + ETH + 20 + at, n - ETH - 20) == 0);
        at = done;
    }
    CHECK_EQ(at, 4020);
    store_be16(frame + ETH + 6, 0x4000);
    done = 0;
    CHECK_EQ(offload_fragment(frame, length, 1500, &done, out), 0); /* it must not be cut */
    store_be16(frame + ETH + 6, 0);
    CHECK_EQ(offload_fragment(frame, 100, 1500, &done, out), 0); /* longer than the frame */
}

/* A packet that opens a connection, with options in front of the one that is looked for. */
static uint32_t syn_make(bool ipv6)
{
    static const uint8_t options[] = { 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 0x05, 0xb4, 0 };
    uint32_t length = tcp_make(ipv6, 16, 0x02);
    uint8_t *tcp = frame + ETH + (ipv6 ? 40 : 20);

    tcp[12] = 0x90;
    memcpy(tcp + 20, options, sizeof(options));
    return length;
}

TEST(segment_size)
{
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        uint32_t length = syn_make(ipv6);
        uint8_t *tcp = frame + ETH + (ipv6 ? 40 : 20);

        CHECK(offload_mss_set(frame, length, 40000, 30000));
        CHECK_EQ(load_be16(tcp + 33), ipv6 ? 30000 : 40000);
        CHECK(is_right(frame, ipv6));
        CHECK(offload_mss_set(frame, length, 0, 0));
        CHECK_EQ(load_be16(tcp + 33), ipv6 ? 30000 : 40000);
        tcp[13] = 0x10;
        CHECK(!offload_mss_set(frame, length, 1, 1)); /* opens nothing */
        tcp[13] = 0x02;
        tcp[22] = 200; /* an option that goes beyond the header */
        CHECK(!offload_mss_set(frame, length, 1, 1));
        tcp[22] = 1; /* and one that goes nowhere */
        CHECK(!offload_mss_set(frame, length, 1, 1));
    }
}

TEST_MAIN(T(whole), T(partial_checksum), T(udp_checksum_is_never_zero), T(cut), T(large_and_back),
          T(offloads_that_are_wrong), T(fragments), T(segment_size))
