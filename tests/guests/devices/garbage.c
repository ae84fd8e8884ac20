/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes noise, always the same, into every register of the board, and then uses each device as
 * if nothing had happened. Left out is only what would end the run by doing what it is for (reset,
 * power off, the debug port that carries the report, system management interrupts without a
 * handler) or take this program's own ground away (its clock, its window into configuration space,
 * DMA to random places: bus mastering stays off).
 */
#include "runtime/ahci.h"
#include "runtime/apic.h"
#include "runtime/board.h"
#include "runtime/cpu.h"
#include "runtime/fwcfg.h"
#include "io.h"
#include "runtime/virtio.h"

#define ROUNDS     600
#define PIC_VECTOR 0x20
#define PCI_VGA    PCI_FUNCTION(0, 1, 0)
#define PCI_SMBUS  PCI_FUNCTION(0, 0x1F, 3)
#define PCI_VIRTIO PCI_FUNCTION(0, 0x11, 0)
#define VGA_BAR    0xD0000000u
#define VGA_BAR2   0xFEBD0000u
#define IOAPIC     0xFEC00000u
#define HPET       0xFED00000u

static uint64_t seed = 0x6F7269656C;
static struct ahci_port disk;
static struct virtio virtio_disk;

static uint32_t noise(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

/* Half of all values are likelier to mean something than pure noise. */
static uint32_t noise_value(void)
{
    static const uint32_t special[] = { 0, 1, 0xFF, 0xFFFFFFFF, 0x80000000, 0x80, 0x7F, 0x10000 };
    uint32_t choice = noise();

    return choice & 1 ? noise() : special[choice >> 1 & 7];
}

struct range {
    uint32_t first, last;
};

static bool excluded(const struct range *ranges, unsigned count, uint32_t first, uint32_t size)
{
    for (unsigned i = 0; i < count; i++) {
        if (first <= ranges[i].last && first + size - 1 >= ranges[i].first)
            return true;
    }
    return false;
}

static void port_write(uint16_t port, uint32_t size, uint32_t value)
{
    if (size == 1)
        outb(port, (uint8_t)value);
    else if (size == 2)
        outw(port, (uint16_t)value);
    else
        outl(port, value);
}

static void port_read(uint16_t port, uint32_t size)
{
    if (size == 1)
        inb(port);
    else if (size == 2)
        inw(port);
    else
        inl(port);
}

static void memory_write(uint64_t address, uint32_t size, uint64_t value)
{
    if (size == 1)
        write8(address, (uint8_t)value);
    else if (size == 2)
        write16(address, (uint16_t)value);
    else if (size == 4)
        write32(address, (uint32_t)value);
    else
        write64(address, value);
}

static void memory_read(uint64_t address, uint32_t size)
{
    if (size == 1)
        read8(address);
    else if (size == 2)
        read16(address);
    else if (size == 4)
        read32(address);
    else
        read64(address);
}

static void noise_to_ports(void)
{
    static const struct range devices[] = {
        { 0x00, 0x0F },   { 0x20, 0x21 },   { 0x40, 0x43 },   { 0x60, 0x61 },   { 0x70, 0x71 },
        { 0x80, 0x8F },   { 0xA0, 0xA1 },   { 0xB3, 0xB3 },   { 0xC0, 0xDF },   { 0x1CE, 0x1CF },
        { 0x2F8, 0x2FF }, { 0x3B0, 0x3DF }, { 0x3F8, 0x3FF }, { 0x4D0, 0x4D1 }, { 0x510, 0x511 },
        { 0x600, 0x65F }, { 0xCFC, 0xCFF },
    };
    static const struct range never[] = {
        { 0x92, 0x92 },   { 0xB2, 0xB2 },   /* fast reset; system management interrupt */
        { 0x402, 0x402 }, { 0x604, 0x607 }, /* report; PM1_CNT */
        { 0x608, 0x60B },                   /* this program's clock */
        { 0x630, 0x637 }, { 0xCF8, 0xCFB }, /* system management interrupt; address and CF9 */
    };

    bool oracle = cpu_is_oracle();

    for (unsigned device = 0; device < sizeof(devices) / sizeof(devices[0]); device++) {
        uint32_t span = devices[device].last - devices[device].first + 1;
        for (unsigned i = 0; i < ROUNDS / 4; i++) {
            uint32_t size = 1u << noise() % 3, port = devices[device].first + noise() % span;
            uint32_t value = noise_value();
            if (excluded(never, sizeof(never) / sizeof(never[0]), port, size))
                continue;
            if (oracle && port + size - 1 > devices[device].last)
                continue; /* QEMU aborts when an access runs over the end of a serial port */
            outl(0xCF8, 0x80000000u | PCI_SMBUS << 8 | 0x3C); /* CFC is an interrupt line there */
            if (noise() & 3)
                port_write((uint16_t)port, size, value);
            else
                port_read((uint16_t)port, size);
        }
    }
}

/* Commands of the keyboard controller, except those that drive the reset line or address line 20.
 */
static void noise_to_the_keyboard_controller(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint8_t command = (uint8_t)noise();
        if (command == 0xD1 || command == 0xDD || command == 0xDF ||
            (command >= 0xF0 && !(command & 1)))
            continue;
        outb(0x64, command);
        if (noise() & 1)
            outb(0x60, (uint8_t)noise());
        if (noise() & 1)
            inb(0x60);
    }
}

