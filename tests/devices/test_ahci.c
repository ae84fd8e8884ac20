/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The controller: registers, links, interrupts, the ways firmware and drivers use them. */
#include "ahci_driver.h"

TEST(identity)
{
    struct rig r;

    rig_start(&r, 1 << 20, 1 << 20);
    CHECK_EQ(fake_config_read(r.ahci, 0x00, 4), 0x29228086);
    CHECK_EQ(fake_config_read(r.ahci, 0x08, 4), 0x01060102);
    CHECK_EQ(fake_config_read(r.ahci, 0x0e, 1), 0x80);
    CHECK_EQ(fake_config_read(r.ahci, 0x3d, 1), 1);
    CHECK_EQ(fake_config_read(r.ahci, 0x80, 1), 0x05);
    CHECK_EQ(fake_config_read(r.ahci, 0x82, 2), 0x0080);
    CHECK_EQ(fake_config_read(r.ahci, 0x90, 4), 0x40);
    CHECK_EQ(fake_config_read(r.ahci, 0xa8, 1), 0x12);
    CHECK_EQ(fake_config_read(r.ahci, 0xaa, 2), 0x10);
    CHECK_EQ(fake_config_read(r.ahci, 0xac, 4), 0x48);

    unsigned seen = 0;

    for (unsigned at = fake_config_read(r.ahci, 0x34, 1); at;
         at = fake_config_read(r.ahci, at + 1, 1)) {
        seen++;
        CHECK(seen < 10);
    }
    CHECK_EQ(seen, 2);
    CHECK_EQ(hba_read(&r, 0x00), 0xc0141f05);
    CHECK_EQ(hba_read(&r, 0x04), 0x80000000);
    CHECK_EQ(hba_read(&r, 0x0c), 0x3f);
    CHECK_EQ(hba_read(&r, 0x10), 0x00010000);
    CHECK_EQ(hba_read(&r, 0x24), 0);
    CHECK_EQ(hba_read(&r, 0x28), 0);
    rig_end(&r);
}

TEST(ports_after_power_on)
{
    struct rig r;

    rig_start(&r, 1 << 20, 1 << 20);
    for (unsigned port = 0; port < 6; port++) {
        CHECK_EQ(px_read(&r, port, PX_CMD), 6);
        CHECK_EQ(px_read(&r, port, PX_TFD), 0x7f);
        CHECK_EQ(px_read(&r, port, PX_SIG), 0xffffffff);
        CHECK_EQ(px_read(&r, port, PX_SSTS), port < 2 ? 0x113 : 0);
    }
    port_start(&r, 0);
    port_start(&r, 1);
    port_start(&r, 2);
    CHECK_EQ(px_read(&r, 0, PX_TFD), 0x150);
    CHECK_EQ(px_read(&r, 0, PX_SIG), 0x00000101);
    CHECK_EQ(px_read(&r, 1, PX_SIG), 0xeb140101);
    CHECK_EQ(px_read(&r, 2, PX_TFD), 0x7f);
    CHECK_EQ(px_read(&r, 2, PX_SIG), 0xffffffff);
    CHECK_EQ(px_read(&r, 0, PX_CMD), 6 | PX_FRE | PX_FR | PX_ST | PX_CR);
    CHECK_EQ(fis_area(&r, 1)[0x40], 0x34);
    CHECK_EQ(fis_area(&r, 1)[0x45], 0x14);
    CHECK_EQ(fis_area(&r, 1)[0x46], 0xeb);
    CHECK_EQ(fis_area(&r, 2)[0x40], 0);
    rig_end(&r);
}

