/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VHD, fixed (the disk and a footer) or dynamic (footer, header, table, blocks with their bitmaps,
 * footer). The creator is "win ", as Hyper-V's: readers then take the size that is stated, not the
 * one that follows from the geometry. See writer.h.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "bytes.h"
#include "config/config.h"
#include "writer.h"

enum {
    BLOCK = 2 << 20,
    FOOTER = 512,
    HEADER = 1024,
    BAT_OFFSET = FOOTER + HEADER,
    BITMAP = 512,
    RAW_UNIT = 4096,
    VHD_FIXED = 2,
    VHD_DYNAMIC = 3,
    EPOCH_2000 = 946684800, /* seconds from 1970 to 2000 */
};

#define VHD_DISK_MAX (UINT64_C(2040) << 30)
#define VHD_ABSENT   UINT32_C(0xffffffff)

struct vhd_writer {
    struct writer writer;
    bool fixed;
    uint32_t *bat; /* sector numbers */
    uint32_t n_blocks;
    uint64_t end; /* bytes */
    uint8_t footer[FOOTER];
};

static struct vhd_writer *vhd_of(struct writer *writer)
{
    return (struct vhd_writer *)writer;
}

/* The computation that the specification's appendix gives. */
static void geometry(uint64_t size, uint8_t *bytes)
{
    uint64_t sectors = MIN(size / IMAGE_SECTOR, UINT64_C(65535) * 16 * 255), by_heads;
    unsigned heads, per_track;

    if (sectors >= UINT64_C(65535) * 16 * 63) {
        per_track = 255;
        heads = 16;
        by_heads = sectors / per_track;
    } else {
        per_track = 17;
        by_heads = sectors / per_track;
        heads = MAX((unsigned)((by_heads + 1023) / 1024), 4);
        if (by_heads >= heads * 1024 || heads > 16) {
            per_track = 31;
            heads = 16;
            by_heads = sectors / per_track;
        }
        if (by_heads >= heads * 1024) {
            per_track = 63;
            heads = 16;
            by_heads = sectors / per_track;
        }
    }
    store_be16(bytes, (uint16_t)(by_heads / heads));
    bytes[2] = (uint8_t)heads;
    bytes[3] = (uint8_t)per_track;
}

static void checksum_put(uint8_t *bytes, size_t n, size_t field)
{
    uint32_t sum = 0;

    store_be32(bytes + field, 0);
    for (size_t i = 0; i < n; i++) {
        sum += bytes[i];
    }
    store_be32(bytes + field, ~sum);
}

static void footer_fill(struct vhd_writer *vhd)
{
    uint8_t *footer = vhd->footer;

    memcpy(footer, "conectix", 8);
    store_be32(footer + 8, 2);
    store_be32(footer + 12, 0x00010000);
    store_be64(footer + 16, vhd->fixed ? UINT64_MAX : FOOTER);
    store_be32(footer + 24, (uint32_t)(g_get_real_time() / G_USEC_PER_SEC - EPOCH_2000));
    memcpy(footer + 28, "win ", 4);
    store_be32(footer + 32, 0x000a0000);
    memcpy(footer + 36, "Wi2k", 4);
    store_be64(footer + 40, vhd->writer.size);
    store_be64(footer + 48, vhd->writer.size);
    geometry(vhd->writer.size, footer + 56);
    store_be32(footer + 60, vhd->fixed ? VHD_FIXED : VHD_DYNAMIC);
    for (unsigned i = 0; i < 16; i += 4) {
        store_be32(footer + 68 + i, g_random_int());
    }
    checksum_put(footer, FOOTER, 64);
}

static int put_fixed(struct writer *writer, uint64_t offset, const uint8_t *bytes, size_t n,
                     const uint8_t *packed, size_t n_packed)
{
    return storage_write(writer->storage, offset, bytes, MIN(n, writer->size - offset));
}

