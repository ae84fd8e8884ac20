/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AHCI among drivers that are wrong: lists, tables and data that lie nowhere or are too short, and
 * reserved bits. */
#include "ahci_driver.h"

static void check_stopped(struct sata *r, uint32_t is)
{
    CHECK_EQ(px_read(r, 0, PX_IS) & (IS_HBFS | IS_IFS | IS_TFES), is);
    CHECK(fake_guest_errors(r->ahci) > 0);
    CHECK(r->ahci->class->idle(r->ahci));
    CHECK(px_read(r, 0, PX_CI) != 0);
    /* nothing goes until the engine was stopped */
    px_write(r, 0, PX_IS, 0xffffffff);
    px_write(r, 0, PX_CI, 2);
    fake_run(r->fake);
    CHECK_EQ(px_read(r, 0, PX_IS), 0);
    CHECK_EQ(px_read(r, 0, PX_CI) & 2, 2);
    px_write(r, 0, PX_CMD, PX_FRE);
    px_write(r, 0, PX_SCTL, 1);
    px_write(r, 0, PX_SCTL, 0);
    port_start(r, 0);
    CHECK_EQ(ata_run(r, 0, (struct ata){ .command = 0xec }, DATA, 512), IS_PSS);
}

TEST(list_is_not_in_ram)
{
    static const uint64_t bad[] = { RAM_SIZE, ABAR, UINT64_C(0xfffffffffffffc00), 0x100000000 };
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
    for (unsigned i = 0; i < 4; i++) {
        port_start(&r, 0);
        px_write(&r, 0, PX_CLB, (uint32_t)bad[i]);
        px_write(&r, 0, PX_CLB + 4, (uint32_t)(bad[i] >> 32));
        px_write(&r, 0, PX_CI, 1);
        px_write(&r, 0, PX_CLB + 4, 0);
        check_stopped(&r, IS_HBFS);
    }
    sata_end(&r);
}

TEST(table_is_not_in_ram)
{
    static const uint64_t bad[] = { RAM_SIZE - 64, ABAR, UINT64_C(0xffffffffffffffff) };
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
    for (unsigned i = 0; i < 3; i++) {
        port_start(&r, 0);
        read_issue(&r, 31); /* a good one first */
        fake_run(r.fake);
        CHECK_EQ(px_read(&r, 0, PX_IS), IS_DHRS);
        store_le64(header_of(&r, 0, 0) + 8, bad[i] == RAM_SIZE - 64 ? RAM_SIZE : bad[i]);
        px_write(&r, 0, PX_CI, 1);
        check_stopped(&r, IS_HBFS);
    }
    sata_end(&r);
}

TEST(fis_area_is_not_in_ram)
{
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
    port_start(&r, 0);
    px_write(&r, 0, PX_FB, RAM_SIZE);
    slot_fill(&r, 0, 0, &(struct ata){ .command = 0xec }, 1);
    prd_set(&r, 0, 0, 0, DATA, 512);
    px_write(&r, 0, PX_CI, 1);
    check_stopped(&r, IS_HBFS);
    sata_end(&r);
}

TEST(no_command_fis)
{
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
    for (unsigned i = 0; i < 4; i++) {
        port_start(&r, 0);
        slot_fill(&r, 0, 0, &(const struct ata){ .command = 0xe7 }, 0);
        if (i < 3) {
            header_of(&r, 0, 0)[0] = (const uint8_t[]){ 0, 1, 17 }[i];
        } else {
            table_of(&r, 0, 0)[0] = 0x34;
        }
        px_write(&r, 0, PX_CI, 1);
        check_stopped(&r, IS_IFS);
    }
    sata_end(&r);
}

