/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of qcow2/. Names of fields and bits are those of the specification.
 *
 * Locks, outermost first: `flushing` (one flush at a time), `operations` (requests share it; what
 * frees clusters for reuse has it alone), `lock` (all metadata below; never held across a barrier).
 * A cluster that a request works on cannot be given to another guest address before the request has
 * ended, because that needs `operations` alone.
 */
#ifndef ENGINE_BLOCK_QCOW2_PRIVATE_H
#define ENGINE_BLOCK_QCOW2_PRIVATE_H

#include <pthread.h>

#include "block/drive/gate.h"
#include "bytes.h"
#include "config/config.h"
#include "qcow2.h"

enum {
    QCOW2_HEADER_V2 = 72,
    QCOW2_HEADER_V3 = 104,
    QCOW2_CLUSTER_BITS_MIN = 9,
    QCOW2_CLUSTER_BITS_MAX = 21,
    QCOW2_BACKING_MAX = 1023,
    QCOW2_SNAPSHOTS_MAX = 65536,
    QCOW2_SLICE = 4096, /* unit of the metadata caches */
};

#define QCOW2_L1_BYTES_MAX         (UINT64_C(32) << 20)
#define QCOW2_REFTABLE_BYTES_MAX   (UINT64_C(8) << 20)
#define QCOW2_SNAPSHOT_BYTES_MAX   (UINT64_C(64) << 20)
#define QCOW2_SNAPSHOT_L1_MAX      (UINT64_C(1) << 30)  /* bytes of all snapshots' L1 tables */
#define QCOW2_L2_CACHE_MAX         (UINT64_C(32) << 20) /* covers 256 GiB at 64 KiB clusters */
#define QCOW2_REFCOUNT_CACHE_MAX   (UINT64_C(4) << 20)
#define QCOW2_FREES_MAX            4096 /* ranges that wait for a flush */

#define QCOW2_OFFSET_MASK          UINT64_C(0x00fffffffffffe00)
#define QCOW2_COPIED               (UINT64_C(1) << 63)
#define QCOW2_COMPRESSED           (UINT64_C(1) << 62)
#define QCOW2_ZERO                 UINT64_C(1)

#define QCOW2_INCOMPAT_DIRTY       UINT64_C(1)
#define QCOW2_INCOMPAT_CORRUPT     UINT64_C(2)
#define QCOW2_INCOMPAT_DATA_FILE   UINT64_C(4)
#define QCOW2_INCOMPAT_COMPRESSION UINT64_C(8)
#define QCOW2_INCOMPAT_EXTENDED_L2 UINT64_C(16)
#define QCOW2_COMPAT_LAZY          UINT64_C(1)

enum qcow2_header_field {
    HEADER_MAGIC = 0,
    HEADER_VERSION = 4,
    HEADER_BACKING_OFFSET = 8,
    HEADER_BACKING_SIZE = 16,
    HEADER_CLUSTER_BITS = 20,
    HEADER_SIZE = 24,
    HEADER_CRYPT_METHOD = 32,
    HEADER_L1_SIZE = 36,
    HEADER_L1_OFFSET = 40,
    HEADER_REFTABLE_OFFSET = 48,
    HEADER_REFTABLE_CLUSTERS = 56,
    HEADER_NB_SNAPSHOTS = 60,
    HEADER_SNAPSHOTS_OFFSET = 64,
    HEADER_INCOMPATIBLE = 72,
    HEADER_COMPATIBLE = 80,
    HEADER_AUTOCLEAR = 88,
    HEADER_REFCOUNT_ORDER = 96,
    HEADER_LENGTH = 100,
    HEADER_COMPRESSION_TYPE = 104,
};

enum qcow2_extension {
    EXTENSION_END = 0,
    EXTENSION_BACKING_FORMAT = 0xe2792aca,
    EXTENSION_FEATURE_NAMES = 0x6803f857,
    EXTENSION_BITMAPS = 0x23852875,
};

/* A piece of a table. Not moved or freed while dirty or being flushed. */
struct slice {
    uint64_t offset; /* in the file */
    uint8_t *bytes;
    bool dirty, busy;
    struct slice *newer, *older; /* by use */
};

