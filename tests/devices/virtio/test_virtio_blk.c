/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The virtio block device as a driver uses it, and what it answers to what no driver does. */
#include "test.h"

#include <errno.h>

#include "bytes.h"
#include "virtio_blk_driver.h"

/* --- Configuration ---------------------------------------------------------------------------- */

TEST(configuration)
{
    setup_with(&disk, "4", F_ALL);
    CHECK_EQ(fake_config_read(blk, 0, 4), 0x10421af4);
    CHECK_EQ(fake_config_read(blk, 0x0a, 2), 0x0100);
    CHECK_EQ(driver.n_queues, 4);
    CHECK_EQ(driver_config(&driver, 0, 8), SECTORS);
    CHECK_EQ(driver_config(&driver, 12, 4), 254); /* seg_max */
    CHECK_EQ(driver_config(&driver, 20, 4), 512); /* blk_size */
    CHECK_EQ(driver_config(&driver, 24, 1), 3);   /* physical_block_exp */
    CHECK_EQ(driver_config(&driver, 26, 2), 8);   /* min_io_size */
    CHECK_EQ(driver_config(&driver, 32, 1), 1);   /* writeback */
    CHECK_EQ(driver_config(&driver, 34, 2), 4);   /* num_queues */
    CHECK_EQ(driver_config(&driver, 36, 4), 1 << 22);
    CHECK_EQ(driver_config(&driver, 44, 4), 8); /* discard_sector_alignment */
    CHECK_EQ(driver_config(&driver, 56, 1), 1);
    CHECK_EQ(driver.offered & (F_RO | F_MQ | F_FLUSH | F_DISCARD | F_WRITE_ZEROES),
             F_MQ | F_FLUSH | F_DISCARD | F_WRITE_ZEROES);
    finish();
}

TEST(read_only_disk)
{
    struct block_info info = disk;

    info.read_only = true;
    setup_with(&info, "1", F_ALL);
    CHECK_EQ(driver.offered & (F_RO | F_MQ | F_DISCARD | F_WRITE_ZEROES), F_RO);
    CHECK_EQ(request_status(OUT, 0, 512), IOERR);
    CHECK_EQ(request_status(IN, 0, 512), OK);
    CHECK_EQ(request_status(WRITE_ZEROES, 0, 16), UNSUPP);
    finish();
}

TEST(no_medium)
{
    struct block_info info = { .logical_block_size = 512 };

    setup_with(&info, "1", F_ALL);
    CHECK_EQ(driver_config(&driver, 0, 8), 0);
    CHECK_EQ(request_status(IN, 0, 512), IOERR);
    CHECK_EQ(request_status(FLUSH, 0, 0), IOERR);
    finish();
}

TEST(disk_that_grows)
{
    struct block_info info = disk;

    info.size = MEDIUM / 2;
    setup_with(&info, "1", F_ALL);
    CHECK_EQ(driver_config(&driver, 0, 8), SECTORS / 2);
    CHECK_EQ(request_status(IN, SECTORS / 2, 512), IOERR);
    unsigned generation = (unsigned)driver_read(&driver, COMMON_GENERATION, 1);
    unsigned messages = fake_msi_count(blk);

    fake_drive_change(blk, 0, &disk, medium);
    CHECK_EQ(driver_config(&driver, 0, 8), SECTORS);
    CHECK(driver_read(&driver, COMMON_GENERATION, 1) != generation);
    CHECK_EQ(fake_msi_count(blk), messages + 1);
    CHECK_EQ(fake_msi_data(blk), DRIVER_MSI_DATA + 1);
    CHECK_EQ(request_status(IN, SECTORS / 2, 512), OK);
    finish();
}

/* --- Reading and writing ---------------------------------------------------------------------- */

/* Even a driver that wants to hear of every buffer is told once. */
TEST(answers_that_come_together_interrupt_once)
{
    uint16_t used;
    uint32_t length;

    setup_with(&disk, "1", F_ALL & ~F_EVENT_IDX);
    fake_drive_hold(blk, 0, true);
    for (unsigned i = 0; i < 8; i++) {
        request_add(0, i, IN, i * 8, 4096);
        driver_kick(&driver, 0);
    }
    CHECK(!driver_take(&driver, 0, &used, &length));
    CHECK_EQ(fake_msi_count(blk), 0);
    fake_drive_hold(blk, 0, false);
    fake_run(fake);
    CHECK_EQ(fake_msi_count(blk), 1);
    for (unsigned i = 0; i < 8; i++) {
        CHECK(driver_take(&driver, 0, &used, &length));
        CHECK_EQ(length, 4097);
        CHECK_EQ(status(i), OK);
    }
    CHECK(!driver_take(&driver, 0, &used, &length));
    finish();
}

