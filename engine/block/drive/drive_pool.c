/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The queues of the drives and the threads that work on them. See drive.h and drive_private.h. */
#include <errno.h>
#include <string.h>

#include "drive_private.h"

/* --- Lists ------------------------------------------------------------------------------------ */

void request_list_append(struct request_list *list, struct block_request *request)
{
    request->next = NULL;
    if (list->last != NULL) {
        list->last->next = request;
    } else {
        list->first = request;
    }
    list->last = request;
    list->n++;
}

struct block_request *request_list_take(struct request_list *list)
{
    struct block_request *request = list->first;

    if (request != NULL) {
        list->first = request->next;
        if (list->first == NULL) {
            list->last = NULL;
        }
        request->next = NULL;
        list->n--;
    }
    return request;
}

void request_list_move(struct request_list *to, struct request_list *from)
{
    struct block_request *request;

    while ((request = request_list_take(from)) != NULL) {
        request_list_append(to, request);
    }
}

/* --- Errors ----------------------------------------------------------------------------------- */

static bool is_full(int status)
{
    return status == -ENOSPC || status == -EDQUOT || status == -EFBIG;
}

static bool is_final(int status)
{
    return status == 0 || status == -EINVAL || status == -EROFS || status == -ENOMEDIUM;
}

static char *stall_message(const struct drive *drive, const struct medium *medium, int status)
{
    if (is_full(status)) {
        return g_strdup_printf("The host has no space left for “%s” (%s). Make space, then resume "
                               "the machine.",
                               drive->id, medium->path);
    }
    if (status == -EUCLEAN && image_problem(medium->image) != NULL) {
        return g_strdup(image_problem(medium->image));
    }
    if (g_atomic_int_get(&medium->image->storage->flush_failed)) {
        return g_strdup_printf("The host could not write “%s” (%s) to its disk: %s. What the guest "
                               "wrote last may be lost; resumed, it will be told so.",
                               drive->id, medium->path, g_strerror(-status));
    }
    return g_strdup_printf("The host cannot read or write “%s” (%s): %s. Resume the machine to try "
                           "again.",
                           drive->id, medium->path, g_strerror(-status));
}

/* --- Threads ---------------------------------------------------------------------------------- */

static void count(struct drive_figures *figures, const struct block_request *request)
{
    switch (request->op) {
    case BLOCK_READ:
        figures->reads++;
        figures->bytes_read += request->length;
        break;
    case BLOCK_WRITE:
        figures->writes++;
        figures->bytes_written += request->length;
        break;
    case BLOCK_FLUSH:
        figures->flushes++;
        break;
    case BLOCK_DISCARD:
    case BLOCK_WRITE_ZEROES:
        figures->discards++;
        break;
    }
}

/* Decides what an executed request comes to; true if it was parked. Lock held. */
static bool settle(struct drive *drive, struct medium *medium, struct block_request *request,
                   int status)
{
    bool retried = request->status != 0;
    bool park = !is_final(status) && !drive->optical && (is_full(status) || !retried);

    if (status != 0) {
        drive->figures.errors++;
    } else {
        count(&drive->figures, request);
    }
    if (park && drive->medium != medium) { /* taken out meanwhile: nothing to try again on */
        park = false;
        status = -ENOMEDIUM;
    }
    request->status = park || is_final(status) ? status : -EIO;
    if (park) {
        request_list_append(&drive->parked, request);
    }
    return park;
}

void drive_runs_ended(struct drive_pool *pool, const struct drive_run *runs, unsigned n)
{
    struct request_list ended = { 0 };
    struct drive *stalled = NULL;
    g_autofree char *message = NULL;
    int error = 0;

    pthread_mutex_lock(&pool->lock);
    for (unsigned i = 0; i < n; i++) {
        const struct drive_run *run = &runs[i];

        if (!settle(run->drive, run->medium, run->request, run->status)) {
            request_list_append(&ended, run->request);
        } else if (!pool->stalled) {
            pool->stalled = true;
            stalled = run->drive;
            error = -run->status;
            message = stall_message(run->drive, run->medium, run->status);
        }
    }
    pthread_mutex_unlock(&pool->lock);
    if (stalled != NULL) {
        pool->events.stalled(pool->events.context, stalled, error, message);
    }
    if (ended.first != NULL) {
        pool->events.done(pool->events.context, ended.first);
    }
    for (unsigned i = 0; i < n; i++) {
        if (runs[i].medium != NULL) {
            medium_unref(runs[i].medium);
        }
    }
    pthread_mutex_lock(&pool->lock);
    pool->n_running -= n;
    if (pool->n_running + pool->n_waiting + pool->n_quick == 0) {
        pthread_cond_broadcast(&pool->idle);
    }
    pthread_mutex_unlock(&pool->lock);
}

