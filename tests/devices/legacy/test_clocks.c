/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All clocks of the board together, when the host's clock is set, when the machine was paused for
 * an hour (the wall clock has gone on, machine time has not), and when the engine stood still for
 * an hour (both have gone on, and every timer is late). kvmclock and the TSC are the kernel's:
 * tests/guests/board/timers.c and tests/lab/test_saved.sh have them.
 */
#include "fake_machine.h"
#include "hpet.h"
#include "test.h"

#define MS      UINT64_C(1000000)
#define SECOND  (1000 * MS)
#define HOUR    (3600 * SECOND)
#define NEW_DAY (UINT64_C(1767225600) * SECOND) /* 2026-01-01 00:00:00 UTC */

enum {
    PM = 0x600,
    PM1_STS = PM + 0x00,
    PM1_EN = PM + 0x02,
    PM1_CNT = PM + 0x04,
    PM_TMR = PM + 0x08,
    PM_HZ = 3579545,
    PM_MASK = 0xffffff,

    HPET_CONFIG = 0x10,
    HPET_STATUS = 0x20,
    HPET_COUNTER = 0xf0,
    HPET_TIMER0 = 0x100,
    HPET_COMPARATOR0 = 0x108,
    HPET_HZ = 100000000,

    RTC_B = 0x0b,
    RTC_C = 0x0c,
    RTC_24H = 0x02,
    RTC_UPDATE = 0x10,
    RTC_ALARM = 0x20,
    RTC_PERIODIC = 0x40,
};

static struct fake *m;
static struct device *rtc, *lpc, *hpet;

static uint8_t cmos(unsigned index)
{
    fake_out(m, 0x70, 1, index);
    return (uint8_t)fake_in(m, 0x71, 1);
}

static void cmos_set(unsigned index, uint8_t value)
{
    fake_out(m, 0x70, 1, index);
    fake_out(m, 0x71, 1, value);
}

/* Day, hour, minute, second as the RTC shows them. */
static const char *shown(void)
{
    static char text[40];

    snprintf(text, sizeof(text), "%02x %02x:%02x:%02x", cmos(7), cmos(4), cmos(2), cmos(0));
    return text;
}

static void hpet_set(unsigned offset, uint64_t value)
{
    fake_write(m, HPET_BASE + offset, 8, value);
}

static uint64_t hpet_counter(void)
{
    return fake_read(m, HPET_BASE + HPET_COUNTER, 8);
}

/* All of them count; the HPET interrupts every 10 ms on input 20. */
static void setup(void)
{
    m = fake_new(4096);
    rtc = fake_add(m, "cmos-rtc", NULL);
    lpc = fake_add(m, "ich9-lpc", NULL);
    hpet = fake_add(m, "hpet", NULL);
    fake_set_wall_clock(m, NEW_DAY);
    fake_config_write(lpc, 0x40, 4, PM | 1);
    fake_config_write(lpc, 0x44, 1, 0x80);
    fake_out(m, PM1_CNT, 2, 1);
    hpet_set(HPET_TIMER0, 20 << 9 | 0x40 | 0x08 | 0x04); /* value follows, periodic, edge */
    hpet_set(HPET_COMPARATOR0, HPET_HZ / 100);
    hpet_set(HPET_CONFIG, 1);
}

static unsigned hpet_edges(void)
{
    unsigned edges = 0;

    for (unsigned i = 0; i < hpet->class->n_irqs; i++) {
        edges += fake_irq_edges(hpet, i);
    }
    return edges;
}

/* Machine time as the counters show it. */
static void check_counters(uint64_t ns)
{
    CHECK_EQ(fake_in(m, PM_TMR, 4), (ns / SECOND * PM_HZ + ns % SECOND * PM_HZ / SECOND) & PM_MASK);
    CHECK_EQ(hpet_counter(), ns / 10);
}

/* The machine ticks on as if nothing had been. */
static void check_ticks(void)
{
    unsigned before = hpet_edges();

    fake_advance(m, SECOND);
    CHECK_EQ(hpet_edges() - before, 100);
}

static void event_clock(void)
{
    rtc->class->on_event(rtc, EVENT_CLOCK);
    lpc->class->on_event(lpc, EVENT_CLOCK);
    fake_run(m);
}

