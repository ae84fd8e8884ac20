/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The CD drive: packets, replies, media that come and go. */
#include "ahci_driver.h"

enum { DISC_SIZE = 4 << 20, SECTORS = DISC_SIZE / 2048, BUFFER = 4096 };

static void drive_start(struct sata *r)
{
    sata_start(r, 1 << 20, DISC_SIZE);
    port_start(r, 1);
}

/* Runs a packet that must succeed and moves n bytes; returns them. */
static const uint8_t *reply(struct sata *r, const uint8_t *packet, uint32_t n)
{
    memset(r->ram + DATA, 0xee, BUFFER);
    CHECK_EQ(packet_run(r, 1, packet, DATA, BUFFER), IS_DHRS);
    CHECK_EQ(px_read(r, 1, PX_TFD), 0x50);
    CHECK_EQ(bytes_moved(r, 1, 0), n);
    CHECK_EQ(fis_area(r, 1)[0x4c] & 7, 3);
    CHECK_EQ(r->ram[DATA + n], 0xee);
    return r->ram + DATA;
}

/* Runs a packet that must fail, and compares what REQUEST SENSE says. */
static void refused(struct sata *r, const uint8_t *packet, unsigned key, unsigned asc)
{
    CHECK_EQ(packet_run(r, 1, packet, DATA, BUFFER), IS_DHRS | IS_TFES);
    CHECK_EQ(px_read(r, 1, PX_TFD) & 0xf0ff, key << 12 | 0x51);
    CHECK_EQ(fis_area(r, 1)[0x4c] & 7, 3);
    port_recover(r, 1);

    const uint8_t *sense = reply(r, PACKET(0x03, 0, 0, 0, 18), 18);

    CHECK_EQ(sense[0], 0x70);
    CHECK_EQ(sense[2], key);
    CHECK_EQ(sense[12] << 8 | sense[13], asc);
}

TEST(identify)
{
    struct sata r;
    const uint8_t *data;

    drive_start(&r);
    data = r.ram + DATA;
    CHECK_EQ(ata_run(&r, 1, (struct ata){ .command = 0xec }, DATA, 512), IS_DHRS | IS_TFES);
    CHECK_EQ(fis_area(&r, 1)[0x45], 0x14);
    CHECK_EQ(fis_area(&r, 1)[0x46], 0xeb);
    port_recover(&r, 1);
    CHECK_EQ(ata_run(&r, 1, (struct ata){ .command = 0xa1 }, DATA, 512), IS_PSS);
    CHECK_EQ(identify_word(data, 0), 0x85c0);
    CHECK_EQ(identify_word(data, 49) & 0x300, 0x300);
    CHECK_EQ(identify_word(data, 76), 6);
    CHECK_EQ(identify_word(data, 82) & 0x10, 0x10);
    CHECK_EQ(data[27 * 2], 'R');
    CHECK_EQ(ata_run(&r, 1, (struct ata){ .command = 0xef, .features = 3, .count = 0x45 }, 0, 0),
             IS_DHRS);
    CHECK_EQ(ata_run(&r, 1, (struct ata){ .command = 0x08 }, 0, 0), IS_DHRS);
    CHECK_EQ(fis_area(&r, 1)[0x46], 0xeb);
    CHECK_EQ(ata_run(&r, 1, (struct ata){ .command = 0x90 }, 0, 0), IS_DHRS);
    CHECK_EQ(ata_run(&r, 1, (struct ata){ .command = 0xe5 }, 0, 0), IS_DHRS);
    CHECK_EQ(fis_area(&r, 1)[0x4c], 0xff);
    CHECK_EQ(ata_run(&r, 1, (struct ata){ .command = 0xef, .features = 2 }, 0, 0),
             IS_DHRS | IS_TFES);
    port_recover(&r, 1);
    CHECK_EQ(ata_run(&r, 1, (struct ata){ .command = 0x25, .count = 1 }, DATA, 512),
             IS_DHRS | IS_TFES);
    sata_end(&r);
}

