/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The NVMe controller with its I/O queues' doorbells in the host's memory. */
#include "test.h"

#include "bytes.h"
#include "nvme_driver.h"

enum {
    WRITE = 1,
    READ = 2,
    ASYNC_EVENT = 0x0c,
    DOORBELL_BUFFER_CONFIG = 0x7c,
};

static uint8_t *ram(uint64_t at)
{
    return fake_ram(fake) + at;
}

static uint32_t eventidx(unsigned number)
{
    return load_le32(ram(NVME_EVENTIDX + number * 4));
}

static uint16_t config(uint64_t prp1, uint64_t prp2)
{
    struct nvme_entry entry = { .opcode = DOORBELL_BUFFER_CONFIG, .prp1 = prp1, .prp2 = prp2 };

    return host_command(0, &entry, NULL);
}

static void setup(void)
{
    host_setup();
    host_shadow();
}

static struct nvme_entry read_entry(unsigned block)
{
    return host_io_entry(READ, block, 1, NVME_DATA + 512 * block, 0);
}

/* Round the queues several times; the host rings for commands, and not for what it has taken. */
TEST(commands_go_round)
{
    setup();
    CHECK(fake_doorbell_enabled(nvme, 0));
    CHECK(!fake_doorbell_enabled(nvme, 1));
    for (unsigned i = 0; i < 5 * NVME_ENTRIES; i++) {
        memset(ram(NVME_DATA), 0, 512);
        CHECK_EQ(host_io(READ, i, 1, NVME_DATA, 0), 0);
        CHECK(memcmp(ram(NVME_DATA), medium + 512 * i, 512) == 0);
    }
    CHECK_EQ(sq_rings, 5 * NVME_ENTRIES);
    CHECK_EQ(cq_rings, 0);
    CHECK_EQ(host_admin(0x0a, 7, 0, NULL), 0); /* the admin queue as ever */
    CHECK_EQ(eventidx(0), queues[0].tail);
    host_finish();
}

TEST(memory_counts_and_not_the_register)
{
    struct nvme_entry entries[3];
    struct nvme_completion completion;

    setup();
    for (unsigned i = 0; i < 3; i++) {
        entries[i] = read_entry(i);
        host_add(1, &entries[i]);
    }
    store_le32(ram(NVME_SHADOW + 8), 0xabcd0003); /* its upper half is reserved */
    host_write(DOORBELL + 8, 1);
    fake_run(fake);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(host_take(1, &completion));
        CHECK_EQ(completion.status, 0);
    }
    CHECK_EQ(eventidx(2), 3);
    host_finish();
}

/* Commands that come while others are under way are seen with the answer of those. */
TEST(what_came_meanwhile_is_seen_without_a_ring)
{
    struct nvme_entry entry = read_entry(0);
    struct nvme_completion completion;

    setup();
    fake_drive_hold(nvme, 0, true);
    host_add(1, &entry);
    host_ring(1);
    fake_run(fake);
    host_add(1, &entry);
    store_le32(ram(NVME_SHADOW + 8), queues[1].tail);
    fake_drive_hold(nvme, 0, false);
    fake_run(fake);
    CHECK(host_take(1, &completion));
    CHECK(host_take(1, &completion));
    CHECK_EQ(sq_rings, 1);
    host_finish();
}

TEST(full_completion_queue_asks_for_a_ring)
{
    struct nvme_entry entry = read_entry(0);
    struct nvme_completion completion;
    unsigned taken = 0;

    setup();
    for (unsigned i = 0; i < NVME_ENTRIES - 1; i++) {
        host_add(1, &entry);
    }
    host_ring(1);
    fake_run(fake);
    for (unsigned i = 0; i < 3; i++) {
        host_add(1, &entry);
    }
    host_ring(1);
    fake_run(fake);
    CHECK_EQ(eventidx(3), 0); /* where the head is */
    CHECK_EQ(cq_rings, 0);
    while (host_take(1, &completion)) {
        CHECK_EQ(completion.status, 0);
        taken++;
        fake_run(fake);
    }
    CHECK_EQ(taken, NVME_ENTRIES - 1 + 3);
    CHECK(cq_rings >= 1);
    CHECK(cq_rings <= 4); /* not for those that nothing waits for */
    host_finish();
}

TEST(pin_follows_the_head)
{
    struct nvme_completion completion;
    struct nvme_entry entry = read_entry(0), cq = { .opcode = 0x05, .prp1 = NVME_IO_CQ },
                      sq = { .opcode = 0x01, .prp1 = NVME_IO_SQ };

    host_open(&host_disk);
    host_enable();
    cq.dw10 = sq.dw10 = (NVME_ENTRIES - 1) << 16 | 1;
    cq.dw11 = 3;
    sq.dw11 = 1 << 16 | 1;
    CHECK_EQ(host_command(0, &cq, NULL), 0);
    CHECK_EQ(host_command(0, &sq, NULL), 0);
    queues[1] = (struct nvme_queue){ NVME_IO_SQ, NVME_IO_CQ, NVME_ENTRIES, 0, 0, 1 };
    host_shadow();
    for (unsigned i = 0; i < 2 * NVME_ENTRIES; i++) {
        host_add(1, &entry);
        host_add(1, &entry);
        host_ring(1);
        fake_run(fake);
        CHECK(fake_irq(nvme, 0));
        CHECK(host_take(1, &completion));
        CHECK(fake_irq(nvme, 0));
        CHECK(host_take(1, &completion));
        CHECK(!fake_irq(nvme, 0));
    }
    CHECK_EQ(cq_rings, 4 * NVME_ENTRIES);
    host_finish();
}

