/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_machine.h"
#include "input.h"
#include "test.h"

enum {
    KEYBOARD = 0, /* interrupt outputs */
    MOUSE = 1,

    KEY_A = 30,
    KEY_LEFTCTRL = 29,
    KEY_LEFTSHIFT = 42,
    KEY_LEFTALT = 56,
    KEY_SYSRQ = 99,
    KEY_UP = 103,
    KEY_PAUSE = 119,
    KEY_MUTE = 113,
};

static struct fake *machine(struct device **i8042)
{
    struct fake *m = fake_new(4096);

    *i8042 = fake_add(m, "i8042", NULL);
    return m;
}

static void key(struct device *d, uint16_t code, bool down)
{
    d->class->input->key(d, code, down);
}

static void pointer(struct device *d, int dx, int dy, int wheel, unsigned buttons)
{
    struct pointer_event event = { .dx = dx, .dy = dy, .wheel = wheel, .buttons = buttons };

    d->class->input->pointer(d, &event);
}

/* All that waits at the data port, as hexadecimal text; bytes of the mouse have an m before them.
 */
static const char *drain(struct fake *m)
{
    static char text[1024];
    size_t n = 0;

    text[0] = '\0';
    for (;;) {
        unsigned status = (unsigned)fake_in(m, 0x64, 1);

        if (!(status & 1) || n > sizeof(text) - 8) {
            return text;
        }
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s%02x", n ? " " : "",
                              status & 0x20 ? "m" : "", (unsigned)fake_in(m, 0x60, 1));
    }
}

static const char *controller(struct fake *m, uint8_t command)
{
    fake_out(m, 0x64, 1, command);
    return drain(m);
}

static const char *keyboard(struct fake *m, uint8_t byte)
{
    fake_out(m, 0x60, 1, byte);
    return drain(m);
}

static const char *mouse(struct fake *m, uint8_t byte)
{
    fake_out(m, 0x64, 1, 0xd4);
    fake_out(m, 0x60, 1, byte);
    return drain(m);
}

static void configure(struct fake *m, uint8_t config)
{
    fake_out(m, 0x64, 1, 0x60);
    fake_out(m, 0x60, 1, config);
}

TEST(controller_commands)
{
    struct device *d;
    struct fake *m = machine(&d);

    CHECK_EQ(fake_in(m, 0x64, 1), 0x18);
    CHECK_STR(controller(m, 0xaa), "55");
    CHECK_EQ(fake_in(m, 0x64, 1), 0x1c);
    CHECK_STR(controller(m, 0xab), "00");
    CHECK_STR(controller(m, 0xa9), "00");
    CHECK_STR(controller(m, 0xa4), "f1");
    CHECK_STR(controller(m, 0xc0), "80");
    CHECK_STR(controller(m, 0x20), "47");
    CHECK_STR(controller(m, 0xad), "");
    CHECK_STR(controller(m, 0xa7), "");
    CHECK_STR(controller(m, 0x20), "77");
    controller(m, 0xae);
    controller(m, 0xa8);
    CHECK_STR(controller(m, 0x20), "47");
    configure(m, 0x61);
    CHECK_EQ(fake_in(m, 0x64, 1), 0x10); /* the last write was data; the system flag is gone */
    CHECK_STR(controller(m, 0x20), "61");
    fake_out(m, 0x64, 1, 0x7f);
    fake_out(m, 0x60, 1, 0x5a);
    CHECK_STR(controller(m, 0x3f), "5a");
    CHECK_STR(controller(m, 0xd0), "cf");
    controller(m, 0xdd);
    CHECK_STR(controller(m, 0xd0), "cd");
    controller(m, 0xdf);
    CHECK_STR(controller(m, 0xd0), "cf");
    unsigned errors = fake_guest_errors(d);

    CHECK_STR(controller(m, 0x99), "");
    CHECK_EQ(fake_guest_errors(d), errors + 1);
    CHECK(fake_save_load(d));
    fake_free(m);
}

TEST(resets)
{
    struct device *d;
    struct fake *m = machine(&d);

    controller(m, 0xff);
    controller(m, 0xf1);
    fake_out(m, 0x64, 1, 0xd1);
    fake_out(m, 0x60, 1, 0x03);
    CHECK_EQ(fake_requests(m, REQUEST_RESET), 0);
    controller(m, 0xfe);
    CHECK_EQ(fake_requests(m, REQUEST_RESET), 1);
    controller(m, 0xf0);
    CHECK_EQ(fake_requests(m, REQUEST_RESET), 2);
    fake_out(m, 0x64, 1, 0xd1);
    fake_out(m, 0x60, 1, 0x02);
    CHECK_EQ(fake_requests(m, REQUEST_RESET), 3);
    key(d, KEY_A, true);
    fake_reset(m, RESET_WARM);
    CHECK_STR(drain(m), "");
    CHECK_STR(controller(m, 0x20), "43");
    fake_free(m);
}

