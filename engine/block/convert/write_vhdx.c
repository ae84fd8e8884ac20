/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VHDX, [MS-VHDX], dynamic or fixed: headers and region tables in the first MiB, an empty log in
 * the second, metadata in the third, the table of blocks from the fourth on, then blocks of 32 MiB.
 * See writer.h.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "../formats/crc32c.h"
#include "../formats/vhdx.h"
#include "bytes.h"
#include "config/config.h"
#include "writer.h"

enum {
    BLOCK = 32 << 20,
    CHUNK_RATIO = (8 << 20) / (BLOCK / IMAGE_SECTOR), /* blocks for each sector bitmap */
    LOG_OFFSET = 1 << 20,
    METADATA_OFFSET = 2 << 20,
    BAT_OFFSET = 3 << 20,
    METADATA_ITEMS = 64 << 10,
    RAW_UNIT = 4096,
};

#define VHDX_DISK_MAX (UINT64_C(64) << 40)

struct vhdx_writer {
    struct writer writer;
    bool fixed;
    uint64_t *bat;
    uint64_t n_blocks, n_bat, bat_bytes;
    uint64_t end; /* bytes */
};

static struct vhdx_writer *vhdx_of(struct writer *writer)
{
    return (struct vhdx_writer *)writer;
}

static uint64_t bat_index(uint64_t block)
{
    return block + block / CHUNK_RATIO;
}

static void block_place(struct vhdx_writer *vhdx, uint64_t block)
{
    vhdx->bat[bat_index(block)] = vhdx->end | VHDX_PRESENT;
    vhdx->end += BLOCK;
}

static int put(struct writer *writer, uint64_t offset, const uint8_t *bytes, size_t n,
               const uint8_t *packed, size_t n_packed)
{
    struct vhdx_writer *vhdx = vhdx_of(writer);
    uint64_t block = offset / BLOCK, entry;

    /* A chunk of a conversion never crosses a block, whose size is a multiple of it. */
    if (vhdx->bat[bat_index(block)] == 0) {
        block_place(vhdx, block);
    }
    entry = vhdx->bat[bat_index(block)];
    return storage_write(writer->storage, (entry & VHDX_BAT_OFFSET_MASK) + offset % BLOCK, bytes,
                         n);
}

static void guid_random(uint8_t *guid)
{
    for (unsigned i = 0; i < 16; i += 4) {
        store_le32(guid + i, g_random_int());
    }
    guid[7] = (uint8_t)((guid[7] & 0x0f) | 0x40);
    guid[8] = (uint8_t)((guid[8] & 0x3f) | 0x80);
}

static int headers_write(struct vhdx_writer *vhdx)
{
    static const char creator[] = "O\0r\0i\0e\0l"; /* UTF-16LE */
    uint8_t header[VHDX_HEADER_BYTES] = { 0 }, identifier[64] = "vhdxfile";
    struct storage *storage = vhdx->writer.storage;
    int result;

    memcpy(identifier + 8, creator, sizeof(creator));
    result = storage_write(storage, 0, identifier, sizeof(identifier));
    guid_random(header + VHDX_FILE_WRITE_GUID);
    guid_random(header + VHDX_DATA_WRITE_GUID);
    for (unsigned i = 0; i < 2 && result == 0; i++) {
        memcpy(header, "head", 4);
        store_le32(header + VHDX_CRC, 0);
        store_le64(header + VHDX_SEQUENCE, i + 1);
        store_le16(header + VHDX_VERSION, 1);
        store_le32(header + VHDX_LOG_LENGTH, VHDX_MIB);
        store_le64(header + VHDX_LOG_OFFSET, LOG_OFFSET);
        store_le32(header + VHDX_CRC, crc32c(0, header, sizeof(header)));
        result =
            storage_write(storage, i == 0 ? VHDX_HEADER_1 : VHDX_HEADER_2, header, sizeof(header));
    }
    return result;
}

static int regions_write(struct vhdx_writer *vhdx)
{
    g_autofree uint8_t *table = g_malloc0(VHDX_REGIONS_BYTES);
    const struct {
        const uint8_t *guid;
        uint64_t offset, length;
    } regions[] = {
        { vhdx_guid_bat, BAT_OFFSET, vhdx->bat_bytes },
        { vhdx_guid_metadata, METADATA_OFFSET, VHDX_MIB },
    };
    int result;

    memcpy(table, "regi", 4);
    store_le32(table + 8, G_N_ELEMENTS(regions));
    for (unsigned i = 0; i < G_N_ELEMENTS(regions); i++) {
        uint8_t *entry = table + 16 + (gsize)i * 32;

        memcpy(entry, regions[i].guid, 16);
        store_le64(entry + 16, regions[i].offset);
        store_le32(entry + 24, (uint32_t)regions[i].length);
        store_le32(entry + 28, 1);
    }
    store_le32(table + VHDX_CRC, crc32c(0, table, VHDX_REGIONS_BYTES));
    result = storage_write(vhdx->writer.storage, VHDX_REGIONS_1, table, VHDX_REGIONS_BYTES);
    return result < 0
               ? result
               : storage_write(vhdx->writer.storage, VHDX_REGIONS_2, table, VHDX_REGIONS_BYTES);
}

