/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests through io_uring. One that lies in one piece of a file is handed to the ring, with the
 * image's promise that the piece stays there; whatever else, and whatever the ring could not do
 * completely, is done by a thread with blocking calls, which also judge the error.
 *
 * Two kinds of requests are the ring's thread's from the start, because nothing of them makes it
 * wait: those of drives with direct I/O, and small reads that it submits itself, having heard a
 * doorbell: what is in the page cache is copied there and then.
 *
 * A third kind may make it wait, but seldom does: a small write of whole pages into the page cache,
 * the only request that there is. Another thread would cost more than the copy. After one that took
 * long (the host holds back who writes more than its disk can take) they are the threads' for a
 * hundred times as long, so that others who need the thread wait little.
 */
#include "drive_private.h"

enum {
    QUICK_COPY = 32 << 10, /* bytes; larger copies are shared among the threads */
    PAGE = 4096,           /* of the page cache; what is no whole one may have to be read first */
    BATCH = 64,            /* requests that are taken or given back at once */
    SLOW_WRITE = 1000000,  /* nanoseconds */
    SLOW_PAUSE = 100,      /* times as long as such a write took */
};

struct drive_op {
    struct ring_op ring; /* first */
    struct drive_run run;
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

/* --- What has ended --------------------------------------------------------------------------- */

/* The operations go back; those requests of theirs that are not complete go to the threads, and
 * the others to `runs`. The number of these. Lock held. */
static unsigned ops_sort(struct drive_pool *pool, struct drive_op *const *ops, unsigned n,
                         struct drive_run *runs)
{
    unsigned n_runs = 0;

    for (unsigned i = 0; i < n; i++) {
        struct drive_op *op = ops[i];
        int result = op->ring.result;

        if (result >= 0 && (uint64_t)result == op->run.request->length) {
            runs[n_runs++] = op->run;
        } else {
            request_list_append(&op->run.drive->plain, op->run.request);
            pool->n_running--;
            pool->n_waiting++;
            drive_pool_wake(pool);
        }
        op->next = pool->free_ops;
        pool->free_ops = op;
    }
    return n_runs;
}

static void ops_ended(struct drive_pool *pool, struct drive_op *const *ops, unsigned n)
{
    struct medium *left[BATCH];
    struct drive_run runs[BATCH];
    unsigned n_left = 0, n_runs;

    for (unsigned i = 0; i < n; i++) {
        int result = ops[i]->ring.result;

        image_place_end(ops[i]->run.medium->image, &ops[i]->place);
        if (result < 0 || (uint64_t)result != ops[i]->run.request->length) {
            left[n_left++] = ops[i]->run.medium;
        }
    }
    pthread_mutex_lock(&pool->lock);
    n_runs = ops_sort(pool, ops, n, runs);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < n_left; i++) {
        medium_unref(left[i]);
    }
    if (n_runs > 0) {
        drive_runs_ended(pool, runs, n_runs);
    }
}

static void on_done(void *context, struct ring_op *ended)
{
    struct drive_op *ops[BATCH];

    while (ended != NULL) {
        unsigned n = 0;

        for (; ended != NULL && n < BATCH; ended = ended->next) {
            ops[n++] = (struct drive_op *)ended;
        }
        ops_ended(context, ops, n);
    }
}

/* --- What is to be started -------------------------------------------------------------------- */

/* The request's place, and the descriptor for the ring or -1. */
static bool place_find(const struct drive_run *run, struct image_place *place, int *fd)
{
    const struct block_request *request = run->request;

    if (!medium_place(run->medium, request, place)) {
        return false;
    }
    *fd = storage_ring_fd(place->storage, place->host, (const struct iovec *)request->spans,
                          request->n_spans, request->op == BLOCK_WRITE);
    return true;
}

