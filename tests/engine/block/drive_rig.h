/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small machine around one pool with one drive, for the tests of drives. The environment variable
 * DRIVE_RIG says how requests reach the host: "threads", "ring" (io_uring where that is better), or
 * "direct" (the same, past the page cache, where the file system can).
 */
#ifndef TESTS_DRIVE_RIG_H
#define TESTS_DRIVE_RIG_H

#include "../test.h"

#include <pthread.h>

#include "block/drive/drive.h"
#include "fault.h"

enum {
    DISK_BYTES = 4 << 20,
};

#define UUID "11111111-2222-3333-4444-555555555555"

struct rig {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned done, stalls;
    unsigned calls;        /* of the event `done` */
    pthread_t done_thread; /* of the last one */
    int stall_error;
    char *stall_message;
    struct block_request *order[64]; /* the first completions, in their order */
    char *folder;
    struct drive_pool *pool;
    struct drive *drive;
};

enum drive_engine rig_engine(void);
/* Whether drives in this folder are to use direct I/O. */
bool rig_direct(const char *folder);
void rig_on_done(void *context, struct block_request *requests);
void rig_on_stalled(void *context, struct drive *drive, int error, const char *message);
/* Waits until one of the rig's counters is so high. */
void rig_wait_for(struct rig *rig, const unsigned *counter, unsigned value);
/* A path in the rig's folder; g_free(). */
char *rig_path(const struct rig *rig, const char *name);
void rig_make_file(const struct rig *rig, const char *name, const void *bytes, size_t length);
/* A sparse raw disk. */
void rig_make_raw(const char *path, uint64_t bytes);
/* A rig with an empty drive; its folder lies in `parent`. */
struct rig *rig_new_in(const char *parent, bool optical);
struct rig *rig_new(bool optical);
/* With the empty disk disks/a.raw of DISK_BYTES; rig_with_disk(): raw. */
struct rig *rig_with_image(enum image_format format);
struct rig *rig_with_disk(void);
/* Whether whole pages always go through io_uring. */
bool rig_uses_ring_always(const struct rig *rig);
void rig_free(struct rig *rig);
/* Submits and waits; the status. */
int rig_run(struct rig *rig, struct block_request *request);
int rig_transfer(struct rig *rig, enum block_op op, uint64_t offset, void *bytes, size_t length);
int rig_command(struct rig *rig, enum block_op op, uint64_t offset, uint64_t length);

#define CHECK_OPEN_ERROR(rig, path, read_only, code_, part)                                        \
    do {                                                                                           \
        g_autoptr(GError) error = NULL;                                                            \
        CHECK(!drive_open((rig)->drive, (rig)->folder, path, IMAGE_RAW, read_only, &error));       \
        if (error->code != (int)(code_) || strstr(error->message, part) == NULL) {                 \
            test_fail(__FILE__, __LINE__, "code %d: %s", error->code, error->message);             \
        }                                                                                          \
    } while (0)

#endif
