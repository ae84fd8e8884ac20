/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The header and its extensions. See qcow2_private.h. */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "qcow2_private.h"

#define KNOWN_INCOMPATIBLE                                                                         \
    (QCOW2_INCOMPAT_DIRTY | QCOW2_INCOMPAT_CORRUPT | QCOW2_INCOMPAT_COMPRESSION |                  \
     QCOW2_INCOMPAT_EXTENDED_L2)

static bool refuse(struct qcow2 *q, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
static bool refuse(struct qcow2 *q, GError **error, const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list arguments;

    va_start(arguments, format);
    reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                _("“%s” cannot be used as a qcow2 image: %s."), q->image.storage->name, reason);
    return false;
}

static bool fixed_fields_load(struct qcow2 *q, const uint8_t *header, GError **error)
{
    uint32_t crypt_method = load_be32(header + HEADER_CRYPT_METHOD);
    uint32_t cluster_bits = load_be32(header + HEADER_CLUSTER_BITS);

    if (memcmp(header, "QFI\xfb", 4) != 0) {
        return refuse(q, error, _("it does not begin like one"));
    }
    q->version = load_be32(header + HEADER_VERSION);
    if (q->version != 2 && q->version != 3) {
        return refuse(q, error, _("it has version %u of the format"), q->version);
    }
    if (cluster_bits < QCOW2_CLUSTER_BITS_MIN || cluster_bits > QCOW2_CLUSTER_BITS_MAX) {
        return refuse(q, error, _("its cluster size is out of range"));
    }
    q->cluster_bits = cluster_bits;
    q->cluster_size = 1u << q->cluster_bits;
    q->image.unit = q->cluster_size;
    q->image.size = load_be64(header + HEADER_SIZE);
    if (q->image.size == 0 || q->image.size > IMAGE_BYTES_MAX) {
        return refuse(q, error, _("the size of its disk is out of range"));
    }
    q->image.size = (q->image.size + IMAGE_SECTOR - 1) / IMAGE_SECTOR * IMAGE_SECTOR;
    if (crypt_method != 0) {
        return refuse(q, error, _("it is encrypted; decrypt it with qemu-img first"));
    }
    q->nb_snapshots = load_be32(header + HEADER_NB_SNAPSHOTS);
    q->snapshots_offset = load_be64(header + HEADER_SNAPSHOTS_OFFSET);
    if (q->nb_snapshots > QCOW2_SNAPSHOTS_MAX) {
        return refuse(q, error, _("it claims to have %u snapshots"), q->nb_snapshots);
    }
    return true;
}

static bool features_load(struct qcow2 *q, const uint8_t *header, GError **error)
{
    q->refcount_order = 4;
    q->header_length = QCOW2_HEADER_V2;
    if (q->version == 2) {
        return true;
    }
    q->incompatible = load_be64(header + HEADER_INCOMPATIBLE);
    q->compatible = load_be64(header + HEADER_COMPATIBLE);
    q->autoclear = load_be64(header + HEADER_AUTOCLEAR);
    q->refcount_order = load_be32(header + HEADER_REFCOUNT_ORDER);
    q->header_length = load_be32(header + HEADER_LENGTH);
    if (q->incompatible & QCOW2_INCOMPAT_DATA_FILE) {
        return refuse(q, error,
                      _("its data is in another file; bring both into one with qemu-img first"));
    }
    if (q->incompatible & ~KNOWN_INCOMPATIBLE) {
        return refuse(q, error, _("it needs a newer version of Oriel (features %#" PRIx64 ")"),
                      q->incompatible & ~KNOWN_INCOMPATIBLE);
    }
    if (q->refcount_order > 6) {
        return refuse(q, error, _("the width of its reference counts is out of range"));
    }
    if (q->header_length < QCOW2_HEADER_V3 || q->header_length % 8 != 0 ||
        q->header_length > q->cluster_size) {
        return refuse(q, error, _("the length of its header is out of range"));
    }
    q->extended_l2 = q->incompatible & QCOW2_INCOMPAT_EXTENDED_L2;
    if (q->extended_l2 && q->cluster_bits < 14) {
        return refuse(q, error, _("its clusters are too small for subclusters"));
    }
    if (q->header_length > HEADER_COMPRESSION_TYPE) {
        q->compression = header[HEADER_COMPRESSION_TYPE];
    }
    if (q->compression > QCOW2_ZSTD ||
        (q->compression != QCOW2_DEFLATE) != !!(q->incompatible & QCOW2_INCOMPAT_COMPRESSION)) {
        return refuse(q, error, _("its way of compression is not known"));
    }
    return true;
}

