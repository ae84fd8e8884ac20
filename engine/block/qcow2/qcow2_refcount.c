/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reference counts: table, blocks, and their growth. See qcow2_private.h.
 *
 * A new refcount block lies in the first cluster that it counts itself. When the table is full, the
 * larger one and the blocks that count it are written behind everything that the old one covers,
 * and one write of the header switches over.
 */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "qcow2_private.h"

#define REFTABLE_MASK (~UINT64_C(511))

uint64_t qcow2_refcount_load(const uint8_t *block, uint64_t index, unsigned order)
{
    switch (order) {
    case 3:
        return block[index];
    case 4:
        return load_be16(block + index * 2);
    case 5:
        return load_be32(block + index * 4);
    case 6:
        return load_be64(block + index * 8);
    default: { /* from the least significant bit on */
        unsigned width = 1u << order, shift = (unsigned)(index * width % 8);

        return block[index * width / 8] >> shift & ((1u << width) - 1);
    }
    }
}

void qcow2_refcount_store(uint8_t *block, uint64_t index, unsigned order, uint64_t count)
{
    switch (order) {
    case 3:
        block[index] = (uint8_t)count;
        break;
    case 4:
        store_be16(block + index * 2, (uint16_t)count);
        break;
    case 5:
        store_be32(block + index * 4, (uint32_t)count);
        break;
    case 6:
        store_be64(block + index * 8, count);
        break;
    default: {
        unsigned width = 1u << order, shift = (unsigned)(index * width % 8);
        uint8_t mask = (uint8_t)(((1u << width) - 1) << shift);
        uint8_t *byte = &block[index * width / 8];

        *byte = (uint8_t)((*byte & ~mask) | (count << shift & mask));
        break;
    }
    }
}

uint64_t qcow2_refcount_max(const struct qcow2 *q)
{
    return q->refcount_order == 6 ? UINT64_MAX : (UINT64_C(1) << (1u << q->refcount_order)) - 1;
}

/* The slice with a cluster's count and the count's index in it; NULL slice: no block, all zero. */
static int count_find(struct qcow2 *q, uint64_t cluster, struct slice **slice, uint64_t *index)
{
    uint64_t table_index = cluster / qcow2_refcounts_per_block(q), block;
    uint64_t within = cluster % qcow2_refcounts_per_block(q);
    uint64_t per_slice = ((uint64_t)q->slice_size * 8) >> q->refcount_order;

    *slice = NULL;
    if (table_index >= q->reftable.n) {
        return 0;
    }
    block = q->reftable.entries[table_index] & REFTABLE_MASK;
    if (block == 0) {
        return 0;
    }
    if (block % q->cluster_size != 0 ||
        !range_fits(block, q->cluster_size, storage_size(q->image.storage))) {
        return qcow2_corrupt(q, _("a refcount block lies outside of the file"));
    }
    *index = within % per_slice;
    return qcow2_cache_get(q, &q->refcount_cache, block + within / per_slice * q->slice_size,
                           slice);
}

int qcow2_refcount_get(struct qcow2 *q, uint64_t cluster, uint64_t *count)
{
    struct slice *slice;
    uint64_t index;
    int result = count_find(q, cluster, &slice, &index);

    if (result == 0) {
        *count = slice == NULL ? 0 : qcow2_refcount_load(slice->bytes, index, q->refcount_order);
    }
    return result;
}

int qcow2_refcount_set(struct qcow2 *q, uint64_t cluster, uint64_t count)
{
    struct slice *slice;
    uint64_t index;
    int result = count_find(q, cluster, &slice, &index);

    if (result == 0 && slice == NULL) {
        return qcow2_corrupt(q, _("a cluster in use is not counted"));
    }
    if (result == 0) {
        qcow2_refcount_store(slice->bytes, index, q->refcount_order, count);
        qcow2_cache_dirty(&q->refcount_cache, slice);
    }
    return result;
}

/* Where the larger table and its blocks go: blocks first, then the table. */
struct growth {
    uint64_t first, n_blocks, n_table; /* clusters */
    uint32_t entries;
};

static int growth_plan(const struct qcow2 *q, uint64_t needed, struct growth *growth)
{
    uint64_t per_block = qcow2_refcounts_per_block(q), per_cluster = q->cluster_size / 8;
    uint64_t entries = MAX(needed + 1, (uint64_t)q->reftable.n * 3 / 2), blocks = 1;

    growth->first = q->reftable.n * per_block;
    for (;;) {
        uint64_t table = (MAX(entries, q->reftable.n + blocks) + per_cluster - 1) / per_cluster;

        if (table << q->cluster_bits > QCOW2_REFTABLE_BYTES_MAX) {
            return -EFBIG;
        }
        if (blocks * per_block >= blocks + table) {
            growth->n_blocks = blocks;
            growth->n_table = table;
            growth->entries = (uint32_t)(table * per_cluster);
            return 0;
        }
        blocks++;
    }
}

