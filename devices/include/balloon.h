/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The host side of the memory balloon (devices/virtio/balloon.c): how much memory the guest shall
 * do without, and what it says of its memory.
 *
 * Threads: under the lock of the device's domain.
 */
#ifndef DEVICES_BALLOON_H
#define DEVICES_BALLOON_H

#include "device.h"

/* What the guest tells of its memory; the order is that of virtio 1.2, section 5.5.6.3. */
enum balloon_stat {
    BALLOON_SWAP_IN, /* bytes, since the start of the guest */
    BALLOON_SWAP_OUT,
    BALLOON_MAJOR_FAULTS, /* pages that had to be read from a disk */
    BALLOON_MINOR_FAULTS,
    BALLOON_FREE,        /* bytes, now */
    BALLOON_TOTAL,       /* bytes */
    BALLOON_AVAILABLE,   /* bytes that a new program could get without swapping */
    BALLOON_DISK_CACHES, /* bytes that can be given up at once */
    BALLOON_HUGETLB_ALLOCATIONS,
    BALLOON_HUGETLB_FAILURES,
    BALLOON_STATS
};

struct balloon_report {
    uint64_t target, actual; /* bytes taken from the guest: wanted, and as the guest says */
    uint32_t known;          /* a bit for each of `stats` that the guest has told */
    uint64_t stats[BALLOON_STATS];
};

/* Wants `bytes` of the guest's memory for the host; less is taken if it has no driver or no more to
 * give. Whole pages of 4 KiB. */
void balloon_set_target(struct device *balloon, uint64_t bytes);
/* What is known, and asks the guest for newer numbers. */
void balloon_look(struct device *balloon, struct balloon_report *report);

#endif