struct cache {
    GHashTable *slices; /* offset -> slice */
    struct slice *newest, *oldest;
    unsigned n, limit, n_dirty;
};

/* A table that is held in memory whole, with marks for what must be written. */
struct table {
    uint64_t *entries; /* host byte order */
    uint32_t n;
    uint64_t offset; /* in the file */
    uint8_t *dirty;  /* one byte for each 64 entries (one sector) */
    bool any_dirty;
};

struct cluster_range {
    uint64_t first, n;
};

/* An allocating write that is under way. */
struct in_flight {
    uint64_t first, n; /* guest clusters */
    struct in_flight *next;
};

struct qcow2 {
    struct image image;
    unsigned version, cluster_bits, refcount_order, header_length;
    uint32_t cluster_size;
    uint32_t slice_size;
    unsigned l2_bits; /* of the number of entries in an L2 table */
    bool extended_l2;
    enum qcow2_compression compression;
    uint64_t incompatible, compatible, autoclear;
    uint32_t nb_snapshots;
    uint64_t snapshots_offset;
    uint64_t bitmap_directory, bitmap_directory_size;
    uint32_t n_bitmaps;
    bool is_snapshot; /* opened at an internal snapshot */
    bool for_repair;

    pthread_mutex_t flushing;
    struct gate operations;
    pthread_mutex_t lock;
    /* Below: under `lock`. */
    pthread_cond_t landed; /* an allocating write has ended */
    struct table l1, reftable;
    struct cache l2_cache, refcount_cache;
    GHashTable *metadata; /* numbers of clusters that hold tables: never written with data */
    GArray *frees;        /* cluster_range: to be freed when the next flush has ended */
    struct in_flight *in_flight;
    uint64_t free_hint;  /* no free cluster below */
    uint64_t fresh_from; /* clusters from here on were never used: they read as zeroes */
    uint64_t packed_at;  /* where the next compressed cluster may go; 0: a new cluster */
    bool written;        /* autoclear bits are cleared */
};

static inline struct qcow2 *qcow2_of(struct image *image)
{
    return (struct qcow2 *)image;
}

extern const struct image_class qcow2_class;

static inline uint64_t clusters_of(const struct qcow2 *q, uint64_t bytes)
{
    return (bytes >> q->cluster_bits) + ((bytes & (q->cluster_size - 1)) != 0);
}

/* Bytes of the disk that one L2 table covers, as a power of two. */
static inline unsigned l1_shift(const struct qcow2 *q)
{
    return q->cluster_bits + q->l2_bits;
}

static inline unsigned l2_entry_size(const struct qcow2 *q)
{
    return q->extended_l2 ? 16 : 8;
}

/* --- qcow2_table.c, qcow2_cache.c: lock held ------------------------------------------------ */

/* Reads a table of `n` entries; -EUCLEAN if it is not in the file. */
int qcow2_table_load(struct table *table, struct storage *storage, uint64_t offset, uint32_t n);
void qcow2_table_set(struct table *table, uint32_t index, uint64_t value);
/* The dirty sectors, each as offset and bytes in disk order, for writing; clears the marks. */
GArray *qcow2_table_take_dirty(struct table *table);
void qcow2_table_clear(struct table *table);

/* One sector of a table on its way to the file. */
struct sector {
    uint64_t offset;
    unsigned length;
    uint8_t bytes[512];
};
int qcow2_sectors_write(struct storage *storage, const GArray *sectors);

void qcow2_cache_init(struct cache *cache, uint64_t bytes, uint32_t slice_size);
void qcow2_cache_clear(struct cache *cache);
/*
 * The slice that holds file offset `offset`; read if it is not there. Valid until the next call. If
 * the cache is full, the oldest clean slice goes; if all are dirty, the cache grows until the next
 * flush, which requests begin with when qcow2_cache_crowded().
 */
