/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The virtio block device with real doorbells and interrupts: transfers, many at once, MSI-X with
 * masking, the interrupt line, reset with requests in flight (virtio 1.2, sections 4.1 and 5.2).
 */
#include "runtime/apic.h"
#include "runtime/board.h"
#include "runtime/cpu.h"
#include "io.h"
#include "runtime/virtio.h"

#define DISK         PCI_FUNCTION(0, 0x11, 0)
#define DISK_TYPE    2
#define DISK_SECTORS 32768
#define DISK_GSI     21
#define VECTOR_QUEUE 0x70
#define VECTOR_OTHER 0x71
#define VECTOR_INTX  0x72
#define CHUNK        4096
#define ALL_FEATURES (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_BLK_F_FLUSH)

static struct virtio disk;
static uint8_t *data;

static uint8_t *chunk(unsigned slot)
{
    return data + CHUNK * slot;
}

static void fill(uint8_t *bytes, uint32_t seed)
{
    for (unsigned i = 0; i < CHUNK; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

static void disk_is_found(void)
{
    CHECK(virtio_open(&disk, DISK, DISK_TYPE));
    CHECK(virtio_start(&disk, ALL_FEATURES, VIRTIO_NO_VECTOR));
    CHECK_EQ(disk.features, ALL_FEATURES);
    CHECK_EQ(read32(disk.config), DISK_SECTORS);
    CHECK_EQ(read32(disk.config + 4), 0);
}

static void reads_back_what_it_wrote(void)
{
    fill(chunk(0), 1);
    CHECK_EQ(virtio_blk_request(&disk, VIRTIO_BLK_OUT, 100, (uint64_t)chunk(0), CHUNK), 0);
    CHECK_EQ(virtio_blk_request(&disk, VIRTIO_BLK_FLUSH, 0, 0, 0), 0);
    CHECK_EQ(virtio_blk_request(&disk, VIRTIO_BLK_IN, 100, (uint64_t)chunk(1), CHUNK), 0);
    CHECK(!memcmp(chunk(0), chunk(1), CHUNK));
    CHECK_EQ(virtio_blk_request(&disk, VIRTIO_BLK_IN, DISK_SECTORS, (uint64_t)chunk(1), 512), 1);
    CHECK_EQ(virtio_blk_request(&disk, VIRTIO_BLK_GET_ID, 0, (uint64_t)chunk(1), 20), 0);
}

/* Lets the device work until all slots are done; how many were good. */
static unsigned all_done(void)
{
    unsigned done = 0, good = 0;
    int slot;

    while (done < VIRTIO_SLOTS && POLL_FOR((slot = virtio_take(&disk)) >= 0, LONG_MS)) {
        good += disk.status[slot] == 0;
        done++;
    }
    return good;
}

static void many_at_once(void)
{
    for (unsigned round = 0; round < 8; round++) {
        for (unsigned slot = 0; slot < VIRTIO_SLOTS; slot++) {
            fill(chunk(slot), round * 100 + slot);
            virtio_blk_add(&disk, slot, VIRTIO_BLK_OUT, 1024 + slot * 8, (uint64_t)chunk(slot),
                           CHUNK);
        }
        virtio_notify(&disk);
        CHECK_EQ(all_done(), VIRTIO_SLOTS);
        for (unsigned slot = 0; slot < VIRTIO_SLOTS; slot++) {
            virtio_blk_add(&disk, slot, VIRTIO_BLK_IN, 1024 + slot * 8,
                           (uint64_t)chunk(VIRTIO_SLOTS + slot), CHUNK);
            virtio_notify(&disk); /* each by itself, while others are under way */
        }
        CHECK_EQ(all_done(), VIRTIO_SLOTS);
        CHECK(!memcmp(chunk(0), chunk(VIRTIO_SLOTS), CHUNK * VIRTIO_SLOTS));
    }
}

static void read_start(void)
{
    virtio_blk_add(&disk, 0, VIRTIO_BLK_IN, 0, (uint64_t)chunk(0), CHUNK);
    virtio_notify(&disk);
}

static bool read_done(void)
{
    int slot;

    return POLL_FOR((slot = virtio_take(&disk)) >= 0, LONG_MS) && disk.status[slot] == 0;
}

static void message_for_each_request(void)
{
    interrupt_handle(VECTOR_QUEUE, apic_end);
    interrupt_handle(VECTOR_INTX, apic_end);
    virtio_msix_set(&disk, 0, VECTOR_QUEUE, false);
    virtio_msix_set(&disk, 1, VECTOR_OTHER, false);
    virtio_msix_enable(&disk, true);
    CHECK(virtio_start(&disk, ALL_FEATURES, 0));
    ioapic_route(DISK_GSI, VECTOR_INTX | IOAPIC_LEVEL, apic_id());
    for (unsigned i = 1; i <= 5; i++) {
        read_start();
        CHECK(WAIT_FOR(interrupt_count[VECTOR_QUEUE] == i, LONG_MS));
        CHECK(read_done());
    }
    WAIT_FOR(false, SHORT_MS);
    CHECK_EQ(interrupt_count[VECTOR_QUEUE], 5);
    CHECK_EQ(interrupt_count[VECTOR_INTX], 0);
}

static void masked_message_waits(void)
{
    interrupt_handle(VECTOR_OTHER, apic_end);
    CHECK(virtio_start(&disk, ALL_FEATURES, 1));
    virtio_msix_set(&disk, 1, VECTOR_OTHER, true);
    read_start();
    CHECK(read_done());
    WAIT_FOR(false, SHORT_MS);
    CHECK_EQ(interrupt_count[VECTOR_OTHER], 0);
    virtio_msix_set(&disk, 1, VECTOR_OTHER, false);
    CHECK(WAIT_FOR(interrupt_count[VECTOR_OTHER] == 1, LONG_MS));
}

static volatile uint32_t causes; /* interrupts of the line that the disk had a reason for */

static void line_end(struct interrupt_frame *frame)
{
    causes += read8(disk.isr) & 1;
    apic_end(frame);
}

static void line_without_messages(void)
{
    interrupt_handle(VECTOR_INTX, line_end);
    virtio_msix_enable(&disk, false);
    CHECK(virtio_start(&disk, VIRTIO_F_VERSION_1, VIRTIO_NO_VECTOR));
    read_start();
    CHECK(WAIT_FOR(causes == 1, LONG_MS));
    CHECK(read_done());
    CHECK_EQ(read8(disk.isr), 0);
    WAIT_FOR(false, SHORT_MS); /* one that was already on its way may still come */
    interrupt_count[VECTOR_INTX] = 0;
    WAIT_FOR(false, SHORT_MS);
    CHECK_EQ(interrupt_count[VECTOR_INTX], 0); /* the line is low */
    CHECK_EQ(causes, 1);
}

/* Each reset comes while the device works on what it has just been given. */
static void reset_in_flight(void)
{
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned slot = 0; slot < VIRTIO_SLOTS; slot++)
            virtio_blk_add(&disk, slot, round & 1 ? VIRTIO_BLK_OUT : VIRTIO_BLK_IN, 4096 + slot * 8,
                           (uint64_t)chunk(slot), CHUNK);
        virtio_notify(&disk);
        CHECK(virtio_start(&disk, ALL_FEATURES, VIRTIO_NO_VECTOR));
        CHECK(virtio_take(&disk) < 0);
        memset(chunk(0), 0x5A, CHUNK * VIRTIO_SLOTS); /* ours again: nobody writes there now */
        for (unsigned i = 0; i < CHUNK * VIRTIO_SLOTS; i++)
            CHECK_EQ(chunk(0)[i], 0x5A);
    }
    read_start();
    CHECK(read_done());
}

void guest_main(void)
{
    apic_enable();
    data = buffer_alloc(2 * VIRTIO_SLOTS * CHUNK, 4096);
    RUN(disk_is_found);
    RUN(reads_back_what_it_wrote);
    RUN(many_at_once);
    RUN(message_for_each_request);
    RUN(masked_message_waits);
    RUN(line_without_messages);
    RUN(reset_in_flight);
}