TEST(pages_that_cannot_be)
{
    static const uint64_t bad[] = { NVME_SHADOW + 4,     NVME_SHADOW + 512, NVME_RAM,
                                    NVME_RAM - 4096 + 8, UINT64_MAX,        UINT64_MAX - 4095,
                                    NVME_REGISTERS };

    host_setup();
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_EQ(config(bad[i], NVME_EVENTIDX), 0x002);
        CHECK_EQ(config(NVME_SHADOW, bad[i]), 0x002);
    }
    CHECK(!fake_doorbell_enabled(nvme, 0));
    CHECK_EQ(host_io(READ, 0, 1, NVME_DATA, 0), 0);        /* by the registers */
    CHECK_EQ(config(NVME_RAM - 8192, NVME_RAM - 4096), 0); /* the last there are */
    CHECK_EQ(host_read(CSTS), 1);
    host_finish();
}

TEST(wrong_values_are_told_and_change_nothing)
{
    static const uint32_t bad[] = { NVME_ENTRIES, 0xffff, 0x8000 };
    struct nvme_entry request = { .opcode = ASYNC_EVENT };
    struct nvme_completion completion;

    setup();
    host_add(0, &request);
    host_ring(0);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        unsigned errors = fake_guest_errors(nvme);

        store_le32(ram(NVME_SHADOW + 8), bad[i]);
        nvme->class->on_doorbell(nvme, 0);
        fake_run(fake);
        CHECK(fake_guest_errors(nvme) > errors);
        CHECK_EQ(host_read(CSTS), 1);
    }
    store_le32(ram(NVME_SHADOW + 8), 0);
    store_le32(ram(NVME_SHADOW + 12), 5); /* beyond what is there */
    nvme->class->on_doorbell(nvme, 0);
    fake_run(fake);
    store_le32(ram(NVME_SHADOW + 12), 0);
    CHECK(host_take(0, &completion));
    CHECK_EQ(completion.dw0, 1 << 8 | 1 << 16);
    CHECK_EQ(host_io(WRITE, 9, 1, NVME_DATA, 0), 0);
    host_finish_bad();
}

/* All of the I/O queues' values are noise; the controller ends what it does, and the admin queue
 * goes on. */
TEST(noise_in_the_pages)
{
    uint32_t seed = 1;

    setup();
    for (unsigned round = 0; round < 2000; round++) {
        for (unsigned at = 0; at < 64; at += 4) {
            seed = seed * 1664525 + 1013904223;
            store_le32(ram(NVME_SHADOW + at), seed >> 12 & (round & 1 ? 7 : 0xffff));
            store_le32(ram(NVME_EVENTIDX + at), seed >> 8);
        }
        nvme->class->on_doorbell(nvme, round % 16);
        fake_run(fake);
    }
    CHECK_EQ(host_read(CSTS), 1);
    CHECK_EQ(host_admin(0x0a, 7, 0, NULL), 0);
    host_finish_bad();
}

TEST(saved_and_loaded)
{
    struct nvme_entry entry = read_entry(3);
    struct nvme_completion completion;

    setup();
    CHECK_EQ(host_io(READ, 0, 1, NVME_DATA, 0), 0);
    fake_drive_hold(nvme, 0, true);
    host_add(1, &entry);
    host_ring(1);
    fake_run(fake);
    CHECK(fake_save_load(nvme));
    fake_drive_hold(nvme, 0, false);
    fake_run(fake);
    CHECK(fake_doorbell_enabled(nvme, 0));
    CHECK(host_take(1, &completion));
    CHECK_EQ(completion.status, 0);
    CHECK_EQ(host_io(READ, 7, 1, NVME_DATA, 0), 0);
    CHECK_EQ(cq_rings, 0);
    host_finish();
}

TEST(queues_come_and_go)
{
    setup();
    host_pair_create(2);
    CHECK(fake_doorbell_enabled(nvme, 1));
    for (unsigned i = 0; i < 5; i++) {
        CHECK_EQ(host_io(READ, i, 1, NVME_DATA, 0), 0);
    }
    CHECK_EQ(host_admin(0x00, 1, 0, NULL), 0);
    CHECK_EQ(host_admin(0x04, 1, 0, NULL), 0);
    CHECK(!fake_doorbell_enabled(nvme, 0));
    host_pair_create(1); /* what the old one left in the pages is of the past */
    CHECK_EQ(load_le32(ram(NVME_SHADOW + 8)), 0);
    CHECK_EQ(host_io(READ, 0, 1, NVME_DATA, 0), 0);
    host_write(CC, 0x00460000);
    fake_run(fake);
    CHECK(!fake_doorbell_enabled(nvme, 0));
    CHECK(!fake_doorbell_enabled(nvme, 1));
    shadow = false;
    host_enable();
    host_pair_create(1);
    CHECK_EQ(host_io(READ, 0, 1, NVME_DATA, 0), 0); /* by the registers again */
    host_shadow();
    device_reset(nvme, RESET_WARM);
    CHECK(!fake_doorbell_enabled(nvme, 0));
    host_finish();
}

TEST_MAIN(T(commands_go_round), T(memory_counts_and_not_the_register),
          T(what_came_meanwhile_is_seen_without_a_ring), T(full_completion_queue_asks_for_a_ring),
          T(pin_follows_the_head), T(pages_that_cannot_be),
          T(wrong_values_are_told_and_change_nothing), T(noise_in_the_pages), T(saved_and_loaded),
          T(queues_come_and_go))
