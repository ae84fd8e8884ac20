/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program that does everything wrong: accesses where nothing is, of odd sizes, across registers,
 * to ROM, through windows moved over memory. Each has a defined result on a PC, and the machine
 * goes on.
 */
#include "runtime/ahci.h"
#include "runtime/board.h"
#include "runtime/cpu.h"
#include "io.h"

#define HOLE     0xC0000000u
#define ROM      0xFFFF8000u
#define LOW_ROM  0xF8000u
#define VGA_BAR  0xD0000000u
#define OVER_RAM 0x00800000u
#define PCI_VGA  PCI_FUNCTION(0, 1, 0)

static struct ahci_port disk;

static void unclaimed_ports_read_ones(void)
{
    static const uint16_t ports[] = { 0x300, 0x31C, 0xE8, 0x9000, 0xFFF8 };

    for (unsigned i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        outl(ports[i], 0x12345678);
        CHECK_EQ(inb(ports[i]), 0xFF);
        CHECK_EQ(inw(ports[i]), 0xFFFF);
        CHECK_EQ(inl(ports[i]), 0xFFFFFFFF);
    }
}

static void unclaimed_strings_read_ones(void)
{
    uint8_t bytes[64];
    void *to = bytes;
    uint64_t count = 16;

    memset(bytes, 0, sizeof(bytes));
    __asm__ volatile("rep insl" : "+D"(to), "+c"(count) : "d"(0x300) : "memory");
    for (unsigned i = 0; i < sizeof(bytes); i++)
        CHECK_EQ(bytes[i], 0xFF);
}

static void unclaimed_memory_reads_ones(void)
{
    static const uint64_t addresses[] = { HOLE, HOLE + 0xFFF8, 0xFE000000, 0xFED50000,
                                          0x4000000000 };
    uint64_t ones = cpu_is_oracle() ? 0 : ~0ull; /* QEMU reads zeros there */

    cpu_map(0x4000000000);
    for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        write8(addresses[i], 0x12);
        write64(addresses[i], 0x123456789ABCDEF0);
        CHECK_EQ(read8(addresses[i]), (uint8_t)ones);
        CHECK_EQ(read16(addresses[i]), (uint16_t)ones);
        CHECK_EQ(read32(addresses[i]), (uint32_t)ones);
        CHECK_EQ(read64(addresses[i]), ones);
        CHECK_EQ(read32(addresses[i] + 1), (uint32_t)ones);
    }
}

static void absent_functions_read_ones(void)
{
    unsigned absent = PCI_FUNCTION(0, 9, 0);

    pci_write(absent, 4, 2, 7);
    CHECK_EQ(pci_read(absent, 0, 4), 0xFFFFFFFF);
    CHECK_EQ(pci_read(absent, 6, 2), 0xFFFF);
    CHECK_EQ(read32(pci_ecam(absent, 0)), 0xFFFFFFFF);
    CHECK_EQ(read32(pci_ecam(PCI_FUNCTION(200, 0, 0), 0)), 0xFFFFFFFF);
    CHECK_EQ(read8(pci_ecam(PCI_FUNCTION(255, 31, 7), 0xFFF)), 0xFF);
}

static void disabled_configuration_address_reads_ones(void)
{
    outl(0xCF8, 0); /* the enable bit is clear */
    CHECK_EQ(inl(0xCFC), 0xFFFFFFFF);
}

/* A port of the address register written by bytes goes elsewhere (CF9) and leaves it alone. */
static void configuration_address_takes_doublewords_only(void)
{
    outl(0xCF8, 0x80000000);
    outb(0xCF8, 0x55);
    outw(0xCFA, 0xAAAA);
    CHECK_EQ(inl(0xCF8), 0x80000000);
    CHECK_EQ(inl(0xCFC), 0x29C08086);
}

static void configuration_space_reads_by_any_size(void)
{
    static const unsigned functions[] = { PCI_HOST_BRIDGE, PCI_VGA, PCI_LPC, PCI_AHCI };

    for (unsigned i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        for (unsigned offset = 0; offset < 64; offset += 4) {
            uint32_t value = pci_read(functions[i], offset, 4);
            CHECK_EQ(read32(pci_ecam(functions[i], offset)), value);
            for (unsigned byte = 0; byte < 4; byte++) {
                CHECK_EQ(pci_read(functions[i], offset + byte, 1), (uint8_t)(value >> 8 * byte));
                CHECK_EQ(read8(pci_ecam(functions[i], offset + byte)),
                         (uint8_t)(value >> 8 * byte));
            }
            CHECK_EQ(pci_read(functions[i], offset + 2, 2), value >> 16);
            CHECK_EQ(read16(pci_ecam(functions[i], offset)), (uint16_t)value);
        }
    }
}

