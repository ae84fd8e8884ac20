/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hpet.h"

#include "fake_machine.h"
#include "test.h"

#define MS UINT64_C(1000000)

enum {
    ID = 0x000,
    CONFIG = 0x010,
    STATUS = 0x020,
    COUNTER = 0x0f0,

    ENABLE = 1,
    LEGACY = 2,

    LEVEL = 0x2,
    INTERRUPT = 0x4,
    PERIODIC = 0x8,
    SET_VALUE = 0x40,
    BITS_32 = 0x100,
};

static uint64_t get(struct fake *m, unsigned offset, unsigned size)
{
    return fake_read(m, HPET_BASE + offset, size);
}

static void set(struct fake *m, unsigned offset, unsigned size, uint64_t value)
{
    fake_write(m, HPET_BASE + offset, size, value);
}

static unsigned timer_config(unsigned n)
{
    return 0x100 + 0x20 * n;
}

static unsigned comparator(unsigned n)
{
    return 0x108 + 0x20 * n;
}

static unsigned route(unsigned input)
{
    return input << 9;
}

static struct fake *machine(struct device **hpet)
{
    struct fake *m = fake_new(4096);

    *hpet = fake_add(m, "hpet", NULL);
    return m;
}

TEST(registers)
{
    struct device *d;
    struct fake *m = machine(&d);

    CHECK_EQ(get(m, ID, 8), UINT64_C(0x009896808086a201));
    CHECK_EQ(get(m, ID + 4, 4), 10000000); /* femtoseconds */
    CHECK_EQ(get(m, CONFIG, 8), 0);
    CHECK_EQ(get(m, timer_config(0), 8), UINT64_C(0x00ff010400000030));
    CHECK_EQ(get(m, comparator(2), 8), UINT64_MAX);
    CHECK_EQ(get(m, timer_config(3), 8), 0);
    CHECK_EQ(get(m, 0x3f8, 8), 0);
    set(m, timer_config(1), 4, 0xffffffff & ~SET_VALUE); /* route 31 does not exist */
    CHECK_EQ(get(m, timer_config(1), 4), 0x013e);
    set(m, timer_config(1), 4, route(20));
    CHECK_EQ(get(m, timer_config(1), 4), route(20) | 0x30);
    set(m, timer_config(1), 4, route(5));
    CHECK_EQ(get(m, timer_config(1), 4), route(20) | 0x30);
    set(m, comparator(1), 4, 0x11111111);
    set(m, comparator(1) + 4, 4, 0x22222222);
    CHECK_EQ(get(m, comparator(1), 8), UINT64_C(0x2222222211111111));
    set(m, timer_config(1), 4, BITS_32);
    CHECK_EQ(get(m, comparator(1), 8), 0x11111111);
    CHECK_EQ(fake_guest_errors(d), 0);
    set(m, ID, 8, 0);
    set(m, 0x110, 8, 1); /* messages are not offered */
    CHECK_EQ(fake_guest_errors(d), 2);
    CHECK(fake_save_load(d));
    fake_reset(m, RESET_WARM);
    CHECK_EQ(get(m, timer_config(1), 4), 0x30);
    fake_free(m);
}

TEST(main_counter)
{
    struct device *d;
    struct fake *m = machine(&d);

    fake_advance(m, 5 * MS);
    CHECK_EQ(get(m, COUNTER, 8), 0);
    set(m, COUNTER, 8, 1000);
    set(m, CONFIG, 4, ENABLE);
    CHECK_EQ(get(m, COUNTER, 8), 1000);
    fake_advance(m, 1234567);
    CHECK_EQ(get(m, COUNTER, 8), 1000 + 123456);
    set(m, COUNTER, 8, 7); /* not while it runs */
    CHECK_EQ(fake_guest_errors(d), 1);
    CHECK(fake_save_load(d));
    set(m, CONFIG, 4, 0);
    fake_advance(m, MS);
    CHECK_EQ(get(m, COUNTER, 4), 1000 + 123456);
    CHECK(fake_save_load(d));
    set(m, COUNTER, 4, 0xffffffff);
    set(m, COUNTER + 4, 4, 1);
    set(m, CONFIG, 8, ENABLE);
    fake_advance(m, 10);
    CHECK_EQ(get(m, COUNTER, 8), UINT64_C(0x200000000));
    CHECK_EQ(get(m, COUNTER + 4, 4), 2);
    fake_free(m);
}

