/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The 82574L network card: sending, offloads, and what cannot be sent. */
#include "test.h"

#include <limits.h>

#include "bytes.h"
#include "e1000e_driver.h"

static struct card card;

static void setup(void)
{
    card_open(&card);
    card_start(&card);
}

static void finish(void)
{
    CHECK_STR(fake_last_guest_error(card.device), "");
    card_close(&card);
}

static uint8_t *frame_put(uint32_t length)
{
    uint8_t *at = fake_ram(card.fake) + CARD_DATA;

    for (uint32_t i = 0; i < length; i++) {
        at[i] = (uint8_t)(i * 7 + length);
    }
    return at;
}

/* A TCP packet over IPv4 or IPv6 of `data` bytes, its checksums as a driver leaves them. */
static uint32_t tcp_put(bool v6, uint32_t data)
{
    uint32_t ip = v6 ? 40 : 20, length = 14 + ip + 20 + data;
    uint8_t *at = frame_put(length);

    store_be16(at + 12, v6 ? 0x86dd : 0x0800);
    memset(at + 14, 0, ip + 20);
    if (v6) {
        at[14] = 0x60;
        store_be16(at + 18, (uint16_t)(20 + data));
        at[20] = 6;
    } else {
        at[14] = 0x45;
        store_be16(at + 16, (uint16_t)(40 + data));
        at[23] = 6;
        store_be32(at + 26, 0x0a000001);
        store_be32(at + 30, 0x0a000002);
    }
    at[14 + ip + 12] = 0x50;
    return length;
}

TEST(send_legacy)
{
    uint32_t length;

    setup();
    frame_put(60);
    card_descriptor(&card, 0, CARD_DATA, 20, 0);
    card_descriptor(&card, 0, CARD_DATA + 20, 40 | CMD_EOP | CMD_RS, 0);
    card_send(&card, 0);
    CHECK_EQ(fake_net_sent(card.device), 1);
    const uint8_t *bytes = fake_net_frame(card.device, 0, &length, NULL);
    CHECK_EQ(length, 60);
    CHECK(memcmp(bytes, fake_ram(card.fake) + CARD_DATA, 60) == 0);
    CHECK_EQ(card_sent(&card, 0, 0)[12], 0);
    CHECK_EQ(card_sent(&card, 0, 1)[12], 1);
    CHECK_EQ(card_read(&card, TDBAL + 0x10), 2);
    CHECK_EQ(card_read(&card, ICR), TXDW | TXQE);
    CHECK_EQ(card_read(&card, 0x4080), 1); /* GPTC, cleared by reading */
    CHECK_EQ(card_read(&card, 0x4080), 0);
    CHECK_EQ(card_read(&card, 0x4090), 64); /* GOTCL, GOTCH */
    CHECK_EQ(card_read(&card, 0x4094), 0);
    CHECK_EQ(card_read(&card, 0x4090), 0);
    finish();
}

/* A frame whose end is not there yet is waited for. */
TEST(send_in_pieces)
{
    setup();
    frame_put(60);
    card_descriptor(&card, 0, CARD_DATA, 20 | CMD_RS, 0);
    card_send(&card, 0);
    CHECK_EQ(fake_net_sent(card.device), 0);
    CHECK(fake_save_load(card.device));
    card_descriptor(&card, 0, CARD_DATA + 20, 40 | CMD_EOP | CMD_RS, 0);
    card_send(&card, 0);
    CHECK_EQ(fake_net_sent(card.device), 1);
    CHECK_EQ(card_sent(&card, 0, 0)[12], 1);
    finish();
}

static void context_add(uint32_t ip, bool v6, uint32_t hdrlen, uint32_t mss, uint32_t tucmd)
{
    uint32_t tcp = 14 + ip;
    uint8_t *at = card_sent(&card, 0, card.tx_tail[0]);

    card_descriptor(&card, 0, 0, CMD_DEXT | tucmd << 24 | (v6 ? 0 : 2u << 24),
                    hdrlen << 8 | mss << 16);
    store_le32(at, 14 | 24 << 8 | (tcp - 1) << 16);
    store_le32(at + 4, tcp | (tcp + 16) << 8);
}