static int metadata_write(struct vhdx_writer *vhdx)
{
    uint8_t parameters[8], size[8], page83[16], logical[4], physical[4];
    const struct {
        const uint8_t *guid, *bytes;
        uint32_t length, flags;
    } items[] = {
        { vhdx_guid_file_parameters, parameters, sizeof(parameters), 4 },
        { vhdx_guid_disk_size, size, sizeof(size), 6 },
        { vhdx_guid_page83, page83, sizeof(page83), 6 },
        { vhdx_guid_logical_sector, logical, sizeof(logical), 6 },
        { vhdx_guid_physical_sector, physical, sizeof(physical), 6 },
    };
    g_autofree uint8_t *bytes = g_malloc0(METADATA_ITEMS + 4096);
    uint32_t at = METADATA_ITEMS;

    store_le32(parameters, BLOCK);
    store_le32(parameters + 4, vhdx->fixed ? 1 : 0);
    store_le64(size, vhdx->writer.size);
    guid_random(page83);
    store_le32(logical, IMAGE_SECTOR);
    store_le32(physical, 4096);
    memcpy(bytes, "metadata", 8);
    store_le16(bytes + 10, G_N_ELEMENTS(items));
    for (unsigned i = 0; i < G_N_ELEMENTS(items); i++) {
        uint8_t *entry = bytes + 32 + (gsize)i * 32;

        memcpy(entry, items[i].guid, 16);
        store_le32(entry + 16, at);
        store_le32(entry + 20, items[i].length);
        store_le32(entry + 24, items[i].flags);
        memcpy(bytes + at, items[i].bytes, items[i].length);
        at += items[i].length;
    }
    return storage_write(vhdx->writer.storage, METADATA_OFFSET, bytes, METADATA_ITEMS + 4096);
}

static int bat_write(struct vhdx_writer *vhdx)
{
    g_autofree uint8_t *bytes = g_malloc0(vhdx->n_bat * 8);

    for (uint64_t i = 0; vhdx->fixed && i < vhdx->n_blocks; i++) {
        if (vhdx->bat[bat_index(i)] == 0) {
            block_place(vhdx, i);
        }
    }
    for (uint64_t i = 0; i < vhdx->n_bat; i++) {
        store_le64(bytes + i * 8, vhdx->bat[i]);
    }
    return storage_write(vhdx->writer.storage, BAT_OFFSET, bytes, vhdx->n_bat * 8);
}

static int finish(struct writer *writer)
{
    struct vhdx_writer *vhdx = vhdx_of(writer);
    int result = bat_write(vhdx);

    if (result == 0) {
        result = storage_resize(writer->storage, vhdx->end);
    }
    if (result == 0) {
        result = metadata_write(vhdx);
    }
    if (result == 0) {
        result = regions_write(vhdx);
    }
    if (result == 0) {
        result = headers_write(vhdx);
    }
    return result < 0 ? result : storage_flush(writer->storage);
}

static void free_writer(struct writer *writer)
{
    storage_free(writer->storage);
    g_free(vhdx_of(writer)->bat);
    g_free(writer);
}

static const struct writer_class vhdx_writer_class = {
    .put = put,
    .finish = finish,
    .free = free_writer,
};

struct writer *writer_vhdx(struct storage *storage, uint64_t size, bool fixed, GError **error)
{
    struct vhdx_writer *vhdx = g_new0(struct vhdx_writer, 1);

    vhdx->writer = (struct writer){
        .class = &vhdx_writer_class,
        .storage = storage,
        .size = size,
        .unit = RAW_UNIT,
        .ordered = true,
    };
    if (size > VHDX_DISK_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("A VHDX image holds at most 64T; convert to qcow2."));
        free_writer(&vhdx->writer);
        return NULL;
    }
    vhdx->fixed = fixed;
    vhdx->n_blocks = (size - 1) / BLOCK + 1;
    vhdx->n_bat = bat_index(vhdx->n_blocks - 1) + 1;
    vhdx->bat_bytes = (vhdx->n_bat * 8 + VHDX_MIB - 1) / VHDX_MIB * VHDX_MIB;
    vhdx->bat = g_new0(uint64_t, vhdx->n_bat);
    vhdx->end = BAT_OFFSET + vhdx->bat_bytes;
    return &vhdx->writer;
}
