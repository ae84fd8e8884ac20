/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order in which metadata reaches the disk. See qcow2.h for the promise and qcow2_private.h for
 * the locks.
 *
 *   1. refcount blocks (new tables and the guest's data are in the file already);   barrier
 *   2. refcount table entries that name new blocks, if there are any;               barrier
 *   3. L2 and L1 entries, as they were when the flush began;                        barrier
 *   4. clusters that had been let go of before the flush began are free.
 *
 * Between the barriers requests go on and change slices; what is written in step 3 is a copy.
 */
#include <errno.h>
#include <string.h>

#include "qcow2_private.h"

/* What one flush has to write after its first barrier. */
struct batch {
    GPtrArray *slices;     /* of the L2 cache, busy until the end */
    GPtrArray *copies;     /* their bytes */
    GArray *reftable, *l1; /* struct sector */
    GArray *frees;
};

static int refcount_slices_write(struct qcow2 *q)
{
    int result = 0;

    for (struct slice *slice = q->refcount_cache.oldest; slice != NULL && result == 0;
         slice = slice->newer) {
        if (slice->dirty) {
            result = storage_write(q->image.storage, slice->offset, slice->bytes, q->slice_size);
            if (result == 0) {
                slice->dirty = false;
                q->refcount_cache.n_dirty--;
            }
        }
    }
    return result;
}

static void batch_fill(struct qcow2 *q, struct batch *batch)
{
    for (struct slice *slice = q->l2_cache.oldest; slice != NULL && q->l2_cache.n_dirty > 0;
         slice = slice->newer) {
        if (slice->dirty) {
            g_ptr_array_add(batch->slices, slice);
            g_ptr_array_add(batch->copies, g_memdup2(slice->bytes, q->slice_size));
            slice->dirty = false;
            slice->busy = true;
            q->l2_cache.n_dirty--;
        }
    }
    batch->reftable = qcow2_table_take_dirty(&q->reftable);
    batch->l1 = qcow2_table_take_dirty(&q->l1);
    batch->frees = q->frees;
    q->frees = g_array_new(FALSE, FALSE, sizeof(struct cluster_range));
}

static int batch_write(struct qcow2 *q, struct batch *batch)
{
    struct storage *storage = q->image.storage;
    int result = storage_flush(storage);

    if (result == 0 && batch->reftable->len > 0) {
        result = qcow2_sectors_write(storage, batch->reftable);
        if (result == 0) {
            result = storage_flush(storage);
        }
    }
    if (result < 0 || (batch->slices->len == 0 && batch->l1->len == 0)) {
        return result;
    }
    for (guint i = 0; i < batch->slices->len && result == 0; i++) {
        const struct slice *slice = batch->slices->pdata[i];

        result = storage_write(storage, slice->offset, batch->copies->pdata[i], q->slice_size);
    }
    if (result == 0) {
        result = qcow2_sectors_write(storage, batch->l1);
    }
    return result < 0 ? result : storage_flush(storage);
}

static void sectors_mark(struct table *table, const GArray *sectors)
{
    for (guint i = 0; i < sectors->len; i++) {
        uint64_t offset = g_array_index(sectors, struct sector, i).offset;

        /* The table may have moved meanwhile; then it was written whole. */
        if (offset >= table->offset && (offset - table->offset) / 8 < table->n) {
            table->dirty[(offset - table->offset) / 8 / 64] = 1;
            table->any_dirty = true;
        }
    }
}

/* After a failure everything of the batch is to be written again. Lock held. */
static void batch_end(struct qcow2 *q, struct batch *batch, bool good)
{
    for (guint i = 0; i < batch->slices->len; i++) {
        struct slice *slice = batch->slices->pdata[i];

        slice->busy = false;
        if (!good) {
            qcow2_cache_dirty(&q->l2_cache, slice);
        }
    }
    if (!good) {
        sectors_mark(&q->reftable, batch->reftable);
        sectors_mark(&q->l1, batch->l1);
        g_array_append_vals(q->frees, batch->frees->data, batch->frees->len);
        g_array_set_size(batch->frees, 0);
    }
}

/* With no request running: nobody can still be working on these clusters. */
static int frees_apply(struct qcow2 *q, const GArray *frees)
{
    GArray *released = g_array_new(FALSE, FALSE, sizeof(struct cluster_range));
    int result = 0;

    gate_close(&q->operations);
    pthread_mutex_lock(&q->lock);
    for (guint i = 0; i < frees->len && result == 0; i++) {
        const struct cluster_range *range = &g_array_index(frees, struct cluster_range, i);

        result = qcow2_refcount_drop(q, range->first, range->n, released);
    }
    pthread_mutex_unlock(&q->lock);
    for (guint i = 0; i < released->len; i++) {
        const struct cluster_range *range = &g_array_index(released, struct cluster_range, i);

        if (q->image.storage->releases) {
            storage_clear(q->image.storage, range->first << q->cluster_bits,
                          range->n << q->cluster_bits, true);
        }
    }
    gate_open(&q->operations);
    g_array_unref(released);
    return result;
}

int qcow2_flush(struct image *image)
{
    struct qcow2 *q = qcow2_of(image);
    struct batch batch = {
        .slices = g_ptr_array_new(),
        .copies = g_ptr_array_new_with_free_func(g_free),
    };
    int result;

    pthread_mutex_lock(&q->flushing);
    pthread_mutex_lock(&q->lock);
    result = refcount_slices_write(q);
    batch_fill(q, &batch);
    pthread_mutex_unlock(&q->lock);
    if (result == 0) {
        result = batch_write(q, &batch);
    }
    pthread_mutex_lock(&q->lock);
    batch_end(q, &batch, result == 0);
    pthread_mutex_unlock(&q->lock);
    if (result == 0 && batch.frees->len > 0) {
        result = frees_apply(q, batch.frees);
    }
    pthread_mutex_unlock(&q->flushing);
    g_ptr_array_unref(batch.slices);
    g_ptr_array_unref(batch.copies);
    g_array_unref(batch.reftable);
    g_array_unref(batch.l1);
    g_array_unref(batch.frees);
    return result;
}

int qcow2_settle(struct qcow2 *q)
{
    bool more = true;
    int result = 0;

    while (more && result == 0) {
        result = qcow2_flush(&q->image);
        pthread_mutex_lock(&q->lock);
        more = q->frees->len > 0 || q->refcount_cache.n_dirty > 0 || q->l2_cache.n_dirty > 0;
        pthread_mutex_unlock(&q->lock);
    }
    return result;
}

int qcow2_make_room(struct qcow2 *q)
{
    bool crowded;
    int result;

    pthread_mutex_lock(&q->lock);
    crowded = qcow2_cache_crowded(&q->l2_cache) || qcow2_cache_crowded(&q->refcount_cache) ||
              q->frees->len > QCOW2_FREES_MAX;
    result = (q->incompatible & QCOW2_INCOMPAT_CORRUPT) ? -EUCLEAN : 0;
    pthread_mutex_unlock(&q->lock);
    return crowded && result == 0 ? qcow2_flush(&q->image) : result;
}
