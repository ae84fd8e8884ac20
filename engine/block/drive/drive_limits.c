/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a drive's guest may not have yet. Held requests go in their order, and whatever comes later
 * waits behind them; a flush that nothing is before goes at once. The pool's threads look at the
 * clock: whenever one has nothing else to do it waits for the next request's time, too.
 */
#include <time.h>

#include "drive_private.h"

enum {
    SECOND = 1000000000,
};

uint64_t drive_host_clock(void)
{
    return (uint64_t)g_get_monotonic_time() * 1000;
}

uint64_t drive_pool_now(const struct drive_pool *pool)
{
    return __atomic_load_n(&pool->clock, __ATOMIC_RELAXED)();
}

static bool limited(const struct drive *drive)
{
    return drive->operations.rate > 0 || drive->bytes.rate > 0;
}

/* When a request may go, if none is before it. */
static uint64_t time_of(const struct drive *drive, const struct block_request *request)
{
    return request->op == BLOCK_FLUSH ? 0 : MAX(drive->operations.next, drive->bytes.next);
}

static void pay(struct drive *drive, const struct block_request *request, uint64_t now)
{
    bool moves = request->op == BLOCK_READ || request->op == BLOCK_WRITE;

    if (request->op != BLOCK_FLUSH) {
        limit_take(&drive->operations, now, 1);
    }
    if (moves) {
        limit_take(&drive->bytes, now, request->length);
    }
}

bool drive_hold(struct drive *drive, struct block_request *request)
{
    struct drive_pool *pool = drive->pool;
    uint64_t now;

    if (!limited(drive) && drive->held.n == 0) {
        return false;
    }
    now = drive_pool_now(pool);
    if (pool->draining > 0 || (drive->held.n == 0 && time_of(drive, request) <= now)) {
        pay(drive, request, now);
        return false;
    }
    request_list_append(&drive->held, request);
    pool->n_held++;
    drive_pool_wake(pool);
    return true;
}

/* Lets go what may go of one drive; when the next one may. */
static uint64_t release(struct drive *drive, uint64_t now)
{
    struct drive_pool *pool = drive->pool;

    while (drive->held.n > 0 && (pool->draining > 0 || time_of(drive, drive->held.first) <= now)) {
        struct block_request *request = request_list_take(&drive->held);

        pool->n_held--;
        pay(drive, request, now);
        if (drive_enqueue(drive, request, false)) {
            pthread_cond_signal(&pool->work);
        }
    }
    if (drive->quick.n > 0) {
        ring_wake(pool->ring);
    }
    return drive->held.n > 0 ? time_of(drive, drive->held.first) : UINT64_MAX;
}

uint64_t drive_pool_release(struct drive_pool *pool)
{
    uint64_t next = UINT64_MAX, now;

    if (pool->n_held == 0) {
        return UINT64_MAX;
    }
    now = drive_pool_now(pool);
    for (unsigned i = 0; i < pool->drives->len; i++) {
        uint64_t when = release(pool->drives->pdata[i], now);

        next = MIN(next, when);
    }
    return next;
}

void drive_pool_sleep(struct drive_pool *pool, uint64_t until)
{
    uint64_t now;
    struct timespec time;

    if (until == UINT64_MAX) {
        pthread_cond_wait(&pool->work, &pool->lock);
        return;
    }
    now = drive_pool_now(pool);
    until = drive_host_clock() + (until > now ? until - now : 0);
    time.tv_sec = (time_t)(until / SECOND);
    time.tv_nsec = (long)(until % SECOND);
    pthread_cond_clockwait(&pool->work, &pool->lock, CLOCK_MONOTONIC, &time);
}

void drive_set_limits(struct drive *drive, const struct drive_limits *limits)
{
    struct drive_pool *pool = drive->pool;

    pthread_mutex_lock(&pool->lock);
    limit_set(&drive->operations, limits->operations);
    limit_set(&drive->bytes, limits->bytes);
    drive_pool_release(pool);
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

void drive_pool_set_clock(struct drive_pool *pool, uint64_t (*now)(void))
{
    pthread_mutex_lock(&pool->lock);
    __atomic_store_n(&pool->clock, now, __ATOMIC_RELAXED);
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}
