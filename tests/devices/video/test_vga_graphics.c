/* SPDX-License-Identifier: GPL-3.0-or-later */
/* VGA graphics modes: pixels that the test puts through the window and expects on the surface. */
#include "test_vga.h"

static uint32_t color16(const struct vga_mode *mode, unsigned i)
{
    return palette_color(mode->attribute[i]);
}

/* Sets a pixel of mode 12h as drivers do: bit mask and set/reset. */
static void planar_put(struct screen *s, uint32_t x, uint32_t y, uint8_t color)
{
    vga_set(s, 0x3ce, 0, color);
    vga_set(s, 0x3ce, 1, 0x0f);
    vga_set(s, 0x3ce, 8, (uint8_t)(0x80 >> x % 8));
    fake_read(s->fake, 0xa0000 + y * 80 + x / 8, 1);
    fake_write(s->fake, 0xa0000 + y * 80 + x / 8, 1, 0);
}

TEST(planar)
{
    struct screen s;

    screen_open(&s);
    mode_start(&s, &mode_planar);
    for (uint8_t i = 0; i < 16; i++) {
        planar_put(&s, 100 + i, 200, i);
    }
    planar_put(&s, 639, 479, 9);
    screen_render(&s);
    CHECK_EQ(s.mode.width, 640);
    CHECK_EQ(s.mode.height, 480);
    CHECK(!s.mode.text);
    for (uint8_t i = 0; i < 16; i++) {
        CHECK_EQ(pixel(&s, 100 + i, 200), color16(&mode_planar, i));
    }
    CHECK_EQ(pixel(&s, 639, 479), color16(&mode_planar, 9));
    CHECK_EQ(pixel(&s, 638, 479), color16(&mode_planar, 0));
    screen_render(&s);
    CHECK_EQ(s.damage.n, 0);
    planar_put(&s, 130, 40, 3);
    screen_render(&s);
    CHECK(damaged(&s, 128, 32, 64, 16));
    CHECK(fake_save_load(s.device));
    screen_render(&s);
    CHECK(screen_is_current(&s));
    screen_close(&s);
}

TEST(colors_of_the_attribute_controller)
{
    struct screen s;

    screen_open(&s);
    mode_start(&s, &mode_planar);
    planar_put(&s, 0, 0, 0xb);
    attribute_set(&s, 0x12, 0x07); /* plane 3 is not shown */
    screen_render(&s);
    CHECK_EQ(pixel(&s, 0, 0), color16(&mode_planar, 3));
    attribute_set(&s, 0x12, 0x0f);
    attribute_set(&s, 0x14, 0x0b); /* bits 7:6 always, 5:4 when asked for */
    screen_render(&s);
    CHECK_EQ(pixel(&s, 0, 0), palette_color(0x80 | mode_planar.attribute[0xb]));
    attribute_set(&s, 0x10, 0x81);
    screen_render(&s);
    CHECK_EQ(pixel(&s, 0, 0), palette_color(0xb0 | (mode_planar.attribute[0xb] & 0x0f)));
    fake_out(s.fake, 0x3c6, 1, 0x3f);
    screen_render(&s);
    CHECK_EQ(pixel(&s, 0, 0), palette_color(0x30 | (mode_planar.attribute[0xb] & 0x0f)));
    screen_close(&s);
}

TEST(start_split_and_panning)
{
    struct screen s;

    screen_open(&s);
    mode_start(&s, &mode_planar);
    planar_put(&s, 16, 0, 5);
    planar_put(&s, 8, 100, 6);
    vga_set(&s, 0x3d4, 0x0c, 100 * 80 >> 8);
    vga_set(&s, 0x3d4, 0x0d, 100 * 80 & 0xff);
    vga_set(&s, 0x3d4, 0x11, 0);
    vga_set(&s, 0x3d4, 0x18, 300 & 0xff);
    vga_set(&s, 0x3d4, 0x07, 0x3e | 0x10);
    vga_set(&s, 0x3d4, 0x09, 0x00);
    attribute_set(&s, 0x13, 3);
    screen_render(&s);
    CHECK_EQ(pixel(&s, 5, 0), color16(&mode_planar, 6));
    CHECK_EQ(pixel(&s, 13, 301), color16(&mode_planar, 5));
    attribute_set(&s, 0x10, 0x21);
    screen_render(&s);
    CHECK_EQ(pixel(&s, 16, 301), color16(&mode_planar, 5));
    vga_set(&s, 0x3d4, 0x08, 0x20); /* one byte more */
    attribute_set(&s, 0x13, 0);
    screen_render(&s);
    CHECK_EQ(pixel(&s, 0, 0), color16(&mode_planar, 6));
    CHECK(screen_is_current(&s));
    screen_close(&s);
}

TEST(low_resolution_is_doubled)
{
    struct screen s;

    screen_open(&s);
    mode_start(&s, &mode_low);
    vga_set(&s, 0x3c4, 2, 0x04);
    fake_write(s.fake, 0xa0000 + 50 * 40 + 39, 1, 0x01);
    screen_render(&s);
    CHECK_EQ(s.mode.width, 640);
    CHECK_EQ(s.mode.height, 400);
    for (uint32_t i = 0; i < 16; i++) { /* a block of 2x2 and its neighbours */
        uint32_t x = 636 + i % 4, y = 99 + i / 4;
        bool inside = x >= 638 && y >= 100 && y < 102;

        CHECK_EQ(pixel(&s, x, y), color16(&mode_low, inside ? 4 : 0));
    }
    screen_close(&s);
}