TEST(inquiry)
{
    struct sata r;
    const uint8_t *data;

    drive_start(&r);
    data = reply(&r, PACKET(0x12, 0, 0, 0, 96), 36);
    CHECK_EQ(data[0], 5);
    CHECK_EQ(data[1], 0x80);
    CHECK_EQ(data[4], 31);
    CHECK(memcmp(data + 8, "ORIEL   DVD-ROM         1.0 ", 28) == 0);
    reply(&r, PACKET(0x12, 0, 0, 0, 8), 8);
    reply(&r, PACKET(0x12, 0, 0, 0, 0), 0);
    data = reply(&r, PACKET(0x12, 1, 0, 0, 96), 6);
    CHECK_EQ(data[5], 0x80);
    refused(&r, PACKET(0x12, 1, 0x83, 0, 96), 5, 0x2400);
    refused(&r, PACKET(0x12, 0, 1, 0, 96), 5, 0x2400);
    sata_end(&r);
}

TEST(reading)
{
    struct sata r;
    const uint8_t *data;

    drive_start(&r);
    data = reply(&r, PACKET(0x25), 8);
    CHECK_EQ(load_be32(data), SECTORS - 1);
    CHECK_EQ(load_be32(data + 4), 2048);
    data = reply(&r, PACKET(0x28, 0, 0, 0, 0, 5, 0, 0, 1), 2048);
    CHECK(memcmp(data, r.disc + 5 * 2048, 2048) == 0);
    data = reply(&r, PACKET(0xa8, 0, 0, 0, 0, 6, 0, 0, 0, 1), 2048);
    CHECK(memcmp(data, r.disc + 6 * 2048, 2048) == 0);
    reply(&r, PACKET(0x28, 0, 0, 0, 0, 5, 0, 0, 0), 0);
    data = reply(&r, PACKET(0xbe, 0, 0, 0, 0, 7, 0, 0, 1, 0x10), 2048);
    CHECK(memcmp(data, r.disc + 7 * 2048, 2048) == 0);
    data = reply(&r, PACKET(0xbe, 8, 0, 0, 0, 7, 0, 0, 1, 0x10), 2048);
    reply(&r, PACKET(0xbe, 0, 0, 0, 0, 7, 0, 0, 1, 0), 0);
    /* 00:02:09 to 00:02:10 */
    data = reply(&r, PACKET(0xb9, 0, 0, 0, 2, 9, 0, 2, 10, 0x10), 2048);
    CHECK(memcmp(data, r.disc + 9 * 2048, 2048) == 0);
    reply(&r, PACKET(0x2b, 0, 0, 0, 0, 5), 0);
    reply(&r, PACKET(0x2f, 0, 0, 0, 0, 5, 0, 0, 5), 0);
    reply(&r, PACKET(0xbb), 0);
    /* wrong */
    refused(&r, PACKET(0x28, 0, 0, 0, SECTORS >> 8, 0, 0, 0, 1), 5, 0x2100);
    refused(&r, PACKET(0x28, 0, 0, 0, 0, 0, 0, 0xff, 0xff), 5, 0x2100);
    refused(&r, PACKET(0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), 5, 0x2100);
    refused(&r, PACKET(0x2b, 0, 0xff, 0, 0, 5), 5, 0x2100);
    refused(&r, PACKET(0xbe, 4, 0, 0, 0, 7, 0, 0, 1, 0x10), 5, 0x6400);
    refused(&r, PACKET(0xbe, 0, 0, 0, 0, 7, 0, 0, 1, 0xf8), 5, 0x2400);
    refused(&r, PACKET(0xbe, 0, 0, 0, 0, 7, 0, 0, 1, 0x10, 1), 5, 0x2400);
    refused(&r, PACKET(0xb9, 0, 0, 0, 1, 0, 0, 2, 0, 0x10), 5, 0x2100);
    refused(&r, PACKET(0xb9, 0, 0, 0, 3, 0, 0, 2, 0, 0x10), 5, 0x2100);
    refused(&r, PACKET(0x2a, 0, 0, 0, 0, 5, 0, 0, 1), 5, 0x2000);
    refused(&r, PACKET(0xff), 5, 0x2000);
    fake_drive_fail(r.ahci, 1, 1, -EIO);
    refused(&r, PACKET(0x28, 0, 0, 0, 0, 5, 0, 0, 1), 3, 0x1100);
    fake_drive_fail(r.ahci, 1, 1, -ENOMEDIUM);
    refused(&r, PACKET(0x28, 0, 0, 0, 0, 5, 0, 0, 1), 2, 0x3a01);
    sata_end(&r);
}

