/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the bytes of an image lie: a file or block device, a file seen through a replayed log, or,
 * in tests, a recorder that replays power cuts. Image formats know storages only.
 *
 * Errors of the functions below are negative errno values. -EIO and the like are the host's;
 * -EROFS is a write to a read-only storage.
 *
 * Threads: all functions from any thread, several at a time; storage_resize() and storage_free()
 * alone.
 */
#ifndef ENGINE_BLOCK_STORAGE_H
#define ENGINE_BLOCK_STORAGE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct storage;

struct storage_class {
    /* NULL: cannot */
    int (*read_cached)(struct storage *storage, uint64_t offset, const struct iovec *spans,
                       unsigned n);
    int (*read)(struct storage *storage, uint64_t offset, const struct iovec *spans, unsigned n);
    int (*write)(struct storage *storage, uint64_t offset, const struct iovec *spans, unsigned n);
    int (*clear)(struct storage *storage, uint64_t offset, uint64_t length, bool release);
    int (*flush)(struct storage *storage);
    void (*write_back)(struct storage *storage); /* NULL: nothing is kept back */
    int (*resize)(struct storage *storage, uint64_t size);
    int (*extent)(struct storage *storage, uint64_t offset, uint64_t *length, bool *data);
    void (*free)(struct storage *storage);
};

struct storage {
    const struct storage_class *class;
    char *name;       /* for messages */
    uint64_t size;    /* bytes; atomic */
    bool read_only;   /* constant */
    bool releases;    /* constant: storage_clear() with `release` gives space back */
    bool direct;      /* set by storage_file_set_direct() */
    int flush_failed; /* atomic: written data was lost; no flush succeeds any more */
};

/*
 * A regular file or block device, opened by the caller; owns `fd` from here on, also when it fails.
 * Errors: INVALID (neither file nor block device), HOST.
 */
struct storage *storage_file_new(int fd, const char *name, bool read_only, GError **error);
/*
 * From now on reads and writes go past the host's page cache (O_DIRECT), which is left to other
 * things; those that do not lie on whole pages of 4096 bytes still go through it, and the kernel
 * keeps both views the same. Before the first request, of a storage made by storage_file_new().
 * INVALID if the file system cannot.
 */
bool storage_file_set_direct(struct storage *storage, GError **error);
/*
 * The descriptor with which a ring (ring.h) may move these bytes, if that is the best way to; -1:
 * plain calls are better, or needed. Of a storage of any kind.
 */
int storage_ring_fd(const struct storage *storage, uint64_t offset, const struct iovec *spans,
                    unsigned n, bool write);
/* Closes without a flush. NULL is allowed. */
void storage_free(struct storage *storage);

/* Reads into spans (at most SPANS_MAX); what lies behind the end reads as zeroes. */
int storage_readv(struct storage *storage, uint64_t offset, const struct iovec *spans, unsigned n);
/* The same, if all of it can be had without waiting for the host's disk; -EAGAIN otherwise. */
int storage_readv_cached(struct storage *storage, uint64_t offset, const struct iovec *spans,
                         unsigned n);
int storage_writev(struct storage *storage, uint64_t offset, const struct iovec *spans, unsigned n);
int storage_read(struct storage *storage, uint64_t offset, void *bytes, size_t length);
/* As storage_read(), but -EUCLEAN if the storage ends before `length` bytes. */
int storage_read_all(struct storage *storage, uint64_t offset, void *bytes, size_t length);
int storage_write(struct storage *storage, uint64_t offset, const void *bytes, size_t length);
/*
 * Makes a range read as zeroes, without changing the size; with `release` its space is given back
 * if the host can.
 */
int storage_clear(struct storage *storage, uint64_t offset, uint64_t length, bool release);
/*
 * Lets the host begin to move to its disk what was written, so that a flush later on has less to
 * wait for. It promises nothing. May wait for the host's disk to take more.
 */
void storage_write_back(struct storage *storage);
/* Everything written before is durable. After one failure, -EIO for ever. */
int storage_flush(struct storage *storage);
int storage_resize(struct storage *storage, uint64_t size);
/*
 * How far (bytes, at most *length, at least 1) the storage is all data or all hole from `offset`
 * on. Behind the end everything is hole.
 */
int storage_extent(struct storage *storage, uint64_t offset, uint64_t *length, bool *data);

static inline uint64_t storage_size(const struct storage *storage)
{
    return __atomic_load_n(&storage->size, __ATOMIC_RELAXED);
}

/* For implementations: the storage is at least so large now. */
void storage_grown(struct storage *storage, uint64_t size);

#endif
