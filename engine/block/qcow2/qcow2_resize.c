/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Another size of the disk. A longer L1 table is written to new clusters first; one write of the
 * header then switches size and table together.
 */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "qcow2_private.h"

/* Size, L1 size and L1 offset lie in one sector, so they change together. */
static int header_switch(struct qcow2 *q, uint64_t size, const struct table *l1)
{
    uint8_t bytes[24] = { 0 };
    int result = storage_flush(q->image.storage);

    store_be64(bytes, size);
    store_be32(bytes + HEADER_L1_SIZE - HEADER_SIZE, l1->n);
    store_be64(bytes + HEADER_L1_OFFSET - HEADER_SIZE, l1->offset);
    if (result == 0) {
        result = qcow2_header_write(q, HEADER_SIZE, bytes, sizeof(bytes));
    }
    return result < 0 ? result : storage_flush(q->image.storage);
}

/* A table of `n` entries at a new place, with the old one's entries, written. */
static int l1_longer(struct qcow2 *q, uint32_t n, struct table *longer)
{
    uint64_t clusters = clusters_of(q, (uint64_t)n * 8), first;
    g_autofree uint8_t *bytes = g_malloc0(clusters << q->cluster_bits);
    int result = qcow2_clusters_alloc_all(q, clusters, &first);

    if (result < 0) {
        return result;
    }
    for (uint32_t i = 0; i < q->l1.n; i++) {
        store_be64(bytes + (gsize)i * 8, q->l1.entries[i]);
    }
    result = storage_write(q->image.storage, first << q->cluster_bits, bytes,
                           clusters << q->cluster_bits);
    if (result == 0) {
        *longer = (struct table){
            .entries = g_new0(uint64_t, n),
            .n = n,
            .offset = first << q->cluster_bits,
            .dirty = g_malloc0(n / 64 + 1),
        };
        memcpy(longer->entries, q->l1.entries, q->l1.n * sizeof(uint64_t));
        qcow2_metadata_add(q, first, clusters);
    }
    return result;
}

static int grow(struct qcow2 *q, uint64_t size)
{
    uint64_t needed = ((size - 1) >> l1_shift(q)) + 1;
    struct table old = q->l1, longer = q->l1;
    int result = 0;

    if (needed * 8 > QCOW2_L1_BYTES_MAX) {
        return -EFBIG;
    }
    if (needed > old.n) {
        result = l1_longer(q, (uint32_t)needed, &longer);
    }
    /* The refcounts of the new table come before the header that names it. */
    if (result == 0) {
        result = qcow2_settle(q);
    }
    if (result == 0) {
        result = header_switch(q, size, &longer);
    }
    if (result < 0) {
        return result;
    }
    q->l1 = longer;
    q->image.size = size;
    if (needed > old.n) {
        qcow2_clusters_free_later(q, old.offset >> q->cluster_bits,
                                  clusters_of(q, (uint64_t)old.n * 8));
        qcow2_table_clear(&old);
        result = qcow2_settle(q);
    }
    return result;
}

/*
 * What lies behind the old end in its last cluster may be anything: zeroes go there before the end
 * moves. A cluster that is not written in place comes back as a copy, whose rest is zero.
 */
static int tail_clear(struct qcow2 *q)
{
    uint64_t size = q->image.size, rest = -size & (q->cluster_size - 1);
    struct image_extent extent;
    int result;

    if (rest == 0) {
        return 0;
    }
    result = qcow2_map(&q->image, size - IMAGE_SECTOR, IMAGE_SECTOR, &extent);
    if (result == 0 && extent.kind != IMAGE_ABSENT && extent.kind != IMAGE_ZERO) {
        g_autofree uint8_t *bytes = g_malloc(q->cluster_size);
        uint64_t there = q->cluster_size - rest;

        result = image_read(&q->image, size - there, bytes, there);
        if (result == 0) {
            result = image_write(&q->image, size - there, bytes, there);
        }
        if (result == 0) {
            result = qcow2_map(&q->image, size - IMAGE_SECTOR, IMAGE_SECTOR, &extent);
        }
        if (result == 0) {
            result = storage_clear(q->image.storage, extent.host + IMAGE_SECTOR, rest, false);
        }
    }
    return result;
}

/* Whether a backing image would show behind the end. */
static bool backing_longer(const struct image *image)
{
    return image->backing != NULL ? image->backing->size > image->size
                                  : image->backing_name != NULL;
}

static int shrink(struct qcow2 *q, uint64_t size)
{
    uint64_t old = q->image.size;
    int result = qcow2_zero(&q->image, size, old - size, true);

    if (result == 0) {
        result = qcow2_settle(q);
    }
    if (result == 0) {
        result = header_switch(q, size, &q->l1);
    }
    if (result == 0) {
        q->image.size = size;
    }
    return result;
}

bool qcow2_resize(struct image *image, uint64_t size, GError **error)
{
    struct qcow2 *q = qcow2_of(image);
    uint64_t old = image->size;
    int result;

    if (size == old) {
        return true;
    }
    if (q->nb_snapshots > 0 && (size < old || q->version < 3)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    size < old ? _("“%s” has internal snapshots, so its disk cannot become "
                                   "smaller. Delete them first.")
                               : _("“%s” has internal snapshots, so its disk cannot become larger. "
                                   "Delete them first."),
                    image->storage->name);
        return false;
    }
    if (size > old && backing_longer(image)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” builds on a larger image, so its disk cannot become larger. Convert it "
                      "to an image of its own first."),
                    image->storage->name);
        return false;
    }
    result = qcow2_touch(q);
    if (result == 0) {
        result = size > old ? tail_clear(q) : 0;
    }
    if (result == 0) {
        result = size > old ? grow(q, size) : shrink(q, size);
    }
    if (result < 0) {
        image_set_error(image, result, error);
    }
    return result == 0;
}
