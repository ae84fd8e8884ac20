/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The display adapter's VGA registers and the way from A0000-BFFFF to the planes. */
#include "test_vga.h"

static void check_masks(struct screen *s, uint16_t port, const uint8_t *masks, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        for (unsigned value = 0xff; value <= 0xff; value -= 0x55) {
            vga_set(s, port, (uint8_t)i, (uint8_t)value);
            CHECK_EQ(vga_get(s, port, (uint8_t)i), value & masks[i]);
        }
    }
}

TEST(registers_read_back)
{
    static const uint8_t sequencer[8] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
    static const uint8_t graphics[16] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };
    static const uint8_t attribute[32] = { 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
                                           0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
                                           0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f };
    struct screen s;

    screen_open(&s);
    check_masks(&s, 0x3c4, sequencer, 8);
    check_masks(&s, 0x3ce, graphics, 16);
    for (uint8_t i = 0; i < 0x19; i++) {
        vga_set(&s, 0x3d4, 0x11, 0);
        vga_set(&s, 0x3d4, i, 0x5a);
        CHECK_EQ(vga_get(&s, 0x3d4, i), 0x5a);
    }
    vga_set(&s, 0x3d4, 0x19, 0xff);
    CHECK_EQ(vga_get(&s, 0x3d4, 0x19), 0);
    CHECK_EQ(vga_get(&s, 0x3d4, 0xff), 0);
    for (uint8_t i = 0; i < 32; i++) {
        attribute_set(&s, i, 0xff);
        fake_in(s.fake, 0x3da, 1);
        fake_out(s.fake, 0x3c0, 1, i);
        CHECK_EQ(fake_in(s.fake, 0x3c1, 1), attribute[i]);
    }
    fake_out(s.fake, 0x3c2, 1, 0xff);
    CHECK_EQ(fake_in(s.fake, 0x3cc, 1), 0xef);
    fake_out(s.fake, 0x3da, 1, 0xff);
    CHECK_EQ(fake_in(s.fake, 0x3ca, 1), 0x10);
    CHECK_EQ(fake_in(s.fake, 0x3cb, 1), 0xff);
    CHECK(fake_save_load(s.device));
    screen_close(&s);
}

TEST(crtc_write_protect)
{
    struct screen s;

    screen_open(&s);
    mode_start(&s, &mode_text);
    for (uint8_t i = 0; i < 8; i++) {
        vga_set(&s, 0x3d4, i, 0xe5);
        CHECK_EQ(vga_get(&s, 0x3d4, i), i == 7 ? (mode_text.crtc[7] & ~0x10) : mode_text.crtc[i]);
    }
    vga_set(&s, 0x3d4, 8, 0x65);
    CHECK_EQ(vga_get(&s, 0x3d4, 8), 0x65);
    screen_close(&s);
}

TEST(attribute_flip_flop)
{
    struct screen s;

    screen_open(&s);
    fake_in(s.fake, 0x3da, 1);
    fake_out(s.fake, 0x3c0, 1, 5);
    fake_out(s.fake, 0x3c0, 1, 0x2a); /* data */
    fake_out(s.fake, 0x3c0, 1, 6);
    fake_in(s.fake, 0x3da, 1); /* back to the index */
    fake_out(s.fake, 0x3c0, 1, 0x25);
    CHECK_EQ(fake_in(s.fake, 0x3c1, 1), 0x2a);
    fake_in(s.fake, 0x3da, 1);
    CHECK_EQ(fake_in(s.fake, 0x3c0, 1), 0x25);
    screen_close(&s);
}

TEST(ports_follow_mono_bit)
{
    struct screen s;

    screen_open(&s);
    vga_set(&s, 0x3d4, 0x0c, 0x12);
    CHECK_EQ(fake_in(s.fake, 0x3b5, 1), 0xff);
    fake_out(s.fake, 0x3c2, 1, 0);
    CHECK_EQ(fake_in(s.fake, 0x3d5, 1), 0xff);
    CHECK_EQ(fake_in(s.fake, 0x3b5, 1), 0x12);
    vga_set(&s, 0x3b4, 0x0d, 0x34);
    CHECK_EQ(vga_get(&s, 0x3b4, 0x0d), 0x34);
    fake_out(s.fake, 0x3c0, 1, 1);
    fake_in(s.fake, 0x3da, 1); /* not there: the flip-flop stays */
    fake_out(s.fake, 0x3c0, 1, 0x15);
    fake_in(s.fake, 0x3ba, 1);
    fake_out(s.fake, 0x3c0, 1, 1);
    CHECK_EQ(fake_in(s.fake, 0x3c1, 1), 0x15);
    screen_close(&s);
}