TEST(send_checksums_and_tag)
{
    struct net_offload offload;
    uint32_t length, sum = 0;

    setup();
    card_write(&card, CTRL, card_read(&card, CTRL) | 1u << 30);
    length = tcp_put(false, 100);
    context_add(20, false, 0, 0, 0x01);
    card_descriptor(&card, 0, CARD_DATA, length | CMD_DEXT | DTYP_DATA | CMD_EOP | CMD_RS | CMD_VLE,
                    0x0300u | 0x0123u << 16);
    card_send(&card, 0);
    CHECK_EQ(fake_net_sent(card.device), 1);
    const uint8_t *bytes = fake_net_frame(card.device, 0, &length, &offload);
    CHECK_EQ(length, 14 + 4 + 40 + 100);
    CHECK_EQ(load_be32(bytes + 12), 0x81000123);
    CHECK_EQ(load_be16(bytes + 16), 0x0800);
    for (unsigned i = 18; i < 38; i += 2) {
        sum += load_be16(bytes + i);
    }
    CHECK_EQ((sum & 0xffff) + (sum >> 16), 0xffff);
    CHECK_EQ(offload.flags, NET_NEEDS_CSUM);
    CHECK_EQ(offload.csum_start, 38);
    CHECK_EQ(offload.csum_offset, 16);
    CHECK_EQ(offload.gso, NET_GSO_NONE);
    finish();
}

static void send_large(bool v6)
{
    uint32_t ip = v6 ? 40 : 20, length = tcp_put(v6, 5000), sent;
    struct net_offload offload;
    uint8_t *at = fake_ram(card.fake) + CARD_DATA;

    store_be16(at + (v6 ? 18 : 16), 0); /* the card knows */
    store_be16(at + 14 + ip + 16, 0x1234);
    context_add(ip, v6, 34 + ip, 1440, 0x05);
    card_descriptor(&card, 0, CARD_DATA, (34 + ip) | CMD_DEXT | DTYP_DATA | CMD_TSE,
                    v6 ? 0x0200 : 0x0300);
    card_descriptor(&card, 0, CARD_DATA + 34 + ip,
                    (length - 34 - ip) | CMD_DEXT | DTYP_DATA | CMD_TSE | CMD_EOP | CMD_RS, 0);
    card_send(&card, 0);
    CHECK_EQ(fake_net_sent(card.device), 1);
    const uint8_t *bytes = fake_net_frame(card.device, 0, &sent, &offload);
    CHECK_EQ(sent, length);
    CHECK_EQ(offload.gso, v6 ? NET_GSO_TCP6 : NET_GSO_TCP4);
    CHECK_EQ(offload.gso_size, 1440);
    CHECK_EQ(offload.header_length, 34 + ip);
    CHECK_EQ(offload.csum_start, 14 + ip);
    CHECK_EQ(load_be16(bytes + (v6 ? 18 : 16)), v6 ? 5020 : 5040);
    CHECK_EQ(load_be16(bytes + 14 + ip + 16), 0x1234 + 5020);
    fake_net_forget(card.device);
}

TEST(send_large_segments)
{
    setup();
    send_large(true);
    CHECK_EQ(card_read(&card, 0x40f8), 1); /* TSCTC */
    finish();
    setup();
    send_large(false);
    finish();
}

