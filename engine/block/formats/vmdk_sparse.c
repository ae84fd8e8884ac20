/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file of grains: a grain directory names grain tables, these name grains. In stream-optimized
 * files grains are compressed, and marks stand before everything, so that a file whose end is
 * missing, with the directory in it, can be read by following the marks. See vmdk.h.
 */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <libdeflate.h>
#include <string.h>

#include "../unpack.h"
#include "bytes.h"
#include "vmdk.h"

enum {
    GRAIN_MAX = 2 << 20, /* bytes */
    GRAIN_MARKER = 12,   /* u64 lba, u32 size */
    GT_BYTES = VMDK_GTES_PER_GT * 4,
    FOOTER_FROM_END = 1024,    /* the footer, and after it the end-of-stream marker */
    SCAN_TABLES_MAX = 1 << 16, /* 128 MiB of memory */
    ABSENT_TABLES_MAX = 256,   /* that one look goes over */
};

#define CAPACITY_MAX (UINT64_C(1) << 53)

static uint64_t directory_entries(const struct vmdk_sparse *sparse)
{
    uint64_t covered = (uint64_t)sparse->grain * VMDK_GTES_PER_GT;

    return (sparse->capacity - 1) / covered + 1;
}

static uint64_t sectors_to_bytes(uint64_t sectors)
{
    return sectors > IMAGE_BYTES_MAX / IMAGE_SECTOR ? IMAGE_BYTES_MAX : sectors * IMAGE_SECTOR;
}

/* --- Files without a directory ---------------------------------------------------------------- */

static bool scan_note(struct vmdk_sparse *sparse, uint64_t lba, uint64_t sector)
{
    uint64_t grain = lba * IMAGE_SECTOR / sparse->grain;
    gpointer key = GSIZE_TO_POINTER(grain / VMDK_GTES_PER_GT);
    uint32_t *table;

    if (lba > sparse->capacity / IMAGE_SECTOR || lba * IMAGE_SECTOR % sparse->grain != 0 ||
        lba * IMAGE_SECTOR >= sparse->capacity || sector > UINT32_MAX) {
        return false;
    }
    table = g_hash_table_lookup(sparse->scanned, key);
    if (table == NULL && g_hash_table_size(sparse->scanned) >= SCAN_TABLES_MAX) {
        return false;
    }
    if (table == NULL) {
        table = g_new0(uint32_t, VMDK_GTES_PER_GT);
        g_hash_table_insert(sparse->scanned, key, table);
    }
    table[grain % VMDK_GTES_PER_GT] = (uint32_t)sector;
    return true;
}

/* Follows the marks from sector `at` on; an end that is cut off ends the walk. */
static const char *scan(struct vmdk_sparse *sparse, uint64_t at)
{
    uint8_t marker[16];

    sparse->scanned = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    while (storage_read_all(sparse->storage, at * IMAGE_SECTOR, marker, sizeof(marker)) == 0) {
        uint64_t value = load_le64(marker);
        uint32_t size = load_le32(marker + 8), type = load_le32(marker + 12);

        if (size > 0) {
            if (size > GRAIN_MAX * 2 || !scan_note(sparse, value, at)) {
                return _("its grains are damaged");
            }
            at += ((uint64_t)size + GRAIN_MARKER + IMAGE_SECTOR - 1) / IMAGE_SECTOR;
        } else if (type == VMDK_MARKER_EOS) {
            break;
        } else if (value > UINT32_MAX) {
            return _("its grains are damaged");
        } else {
            at += 1 + value;
        }
    }
    return g_hash_table_size(sparse->scanned) == 0 ? _("it has no data: it is cut short") : NULL;
}

/* --- The header ------------------------------------------------------------------------------- */