TEST(loop_back)
{
    struct device *d;
    struct fake *m = machine(&d);

    for (unsigned i = 0; i < 256; i++) {
        char expected[8];

        fake_out(m, 0x64, 1, 0xd3);
        fake_out(m, 0x60, 1, i);
        CHECK(fake_irq(d, MOUSE) && !fake_irq(d, KEYBOARD));
        snprintf(expected, sizeof(expected), "m%02x", i);
        CHECK_STR(drain(m), expected);
        fake_out(m, 0x64, 1, 0xd2);
        fake_out(m, 0x60, 1, i);
        CHECK(fake_irq(d, KEYBOARD) && !fake_irq(d, MOUSE));
        CHECK_STR(drain(m), expected + 1);
    }
    CHECK_EQ(fake_irq_edges(d, MOUSE), 256);
    fake_free(m);
}

TEST(as_seabios_starts_it)
{
    struct device *d;
    struct fake *m = machine(&d);

    drain(m);
    controller(m, 0xad);
    controller(m, 0xa7);
    drain(m);
    CHECK_STR(controller(m, 0xaa), "55");
    CHECK_STR(controller(m, 0xab), "00");
    CHECK_STR(keyboard(m, 0xff), "fa aa");
    CHECK_STR(keyboard(m, 0xf5), "fa");
    CHECK_STR(keyboard(m, 0xf0), "fa");
    CHECK_STR(keyboard(m, 0x02), "fa");
    configure(m, 0x61);
    CHECK_STR(keyboard(m, 0xf4), "fa");
    key(d, KEY_A, true);
    CHECK(fake_irq(d, KEYBOARD));
    key(d, KEY_A, false);
    CHECK_STR(drain(m), "1e 9e");
    CHECK(!fake_irq(d, KEYBOARD));
    CHECK_EQ(fake_in(m, 0x60, 1), 0x9e); /* the last byte stays in the register */
    fake_free(m);
}

TEST(keyboard_commands)
{
    struct device *d;
    struct fake *m = machine(&d);

    configure(m, 0x03);
    CHECK_STR(keyboard(m, 0xee), "ee");
    CHECK_STR(keyboard(m, 0xf2), "fa ab 83");
    CHECK_STR(keyboard(m, 0xed), "fa");
    CHECK_EQ(fake_input_changes(d), 0);
    CHECK_STR(keyboard(m, 0x06), "fa");
    CHECK_EQ(d->class->input->leds(d), 6);
    CHECK_EQ(fake_input_changes(d), 1);
    CHECK_STR(keyboard(m, 0xf3), "fa");
    CHECK_STR(keyboard(m, 0x2b), "fa");
    CHECK_STR(keyboard(m, 0xf0), "fa");
    CHECK_STR(keyboard(m, 0x00), "fa 02");
    CHECK_STR(keyboard(m, 0xf0), "fa");
    CHECK_STR(keyboard(m, 0x01), "fa");
    CHECK_STR(keyboard(m, 0xf0), "fa");
    CHECK_STR(keyboard(m, 0x00), "fa 01");
    key(d, KEY_A, true);
    CHECK_STR(drain(m), "1e");
    CHECK_STR(keyboard(m, 0xfe), "1e");
    CHECK_STR(keyboard(m, 0xf0), "fa");
    CHECK_STR(keyboard(m, 0x03), "fe");
    CHECK_STR(keyboard(m, 0xf8), "fa");
    CHECK_STR(keyboard(m, 0xf1), "fe");
    CHECK_STR(keyboard(m, 0xfb), "fe");
    CHECK_STR(keyboard(m, 0x17), "fe");
    CHECK_STR(keyboard(m, 0xed), "fa");
    CHECK_STR(keyboard(m, 0xf4), "fa"); /* a command takes the place of the argument */
    CHECK_EQ(d->class->input->leds(d), 6);
    CHECK_EQ(fake_input_changes(d), 1);
    CHECK_STR(keyboard(m, 0xf6), "fa");
    CHECK_EQ(d->class->input->leds(d), 0);
    CHECK_EQ(fake_input_changes(d), 2);
    configure(m, 0x43);
    CHECK_STR(keyboard(m, 0xf2), "fa ab 41"); /* as the translation leaves it */
    CHECK_STR(keyboard(m, 0xf5), "fa");
    CHECK(!d->class->input->ready(d));
    key(d, KEY_A, true);
    CHECK_STR(drain(m), "");
    CHECK_STR(keyboard(m, 0xf4), "fa");
    CHECK(d->class->input->ready(d));
    fake_free(m);
}

