/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all virtio devices share, on the entropy device, the simplest: PCI transport, negotiation,
 * interrupts, reset, saved state. Rings are in test_virtio_ring.c.
 */
#include "test.h"

#include "bytes.h"
#include "virtio_driver.h"

enum {
    QUEUE = 0,
    DATA = DRIVER_DATA,
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

/* --- Transport -------------------------------------------------------------------------------- */

TEST(identity)
{
    setup();
    CHECK_EQ(fake_config_read(rng, 0x00, 4), 0x10441af4);
    CHECK_EQ(fake_config_read(rng, 0x08, 1), 1);
    CHECK_EQ(fake_config_read(rng, 0x2c, 4), 0x11001af4);
    CHECK_EQ(fake_config_read(rng, 0x3d, 1), 1);
    CHECK_EQ(fake_config_read(rng, 0x20, 4) & 0xf, 0xc); /* 64 bits, prefetchable */
    CHECK_EQ(driver.n_queues, 1);
    CHECK_EQ(driver.notify_multiplier, 4);
    CHECK_EQ(driver.config, 0); /* the device has no configuration */
    CHECK_EQ(driver_status(&driver), 0);
    fake_free(fake);
}

TEST(registers_after_reset)
{
    setup();
    CHECK_EQ(driver_read(&driver, COMMON_CONFIG_VECTOR, 2), 0xffff);
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_SIZE, 2), 256);
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_VECTOR, 2), 0xffff);
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_ENABLE, 2), 0);
    driver_write(&driver, COMMON_QUEUE_SELECT, 2, 1); /* there is no such queue */
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_SIZE, 2), 0);
    driver_write(&driver, COMMON_QUEUE_SIZE, 2, 8);
    CHECK_EQ(fake_guest_errors(rng), 1);
    driver_write(&driver, COMMON_DEVICE_FEATURE_SELECT, 4, 2);
    CHECK_EQ(driver_read(&driver, COMMON_DEVICE_FEATURE, 4), 0);
    fake_free(fake);
}

TEST(queue_registers)
{
    setup();
    driver_negotiate(&driver, F_ALL);
    driver_write(&driver, COMMON_QUEUE_SIZE, 2, 24); /* no power of two */
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_SIZE, 2), 256);
    driver_write(&driver, COMMON_QUEUE_SIZE, 2, 512);
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_SIZE, 2), 256);
    driver_write(&driver, COMMON_QUEUE_SIZE, 2, 0);
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_SIZE, 2), 256);
    driver_write(&driver, COMMON_QUEUE_VECTOR, 2, 2); /* two vectors: 0 and 1 */
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_VECTOR, 2), 0xffff);
    driver_write(&driver, COMMON_QUEUE_VECTOR, 2, 1);
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_VECTOR, 2), 1);
    fake_write(fake, driver.common + COMMON_QUEUE_DESC, 8, UINT64_C(0x123456789abcdef0));
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_DESC, 8), UINT64_C(0x123456789abcdef0));
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_DESC + 4, 4), 0x12345678);
    unsigned errors = fake_guest_errors(rng);

    driver_write(&driver, COMMON_QUEUE_SELECT, 1, 0); /* narrower than the register */
    CHECK_EQ(fake_guest_errors(rng), errors + 1);
    fake_free(fake);
}

TEST(registers_of_an_enabled_queue_stay)
{
    setup_started(F_ALL);
    driver_write(&driver, COMMON_QUEUE_SELECT, 2, QUEUE);
    driver_write(&driver, COMMON_QUEUE_SIZE, 2, 256);
    driver_write(&driver, COMMON_QUEUE_DESC, 4, 0);
    driver_write(&driver, COMMON_QUEUE_ENABLE, 2, 0);
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_SIZE, 2), DRIVER_QUEUE_SIZE);
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_DESC, 4), DRIVER_RINGS);
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_ENABLE, 2), 1);
    CHECK_EQ(fake_guest_errors(rng), 3);
    fake_free(fake);
}

static void check_not_enabled(uint64_t desc, uint64_t avail, uint64_t used)
{
    setup();
    driver_negotiate(&driver, F_ALL);
    fake_write(fake, driver.common + COMMON_QUEUE_DESC, 8, desc);
    fake_write(fake, driver.common + COMMON_QUEUE_DRIVER, 8, avail);
    fake_write(fake, driver.common + COMMON_QUEUE_DEVICE, 8, used);
    driver_write(&driver, COMMON_QUEUE_ENABLE, 2, 1);
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_ENABLE, 2), 0);
    CHECK(driver_status(&driver) & STATUS_NEEDS_RESET);
    fake_free(fake);
}