static const char *header_read(struct vmdk_sparse *sparse, const uint8_t *header)
{
    uint64_t grain = load_le64(header + VMDK_GRAIN_SIZE),
             capacity = load_le64(header + VMDK_CAPACITY);
    uint32_t flags = load_le32(header + VMDK_FLAGS), version = load_le32(header + VMDK_VERSION);

    if (memcmp(header, "KDMV", 4) != 0) {
        return _("it does not begin like one");
    }
    if (version < 1 || version > 3) {
        return _("its version of the format is not supported");
    }
    if ((flags & 1) && memcmp(header + VMDK_NEWLINES, "\n \r\n", 4) != 0) {
        return _("it was changed by a transfer as text; copy it again as binary");
    }
    if (grain < 1 || grain > GRAIN_MAX / IMAGE_SECTOR || (grain & (grain - 1)) != 0) {
        return _("its grain size is out of range");
    }
    if (capacity == 0 || capacity > CAPACITY_MAX / IMAGE_SECTOR) {
        return _("the size of its disk is out of range");
    }
    if (load_le32(header + VMDK_NUM_GTES_PER_GT) != VMDK_GTES_PER_GT) {
        return _("the size of its tables is not supported");
    }
    sparse->grain = (uint32_t)grain * IMAGE_SECTOR;
    sparse->capacity = capacity * IMAGE_SECTOR;
    sparse->compressed = flags & VMDK_FLAG_COMPRESSED;
    sparse->zero_gte = flags & VMDK_FLAG_ZERO_GTE;
    if (sparse->compressed && load_le16(header + VMDK_COMPRESS_ALGORITHM) != 1) {
        return _("its way of compression is not known");
    }
    sparse->descriptor_offset = sectors_to_bytes(load_le64(header + VMDK_DESCRIPTOR_OFFSET));
    sparse->descriptor_bytes = sectors_to_bytes(load_le64(header + VMDK_DESCRIPTOR_SIZE));
    sparse->rgd =
        flags & VMDK_FLAG_REDUNDANT ? sectors_to_bytes(load_le64(header + VMDK_RGD_OFFSET)) : 0;
    return NULL;
}

static bool directory_fits(const struct vmdk_sparse *sparse, uint64_t offset)
{
    return offset != 0 &&
           range_fits(offset, directory_entries(sparse) * 4, storage_size(sparse->storage));
}

/* The directory's place, from the header or, for streams, the footer or the marks. */
static const char *directory_find(struct vmdk_sparse *sparse, const uint8_t *header)
{
    uint64_t size = storage_size(sparse->storage), gd = load_le64(header + VMDK_GD_OFFSET);
    uint8_t footer[VMDK_HEADER_BYTES];

    if (gd == VMDK_GD_AT_END) {
        if (size >= FOOTER_FROM_END + sizeof(footer) &&
            storage_read(sparse->storage, size - FOOTER_FROM_END, footer, sizeof(footer)) == 0 &&
            memcmp(footer, "KDMV", 4) == 0) {
            gd = load_le64(footer + VMDK_GD_OFFSET);
        }
        sparse->gd = gd == VMDK_GD_AT_END ? 0 : sectors_to_bytes(gd);
        return directory_fits(sparse, sparse->gd)
                   ? NULL
                   : scan(sparse, load_le64(header + VMDK_OVER_HEAD) & UINT32_MAX);
    }
    sparse->gd = sectors_to_bytes(gd);
    if (!directory_fits(sparse, sparse->rgd)) {
        sparse->rgd = 0;
    }
    if (!directory_fits(sparse, sparse->gd)) {
        sparse->gd = sparse->rgd;
    }
    return sparse->gd == 0 ? _("its grain directory lies outside of the file") : NULL;
}

const char *vmdk_sparse_open(struct vmdk_sparse *sparse, struct storage *storage)
{
    uint8_t header[VMDK_HEADER_BYTES];
    const char *problem;

    *sparse = (struct vmdk_sparse){ .storage = storage };
    if (storage_read_all(storage, 0, header, sizeof(header)) < 0) {
        return _("it is too short");
    }
    problem = header_read(sparse, header);
    if (problem == NULL) {
        problem = directory_find(sparse, header);
    }
    if (problem == NULL) {
        sparse->pages = pages_new(storage);
    }
    return problem;
}

void vmdk_sparse_close(struct vmdk_sparse *sparse)
{
    pages_free(sparse->pages);
    if (sparse->scanned != NULL) {
        g_hash_table_unref(sparse->scanned);
    }
}

/* --- Grains ----------------------------------------------------------------------------------- */

