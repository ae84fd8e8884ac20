/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Block device (virtio 1.2, section 5.2): one disk, up to BLK_QUEUES_MAX queues that all serve it,
 * flush, discard, write zeroes, serial number, block sizes, and a write cache that the driver may
 * turn off. Requests are in blk_request.c.
 *
 * The requests found in one entry go to the back end as one batch, and what the back end answers at
 * once goes back to the driver with one interrupt. Each request has a structure of
 * its own, made when it is first needed and used again; a queue of 256 never needs more than 256.
 *
 * Left out: SCSI commands (gone since 1.0), geometry, lifetime, secure erase, zones.
 *
 * How it fails: see blk_request.c. A reset with requests at the back end makes them stale: their
 * answers are dropped, and the driver sees the reset end when the last has come. Memory for a
 * request that the host does not give stops the program: it is 10 KiB.
 */
#include <stdlib.h>
#include <string.h>

#include "blk.h"
#include "bytes.h"

enum {
    BLK_ID = 2,

    CONFIG_CAPACITY = 0,
    CONFIG_SEG_MAX = 12,
    CONFIG_BLK_SIZE = 20,
    CONFIG_PHYSICAL_BLOCK_EXP = 24,
    CONFIG_MIN_IO_SIZE = 26,
    CONFIG_WRITEBACK = 32,
    CONFIG_NUM_QUEUES = 34,
    CONFIG_MAX_DISCARD_SECTORS = 36,
    CONFIG_MAX_DISCARD_SEG = 40,
    CONFIG_DISCARD_SECTOR_ALIGNMENT = 44,
    CONFIG_MAX_WRITE_ZEROES_SECTORS = 48,
    CONFIG_MAX_WRITE_ZEROES_SEG = 52,
    CONFIG_WRITE_ZEROES_MAY_UNMAP = 56,
    CONFIG_SIZE = 60,
};

static struct blk *to_blk(struct virtio_device *virtio)
{
    return (struct blk *)virtio;
}

/* --- Requests --------------------------------------------------------------------------------- */

static struct blk_request *request_new(struct blk *blk)
{
    struct blk_request *request = blk->free;

    if (request) {
        blk->free = request->next;
        return request;
    }
    request = calloc(1, sizeof(*request));
    if (!request) {
        abort();
    }
    request->all = blk->all;
    blk->all = request;
    return request;
}

static void request_free(struct blk *blk, struct blk_request *request)
{
    request->stale = false;
    request->next = blk->free;
    blk->free = request;
}

void blk_batch_submit(struct blk *blk)
{
    struct device *device = virtio_to_device(&blk->virtio);

    if (blk->n_batch == 1) {
        device->services->block_submit(device, blk->batch[0]);
    } else if (blk->n_batch > 1) {
        device->services->block_submit_batch(device, blk->batch, blk->n_batch);
    }
    blk->n_batch = 0;
}

void blk_submit(struct blk *blk, struct blk_request *request)
{
    if (blk->n_batch == BLK_BATCH) {
        blk_batch_submit(blk);
    }
    request->in_flight = true;
    blk->n_in_flight++;
    blk->batch[blk->n_batch++] = &request->block;
}

void blk_finish(struct blk *blk, struct blk_request *request, enum blk_status status)
{
    const struct vq_chain *chain = &request->chain;
    /* Data that lies at the front of the buffer; the used length ends where a gap begins. */
    uint32_t filled = request->block.op == BLOCK_READ ? (uint32_t)request->done : 0;
    uint8_t byte = (uint8_t)status;

    if (chain->in_length > 0 && !virtio_is_broken(&blk->virtio)) {
        virtio_write(&blk->virtio, chain, chain->in_length - 1, &byte, 1);
    }
    virtio_push(&blk->virtio, request->queue, chain->head,
                filled + (filled + 1 == chain->in_length ? 1 : 0));
    request_free(blk, request);
}

static void blk_on_queue(struct virtio_device *virtio, unsigned queue)
{
    struct blk *blk = to_blk(virtio);
    struct blk_request *request = request_new(blk);

    while (virtio_pop(virtio, queue, &request->chain)) {
        request->queue = (uint16_t)queue;
        blk_request_start(blk, request);
        request = request_new(blk);
    }
    request_free(blk, request);
    blk_batch_submit(blk);
    virtio_publish(virtio, queue);
}

static void blk_again(struct virtio_device *virtio, unsigned queue, uint16_t head)
{
    struct blk *blk = to_blk(virtio);
    struct blk_request *request = request_new(blk);

    if (!virtio_again(virtio, queue, head, &request->chain)) {
        request_free(blk, request);
        return;
    }
    request->queue = (uint16_t)queue;
    blk_request_start(blk, request);
    blk_batch_submit(blk);
    virtio_publish(virtio, queue);
}

static void blk_on_block(struct device *device, struct block_request *block)
{
    struct blk *blk = to_blk(to_virtio(device));
    struct blk_request *request = (struct blk_request *)block;
    unsigned queue = request->queue;

    request->in_flight = false;
    blk->n_in_flight--;
    if (request->stale) {
        request_free(blk, request);
        return;
    }
    blk_request_continue(blk, request);
    blk_batch_submit(blk);
    virtio_publish_later(&blk->virtio, queue);
}

/* --- Configuration space ---------------------------------------------------------------------- */

static void info_read(struct blk *blk)
{
    struct device *device = virtio_to_device(&blk->virtio);

    if (!device->services->block_info(device, 0, &blk->info)) {
        blk->info = (struct block_info){ .present = false };
    }
    if (blk->info.logical_block_size < BLK_SECTOR) {
        blk->info.logical_block_size = BLK_SECTOR;
    }
    if (!blk->info.present) {
        blk->info.size = 0;
    }
}

