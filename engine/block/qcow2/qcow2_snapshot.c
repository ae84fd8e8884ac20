/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Internal snapshots: their table, and deleting one. A new table without it is written, one write
 * of the header switches over, and then the snapshot's references are dropped. The image is marked
 * dirty meanwhile, so that a crash in between is mended by a repair.
 */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "qcow2_count.h"

enum {
    FREES_AT_ONCE = 1 << 18, /* ranges */
    ENTRY_FIXED = 40,
    ENTRY_L1_OFFSET = 0,
    ENTRY_L1_SIZE = 8,
    ENTRY_ID_SIZE = 12,
    ENTRY_NAME_SIZE = 14,
    ENTRY_SECONDS = 16,
    ENTRY_VM_STATE_SIZE = 32,
    ENTRY_EXTRA_SIZE = 36,
    EXTRA_MAX = 1024,
};

static void entry_free(gpointer data)
{
    struct snapshot_entry *entry = data;

    g_free(entry->public.id);
    g_free(entry->public.name);
    g_free(entry);
}

static bool damaged(struct qcow2 *q, GError **error)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                _("The list of snapshots in “%s” is damaged. Repair it with “qemu-img”, or convert "
                  "the disk without its snapshots."),
                q->image.storage->name);
    return false;
}

static bool text_read(struct qcow2 *q, uint64_t *at, unsigned length, char **text)
{
    g_autofree char *bytes = g_malloc0(length + 1u);

    if (storage_read_all(q->image.storage, *at, bytes, length) < 0) {
        return false;
    }
    *at += length;
    *text = g_utf8_make_valid(bytes, -1);
    return true;
}

static bool places_check(const struct qcow2 *q, const struct snapshot_entry *entry)
{
    return entry->l1_offset != 0 && entry->l1_offset % q->cluster_size == 0 &&
           (uint64_t)entry->l1_entries * 8 <= QCOW2_L1_BYTES_MAX &&
           range_fits(entry->l1_offset, (uint64_t)entry->l1_entries * 8,
                      storage_size(q->image.storage)) &&
           entry->public.disk_size > 0 && entry->public.disk_size <= IMAGE_BYTES_MAX &&
           ((entry->public.disk_size - 1) >> l1_shift(q)) < entry->l1_entries;
}

static bool entry_read(struct qcow2 *q, uint64_t *at, struct snapshot_entry *entry)
{
    uint8_t fixed[ENTRY_FIXED], extra[16] = { 0 };
    uint32_t extra_size;

    entry->at = *at;
    if (storage_read_all(q->image.storage, *at, fixed, sizeof(fixed)) < 0) {
        return false;
    }
    extra_size = load_be32(fixed + ENTRY_EXTRA_SIZE);
    *at += sizeof(fixed);
    if (extra_size > EXTRA_MAX ||
        storage_read_all(q->image.storage, *at, extra, MIN(extra_size, sizeof(extra))) < 0) {
        return false;
    }
    *at += extra_size;
    entry->l1_offset = load_be64(fixed + ENTRY_L1_OFFSET);
    entry->l1_entries = load_be32(fixed + ENTRY_L1_SIZE);
    entry->public.seconds = load_be32(fixed + ENTRY_SECONDS);
    entry->public.vm_state_size =
        extra_size >= 8 ? load_be64(extra) : load_be32(fixed + ENTRY_VM_STATE_SIZE);
    entry->public.disk_size = extra_size >= 16 ? load_be64(extra + 8) : q->image.size;
    entry->public.disk_size = (MIN(entry->public.disk_size, IMAGE_BYTES_MAX) + IMAGE_SECTOR - 1) /
                              IMAGE_SECTOR * IMAGE_SECTOR;
    if (!text_read(q, at, load_be16(fixed + ENTRY_ID_SIZE), &entry->public.id) ||
        !text_read(q, at, load_be16(fixed + ENTRY_NAME_SIZE), &entry->public.name)) {
        return false;
    }
    *at = (*at + 7) / 8 * 8;
    entry->length = *at - entry->at;
    return places_check(q, entry);
}

GPtrArray *qcow2_snapshots_load(struct qcow2 *q, uint64_t *table_bytes, GError **error)
{
    g_autoptr(GPtrArray) snapshots = g_ptr_array_new_with_free_func(entry_free);
    uint64_t at = q->snapshots_offset, l1_bytes = 0;

    if (q->nb_snapshots > 0 && (at == 0 || at % q->cluster_size != 0)) {
        damaged(q, error);
        return NULL;
    }
    for (uint32_t i = 0; i < q->nb_snapshots; i++) {
        struct snapshot_entry *entry = g_new0(struct snapshot_entry, 1);

        g_ptr_array_add(snapshots, entry);
        if (!entry_read(q, &at, entry) || at - q->snapshots_offset > QCOW2_SNAPSHOT_BYTES_MAX) {
            damaged(q, error);
            return NULL;
        }
        l1_bytes += (uint64_t)entry->l1_entries * 8;
        if (l1_bytes > QCOW2_SNAPSHOT_L1_MAX) {
            damaged(q, error);
            return NULL;
        }
    }
    if (table_bytes != NULL) {
        *table_bytes = at - q->snapshots_offset;
    }
    return g_steal_pointer(&snapshots);
}

static void public_free(gpointer data)
{
    struct qcow2_snapshot *snapshot = data;

    g_free(snapshot->id);
    g_free(snapshot->name);
    g_free(snapshot);
}

