/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Virtqueues through the entropy device, the simplest: buffers, and every mistake that a driver can
 * make in rings, descriptors and indirect tables.
 */
#include "test.h"

#include "bytes.h"
#include "virtio_driver.h"

enum {
    QUEUE = 0,
    DATA = DRIVER_DATA,
    TABLE = DRIVER_DATA + 0x10000, /* indirect tables */
    STARTED = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK,
};

static struct fake *fake;
static struct device *rng;
static struct driver driver;

static void setup(void)
{
    fake = fake_new(DRIVER_RAM);
    rng = fake_add(fake, "virtio-rng", NULL);
    driver_open(&driver, fake, rng);
}

static void setup_started(uint64_t features)
{
    setup();
    driver_start(&driver, features);
    CHECK_EQ(driver_status(&driver), STARTED);
}

static bool is_zero(uint64_t gpa, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (fake_ram(fake)[gpa + i] != 0) {
            return false;
        }
    }
    return true;
}

static void check_broken(const char *why)
{
    CHECK_EQ(driver_status(&driver), STARTED | STATUS_NEEDS_RESET);
    CHECK_EQ(driver_used(&driver, QUEUE), 0);
    if (!strstr(fake_last_guest_error(rng), why)) {
        test_fail(__FILE__, __LINE__, "the error is \"%s\", expected \"%s\"",
                  fake_last_guest_error(rng), why);
    }
}

/* --- Buffers ---------------------------------------------------------------------------------- */

static void check_filled(uint64_t features)
{
    uint16_t head, taken;
    uint32_t length;

    setup_started(features);
    head = driver_add(&driver, QUEUE, (struct driver_segment[]){ { DATA, 64, true } }, 1);
    driver_kick(&driver, QUEUE);
    CHECK_EQ(driver_used(&driver, QUEUE), 1);
    CHECK(driver_take(&driver, QUEUE, &taken, &length));
    CHECK_EQ(taken, head);
    CHECK_EQ(length, 64);
    CHECK(!is_zero(DATA, 64));
    CHECK(is_zero(DATA + 64, 64));
    fake_free(fake);
}

TEST(buffer_is_filled)
{
    check_filled(F_VERSION_1);
    check_filled(F_VERSION_1 | F_EVENT_IDX);
    check_filled(F_ALL);
}

TEST(chain_of_segments)
{
    struct driver_segment segments[] = { { DATA, 3, true },
                                         { DATA + 100, 0, true },
                                         { DATA + 200, 5, true } };
    uint16_t head;
    uint32_t length;

    setup_started(F_ALL);
    driver_add(&driver, QUEUE, segments, 3);
    driver_kick(&driver, QUEUE);
    CHECK(driver_take(&driver, QUEUE, &head, &length));
    CHECK_EQ(length, 8);
    CHECK(is_zero(DATA + 3, 197));
    CHECK(is_zero(DATA + 205, 32));
    fake_free(fake);
}

TEST(ring_goes_round)
{
    setup_started(F_ALL);
    for (unsigned i = 0; i < 70000; i++) { /* idx wraps, too */
        uint16_t head;
        uint32_t length;

        driver_send(&driver, QUEUE, DATA, 4 + i % 32, true);
        CHECK(driver_take(&driver, QUEUE, &head, &length));
        CHECK_EQ(head, i % DRIVER_QUEUE_SIZE);
        CHECK_EQ(length, 4 + i % 32);
    }
    CHECK_EQ(fake_guest_errors(rng), 0);
    fake_free(fake);
}

TEST(full_queue_at_once)
{
    setup_started(F_ALL);
    for (unsigned i = 0; i < DRIVER_QUEUE_SIZE; i++) {
        driver_add(&driver, QUEUE, (struct driver_segment[]){ { DATA + 16 * i, 16, true } }, 1);
    }
    driver_kick(&driver, QUEUE);
    CHECK_EQ(driver_used(&driver, QUEUE), DRIVER_QUEUE_SIZE);
    CHECK_EQ(fake_irq_edges(rng, 0), 1); /* one batch, one interrupt */
    fake_free(fake);
}

TEST(buffers_before_the_driver_is_ready)
{
    setup();
    driver_reset(&driver);
    driver_negotiate(&driver, F_ALL);
    driver_queue_setup(&driver, QUEUE, DRIVER_QUEUE_SIZE);
    driver_send(&driver, QUEUE, DATA, 8, true);
    CHECK_EQ(driver_used(&driver, QUEUE), 0);
    driver_write(&driver, COMMON_STATUS, 1, STARTED);
    fake_run(fake);
    CHECK_EQ(driver_used(&driver, QUEUE), 1);
    fake_free(fake);
}