TEST(one_shot)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, CONFIG, 4, ENABLE);
    set(m, timer_config(0), 4, INTERRUPT | route(16));
    fake_advance(m, 10 * MS);
    CHECK_EQ(fake_irq_edges(d, 16), 0); /* the value after reset is not one that has passed */
    set(m, comparator(0), 8, get(m, COUNTER, 8) + 1000);
    fake_advance(m, 9999);
    CHECK_EQ(fake_irq_edges(d, 16), 0);
    CHECK(fake_save_load(d));
    fake_advance(m, 1);
    CHECK_EQ(fake_irq_edges(d, 16), 1);
    CHECK(!fake_irq(d, 16));
    CHECK_EQ(get(m, STATUS, 4), 0);
    fake_advance(m, 1000 * MS);
    CHECK_EQ(fake_irq_edges(d, 16), 1);
    set(m, timer_config(0), 4, 0); /* what has fired does not fire again */
    set(m, timer_config(0), 4, INTERRUPT | route(16));
    fake_run(m);
    CHECK_EQ(fake_irq_edges(d, 16), 1);
    set(m, comparator(0), 8, get(m, COUNTER, 8) - 5); /* just missed: at once */
    fake_run(m);
    CHECK_EQ(fake_irq_edges(d, 16), 2);
    set(m, comparator(0), 8, get(m, COUNTER, 8) + 100);
    set(m, timer_config(0), 4, 0); /* off: no interrupt, no timer */
    fake_advance(m, MS);
    CHECK_EQ(fake_irq_edges(d, 16), 2);
    fake_free(m);
}

TEST(one_shot_of_32_bits_comes_around)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, COUNTER, 8, UINT64_C(0x5fffffff0));
    set(m, timer_config(2), 4, INTERRUPT | BITS_32 | route(23));
    set(m, comparator(2), 4, 0x10);
    set(m, CONFIG, 4, ENABLE);
    fake_advance(m, 319);
    CHECK_EQ(fake_irq_edges(d, 23), 0);
    fake_advance(m, 1);
    CHECK_EQ(fake_irq_edges(d, 23), 1);
    fake_advance(m, (UINT64_C(10) << 32) - 1);
    CHECK_EQ(fake_irq_edges(d, 23), 1);
    fake_advance(m, 1);
    CHECK_EQ(fake_irq_edges(d, 23), 2);
    fake_free(m);
}

TEST(level_triggered)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, CONFIG, 4, ENABLE);
    set(m, timer_config(1), 4, INTERRUPT | LEVEL | route(17));
    set(m, comparator(1), 8, 100);
    fake_advance(m, 1000);
    CHECK(fake_irq(d, 17));
    CHECK_EQ(get(m, STATUS, 8), 2);
    CHECK(fake_save_load(d));
    set(m, STATUS, 4, 5);
    CHECK(fake_irq(d, 17));
    set(m, timer_config(1), 4, INTERRUPT | LEVEL | route(18)); /* moves with its route */
    CHECK(!fake_irq(d, 17) && fake_irq(d, 18));
    set(m, timer_config(2), 4, INTERRUPT | LEVEL | route(18));
    set(m, comparator(2), 8, get(m, COUNTER, 8));
    fake_run(m);
    CHECK_EQ(get(m, STATUS, 4), 6);
    set(m, STATUS, 4, 2);
    CHECK(fake_irq(d, 18)); /* shared */
    set(m, STATUS, 4, 4);
    CHECK(!fake_irq(d, 18));
    set(m, comparator(1), 8, get(m, COUNTER, 8));
    fake_run(m);
    CHECK(fake_irq(d, 18));
    set(m, CONFIG, 4, 0);
    CHECK(!fake_irq(d, 18));
    fake_free(m);
}