/* Without the DMA bit, with a byte count limit. */
TEST(reading_by_pio)
{
    struct sata r;
    struct ata packet = { .command = 0xa0, .lba = (uint64_t)2048 << 8 };
    const uint8_t *fis;

    drive_start(&r);
    fis = fis_area(&r, 1);
    slot_fill(&r, 1, 0, &packet, 1);
    memcpy(table_of(&r, 1, 0) + 0x40, PACKET(0x28, 0, 0, 0, 0, 5, 0, 0, 2), 12);
    prd_set(&r, 1, 0, 0, DATA, 4096);
    px_write(&r, 1, PX_CI, 1);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 1, PX_IS), IS_DHRS | IS_PSS);
    CHECK_EQ(fis[0x20], 0x5f);
    CHECK_EQ(fis[0x21], 0x60);
    CHECK_EQ(load_le16(fis + 0x30), 2048);
    CHECK_EQ(fis[0x42], 0x50);
    CHECK(memcmp(r.ram + DATA, r.disc + 5 * 2048, 4096) == 0);
    sata_end(&r);
}

TEST(table_of_contents)
{
    struct sata r;
    const uint8_t *data;

    drive_start(&r);
    data = reply(&r, PACKET(0x43, 0, 0, 0, 0, 0, 0, 0, 200), 20);
    CHECK_EQ(load_be16(data), 18);
    CHECK_EQ(data[2] << 8 | data[3], 0x101);
    CHECK_EQ(data[5], 0x14);
    CHECK_EQ(data[6], 1);
    CHECK_EQ(load_be32(data + 8), 0);
    CHECK_EQ(data[14], 0xaa);
    CHECK_EQ(load_be32(data + 16), SECTORS);
    data = reply(&r, PACKET(0x43, 2, 0, 0, 0, 0, 0xaa, 0, 200), 12);
    CHECK_EQ(data[6], 0xaa);
    /* 2048 + 150 = 29 seconds and 23 frames */
    CHECK_EQ(load_be32(data + 8), 0x00001d17);
    data = reply(&r, PACKET(0x43, 0, 1, 0, 0, 0, 0, 0, 200), 12);
    CHECK_EQ(load_be16(data), 10);
    data = reply(&r, PACKET(0x43, 0, 0, 0, 0, 0, 0, 0, 200, 0x40), 12);
    data = reply(&r, PACKET(0x43, 0, 2, 0, 0, 0, 0, 0, 200), 48);
    CHECK_EQ(data[7], 0xa0);
    CHECK_EQ(data[4 + 22 + 3], 0xa2);
    CHECK_EQ(data[4 + 22 + 9], 0x1d);
    CHECK_EQ(data[4 + 33 + 3], 1);
    CHECK_EQ(data[4 + 33 + 9], 2);
    reply(&r, PACKET(0x43, 0, 0, 0, 0, 0, 0, 0, 4), 4);
    refused(&r, PACKET(0x43, 0, 0, 0, 0, 0, 2, 0, 200), 5, 0x2400);
    refused(&r, PACKET(0x43, 0, 5, 0, 0, 0, 0, 0, 200), 5, 0x2400);
    sata_end(&r);
}

TEST(mode_pages)
{
    struct sata r;
    const uint8_t *data;

    drive_start(&r);
    data = reply(&r, PACKET(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 200), 28);
    CHECK_EQ(load_be16(data), 26);
    CHECK_EQ(data[2], 0x01);
    CHECK_EQ(data[8], 0x2a);
    CHECK_EQ(data[9], 18);
    CHECK_EQ(data[14], 0x29);
    data = reply(&r, PACKET(0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 200), 36);
    CHECK_EQ(data[8], 0x01);
    CHECK_EQ(data[16], 0x2a);
    data = reply(&r, PACKET(0x5a, 0, 0x41, 0, 0, 0, 0, 0, 200), 16);
    CHECK_EQ(data[11], 0); /* nothing can be changed */
    data = reply(&r, PACKET(0x1a, 0, 0x01, 0, 200), 12);
    CHECK_EQ(data[0], 11);
    CHECK_EQ(data[4], 1);
    refused(&r, PACKET(0x5a, 0, 0x05, 0, 0, 0, 0, 0, 200), 5, 0x2400);
    refused(&r, PACKET(0x5a, 0, 0xea, 0, 0, 0, 0, 0, 200), 5, 0x3900);
    sata_end(&r);
}

