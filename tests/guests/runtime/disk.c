/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "disk.h"

#include "board.h"

#define VIRTIO_DISK 2

static bool function_open(struct disk *disk, unsigned function, uint8_t interrupt)
{
    if (virtio_open(&disk->virtio, function, VIRTIO_DISK)) {
        disk->controller = DISK_VIRTIO;
        virtio_msix_set(&disk->virtio, 0, interrupt, false);
        virtio_msix_enable(&disk->virtio, true);
        return true;
    }
    if (nvme_open(&disk->nvme, function)) {
        disk->controller = DISK_NVME;
        nvme_msix_enable(&disk->nvme, interrupt);
        return true;
    }
    return false;
}

bool disk_open(struct disk *disk, uint8_t interrupt)
{
    if (function_open(disk, PCI_FUNCTION(0, 17, 0), interrupt) ||
        function_open(disk, PCI_FUNCTION(0, 16, 0), interrupt))
        return true;
    disk->controller = DISK_AHCI;
    return ahci_open(&disk->ahci, 0);
}

static bool nvme_begin(struct nvme *nvme, bool interrupts)
{
    return nvme_start(nvme) && nvme_queues_make(nvme, interrupts) &&
           (!nvme_can_shadow(nvme) || nvme_shadow_give(nvme));
}

bool disk_start(struct disk *disk, bool interrupts)
{
    switch (disk->controller) {
    case DISK_VIRTIO:
        return virtio_start(&disk->virtio,
                            VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_BLK_F_FLUSH,
                            interrupts ? 0 : VIRTIO_NO_VECTOR);
    case DISK_NVME:
        return nvme_begin(&disk->nvme, interrupts);
    case DISK_AHCI:
        break;
    }
    return !interrupts && ahci_open(&disk->ahci, 0);
}

uint32_t disk_transfer_max(const struct disk *disk)
{
    return disk->controller == DISK_NVME ? NVME_PAGE : 1u << 20;
}

void disk_add(struct disk *disk, unsigned slot, bool write, uint64_t sector, uint64_t address,
              uint32_t length)
{
    switch (disk->controller) {
    case DISK_VIRTIO:
        virtio_blk_add(&disk->virtio, slot, write ? VIRTIO_BLK_OUT : VIRTIO_BLK_IN, sector, address,
                       length);
        break;
    case DISK_NVME:
        nvme_transfer_add(&disk->nvme, (uint16_t)slot, write, sector, address, length);
        break;
    case DISK_AHCI:
        ahci_queue_add(&disk->ahci, slot, write, sector, address, length);
        break;
    }
}

void disk_notify(struct disk *disk)
{
    switch (disk->controller) {
    case DISK_VIRTIO:
        virtio_notify(&disk->virtio);
        break;
    case DISK_NVME:
        nvme_ring(&disk->nvme, &disk->nvme.io);
        break;
    case DISK_AHCI:
        ahci_queue_issue(&disk->ahci);
        break;
    }
}

static int nvme_slot_take(struct nvme *nvme, bool *good)
{
    uint16_t cid, status;

    if (!nvme_take(nvme, &nvme->io, &cid, &status))
        return -1;
    *good = status == 0;
    return cid;
}

int disk_take(struct disk *disk, bool *good)
{
    int slot = -1;

    *good = true;
    switch (disk->controller) {
    case DISK_VIRTIO:
        slot = virtio_take(&disk->virtio);
        *good = slot < 0 || disk->virtio.status[slot] == 0;
        break;
    case DISK_NVME:
        slot = nvme_slot_take(&disk->nvme, good);
        break;
    case DISK_AHCI:
        slot = ahci_queue_take(&disk->ahci, good);
        break;
    }
    return slot;
}

bool disk_transfer(struct disk *disk, bool write, uint64_t sector, uint64_t address,
                   uint32_t length)
{
    bool good;

    disk_add(disk, 0, write, sector, address, length);
    disk_notify(disk);
    return POLL_FOR(disk_take(disk, &good) == 0, LONG_MS) && good;
}