TEST(cga_four_colors)
{
    struct screen s;

    screen_open(&s);
    mode_start(&s, &mode_cga);
    fake_write(s.fake, 0xb8000 + 10 * 80 + 6, 1, 0x1b);           /* line 20: colours 0 1 2 3 */
    fake_write(s.fake, 0xb8000 + 0x2000 + 10 * 80 + 79, 1, 0x02); /* line 21, last pixel */
    screen_render(&s);
    CHECK_EQ(s.mode.width, 640);
    CHECK_EQ(s.mode.height, 400);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_EQ(pixel(&s, 2 * (24 + i), 40), color16(&mode_cga, i));
        CHECK_EQ(pixel(&s, 2 * (24 + i) + 1, 41), color16(&mode_cga, i));
    }
    CHECK_EQ(pixel(&s, 639, 42), color16(&mode_cga, 2));
    CHECK_EQ(pixel(&s, 637, 42), color16(&mode_cga, 0));
    CHECK_EQ(pixel(&s, 639, 44), color16(&mode_cga, 0));
    CHECK(fake_save_load(s.device));
    screen_render(&s);
    CHECK(screen_is_current(&s));
    screen_close(&s);
}

TEST(cga_two_colors)
{
    struct screen s;

    screen_open(&s);
    mode_start(&s, &mode_cga_mono);
    fake_write(s.fake, 0xb8000 + 0x2000 + 99 * 80 + 79, 1, 0x81); /* line 199 */
    screen_render(&s);
    CHECK_EQ(s.mode.width, 640);
    CHECK_EQ(pixel(&s, 639, 399), color16(&mode_cga_mono, 1));
    CHECK_EQ(pixel(&s, 632, 398), color16(&mode_cga_mono, 1));
    CHECK_EQ(pixel(&s, 633, 398), color16(&mode_cga_mono, 0));
    CHECK_EQ(pixel(&s, 639, 397), color16(&mode_cga_mono, 0));
    screen_close(&s);
}

TEST(mode_13h)
{
    struct screen s;

    screen_open(&s);
    mode_start(&s, &mode_256);
    for (uint32_t i = 0; i < 256; i++) {
        fake_write(s.fake, 0xa0000 + 320 * 7 + i, 1, i);
    }
    screen_render(&s);
    CHECK_EQ(s.mode.width, 640);
    CHECK_EQ(s.mode.height, 400);
    for (uint32_t i = 0; i < 256; i++) {
        CHECK_EQ(pixel(&s, 2 * i, 14), palette_color(i));
        CHECK_EQ(pixel(&s, 2 * i + 1, 15), palette_color(i));
    }
    screen_render(&s);
    CHECK_EQ(s.damage.n, 0);
    fake_write(s.fake, 0xa0000 + 320 * 199 + 319, 1, 77);
    screen_render(&s);
    CHECK(damaged(&s, 576, 384, 64, 16));
    CHECK_EQ(pixel(&s, 639, 399), palette_color(77));
    palette_set(&s, 77, 1, 2, 3);
    screen_render(&s);
    CHECK(pixel(&s, 639, 399) != palette_color(77));
    attribute_set(&s, 0x13, 2); /* one pixel */
    screen_render(&s);
    CHECK_EQ(pixel(&s, 2 * 99, 14), palette_color(100));
    CHECK(fake_save_load(s.device));
    screen_render(&s);
    CHECK(screen_is_current(&s));
    screen_close(&s);
}

TEST(mode_x)
{
    struct screen s;

    screen_open(&s);
    mode_start(&s, &mode_256);
    vga_set(&s, 0x3c4, 4, 0x06);
    vga_set(&s, 0x3d4, 0x14, 0x00);
    vga_set(&s, 0x3d4, 0x17, 0xe3);
    CHECK_EQ(fake_window_base(s.device, 1), REGION_UNPLACED);
    vga_set(&s, 0x3c4, 2, 0x0f);
    fake_write(s.fake, 0xa0000 + 16000 + 80 * 3 + 10, 1, 200); /* four pixels on the second page */
    vga_set(&s, 0x3c4, 2, 0x04);
    fake_write(s.fake, 0xa0000 + 16000 + 80 * 3 + 10, 1, 100);
    vga_set(&s, 0x3d4, 0x0c, 16000 >> 8);
    vga_set(&s, 0x3d4, 0x0d, 16000 & 0xff);
    screen_render(&s);
    for (uint32_t i = 0; i < 6; i++) {
        unsigned expected = i == 0 || i == 5 ? 0 : i == 3 ? 100 : 200;

        CHECK_EQ(pixel(&s, 2 * (39 + i), 6), palette_color(expected));
    }
    screen_close(&s);
}

TEST(display_wraps_at_64_kib)
{
    struct screen s;

    screen_open(&s);
    mode_start(&s, &mode_planar);
    vga_set(&s, 0x3d4, 0x0c, 0xff);
    vga_set(&s, 0x3d4, 0x0d, 0xff);
    planar_put(&s, 0, 0, 7);
    fake_write(s.fake, FRAMEBUFFER + 4 * 65536, 4, 0xffffffff);
    screen_render(&s);
    CHECK_EQ(pixel(&s, 8, 0), color16(&mode_planar, 7));
    CHECK_EQ(pixel(&s, 9, 0), color16(&mode_planar, 0));
    screen_close(&s);
}

TEST_MAIN(T(planar), T(colors_of_the_attribute_controller), T(start_split_and_panning),
          T(low_resolution_is_doubled), T(cga_four_colors), T(cga_two_colors), T(mode_13h),
          T(mode_x), T(display_wraps_at_64_kib))
