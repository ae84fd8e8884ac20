/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rtc.h"

#include "fake_machine.h"
#include "test.h"

#define MS     UINT64_C(1000000)
#define SECOND (1000 * MS)

enum {
    A = 0x0a,
    B = 0x0b,
    C = 0x0c,
    D = 0x0d,
    CENTURY = 0x32,
    SET = 0x80,
    PIE = 0x40,
    AIE = 0x20,
    UIE = 0x10,
    BINARY = 4,
    H24 = 2,
};

static uint8_t get(struct fake *m, unsigned index)
{
    fake_out(m, 0x70, 1, index);
    return (uint8_t)fake_in(m, 0x71, 1);
}

static void set(struct fake *m, unsigned index, uint8_t value)
{
    fake_out(m, 0x70, 1, index);
    fake_out(m, 0x71, 1, value);
}

/* Century, year, month, day, hour, minute, second as the registers have them. */
static const char *shown(struct fake *m)
{
    static char text[40];

    snprintf(text, sizeof(text), "%02x%02x-%02x-%02x %02x:%02x:%02x", get(m, CENTURY), get(m, 9),
             get(m, 8), get(m, 7), get(m, 4), get(m, 2), get(m, 0));
    return text;
}

static struct fake *machine(struct device **rtc)
{
    struct fake *m = fake_new(4096);

    *rtc = fake_add(m, "cmos-rtc", NULL);
    return m;
}

TEST(registers_after_power_on)
{
    struct device *d;
    struct fake *m = machine(&d);

    CHECK_EQ(get(m, A), 0x26);
    CHECK_EQ(get(m, B), 0x02);
    CHECK_EQ(get(m, C), 0);
    CHECK_EQ(get(m, D), 0x80);
    CHECK_STR(shown(m), "2026-01-01 00:00:00");
    CHECK_EQ(get(m, 6), 5); /* a Thursday */
    fake_advance(m, 86399 * SECOND);
    CHECK_STR(shown(m), "2026-01-01 23:59:59");
    fake_advance(m, SECOND);
    CHECK_STR(shown(m), "2026-01-02 00:00:00");
    CHECK_EQ(get(m, 6), 6);
    fake_out(m, 0x70, 1, 0x8f);
    CHECK_EQ(fake_in(m, 0x70, 1), 0x8f);
    fake_out(m, 0x70, 2, 0x5a10); /* a word is index and data */
    CHECK_EQ(get(m, 0x10), 0x5a);
    set(m, D, 0);
    set(m, C, 0xff);
    CHECK_EQ(get(m, D), 0x80);
    CHECK(fake_save_load(d));
    fake_free(m);
}

TEST(calendar)
{
    static const struct {
        int64_t second;
        const char *text;
    } days[] = {
        { 0, "1970-01-01 00:00:00" },           { 951782399, "2000-02-28 23:59:59" },
        { 951782400, "2000-02-29 00:00:00" },   { 951868800, "2000-03-01 00:00:00" },
        { 4107542400, "2100-03-01 00:00:00" },  { 4107542399, "2100-02-28 23:59:59" },
        { 1709164800, "2024-02-29 00:00:00" },  { 1735689599, "2024-12-31 23:59:59" },
        { 17179869184, "2514-05-30 01:53:04" },
    };

    for (unsigned i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        struct device *d;
        struct fake *m = machine(&d);

        fake_set_wall_clock(m, (uint64_t)days[i].second * SECOND);
        CHECK_STR(shown(m), days[i].text);
        fake_free(m);
    }
}

TEST(formats)
{
    struct device *d;
    struct fake *m = machine(&d);

    fake_advance(m, (14 * 3600 + 35 * 60 + 42) * SECOND);
    set(m, B, 0);
    CHECK_STR(shown(m), "2026-01-01 82:35:42"); /* 2 pm */
    set(m, B, BINARY | H24);
    CHECK_STR(shown(m), "141a-01-01 0e:23:2a");
    set(m, B, BINARY);
    CHECK_EQ(get(m, 4), 0x82);
    fake_advance(m, 10 * 3600 * SECOND);
    CHECK_EQ(get(m, 4), 12); /* 12 am is hour 0 */
    fake_advance(m, 12 * 3600 * SECOND);
    CHECK_EQ(get(m, 4), 0x80 | 12);
    set(m, B, 0);
    set(m, 4, 0x12);
    set(m, B, H24);
    fake_advance(m, SECOND);
    set(m, B, 0);
    set(m, 4, 0x12); /* written as 12 am */
    fake_advance(m, SECOND);
    CHECK_EQ(get(m, 4), 0x12);
    set(m, B, H24);
    CHECK_EQ(get(m, 4), 0);
    fake_free(m);
}

