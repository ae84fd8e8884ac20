/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What lies in a drive: an open and locked image, counted, because requests that run keep it open
 * after the drive has let go. Private to engine/block/.
 */
#ifndef ENGINE_BLOCK_MEDIUM_H
#define ENGINE_BLOCK_MEDIUM_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "block.h"
#include "block/image.h"

enum {
    DISK_SECTOR = 512,
    OPTICAL_SECTOR = 2048,
};

struct medium {
    int references; /* atomic */
    char *path;
    struct image *image;
    bool optical;
    bool read_only;
    bool discard; /* BLOCK_DISCARD gives space back */
};

/*
 * Opens and locks a medium; the arguments and errors of drive_open(). With `folder` NULL `path` is
 * absolute, and so may that of an optical one be always. `what` names it in messages ("disk0").
 */
struct medium *medium_open(const char *what, const char *folder, const char *path,
                           enum image_format format, bool optical, bool read_only, GError **error);
struct medium *medium_ref(struct medium *medium);
/* The last one syncs a writable medium and closes it. */
void medium_unref(struct medium *medium);

/*
 * Carries out a request, blocking. 0 or a negative errno value: -EINVAL and -EROFS are the
 * request's fault, all others the host's or the image's. Any thread, several at a time.
 */
int medium_run(struct medium *medium, const struct block_request *request);

/*
 * image_place() for a read or a write that needs nothing but its data moved; false for all others.
 * The caller ends it with image_place_end().
 */
bool medium_place(struct medium *medium, const struct block_request *request,
                  struct image_place *place);

/* Refuses an ISO 9660 image that is shorter than the volume in it (ECMA-119 8.4). */
bool iso_check(int fd, const char *path, uint64_t size, GError **error);

#endif
