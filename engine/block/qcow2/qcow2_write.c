/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing. Clusters that the image alone owns are overwritten in place. Others get new clusters:
 * these are taken, filled with the guest's data and, where that does not fill them, with what was
 * there before; only then does the L2 entry name them. While that goes on, the guest clusters stand
 * in a list, and others that want to change them wait. See qcow2_private.h.
 */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "../spans.h"
#include "qcow2_private.h"

/* --- Allocating writes under way: lock held --------------------------------------------------- */

static bool overlaps(const struct qcow2 *q, uint64_t first, uint64_t n)
{
    for (const struct in_flight *i = q->in_flight; i != NULL; i = i->next) {
        if (first < i->first + i->n && i->first < first + n) {
            return true;
        }
    }
    return false;
}

void qcow2_in_flight_wait(struct qcow2 *q, uint64_t first, uint64_t n)
{
    while (overlaps(q, first, n)) {
        pthread_cond_wait(&q->landed, &q->lock);
    }
}

static void in_flight_remove(struct qcow2 *q, struct in_flight *entry)
{
    struct in_flight **at = &q->in_flight;

    while (*at != entry) {
        at = &(*at)->next;
    }
    *at = entry->next;
    pthread_cond_broadcast(&q->landed);
}

/* --- L2 tables -------------------------------------------------------------------------------- */

/* A new table, empty or with the entries of `old`, whose clusters stay shared: none is ours alone.
 */
static int l2_table_new(struct qcow2 *q, uint64_t old, uint64_t *offset)
{
    g_autofree uint8_t *bytes = g_malloc0(q->cluster_size);
    uint64_t cluster, got;
    bool fresh;
    int result = qcow2_clusters_alloc(q, 1, &cluster, &got, &fresh);

    for (uint64_t at = 0; old != 0 && at < q->cluster_size && result == 0; at += q->slice_size) {
        struct slice *slice;

        result = qcow2_cache_get(q, &q->l2_cache, old + at, &slice);
        if (result == 0) {
            memcpy(bytes + at, slice->bytes, q->slice_size);
        }
        for (unsigned i = 0; i < q->slice_size; i += 8) {
            bytes[at + i] &= (uint8_t) ~(QCOW2_COPIED >> 56);
        }
    }
    if (result == 0) {
        *offset = cluster << q->cluster_bits;
        result = storage_write(q->image.storage, *offset, bytes, q->cluster_size);
    }
    return result;
}

int qcow2_l2_table_own(struct qcow2 *q, uint64_t guest, uint64_t *l2_offset)
{
    uint32_t index = (uint32_t)(guest >> l1_shift(q));
    uint64_t entry = q->l1.entries[index], old = entry & QCOW2_OFFSET_MASK;
    int result;

    if (old != 0 && (old % q->cluster_size != 0 ||
                     !range_fits(old, q->cluster_size, storage_size(q->image.storage)))) {
        return qcow2_corrupt(q, _("an L2 table lies outside of the file"));
    }
    if (old != 0 && (entry & QCOW2_COPIED)) {
        *l2_offset = old;
        return 0;
    }
    result = l2_table_new(q, old, l2_offset);
    if (result == 0) {
        qcow2_metadata_add(q, *l2_offset >> q->cluster_bits, 1);
        qcow2_table_set(&q->l1, index, *l2_offset | QCOW2_COPIED);
        if (old != 0) {
            qcow2_clusters_free_later(q, old >> q->cluster_bits, 1);
        }
    }
    return result;
}

/* --- One piece: inside one slice, in place or newly allocated --------------------------------- */

struct piece {
    uint64_t offset, length; /* guest bytes */
    uint64_t host;           /* where `offset` goes */
    bool allocate, fresh;
    struct in_flight in_flight;
};

static bool in_place(uint64_t entry)
{
    return (entry & QCOW2_COPIED) && !(entry & (QCOW2_COMPRESSED | QCOW2_ZERO)) &&
           (entry & QCOW2_OFFSET_MASK);
}

/* How many clusters from `at` on are written the same way, at most `n`. */
static uint64_t same_count(const struct qcow2 *q, const struct slice *slice, unsigned at,
                           uint64_t n)
{
    uint64_t first = load_be64(slice->bytes + at), count = 1;

    while (count < n && at + count * 8 < q->slice_size) {
        uint64_t entry = load_be64(slice->bytes + at + count * 8);

        if (in_place(entry) != in_place(first) ||
            (in_place(first) && (entry & QCOW2_OFFSET_MASK) !=
                                    (first & QCOW2_OFFSET_MASK) + (count << q->cluster_bits))) {
            break;
        }
        count++;
    }
    return count;
}