TEST(setting_while_held)
{
    struct device *d;
    struct fake *m = machine(&d);

    fake_advance(m, 300 * MS);
    set(m, B, SET | H24 | UIE);
    CHECK_EQ(get(m, B), SET | H24); /* SET clears UIE */
    set(m, CENTURY, 0x19);
    set(m, 9, 0x99);
    set(m, 8, 0x12);
    set(m, 7, 0x31);
    set(m, 4, 0x23);
    set(m, 2, 0x59);
    set(m, 0, 0x58);
    fake_advance(m, 5 * SECOND);
    CHECK_STR(shown(m), "1999-12-31 23:59:58");
    CHECK_EQ(get(m, A), 0x26);
    CHECK(fake_save_load(d));
    set(m, B, H24);
    CHECK_STR(shown(m), "1999-12-31 23:59:58");
    fake_advance(m, 699 * MS);
    CHECK_STR(shown(m), "1999-12-31 23:59:58");
    fake_advance(m, MS);
    CHECK_STR(shown(m), "1999-12-31 23:59:59");
    fake_advance(m, SECOND);
    CHECK_STR(shown(m), "2000-01-01 00:00:00");
    CHECK(fake_save_load(d));
    fake_reset(m, RESET_WARM);
    CHECK_STR(shown(m), "2000-01-01 00:00:00");
    fake_free(m);
}

TEST(format_changes_right_after_setting)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, B, SET | H24);
    set(m, 4, 0x12);
    set(m, 2, 0x34);
    set(m, B, H24);
    set(m, B, 0);
    CHECK_EQ(get(m, 4), 0x92); /* noon */
    set(m, B, H24 | BINARY);
    CHECK_EQ(get(m, 4), 12);
    CHECK_EQ(get(m, 2), 34);
    fake_advance(m, SECOND);
    CHECK_EQ(get(m, 4), 12);
    CHECK_EQ(get(m, 0), 1);
    fake_free(m);
}

TEST(setting_without_holding)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, 7, 0x31);
    fake_advance(m, SECOND);
    CHECK_STR(shown(m), "2026-01-31 00:00:01");
    /* The month first: February 31 must not become March 3 before the day arrives. */
    set(m, 8, 0x02);
    CHECK(fake_save_load(d));
    set(m, 7, 0x05);
    CHECK_STR(shown(m), "2026-02-05 00:00:01");
    fake_advance(m, SECOND);
    CHECK_STR(shown(m), "2026-02-05 00:00:02");
    set(m, 7, 0x31);
    fake_advance(m, SECOND);
    CHECK_STR(shown(m), "2026-03-03 00:00:03");
    for (unsigned i = 0; i < 10; i++) { /* nonsense is no danger */
        set(m, i, 0xff);
    }
    fake_advance(m, SECOND);
    CHECK(get(m, 0) < 0x60 && get(m, 8) <= 0x12 && get(m, 8) >= 1);
    for (unsigned i = 0; i < 10; i++) {
        set(m, i, 0);
    }
    set(m, CENTURY, 0);
    fake_advance(m, 2 * SECOND);
    CHECK(get(m, 8) >= 1 && get(m, 7) >= 1);
    fake_free(m);
}

TEST(update_in_progress)
{
    struct device *d;
    struct fake *m = machine(&d);

    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(get(m, A), 0x26);
        fake_advance(m, SECOND - 244000 - 1);
        CHECK_EQ(get(m, A), 0x26);
        fake_advance(m, 1);
        CHECK_EQ(get(m, A), 0xa6);
        fake_advance(m, 243999);
        CHECK_EQ(get(m, A), 0xa6);
        fake_advance(m, 1);
    }
    set(m, B, SET | H24);
    fake_advance(m, SECOND - 1000);
    CHECK_EQ(get(m, A), 0x26);
    fake_free(m);
}

