/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything in an image that names clusters, one reference after the other. */
#include <errno.h>
#include <string.h>

#include "qcow2_private.h"

enum {
    BITMAP_FIXED = 24,
    BITMAP_ENTRIES_MAX = 1 << 22, /* of all bitmaps' tables */
    BITMAP_ENTRIES_READ = 512,    /* at once */
};

/* One L1 table with all that hangs on it. */
struct tree {
    struct qcow2 *q;
    struct walker *walker;
    bool active;
    unsigned number, n; /* which one of how many */
    uint8_t *l2;        /* one cluster */
    GHashTable *seen;   /* L2 tables of this tree: a second time is damage, and endless work */
};

static void visit(struct qcow2 *q, struct walker *walker, struct reference reference,
                  uint64_t offset, uint64_t bytes)
{
    uint64_t end = clusters_of(q, storage_size(q->image.storage));
    uint64_t first = offset >> q->cluster_bits, last;

    if (!range_fits(offset, bytes, IMAGE_BYTES_MAX)) {
        reference.first = first;
    } else {
        last = (offset + bytes - 1) >> q->cluster_bits;
        reference.first = first;
        reference.n = last < end ? last - first + 1 : 0;
    }
    if (offset % q->cluster_size != 0 && reference.kind != REFERENCE_PACKED) {
        reference.n = 0;
    }
    walker->visit(walker, &reference);
}

static void visit_l2_entry(struct tree *tree, uint64_t entry, uint64_t place)
{
    struct qcow2 *q = tree->q;
    struct reference reference = {
        .kind = REFERENCE_DATA, .active = tree->active, .place = place, .entry = entry
    };
    uint64_t offset = entry & QCOW2_OFFSET_MASK, length = q->cluster_size;

    if (entry & QCOW2_COMPRESSED) {
        reference.kind = REFERENCE_PACKED;
        qcow2_compressed_place(q, entry, &offset, &length);
        /* The last sector may be cut short by the file's end. */
        if (offset < storage_size(q->image.storage)) {
            length = MIN(length, storage_size(q->image.storage) - offset);
        }
    } else if (offset == 0) {
        return;
    } else {
        reference.copied = entry & QCOW2_COPIED;
    }
    visit(q, tree->walker, reference, offset, length);
}

static int visit_l2(struct tree *tree, uint64_t offset)
{
    struct qcow2 *q = tree->q;
    uint64_t hole = q->cluster_size;
    bool data = true;
    int result = storage_extent(q->image.storage, offset, &hole, &data);

    if (result < 0 || (!data && hole == q->cluster_size)) {
        return result;
    }
    result = storage_read(q->image.storage, offset, tree->l2, q->cluster_size);
    for (uint64_t at = 0; at < q->cluster_size && result == 0; at += l2_entry_size(q)) {
        uint64_t entry = load_be64(tree->l2 + at);

        if (entry != 0) {
            visit_l2_entry(tree, entry, offset + at);
        }
    }
    return result;
}

/* At an entry of the L1 table. */
static int tree_report(const struct tree *tree, uint32_t i, uint32_t n_entries)
{
    struct walks *walks = tree->walker->walks;
    double walk;

    if (walks == NULL || walks->watch == NULL) {
        return 0;
    }
    walk = (tree->number + (double)i / n_entries) / tree->n;
    if (!walks->watch->progress(
            (uint64_t)((double)walks->bytes *
                       MIN(((double)walks->done + walk) / (double)walks->n, 1.0)),
            walks->bytes, walks->watch->context) &&
        !walks->committed) {
        return -ECANCELED;
    }
    return 0;
}

static int visit_tree(struct tree *tree, const struct table *l1)
{
    struct qcow2 *q = tree->q;
    int result = 0;

    for (uint32_t i = 0; i < l1->n && result == 0; i++) {
        uint64_t offset = l1->entries[i] & QCOW2_OFFSET_MASK;
        struct reference reference = {
            .kind = REFERENCE_L2,
            .active = tree->active,
            .copied = l1->entries[i] & QCOW2_COPIED,
            .place = l1->offset + (uint64_t)i * 8,
            .entry = l1->entries[i],
        };

        if (offset == 0) {
            continue;
        }
        result = tree_report(tree, i, l1->n);
        if (result < 0) {
            break;
        }
        if (!g_hash_table_add(tree->seen, GSIZE_TO_POINTER(offset)) ||
            offset % q->cluster_size != 0 ||
            !range_fits(offset, q->cluster_size, storage_size(q->image.storage))) {
            tree->walker->visit(tree->walker, &reference);
        } else {
            visit(q, tree->walker, reference, offset, q->cluster_size);
            result = visit_l2(tree, offset);
        }
    }
    return result;
}

