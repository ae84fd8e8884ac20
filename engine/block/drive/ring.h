/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads and writes through io_uring (io_uring(7)): one ring and one thread, which hands whatever is
 * to be started to the kernel in one call, sleeps in that call until something has ended, and takes
 * all answers that are there at once.
 *
 * The thread can also listen to a descriptor. Whoever is told there, and starts operations because
 * of it, costs no change of threads: what was asked for is under way with the call in which the
 * thread goes to sleep again.
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
    RING_DEPTH = 128, /* the most operations that may be under way */
};

/* The caller's, who fills it; the ring's from ring_start() until `done`. */
struct ring_op {
    int fd;
    bool write;
    unsigned n;                /* spans, at most SPANS_MAX */
    const struct iovec *spans; /* must stay as long as the operation */
    uint64_t offset;           /* bytes */
    int result;                /* set on completion: bytes moved, or a negative errno value */
    struct ring_op *next;      /* with `done`: the next one of the list */
};

/* All on the ring's thread, with no lock held. */
struct ring_events {
    /* Operations may be to be started. After ring_wake() and after everything else that is told,
     * before the thread sleeps. */
    void (*work)(void *context);
    /* The operations of the list have ended. */
    void (*done)(void *context, struct ring_op *ops);
    void *context;
};

/*
 * Starts the thread. `events` is copied. NULL if the host has no io_uring for us: an old kernel, a
 * sandbox, or kernel.io_uring_disabled.
 */
struct ring *ring_new(const struct ring_events *events);
/* True on the ring's thread. */
bool ring_inside(const struct ring *ring);
/* Only on the ring's thread, RING_DEPTH at most until they end. Never waits. */
void ring_start(struct ring *ring, struct ring_op *op);
/* `work` will be called. Any thread. */
void ring_wake(struct ring *ring);
/*
 * From now on `ready` is called on the ring's thread when `fd` can be read. If it answers false,
 * not again before ring_listen_again(). Once, any thread; the descriptor stays open as long as the
 * ring.
 */
void ring_listen(struct ring *ring, int fd, bool (*ready)(void *context), void *context);
void ring_listen_again(struct ring *ring);
/* Every operation has ended. NULL is allowed. */
void ring_free(struct ring *ring);

#endif
