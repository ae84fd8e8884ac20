/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the drives share: drive.c (drives), drive_pool.c (queues and threads),
 * drive_ring.c (requests through io_uring). See drive.h.
 *
 * One lock covers all queues (a pthread one, so that the thread sanitizer sees it); it is never
 * held while a system call on a medium or a callback runs. A request is in exactly one place:
 * waiting, plain (both: to be run by a thread, the latter with blocking calls only), quick (to be
 * run by the ring's thread), held (by a limit), cancelled (to be given back with -ENOMEDIUM),
 * parked, with the thread that runs it, or in the ring. While a request waits, its status is 0, or,
 * after a retry, the error for which it was parked before.
 */
#ifndef ENGINE_BLOCK_DRIVE_PRIVATE_H
#define ENGINE_BLOCK_DRIVE_PRIVATE_H

#include <pthread.h>

#include "drive.h"
#include "limit.h"
#include "medium.h"
#include "ring.h"

enum {
    THREADS_MAX = 4,
};

struct request_list {
    struct block_request *first, *last;
    unsigned n;
};

struct drive_op;

struct drive {
    struct drive_pool *pool;
    char *id;
    char serial[BLOCK_SERIAL_MAX];
    bool optical;
    bool direct; /* set before the medium */
    /* Below: under the pool's lock. */
    struct medium *medium; /* NULL: empty */
    uint64_t generation;
    struct request_list waiting, plain, quick, held, cancelled, parked;
    struct limit operations, bytes;
    struct drive_figures figures;
};

struct drive_pool {
    struct drive_events events;
    pthread_mutex_t lock;
    pthread_cond_t work; /* a request waits, or the pool stops */
    pthread_cond_t idle; /* nothing waits or runs */
    GPtrArray *drives;
    unsigned next_drive; /* whose turn it is */
    pthread_t threads[THREADS_MAX];
    unsigned n_threads, n_sleeping;
    unsigned n_running, n_waiting; /* requests; waiting counts plain and cancelled ones too */
    unsigned n_quick, n_held;
    unsigned draining;       /* calls that wait: nothing is held */
    uint64_t (*clock)(void); /* nanoseconds; atomic */
    bool stalled, stopping;
    int engine;                /* enum drive_engine: whether to make a ring; atomic */
    struct ring *ring;         /* NULL: none, or none yet; atomic, constant once set */
    struct drive_op *ops;      /* RING_DEPTH of them, with the ring */
    struct drive_op *free_ops; /* those that are in no use */
    struct drive_op *prepared; /* by threads, for the ring's to start; newest first */
    uint64_t write_next; /* the ring's thread's own: it writes itself again from this time on */
    int listen_fd;       /* -1: none */
    bool (*ready)(void *context);
    void *ready_context;
};

/* --- drive.c --------------------------------------------------------------------------------- */

/*
 * Puts a request where it will be run; `alone`: it was submitted without others. True if that is
 * the threads' queue: pool->work must be signalled, best without the lock. Lock held.
 */
bool drive_enqueue(struct drive *drive, struct block_request *request, bool alone);

/* --- drive_limits.c -------------------------------------------------------------------------- */

/* True if a limit makes the request wait; it is held then, and otherwise counted. Lock held. */
bool drive_hold(struct drive *drive, struct block_request *request);
/* Lets go what may go now; when to look again, in nanoseconds of the pool's clock, UINT64_MAX:
 * nothing is held. Lock held. */
uint64_t drive_pool_release(struct drive_pool *pool);
/* The clock that limits go by if no other is set, and the one that they do go by. Any thread. */
uint64_t drive_host_clock(void);
uint64_t drive_pool_now(const struct drive_pool *pool);
/* Waits for work, or for that time. Lock held before and after. */
void drive_pool_sleep(struct drive_pool *pool, uint64_t until);

/* --- drive_pool.c ---------------------------------------------------------------------------- */

void request_list_append(struct request_list *list, struct block_request *request);
struct block_request *request_list_take(struct request_list *list);
void request_list_move(struct request_list *to, struct request_list *from);
/* A request was put into a queue of the threads': there are enough of them. Lock held. */
void drive_pool_staff(struct drive_pool *pool);
/* The same, and somebody must see it. Lock held. */
void drive_pool_wake(struct drive_pool *pool);

/* A request that ran on `medium` (referenced; NULL: cancelled) and counts as running. */
struct drive_run {
    struct drive *drive;
    struct medium *medium;
    struct block_request *request;
    int status;
};

/* These, in any number, have ended with their status: each is given back or parked. Lock not held.
 */
void drive_runs_ended(struct drive_pool *pool, const struct drive_run *runs, unsigned n);

/* --- drive_ring.c ---------------------------------------------------------------------------- */

/* Every request has ended. */
void drive_ring_close(struct drive_pool *pool);
/* Whether the ring's thread shall run a request: its own threads need not see it. `alone` as above.
 * Lock held. */
bool drive_ring_is_quick(const struct drive *drive, const struct block_request *request,
                         bool alone);

enum drive_ring_answer {
    DRIVE_RING_NO,   /* the request is one for medium_run() */
    DRIVE_RING_DONE, /* it was done here and now, without waiting */
    DRIVE_RING_YES,  /* the ring has it, and run->medium with it */
};

/* Tries to start a request, with its medium, on a thread of the pool. Lock not held. */
enum drive_ring_answer drive_ring_try(const struct drive_run *run);

#endif
