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

struct machine;
struct machine_device;
struct device_memory;
struct drive;

/* The devices that the machine itself has to do with; NULL where the board has none. */
struct board {
    struct machine_device *functions[256]; /* of PCI bus 0, by device << 3 | function */
    struct machine_device *fw_cfg, *rtc, *display, *pm, *storage, *generation, *balloon;
    struct drive *drives[CONFIG_DRIVES_MAX]; /* in the order of the configuration */
    unsigned n_drives;
};

/* Makes all devices. False with *error set. */
bool board_build(struct machine *machine, GError **error);
/* Frees them, last first. No thread uses them any more. */
void board_free(struct machine *machine);
/* The function that answers to bus << 8 | device << 3 | function, or NULL. */
struct machine_device *board_function_find(struct machine *machine, unsigned bdf);
/* Gets the bytes of a device memory, from its file if it has one, if that was not done yet. */
void board_memory_open(struct device *device, struct device_memory *memory);

#endif