static int in_place_check(struct qcow2 *q, uint64_t host, uint64_t n)
{
    if (host % q->cluster_size != 0) {
        return qcow2_corrupt(q, _("an entry of an L2 table is wrong"));
    }
    for (uint64_t i = 0; i < n; i++) {
        if (is_metadata(q, (host >> q->cluster_bits) + i)) {
            return qcow2_corrupt(q, _("data lies in the place of a table"));
        }
    }
    return 0;
}

/* Decides where the first part of the piece goes, and cuts the piece to it. Lock held. */
static int piece_place(struct qcow2 *q, struct piece *piece)
{
    uint64_t within = piece->offset & (q->cluster_size - 1);
    uint64_t guest = piece->offset >> q->cluster_bits;
    uint64_t n = clusters_of(q, within + piece->length), l2_offset, entry, first;
    struct slice *slice;
    unsigned at;
    int result;

    n = MIN(n, (UINT64_C(1) << q->l2_bits) - (guest & ((UINT64_C(1) << q->l2_bits) - 1)));
    qcow2_in_flight_wait(q, guest, n);
    result = qcow2_l2_table_own(q, piece->offset, &l2_offset);
    if (result == 0) {
        result = qcow2_l2_entry_find(q, l2_offset, piece->offset, &slice, &at);
    }
    if (result < 0) {
        return result;
    }
    entry = load_be64(slice->bytes + at);
    n = same_count(q, slice, at, n);
    piece->allocate = !in_place(entry);
    if (piece->allocate) {
        result = qcow2_clusters_alloc(q, n, &first, &n, &piece->fresh);
        piece->host = (first << q->cluster_bits) + within;
        piece->in_flight = (struct in_flight){ guest, n, q->in_flight };
        if (result == 0) {
            q->in_flight = &piece->in_flight;
        }
    } else {
        piece->host = (entry & QCOW2_OFFSET_MASK) + within;
        result = in_place_check(q, piece->host - within, n);
    }
    piece->length = MIN(piece->length, (n << q->cluster_bits) - within);
    return result;
}

/* The new clusters are full: name them, and let go of what was named before. Lock held. */
static int piece_link(struct qcow2 *q, const struct piece *piece)
{
    uint64_t host = piece->host & ~(uint64_t)(q->cluster_size - 1);
    uint64_t l2_offset = q->l1.entries[piece->offset >> l1_shift(q)] & QCOW2_OFFSET_MASK;
    struct slice *slice;
    unsigned at;
    int result = qcow2_l2_entry_find(q, l2_offset, piece->offset, &slice, &at);

    if (result < 0) {
        qcow2_clusters_give_back(q, host >> q->cluster_bits, piece->in_flight.n);
        return result;
    }
    for (uint64_t i = 0; i < piece->in_flight.n; i++) {
        uint64_t old = load_be64(slice->bytes + at + i * 8);

        store_be64(slice->bytes + at + i * 8, (host + (i << q->cluster_bits)) | QCOW2_COPIED);
        qcow2_entry_free_later(q, old);
    }
    qcow2_cache_dirty(&q->l2_cache, slice);
    return 0;
}

int qcow2_place_write(struct image *image, uint64_t offset, uint64_t length, uint64_t *host)
{
    struct qcow2 *q = qcow2_of(image);
    uint64_t within = offset & (q->cluster_size - 1), guest = offset >> q->cluster_bits;
    uint64_t n = clusters_of(q, within + length), entry;
    struct slice *slice;
    unsigned at;
    int result = -EAGAIN;

    if (pthread_mutex_trylock(&q->lock) != 0) {
        return -EAGAIN;
    }
    entry = q->l1.entries[offset >> l1_shift(q)];
    if (q->written && !q->extended_l2 && (entry & QCOW2_COPIED) && (entry & QCOW2_OFFSET_MASK) &&
        !overlaps(q, guest, n) && qcow2_l2_cached(q, offset) &&
        qcow2_l2_entry_find(q, entry & QCOW2_OFFSET_MASK, offset, &slice, &at) == 0) {
        entry = load_be64(slice->bytes + at);
        if (in_place(entry) && same_count(q, slice, at, n) == n) {
            *host = (entry & QCOW2_OFFSET_MASK) + within;
            result = in_place_check(q, *host - within, n);
        }
    }
    pthread_mutex_unlock(&q->lock);
    return result;
}