TEST(index_and_data_ports)
{
    struct rig r;

    rig_start(&r, 1 << 20, 1 << 20);
    CHECK_EQ(fake_in(r.fake, INDEX_PORT + 0x14, 4), 0xc0141f05);
    fake_out(r.fake, INDEX_PORT + 0x10, 4, 0x118);
    CHECK_EQ(fake_in(r.fake, INDEX_PORT + 0x10, 4), 0x118);
    fake_out(r.fake, INDEX_PORT + 0x14, 4, PX_FRE);
    CHECK_EQ(px_read(&r, 0, PX_CMD), 6 | PX_FRE | PX_FR);
    fake_out(r.fake, INDEX_PORT + 0x10, 4, 0xffffffff);
    CHECK_EQ(fake_in(r.fake, INDEX_PORT + 0x10, 4), 0xffc);
    CHECK_EQ(fake_in(r.fake, INDEX_PORT + 0x14, 4), 0);
    CHECK_EQ(fake_in(r.fake, INDEX_PORT, 4), 0);
    rig_end(&r);
}

/* SeaBIOS: polls PxIS, reads the status in memory, asks a disk for IDENTIFY PACKET first. */
TEST(firmware_finds_a_disk)
{
    struct rig r;
    const uint8_t *fis;

    rig_start(&r, 1 << 20, 1 << 20);
    port_start(&r, 0);
    fis = fis_area(&r, 0);
    px_write(&r, 0, PX_SACT, 1);
    uint32_t is = ata_run(&r, 0, (struct ata){ .command = 0xa1 }, DATA, 512);

    CHECK_EQ(is, IS_DHRS | IS_TFES);
    CHECK_EQ(fis[0x42], 0x51);
    CHECK_EQ(fis[0x43], 0x04);
    CHECK_EQ(px_read(&r, 0, PX_TFD), 0x451);
    CHECK_EQ(px_read(&r, 0, PX_CI), 1);
    port_recover(&r, 0);
    CHECK_EQ(px_read(&r, 0, PX_CI), 0);

    px_write(&r, 0, PX_SACT, 1);
    is = ata_run(&r, 0, (struct ata){ .command = 0xec }, DATA, 512);
    CHECK_EQ(is, IS_PSS);
    CHECK_EQ(fis[0x20], 0x5f);
    CHECK_EQ(fis[0x22], 0x58);
    CHECK_EQ(fis[0x2f], 0x50);
    CHECK_EQ(bytes_moved(&r, 0, 0), 512);
    CHECK_EQ(px_read(&r, 0, PX_CI), 0);

    px_write(&r, 0, PX_SACT, 1);
    is = ata_run(
        &r, 0, (struct ata){ .command = 0xc8, .device = 0x40, .count = 2, .lba = 3, .features = 1 },
        DATA, 1024);
    CHECK_EQ(is, IS_DHRS);
    CHECK_EQ(fis[0x42], 0x50);
    CHECK(memcmp(r.ram + DATA, r.disk + 3 * 512, 1024) == 0);
    rig_end(&r);
}

TEST(firmware_reads_a_cd)
{
    struct rig r;
    const uint8_t *fis;

    rig_start(&r, 1 << 20, 1 << 20);
    port_start(&r, 1);
    fis = fis_area(&r, 1);
    uint32_t is = ata_run(&r, 1, (struct ata){ .command = 0xa1 }, DATA, 512);

    CHECK_EQ(is, IS_PSS);
    CHECK_EQ(identify_word(r.ram + DATA, 0), 0x85c0);
    is = packet_run(&r, 1, PACKET(0x00), DATA, 0);
    CHECK_EQ(is, IS_DHRS);
    CHECK_EQ(fis[0x42], 0x50);
    is = packet_run(&r, 1, PACKET(0x28, 0, 0, 0, 0, 16, 0, 0, 3), DATA, 3 * 2048);
    CHECK_EQ(is, IS_DHRS);
    CHECK(memcmp(r.ram + DATA, r.disc + 16 * 2048, 3 * 2048) == 0);
    CHECK_EQ(bytes_moved(&r, 1, 0), 3 * 2048);
    rig_end(&r);
}

TEST_MAIN(T(identity), T(ports_after_power_on), T(index_and_data_ports), T(firmware_finds_a_disk),
          T(firmware_reads_a_cd))