TEST(reads)
{
    uint32_t length;

    setup();
    CHECK_EQ(request(IN, 100, 4096, &length), OK);
    CHECK_EQ(length, 4097);
    CHECK(memcmp(data(0), medium + 51200, 4096) == 0);
    CHECK_EQ(fake_msi_count(blk), 1);
    CHECK_EQ(fake_msi_data(blk), DRIVER_MSI_DATA);
    CHECK_EQ(request_status(IN, SECTORS - 1, 512), OK);
    CHECK(memcmp(data(0), medium + MEDIUM - 512, 512) == 0);
    finish();
}

TEST(writes)
{
    uint32_t length;

    setup();
    memset(data(0), 0x5a, 4096);
    CHECK_EQ(request(OUT, 8, 4096, &length), OK);
    CHECK_EQ(length, 1);
    CHECK(memcmp(data(0), medium + 4096, 4096) == 0);
    CHECK_EQ(load_le32(medium + 4092), 4092 * 2654435761u);
    CHECK_EQ(load_le32(medium + 8192), 8192 * 2654435761u);
    CHECK_EQ(fake_drive_flushes(blk, 0), 0); /* the driver flushes when it wants to */
    finish();
}

/* The specification leaves it to the driver where one descriptor ends and the next begins. */
TEST(framing_is_free)
{
    struct driver_segment segments[] = {
        { HEADER, 5, false },    { HEADER + 5, 11, false }, { DATA, 1, true },
        { DATA + 1, 510, true }, { DATA + 511, 513, true }, /* its last byte is ... */
        { STATUS, 1, true },
    };
    uint16_t head;
    uint32_t length;

    setup();
    store_le32(fake_ram(fake) + HEADER, IN);
    store_le64(fake_ram(fake) + HEADER + 8, 3);
    driver_add(&driver, 0, segments, 6);
    driver_kick(&driver, 0);
    CHECK(driver_take(&driver, 0, &head, &length));
    CHECK_EQ(length, 1025);
    CHECK_EQ(status(0), OK);
    CHECK(memcmp(data(0), medium + 3 * 512, 1024) == 0);

    segments[4].length = 514; /* ... the status here */
    driver_add(&driver, 0, segments, 5);
    driver_kick(&driver, 0);
    CHECK(driver_take(&driver, 0, &head, &length));
    CHECK_EQ(data(0)[1024], OK);
    finish();
}

/* More than the back end takes at once. */
TEST(large_request)
{
    enum { LENGTH = 9 << 20 };
    struct driver_segment segments[] = { { HEADER, 16, false },
                                         { DATA + 3, LENGTH, true },
                                         { STATUS, 1, true } };
    uint16_t head;
    uint32_t length;

    setup();
    store_le64(fake_ram(fake) + HEADER + 8, 7);
    driver_add(&driver, 0, segments, 3);
    driver_kick(&driver, 0);
    CHECK(driver_take(&driver, 0, &head, &length));
    CHECK_EQ(length, LENGTH + 1);
    CHECK_EQ(status(0), OK);
    CHECK(memcmp(data(0) + 3, medium + 7 * 512, LENGTH) == 0);
    finish();
}

TEST(many_at_once)
{
    setup_with(&disk, "2", F_ALL);
    for (unsigned slot = 0; slot < 5; slot++) {
        request_add(slot % 2, slot, IN, slot * 8, 4096);
    }
    driver_notify(&driver, 0);
    driver_kick(&driver, 1);
    CHECK_EQ(driver_used(&driver, 0), 3);
    CHECK_EQ(driver_used(&driver, 1), 2);
    for (unsigned slot = 0; slot < 5; slot++) {
        CHECK_EQ(status(slot), OK);
        CHECK(memcmp(data(slot), medium + slot * 4096, 4096) == 0);
    }
    finish();
}

TEST(outside_the_disk)
{
    uint32_t length;

    setup();
    CHECK_EQ(request(IN, SECTORS, 512, &length), IOERR);
    CHECK_EQ(length, 0); /* a gap before the status */
    CHECK_EQ(request_status(IN, SECTORS - 1, 1024), IOERR);
    CHECK_EQ(request_status(OUT, UINT64_MAX, 512), IOERR);
    CHECK_EQ(request_status(IN, UINT64_MAX / 512, 512), IOERR);
    CHECK_EQ(request_status(IN, 0, 511), IOERR);
    CHECK_EQ(request_status(IN, 0, 0), OK);
    finish();
}

