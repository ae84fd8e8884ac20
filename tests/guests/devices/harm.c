/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes noise into every register of every device, for ever, with DMA on: configuration space,
 * whatever the base address registers show, ports, the chipset's windows, and now and then memory,
 * so that devices find something like descriptors there. It does nothing to save itself: sooner or
 * later it is overwritten, reset or powered off, and whoever runs it starts it again (run-harm).
 * Each start goes its own way and says its seed first.
 */
#include "runtime/board.h"
#include "runtime/cpu.h"
#include "io.h"
#include "runtime/layout.h"

#define FUNCTIONS_MAX 64
#define BARS_MAX      256
#define MMIO_FIRST    0xC0000000u
#define MMIO_END      0xF0000000u
#define PIO_FIRST     0xC000u
#define PIO_END       0xF000u
#define DEBUG_PORT    0x402
#define STRUCTURES    0x8000u /* at LAYOUT_FREE: where the noise often points */

struct window {
    uint64_t base;
    uint32_t size;
    bool ports;
};

static uint64_t seed;
static unsigned functions[FUNCTIONS_MAX], n_functions;
static struct window windows[BARS_MAX];
static unsigned n_windows;
static uint32_t next_mmio = MMIO_FIRST, next_pio = PIO_FIRST;

static uint32_t noise(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

/* Pure noise, a number that often means something, a bit, or where structures lie. */
static uint32_t noise_value(void)
{
    static const uint32_t special[] = { 0,          1,          2,          4,
                                        6,          7,          0x7F,       0x80,
                                        0xFF,       0x100,      0xFFFF,     0x10000,
                                        0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF };

    switch (noise() & 3) {
    case 0:
        return noise();
    case 1:
        return special[noise() & 15];
    case 2:
        return 1u << (noise() & 31);
    default:
        return LAYOUT_FREE + (noise() % STRUCTURES & ~15u);
    }
}

/* --- What there is ------------------------------------------------------------------------- */

static void window_add(uint64_t base, uint32_t size, bool ports)
{
    if (n_windows < BARS_MAX)
        windows[n_windows++] = (struct window){ base, size, ports };
}

/* Measures a base address register and places it; returns how many registers it takes. */
static unsigned bar_place(unsigned function, unsigned offset)
{
    uint32_t size;

    pci_write(function, offset, 4, 0xFFFFFFFF);
    size = pci_read(function, offset, 4);
    if (size & 1) {
        size = (~(size & 0xFFFC) + 1) & 0xFFFF;
        if (size == 0 || size > PIO_END - next_pio)
            return 1;
        next_pio = (next_pio + size - 1) & ~(size - 1);
        pci_write(function, offset, 4, next_pio);
        window_add(next_pio, size, true);
        next_pio += size;
        return 1;
    }
    bool wide = size & 4;

    size = ~(size & ~15u) + 1;
    next_mmio = (next_mmio + size - 1) & ~(size - 1);
    if (size >= 16 && size <= MMIO_END - next_mmio) {
        pci_write(function, offset, 4, next_mmio);
        if (wide)
            pci_write(function, offset + 4, 4, 0);
        window_add(next_mmio, size, false);
        next_mmio += size;
    }
    return wide ? 2 : 1;
}

static void bus_scan(unsigned bus, unsigned *last)
{
    for (unsigned slot = 0; slot < 256; slot++) {
        unsigned function = bus << 8 | slot;

        if (pci_read(function, 0, 2) == 0xFFFF || n_functions == FUNCTIONS_MAX)
            continue;
        functions[n_functions++] = function;
        if ((pci_read(function, 0x0E, 1) & 0x7F) == 1) {
            unsigned below = ++*last;

            pci_write(function, 0x18, 4, 0xFF0000u | below << 8 | bus);
            bus_scan(below, last);
            pci_write(function, 0x1A, 1, *last);
        } else {
            for (unsigned offset = 0x10; offset < 0x28;)
                offset += 4 * bar_place(function, offset);
        }
        pci_write(function, 4, 2, 7);
    }
}

static void look_around(void)
{
    static const struct window fixed[] = {
        { 0x000, 0x100, true },
        { 0x170, 0x10, true },
        { 0x1CE, 4, true },
        { 0x1F0, 8, true },
        { 0x2E8, 0x20, true },
        { 0x3B0, 0x50, true },
        { 0x4D0, 2, true },
        { 0x510, 12, true },
        { 0x600, 0x80, true },
        { 0xAE00, 0x20, true },
        { 0xCF8, 8, true },
        { 0xA0000, 0x20000, false },
        { 0xC0000, 0x40000, false },
        { 0xFEC00000, 0x100, false },
        { 0xFED00000, 0x400, false },
        { 0xFED1C000, 0x4000, false },
        { 0xFEE00000, 0x1000, false },
        { 0xFFC00000, 0x3F0000, false },
        { BOARD_ECAM_BASE, 1u << 20, false },
    };
    unsigned last = 0;

    bus_scan(0, &last);
    for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        window_add(fixed[i].base, fixed[i].size, fixed[i].ports);
}

/* --- Noise --------------------------------------------------------------------------------- */

static void port_noise(uint16_t port, uint32_t value)
{
    unsigned size = noise() % 3;

    if (port == DEBUG_PORT || port + 3u == DEBUG_PORT) /* the report */
        return;
    if (noise() & 7) {
        if (size == 0)
            outb(port, (uint8_t)value);
        else if (size == 1)
            outw(port, (uint16_t)value);
        else
            outl(port, value);
    } else if (size == 0) {
        inb(port);
    } else if (size == 1) {
        inw(port);
    } else {
        inl(port);
    }
}

static void memory_noise(uint64_t address, uint32_t value)
{
    unsigned size = noise() & 3;

    if (noise() & 3)
        address &= ~(uint64_t)((1u << size) - 1);
    if (!(noise() & 7)) {
        read32(address & ~3ull);
        return;
    }
    if (size == 0)
        write8(address, (uint8_t)value);
    else if (size == 1)
        write16(address, (uint16_t)value);
    else if (size == 2)
        write32(address, value);
    else
        write64(address, value | (uint64_t)noise_value() << 32);
}

/* Most registers lie at the beginnings of windows. */
static void window_noise(const struct window *window)
{
    uint32_t offset = noise();

    switch (noise() & 3) {
    case 0:
        offset %= window->size;
        break;
    case 1:
        offset = (offset & 0xFF) % window->size;
        break;
    default:
        offset = (offset & 0xFFF) % window->size;
        break;
    }
    if (window->ports)
        port_noise((uint16_t)(window->base + offset), noise_value());
    else
        memory_noise(window->base + offset, noise_value());
}

static void config_noise(unsigned function)
{
    unsigned size = 1u << noise() % 3, offset = noise() & 0xFF & ~(size - 1);

    pci_write(function, offset, size, noise_value());
}

static void structures_noise(void)
{
    for (unsigned i = 0; i < 64; i++)
        write32(LAYOUT_FREE + (noise() % STRUCTURES & ~3u), noise_value());
}

/* One device for a while, so that more than one register of it gets something. */
static void burst(void)
{
    const struct window *window = &windows[noise() % n_windows];
    unsigned function = functions[noise() % n_functions];

    for (unsigned i = noise() & 63; i > 0; i--)
        window_noise(window);
    if (!(noise() & 7)) {
        config_noise(function);
        if (noise() & 3) /* and it goes on to work */
            pci_write(function, 4, 2, 7);
    }
    if (!(noise() & 3))
        structures_noise();
}

void guest_main(void)
{
    seed = (uint64_t)__builtin_ia32_rdtsc() | 1;
    print("SEED %lx\n", seed);
    look_around();
    print("NOISE %u functions, %u windows\n", n_functions, n_windows);
    for (;;)
        burst();
}
