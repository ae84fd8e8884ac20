/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The controller: registers, links, interrupts, the ways firmware and drivers use them. */
#include "ahci_driver.h"

TEST(identity)
{
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
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
    sata_end(&r);
}

TEST(ports_after_power_on)
{
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
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
    sata_end(&r);
}

TEST(index_and_data_ports)
{
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
    CHECK_EQ(fake_in(r.fake, INDEX_PORT + 0x14, 4), 0xc0141f05);
    fake_out(r.fake, INDEX_PORT + 0x10, 4, 0x118);
    CHECK_EQ(fake_in(r.fake, INDEX_PORT + 0x10, 4), 0x118);
    fake_out(r.fake, INDEX_PORT + 0x14, 4, PX_FRE);
    CHECK_EQ(px_read(&r, 0, PX_CMD), 6 | PX_FRE | PX_FR);
    fake_out(r.fake, INDEX_PORT + 0x10, 4, 0xffffffff);
    CHECK_EQ(fake_in(r.fake, INDEX_PORT + 0x10, 4), 0xffc);
    CHECK_EQ(fake_in(r.fake, INDEX_PORT + 0x14, 4), 0);
    CHECK_EQ(fake_in(r.fake, INDEX_PORT, 4), 0);
    sata_end(&r);
}

/* SeaBIOS: polls PxIS, reads the status in memory, asks a disk for IDENTIFY PACKET first. */
TEST(firmware_finds_a_disk)
{
    struct sata r;
    const uint8_t *fis;

    sata_start(&r, 1 << 20, 1 << 20);
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
    sata_end(&r);
}

TEST(firmware_reads_a_cd)
{
    struct sata r;
    const uint8_t *fis;

    sata_start(&r, 1 << 20, 1 << 20);
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
    sata_end(&r);
}

/* --- Interrupts ------------------------------------------------------------------------------- */

static const struct ata flush = { .command = 0xe7 };

TEST(interrupt_pin_follows_the_enables)
{
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
    port_start(&r, 0);
    hba_write(&r, HBA_IS, 0xffffffff);
    slot_fill(&r, 0, 0, &flush, 0);
    px_write(&r, 0, PX_CI, 1);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_DHRS);
    CHECK_EQ(hba_read(&r, HBA_IS), 0);
    px_write(&r, 0, PX_IE, IS_DHRS);
    CHECK_EQ(hba_read(&r, HBA_IS), 1);
    CHECK(!fake_irq(r.ahci, 0));
    hba_write(&r, HBA_GHC, 0x80000002);
    CHECK(fake_irq(r.ahci, 0));
    hba_write(&r, HBA_IS, 1); /* the port still has a reason */
    CHECK_EQ(hba_read(&r, HBA_IS), 1);
    px_write(&r, 0, PX_IS, IS_DHRS);
    CHECK(fake_irq(r.ahci, 0));
    hba_write(&r, HBA_IS, 1);
    CHECK_EQ(hba_read(&r, HBA_IS), 0);
    CHECK(!fake_irq(r.ahci, 0));
    sata_end(&r);
}

/* What happens between a driver's look and its acknowledgement makes another message. */
TEST(messages_are_not_lost)
{
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
    fake_config_write(r.ahci, 0x84, 4, 0xfee01000);
    fake_config_write(r.ahci, 0x8c, 2, 0x4041);
    fake_config_write(r.ahci, 0x82, 2, 0x81);
    hba_write(&r, HBA_GHC, 0x80000002);
    for (unsigned port = 0; port < 2; port++) {
        port_start(&r, port);
        px_write(&r, port, PX_IE, IS_DHRS | IS_PSS);
    }
    hba_write(&r, HBA_IS, 0xffffffff);
    CHECK_EQ(fake_msi_count(r.ahci), 0);
    slot_fill(&r, 0, 0, &flush, 0);
    px_write(&r, 0, PX_CI, 1);
    fake_run(r.fake);
    CHECK_EQ(fake_msi_count(r.ahci), 1);
    CHECK_EQ(fake_msi_address(r.ahci), 0xfee01000);
    CHECK_EQ(fake_msi_data(r.ahci), 0x4041);
    /* another port: a bit more in IS */
    slot_fill(&r, 1, 0, &(struct ata){ .command = 0xa1 }, 0);
    px_write(&r, 1, PX_CI, 1);
    CHECK_EQ(fake_msi_count(r.ahci), 2);
    px_write(&r, 0, PX_IS, 0xffffffff);
    CHECK_EQ(fake_msi_count(r.ahci), 2);
    hba_write(&r, HBA_IS, 1); /* port 1 remains */
    CHECK_EQ(fake_msi_count(r.ahci), 3);
    /* the same port again, after its PxIS was cleared and before IS is */
    px_write(&r, 1, PX_IS, 0xffffffff);
    px_write(&r, 1, PX_CI, 1);
    CHECK_EQ(fake_msi_count(r.ahci), 3);
    hba_write(&r, HBA_IS, 2);
    CHECK_EQ(fake_msi_count(r.ahci), 4);
    px_write(&r, 1, PX_IS, 0xffffffff);
    hba_write(&r, HBA_IS, 2);
    CHECK_EQ(fake_msi_count(r.ahci), 4);
    CHECK_EQ(hba_read(&r, HBA_IS), 0);
    CHECK(!fake_irq(r.ahci, 0));
    sata_end(&r);
}

