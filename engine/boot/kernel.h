/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starting a Linux kernel without a boot loader: the image taken apart and its place in memory.
 * "The Linux/x86 Boot Protocol" (Documentation/x86/boot.rst), versions 2.02 and later. The image is
 * not trusted. Private to engine/boot/.
 */
#ifndef ENGINE_BOOT_KERNEL_H
#define ENGINE_BOOT_KERNEL_H

#include "config/config.h"

enum {
    KERNEL_SETUP_ADDRESS = 0x10000, /* real-mode part */
    KERNEL_COMMAND_LINE_ADDRESS = 0x20000,
    KERNEL_CODE_ADDRESS = 0x100000, /* protected-mode part */
};

/* What the header says. */
struct kernel_header {
    uint16_t version;     /* 0x020f: 2.15 */
    gsize setup_size;     /* bytes of the real-mode part, at the beginning of the file */
    gsize code_size;      /* the rest */
    uint64_t initrd_last; /* highest address that the initial RAM disk may reach */
    uint64_t running_end; /* end of what the kernel needs before it has looked at the memory map */
    gsize command_line_max; /* bytes, without the final zero */
};

struct kernel {
    GBytes *image, *initrd; /* as they are; initrd may be NULL */
    GBytes *setup;          /* real-mode part with the loader's fields filled in, for BIOS */
    GBytes *command_line;   /* with its final zero */
    struct kernel_header header;
    uint32_t initrd_address;
};

/* Reads a header. INVALID with a sentence that names `path` if it is none that can be started. */
gboolean kernel_parse(const guint8 *image, gsize size, const char *path,
                      struct kernel_header *header, GError **error);

/*
 * Reads the configuration's kernel, initrd and command line and lays them out below `ram_low`.
 * `kernel` is zeroed; it stays so if the configuration has no kernel. Errors: NOT_FOUND,
 * PERMISSION, INVALID.
 */
gboolean kernel_load(struct kernel *kernel, const OrielConfig *config, uint64_t ram_low,
                     GError **error);
void kernel_clear(struct kernel *kernel);

/* The option ROM by which a BIOS starts what is in fw_cfg (linux_rom.S), with its checksums. */
GBytes *kernel_rom(void);

#endif