TEST(areas_that_are_wrong)
{
    check_not_enabled(0x1008, 0x3000, 0x4000);
    check_not_enabled(0x1000, 0x3001, 0x4000);
    check_not_enabled(0x1000, 0x3000, 0x4002);
    check_not_enabled(DRIVER_RAM - 256 * 16 + 16, 0x3000, 0x4000);
    check_not_enabled(0x1000, DRIVER_RAM, 0x4000);
    check_not_enabled(0x1000, 0x3000, UINT64_MAX - 3);
}

/* --- Negotiation ------------------------------------------------------------------------------ */

TEST(features_are_offered_and_taken)
{
    setup();
    driver_negotiate(&driver, F_VERSION_1 | F_EVENT_IDX);
    CHECK_EQ(driver.offered, F_VERSION_1 | F_EVENT_IDX | F_INDIRECT);
    CHECK_EQ(driver_status(&driver), STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    driver_write(&driver, COMMON_DRIVER_FEATURE_SELECT, 4, 0);
    driver_write(&driver, COMMON_DRIVER_FEATURE, 4, (uint32_t)F_INDIRECT); /* too late */
    CHECK_EQ(driver_read(&driver, COMMON_DRIVER_FEATURE, 4), (uint32_t)F_EVENT_IDX);
    CHECK_EQ(fake_guest_errors(rng), 1);
    fake_free(fake);
}

TEST(features_that_cannot_be_had)
{
    setup();
    driver_negotiate(&driver, F_EVENT_IDX); /* without VERSION_1 */
    CHECK_EQ(driver_status(&driver), STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    driver_write(&driver, COMMON_DRIVER_FEATURE_SELECT, 4, 1);
    driver_write(&driver, COMMON_DRIVER_FEATURE, 4, 3); /* VERSION_1 and one that is not offered */
    driver_write(&driver, COMMON_STATUS, 1, 0x0b);
    CHECK_EQ(driver_status(&driver), STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    driver_write(&driver, COMMON_STATUS, 1, 0x0f); /* a driver that does not look */
    CHECK_EQ(driver_status(&driver), STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    driver_write(&driver, COMMON_DRIVER_FEATURE, 4, 1);
    driver_write(&driver, COMMON_STATUS, 1, 0x0b);
    CHECK_EQ(driver_status(&driver), 0x0b);
    fake_free(fake);
}

TEST(queue_before_features_is_refused)
{
    setup();
    driver_queue_setup(&driver, QUEUE, 8);
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_ENABLE, 2), 0);
    CHECK(strstr(fake_last_guest_error(rng), "FEATURES_OK"));
    fake_free(fake);
}

/* --- Notifications ---------------------------------------------------------------------------- */

static void send_head(uint16_t head)
{
    driver_add_head(&driver, QUEUE, head);
    driver_kick(&driver, QUEUE);
}

TEST(line_and_isr)
{
    setup_started(F_VERSION_1);
    driver_send(&driver, QUEUE, DATA, 8, true);
    CHECK(fake_irq(rng, 0));
    CHECK_EQ(fake_read(fake, driver.isr, 1), 1);
    CHECK(!fake_irq(rng, 0));
    CHECK_EQ(fake_read(fake, driver.isr, 1), 0);
    store_le16(fake_ram(fake) + driver.queues[QUEUE].avail, 1); /* NO_INTERRUPT */
    driver_send(&driver, QUEUE, DATA, 8, true);
    CHECK(!fake_irq(rng, 0));
    CHECK_EQ(driver_used(&driver, QUEUE), 2);
    fake_free(fake);
}

TEST(messages)
{
    setup();
    driver_msix(&driver);
    driver_start(&driver, F_VERSION_1);
    driver_send(&driver, QUEUE, DATA, 8, true);
    CHECK_EQ(fake_msi_count(rng), 1);
    CHECK_EQ(fake_msi_address(rng), DRIVER_MSI_ADDRESS);
    CHECK_EQ(fake_msi_data(rng), DRIVER_MSI_DATA + QUEUE);
    CHECK(!fake_irq(rng, 0));
    CHECK_EQ(fake_read(fake, driver.isr, 1), 0);
    send_head(99);
    CHECK_EQ(fake_msi_count(rng), 2);
    CHECK_EQ(fake_msi_data(rng), DRIVER_MSI_DATA + 1); /* that of the configuration */
    driver_reset(&driver);
    driver_negotiate(&driver, F_ALL);
    driver_queue_setup(&driver, QUEUE, 8);
    driver_write(&driver, COMMON_QUEUE_VECTOR, 2, 0xffff);
    driver_write(&driver, COMMON_STATUS, 1, STARTED);
    driver_send(&driver, QUEUE, DATA, 8, true);
    CHECK_EQ(driver_used(&driver, QUEUE), 1);
    CHECK_EQ(fake_msi_count(rng), 2);
    fake_free(fake);
}

TEST(event_index)
{
    setup();
    driver_msix(&driver);
    driver_start(&driver, F_ALL);
    driver_set_used_event(&driver, QUEUE, 2); /* interrupt at the third */
    for (unsigned i = 0; i < 5; i++) {
        driver_send(&driver, QUEUE, DATA, 8, true);
        CHECK_EQ(driver_avail_event(&driver, QUEUE), i + 1);
        CHECK_EQ(fake_msi_count(rng), i >= 2);
    }
    fake_free(fake);
}

/* --- Configuration space window --------------------------------------------------------------- */

static unsigned window_find(void)
{
    for (unsigned at = fake_config_read(rng, 0x34, 1); at != 0;
         at = fake_config_read(rng, at + 1, 1)) {
        if (fake_config_read(rng, at, 1) == 9 && fake_config_read(rng, at + 3, 1) == 5) {
            return at;
        }
    }
    return 0;
}

static void window_set(unsigned at, unsigned bar, uint32_t offset, uint32_t size)
{
    fake_config_write(rng, at + 4, 1, bar);
    fake_config_write(rng, at + 8, 4, offset);
    fake_config_write(rng, at + 12, 4, size);
}

TEST(window_reaches_the_registers)
{
    setup();
    unsigned at = window_find();

    CHECK(at != 0);
    window_set(at, 4, COMMON_NUM_QUEUES, 2);
    CHECK_EQ(fake_config_read(rng, at + 16, 2), 1);
    window_set(at, 4, COMMON_STATUS, 1);
    fake_config_write(rng, at + 16, 1, STATUS_ACKNOWLEDGE);
    CHECK_EQ(driver_status(&driver), STATUS_ACKNOWLEDGE);
    CHECK_EQ(fake_config_read(rng, at + 16, 1), STATUS_ACKNOWLEDGE);
    window_set(at, 1, COMMON_STATUS, 1); /* another BAR, */
    fake_config_write(rng, at + 16, 1, 0);
    window_set(at, 4, 0x4000, 4); /* beyond it, */
    fake_config_write(rng, at + 16, 4, 0);
    window_set(at, 4, COMMON_STATUS, 3); /* of no size, */
    fake_config_write(rng, at + 16, 4, 0);
    window_set(at, 4, COMMON_STATUS + 1, 2); /* not aligned */
    fake_config_write(rng, at + 16, 4, 0);
    CHECK_EQ(driver_status(&driver), STATUS_ACKNOWLEDGE);
    fake_free(fake);
}

/* --- Reset and state -------------------------------------------------------------------------- */

TEST(reset_forgets_the_driver)
{
    setup_started(F_ALL);
    driver_send(&driver, QUEUE, DATA, 8, true);
    driver_reset(&driver);
    CHECK_EQ(driver_status(&driver), 0);
    CHECK(!fake_irq(rng, 0));
    CHECK_EQ(fake_read(fake, driver.isr, 1), 0);
    driver_write(&driver, COMMON_QUEUE_SELECT, 2, QUEUE);
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_ENABLE, 2), 0);
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_SIZE, 2), 256);
    CHECK_EQ(driver_read(&driver, COMMON_QUEUE_DESC, 4), 0);
    fake_free(fake);
}

