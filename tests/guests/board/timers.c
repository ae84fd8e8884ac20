/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every clock of the board runs at its rate, measured against the power management timer, and the
 * timers interrupt: HPET (IA-PC HPET specification 1.0a) and RTC (MC146818). Bounds are loose,
 * because a busy host may keep a virtual processor waiting at any instruction.
 */
#include "runtime/apic.h"
#include "runtime/board.h"
#include "runtime/cpu.h"
#include "io.h"

#define HPET            0xFED00000u
#define HPET_CONFIG     (HPET + 0x10)
#define HPET_STATUS     (HPET + 0x20)
#define HPET_COUNTER    (HPET + 0xF0)
#define HPET_TIMER(n)   (HPET + 0x100 + 0x20 * (n))
#define HPET_COMPARE(n) (HPET_TIMER(n) + 8)
#define HPET_ENABLE     1u
#define HPET_LEGACY     2u
#define HPET_LEVEL      0x02u
#define HPET_INTERRUPT  0x04u
#define HPET_PERIODIC   0x08u
#define HPET_SET_VALUE  0x40u

#define RTC_A           0x0A
#define RTC_B           0x0B
#define RTC_C           0x0C
#define RTC_B_SET       0x80
#define RTC_B_PERIODIC  0x40
#define RTC_B_ALARM     0x20
#define RTC_B_UPDATE    0x10

#define VECTOR_HPET     0x60
#define VECTOR_RTC      0x61
#define WINDOW_MS       200

struct sample {
    uint64_t clock, value;
};

/* Reads a counter close to the clock: both within a millisecond, unless the host never allows. */
static struct sample sample(uint64_t (*counter)(void))
{
    struct sample taken;

    for (unsigned i = 0; i < 100; i++) {
        uint64_t before = clock_ticks(), after;
        taken.value = counter();
        after = clock_ticks();
        taken.clock = before + (after - before) / 2;
        if (after - before < CLOCK_MS(1))
            break;
    }
    return taken;
}

/* Ticks a second of a counter that counts up. */
static uint64_t rate(uint64_t (*counter)(void))
{
    struct sample first = sample(counter), last;

    POLL_FOR(false, WINDOW_MS);
    last = sample(counter);
    return (last.value - first.value) * CLOCK_HZ / (last.clock - first.clock);
}

static bool near(uint64_t value, uint64_t expected, unsigned percent)
{
    uint64_t slack = expected * percent / 100;
    return value + slack >= expected && value <= expected + slack;
}

