/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_machine.h"
#include "test.h"

#define BASE UINT64_C(0xffc00000)
#define MS   UINT64_C(1000000)

enum {
    SIZE = 0x84000,
};

static struct fake *machine(struct device **flash)
{
    struct fake *m = fake_new(4096);

    *flash = fake_add(m, "flash", NULL);
    memset(dev_memory(*flash, 0, NULL), 0xff, SIZE);
    return m;
}

static uint8_t get(struct fake *m, uint64_t offset)
{
    return (uint8_t)fake_read(m, BASE + offset, 1);
}

static void set(struct fake *m, uint64_t offset, uint8_t value)
{
    fake_write(m, BASE + offset, 1, value);
}

static void program(struct fake *m, uint64_t offset, uint8_t value)
{
    set(m, offset, 0x10);
    set(m, offset, value);
}

TEST(as_ovmf_probes_it)
{
    struct device *d;
    struct fake *m = machine(&d);
    uint8_t *bytes = dev_memory(d, 0, NULL);

    bytes[0x10] = 0x8d;
    CHECK_EQ(get(m, 0x10), 0x8d);
    set(m, 0x10, 0x50);
    CHECK_EQ(get(m, 0x10), 0x8d); /* RAM would show 50 */
    set(m, 0x10, 0x70);
    CHECK_EQ(get(m, 0x10), 0x00); /* ROM would show its content */
    CHECK(fake_save_load(d));
    set(m, 0x10, 0xff);
    CHECK_EQ(get(m, 0x10), 0x8d);
    CHECK_EQ(fake_guest_errors(d), 0);
    CHECK_EQ(fake_synced(d, 0), 0);
    fake_free(m);
}

TEST(window_follows_the_mode)
{
    struct device *d;
    struct fake *m = machine(&d);

    CHECK_EQ(fake_window_base(d, 0), BASE);
    CHECK_EQ(fake_window_length(d, 0), SIZE);
    set(m, 0, 0x70);
    CHECK_EQ(fake_window_base(d, 0), REGION_UNPLACED);
    set(m, 0, 0x50);
    CHECK_EQ(fake_window_base(d, 0), BASE);
    set(m, 0, 0x90);
    CHECK_EQ(fake_window_base(d, 0), REGION_UNPLACED);
    CHECK_EQ(get(m, 0), 0x89);
    CHECK_EQ(get(m, 1), 0x18);
    CHECK_EQ(get(m, 2), 0);
    fake_reset(m, RESET_WARM);
    CHECK_EQ(fake_window_base(d, 0), BASE);
    CHECK_EQ(get(m, 0), 0xff);
    fake_free(m);
}

TEST(programs)
{
    struct device *d;
    struct fake *m = machine(&d);

    for (unsigned i = 0; i < 5000; i++) { /* a run across a block boundary */
        program(m, 0x800 + i, (uint8_t)i);
    }
    CHECK_EQ(get(m, 0x800), 0x80); /* status until the array is asked for */
    CHECK_EQ(fake_synced(d, 0), 0);
    CHECK(fake_save_load(d));
    set(m, 0x800 + 4999, 0xff);
    CHECK_EQ(fake_synced(d, 0), 2 * 4096);
    for (unsigned i = 0; i < 5000; i++) {
        CHECK_EQ(get(m, 0x800 + i), i & 0xff);
    }
    set(m, 0x4000, 0x40);
    CHECK(fake_save_load(d));
    fake_write(m, BASE + 0x4000, 4, 0x44332211); /* wider: all of it */
    set(m, 0, 0x00);
    CHECK_EQ(fake_read(m, BASE + 0x4000, 4), 0x44332211);
    CHECK_EQ(fake_synced(d, 0), 3 * 4096);
    set(m, 0, 0x70);
    CHECK_EQ(get(m, 0), 0x80);
    set(m, 0, 0x50);
    set(m, 0, 0x70);
    CHECK_EQ(get(m, 0), 0x00);
    fake_free(m);
}

TEST(erases)
{
    struct device *d;
    struct fake *m = machine(&d);
    uint8_t *bytes = dev_memory(d, 0, NULL);

    memset(bytes, 0x11, SIZE);
    set(m, SIZE - 1, 0x20);
    set(m, SIZE - 1, 0xd0);
    CHECK_EQ(get(m, 0), 0x80);
    set(m, 0, 0xff);
    CHECK_EQ(bytes[SIZE - 4097], 0x11);
    for (unsigned i = 1; i <= 4096; i++) {
        CHECK_EQ(bytes[SIZE - i], 0xff);
    }
    CHECK_EQ(fake_synced(d, 0), 4096);
    set(m, 0, 0x20);
    set(m, 0, 0x33);
    CHECK_EQ(get(m, 0), 0xb0); /* a wrong sequence is both errors */
    CHECK_EQ(fake_guest_errors(d), 1);
    set(m, 0, 0x50);
    CHECK_EQ(get(m, 0), 0x11);
    fake_free(m);
}

