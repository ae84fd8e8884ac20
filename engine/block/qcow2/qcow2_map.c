/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the guest's data is: L1, L2, subclusters, compressed clusters. See qcow2_private.h. */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <zlib.h>
#include <zstd.h>

#include "../unpack.h"
#include "qcow2_private.h"

enum {
    SUBCLUSTERS = 32,
    ZSTD_WINDOW_LOG_MAX = 24, /* 16 MiB: more than any cluster asks for */
};

int qcow2_l2_entry_find(struct qcow2 *q, uint64_t l2_offset, uint64_t guest, struct slice **slice,
                        unsigned *at)
{
    uint64_t index = (guest >> q->cluster_bits) & ((UINT64_C(1) << q->l2_bits) - 1);
    uint64_t offset = l2_offset + index * l2_entry_size(q);

    *at = (unsigned)(offset % q->slice_size);
    return qcow2_cache_get(q, &q->l2_cache, offset, slice);
}

bool qcow2_l2_cached(struct qcow2 *q, uint64_t guest)
{
    uint64_t l1 = guest >> l1_shift(q), entry = l1 < q->l1.n ? q->l1.entries[l1] : 0;
    uint64_t index = (guest >> q->cluster_bits) & ((UINT64_C(1) << q->l2_bits) - 1);

    entry &= QCOW2_OFFSET_MASK;
    return entry == 0 ||
           qcow2_cache_has(&q->l2_cache, entry + index * l2_entry_size(q), q->slice_size);
}

static int l2_offset_check(struct qcow2 *q, uint64_t offset)
{
    if (offset % q->cluster_size != 0 ||
        !range_fits(offset, q->cluster_size, storage_size(q->image.storage))) {
        return qcow2_corrupt(q, _("an L2 table lies outside of the file"));
    }
    return 0;
}

/* One cluster or subcluster: what it is and where. */
struct place {
    enum image_kind kind;
    uint64_t host;
};

static int standard_place(struct qcow2 *q, uint64_t entry, enum image_kind kind,
                          struct place *place)
{
    place->kind = kind;
    place->host = entry & QCOW2_OFFSET_MASK;
    if (kind != IMAGE_DATA) {
        return 0;
    }
    if (place->host % q->cluster_size != 0 || place->host == 0) {
        return qcow2_corrupt(q, _("an entry of an L2 table is wrong"));
    }
    if (place->host >= storage_size(q->image.storage)) {
        return qcow2_corrupt(q, _("a cluster lies outside of the file, which may be cut short"));
    }
    return 0;
}

static enum image_kind entry_kind(const struct qcow2 *q, uint64_t entry)
{
    if (entry & QCOW2_COMPRESSED) {
        return IMAGE_COMPRESSED;
    }
    if ((entry & QCOW2_ZERO) && q->version >= 3) {
        return IMAGE_ZERO;
    }
    return entry & QCOW2_OFFSET_MASK ? IMAGE_DATA : IMAGE_ABSENT;
}

/* What is at `guest`, and the bytes to the end of that unit of the map. */
static int place_at(struct qcow2 *q, const uint8_t *bytes, uint64_t guest, struct place *place,
                    uint64_t *left)
{
    uint64_t entry = load_be64(bytes), within = guest & (q->cluster_size - 1);
    int result;

    *left = q->cluster_size - within;
    if (!q->extended_l2 || (entry & QCOW2_COMPRESSED)) {
        result = standard_place(q, entry, entry_kind(q, entry), place);
    } else {
        uint64_t bitmap = load_be64(bytes + 8);
        uint32_t size = q->cluster_size / SUBCLUSTERS;
        unsigned n = (unsigned)(within / size);
        bool here = bitmap >> n & 1, zero = bitmap >> (n + SUBCLUSTERS) & 1;

        *left = size - within % size;
        if (here && zero) {
            return qcow2_corrupt(q, _("a subcluster is both data and zero"));
        }
        result = standard_place(q, entry,
                                here   ? IMAGE_DATA
                                : zero ? IMAGE_ZERO
                                       : IMAGE_ABSENT,
                                place);
    }
    place->host += within;
    return result;
}