GPtrArray *qcow2_snapshots(struct image *image, GError **error)
{
    g_autoptr(GPtrArray) entries = qcow2_snapshots_load(qcow2_of(image), NULL, error);
    GPtrArray *snapshots;

    if (entries == NULL) {
        return NULL;
    }
    snapshots = g_ptr_array_new_with_free_func(public_free);
    for (guint i = 0; i < entries->len; i++) {
        const struct snapshot_entry *entry = entries->pdata[i];
        struct qcow2_snapshot *snapshot = g_memdup2(&entry->public, sizeof(entry->public));

        snapshot->id = g_strdup(snapshot->id);
        snapshot->name = g_strdup(snapshot->name);
        g_ptr_array_add(snapshots, snapshot);
    }
    return snapshots;
}

/* --- Deleting --------------------------------------------------------------------------------- */

/* Writes the table without entry `which` to new clusters; *offset is 0 if nothing is left. */
static int table_without(struct qcow2 *q, const GPtrArray *snapshots, guint which, uint64_t *offset)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    uint64_t first = 0;
    int result = 0;

    for (guint i = 0; i < snapshots->len && result == 0; i++) {
        const struct snapshot_entry *entry = snapshots->pdata[i];
        g_autofree uint8_t *copy = g_malloc0(entry->length);

        if (i != which) {
            result = storage_read(q->image.storage, entry->at, copy, entry->length);
            g_byte_array_append(bytes, copy, (guint)entry->length);
        }
    }
    *offset = 0;
    if (result == 0 && bytes->len > 0) {
        result = qcow2_clusters_alloc_all(q, clusters_of(q, bytes->len), &first);
        *offset = first << q->cluster_bits;
        if (result == 0) {
            result = storage_write(q->image.storage, *offset, bytes->data, bytes->len);
        }
    }
    return result;
}

static int l2_references_drop(struct qcow2 *q, uint64_t offset, uint8_t *bytes)
{
    int result = storage_read_all(q->image.storage, offset, bytes, q->cluster_size);

    for (uint64_t at = 0; at < q->cluster_size && result == 0; at += 8) {
        qcow2_entry_free_later(q, load_be64(bytes + at));
    }
    qcow2_clusters_free_later(q, offset >> q->cluster_bits, 1);
    return result;
}

/* All that the snapshot's L1 table names, and that itself. */
static int references_drop(struct qcow2 *q, const struct snapshot_entry *entry)
{
    g_autofree uint8_t *bytes = g_malloc(q->cluster_size);
    struct table l1 = { NULL };
    int result = qcow2_table_load(&l1, q->image.storage, entry->l1_offset, entry->l1_entries);

    for (uint32_t i = 0; i < l1.n && result == 0; i++) {
        uint64_t offset = l1.entries[i] & QCOW2_OFFSET_MASK;

        if (offset % q->cluster_size != 0) {
            result = -EUCLEAN;
        } else if (offset != 0) {
            result = l2_references_drop(q, offset, bytes);
        }
        if (result == 0 && q->frees->len > FREES_AT_ONCE) {
            result = qcow2_settle(q);
        }
    }
    qcow2_clusters_free_later(q, entry->l1_offset >> q->cluster_bits,
                              clusters_of(q, (uint64_t)entry->l1_entries * 8));
    qcow2_table_clear(&l1);
    return result;
}

static int table_switch(struct qcow2 *q, uint32_t n, uint64_t offset)
{
    uint8_t bytes[12];
    int result = qcow2_settle(q);

    store_be32(bytes, n);
    store_be64(bytes + 4, offset);
    if (result == 0) {
        result = qcow2_header_set_features(q, q->incompatible | QCOW2_INCOMPAT_DIRTY, q->autoclear);
    }
    if (result == 0) {
        result = storage_flush(q->image.storage);
    }
    if (result == 0) {
        result = qcow2_header_write(q, HEADER_NB_SNAPSHOTS, bytes, sizeof(bytes));
    }
    if (result == 0) {
        result = storage_flush(q->image.storage);
    }
    q->nb_snapshots = n;
    q->snapshots_offset = offset;
    return result;
}

static int delete_entry(struct qcow2 *q, const GPtrArray *snapshots, guint which,
                        uint64_t table_bytes)
{
    uint64_t old = q->snapshots_offset, offset = 0;
    int result = qcow2_touch(q);

    if (result == 0) {
        result = table_without(q, snapshots, which, &offset);
    }
    if (result == 0) {
        result = table_switch(q, q->nb_snapshots - 1, offset);
    }
    if (result < 0) {
        return result;
    }
    qcow2_clusters_free_later(q, old >> q->cluster_bits, clusters_of(q, table_bytes));
    result = references_drop(q, snapshots->pdata[which]);
    if (result == 0) {
        result = qcow2_settle(q);
    }
    if (result == 0) {
        result = qcow2_copied_flags_mend(q, NULL);
    }
    if (result == 0) {
        result =
            qcow2_header_set_features(q, q->incompatible & ~QCOW2_INCOMPAT_DIRTY, q->autoclear);
    }
    return result < 0 ? result : storage_flush(q->image.storage);
}

bool qcow2_snapshot_delete(struct image *image, const char *id, GError **error)
{
    struct qcow2 *q = qcow2_of(image);
    uint64_t table_bytes;
    g_autoptr(GPtrArray) snapshots = qcow2_snapshots_load(q, &table_bytes, error);
    int result;

    if (snapshots == NULL) {
        return false;
    }
    if (image->read_only) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, _("“%s” is open for reading only."),
                    image->storage->name);
        return false;
    }
    for (guint i = 0; i < snapshots->len; i++) {
        const struct snapshot_entry *entry = snapshots->pdata[i];

        if (strcmp(entry->public.id, id) == 0 || strcmp(entry->public.name, id) == 0) {
            result = delete_entry(q, snapshots, i, table_bytes);
            if (result < 0) {
                image_set_error(image, result, error);
            }
            return result == 0;
        }
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND, _("“%s” has no snapshot “%s”."),
                image->storage->name, id);
    return false;
}
