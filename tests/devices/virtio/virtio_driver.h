/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A tiny driver of virtio devices on the fake machine: finds the registers by their capabilities,
 * negotiates, makes rings in the machine's RAM, adds buffers and takes used ones. It breaks a rule
 * only where a test tells it to.
 */
#ifndef TESTS_VIRTIO_DRIVER_H
#define TESTS_VIRTIO_DRIVER_H

#include "fake_machine.h"

enum {
    DRIVER_QUEUES_MAX = 16,
    DRIVER_QUEUE_SIZE = 16, /* entries that driver_start() asks for */
    DRIVER_RAM = 1 << 20,
    DRIVER_RINGS = 0x40000, /* rings from here on, 4 KiB a queue */
    DRIVER_DATA = 0x80000,  /* from here on RAM is the test's */

    /* Common configuration. */
    COMMON_DEVICE_FEATURE_SELECT = 0x00,
    COMMON_DEVICE_FEATURE = 0x04,
    COMMON_DRIVER_FEATURE_SELECT = 0x08,
    COMMON_DRIVER_FEATURE = 0x0c,
    COMMON_CONFIG_VECTOR = 0x10,
    COMMON_NUM_QUEUES = 0x12,
    COMMON_STATUS = 0x14,
    COMMON_GENERATION = 0x15,
    COMMON_QUEUE_SELECT = 0x16,
    COMMON_QUEUE_SIZE = 0x18,
    COMMON_QUEUE_VECTOR = 0x1a,
    COMMON_QUEUE_ENABLE = 0x1c,
    COMMON_QUEUE_NOTIFY_OFF = 0x1e,
    COMMON_QUEUE_DESC = 0x20,
    COMMON_QUEUE_DRIVER = 0x28,
    COMMON_QUEUE_DEVICE = 0x30,

    STATUS_ACKNOWLEDGE = 1,
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,
    STATUS_NEEDS_RESET = 0x40,

    DESC_NEXT = 1,
    DESC_WRITE = 2,
    DESC_INDIRECT = 4,

    DRIVER_MSI_ADDRESS = 0xfee00000,
    DRIVER_MSI_DATA = 0x4000, /* plus the vector */
};

#define F_INDIRECT  (UINT64_C(1) << 28)
#define F_EVENT_IDX (UINT64_C(1) << 29)
#define F_VERSION_1 (UINT64_C(1) << 32)
#define F_ALL       UINT64_MAX /* whatever the device offers */

struct driver_queue {
    uint64_t desc, avail, used;
    unsigned size;
    uint16_t next_desc; /* where the next chain goes */
    uint16_t next_avail, next_used;
};

struct driver {
    struct fake *fake;
    struct device *device;
    uint64_t common, isr, config, notify;
    uint32_t notify_multiplier;
    uint64_t offered, accepted;
    unsigned n_queues;
    struct driver_queue queues[DRIVER_QUEUES_MAX];
};

struct driver_segment {
    uint64_t gpa;
    uint32_t length;
    bool write;
};

/* Finds the registers of a device whose BARs are mapped here. */
void driver_open(struct driver *driver, struct fake *fake, struct device *device);
/* Reset, negotiation of `features` (those offered), all queues, DRIVER_OK. */
void driver_start(struct driver *driver, uint64_t features);
/* The steps of it. */
void driver_reset(struct driver *driver);
void driver_negotiate(struct driver *driver, uint64_t features);
void driver_queue_setup(struct driver *driver, unsigned queue, unsigned size);
/* MSI-X on: vector q for queue q, the one behind them for the configuration. Before queues are
 * made. */
void driver_msix(struct driver *driver);

uint64_t driver_read(struct driver *driver, unsigned offset, unsigned size); /* common */
void driver_write(struct driver *driver, unsigned offset, unsigned size, uint64_t value);
uint64_t driver_config(struct driver *driver, unsigned offset, unsigned size);
uint8_t driver_status(struct driver *driver);

/* Writes descriptor `index` of the queue's table. */
void driver_descriptor(struct driver *driver, unsigned queue, unsigned index, uint64_t gpa,
                       uint32_t length, uint16_t flags, uint16_t next);
/* Makes a chain of the segments and puts its head into the available ring. Returns the head. */
uint16_t driver_add(struct driver *driver, unsigned queue, const struct driver_segment *segments,
                    unsigned n);
/* Puts a head of the test's own there. */
void driver_add_head(struct driver *driver, unsigned queue, uint16_t head);
/* Rings the doorbell and lets the machine run. */
void driver_kick(struct driver *driver, unsigned queue);
/* Rings it only. */
void driver_notify(struct driver *driver, unsigned queue);
/* Takes the next used buffer; false if there is none. */
bool driver_take(struct driver *driver, unsigned queue, uint16_t *head, uint32_t *length);
/* How many used buffers have not been taken. */
unsigned driver_used(struct driver *driver, unsigned queue);
/* A chain with one segment: add, kick. */
void driver_send(struct driver *driver, unsigned queue, uint64_t gpa, uint32_t length, bool write);

/* Event index: the field that the device writes, and the one that it reads. */
uint16_t driver_avail_event(struct driver *driver, unsigned queue);
void driver_set_used_event(struct driver *driver, unsigned queue, uint16_t event);

#endif
