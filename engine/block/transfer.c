/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request on one medium, with blocking system calls. See medium.h. */
#include "medium.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bytes.h"

enum {
    ZEROES = 64 << 10,
    ZERO_SPANS = 16,
};

/* The spans that are still to be moved; the kernel's structure, filled from ours. */
struct cursor {
    struct iovec spans[BLOCK_SPANS_MAX];
    unsigned first, n;
    uint64_t offset;
};

static void cursor_advance(struct cursor *cursor, size_t moved)
{
    cursor->offset += moved;
    while (moved > 0) {
        struct iovec *span = &cursor->spans[cursor->first];
        size_t part = MIN(moved, span->iov_len);

        span->iov_base = (char *)span->iov_base + part;
        span->iov_len -= part;
        moved -= part;
        cursor->first += span->iov_len == 0;
    }
    while (cursor->first < cursor->n && cursor->spans[cursor->first].iov_len == 0) {
        cursor->first++;
    }
}

static bool cursor_start(struct cursor *cursor, const struct block_request *request)
{
    uint64_t sum = 0;

    if (request->n_spans > BLOCK_SPANS_MAX) {
        return false;
    }
    for (unsigned i = 0; i < request->n_spans; i++) {
        cursor->spans[i].iov_base = request->spans[i].base;
        cursor->spans[i].iov_len = request->spans[i].length;
        sum += request->spans[i].length;
    }
    cursor->first = 0;
    cursor->n = request->n_spans;
    cursor->offset = request->offset;
    cursor_advance(cursor, 0);
    return sum == request->length;
}

static int run_read(struct medium *medium, struct cursor *cursor)
{
    while (cursor->first < cursor->n) {
        ssize_t n = preadv(medium->fd, cursor->spans + cursor->first,
                           (int)(cursor->n - cursor->first), (off_t)cursor->offset);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        if (n == 0) { /* the end of the file, inside the last sector or after someone cut it */
            for (; cursor->first < cursor->n; cursor->first++) {
                memset(cursor->spans[cursor->first].iov_base, 0,
                       cursor->spans[cursor->first].iov_len);
            }
        }
        if (n > 0) {
            cursor_advance(cursor, (size_t)n);
        }
    }
    return 0;
}

static int run_write(struct medium *medium, struct cursor *cursor)
{
    while (cursor->first < cursor->n) {
        ssize_t n = pwritev(medium->fd, cursor->spans + cursor->first,
                            (int)(cursor->n - cursor->first), (off_t)cursor->offset);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        if (n == 0) {
            return -EIO;
        }
        if (n > 0) {
            cursor_advance(cursor, (size_t)n);
        }
    }
    return 0;
}

/*
 * After a failed sync the kernel may have dropped the pages it could not write, and the next sync
 * would succeed without them. So one failure is final for this medium.
 */
static int run_flush(struct medium *medium)
{
    int result;

    if (medium->read_only) {
        return 0;
    }
    if (g_atomic_int_get(&medium->flush_failed)) {
        return -EIO;
    }
    do {
        result = fdatasync(medium->fd) < 0 ? -errno : 0;
    } while (result == -EINTR);
    if (result < 0) {
        g_atomic_int_set(&medium->flush_failed, 1);
    }
    return result;
}

static int write_zeroes_slowly(struct medium *medium, uint64_t offset, uint64_t length)
{
    static const uint8_t zeroes[ZEROES];
    struct cursor cursor;
    int result = 0;

    while (length > 0 && result == 0) {
        cursor.first = 0;
        cursor.offset = offset;
        for (cursor.n = 0; cursor.n < ZERO_SPANS && length > 0; cursor.n++) {
            size_t part = (size_t)MIN(length, (uint64_t)ZEROES);

            cursor.spans[cursor.n].iov_base = (void *)zeroes;
            cursor.spans[cursor.n].iov_len = part;
            offset += part;
            length -= part;
        }
        result = run_write(medium, &cursor);
    }
    return result;
}

/* `mode` is what fallocate() is asked for; where the file system does not know it, zeroes are
 * written. */
static int run_clear(struct medium *medium, uint64_t offset, uint64_t length, int mode)
{
    int result;

    if (length == 0) {
        return 0;
    }
    do {
        result = fallocate(medium->fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)length) < 0
                     ? -errno
                     : 0;
    } while (result == -EINTR);
    if (result == -EOPNOTSUPP || result == -ENOSYS || result == -EINVAL || result == -ENODEV) {
        result = write_zeroes_slowly(medium, offset, length);
    }
    return result;
}

int medium_run(struct medium *medium, const struct block_request *request)
{
    struct cursor cursor;
    int result;

    if (request->op == BLOCK_FLUSH) {
        return run_flush(medium);
    }
    if (!range_fits(request->offset, request->length, medium->size)) {
        return -EINVAL;
    }
    if (request->op == BLOCK_READ || request->op == BLOCK_WRITE) {
        if (!cursor_start(&cursor, request)) {
            return -EINVAL;
        }
        if (request->op == BLOCK_READ) {
            return run_read(medium, &cursor);
        }
    }
    if (medium->read_only) {
        return -EROFS;
    }
    if (request->op == BLOCK_WRITE) {
        result = run_write(medium, &cursor);
    } else {
        result =
            run_clear(medium, request->offset, request->length,
                      request->op == BLOCK_DISCARD ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE);
    }
    if (result == 0 && request->fua) {
        result = run_flush(medium);
    }
    return result;
}
