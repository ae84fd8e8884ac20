/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See ring.h. The thread sleeps in one of two places: without operations under way on a condition,
 * and otherwise in the ring, where a read of an event descriptor is one more operation and so wakes
 * it for what was queued meanwhile.
 */
#include "ring.h"

#include <errno.h>
#include <glib.h>
#include <liburing.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct ring {
    void (*done)(void *context, struct ring_op *op);
    void *context;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int wake_fd;
    /* Below: under the lock. */
    struct ring_op *first, *last; /* queued; `last` only with `first` */
    enum { STARTING, RUNNING, REFUSED, STOPPING } state;
    bool in_kernel; /* or about to be: a queued operation must wake it */
    bool woken;     /* wake_fd was written and not yet read */
    /* Below: the thread's own. */
    struct io_uring uring;
    unsigned under_way;
    bool armed; /* the read of wake_fd is under way */
    uint64_t wake_count;
};

/* --- The thread ---------------------------------------------------------------------------------
 */

static bool uring_open(struct ring *ring)
{
    /* Completions are then worked on when the thread asks, and interrupt nobody (Linux 6.1). */
    unsigned flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;

    return io_uring_queue_init(2 * RING_DEPTH, &ring->uring, flags) == 0 ||
           io_uring_queue_init(2 * RING_DEPTH, &ring->uring, 0) == 0;
}

static void prepare(struct ring *ring, struct ring_op *op)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring->uring);

    g_assert(entry != NULL); /* there are more entries than operations */
    if (op->write) {
        io_uring_prep_writev(entry, op->fd, op->spans, op->n, op->offset);
    } else {
        io_uring_prep_readv(entry, op->fd, op->spans, op->n, op->offset);
    }
    io_uring_sqe_set_data(entry, op);
    ring->under_way++;
}

static void arm(struct ring *ring)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring->uring);

    g_assert(entry != NULL);
    io_uring_prep_read(entry, ring->wake_fd, &ring->wake_count, sizeof(ring->wake_count), 0);
    io_uring_sqe_set_data(entry, NULL);
    ring->armed = true;
}

/* All answers that are there, in their order; true if the wake-up was one of them. */
static bool reap(struct ring *ring, struct ring_op **ended)
{
    struct io_uring_cqe *answer;
    bool woken = false;
    unsigned head, n = 0;

    io_uring_for_each_cqe(&ring->uring, head, answer)
    {
        struct ring_op *op = io_uring_cqe_get_data(answer);

        n++;
        if (op == NULL) {
            woken = true;
            continue;
        }
        op->result = answer->res;
        op->next = NULL;
        *ended = op;
        ended = &op->next;
    }
    io_uring_cq_advance(&ring->uring, n);
    ring->armed = ring->armed && !woken;
    *ended = NULL;
    return woken;
}

/* Hands over what was queued, sleeps until something has ended, and gives that back. Lock held
 * before and after. */
static void turn(struct ring *ring)
{
    struct ring_op *queued = ring->first, *ended, *next;
    bool woken;

    ring->first = NULL;
    ring->in_kernel = true;
    pthread_mutex_unlock(&ring->lock);
    for (; queued != NULL; queued = next) {
        next = queued->next;
        prepare(ring, queued);
    }
    if (!ring->armed) {
        arm(ring);
    }
    if (io_uring_submit_and_wait(&ring->uring, 1) < 0) {
        sched_yield(); /* interrupted, or the kernel is short of something */
    }
    woken = reap(ring, &ended);
    pthread_mutex_lock(&ring->lock);
    ring->in_kernel = false;
    ring->woken = ring->woken && !woken;
    pthread_mutex_unlock(&ring->lock);
    for (; ended != NULL; ended = next) {
        next = ended->next;
        ring->under_way--;
        ring->done(ring->context, ended);
    }
    pthread_mutex_lock(&ring->lock);
}

static void *work(void *data)
{
    struct ring *ring = data;
    bool opened = uring_open(ring);

    pthread_mutex_lock(&ring->lock);
    ring->state = opened ? RUNNING : REFUSED;
    pthread_cond_broadcast(&ring->changed);
    while (opened && ring->state != STOPPING) {
        if (ring->first != NULL || ring->under_way > 0) {
            turn(ring);
        } else {
            pthread_cond_wait(&ring->changed, &ring->lock);
        }
    }
    pthread_mutex_unlock(&ring->lock);
    if (opened) {
        io_uring_queue_exit(&ring->uring);
    }
    return NULL;
}

/* --- From other threads -------------------------------------------------------------------------
 */

static void dispose(struct ring *ring)
{
    if (ring->wake_fd >= 0) {
        close(ring->wake_fd);
    }
    pthread_mutex_destroy(&ring->lock);
    pthread_cond_destroy(&ring->changed);
    g_free(ring);
}

struct ring *ring_new(void (*done)(void *context, struct ring_op *op), void *context)
{
    struct ring *ring = g_new0(struct ring, 1);
    bool refused;

    ring->done = done;
    ring->context = context;
    ring->state = STARTING;
    pthread_mutex_init(&ring->lock, NULL);
    pthread_cond_init(&ring->changed, NULL);
    ring->wake_fd = eventfd(0, EFD_CLOEXEC);
    if (ring->wake_fd < 0 || pthread_create(&ring->thread, NULL, work, ring) != 0) {
        dispose(ring);
        return NULL;
    }
    pthread_setname_np(ring->thread, "disk-ring");
    pthread_mutex_lock(&ring->lock);
    while (ring->state == STARTING) {
        pthread_cond_wait(&ring->changed, &ring->lock);
    }
    refused = ring->state == REFUSED;
    pthread_mutex_unlock(&ring->lock);
    if (refused) {
        pthread_join(ring->thread, NULL);
        dispose(ring);
        return NULL;
    }
    return ring;
}

void ring_queue(struct ring *ring, struct ring_op *op)
{
    bool wake;

    op->next = NULL;
    pthread_mutex_lock(&ring->lock);
    if (ring->first != NULL) {
        ring->last->next = op;
    } else {
        ring->first = op;
    }
    ring->last = op;
    wake = ring->in_kernel && !ring->woken;
    ring->woken = ring->woken || wake;
    pthread_cond_signal(&ring->changed);
    pthread_mutex_unlock(&ring->lock);
    if (wake) {
        uint64_t one = 1;

        if (write(ring->wake_fd, &one, sizeof(one)) != sizeof(one)) {
            g_error("The disks' thread cannot be woken: %s", g_strerror(errno));
        }
    }
}

void ring_free(struct ring *ring)
{
    if (ring == NULL) {
        return;
    }
    pthread_mutex_lock(&ring->lock);
    ring->state = STOPPING;
    pthread_cond_signal(&ring->changed);
    pthread_mutex_unlock(&ring->lock);
    pthread_join(ring->thread, NULL);
    dispose(ring);
}