TEST(dac)
{
    struct screen s;

    screen_open(&s);
    fake_out(s.fake, 0x3c8, 1, 254);
    for (unsigned i = 0; i < 9; i++) { /* wraps around from 255 to 0 */
        fake_out(s.fake, 0x3c9, 1, 0xc0 + i);
    }
    CHECK_EQ(fake_in(s.fake, 0x3c8, 1), 1);
    CHECK_EQ(fake_in(s.fake, 0x3c7, 1), 0);
    fake_out(s.fake, 0x3c7, 1, 254);
    CHECK_EQ(fake_in(s.fake, 0x3c7, 1), 3);
    for (unsigned i = 0; i < 9; i++) {
        CHECK_EQ(fake_in(s.fake, 0x3c9, 1), i);
    }
    /* A colour that is not complete changes nothing. */
    fake_out(s.fake, 0x3c8, 1, 254);
    fake_out(s.fake, 0x3c9, 1, 0x3f);
    CHECK(fake_save_load(s.device));
    fake_out(s.fake, 0x3c9, 1, 0x3f);
    fake_out(s.fake, 0x3c7, 1, 254);
    CHECK_EQ(fake_in(s.fake, 0x3c9, 1), 0);
    CHECK_EQ(fake_in(s.fake, 0x3c6, 1), 0xff);
    fake_out(s.fake, 0x3c6, 1, 0x0f);
    CHECK_EQ(fake_in(s.fake, 0x3c6, 1), 0x0f);
    screen_close(&s);
}

/* Looks every 20 us for a tenth of a second, as a guest that waits for retrace does. */
static void status_watch(struct screen *s, unsigned *retraces, unsigned *off)
{
    unsigned before = 8;

    *retraces = *off = 0;
    for (unsigned i = 0; i < 5000; i++) {
        unsigned status = (unsigned)fake_in(s->fake, 0x3da, 1);

        CHECK_EQ(status & ~9u, 0);
        CHECK(!(status & 8) || (status & 1));
        *retraces += (status & 8) && !(before & 8);
        *off += status & 1;
        before = status;
        fake_advance(s->fake, 20000);
    }
}

TEST(retrace_follows_the_clock)
{
    struct screen s;
    unsigned retraces, off;

    screen_open(&s);
    mode_start(&s, &mode_text); /* 449 lines: 70 Hz */
    status_watch(&s, &retraces, &off);
    CHECK_EQ(retraces, 7);
    CHECK(off > 1000 && off < 2500);
    mode_start(&s, &mode_planar); /* 525 lines: 60 Hz */
    status_watch(&s, &retraces, &off);
    CHECK_EQ(retraces, 6);
    vga_set(&s, 0x3d4, 0x11, 0);
    for (uint8_t i = 0; i < 0x19; i++) { /* nonsense: no total, all lines shown */
        vga_set(&s, 0x3d4, i, i == 6 || i == 7 ? 0 : 0xff);
    }
    status_watch(&s, &retraces, &off);
    CHECK(retraces > 1);
    CHECK(off < 5000);
    screen_close(&s);
}

TEST(registers_behind_bar_2)
{
    struct screen s;

    screen_open(&s);
    fake_write(s.fake, REGISTERS + 0x404, 2, 0x0a02); /* sequencer: index and data at once */
    CHECK_EQ(vga_get(&s, 0x3c4, 2), 0x0a);
    fake_out(s.fake, 0x3ce, 2, 0x5508);
    fake_write(s.fake, REGISTERS + 0x40e, 1, 8);
    CHECK_EQ(fake_read(s.fake, REGISTERS + 0x40f, 1), 0x55);
    CHECK_EQ(fake_read(s.fake, REGISTERS + 0x40e, 2), 0x5508);
    fake_read(s.fake, REGISTERS + 0x41a, 1);
    fake_write(s.fake, REGISTERS + 0x400, 1, 0x20);
    fake_read(s.fake, REGISTERS + 0x41a, 1);
    CHECK_EQ(fake_in(s.fake, 0x3c0, 1), 0x20);
    CHECK_EQ(fake_read(s.fake, REGISTERS + 0x600, 4), 8);
    CHECK_EQ(fake_guest_errors(s.device), 0);
    fake_write(s.fake, REGISTERS + 0x800, 4, 1);
    fake_write(s.fake, REGISTERS, 4, 1); /* EDID */
    CHECK_EQ(fake_guest_errors(s.device), 2);
    screen_close(&s);
}

/* --- Planes ---------------------------------------------------------------------------------- */

static uint32_t planes_at(struct screen *s, uint32_t offset)
{
    return (uint32_t)fake_read(s->fake, FRAMEBUFFER + 4 * offset, 4);
}

static void planes_set(struct screen *s, uint32_t offset, uint32_t planes)
{
    fake_write(s->fake, FRAMEBUFFER + 4 * offset, 4, planes);
}

static void planar_open(struct screen *s)
{
    screen_open(s);
    mode_start(s, &mode_planar);
}

