/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hot plug, as a driver sees it: a virtio disk in the slot of a root port is pulled out while it
 * works, put in again, and asked to go (PCI Express Base 2.0, section 6.7). What a card that is
 * gone was asked to do leaves no trace in memory. "PULL", "PUT" and "ASK" in the report are for the
 * host, which does it: see run-guest.
 */
#include "runtime/board.h"
#include "runtime/cpu.h"
#include "io.h"
#include "runtime/virtio.h"

#define PORT         PCI_FUNCTION(0, 0x1C, 0)
#define CARD         PCI_FUNCTION(1, 0, 0)
#define DISK_TYPE    2
#define CHUNK        4096
#define ROUNDS       5
#define PATTERN      0x5A

#define SLOT_CONTROL 0x18
#define SLOT_STATUS  0x1A
#define POWER_ON     0x01C0 /* and its lamp; the attention lamp is off */
#define POWER_OFF    0x07C0
#define EVENTS       0x0119
#define BUTTON       0x0001
#define PRESENCE     0x0040

static struct virtio disk;
static unsigned slot_registers;
static uint8_t *data;

static uint32_t slot_status(void)
{
    return pci_read(PORT, slot_registers + SLOT_STATUS, 2);
}

static void slot_power(uint32_t control)
{
    pci_write(PORT, slot_registers + SLOT_CONTROL, 2, control);
    pci_write(PORT, slot_registers + SLOT_STATUS, 2, EVENTS);
}

static bool card_is_gone(void)
{
    return pci_read(CARD, 0, 4) == 0xFFFFFFFF;
}

static void work_add(unsigned slot)
{
    virtio_blk_add(&disk, slot, VIRTIO_BLK_IN, 8 * slot, (uint64_t)data + CHUNK * slot, CHUNK);
}

static bool card_starts(void)
{
    if (!virtio_open(&disk, CARD, DISK_TYPE) ||
        !virtio_start(&disk, VIRTIO_F_VERSION_1, VIRTIO_NO_VECTOR))
        return false;
    return virtio_blk_request(&disk, VIRTIO_BLK_IN, 0, (uint64_t)data, CHUNK) == 0;
}

/* Keeps the disk busy until the condition holds. */
static bool work_until(bool (*condition)(void))
{
    uint64_t end = clock_ticks() + CLOCK_MS(LONG_MS);

    for (unsigned slot = 0; slot < VIRTIO_SLOTS; slot++)
        work_add(slot);
    virtio_notify(&disk);
    while (!condition()) {
        int slot = virtio_take(&disk);

        if (slot >= 0) {
            work_add((unsigned)slot);
            virtio_notify(&disk);
        }
        if (clock_ticks() > end)
            return false;
    }
    return true;
}

/* Everything that the card knew of is ours again. */
static bool memory_is_left_alone(void)
{
    uint8_t *used = (uint8_t *)(uintptr_t)disk.used;

    memset(data, PATTERN, CHUNK * VIRTIO_SLOTS);
    memset(used, PATTERN, 8 * VIRTIO_QUEUE_ENTRIES);
    memset((void *)(uintptr_t)disk.status, PATTERN, VIRTIO_SLOTS);
    POLL_FOR(false, SHORT_MS);
    for (unsigned i = 0; i < CHUNK * VIRTIO_SLOTS; i++) {
        if (data[i] != PATTERN)
            return false;
    }
    for (unsigned i = 0; i < 8 * VIRTIO_QUEUE_ENTRIES; i++) {
        if (used[i] != PATTERN)
            return false;
    }
    for (unsigned i = 0; i < VIRTIO_SLOTS; i++) {
        if (disk.status[i] != PATTERN)
            return false;
    }
    return true;
}

/* The registers of a card that is gone read as ones and take nothing. */
static bool registers_are_gone(void)
{
    write32(disk.notify, 0);
    write32(disk.common, 0);
    return read32(disk.common) == 0xFFFFFFFF && read8(disk.isr) == 0xFF &&
           read32(disk.config) == 0xFFFFFFFF;
}

static void slot_is_there(void)
{
    pci_write(PORT, 0x18, 4, 0x00010100); /* bus 1 is behind it */
    pci_write(PORT, 4, 2, 7);
    slot_registers = pci_capability(PORT, 0x10);
    CHECK(slot_registers != 0);
    CHECK_EQ(slot_status() & PRESENCE, PRESENCE);
    slot_power(POWER_ON);
    CHECK(card_starts());
}

static void card_comes(void)
{
    print("PUT\n");
    CHECK(POLL_FOR(slot_status() & PRESENCE, LONG_MS));
    slot_power(POWER_ON);
    CHECK(POLL_FOR(!card_is_gone(), LONG_MS));
    CHECK(card_starts());
}

static void pulled_out_at_work(void)
{
    for (unsigned round = 0; round < ROUNDS && !test_failed(); round++) {
        print("PULL\n");
        CHECK(work_until(card_is_gone));
        CHECK(memory_is_left_alone());
        CHECK(registers_are_gone());
        CHECK_EQ(slot_status() & PRESENCE, 0);
        slot_power(POWER_OFF);
        card_comes();
    }
}

static bool button_is_pressed(void)
{
    return slot_status() & BUTTON;
}

static void asked_to_go(void)
{
    for (unsigned round = 0; round < ROUNDS && !test_failed(); round++) {
        print("ASK\n");
        CHECK(work_until(button_is_pressed));
        CHECK(!card_is_gone());
        CHECK(virtio_status(&disk) != 0xFF); /* it works until the slot is off */
        slot_power(POWER_OFF);
        CHECK(POLL_FOR(card_is_gone(), LONG_MS));
        CHECK(memory_is_left_alone());
        CHECK(registers_are_gone());
        card_comes();
    }
}

void guest_main(void)
{
    data = buffer_alloc(VIRTIO_SLOTS * CHUNK, 4096);
    RUN(slot_is_there);
    RUN(pulled_out_at_work);
    RUN(asked_to_go);
}