/* `number`: 0 is the disk's, behind it come those of the snapshots. */
static int walk_l1(struct qcow2 *q, struct walker *walker, const struct table *l1, unsigned number)
{
    bool active = number == 0;
    struct tree tree = {
        .q = q,
        .walker = walker,
        .active = active,
        .number = number,
        .n = q->nb_snapshots + 1,
        .l2 = g_malloc(q->cluster_size),
        .seen = g_hash_table_new(g_direct_hash, g_direct_equal),
    };
    struct reference reference = { .kind = active ? REFERENCE_L1 : REFERENCE_SNAPSHOT_L1,
                                   .active = active };
    int result = 0;

    if (l1->n > 0) {
        visit(q, walker, reference, l1->offset, (uint64_t)l1->n * 8);
        result = visit_tree(&tree, l1);
    }
    g_free(tree.l2);
    g_hash_table_unref(tree.seen);
    return result;
}

static int walk_snapshots(struct qcow2 *q, struct walker *walker)
{
    struct reference reference = { .kind = REFERENCE_SNAPSHOTS };
    uint64_t bytes;
    g_autoptr(GPtrArray) snapshots = NULL;
    int result = 0;

    if (q->nb_snapshots == 0) {
        return 0;
    }
    snapshots = qcow2_snapshots_load(q, &bytes, NULL);
    if (snapshots == NULL) {
        walker->visit(walker, &reference);
        return 0;
    }
    visit(q, walker, reference, q->snapshots_offset, bytes);
    for (guint i = 0; i < snapshots->len && result == 0; i++) {
        const struct snapshot_entry *entry = snapshots->pdata[i];
        struct table l1 = { NULL };

        result = qcow2_table_load(&l1, q->image.storage, entry->l1_offset, entry->l1_entries);
        if (result == 0) {
            result = walk_l1(q, walker, &l1, i + 1);
        }
        qcow2_table_clear(&l1);
    }
    return result;
}

static void walk_refcounts(struct qcow2 *q, struct walker *walker)
{
    struct reference table = { .kind = REFERENCE_REFTABLE };

    if (q->reftable.n > 0) {
        visit(q, walker, table, q->reftable.offset, (uint64_t)q->reftable.n * 8);
    }
    for (uint32_t i = 0; i < q->reftable.n; i++) {
        struct reference block = {
            .kind = REFERENCE_REFBLOCK,
            .place = q->reftable.offset + (uint64_t)i * 8,
            .entry = q->reftable.entries[i],
        };
        uint64_t offset = q->reftable.entries[i] & ~UINT64_C(511);

        if (offset != 0) {
            visit(q, walker, block, offset, q->cluster_size);
        }
    }
}

/* One bitmap's table and its clusters; returns the bytes of its directory entry, 0 if damaged. */
static uint64_t walk_bitmap(struct qcow2 *q, struct walker *walker, uint64_t at, uint64_t end,
                            uint32_t *entries_left)
{
    struct reference reference = { .kind = REFERENCE_BITMAP };
    uint8_t fixed[BITMAP_FIXED];
    uint64_t offset, length;
    uint32_t entries;

    if (end - at < sizeof(fixed) ||
        storage_read_all(q->image.storage, at, fixed, sizeof(fixed)) < 0) {
        return 0;
    }
    offset = load_be64(fixed);
    entries = load_be32(fixed + 8);
    length = (sizeof(fixed) + load_be16(fixed + 18) + load_be32(fixed + 20) + 7) / 8 * 8;
    if (entries > *entries_left || length > end - at) {
        return 0;
    }
    *entries_left -= entries;
    visit(q, walker, reference, offset, MAX((uint64_t)entries * 8, 1));
    for (uint64_t done = 0; done < entries; done += BITMAP_ENTRIES_READ) {
        uint64_t n = MIN(entries - done, (uint64_t)BITMAP_ENTRIES_READ);
        uint8_t bytes[BITMAP_ENTRIES_READ * 8];

        if (storage_read_all(q->image.storage, offset + done * 8, bytes, n * 8) < 0) {
            return 0;
        }
        for (uint64_t i = 0; i < n; i++) {
            uint64_t cluster = load_be64(bytes + i * 8) & QCOW2_OFFSET_MASK;

            if (cluster != 0) {
                visit(q, walker, reference, cluster, q->cluster_size);
            }
        }
    }
    return length;
}

static void walk_bitmaps(struct qcow2 *q, struct walker *walker)
{
    struct reference reference = { .kind = REFERENCE_BITMAP };
    uint64_t at = q->bitmap_directory, end = at + q->bitmap_directory_size, length = 1;
    uint32_t entries_left = BITMAP_ENTRIES_MAX;

    if (q->n_bitmaps == 0 || q->bitmap_directory_size == 0) {
        return;
    }
    visit(q, walker, reference, at, q->bitmap_directory_size);
    for (uint32_t i = 0; i < q->n_bitmaps && length != 0; i++) {
        length = walk_bitmap(q, walker, at, end, &entries_left);
        at += length;
    }
}

int qcow2_walk(struct qcow2 *q, struct walker *walker)
{
    struct reference header = { .kind = REFERENCE_HEADER };
    int result;

    visit(q, walker, header, 0, 1);
    walk_refcounts(q, walker);
    result = walk_l1(q, walker, &q->l1, 0);
    if (result == 0) {
        result = walk_snapshots(q, walker);
    }
    if (result == 0) {
        walk_bitmaps(q, walker);
    }
    if (walker->walks != NULL) {
        walker->walks->done++;
    }
    return result;
}
