/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The 82574L network card: receiving in all formats, filters, queues, and what goes
 * wrong. */
#include "test.h"

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

static const uint8_t own[] = { 0x52, 0x4f, 0, 1, 2, 3 };

static bool arrives(const uint8_t *to, uint32_t length)
{
    uint8_t bytes[9000];

    for (uint32_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)(i * 3 + length);
    }
    memcpy(bytes, to, 6);
    store_be16(bytes + 12, 0x88b5);
    return fake_net_receive(card.device, NULL, bytes, length);
}

TEST(receive)
{
    uint8_t *at;

    setup();
    arrives(own, 100);
    CHECK_EQ(fake_net_waiting(card.device), 1); /* there is no buffer */
    card_buffers(&card, 0, 4, 16);
    CHECK_EQ(fake_net_waiting(card.device), 0);
    at = card_received(&card, 0, 0, 16);
    CHECK_EQ(load_le32(at + 8) & 0xff, 0x07); /* DD, EOP, IXSM */
    CHECK_EQ(load_le16(at + 12), 100);
    CHECK(memcmp(card_buffer(&card, 0, 0), own, 6) == 0);
    CHECK_EQ(card_buffer(&card, 0, 0)[99], (uint8_t)(99 * 3 + 100));
    arrives(own, 42); /* filled up */
    CHECK_EQ(load_le16(card_received(&card, 0, 1, 16) + 12), 60);
    card_write(&card, RCTL, card_read(&card, RCTL) & ~(1u << 26));
    arrives(own, 100); /* with check sequence */
    CHECK_EQ(load_le16(card_received(&card, 0, 2, 16) + 12), 104);
    CHECK_EQ(card_read(&card, RDBAL + 0x10), 3);
    CHECK_EQ(card_read(&card, ICR) & RXT0, RXT0);
    CHECK_EQ(card_read(&card, 0x4074), 3);
    card_write(&card, RCTL, 0);
    arrives(own, 100);
    CHECK_EQ(fake_net_waiting(card.device), 0); /* off: lost */
    finish();
}