TEST(periodic)
{
    struct device *d;
    struct fake *m = machine(&d);

    /* As Linux sets it up: 1 kHz. */
    set(m, CONFIG, 4, ENABLE);
    fake_advance(m, 3 * MS);
    set(m, timer_config(0), 4, INTERRUPT | PERIODIC | SET_VALUE | BITS_32 | route(2));
    set(m, comparator(0), 4, get(m, COUNTER, 4) + 100000);
    CHECK_EQ(get(m, timer_config(0), 4) & SET_VALUE, 0);
    set(m, comparator(0), 4, 100000);
    CHECK_EQ(get(m, comparator(0), 4), 400000);
    fake_advance(m, MS - 1);
    CHECK_EQ(fake_irq_edges(d, 0), 0);
    fake_advance(m, 1);
    CHECK_EQ(fake_irq_edges(d, 0), 1); /* input 2 of the IOAPIC is ISA interrupt 0 */
    CHECK_EQ(get(m, comparator(0), 4), 500000);
    for (unsigned i = 0; i < 5; i++) {
        fake_advance(m, 10 * MS);
        CHECK(fake_save_load(d));
    }
    CHECK_EQ(fake_irq_edges(d, 0), 51);
    set(m, CONFIG, 4, 0);
    fake_advance(m, 10 * MS);
    CHECK_EQ(fake_irq_edges(d, 0), 51);
    set(m, CONFIG, 4, ENABLE);
    fake_advance(m, 10 * MS);
    CHECK_EQ(fake_irq_edges(d, 0), 61);
    set(m, comparator(0), 4, 200000); /* the period only */
    fake_advance(m, 20 * MS);
    CHECK(fake_irq_edges(d, 0) >= 70 && fake_irq_edges(d, 0) <= 72);
    fake_free(m);
}

TEST(absurd_periods)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, CONFIG, 4, ENABLE);
    set(m, timer_config(0), 4, INTERRUPT | PERIODIC | route(16));
    fake_advance(m, MS); /* no period: nothing */
    CHECK_EQ(fake_irq_edges(d, 16), 0);
    set(m, comparator(0), 8, 1); /* 10 ns: as fast as the device is willing */
    fake_advance(m, 10 * MS);
    CHECK(fake_irq_edges(d, 16) > 100 && fake_irq_edges(d, 16) <= 201);
    set(m, comparator(0), 8, UINT64_MAX);
    fake_advance(m, 10 * MS);
    set(m, timer_config(0), 4, INTERRUPT | PERIODIC | BITS_32 | route(16));
    set(m, comparator(0), 8, UINT64_C(0x500000000)); /* no period in 32 bits */
    fake_advance(m, 10 * MS);
    CHECK(fake_save_load(d));
    fake_free(m);
}

TEST(legacy_replacement)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, timer_config(0), 4, INTERRUPT | route(16));
    set(m, timer_config(1), 4, INTERRUPT | route(17));
    set(m, timer_config(2), 4, INTERRUPT | route(18));
    for (unsigned n = 0; n < 3; n++) {
        set(m, comparator(n), 8, 100);
    }
    set(m, CONFIG, 4, ENABLE | LEGACY);
    CHECK(fake_irq(d, HPET_OUTPUT_LEGACY));
    CHECK(fake_save_load(d));
    CHECK(fake_irq(d, HPET_OUTPUT_LEGACY));
    fake_advance(m, 1000);
    CHECK_EQ(fake_irq_edges(d, 0), 1);
    CHECK_EQ(fake_irq_edges(d, 8), 1);
    CHECK_EQ(fake_irq_edges(d, 18), 1);
    CHECK_EQ(fake_irq_edges(d, 16) + fake_irq_edges(d, 17), 0);
    set(m, CONFIG, 4, ENABLE);
    CHECK(!fake_irq(d, HPET_OUTPUT_LEGACY));
    fake_reset(m, RESET_WARM);
    CHECK_EQ(get(m, CONFIG, 4), 0);
    CHECK_EQ(get(m, COUNTER, 8), 0);
    fake_free(m);
}

TEST_MAIN(T(registers), T(main_counter), T(one_shot), T(one_shot_of_32_bits_comes_around),
          T(level_triggered), T(periodic), T(absurd_periods), T(legacy_replacement))
