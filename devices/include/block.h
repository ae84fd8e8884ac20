/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The disk back end as a device model sees it. The device owns a request and its spans from
 * submission until on_block() is called with it, exactly once, later and never from inside
 * block_submit(). A reset does not take requests back: the device remembers (an epoch, say) that
 * the answer is no longer wanted.
 *
 * Errors of the host that a user can mend (disk full) pause the machine and are tried again; they
 * do not reach the device. What does is final: -EIO (medium), -EROFS, -ENOMEDIUM, -EINVAL
 * (outside).
 */
#ifndef DEVICES_BLOCK_H
#define DEVICES_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum block_op {
    BLOCK_READ,
    BLOCK_WRITE,
    BLOCK_FLUSH,   /* everything completed before is durable when it completes */
    BLOCK_DISCARD, /* contents may be forgotten; reads give zeroes */
    BLOCK_WRITE_ZEROES,
};

enum {
    BLOCK_SPANS_MAX = 1024,
    BLOCK_LENGTH_MAX = 4 << 20, /* bytes in one read or write */
    BLOCK_SERIAL_MAX = 21,
};

struct block_span {
    void *base;
    size_t length;
};

struct block_request {
    enum block_op op;
    unsigned drive;
    bool fua;        /* writes: durable on completion */
    uint64_t offset; /* bytes, multiple of the logical block size */
    uint64_t length; /* bytes; for reads and writes the sum of the spans */
    struct block_span *spans;
    unsigned n_spans;
    int status; /* set on completion: 0 or a negative errno value */

    /* The back end's own, between submission and completion. */
    struct block_request *next;
    struct device *device;
};

struct block_info {
    bool optical; /* a CD or DVD drive, otherwise a disk */
    bool present; /* a medium is in; always true for disks */
    bool read_only;
    uint64_t size;               /* bytes */
    uint32_t logical_block_size; /* 512 or 2048 */
    uint32_t physical_block_size;
    bool discard; /* BLOCK_DISCARD frees space */
    bool rotational;
    uint64_t generation;           /* changes with every medium */
    char serial[BLOCK_SERIAL_MAX]; /* printable ASCII */
};

#endif
