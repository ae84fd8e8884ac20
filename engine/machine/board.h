/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The board of pc-1: which devices the machine has, where they sit and how their interrupts are
 * wired. board.c holds that as one table.
 *
 * Threads: before the machine runs, except board_function_find() (any thread that holds the host
 * bridge's domain).
 */
#ifndef ENGINE_BOARD_H
#define ENGINE_BOARD_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "device.h"

struct board_device;
struct domain;
struct machine;
struct machine_device;
struct device_memory;
struct drive;

/* A slot in which cards come and go. */
struct board_port {
    struct machine_device *port; /* NULL: the machine has no hot plug */
    struct machine_device *card; /* NULL: the slot is empty */
    struct domain *domain;       /* of the cards, from the first one on */
};

/* The devices that the machine itself has to do with; NULL where the board has none. */
struct board {
    struct machine_device *functions[256]; /* of PCI bus 0, by device << 3 | function */
    struct machine_device *fw_cfg, *rtc, *display, *pm, *storage, *generation, *balloon;
    struct drive *drives[CONFIG_DRIVES_MAX]; /* in the order of the configuration */
    unsigned n_drives;
    struct board_port ports[CONFIG_PORTS_MAX];
};

/* Makes all devices. False with *error set. */
bool board_build(struct machine *machine, GError **error);
/* Frees them, last first. No thread uses them any more. */
void board_free(struct machine *machine);
/* The function that answers to bus << 8 | device << 3 | function, or NULL. */
struct machine_device *board_function_find(struct machine *machine, unsigned bdf);
/* The drive behind port `number` of a record's device, NULL: the port is empty. */
struct drive *board_drive(const struct machine_device *record, unsigned number);
/* The slot of bus 0 that says where the device's INTx pins are wired to. */
unsigned board_interrupt_slot(const struct board_device *entry);

/* While the machine stands still: the drive or network card of the configuration with that id comes
 * into its slot, reset. False with *error set, and nothing of it there. */
bool board_card_make(struct machine *machine, const char *id, GError **error);
/* The card of a slot goes; what was behind it stays with the caller. */
void board_card_free(struct machine *machine, struct board_port *slot);
/* Gets the bytes of a device memory, from its file if it has one, if that was not done yet. */
void board_memory_open(struct device *device, struct device_memory *memory);

#endif
