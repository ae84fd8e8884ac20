/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Repair, in an order that can be broken off anywhere and begun again; the image is marked dirty
 * throughout. Until an entry is cleared, or the header switches over, all of it can be taken back:
 * so long a wish to stop is heeded.
 *
 *   1. entries that name nothing, or a table, are cleared: what was there is lost;
 *   2. all references are counted anew into a new refcount table and blocks behind the end of the
 *      file, and one write of the header switches over to it;
 *   3. "copied" flags are set as the new counts say; the marks are cleared.
 */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "qcow2_count.h"

/* --- 1. Entries that name what they must not -------------------------------------------------- */

enum {
    CLEARING_WALKS = 4,
};

struct clearing {
    struct qcow2 *q;
    struct walks *walks;
    GHashTable *tables; /* clusters that hold tables other than those of refcounts */
    bool collect;       /* the first walk */
    uint64_t lost;      /* clusters of the guest */
    int result;
};

static void entry_clear(struct clearing *clearing, const struct reference *reference)
{
    static const uint8_t nothing[8];

    clearing->walks->committed = true;
    clearing->result =
        storage_write(clearing->q->image.storage, reference->place, nothing, sizeof(nothing));
    clearing->lost += reference->kind == REFERENCE_L2 ? UINT64_C(1) << clearing->q->l2_bits : 1;
}

static void clearing_visit(struct walker *walker, const struct reference *reference)
{
    struct clearing *clearing = walker->context;
    bool data = reference->kind == REFERENCE_DATA || reference->kind == REFERENCE_PACKED;
    bool bad = reference->n == 0;

    if (reference->kind == REFERENCE_REFTABLE || reference->kind == REFERENCE_REFBLOCK ||
        clearing->result < 0) {
        return; /* made anew */
    }
    for (uint64_t i = 0; i < reference->n; i++) {
        gpointer cluster = GSIZE_TO_POINTER(reference->first + i);

        if (clearing->collect && !data && reference->kind != REFERENCE_L2) {
            g_hash_table_add(clearing->tables, cluster);
        } else if (!clearing->collect && (data || reference->kind == REFERENCE_L2)) {
            bad |= g_hash_table_contains(clearing->tables, cluster);
        }
    }
    if (!clearing->collect && bad && reference->place != 0 && reference->active) {
        entry_clear(clearing, reference);
    }
}

/* L2 tables become tables that data must not overlap once they themselves are good. */
static void l2_collect(struct walker *walker, const struct reference *reference)
{
    struct clearing *clearing = walker->context;

    if (reference->kind == REFERENCE_L2 && reference->n > 0) {
        g_hash_table_add(clearing->tables, GSIZE_TO_POINTER(reference->first));
    }
}

static void data_visit(struct walker *walker, const struct reference *reference)
{
    if (reference->kind == REFERENCE_DATA || reference->kind == REFERENCE_PACKED) {
        clearing_visit(walker, reference);
    }
}

static int l1_reload(struct qcow2 *q)
{
    return qcow2_table_load(&q->l1, q->image.storage, q->l1.offset, q->l1.n);
}

static int entries_clear(struct qcow2 *q, struct walks *walks, uint64_t *lost)
{
    struct clearing clearing = {
        .q = q, .walks = walks, .collect = true, .tables = qcow2_windows_new()
    };
    struct walker walker = { clearing_visit, &clearing, walks };
    int result = qcow2_walk(q, &walker);

    clearing.collect = false;
    if (result == 0) {
        result = qcow2_walk(q, &walker);
    }
    if (result == 0) {
        result = l1_reload(q);
    }
    walker.visit = l2_collect;
    if (result == 0) {
        result = qcow2_walk(q, &walker);
    }
    walker.visit = data_visit;
    if (result == 0) {
        result = qcow2_walk(q, &walker);
    }
    g_hash_table_unref(clearing.tables);
    *lost = clearing.lost;
    return result < 0 ? result : clearing.result;
}

/* --- 2. New reference counts ------------------------------------------------------------------ */

struct rebuild {
    struct qcow2 *q;
    GHashTable *windows;
    GHashTable *blocks; /* numbers of refcount blocks that are needed */
    struct table old;
    int result;
};

static void rebuild_visit(struct walker *walker, const struct reference *reference)
{
    struct rebuild *rebuild = walker->context;
    uint64_t per_block = qcow2_refcounts_per_block(rebuild->q);

    if (reference->kind == REFERENCE_REFTABLE || reference->kind == REFERENCE_REFBLOCK ||
        reference->n == 0) {
        return;
    }
    qcow2_windows_add(rebuild->windows, reference->first, reference->n);
    for (uint64_t b = reference->first / per_block;
         b <= (reference->first + reference->n - 1) / per_block; b++) {
        g_hash_table_add(rebuild->blocks, GSIZE_TO_POINTER(b));
    }
}

