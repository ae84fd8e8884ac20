/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guest RAM: what is RAM and what is not. */
#include "memory/ram.h"
#include "config/config.h"
#include "test.h"

#define MIB UINT64_C(0x100000)

static void ram_make(struct ram *ram, uint64_t size)
{
    g_autoptr(GError) error = NULL;

    if (!ram_init(ram, size, &error)) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
}

TEST(small_memory_lies_below)
{
    struct ram ram;
    size_t n = 100;

    ram_make(&ram, 64 * MIB);
    CHECK_EQ(ram.low_size, 64 * MIB);
    CHECK_EQ(ram.high_size, 0);
    CHECK_EQ((uintptr_t)ram.low % (2 * MIB), 0);
    CHECK(ram_at(&ram, 0, &n) == ram.low);
    CHECK_EQ(n, 100);
    CHECK(!ram_at(&ram, 64 * MIB, &n));
    CHECK_EQ(n, 0);
    n = 100;
    CHECK(ram_at(&ram, 64 * MIB - 10, &n) == ram.low + 64 * MIB - 10);
    CHECK_EQ(n, 10);
    ram_destroy(&ram);
    ram_destroy(&ram); /* nothing left */
}

TEST(large_memory_is_split)
{
    struct ram ram;
    size_t n = 8;

    ram_make(&ram, 5 * 1024 * MIB);
    CHECK_EQ(ram.low_size, 2 * 1024 * MIB);
    CHECK_EQ(ram.high_size, 3 * 1024 * MIB);
    CHECK(ram_at(&ram, RAM_HIGH_BASE, &n) == ram.high);
    n = 8;
    CHECK(!ram_at(&ram, 2 * 1024 * MIB, &n));
    n = 100;
    CHECK(ram_at(&ram, RAM_HIGH_BASE + ram.high_size - 1, &n) == ram.high + ram.high_size - 1);
    CHECK_EQ(n, 1);
    CHECK(!ram_at(&ram, RAM_HIGH_BASE + ram.high_size, &n));
    n = 1;
    CHECK(!ram_at(&ram, UINT64_MAX, &n));
    ram_destroy(&ram);
}

TEST(the_display_is_no_ram)
{
    struct ram ram;
    size_t n = 4096;
    uint8_t bytes[16] = { 0 };

    ram_make(&ram, 16 * MIB);
    CHECK(ram_at(&ram, RAM_VGA_START - 16, &n) == ram.low + RAM_VGA_START - 16);
    CHECK_EQ(n, 16);
    n = 1;
    CHECK(!ram_at(&ram, RAM_VGA_START, &n));
    n = 1;
    CHECK(!ram_at(&ram, RAM_VGA_END - 1, &n));
    n = 1;
    CHECK(ram_at(&ram, RAM_VGA_END, &n) == ram.low + RAM_VGA_END);
    CHECK(ram_write(&ram, RAM_VGA_START - 16, bytes, 16));
    CHECK(!ram_write(&ram, RAM_VGA_START - 15, bytes, 16));
    CHECK(!ram_read(&ram, RAM_VGA_START - 15, bytes, 16));
    ram_destroy(&ram);
}

TEST(copies_arrive)
{
    struct ram ram;
    uint32_t out = 0x12345678, in = 0;

    ram_make(&ram, 4096 * MIB);
    CHECK(ram_write(&ram, RAM_HIGH_BASE + 5, &out, sizeof(out)));
    CHECK(ram_read(&ram, RAM_HIGH_BASE + 5, &in, sizeof(in)));
    CHECK_EQ(in, out);
    CHECK(!ram_read(&ram, 0xfee00000, &in, sizeof(in)));
    ram_destroy(&ram);
}

TEST(discarded_pages_are_zero)
{
    struct ram ram;
    uint8_t byte;

    ram_make(&ram, 4096 * MIB);
    memset(ram.low + MIB, 0x77, 16384);
    memset(ram.high, 0x77, 8192);
    ram_discard(&ram, MIB + 1, 8192 + 4095); /* whole pages only */
    CHECK_EQ(ram.low[MIB + 4095], 0x77);
    CHECK_EQ(ram.low[MIB + 4096] | ram.low[MIB + 12287], 0);
    CHECK_EQ(ram.low[MIB + 12288], 0x77);
    ram_discard(&ram, RAM_HIGH_BASE - 4096, 8192); /* no RAM at its start: nothing */
    CHECK_EQ(ram.high[0], 0x77);
    ram_discard(&ram, RAM_HIGH_BASE, 4096);
    CHECK(ram_read(&ram, RAM_HIGH_BASE, &byte, 1) && byte == 0);
    CHECK_EQ(ram.high[4096], 0x77);
    ram_discard(&ram, UINT64_MAX - 4096, 8192); /* beyond the last address */
    ram_discard(&ram, UINT64_C(1) << 45, 4096);
    ram_destroy(&ram);
}

TEST(too_much_is_refused_with_a_sentence)
{
    struct ram ram;
    g_autoptr(GError) error = NULL;

    CHECK(!ram_init(&ram, UINT64_C(1) << 50, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_NO_SPACE));
    CHECK(strstr(error->message, "Choose less memory") != NULL);
}

TEST_MAIN(T(small_memory_lies_below), T(large_memory_is_split), T(the_display_is_no_ram),
          T(copies_arrive), T(discarded_pages_are_zero), T(too_much_is_refused_with_a_sentence))
