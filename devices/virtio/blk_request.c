/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One request of the block device (virtio 1.2, section 5.2.6): a header of 16 bytes that the device
 * reads (type, a reserved word, first sector), data, and a status byte at the end of what it
 * writes. How the driver has cut these into descriptors does not matter.
 *
 * Reads and writes of more than BLOCK_LENGTH_MAX bytes, and the ranges of a discard or write zeroes
 * request, go to the back end one after the other.
 *
 * How it fails: a buffer without header or status cannot be answered and stops the device. Sectors
 * outside the disk, lengths that are no whole blocks, writes to a read-only disk and errors of the
 * host end with IOERR; types and flags that are not known with UNSUPP.
 */
#include <string.h>

#include "blk.h"
#include "bytes.h"

enum {
    TYPE_IN = 0,
    TYPE_OUT = 1,
    TYPE_FLUSH = 4,
    TYPE_GET_ID = 8,
    TYPE_DISCARD = 11,
    TYPE_WRITE_ZEROES = 13,

    HEADER_SIZE = 16,
    RANGE_SIZE = 16,
    RANGE_F_UNMAP = 1,
};

/* --- Reads and writes ------------------------------------------------------------------------- */

static bool medium_holds(const struct blk *blk, uint64_t sector, uint64_t length)
{
    uint64_t block = blk->info.logical_block_size;

    return blk->info.present && sector <= UINT64_MAX / BLK_SECTOR && length % block == 0 &&
           sector * BLK_SECTOR % block == 0 &&
           range_fits(sector * BLK_SECTOR, length, blk->info.size);
}

/* Data is durable when the request ends: there is no cache that the driver knows how to flush. */
static bool writes_through(const struct blk *blk)
{
    return !virtio_has(&blk->virtio, BLK_F_FLUSH) || !blk->writeback;
}

/* Where the data of the part under way is in the chain. */
static struct vq_part data_part(const struct blk_request *request)
{
    bool reads = request->block.op == BLOCK_READ;

    return (struct vq_part){ &request->chain, reads, request->done + (reads ? 0 : HEADER_SIZE),
                             request->block.length };
}

/* Submits the next part. */
static void transfer_part(struct blk *blk, struct blk_request *request)
{
    uint64_t left = request->length - request->done;
    struct vq_part part;

    request->block.length = left < BLOCK_LENGTH_MAX ? left : BLOCK_LENGTH_MAX;
    request->block.offset = request->offset + request->done;
    part = data_part(request);
    request->block.spans = request->spans;
    request->block.n_spans = virtio_spans(&blk->virtio, &part, request->spans, VQ_CHAIN_MAX);
    if (request->block.n_spans == 0) {
        blk_finish(blk, request, BLK_S_IOERR);
    } else {
        blk_submit(blk, request);
    }
}

static void transfer_start(struct blk *blk, struct blk_request *request, enum block_op op,
                           uint64_t sector)
{
    bool reads = op == BLOCK_READ;
    uint32_t length =
        reads ? request->chain.in_length - 1 : request->chain.out_length - HEADER_SIZE;

    if (!medium_holds(blk, sector, length) || (!reads && blk->info.read_only)) {
        blk_finish(blk, request, BLK_S_IOERR);
        return;
    }
    if (length == 0) {
        blk_finish(blk, request, BLK_S_OK);
        return;
    }
    request->block.op = op;
    request->block.fua = !reads && writes_through(blk);
    request->offset = sector * BLK_SECTOR;
    request->length = length;
    request->done = 0;
    transfer_part(blk, request);
}

/* --- Discard and write zeroes ----------------------------------------------------------------- */

/* Copies and checks the ranges. */
static enum blk_status ranges_take(struct blk *blk, struct blk_request *request, bool discard)
{
    uint32_t length = request->chain.out_length - HEADER_SIZE;
    uint8_t bytes[BLK_RANGES_MAX * RANGE_SIZE];

    if (length == 0 || length > sizeof(bytes) || length % RANGE_SIZE != 0 || blk->info.read_only ||
        !virtio_read(&blk->virtio, &request->chain, HEADER_SIZE, bytes, length)) {
        return BLK_S_IOERR;
    }
    request->range = 0;
    request->n_ranges = length / RANGE_SIZE;
    for (unsigned i = 0; i < request->n_ranges; i++) {
        uint64_t sector = load_le64(bytes + i * RANGE_SIZE);
        uint32_t sectors = load_le32(bytes + i * RANGE_SIZE + 8);
        uint32_t flags = load_le32(bytes + i * RANGE_SIZE + 12);

        if (flags & ~(discard ? 0u : (uint32_t)RANGE_F_UNMAP)) {
            return BLK_S_UNSUPP;
        }
        if (sectors > BLK_RANGE_SECTORS_MAX ||
            !medium_holds(blk, sector, (uint64_t)sectors * BLK_SECTOR)) {
            return BLK_S_IOERR;
        }
        request->ranges[i] =
            (struct blk_range){ sector * BLK_SECTOR, (uint64_t)sectors * BLK_SECTOR };
    }
    return BLK_S_OK;
}