static uint64_t blk_features(struct virtio_device *virtio)
{
    struct blk *blk = to_blk(virtio);

    return BLK_F_SEG_MAX | BLK_F_BLK_SIZE | BLK_F_FLUSH | BLK_F_TOPOLOGY | BLK_F_CONFIG_WCE |
           (blk->queues > 1 ? BLK_F_MQ : 0) |
           (blk->info.read_only ? BLK_F_RO : BLK_F_WRITE_ZEROES) |
           (blk->info.discard && !blk->info.read_only ? BLK_F_DISCARD : 0);
}

/* Of a driver that negotiated CONFIG_WCE without FLUSH the cache is off (section 5.2.5.2). */
static bool cache_is_writeback(const struct blk *blk)
{
    return blk->writeback &&
           (!virtio_has(&blk->virtio, BLK_F_CONFIG_WCE) || virtio_has(&blk->virtio, BLK_F_FLUSH));
}

static void blk_config_read(struct virtio_device *virtio, uint8_t *config)
{
    const struct blk *blk = to_blk(virtio);
    uint32_t block = blk->info.logical_block_size;
    uint32_t physical =
        blk->info.physical_block_size > block ? blk->info.physical_block_size : block;
    unsigned exponent = 0;

    while (block << (exponent + 1) <= physical && exponent < 8) {
        exponent++;
    }
    store_le64(config + CONFIG_CAPACITY, blk->info.size / BLK_SECTOR);
    store_le32(config + CONFIG_SEG_MAX, BLK_SEGMENTS_MAX);
    store_le32(config + CONFIG_BLK_SIZE, block);
    config[CONFIG_PHYSICAL_BLOCK_EXP] = (uint8_t)exponent;
    store_le16(config + CONFIG_MIN_IO_SIZE, (uint16_t)(1u << exponent));
    config[CONFIG_WRITEBACK] = cache_is_writeback(blk);
    store_le16(config + CONFIG_NUM_QUEUES, (uint16_t)blk->queues);
    store_le32(config + CONFIG_MAX_DISCARD_SECTORS, BLK_RANGE_SECTORS_MAX);
    store_le32(config + CONFIG_MAX_DISCARD_SEG, BLK_RANGES_MAX);
    store_le32(config + CONFIG_DISCARD_SECTOR_ALIGNMENT, (block << exponent) / BLK_SECTOR);
    store_le32(config + CONFIG_MAX_WRITE_ZEROES_SECTORS, BLK_RANGE_SECTORS_MAX);
    store_le32(config + CONFIG_MAX_WRITE_ZEROES_SEG, BLK_RANGES_MAX);
    config[CONFIG_WRITE_ZEROES_MAY_UNMAP] = blk->info.discard;
}

static void blk_config_write(struct virtio_device *virtio, unsigned offset, unsigned size,
                             uint32_t value)
{
    if (offset == CONFIG_WRITEBACK && size == 1 && value <= 1 &&
        virtio_has(virtio, BLK_F_CONFIG_WCE)) {
        to_blk(virtio)->writeback = value == 1;
    } else {
        guest_error(virtio_to_device(virtio), "write of %#x to configuration %#x", value, offset);
    }
}

static void blk_on_media(struct device *device, unsigned drive)
{
    (void)drive;
    info_read(to_blk(to_virtio(device)));
    virtio_config_changed(to_virtio(device));
}

/* --- Life ------------------------------------------------------------------------------------- */

static int blk_create(struct virtio_device *virtio, struct dev_error *error)
{
    (void)error;
    virtio->n_queues = to_blk(virtio)->queues;
    return 0;
}

static void blk_destroy(struct virtio_device *virtio)
{
    struct blk_request *request = to_blk(virtio)->all;

    while (request) {
        struct blk_request *next = request->all;

        free(request);
        request = next;
    }
}

static void blk_reset(struct virtio_device *virtio, bool machine)
{
    struct blk *blk = to_blk(virtio);

    blk->writeback = true;
    for (struct blk_request *r = blk->all; r; r = r->all) {
        r->stale = r->in_flight;
    }
    if (machine) {
        info_read(blk);
    }
}

static bool blk_idle(struct device *device)
{
    return to_blk(to_virtio(device))->n_in_flight == 0;
}

static const struct option_desc blk_options[] = {
    { "queues", OPTION_U32, offsetof(struct blk, queues), 1, BLK_QUEUES_MAX, "1",
      "request queues; one for each processor of the guest is best" },
    { NULL },
};

static const struct state_field blk_fields[] = {
    FIELD_STRUCT(struct blk, virtio, virtio_fields),
    FIELD(struct blk, writeback),
    FIELD_END,
};

static const struct virtio_type blk_type = {
    .id = BLK_ID,
    .n_queues = BLK_QUEUES_MAX,
    .config_size = CONFIG_SIZE,
    .create = blk_create,
    .destroy = blk_destroy,
    .features = blk_features,
    .reset = blk_reset,
    .on_queue = blk_on_queue,
    .again = blk_again,
    .config_read = blk_config_read,
    .config_write = blk_config_write,
};

static const struct pci_info blk_pci = VIRTIO_PCI_INFO(BLK_ID, 0x010000, BLK_QUEUES_MAX);

const struct device_class virtio_blk_class = {
    .name = "virtio-blk",
    .version = 1,
    .state_size = sizeof(struct blk),
    .description = "virtio disk",
    .options = blk_options,
    .fields = blk_fields,
    .pci = &blk_pci,
    .virtio = &blk_type,
    .n_drives = 1,
    .n_doorbells = BLK_QUEUES_MAX,
    .on_block = blk_on_block,
    .on_media = blk_on_media,
    .idle = blk_idle,
    VIRTIO_CLASS_FUNCTIONS,
};