static int map_compressed(struct qcow2 *q, uint64_t offset, uint64_t length, uint64_t entry,
                          struct image_extent *extent)
{
    uint64_t within = offset & (q->cluster_size - 1), host, bytes;

    qcow2_compressed_place(q, entry, &host, &bytes);
    if (host >= storage_size(q->image.storage)) {
        return qcow2_corrupt(q, _("a compressed cluster lies outside of the file"));
    }
    *extent = (struct image_extent){
        .kind = IMAGE_COMPRESSED,
        .length = MIN(length, q->cluster_size - within),
        .storage = q->image.storage,
        .host = host,
        .unit = offset - within,
        .cookie = bytes,
    };
    return 0;
}

/* Within one slice: as far as kind and place go on. */
static int map_slice(struct qcow2 *q, uint64_t l2_offset, uint64_t offset, uint64_t length,
                     struct image_extent *extent)
{
    struct place first, next;
    struct slice *slice;
    uint64_t known;
    unsigned at;
    int result = qcow2_l2_entry_find(q, l2_offset, offset, &slice, &at);

    if (result < 0) {
        return result;
    }
    if (load_be64(slice->bytes + at) & QCOW2_COMPRESSED) {
        return map_compressed(q, offset, length, load_be64(slice->bytes + at), extent);
    }
    result = place_at(q, slice->bytes + at, offset, &first, &known);
    if (result < 0) {
        return result;
    }
    while (known < length) {
        uint64_t left;

        if (((offset + known) & (q->cluster_size - 1)) == 0) {
            at += l2_entry_size(q);
        }
        if (at >= q->slice_size || (load_be64(slice->bytes + at) & QCOW2_COMPRESSED)) {
            break;
        }
        if (place_at(q, slice->bytes + at, offset + known, &next, &left) < 0) {
            break; /* reported when it is asked for */
        }
        if (next.kind != first.kind ||
            (next.kind == IMAGE_DATA && next.host != first.host + known)) {
            break;
        }
        known += left;
    }
    *extent = (struct image_extent){
        .kind = first.kind,
        .length = MIN(known, length),
        .storage = q->image.storage,
        .host = first.host,
    };
    return 0;
}

static int map_locked(struct qcow2 *q, uint64_t offset, uint64_t length,
                      struct image_extent *extent)
{
    uint64_t covered = UINT64_C(1) << l1_shift(q);
    uint64_t left = covered - (offset & (covered - 1)), l2_offset;
    uint32_t index = (uint32_t)(offset >> l1_shift(q));
    int result;

    if (index < q->l1.n && (q->l1.entries[index] & QCOW2_OFFSET_MASK)) {
        l2_offset = q->l1.entries[index] & QCOW2_OFFSET_MASK;
        result = l2_offset_check(q, l2_offset);
        return result < 0 ? result : map_slice(q, l2_offset, offset, MIN(length, left), extent);
    }
    while (left < length && (++index >= q->l1.n || !(q->l1.entries[index] & QCOW2_OFFSET_MASK))) {
        left += covered;
    }
    *extent = (struct image_extent){ .kind = IMAGE_ABSENT, .length = MIN(length, left) };
    return 0;
}

int qcow2_map(struct image *image, uint64_t offset, uint64_t length, struct image_extent *extent)
{
    struct qcow2 *q = qcow2_of(image);
    int result;

    pthread_mutex_lock(&q->lock);
    result = map_locked(q, offset, length, extent);
    pthread_mutex_unlock(&q->lock);
    return result;
}

int qcow2_map_now(struct image *image, uint64_t offset, uint64_t length,
                  struct image_extent *extent)
{
    struct qcow2 *q = qcow2_of(image);
    int result = -EAGAIN;

    if (pthread_mutex_trylock(&q->lock) == 0) {
        if (qcow2_l2_cached(q, offset)) {
            result = map_locked(q, offset, length, extent);
        }
        pthread_mutex_unlock(&q->lock);
    }
    return result;
}