TEST(data_is_not_in_ram)
{
    static const uint64_t bad[] = { RAM_SIZE,
                                    RAM_SIZE - 1024,
                                    ABAR,
                                    UINT64_C(0xfffffffffffffffe),
                                    UINT64_C(0xfffffffffffffe00),
                                    0x100000000 };
    static const uint8_t commands[] = { 0x25, 0x35, 0xec, 0x06 };
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
    for (unsigned i = 0; i < 6 * 4; i++) {
        struct ata ata = { .command = commands[i / 6], .device = 0x40, .count = 4, .features = 1 };

        port_start(&r, 0);
        slot_fill(&r, 0, 0, &ata, 1);
        prd_set(&r, 0, 0, 0, bad[i % 6], 2048);
        if (i / 6 == 2 && bad[i % 6] == RAM_SIZE - 1024) {
            continue; /* IDENTIFY fits */
        }
        px_write(&r, 0, PX_CI, 1);
        fake_run(r.fake);
        check_stopped(&r, IS_HBFS);
    }
    sata_end(&r);
}

/* Requests that were given up because a later part of the table was wrong do not come back. */
TEST(table_runs_out_of_ram)
{
    struct sata r;
    struct ata read = { .command = 0x25, .device = 0x40, .count = 4 };

    sata_start(&r, 1 << 20, 1 << 20);
    port_start(&r, 0);
    slot_fill(&r, 0, 0, &read, 0xffff);
    store_le64(header_of(&r, 0, 0) + 8, RAM_SIZE - 0x80);
    memcpy(r.ram + RAM_SIZE - 0x80, table_of(&r, 0, 0), 0x80);
    px_write(&r, 0, PX_CI, 1);
    fake_run(r.fake);
    check_stopped(&r, IS_HBFS);
    sata_end(&r);
}

TEST(too_short_tables)
{
    struct sata r;
    struct ata read = { .command = 0x25, .device = 0x40, .count = 4, .lba = 16 };

    sata_start(&r, 1 << 20, 1 << 20);
    port_start(&r, 0);
    CHECK_EQ(ata_run(&r, 0, read, 0, 0), IS_OFS | IS_TFES | IS_DHRS);
    port_recover(&r, 0);
    CHECK_EQ(bytes_moved(&r, 0, 0), 0);
    memset(r.ram + DATA, 0xee, 2048);
    CHECK_EQ(ata_run(&r, 0, read, DATA, 1026), IS_OFS | IS_TFES | IS_DHRS);
    CHECK_EQ(bytes_moved(&r, 0, 0), 1024);
    CHECK(memcmp(r.ram + DATA, r.disk + 16 * 512, 1024) == 0);
    CHECK_EQ(r.ram[DATA + 1024], 0xee);
    port_recover(&r, 0);
    /* a reply is cut, and the drive content */
    memset(r.ram + DATA, 0xee, 2048);
    CHECK_EQ(ata_run(&r, 0, (struct ata){ .command = 0xec }, DATA, 100), IS_OFS | IS_PSS);
    CHECK_EQ(bytes_moved(&r, 0, 0), 100);
    CHECK_EQ(r.ram[DATA + 100], 0xee);
    sata_end(&r);
}

/* Thousands of entries of two bytes, not next to each other: sectors that end inside a request. */
TEST(crumbs)
{
    enum { SECTORS = 9, ENTRIES = SECTORS * 256 };
    struct sata r;
    struct ata read = { .command = 0x25, .device = 0x40, .count = SECTORS, .lba = 5 };
    struct ata write = { .command = 0x35, .device = 0x40, .count = SECTORS, .lba = 100 };
    uint64_t table = 0x400000;

    sata_start(&r, 1 << 20, 1 << 20);
    port_start(&r, 0);
    slot_fill(&r, 0, 0, &read, ENTRIES);
    memcpy(r.ram + table, table_of(&r, 0, 0), 0x80);
    store_le64(header_of(&r, 0, 0) + 8, table);
    uint64_t at = DATA;

    for (unsigned i = 0; i < ENTRIES; i++) {
        uint8_t *prd = r.ram + table + 0x80 + 16 * i;
        uint32_t length =
            i == 0 ? 6 : 2; /* three words first, so that no cut falls on a boundary */

        store_le64(prd, at);
        store_le32(prd + 12, length - 1);
        at += length + 2;
    }
    px_write(&r, 0, PX_CI, 1);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_DHRS);
    CHECK_EQ(bytes_moved(&r, 0, 0), SECTORS * 512);
    CHECK(memcmp(r.ram + DATA, r.disk + 5 * 512, 6) == 0);
    for (unsigned i = 1; i < ENTRIES - 2; i++) {
        CHECK(memcmp(r.ram + DATA + 4 + 4 * i, r.disk + 5 * 512 + 4 + 2 * i, 2) == 0);
    }
    /* and back, to another place */
    slot_fill(&r, 0, 0, &write, ENTRIES);
    memcpy(r.ram + table, table_of(&r, 0, 0), 0x80);
    store_le64(header_of(&r, 0, 0) + 8, table);
    px_write(&r, 0, PX_IS, 0xffffffff);
    px_write(&r, 0, PX_CI, 1);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_DHRS);
    CHECK(memcmp(r.disk + 5 * 512, r.disk + 100 * 512, SECTORS * 512) == 0);
    sata_end(&r);
}