/* Writes into the page cache there and then. */
static enum drive_ring_answer write_now(const struct drive_run *run,
                                        const struct image_place *place)
{
    const struct block_request *request = run->request;
    struct drive_pool *pool = run->drive->pool;
    uint64_t start = drive_pool_now(pool), took;
    int result = storage_writev(place->storage, place->host, (const struct iovec *)request->spans,
                                request->n_spans);

    took = drive_pool_now(pool) - start;
    if (took > SLOW_WRITE) {
        pool->write_next = start + took + SLOW_PAUSE * took;
    }
    return result == 0 ? DRIVE_RING_DONE : DRIVE_RING_NO;
}

/* The operation is ready for ring_start(). */
static enum drive_ring_answer op_make(const struct drive_run *run, struct drive_op **made)
{
    const struct block_request *request = run->request;
    const struct iovec *spans = (const struct iovec *)request->spans;
    bool write = request->op == BLOCK_WRITE;
    struct image_place place;
    struct drive_op *op;
    int fd;

    if (!place_find(run, &place, &fd)) {
        return DRIVE_RING_NO;
    }
    if (fd >= 0 && !write && !place.storage->direct &&
        storage_readv_cached(place.storage, place.host, spans, request->n_spans) == 0) {
        image_place_end(run->medium->image, &place);
        return DRIVE_RING_DONE;
    }
    if (fd < 0 && write && !place.storage->direct && ring_inside(run->drive->pool->ring)) {
        enum drive_ring_answer answer = write_now(run, &place);

        image_place_end(run->medium->image, &place);
        return answer;
    }
    op = fd >= 0 ? op_take(run->drive->pool) : NULL;
    if (op == NULL) {
        image_place_end(run->medium->image, &place);
        return DRIVE_RING_NO;
    }
    *op = (struct drive_op){
        .ring = { fd, write, request->n_spans, spans, place.host, 0, NULL },
        .run = *run,
        .place = place,
    };
    op->run.status = 0; /* which it has if the ring does all of it */
    *made = op;
    return DRIVE_RING_YES;
}

/* Whether nothing else is under way, and it is likely to be written without waiting. */
static bool is_quick_write(const struct drive_pool *pool, const struct block_request *request)
{
    return request->op == BLOCK_WRITE && (request->offset | request->length) % PAGE == 0 &&
           pool->n_running + pool->n_waiting + pool->n_quick == 0 &&
           drive_pool_now(pool) >= pool->write_next;
}

bool drive_ring_is_quick(const struct drive *drive, const struct block_request *request, bool alone)
{
    const struct drive_pool *pool = drive->pool;

    if (pool->ring == NULL || drive->medium == NULL) {
        return false;
    }
    if (drive->direct) {
        return request->op == BLOCK_READ || request->op == BLOCK_WRITE;
    }
    return request->length <= QUICK_COPY && ring_inside(pool->ring) &&
           (request->op == BLOCK_READ || (alone && is_quick_write(pool, request)));
}

/* Takes quick requests of a drive; they count as running then. Lock held. */
static unsigned quick_take(struct drive *drive, struct drive_run *runs)
{
    unsigned n = 0;

    while (n < BATCH && drive->quick.n > 0) {
        runs[n++] = (struct drive_run){
            .drive = drive,
            .medium = medium_ref(drive->medium),
            .request = request_list_take(&drive->quick),
        };
    }
    drive->pool->n_quick -= n;
    drive->pool->n_running += n;
    return n;
}

/* What is not for the ring goes to the threads. */
static void quick_leave(const struct drive_run *run)
{
    struct drive_pool *pool = run->drive->pool;

    pthread_mutex_lock(&pool->lock);
    request_list_append(&run->drive->plain, run->request);
    pool->n_running--;
    pool->n_waiting++;
    drive_pool_wake(pool);
    pthread_mutex_unlock(&pool->lock);
    medium_unref(run->medium);
}

