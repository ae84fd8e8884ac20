/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What virtio.c, which knows drivers and devices, and virtio_pci.c, which knows registers, share.
 */
#ifndef DEVICES_VIRTIO_VIRTIO_PRIVATE_H
#define DEVICES_VIRTIO_VIRTIO_PRIVATE_H

#include "virtio.h"

enum {
    STATUS_ACKNOWLEDGE = 0x01,
    STATUS_DRIVER = 0x02,
    STATUS_DRIVER_OK = 0x04,
    STATUS_FEATURES_OK = 0x08,
    STATUS_NEEDS_RESET = 0x40,
    STATUS_FAILED = 0x80,
    STATUS_DRIVERS = 0x8f, /* those that a driver sets */

    ISR_QUEUE = 1,
    ISR_CONFIG = 2,
};

/* --- virtio.c --------------------------------------------------------------------------------- */

/* The driver reads and writes the device status (section 2.1). */
uint8_t virtio_status_read(struct virtio_device *virtio);
void virtio_status_write(struct virtio_device *virtio, uint8_t value);
/* The driver enables a queue. */
void virtio_queue_enable(struct virtio_device *virtio, unsigned queue);
/* Kicks every queue, soon: notifications may have been missed. */
void virtio_kick_all(struct virtio_device *virtio);

/* --- virtio_pci.c ----------------------------------------------------------------------------- */

int virtio_pci_create(struct virtio_device *virtio);
/* Raises an interrupt for `isr`: by the MSI-X vector, or the ISR register and the line. */
void virtio_pci_interrupt(struct virtio_device *virtio, uint8_t isr, uint16_t vector);
/* Makes the line what the ISR register says. */
void virtio_pci_line_update(struct virtio_device *virtio);

#endif
