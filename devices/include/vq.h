/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Split virtqueues (virtio 1.2, section 2.7): the only parser of rings and descriptors there is.
 * Devices use it through virtio.h.
 *
 * Everything in the rings is the guest's and may change while it is read. Of a queue the state
 * holds guest addresses and counters only; the rings are looked up anew in each call. Each
 * descriptor is copied once, then checked, and only the copy is used. What a chain may be:
 *
 *   at most as many descriptors as the queue is long; with an indirect table VQ_CHAIN_MAX in all
 *   no indirect table inside one, no descriptor that is both indirect and followed by a next
 *   all descriptors that the device reads before all that it writes
 *   less than 4 GiB in all; empty descriptors are skipped
 *   a head that the device does not hold already
 *
 * Whatever is against that is VQ_BROKEN: the caller stops the device (NEEDS_RESET).
 */
#ifndef DEVICES_VIRTIO_VQ_H
#define DEVICES_VIRTIO_VQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block.h"
#include "device.h"
#include "state.h"

enum {
    VQ_SIZE_MAX = 256,  /* entries of a queue; firmware takes no longer one */
    VQ_CHAIN_MAX = 256, /* segments of a chain */
    VQ_NO_VECTOR = 0xffff,
};

/* A piece of guest memory. Nothing says that it is RAM until it is accessed. */
struct vq_segment {
    uint64_t gpa;
    uint32_t length; /* bytes, not 0 */
};

/* A buffer: a copied and checked descriptor chain. */
struct vq_chain {
    uint16_t head;
    uint16_t n_out, n_in; /* segments the device reads, and, behind them, those it writes */
    uint32_t out_length, in_length; /* bytes of both */
    struct vq_segment segments[VQ_CHAIN_MAX];
};

struct vq {
    struct device *device; /* for access to guest memory */
    bool indirect;         /* VIRTIO_F_INDIRECT_DESC was negotiated */
    bool event_index;      /* VIRTIO_F_EVENT_IDX was negotiated */

    /* Set by the driver while the queue is not enabled, and by nobody afterwards. */
    uint64_t descriptor_area, driver_area, device_area;
    uint16_t size;
    uint16_t vector; /* MSI-X, VQ_NO_VECTOR: none */
    bool enabled;

    uint16_t avail;                       /* entries taken from the available ring */
    uint16_t used;                        /* entries put into the used ring, */
    uint16_t published;                   /* and of them those that the driver may see */
    uint64_t in_flight[VQ_SIZE_MAX / 64]; /* heads that the device holds, a bit each */
};

enum vq_result {
    VQ_EMPTY,
    VQ_CHAIN,
    VQ_BROKEN, /* counted as a mistake of the guest */
};

/* The saved fields of a queue. */
extern const struct state_field vq_fields[];

/* Power-on state: not enabled, `size` entries. */
void vq_reset(struct vq *vq, uint16_t size);
/* Checks size, alignment and that all three areas are RAM, and enables. NULL, or what is wrong. */
const char *vq_enable(struct vq *vq);
/* After a load: the counters and heads fit each other. */
bool vq_valid(const struct vq *vq);

/*
 * Takes the next buffer. When there is none, the driver's notifications are on: it will tell of the
 * next one.
 */
enum vq_result vq_pop(struct vq *vq, struct vq_chain *chain);
/* Puts the buffer popped last back, as if it had not been taken. */
void vq_put_back(struct vq *vq, const struct vq_chain *chain);
/* Reads a buffer that the device holds once more: after a load. */
enum vq_result vq_again(struct vq *vq, uint16_t head, struct vq_chain *chain);
/* Gives a buffer back with `written` bytes in it; the driver sees it after vq_publish(). False: the
 * device does not hold that head, or the ring is no RAM. */
bool vq_push(struct vq *vq, uint16_t head, uint32_t written);
/* Shows the driver what was pushed; true if it wants an interrupt for that. */
bool vq_publish(struct vq *vq);
/* True if the device holds the head. */
bool vq_holds(const struct vq *vq, uint16_t head);

/*
 * Copies between private bytes and the part of a chain that the device reads (vq_read) or writes
 * (vq_write), from `offset` on. False if that is longer than the part, or not RAM; bytes before the
 * fault may have been moved.
 */
bool vq_read(struct device *device, const struct vq_chain *chain, uint64_t offset, void *bytes,
             size_t n);
bool vq_write(struct device *device, const struct vq_chain *chain, uint64_t offset,
              const void *bytes, size_t n);
/* Bytes [offset, offset + length) of what the device reads, or writes, of a chain. */
struct vq_part {
    const struct vq_chain *chain;
    bool writable;
    uint64_t offset, length;
};

/*
 * Host memory of a part, for bulk data that is moved and never parsed. Returns the number of spans,
 * at most `max`, 0 if they do not suffice, the part is longer than the chain, or it is no RAM.
 */
unsigned vq_spans(struct device *device, const struct vq_part *part, struct block_span *spans,
                  unsigned max);
/* Announces that the spans of such a call on a writable part were written to. */
void vq_spans_written(struct device *device, const struct vq_part *part);

#endif