TEST(used_up_descriptor_interrupts)
{
    struct sata r;
    struct ata read = { .command = 0x25, .device = 0x40, .count = 2 };

    sata_start(&r, 1 << 20, 1 << 20);
    port_start(&r, 0);
    slot_fill(&r, 0, 0, &read, 2);
    prd_set(&r, 0, 0, 0, DATA, 512);
    prd_set(&r, 0, 0, 1, DATA + 512, 512);
    table_of(&r, 0, 0)[0x80 + 15] |= 0x80;
    px_write(&r, 0, PX_CI, 1);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_DHRS | IS_DPS);
    sata_end(&r);
}

/* --- Resets ----------------------------------------------------------------------------------- */

TEST(comreset)
{
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
    port_start(&r, 0);
    px_write(&r, 0, PX_CMD, PX_FRE);
    px_write(&r, 0, PX_SCTL, 0x301);
    CHECK(px_read(&r, 0, PX_SSTS) != 0x113);
    CHECK_EQ(px_read(&r, 0, PX_TFD), 0x7f);
    CHECK_EQ(px_read(&r, 0, PX_SIG), 0xffffffff);
    memset(fis_area(&r, 0), 0, 256);
    px_write(&r, 0, PX_SCTL, 0x300);
    CHECK_EQ(px_read(&r, 0, PX_SCTL), 0x300);
    CHECK_EQ(px_read(&r, 0, PX_SSTS), 0x113);
    CHECK_EQ(px_read(&r, 0, PX_SIG), 0x101);
    CHECK_EQ(px_read(&r, 0, PX_TFD), 0x150);
    CHECK_EQ(fis_area(&r, 0)[0x40], 0x34);
    CHECK_EQ(px_read(&r, 0, PX_SERR), 0x04010000);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_DHRS | IS_PCS | 1 << 22);
    px_write(&r, 0, PX_IS, 0xffffffff);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_PCS | 1 << 22); /* as long as PxSERR says so */
    px_write(&r, 0, PX_SERR, 0x04010000);
    CHECK_EQ(px_read(&r, 0, PX_IS), 0);
    /* no drive, nothing happens */
    px_write(&r, 3, PX_SCTL, 1);
    px_write(&r, 3, PX_SCTL, 0);
    CHECK_EQ(px_read(&r, 3, PX_SSTS), 0);
    CHECK_EQ(px_read(&r, 3, PX_IS), 0);
    /* turned off and on */
    px_write(&r, 1, PX_SCTL, 4);
    CHECK_EQ(px_read(&r, 1, PX_SSTS), 4);
    px_write(&r, 1, PX_SCTL, 0);
    CHECK_EQ(px_read(&r, 1, PX_SSTS), 0x113);
    sata_end(&r);
}

TEST(hba_reset)
{
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
    port_start(&r, 0);
    px_write(&r, 0, PX_IE, IS_DHRS);
    hba_write(&r, HBA_GHC, 0x80000002);
    slot_fill(&r, 0, 0, &flush, 0);
    px_write(&r, 0, PX_CI, 1);
    fake_run(r.fake);
    CHECK(fake_irq(r.ahci, 0));
    hba_write(&r, HBA_GHC, 0x80000001);
    CHECK_EQ(hba_read(&r, HBA_GHC), 0x80000000);
    CHECK(!fake_irq(r.ahci, 0));
    CHECK_EQ(hba_read(&r, HBA_IS), 0);
    CHECK_EQ(px_read(&r, 0, PX_CMD), 6);
    CHECK_EQ(px_read(&r, 0, PX_IE), 0);
    CHECK_EQ(px_read(&r, 0, PX_TFD), 0x7f);
    CHECK_EQ(px_read(&r, 0, PX_SSTS), 0x113);
    CHECK_EQ(px_read(&r, 0, PX_CLB), PORT_AREA);
    port_start(&r, 0);
    CHECK_EQ(px_read(&r, 0, PX_TFD), 0x150);
    fake_reset(r.fake, RESET_WARM);
    fake_map_bar(r.ahci, 5, ABAR);
    CHECK_EQ(px_read(&r, 0, PX_CLB), 0);
    sata_end(&r);
}

