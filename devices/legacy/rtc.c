/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The real time clock with its CMOS memory: Motorola MC146818 data sheet, at ports 0x70 (index, bit
 * 7 masks NMI and only reads back) and 0x71 (data), with the century in byte 0x32. Interrupt output
 * 0 is IRQ 8.
 *
 * The time is the host's wall clock plus an offset that changes when the guest sets the clock, so
 * nothing ticks. While the guest holds the clock (SET, or the divider in reset), and for the rest
 * of a second in which it wrote the time without holding it, the time registers are plain bytes in
 * `cmos`; the next second turns them into a new offset. Otherwise they are made from the clock when
 * they are read.
 *
 * Flags are found when they are looked at, by what has passed since the last look. The one timer
 * runs only while an interrupt is enabled and not already raised. The periodic interrupt follows
 * machine time, the others the wall clock: a step of the host's clock must not stop a guest's tick.
 *
 * Left out: the square wave output, daylight saving (bit 0 of B is stored), the second bank of 128
 * bytes at 0x72, a weekday that differs from the date. Nonsense in the time registers is carried
 * over into the larger units, as if the clock had counted that far.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "bytes.h"
#include "rtc.h"
#include "services.h"
#include "state.h"

enum {
    PORT = 0x70,

    SECONDS = 0x00,
    SECONDS_ALARM = 0x01,
    MINUTES = 0x02,
    MINUTES_ALARM = 0x03,
    HOURS = 0x04,
    HOURS_ALARM = 0x05,
    WEEKDAY = 0x06,
    DAY = 0x07,
    MONTH = 0x08,
    YEAR = 0x09,
    REG_A = 0x0a,
    REG_B = 0x0b,
    REG_C = 0x0c,
    REG_D = 0x0d,

    A_UIP = 0x80,
    A_DIVIDER = 0x70,
    A_DIVIDER_32K = 0x20, /* larger values: in reset or test */
    A_RATE = 0x0f,
    B_SET = 0x80,
    B_UIE = 0x10,
    B_SQWE = 0x08,
    B_BINARY = 0x04,
    B_24H = 0x02,
    C_IRQF = 0x80,
    C_PF = 0x40, /* these three have their enables in the same bits of B */
    C_AF = 0x20,
    C_UF = 0x10,
    FLAGS = C_PF | C_AF | C_UF,
    D_VALID = 0x80,

    HOUR_PM = 0x80,
    ALARM_ANY = 0xc0,

    SECOND_NS = 1000000000,
    UIP_NS = 244000, /* before the second ends */
    TICK_HZ = 32768, /* of the divider, before the periodic rate */
    DAY_S = 86400,
    DAYS_TO_1970 = 719528, /* from the first day of year 0 */
    DAYS_10000_YEARS = 3652425,
};

struct rtc {
    struct device device;
    char base[8];
    int64_t base_offset; /* seconds from UTC */

    uint8_t select;          /* port 0x70 */
    uint8_t cmos[CMOS_SIZE]; /* registers A..C without their computed bits; time while held */
    uint64_t offset;         /* seconds that the guest has set the clock ahead, two's complement */
    uint32_t phase_ns;       /* seconds end when wall clock + phase_ns is a whole second */
    bool held;               /* the time registers are in `cmos` */
    uint64_t held_second;    /* while held but not stopped: the second that they name */
    uint64_t checked_second; /* flags are up to date with this second */
    uint64_t checked_tick;   /* and this tick */
};

/* A moment of the clock, before the guest's offset. */
struct moment {
    uint64_t second;
    uint32_t ns;
    uint64_t tick; /* of machine time, TICK_HZ */
};

static struct moment moment_now(struct rtc *r)
{
    uint64_t wall = r->device.services->wall_ns(&r->device) + r->phase_ns;
    uint64_t now = dev_now_ns(&r->device);

    return (struct moment){
        .second = wall / SECOND_NS + (uint64_t)r->base_offset,
        .ns = (uint32_t)(wall % SECOND_NS),
        .tick = now / SECOND_NS * TICK_HZ + now % SECOND_NS * TICK_HZ / SECOND_NS,
    };
}

