/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "virtio.h"

#include "apic.h"
#include "board.h"
#include "io.h"

#define BARS        0xE0000000u /* of all virtio functions, one after the other */
#define BARS_EACH   0x10000u
#define MSIX_BAR    1
#define CAP_VENDOR  0x09
#define CAP_MSIX    0x11
#define MSIX_ENABLE 0x8000u

#define ACKNOWLEDGE 1
#define DRIVER      2
#define DRIVER_OK   4
#define FEATURES_OK 8

static uint64_t bar_place(unsigned function, unsigned bar)
{
    uint64_t address = BARS + (function >> 3 & 31) * BARS_EACH + (bar == MSIX_BAR ? 0x8000 : 0);

    pci_write(function, 0x10 + 4 * bar, 4, (uint32_t)address);
    if (pci_read(function, 0x10 + 4 * bar, 4) & 4)
        pci_write(function, 0x14 + 4 * bar, 4, 0);
    return address;
}

static void capability_take(struct virtio *device, unsigned at, uint64_t bar4)
{
    unsigned function = device->function;
    uint64_t address = bar4 + pci_read(function, at + 8, 4);

    switch (pci_read(function, at + 3, 1)) {
    case 1:
        device->common = address;
        break;
    case 2:
        device->notify = address; /* of queue 0: see virtio_start() */
        break;
    case 3:
        device->isr = address;
        break;
    case 4:
        device->config = address;
        break;
    }
}

bool virtio_open(struct virtio *device, unsigned function, uint16_t type)
{
    uint64_t bar4;

    if (pci_read(function, 0, 2) != 0x1AF4 || pci_read(function, 2, 2) != 0x1040u + type)
        return false;
    memset(device, 0, sizeof(*device));
    device->function = function;
    device->table = bar_place(function, MSIX_BAR);
    bar4 = bar_place(function, 4);
    pci_write(function, 4, 2, 6); /* memory, bus master */
    for (unsigned at = pci_read(function, 0x34, 1); at; at = pci_read(function, at + 1, 1)) {
        if (pci_read(function, at, 1) == CAP_VENDOR)
            capability_take(device, at, bar4);
    }
    device->descriptors = buffer_alloc(16 * VIRTIO_QUEUE_ENTRIES, 4096);
    device->available = buffer_alloc(2 * VIRTIO_QUEUE_ENTRIES + 6, 4096);
    device->used = buffer_alloc(8 * VIRTIO_QUEUE_ENTRIES + 6, 4096);
    device->headers = buffer_alloc(16 * VIRTIO_SLOTS, 4096);
    device->status = buffer_alloc(VIRTIO_SLOTS, 64);
    return device->common && device->notify && device->isr;
}

uint8_t virtio_status(const struct virtio *device)
{
    return read8(device->common + VIRTIO_STATUS);
}

static void status_add(const struct virtio *device, uint8_t bit)
{
    write8(device->common + VIRTIO_STATUS, virtio_status(device) | bit);
}

static bool negotiate(struct virtio *device, uint64_t features)
{
    uint64_t offered = 0;

    for (unsigned word = 0; word < 2; word++) {
        write32(device->common + VIRTIO_DEVICE_FEATURE_SELECT, word);
        offered |= (uint64_t)read32(device->common + VIRTIO_DEVICE_FEATURE) << (word * 32);
    }
    device->features = offered & features;
    for (unsigned word = 0; word < 2; word++) {
        write32(device->common + VIRTIO_DRIVER_FEATURE_SELECT, word);
        write32(device->common + VIRTIO_DRIVER_FEATURE,
                (uint32_t)(device->features >> (word * 32)));
    }
    status_add(device, FEATURES_OK);
    return virtio_status(device) & FEATURES_OK;
}

static void address_write(const struct virtio *device, unsigned offset, const volatile void *at)
{
    write32(device->common + offset, (uint32_t)(uint64_t)at);
    write32(device->common + offset + 4, 0);
}