static void wide_port_accesses_reach_each_register(void)
{
    outb(0x3FB, 0x03);
    outw(0x3FB, 0x0B03); /* line and modem control */
    CHECK_EQ(inb(0x3FB), 0x03);
    CHECK_EQ(inb(0x3FC), 0x0B);
    CHECK_EQ(inw(0x3FB), 0x0B03);
    outb(0x3FF, 0xA5);
    CHECK_EQ(inl(0x3FC) >> 24, 0xA5); /* the scratch register is the last of four */
    if (!cpu_is_oracle()) /* QEMU aborts when an access runs over the end of a serial port */
        CHECK_EQ(inw(0x3FF) & 0xFF, 0xA5);
}

static void rom_ignores_writes(void)
{
    static const uint64_t addresses[] = { ROM, LOW_ROM, 0xFFFFFFF8, 0xF0000 };

    for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        uint64_t before = read64(addresses[i]);
        write64(addresses[i], ~before);
        write8(addresses[i], (uint8_t)~before);
        CHECK_EQ(read64(addresses[i]), before);
    }
}

static void low_copy_is_the_end_of_the_rom(void)
{
    for (unsigned offset = 0; offset < 0x10000; offset += 0x1F8)
        CHECK_EQ(read64(0xF0000 + offset), read64(0xFFFF0000 + offset));
}

/* The F segment has the high nibble of PAM0. Bit 0: memory is read, bit 1: memory is written. */
static void pam_set(uint8_t nibble)
{
    pci_write(PCI_HOST_BRIDGE, 0x90, 1, (uint32_t)nibble << 4);
}

static void pam_shadows_the_rom(void)
{
    static const uint64_t addresses[] = { LOW_ROM, 0xF0000, 0xFFFF8 };

    for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        uint64_t address = addresses[i], rom, mark = 0x1122334455667788 + i;
        pam_set(0);
        rom = read64(address);
        pam_set(3); /* memory */
        write64(address, mark);
        CHECK_EQ(read64(address), mark);
        pam_set(1); /* write-protected */
        write64(address, ~mark);
        CHECK_EQ(read64(address), mark);
        pam_set(0); /* ROM; memory is kept behind it */
        CHECK_EQ(read64(address), rom);
        write64(address, ~mark);
        CHECK_EQ(read64(address), rom);
        pam_set(1);
        CHECK_EQ(read64(address), mark);
    }
    pam_set(0);
}

static void pam_writes_behind_the_rom(void)
{
    uint64_t rom;

    pam_set(0);
    rom = read64(LOW_ROM);
    pam_set(2); /* reads from ROM, writes to memory */
    write64(LOW_ROM, 0xA1B2C3D4E5F60718);
    CHECK_EQ(read64(LOW_ROM), rom);
    pam_set(1);
    CHECK_EQ(read64(LOW_ROM), 0xA1B2C3D4E5F60718);
    pam_set(0);
}

static void pam_protects_option_rom_space(void)
{
    pci_write(PCI_HOST_BRIDGE, 0x91, 1, 0x33); /* C0000-C7FFF */
    write64(0xC0000, 0x55AA55AA12345678);
    write64(0xC4000, 0x1234567855AA55AA);
    pci_write(PCI_HOST_BRIDGE, 0x91, 1, 0x31); /* the first half write-protected */
    write64(0xC0000, 0);
    write64(0xC4000, 0);
    CHECK_EQ(read64(0xC0000), 0x55AA55AA12345678);
    CHECK_EQ(read64(0xC4000), 0);
    pci_write(PCI_HOST_BRIDGE, 0x91, 1, 0);
}

static void bar_over_memory_changes_nothing(void)
{
    uint32_t before;

    CHECK(ahci_open(&disk, 0));
    write32(OVER_RAM + 0x10, 0xCAFEF00D);
    before = read32(OVER_RAM + 0x10);
    pci_write(PCI_AHCI, 0x24, 4, OVER_RAM);
    CHECK_EQ(read32(OVER_RAM + 0x10), before);
    write32(OVER_RAM + 0x10, 0x12345678);
    CHECK_EQ(read32(OVER_RAM + 0x10), 0x12345678);
    pci_write(PCI_AHCI, 0x24, 4, BOARD_AHCI_BAR);
    CHECK_EQ(read32(OVER_RAM + 0x10), 0x12345678);
    CHECK(ahci_identify(&disk));
}