TEST(write_mode_0)
{
    struct screen s;

    planar_open(&s);
    fake_write(s.fake, 0xa0010, 1, 0xc5);
    CHECK_EQ(planes_at(&s, 0x10), 0xc5c5c5c5);
    vga_set(&s, 0x3c4, 2, 0x05); /* map mask */
    fake_write(s.fake, 0xa0010, 1, 0x3a);
    CHECK_EQ(planes_at(&s, 0x10), 0xc53ac53a);
    vga_set(&s, 0x3c4, 2, 0x0f);
    vga_set(&s, 0x3ce, 0, 0x09); /* set/reset, enabled on planes 0 and 1 */
    vga_set(&s, 0x3ce, 1, 0x03);
    vga_set(&s, 0x3ce, 3, 0x03); /* rotate right by 3 */
    fake_write(s.fake, 0xa0010, 1, 0x81);
    CHECK_EQ(planes_at(&s, 0x10), 0x303000ff);
    /* Latches, bit mask and the logical functions. */
    vga_set(&s, 0x3ce, 1, 0);
    planes_set(&s, 0x20, 0x0ff0cc55);
    static const uint32_t expected[4] = { 0x3c3c3c3c, 0x0c300c14, 0x3ffcfc7d, 0x33ccf069 };

    for (uint8_t function = 0; function < 4; function++) {
        vga_set(&s, 0x3ce, 3, (uint8_t)(function << 3));
        vga_set(&s, 0x3ce, 8, 0xff);
        CHECK_EQ(fake_read(s.fake, 0xa0020, 1), 0x55);
        fake_write(s.fake, 0xa0021, 1, 0x3c);
        CHECK_EQ(planes_at(&s, 0x21), expected[function]);
        vga_set(&s, 0x3ce, 8, 0x0f);
        fake_write(s.fake, 0xa0021, 1, 0x3c);
        CHECK_EQ(planes_at(&s, 0x21),
                 (expected[function] & 0x0f0f0f0f) | (0x0ff0cc55 & 0xf0f0f0f0));
    }
    screen_close(&s);
}

TEST(write_modes_1_to_3)
{
    struct screen s;

    planar_open(&s);
    planes_set(&s, 1, 0x12345678);
    vga_set(&s, 0x3ce, 5, 1);
    fake_read(s.fake, 0xa0001, 1);
    fake_write(s.fake, 0xa0002, 1, 0xff); /* copies the latches */
    CHECK_EQ(planes_at(&s, 2), 0x12345678);
    vga_set(&s, 0x3ce, 5, 2);
    vga_set(&s, 0x3ce, 8, 0x3c);
    fake_write(s.fake, 0xa0002, 1, 0xa6); /* colour 6 where the bit mask is set */
    CHECK_EQ(planes_at(&s, 2), 0x023c7e40);
    vga_set(&s, 0x3ce, 5, 3);
    vga_set(&s, 0x3ce, 0, 0x09);
    vga_set(&s, 0x3ce, 3, 4);        /* rotate by 4: the mask is 1f & 3c */
    CHECK(fake_save_load(s.device)); /* the latches are state */
    fake_write(s.fake, 0xa0002, 1, 0xf1);
    CHECK_EQ(planes_at(&s, 2), 0x1e20427c);
    screen_close(&s);
}

TEST(read_modes)
{
    struct screen s;

    planar_open(&s);
    planes_set(&s, 7, 0x0f335500);
    for (uint8_t plane = 0; plane < 4; plane++) {
        static const uint8_t expected[4] = { 0x00, 0x55, 0x33, 0x0f };

        vga_set(&s, 0x3ce, 4, plane);
        CHECK_EQ(fake_read(s.fake, 0xa0007, 1), expected[plane]);
    }
    vga_set(&s, 0x3ce, 5, 8);
    vga_set(&s, 0x3ce, 2, 0x06); /* planes 1 and 2 set, 3 clear, 0 does not matter */
    vga_set(&s, 0x3ce, 7, 0x0e);
    CHECK_EQ(fake_read(s.fake, 0xa0007, 1), 0x10);
    vga_set(&s, 0x3ce, 7, 0x00);
    CHECK_EQ(fake_read(s.fake, 0xa0007, 1), 0xff);
    screen_close(&s);
}

TEST(odd_even)
{
    struct screen s;

    screen_open(&s);
    mode_start(&s, &mode_text);
    fake_write(s.fake, 0xb8000, 4, 0x1f421e41);
    CHECK_EQ(planes_at(&s, 0), 0x1e41);
    CHECK_EQ(planes_at(&s, 1), 0x1f42);
    CHECK_EQ(fake_read(s.fake, 0xb8000, 4), 0x1f421e41);
    vga_set(&s, 0x3c4, 2, 0x0f);
    vga_set(&s, 0x3ce, 4, 2);
    fake_write(s.fake, 0xb8004, 2, 0x7766);
    CHECK_EQ(planes_at(&s, 2), 0x77667766);
    CHECK_EQ(fake_read(s.fake, 0xb8005, 1), 0x77);
    CHECK_EQ(fake_window_base(s.device, 1), REGION_UNPLACED);
    screen_close(&s);
}