static bool divider_runs(const struct rtc *r)
{
    return (r->cmos[REG_A] & A_DIVIDER) <= A_DIVIDER_32K;
}

static bool stopped(const struct rtc *r)
{
    return (r->cmos[REG_B] & B_SET) || !divider_runs(r);
}

/* Ticks from one periodic flag to the next; 0 if there are none. */
static uint64_t period_ticks(const struct rtc *r)
{
    unsigned rate = r->cmos[REG_A] & A_RATE;

    if (rate == 0 || !divider_runs(r)) {
        return 0;
    }
    return UINT64_C(1) << (rate <= 2 ? rate + 6 : rate - 1);
}

/* --- The calendar ----------------------------------------------------------------------------- */

/* Days from 1970-01-01 to the first of a month of the Gregorian calendar. */
static int64_t days_to_month(int64_t year, unsigned month)
{
    static const uint16_t before[12] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    int64_t past = year - 1; /* whole years since year 0; years here are never negative */
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int64_t leaps = past < 0 ? 0 : past / 4 - past / 100 + past / 400 + 1; /* year 0 is one */

    return year * 365 + leaps + before[month - 1] + (leap && month > 2 ? 1 : 0) - DAYS_TO_1970;
}

static uint8_t encode(const struct rtc *r, unsigned value)
{
    return (uint8_t)(r->cmos[REG_B] & B_BINARY ? value : value / 10 << 4 | value % 10);
}

static unsigned decode(const struct rtc *r, uint8_t value)
{
    return r->cmos[REG_B] & B_BINARY ? value : (value >> 4) * 10u + (value & 15);
}

static uint8_t hour_encode(const struct rtc *r, unsigned hour)
{
    if (r->cmos[REG_B] & B_24H) {
        return encode(r, hour);
    }
    return encode(r, hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? HOUR_PM : 0);
}

static unsigned hour_decode(const struct rtc *r, uint8_t value)
{
    if (r->cmos[REG_B] & B_24H) {
        return decode(r, value);
    }
    return decode(r, value & ~HOUR_PM) % 12 + (value & HOUR_PM ? 12 : 0);
}

/* The second since 1970 that the time registers name. */
static uint64_t registers_second(const struct rtc *r)
{
    unsigned month = decode(r, r->cmos[MONTH]);
    int64_t year = decode(r, r->cmos[CMOS_CENTURY]) * 100 + decode(r, r->cmos[YEAR]);
    int64_t days;

    if (month > 12) {
        year += (month - 1) / 12;
        month = (month - 1) % 12 + 1;
    }
    days = days_to_month(year, month > 0 ? month : 1) + decode(r, r->cmos[DAY]) - 1;
    return (uint64_t)(days * DAY_S + hour_decode(r, r->cmos[HOURS]) * 3600 +
                      decode(r, r->cmos[MINUTES]) * 60 + decode(r, r->cmos[SECONDS]));
}

/* The calendar repeats after 10,000 years, which is also when the registers overflow. */
static void registers_fill(struct rtc *r, uint64_t second)
{
    int64_t time = (int64_t)second;
    int64_t since_1970 = time / DAY_S - (time % DAY_S < 0);
    unsigned in_day = (unsigned)(time - since_1970 * DAY_S), month = 12;
    int64_t days = (since_1970 + DAYS_TO_1970) % DAYS_10000_YEARS;

    if (days < 0) {
        days += DAYS_10000_YEARS;
    }
    int64_t year = days / 366; /* too small by a few years at most */

    days -= DAYS_TO_1970;
    while (days_to_month(year + 1, 1) <= days) {
        year++;
    }
    while (days_to_month(year, month) > days) {
        month--;
    }
    r->cmos[SECONDS] = encode(r, in_day % 60);
    r->cmos[MINUTES] = encode(r, in_day / 60 % 60);
    r->cmos[HOURS] = hour_encode(r, in_day / 3600);
    r->cmos[WEEKDAY] = encode(r, (unsigned)((days + DAYS_TO_1970 + 6) % 7) + 1); /* 1 is Sunday */
    r->cmos[DAY] = encode(r, (unsigned)(days - days_to_month(year, month)) + 1);
    r->cmos[MONTH] = encode(r, month);
    r->cmos[YEAR] = encode(r, (unsigned)(year % 100));
    r->cmos[CMOS_CENTURY] = encode(r, (unsigned)(year / 100 % 100));
}