static void noise_to_fwcfg(void)
{
    uint8_t bytes[16];

    for (unsigned i = 0; i < ROUNDS; i++) {
        fwcfg_read((uint16_t)noise(), bytes, noise() % sizeof(bytes) + 1);
        if (!(i & 7)) /* descriptors where no memory is */
            fwcfg_dma_start(0x8000000000000000ull | (uint64_t)noise() << 24 | noise());
    }
}

static void noise_to_configuration_space(void)
{
    static const unsigned functions[] = { PCI_HOST_BRIDGE, PCI_VGA, PCI_LPC, PCI_AHCI, PCI_SMBUS };
    static const struct range never[][4] = {
        { { 0x50, 0x53 }, { 0x60, 0x67 }, { 0x9C, 0x9F } }, /* windows over low memory, ECAM */
        { { 4, 5 } },
        { { 0x40, 0x47 }, { 0xF0, 0xF3 } }, /* power management block, RCBA */
        { { 4, 5 } },                       /* bus mastering */
        { { 4, 5 } },
    };

    for (unsigned f = 0; f < sizeof(functions) / sizeof(functions[0]); f++) {
        for (unsigned i = 0; i < ROUNDS; i++) {
            uint32_t size = 1u << noise() % 3, offset = noise() & 0xFF & ~(size - 1);
            uint32_t value = noise_value();
            if (excluded(never[f], 4, offset, size) && offset >= 4)
                continue;
            if (noise() & 1)
                pci_write(functions[f], offset, size, value);
            else
                memory_write(pci_ecam(functions[f], offset | (noise() & 0xF00)), size, value);
            pci_read(functions[f], offset, size);
        }
    }
}

static void noise_to_memory(uint64_t base, uint32_t span, uint32_t rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        uint32_t size = 1u << noise() % 4;
        uint64_t address = base + noise() % span;
        uint64_t value = noise_value() | (uint64_t)noise_value() << 32;
        if (noise() & 1)
            address &= ~(uint64_t)(size - 1);
        if (noise() & 3)
            memory_write(address, size, value);
        else
            memory_read(address, size);
    }
}

static void noise_to_the_disk_controller(void)
{
    pci_write(PCI_AHCI, 0x24, 4, BOARD_AHCI_BAR);
    pci_write(PCI_AHCI, 4, 2, 2); /* memory space, no bus master */
    noise_to_memory(BOARD_AHCI_BAR, 0x400, 3 * ROUNDS);
    noise_to_memory(BOARD_AHCI_BAR + 0x100, 0x80, 2 * ROUNDS);
}