static const struct {
    uint16_t key;
    const char *set1_down, *set1_up, *set2_down, *set2_up;
} codes[] = {
    { 1, "01", "81", "76", "f0 76" },
    { KEY_A, "1e", "9e", "1c", "f0 1c" },
    { 65, "41", "c1", "83", "f0 83" },
    { 83, "53", "d3", "71", "f0 71" },
    { 86, "56", "d6", "61", "f0 61" },
    { 87, "57", "d7", "78", "f0 78" },
    { 88, "58", "d8", "07", "f0 07" },
    { 89, "73", "f3", "51", "f0 51" },
    { 96, "e0 1c", "e0 9c", "e0 5a", "e0 f0 5a" },
    { 98, "e0 35", "e0 b5", "e0 4a", "e0 f0 4a" },
    { KEY_UP, "e0 48", "e0 c8", "e0 75", "e0 f0 75" },
    { 111, "e0 53", "e0 d3", "e0 71", "e0 f0 71" },
    { KEY_MUTE, "e0 20", "e0 a0", "e0 23", "e0 f0 23" },
    { 116, "e0 5e", "e0 de", "e0 37", "e0 f0 37" },
    { 124, "7d", "fd", "6a", "f0 6a" },
    { 125, "e0 5b", "e0 db", "e0 1f", "e0 f0 1f" },
    { 127, "e0 5d", "e0 dd", "e0 2f", "e0 f0 2f" },
    { 164, "e0 22", "e0 a2", "e0 34", "e0 f0 34" },
    { 172, "e0 32", "e0 b2", "e0 3a", "e0 f0 3a" },
    { 183, "64", "e4", "08", "f0 08" },
    { 226, "e0 6d", "e0 ed", "e0 50", "e0 f0 50" },
    { KEY_SYSRQ, "e0 2a e0 37", "e0 b7 e0 aa", "e0 12 e0 7c", "e0 f0 7c e0 f0 12" },
    { KEY_PAUSE, "e1 1d 45 e1 9d c5", "", "e1 14 77 e1 f0 14 f0 77", "" },
    { 0, "", "", "", "" },
    { 84, "", "", "", "" },
    { 300, "", "", "", "" },
    { 65535, "", "", "", "" },
};

TEST(scan_codes)
{
    struct device *d;
    struct fake *m = machine(&d);

    for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        configure(m, 0x03);
        key(d, codes[i].key, true);
        CHECK_STR(drain(m), codes[i].set2_down);
        key(d, codes[i].key, false);
        CHECK_STR(drain(m), codes[i].set2_up);
        configure(m, 0x43);
        key(d, codes[i].key, true);
        CHECK_STR(drain(m), codes[i].set1_down);
        key(d, codes[i].key, false);
        CHECK_STR(drain(m), codes[i].set1_up);
    }
    fake_free(m);
}

TEST(set_1_equals_translated_set_2)
{
    struct device *d;
    struct fake *m = machine(&d);
    unsigned keys = 0;
    char seen[256][64];

    for (uint16_t code = 0; code < 256; code++) {
        char translated[64];

        configure(m, 0x43);
        keyboard(m, 0xf0);
        keyboard(m, 2);
        key(d, code, true);
        key(d, code, false);
        snprintf(translated, sizeof(translated), "%s", drain(m));
        configure(m, 0x03);
        keyboard(m, 0xf0);
        keyboard(m, 1);
        key(d, code, true);
        key(d, code, false);
        CHECK_STR(drain(m), translated);
        snprintf(seen[code], sizeof(seen[code]), "%s", translated);
        keys += translated[0] != '\0';
        for (uint16_t other = 0; other < code; other++) { /* no two keys are the same */
            CHECK(!translated[0] || strcmp(seen[other], seen[code]) != 0 || code == 194);
        }
    }
    CHECK(keys >= 105 + 20);
    fake_free(m);
}

