/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What hardware the program found, for people to read. */
#ifndef WELCOME_MACHINE_H
#define WELCOME_MACHINE_H

#include <stdint.h>

/* What start.S asked the BIOS, at LAYOUT_BOOT_INFO; the offsets are in layout.h. */
struct memory_range {
    uint64_t start, size;
    uint32_t type;
} __attribute__((packed));

struct boot_info {
    uint32_t drive, starts;
    uint64_t disk_sectors;
    uint32_t range_count, reserved;
    struct memory_range ranges[32];
};

#define MACHINE_DEVICES 12

struct machine_device {
    uint8_t device, function;
    const char *name;
};

struct machine {
    char processor[64], memory[48], disk[48], firmware[64], display[64];
    unsigned starts;
    struct machine_device devices[MACHINE_DEVICES];
    unsigned device_count;
};

/* Call after screen_start(), which knows the display. */
void machine_find(struct machine *machine);
/* Finds only the display again. */
void machine_display(struct machine *machine);

struct clock {
    unsigned year, month, day, hour, minute, second;
};

/* The time of the machine's clock. */
struct clock machine_clock(void);

#endif