TEST(large_blocks)
{
    struct block_info info = disk;

    info.logical_block_size = 4096;
    setup_with(&info, "1", F_ALL);
    CHECK_EQ(driver_config(&driver, 20, 4), 4096);
    CHECK_EQ(driver_config(&driver, 24, 1), 0);
    CHECK_EQ(request_status(IN, 8, 4096), OK);
    CHECK_EQ(request_status(IN, 1, 4096), IOERR);
    CHECK_EQ(request_status(IN, 8, 512), IOERR);
    finish();
}

TEST(host_errors)
{
    uint32_t length;

    setup();
    fake_drive_fail(blk, 0, 1, -EIO);
    CHECK_EQ(request(IN, 0, 512, &length), IOERR);
    CHECK_EQ(length, 0);
    fake_drive_fail(blk, 0, 1, -EIO);
    CHECK_EQ(request(OUT, 0, 512, &length), IOERR);
    CHECK_EQ(length, 1);
    fake_drive_fail(blk, 0, 1, -EIO);
    CHECK_EQ(request_status(FLUSH, 0, 0), IOERR);
    CHECK_EQ(request_status(FLUSH, 0, 0), OK);
    memset(data(0), 0, 16);
    store_le32(data(0) + 8, 8);
    fake_drive_fail(blk, 0, 1, -EIO);
    CHECK_EQ(request(DISCARD, 0, 16, &length), IOERR);
    CHECK_EQ(length, 1);
    fake_drive_fail(blk, 0, 1, -EIO);
    CHECK_EQ(request(WRITE_ZEROES, 0, 16, &length), IOERR);
    CHECK_EQ(request_status(WRITE_ZEROES, 0, 16), OK);
    finish();
}

/* --- Cache ------------------------------------------------------------------------------------ */

TEST(flush)
{
    setup();
    CHECK_EQ(request_status(FLUSH, 0, 0), OK);
    CHECK_EQ(fake_drive_flushes(blk, 0), 1);
    finish();
}

TEST(write_through)
{
    setup();
    fake_write(fake, driver.config + CONFIG_WRITEBACK, 1, 0);
    CHECK_EQ(driver_config(&driver, CONFIG_WRITEBACK, 1), 0);
    CHECK_EQ(request_status(OUT, 0, 512), OK);
    CHECK_EQ(fake_drive_flushes(blk, 0), 1); /* durable on completion */
    CHECK(fake_save_load(blk));
    CHECK_EQ(driver_config(&driver, CONFIG_WRITEBACK, 1), 0);
    fake_write(fake, driver.config + CONFIG_WRITEBACK, 1, 1);
    CHECK_EQ(request_status(OUT, 0, 512), OK);
    CHECK_EQ(fake_drive_flushes(blk, 0), 1);
    finish();
}

TEST(driver_that_cannot_flush)
{
    setup_with(&disk, "1", F_VERSION_1);
    CHECK_EQ(request_status(OUT, 0, 512), OK);
    CHECK_EQ(fake_drive_flushes(blk, 0), 1);
    finish();
    setup_with(&disk, "1", F_VERSION_1 | F_CONFIG_WCE);
    CHECK_EQ(driver_config(&driver, CONFIG_WRITEBACK, 1), 0);
    fake_write(fake, driver.config + CONFIG_WRITEBACK, 1, 1);
    CHECK_EQ(driver_config(&driver, CONFIG_WRITEBACK, 1), 0);
    CHECK_EQ(request_status(OUT, 0, 512), OK);
    CHECK_EQ(fake_drive_flushes(blk, 0), 1);
    finish();
}

/* --- Discard, write zeroes, serial number ----------------------------------------------------- */

static void range_set(unsigned i, uint64_t sector, uint32_t sectors, uint32_t flags)
{
    store_le64(data(0) + 16 * i, sector);
    store_le32(data(0) + 16 * i + 8, sectors);
    store_le32(data(0) + 16 * i + 12, flags);
}

static bool medium_is_zero(uint64_t sector, uint64_t sectors)
{
    for (uint64_t i = sector * 512; i < (sector + sectors) * 512; i++) {
        if (medium[i] != 0) {
            return false;
        }
    }
    return true;
}

TEST(ranges)
{
    setup();
    range_set(0, 8, 8, 0);
    range_set(1, 100, 0, 0); /* nothing */
    range_set(2, 24, 1, 0);
    CHECK_EQ(request_status(DISCARD, 0, 48), OK);
    CHECK(medium_is_zero(8, 8) && medium_is_zero(24, 1));
    CHECK(!medium_is_zero(25, 1) && !medium_is_zero(16, 1));
    range_set(0, 32, 4, 1); /* unmap */
    CHECK_EQ(request_status(WRITE_ZEROES, 0, 16), OK);
    CHECK(medium_is_zero(32, 4));
    finish();
}

