/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Machine time, timers and deferred tasks. */
#include <unistd.h>

#include "../parts_fixture.h"
#include "test.h"

enum {
    TIMERS = 4,
    LIMIT_MS = 60000,
};

#define MS UINT64_C(1000000)

struct ticker {
    struct device device;
    struct machine_device *record;
    struct clock *clock;
    unsigned fired[TIMERS];
    uint64_t at[TIMERS];
    unsigned order[16], n;
    unsigned rearm; /* times that timer 3 sets itself again */
    unsigned tasks_run, tasks_wanted;
    pthread_t last_thread;
};

static void ticker_on_timer(struct device *device, unsigned timer)
{
    struct ticker *t = (struct ticker *)device;

    t->fired[timer]++;
    t->at[timer] = clock_now_ns(t->clock);
    t->order[t->n++ % 16] = timer;
    if (timer == 3 && t->rearm > 0) {
        t->rearm--;
        clock_arm(t->clock, &t->record->timers[3], t->at[3] + MS);
    }
}

static void ticker_on_task(struct device *device, unsigned task)
{
    struct ticker *t = (struct ticker *)device;

    t->tasks_run++;
    t->last_thread = pthread_self();
    if (t->tasks_run < t->tasks_wanted) {
        domain_defer(t->record->domain, t->record, task);
    }
}

static const struct device_class ticker_class = {
    .name = "ticker",
    .state_size = sizeof(struct ticker),
    .n_timers = TIMERS,
    .n_tasks = 1,
    .on_timer = ticker_on_timer,
    .on_task = ticker_on_task,
};

static struct machine_device *ticker_new(struct parts *p, struct ticker *t)
{
    *t = (struct ticker){ .clock = &p->clock };
    t->record = parts_device_new(p, &ticker_class, &t->device);
    return t->record;
}

static void arm(struct ticker *t, unsigned timer, uint64_t deadline)
{
    domain_enter(t->record->domain);
    clock_arm(t->clock, &t->record->timers[timer], deadline);
    domain_leave(t->record->domain);
}

static unsigned fired(struct ticker *t, unsigned timer)
{
    unsigned n;

    domain_enter(t->record->domain);
    n = t->fired[timer];
    domain_leave(t->record->domain);
    return n;
}

static bool wait_fired(struct ticker *t, unsigned timer, unsigned n)
{
    for (unsigned i = 0; i < LIMIT_MS && fired(t, timer) < n; i++) {
        usleep(1000);
    }
    return fired(t, timer) >= n;
}

static bool wait_tasks(struct ticker *t, unsigned n)
{
    unsigned run = 0;

    for (unsigned i = 0; i < LIMIT_MS && run < n; i++) {
        usleep(1000);
        domain_enter(t->record->domain);
        run = t->tasks_run;
        domain_leave(t->record->domain);
    }
    return run >= n;
}

TEST(time_stands_still_until_it_runs)
{
    struct parts p;
    uint64_t then;

    parts_init(&p);
    CHECK_EQ(clock_now_ns(&p.clock), 0);
    usleep(2000);
    CHECK_EQ(clock_now_ns(&p.clock), 0);
    clock_run(&p.clock);
    usleep(2000);
    CHECK(clock_now_ns(&p.clock) >= 2 * MS);
    clock_freeze(&p.clock);
    then = clock_now_ns(&p.clock);
    usleep(20000);
    CHECK_EQ(clock_now_ns(&p.clock), then);
    clock_run(&p.clock);
    CHECK(clock_now_ns(&p.clock) >= then);
    CHECK(clock_wall_ns() > UINT64_C(1700000000) * 1000 * MS);
    parts_destroy(&p);
}

TEST(timers_fire_in_order_and_once)
{
    struct parts p;
    struct ticker t;

    parts_init(&p);
    ticker_new(&p, &t);
    arm(&t, 2, 30 * MS);
    arm(&t, 0, 10 * MS);
    arm(&t, 1, 20 * MS);
    clock_run(&p.clock);
    CHECK(wait_fired(&t, 2, 1));
    usleep(5000);
    clock_freeze(&p.clock);
    CHECK_EQ(t.n, 3);
    CHECK(t.order[0] == 0 && t.order[1] == 1 && t.order[2] == 2);
    CHECK(t.at[0] >= 10 * MS && t.at[1] >= 20 * MS && t.at[2] >= 30 * MS);
    parts_destroy(&p);
    parts_device_free(t.record);
}

