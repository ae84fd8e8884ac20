/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guest RAM: private anonymous memory in two blocks, below and from 4 GiB. Pages come into being
 * when the guest first touches them. The bytes at 0xa0000-0xbffff are not RAM: the VGA is there.
 *
 * Threads: ram_init() and ram_destroy() from one; the rest from any, without a lock.
 */
#ifndef ENGINE_RAM_H
#define ENGINE_RAM_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAM_VGA_START UINT64_C(0xa0000)
#define RAM_VGA_END   UINT64_C(0xc0000)
#define RAM_HIGH_BASE UINT64_C(0x100000000)

struct ram {
    uint8_t *low, *high;
    uint64_t low_size, high_size; /* bytes */
};

/*
 * boot_ram_low() says how much of it lies at 0; the rest lies at 4 GiB.
 * False with *error set (NO_SPACE) if the host cannot give the address space.
 */
bool ram_init(struct ram *ram, uint64_t size, GError **error);
void ram_destroy(struct ram *ram);

/* The host address of a guest address and in *length (in: wanted) how much is contiguous; NULL if
 * not RAM. */
void *ram_at(const struct ram *ram, uint64_t gpa, size_t *length);
/* Copies; false, moving nothing, if any byte is not RAM. */
bool ram_read(const struct ram *ram, uint64_t gpa, void *destination, size_t length);
bool ram_write(const struct ram *ram, uint64_t gpa, const void *source, size_t length);
/* Gives the host back what is in the whole pages of [gpa, gpa + length); they read as zeroes. What
 * is not RAM is left alone. */
void ram_discard(const struct ram *ram, uint64_t gpa, uint64_t length);

#endif