#define CHECK_NEAR(value, expected, percent)                                                       \
    do {                                                                                           \
        uint64_t value_ = (value), expected_ = (expected);                                         \
        if (!near(value_, expected_, percent)) {                                                   \
            test_fail("line %d: %s is %lu, not near %lu", __LINE__, #value, value_, expected_);    \
            return;                                                                                \
        }                                                                                          \
    } while (0)

static void pm_timer_never_runs_back(void)
{
    uint32_t last = inl(BOARD_PM_BASE + 8);

    for (unsigned i = 0; i < 2000; i++) {
        uint32_t now = inl(BOARD_PM_BASE + 8);
        CHECK_EQ(now >> 24, 0);
        CHECK(((now - last) & 0xFFFFFF) < 0x800000);
        last = now;
    }
}

static void pm_timer_status(void)
{
    outw(BOARD_PM_BASE, 1);
    CHECK_EQ(inw(BOARD_PM_BASE) & 1, 0);
    CHECK(POLL_FOR(inw(BOARD_PM_BASE) & 1, LONG_MS)); /* when bit 23 changes */
    outw(BOARD_PM_BASE, 1);
    CHECK_EQ(inw(BOARD_PM_BASE) & 1, 0);
}

static uint64_t tsc_counter(void)
{
    return rdtsc();
}

static void tsc_is_steady(void)
{
    uint64_t first = rate(tsc_counter);

    CHECK(first > 1000000);
    CHECK_NEAR(rate(tsc_counter), first, 5);
}

static uint64_t apic_counter(void)
{
    return 0xFFFFFFFFu - apic_read(APIC_TIMER_CURRENT);
}

static void apic_timer_is_steady(void)
{
    uint64_t first;

    apic_enable();
    apic_write(APIC_TIMER_DIVIDE, 0xA); /* by 128 */
    apic_write(APIC_LVT_TIMER, APIC_MASKED);
    apic_write(APIC_TIMER_INITIAL, 0xFFFFFFFF);
    first = rate(apic_counter);
    CHECK(first > 10000);
    CHECK_NEAR(rate(apic_counter), first, 5);
    apic_write(APIC_TIMER_INITIAL, 0);
}

static uint64_t pit_counter(void)
{
    uint32_t low, high;

    outb(0x43, 0x00); /* latch counter 0 */
    low = inb(0x40);
    high = inb(0x40);
    return 0x10000 - (high << 8 | low);
}

/* The counter wraps every 55 ms, so the window is short; a window that was held up is tried again.
 */
static void pit_counts_at_its_rate(void)
{
    struct sample first, last;

    pit_start(0);
    for (unsigned i = 0; i < 50; i++) {
        first = sample(pit_counter);
        POLL_FOR(false, 25);
        last = sample(pit_counter);
        if (last.value > first.value && last.clock - first.clock < CLOCK_MS(50))
            break;
    }
    pit_stop();
    CHECK_NEAR((last.value - first.value) * CLOCK_HZ / (last.clock - first.clock), 1193182, 10);
}

static uint64_t hpet_counter(void)
{
    return read64(HPET_COUNTER);
}

static uint64_t hpet_hz(void)
{
    return 1000000000000000ull / (read64(HPET) >> 32); /* the period is in femtoseconds */
}

static uint64_t hpet_ms(unsigned ms)
{
    return hpet_hz() * ms / 1000;
}

static void hpet_counts_at_its_rate(void)
{
    CHECK_EQ(read64(HPET_CONFIG), 0);
    CHECK((read64(HPET) >> 8 & 0x1F) >= 2); /* three timers */
    CHECK(hpet_hz() >= 10000000);
    write64(HPET_CONFIG, HPET_ENABLE);
    CHECK_NEAR(rate(hpet_counter), hpet_hz(), 5);
}

static void hpet_stops_and_is_set(void)
{
    uint64_t stopped;

    write64(HPET_CONFIG, 0);
    stopped = hpet_counter();
    POLL_FOR(false, 2);
    CHECK_EQ(hpet_counter(), stopped);
    write64(HPET_COUNTER, 0x123456789ABCull);
    CHECK_EQ(hpet_counter(), 0x123456789ABCull);
    CHECK_EQ(read32(HPET_COUNTER), 0x56789ABC);
    CHECK_EQ(read32(HPET_COUNTER + 4), 0x1234);
    write64(HPET_COUNTER, 0);
    write64(HPET_CONFIG, HPET_ENABLE);
    CHECK(hpet_counter() < hpet_hz() * 10);
}

/* Routes a timer to the highest line of the I/O APIC that it can reach. */
static unsigned hpet_route(unsigned timer, uint32_t io_mode)
{
    uint32_t lines = (uint32_t)(read64(HPET_TIMER(timer)) >> 32) & ((1u << IOAPIC_PINS) - 1);
    unsigned line = lines ? 31 - (unsigned)__builtin_clz(lines) : 0;

    ioapic_route(line, VECTOR_HPET | io_mode, apic_id());
    return line;
}

static void hpet_end(struct interrupt_frame *frame)
{
    write64(HPET_STATUS, 7); /* level: takes the cause away; edge: changes nothing */
    apic_end(frame);
}

static void hpet_interrupts_once(void)
{
    for (unsigned timer = 0; timer < 3; timer++) {
        unsigned line = hpet_route(timer, 0);
        interrupt_handle(VECTOR_HPET, hpet_end);
        write64(HPET_COMPARE(timer), hpet_counter() + hpet_ms(20));
        write64(HPET_TIMER(timer), line << 9 | HPET_INTERRUPT);
        CHECK(WAIT_FOR(interrupt_count[VECTOR_HPET] == 1, LONG_MS));
        WAIT_FOR(false, 2 * SHORT_MS);
        CHECK_EQ(interrupt_count[VECTOR_HPET], 1);
        write64(HPET_TIMER(timer), 0);
        ioapic_route(line, IOAPIC_MASKED, 0);
    }
}

static void hpet_interrupts_by_level(void)
{
    unsigned line = hpet_route(2, IOAPIC_LEVEL);

    interrupt_handle(VECTOR_HPET, apic_end); /* leaves the cause */
    write64(HPET_COMPARE(2), hpet_counter() + hpet_ms(5));
    write64(HPET_TIMER(2), line << 9 | HPET_INTERRUPT | HPET_LEVEL);
    CHECK(POLL_FOR(read64(HPET_STATUS) & 4, LONG_MS));
    CHECK(WAIT_FOR(interrupt_count[VECTOR_HPET] >= 2, LONG_MS));
    write64(HPET_STATUS, 4);
    CHECK_EQ(read64(HPET_STATUS), 0);
    WAIT_FOR(false, 1);
    interrupt_handle(VECTOR_HPET, apic_end);
    WAIT_FOR(false, SHORT_MS);
    CHECK_EQ(interrupt_count[VECTOR_HPET], 0);
    write64(HPET_TIMER(2), 0);
    ioapic_route(line, IOAPIC_MASKED, 0);
}

static void hpet_interrupts_periodically(void)
{
    unsigned line = hpet_route(0, 0);
    uint64_t start, ticks;

    interrupt_handle(VECTOR_HPET, hpet_end);
    write64(HPET_CONFIG, 0);
    write64(HPET_COUNTER, 0);
    write64(HPET_TIMER(0), line << 9 | HPET_INTERRUPT | HPET_PERIODIC | HPET_SET_VALUE);
    write64(HPET_COMPARE(0), hpet_ms(10));
    write64(HPET_COMPARE(0), hpet_ms(10));
    write64(HPET_CONFIG, HPET_ENABLE);
    start = clock_ticks();
    CHECK(WAIT_FOR(interrupt_count[VECTOR_HPET] >= 10, LONG_MS));
    ticks = clock_ticks() - start;
    CHECK(ticks >= CLOCK_MS(90)); /* later is the host's business, earlier is not */
    write64(HPET_TIMER(0), 0);
    ioapic_route(line, IOAPIC_MASKED, 0);
}

static void hpet_replaces_the_old_timers(void)
{
    interrupt_handle(VECTOR_HPET, hpet_end);
    ioapic_route(2, VECTOR_HPET, apic_id());
    write64(HPET_CONFIG, HPET_ENABLE | HPET_LEGACY);
    write64(HPET_COMPARE(0), hpet_counter() + hpet_ms(20));
    write64(HPET_TIMER(0), HPET_INTERRUPT);
    CHECK(WAIT_FOR(interrupt_count[VECTOR_HPET] == 1, LONG_MS));
    ioapic_route(2, IOAPIC_MASKED, 0);
    write64(HPET_TIMER(0), 0);

    interrupt_handle(VECTOR_HPET, hpet_end);
    ioapic_route(8, VECTOR_HPET, apic_id());
    write64(HPET_COMPARE(1), hpet_counter() + hpet_ms(20));
    write64(HPET_TIMER(1), HPET_INTERRUPT);
    CHECK(WAIT_FOR(interrupt_count[VECTOR_HPET] == 1, LONG_MS));
    ioapic_route(8, IOAPIC_MASKED, 0);
    write64(HPET_TIMER(1), 0);
    write64(HPET_CONFIG, 0);
}

static void rtc_end(struct interrupt_frame *frame)
{
    outb(0x70, RTC_C);
    inb(0x71);
    apic_end(frame);
}

static void rtc_start(uint8_t rate_select, uint8_t interrupts)
{
    interrupt_handle(VECTOR_RTC, rtc_end);
    ioapic_route(8, VECTOR_RTC, apic_id());
    cmos_write(RTC_A, 0x20 | rate_select);
    cmos_write(RTC_B, 0x02 | interrupts);
    cmos_read(RTC_C);
}

static void rtc_stop(void)
{
    cmos_write(RTC_B, 0x02);
    cmos_read(RTC_C);
    ioapic_route(8, IOAPIC_MASKED, 0);
}

static void rtc_interrupts_periodically(void)
{
    uint64_t start = clock_ticks();

    rtc_start(10, RTC_B_PERIODIC); /* 64 a second */
    CHECK(WAIT_FOR(interrupt_count[VECTOR_RTC] >= 16, LONG_MS));
    CHECK(clock_ticks() - start >= CLOCK_MS(200));
    rtc_stop();
}

static void rtc_tells_each_second(void)
{
    uint64_t first;

    rtc_start(6, RTC_B_UPDATE);
    CHECK(WAIT_FOR(interrupt_count[VECTOR_RTC] >= 1, LONG_MS));
    first = clock_ticks();
    CHECK(WAIT_FOR(interrupt_count[VECTOR_RTC] >= 3, LONG_MS));
    CHECK(clock_ticks() - first >= CLOCK_MS(1000)); /* two seconds, less what the first was late */
    rtc_stop();
}

static void rtc_rings_the_alarm(void)
{
    cmos_write(1, 0xC0); /* every second, minute and hour */
    cmos_write(3, 0xC0);
    cmos_write(5, 0xC0);
    rtc_start(6, RTC_B_ALARM);
    CHECK(WAIT_FOR(interrupt_count[VECTOR_RTC] >= 1, LONG_MS));
    rtc_stop();
}

static void rtc_announces_an_update(void)
{
    uint8_t before;

    CHECK(POLL_FOR(cmos_read(RTC_A) & 0x80, LONG_MS));
    before = cmos_read(0);
    CHECK(POLL_FOR(!(cmos_read(RTC_A) & 0x80), LONG_MS));
    CHECK(POLL_FOR(cmos_read(0) != before, LONG_MS));
}

static void rtc_knows_leap_years(void)
{
    static const uint8_t time[][2] = { { 0, 0x58 }, { 2, 0x59 }, { 4, 0x23 }, { 6, 4 },
                                       { 7, 0x28 }, { 8, 0x02 }, { 9, 0x24 }, { 0x32, 0x20 } };

    cmos_write(RTC_B, 0x02 | RTC_B_SET);
    for (unsigned i = 0; i < sizeof(time) / sizeof(time[0]); i++)
        cmos_write(time[i][0], time[i][1]);
    cmos_write(RTC_B, 0x02);
    CHECK(POLL_FOR(cmos_read(7) != 0x28, LONG_MS));
    CHECK_EQ(cmos_read(7), 0x29);
    CHECK_EQ(cmos_read(8), 0x02);
    CHECK_EQ(cmos_read(4), 0);
    CHECK_EQ(cmos_read(2), 0);
}

void guest_main(void)
{
    RUN(pm_timer_never_runs_back);
    RUN(pm_timer_status);
    RUN(tsc_is_steady);
    RUN(apic_timer_is_steady);
    RUN(pit_counts_at_its_rate);
    RUN(hpet_counts_at_its_rate);
    RUN(hpet_stops_and_is_set);
    RUN(hpet_interrupts_once);
    RUN(hpet_interrupts_by_level);
    RUN(hpet_interrupts_periodically);
    RUN(hpet_replaces_the_old_timers);
    RUN(rtc_interrupts_periodically);
    RUN(rtc_tells_each_second);
    RUN(rtc_rings_the_alarm);
    RUN(rtc_announces_an_update);
    RUN(rtc_knows_leap_years);
}