TEST(removed_timers_do_not_fire)
{
    struct parts p;
    struct ticker t;

    parts_init(&p);
    ticker_new(&p, &t);
    arm(&t, 0, 5 * MS);
    arm(&t, 1, 10 * MS);
    clock_remove(&p.clock, &t.record->timers[0]);
    clock_run(&p.clock);
    CHECK(wait_fired(&t, 1, 1));
    clock_freeze(&p.clock);
    CHECK_EQ(t.fired[0], 0);
    clock_add(&p.clock, &t.record->timers[0]);
    arm(&t, 0, 15 * MS);
    clock_run(&p.clock);
    CHECK(wait_fired(&t, 0, 1));
    parts_destroy(&p);
    parts_device_free(t.record);
}

TEST(timers_can_be_moved_and_switched_off)
{
    struct parts p;
    struct ticker t;

    parts_init(&p);
    ticker_new(&p, &t);
    clock_run(&p.clock);
    arm(&t, 0, clock_now_ns(&p.clock) + 3600 * 1000 * MS);
    arm(&t, 0, clock_now_ns(&p.clock)); /* nearer */
    CHECK(wait_fired(&t, 0, 1));
    arm(&t, 1, clock_now_ns(&p.clock) + 50 * MS);
    arm(&t, 1, UINT64_MAX);
    arm(&t, 0, 0); /* long past */
    CHECK(wait_fired(&t, 0, 2));
    usleep(80000);
    CHECK_EQ(fired(&t, 1), 0);
    parts_destroy(&p);
    parts_device_free(t.record);
}

/* The engine was stopped for an hour, or its computer had other things to do. */
TEST(timers_an_hour_late)
{
    const uint64_t hour = 3600 * 1000 * MS;
    struct parts p;
    struct ticker t;

    parts_init(&p);
    ticker_new(&p, &t);
    arm(&t, 1, 20 * MS);
    arm(&t, 0, 10 * MS);
    arm(&t, 2, hour + 50 * MS);
    clock_set(&p.clock, hour);
    clock_run(&p.clock);
    CHECK(wait_fired(&t, 2, 1));
    clock_freeze(&p.clock);
    CHECK_EQ(t.n, 3); /* each once, in their order */
    CHECK(t.order[0] == 0 && t.order[1] == 1 && t.order[2] == 2);
    CHECK(t.at[0] >= hour && t.at[2] >= hour + 50 * MS);
    parts_destroy(&p);
    parts_device_free(t.record);
}

/* An hour's pause is none for the machine: what was due in a minute is due in a minute. */
TEST(timers_do_not_run_off_in_a_pause)
{
    struct parts p;
    struct ticker t;
    uint64_t then;

    parts_init(&p);
    ticker_new(&p, &t);
    clock_run(&p.clock);
    clock_freeze(&p.clock);
    then = clock_now_ns(&p.clock);
    arm(&t, 0, then + 60 * 1000 * MS);
    atomic_fetch_sub(&p.clock.zero_ns, 3600 * 1000 * MS); /* the host's clock has gone on */
    clock_run(&p.clock);
    arm(&t, 1, clock_now_ns(&p.clock) + 5 * MS);
    CHECK(wait_fired(&t, 1, 1));
    CHECK(clock_now_ns(&p.clock) - then < 60 * 1000 * MS);
    CHECK_EQ(fired(&t, 0), 0);
    parts_destroy(&p);
    parts_device_free(t.record);
}

/* A machine that was saved goes on on a host that has just been turned on. */
TEST(machines_can_be_older_than_their_host)
{
    const uint64_t age = UINT64_C(50) * 365 * 24 * 3600 * 1000 * MS;
    struct parts p;
    struct ticker t;

    parts_init(&p);
    ticker_new(&p, &t);
    clock_set(&p.clock, age);
    arm(&t, 0, age + 5 * MS);
    clock_run(&p.clock);
    CHECK(wait_fired(&t, 0, 1));
    CHECK(t.at[0] >= age + 5 * MS);
    clock_freeze(&p.clock); /* from here on the thread sleeps and has to be woken */
    clock_run(&p.clock);
    arm(&t, 1, 1); /* long past */
    CHECK(wait_fired(&t, 1, 1));
    clock_freeze(&p.clock);
    clock_run(&p.clock);
    t.tasks_wanted = 2;
    domain_enter(t.record->domain);
    domain_defer(t.record->domain, t.record, 0);
    domain_leave(t.record->domain);
    CHECK(wait_tasks(&t, 2));
    clock_freeze(&p.clock);
    clock_run(&p.clock);
    parts_destroy(&p);
    parts_device_free(t.record);
}