/* As libata does it: two FISes that change the control register. */
TEST(soft_reset)
{
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
    port_start(&r, 1);
    for (unsigned assert = 2; assert-- > 0;) {
        slot_fill(&r, 1, 0, &(struct ata){ .command = 0 }, 0);
        table_of(&r, 1, 0)[1] = 0;
        table_of(&r, 1, 0)[15] = assert ? 4 : 0;
        fis_area(&r, 1)[0x40] = 0;
        px_write(&r, 1, PX_CI, 1);
        CHECK_EQ(px_read(&r, 1, PX_CI), 0);
        CHECK_EQ(fis_area(&r, 1)[0x40], assert ? 0 : 0x34);
    }
    CHECK_EQ(px_read(&r, 1, PX_TFD), 0x150);
    CHECK_EQ(px_read(&r, 1, PX_SIG), 0xeb140101);
    CHECK_EQ(px_read(&r, 1, PX_IS), IS_DHRS);
    sata_end(&r);
}

TEST(stop_with_a_request_in_flight)
{
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
    port_start(&r, 0);
    fake_drive_hold(r.ahci, 0, true);
    read_issue(&r, 0);
    fake_run(r.fake);
    CHECK(!r.ahci->class->idle(r.ahci));
    CHECK_EQ(px_read(&r, 0, PX_TFD) & 0x80, 0x80);
    px_write(&r, 0, PX_CMD, PX_FRE);
    CHECK_EQ(px_read(&r, 0, PX_CMD) & PX_CR, PX_CR);
    CHECK_EQ(px_read(&r, 0, PX_CI), 0);
    px_write(&r, 0, PX_CMD, PX_FRE | PX_CLO);
    CHECK_EQ(px_read(&r, 0, PX_TFD) & 0x88, 0);
    px_write(&r, 0, PX_CMD, PX_FRE | PX_ST);
    slot_fill(&r, 0, 0, &(struct ata){ .command = 0xec }, 1);
    prd_set(&r, 0, 0, 0, DATA + 8192, 512);
    px_write(&r, 0, PX_CI, 1);
    CHECK_EQ(px_read(&r, 0, PX_CI), 1); /* waits */
    CHECK_EQ(px_read(&r, 0, PX_IS), 0);
    fake_drive_hold(r.ahci, 0, false);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 0, PX_CI), 0);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_PSS); /* the old one is not reported */
    CHECK(r.ahci->class->idle(r.ahci));
    sata_end(&r);
}

TEST(resets_with_a_request_in_flight)
{
    struct sata r;

    for (unsigned kind = 0; kind < 4; kind++) {
        sata_start(&r, 1 << 20, 1 << 20);
        port_start(&r, 0);
        fake_drive_hold(r.ahci, 0, true);
        read_issue(&r, 3);
        switch (kind) {
        case 0:
            px_write(&r, 0, PX_CMD, PX_FRE);
            px_write(&r, 0, PX_SCTL, 1);
            px_write(&r, 0, PX_SCTL, 0);
            CHECK(px_read(&r, 0, PX_SSTS) != 0x113);
            break;
        case 1:
            hba_write(&r, HBA_GHC, 1);
            CHECK_EQ(hba_read(&r, HBA_GHC) & 1, 1);
            CHECK(px_read(&r, 0, PX_SSTS) != 0x113);
            CHECK_EQ(px_read(&r, 1, PX_SSTS), 0x113);
            break;
        case 2:
            fake_reset(r.fake, RESET_WARM);
            fake_map_bar(r.ahci, 5, ABAR);
            break;
        case 3:
            px_write(&r, 0, PX_CMD, PX_FRE);
            px_write(&r, 0, PX_CMD, PX_FRE | PX_CLO);
            px_write(&r, 0, PX_CMD, PX_FRE | PX_ST);
            break;
        }
        fake_drive_hold(r.ahci, 0, false);
        fake_run(r.fake);
        CHECK_EQ(px_read(&r, 0, PX_SSTS), 0x113);
        CHECK_EQ(hba_read(&r, HBA_GHC) & 1, 0);
        CHECK(r.ahci->class->idle(r.ahci));
        px_write(&r, 0, PX_CMD, 0);
        port_start(&r, 0);
        CHECK_EQ(ata_run(&r, 0, (struct ata){ .command = 0xec }, DATA, 512), IS_PSS);
        sata_end(&r);
    }
}