bool virtio_start(struct virtio *device, uint64_t features, uint16_t vector)
{
    write8(device->common + VIRTIO_STATUS, 0);
    if (!POLL_FOR(virtio_status(device) == 0, LONG_MS))
        return false;
    memset((void *)device->available, 0, 2 * VIRTIO_QUEUE_ENTRIES + 6);
    memset((void *)device->used, 0, 8 * VIRTIO_QUEUE_ENTRIES + 6);
    device->next_available = device->next_used = device->notified = 0;
    status_add(device, ACKNOWLEDGE | DRIVER);
    if (!negotiate(device, features))
        return false;
    write16(device->common + VIRTIO_QUEUE_SELECT, 0);
    write16(device->common + VIRTIO_QUEUE_SIZE, VIRTIO_QUEUE_ENTRIES);
    write16(device->common + VIRTIO_QUEUE_VECTOR, vector);
    address_write(device, VIRTIO_QUEUE_DESC, device->descriptors);
    address_write(device, VIRTIO_QUEUE_DRIVER, device->available);
    address_write(device, VIRTIO_QUEUE_DEVICE, device->used);
    write16(device->common + VIRTIO_QUEUE_ENABLE, 1);
    status_add(device, DRIVER_OK);
    return read16(device->common + VIRTIO_QUEUE_NOTIFY_OFF) == 0 &&
           read16(device->common + VIRTIO_QUEUE_VECTOR) == vector;
}

void virtio_msix_set(struct virtio *device, unsigned vector, uint8_t interrupt, bool masked)
{
    write32(device->table + 16 * vector, APIC_BASE | apic_id() << 12);
    write32(device->table + 16 * vector + 4, 0);
    write32(device->table + 16 * vector + 8, interrupt);
    write32(device->table + 16 * vector + 12, masked);
}

void virtio_msix_enable(struct virtio *device, bool on)
{
    unsigned at = pci_capability(device->function, CAP_MSIX);

    pci_write(device->function, at + 2, 2, on ? MSIX_ENABLE : 0);
}

/* --- Requests --------------------------------------------------------------------------------- */

static void descriptor_set(struct virtio *device, unsigned i, uint64_t address, uint32_t length,
                           uint16_t flags)
{
    device->descriptors[i] =
        (struct virtio_descriptor){ address, length, flags, (uint16_t)(i + 1) };
}

void virtio_blk_add(struct virtio *device, unsigned slot, uint32_t type, uint64_t sector,
                    uint64_t address, uint32_t length)
{
    uint8_t *header = device->headers + 16 * slot;
    unsigned first = 3 * slot, last = first + (length > 0 ? 2 : 1);
    bool writes = type == VIRTIO_BLK_IN || type == VIRTIO_BLK_GET_ID;

    ((volatile uint32_t *)header)[0] = type;
    ((volatile uint32_t *)header)[1] = 0;
    ((volatile uint64_t *)header)[1] = sector;
    device->status[slot] = VIRTIO_BLK_PENDING;
    descriptor_set(device, first, (uint64_t)header, 16, VIRTIO_DESC_NEXT);
    if (length > 0)
        descriptor_set(device, first + 1, address, length,
                       VIRTIO_DESC_NEXT | (writes ? VIRTIO_DESC_WRITE : 0));
    descriptor_set(device, last, (uint64_t)&device->status[slot], 1, VIRTIO_DESC_WRITE);
    device->available[2 + device->next_available % VIRTIO_QUEUE_ENTRIES] = (uint16_t)first;
    barrier();
    device->available[1] = ++device->next_available;
}

void virtio_notify(struct virtio *device)
{
    uint16_t before = device->notified, now = device->next_available;
    bool wanted = !(device->used[0] & 1);

    __asm__ volatile("mfence" : : : "memory");
    if (device->features & VIRTIO_F_EVENT_IDX) {
        uint16_t event = device->used[2 + 4 * VIRTIO_QUEUE_ENTRIES];

        wanted = (uint16_t)(now - event - 1) < (uint16_t)(now - before);
    }
    device->notified = now;
    if (wanted) {
        device->rung++;
        write16(device->notify, 0);
    }
}

int virtio_take(struct virtio *device)
{
    uint16_t at = device->next_used;

    if (device->used[1] == at)
        return -1;
    barrier();
    device->next_used++;
    device->available[2 + VIRTIO_QUEUE_ENTRIES] = device->next_used; /* used_event */
    return device->used[2 + 4 * (at % VIRTIO_QUEUE_ENTRIES)] / 3;
}

uint8_t virtio_blk_request(struct virtio *device, uint32_t type, uint64_t sector, uint64_t address,
                           uint32_t length)
{
    int slot = -1;

    virtio_blk_add(device, 0, type, sector, address, length);
    virtio_notify(device);
    if (!POLL_FOR((slot = virtio_take(device)) >= 0, LONG_MS) || slot != 0)
        return VIRTIO_BLK_PENDING;
    return device->status[0];
}