TEST(print_screen_and_break)
{
    struct device *d;
    struct fake *m = machine(&d);

    key(d, KEY_LEFTSHIFT, true);
    drain(m);
    key(d, KEY_SYSRQ, true);
    key(d, KEY_SYSRQ, false);
    CHECK_STR(drain(m), "e0 37 e0 b7");
    key(d, KEY_LEFTSHIFT, false);
    key(d, KEY_LEFTALT, true);
    drain(m);
    key(d, KEY_SYSRQ, true);
    key(d, KEY_LEFTALT, false); /* released in the other order: still the same key */
    CHECK(fake_save_load(d));
    key(d, KEY_SYSRQ, false);
    CHECK_STR(drain(m), "54 b8 d4");
    key(d, KEY_LEFTCTRL, true);
    drain(m);
    key(d, KEY_PAUSE, true);
    CHECK_STR(drain(m), "e0 46 e0 c6");
    fake_free(m);
}

TEST(keys_are_not_lost_in_part)
{
    struct device *d;
    struct fake *m = machine(&d);
    unsigned downs = 0, ups = 0;

    key(d, KEY_A, true);
    CHECK(!d->class->input->ready(d));
    for (unsigned i = 0; i < 100; i++) {
        key(d, KEY_UP, true);
    }
    key(d, KEY_UP, false);
    key(d, KEY_A, false);
    CHECK(fake_save_load(d));
    const char *text = drain(m);

    CHECK(strncmp(text, "1e e0 48", 8) == 0);
    for (const char *p = text; *p; p++) {
        downs += strncmp(p, "e0 48", 5) == 0;
        ups += strncmp(p, "e0 c8", 5) == 0;
    }
    CHECK(downs > 5);
    CHECK_EQ(ups, 1);
    CHECK_STR(text + strlen(text) - 2, "9e");
    CHECK(d->class->input->ready(d));
    fake_free(m);
}

TEST(interrupts)
{
    struct device *d;
    struct fake *m = machine(&d);

    mouse(m, 0xf4);
    unsigned keyboard_edges = fake_irq_edges(d, KEYBOARD), mouse_edges = fake_irq_edges(d, MOUSE);

    key(d, KEY_UP, true);
    pointer(d, 1, 0, 0, 0);
    CHECK(fake_irq(d, KEYBOARD) && !fake_irq(d, MOUSE));
    CHECK_STR(drain(m), "e0 48 m08 m01 m00");
    CHECK_EQ(fake_irq_edges(d, KEYBOARD), keyboard_edges + 2);
    CHECK_EQ(fake_irq_edges(d, MOUSE), mouse_edges + 3);
    configure(m, 0x40); /* polling */
    key(d, KEY_UP, false);
    CHECK(!fake_irq(d, KEYBOARD));
    configure(m, 0x41);
    CHECK(fake_irq(d, KEYBOARD));
    drain(m);
    configure(m, 0x73); /* both lines closed: bytes wait in the devices */
    key(d, KEY_A, true);
    pointer(d, 5, 5, 0, 1);
    CHECK_STR(drain(m), "");
    controller(m, 0xae);
    CHECK(fake_in(m, 0x60, 1) == 0x1e);
    CHECK_STR(controller(m, 0xa8), "m29 m05 mfb");
    controller(m, 0xad);
    CHECK_STR(keyboard(m, 0xee), "ee"); /* writing to it opens the line */
    fake_free(m);
}

TEST(mouse_commands)
{
    struct device *d;
    struct fake *m = machine(&d);

    CHECK_STR(mouse(m, 0xff), "mfa maa m00");
    CHECK_STR(mouse(m, 0xf2), "mfa m00");
    CHECK_STR(mouse(m, 0xe9), "mfa m00 m02 m64");
    CHECK_STR(mouse(m, 0xe8), "mfa");
    CHECK_STR(mouse(m, 0x03), "mfa");
    CHECK_STR(mouse(m, 0xf3), "mfa");
    CHECK_STR(mouse(m, 0x28), "mfa");
    CHECK_STR(mouse(m, 0xe7), "mfa");
    CHECK_STR(mouse(m, 0xf4), "mfa");
    pointer(d, 0, 0, 0, POINTER_LEFT | POINTER_MIDDLE);
    CHECK_STR(drain(m), "m0d m00 m00");
    CHECK_STR(mouse(m, 0xe9), "mfa m36 m03 m28");
    CHECK_STR(mouse(m, 0xe6), "mfa");
    CHECK_STR(mouse(m, 0xf5), "mfa");
    CHECK_STR(mouse(m, 0xe9), "mfa m06 m03 m28");
    CHECK_STR(mouse(m, 0xe8), "mfa");
    CHECK_STR(mouse(m, 0x04), "mfe");
    CHECK_STR(mouse(m, 0xe1), "mfe");
    CHECK_STR(mouse(m, 0xfe), "mfe");
    CHECK_STR(mouse(m, 0xee), "mfa");
    CHECK_STR(mouse(m, 0xf2), "mf2");
    CHECK_STR(mouse(m, 0x55), "m55");
    CHECK_STR(mouse(m, 0xec), "mfa");
    CHECK_STR(mouse(m, 0xf2), "mfa m00");
    CHECK_STR(mouse(m, 0xf6), "mfa");
    CHECK_STR(mouse(m, 0xe9), "mfa m06 m02 m64");
    CHECK(fake_save_load(d));
    fake_free(m);
}

