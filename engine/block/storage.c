/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all storages share. See storage.h. */
#include "storage.h"

#include <errno.h>

#include "bytes.h"

#define STORAGE_BYTES_MAX (UINT64_C(1) << 62) /* so that sums of offsets do not wrap */

void storage_free(struct storage *storage)
{
    if (storage != NULL) {
        storage->class->free(storage);
    }
}

int storage_readv(struct storage *storage, uint64_t offset, const struct iovec *spans, unsigned n)
{
    return storage->class->read(storage, offset, spans, n);
}

int storage_readv_cached(struct storage *storage, uint64_t offset, const struct iovec *spans,
                         unsigned n)
{
    return storage->class->read_cached == NULL
               ? -EAGAIN
               : storage->class->read_cached(storage, offset, spans, n);
}

int storage_writev(struct storage *storage, uint64_t offset, const struct iovec *spans, unsigned n)
{
    uint64_t length = 0;

    for (unsigned i = 0; i < n; i++) {
        length += spans[i].iov_len;
    }
    if (storage->read_only) {
        return -EROFS;
    }
    if (!range_fits(offset, length, STORAGE_BYTES_MAX)) {
        return -EFBIG;
    }
    return storage->class->write(storage, offset, spans, n);
}

int storage_read(struct storage *storage, uint64_t offset, void *bytes, size_t length)
{
    struct iovec span = { bytes, length };

    return storage_readv(storage, offset, &span, 1);
}

int storage_read_all(struct storage *storage, uint64_t offset, void *bytes, size_t length)
{
    if (!range_fits(offset, length, storage_size(storage))) {
        return -EUCLEAN;
    }
    return storage_read(storage, offset, bytes, length);
}

int storage_write(struct storage *storage, uint64_t offset, const void *bytes, size_t length)
{
    struct iovec span = { (void *)bytes, length };

    return storage_writev(storage, offset, &span, 1);
}

int storage_clear(struct storage *storage, uint64_t offset, uint64_t length, bool release)
{
    if (storage->read_only) {
        return -EROFS;
    }
    return length == 0 ? 0 : storage->class->clear(storage, offset, length, release);
}

void storage_write_back(struct storage *storage)
{
    if (!storage->read_only && storage->class->write_back != NULL) {
        storage->class->write_back(storage);
    }
}

/*
 * After a failed sync the kernel may have dropped the pages it could not write, and the next sync
 * would succeed without them. So one failure is final for this storage.
 */
int storage_flush(struct storage *storage)
{
    int result;

    if (storage->read_only) {
        return 0;
    }
    if (g_atomic_int_get(&storage->flush_failed)) {
        return -EIO;
    }
    result = storage->class->flush(storage);
    if (result < 0) {
        g_atomic_int_set(&storage->flush_failed, 1);
    }
    return result;
}

int storage_resize(struct storage *storage, uint64_t size)
{
    if (storage->read_only) {
        return -EROFS;
    }
    return size > STORAGE_BYTES_MAX ? -EFBIG : storage->class->resize(storage, size);
}

int storage_extent(struct storage *storage, uint64_t offset, uint64_t *length, bool *data)
{
    uint64_t size = storage_size(storage);

    if (offset >= size) {
        *data = false;
        return 0;
    }
    if (*length > size - offset) {
        *length = size - offset;
    }
    return storage->class->extent(storage, offset, length, data);
}

void storage_grown(struct storage *storage, uint64_t size)
{
    uint64_t old = storage_size(storage);

    while (old < size && !__atomic_compare_exchange_n(&storage->size, &old, size, false,
                                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}