TEST(memory_map_select)
{
    static const uint32_t bounds[4][2] = {
        { 0xa0000, 0xc0000 }, { 0xa0000, 0xb0000 }, { 0xb0000, 0xb8000 }, { 0xb8000, 0xc0000 }
    };
    struct screen s;

    planar_open(&s);
    planes_set(&s, 0, 0x5a5a5a5a);
    for (unsigned map = 0; map < 4; map++) {
        vga_set(&s, 0x3ce, 6, (uint8_t)(map << 2 | 1));
        CHECK_EQ(fake_read(s.fake, bounds[map][0], 1), 0x5a);
        for (uint32_t at = 0xa0000; at < 0xc0000; at += 0x8000) {
            bool inside = at >= bounds[map][0] && at < bounds[map][1];

            CHECK_EQ(fake_read(s.fake, at + 0x7fff, 1), inside ? 0 : 0xff);
            fake_write(s.fake, at + 0x7fff, 1, 0);
        }
    }
    screen_close(&s);
}

TEST(chain4_needs_no_trap_when_plain)
{
    struct screen s;

    screen_open(&s);
    mode_start(&s, &mode_256);
    CHECK_EQ(fake_window_base(s.device, 1), 0xa0000);
    CHECK_EQ(fake_window_length(s.device, 1), 0x10000);
    fake_write(s.fake, 0xa1234, 4, 0x44332211);
    CHECK_EQ(planes_at(&s, 0x48d), 0x44332211);
    /* The same bytes through the trapping path, with a plane masked and with a latch function. */
    vga_set(&s, 0x3c4, 2, 0x0d);
    CHECK_EQ(fake_window_base(s.device, 1), REGION_UNPLACED);
    CHECK_EQ(fake_read(s.fake, 0xa1234, 4), 0x44332211);
    fake_write(s.fake, 0xa1234, 4, 0x88776655);
    CHECK_EQ(planes_at(&s, 0x48d), 0x88772255);
    vga_set(&s, 0x3c4, 2, 0x0f);
    vga_set(&s, 0x3ce, 3, 0x18); /* xor with the latches */
    fake_read(s.fake, 0xa1237, 1);
    fake_write(s.fake, 0xa1235, 1, 0xff);
    CHECK_EQ(planes_at(&s, 0x48d), 0x8877dd55);
    vga_set(&s, 0x3ce, 3, 0);
    CHECK_EQ(fake_window_base(s.device, 1), 0xa0000);
    vga_set(&s, 0x3ce, 6, 0x01);
    CHECK_EQ(fake_window_length(s.device, 1), 0x20000);
    vga_set(&s, 0x3ce, 6, 0x0d);
    CHECK_EQ(fake_window_base(s.device, 1), 0xb8000);
    CHECK(fake_save_load(s.device));
    fake_reset(s.fake, RESET_WARM);
    CHECK_EQ(fake_window_base(s.device, 1), REGION_UNPLACED);
    screen_close(&s);
}

TEST(resets)
{
    struct screen s;

    screen_open(&s);
    mode_start(&s, &mode_planar);
    planes_set(&s, 100, 0xffffffff);
    planes_set(&s, (16 << 20) / 4 - 1, 0xffffffff);
    screen_render(&s);
    fake_reset(s.fake, RESET_WARM);
    fake_map_bar(s.device, 0, FRAMEBUFFER);
    CHECK_EQ(planes_at(&s, 100), 0xffffffff);
    CHECK_EQ(fake_in(s.fake, 0x3cc, 1), 0);
    screen_render(&s);
    CHECK(s.mode.blank);
    CHECK_EQ(s.mode.width, 640);
    CHECK_EQ(pixel(&s, 3, 3), 0);
    fake_reset(s.fake, RESET_COLD);
    fake_map_bar(s.device, 0, FRAMEBUFFER);
    CHECK_EQ(planes_at(&s, 100), 0);
    CHECK_EQ(planes_at(&s, (16 << 20) / 4 - 1), 0);
    screen_close(&s);
}

TEST_MAIN(T(registers_read_back), T(crtc_write_protect), T(attribute_flip_flop),
          T(ports_follow_mono_bit), T(dac), T(retrace_follows_the_clock), T(registers_behind_bar_2),
          T(write_mode_0), T(write_modes_1_to_3), T(read_modes), T(odd_even), T(memory_map_select),
          T(chain4_needs_no_trap_when_plain), T(resets))