TEST(zeroes_written_through)
{
    setup_with(&disk, "1", F_VERSION_1 | F_WRITE_ZEROES | F_DISCARD);
    range_set(0, 32, 4, 0);
    range_set(1, 64, 4, 0);
    CHECK_EQ(request_status(WRITE_ZEROES, 0, 32), OK);
    CHECK(medium_is_zero(32, 4) && medium_is_zero(64, 4));
    CHECK_EQ(fake_drive_flushes(blk, 0), 2); /* durable on completion */
    CHECK_EQ(request_status(DISCARD, 0, 32), OK);
    CHECK_EQ(fake_drive_flushes(blk, 0), 2); /* there is nothing to lose */
    finish();
}

TEST(ranges_that_are_wrong)
{
    setup();
    range_set(0, 0, 8, 1); /* a discard has no flags */
    CHECK_EQ(request_status(DISCARD, 0, 16), UNSUPP);
    range_set(0, 0, 8, 2);
    CHECK_EQ(request_status(WRITE_ZEROES, 0, 16), UNSUPP);
    range_set(0, SECTORS - 1, 2, 0);
    CHECK_EQ(request_status(DISCARD, 0, 16), IOERR);
    range_set(0, UINT64_MAX, 2, 0);
    CHECK_EQ(request_status(WRITE_ZEROES, 0, 16), IOERR);
    range_set(0, 0, (1 << 22) + 1, 0);
    CHECK_EQ(request_status(DISCARD, 0, 16), IOERR);
    CHECK_EQ(request_status(DISCARD, 0, 15), IOERR);
    CHECK_EQ(request_status(DISCARD, 0, 0), IOERR);
    CHECK_EQ(request_status(DISCARD, 0, 17 * 16), IOERR);
    range_set(0, 0, 8, 0);
    range_set(1, SECTORS, 8, 0);
    CHECK_EQ(request_status(DISCARD, 0, 32), IOERR); /* all or nothing */
    CHECK(!medium_is_zero(0, 8));
    finish();
}

TEST(range_feature_not_taken)
{
    setup_with(&disk, "1", F_VERSION_1);
    range_set(0, 0, 8, 0);
    CHECK_EQ(request_status(DISCARD, 0, 16), UNSUPP);
    CHECK_EQ(request_status(WRITE_ZEROES, 0, 16), UNSUPP);
    CHECK(!medium_is_zero(0, 8));
    finish();
}

TEST(serial_number)
{
    uint32_t length;

    setup();
    memset(data(0), 0xff, 32);
    CHECK_EQ(request(GET_ID, 0, 20, &length), OK);
    CHECK_EQ(length, 21);
    CHECK(memcmp(data(0), "OR0123456789abcdef\0\0", 20) == 0);
    CHECK_EQ(data(0)[20], 0xff);
    CHECK_EQ(request(GET_ID, 0, 4, &length), OK);
    CHECK_EQ(length, 5);
    finish();
}

TEST(unknown_request)
{
    setup();
    CHECK_EQ(request_status(2, 0, 512), UNSUPP); /* a SCSI command, of old */
    CHECK_EQ(request_status(UINT32_MAX, 0, 512), UNSUPP);
    finish();
}

TEST(request_that_cannot_be_answered)
{
    setup();
    driver_send(&driver, 0, DATA, 512, true); /* no header */
    CHECK(driver_status(&driver) & STATUS_NEEDS_RESET);
    driver_start(&driver, F_ALL);
    driver_send(&driver, 0, DATA, 512, false); /* no status */
    CHECK(driver_status(&driver) & STATUS_NEEDS_RESET);
    driver_start(&driver, F_ALL);

    struct driver_segment segments[] = { { HEADER, 16, false },
                                         { RAM - 512, 1024, true },
                                         { STATUS, 1, true } };

    store_le32(fake_ram(fake) + HEADER, IN);
    store_le64(fake_ram(fake) + HEADER + 8, 0);
    driver_add(&driver, 0, segments, 3);
    driver_kick(&driver, 0);
    CHECK(driver_status(&driver) & STATUS_NEEDS_RESET); /* data that is no memory */
    driver_start(&driver, F_ALL);
    CHECK_EQ(request_status(IN, 0, 512), OK);
    finish_bad();
}

TEST_MAIN(T(configuration), T(read_only_disk), T(no_medium), T(disk_that_grows),
          T(answers_that_come_together_interrupt_once), T(reads), T(writes), T(framing_is_free),
          T(large_request), T(many_at_once), T(outside_the_disk), T(large_blocks), T(host_errors),
          T(flush), T(write_through), T(driver_that_cannot_flush), T(ranges),
          T(zeroes_written_through), T(ranges_that_are_wrong), T(range_feature_not_taken),
          T(serial_number), T(unknown_request), T(request_that_cannot_be_answered))