static unsigned feature_length(const uint8_t *features, size_t n, unsigned code, unsigned *flags)
{
    for (size_t at = 8; at + 4 <= n; at += 4u + features[at + 3]) {
        if (load_be16(features + at) == code) {
            *flags = features[at + 2] & 3;
            return features[at + 3];
        }
    }
    return 0;
}

TEST(configuration)
{
    struct sata r;
    const uint8_t *data;
    unsigned flags = 0;

    drive_start(&r);
    packet_run(&r, 1, PACKET(0x46, 0, 0, 0, 0, 0, 0, 0xf, 0), DATA, BUFFER);
    data = r.ram + DATA;
    uint32_t n = bytes_moved(&r, 1, 0);

    CHECK_EQ(load_be32(data), n - 4);
    CHECK_EQ(load_be16(data + 6), 8);
    CHECK_EQ(feature_length(data, n, 0x0000, &flags), 8);
    CHECK_EQ(feature_length(data, n, 0x0001, &flags), 8);
    CHECK_EQ(flags, 3);
    CHECK_EQ(feature_length(data, n, 0x0003, &flags), 4);
    CHECK_EQ(feature_length(data, n, 0x001e, &flags), 4);
    CHECK_EQ(flags, 1);
    CHECK_EQ(feature_length(data, n, 0x001f, &flags), 4);
    CHECK_EQ(flags, 0);
    data = reply(&r, PACKET(0x46, 2, 0, 3, 0, 0, 0, 0, 200), 16);
    CHECK_EQ(load_be16(data + 8), 3);
    reply(&r, PACKET(0x46, 2, 0, 0x7f, 0, 0, 0, 0, 200), 8);
    refused(&r, PACKET(0x46, 3, 0, 0, 0, 0, 0, 0, 200), 5, 0x2400);
    refused(&r, PACKET(0xad, 0, 0, 0, 0, 0, 0, 0, 8, 8), 5, 0x3000);

    /* longer than a CD; only the size is looked at */
    r.disc_info.size = UINT64_C(5) << 30;
    fake_drive_change(r.ahci, 1, &r.disc_info, r.disc);
    data = reply(&r, PACKET(0x46, 2, 0, 0x1f, 0, 0, 0, 0, 200), 16 - 0);
    CHECK_EQ(load_be16(data + 6), 0x10);
    CHECK_EQ(data[10] & 3, 1);
    refused(&r, PACKET(0), 6, 0x2800);
    data = reply(&r, PACKET(0xad, 0, 0, 0, 0, 0, 0, 0, 8, 8), 2052);
    CHECK_EQ(load_be16(data), 2050);
    CHECK_EQ(load_be32(data + 8), 0x030000);
    CHECK_EQ(load_be32(data + 12), 0x030000 + (UINT32_C(5) << 19) - 1);
    data = reply(&r, PACKET(0xad, 0, 0, 0, 0, 0, 0, 1, 8, 8), 8);
    reply(&r, PACKET(0xad, 0, 0, 0, 0, 0, 0, 4, 8, 8), 2052);
    reply(&r, PACKET(0xad, 0, 0, 0, 0, 0, 0, 0xff, 8, 8), 16);
    refused(&r, PACKET(0xad, 0, 0, 0, 0, 0, 1, 0, 8, 8), 5, 0x2400);
    refused(&r, PACKET(0xad, 0, 0, 0, 0, 0, 0, 2, 8, 8), 5, 0x2400);
    /* more minutes than a byte has */
    data = reply(&r, PACKET(0x43, 2, 0, 0, 0, 0, 0xaa, 0, 200), 12);
    CHECK_EQ(load_be32(data + 8), 0x00ff3b4a);
    sata_end(&r);
}