/* Lock held before and after. */
static void run_one(struct drive *drive, struct block_request *request, bool cancelled, bool plain)
{
    struct drive_pool *pool = drive->pool;
    struct drive_run run = { drive, NULL, request, -ENOMEDIUM };
    enum drive_ring_answer answer = DRIVE_RING_NO;

    if (!cancelled && drive->medium != NULL) {
        run.medium = medium_ref(drive->medium);
    }
    pool->n_running++;
    pool->n_waiting--;
    pthread_mutex_unlock(&pool->lock);
    if (run.medium != NULL && !plain) {
        answer = drive_ring_try(&run);
    }
    if (run.medium != NULL) {
        run.status = answer == DRIVE_RING_NO ? medium_run(run.medium, request) : 0;
    }
    if (answer != DRIVE_RING_YES) {
        drive_runs_ended(pool, &run, 1);
    }
    pthread_mutex_lock(&pool->lock);
}

/* Runs one request if there is one, drives in turn. Lock held before and after. */
static bool run_next(struct drive_pool *pool)
{
    for (unsigned i = 0; i < pool->drives->len; i++) {
        struct drive *drive = pool->drives->pdata[(pool->next_drive + i) % pool->drives->len];
        struct block_request *request = request_list_take(&drive->cancelled);
        bool cancelled = request != NULL, plain = false;

        if (request == NULL) {
            request = request_list_take(&drive->plain);
            plain = request != NULL;
        }
        if (request == NULL) {
            request = request_list_take(&drive->waiting);
        }
        if (request != NULL) {
            pool->next_drive = (pool->next_drive + i + 1) % pool->drives->len;
            run_one(drive, request, cancelled, plain);
            return true;
        }
    }
    return false;
}

static void *work(void *data)
{
    struct drive_pool *pool = data;

    pthread_mutex_lock(&pool->lock);
    while (run_next(pool) || !pool->stopping) {
        uint64_t until = drive_pool_release(pool);

        if (pool->n_waiting == 0 && !pool->stopping) {
            pool->n_sleeping++;
            drive_pool_sleep(pool, until);
            pool->n_sleeping--;
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Without a single thread nothing would ever move; with one already there, the host's refusal only
 * costs speed. */
static void start_thread(struct drive_pool *pool)
{
    int result = pthread_create(&pool->threads[pool->n_threads], NULL, work, pool);

    if (result == 0) {
        pthread_setname_np(pool->threads[pool->n_threads], "disk");
        pool->n_threads++;
    } else if (pool->n_threads == 0) {
        g_error("No thread can be made for the disks: %s", g_strerror(result));
    }
}

/*
 * Sleepers that were woken but do not run yet still count as sleeping, hence the comparison.
 */
void drive_pool_staff(struct drive_pool *pool)
{
    if (pool->n_waiting + (pool->n_held > 0) > pool->n_sleeping && pool->n_threads < THREADS_MAX) {
        start_thread(pool);
    }
}

void drive_pool_wake(struct drive_pool *pool)
{
    drive_pool_staff(pool);
    pthread_cond_signal(&pool->work);
}

/* --- The pool --------------------------------------------------------------------------------- */

struct drive_pool *drive_pool_new(const struct drive_events *events, enum drive_engine engine)
{
    struct drive_pool *pool = g_new0(struct drive_pool, 1);

    pool->events = *events;
    pool->engine = engine;
    pool->listen_fd = -1;
    pool->clock = drive_host_clock;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->idle, NULL);
    pool->drives = g_ptr_array_new();
    return pool;
}

void drive_pool_drain(struct drive_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->draining++;
    drive_pool_release(pool);
    while (pool->n_running + pool->n_waiting + pool->n_quick > 0) {
        pthread_cond_wait(&pool->idle, &pool->lock);
    }
    pool->draining--;
    pthread_mutex_unlock(&pool->lock);
}

bool drive_pool_stalled(struct drive_pool *pool)
{
    bool stalled;

    pthread_mutex_lock(&pool->lock);
    stalled = pool->stalled;
    pthread_mutex_unlock(&pool->lock);
    return stalled;
}

void drive_pool_retry(struct drive_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stalled = false;
    for (unsigned i = 0; i < pool->drives->len; i++) {
        struct drive *drive = pool->drives->pdata[i];

        for (unsigned n = drive->parked.n; n > 0; n--) {
            request_list_append(&drive->plain, request_list_take(&drive->parked));
            pool->n_waiting++;
            drive_pool_wake(pool);
        }
    }
    pthread_mutex_unlock(&pool->lock);
}

void drive_pool_stop(struct drive_pool *pool)
{
    drive_pool_drain(pool);
    drive_ring_close(pool);
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (; pool->n_threads > 0; pool->n_threads--) {
        pthread_join(pool->threads[pool->n_threads - 1], NULL);
    }
    for (unsigned i = 0; i < pool->drives->len; i++) {
        struct drive *drive = pool->drives->pdata[i];

        memset(&drive->parked, 0, sizeof(drive->parked));
        g_clear_pointer(&drive->medium, medium_unref);
    }
}

void drive_pool_free(struct drive_pool *pool)
{
    drive_pool_stop(pool);
    for (unsigned i = 0; i < pool->drives->len; i++) {
        struct drive *drive = pool->drives->pdata[i];

        g_free(drive->id);
        g_free(drive);
    }
    g_ptr_array_unref(pool->drives);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->idle);
    g_free(pool);
}