TEST(timers_set_themselves_again)
{
    struct parts p;
    struct ticker t;

    parts_init(&p);
    ticker_new(&p, &t);
    t.rearm = 20;
    arm(&t, 3, MS);
    clock_run(&p.clock);
    CHECK(wait_fired(&t, 3, 21));
    parts_destroy(&p);
    parts_device_free(t.record);
}

TEST(timers_wait_while_time_stands_still)
{
    struct parts p;
    struct ticker t;

    parts_init(&p);
    ticker_new(&p, &t);
    clock_run(&p.clock);
    clock_freeze(&p.clock);
    arm(&t, 0, clock_now_ns(&p.clock));
    usleep(30000);
    CHECK_EQ(fired(&t, 0), 0);
    clock_run(&p.clock);
    CHECK(wait_fired(&t, 0, 1));
    parts_destroy(&p);
    parts_device_free(t.record);
}

TEST(nothing_wakes_when_nothing_is_due)
{
    struct parts p;
    struct ticker t;
    uint64_t before;

    parts_init(&p);
    ticker_new(&p, &t);
    clock_run(&p.clock);
    arm(&t, 0, MS);
    CHECK(wait_fired(&t, 0, 1));
    arm(&t, 1, clock_now_ns(&p.clock) + 3600 * 1000 * MS);
    arm(&t, 1, UINT64_MAX);
    usleep(20000);
    before = atomic_load(&p.clock.wakeups);
    usleep(200000);
    CHECK_EQ(atomic_load(&p.clock.wakeups), before);
    parts_destroy(&p);
    parts_device_free(t.record);
}

TEST(tasks_run_when_the_domain_is_left)
{
    struct parts p;
    struct ticker t;

    parts_init(&p);
    ticker_new(&p, &t);
    t.tasks_wanted = 1;
    domain_enter(t.record->domain);
    CHECK(domain_inside(t.record->domain));
    domain_defer(t.record->domain, t.record, 0);
    domain_defer(t.record->domain, t.record, 0); /* the same again: one run */
    CHECK_EQ(t.tasks_run, 0);
    domain_leave(t.record->domain);
    CHECK(!domain_inside(t.record->domain));
    CHECK_EQ(t.tasks_run, 1);
    CHECK(pthread_equal(t.last_thread, pthread_self()));
    parts_destroy(&p);
    parts_device_free(t.record);
}

TEST(tasks_that_come_again_run_in_another_thread)
{
    struct parts p;
    struct ticker t;

    parts_init(&p);
    ticker_new(&p, &t);
    t.tasks_wanted = 50;
    clock_run(&p.clock);
    domain_enter(t.record->domain);
    domain_defer(t.record->domain, t.record, 0);
    domain_leave(t.record->domain);
    CHECK(wait_tasks(&t, 50));
    CHECK_EQ(t.tasks_run, 50);
    parts_destroy(&p);
    parts_device_free(t.record);
}

/* A guest that has work for a device without end must not stop the clock, nor other devices. */
TEST(endless_tasks_leave_room_for_others)
{
    struct ticker busy, other;
    struct parts p;

    parts_init(&p);
    ticker_new(&p, &busy);
    ticker_new(&p, &other);
    busy.tasks_wanted = UINT_MAX;
    other.tasks_wanted = 100;
    clock_run(&p.clock);
    domain_enter(busy.record->domain);
    domain_defer(busy.record->domain, busy.record, 0);
    domain_leave(busy.record->domain);
    CHECK(wait_tasks(&busy, 100)); /* in the clock's thread */
    domain_enter(other.record->domain);
    domain_defer(other.record->domain, other.record, 0);
    domain_leave(other.record->domain);
    CHECK(wait_tasks(&other, 100));
    arm(&other, 0, clock_now_ns(&p.clock) + 5 * MS);
    CHECK(wait_fired(&other, 0, 1));
    arm(&busy, 1, clock_now_ns(&p.clock) + 5 * MS);
    CHECK(wait_fired(&busy, 1, 1));
    parts_destroy(&p);
    parts_device_free(other.record);
    parts_device_free(busy.record);
}

TEST_MAIN(T(time_stands_still_until_it_runs), T(timers_fire_in_order_and_once),
          T(removed_timers_do_not_fire), T(timers_can_be_moved_and_switched_off),
          T(timers_an_hour_late), T(timers_do_not_run_off_in_a_pause),
          T(machines_can_be_older_than_their_host), T(timers_set_themselves_again),
          T(timers_wait_while_time_stands_still), T(nothing_wakes_when_nothing_is_due),
          T(tasks_run_when_the_domain_is_left), T(tasks_that_come_again_run_in_another_thread),
          T(endless_tasks_leave_room_for_others))
