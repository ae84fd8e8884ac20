/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The memory balloon: pages in and out, free page reports, statistics. */
#include "test.h"

#include "balloon.h"
#include "bytes.h"
#include "virtio_driver.h"

enum {
    INFLATE = 0,
    DEFLATE = 1,
    STATS = 2,
    REPORTING = 3,   /* as Linux counts; */
    REPORTING_4 = 4, /* as the specification does */
    LIST = DRIVER_DATA,
    PAGES = DRIVER_DATA + 0x10000, /* the guest's, to be given away */
    FIRST = PAGES / 4096,
};

static struct fake *fake;
static struct device *balloon;
static struct driver driver;

static void setup(void)
{
    fake = fake_new(DRIVER_RAM);
    balloon = fake_add(fake, "virtio-balloon", NULL);
    driver_open(&driver, fake, balloon);
    driver_start(&driver, F_ALL);
    memset(fake_ram(fake) + PAGES, 0x77, 0x20000);
}

static void finish(void)
{
    CHECK_STR(fake_last_guest_error(balloon), "");
    fake_free(fake);
}

static uint8_t page(unsigned n)
{
    return fake_ram(fake)[PAGES + 4096 * n];
}

static void list_set(unsigned i, uint32_t number)
{
    store_le32(fake_ram(fake) + LIST + 4 * i, number);
}

TEST(configuration)
{
    struct balloon_report report;

    setup();
    CHECK_EQ(fake_config_read(balloon, 0, 4), 0x10451af4);
    CHECK_EQ(driver.offered & 0xff, 0x26);
    CHECK_EQ(driver_config(&driver, 0, 4), 0);
    balloon_set_target(balloon, 5 * 4096 + 100);
    CHECK_EQ(driver_config(&driver, 0, 4), 5);
    CHECK_EQ(fake_read(fake, driver.isr, 1), 2);
    fake_write(fake, driver.config + 4, 4, 3);
    balloon_look(balloon, &report);
    CHECK_EQ(report.target, 5 * 4096);
    CHECK_EQ(report.actual, 3 * 4096);
    CHECK_EQ(report.known, 0);
    finish();
}

TEST(inflate)
{
    setup();
    list_set(0, FIRST);
    list_set(1, FIRST + 1); /* neighbours upwards, */
    list_set(2, FIRST + 5);
    list_set(3, FIRST + 4); /* and downwards */
    driver_send(&driver, INFLATE, LIST, 16, false);
    CHECK_EQ(driver_used(&driver, INFLATE), 1);
    CHECK_EQ(fake_discarded(balloon), 4 * 4096);
    CHECK_EQ(page(0) | page(1) | page(4) | page(5), 0);
    CHECK_EQ(page(2), 0x77);
    CHECK_EQ(page(3), 0x77);
    driver_send(&driver, DEFLATE, LIST, 16, false);
    CHECK_EQ(driver_used(&driver, DEFLATE), 1);
    CHECK_EQ(fake_discarded(balloon), 4 * 4096);
    finish();
}

TEST(inflate_with_what_is_no_memory)
{
    setup();
    list_set(0, UINT32_MAX);
    list_set(1, DRIVER_RAM / 4096);
    list_set(2, FIRST);
    driver_send(&driver, INFLATE, LIST, 11, false); /* the last number is not whole */
    CHECK_EQ(fake_discarded(balloon), 0);
    driver_send(&driver, INFLATE, LIST, 12, false);
    CHECK_EQ(fake_discarded(balloon), 4096);
    finish();
}

TEST(list_that_is_too_long)
{
    setup();
    driver_send(&driver, INFLATE, LIST, 4096 * 4 + 4, false);
    CHECK_EQ(fake_guest_errors(balloon), 1);
    CHECK_EQ(driver_used(&driver, INFLATE), 1);
    fake_free(fake);
}

TEST(free_pages)
{
    struct driver_segment segments[] = { { PAGES, 8192, true }, { PAGES + 12288, 4096, true } };

    for (unsigned queue = REPORTING; queue <= REPORTING_4; queue++) {
        setup();
        driver_add(&driver, queue, segments, 2);
        driver_kick(&driver, queue);
        CHECK_EQ(driver_used(&driver, queue), 1);
        CHECK_EQ(fake_discarded(balloon), 3 * 4096);
        CHECK_EQ(page(0) | page(1) | page(3), 0);
        CHECK_EQ(page(2), 0x77);
        finish();
    }
}

TEST(free_pages_without_the_feature)
{
    setup();
    driver_start(&driver, F_VERSION_1);
    driver_send(&driver, REPORTING, PAGES, 4096, true);
    CHECK_EQ(fake_discarded(balloon), 0);
    finish();
}

static void stat_set(unsigned i, uint16_t tag, uint64_t value)
{
    store_le16(fake_ram(fake) + LIST + 10 * i, tag);
    store_le64(fake_ram(fake) + LIST + 10 * i + 2, value);
}

TEST(statistics)
{
    struct balloon_report report;

    setup();
    stat_set(0, BALLOON_FREE, 1234);
    stat_set(1, BALLOON_TOTAL, 5678);
    stat_set(2, 99, 1);
    driver_send(&driver, STATS, LIST, 30, false);
    CHECK_EQ(driver_used(&driver, STATS), 0); /* kept until somebody asks */
    CHECK(fake_save_load(balloon));
    fake_run(fake);
    balloon_look(balloon, &report);
    CHECK_EQ(report.known, 1u << BALLOON_FREE | 1u << BALLOON_TOTAL);
    CHECK_EQ(report.stats[BALLOON_FREE], 1234);
    CHECK_EQ(report.stats[BALLOON_TOTAL], 5678);
    CHECK_EQ(driver_used(&driver, STATS), 1);
    balloon_look(balloon, &report); /* the driver has not answered yet */
    CHECK_EQ(driver_used(&driver, STATS), 1);
    stat_set(0, BALLOON_FREE, 999);
    driver_send(&driver, STATS, LIST, 10, false);
    balloon_look(balloon, &report);
    CHECK_EQ(report.stats[BALLOON_FREE], 999);
    CHECK_EQ(driver_used(&driver, STATS), 2);
    driver_reset(&driver);
    balloon_look(balloon, &report);
    CHECK_EQ(report.known, 0);
    finish();
}

TEST_MAIN(T(configuration), T(inflate), T(inflate_with_what_is_no_memory), T(list_that_is_too_long),
          T(free_pages), T(free_pages_without_the_feature), T(statistics))
