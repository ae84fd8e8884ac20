/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing compressed clusters, for conversions. They lie one after the other without gaps; each
 * host cluster that one touches is counted once for it.
 */
#include <errno.h>
#include <libdeflate.h>
#include <string.h>
#include <zstd.h>

#include "qcow2_private.h"

enum {
    DEFLATE_LEVEL = 5, /* as small as zlib's 6 */
    ZSTD_LEVEL = 3,
};

struct qcow2_packer {
    uint32_t cluster_size;
    struct libdeflate_compressor *deflate;
    ZSTD_CCtx *zstd;
};

struct qcow2_packer *qcow2_packer_new(struct image *image)
{
    struct qcow2 *q = qcow2_of(image);
    struct qcow2_packer *packer = g_new0(struct qcow2_packer, 1);

    packer->cluster_size = q->cluster_size;
    if (q->compression == QCOW2_ZSTD) {
        packer->zstd = ZSTD_createCCtx();
    } else {
        packer->deflate = libdeflate_alloc_compressor(DEFLATE_LEVEL);
    }
    return packer;
}

void qcow2_packer_free(struct qcow2_packer *packer)
{
    ZSTD_freeCCtx(packer->zstd);
    if (packer->deflate != NULL) {
        libdeflate_free_compressor(packer->deflate);
    }
    g_free(packer);
}

size_t qcow2_pack(struct qcow2_packer *packer, const uint8_t *bytes, uint8_t *packed)
{
    size_t room = packer->cluster_size - 1, n = 0;

    if (packer->zstd != NULL) {
        n = ZSTD_compressCCtx(packer->zstd, packed, room, bytes, packer->cluster_size, ZSTD_LEVEL);
        return ZSTD_isError(n) ? 0 : n;
    }
    if (packer->deflate != NULL) {
        n = libdeflate_deflate_compress(packer->deflate, bytes, packer->cluster_size, packed, room);
    }
    return n;
}

/* One more reference on the cluster that the last one ended in, or a new cluster. Lock held. */
static int packed_start(struct qcow2 *q, uint64_t *at)
{
    uint64_t count, first, got;
    bool fresh;
    int result;

    if (q->packed_at % q->cluster_size != 0) {
        result = qcow2_refcount_get(q, q->packed_at >> q->cluster_bits, &count);
        if (result < 0) {
            return result;
        }
        if (count < qcow2_refcount_max(q)) {
            *at = q->packed_at;
            return qcow2_refcount_set(q, q->packed_at >> q->cluster_bits, count + 1);
        }
    }
    result = qcow2_clusters_alloc(q, 1, &first, &got, &fresh);
    *at = first << q->cluster_bits;
    return result;
}

/*
 * Room for `n` bytes at `at`. If the next cluster is not free, what was left of this one stays
 * unused. Lock held.
 */
static int packed_alloc(struct qcow2 *q, uint64_t n, uint64_t *at)
{
    uint64_t next, got, end;
    bool fresh;
    int result = packed_start(q, at);

    if (result < 0) {
        return result;
    }
    end = (*at & ~(uint64_t)(q->cluster_size - 1)) + q->cluster_size;
    if (*at + n > end) {
        result = qcow2_clusters_alloc(q, 1, &next, &got, &fresh);
        if (result == 0 && next << q->cluster_bits != end) {
            qcow2_clusters_free_later(q, *at >> q->cluster_bits, 1);
            *at = next << q->cluster_bits;
        }
    }
    q->packed_at = result == 0 ? *at + n : 0;
    return result;
}

static uint64_t packed_entry(const struct qcow2 *q, uint64_t at, uint64_t n)
{
    unsigned x = 62 - (q->cluster_bits - 8);
    uint64_t more = ((at + n - 1) / IMAGE_SECTOR) - at / IMAGE_SECTOR;

    return QCOW2_COMPRESSED | more << x | at;
}

static int packed_link(struct qcow2 *q, uint64_t offset, uint64_t entry)
{
    uint64_t l2_offset;
    struct slice *slice;
    unsigned at;
    int result = qcow2_l2_table_own(q, offset, &l2_offset);

    if (result == 0) {
        result = qcow2_l2_entry_find(q, l2_offset, offset, &slice, &at);
    }
    if (result == 0) {
        qcow2_entry_free_later(q, load_be64(slice->bytes + at));
        store_be64(slice->bytes + at, entry);
        qcow2_cache_dirty(&q->l2_cache, slice);
    }
    return result;
}

int qcow2_write_compressed(struct image *image, uint64_t offset, const uint8_t *bytes,
                           const uint8_t *packed, size_t n_packed)
{
    struct qcow2 *q = qcow2_of(image);
    uint64_t at;
    int result;

    if (offset % q->cluster_size != 0 || offset >= image->size || n_packed >= q->cluster_size) {
        return -EINVAL;
    }
    if (n_packed == 0) {
        return image_write(image, offset, bytes, MIN(q->cluster_size, image->size - offset));
    }
    result = image->read_only ? -EROFS : qcow2_make_room(q);
    if (result < 0) {
        return result;
    }
    gate_enter(&q->operations);
    pthread_mutex_lock(&q->lock);
    result = qcow2_touch(q);
    if (result == 0) {
        result = packed_alloc(q, n_packed, &at);
    }
    pthread_mutex_unlock(&q->lock);
    if (result == 0) {
        result = storage_write(image->storage, at, packed, n_packed);
    }
    pthread_mutex_lock(&q->lock);
    if (result == 0) {
        result = packed_link(q, offset, packed_entry(q, at, n_packed));
    }
    pthread_mutex_unlock(&q->lock);
    gate_leave(&q->operations);
    return result;
}