static void knock(struct fake *m, uint8_t a, uint8_t b, uint8_t c)
{
    const uint8_t rates[3] = { a, b, c };

    for (unsigned i = 0; i < 3; i++) {
        mouse(m, 0xf3);
        mouse(m, rates[i]);
    }
}

TEST(wheels)
{
    struct device *d;
    struct fake *m = machine(&d);

    mouse(m, 0xf4);
    pointer(d, 0, 0, 1, 0);
    CHECK_STR(drain(m), ""); /* no wheel yet */
    knock(m, 200, 100, 80);
    CHECK_STR(mouse(m, 0xf2), "mfa m03");
    mouse(m, 0xf4);
    pointer(d, 0, 0, 1, 0);
    CHECK_STR(drain(m), "m08 m00 m00 mff");
    pointer(d, 0, 0, -2, POINTER_RIGHT);
    CHECK_STR(drain(m), "m0a m00 m00 m02");
    pointer(d, 0, 0, 0, POINTER_RIGHT | POINTER_SIDE);
    CHECK_STR(drain(m), ""); /* three buttons only */
    knock(m, 200, 200, 80);
    CHECK_STR(mouse(m, 0xf2), "mfa m04");
    mouse(m, 0xf4);
    pointer(d, 0, 0, 1, 0);
    CHECK_STR(drain(m), "m08 m00 m00 m0f");
    pointer(d, 0, 0, -20, 0);
    CHECK_STR(drain(m), "m08 m00 m00 m07 m08 m00 m00 m07 m08 m00 m00 m06");
    pointer(d, 0, 0, -1, POINTER_LEFT | POINTER_SIDE);
    CHECK_STR(drain(m), "m09 m00 m00 m11");
    pointer(d, 0, 0, 0, POINTER_EXTRA | 1u << 5);
    CHECK_STR(drain(m), "m08 m00 m00 m20");
    CHECK(fake_save_load(d));
    pointer(d, 0, 0, 0, 0);
    CHECK_STR(drain(m), "m08 m00 m00 m00");
    CHECK(fake_save_load(d));
    CHECK_STR(mouse(m, 0xff), "mfa maa m00");
    CHECK_STR(mouse(m, 0xf2), "mfa m00");
    fake_free(m);
}

TEST(motion_adds_up)
{
    struct device *d;
    struct fake *m = machine(&d);
    int64_t x = 0, y = 0;
    unsigned packets = 0;

    pointer(d, 9, 9, 0, 0); /* not reporting: forgotten */
    mouse(m, 0xf4);
    pointer(d, 3, -2, 0, 0);
    pointer(d, 1, 1, 0, 0);
    pointer(d, 1, 1, 0, 0);
    CHECK_STR(drain(m), "m08 m03 m02 m28 m02 mfe");
    pointer(d, -1000, 600, 0, 0);
    for (const char *p = drain(m); *p; p += strlen(p) > 11 ? 12 : 11) {
        unsigned flags, dx, dy;

        CHECK_EQ(sscanf(p, "m%2x m%2x m%2x", &flags, &dx, &dy), 3);
        x += (int)dx - (flags & 0x10 ? 256 : 0);
        y += (int)dy - (flags & 0x20 ? 256 : 0);
        packets++;
    }
    CHECK(x == -1000 && y == -600);
    CHECK_EQ(packets, 4);
    for (unsigned i = 0; i < 100000; i++) { /* nobody reads: bounded */
        pointer(d, INT32_MAX, INT32_MIN, INT32_MAX, i % 8);
    }
    CHECK(fake_save_load(d));
    CHECK(strlen(drain(m)) > 100);
    fake_free(m);
}

