/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A driver of the virtio block device for tests: one disk, and requests in slots, each with its
 * header, data and status at places of its own in guest memory. */
#ifndef TESTS_VIRTIO_BLK_DRIVER_H
#define TESTS_VIRTIO_BLK_DRIVER_H

#include "test.h"

#include "block.h"
#include "bytes.h"
#include "virtio_driver.h"

enum {
    HEADER = DRIVER_DATA,
    STATUS = DRIVER_DATA + 0x100,
    DATA = DRIVER_DATA + 0x1000,
    RAM = 16 << 20,
    MEDIUM = 16 << 20,
    SECTORS = MEDIUM / 512,

    IN = 0,
    OUT = 1,
    FLUSH = 4,
    GET_ID = 8,
    DISCARD = 11,
    WRITE_ZEROES = 13,

    OK = 0,
    IOERR = 1,
    UNSUPP = 2,
    PENDING = 0xee,

    CONFIG_WRITEBACK = 32,
};

#define F_RO           (UINT64_C(1) << 5)
#define F_FLUSH        (UINT64_C(1) << 9)
#define F_CONFIG_WCE   (UINT64_C(1) << 11)
#define F_MQ           (UINT64_C(1) << 12)
#define F_DISCARD      (UINT64_C(1) << 13)
#define F_WRITE_ZEROES (UINT64_C(1) << 14)

static struct fake *fake;
static struct device *blk;
static struct driver driver;
static uint8_t *medium; /* the disk's content */

static const struct block_info disk = {
    .present = true,
    .size = MEDIUM,
    .logical_block_size = 512,
    .physical_block_size = 4096,
    .discard = true,
    .serial = "OR0123456789abcdef",
};

/* A device with that disk (16 MiB, whose content is known) and number of queues, and a driver that
 * takes these of its features. */
static inline void setup_with(const struct block_info *info, const char *queues, uint64_t features)
{
    struct option_value values[] = { { "queues", queues }, { NULL, NULL } };

    fake = fake_new(RAM);
    blk = fake_add(fake, "virtio-blk", values);
    medium = calloc(1, MEDIUM);
    for (unsigned i = 0; i < MEDIUM; i += 4) {
        store_le32(medium + i, i * 2654435761u);
    }
    fake_drive(blk, 0, info, medium);
    device_reset(blk, RESET_COLD);
    driver_open(&driver, fake, blk);
    driver_msix(&driver);
    driver_start(&driver, features);
}

static inline void setup(void)
{
    setup_with(&disk, "1", F_ALL);
}

/* Checks that the driver made no mistake, then frees. */
static inline void finish(void)
{
    CHECK_STR(fake_last_guest_error(blk), "");
    fake_free(fake);
    free(medium);
}

/* Frees, where the driver has made mistakes. */
static inline void finish_bad(void)
{
    fake_free(fake);
    free(medium);
}

/* Adds a request whose data is at DATA + slot * 64 KiB, header and status beside. */
static inline uint16_t request_add(unsigned queue, unsigned slot, uint32_t type, uint64_t sector,
                                   uint32_t length)
{
    bool in = type == IN || type == GET_ID;
    struct driver_segment segments[] = {
        { HEADER + 16 * slot, 16, false },
        { DATA + 0x10000 * slot, length, in },
        { STATUS + slot, 1, true },
    };
    uint8_t *header = fake_ram(fake) + segments[0].gpa;

    store_le32(header, type);
    store_le32(header + 4, 0);
    store_le64(header + 8, sector);
    fake_ram(fake)[STATUS + slot] = PENDING;
    if (length > 0) {
        return driver_add(&driver, queue, segments, 3);
    }
    segments[1] = segments[2];
    return driver_add(&driver, queue, segments, 2);
}

/* What the device wrote behind the request of a slot, PENDING before; and where its data is. */
static inline uint8_t status(unsigned slot)
{
    return fake_ram(fake)[STATUS + slot];
}

static inline uint8_t *data(unsigned slot)
{
    return fake_ram(fake) + DATA + 0x10000 * slot;
}

/* One request from start to end; its status. */
static inline uint8_t request(uint32_t type, uint64_t sector, uint32_t length,
                              uint32_t *used_length)
{
    uint16_t head = request_add(0, 0, type, sector, length), used;

    driver_kick(&driver, 0);
    CHECK(driver_take(&driver, 0, &used, used_length));
    CHECK_EQ(used, head);
    CHECK(!driver_take(&driver, 0, &used, used_length));
    return status(0);
}

static inline uint8_t request_status(uint32_t type, uint64_t sector, uint32_t length)
{
    uint32_t used_length;

    return request(type, sector, length, &used_length);
}

#endif