TEST(waits_for_bus_mastering)
{
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
    fake_config_write(r.ahci, 4, 2, 3);
    port_start(&r, 0);
    CHECK_EQ(px_read(&r, 0, PX_TFD), 0x7f);
    slot_fill(&r, 0, 0, &(struct ata){ .command = 0xec }, 1);
    prd_set(&r, 0, 0, 0, DATA, 512);
    px_write(&r, 0, PX_CI, 1);
    CHECK_EQ(px_read(&r, 0, PX_CI), 1);
    fake_config_write(r.ahci, 4, 2, 7);
    CHECK_EQ(px_read(&r, 0, PX_CI), 0);
    CHECK_EQ(px_read(&r, 0, PX_TFD), 0x50);
    sata_end(&r);
}

TEST(no_drive_no_commands)
{
    struct sata r;

    sata_start(&r, 1 << 20, 1 << 20);
    port_start(&r, 4);
    CHECK_EQ(ata_run(&r, 4, (struct ata){ .command = 0xec }, DATA, 512), 0);
    CHECK_EQ(px_read(&r, 4, PX_CI), 1);
    px_write(&r, 4, PX_CMD, PX_FRE);
    CHECK_EQ(px_read(&r, 4, PX_CI), 0);
    CHECK_EQ(px_read(&r, 4, PX_CMD) & PX_CR, 0);
    /* and nothing is taken while the engine does not run */
    px_write(&r, 0, PX_CI, 0xffffffff);
    px_write(&r, 0, PX_SACT, 0xffffffff);
    CHECK_EQ(px_read(&r, 0, PX_CI) | px_read(&r, 0, PX_SACT), 0);
    sata_end(&r);
}

/* --- Saved state ------------------------------------------------------------------------------ */

TEST(save_and_load_with_commands_under_way)
{
    struct sata r;
    struct ata queued = { .command = 0x60, .device = 0x40, .features = 4, .lba = 8 };

    sata_start(&r, 1 << 20, 1 << 20);
    port_start(&r, 0);
    CHECK(fake_save_load(r.ahci));
    fake_drive_hold(r.ahci, 0, true);
    read_issue(&r, 5);
    CHECK_EQ(px_read(&r, 0, PX_CI), 0x20);
    CHECK(fake_save_load(r.ahci));
    fake_drive_hold(r.ahci, 0, false);
    memset(r.ram + DATA, 0, 2048);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 0, PX_CI), 0);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_DHRS);
    CHECK(memcmp(r.ram + DATA, r.disk + 8 * 512, 2048) == 0);

    fake_drive_hold(r.ahci, 0, true);
    queued.count = 7 << 3;
    slot_fill(&r, 0, 7, &queued, 1);
    prd_set(&r, 0, 7, 0, DATA + 4096, 2048);
    px_write(&r, 0, PX_SACT, 0x80);
    px_write(&r, 0, PX_CI, 0x80);
    CHECK_EQ(px_read(&r, 0, PX_CI), 0);
    CHECK(fake_save_load(r.ahci));
    CHECK_EQ(px_read(&r, 0, PX_SACT), 0x80);
    fake_drive_hold(r.ahci, 0, false);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 0, PX_SACT) | px_read(&r, 0, PX_CI), 0);
    CHECK(memcmp(r.ram + DATA + 4096, r.disk + 8 * 512, 2048) == 0);
    CHECK(fake_save_load(r.ahci));
    sata_end(&r);
}

TEST_MAIN(T(identity), T(ports_after_power_on), T(index_and_data_ports), T(firmware_finds_a_disk),
          T(firmware_reads_a_cd), T(interrupt_pin_follows_the_enables), T(messages_are_not_lost),
          T(used_up_descriptor_interrupts), T(comreset), T(hba_reset), T(soft_reset),
          T(stop_with_a_request_in_flight), T(resets_with_a_request_in_flight),
          T(waits_for_bus_mastering), T(no_drive_no_commands),
          T(save_and_load_with_commands_under_way))
