/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The host side of fw_cfg (devices/legacy/fw_cfg.c): what the firmware finds in it. The content is
 * made by engine/boot/. Byte ranges are not copied: the caller keeps them alive and unmoved until
 * the device is freed.
 *
 * Threads: before the machine runs, or under the lock of the device's domain (from the select
 * hook).
 */
#ifndef DEVICES_FW_CFG_H
#define DEVICES_FW_CFG_H

#include "device.h"

enum {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_UUID = 0x02,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_KERNEL_ADDR = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_ADDR = 0x0a,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_NUMA = 0x0d,
    FW_CFG_BOOT_MENU = 0x0e,
    FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_ADDR = 0x16,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_FILES_MAX = 64,
    FW_CFG_ARCH_LOCAL = 0x8000,
    FW_CFG_FILE_NAME_MAX = 56,
};

/*
 * Sets the bytes behind a fixed key (FW_CFG_*, or FW_CFG_ARCH_LOCAL + 0..31). Setting it again
 * replaces them. The signature, the id and the file directory are the device's own.
 */
void fw_cfg_set_key(struct device *fw_cfg, uint16_t key, const void *bytes, uint32_t size);

/*
 * Adds a file, or replaces the bytes of the one with that name. `writable` lets the guest's DMA
 * change `bytes` in place. Keys follow the order of the names, so files are added only while no
 * guest runs; replacing keeps the key and may be done at any time, also from the hook. `name` has
 * fewer than FW_CFG_FILE_NAME_MAX bytes and is copied. Returns -ENOSPC beyond FW_CFG_FILES_MAX
 * files.
 */
int fw_cfg_set_file(struct device *fw_cfg, const char *name, void *bytes, uint32_t size,
                    bool writable);

/*
 * The hook is called when the guest selects a file (written = false), before its first byte is
 * read, and after the guest has written into one (written = true). NULL removes it.
 */
void fw_cfg_set_hook(struct device *fw_cfg,
                     void (*hook)(void *context, const char *name, bool written), void *context);

#endif