static bool is_time(unsigned index)
{
    return index == CMOS_CENTURY || (index <= YEAR && index != SECONDS_ALARM &&
                                     index != MINUTES_ALARM && index != HOURS_ALARM);
}

/* --- Alarm ------------------------------------------------------------------------------------ */

/* Bit n is set if value n of one of the three fields lets the alarm go off. */
static uint64_t alarm_mask(const struct rtc *r, unsigned index)
{
    unsigned values = index == HOURS_ALARM ? 24 : 60;
    uint8_t alarm = r->cmos[index];
    uint64_t mask = 0;

    if ((alarm & ALARM_ANY) == ALARM_ANY) {
        return (UINT64_C(1) << values) - 1;
    }
    for (unsigned v = 0; v < values; v++) {
        if (alarm == (index == HOURS_ALARM ? hour_encode(r, v) : encode(r, v))) {
            mask |= UINT64_C(1) << v;
        }
    }
    return mask;
}

/* Seconds from `second` (after it) to the next alarm; 0 if there never is one. */
static uint32_t alarm_distance(const struct rtc *r, uint64_t second)
{
    uint64_t seconds = alarm_mask(r, SECONDS_ALARM), minutes = alarm_mask(r, MINUTES_ALARM);
    uint64_t hours = alarm_mask(r, HOURS_ALARM);
    int64_t in_day = (int64_t)second % DAY_S;
    uint32_t now = (uint32_t)(in_day < 0 ? in_day + DAY_S : in_day);
    uint32_t at = now + 1;

    if (seconds == 0 || minutes == 0 || hours == 0) {
        return 0;
    }
    for (;;) {
        uint64_t later = seconds >> at % 60;

        if (!(hours >> at / 3600 % 24 & 1)) {
            at = (at / 3600 + 1) * 3600;
        } else if (!(minutes >> at / 60 % 60 & 1) || later == 0) {
            at = (at / 60 + 1) * 60;
        } else {
            return at + (uint32_t)__builtin_ctzll(later) - now;
        }
    }
}

/* --- Flags and the interrupt ------------------------------------------------------------------ */

/* The second since 1970 that the clock shows. */
static uint64_t shown_second(const struct rtc *r, const struct moment *m)
{
    return r->held ? registers_second(r) : m->second + r->offset;
}

/* Brings the flags, and time registers written in an earlier second, up to the present. */
static struct moment clock_update(struct rtc *r)
{
    struct moment m = moment_now(r);
    uint64_t period = period_ticks(r);

    if (!stopped(r) && m.second != r->checked_second) {
        if (r->held && m.second != r->held_second) {
            r->offset = registers_second(r) - r->held_second;
            r->held = false;
        }
        uint64_t passed = m.second - r->checked_second;
        uint32_t alarm = alarm_distance(r, r->checked_second + r->offset);

        r->cmos[REG_C] |= C_UF;
        if (passed <= INT64_MAX && alarm > 0 && alarm <= passed) {
            r->cmos[REG_C] |= C_AF;
        }
    }
    if (period > 0 && m.tick / period != r->checked_tick / period) {
        r->cmos[REG_C] |= C_PF;
    }
    r->checked_second = m.second;
    r->checked_tick = m.tick;
    return m;
}

/* Nanoseconds from m to the end of the second that is `seconds` further. */
static uint64_t distance_ns(const struct moment *m, uint32_t seconds)
{
    return (uint64_t)seconds * SECOND_NS - m->ns;
}

