/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Copying a disk from an image of any format to a new one.
 *
 * Zeroes are not copied: what the source says is empty is not read, what is zero is not written.
 * Several threads read and compress; formats that are written from front to back (stream-optimized
 * VMDK, compressed qcow2, VHD, VHDX) get their pieces in order. Memory is bounded by a few MiB a
 * thread.
 *
 * Threads: any; one conversion blocks its caller and uses the source alone.
 */
#ifndef ENGINE_BLOCK_CONVERT_H
#define ENGINE_BLOCK_CONVERT_H

#include "../image.h"
#include "../qcow2/qcow2.h"

struct convert_options {
    enum image_format format; /* not IMAGE_VDI, which is only read */
    bool compress;            /* qcow2 */
    bool fixed;               /* VHD, VHDX: all blocks allocated; a VHD without a table */
    const char *name;         /* VMDK: the file's name, for its description */
    /* qcow2: the size is the source's unless it is set. With a backing name only what the source
     * itself has is copied, not what its backing image has. */
    struct qcow2_options qcow2;
    unsigned threads; /* 0: one for each CPU, at most 8 */
    /* Called now and then from the calling thread, bytes of the disk; false: stop. */
    bool (*progress)(uint64_t done, uint64_t total, void *context);
    void *context;
};

/*
 * Writes the whole disk into `target`, which is empty, and makes it durable; `target` is closed, on
 * success and failure. Errors: what the source or the host says; INVALID for options or sizes that
 * the format does not have; G_IO_ERROR_CANCELLED when progress said stop.
 */
bool image_convert(struct image *source, struct storage *target,
                   const struct convert_options *options, GError **error);

#endif
