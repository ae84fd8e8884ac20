/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See ring.h. The thread sleeps in the ring only. A read of an event descriptor is one more
 * operation there and so wakes it for what others want; a poll of the descriptor that it listens to
 * is another.
 */
#include "ring.h"

#include <errno.h>
#include <glib.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct ring {
    struct ring_events events;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* of `state` */
    int wake_fd;
    /* Below: under the lock. */
    enum { STARTING, RUNNING, REFUSED, STOPPING } state;
    bool sleeping; /* or about to: wake_fd must be written */
    bool woken;    /* `work` is due */
    int listen_fd; /* -1: none */
    bool (*ready)(void *context);
    void *ready_context;
    bool listening; /* the next time it can be read is to be told */
    /* Below: the thread's own. */
    struct io_uring uring;
    bool armed, listen_armed; /* these operations are under way */
    bool again;               /* `work` is due */
    uint64_t wake_count;
};

/* --- The thread ------------------------------------------------------------------------------- */

static bool uring_open(struct ring *ring)
{
    /* Completions are then worked on when the thread asks, and interrupt nobody (Linux 6.1). */
    unsigned flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;

    return io_uring_queue_init(2 * RING_DEPTH, &ring->uring, flags) == 0 ||
           io_uring_queue_init(2 * RING_DEPTH, &ring->uring, 0) == 0;
}

static struct io_uring_sqe *entry_new(struct ring *ring)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring->uring);

    g_assert(entry != NULL); /* there are more entries than operations */
    return entry;
}

void ring_start(struct ring *ring, struct ring_op *op)
{
    struct io_uring_sqe *entry = entry_new(ring);

    if (op->write) {
        io_uring_prep_writev(entry, op->fd, op->spans, op->n, op->offset);
    } else {
        io_uring_prep_readv(entry, op->fd, op->spans, op->n, op->offset);
    }
    io_uring_sqe_set_data(entry, op);
}

/* The two operations that are always there; they are told apart by whose address they carry. */
static void arm(struct ring *ring, bool listening, int listen_fd)
{
    struct io_uring_sqe *entry;

    if (!ring->armed) {
        entry = entry_new(ring);
        io_uring_prep_read(entry, ring->wake_fd, &ring->wake_count, sizeof(ring->wake_count), 0);
        io_uring_sqe_set_data(entry, &ring->armed);
        ring->armed = true;
    }
    if (listening && !ring->listen_armed) {
        entry = entry_new(ring);
        io_uring_prep_poll_add(entry, listen_fd, POLLIN);
        io_uring_sqe_set_data(entry, &ring->listen_armed);
        ring->listen_armed = true;
    }
}

/* All answers that are there, in their order; true if the descriptor can be read. */
static bool reap(struct ring *ring, struct ring_op **ended)
{
    struct io_uring_cqe *answer;
    bool ready = false;
    unsigned head, n = 0;

    io_uring_for_each_cqe(&ring->uring, head, answer)
    {
        void *data = io_uring_cqe_get_data(answer);
        struct ring_op *op = data;

        n++;
        if (data == &ring->armed) {
            ring->armed = false;
        } else if (data == &ring->listen_armed) {
            ring->listen_armed = false;
            ready = true;
        } else {
            op->result = answer->res;
            op->next = NULL;
            *ended = op;
            ended = &op->next;
        }
    }
    io_uring_cq_advance(&ring->uring, n);
    *ended = NULL;
    return ready;
}

static void tell_ready(struct ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    ring->listening = false;
    pthread_mutex_unlock(&ring->lock);
    if (ring->ready(ring->ready_context)) {
        pthread_mutex_lock(&ring->lock);
        ring->listening = true;
        pthread_mutex_unlock(&ring->lock);
    }
}

/* Hands over what is to be started, sleeps until something has ended unless there is work, and
 * tells it. Lock held before and after. */
static void turn(struct ring *ring)
{
    bool listening = ring->listening, ready;
    int listen_fd = ring->listen_fd;
    struct ring_op *ended;

    ring->sleeping = !ring->woken && !ring->again;
    pthread_mutex_unlock(&ring->lock);
    arm(ring, listening, listen_fd);
    if (io_uring_submit_and_wait(&ring->uring, ring->sleeping ? 1 : 0) < 0) {
        sched_yield(); /* interrupted, or the kernel is short of something */
    }
    ready = reap(ring, &ended);
    pthread_mutex_lock(&ring->lock);
    ring->sleeping = ring->woken = false;
    pthread_mutex_unlock(&ring->lock);
    if (ended != NULL) {
        ring->events.done(ring->events.context, ended);
    }
    if (ready) {
        tell_ready(ring);
    }
    ring->again = false;
    ring->events.work(ring->events.context);
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
        turn(ring);
    }
    pthread_mutex_unlock(&ring->lock);
    if (opened) {
        io_uring_queue_exit(&ring->uring);
    }
    return NULL;
}

/* --- From other threads ----------------------------------------------------------------------- */

static void dispose(struct ring *ring)
{
    if (ring->wake_fd >= 0) {
        close(ring->wake_fd);
    }
    pthread_mutex_destroy(&ring->lock);
    pthread_cond_destroy(&ring->changed);
    g_free(ring);
}

struct ring *ring_new(const struct ring_events *events)
{
    struct ring *ring = g_new0(struct ring, 1);
    bool refused;

    ring->events = *events;
    ring->state = STARTING;
    ring->listen_fd = -1;
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

bool ring_inside(const struct ring *ring)
{
    return pthread_equal(ring->thread, pthread_self());
}

void ring_wake(struct ring *ring)
{
    bool wake;

    if (ring_inside(ring)) {
        ring->again = true;
        return;
    }
    pthread_mutex_lock(&ring->lock);
    wake = ring->sleeping && !ring->woken;
    ring->woken = true;
    pthread_mutex_unlock(&ring->lock);
    if (wake) {
        uint64_t one = 1;

        if (write(ring->wake_fd, &one, sizeof(one)) != sizeof(one)) {
            g_error("The disks' thread cannot be woken: %s", g_strerror(errno));
        }
    }
}

void ring_listen(struct ring *ring, int fd, bool (*ready)(void *context), void *context)
{
    pthread_mutex_lock(&ring->lock);
    ring->ready = ready;
    ring->ready_context = context;
    ring->listen_fd = fd;
    pthread_mutex_unlock(&ring->lock);
    ring_listen_again(ring);
}

void ring_listen_again(struct ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    ring->listening = ring->listen_fd >= 0;
    pthread_mutex_unlock(&ring->lock);
    ring_wake(ring);
}

void ring_free(struct ring *ring)
{
    if (ring == NULL) {
        return;
    }
    pthread_mutex_lock(&ring->lock);
    ring->state = STOPPING;
    pthread_mutex_unlock(&ring->lock);
    ring_wake(ring);
    pthread_join(ring->thread, NULL);
    dispose(ring);
}
