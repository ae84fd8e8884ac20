/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See qcow2_count.h. */
#include "qcow2_count.h"

#include <errno.h>

GHashTable *qcow2_windows_new(void)
{
    return g_hash_table_new(g_direct_hash, g_direct_equal);
}

void qcow2_windows_add(GHashTable *windows, uint64_t first, uint64_t n)
{
    for (uint64_t w = first / COUNT_WINDOW; w <= (first + n - 1) / COUNT_WINDOW; w++) {
        g_hash_table_add(windows, GSIZE_TO_POINTER(w));
    }
}

uint64_t qcow2_windows_expected(const struct qcow2 *q)
{
    return clusters_of(q, storage_size(q->image.storage)) / COUNT_WINDOW + 1;
}

static void count_visit(struct walker *walker, const struct reference *reference)
{
    struct counts *counts = walker->context;
    uint64_t first = MAX(reference->first, counts->first);
    uint64_t end = MIN(reference->first + reference->n, counts->first + counts->n);

    for (uint64_t cluster = first; cluster < end; cluster++) {
        uint32_t *word = &counts->words[cluster - counts->first];

        *word += (*word & COUNT_MASK) < COUNT_MASK;
        if (reference->kind == REFERENCE_DATA || reference->kind == REFERENCE_PACKED) {
            *word |= COUNT_DATA;
        } else if (reference->kind == REFERENCE_L2) {
            *word |= COUNT_L2;
        } else {
            *word |= *word & COUNT_TABLE ? COUNT_TWICE : COUNT_TABLE;
        }
    }
}

struct counts *qcow2_counts_take(struct qcow2 *q, struct walks *walks, uint64_t window,
                                 uint64_t end, int *result)
{
    struct counts *counts = g_new0(struct counts, 1);
    struct walker walker = { count_visit, counts, walks };

    counts->first = window * COUNT_WINDOW;
    counts->n = MIN(end - counts->first, (uint64_t)COUNT_WINDOW);
    counts->words = g_try_new0(uint32_t, counts->n);
    *result = counts->words == NULL ? -ENOMEM : qcow2_walk(q, &walker);
    if (*result < 0) {
        qcow2_counts_free(counts);
        return NULL;
    }
    return counts;
}

void qcow2_counts_free(struct counts *counts)
{
    g_free(counts->words);
    g_free(counts);
}

bool qcow2_counts_are_zero(const struct counts *counts, uint64_t from, uint64_t n)
{
    for (uint64_t i = from; i < MIN(from + n, counts->n); i++) {
        if (counts->words[i] != 0) {
            return false;
        }
    }
    return true;
}

struct mending {
    struct qcow2 *q;
    int result;
};

static void copied_visit(struct walker *walker, const struct reference *reference)
{
    struct mending *mending = walker->context;
    struct qcow2 *q = mending->q;
    uint64_t count;
    uint8_t bytes[8];

    if (mending->result < 0 || reference->n == 0 || !reference->active ||
        (reference->kind != REFERENCE_L2 && reference->kind != REFERENCE_DATA)) {
        return;
    }
    mending->result = qcow2_refcount_get(q, reference->first, &count);
    if (mending->result == 0 && reference->copied != (count == 1)) {
        store_be64(bytes, reference->entry ^ QCOW2_COPIED);
        mending->result = storage_write(q->image.storage, reference->place, bytes, sizeof(bytes));
    }
}

int qcow2_copied_flags_mend(struct qcow2 *q, struct walks *walks)
{
    struct mending mending = { .q = q };
    struct walker walker = { copied_visit, &mending, walks };
    unsigned limit = q->l2_cache.limit;
    int result = qcow2_walk(q, &walker);

    result = result < 0 ? result : mending.result;
    if (result == 0) {
        result = storage_flush(q->image.storage);
    }
    qcow2_cache_clear(&q->l2_cache);
    qcow2_cache_init(&q->l2_cache, (uint64_t)limit * q->slice_size, q->slice_size);
    return result < 0 ? result : qcow2_table_load(&q->l1, q->image.storage, q->l1.offset, q->l1.n);
}