static int growth_write(struct qcow2 *q, const struct growth *growth, const uint64_t *entries)
{
    uint64_t per_block = qcow2_refcounts_per_block(q), used = growth->n_blocks + growth->n_table;
    g_autofree uint8_t *bytes = g_malloc0(q->cluster_size);
    int result = 0;

    for (uint64_t i = 0; i < growth->n_blocks && result == 0; i++) {
        memset(bytes, 0, q->cluster_size);
        for (uint64_t j = 0; j < per_block && i * per_block + j < used; j++) {
            qcow2_refcount_store(bytes, j, q->refcount_order, 1);
        }
        result = storage_write(q->image.storage, (growth->first + i) << q->cluster_bits, bytes,
                               q->cluster_size);
    }
    for (uint64_t i = 0; i < growth->n_table && result == 0; i++) {
        uint64_t per_cluster = q->cluster_size / 8;

        for (uint64_t j = 0; j < per_cluster; j++) {
            store_be64(bytes + j * 8, entries[i * per_cluster + j]);
        }
        result = storage_write(q->image.storage,
                               (growth->first + growth->n_blocks + i) << q->cluster_bits, bytes,
                               q->cluster_size);
    }
    return result;
}

static int growth_switch(struct qcow2 *q, const struct growth *growth)
{
    uint64_t offset = (growth->first + growth->n_blocks) << q->cluster_bits;
    uint8_t bytes[12];
    int result = storage_flush(q->image.storage);

    store_be64(bytes, offset);
    store_be32(bytes + 8, (uint32_t)growth->n_table);
    return result < 0 ? result
                      : qcow2_header_write(q, HEADER_REFTABLE_OFFSET, bytes, sizeof(bytes));
}

int qcow2_reftable_grow(struct qcow2 *q, uint64_t needed)
{
    g_autofree uint64_t *entries = NULL;
    struct table old = q->reftable;
    struct growth growth;
    int result = growth_plan(q, needed, &growth);

    if (result < 0) {
        return result;
    }
    entries = g_new0(uint64_t, growth.entries);
    if (old.n > 0) {
        memcpy(entries, old.entries, old.n * sizeof(*entries));
    }
    for (uint64_t i = 0; i < growth.n_blocks; i++) {
        entries[old.n + i] = (growth.first + i) << q->cluster_bits;
    }
    result = growth_write(q, &growth, entries);
    if (result == 0) {
        result = growth_switch(q, &growth);
    }
    if (result < 0) {
        return result;
    }
    q->reftable = (struct table){
        .entries = g_steal_pointer(&entries),
        .n = growth.entries,
        .offset = (growth.first + growth.n_blocks) << q->cluster_bits,
        .dirty = g_malloc0(growth.entries / 64 + 1),
    };
    qcow2_metadata_add(q, growth.first, growth.n_blocks + growth.n_table);
    q->fresh_from = MAX(q->fresh_from, growth.first + growth.n_blocks + growth.n_table);
    qcow2_clusters_free_later(q, old.offset >> q->cluster_bits,
                              clusters_of(q, (uint64_t)old.n * 8));
    qcow2_table_clear(&old);
    return 0;
}

int qcow2_refcount_block_place(struct qcow2 *q, uint64_t index, uint64_t place)
{
    g_autofree uint8_t *bytes = g_malloc0(q->cluster_size);
    int result;

    if (is_metadata(q, place)) {
        return qcow2_corrupt(q, _("a table in use is not counted"));
    }
    result = storage_write(q->image.storage, place << q->cluster_bits, bytes, q->cluster_size);
    if (result == 0) {
        qcow2_table_set(&q->reftable, (uint32_t)index, place << q->cluster_bits);
        qcow2_metadata_add(q, place, 1);
        q->fresh_from = MAX(q->fresh_from, place + 1);
    }
    return result;
}

int qcow2_refcount_block_ensure(struct qcow2 *q, uint64_t cluster)
{
    uint64_t index = cluster / qcow2_refcounts_per_block(q);
    uint64_t place = index * qcow2_refcounts_per_block(q);
    int result = 0;

    if (index >= q->reftable.n) {
        result = qcow2_reftable_grow(q, index);
    }
    if (result < 0 || (q->reftable.entries[index] & REFTABLE_MASK)) {
        return result;
    }
    result = qcow2_refcount_block_place(q, index, place);
    return result < 0 ? result : qcow2_refcount_set(q, place, 1);
}
