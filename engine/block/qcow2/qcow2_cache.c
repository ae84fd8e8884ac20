/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Metadata in memory: the L1 and refcount tables whole, L2 tables and refcount blocks as slices of
 * 4 KiB in two caches of bounded size. See qcow2_private.h.
 */
#include <errno.h>
#include <string.h>

#include "qcow2_private.h"

enum {
    ENTRIES_A_SECTOR = 64,
};

/* --- Tables ----------------------------------------------------------------------------------- */

int qcow2_table_load(struct table *table, struct storage *storage, uint64_t offset, uint32_t n)
{
    uint64_t *entries = g_try_new(uint64_t, MAX(n, 1));
    int result = entries == NULL ? -ENOMEM : 0;

    if (result == 0 && n > 0) {
        result = storage_read_all(storage, offset, entries, (size_t)n * 8);
    }
    if (result < 0) {
        g_free(entries);
        return result;
    }
    for (uint32_t i = 0; i < n; i++) {
        entries[i] = GUINT64_FROM_BE(entries[i]);
    }
    qcow2_table_clear(table);
    *table = (struct table){
        .entries = entries,
        .n = n,
        .offset = offset,
        .dirty = g_malloc0(n / ENTRIES_A_SECTOR + 1),
    };
    return 0;
}

void qcow2_table_set(struct table *table, uint32_t index, uint64_t value)
{
    table->entries[index] = value;
    table->dirty[index / ENTRIES_A_SECTOR] = 1;
    table->any_dirty = true;
}

GArray *qcow2_table_take_dirty(struct table *table)
{
    GArray *sectors = g_array_new(FALSE, FALSE, sizeof(struct sector));

    for (uint32_t at = 0; table->any_dirty && at < table->n; at += ENTRIES_A_SECTOR) {
        struct sector sector = { .offset = table->offset + (uint64_t)at * 8 };
        uint32_t n = MIN(table->n - at, (uint32_t)ENTRIES_A_SECTOR);

        if (!table->dirty[at / ENTRIES_A_SECTOR]) {
            continue;
        }
        for (uint32_t i = 0; i < n; i++) {
            store_be64(sector.bytes + (gsize)i * 8, table->entries[at + i]);
        }
        sector.length = n * 8;
        table->dirty[at / ENTRIES_A_SECTOR] = 0;
        g_array_append_val(sectors, sector);
    }
    table->any_dirty = false;
    return sectors;
}

int qcow2_sectors_write(struct storage *storage, const GArray *sectors)
{
    int result = 0;

    for (guint i = 0; i < sectors->len && result == 0; i++) {
        const struct sector *sector = &g_array_index(sectors, struct sector, i);

        result = storage_write(storage, sector->offset, sector->bytes, sector->length);
    }
    return result;
}

void qcow2_table_clear(struct table *table)
{
    g_free(table->entries);
    g_free(table->dirty);
    *table = (struct table){ NULL };
}

/* --- Caches ----------------------------------------------------------------------------------- */

static void slice_free(gpointer data)
{
    struct slice *slice = data;

    g_free(slice->bytes);
    g_free(slice);
}

void qcow2_cache_init(struct cache *cache, uint64_t bytes, uint32_t slice_size)
{
    *cache = (struct cache){
        .slices = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, slice_free),
        .limit = (unsigned)MAX(bytes / slice_size, 16),
    };
}

void qcow2_cache_clear(struct cache *cache)
{
    g_clear_pointer(&cache->slices, g_hash_table_unref);
}

static void unlink_slice(struct cache *cache, struct slice *slice)
{
    *(slice->newer != NULL ? &slice->newer->older : &cache->newest) = slice->older;
    *(slice->older != NULL ? &slice->older->newer : &cache->oldest) = slice->newer;
    slice->newer = slice->older = NULL;
}

static void link_newest(struct cache *cache, struct slice *slice)
{
    slice->older = cache->newest;
    if (cache->newest != NULL) {
        cache->newest->newer = slice;
    } else {
        cache->oldest = slice;
    }
    cache->newest = slice;
}

static void slice_drop(struct cache *cache, struct slice *slice)
{
    unlink_slice(cache, slice);
    cache->n--;
    cache->n_dirty -= slice->dirty;
    g_hash_table_remove(cache->slices, GSIZE_TO_POINTER(slice->offset));
}

static void make_place(struct cache *cache)
{
    struct slice *next;

    for (struct slice *slice = cache->oldest; slice != NULL && cache->n >= cache->limit;
         slice = next) {
        next = slice->newer;
        if (!slice->dirty && !slice->busy) {
            slice_drop(cache, slice);
        }
    }
}

int qcow2_cache_get(struct qcow2 *q, struct cache *cache, uint64_t offset, struct slice **found)
{
    uint64_t start = offset / q->slice_size * q->slice_size;
    struct slice *slice = g_hash_table_lookup(cache->slices, GSIZE_TO_POINTER(start));
    int result;

    if (slice != NULL) {
        if (slice != cache->newest) {
            unlink_slice(cache, slice);
            link_newest(cache, slice);
        }
        *found = slice;
        return 0;
    }
    if (cache->n >= cache->limit) {
        make_place(cache);
    }
    slice = g_new0(struct slice, 1);
    slice->offset = start;
    slice->bytes = g_malloc(q->slice_size);
    result = storage_read(q->image.storage, start, slice->bytes, q->slice_size);
    if (result < 0) {
        slice_free(slice);
        return result;
    }
    g_hash_table_insert(cache->slices, GSIZE_TO_POINTER(start), slice);
    link_newest(cache, slice);
    cache->n++;
    *found = slice;
    return 0;
}

bool qcow2_cache_has(const struct cache *cache, uint64_t offset, uint32_t slice_size)
{
    return g_hash_table_contains(cache->slices, GSIZE_TO_POINTER(offset / slice_size * slice_size));
}

void qcow2_cache_dirty(struct cache *cache, struct slice *slice)
{
    cache->n_dirty += !slice->dirty;
    slice->dirty = true;
}

bool qcow2_cache_crowded(const struct cache *cache)
{
    return cache->n_dirty >= cache->limit;
}

void qcow2_cache_drop_cluster(struct qcow2 *q, struct cache *cache, uint64_t offset)
{
    for (uint64_t at = offset; at < offset + q->cluster_size; at += q->slice_size) {
        struct slice *slice = g_hash_table_lookup(cache->slices, GSIZE_TO_POINTER(at));

        if (slice != NULL) {
            slice_drop(cache, slice);
        }
    }
}
