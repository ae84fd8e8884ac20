/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A folder with firmware images of a test's own, and one of a machine. */
#ifndef TESTS_BOOT_PLACE_H
#define TESTS_BOOT_PLACE_H

#include "boot/boot.h"

/* Bytes of the images. */
enum {
    BIOS_SIZE = 256 << 10,
    CODE_SIZE = 128 << 10,
    VARIABLES_SIZE = 132 << 10,
    ROM_SIZE = 32 << 10,
};

struct place {
    char *root, *firmware, *machine; /* folders: the last two are in the first */
    OrielConfig *config;
};

/* SeaBIOS of 0xb1, its video ROM and OVMF are there, and used in place of the computer's. */
struct place place_new(OrielFirmware firmware);
/* Removes the folders. */
void place_free(struct place *place);

void put_file(const char *folder, const char *name, const void *bytes, size_t size);
/* A firmware volume (_FVH) of `size` bytes: a UEFI variable store, or code. */
void put_volume(const char *folder, const char *name, size_t size, bool variables);

#endif
