/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drives: what lies in them, and the way of a request into a queue. See drive.h. */
#include <errno.h>
#include <string.h>

#include "config/config.h"
#include "drive_private.h"

enum {
    PHYSICAL_BLOCK = 4096, /* what the host's page cache works in */
};

/* --- Drives ----------------------------------------------------------------------------------- */

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

void drive_set_direct(struct drive *drive)
{
    drive->direct = true;
}

bool drive_open(struct drive *drive, const char *folder, const char *path, enum image_format format,
                bool read_only, GError **error)
{
    struct medium *medium = medium_open(drive->id, folder, path, format, drive->optical,
                                        read_only || drive->optical, error);
    bool empty;

    if (medium == NULL) {
        return false;
    }
    if (drive->direct && !storage_file_set_direct(medium->image->storage, error)) {
        medium_unref(medium);
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

static unsigned queued(const struct drive *drive)
{
    return drive->waiting.n + drive->plain.n + drive->quick.n + drive->held.n + drive->cancelled.n;
}

void drive_close(struct drive *drive)
{
    struct drive_pool *pool = drive->pool;
    struct medium *medium;

    pthread_mutex_lock(&pool->lock);
    medium = g_steal_pointer(&drive->medium);
    pool->n_quick -= drive->quick.n;
    pool->n_held -= drive->held.n;
    pool->n_waiting += drive->quick.n + drive->held.n + drive->parked.n;
    request_list_move(&drive->cancelled, &drive->waiting);
    request_list_move(&drive->cancelled, &drive->plain);
    request_list_move(&drive->cancelled, &drive->quick);
    request_list_move(&drive->cancelled, &drive->held);
    request_list_move(&drive->cancelled, &drive->parked);
    if (drive->cancelled.n > 0) {
        drive_pool_wake(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    if (medium != NULL) {
        medium_unref(medium);
    }
}

void drive_free(struct drive *drive)
{
    struct drive_pool *pool = drive->pool;

    pthread_mutex_lock(&pool->lock);
    g_assert(!drive->medium && queued(drive) + drive->parked.n == 0);
    g_ptr_array_remove(pool->drives, drive);
    pthread_mutex_unlock(&pool->lock);
    g_free(drive->id);
    g_free(drive);
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
    figures->waiting = queued(drive);
    figures->parked = drive->parked.n;
    figures->limits = (struct drive_limits){ drive->operations.rate, drive->bytes.rate };
    pthread_mutex_unlock(&drive->pool->lock);
}

bool drive_enqueue(struct drive *drive, struct block_request *request, bool alone)
{
    struct drive_pool *pool = drive->pool;

    if (drive_ring_is_quick(drive, request, alone)) {
        request_list_append(&drive->quick, request);
        pool->n_quick++;
        return false;
    }
    request_list_append(&drive->waiting, request);
    pool->n_waiting++;
    drive_pool_staff(pool);
    return true;
}

void drive_submit_batch(struct drive *drive, struct block_request *const *requests, unsigned n)
{
    struct drive_pool *pool = drive->pool;
    struct ring *ring;
    unsigned n_work = 0;

    pthread_mutex_lock(&pool->lock);
    g_assert(!pool->stopping);
    for (unsigned i = 0; i < n; i++) {
        requests[i]->status = 0;
        if (!drive_hold(drive, requests[i])) {
            n_work += drive_enqueue(drive, requests[i], n == 1);
        }
    }
    ring = drive->quick.n > 0 ? pool->ring : NULL;
    pthread_mutex_unlock(&pool->lock);
    /* Who wakes up needs the lock at once. */
    for (unsigned i = 0; i < MIN(n_work, THREADS_MAX); i++) {
        pthread_cond_signal(&pool->work);
    }
    if (ring != NULL) {
        ring_wake(ring);
    }
}

void drive_submit(struct drive *drive, struct block_request *request)
{
    drive_submit_batch(drive, &request, 1);
}