TEST(is_durable_in_the_end)
{
    struct device *d;
    struct fake *m = machine(&d);

    program(m, 0x1000, 1);
    program(m, 0x3000, 2);
    fake_advance(m, 99 * MS);
    CHECK_EQ(fake_synced(d, 0), 0);
    fake_advance(m, MS);
    CHECK_EQ(fake_synced(d, 0), 2 * 4096); /* the guest stays in status mode */
    fake_advance(m, 1000 * MS);
    set(m, 0, 0xff);
    CHECK_EQ(fake_synced(d, 0), 2 * 4096);
    program(m, 0x1000, 3);
    fake_reset(m, RESET_WARM);
    CHECK_EQ(fake_synced(d, 0), 3 * 4096);
    CHECK_EQ(get(m, 0x1000), 3);
    fake_free(m);
}

TEST(read_only)
{
    struct fake *m = fake_new(4096);
    struct device *d = fake_add(
        m, "flash",
        (struct option_value[]){
            { "read-only", "true" }, { "base", "0xffc84000" }, { "size", "0x37c000" }, { NULL } });
    uint64_t base = UINT64_C(0xffc84000);

    fake_write(m, base, 1, 0x50);
    fake_write(m, base + 8, 1, 0x10);
    fake_write(m, base + 8, 1, 0xaa);
    CHECK_EQ(fake_read(m, base, 1), 0x92);
    fake_write(m, base, 1, 0x50);
    fake_write(m, base, 1, 0x20);
    fake_write(m, base, 1, 0xd0);
    CHECK_EQ(fake_read(m, base, 1), 0xa2);
    fake_write(m, base, 1, 0xff);
    CHECK_EQ(fake_read(m, base + 8, 1), 0);
    CHECK_EQ(fake_synced(d, 0), 0);
    CHECK_EQ(fake_guest_errors(d), 2);
    fake_free(m);
}

TEST(cfi)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, 0x55, 0x98);
    CHECK_EQ(get(m, 0x10), 'Q');
    CHECK_EQ(get(m, 0x11), 'R');
    CHECK_EQ(get(m, 0x12), 'Y');
    CHECK_EQ(fake_read(m, BASE + 0x13, 2), 1);
    CHECK_EQ(get(m, 0x27), 20); /* 528 KiB fit into 1 MiB */
    CHECK_EQ(get(m, 0x2c), 1);
    CHECK_EQ(fake_read(m, BASE + 0x2d, 2), SIZE / 4096 - 1);
    CHECK_EQ(fake_read(m, BASE + 0x2f, 2), 16);
    CHECK_EQ(get(m, 0x31), 0);
    CHECK_EQ(get(m, SIZE - 1), 0);
    fake_free(m);
}

TEST(ends_at_its_size)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, 0, 0x70);
    CHECK_EQ(get(m, SIZE - 1), 0x80);
    CHECK_EQ(get(m, SIZE), 0xff);
    CHECK_EQ(fake_read(m, BASE + SIZE - 2, 4), 0xffff8080);
    set(m, SIZE, 0xff);
    CHECK_EQ(get(m, 0), 0x80); /* that was no command */
    set(m, 0, 0x60);
    CHECK_EQ(fake_guest_errors(d), 1);
    CHECK_EQ(get(m, 0), 0xff);
    fake_free(m);
}

TEST(bad_options)
{
    static const struct option_value bad[][2] = {
        { { "size", "4097" }, { NULL } },
        { { "size", "0" }, { NULL } },
        { { "size", "8388608" }, { NULL } },
        { { "base", "0xffc00100" }, { NULL } },
    };
    struct fake *m = fake_new(4096);

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct dev_error error = { "" };

        CHECK(!fake_try_add(m, "flash", bad[i], &error));
        CHECK(strstr(error.message, bad[i][0].name) != NULL);
    }
    fake_free(m);
}

TEST_MAIN(T(as_ovmf_probes_it), T(window_follows_the_mode), T(programs), T(erases),
          T(is_durable_in_the_end), T(read_only), T(cfi), T(ends_at_its_size), T(bad_options))
