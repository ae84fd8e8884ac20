/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The drives of a machine: disk images, ISO images and host block devices behind the requests of
 * devices/include/block.h. (This header is not called block.h because that one is.)
 *
 * One `struct drive_pool` a machine holds the worker threads, which are made when the first request
 * comes, and the requests that wait. Reads that are not in the host's page cache, and all of a
 * drive with direct I/O, go through one io_uring (ring.h) instead of keeping a thread waiting. One
 * `struct drive` is one place for a medium; a disk gets its medium once, before the machine starts,
 * an optical drive any number of times.
 *
 * Errors of the host. A write that finds the host's disk full is parked, and `stalled` tells the
 * machine, which pauses; drive_pool_retry() tries again, as often as needed. Any other host error
 * of a disk is parked the same way once; if the retry fails again, the device gets -EIO. An error
 * of an optical medium goes to the device at once. A failed flush may have lost data that the
 * kernel will not report a second time: every later flush of that medium ends with -EIO, so that
 * the guest never takes lost data for safe.
 *
 * Locks: writable disks are locked exclusively, everything else shared (open file description
 * locks), so two machines never write one image. The kernel drops them with the process.
 *
 * Threads: all functions from any thread, with or without a domain lock held, unless said
 * otherwise. The callbacks run on worker threads and on that of the ring, several at a time, with
 * no lock held.
 */
#ifndef ENGINE_DRIVE_H
#define ENGINE_DRIVE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "block.h"
#include "config/config.h"
#include "block/image.h"

struct drive_pool;
struct drive;

struct drive_events {
    /* The requests of the list, joined by `next`, have ended, request->status says how; each
     * belongs to its device again. */
    void (*done)(void *context, struct block_request *requests);
    /*
     * A request is parked: the machine must pause. `error` is ENOSPC (or EDQUOT, EFBIG) or what the
     * host said; `message` is the sentence for the user. Called once until the next
     * drive_pool_retry().
     */
    void (*stalled)(void *context, struct drive *drive, int error, const char *message);
    void *context;
};

/* How requests reach the host. */
enum drive_engine {
    DRIVE_ENGINE_BEST,    /* threads, and io_uring where that is better and the host lets us */
    DRIVE_ENGINE_THREADS, /* threads only */
};

/* Never fails. `events` is copied. */
struct drive_pool *drive_pool_new(const struct drive_events *events, enum drive_engine engine);
/* Whether requests may go through io_uring. */
bool drive_pool_has_ring(struct drive_pool *pool);
/*
 * `ready` is called when `fd` can be read, on the thread of io_uring as soon as there is one and
 * never otherwise: requests that are submitted from there are started without a change of threads.
 * If it answers false, not again before drive_pool_listen_again(). Once, before the first request;
 * the descriptor stays open until drive_pool_stop().
 */
void drive_pool_listen(struct drive_pool *pool, int fd, bool (*ready)(void *context),
                       void *context);
void drive_pool_listen_again(struct drive_pool *pool);
/* Waits until no request is queued or running: each has been given back or is parked. No domain
 * lock held. */
void drive_pool_drain(struct drive_pool *pool);
/*
 * Limits, and how long a write takes, go by this clock of nanoseconds, which never goes back,
 * instead of the host's; to be called again when it has been moved.
 */
void drive_pool_set_clock(struct drive_pool *pool, uint64_t (*now)(void));
/* True while requests are parked. */
bool drive_pool_stalled(struct drive_pool *pool);
/* Submits the parked requests again, in the order in which they came. */
void drive_pool_retry(struct drive_pool *pool);
/*
 * Ends all work for good: waits for running requests, drops parked ones without a callback, syncs
 * every writable medium, and joins the threads. No domain lock held; no drive_submit() afterwards.
 * The drives stay.
 */
void drive_pool_stop(struct drive_pool *pool);
/* Stops if that was not done, and frees the pool and all its drives. */
void drive_pool_free(struct drive_pool *pool);

struct drive_limits {
    uint64_t operations, bytes; /* a second; 0: no limit */
};

/* Completed and failed work of one drive since it was made. */
struct drive_figures {
    uint64_t reads, writes, flushes, discards;
    uint64_t bytes_read, bytes_written;
    uint64_t errors;          /* requests that ended with an error, or were parked */
    unsigned waiting, parked; /* now */
    struct drive_limits limits;
};

/*
 * An empty drive, owned by the pool. `id` names it in messages and, together with the machine's
 * `uuid`, gives the serial number that the guest sees.
 */
struct drive *drive_new(struct drive_pool *pool, const char *id, const char *uuid, bool optical);
/* Takes a drive out of its pool and frees it: it is closed, and no request of it waits or runs. */
void drive_free(struct drive *drive);
const char *drive_id(const struct drive *drive);

/*
 * How much the guest gets of the drive from now on, reads, writes and discards together; flushes
 * are free. What is too much waits, but for a drive_pool_drain(), which is not kept waiting.
 */
void drive_set_limits(struct drive *drive, const struct drive_limits *limits);
/* Media that are put in from now on are read and written past the host's page cache. */
void drive_set_direct(struct drive *drive);
/*
 * Puts a medium in; the drive must be empty. Disks: `path` is relative to `folder` and may not lead
 * out of it, be it through a symbolic link; a file or block device of the given format, which is
 * never guessed, locked exclusively unless `read_only`; backing images lie in the same folder.
 * Optical: an absolute path, or one inside the folder, always raw and read-only; an ISO image that
 * is shorter than its volume is refused. Errors: NOT_FOUND, PERMISSION, INVALID, CORRUPT (to be
 * repaired first), LOCKED, STATE (not empty), HOST.
 */
bool drive_open(struct drive *drive, const char *folder, const char *path, enum image_format format,
                bool read_only, GError **error);
/* The format that the configuration of a disk means. */
enum image_format drive_image_format(OrielDiskFormat format);
/* Takes the medium out. Requests that run keep it open until they end; parked and queued ones end
 * with -ENOMEDIUM. */
void drive_close(struct drive *drive);
/* What a device may know; an optical drive without a medium has present = false. */
void drive_info(struct drive *drive, struct block_info *info);
/* The path of the medium as it was given; NULL if there is none. g_free(). */
char *drive_path(struct drive *drive);
/* Counts media as another process has, whose drive this one takes the place of. */
void drive_set_generation(struct drive *drive, uint64_t generation);
/*
 * Makes all that was written durable; nothing is submitted meanwhile. From then on the file stays
 * as it is, to its time of change, until the next write. NO_SPACE, HOST.
 */
bool drive_sync(struct drive *drive, GError **error);
void drive_figures(struct drive *drive, struct drive_figures *figures);

/*
 * Starts a request (the contract is in devices/include/block.h; the caller fills request->device
 * for itself). `done` comes later, never from inside this call.
 */
void drive_submit(struct drive *drive, struct block_request *request);
/* The same for n requests, in their order; `requests` is read before it returns. */
void drive_submit_batch(struct drive *drive, struct block_request *const *requests, unsigned n);

/* Opens a medium as drive_open() would, without keeping it: for messages before a machine starts.
 */
bool drive_check_medium(const char *path, bool optical, GError **error);
/* Makes a disk of `bytes` (1..64 TiB, rounded up to 1 MiB) that must not exist yet: qcow2, version
 * 3 with clusters of 64 KiB. Durable when it returns. Errors: INVALID, EXISTS, NOT_FOUND, the
 * host's. */
bool drive_create_qcow2(const char *path, uint64_t bytes, GError **error);

#endif