static void range_next(struct blk *blk, struct blk_request *request)
{
    while (request->range < request->n_ranges && request->ranges[request->range].length == 0) {
        request->range++;
    }
    if (request->range == request->n_ranges) {
        blk_finish(blk, request, BLK_S_OK);
        return;
    }
    request->block.offset = request->ranges[request->range].offset;
    request->block.length = request->ranges[request->range].length;
    request->range++;
    blk_submit(blk, request);
}

static void ranges_start(struct blk *blk, struct blk_request *request, bool discard)
{
    enum blk_status status;

    if (!virtio_has(&blk->virtio, discard ? BLK_F_DISCARD : BLK_F_WRITE_ZEROES)) {
        blk_finish(blk, request, BLK_S_UNSUPP);
        return;
    }
    status = ranges_take(blk, request, discard);
    if (status != BLK_S_OK) {
        blk_finish(blk, request, status);
        return;
    }
    request->block.op = discard ? BLOCK_DISCARD : BLOCK_WRITE_ZEROES;
    request->block.fua = !discard && writes_through(blk);
    range_next(blk, request);
}

/* --- The rest --------------------------------------------------------------------------------- */

static void id_give(struct blk *blk, struct blk_request *request)
{
    uint32_t room = request->chain.in_length - 1;
    char id[BLK_ID_LENGTH] = { 0 };
    size_t length = strlen(blk->info.serial);

    memcpy(id, blk->info.serial, length < sizeof(id) ? length : sizeof(id));
    request->done = room < sizeof(id) ? room : sizeof(id);
    if (virtio_write(&blk->virtio, &request->chain, 0, id, (size_t)request->done)) {
        blk_finish(blk, request, BLK_S_OK);
    } else {
        request->done = 0;
        blk_finish(blk, request, BLK_S_IOERR);
    }
}

static void flush_start(struct blk *blk, struct blk_request *request)
{
    if (!blk->info.present) {
        blk_finish(blk, request, BLK_S_IOERR);
        return;
    }
    request->block.op = BLOCK_FLUSH;
    request->block.offset = request->block.length = 0;
    blk_submit(blk, request);
}

void blk_request_start(struct blk *blk, struct blk_request *request)
{
    uint8_t header[HEADER_SIZE];

    request->done = request->length = 0;
    request->range = request->n_ranges = 0;
    request->block = (struct block_request){ .drive = 0 };
    if (request->chain.in_length < 1 || request->chain.out_length < HEADER_SIZE) {
        virtio_broken(&blk->virtio, "a request without header or status");
        blk_finish(blk, request, BLK_S_IOERR);
        return;
    }
    if (!virtio_read(&blk->virtio, &request->chain, 0, header, sizeof(header))) {
        blk_finish(blk, request, BLK_S_IOERR);
        return;
    }
    switch (load_le32(header)) {
    case TYPE_IN:
        transfer_start(blk, request, BLOCK_READ, load_le64(header + 8));
        break;
    case TYPE_OUT:
        transfer_start(blk, request, BLOCK_WRITE, load_le64(header + 8));
        break;
    case TYPE_FLUSH:
        flush_start(blk, request);
        break;
    case TYPE_GET_ID:
        id_give(blk, request);
        break;
    case TYPE_DISCARD:
        ranges_start(blk, request, true);
        break;
    case TYPE_WRITE_ZEROES:
        ranges_start(blk, request, false);
        break;
    default:
        blk_finish(blk, request, BLK_S_UNSUPP);
        break;
    }
}

void blk_request_continue(struct blk *blk, struct blk_request *request)
{
    if (request->block.status != 0) {
        blk_finish(blk, request, BLK_S_IOERR);
        return;
    }
    if (request->block.op == BLOCK_READ) {
        struct vq_part part = data_part(request);

        vq_spans_written(virtio_to_device(&blk->virtio), &part);
    }
    switch (request->block.op) {
    case BLOCK_READ:
    case BLOCK_WRITE:
        request->done += request->block.length;
        if (request->done < request->length) {
            transfer_part(blk, request);
            return;
        }
        break;
    case BLOCK_DISCARD:
    case BLOCK_WRITE_ZEROES:
        range_next(blk, request);
        return;
    case BLOCK_FLUSH:
        break;
    }
    blk_finish(blk, request, BLK_S_OK);
}