TEST(divider_reset_sets_the_phase)
{
    struct device *d;
    struct fake *m = machine(&d);

    fake_advance(m, 800 * MS);
    set(m, A, 0x76);
    fake_advance(m, 7 * SECOND + 123 * MS);
    CHECK_STR(shown(m), "2026-01-01 00:00:00");
    CHECK(fake_save_load(d));
    set(m, A, 0x26);
    fake_advance(m, 499 * MS);
    CHECK_STR(shown(m), "2026-01-01 00:00:00");
    fake_advance(m, MS);
    CHECK_STR(shown(m), "2026-01-01 00:00:01");
    fake_advance(m, SECOND);
    CHECK_STR(shown(m), "2026-01-01 00:00:02");
    fake_free(m);
}

TEST(flags_without_interrupts)
{
    struct device *d;
    struct fake *m = machine(&d);

    get(m, C);
    fake_advance(m, 100 * MS);
    CHECK_EQ(get(m, C), 0x40); /* 1024 Hz */
    fake_advance(m, SECOND);
    CHECK_EQ(get(m, C), 0x50);
    CHECK_EQ(get(m, C), 0);
    set(m, A, 0x20);
    set(m, 1, 0x00);
    set(m, 3, 0x01);
    set(m, 5, 0xff);
    fake_advance(m, 50 * SECOND);
    CHECK_EQ(get(m, C), 0x10);
    fake_advance(m, 10 * SECOND);
    CHECK_EQ(get(m, C), 0x30);
    fake_advance(m, 59 * 60 * SECOND);
    CHECK_EQ(get(m, C), 0x10);
    fake_advance(m, 3600 * SECOND);
    CHECK_EQ(get(m, C), 0x30);
    CHECK_EQ(fake_irq_edges(d, 0), 0);
    fake_free(m);
}

TEST(periodic_interrupt)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, A, 0x2f); /* 2 Hz */
    set(m, B, H24 | PIE);
    fake_advance(m, 499 * MS);
    CHECK(!fake_irq(d, 0));
    fake_advance(m, MS);
    CHECK(fake_irq(d, 0));
    fake_advance(m, 2 * SECOND); /* unread: stays high, no more edges */
    CHECK_EQ(fake_irq_edges(d, 0), 1);
    CHECK(fake_save_load(d));
    CHECK_EQ(get(m, C), 0xd0);
    CHECK(!fake_irq(d, 0));
    fake_advance(m, 499 * MS);
    CHECK(!fake_irq(d, 0));
    CHECK(fake_save_load(d));
    fake_set_wall_clock(m, 1000 * SECOND); /* the host's clock steps back: the tick goes on */
    fake_advance(m, MS);
    CHECK(fake_irq(d, 0));
    CHECK_EQ(get(m, C) & 0xe0, 0xc0);
    set(m, A, 0x26);
    fake_advance(m, 0);
    unsigned edges = fake_irq_edges(d, 0);

    for (unsigned i = 0; i < 1024; i++) {
        fake_advance(m, SECOND / 1024 + 1);
        CHECK(get(m, C) & 0x80);
    }
    CHECK_EQ(fake_irq_edges(d, 0), edges + 1024);
    fake_reset(m, RESET_WARM);
    CHECK_EQ(get(m, B), H24);
    fake_advance(m, SECOND);
    CHECK(!fake_irq(d, 0));
    fake_free(m);
}

TEST(update_interrupt)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, A, 0x20);
    fake_advance(m, 250 * MS);
    set(m, B, H24 | UIE);
    fake_advance(m, 749 * MS);
    CHECK(!fake_irq(d, 0));
    CHECK(fake_save_load(d));
    fake_advance(m, MS);
    CHECK(fake_irq(d, 0));
    CHECK_EQ(get(m, A), 0x20);
    CHECK_EQ(get(m, 0), 1);
    CHECK_EQ(get(m, C), 0x90);
    fake_advance(m, SECOND);
    CHECK(fake_irq(d, 0));
    set(m, B, H24);
    CHECK(!fake_irq(d, 0));
    set(m, B, H24 | UIE); /* the flag still waits */
    CHECK(fake_irq(d, 0));
    fake_free(m);
}

