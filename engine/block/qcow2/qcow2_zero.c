/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zeroes and discarding. Whole clusters are let go of: without a backing image they become
 * unallocated, over one they get the zero flag; version 2 has no such flag, so there zeroes are
 * written. The clusters' space goes back to the host when the next flush has ended.
 */
#include "qcow2_private.h"

enum {
    ZERO_CHUNK = 256 << 10,
};

/* Zeroes by writing them, unless they are there already. */
static int zero_by_writing(struct image *image, uint64_t offset, uint64_t length)
{
    static const uint8_t zeroes[ZERO_CHUNK];
    int result = 0;

    while (length > 0 && result == 0) {
        enum image_kind kind;
        uint64_t n;

        result = image_status(image, offset, MIN(length, (uint64_t)ZERO_CHUNK), &kind, &n);
        if (result == 0 && kind != IMAGE_ZERO) {
            result = image_write(image, offset, zeroes, n);
        }
        offset += n;
        length -= n;
    }
    return result;
}

static bool backing_reaches(const struct qcow2 *q, uint64_t offset)
{
    /* A name without an image attached: what is behind it cannot be known. */
    return q->image.backing != NULL ? offset < q->image.backing->size
                                    : q->image.backing_name != NULL;
}

/* Sets the entries of up to `n` clusters within one slice; returns how many through `done`. */
static int zero_slice(struct qcow2 *q, uint64_t guest, uint64_t n, uint64_t *done)
{
    uint64_t l2_offset, value = backing_reaches(q, guest << q->cluster_bits) ? QCOW2_ZERO : 0;
    uint64_t offset = guest << q->cluster_bits;
    struct slice *slice;
    unsigned at;
    int result;

    if (value == 0 && !(q->l1.entries[offset >> l1_shift(q)] & QCOW2_OFFSET_MASK)) {
        *done = MIN(n, (UINT64_C(1) << q->l2_bits) - (guest & ((UINT64_C(1) << q->l2_bits) - 1)));
        return 0;
    }
    result = qcow2_l2_table_own(q, offset, &l2_offset);
    if (result == 0) {
        result = qcow2_l2_entry_find(q, l2_offset, offset, &slice, &at);
    }
    if (result < 0) {
        return result;
    }
    n = MIN(n, (q->slice_size - at) / 8);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t old = load_be64(slice->bytes + at + i * 8);

        if (old != value) {
            store_be64(slice->bytes + at + i * 8, value);
            qcow2_cache_dirty(&q->l2_cache, slice);
            qcow2_entry_free_later(q, old);
        }
    }
    *done = n;
    return 0;
}

static int zero_clusters(struct qcow2 *q, uint64_t first, uint64_t n)
{
    int result = 0;

    while (n > 0 && result == 0) {
        uint64_t done = 0, part = MIN(n, UINT64_C(1) << q->l2_bits);

        result = qcow2_make_room(q);
        if (result < 0) {
            break;
        }
        gate_enter(&q->operations);
        pthread_mutex_lock(&q->lock);
        qcow2_in_flight_wait(q, first, part);
        result = qcow2_touch(q);
        if (result == 0) {
            result = zero_slice(q, first, part, &done);
        }
        pthread_mutex_unlock(&q->lock);
        gate_leave(&q->operations);
        first += done;
        n -= done;
    }
    return result;
}

int qcow2_zero(struct image *image, uint64_t offset, uint64_t length, bool release)
{
    struct qcow2 *q = qcow2_of(image);
    uint64_t end = offset + length, first = clusters_of(q, offset);
    /* The disk may end inside its last cluster, which is whole all the same. */
    uint64_t last = end == image->size ? clusters_of(q, end) : end >> q->cluster_bits;
    int result = 0;

    if (first >= last || (q->version < 3 && (image->backing_name || image->backing))) {
        return zero_by_writing(image, offset, length);
    }
    if (offset < first << q->cluster_bits) {
        result = zero_by_writing(image, offset, (first << q->cluster_bits) - offset);
    }
    if (result == 0) {
        result = zero_clusters(q, first, last - first);
    }
    if (result == 0 && end > last << q->cluster_bits) {
        result = zero_by_writing(image, last << q->cluster_bits, end - (last << q->cluster_bits));
    }
    return result;
}
