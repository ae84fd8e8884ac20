/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests through io_uring. One that lies in one piece of a file is handed to the ring, with the
 * image's promise that the piece stays there; whatever else, and whatever the ring could not do
 * completely, is done by a thread with blocking calls, which also judge the error.
 */
#include "drive_private.h"

struct drive_op {
    struct ring_op ring; /* first */
    struct drive *drive;
    struct medium *medium;
    struct block_request *request;
    struct image_place place;
    struct drive_op *next;
};

static struct drive_op *op_take(struct drive_pool *pool)
{
    struct drive_op *op;

    pthread_mutex_lock(&pool->lock);
    op = pool->free_ops;
    if (op != NULL) {
        pool->free_ops = op->next;
    }
    pthread_mutex_unlock(&pool->lock);
    return op;
}

static void op_give_back(struct drive_pool *pool, struct drive_op *op)
{
    pthread_mutex_lock(&pool->lock);
    op->next = pool->free_ops;
    pool->free_ops = op;
    pthread_mutex_unlock(&pool->lock);
}

/* On the ring's thread. */
static void on_done(void *context, struct ring_op *ring_op)
{
    struct drive_pool *pool = context;
    struct drive_op *op = (struct drive_op *)ring_op, was = *op;

    op_give_back(pool, op);
    image_place_end(was.medium->image, &was.place);
    if (was.ring.result >= 0 && (uint64_t)was.ring.result == was.request->length) {
        drive_request_ended(was.drive, was.medium, was.request, 0);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    request_list_append(&was.drive->plain, was.request);
    pool->n_running--;
    pool->n_waiting++;
    drive_pool_wake(pool);
    pthread_mutex_unlock(&pool->lock);
    medium_unref(was.medium);
}

/* The pool's ring, made if it has none yet and the host lets us; it is not asked twice. */
static struct ring *ring_of(struct drive_pool *pool)
{
    struct ring *ring;

    if (g_atomic_pointer_get(&pool->ring) != NULL ||
        g_atomic_int_get(&pool->engine) == DRIVE_ENGINE_THREADS) {
        return g_atomic_pointer_get(&pool->ring);
    }
    ring = ring_new(on_done, pool);
    pthread_mutex_lock(&pool->lock);
    if (ring == NULL) {
        g_atomic_int_set(&pool->engine, DRIVE_ENGINE_THREADS);
    } else if (pool->ring == NULL) {
        pool->ops = g_new0(struct drive_op, RING_DEPTH);
        for (unsigned i = 0; i < RING_DEPTH; i++) {
            pool->ops[i].next = pool->free_ops;
            pool->free_ops = &pool->ops[i];
        }
        g_atomic_pointer_set(&pool->ring, g_steal_pointer(&ring));
    }
    pthread_mutex_unlock(&pool->lock);
    ring_free(ring); /* two threads made one at once */
    return g_atomic_pointer_get(&pool->ring);
}

void drive_ring_close(struct drive_pool *pool)
{
    ring_free(g_steal_pointer(&pool->ring));
    g_clear_pointer(&pool->ops, g_free);
}

bool drive_pool_has_ring(struct drive_pool *pool)
{
    bool has;

    pthread_mutex_lock(&pool->lock);
    has = pool->ring != NULL;
    pthread_mutex_unlock(&pool->lock);
    return has;
}

enum drive_ring_answer drive_ring_try(struct drive *drive, struct medium *medium,
                                      struct block_request *request, bool wait_less)
{
    struct drive_pool *pool = drive->pool;
    const struct iovec *spans = (const struct iovec *)request->spans;
    bool write = request->op == BLOCK_WRITE;
    struct image_place place;
    struct drive_op *op = NULL;
    struct ring *ring = wait_less ? g_atomic_pointer_get(&pool->ring) : ring_of(pool);
    int fd;

    if (ring == NULL || !medium_place(medium, request, &place)) {
        return DRIVE_RING_NO;
    }
    fd = storage_ring_fd(place.storage, place.host, spans, request->n_spans, write);
    if (fd >= 0 && !wait_less && !write && !place.storage->direct &&
        storage_readv_cached(place.storage, place.host, spans, request->n_spans) == 0) {
        image_place_end(medium->image, &place);
        return DRIVE_RING_DONE;
    }
    if (fd >= 0 && (!wait_less || place.storage->direct)) {
        op = op_take(pool);
    }
    if (op == NULL) {
        image_place_end(medium->image, &place);
        return DRIVE_RING_NO;
    }
    *op = (struct drive_op){
        .ring = { fd, write, request->n_spans, spans, place.host, 0, NULL },
        .drive = drive,
        .medium = medium,
        .request = request,
        .place = place,
    };
    ring_queue(ring, &op->ring);
    return DRIVE_RING_YES;
}