static bool bitmaps_load(struct qcow2 *q, const uint8_t *data, uint32_t length, GError **error)
{
    if (length < 24) {
        return refuse(q, error, _("its list of bitmaps is damaged"));
    }
    q->n_bitmaps = load_be32(data);
    q->bitmap_directory_size = load_be64(data + 8);
    q->bitmap_directory = load_be64(data + 16);
    if (q->bitmap_directory % q->cluster_size != 0 ||
        q->bitmap_directory_size > QCOW2_SNAPSHOT_BYTES_MAX ||
        !range_fits(q->bitmap_directory, q->bitmap_directory_size,
                    storage_size(q->image.storage))) {
        q->n_bitmaps = 0; /* a bitmap is only a help for backups: the disk is not affected */
        q->bitmap_directory_size = 0;
    }
    return true;
}

static bool extensions_load(struct qcow2 *q, const uint8_t *cluster, uint64_t end, GError **error)
{
    uint64_t at = q->header_length;

    while (at + 8 <= end) {
        uint32_t type = load_be32(cluster + at), length = load_be32(cluster + at + 4);
        const uint8_t *data = cluster + at + 8;

        if (type == EXTENSION_END) {
            return true;
        }
        if (length > end - at - 8) {
            return refuse(q, error, _("a part of its header is cut off"));
        }
        if (type == EXTENSION_BACKING_FORMAT && length < 16) {
            g_free(q->image.backing_format);
            q->image.backing_format = g_strndup((const char *)data, length);
        } else if (type == EXTENSION_BITMAPS && q->version == 3 &&
                   !bitmaps_load(q, data, length, error)) {
            return false;
        }
        at += 8 + ((uint64_t)length + 7) / 8 * 8;
    }
    return true;
}

static bool backing_load(struct qcow2 *q, const uint8_t *cluster, uint64_t *end, GError **error)
{
    uint64_t offset = load_be64(cluster + HEADER_BACKING_OFFSET);
    uint32_t length = load_be32(cluster + HEADER_BACKING_SIZE);

    if (offset == 0) {
        return true;
    }
    if (length == 0 || length > QCOW2_BACKING_MAX || offset < q->header_length ||
        !range_fits(offset, length, q->cluster_size) || memchr(cluster + offset, 0, length)) {
        return refuse(q, error, _("the name of its backing image is damaged"));
    }
    q->image.backing_name = g_strndup((const char *)cluster + offset, length);
    *end = offset;
    return true;
}

static int table_place_check(const struct qcow2 *q, uint64_t offset, uint64_t bytes)
{
    return offset % q->cluster_size == 0 && offset != 0 &&
                   range_fits(offset, bytes, storage_size(q->image.storage))
               ? 0
               : -EUCLEAN;
}