TEST(host_clock_is_set_forward)
{
    setup();
    cmos_set(RTC_B, RTC_24H | RTC_UPDATE | RTC_PERIODIC);
    fake_advance(m, 2 * SECOND);
    fake_set_wall_clock(m, NEW_DAY + 24 * HOUR + 2 * SECOND);
    event_clock();
    CHECK_STR(shown(), "02 00:00:02");
    check_counters(2 * SECOND);
    check_ticks();
    cmos(RTC_C);
    fake_advance(m, 10 * MS);
    CHECK_EQ(cmos(RTC_C) & (0x80 | RTC_PERIODIC), 0x80 | RTC_PERIODIC);
    check_counters(3 * SECOND + 10 * MS);
    CHECK_STR(shown(), "02 00:00:03");
    fake_free(m);
}

TEST(host_clock_is_set_back)
{
    setup();
    cmos_set(RTC_B, RTC_24H | RTC_UPDATE);
    fake_advance(m, 10 * SECOND);
    fake_set_wall_clock(m, NEW_DAY - 24 * HOUR);
    event_clock();
    CHECK_STR(shown(), "31 00:00:00");
    check_counters(10 * SECOND);
    cmos(RTC_C);
    check_ticks();
    CHECK_EQ(cmos(RTC_C) & RTC_UPDATE, RTC_UPDATE); /* once a second, not after a day */
    check_ticks();
    CHECK_EQ(cmos(RTC_C) & RTC_UPDATE, RTC_UPDATE);
    check_counters(12 * SECOND);
    fake_free(m);
}

/* The RTC's alarm at 00:30:00; its other registers mean any hour. */
static void alarm_set(void)
{
    cmos_set(0x01, 0x00);
    cmos_set(0x03, 0x30);
    cmos_set(0x05, 0xff);
    cmos_set(RTC_B, RTC_24H | RTC_ALARM);
}

TEST(alarm_follows_a_set_clock)
{
    setup();
    alarm_set();
    fake_advance(m, SECOND);
    CHECK(!fake_irq(rtc, 0));
    fake_set_wall_clock(m, NEW_DAY + HOUR); /* over it */
    event_clock();
    CHECK(fake_irq(rtc, 0));
    CHECK_EQ(cmos(RTC_C) & RTC_ALARM, RTC_ALARM);
    CHECK(!fake_irq(rtc, 0));
    fake_set_wall_clock(m, NEW_DAY + HOUR + 29 * 60 * SECOND); /* a minute before the next */
    event_clock();
    CHECK(!fake_irq(rtc, 0));
    fake_advance(m, 59 * SECOND);
    CHECK(!fake_irq(rtc, 0));
    fake_advance(m, SECOND);
    CHECK(fake_irq(rtc, 0));
    fake_free(m);
}

TEST(paused_for_an_hour)
{
    setup();
    alarm_set();
    fake_advance(m, 5 * SECOND);
    fake_set_wall_clock(m, NEW_DAY + 5 * SECOND + HOUR);
    check_counters(5 * SECOND); /* they stood still */
    CHECK(!fake_irq(rtc, 0));
    event_clock();
    CHECK(fake_irq(rtc, 0)); /* at once, not in half an hour */
    CHECK_STR(shown(), "01 01:00:05");
    check_ticks();
    check_counters(6 * SECOND);
    CHECK(fake_save_load(rtc) && fake_save_load(lpc) && fake_save_load(hpet));
    fake_free(m);
}

TEST(stood_still_for_an_hour)
{
    unsigned edges;

    setup();
    alarm_set();
    cmos_set(RTC_B, RTC_24H | RTC_ALARM | RTC_UPDATE | RTC_PERIODIC);
    fake_out(m, PM1_EN, 2, 1);
    fake_advance(m, 5 * SECOND);
    cmos(RTC_C);
    edges = hpet_edges();
    fake_late(m, HOUR);
    CHECK_STR(shown(), "01 01:00:05");
    check_counters(5 * SECOND + HOUR);
    CHECK_EQ(cmos(RTC_C), 0x80 | RTC_ALARM | RTC_UPDATE | RTC_PERIODIC);
    CHECK_EQ(fake_in(m, PM1_STS, 2), 1); /* the PM timer went round, told once */
    CHECK(hpet_edges() - edges <= 2);    /* no storm of ticks to make up for */
    fake_out(m, PM1_STS, 2, 1);
    CHECK_EQ(fake_in(m, PM1_STS, 2), 0);
    check_ticks();
    check_counters(6 * SECOND + HOUR);
    fake_free(m);
}

TEST_MAIN(T(host_clock_is_set_forward), T(host_clock_is_set_back), T(alarm_follows_a_set_clock),
          T(paused_for_an_hour), T(stood_still_for_an_hour))