TEST(no_dma_without_bus_mastering)
{
    setup_started(F_ALL);
    fake_config_write(rng, 0x04, 2, 3);
    driver_send(&driver, QUEUE, DATA, 8, true);
    CHECK_EQ(driver_used(&driver, QUEUE), 0);
    CHECK(is_zero(DATA, 8));
    fake_config_write(rng, 0x04, 2, 7);
    fake_run(fake);
    CHECK_EQ(driver_used(&driver, QUEUE), 1);
    fake_free(fake);
}

/* --- Mistakes in rings and descriptors -------------------------------------------------------- */

static void send_head(uint16_t head)
{
    driver_add_head(&driver, QUEUE, head);
    driver_kick(&driver, QUEUE);
}

TEST(head_outside_the_table)
{
    setup_started(F_ALL);
    send_head(DRIVER_QUEUE_SIZE);
    check_broken("head outside");
    fake_free(fake);
}

TEST(chain_without_end)
{
    setup_started(F_ALL);
    driver_descriptor(&driver, QUEUE, 0, DATA, 4, DESC_NEXT | DESC_WRITE, 1);
    driver_descriptor(&driver, QUEUE, 1, DATA, 4, DESC_NEXT | DESC_WRITE, 0);
    send_head(0);
    check_broken("longer than its table");
    fake_free(fake);
}

TEST(next_outside_the_table)
{
    setup_started(F_ALL);
    driver_descriptor(&driver, QUEUE, 0, DATA, 4, DESC_NEXT | DESC_WRITE, DRIVER_QUEUE_SIZE);
    send_head(0);
    check_broken("outside its table");
    fake_free(fake);
}

TEST(read_after_write)
{
    struct driver_segment segments[] = { { DATA, 4, true }, { DATA, 4, false } };

    setup_started(F_ALL);
    driver_add(&driver, QUEUE, segments, 2);
    driver_kick(&driver, QUEUE);
    check_broken("behind one to be written");
    fake_free(fake);
}

TEST(lengths_that_overflow)
{
    struct driver_segment segments[] = { { DATA, 0x80000000, true }, { DATA, 0x80000000, true } };

    setup_started(F_ALL);
    driver_add(&driver, QUEUE, segments, 2);
    driver_kick(&driver, QUEUE);
    check_broken("4 GiB");
    fake_free(fake);

    setup_started(F_ALL);
    driver_send(&driver, QUEUE, UINT64_MAX - 3, 8, true);
    check_broken("beyond the end of memory");
    fake_free(fake);
}

TEST(more_buffers_than_the_queue_holds)
{
    setup_started(F_ALL);
    store_le16(fake_ram(fake) + driver.queues[QUEUE].avail + 2, DRIVER_QUEUE_SIZE + 1);
    driver_kick(&driver, QUEUE);
    check_broken("more buffers");
    fake_free(fake);
}

TEST(buffer_that_is_no_memory)
{
    setup_started(F_ALL);
    driver_send(&driver, QUEUE, DRIVER_RAM - 4, 8, true);
    check_broken("not in memory");
    fake_free(fake);

    setup_started(F_ALL);
    driver_send(&driver, QUEUE, driver.common, 8, true); /* a register is none, its own least */
    check_broken("not in memory");
    fake_free(fake);
}

TEST(broken_device_is_quiet_until_reset)
{
    setup_started(F_ALL);
    send_head(99);
    CHECK_EQ(fake_read(fake, driver.isr, 1), 2); /* a configuration interrupt told of it */
    CHECK(!fake_irq(rng, 0));
    driver_send(&driver, QUEUE, DATA, 8, true);
    CHECK_EQ(driver_used(&driver, QUEUE), 0);
    CHECK_EQ(fake_guest_errors(rng), 1);
    driver_start(&driver, F_ALL);
    driver_send(&driver, QUEUE, DATA, 8, true);
    CHECK_EQ(driver_used(&driver, QUEUE), 1);
    fake_free(fake);
}

TEST(buffer_without_room)
{
    uint16_t head;
    uint32_t length;

    setup_started(F_ALL);
    driver_send(&driver, QUEUE, DATA, 8, false);
    CHECK_EQ(fake_guest_errors(rng), 1);
    CHECK(driver_take(&driver, QUEUE, &head, &length));
    CHECK_EQ(length, 0);
    CHECK_EQ(driver_status(&driver), STARTED);
    fake_free(fake);
}