static bool tables_load(struct qcow2 *q, const uint8_t *header, GError **error)
{
    uint64_t l1_offset = load_be64(header + HEADER_L1_OFFSET), l1_bytes;
    uint64_t reftable_offset = load_be64(header + HEADER_REFTABLE_OFFSET), reftable_bytes;
    uint32_t l1_size = load_be32(header + HEADER_L1_SIZE);
    uint64_t needed = ((q->image.size - 1) >> l1_shift(q)) + 1;
    int result = 0;

    l1_bytes = (uint64_t)l1_size * 8;
    reftable_bytes = (uint64_t)load_be32(header + HEADER_REFTABLE_CLUSTERS) << q->cluster_bits;
    if (l1_bytes > QCOW2_L1_BYTES_MAX || reftable_bytes > QCOW2_REFTABLE_BYTES_MAX) {
        return refuse(q, error, _("its tables are larger than they may be"));
    }
    if (l1_size < needed) {
        return refuse(q, error, _("its L1 table is too small for its disk"));
    }
    if (table_place_check(q, l1_offset, l1_bytes) < 0 ||
        (!q->for_repair &&
         (reftable_bytes == 0 || table_place_check(q, reftable_offset, reftable_bytes) < 0))) {
        return refuse(q, error, _("a table lies outside of the file, which may be cut short"));
    }
    result = qcow2_table_load(&q->l1, q->image.storage, l1_offset, l1_size);
    if (result == 0 && reftable_bytes > 0 &&
        table_place_check(q, reftable_offset, reftable_bytes) == 0) {
        result = qcow2_table_load(&q->reftable, q->image.storage, reftable_offset,
                                  (uint32_t)(reftable_bytes / 8));
    }
    if (result < 0) {
        image_set_error(&q->image, result, error);
    }
    return result == 0;
}

bool qcow2_header_load(struct qcow2 *q, GError **error)
{
    g_autofree uint8_t *cluster = g_malloc0(UINT64_C(1) << QCOW2_CLUSTER_BITS_MAX);
    uint64_t end;
    int result = storage_read(q->image.storage, 0, cluster, QCOW2_HEADER_V3 + 8);

    if (result == 0 && !fixed_fields_load(q, cluster, error)) {
        return false;
    }
    end = q->cluster_size;
    if (result == 0) {
        result = storage_read(q->image.storage, 0, cluster, end);
    }
    if (result < 0) {
        oriel_error_set_errno(error, -result, _("“%s” cannot be read"), q->image.storage->name);
        return false;
    }
    if (!features_load(q, cluster, error)) {
        return false;
    }
    q->l2_bits = q->cluster_bits - (q->extended_l2 ? 4 : 3);
    return backing_load(q, cluster, &end, error) && extensions_load(q, cluster, end, error) &&
           tables_load(q, cluster, error);
}

int qcow2_header_write(struct qcow2 *q, unsigned offset, const uint8_t *bytes, unsigned length)
{
    return storage_write(q->image.storage, offset, bytes, length);
}

int qcow2_header_set_features(struct qcow2 *q, uint64_t incompatible, uint64_t autoclear)
{
    uint8_t bytes[24];
    int result = 0;

    if (q->version >= 3) {
        store_be64(bytes, incompatible);
        store_be64(bytes + 8, q->compatible);
        store_be64(bytes + 16, autoclear);
        result = qcow2_header_write(q, HEADER_INCOMPATIBLE, bytes, sizeof(bytes));
    }
    if (result == 0) {
        q->incompatible = incompatible;
        q->autoclear = autoclear;
    }
    return result;
}

/*
 * The bit must be gone before the first change is there, so this is durable before anything else is
 * written.
 */
int qcow2_touch(struct qcow2 *q)
{
    int result = 0;

    if (!q->written && q->autoclear != 0) {
        result = qcow2_header_set_features(q, q->incompatible, 0);
        if (result == 0) {
            result = storage_flush(q->image.storage);
        }
    }
    q->written = result == 0;
    return result;
}

int qcow2_corrupt(struct qcow2 *q, const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list arguments;

    va_start(arguments, format);
    reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (!q->image.read_only && q->version >= 3) {
        qcow2_header_set_features(q, q->incompatible | QCOW2_INCOMPAT_CORRUPT, q->autoclear);
    }
    return image_damaged(&q->image,
                         _("“%s” is damaged: %s. Repair it with “orielctl disk repair”."),
                         q->image.storage->name, reason);
}