static void bar_follows_its_register(void)
{
    uint32_t capabilities = read32(BOARD_AHCI_BAR);

    CHECK(capabilities && capabilities != 0xFFFFFFFF);
    pci_write(PCI_AHCI, 0x24, 4, BOARD_AHCI_BAR - 0x100000);
    CHECK_EQ(read32(BOARD_AHCI_BAR - 0x100000), capabilities);
    CHECK(read32(BOARD_AHCI_BAR) != capabilities);
    pci_write(PCI_AHCI, 4, 2, 0); /* memory space off */
    CHECK(read32(BOARD_AHCI_BAR - 0x100000) != capabilities);
    pci_write(PCI_AHCI, 4, 2, 6);
    pci_write(PCI_AHCI, 0x24, 4, BOARD_AHCI_BAR);
    CHECK_EQ(read32(BOARD_AHCI_BAR), capabilities);
}

static void bars_can_be_sized_while_decoding(void)
{
    for (unsigned bar = 0x10; bar <= 0x30; bar += 4) {
        uint32_t saved = pci_read(PCI_AHCI, bar, 4);
        if (bar == 0x28 || bar == 0x2C)
            continue;
        pci_write(PCI_AHCI, bar, 4, 0xFFFFFFFF);
        pci_read(PCI_AHCI, bar, 4);
        pci_write(PCI_AHCI, bar, 4, saved);
        CHECK_EQ(pci_read(PCI_AHCI, bar, 4), saved);
    }
    CHECK(ahci_identify(&disk));
}

static void video_memory_moves_with_its_bar(void)
{
    CHECK_EQ(pci_read(PCI_VGA, 0, 4), 0x11111234);
    pci_write(PCI_VGA, 0x10, 4, VGA_BAR);
    pci_write(PCI_VGA, 4, 2, 3);
    write32(VGA_BAR + 0x1000, 0x0BADCAFE);
    write8(VGA_BAR + 0xFFFFFF, 0x5A);
    CHECK_EQ(read32(VGA_BAR + 0x1000), 0x0BADCAFE);
    pci_write(PCI_VGA, 0x10, 4, VGA_BAR + 0x8000000);
    CHECK_EQ(read32(VGA_BAR + 0x8001000), 0x0BADCAFE);
    CHECK_EQ(read8(VGA_BAR + 0x8FFFFFF), 0x5A);
    CHECK(read32(VGA_BAR + 0x1000) != 0x0BADCAFE);
    pci_write(PCI_VGA, 0x10, 4, OVER_RAM & 0xFF000000);
    pci_write(PCI_VGA, 0x10, 4, VGA_BAR);
    CHECK_EQ(read32(VGA_BAR + 0x1000), 0x0BADCAFE);
    pci_write(PCI_VGA, 4, 2, 0);
}

/* Unaligned accesses that cross from one thing into the next only have to end. */
static void accesses_across_borders_end(void)
{
    static const uint64_t borders[] = {
        0xA0000,    0xC0000,    0xF0000,    0x100000,       0xFEC00000,
        0xFED00000, 0xFED00400, 0xB0000000, BOARD_AHCI_BAR, BOARD_AHCI_BAR + 0x1000
    };

    for (unsigned i = 0; i < sizeof(borders) / sizeof(borders[0]); i++) {
        for (unsigned back = 1; back < 8; back++) {
            (void)read64(borders[i] - back);
            if (back < 4)
                (void)read32(borders[i] - back);
        }
    }
    CHECK(ahci_identify(&disk));
}

void guest_main(void)
{
    RUN(unclaimed_ports_read_ones);
    RUN(unclaimed_strings_read_ones);
    RUN(unclaimed_memory_reads_ones);
    RUN(absent_functions_read_ones);
    RUN(disabled_configuration_address_reads_ones);
    RUN(configuration_address_takes_doublewords_only);
    RUN(configuration_space_reads_by_any_size);
    RUN(wide_port_accesses_reach_each_register);
    RUN(rom_ignores_writes);
    RUN(low_copy_is_the_end_of_the_rom);
    RUN(pam_shadows_the_rom);
    if (!cpu_is_oracle()) /* QEMU reads memory as soon as it is written */
        RUN(pam_writes_behind_the_rom);
    RUN(pam_protects_option_rom_space);
    RUN(bar_over_memory_changes_nothing);
    RUN(bar_follows_its_register);
    RUN(bars_can_be_sized_while_decoding);
    RUN(video_memory_moves_with_its_bar);
    RUN(accesses_across_borders_end);
}
