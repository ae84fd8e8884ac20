/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the firmware has placed PCI memory above 4 GiB. See acpi.h.
 *
 * Everything read here was written by the guest: buses are visited at most once each, numbers are
 * only compared. PCI Local Bus 3.0 section 6.2.5, PCI-to-PCI Bridge 1.2 section 3.2.5.10.
 */
#include <string.h>

#include "acpi.h"

enum {
    BUSES = 256,
    VENDOR = 0x00,
    HEADER_TYPE = 0x0e,
    HEADER_MULTIFUNCTION = 0x80,
    HEADER_BRIDGE = 1,
    BAR0 = 0x10,
    BAR_IO = 1,
    BAR_TYPE_MASK = 0x6,
    BAR_TYPE_64 = 0x4,
    BRIDGE_SECONDARY = 0x19,
    BRIDGE_PREFETCH_BASE = 0x24,
    BRIDGE_PREFETCH_LIMIT = 0x26,
    BRIDGE_PREFETCH_BASE_HIGH = 0x28,
    BRIDGE_PREFETCH_LIMIT_HIGH = 0x2c,
    BRIDGE_PREFETCH_64 = 1,
};

#define GIB         (UINT64_C(1) << 30)
#define WINDOW_SIZE (32 * GIB)

struct scan {
    const struct boot_board *board;
    bool visited[BUSES];
    bool found;
    uint64_t first, last;
};

static uint32_t config(const struct scan *scan, unsigned bdf, unsigned offset, unsigned size)
{
    return scan->board->pci_read(scan->board->context, bdf, offset, size);
}

/* Only what lies above RAM and within reach counts; a BAR that is being sized, say, does not. */
static void include(struct scan *scan, uint64_t first, uint64_t last)
{
    uint64_t floor = BOOT_RAM_HIGH_BASE + scan->board->ram_high;

    if (first < floor || last < first || last >> scan->board->physical_bits != 0) {
        return;
    }
    scan->first = scan->found ? MIN(scan->first, first) : first;
    scan->last = scan->found ? MAX(scan->last, last) : last;
    scan->found = true;
}

static void scan_bars(struct scan *scan, unsigned bdf, unsigned bars)
{
    for (unsigned i = 0; i + 1 < bars; i++) {
        uint32_t low = config(scan, bdf, BAR0 + 4 * i, 4);

        if (!(low & BAR_IO) && (low & BAR_TYPE_MASK) == BAR_TYPE_64) {
            uint64_t address =
                (uint64_t)config(scan, bdf, BAR0 + 4 * i + 4, 4) << 32 | (low & ~UINT32_C(0xf));

            include(scan, address, address);
            i++;
        }
    }
}

static void scan_bus(struct scan *scan, unsigned bus);

static void scan_bridge(struct scan *scan, unsigned bdf)
{
    uint32_t base = config(scan, bdf, BRIDGE_PREFETCH_BASE, 2);
    uint32_t limit = config(scan, bdf, BRIDGE_PREFETCH_LIMIT, 2);
    unsigned secondary = config(scan, bdf, BRIDGE_SECONDARY, 1);

    scan_bars(scan, bdf, 2);
    if ((base & 0xf) == BRIDGE_PREFETCH_64) {
        include(scan,
                (uint64_t)config(scan, bdf, BRIDGE_PREFETCH_BASE_HIGH, 4) << 32 | (base & 0xfff0)
                                                                                      << 16,
                (uint64_t)config(scan, bdf, BRIDGE_PREFETCH_LIMIT_HIGH, 4) << 32 |
                    (limit & 0xfff0) << 16 | 0xfffff);
    }
    if (secondary < BUSES && !scan->visited[secondary]) {
        scan_bus(scan, secondary);
    }
}

static void scan_bus(struct scan *scan, unsigned bus)
{
    scan->visited[bus] = true;
    for (unsigned device = 0; device < 32; device++) {
        unsigned functions = 1;

        for (unsigned function = 0; function < functions; function++) {
            unsigned bdf = bus << 8 | device << 3 | function;
            uint32_t header;

            if (config(scan, bdf, VENDOR, 2) == 0xffff) {
                continue;
            }
            header = config(scan, bdf, HEADER_TYPE, 1);
            if (function == 0 && header & HEADER_MULTIFUNCTION) {
                functions = 8;
            }
            if ((header & ~(uint32_t)HEADER_MULTIFUNCTION) == HEADER_BRIDGE) {
                scan_bridge(scan, bdf);
            } else {
                scan_bars(scan, bdf, 6);
            }
        }
    }
}

void pci_window64(const struct boot_board *board, struct acpi_window *window)
{
    struct scan scan = { .board = board };
    uint64_t reach = (UINT64_C(1) << board->physical_bits) - 1;

    scan_bus(&scan, 0);
    if (scan.found) {
        window->first = scan.first / GIB * GIB;
        window->last = scan.last / GIB * GIB + GIB - 1;
    } else {
        window->first = (BOOT_RAM_HIGH_BASE + board->ram_high + GIB - 1) / GIB * GIB;
        window->last = window->first;
    }
    window->last = MAX(window->last, window->first + WINDOW_SIZE - 1);
    if (window->last > reach && window->first < reach) {
        window->last = reach;
    }
}
