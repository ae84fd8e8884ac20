/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drives, their queues, and the threads that work on them. See drive.h.
 *
 * One lock covers all queues (a pthread one, so that the thread sanitizer sees it); it is never
 * held while a system call on a medium or a callback runs. A request is in exactly one place:
 * waiting (to be run), cancelled (to be given back with -ENOMEDIUM), parked, or with the thread
 * that runs it. While a request waits, its status is 0, or, after a retry, the error for which it
 * was parked before.
 */
#include "drive.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "config/config.h"
#include "medium.h"

enum {
    THREADS_MAX = 4,
    PHYSICAL_BLOCK = 4096, /* what the host's page cache works in */
};

struct request_list {
    struct block_request *first, *last;
    unsigned n;
};

struct drive {
    struct drive_pool *pool;
    char *id;
    char serial[BLOCK_SERIAL_MAX];
    bool optical;
    /* Below: under the pool's lock. */
    struct medium *medium; /* NULL: empty */
    uint64_t generation;
    struct request_list waiting, cancelled, parked;
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
    unsigned n_running, n_waiting; /* requests; waiting counts cancelled ones too */
    bool stalled, stopping;
};

/* --- Lists --------------------------------------------------------------------------------------
 */

static void list_append(struct request_list *list, struct block_request *request)
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

static struct block_request *list_take(struct request_list *list)
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

static void list_move(struct request_list *to, struct request_list *from)
{
    struct block_request *request;

    while ((request = list_take(from)) != NULL) {
        list_append(to, request);
    }
}

/* --- Errors -------------------------------------------------------------------------------------
 */

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

/* --- Threads ------------------------------------------------------------------------------------
 */

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
        list_append(&drive->parked, request);
    }
    return park;
}

static void run_one(struct drive_pool *pool, struct drive *drive, struct block_request *request,
                    bool cancelled)
{
    struct medium *medium = !cancelled && drive->medium != NULL ? medium_ref(drive->medium) : NULL;
    g_autofree char *message = NULL;
    int status = -ENOMEDIUM;
    bool parked;

    pool->n_running++;
    pool->n_waiting--;
    pthread_mutex_unlock(&pool->lock);
    if (medium != NULL) {
        status = medium_run(medium, request);
    }
    pthread_mutex_lock(&pool->lock);
    parked = settle(drive, medium, request, status);
    if (parked && !pool->stalled) {
        pool->stalled = true;
        message = stall_message(drive, medium, status);
    }
    pthread_mutex_unlock(&pool->lock);
    if (message != NULL) {
        pool->events.stalled(pool->events.context, drive, -status, message);
    }
    if (!parked) {
        pool->events.done(pool->events.context, request);
    }
    if (medium != NULL) {
        medium_unref(medium);
    }
    pthread_mutex_lock(&pool->lock);
    pool->n_running--;
    if (pool->n_running + pool->n_waiting == 0) {
        pthread_cond_broadcast(&pool->idle);
    }
}

/* Runs one request if there is one, drives in turn. Lock held before and after. */
static bool run_next(struct drive_pool *pool)
{
    for (unsigned i = 0; i < pool->drives->len; i++) {
        struct drive *drive = pool->drives->pdata[(pool->next_drive + i) % pool->drives->len];
        struct block_request *request = list_take(&drive->cancelled);
        bool cancelled = request != NULL;

        if (!cancelled) {
            request = list_take(&drive->waiting);
        }
        if (request != NULL) {
            pool->next_drive = (pool->next_drive + i + 1) % pool->drives->len;
            run_one(pool, drive, request, cancelled);
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
        if (pool->n_waiting == 0 && !pool->stopping) {
            pool->n_sleeping++;
            pthread_cond_wait(&pool->work, &pool->lock);
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
 * A request was put into a queue: somebody must see it. Sleepers that were woken but do not run yet
 * still count as sleeping, hence the comparison. Lock held.
 */
static void wake(struct drive_pool *pool)
{
    if (pool->n_waiting > pool->n_sleeping && pool->n_threads < THREADS_MAX) {
        start_thread(pool);
    }
    pthread_cond_signal(&pool->work);
}

/* --- The pool -----------------------------------------------------------------------------------
 */

struct drive_pool *drive_pool_new(const struct drive_events *events)
{
    struct drive_pool *pool = g_new0(struct drive_pool, 1);

    pool->events = *events;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->idle, NULL);
    pool->drives = g_ptr_array_new();
    return pool;
}

void drive_pool_drain(struct drive_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->n_running + pool->n_waiting > 0) {
        pthread_cond_wait(&pool->idle, &pool->lock);
    }
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
            list_append(&drive->waiting, list_take(&drive->parked));
            pool->n_waiting++;
            wake(pool);
        }
    }
    pthread_mutex_unlock(&pool->lock);
}

