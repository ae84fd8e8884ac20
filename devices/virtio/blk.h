/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the block device share: blk.c, the device, and blk_request.c, one request. */
#ifndef DEVICES_VIRTIO_BLK_H
#define DEVICES_VIRTIO_BLK_H

#include "virtio.h"

enum {
    BLK_QUEUES_MAX = 8,
    BLK_SECTOR = 512,
    BLK_RANGES_MAX = 16,                 /* of one discard or write zeroes request */
    BLK_RANGE_SECTORS_MAX = 1 << 22,     /* of one range: 2 GiB */
    BLK_SEGMENTS_MAX = VQ_CHAIN_MAX - 2, /* of data, besides header and status */
    BLK_BATCH = 64,                      /* requests given to the back end at once */
    BLK_ID_LENGTH = 20,
};

/* Feature bits, section 5.2.3. */
#define BLK_F_SEG_MAX      (UINT64_C(1) << 2)
#define BLK_F_RO           (UINT64_C(1) << 5)
#define BLK_F_BLK_SIZE     (UINT64_C(1) << 6)
#define BLK_F_FLUSH        (UINT64_C(1) << 9)
#define BLK_F_TOPOLOGY     (UINT64_C(1) << 10)
#define BLK_F_CONFIG_WCE   (UINT64_C(1) << 11)
#define BLK_F_MQ           (UINT64_C(1) << 12)
#define BLK_F_DISCARD      (UINT64_C(1) << 13)
#define BLK_F_WRITE_ZEROES (UINT64_C(1) << 14)

/* The status byte of a request, section 5.2.6. */
enum blk_status {
    BLK_S_OK = 0,
    BLK_S_IOERR = 1,
    BLK_S_UNSUPP = 2,
};

struct blk_range {
    uint64_t offset, length; /* bytes */
};

struct blk;

/* A request of the driver, from its buffer's taking to its giving back. */
struct blk_request {
    struct block_request block; /* first */
    struct blk_request *next;   /* of the free ones */
    struct blk_request *all;    /* of all there are */
    uint16_t queue;
    bool in_flight;           /* the back end has it */
    bool stale;               /* the device was reset meanwhile */
    uint64_t done, length;    /* bytes of reads and writes */
    uint64_t offset;          /* of the medium */
    unsigned range, n_ranges; /* discard, write zeroes */
    struct blk_range ranges[BLK_RANGES_MAX];
    struct vq_chain chain;
    struct block_span spans[VQ_CHAIN_MAX];
};

struct blk {
    struct virtio_device virtio; /* first */
    uint32_t queues;             /* option */
    bool writeback;              /* a write may be lost until the next flush */

    struct block_info info;
    struct blk_request *free, *all;
    unsigned n_in_flight;
    struct block_request *batch[BLK_BATCH];
    unsigned n_batch;
};

/* --- blk.c ------------------------------------------------------------------------------------ */

/* Gives the batch to the back end. */
void blk_batch_submit(struct blk *blk);
/* Adds a request to the batch, which is submitted when it is full. */
void blk_submit(struct blk *blk, struct blk_request *request);
/* Writes the status, gives the buffer back and frees the request; the caller publishes. */
void blk_finish(struct blk *blk, struct blk_request *request, enum blk_status status);

/* --- blk_request.c ---------------------------------------------------------------------------- */

/* Looks at the request's chain and starts it: it is in the batch or finished afterwards. */
void blk_request_start(struct blk *blk, struct blk_request *request);
/* The back end has answered: the next part is in the batch, or it is finished. */
void blk_request_continue(struct blk *blk, struct blk_request *request);

#endif
