/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Driver of modern virtio devices over PCI (virtio 1.2, sections 2.7 and 4.1), and of the block
 * device (section 5.2). One queue a device, with event index where the device has it.
 */
#ifndef GUEST_VIRTIO_H
#define GUEST_VIRTIO_H

#include "guest.h"

/* Common configuration. */
#define VIRTIO_DEVICE_FEATURE_SELECT 0x00
#define VIRTIO_DEVICE_FEATURE        0x04
#define VIRTIO_DRIVER_FEATURE_SELECT 0x08
#define VIRTIO_DRIVER_FEATURE        0x0C
#define VIRTIO_CONFIG_VECTOR         0x10
#define VIRTIO_NUM_QUEUES            0x12
#define VIRTIO_STATUS                0x14
#define VIRTIO_QUEUE_SELECT          0x16
#define VIRTIO_QUEUE_SIZE            0x18
#define VIRTIO_QUEUE_VECTOR          0x1A
#define VIRTIO_QUEUE_ENABLE          0x1C
#define VIRTIO_QUEUE_NOTIFY_OFF      0x1E
#define VIRTIO_QUEUE_DESC            0x20
#define VIRTIO_QUEUE_DRIVER          0x28
#define VIRTIO_QUEUE_DEVICE          0x30

#define VIRTIO_F_EVENT_IDX           (1ull << 29)
#define VIRTIO_F_VERSION_1           (1ull << 32)
#define VIRTIO_BLK_F_FLUSH           (1ull << 9)

#define VIRTIO_NO_VECTOR             0xFFFF
#define VIRTIO_DESC_NEXT             1
#define VIRTIO_DESC_WRITE            2

#define VIRTIO_SLOTS                 32  /* requests at once */
#define VIRTIO_QUEUE_ENTRIES         128 /* three descriptors for each of them, and some more */

#define VIRTIO_BLK_IN                0
#define VIRTIO_BLK_OUT               1
#define VIRTIO_BLK_FLUSH             4
#define VIRTIO_BLK_GET_ID            8
#define VIRTIO_BLK_PENDING           0xEE /* no status yet */

struct virtio_descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

struct virtio {
    unsigned function;
    uint64_t common, isr, config, notify, table; /* addresses of the registers */
    uint64_t features;                           /* negotiated */
    struct virtio_descriptor *descriptors;
    volatile uint16_t *available, *used; /* as words */
    uint16_t next_available, next_used, notified;
    uint8_t *headers;         /* 16 bytes a slot, */
    volatile uint8_t *status; /* and one */
    uint64_t rung;            /* doorbells */
};

/* Places the registers of the function and finds them. False: it is no such device. */
bool virtio_open(struct virtio *device, unsigned function, uint16_t type);
/*
 * Reset, negotiation of `features` (those that the device has), queue 0 with MSI-X vector `vector`
 * of the table, go. False if the device refuses.
 */
bool virtio_start(struct virtio *device, uint64_t features, uint16_t vector);
/* Entry `vector` of the MSI-X table sends interrupt `interrupt` to this processor. */
void virtio_msix_set(struct virtio *device, unsigned vector, uint8_t interrupt, bool masked);
void virtio_msix_enable(struct virtio *device, bool on);
uint8_t virtio_status(const struct virtio *device);

/* Makes a request in a slot known to the device, without telling it. */
void virtio_blk_add(struct virtio *device, unsigned slot, uint32_t type, uint64_t sector,
                    uint64_t address, uint32_t length);
/* Rings the doorbell, if the device wants that. */
void virtio_notify(struct virtio *device);
/* Takes the next used request; -1: there is none. */
int virtio_take(struct virtio *device);
/* One request from start to end, polled; its status. */
uint8_t virtio_blk_request(struct virtio *device, uint32_t type, uint64_t sector, uint64_t address,
                           uint32_t length);

#endif
