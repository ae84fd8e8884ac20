/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counting references in windows of clusters, for check and repair. Private to qcow2/. */
#ifndef ENGINE_BLOCK_QCOW2_COUNT_H
#define ENGINE_BLOCK_QCOW2_COUNT_H

#include "qcow2_private.h"

enum {
    COUNT_WINDOW = 8 << 20, /* clusters: 32 MiB of counts */
};

#define COUNT_MASK  UINT32_C(0x0fffffff)
#define COUNT_DATA  UINT32_C(0x10000000) /* data lies there */
#define COUNT_L2    UINT32_C(0x20000000) /* an L2 table */
#define COUNT_TABLE UINT32_C(0x40000000) /* another table */
#define COUNT_TWICE UINT32_C(0x80000000) /* a second other table */

struct counts {
    uint64_t first, n; /* clusters */
    uint32_t *words;
};

/* A set of window numbers. */
GHashTable *qcow2_windows_new(void);
void qcow2_windows_add(GHashTable *windows, uint64_t first, uint64_t n);

/* About how many windows an image has. */
uint64_t qcow2_windows_expected(const struct qcow2 *q);

/* The counts of one window, up to cluster `end`; NULL with *result set if the walk failed. */
struct counts *qcow2_counts_take(struct qcow2 *q, struct walks *walks, uint64_t window,
                                 uint64_t end, int *result);
void qcow2_counts_free(struct counts *counts);
bool qcow2_counts_are_zero(const struct counts *counts, uint64_t from, uint64_t n);

static inline bool counted_overlap(uint32_t word)
{
    uint32_t kinds = word & (COUNT_DATA | COUNT_L2 | COUNT_TABLE);

    return (kinds & (kinds - 1)) != 0 || (word & COUNT_TWICE);
}

static inline bool block_exists(const struct qcow2 *q, uint64_t cluster)
{
    uint64_t index = cluster / qcow2_refcounts_per_block(q);

    return index < q->reftable.n && (q->reftable.entries[index] & ~UINT64_C(511));
}

/*
 * Sets and clears the "copied" flags of the disk after the image's own counts, and reads the L1
 * table and the caches anew. Nothing may be dirty.
 */
int qcow2_copied_flags_mend(struct qcow2 *q, struct walks *walks);

/* The walks of a check, and the check; negative errno. */
uint64_t qcow2_check_walks(const struct qcow2 *q);
int qcow2_check_in(struct qcow2 *q, struct walks *walks, struct qcow2_report *report);

#endif
