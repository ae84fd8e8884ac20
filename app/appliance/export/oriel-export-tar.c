/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Disks are written right where they belong in the archive: a copy from temporary files would need
 * the space twice. See oriel-export-private.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "oriel-export-private.h"

/* --- Headers ---------------------------------------------------------------------------------- */

/* Fields of a ustar header. */
enum {
    TAR_MODE = 100,
    TAR_UID = 108,
    TAR_GID = 116,
    TAR_SIZE = 124,
    TAR_MTIME = 136,
    TAR_CHECKSUM = 148,
    TAR_TYPE = 156,
    TAR_MAGIC = 257,
    TAR_NUMBER = 12, /* bytes of the size */
};

#define TAR_OCTAL_MAX (G_GUINT64_CONSTANT(1) << 33) /* eleven octal digits */

void export_tar_header(guint8 header[TAR_BLOCK], const char *name, guint64 size, gint64 time)
{
    char *text = (char *)header;
    guint64 big = GUINT64_TO_BE(size);
    guint sum = 0;

    memset(header, 0, TAR_BLOCK);
    g_strlcpy(text, name, TAR_NAME_MAX + 1);
    g_strlcpy(text + TAR_MODE, "0000644", 8);
    g_strlcpy(text + TAR_UID, "0000000", 8);
    g_strlcpy(text + TAR_GID, "0000000", 8);
    if (size < TAR_OCTAL_MAX) {
        g_snprintf(text + TAR_SIZE, TAR_NUMBER, "%011" G_GINT64_MODIFIER "o", size);
    } else { /* base 256, as GNU tar and libarchive have it */
        header[TAR_SIZE] = 0x80;
        memcpy(header + TAR_SIZE + TAR_NUMBER - sizeof(big), &big, sizeof(big));
    }
    g_snprintf(text + TAR_MTIME, TAR_NUMBER, "%011" G_GINT64_MODIFIER "o",
               (guint64)CLAMP(time, 0, (gint64)TAR_OCTAL_MAX - 1));
    header[TAR_TYPE] = '0';
    memcpy(header + TAR_MAGIC, "ustar\00000", 8);
    memset(header + TAR_CHECKSUM, ' ', 8);
    for (guint i = 0; i < TAR_BLOCK; i++) {
        sum += header[i];
    }
    g_snprintf(text + TAR_CHECKSUM, 7, "%06o", sum);
}

/* --- Parts of files --------------------------------------------------------------------------- */

struct slice {
    struct storage storage;
    struct storage *file; /* owned */
    guint64 offset;
    OrielDigest *hash; /* of the first `hashed` bytes; NULL: none */
    guint64 hashed;
    char **digest;
    guint64 *written;
};

static struct slice *slice_of(struct storage *storage)
{
    return (struct slice *)storage;
}

static int slice_read(struct storage *storage, uint64_t offset, const struct iovec *spans,
                      unsigned n)
{
    struct slice *slice = slice_of(storage);
    int result = 0;

    for (unsigned i = 0; i < n && result == 0; i++) {
        uint64_t size = storage_size(storage);
        size_t inside = offset < size ? (size_t)MIN(spans[i].iov_len, size - offset) : 0;

        if (inside > 0) {
            result = storage_read(slice->file, slice->offset + offset, spans[i].iov_base, inside);
        }
        memset((char *)spans[i].iov_base + inside, 0, spans[i].iov_len - inside);
        offset += spans[i].iov_len;
    }
    return result;
}

static int slice_write(struct storage *storage, uint64_t offset, const struct iovec *spans,
                       unsigned n)
{
    struct slice *slice = slice_of(storage);
    uint64_t length = 0;
    int result;

    if (slice->hash && offset != slice->hashed) {
        return -ESPIPE;
    }
    result = storage_writev(slice->file, slice->offset + offset, spans, n);
    for (unsigned i = 0; i < n; i++) {
        if (slice->hash) {
            oriel_digest_update(slice->hash, spans[i].iov_base, spans[i].iov_len);
        }
        length += spans[i].iov_len;
    }
    slice->hashed = offset + length;
    storage_grown(storage, offset + length);
    return result;
}

static int slice_clear(struct storage *storage, uint64_t offset, uint64_t length, bool release)
{
    return -EOPNOTSUPP;
}

static int slice_flush(struct storage *storage)
{
    return storage_flush(slice_of(storage)->file);
}

static void slice_write_back(struct storage *storage)
{
    storage_write_back(slice_of(storage)->file);
}

static int slice_resize(struct storage *storage, uint64_t size)
{
    return -EOPNOTSUPP;
}

static int slice_extent(struct storage *storage, uint64_t offset, uint64_t *length, bool *data)
{
    return storage_extent(slice_of(storage)->file, slice_of(storage)->offset + offset, length,
                          data);
}

static void slice_free(struct storage *storage)
{
    struct slice *slice = slice_of(storage);

    if (slice->digest) {
        *slice->digest = oriel_digest_finish(slice->hash);
    }
    if (slice->written) {
        *slice->written = storage_size(storage);
    }
    g_clear_pointer(&slice->hash, oriel_digest_free);
    storage_free(slice->file);
    g_free(storage->name);
    g_free(slice);
}

static const struct storage_class slice_class = {
    .read = slice_read,
    .write = slice_write,
    .clear = slice_clear,
    .flush = slice_flush,
    .write_back = slice_write_back,
    .resize = slice_resize,
    .extent = slice_extent,
    .free = slice_free,
};

struct storage *export_slice_new(int fd, const char *name, const ExportSlice *part, GError **error)
{
    struct storage *file;
    struct slice *slice;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (copy < 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be opened"), name);
        return NULL;
    }
    file = storage_file_new(copy, name, part->size > 0, error);
    if (!file) {
        return NULL;
    }
    slice = g_new0(struct slice, 1);
    slice->storage.class = &slice_class;
    slice->storage.name = g_strdup(name);
    slice->storage.size = part->size;
    slice->storage.read_only = part->size > 0;
    slice->file = file;
    slice->offset = part->offset;
    slice->digest = part->digest;
    slice->written = part->written;
    if (part->digest) {
        slice->hash = oriel_digest_new(part->digest_name);
    }
    return &slice->storage;
}

void export_member_free(ExportMember *member)
{
    g_free(member->name);
    g_free(member->digest);
    g_free(member);
}
