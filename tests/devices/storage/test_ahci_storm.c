/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest that does anything: random commands, packets and lists in every slot, resets and stops at
 * any moment, media that come and go, requests that take long. The fake machine ends the program if
 * the controller breaks its contract; the sanitizers watch the rest. After each storm the
 * controller must come to rest and, recovered by the book, work.
 */
#include "ahci_driver.h"

enum { STORMS = 300, STEPS = 200, DISK_SIZE = 1 << 20 };

static uint64_t state = 0x9e3779b97f4a7c15;

static uint32_t pick(uint32_t limit)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static const uint8_t commands[] = { 0x06, 0x20, 0x24, 0x25, 0x25, 0x2f, 0x34, 0x35, 0x35, 0x42,
                                    0x47, 0x60, 0x60, 0x60, 0x61, 0x61, 0x90, 0xa0, 0xa0, 0xa0,
                                    0xa1, 0xc6, 0xc8, 0xca, 0xe0, 0xe5, 0xe7, 0xea, 0xec, 0xef };
static const uint8_t packets[] = {
    0x00, 0x03, 0x12, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x28, 0x2b, 0x43,
    0x46, 0x4a, 0x51, 0x52, 0x5a, 0xa8, 0xad, 0xb9, 0xbb, 0xbd, 0xbe
};

static uint64_t any_address(unsigned port)
{
    switch (pick(12)) {
    case 0:
        return RAM_SIZE - 2 * pick(2000);
    case 1:
        return UINT64_MAX - pick(5000);
    case 2:
        return ABAR;
    case 3:
        return PORT_AREA + port * PORT_STRIDE + pick(PORT_STRIDE); /* lists, FISes, tables */
    default:
        return DATA + pick(1 << 20);
    }
}

static void slot_scramble(struct sata *r, unsigned port)
{
    unsigned slot = pick(32), n = pick(4) ? 1 + pick(6) : pick(0x10000);
    struct ata ata = {
        .command = pick(30) ? commands[pick(sizeof(commands))] : (uint8_t)pick(256),
        .device = pick(8) ? 0x40 : (uint8_t)pick(256),
        .features = (uint16_t)(pick(4) ? pick(4) : pick(0x10000)),
        .count = (uint16_t)(pick(4) ? pick(16) : pick(0x10000)),
        .lba = pick(8) ? pick(2100) : (uint64_t)pick(UINT32_MAX) << pick(17),
    };

    if ((ata.command & 0xfe) == 0x60 && pick(10)) {
        ata.count = (uint16_t)(slot << 3);
    }
    slot_fill(r, port, slot, &ata, n);
    uint8_t *packet = table_of(r, port, slot) + 0x40;

    for (unsigned i = 0; i < 12; i++) {
        packet[i] = (uint8_t)(pick(3) ? pick(4) : pick(256));
    }
    packet[0] = pick(20) ? packets[pick(sizeof(packets))] : packet[0];
    for (unsigned i = 0; i < 6; i++) {
        prd_set(r, port, slot, i, any_address(port),
                pick(3) ? 512 * (1 + pick(16)) : 1 + pick(1 << 22));
    }
    if (pick(40) == 0) {
        table_of(r, port, slot)[pick(20)] = (uint8_t)pick(256);
    }
    if (pick(40) == 0) {
        store_le64(header_of(r, port, slot) + 8, any_address(port));
    }
    if ((ata.command & 0xfe) == 0x60) {
        px_write(r, port, PX_SACT, 1u << slot);
    }
    px_write(r, port, PX_CI, 1u << slot);
}

