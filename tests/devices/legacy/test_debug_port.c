/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_machine.h"
#include "test.h"

static void print(struct fake *m, const char *text)
{
    for (; *text; text++) {
        fake_out(m, 0x402, 1, (uint8_t)*text);
    }
}

TEST(answers_and_prints_lines)
{
    struct fake *m = fake_new(4096);
    struct device *d = fake_add(m, "debug-port", NULL);

    CHECK_EQ(fake_in(m, 0x402, 1), 0xe9);
    print(m, "SeaBIOS");
    CHECK_STR(fake_char_output(d, 0), "");
    CHECK(fake_save_load(d));
    print(m, " 1.16\nnext");
    CHECK_STR(fake_char_output(d, 0), "SeaBIOS 1.16\n");
    fake_reset(m, RESET_WARM);
    CHECK_STR(fake_char_output(d, 0), "next");
    fake_free(m);
}

TEST(long_lines_come_in_pieces)
{
    struct fake *m = fake_new(4096);
    struct device *d = fake_add(m, "debug-port", NULL);
    size_t got = 0;

    for (unsigned i = 0; i < 1000; i++) {
        print(m, "x");
        got += strlen(fake_char_output(d, 0));
        CHECK(i + 1 - got < 256);
        CHECK(i % 100 != 0 || fake_save_load(d));
    }
    print(m, "\n");
    CHECK_EQ(got + strlen(fake_char_output(d, 0)), 1001);
    fake_free(m);
}

TEST(can_be_absent)
{
    struct fake *m = fake_new(4096);
    struct device *d =
        fake_add(m, "debug-port", (struct option_value[]){ { "enabled", "false" }, { NULL } });

    CHECK_EQ(fake_in(m, 0x402, 1), 0xff);
    print(m, "nobody\n");
    CHECK_STR(fake_char_output(d, 0), "");
    fake_free(m);
}

TEST_MAIN(T(answers_and_prints_lines), T(long_lines_come_in_pieces), T(can_be_absent))