/* All of a block is there once any of it is; every bit of its bitmap is set. */
static int put_dynamic(struct writer *writer, uint64_t offset, const uint8_t *bytes, size_t n,
                       const uint8_t *packed, size_t n_packed)
{
    struct vhd_writer *vhd = vhd_of(writer);
    int result = 0;

    while (n > 0 && result == 0) {
        uint32_t block = (uint32_t)(offset / BLOCK);
        size_t within = offset % BLOCK, part = MIN(n, BLOCK - within);

        if (vhd->bat[block] == VHD_ABSENT) {
            uint8_t bitmap[BITMAP];

            memset(bitmap, 0xff, sizeof(bitmap));
            vhd->bat[block] = (uint32_t)(vhd->end / IMAGE_SECTOR);
            result = storage_write(writer->storage, vhd->end, bitmap, sizeof(bitmap));
            vhd->end += BITMAP + BLOCK;
        }
        if (result == 0) {
            result = storage_write(writer->storage,
                                   (uint64_t)vhd->bat[block] * IMAGE_SECTOR + BITMAP + within,
                                   bytes, part);
        }
        bytes += part;
        offset += part;
        n -= part;
    }
    return result;
}

static int header_write(struct vhd_writer *vhd)
{
    uint8_t header[HEADER] = { 0 };

    memcpy(header, "cxsparse", 8);
    store_be64(header + 8, UINT64_MAX);
    store_be64(header + 16, BAT_OFFSET);
    store_be32(header + 24, 0x00010000);
    store_be32(header + 28, vhd->n_blocks);
    store_be32(header + 32, BLOCK);
    checksum_put(header, sizeof(header), 36);
    return storage_write(vhd->writer.storage, FOOTER, header, sizeof(header));
}

static int finish(struct writer *writer)
{
    struct vhd_writer *vhd = vhd_of(writer);
    int result = 0;

    if (!vhd->fixed) {
        g_autofree uint8_t *bat = g_malloc((gsize)vhd->n_blocks * 4);

        for (uint32_t i = 0; i < vhd->n_blocks; i++) {
            store_be32(bat + (gsize)i * 4, vhd->bat[i]);
        }
        result = storage_write(writer->storage, BAT_OFFSET, bat, (gsize)vhd->n_blocks * 4);
        if (result == 0) {
            result = header_write(vhd);
        }
        if (result == 0) {
            result = storage_write(writer->storage, 0, vhd->footer, FOOTER);
        }
    }
    if (result == 0) {
        result = storage_write(writer->storage, vhd->end, vhd->footer, FOOTER);
    }
    return result < 0 ? result : storage_flush(writer->storage);
}

static void free_writer(struct writer *writer)
{
    storage_free(writer->storage);
    g_free(vhd_of(writer)->bat);
    g_free(writer);
}

static const struct writer_class fixed_class = {
    .put = put_fixed,
    .finish = finish,
    .free = free_writer,
};

static const struct writer_class dynamic_class = {
    .put = put_dynamic,
    .finish = finish,
    .free = free_writer,
};

struct writer *writer_vhd(struct storage *storage, uint64_t size, bool fixed, GError **error)
{
    struct vhd_writer *vhd = g_new0(struct vhd_writer, 1);

    vhd->writer = (struct writer){
        .class = fixed ? &fixed_class : &dynamic_class,
        .storage = storage,
        .size = size,
        .unit = RAW_UNIT,
        .ordered = !fixed,
    };
    vhd->fixed = fixed;
    if (size > VHD_DISK_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("A VHD image holds at most 2040G; convert to vhdx."));
        free_writer(&vhd->writer);
        return NULL;
    }
    vhd->n_blocks = (uint32_t)((size - 1) / BLOCK + 1);
    vhd->end = size;
    if (!fixed) {
        vhd->bat = g_new(uint32_t, vhd->n_blocks);
        memset(vhd->bat, 0xff, (gsize)vhd->n_blocks * 4);
        vhd->end = (BAT_OFFSET + (uint64_t)vhd->n_blocks * 4 + IMAGE_SECTOR - 1) / IMAGE_SECTOR *
                   IMAGE_SECTOR;
    }
    footer_fill(vhd);
    return &vhd->writer;
}