/* --- Indirect tables -------------------------------------------------------------------------- */

static void indirect_entry(unsigned index, uint64_t gpa, uint32_t length, uint16_t flags,
                           uint16_t next)
{
    uint8_t *d = fake_ram(fake) + TABLE + 16 * index;

    store_le64(d, gpa);
    store_le32(d + 8, length);
    store_le16(d + 12, flags);
    store_le16(d + 14, next);
}

static void send_indirect(uint64_t table, uint32_t length, uint16_t flags)
{
    driver_descriptor(&driver, QUEUE, 0, table, length, DESC_INDIRECT | flags, 1);
    driver_descriptor(&driver, QUEUE, 1, DATA, 4, DESC_WRITE, 0);
    send_head(0);
}

TEST(indirect_table)
{
    uint16_t head;
    uint32_t length;

    setup_started(F_ALL);
    for (uint16_t i = 0; i < 256; i++) { /* longer than the queue */
        indirect_entry(i, DATA + 2 * i, 1, DESC_WRITE | (i < 255 ? DESC_NEXT : 0),
                       (uint16_t)(i + 1));
    }
    send_indirect(TABLE, 256 * 16, 0);
    CHECK(driver_take(&driver, QUEUE, &head, &length));
    CHECK_EQ(length, 256);
    CHECK_EQ(fake_ram(fake)[DATA + 1], 0);
    fake_free(fake);
}

TEST(indirect_table_after_a_descriptor)
{
    uint16_t head;
    uint32_t length;

    setup_started(F_ALL);
    indirect_entry(0, DATA + 16, 4, DESC_WRITE, 0);
    driver_descriptor(&driver, QUEUE, 0, DATA, 4, DESC_NEXT | DESC_WRITE, 1);
    driver_descriptor(&driver, QUEUE, 1, TABLE, 16, DESC_INDIRECT, 0);
    send_head(0);
    CHECK(driver_take(&driver, QUEUE, &head, &length));
    CHECK_EQ(length, 8);
    fake_free(fake);
}

static void check_indirect_broken(uint64_t table, uint32_t length, uint16_t flags, const char *why)
{
    setup_started(F_ALL);
    for (uint16_t i = 0; i < 300; i++) {
        indirect_entry(i, DATA, 1, DESC_WRITE | DESC_NEXT, (uint16_t)(i + 1));
    }
    send_indirect(table, length, flags);
    check_broken(why);
    fake_free(fake);
}

TEST(indirect_tables_that_are_wrong)
{
    check_indirect_broken(TABLE, 0, 0, "wrong length");
    check_indirect_broken(TABLE, 17, 0, "wrong length");
    check_indirect_broken(TABLE, 257 * 16, 0, "wrong length");
    check_indirect_broken(TABLE, 16, DESC_NEXT, "with a next one");
    check_indirect_broken(DRIVER_RAM - 8, 16, 0, "not in memory");
    check_indirect_broken(TABLE, 16 * 16, 0, "longer than its table");
}

TEST(indirect_table_in_another)
{
    setup_started(F_ALL);
    indirect_entry(0, TABLE, 16, DESC_INDIRECT, 0);
    send_indirect(TABLE, 16, 0);
    check_broken("in another");
    fake_free(fake);
}

TEST(indirect_table_in_a_loop)
{
    setup_started(F_ALL);
    indirect_entry(0, DATA, 1, DESC_WRITE | DESC_NEXT, 0);
    send_indirect(TABLE, 16, 0);
    check_broken("longer than its table");
    fake_free(fake);
}

TEST(indirect_table_without_the_feature)
{
    setup_started(F_VERSION_1);
    indirect_entry(0, DATA, 4, DESC_WRITE, 0);
    send_indirect(TABLE, 16, 0);
    check_broken("without the feature");
    fake_free(fake);
}

TEST_MAIN(T(buffer_is_filled), T(chain_of_segments), T(ring_goes_round), T(full_queue_at_once),
          T(buffers_before_the_driver_is_ready), T(no_dma_without_bus_mastering),
          T(head_outside_the_table), T(chain_without_end), T(next_outside_the_table),
          T(read_after_write), T(lengths_that_overflow), T(more_buffers_than_the_queue_holds),
          T(buffer_that_is_no_memory), T(broken_device_is_quiet_until_reset),
          T(buffer_without_room), T(indirect_table), T(indirect_table_after_a_descriptor),
          T(indirect_tables_that_are_wrong), T(indirect_table_in_another),
          T(indirect_table_in_a_loop), T(indirect_table_without_the_feature))
