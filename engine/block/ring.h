/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads and writes through io_uring (io_uring(7)): one ring and one thread, which hands whatever
 * was queued to the kernel in one call, takes all answers that are there, and sleeps in the kernel
 * otherwise.
 *
 * What the ring is for is what takes time: direct I/O, and reads that are not in the host's page
 * cache. A copy from or to the page cache is quicker with a plain system call, and most file
 * systems answer a buffered write in a ring with a thread of the kernel's for each.
 *
 * An operation that ends with an error, or moved less than asked, is the owner's to repeat with
 * plain calls; so errors are judged in one place only, see storage_file.c.
 */
#ifndef ENGINE_BLOCK_RING_H
#define ENGINE_BLOCK_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct ring;

enum {
    RING_DEPTH = 128, /* the most operations that may be queued or under way */
};

/* The caller's, who fills it; the ring's from ring_queue() until `done`. */
struct ring_op {
    int fd;
    bool write;
    unsigned n;                /* spans, at most SPANS_MAX */
    const struct iovec *spans; /* must stay as long as the operation */
    uint64_t offset;           /* bytes */
    int result;                /* set on completion: bytes moved, or a negative errno value */
    struct ring_op *next;      /* the ring's */
};

/*
 * Starts the ring. `done` is called on its thread, with no lock held, once for each operation, and
 * may queue more. NULL if the host has no io_uring for us: an old kernel, a sandbox, or
 * kernel.io_uring_disabled.
 */
struct ring *ring_new(void (*done)(void *context, struct ring_op *op), void *context);
/* Any thread, `done` included. Never waits for I/O. */
void ring_queue(struct ring *ring, struct ring_op *op);
/* Every operation has ended. NULL is allowed. */
void ring_free(struct ring *ring);

#endif