/* Each is counted, not sent, and its descriptor comes back. */
TEST(send_what_cannot_be)
{
    static const struct {
        uint32_t length, popts, lower;
    } frames[] = {
        { 13, 0, 0 },            /* too short */
        { 20000, 0, 0 },         /* too long without segmentation */
        { 60, 0x0300, CMD_TSE }, /* no TCP packet */
        { 30, 0x0100, 0 },       /* the IP header does not fit */
        { 30, 0x0200, 0 },       /* TCP's checksum neither */
        { 0xfffff, 0, 0 },       /* more than any frame */
    };

    for (unsigned i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        setup();
        frame_put(60);
        context_add(20, false, 54, 1448, 0x05);
        card_descriptor(&card, 0, CARD_DATA,
                        frames[i].length | frames[i].lower | CMD_DEXT | DTYP_DATA | CMD_EOP |
                            CMD_RS,
                        frames[i].popts);
        card_send(&card, 0);
        CHECK_EQ(fake_net_sent(card.device), 0);
        CHECK(fake_guest_errors(card.device) > 0);
        CHECK_EQ(card_sent(&card, 0, 1)[12], 1);
        card_descriptor(&card, 0, CARD_DATA, 60 | CMD_EOP | CMD_RS, 0);
        card_send(&card, 0);
        CHECK_EQ(fake_net_sent(card.device), 1);
        card_close(&card);
    }
}

TEST(send_from_nowhere)
{
    setup();
    card_descriptor(&card, 0, UINT64_MAX - 10, 60 | CMD_EOP | CMD_RS, 0);
    card_send(&card, 0);
    CHECK_EQ(card_sent(&card, 0, 0)[12], 1);
    card_write(&card, TDBAL + 4, 0xffffffff);
    card_write(&card, TDBAL + 0x18, 9);
    CHECK_EQ(card_read(&card, TDBAL + 0x10), 1);
    card_write(&card, TDBAL + 0x18, 0xffff); /* outside of the ring */
    CHECK_EQ(fake_net_sent(card.device), 0);
    CHECK_EQ(fake_guest_errors(card.device), 2);
    card_close(&card);
}

TEST(send_stuck)
{
    setup();
    frame_put(64);
    fake_net_room(card.device, 2);
    for (unsigned i = 0; i < 5; i++) {
        card_descriptor(&card, 0, CARD_DATA, (60 + i) | CMD_EOP | CMD_RS, 0);
    }
    card_send(&card, 0);
    CHECK_EQ(fake_net_sent(card.device), 2);
    CHECK_EQ(card_read(&card, TDBAL + 0x10), 2);
    CHECK_EQ(card_sent(&card, 0, 2)[12], 0);
    CHECK(fake_save_load(card.device));
    fake_net_room(card.device, UINT_MAX);
    fake_run(card.fake);
    CHECK_EQ(fake_net_sent(card.device), 5);
    CHECK_EQ(card_read(&card, TDBAL + 0x10), 5);
    finish();
}

TEST(second_queue_and_off)
{
    setup();
    frame_put(60);
    card_descriptor(&card, 1, CARD_DATA, 60 | CMD_EOP, 0);
    card_send(&card, 1);
    CHECK_EQ(fake_net_sent(card.device), 1);
    card_write(&card, TCTL, 0);
    card_descriptor(&card, 0, CARD_DATA, 60 | CMD_EOP, 0);
    card_send(&card, 0);
    CHECK_EQ(fake_net_sent(card.device), 1);
    card_write(&card, TCTL, 2);
    CHECK_EQ(fake_net_sent(card.device), 2);
    fake_config_write(card.device, 4, 2, 3); /* no bus master */
    card_descriptor(&card, 0, CARD_DATA, 60 | CMD_EOP, 0);
    card_send(&card, 0);
    CHECK_EQ(fake_net_sent(card.device), 2);
    fake_config_write(card.device, 4, 2, 7);
    CHECK_EQ(fake_net_sent(card.device), 3);
    finish();
}

TEST_MAIN(T(send_legacy), T(send_in_pieces), T(send_checksums_and_tag), T(send_large_segments),
          T(send_what_cannot_be), T(send_from_nowhere), T(send_stuck), T(second_queue_and_off))