static void something_else(struct sata *r, unsigned port)
{
    struct block_info none = { .optical = true, .logical_block_size = 2048 };

    switch (pick(16)) {
    case 0:
        px_write(r, port, PX_CMD, PX_FRE);
        break;
    case 1:
        px_write(r, port, PX_CMD, PX_FRE | PX_CLO);
        break;
    case 2:
    case 3:
    case 4:
        px_write(r, port, PX_CMD, PX_FRE);
        px_write(r, port, PX_CMD, PX_FRE | PX_CLO);
        px_write(r, port, PX_CMD, PX_FRE | PX_ST);
        break;
    case 5:
        px_write(r, port, PX_SCTL, pick(5));
        px_write(r, port, PX_SCTL, 0);
        break;
    case 6:
        hba_write(r, HBA_GHC, pick(2) ? 1 : 2);
        break;
    case 7:
        fake_drive_change(r->ahci, 1, pick(2) ? &none : &r->disc_info, r->disc);
        break;
    case 8:
        fake_drive_fail(r->ahci, port, pick(4), pick(2) ? -EIO : -ENOMEDIUM);
        break;
    case 9:
        px_write(r, port, 4 * pick(18), pick(UINT32_MAX));
        break;
    case 10:
        if (pick(20) == 0) {
            CHECK(fake_save_load(r->ahci));
        }
        break;
    case 11:
        fake_config_write(r->ahci, 4, 2, pick(3) ? 7 : 3);
        break;
    case 12:
        slot_fill(r, port, 0, &(struct ata){ .command = 0 }, 0);
        table_of(r, port, 0)[1] = 0;
        table_of(r, port, 0)[15] = pick(2) ? 4 : 0;
        px_write(r, port, PX_CI, 1);
        break;
    default:
        port_start(r, port);
    }
}

static void recover_and_check(struct sata *r)
{
    for (unsigned port = 0; port < 2; port++) {
        fake_drive_hold(r->ahci, port, false);
        fake_drive_fail(r->ahci, port, 0, 0);
    }
    fake_config_write(r->ahci, 4, 2, 7);
    fake_run(r->fake);
    CHECK(r->ahci->class->idle(r->ahci));
    hba_write(r, HBA_GHC, 1);
    fake_run(r->fake);
    CHECK_EQ(hba_read(r, HBA_GHC), 0x80000000);
    for (unsigned port = 0; port < 2; port++) {
        port_start(r, port);
        CHECK_EQ(px_read(r, port, PX_TFD), 0x150);
        CHECK_EQ(ata_run(r, port, (struct ata){ .command = port ? 0xa1 : 0xec }, DATA, 512),
                 IS_PSS);
        CHECK_EQ(px_read(r, port, PX_TFD), 0x50);
    }
    CHECK_EQ(ata_run(r, 0, (struct ata){ .command = 0x25, .device = 0x40, .count = 8, .lba = 9 },
                     DATA, 4096),
             IS_DHRS);
    CHECK(memcmp(r->ram + DATA, r->disk + 9 * 512, 4096) == 0);
}

TEST(storm)
{
    struct sata r;

    sata_start(&r, DISK_SIZE, 1 << 20);
    for (unsigned storm = 0; storm < STORMS; storm++) {
        for (unsigned port = 0; port < 2; port++) {
            port_start(&r, port);
        }
        for (unsigned step = 0; step < STEPS; step++) {
            unsigned port = pick(8) == 0;

            if (pick(4)) {
                slot_scramble(&r, port);
            } else {
                something_else(&r, port);
            }
            if (pick(10) == 0) {
                fake_drive_hold(r.ahci, port, pick(2));
            }
            if (pick(3) == 0) {
                fake_run(r.fake);
            }
        }
        recover_and_check(&r);
    }
    sata_end(&r);
}

/* The controller goes away while requests are with the back end. */
TEST(removal)
{
    for (unsigned i = 0; i < 20; i++) {
        struct sata r;

        sata_start(&r, DISK_SIZE, 1 << 20);
        port_start(&r, 0);
        fake_drive_hold(r.ahci, 0, true);
        for (unsigned step = 0; step < 20; step++) {
            slot_scramble(&r, 0);
        }
        sata_end(&r);
    }
}

TEST_MAIN(T(storm), T(removal))
