/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The virtio block device with requests under way: resets, removal, saving and loading. */
#include "test.h"

#include "state.h"
#include "virtio_blk_driver.h"

/* Requests in flight belong to the driver until the reset is over, which it can see. */
TEST(reset_waits_for_requests)
{
    setup();
    fake_drive_hold(blk, 0, true);
    request_add(0, 0, IN, 0, 4096);
    request_add(0, 1, OUT, 8, 4096);
    driver_kick(&driver, 0);
    CHECK(!blk->class->idle(blk));
    driver_write(&driver, COMMON_STATUS, 1, 0);
    CHECK(driver_status(&driver) != 0);
    fake_drive_hold(blk, 0, false);
    fake_run(fake);
    CHECK_EQ(driver_status(&driver), 0);
    CHECK_EQ(status(0), PENDING); /* nobody was told */
    CHECK_EQ(driver_used(&driver, 0), 0);
    CHECK_EQ(fake_msi_count(blk), 0);
    driver_start(&driver, F_ALL);
    CHECK_EQ(request_status(IN, 0, 512), OK);
    finish();
}

TEST(machine_reset_with_requests)
{
    setup();
    fake_drive_hold(blk, 0, true);
    for (unsigned slot = 0; slot < 4; slot++) {
        request_add(0, slot, IN, slot, 512);
    }
    driver_kick(&driver, 0);
    device_reset(blk, RESET_WARM);
    fake_drive_hold(blk, 0, false);
    fake_run(fake);
    CHECK(blk->class->idle(blk));
    CHECK_EQ(status(3), PENDING);
    driver_open(&driver, fake, blk);
    driver_start(&driver, F_ALL);
    CHECK_EQ(request_status(IN, 0, 512), OK);
    finish();
}

TEST(removal_with_requests)
{
    setup();
    fake_drive_hold(blk, 0, true);
    request_add(0, 0, IN, 0, 512);
    driver_kick(&driver, 0);
    finish();
}

/* A head that is still in use must not come again. */
TEST(head_twice)
{
    setup();
    fake_drive_hold(blk, 0, true);
    driver_add_head(&driver, 0, request_add(0, 0, IN, 0, 512));
    driver_kick(&driver, 0);
    CHECK(driver_status(&driver) & STATUS_NEEDS_RESET);
    CHECK(strstr(fake_last_guest_error(blk), "in use"));
    fake_drive_hold(blk, 0, false);
    fake_run(fake);
    CHECK_EQ(driver_used(&driver, 0), 0);
    finish_bad();
}

/* A machine that the host's full disk has stopped is saved with requests that wait. */
TEST(saved_with_requests)
{
    setup();
    fake_drive_hold(blk, 0, true);
    for (unsigned slot = 0; slot < 3; slot++) {
        request_add(0, slot, IN, slot * 8, 512);
    }
    driver_kick(&driver, 0);

    size_t size = device_state_size(blk);
    uint8_t *state = malloc(size);
    struct dev_error error = { "" };

    CHECK_EQ(device_save(blk, state, size), size);
    device_reset(blk, RESET_COLD); /* stands for another process */
    fake_drive_hold(blk, 0, false);
    fake_run(fake);
    CHECK_EQ(status(0), PENDING);
    CHECK_EQ(device_load(blk, state, size, &error), 0);
    device_restored(blk);
    fake_run(fake);
    CHECK_EQ(driver_used(&driver, 0), 3);
    for (unsigned slot = 0; slot < 3; slot++) {
        CHECK_EQ(status(slot), OK);
        CHECK(memcmp(data(slot), medium + slot * 4096, 512) == 0);
    }
    free(state);
    finish();
}

/* The doorbell is rung before the device has its requests back. */
TEST(doorbell_right_after_a_load)
{
    setup();
    CHECK(fake_save_load(blk));
    request_add(0, 0, IN, 0, 512);
    driver_kick(&driver, 0);
    CHECK_EQ(driver_used(&driver, 0), 1);
    finish();
}

TEST(saved_between_requests)
{
    setup_with(&disk, "3", F_ALL);
    CHECK_EQ(request_status(IN, 0, 512), OK);
    CHECK(fake_save_load(blk));
    fake_run(fake);
    CHECK_EQ(request_status(IN, 0, 512), OK);
    request_add(2, 1, IN, 0, 512);
    driver_kick(&driver, 2);
    CHECK_EQ(driver_used(&driver, 2), 1);
    finish();
}

TEST_MAIN(T(reset_waits_for_requests), T(machine_reset_with_requests), T(removal_with_requests),
          T(head_twice), T(saved_with_requests), T(doorbell_right_after_a_load),
          T(saved_between_requests))