/* The new structure at `first`: blocks for everything that is used, itself included; table. */
static int rebuild_plan(struct rebuild *rebuild, uint64_t first, uint64_t *n_table)
{
    struct qcow2 *q = rebuild->q;
    uint64_t per_block = qcow2_refcounts_per_block(q), end, last = 0, n_blocks;

    *n_table = 1;
    do { /* each round covers what the one before added */
        GHashTableIter iter;
        gpointer key;

        n_blocks = g_hash_table_size(rebuild->blocks);
        g_hash_table_iter_init(&iter, rebuild->blocks);
        while (g_hash_table_iter_next(&iter, &key, NULL)) {
            last = MAX(last, GPOINTER_TO_SIZE(key));
        }
        *n_table = MAX(clusters_of(q, (last + 1) * 8), 1);
        if (*n_table << q->cluster_bits > QCOW2_REFTABLE_BYTES_MAX) {
            return -EFBIG;
        }
        end = first + n_blocks + *n_table;
        for (uint64_t b = first / per_block; b <= (end - 1) / per_block; b++) {
            g_hash_table_add(rebuild->blocks, GSIZE_TO_POINTER(b));
        }
    } while (g_hash_table_size(rebuild->blocks) != n_blocks);
    qcow2_windows_add(rebuild->windows, first, end - first);
    return 0;
}

/* Writes empty blocks, and makes the new table the one in memory. */
static int rebuild_place(struct rebuild *rebuild, uint64_t first, uint64_t n_table)
{
    struct qcow2 *q = rebuild->q;
    g_autofree uint8_t *empty = g_malloc0(q->cluster_size);
    struct table table = {
        .n = (uint32_t)(n_table * (q->cluster_size / 8)),
        .offset = first << q->cluster_bits,
    };
    uint64_t next = first + n_table;
    GHashTableIter iter;
    gpointer key;
    int result = 0;

    table.entries = g_new0(uint64_t, table.n);
    table.dirty = g_malloc0(table.n / 64 + 1);
    g_hash_table_iter_init(&iter, rebuild->blocks);
    while (g_hash_table_iter_next(&iter, &key, NULL) && result == 0) {
        table.entries[GPOINTER_TO_SIZE(key)] = next << q->cluster_bits;
        result = storage_write(q->image.storage, next << q->cluster_bits, empty, q->cluster_size);
        next++;
    }
    for (uint32_t i = 0; i < table.n; i += 64) {
        qcow2_table_set(&table, i, table.entries[i]); /* every sector is to be written */
    }
    rebuild->old = q->reftable;
    q->reftable = table;
    qcow2_cache_clear(&q->refcount_cache);
    qcow2_cache_init(&q->refcount_cache, QCOW2_REFCOUNT_CACHE_MAX, q->slice_size);
    return result;
}

static int counts_write(struct qcow2 *q)
{
    int result = 0;

    for (struct slice *slice = q->refcount_cache.oldest; slice != NULL && result == 0;
         slice = slice->newer) {
        if (slice->dirty) {
            result = storage_write(q->image.storage, slice->offset, slice->bytes, q->slice_size);
            slice->dirty = false;
        }
    }
    q->refcount_cache.n_dirty = 0;
    return result;
}

static int counts_store(struct qcow2 *q, const struct counts *counts)
{
    int result = 0;

    for (uint64_t i = 0; i < counts->n && result == 0; i++) {
        uint64_t found = counts->words[i] & COUNT_MASK;

        if (found == 0) {
            continue;
        }
        if (found > qcow2_refcount_max(q)) {
            return image_damaged(&q->image,
                                 _("“%s” cannot be repaired: its clusters are shared more often "
                                   "than it can count. Convert what is readable to a new image."),
                                 q->image.storage->name);
        }
        result = qcow2_refcount_set(q, counts->first + i, found);
        if (result == 0 && qcow2_cache_crowded(&q->refcount_cache)) {
            result = counts_write(q);
        }
    }
    return result;
}

static int rebuild_switch(struct qcow2 *q, uint64_t n_table)
{
    g_autoptr(GArray) sectors = qcow2_table_take_dirty(&q->reftable);
    uint8_t bytes[12];
    int result = counts_write(q);

    if (result == 0) {
        result = qcow2_sectors_write(q->image.storage, sectors);
    }
    if (result == 0) {
        result = storage_flush(q->image.storage);
    }
    store_be64(bytes, q->reftable.offset);
    store_be32(bytes + 8, (uint32_t)n_table);
    if (result == 0) {
        result = qcow2_header_write(q, HEADER_REFTABLE_OFFSET, bytes, sizeof(bytes));
    }
    return result < 0 ? result : storage_flush(q->image.storage);
}

