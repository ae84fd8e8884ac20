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

void drive_ring_open(struct drive_pool *pool)
{
    struct ring *ring;

    pthread_mutex_lock(&pool->lock);
    if (pool->engine == DRIVE_ENGINE_THREADS || pool->ring != NULL) {
        pthread_mutex_unlock(&pool->lock);
        return;
    }
    pthread_mutex_unlock(&pool->lock);
    ring = ring_new(on_done, pool);
    pthread_mutex_lock(&pool->lock);
    if (ring == NULL) {
        pool->engine = DRIVE_ENGINE_THREADS; /* not asked again */
    } else if (pool->ring == NULL) {
        pool->ops = g_new0(struct drive_op, RING_DEPTH);
        for (unsigned i = 0; i < RING_DEPTH; i++) {
            pool->ops[i].next = pool->free_ops;
            pool->free_ops = &pool->ops[i];
        }
        pool->ring = g_steal_pointer(&ring);
    }
    pthread_mutex_unlock(&pool->lock);
    ring_free(ring); /* two media were opened at once */
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
    int fd;

    if (pool->ring == NULL || !medium_place(medium, request, &place)) {
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
    ring_queue(pool->ring, &op->ring);
    return DRIVE_RING_YES;
}