/* --- Compressed clusters ---------------------------------------------------------------------- */

void qcow2_compressed_place(const struct qcow2 *q, uint64_t entry, uint64_t *offset,
                            uint64_t *length)
{
    unsigned x = 62 - (q->cluster_bits - 8);
    uint64_t sectors = (entry & (QCOW2_COMPRESSED - 1)) >> x;

    *offset = entry & ((UINT64_C(1) << x) - 1);
    *length = (sectors + 1) * IMAGE_SECTOR - (*offset & (IMAGE_SECTOR - 1));
}

static void zstd_free(gpointer data)
{
    ZSTD_freeDCtx(data);
}

/* One for each thread: making one takes longer than unpacking a cluster. */
static ZSTD_DCtx *zstd_context(void)
{
    static GPrivate context = G_PRIVATE_INIT(zstd_free);

    if (g_private_get(&context) == NULL) {
        ZSTD_DCtx *new = ZSTD_createDCtx();

        if (new != NULL) {
            ZSTD_DCtx_setParameter(new, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
        }
        g_private_set(&context, new);
    }
    return g_private_get(&context);
}

/* What libdeflate does not take: streams that end without their end mark. */
static bool inflate_leniently(const uint8_t *packed, size_t n_packed, uint8_t *bytes, size_t n)
{
    z_stream stream = { .next_in = (uint8_t *)packed,
                        .avail_in = (uInt)n_packed,
                        .next_out = bytes,
                        .avail_out = (uInt)n };

    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
        return false;
    }
    inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return stream.avail_out == 0;
}

static bool unpack_deflate(const uint8_t *packed, size_t n_packed, uint8_t *bytes, size_t n)
{
    struct libdeflate_decompressor *decompressor = unpack_deflater();
    size_t in, out = 0;
    enum libdeflate_result result = LIBDEFLATE_BAD_DATA;

    if (decompressor != NULL) {
        result =
            libdeflate_deflate_decompress_ex(decompressor, packed, n_packed, bytes, n, &in, &out);
    }
    return (result == LIBDEFLATE_SUCCESS && out == n) ||
           inflate_leniently(packed, n_packed, bytes, n);
}

/* One or more frames, without their lengths; trailing bytes belong to a neighbour. */
static bool unpack_zstd(const uint8_t *packed, size_t n_packed, uint8_t *bytes, size_t n)
{
    ZSTD_DCtx *context = zstd_context();
    ZSTD_inBuffer in = { packed, n_packed, 0 };
    ZSTD_outBuffer out = { bytes, n, 0 };
    size_t result =
        context == NULL ? (size_t)-1 : ZSTD_DCtx_reset(context, ZSTD_reset_session_only);

    while (!ZSTD_isError(result) && out.pos < out.size) {
        size_t in_before = in.pos, out_before = out.pos;

        result = ZSTD_decompressStream(context, &out, &in);
        if (in.pos == in_before && out.pos == out_before) {
            break;
        }
    }
    return !ZSTD_isError(result) && out.pos == out.size;
}

int qcow2_decompress(struct image *image, const struct image_extent *extent, uint8_t *unit)
{
    struct qcow2 *q = qcow2_of(image);
    size_t length = (size_t)MIN(extent->cookie, storage_size(image->storage) - extent->host);
    g_autofree uint8_t *packed = g_try_malloc(length);
    int result = packed == NULL ? -ENOMEM : 0;
    bool good;

    if (result == 0) {
        result = storage_read(image->storage, extent->host, packed, length);
    }
    if (result < 0) {
        return result;
    }
    good = q->compression == QCOW2_ZSTD ? unpack_zstd(packed, length, unit, q->cluster_size)
                                        : unpack_deflate(packed, length, unit, q->cluster_size);
    if (!good) {
        return image_damaged(image,
                             _("“%s” is damaged: the compressed cluster at byte %" PRIu64
                               " of its disk cannot be unpacked. Restore it from a copy."),
                             image->storage->name, extent->unit);
    }
    return 0;
}