static void noise_to_the_virtio_disk(void)
{
    CHECK(virtio_open(&virtio_disk, PCI_VIRTIO, 2));
    pci_write(PCI_VIRTIO, 4, 2, 2); /* memory space, no bus master */
    for (unsigned i = 0; i < 20; i++) {
        noise_to_memory(virtio_disk.common, 0x40, ROUNDS / 10);
        noise_to_memory(virtio_disk.config, 0x48, ROUNDS / 20);
        noise_to_memory(virtio_disk.notify, 0x40, ROUNDS / 20);
        noise_to_memory(virtio_disk.isr & ~0xFFFull, 0x1000 - 8, ROUNDS / 20);
        noise_to_memory(virtio_disk.table, 0x1000 - 8, ROUNDS / 20);
    }
    virtio_msix_enable(&virtio_disk, false);
}

static void noise_to_the_display(void)
{
    pci_write(PCI_VGA, 0x10, 4, VGA_BAR);
    pci_write(PCI_VGA, 0x18, 4, VGA_BAR2);
    pci_write(PCI_VGA, 4, 2, 3);
    for (unsigned i = 0; i < 20; i++) {
        noise_to_memory(VGA_BAR2, 0x1000, ROUNDS / 20);
        noise_to_memory(0xA0000, 0x20000 - 8, ROUNDS / 10);
        noise_to_memory(VGA_BAR, 0x1000000 - 8, ROUNDS / 20);
        for (unsigned j = 0; j < 20; j++)
            port_write((uint16_t)(0x3C0 + noise() % 0x20), 1u << noise() % 2, noise_value());
        for (uint16_t j = 0; j < 12; j++) {
            outw(0x1CE, j);
            outw(0x1CF, (uint16_t)noise_value());
        }
    }
}

static void noise_to_the_timer(void)
{
    noise_to_memory(HPET, 0x400, 2 * ROUNDS);
}

/* Entries stay masked: an entry may well ask for a reset of the processor. */
static void noise_to_the_ioapic(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t index = noise() & 0xFF, value = noise_value();
        ioapic_write(index, index >= 0x10 && !(index & 1) ? value | IOAPIC_MASKED : value);
        memory_read(IOAPIC + (noise() & 0xFFC), 4);
    }
}

static void tick(struct interrupt_frame *frame)
{
    pic_end((unsigned)frame->vector - PIC_VECTOR);
}

static void interrupts_still_arrive(void)
{
    for (unsigned vector = 0x20; vector < 0x100; vector++)
        interrupt_handle(vector, vector < 0x30 ? tick : apic_end);
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        ioapic_route(pin, IOAPIC_MASKED, 0);
    write64(HPET + 0x10, 0);
    pic_setup(PIC_VECTOR, 0);
    apic_enable();
    apic_write(APIC_LVT_LINT0, APIC_EXTINT);
    WAIT_FOR(false, 1);
    pic_setup(PIC_VECTOR, 1);
    interrupt_handle(PIC_VECTOR, tick);
    pit_start(1193);
    CHECK(WAIT_FOR(interrupt_count[PIC_VECTOR] >= 3, LONG_MS));
    pit_stop();
    pic_mask(0);
}

static void disk_still_works(void)
{
    CHECK(ahci_open(&disk, 0));
    memset(disk.buffer, 0x3C, 512);
    CHECK(ahci_transfer(&disk, true, 9, 1, (uint64_t)disk.buffer));
    memset(disk.buffer, 0, 512);
    CHECK(ahci_transfer(&disk, false, 9, 1, (uint64_t)disk.buffer));
    CHECK_EQ(disk.buffer[511], 0x3C);
}

static void virtio_disk_still_works(void)
{
    uint8_t *sector = buffer_alloc(1024, 512);

    pci_write(PCI_VIRTIO, 4, 2, 6);
    CHECK(virtio_start(&virtio_disk, VIRTIO_F_VERSION_1, VIRTIO_NO_VECTOR));
    memset(sector, 0x3C, 512);
    CHECK_EQ(virtio_blk_request(&virtio_disk, VIRTIO_BLK_OUT, 9, (uint64_t)sector, 512), 0);
    CHECK_EQ(virtio_blk_request(&virtio_disk, VIRTIO_BLK_IN, 9, (uint64_t)sector + 512, 512), 0);
    CHECK_EQ(sector[1023], 0x3C);
}

