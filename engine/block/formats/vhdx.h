/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What reading, log replay and writing of VHDX share. Private to engine/block/. */
#ifndef ENGINE_BLOCK_VHDX_H
#define ENGINE_BLOCK_VHDX_H

#include "formats.h"

enum {
    VHDX_HEADER_1 = 64 << 10,
    VHDX_HEADER_2 = 128 << 10,
    VHDX_HEADER_BYTES = 4096,
    VHDX_REGIONS_1 = 192 << 10,
    VHDX_REGIONS_2 = 256 << 10,
    VHDX_REGIONS_BYTES = 64 << 10,
    VHDX_MIB = 1 << 20,
};

enum vhdx_header_field {
    VHDX_CRC = 4,
    VHDX_SEQUENCE = 8,
    VHDX_FILE_WRITE_GUID = 16,
    VHDX_DATA_WRITE_GUID = 32,
    VHDX_LOG_GUID = 48,
    VHDX_LOG_VERSION = 64,
    VHDX_VERSION = 66,
    VHDX_LOG_LENGTH = 68,
    VHDX_LOG_OFFSET = 72,
};

enum vhdx_state {
    VHDX_NOT_PRESENT = 0,
    VHDX_UNDEFINED = 1,
    VHDX_ZERO = 2,
    VHDX_UNMAPPED = 3,
    VHDX_UNMAPPED_V1 = 5,
    VHDX_PRESENT = 6,
    VHDX_PARTLY_PRESENT = 7,
};

#define VHDX_BAT_OFFSET_MASK UINT64_C(0xfffffffffff00000)

/* GUIDs as they lie in the file. */
extern const uint8_t vhdx_guid_bat[16], vhdx_guid_metadata[16], vhdx_guid_file_parameters[16],
    vhdx_guid_disk_size[16], vhdx_guid_page83[16], vhdx_guid_logical_sector[16],
    vhdx_guid_physical_sector[16], vhdx_guid_parent_locator[16];

/*
 * The storage as it will be when its log has been replayed, or the storage itself if the log is
 * empty. Takes `storage` over, also on failure: NULL with INVALID. `header` is the current header.
 */
struct storage *vhdx_log_replay(struct storage *storage, const uint8_t *header, GError **error);

#endif
