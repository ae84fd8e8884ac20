/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small contents of fw_cfg, as plain bytes. The caller frees. Private to engine/boot/. */
#ifndef ENGINE_BOOT_FILES_H
#define ENGINE_BOOT_FILES_H

#include "boot.h"

/* etc/e820: 20-byte entries, base, length, type (1 RAM, 2 reserved), little-endian. */
GByteArray *e820_build(const struct boot_board *board);

/*
 * bootorder: OpenFirmware paths, one a line, ending in a zero byte. `kernel_rom` is the fw_cfg name
 * of an option ROM to be tried first, or NULL. The drives that the configuration's order leaves out
 * follow in the default one: disks, then CDs.
 */
GByteArray *boot_order_build(const OrielConfig *config, const char *kernel_rom);

/* etc/system-states: for each S-state its SLP_TYP, bit 7: supported. */
enum { SYSTEM_STATES_SIZE = 6 };
void system_states_build(guint8 states[SYSTEM_STATES_SIZE], bool suspend);

/* boot_cmos(). */
void cmos_build(const struct boot_board *board, bool cd_first,
                void (*set)(void *context, uint8_t index, uint8_t value), void *context);

/* A UUID in text form as 16 bytes in the mixed byte order of SMBIOS 2.6 and of GUIDs. */
void uuid_to_guid(const char *text, guint8 guid[16]);
/* The same in the order of the text. */
void uuid_to_bytes(const char *text, guint8 bytes[16]);

#endif