TEST(alarm_interrupt)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, A, 0x20);
    set(m, 5, 0x23);
    set(m, 3, 0x10);
    set(m, 1, 0x05);
    set(m, B, H24 | AIE);
    fake_advance(m, (23 * 3600 + 10 * 60 + 5) * SECOND - 1);
    CHECK(!fake_irq(d, 0));
    CHECK(fake_save_load(d));
    fake_advance(m, 1);
    CHECK(fake_irq(d, 0));
    CHECK_EQ(get(m, C), 0xb0);
    fake_advance(m, 86399 * SECOND);
    CHECK(!fake_irq(d, 0));
    fake_advance(m, SECOND);
    CHECK(fake_irq(d, 0));
    get(m, C);
    set(m, 5, 0xc0); /* every hour, every minute, second 7 */
    set(m, 3, 0xff);
    set(m, 1, 0x07);
    fake_advance(m, 2 * SECOND);
    CHECK(fake_irq(d, 0));
    get(m, C);
    fake_advance(m, 59 * SECOND);
    CHECK(!fake_irq(d, 0));
    fake_advance(m, SECOND);
    CHECK(fake_irq(d, 0));
    get(m, C);
    /* The guest moves the clock to just before the alarm. */
    set(m, 0, 0x05);
    fake_advance(m, SECOND);
    CHECK(!fake_irq(d, 0));
    fake_advance(m, SECOND);
    CHECK(fake_irq(d, 0));
    get(m, C);
    set(m, 1, 0x75); /* never */
    fake_advance(m, 86400 * 2 * SECOND);
    CHECK(!fake_irq(d, 0));
    fake_free(m);
}

TEST(cmos_memory)
{
    struct device *d;
    struct fake *m = machine(&d);

    rtc_set_byte(d, CMOS_CPUS_MINUS_1, 3);
    rtc_set_byte(d, CMOS_SHUTDOWN_CODE, CMOS_SHUTDOWN_S3);
    CHECK_EQ(get(m, 0x5f), 3);
    CHECK_EQ(get(m, 0xdf), 3); /* bit 7 of the index is the NMI mask */
    CHECK_EQ(get(m, 0x0f), 0xfe);
    set(m, 0x0f, 0);
    set(m, 0x7f, 0x77);
    fake_reset(m, RESET_WARM);
    CHECK_EQ(get(m, 0x0f), 0);
    CHECK_EQ(get(m, 0x7f), 0x77);
    fake_reset(m, RESET_COLD);
    CHECK_EQ(get(m, 0x5f), 3);
    CHECK(fake_save_load(d));
    fake_free(m);
}

TEST(time_zones)
{
    struct fake *m = fake_new(4096);
    struct dev_error error = { "" };

    setenv("TZ", "XYZ-05:30", 1); /* ahead of UTC */
    fake_add(m, "cmos-rtc", (struct option_value[]){ { "base", "local" }, { NULL } });
    CHECK_STR(shown(m), "2026-01-01 05:30:00");
    CHECK(!fake_try_add(m, "cmos-rtc", (struct option_value[]){ { "base", "mars" }, { NULL } },
                        &error));
    CHECK(strstr(error.message, "utc or local") != NULL);
    fake_free(m);
}

TEST(host_clock_steps)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, B, H24 | UIE | AIE);
    fake_set_wall_clock(m, UINT64_C(4000000000) * SECOND);
    CHECK_EQ(get(m, 9), 0x96);
    fake_set_wall_clock(m, UINT64_C(1000000000) * SECOND);
    CHECK_STR(shown(m), "2001-09-09 01:46:40");
    get(m, C);
    fake_advance(m, SECOND);
    CHECK(fake_irq(d, 0));
    fake_free(m);
}

TEST_MAIN(T(registers_after_power_on), T(calendar), T(formats), T(setting_while_held),
          T(format_changes_right_after_setting), T(setting_without_holding), T(update_in_progress),
          T(divider_reset_sets_the_phase), T(flags_without_interrupts), T(periodic_interrupt),
          T(update_interrupt), T(alarm_interrupt), T(cmos_memory), T(time_zones),
          T(host_clock_steps))
