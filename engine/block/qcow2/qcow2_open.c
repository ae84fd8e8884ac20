/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening and closing, and the class. See qcow2_private.h. */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "qcow2_private.h"

static void begin(struct image *image)
{
    gate_enter(&qcow2_of(image)->operations);
}

static bool begin_now(struct image *image)
{
    return gate_enter_now(&qcow2_of(image)->operations);
}

static void end(struct image *image)
{
    gate_leave(&qcow2_of(image)->operations);
}

static void add(GPtrArray *pairs, const char *key, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void add(GPtrArray *pairs, const char *key, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_ptr_array_add(pairs, g_strdup(key));
    g_ptr_array_add(pairs, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static GPtrArray *describe(struct image *image)
{
    struct qcow2 *q = qcow2_of(image);
    GPtrArray *pairs = g_ptr_array_new_with_free_func(g_free);

    add(pairs, "version", "%u", q->version);
    add(pairs, "cluster-size", "%u", q->cluster_size);
    add(pairs, "refcount-bits", "%u", 1u << q->refcount_order);
    add(pairs, "compression", "%s", q->compression == QCOW2_ZSTD ? "zstd" : "deflate");
    add(pairs, "subclusters", "%s", q->extended_l2 ? "yes" : "no");
    add(pairs, "lazy-refcounts", "%s", q->compatible & QCOW2_COMPAT_LAZY ? "yes" : "no");
    add(pairs, "snapshots", "%u", q->nb_snapshots);
    add(pairs, "bitmaps", "%u", q->n_bitmaps);
    add(pairs, "needs-repair", "%s", qcow2_needs_repair(image) ? "yes" : "no");
    return pairs;
}

static void free_image(struct image *image)
{
    struct qcow2 *q = qcow2_of(image);

    /* The free clusters that wait; what a failed flush could not do stays a leak. */
    if (!image->read_only && qcow2_settle(q) < 0) {
        g_message("“%s”: some space in it stays unused; “orielctl disk repair” frees it.",
                  image->storage->name);
    }
    qcow2_table_clear(&q->l1);
    qcow2_table_clear(&q->reftable);
    qcow2_cache_clear(&q->l2_cache);
    qcow2_cache_clear(&q->refcount_cache);
    g_hash_table_unref(q->metadata);
    g_array_unref(q->frees);
    pthread_mutex_destroy(&q->lock);
    pthread_mutex_destroy(&q->flushing);
    gate_clear(&q->operations);
    pthread_cond_destroy(&q->landed);
    image_clear(image);
    g_free(q);
}

static int sync_all(struct image *image)
{
    return qcow2_settle(qcow2_of(image));
}

const struct image_class qcow2_class = {
    .format = IMAGE_QCOW2,
    .map = qcow2_map,
    .decompress = qcow2_decompress,
    .write = qcow2_write,
    .zero = qcow2_zero,
    .flush = qcow2_flush,
    .sync = sync_all,
    .resize = qcow2_resize,
    .map_now = qcow2_map_now,
    .place_write = qcow2_place_write,
    .begin = begin,
    .begin_now = begin_now,
    .end = end,
    .describe = describe,
    .free = free_image,
};

static struct qcow2 *new (struct storage *storage)
{
    struct qcow2 *q = g_new0(struct qcow2, 1);

    image_init(&q->image, &qcow2_class, storage);
    pthread_mutex_init(&q->lock, NULL);
    pthread_mutex_init(&q->flushing, NULL);
    pthread_cond_init(&q->landed, NULL);
    gate_init(&q->operations);
    q->metadata = g_hash_table_new(g_direct_hash, g_direct_equal);
    q->frees = g_array_new(FALSE, FALSE, sizeof(struct cluster_range));
    return q;
}

static void caches_make(struct qcow2 *q)
{
    /* Enough for the whole disk, within the limit. */
    uint64_t bytes = (clusters_of(q, q->image.size) + 1) * l2_entry_size(q);

    q->slice_size = q->cluster_size > 0 ? MIN(q->cluster_size, (uint32_t)QCOW2_SLICE) : QCOW2_SLICE;
    qcow2_cache_init(&q->l2_cache, MIN(bytes + 16 * QCOW2_SLICE, QCOW2_L2_CACHE_MAX),
                     q->slice_size);
    qcow2_cache_init(&q->refcount_cache, QCOW2_REFCOUNT_CACHE_MAX, q->slice_size);
}

/* Where tables lie, so that no data is ever written there. */
static void metadata_note(struct qcow2 *q)
{
    qcow2_metadata_add(q, 0, 1);
    qcow2_metadata_add(q, q->l1.offset >> q->cluster_bits, clusters_of(q, (uint64_t)q->l1.n * 8));
    qcow2_metadata_add(q, q->reftable.offset >> q->cluster_bits,
                       clusters_of(q, (uint64_t)q->reftable.n * 8));
    for (uint32_t i = 0; i < q->l1.n; i++) {
        if (q->l1.entries[i] & QCOW2_OFFSET_MASK) {
            qcow2_metadata_add(q, (q->l1.entries[i] & QCOW2_OFFSET_MASK) >> q->cluster_bits, 1);
        }
    }
    for (uint32_t i = 0; i < q->reftable.n; i++) {
        if (q->reftable.entries[i] & ~UINT64_C(511)) {
            qcow2_metadata_add(q, q->reftable.entries[i] >> q->cluster_bits, 1);
        }
    }
}

static bool writable_check(struct qcow2 *q, GError **error)
{
    const char *name = q->image.storage->name;

    if (q->image.read_only) {
        return true;
    }
    if (q->extended_l2) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” has subclusters, which are only read. Convert it with “orielctl disk "
                      "convert”."),
                    name);
        return false;
    }
    if (qcow2_needs_repair(&q->image) && !q->for_repair) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                    _("“%s” was not closed properly or is damaged. Repair it with “orielctl disk "
                      "repair” first."),
                    name);
        return false;
    }
    return true;
}