int qcow2_cache_get(struct qcow2 *q, struct cache *cache, uint64_t offset, struct slice **slice);
/* Whether qcow2_cache_get() would not have to read. */
bool qcow2_cache_has(const struct cache *cache, uint64_t offset, uint32_t slice_size);
void qcow2_cache_dirty(struct cache *cache, struct slice *slice);
bool qcow2_cache_crowded(const struct cache *cache);
/* Forgets the slices of a cluster that holds no table any more. */
void qcow2_cache_drop_cluster(struct qcow2 *q, struct cache *cache, uint64_t offset);

/* --- qcow2_map.c ---------------------------------------------------------------------------- */

int qcow2_map(struct image *image, uint64_t offset, uint64_t length, struct image_extent *extent);
/* The same, but -EAGAIN instead of waiting for the lock or the host's disk. */
int qcow2_map_now(struct image *image, uint64_t offset, uint64_t length,
                  struct image_extent *extent);
/* The L2 entry for this guest address is in memory, or there is no table for it. Lock held. */
bool qcow2_l2_cached(struct qcow2 *q, uint64_t guest);
/* The place of an L2 entry: slice and byte in it. Lock held. */
int qcow2_l2_entry_find(struct qcow2 *q, uint64_t l2_offset, uint64_t guest, struct slice **slice,
                        unsigned *at);
/* Where a compressed entry's data is: file offset and the most bytes it may have. */
void qcow2_compressed_place(const struct qcow2 *q, uint64_t entry, uint64_t *offset,
                            uint64_t *length);
int qcow2_decompress(struct image *image, const struct image_extent *extent, uint8_t *unit);

/* --- qcow2_refcount.c, qcow2_alloc.c: lock held --------------------------------------------- */

int qcow2_refcount_get(struct qcow2 *q, uint64_t cluster, uint64_t *count);
/* The refcount block must be there. */
int qcow2_refcount_set(struct qcow2 *q, uint64_t cluster, uint64_t count);
uint64_t qcow2_refcount_max(const struct qcow2 *q);
/* Reads and writes one refcount in a block's bytes. */
uint64_t qcow2_refcount_load(const uint8_t *block, uint64_t index, unsigned order);
void qcow2_refcount_store(uint8_t *block, uint64_t index, unsigned order, uint64_t count);
/* A larger refcount table, with room for block `needed`. */
int qcow2_reftable_grow(struct qcow2 *q, uint64_t needed);
/* Makes cluster `place`, which is free, an empty refcount block; its own count is not set. */
int qcow2_refcount_block_place(struct qcow2 *q, uint64_t index, uint64_t place);
/* Makes sure that the cluster's refcount has a block; may allocate one. */
int qcow2_refcount_block_ensure(struct qcow2 *q, uint64_t cluster);
static inline uint64_t qcow2_refcounts_per_block(const struct qcow2 *q)
{
    return (uint64_t)q->cluster_size * 8 >> q->refcount_order;
}

/*
 * Takes up to `wanted` free clusters in a row, at least one, with refcount 1. `fresh` says whether
 * they read as zeroes.
 */
int qcow2_clusters_alloc(struct qcow2 *q, uint64_t wanted, uint64_t *first, uint64_t *got,
                         bool *fresh);
/* Exactly `n` in a row. */
int qcow2_clusters_alloc_all(struct qcow2 *q, uint64_t n, uint64_t *first);
/* Lets go of clusters that were never named on disk: at once. */
void qcow2_clusters_give_back(struct qcow2 *q, uint64_t first, uint64_t n);
/* Lets go of clusters that may be named on disk: when the next flush has ended. */
void qcow2_clusters_free_later(struct qcow2 *q, uint64_t first, uint64_t n);
/* The same of what an L2 entry names. */
void qcow2_entry_free_later(struct qcow2 *q, uint64_t entry);
/* Drops one reference now. */
int qcow2_refcount_drop(struct qcow2 *q, uint64_t first, uint64_t n, GArray *released);
static inline bool is_metadata(const struct qcow2 *q, uint64_t cluster)
{
    return g_hash_table_contains(q->metadata, GSIZE_TO_POINTER(cluster));
}
void qcow2_metadata_add(struct qcow2 *q, uint64_t first, uint64_t n);
void qcow2_metadata_remove(struct qcow2 *q, uint64_t first, uint64_t n);