static void quick_run(struct drive_pool *pool, const struct drive_run *runs, unsigned n)
{
    struct drive_run ended[BATCH];
    struct drive_op *op;
    unsigned n_ended = 0;

    for (unsigned i = 0; i < n; i++) {
        switch (op_make(&runs[i], &op)) {
        case DRIVE_RING_YES:
            ring_start(pool->ring, &op->ring);
            break;
        case DRIVE_RING_DONE:
            ended[n_ended++] = runs[i];
            break;
        case DRIVE_RING_NO:
            quick_leave(&runs[i]);
            break;
        }
    }
    if (n_ended > 0) {
        drive_runs_ended(pool, ended, n_ended);
    }
}

/* Quick requests of a drive that has some. Lock held. */
static unsigned quick_next(struct drive_pool *pool, struct drive_run *runs)
{
    for (unsigned i = 0; i < pool->drives->len; i++) {
        struct drive *drive = pool->drives->pdata[i];

        if (drive->quick.n > 0) {
            return quick_take(drive, runs);
        }
    }
    return 0;
}

static void on_work(void *context)
{
    struct drive_pool *pool = context;
    struct drive_run runs[BATCH];
    struct drive_op *prepared;
    unsigned n;

    pthread_mutex_lock(&pool->lock);
    prepared = g_steal_pointer(&pool->prepared);
    n = quick_next(pool, runs);
    pthread_mutex_unlock(&pool->lock);
    for (; prepared != NULL; prepared = prepared->next) {
        ring_start(pool->ring, &prepared->ring);
    }
    while (n > 0) {
        quick_run(pool, runs, n);
        pthread_mutex_lock(&pool->lock);
        n = quick_next(pool, runs);
        pthread_mutex_unlock(&pool->lock);
    }
}

/* --- The ring --------------------------------------------------------------------------------- */

/* Lock held. */
static void ring_take(struct drive_pool *pool, struct ring *ring)
{
    pool->ops = g_new0(struct drive_op, RING_DEPTH);
    for (unsigned i = 0; i < RING_DEPTH; i++) {
        pool->ops[i].next = pool->free_ops;
        pool->free_ops = &pool->ops[i];
    }
    g_atomic_pointer_set(&pool->ring, ring);
    if (pool->listen_fd >= 0) {
        ring_listen(ring, pool->listen_fd, pool->ready, pool->ready_context);
    }
}

/*
 * The pool's ring. The first who asks makes it, if the host lets us, and who asks meanwhile does
 * without.
 */
static struct ring *ring_of(struct drive_pool *pool)
{
    const struct ring_events events = { on_work, on_done, pool };
    struct ring *ring;

    if (g_atomic_pointer_get(&pool->ring) == NULL &&
        g_atomic_int_compare_and_exchange(&pool->engine, DRIVE_ENGINE_BEST, DRIVE_ENGINE_THREADS)) {
        ring = ring_new(&events);
        if (ring != NULL) {
            pthread_mutex_lock(&pool->lock);
            ring_take(pool, ring);
            pthread_mutex_unlock(&pool->lock);
        }
    }
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

void drive_pool_listen(struct drive_pool *pool, int fd, bool (*ready)(void *context), void *context)
{
    pthread_mutex_lock(&pool->lock);
    pool->listen_fd = fd;
    pool->ready = ready;
    pool->ready_context = context;
    pthread_mutex_unlock(&pool->lock);
}

void drive_pool_listen_again(struct drive_pool *pool)
{
    struct ring *ring = g_atomic_pointer_get(&pool->ring);

    if (ring != NULL) {
        ring_listen_again(ring);
    }
}

enum drive_ring_answer drive_ring_try(const struct drive_run *run)
{
    struct drive_pool *pool = run->drive->pool;
    struct ring *ring = ring_of(pool);
    enum drive_ring_answer answer = DRIVE_RING_NO;
    struct drive_op *op;

    if (ring != NULL) {
        answer = op_make(run, &op);
    }
    if (answer == DRIVE_RING_YES) {
        pthread_mutex_lock(&pool->lock);
        op->next = pool->prepared;
        pool->prepared = op;
        pthread_mutex_unlock(&pool->lock);
        ring_wake(ring);
    }
    return answer;
}
