/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files and block devices with plain system calls. See storage.h.
 *
 * With direct I/O there are two descriptors of one file. What lies on whole pages takes the direct
 * one. The rest takes the other: the kernel then reads, changes and writes back the page around a
 * part, with a lock on it, which from here could not be done without losing a neighbour's write.
 * Page by page, so that the direct writes and the page cache never change parts of the same one.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "spans.h"
#include "storage.h"

enum {
    PUNCH_PROBE = 4096,
    ZEROES = 64 << 10,
    ZERO_SPANS = 16,
    DIRECT_PAGE = 4096,
    DIRECT_MEMORY = 512, /* what the memory of direct I/O must be a multiple of, for any driver */
};

struct storage_file {
    struct storage storage;
    int fd;
    int direct_fd; /* -1: none */
    bool device;
    bool cached; /* the file system can tell what is in the page cache (RWF_NOWAIT) */
};

static struct storage_file *file_of(struct storage *storage)
{
    return (struct storage_file *)storage;
}

/* The spans that are still to be moved; the kernel's structure, filled from the caller's. */
struct cursor {
    struct iovec spans[SPANS_MAX];
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

static void cursor_start(struct cursor *cursor, uint64_t offset, const struct iovec *spans,
                         unsigned n)
{
    memcpy(cursor->spans, spans, n * sizeof(*spans));
    cursor->first = 0;
    cursor->n = n;
    cursor->offset = offset;
    cursor_advance(cursor, 0);
}

static int read_rest(int fd, struct cursor *cursor)
{
    while (cursor->first < cursor->n) {
        ssize_t n = preadv(fd, cursor->spans + cursor->first, (int)(cursor->n - cursor->first),
                           (off_t)cursor->offset);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        if (n == 0) { /* the end of the file */
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

/* What one system call left over; apart, because the cursor is large. */
__attribute__((noinline)) static int read_slowly(int fd, uint64_t offset, const struct iovec *spans,
                                                 unsigned n, size_t moved)
{
    struct cursor cursor;

    cursor_start(&cursor, offset, spans, n);
    cursor_advance(&cursor, moved);
    return read_rest(fd, &cursor);
}

static size_t spans_length(const struct iovec *spans, unsigned n)
{
    size_t length = 0;

    for (unsigned i = 0; i < n; i++) {
        length += spans[i].iov_len;
    }
    return length;
}

/* The descriptor for a transfer. */
static int fd_for(const struct storage_file *file, uint64_t offset, const struct iovec *spans,
                  unsigned n)
{
    uint64_t length = 0, bits = 0;

    if (file->direct_fd < 0) {
        return file->fd;
    }
    for (unsigned i = 0; i < n; i++) {
        length += spans[i].iov_len;
        bits |= (uintptr_t)spans[i].iov_base | spans[i].iov_len;
    }
    return (offset | length) % DIRECT_PAGE == 0 && bits % DIRECT_MEMORY == 0 ? file->direct_fd
                                                                             : file->fd;
}

/* A direct transfer that the driver does not take after all, or whose end is the file's. */
static bool direct_refused(const struct storage_file *file, int fd, int result)
{
    return fd == file->direct_fd && result == -EINVAL;
}

static int file_read_cached(struct storage *storage, uint64_t offset, const struct iovec *spans,
                            unsigned n)
{
    const struct storage_file *file = (const struct storage_file *)storage;
    ssize_t moved = -1;

    if (file->cached && file->direct_fd < 0 && offset <= INT64_MAX) {
        moved = preadv2(file->fd, spans, (int)n, (off_t)offset, RWF_NOWAIT);
    }
    return moved >= 0 && (size_t)moved == spans_length(spans, n) ? 0 : -EAGAIN;
}

static int read_with(int fd, uint64_t offset, const struct iovec *spans, unsigned n)
{
    ssize_t moved = preadv(fd, spans, (int)n, (off_t)offset);

    if (moved < 0 && errno != EINTR) {
        return -errno;
    }
    if (moved >= 0 && (size_t)moved == spans_length(spans, n)) {
        return 0;
    }
    return read_slowly(fd, offset, spans, n, moved < 0 ? 0 : (size_t)moved);
}

static int file_read(struct storage *storage, uint64_t offset, const struct iovec *spans,
                     unsigned n)
{
    const struct storage_file *file = file_of(storage);
    int fd = fd_for(file, offset, spans, n), result;

    if (offset > INT64_MAX) {
        return -EINVAL;
    }
    result = read_with(fd, offset, spans, n);
    return direct_refused(file, fd, result) ? read_with(file->fd, offset, spans, n) : result;
}

static int write_rest(int fd, struct cursor *cursor)
{
    while (cursor->first < cursor->n) {
        ssize_t n = pwritev(fd, cursor->spans + cursor->first, (int)(cursor->n - cursor->first),
                            (off_t)cursor->offset);

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

__attribute__((noinline)) static int
write_slowly(int fd, uint64_t offset, const struct iovec *spans, unsigned n, size_t moved)
{
    struct cursor cursor;

    cursor_start(&cursor, offset, spans, n);
    cursor_advance(&cursor, moved);
    return write_rest(fd, &cursor);
}

static int write_with(int fd, uint64_t offset, const struct iovec *spans, unsigned n)
{
    ssize_t moved = pwritev(fd, spans, (int)n, (off_t)offset);

    if (moved < 0 && errno != EINTR) {
        return -errno;
    }
    if (moved >= 0 && (size_t)moved == spans_length(spans, n)) {
        return 0;
    }
    return write_slowly(fd, offset, spans, n, moved < 0 ? 0 : (size_t)moved);
}

static int file_write(struct storage *storage, uint64_t offset, const struct iovec *spans,
                      unsigned n)
{
    const struct storage_file *file = file_of(storage);
    int fd = fd_for(file, offset, spans, n), result = write_with(fd, offset, spans, n);

    if (direct_refused(file, fd, result)) {
        result = write_with(file->fd, offset, spans, n);
    }
    if (result == 0) {
        storage_grown(storage, offset + spans_length(spans, n));
    }
    return result;
}

static int write_zeroes_slowly(struct storage_file *file, uint64_t offset, uint64_t length)
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
        result = write_rest(file->fd, &cursor);
    }
    return result;
}

/* Where the file system cannot, zeroes are written. */
static int file_clear(struct storage *storage, uint64_t offset, uint64_t length, bool release)
{
    struct storage_file *file = file_of(storage);
    int mode = (release ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE) | FALLOC_FL_KEEP_SIZE;
    int result;

    do {
        result = fallocate(file->fd, mode, (off_t)offset, (off_t)length) < 0 ? -errno : 0;
    } while (result == -EINTR);
    if (result == -EOPNOTSUPP || result == -ENOSYS || result == -EINVAL || result == -ENODEV) {
        uint64_t size = storage_size(storage);

        /* What lies behind the end reads as zeroes already. */
        result = offset < size ? write_zeroes_slowly(file, offset, MIN(length, size - offset)) : 0;
    }
    return result;
}

static int file_flush(struct storage *storage)
{
    int result;

    do {
        result = fdatasync(file_of(storage)->fd) < 0 ? -errno : 0;
    } while (result == -EINTR);
    return result;
}

/* Errors of the writing are kept for file_flush(). */
static void file_write_back(struct storage *storage)
{
    sync_file_range(file_of(storage)->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static int file_resize(struct storage *storage, uint64_t size)
{
    if (ftruncate(file_of(storage)->fd, (off_t)size) < 0) {
        return -errno;
    }
    __atomic_store_n(&storage->size, size, __ATOMIC_RELAXED);
    return 0;
}

static int file_extent(struct storage *storage, uint64_t offset, uint64_t *length, bool *data)
{
    struct storage_file *file = file_of(storage);
    off_t start = (off_t)offset, end;

    *data = true;
    if (file->device) {
        return 0;
    }
    end = lseek(file->fd, start, SEEK_DATA);
    if (end < 0 && errno == ENXIO) {
        *data = false; /* a hole up to the end */
        return 0;
    }
    if (end > start) {
        *data = false;
    } else if (end == start) {
        end = lseek(file->fd, start, SEEK_HOLE);
    }
    if (end > start) { /* where the file system cannot tell, all is data */
        *length = MIN(*length, (uint64_t)(end - start));
    }
    return 0;
}

static void file_free(struct storage *storage)
{
    close(file_of(storage)->fd);
    if (file_of(storage)->direct_fd >= 0) {
        close(file_of(storage)->direct_fd);
    }
    g_free(storage->name);
    g_free(storage);
}

static const struct storage_class file_class = {
    .read_cached = file_read_cached,
    .read = file_read,
    .write = file_write,
    .clear = file_clear,
    .flush = file_flush,
    .write_back = file_write_back,
    .resize = file_resize,
    .extent = file_extent,
    .free = file_free,
};

int storage_ring_fd(const struct storage *storage, uint64_t offset, const struct iovec *spans,
                    unsigned n, bool write)
{
    const struct storage_file *file = (const struct storage_file *)storage;
    uint64_t size = storage_size(storage);
    int fd;

    if (storage->class != &file_class || offset > size || spans_length(spans, n) > size - offset) {
        return -1;
    }
    fd = fd_for(file, offset, spans, n);
    return fd == file->direct_fd || (file->cached && !write) ? fd : -1;
}

bool storage_file_set_direct(struct storage *storage, GError **error)
{
    struct storage_file *file = file_of(storage);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", file->fd);

    g_assert(storage->class == &file_class);
    /* A second description of the same file; the lock stays with the first one. */
    file->direct_fd = open(path, (storage->read_only ? O_RDONLY : O_RDWR) | O_DIRECT | O_CLOEXEC);
    if (file->direct_fd < 0 && errno == EINVAL) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("The file system of “%s” knows no direct I/O. Set the disk’s cache to "
                      "“writeback”, or move the machine to another file system."),
                    storage->name);
    } else if (file->direct_fd < 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be opened for direct I/O"),
                              storage->name);
    }
    storage->direct = file->direct_fd >= 0;
    return storage->direct;
}

/* Whether RWF_NOWAIT is known for this file; a file system without it refuses before it reads. */
static bool can_read_cached(int fd)
{
    uint8_t byte;
    struct iovec span = { &byte, 1 };

    return preadv2(fd, &span, 1, 0, RWF_NOWAIT) >= 0 || errno == EAGAIN;
}

/*
 * Behind the end there is nothing to lose, but the file system tells whether it knows how. To ask
 * is no change of the file, though some file systems note one.
 */
static bool can_punch(int fd, const struct stat *status)
{
    off_t end = (status->st_size + PUNCH_PROBE - 1) / PUNCH_PROBE * PUNCH_PROBE;
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, status->st_mtim };
    bool can = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, end, PUNCH_PROBE) == 0;

    futimens(fd, times);
    return can;
}

struct storage *storage_file_new(int fd, const char *name, bool read_only, GError **error)
{
    struct storage_file *file;
    struct stat status;
    uint64_t size = 0;

    if (fstat(fd, &status) < 0 || (S_ISBLK(status.st_mode) && ioctl(fd, BLKGETSIZE64, &size) < 0)) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be opened"), name);
        close(fd);
        return NULL;
    }
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is neither a file nor a disk; choose a disk image."), name);
        close(fd);
        return NULL;
    }
    file = g_new0(struct storage_file, 1);
    file->fd = fd;
    file->direct_fd = -1;
    file->cached = can_read_cached(fd);
    file->device = S_ISBLK(status.st_mode);
    file->storage.class = &file_class;
    file->storage.name = g_strdup(name);
    file->storage.size = file->device ? size : (uint64_t)status.st_size;
    file->storage.read_only = read_only;
    file->storage.releases = !file->device && !read_only && can_punch(fd, &status);
    return &file->storage;
}