TEST(disc_and_track)
{
    struct sata r;
    const uint8_t *data;

    drive_start(&r);
    data = reply(&r, PACKET(0x51, 0, 0, 0, 0, 0, 0, 0, 200), 34);
    CHECK_EQ(load_be16(data), 32);
    CHECK_EQ(data[2], 0x0e);
    data = reply(&r, PACKET(0x52, 1, 0, 0, 0, 1, 0, 0, 200), 36);
    CHECK_EQ(load_be32(data + 24), SECTORS);
    reply(&r, PACKET(0x52, 0, 0, 0, 0, 77, 0, 0, 200), 36);
    data = reply(&r, PACKET(0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8), 8);
    CHECK_EQ(data[5], 1);
    refused(&r, PACKET(0x51, 1, 0, 0, 0, 0, 0, 0, 200), 5, 0x2400);
    refused(&r, PACKET(0x52, 1, 0, 0, 0, 2, 0, 0, 200), 5, 0x2400);
    refused(&r, PACKET(0x52, 3, 0, 0, 0, 1, 0, 0, 200), 5, 0x2400);
    refused(&r, PACKET(0x52, 0, 0xff, 0, 0, 1, 0, 0, 200), 5, 0x2100);
    sata_end(&r);
}

/* --- Media that come and go ------------------------------------------------------------------- */