TEST(saved_in_the_middle)
{
    setup_started(F_ALL);
    for (unsigned i = 0; i < 21; i++) {
        driver_send(&driver, QUEUE, DATA, 8, true);
    }
    CHECK(fake_save_load(rng));
    CHECK_EQ(driver_status(&driver), STARTED);
    fake_run(fake);
    CHECK_EQ(driver_used(&driver, QUEUE), 21);
    driver_send(&driver, QUEUE, DATA, 8, true);
    CHECK_EQ(driver_used(&driver, QUEUE), 22);
    CHECK_EQ(fake_guest_errors(rng), 0);
    fake_free(fake);
}

/* The doorbell was rung, the machine was saved before it was heard. */
TEST(missed_doorbell_after_a_load)
{
    setup_started(F_ALL);
    driver_add(&driver, QUEUE, (struct driver_segment[]){ { DATA, 8, true } }, 1);
    CHECK(fake_save_load(rng));
    fake_run(fake);
    CHECK_EQ(driver_used(&driver, QUEUE), 1);
    fake_free(fake);
}

TEST_MAIN(T(identity), T(registers_after_reset), T(queue_registers),
          T(registers_of_an_enabled_queue_stay), T(areas_that_are_wrong),
          T(features_are_offered_and_taken), T(features_that_cannot_be_had),
          T(queue_before_features_is_refused), T(line_and_isr), T(messages), T(event_index),
          T(window_reaches_the_registers), T(reset_forgets_the_driver), T(saved_in_the_middle),
          T(missed_doorbell_after_a_load))