static int table_entry(struct vmdk_sparse *sparse, uint64_t directory, uint64_t number,
                       uint32_t *sector)
{
    uint8_t bytes[4];
    uint64_t table;
    int result = pages_read(sparse->pages, directory + number / VMDK_GTES_PER_GT * 4, bytes, 4);

    if (result < 0) {
        return result;
    }
    table = (uint64_t)load_le32(bytes) * IMAGE_SECTOR;
    *sector = 0;
    if (table != 0) {
        result = pages_read(sparse->pages, table + number % VMDK_GTES_PER_GT * 4, bytes, 4);
        *sector = result == 0 ? load_le32(bytes) : 0;
    }
    return result;
}

int vmdk_sparse_grain(struct vmdk_sparse *sparse, uint64_t number, uint32_t *sector)
{
    const uint32_t *table;
    int result;

    if (sparse->scanned != NULL) {
        table = g_hash_table_lookup(sparse->scanned, GSIZE_TO_POINTER(number / VMDK_GTES_PER_GT));
        *sector = table != NULL ? table[number % VMDK_GTES_PER_GT] : 0;
        return 0;
    }
    result = table_entry(sparse, sparse->gd, number, sector);
    if (result == -EUCLEAN && sparse->rgd != 0) { /* the second copy */
        result = table_entry(sparse, sparse->rgd, number, sector);
    }
    return result;
}

/* How many of a table's entries from `first` on are 0, one after the other, of `n`. */
static uint64_t zeroes_in_table(struct vmdk_sparse *sparse, uint64_t table, uint64_t first,
                                uint64_t n)
{
    const uint32_t *scanned;
    uint8_t bytes[GT_BYTES];
    uint64_t zeroes = 0;

    if (sparse->scanned != NULL) {
        scanned = g_hash_table_lookup(sparse->scanned, GSIZE_TO_POINTER(table));
        while (zeroes < n && (scanned == NULL || scanned[first + zeroes] == 0)) {
            zeroes++;
        }
        return zeroes;
    }
    if (pages_read(sparse->pages, sparse->gd + table * 4, bytes, 4) < 0) {
        return 0;
    }
    table = (uint64_t)load_le32(bytes) * IMAGE_SECTOR;
    if (table == 0) {
        return n;
    }
    if (pages_read(sparse->pages, table + first * 4, bytes, n * 4) < 0) {
        return 0;
    }
    while (zeroes < n && load_le32(bytes + zeroes * 4) == 0) {
        zeroes++;
    }
    return zeroes;
}

uint64_t vmdk_sparse_absent(struct vmdk_sparse *sparse, uint64_t number, uint64_t most)
{
    uint64_t n = 1;

    for (unsigned tables = 0; n < most && tables < ABSENT_TABLES_MAX; tables++) {
        uint64_t first = (number + n) % VMDK_GTES_PER_GT;
        uint64_t left = MIN(VMDK_GTES_PER_GT - first, most - n);
        uint64_t zeroes = zeroes_in_table(sparse, (number + n) / VMDK_GTES_PER_GT, first, left);

        n += zeroes;
        if (zeroes < left) {
            break;
        }
    }
    return n;
}

int vmdk_sparse_unpack(struct vmdk_sparse *sparse, uint64_t sector, uint8_t *bytes)
{
    struct libdeflate_decompressor *decompressor;
    enum libdeflate_result unpacked = LIBDEFLATE_BAD_DATA;
    g_autofree uint8_t *packed = NULL;
    uint8_t marker[GRAIN_MARKER];
    uint64_t offset = sector * IMAGE_SECTOR;
    size_t in, out = 0;
    uint32_t size;
    int result = storage_read_all(sparse->storage, offset, marker, sizeof(marker));

    if (result < 0) {
        return result;
    }
    size = load_le32(marker + 8);
    if (size == 0 || size > sparse->grain * 2) {
        return -EUCLEAN;
    }
    packed = g_malloc(size);
    result = storage_read_all(sparse->storage, offset + sizeof(marker), packed, size);
    if (result < 0) {
        return result;
    }
    decompressor = unpack_deflater();
    if (decompressor == NULL) {
        return -ENOMEM;
    }
    unpacked =
        libdeflate_zlib_decompress_ex(decompressor, packed, size, bytes, sparse->grain, &in, &out);
    if (unpacked != LIBDEFLATE_SUCCESS) {
        return -EUCLEAN;
    }
    memset(bytes + out, 0, sparse->grain - out);
    return 0;
}
