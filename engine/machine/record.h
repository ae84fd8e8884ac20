/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine's record of one device: what the device has of bus, memory map, interrupts and clock.
 *
 * Threads: before the machine runs, or while it stands still.
 */
#ifndef ENGINE_RECORD_H
#define ENGINE_RECORD_H

#include "machine/machine_private.h"

enum {
    OPTIONS_MAX = 4,
    IRQ_RTC = 8,
};

#define BDF(device, function) ((device) << 3 | (function))
/* The function in a slot, by the bus number that it gets when nobody has others. */
#define BEHIND(port)          ((port) << 8)

/* Settings of one device, as text that lives until the device has been made. */
struct settings {
    struct option_value values[OPTIONS_MAX];
    char text[OPTIONS_MAX][64];
    unsigned n;
};

struct board_device {
    const char *class, *name;
    unsigned bdf;        /* BDF_NONE: one of the board's own chips */
    uint8_t irqs[2];     /* lines of the outputs; for PCI functions of those besides INTx */
    unsigned first_port; /* character port; see serial.h */
    unsigned drive;      /* of the configuration; of the AHCI controller: its first */
    unsigned network;    /* of the configuration */
    unsigned port;       /* root port that it is behind, from 1; 0: it is on bus 0 */
    bool (*wanted)(const struct machine *machine);
    void (*set)(const struct machine *machine, struct settings *settings);
    /* The same for one of several. */
    void (*set_entry)(const struct machine *machine, const struct board_device *entry,
                      struct settings *settings);
};

/* Makes the device, its record, and the places that its regions have from power on; they are in
 * machine->devices at `place` then, whatever becomes of it. NULL with *error set. */
struct machine_device *record_make(struct machine *machine, const struct board_device *entry,
                                   unsigned place, GError **error);
/* Takes bus, memory map, clock and doorbells from a device that was reset; record_free() follows.
 */
void record_detach(struct machine_device *record);
/* Frees record and device. */
void record_free(struct machine_device *record);

#endif
