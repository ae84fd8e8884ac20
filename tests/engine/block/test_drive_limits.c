/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine/block: limits of drives, by a clock that the test moves. */
#include "drive_rig.h"

#include <errno.h>

#include "block/drive/limit.h"

enum {
    REQUESTS = 32,
    MS = 1000000,
};

static _Atomic uint64_t time_now = 1000 * (uint64_t)MS;

static uint64_t test_clock(void)
{
    return time_now;
}

struct batch {
    struct block_request requests[REQUESTS];
    struct block_span span;
    uint8_t page[4096] __attribute__((aligned(4096)));
};

static struct rig *limited_rig(uint64_t operations, uint64_t bytes)
{
    struct rig *rig = rig_with_disk();

    drive_pool_set_clock(rig->pool, test_clock);
    drive_set_limits(rig->drive, &(struct drive_limits){ operations, bytes });
    return rig;
}

/* Reads of a page each. */
static void submit(struct rig *rig, struct batch *batch, unsigned from, unsigned n)
{
    batch->span = (struct block_span){ batch->page, sizeof(batch->page) };
    for (unsigned i = from; i < from + n; i++) {
        batch->requests[i] = (struct block_request){
            .op = BLOCK_READ, .length = sizeof(batch->page), .spans = &batch->span, .n_spans = 1
        };
        drive_submit(rig->drive, &batch->requests[i]);
    }
}

static void advance(struct rig *rig, uint64_t ms)
{
    time_now += ms * MS;
    drive_pool_set_clock(rig->pool, test_clock);
}

/* Exactly `n` have ended, and no more do. */
static void check_done(struct rig *rig, unsigned n, unsigned held)
{
    struct drive_figures figures;

    rig_wait_for(rig, &rig->done, n);
    do {
        g_usleep(1000);
        drive_figures(rig->drive, &figures);
    } while (figures.waiting > held);
    CHECK_EQ(figures.waiting, held);
    CHECK_EQ(rig->done, n);
}

TEST(the_bucket)
{
    struct limit limit = { 0 };
    uint64_t now = 5000 * (uint64_t)MS;

    limit_take(&limit, now, UINT64_MAX);
    CHECK_EQ(limit.next, 0); /* no limit */
    limit_set(&limit, 100);
    for (unsigned i = 0; i < 11; i++) { /* a tenth of a second's worth, and the one that is due */
        CHECK(limit.next <= now);
        limit_take(&limit, now, 1);
    }
    CHECK_EQ(limit.next, now + 10 * MS);
    now += 10 * MS;
    limit_take(&limit, now, 250);
    CHECK_EQ(limit.next, now + 2500 * (uint64_t)MS);
    limit_take(&limit, limit.next, UINT64_MAX); /* ages, but no overflow */
    CHECK(limit.next > now + 1000000000 * (uint64_t)MS);
    limit_set(&limit, 1);
    CHECK_EQ(limit.next, 0);
    limit_take(&limit, 1, 1); /* just after the clock's start */
    CHECK_EQ(limit.next, 1000 * (uint64_t)MS);
}

TEST(operations)
{
    struct rig *rig = limited_rig(100, 0);
    struct batch batch;

    submit(rig, &batch, 0, 20);
    check_done(rig, 11, 9);
    advance(rig, 10);
    check_done(rig, 12, 8);
    advance(rig, 30);
    check_done(rig, 15, 5);
    advance(rig, 1000); /* the rest, and no more saved than a tenth of a second's */
    check_done(rig, 20, 0);
    submit(rig, &batch, 0, 20);
    check_done(rig, 26, 14);
    advance(rig, 1000);
    check_done(rig, 37, 3);
    advance(rig, 1000);
    check_done(rig, 40, 0);
    rig_free(rig);
}

TEST(bytes)
{
    struct rig *rig = limited_rig(0, 40960);
    struct batch batch;

    submit(rig, &batch, 0, 4); /* a page is a tenth of a second's */
    check_done(rig, 2, 2);
    advance(rig, 99);
    check_done(rig, 2, 2);
    advance(rig, 1);
    check_done(rig, 3, 1);
    advance(rig, 100);
    check_done(rig, 4, 0);
    rig_free(rig);
}

TEST(order_is_kept_and_flushes_wait_their_turn)
{
    struct rig *rig = limited_rig(10, 0);
    struct block_request flush = { .op = BLOCK_FLUSH };
    struct batch batch;

    submit(rig, &batch, 0, 2);
    check_done(rig, 2, 0);
    CHECK_EQ(rig_run(rig, &flush), 0); /* costs nothing */
    submit(rig, &batch, 2, 2);
    drive_submit(rig->drive, &flush); /* not before what came earlier */
    check_done(rig, 3, 3);
    advance(rig, 100);
    check_done(rig, 4, 2);
    CHECK(rig->order[3] == &batch.requests[2]);
    advance(rig, 100);
    check_done(rig, 6, 0);
    rig_free(rig);
}

TEST(a_change_takes_effect_at_once)
{
    struct rig *rig = limited_rig(1, 0);
    struct batch batch;

    submit(rig, &batch, 0, 20);
    check_done(rig, 1, 19);
    drive_set_limits(rig->drive, &(struct drive_limits){ 50, 0 });
    check_done(rig, 7, 13);
    drive_set_limits(rig->drive, &(struct drive_limits){ 0, 0 });
    check_done(rig, 20, 0);
    submit(rig, &batch, 0, 20);
    check_done(rig, 40, 0);
    rig_free(rig);
}

TEST(nobody_who_drains_is_kept_waiting)
{
    struct rig *rig = limited_rig(1, 1);
    struct batch batch;

    submit(rig, &batch, 0, 20);
    check_done(rig, 1, 19);
    drive_pool_drain(rig->pool);
    CHECK_EQ(rig->done, 20);
    rig_free(rig);
}

TEST(closing_and_stopping_with_held_requests)
{
    struct rig *rig = limited_rig(1, 0);
    struct batch batch;

    submit(rig, &batch, 0, 3);
    check_done(rig, 1, 2);
    drive_close(rig->drive);
    check_done(rig, 3, 0);
    CHECK_EQ(batch.requests[2].status, -ENOMEDIUM);
    CHECK(drive_open(rig->drive, rig->folder, "disks/a.raw", IMAGE_RAW, false, NULL));
    submit(rig, &batch, 0, 2);
    drive_pool_stop(rig->pool);
    CHECK_EQ(rig->done, 5);
    rig_free(rig);
}

/* By the host's clock: it may take longer, but not for ever. */
TEST(the_hosts_clock_lets_go)
{
    struct rig *rig = rig_with_disk();
    struct batch batch;

    drive_set_limits(rig->drive, &(struct drive_limits){ 100, 0 });
    submit(rig, &batch, 0, 20);
    rig_wait_for(rig, &rig->done, 20);
    rig_free(rig);
}

TEST_MAIN(T(the_bucket), T(operations), T(bytes), T(order_is_kept_and_flushes_wait_their_turn),
          T(a_change_takes_effect_at_once), T(nobody_who_drains_is_kept_waiting),
          T(closing_and_stopping_with_held_requests), T(the_hosts_clock_lets_go))