static uint64_t deadline_next(struct rtc *r, const struct moment *m)
{
    uint8_t enabled = r->cmos[REG_B] & FLAGS;
    uint64_t now = dev_now_ns(&r->device), deadline = TIMER_OFF, period = period_ticks(r);
    uint32_t alarm = enabled & C_AF ? alarm_distance(r, shown_second(r, m)) : 0;

    if ((enabled & C_PF) && period > 0) {
        uint64_t tick = (m->tick / period + 1) * period, part = tick % TICK_HZ * SECOND_NS;

        deadline = tick / TICK_HZ * SECOND_NS + (part + TICK_HZ - 1) / TICK_HZ;
    }
    if (!stopped(r) && (alarm > 0 || (enabled & C_UF))) {
        uint64_t other = now + distance_ns(m, enabled & C_UF ? 1 : alarm);

        deadline = other < deadline ? other : deadline;
    }
    return deadline;
}

/* Sets the interrupt output and the timer by the flags and their enables. */
static void interrupt_update(struct rtc *r, const struct moment *m)
{
    bool raised = r->cmos[REG_B] & r->cmos[REG_C] & FLAGS;

    dev_irq_set(&r->device, 0, raised);
    dev_timer_arm(&r->device, 0, raised ? TIMER_OFF : deadline_next(r, m));
}

/* --- Ports ------------------------------------------------------------------------------------ */

static uint8_t cmos_read(struct rtc *r, unsigned index)
{
    struct moment m = clock_update(r);
    uint8_t flags = r->cmos[REG_C] & FLAGS;

    switch (index) {
    case REG_A:
        return (r->cmos[REG_A] & ~A_UIP) | (!stopped(r) && m.ns >= SECOND_NS - UIP_NS ? A_UIP : 0);
    case REG_C:
        r->cmos[REG_C] = 0;
        interrupt_update(r, &m);
        return flags | (flags & r->cmos[REG_B] ? C_IRQF : 0);
    case REG_D:
        return D_VALID;
    default:
        if (is_time(index) && !r->held) {
            registers_fill(r, m.second + r->offset);
        }
        return r->cmos[index];
    }
}

/* Turns the time registers into plain bytes. */
static void time_hold(struct rtc *r, const struct moment *m)
{
    if (!r->held) {
        registers_fill(r, m->second + r->offset);
        r->held = true;
        r->held_second = m->second;
    }
}

/* Register A or B: they can stop the clock and let it go on, and B says how numbers are written. */
static void control_write(struct rtc *r, unsigned index, uint8_t value, struct moment *m)
{
    bool was_stopped = stopped(r), divider_ran = divider_runs(r);
    bool stops = index == REG_B ? value & B_SET : (value & A_DIVIDER) > A_DIVIDER_32K;

    if (index == REG_B && (value & B_SET)) {
        value &= ~B_UIE;
    }
    if (!was_stopped && stops) {
        time_hold(r, m); /* as they are written until now */
    }
    if (!was_stopped && !stops && r->held) {
        uint64_t second = registers_second(r);

        r->cmos[index] = value;
        registers_fill(r, second);
    }
    r->cmos[index] = index == REG_A ? value & ~A_UIP : value;
    if (!divider_ran && divider_runs(r)) {
        /* The first update comes half a second after the divider has been let go. */
        r->phase_ns = (uint32_t)((r->phase_ns + (SECOND_NS + SECOND_NS / 2 - m->ns)) % SECOND_NS);
        *m = moment_now(r);
    }
    if (was_stopped && !stopped(r)) {
        r->held_second = m->second;
        r->checked_second = m->second;
    }
    r->checked_tick = m->tick;
}

static void cmos_write(struct rtc *r, unsigned index, uint8_t value)
{
    struct moment m = clock_update(r);

    if (index == REG_C || index == REG_D) {
        return; /* read-only */
    }
    if (index == REG_A || index == REG_B) {
        control_write(r, index, value, &m);
    } else {
        if (is_time(index)) {
            time_hold(r, &m);
        }
        r->cmos[index] = value;
    }
    if (index <= REG_B || index == CMOS_CENTURY) {
        interrupt_update(r, &m);
    }
}

static uint64_t rtc_read(struct device *device, uint64_t offset, unsigned size)
{
    struct rtc *r = (struct rtc *)device;

    return offset == 0 ? r->select : cmos_read(r, r->select % CMOS_SIZE);
}

static void rtc_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct rtc *r = (struct rtc *)device;

    if (offset == 0) {
        r->select = (uint8_t)value;
    } else {
        cmos_write(r, r->select % CMOS_SIZE, (uint8_t)value);
    }
}