TEST(clicks_are_kept)
{
    struct device *d;
    struct fake *m = machine(&d);

    mouse(m, 0xf4);
    pointer(d, 4, 0, 0, 0);
    for (unsigned i = 0; i < 3; i++) { /* three clicks before the guest looks */
        pointer(d, 1, 0, 0, POINTER_LEFT);
        pointer(d, 0, 0, 0, 0);
    }
    CHECK_STR(drain(m), "m08 m04 m00 m09 m01 m00 m08 m00 m00 m09 m01 m00 m08 m00 m00 m09 m01 m00 "
                        "m08 m00 m00");
    for (unsigned i = 0; i < 1000; i++) {
        pointer(d, 0, 0, 0, i % 2 ? 0 : POINTER_LEFT);
    }
    const char *text = drain(m);

    CHECK_STR(text + strlen(text) - 11, "m08 m00 m00"); /* the last state is the true one */
    fake_free(m);
}

TEST(remote_mode)
{
    struct device *d;
    struct fake *m = machine(&d);

    CHECK_STR(mouse(m, 0xf0), "mfa");
    pointer(d, 7, -1, 0, POINTER_LEFT);
    CHECK_STR(drain(m), "");
    CHECK_STR(mouse(m, 0xeb), "mfa m09 m07 m01");
    CHECK_STR(mouse(m, 0xeb), "mfa m09 m00 m00");
    CHECK_STR(mouse(m, 0xe9), "mfa m44 m02 m64");
    CHECK(fake_save_load(d));
    CHECK_STR(mouse(m, 0xea), "mfa");
    CHECK_STR(mouse(m, 0xf4), "mfa");
    pointer(d, 1, 0, 0, 0);
    CHECK_STR(drain(m), "m08 m01 m00");
    fake_free(m);
}

static bool reporting(struct device *d)
{
    return d->class->input->reporting(d);
}

TEST(tells_whether_the_mouse_is_read)
{
    struct device *d;
    struct fake *m = machine(&d);
    unsigned changes = 0;

    /* Each command, what it makes of the mouse, and whether that is told. */
    static const struct {
        uint8_t command;
        bool reporting;
    } steps[] = {
        { 0xf4, true },  { 0xf4, true }, { 0xf5, false }, { 0xf4, true },
        { 0xf6, false }, { 0xf4, true }, { 0xff, false }, { 0xf0, true },
        { 0xea, false }, { 0xf4, true }, { 0xe6, true },
    };

    CHECK(!reporting(d));
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        changes += reporting(d) != steps[i].reporting;
        mouse(m, steps[i].command);
        CHECK_EQ(reporting(d), steps[i].reporting);
        CHECK_EQ(fake_input_changes(d), changes);
        CHECK(fake_save_load(d)); /* which tells as well: whoever listened may be another */
        CHECK_EQ(reporting(d), steps[i].reporting);
        changes = fake_input_changes(d);
    }

    /* The line closes and opens, by command and by configuration. */
    controller(m, 0xa7);
    CHECK(!reporting(d));
    controller(m, 0xa8);
    CHECK(reporting(d));
    configure(m, 0x61);
    CHECK(!reporting(d));
    configure(m, 0x43);
    CHECK(reporting(d));
    CHECK_EQ(fake_input_changes(d), changes + 4);
    controller(m, 0xa7);
    mouse(m, 0xe9); /* any command opens it */
    CHECK(reporting(d));
    CHECK_EQ(fake_input_changes(d), changes + 6);
    configure(m, 0x47);
    key(d, KEY_A, true);
    drain(m);
    CHECK_EQ(fake_input_changes(d), changes + 6); /* nothing that has to do with it */
    fake_reset(m, RESET_WARM);
    CHECK(!reporting(d));
    CHECK_EQ(fake_input_changes(d), changes + 7);
    fake_reset(m, RESET_COLD);
    CHECK_EQ(fake_input_changes(d), changes + 7);
    fake_free(m);
}

TEST_MAIN(T(controller_commands), T(resets), T(loop_back), T(as_seabios_starts_it),
          T(keyboard_commands), T(scan_codes), T(set_1_equals_translated_set_2),
          T(print_screen_and_break), T(keys_are_not_lost_in_part), T(interrupts), T(mouse_commands),
          T(wheels), T(motion_adds_up), T(clicks_are_kept), T(remote_mode),
          T(tells_whether_the_mouse_is_read))
