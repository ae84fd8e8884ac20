/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Raw disks: a sparse file. See writer.h. */
#include "config/config.h"

#include <glib/gi18n-lib.h>
#include "writer.h"

enum {
    RAW_UNIT = 4096,
};

static int raw_put(struct writer *writer, uint64_t offset, const uint8_t *bytes, size_t n,
                   const uint8_t *packed, size_t n_packed)
{
    return storage_write(writer->storage, offset, bytes, MIN(n, writer->size - offset));
}

static int raw_finish(struct writer *writer)
{
    return storage_flush(writer->storage);
}

static void raw_free(struct writer *writer)
{
    storage_free(writer->storage);
    g_free(writer);
}

static const struct writer_class raw_class = {
    .put = raw_put,
    .finish = raw_finish,
    .free = raw_free,
};

struct writer *writer_raw(struct storage *storage, uint64_t size, GError **error)
{
    struct writer *writer = g_new0(struct writer, 1);
    int result = storage_resize(storage, size);

    writer->class = &raw_class;
    writer->storage = storage;
    writer->size = size;
    writer->unit = RAW_UNIT;
    if (result < 0) {
        oriel_error_set_errno(error, -result, _("“%s” cannot be written"), storage->name);
        raw_free(writer);
        return NULL;
    }
    return writer;
}