void rtc_set_byte(struct device *rtc, unsigned index, uint8_t value)
{
    assert(index >= CMOS_FIRST && index < CMOS_SIZE && index != CMOS_CENTURY);
    ((struct rtc *)rtc)->cmos[index] = value;
}

/* --- The device ------------------------------------------------------------------------------- */

static int rtc_create(struct device *device, struct dev_error *error)
{
    struct rtc *r = (struct rtc *)device;

    if (strcmp(r->base, "local") == 0) {
        time_t now = (time_t)(device->services->wall_ns(device) / SECOND_NS);
        struct tm local;

        tzset();
        r->base_offset = localtime_r(&now, &local) ? local.tm_gmtoff : 0;
    } else if (strcmp(r->base, "utc") != 0) {
        dev_error_set(error, "%s: option “base” is “%s”; it must be utc or local.", device->name,
                      r->base);
        return -EINVAL;
    }
    return 0;
}

/* The clock and its memory live on their battery: even a cold reset changes only what the pin does.
 */
static void rtc_reset(struct device *device, enum reset_kind kind)
{
    struct rtc *r = (struct rtc *)device;

    if (kind == RESET_COLD) {
        r->select = 0;
        r->cmos[REG_A] = A_DIVIDER_32K | 6; /* 32.768 kHz crystal, 1024 Hz */
        r->cmos[REG_B] = B_24H;
        r->held = false;
    }
    r->cmos[REG_B] &= (uint8_t) ~(FLAGS | B_SQWE);
    r->cmos[REG_C] = 0;

    struct moment m = moment_now(r);

    r->checked_second = m.second;
    r->checked_tick = m.tick;
}

static void rtc_on_timer(struct device *device, unsigned timer)
{
    struct rtc *r = (struct rtc *)device;
    struct moment m = clock_update(r);

    interrupt_update(r, &m);
}

/* The timer waits by machine time for what the wall clock brings. */
static void rtc_on_event(struct device *device, enum device_event event)
{
    if (event == EVENT_CLOCK) {
        rtc_on_timer(device, 0);
    }
}

/* Restoring changes no state: what has passed meanwhile is found by the timer. */
static void rtc_restored(struct device *device)
{
    struct rtc *r = (struct rtc *)device;
    bool raised = r->cmos[REG_B] & r->cmos[REG_C] & FLAGS;

    dev_irq_set(device, 0, raised);
    dev_timer_arm(device, 0, !raised && (r->cmos[REG_B] & FLAGS) ? dev_now_ns(device) : TIMER_OFF);
}

static const struct option_desc rtc_options[] = {
    { "base", OPTION_STRING, offsetof(struct rtc, base), 0, 8, "utc",
      "the time zone of the clock: utc or local" },
    { NULL },
};

static const struct region_desc rtc_regions[] = {
    {
        .name = "rtc",
        .space = REGION_PIO,
        .base = PORT,
        .size = 2,
        .read_sizes = SIZE_1,
        .write_sizes = SIZE_1,
        .read = rtc_read,
        .write = rtc_write,
    },
};

static const struct state_field rtc_fields[] = {
    FIELD(struct rtc, select),
    FIELD_ARRAY(struct rtc, cmos),
    FIELD(struct rtc, offset),
    FIELD_MAX(struct rtc, phase_ns, SECOND_NS - 1),
    FIELD(struct rtc, held),
    FIELD(struct rtc, held_second),
    FIELD(struct rtc, checked_second),
    FIELD(struct rtc, checked_tick),
    FIELD_END,
};

const struct device_class rtc_class = {
    .name = "cmos-rtc",
    .version = 1,
    .state_size = sizeof(struct rtc),
    .description = "real time clock and CMOS memory",
    .options = rtc_options,
    .regions = rtc_regions,
    .n_regions = 1,
    .n_irqs = 1,
    .n_timers = 1,
    .fields = rtc_fields,
    .create = rtc_create,
    .reset = rtc_reset,
    .on_timer = rtc_on_timer,
    .on_event = rtc_on_event,
    .restored = rtc_restored,
};