/* IEEE 802.3: the residue over a frame with its check sequence. */
TEST(receive_check_sequence)
{
    uint32_t crc = 0xffffffff;

    setup();
    card_write(&card, RCTL, card_read(&card, RCTL) & ~(1u << 26));
    card_buffers(&card, 0, 1, 16);
    arrives(own, 100);
    for (unsigned i = 0; i < 104; i++) {
        crc ^= card_buffer(&card, 0, 0)[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    CHECK_EQ(crc, 0xdebb20e3);
    finish();
}

TEST(receive_long)
{
    setup();
    card_buffers(&card, 0, 8, 16);
    arrives(own, 4000);                    /* longer than allowed */
    CHECK_EQ(card_read(&card, 0x40ac), 1); /* ROC */
    card_write(&card, RCTL, card_read(&card, RCTL) | 1u << 5);
    arrives(own, 4000);
    CHECK_EQ(card_received(&card, 0, 0, 16)[8] & 3, 1);
    CHECK_EQ(card_received(&card, 0, 1, 16)[8] & 3, 3);
    CHECK_EQ(load_le16(card_received(&card, 0, 0, 16) + 12), 2048);
    CHECK_EQ(load_le16(card_received(&card, 0, 1, 16) + 12), 4000 - 2048);
    finish();
}

TEST(receive_legacy)
{
    uint8_t *at;

    setup();
    card_write(&card, RFCTL, 0);
    card_buffers(&card, 0, 2, 16);
    arrives(own, 100);
    at = card_received(&card, 0, 0, 16);
    CHECK_EQ(load_le64(at), 0);
    CHECK_EQ(load_le16(at + 8), 100);
    CHECK_EQ(at[12], 0x07);
    finish();
}

TEST(receive_split)
{
    uint8_t bytes[200] = { 0 }, *at;

    setup();
    card_write(&card, RDBAL + 8, CARD_ENTRIES * 32);
    card_write(&card, PSRCTL, 2 | 1 << 8 | 1 << 16 | 1 << 24); /* 256, 1024 ... */
    card_write(&card, RCTL, card_read(&card, RCTL) | 1u << 10);
    card_buffers(&card, 0, 3, 32);
    memcpy(bytes, own, 6);
    store_be16(bytes + 12, 0x0800);
    bytes[14] = 0x45;
    store_be16(bytes + 16, 186);
    bytes[23] = 17;
    fake_net_receive(card.device, NULL, bytes, sizeof(bytes));
    at = card_received(&card, 0, 0, 32);
    CHECK_EQ(at[8] & 3, 3);
    CHECK_EQ(load_le16(at + 12), 42);
    CHECK_EQ(load_le16(at + 16), 0x8000 | 42);
    CHECK_EQ(load_le16(at + 18), 158);
    CHECK(memcmp(card_buffer(&card, 0, 0) + 1024, bytes + 42, 158) == 0);
    arrives(own, 600); /* nothing to split by */
    at = card_received(&card, 0, 1, 32);
    CHECK_EQ(load_le16(at + 12), 256);
    CHECK_EQ(load_le16(at + 16) & 0x8000, 0);
    CHECK_EQ(load_le16(at + 18), 344);
    finish();
}

TEST(receive_checksums_and_tag)
{
    uint8_t bytes[64] = { 0 }, *at;
    struct net_offload good = { .flags = NET_CSUM_VALID };

    setup();
    card_write(&card, RXCSUM, 0x300);
    card_write(&card, CTRL, card_read(&card, CTRL) | 1u << 30);
    card_buffers(&card, 0, 4, 16);
    memcpy(bytes, own, 6);
    store_be32(bytes + 12, 0x81000064);
    store_be16(bytes + 16, 0x0800);
    bytes[18] = 0x45;
    store_be16(bytes + 20, 40);
    bytes[27] = 6;
    bytes[18 + 20 + 12] = 0x50;
    fake_net_receive(card.device, NULL, bytes, sizeof(bytes));
    at = card_received(&card, 0, 0, 16);
    CHECK_EQ(load_le32(at + 8), 0x60000000u | 0x6b); /* both wrong; tag, TCP and IP looked at */
    CHECK_EQ(load_le16(at + 14), 0x64);
    CHECK_EQ(load_be16(card_buffer(&card, 0, 0) + 12), 0x0800);
    store_be16(bytes + 28, (uint16_t) ~(0x4500 + 40 + 6));
    fake_net_receive(card.device, &good, bytes, sizeof(bytes));
    CHECK_EQ(load_le32(card_received(&card, 0, 1, 16) + 8), 0x6b);
    store_be16(bytes + 18 + 20 + 16, (uint16_t) ~(6 + 20 + 0x5000));
    fake_net_receive(card.device, NULL, bytes, sizeof(bytes));
    CHECK_EQ(load_le32(card_received(&card, 0, 2, 16) + 8), 0x6b);
    /* The VLAN filter. */
    card_write(&card, RCTL, card_read(&card, RCTL) | 1u << 18);
    fake_net_receive(card.device, NULL, bytes, sizeof(bytes));
    CHECK_EQ(card_read(&card, RDBAL + 0x10), 3);
    card_write(&card, VFTA + 4 * 3, 1u << 4);
    card_buffers(&card, 0, 1, 16);
    fake_net_receive(card.device, NULL, bytes, sizeof(bytes));
    CHECK_EQ(card_read(&card, RDBAL + 0x10), 4);
    finish();
}

TEST(receive_filters)
{
    static const uint8_t other[] = { 2, 9, 9, 9, 9, 9 }, group[] = { 1, 0, 0x5e, 0, 0, 0xfb };
    static const uint8_t all[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    unsigned hash = 0xfb0 & 0xfff;

    setup();
    card_buffers(&card, 0, 15, 16);
    arrives(other, 60);
    arrives(group, 60);
    CHECK_EQ(card_read(&card, RDBAL + 0x10), 0);
    arrives(all, 60);
    arrives(own, 60);
    CHECK_EQ(card_read(&card, RDBAL + 0x10), 2);
    card_write(&card, MTA + hash / 32 * 4, 1u << hash % 32);
    arrives(group, 60);
    CHECK_EQ(card_read(&card, RDBAL + 0x10), 3);
    CHECK_EQ(card_received(&card, 0, 2, 16)[8] & 0x80, 0x80); /* PIF */
    card_write(&card, RAL + 8, load_le32(other));
    card_write(&card, RAL + 12, load_le16(other + 4) | 0x80000000u);
    arrives(other, 60);
    CHECK_EQ(card_read(&card, RDBAL + 0x10), 4);
    card_write(&card, RAL + 12, 0);
    arrives(other, 60);
    CHECK_EQ(card_read(&card, RDBAL + 0x10), 4);
    card_write(&card, RCTL, card_read(&card, RCTL) | 1u << 3);
    arrives(other, 60);
    CHECK_EQ(card_read(&card, RDBAL + 0x10), 5);
    finish();
}

/* The verification suite of the RSS specification: 66.9.149.187:2794 to 161.142.100.80:1766. */
TEST(receive_queues)
{
    static const uint8_t key[40] = {
        0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
        0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
        0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
    };
    uint8_t bytes[60] = { 0 }, *at;

    setup();
    memcpy(bytes, own, 6);
    store_be16(bytes + 12, 0x0800);
    bytes[14] = 0x45;
    store_be16(bytes + 16, 46);
    bytes[23] = 6;
    store_be32(bytes + 26, 0x420995bb);
    store_be32(bytes + 30, 0xa18e6450);
    store_be16(bytes + 34, 2794);
    store_be16(bytes + 36, 1766);
    bytes[46] = 0x50;
    for (unsigned i = 0; i < 10; i++) {
        card_write(&card, RSSRK + 4 * i, load_le32(key + 4 * i));
    }
    card_write(&card, RETA + (0x51ccc178 & 0x7c), 0x80u << 8 * (0x51ccc178 & 3));
    card_write(&card, RXCSUM, 1u << 13);
    card_write(&card, MRQC, 1 | 3u << 16);
    card_buffers(&card, 0, 2, 16);
    card_buffers(&card, 1, 2, 16);
    fake_net_receive(card.device, NULL, bytes, sizeof(bytes));
    at = card_received(&card, 1, 0, 16);
    CHECK_EQ(load_le32(at), 0x101);
    CHECK_EQ(load_le32(at + 4), 0x51ccc178);
    card_write(&card, MRQC, 1 | 2u << 16);
    fake_net_receive(card.device, NULL, bytes, sizeof(bytes));
    at = card_received(&card, 0, 0, 16);
    CHECK_EQ(load_le32(at), 2);
    CHECK_EQ(load_le32(at + 4), 0x323e8fc2);
    finish();
}

TEST(receive_into_nowhere)
{
    setup();
    card_buffers(&card, 0, 2, 16);
    store_le64(card_received(&card, 0, 0, 16), CARD_RAM - 10);
    arrives(own, 100);
    CHECK_EQ(card_received(&card, 0, 0, 16)[8] & 3, 3);
    CHECK_EQ(fake_guest_errors(card.device), 1);
    card_write(&card, RDBAL + 4, 1);
    arrives(own, 100);
    CHECK_EQ(fake_net_waiting(card.device), 0);
    CHECK_EQ(fake_guest_errors(card.device), 2);
    card_write(&card, RDBAL + 0x10, 0xffff);
    arrives(own, 100);
    CHECK_EQ(fake_net_waiting(card.device), 0);
    CHECK(fake_save_load(card.device));
    card_close(&card);
}

TEST_MAIN(T(receive), T(receive_check_sequence), T(receive_long), T(receive_legacy),
          T(receive_split), T(receive_checksums_and_tag), T(receive_filters), T(receive_queues),
          T(receive_into_nowhere))