void drive_pool_stop(struct drive_pool *pool)
{
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

/* --- Drives -------------------------------------------------------------------------------------
 */

/* Stable over the machine's life and different in every clone; ATA has room for 20 characters. */
static void make_serial(char serial[BLOCK_SERIAL_MAX], const char *uuid, const char *id)
{
    g_autofree char *text = g_strdup_printf("%s/%s", uuid, id);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

    g_snprintf(serial, BLOCK_SERIAL_MAX, "OR%.16s", sum);
}

struct drive *drive_new(struct drive_pool *pool, const char *id, const char *uuid, bool optical)
{
    struct drive *drive = g_new0(struct drive, 1);

    drive->pool = pool;
    drive->id = g_strdup(id);
    drive->optical = optical;
    make_serial(drive->serial, uuid, id);
    pthread_mutex_lock(&pool->lock);
    g_ptr_array_add(pool->drives, drive);
    pthread_mutex_unlock(&pool->lock);
    return drive;
}

const char *drive_id(const struct drive *drive)
{
    return drive->id;
}

enum image_format drive_image_format(OrielDiskFormat format)
{
    return format == ORIEL_DISK_FORMAT_QCOW2 ? IMAGE_QCOW2 : IMAGE_RAW;
}

bool drive_open(struct drive *drive, const char *folder, const char *path, enum image_format format,
                bool read_only, GError **error)
{
    struct medium *medium = medium_open(drive->id, drive->optical ? NULL : folder, path, format,
                                        drive->optical, read_only || drive->optical, error);
    bool empty;

    if (medium == NULL) {
        return false;
    }
    pthread_mutex_lock(&drive->pool->lock);
    empty = drive->medium == NULL;
    if (empty) {
        drive->medium = g_steal_pointer(&medium);
        drive->generation++;
    }
    pthread_mutex_unlock(&drive->pool->lock);
    if (!empty) {
        medium_unref(medium);
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    "There is a medium in “%s” already; eject it first.", drive->id);
    }
    return empty;
}

void drive_close(struct drive *drive)
{
    struct drive_pool *pool = drive->pool;
    struct medium *medium;
    unsigned before;

    pthread_mutex_lock(&pool->lock);
    medium = g_steal_pointer(&drive->medium);
    before = drive->waiting.n + drive->cancelled.n;
    list_move(&drive->cancelled, &drive->waiting);
    list_move(&drive->cancelled, &drive->parked);
    pool->n_waiting += drive->cancelled.n - before;
    if (drive->cancelled.n > 0) {
        wake(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    if (medium != NULL) {
        medium_unref(medium);
    }
}

void drive_info(struct drive *drive, struct block_info *info)
{
    pthread_mutex_lock(&drive->pool->lock);
    *info = (struct block_info){
        .optical = drive->optical,
        .present = drive->medium != NULL,
        .read_only = drive->optical || (drive->medium != NULL && drive->medium->read_only),
        .size = drive->medium != NULL ? drive->medium->image->size : 0,
        .logical_block_size = drive->optical ? OPTICAL_SECTOR : DISK_SECTOR,
        .physical_block_size = drive->optical ? OPTICAL_SECTOR : PHYSICAL_BLOCK,
        .discard = drive->medium != NULL && drive->medium->discard,
        .generation = drive->generation,
    };
    g_strlcpy(info->serial, drive->serial, sizeof(info->serial));
    pthread_mutex_unlock(&drive->pool->lock);
}

char *drive_path(struct drive *drive)
{
    char *path;

    pthread_mutex_lock(&drive->pool->lock);
    path = drive->medium != NULL ? g_strdup(drive->medium->path) : NULL;
    pthread_mutex_unlock(&drive->pool->lock);
    return path;
}

void drive_set_generation(struct drive *drive, uint64_t generation)
{
    pthread_mutex_lock(&drive->pool->lock);
    drive->generation = generation;
    pthread_mutex_unlock(&drive->pool->lock);
}

bool drive_sync(struct drive *drive, GError **error)
{
    struct medium *medium;
    int result = 0;

    pthread_mutex_lock(&drive->pool->lock);
    medium = drive->medium != NULL ? medium_ref(drive->medium) : NULL;
    pthread_mutex_unlock(&drive->pool->lock);
    if (medium != NULL && !medium->read_only) {
        result = image_sync(medium->image);
    }
    if (result != 0) {
        oriel_error_set_errno(error, -result, "“%s” (%s) cannot be written to the host's disk",
                              drive->id, medium->path);
    }
    if (medium != NULL) {
        medium_unref(medium);
    }
    return result == 0;
}

void drive_figures(struct drive *drive, struct drive_figures *figures)
{
    pthread_mutex_lock(&drive->pool->lock);
    *figures = drive->figures;
    figures->waiting = drive->waiting.n + drive->cancelled.n;
    figures->parked = drive->parked.n;
    pthread_mutex_unlock(&drive->pool->lock);
}

void drive_submit(struct drive *drive, struct block_request *request)
{
    struct drive_pool *pool = drive->pool;

    pthread_mutex_lock(&pool->lock);
    g_assert(!pool->stopping);
    request->status = 0;
    list_append(&drive->waiting, request);
    pool->n_waiting++;
    wake(pool);
    pthread_mutex_unlock(&pool->lock);
}
