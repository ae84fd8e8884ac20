/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One disk, whatever controller it is behind: the virtio or NVMe disk in slot 17, or 16, else that
 * of port 0 of the AHCI controller. Several transfers at once, each in a slot of the guest's
 * choice; on AHCI they are queued ones (NCQ).
 */
#ifndef GUEST_DISK_H
#define GUEST_DISK_H

#include "ahci.h"
#include "nvme.h"
#include "virtio.h"

#define DISK_SLOTS   32
#define DISK_SECTORS 32768 /* of the disks that test guests get */

struct disk {
    enum { DISK_VIRTIO, DISK_NVME, DISK_AHCI } controller;
    struct virtio virtio;
    struct nvme nvme;
    struct ahci_port ahci;
};

/* Finds it. `interrupt`: the one that answers send, where disk_start() is told so. */
bool disk_open(struct disk *disk, uint8_t interrupt);
/* Resets it and makes it ready. Of an AHCI port answers are polled only. */
bool disk_start(struct disk *disk, bool interrupts);
/* Bytes of the largest transfer that disk_add() makes. */
uint32_t disk_transfer_max(const struct disk *disk);

/* Makes a transfer of whole sectors, without telling the controller. */
void disk_add(struct disk *disk, unsigned slot, bool write, uint64_t sector, uint64_t address,
              uint32_t length);
/* Tells it of all that were made, in the way that its driver would. */
void disk_notify(struct disk *disk);
/* Takes the slot of a transfer that has ended, and whether it ended well; -1: there is none. */
int disk_take(struct disk *disk, bool *good);
/* One transfer from start to end, polled; true if it was good. */
bool disk_transfer(struct disk *disk, bool write, uint64_t sector, uint64_t address,
                   uint32_t length);

#endif