/* --- qcow2_header.c ------------------------------------------------------------------------- */

/* Reads and checks the header, its extensions and the backing name. */
bool qcow2_header_load(struct qcow2 *q, GError **error);
/* Writes header fields at `offset`, which is one sector's at most. */
int qcow2_header_write(struct qcow2 *q, unsigned offset, const uint8_t *bytes, unsigned length);
int qcow2_header_set_features(struct qcow2 *q, uint64_t incompatible, uint64_t autoclear);
/* Before the first write: clears the autoclear bits that would no longer be true. Lock held. */
int qcow2_touch(struct qcow2 *q);
/* Marks the image corrupt and says why. Lock held. */
int qcow2_corrupt(struct qcow2 *q, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* --- qcow2_write.c, qcow2_zero.c, qcow2_flush.c, qcow2_resize.c ------------------------------ */

/* image_class.place_write */
int qcow2_place_write(struct image *image, uint64_t offset, uint64_t length, uint64_t *host);
int qcow2_write(struct image *image, uint64_t offset, const struct iovec *spans, unsigned n,
                uint64_t length);
int qcow2_zero(struct image *image, uint64_t offset, uint64_t length, bool release);
int qcow2_flush(struct image *image);
/* Flushes until no free waits. */
int qcow2_settle(struct qcow2 *q);
bool qcow2_resize(struct image *image, uint64_t size, GError **error);
/* Waits until no allocating write touches these guest clusters. Lock held. */
void qcow2_in_flight_wait(struct qcow2 *q, uint64_t first, uint64_t n);
/*
 * The offset of the L2 table for a guest address, which this image alone owns: a new one, or a copy
 * of a shared one. Lock held.
 */
int qcow2_l2_table_own(struct qcow2 *q, uint64_t guest, uint64_t *l2_offset);
/* What a request that changes something begins with; no lock held. */
int qcow2_make_room(struct qcow2 *q);

/* --- qcow2_snapshot.c ----------------------------------------------------------------------- */

struct snapshot_entry {
    struct qcow2_snapshot public;
    uint64_t l1_offset;
    uint32_t l1_entries;
    uint64_t at, length; /* bytes of the entry in the table */
};
/* struct snapshot_entry; also checks every field. */
GPtrArray *qcow2_snapshots_load(struct qcow2 *q, uint64_t *table_bytes, GError **error);

/* --- qcow2_walk.c --------------------------------------------------------------------------- */

enum reference_kind {
    REFERENCE_HEADER,
    REFERENCE_REFTABLE,
    REFERENCE_REFBLOCK,
    REFERENCE_L1, /* active */
    REFERENCE_SNAPSHOTS,
    REFERENCE_SNAPSHOT_L1,
    REFERENCE_L2,
    REFERENCE_DATA,
    REFERENCE_PACKED, /* compressed data */
    REFERENCE_BITMAP,
};

struct reference {
    enum reference_kind kind;
    bool active;       /* of the disk, not of a snapshot */
    bool copied;       /* the flag, L2 tables and data of the disk */
    uint64_t first, n; /* host clusters */
    uint64_t place;    /* file offset of the entry that names them; 0: the header */
    uint64_t entry;    /* as it is there */
};

/* Several walks that are one piece of work. */
struct walks {
    const struct qcow2_watch *watch; /* NULL: nobody looks on */
    uint64_t bytes;                  /* of the image's file */
    uint64_t n, done;                /* walks; `n` as far as is known */
    bool committed;                  /* it is too late to stop */
};

struct walker {
    /* Called for each; what lies outside the file or is misaligned comes with n == 0. */
    void (*visit)(struct walker *walker, const struct reference *reference);
    void *context;
    struct walks *walks; /* NULL: nobody looks on */
};
/*
 * Everything that names clusters. Negative errno: -ECANCELED if whoever looks on wants to stop,
 * otherwise the host has failed. No request may run.
 */
int qcow2_walk(struct qcow2 *q, struct walker *walker);

#endif