/* A table that the data overwrites while it is read, and one whose entries all say the same. */
TEST(table_that_overwrites_itself)
{
    struct sata r;
    struct ata read = { .command = 0x25, .device = 0x40, .count = 2000 };

    sata_start(&r, 1 << 20, 1 << 20);
    port_start(&r, 0);
    memset(r.disk, 0xff, 1 << 20);
    slot_fill(&r, 0, 0, &read, 0xffff);
    for (unsigned i = 0; i < 8; i++) {
        prd_set(&r, 0, 0, i, PORT_AREA + TABLES + 0x80, 4096);
    }
    px_write(&r, 0, PX_CI, 1);
    fake_run(r.fake);
    CHECK(px_read(&r, 0, PX_CI) == 0 || (px_read(&r, 0, PX_IS) & (IS_HBFS | IS_TFES)));
    CHECK(r.ahci->class->idle(r.ahci));
    sata_end(&r);
}

/* 65536 sectors, the most a command can move: many requests. */
TEST(largest_command)
{
    struct sata r;
    struct ata read = { .command = 0x25, .device = 0x40, .count = 0, .lba = 1 };

    sata_start(&r, (32 << 20) + 4096, 1 << 20);
    port_start(&r, 0);
    slot_fill(&r, 0, 0, &read, 9);
    for (unsigned i = 0; i < 9; i++) {
        prd_set(&r, 0, 0, i, DATA + (uint64_t)i * 4000000, 4000000);
    }
    px_write(&r, 0, PX_CI, 1);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_DHRS);
    CHECK_EQ(bytes_moved(&r, 0, 0), 32 << 20);
    CHECK(memcmp(r.ram + DATA, r.disk + 512, 32 << 20) == 0);
    sata_end(&r);
}

TEST(reserved_registers)
{
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
    unsigned before = fake_guest_errors(r.ahci);

    hba_write(&r, 0x40, 1);
    hba_write(&r, 0x100 + 6 * 0x80, 1);
    px_write(&r, 0, 0x70, 1);
    CHECK_EQ(fake_guest_errors(r.ahci), before + 3);
    hba_write(&r, 0x00, 0);
    hba_write(&r, 0x0c, 0);
    CHECK_EQ(hba_read(&r, 0x00), 0xc0141f05);
    CHECK_EQ(hba_read(&r, 0x100 + 6 * 0x80), 0);
    CHECK_EQ(hba_read(&r, 0xffc), 0);
    px_write(&r, 0, PX_CLB, 0xffffffff);
    px_write(&r, 0, PX_FB, 0xffffffff);
    CHECK_EQ(px_read(&r, 0, PX_CLB), 0xfffffc00);
    CHECK_EQ(px_read(&r, 0, PX_FB), 0xffffff00);
    px_write(&r, 0, PX_IE, 0xffffffff);
    CHECK_EQ(px_read(&r, 0, PX_IE), 0xfdc000ff);
    sata_end(&r);
}

TEST_MAIN(T(list_is_not_in_ram), T(table_is_not_in_ram), T(fis_area_is_not_in_ram),
          T(no_command_fis), T(data_is_not_in_ram), T(table_runs_out_of_ram), T(too_short_tables),
          T(crumbs), T(table_that_overwrites_itself), T(largest_command), T(reserved_registers))
