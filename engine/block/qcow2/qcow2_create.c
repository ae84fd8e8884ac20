/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * New images: header, one refcount block, refcount table and L1 table, in this order, each at the
 * start of a cluster. The header is written last.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "../files.h"
#include "qcow2_private.h"

enum {
    HEADER_LENGTH_V3 = 112,
    FEATURE_NAME = 48,
};

struct layout {
    unsigned cluster_bits, version, refcount_order, l2_bits;
    uint64_t l1_entries, l1_clusters;
    uint64_t reftable_clusters, n_blocks;
    uint64_t total; /* clusters: header, table, blocks, L1 */
};

static bool refuse(GError **error, const char *message)
{
    g_set_error_literal(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, message);
    return false;
}

static bool is_power_of_two(uint64_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static bool options_check(const struct qcow2_options *options, struct layout *layout,
                          GError **error)
{
    uint32_t cluster_size = options->cluster_size ? options->cluster_size : 64 << 10;
    unsigned bits = options->refcount_bits ? options->refcount_bits : 16;

    layout->version = options->version ? options->version : 3;
    if (options->size == 0 || options->size > IMAGE_BYTES_MAX ||
        options->size % IMAGE_SECTOR != 0) {
        return refuse(error, _("A disk’s size must be a multiple of 512 bytes, from 512 to 64P."));
    }
    if (!is_power_of_two(cluster_size) || cluster_size < 1u << QCOW2_CLUSTER_BITS_MIN ||
        cluster_size > 1u << QCOW2_CLUSTER_BITS_MAX) {
        return refuse(error, _("A cluster size must be a power of two from 512 bytes to 2M."));
    }
    if (!is_power_of_two(bits) || bits > 64) {
        return refuse(error, _("A width of reference counts must be 1, 2, 4, 8, 16, 32 or 64."));
    }
    if (layout->version != 2 && layout->version != 3) {
        return refuse(error, _("A qcow2 version must be 2 or 3."));
    }
    if (layout->version == 2 &&
        (bits != 16 || options->compression != QCOW2_DEFLATE || options->lazy_refcounts)) {
        return refuse(error, _("Version 2 of qcow2 has only 16 bit reference counts, deflate, and "
                               "no lazy reference counts; use version 3."));
    }
    if (options->backing_name != NULL &&
        (strlen(options->backing_name) == 0 || strlen(options->backing_name) > QCOW2_BACKING_MAX)) {
        return refuse(error, _("The name of a backing image must have 1 to 1023 bytes."));
    }
    layout->cluster_bits = (unsigned)__builtin_ctz(cluster_size);
    layout->refcount_order = (unsigned)__builtin_ctz(bits);
    return true;
}

static uint64_t divide_up(uint64_t n, uint64_t by)
{
    return (n + by - 1) / by;
}

static bool layout_plan(const struct qcow2_options *options, struct layout *layout, GError **error)
{
    uint64_t cluster = UINT64_C(1) << layout->cluster_bits;
    uint64_t per_block = cluster * 8 >> layout->refcount_order;
    unsigned shift = layout->cluster_bits + layout->cluster_bits - 3;

    layout->l1_entries = ((options->size - 1) >> shift) + 1;
    if (layout->l1_entries * 8 > QCOW2_L1_BYTES_MAX) {
        return refuse(error,
                      _("The disk is too large for its cluster size; choose larger clusters."));
    }
    layout->l1_clusters = divide_up(layout->l1_entries * 8, cluster);
    layout->n_blocks = 1;
    for (;;) {
        layout->reftable_clusters = divide_up(layout->n_blocks * 8, cluster);
        layout->total = 1 + layout->reftable_clusters + layout->n_blocks + layout->l1_clusters;
        if (layout->n_blocks * per_block >= layout->total) {
            return true;
        }
        layout->n_blocks = divide_up(layout->total, per_block);
    }
}

static unsigned extension_put(uint8_t *at, uint32_t type, const void *data, uint32_t length)
{
    store_be32(at, type);
    store_be32(at + 4, length);
    memcpy(at + 8, data, length);
    return 8 + (length + 7) / 8 * 8;
}

/* Names of features, so that programs that lack one can say which. */
static unsigned names_put(uint8_t *at)
{
    static const struct {
        uint8_t kind, bit;
        const char *name;
    } features[] = {
        { 0, 0, "dirty bit" },
        { 0, 1, "corrupt bit" },
        { 0, 3, "compression type" },
        { 1, 0, "lazy refcounts" },
    };
    uint8_t table[G_N_ELEMENTS(features) * FEATURE_NAME] = { 0 };

    for (unsigned i = 0; i < G_N_ELEMENTS(features); i++) {
        table[i * FEATURE_NAME] = features[i].kind;
        table[i * FEATURE_NAME + 1] = features[i].bit;
        memcpy(table + i * FEATURE_NAME + 2, features[i].name, strlen(features[i].name));
    }
    return extension_put(at, EXTENSION_FEATURE_NAMES, table, sizeof(table));
}

static bool header_fill(const struct qcow2_options *options, const struct layout *layout,
                        uint8_t *header, GError **error)
{
    size_t name_length = options->backing_name ? strlen(options->backing_name) : 0;
    uint64_t cluster = UINT64_C(1) << layout->cluster_bits;
    unsigned at = layout->version == 2 ? QCOW2_HEADER_V2 : HEADER_LENGTH_V3;

    memcpy(header, "QFI\xfb", 4);
    store_be32(header + HEADER_VERSION, layout->version);
    store_be32(header + HEADER_CLUSTER_BITS, layout->cluster_bits);
    store_be64(header + HEADER_SIZE, options->size);
    store_be32(header + HEADER_L1_SIZE, (uint32_t)layout->l1_entries);
    store_be64(header + HEADER_L1_OFFSET, (layout->total - layout->l1_clusters) * cluster);
    store_be64(header + HEADER_REFTABLE_OFFSET, cluster);
    store_be32(header + HEADER_REFTABLE_CLUSTERS, (uint32_t)layout->reftable_clusters);
    if (layout->version == 3) {
        store_be64(header + HEADER_INCOMPATIBLE,
                   options->compression == QCOW2_ZSTD ? QCOW2_INCOMPAT_COMPRESSION : 0);
        store_be64(header + HEADER_COMPATIBLE, options->lazy_refcounts ? QCOW2_COMPAT_LAZY : 0);
        store_be32(header + HEADER_REFCOUNT_ORDER, layout->refcount_order);
        store_be32(header + HEADER_LENGTH, HEADER_LENGTH_V3);
        header[HEADER_COMPRESSION_TYPE] = (uint8_t)options->compression;
    }
    if (options->backing_name != NULL) {
        const char *format = image_format_name(options->backing_format);

        at +=
            extension_put(header + at, EXTENSION_BACKING_FORMAT, format, (uint32_t)strlen(format));
    }
    if (at + 8 + 4 * FEATURE_NAME + 16 + 8 + name_length <= cluster && layout->version == 3) {
        at += names_put(header + at);
    }
    at += 8; /* the end of the extensions: zeroes */
    if (at + name_length > cluster) {
        return refuse(error,
                      _("The name of the backing image does not fit into so small a cluster."));
    }
    if (name_length > 0) {
        store_be64(header + HEADER_BACKING_OFFSET, at);
        store_be32(header + HEADER_BACKING_SIZE, (uint32_t)name_length);
        memcpy(header + at, options->backing_name, name_length);
    }
    return true;
}

static int tables_write(struct storage *storage, const struct layout *layout)
{
    uint64_t cluster = UINT64_C(1) << layout->cluster_bits;
    uint64_t per_block = cluster * 8 >> layout->refcount_order;
    uint64_t first_block = 1 + layout->reftable_clusters;
    g_autofree uint8_t *bytes = g_malloc0(MAX(cluster, layout->reftable_clusters * cluster));
    int result;

    for (uint64_t i = 0; i < layout->n_blocks; i++) {
        store_be64(bytes + i * 8, (first_block + i) * cluster);
    }
    result = storage_write(storage, cluster, bytes, layout->reftable_clusters * cluster);
    for (uint64_t i = 0; i < layout->n_blocks && result == 0; i++) {
        memset(bytes, 0, cluster);
        for (uint64_t j = 0; j < per_block && i * per_block + j < layout->total; j++) {
            qcow2_refcount_store(bytes, j, layout->refcount_order, 1);
        }
        result = storage_write(storage, (first_block + i) * cluster, bytes, cluster);
    }
    /* The L1 table is all zeroes: a hole of the file's, in its full size. */
    return result < 0 ? result : storage_resize(storage, layout->total * cluster);
}

bool qcow2_create(struct storage *storage, const struct qcow2_options *options, GError **error)
{
    struct layout layout = { 0 };
    g_autofree uint8_t *header = NULL;
    int result;

    if (!options_check(options, &layout, error) || !layout_plan(options, &layout, error)) {
        return false;
    }
    header = g_malloc0(UINT64_C(1) << QCOW2_CLUSTER_BITS_MAX);
    if (!header_fill(options, &layout, header, error)) {
        return false;
    }
    result = tables_write(storage, &layout);
    if (result == 0) {
        result = storage_flush(storage);
    }
    if (result == 0) {
        result = storage_write(storage, 0, header, UINT64_C(1) << layout.cluster_bits);
    }
    if (result == 0) {
        result = storage_flush(storage);
    }
    if (result < 0) {
        oriel_error_set_errno(error, -result, _("The disk “%s” cannot be made"), storage->name);
    }
    return result == 0;
}

bool qcow2_create_file(const char *path, const struct qcow2_options *options, GError **error)
{
    int fd = image_file_create(path, error);
    struct storage *storage = fd < 0 ? NULL : storage_file_new(fd, path, false, error);
    bool good;

    if (storage == NULL) {
        return false;
    }
    good = qcow2_create(storage, options, error) && image_file_sync_parent(path, error);
    if (!good) {
        unlink(path);
    }
    storage_free(storage);
    return good;
}