static void display_still_works(void)
{
    static const uint16_t mode[][2] = { { 4, 0 }, { 1, 800 }, { 2, 600 }, { 3, 32 }, { 4, 0x41 } };

    pci_write(PCI_VGA, 0x10, 4, VGA_BAR);
    pci_write(PCI_VGA, 4, 2, 3);
    for (unsigned i = 0; i < sizeof(mode) / sizeof(mode[0]); i++) {
        outw(0x1CE, mode[i][0]);
        outw(0x1CF, mode[i][1]);
    }
    outw(0x1CE, 1);
    CHECK_EQ(inw(0x1CF), 800);
    outw(0x1CE, 6);
    CHECK_EQ(inw(0x1CF), 800);
    CHECK_EQ(read32(VGA_BAR + 800 * 4), 0); /* cleared on enabling */
    write32(VGA_BAR + 800 * 4, 0x00ABCDEF);
    CHECK_EQ(read32(VGA_BAR + 800 * 4), 0x00ABCDEF);
}

static bool keyboard_answers(uint8_t command, uint8_t answer)
{
    POLL_FOR(!(inb(0x64) & 2), LONG_MS);
    outb(0x64, command);
    return POLL_FOR(inb(0x64) & 1, LONG_MS) && inb(0x60) == answer;
}

static void keyboard_controller_still_works(void)
{
    outb(0x64, 0xAD);
    outb(0x64, 0xA7);
    for (unsigned i = 0; i < 1000 && inb(0x64) & 1; i++)
        inb(0x60);
    CHECK(keyboard_answers(0xAA, 0x55));
    CHECK(keyboard_answers(0xAB, 0x00));
}

static void serial_port_still_works(void)
{
    outb(0x3F9, 0);
    outb(0x3FB, 0x03);
    outb(0x3FA, 0x07);
    outb(0x3FC, 0x10); /* loop */
    outb(0x3F8, 0x5C);
    CHECK(POLL_FOR(inb(0x3FD) & 1, LONG_MS));
    CHECK_EQ(inb(0x3F8), 0x5C);
    outb(0x3FC, 0);
}

static void clocks_still_work(void)
{
    uint64_t before;

    write64(HPET + 0x10, 1);
    before = read64(HPET + 0xF0);
    POLL_FOR(false, 2);
    CHECK(read64(HPET + 0xF0) != before);
    cmos_write(0x0A, 0x26);
    cmos_write(0x0B, 0x02);
    cmos_write(0, 0x10);
    CHECK(POLL_FOR(cmos_read(0) == 0x11, LONG_MS));
    CHECK_EQ(cmos_read(0x0D) & 0x80, 0x80);
}

static void fwcfg_still_works(void)
{
    CHECK_EQ(fwcfg_number(FWCFG_SIGNATURE, 4), 0x554D4551);
    CHECK_EQ(fwcfg_number(FWCFG_ID, 4), 3);
}

void guest_main(void)
{
    pic_setup(PIC_VECTOR, 0);
    RUN(noise_to_ports);
    RUN(noise_to_the_keyboard_controller);
    RUN(noise_to_fwcfg);
    RUN(noise_to_configuration_space);
    RUN(noise_to_the_disk_controller);
    RUN(noise_to_the_virtio_disk);
    RUN(noise_to_the_display);
    RUN(noise_to_the_timer);
    RUN(noise_to_the_ioapic);
    RUN(interrupts_still_arrive);
    RUN(disk_still_works);
    RUN(virtio_disk_still_works);
    RUN(display_still_works);
    RUN(keyboard_controller_still_works);
    RUN(serial_port_still_works);
    RUN(clocks_still_work);
    RUN(fwcfg_still_works);
}
