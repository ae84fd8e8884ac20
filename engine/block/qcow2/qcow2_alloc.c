/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taking clusters and letting go of them. See qcow2_private.h; everything here holds the lock. */
#include <errno.h>
#include <glib/gi18n-lib.h>

#include "qcow2_private.h"

void qcow2_metadata_add(struct qcow2 *q, uint64_t first, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        g_hash_table_add(q->metadata, GSIZE_TO_POINTER(first + i));
    }
}

void qcow2_metadata_remove(struct qcow2 *q, uint64_t first, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        g_hash_table_remove(q->metadata, GSIZE_TO_POINTER(first + i));
    }
}

/* The first run of free clusters from `from` on: at most `wanted`, and all counted by blocks. */
static int run_find(struct qcow2 *q, uint64_t from, uint64_t wanted, uint64_t *first,
                    uint64_t *found)
{
    uint64_t n = 0, count;
    int result;

    for (uint64_t cluster = from; n < wanted; cluster++) {
        result = qcow2_refcount_block_ensure(q, cluster);
        if (result == 0) {
            result = qcow2_refcount_get(q, cluster, &count);
        }
        if (result < 0 && n == 0) {
            return result;
        }
        if (result < 0 || (count != 0 && n > 0)) {
            break; /* what was found before is good */
        }
        if (count == 0) {
            if (is_metadata(q, cluster)) {
                return qcow2_corrupt(q, _("a table in use is not counted"));
            }
            *first = n == 0 ? cluster : *first;
            n++;
        }
    }
    *found = n;
    return 0;
}

static int run_take(struct qcow2 *q, uint64_t first, uint64_t n, bool *fresh)
{
    int result = 0;

    for (uint64_t i = 0; i < n && result == 0; i++) {
        result = qcow2_refcount_set(q, first + i, 1);
    }
    *fresh = first >= q->fresh_from;
    q->fresh_from = MAX(q->fresh_from, first + n);
    return result;
}

int qcow2_clusters_alloc(struct qcow2 *q, uint64_t wanted, uint64_t *first, uint64_t *got,
                         bool *fresh)
{
    int result = run_find(q, q->free_hint, wanted, first, got);

    if (result == 0) {
        result = run_take(q, *first, *got, fresh);
        q->free_hint = *first + *got;
    }
    return result;
}

/*
 * More clusters in a row than the blocks that count them leave between each other: behind
 * everything that has a block, with the new blocks in front.
 */
static int region_alloc(struct qcow2 *q, uint64_t n, uint64_t *first)
{
    uint64_t per_block = qcow2_refcounts_per_block(q), index = q->reftable.n, n_blocks = 1;
    int result = 0;

    while (index > 0 && !(q->reftable.entries[index - 1] & ~UINT64_C(511))) {
        index--;
    }
    while (n_blocks * per_block < n_blocks + n) {
        n_blocks++;
    }
    if (index + n_blocks > q->reftable.n) {
        result = qcow2_reftable_grow(q, index + n_blocks);
        if (result == 0) { /* its own blocks are in the way now */
            return region_alloc(q, n, first);
        }
    }
    for (uint64_t i = 0; i < n_blocks && result == 0; i++) {
        result = qcow2_refcount_block_place(q, index + i, index * per_block + i);
    }
    *first = index * per_block + n_blocks;
    for (uint64_t i = 0; i < n_blocks + n && result == 0; i++) {
        result = qcow2_refcount_set(q, index * per_block + i, 1);
    }
    q->fresh_from = MAX(q->fresh_from, *first + n);
    return result;
}

int qcow2_clusters_alloc_all(struct qcow2 *q, uint64_t n, uint64_t *first)
{
    uint64_t from = q->free_hint, got = 0;
    bool fresh;
    int result;

    if (n > qcow2_refcounts_per_block(q) / 2) {
        return region_alloc(q, n, first);
    }
    for (;;) {
        result = run_find(q, from, n, first, &got);
        if (result < 0 || got == n) {
            break;
        }
        from = *first + got;
    }
    if (result == 0) {
        result = run_take(q, *first, n, &fresh);
        if (*first == q->free_hint) {
            q->free_hint += n;
        }
    }
    return result;
}

void qcow2_clusters_give_back(struct qcow2 *q, uint64_t first, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        qcow2_refcount_set(q, first + i, 0); /* on failure it stays a leak */
    }
    q->free_hint = MIN(q->free_hint, first);
}

void qcow2_clusters_free_later(struct qcow2 *q, uint64_t first, uint64_t n)
{
    struct cluster_range range = { first, n };
    struct cluster_range *last =
        q->frees->len > 0 ? &g_array_index(q->frees, struct cluster_range, q->frees->len - 1)
                          : NULL;

    if (last != NULL && last->first + last->n == first) {
        last->n += n;
    } else {
        g_array_append_val(q->frees, range);
    }
}

void qcow2_entry_free_later(struct qcow2 *q, uint64_t entry)
{
    uint64_t offset = entry & QCOW2_OFFSET_MASK, length = q->cluster_size;

    if (entry & QCOW2_COMPRESSED) {
        qcow2_compressed_place(q, entry, &offset, &length);
        q->packed_at = 0;
        image_cache_forget(&q->image);
    } else if (offset == 0) {
        return;
    }
    uint64_t first = offset >> q->cluster_bits;
    uint64_t n = ((offset + length - 1) >> q->cluster_bits) - first + 1;

    for (uint64_t i = 0; i < n; i++) {
        if (is_metadata(q, first + i)) {
            qcow2_corrupt(q, _("data lies in the place of a table"));
            return;
        }
    }
    qcow2_clusters_free_later(q, first, n);
}

int qcow2_refcount_drop(struct qcow2 *q, uint64_t first, uint64_t n, GArray *released)
{
    struct cluster_range *last;
    int result = 0;

    for (uint64_t cluster = first; cluster < first + n; cluster++) {
        uint64_t count = 0;

        result = qcow2_refcount_get(q, cluster, &count);
        if (result == 0 && count == 0) {
            result = qcow2_corrupt(q, _("a cluster is freed that is not in use"));
        }
        if (result == 0) {
            result = qcow2_refcount_set(q, cluster, count - 1);
        }
        if (result < 0) {
            break; /* a leak */
        }
        if (count > 1) {
            continue;
        }
        if (is_metadata(q, cluster)) {
            qcow2_metadata_remove(q, cluster, 1);
            qcow2_cache_drop_cluster(q, &q->l2_cache, cluster << q->cluster_bits);
            qcow2_cache_drop_cluster(q, &q->refcount_cache, cluster << q->cluster_bits);
        }
        q->free_hint = MIN(q->free_hint, cluster);
        last = released->len > 0 ? &g_array_index(released, struct cluster_range, released->len - 1)
                                 : NULL;
        if (last != NULL && last->first + last->n == cluster) {
            last->n++;
        } else {
            struct cluster_range range = { cluster, 1 };

            g_array_append_val(released, range);
        }
    }
    return result;
}