/* The old table is the one in memory again. */
static void rebuild_forget(struct rebuild *rebuild)
{
    struct qcow2 *q = rebuild->q;

    qcow2_table_clear(&q->reftable);
    q->reftable = rebuild->old;
    rebuild->old = (struct table){ NULL };
    qcow2_cache_clear(&q->refcount_cache);
    qcow2_cache_init(&q->refcount_cache, QCOW2_REFCOUNT_CACHE_MAX, q->slice_size);
}

static int refcounts_rebuild(struct qcow2 *q, struct walks *walks)
{
    struct rebuild rebuild = { .q = q,
                               .windows = qcow2_windows_new(),
                               .blocks = qcow2_windows_new() };
    struct walker walker = { rebuild_visit, &rebuild, walks };
    uint64_t first = clusters_of(q, storage_size(q->image.storage)), n_table = 0;
    GList *windows = NULL;
    uint64_t end;
    int result = qcow2_walk(q, &walker);

    if (result == 0) {
        result = rebuild_plan(&rebuild, first, &n_table);
    }
    if (result == 0) {
        result = rebuild_place(&rebuild, first, n_table);
    }
    end = clusters_of(q, storage_size(q->image.storage));
    windows = g_hash_table_get_keys(rebuild.windows);
    for (GList *at = windows; at != NULL && result == 0; at = at->next) {
        struct counts *counts =
            qcow2_counts_take(q, walks, GPOINTER_TO_SIZE(at->data), end, &result);

        if (counts != NULL) {
            result = counts_store(q, counts);
            qcow2_counts_free(counts);
        }
    }
    if (result == 0) {
        walks->committed = true;
        result = rebuild_switch(q, n_table);
    } else if (rebuild.old.entries != NULL) {
        rebuild_forget(&rebuild);
    }
    g_list_free(windows);
    g_hash_table_unref(rebuild.windows);
    g_hash_table_unref(rebuild.blocks);
    qcow2_table_clear(&rebuild.old);
    return result;
}

/* ------------------------------------------------------------------------------------------------
 */

/* What somebody who wants to stop gets back. */
struct before {
    uint64_t size, incompatible, autoclear;
};

/* Only what lies behind the old end, and the marks, have changed. */
static int take_back(struct qcow2 *q, const struct before *before)
{
    int result = 0;

    if (storage_size(q->image.storage) != before->size) {
        result = storage_resize(q->image.storage, before->size);
        result = result < 0 ? result : storage_flush(q->image.storage);
    }
    if (result == 0 &&
        (q->incompatible != before->incompatible || q->autoclear != before->autoclear)) {
        result = qcow2_header_set_features(q, before->incompatible, before->autoclear);
        result = result < 0 ? result : storage_flush(q->image.storage);
    }
    return result < 0 ? result : -ECANCELED;
}

static int mend(struct qcow2 *q, struct walks *walks, uint64_t *lost)
{
    int result = qcow2_header_set_features(q, q->incompatible | QCOW2_INCOMPAT_DIRTY, 0);

    if (result == 0) {
        result = storage_flush(q->image.storage);
    }
    if (result == 0) {
        result = entries_clear(q, walks, lost);
    }
    if (result == 0) {
        result = refcounts_rebuild(q, walks);
    }
    if (result == 0) {
        result = qcow2_copied_flags_mend(q, walks);
    }
    if (result == 0) {
        result = qcow2_header_set_features(
            q, q->incompatible & ~(QCOW2_INCOMPAT_DIRTY | QCOW2_INCOMPAT_CORRUPT), q->autoclear);
    }
    return result < 0 ? result : storage_flush(q->image.storage);
}

bool qcow2_repair(struct image *image, const struct qcow2_watch *watch, struct qcow2_report *report,
                  GError **error)
{
    struct qcow2 *q = qcow2_of(image);
    struct walks walks = { .watch = watch, .bytes = storage_size(image->storage) };
    const struct before before = { walks.bytes, q->incompatible, q->autoclear };
    uint64_t lost = 0;
    int result;

    /* The check, clearing, counting anew after a look, the flags. */
    walks.n = qcow2_check_walks(q) + CLEARING_WALKS + 1 + qcow2_windows_expected(q) + 1;
    result = qcow2_check_in(q, &walks, report);
    if (result == 0 && image->read_only) {
        result = -EROFS;
    } else if (result == 0 && (report->corruptions + report->leaks + report->flags > 0 ||
                               qcow2_needs_repair(image))) {
        result = mend(q, &walks, &lost);
    }
    if (result == -ECANCELED) {
        result = take_back(q, &before);
    }
    report->lost = lost;
    if (result < 0) {
        image_set_error(image, result, error);
    }
    return result == 0;
}