/* --- Data ------------------------------------------------------------------------------------- */

/* What the guest's data leaves of the new clusters, at both ends. */
struct edges {
    uint64_t head, tail; /* bytes */
    uint8_t *bytes;      /* head, then tail; NULL: both are zeroes there already */
};

static bool is_zero(const uint8_t *bytes, size_t n)
{
    return n == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0);
}

static int edges_read(struct qcow2 *q, const struct piece *piece, struct edges *edges)
{
    uint64_t start = piece->offset - edges->head, end = piece->offset + piece->length;
    uint64_t tail_there = end < q->image.size ? MIN(edges->tail, q->image.size - end) : 0;
    struct iovec head = { edges->bytes, edges->head };
    struct iovec tail = { edges->bytes + edges->head, tail_there };
    int result = 0;

    if (edges->head > 0) {
        result = image_read_inside(&q->image, start, &head, 1, edges->head);
    }
    if (result == 0 && tail_there > 0) {
        result = image_read_inside(&q->image, end, &tail, 1, tail_there);
    }
    if (result == 0 && piece->fresh && is_zero(edges->bytes, edges->head + edges->tail)) {
        g_clear_pointer(&edges->bytes, g_free);
    }
    return result;
}

static int piece_fill(struct qcow2 *q, const struct piece *piece, const struct iovec *spans,
                      unsigned n)
{
    uint64_t end = piece->host + piece->length;
    struct edges edges = { piece->host & (q->cluster_size - 1),
                           -end & (uint64_t)(q->cluster_size - 1), NULL };
    struct iovec all[SPANS_MAX];
    unsigned first = 0;
    int result = 0;

    if (edges.head + edges.tail > 0) {
        edges.bytes = g_malloc0(edges.head + edges.tail);
        result = edges_read(q, piece, &edges);
    }
    if (result == 0 && edges.bytes == NULL) {
        return storage_writev(q->image.storage, piece->host, spans, n);
    }
    if (result == 0 && n + 2 <= SPANS_MAX) {
        all[0] = (struct iovec){ edges.bytes, edges.head };
        first = edges.head > 0;
        memcpy(all + first, spans, n * sizeof(*spans));
        all[first + n] = (struct iovec){ edges.bytes + edges.head, edges.tail };
        result = storage_writev(q->image.storage, piece->host - edges.head, all,
                                first + n + (edges.tail > 0));
    } else if (result == 0) {
        result = storage_write(q->image.storage, piece->host - edges.head, edges.bytes, edges.head);
        if (result == 0) {
            result = storage_writev(q->image.storage, piece->host, spans, n);
        }
        if (result == 0) {
            result = storage_write(q->image.storage, end, edges.bytes + edges.head, edges.tail);
        }
    }
    g_free(edges.bytes);
    return result;
}

static int piece_write(struct qcow2 *q, struct piece *piece, struct spans *spans)
{
    struct iovec part[SPANS_MAX];
    unsigned n;
    int result;

    pthread_mutex_lock(&q->lock);
    result = qcow2_touch(q);
    if (result == 0) {
        result = piece_place(q, piece);
    }
    pthread_mutex_unlock(&q->lock);
    if (result < 0) {
        return result;
    }
    n = spans_take(spans, piece->length, part);
    if (!piece->allocate) {
        return storage_writev(q->image.storage, piece->host, part, n);
    }
    result = piece_fill(q, piece, part, n);
    pthread_mutex_lock(&q->lock);
    if (result == 0) {
        result = piece_link(q, piece);
    } else {
        qcow2_clusters_give_back(q, piece->host >> q->cluster_bits, piece->in_flight.n);
    }
    in_flight_remove(q, &piece->in_flight);
    pthread_mutex_unlock(&q->lock);
    return result;
}

int qcow2_write(struct image *image, uint64_t offset, const struct iovec *list, unsigned n,
                uint64_t length)
{
    struct qcow2 *q = qcow2_of(image);
    struct spans spans = spans_start(list, n);
    int result = qcow2_make_room(q);

    if (result < 0) {
        return result;
    }
    gate_enter(&q->operations);
    while (length > 0 && result == 0) {
        struct piece piece = { .offset = offset, .length = length };

        result = piece_write(q, &piece, &spans);
        offset += piece.length;
        length -= piece.length;
    }
    gate_leave(&q->operations);
    return result;
}
