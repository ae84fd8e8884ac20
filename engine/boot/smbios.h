/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SMBIOS tables, which tell operating systems what computer they are on. System Management BIOS
 * Reference Specification 3.6, structures as of version 2.8 with the 32-bit entry point, which
 * every firmware knows. Private to engine/boot/.
 */
#ifndef ENGINE_BOOT_SMBIOS_H
#define ENGINE_BOOT_SMBIOS_H

#include "boot.h"

enum { SMBIOS_ANCHOR_SIZE = 31 };

/*
 * The structures, to be freed by the caller, and their entry point, whose address and checksums the
 * firmware fills in. `uuid` is in text form.
 */
GByteArray *smbios_build(const struct boot_board *board, const char *uuid,
                         uint8_t anchor[SMBIOS_ANCHOR_SIZE]);

#endif