static void event_check(struct sata *r, unsigned event, unsigned status)
{
    const uint8_t *data = reply(r, PACKET(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 8);

    CHECK_EQ(load_be16(data), 6);
    CHECK_EQ(data[2], 4);
    CHECK_EQ(data[3], 0x10);
    CHECK_EQ(data[4], event);
    CHECK_EQ(data[5], status);
}

TEST(medium_is_changed)
{
    struct sata r;
    struct block_info none = { .optical = true, .logical_block_size = 2048 };

    drive_start(&r);
    event_check(&r, 0, 2);
    fake_drive_change(r.ahci, 1, &none, NULL);
    event_check(&r, 3, 0);
    event_check(&r, 0, 0);
    refused(&r, PACKET(0), 2, 0x3a01);
    refused(&r, PACKET(0x28, 0, 0, 0, 0, 5, 0, 0, 1), 2, 0x3a01);
    refused(&r, PACKET(0x25), 2, 0x3a01);
    refused(&r, PACKET(0x43, 0, 0, 0, 0, 0, 0, 0, 200), 2, 0x3a01);
    CHECK_EQ(load_be16(reply(&r, PACKET(0x46, 0, 0, 0, 0, 0, 0, 0, 8), 8) + 6), 0);
    reply(&r, PACKET(0x12, 0, 0, 0, 36), 36);
    CHECK_EQ(reply(&r, PACKET(0x5a, 0, 0x01, 0, 0, 0, 0, 0, 200), 16)[2], 0x70);
    CHECK(fake_save_load(r.ahci));

    fake_drive_change(r.ahci, 1, &r.disc_info, r.disc);
    reply(&r, PACKET(0x12, 0, 0, 0, 36), 36); /* does not take the attention */
    event_check(&r, 2, 2);
    CHECK(fake_save_load(r.ahci));
    refused(&r, PACKET(0), 6, 0x2800);
    reply(&r, PACKET(0), 0);
    event_check(&r, 0, 2);

    /* REQUEST SENSE takes it too */
    fake_drive_change(r.ahci, 1, &r.disc_info, r.disc);
    CHECK_EQ(reply(&r, PACKET(0x03, 0, 0, 0, 18), 18)[2], 6);
    reply(&r, PACKET(0), 0);
    CHECK_EQ(reply(&r, PACKET(0x03, 0, 0, 0, 18), 18)[2], 0);
    /* nobody can wait for an event, and other classes have none */
    refused(&r, PACKET(0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8), 5, 0x2400);
    CHECK_EQ(reply(&r, PACKET(0x4a, 1, 0, 0, 0x02, 0, 0, 0, 8), 4)[2], 0x80);
    sata_end(&r);
}

TEST(guest_moves_the_tray)
{
    struct sata r;
    struct block_info none = { .optical = true, .logical_block_size = 2048 };

    drive_start(&r);
    reply(&r, PACKET(0x1e, 0, 0, 0, 1), 0);
    reply(&r, PACKET(0x1e, 0, 0, 0, 1), 0);
    CHECK_EQ(fake_requests(r.fake, REQUEST_LOCK_TRAY), 1);
    CHECK_EQ(fake_last_request_argument(r.fake), 1 << 1 | 1);
    CHECK_EQ(reply(&r, PACKET(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 200), 28)[14], 0x2b);
    refused(&r, PACKET(0x1b, 0, 0, 0, 2), 5, 0x5302);
    CHECK_EQ(fake_requests(r.fake, REQUEST_EJECT), 0);
    reply(&r, PACKET(0x1e, 0, 0, 0, 0), 0);
    CHECK_EQ(fake_last_request_argument(r.fake), 1 << 1);
    reply(&r, PACKET(0x1b, 0, 0, 0, 1), 0); /* starts */
    reply(&r, PACKET(0x1b, 0, 0, 0, 0), 0); /* stops */
    CHECK_EQ(fake_requests(r.fake, REQUEST_EJECT), 0);
    reply(&r, PACKET(0x1b, 0, 0, 0, 2), 0);
    reply(&r, PACKET(0x1b, 0, 0, 0, 2), 0);
    CHECK_EQ(fake_requests(r.fake, REQUEST_EJECT), 1);
    CHECK_EQ(fake_last_request_argument(r.fake), 1);
    event_check(&r, 3, 1);
    refused(&r, PACKET(0), 2, 0x3a02);
    CHECK_EQ(reply(&r, PACKET(0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8), 8)[1], 0x10);
    /* nobody took the medium out: closing brings it back */
    reply(&r, PACKET(0x1b, 0, 0, 0, 3), 0);
    event_check(&r, 2, 2);
    refused(&r, PACKET(0), 6, 0x2800);
    reply(&r, PACKET(0), 0);
    /* taken out, and another put in, which closes the tray */
    reply(&r, PACKET(0x1b, 0, 0, 0, 2), 0);
    fake_drive_change(r.ahci, 1, &none, NULL);
    refused(&r, PACKET(0), 2, 0x3a02);
    CHECK_EQ(reply(&r, PACKET(0x5a, 0, 0x01, 0, 0, 0, 0, 0, 200), 16)[2], 0x71);
    fake_drive_change(r.ahci, 1, &r.disc_info, r.disc);
    refused(&r, PACKET(0), 6, 0x2800);
    reply(&r, PACKET(0), 0);
    /* a reset unlocks */
    reply(&r, PACKET(0x1e, 0, 0, 0, 1), 0);
    fake_reset(r.fake, RESET_WARM);
    CHECK_EQ(fake_last_request_argument(r.fake), 1 << 1);
    sata_end(&r);
}

TEST(medium_goes_while_it_is_read)
{
    struct sata r;
    struct block_info none = { .optical = true, .logical_block_size = 2048 };
    struct ata packet = { .command = 0xa0, .features = 1 };

    drive_start(&r);
    fake_drive_hold(r.ahci, 1, true);
    slot_fill(&r, 1, 0, &packet, 1);
    memcpy(table_of(&r, 1, 0) + 0x40, PACKET(0x28, 0, 0, 0, 0, 5, 0, 0, 2), 12);
    prd_set(&r, 1, 0, 0, DATA, 4096);
    px_write(&r, 1, PX_CI, 1);
    fake_drive_change(r.ahci, 1, &none, NULL);
    fake_drive_hold(r.ahci, 1, false);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 1, PX_IS), IS_DHRS | IS_TFES);
    CHECK_EQ(px_read(&r, 1, PX_TFD) >> 12, 2);
    port_recover(&r, 1);
    refused(&r, PACKET(0), 2, 0x3a01);
    sata_end(&r);
}

TEST_MAIN(T(identify), T(inquiry), T(reading), T(reading_by_pio), T(table_of_contents),
          T(mode_pages), T(configuration), T(disc_and_track), T(medium_is_changed),
          T(guest_moves_the_tray), T(medium_goes_while_it_is_read))