static bool snapshot_select(struct qcow2 *q, const char *id, GError **error)
{
    g_autoptr(GPtrArray) snapshots = qcow2_snapshots_load(q, NULL, error);
    int result;

    if (snapshots == NULL) {
        return false;
    }
    for (guint i = 0; i < snapshots->len; i++) {
        const struct snapshot_entry *entry = snapshots->pdata[i];

        if (strcmp(entry->public.id, id) == 0 || strcmp(entry->public.name, id) == 0) {
            result =
                qcow2_table_load(&q->l1, q->image.storage, entry->l1_offset, entry->l1_entries);
            if (result < 0) {
                image_set_error(&q->image, result, error);
                return false;
            }
            q->image.size = entry->public.disk_size;
            q->image.read_only = q->is_snapshot = true;
            return true;
        }
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND, _("“%s” has no snapshot “%s”."),
                q->image.storage->name, id);
    return false;
}

static struct image *open_with(struct storage *storage, const char *snapshot, bool for_repair,
                               GError **error)
{
    struct qcow2 *q = new (storage);
    bool good;

    q->for_repair = for_repair;
    q->slice_size = QCOW2_SLICE;
    good = qcow2_header_load(q, error) &&
           (snapshot == NULL || snapshot_select(q, snapshot, error)) && writable_check(q, error);
    caches_make(q);
    if (!good) {
        q->image.read_only = true;
        free_image(&q->image);
        return NULL;
    }
    metadata_note(q);
    if (q->n_bitmaps > 0) {
        qcow2_metadata_add(q, q->bitmap_directory >> q->cluster_bits,
                           clusters_of(q, q->bitmap_directory_size));
    }
    q->fresh_from = clusters_of(q, storage_size(storage));
    return &q->image;
}

struct image *qcow2_open(struct storage *storage, const char *snapshot, GError **error)
{
    return open_with(storage, snapshot, false, error);
}

struct image *qcow2_open_for_repair(struct storage *storage, GError **error)
{
    return open_with(storage, NULL, true, error);
}

bool qcow2_needs_repair(struct image *image)
{
    return qcow2_of(image)->incompatible & (QCOW2_INCOMPAT_DIRTY | QCOW2_INCOMPAT_CORRUPT);
}
