/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Firmware images from the host's packages, and the UEFI variable store that is each machine's own.
 * Private to engine/boot/.
 */
#ifndef ENGINE_BOOT_FIRMWARE_H
#define ENGINE_BOOT_FIRMWARE_H

#include "config/config.h"

struct firmware {
    GBytes *image;     /* mapped so that it ends at 4 GiB */
    GBytes *video_rom; /* BIOS only: the VGA adapter's option ROM */
    char *variables;   /* UEFI only: path of the machine's store */
    gsize variables_size;
};

/* Reads and checks everything and makes the store if it is missing. The errors of boot_prepare().
 */
gboolean firmware_load(struct firmware *firmware, const OrielConfig *config, const char *folder,
                       GError **error);
void firmware_clear(struct firmware *firmware);

/* A whole file of at most `limit` bytes; `what` begins the sentence if it cannot be read. */
GBytes *boot_read_file(const char *what, const char *path, gsize limit, GError **error);

#endif
