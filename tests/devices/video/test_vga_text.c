/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text modes of the display adapter: pixels against a font and a drawing of the test's own. */
#include "test_vga.h"

enum {
    TEXT = 0xb8000,
};

/* A font in which no two lines of no two characters are alike for long. */
static uint8_t font_line(unsigned font, unsigned character, unsigned line)
{
    return (uint8_t)(character * 31 + line * 17 + font * 101 + (character >> 3) * (line + 1));
}

/* Loads the font as the BIOS does, into 8 KiB block 0 or 1 (the second is at 16 KiB). */
static void font_load(struct screen *s, unsigned font)
{
    vga_set(s, 0x3c4, 2, 4);
    vga_set(s, 0x3c4, 4, 6);
    vga_set(s, 0x3ce, 5, 0);
    vga_set(s, 0x3ce, 6, 4);
    for (unsigned c = 0; c < 256; c++) {
        for (unsigned line = 0; line < 16; line++) {
            fake_write(s->fake, 0xa0000 + font * 0x4000 + c * 32 + line, 1,
                       font_line(font, c, line));
        }
    }
    vga_set(s, 0x3c4, 2, 3);
    vga_set(s, 0x3c4, 4, 2);
    vga_set(s, 0x3ce, 5, 0x10);
    vga_set(s, 0x3ce, 6, 0x0e);
}

static void text_open(struct screen *s)
{
    screen_open(s);
    mode_start(s, &mode_text);
    font_load(s, 0);
    vga_set(s, 0x3d4, 0x0a, 0x20); /* no cursor */
    for (unsigned i = 0; i < 80 * 25; i++) {
        fake_write(s->fake, TEXT + 2 * i, 2, 0x0720);
    }
}

static uint32_t attribute_color(unsigned i)
{
    return palette_color(mode_text.attribute[i]);
}

static void put(struct screen *s, unsigned column, unsigned row, uint8_t character,
                uint8_t attribute)
{
    fake_write(s->fake, TEXT + 2 * (row * 80 + column), 2, (unsigned)attribute << 8 | character);
}

/* True if the 9x16 cell at surface pixel x, y shows the character. */
static bool shows(struct screen *s, uint32_t x, uint32_t y, uint8_t character, uint8_t attribute)
{
    uint32_t colors[2] = { attribute_color(attribute >> 4 & 7), attribute_color(attribute & 15) };

    for (uint32_t line = 0; line < 16; line++) {
        uint8_t dots = font_line(0, character, line);

        for (uint32_t i = 0; i < 9; i++) {
            unsigned on =
                i < 8 ? dots >> (7 - i) & 1 : character >= 0xc0 && character <= 0xdf && (dots & 1);

            if (pixel(s, x + i, y + line) != colors[on]) {
                printf("# character %#x: line %u dot %u is %#x\n", character, line, i,
                       pixel(s, x + i, y + line));
                return false;
            }
        }
    }
    return true;
}

TEST(characters_and_colors)
{
    struct screen s;

    text_open(&s);
    put(&s, 0, 0, 'A', 0x07);
    put(&s, 79, 24, 0xc4, 0x1e);
    put(&s, 40, 12, 0xb0, 0x9f); /* blink: shown, background of three bits */
    screen_render(&s);
    CHECK_EQ(s.mode.width, 720);
    CHECK_EQ(s.mode.height, 400);
    CHECK(s.mode.text && !s.mode.blank);
    CHECK_EQ(s.mode.columns, 80);
    CHECK_EQ(s.mode.rows, 25);
    CHECK(damaged(&s, 0, 0, 720, 400));
    CHECK(shows(&s, 0, 0, 'A', 0x07));
    CHECK(shows(&s, 9, 0, ' ', 0x07));
    CHECK(shows(&s, 79 * 9, 24 * 16, 0xc4, 0x1e));
    CHECK(shows(&s, 40 * 9, 12 * 16, 0xb0, 0x9f));
    screen_close(&s);
}

TEST(only_changed_cells_are_drawn)
{
    struct screen s;

    text_open(&s);
    screen_render(&s);
    screen_render(&s);
    CHECK_EQ(s.damage.n, 0);
    put(&s, 10, 3, 'x', 0x0f);
    put(&s, 11, 3, 'y', 0x0f);
    screen_render(&s);
    CHECK(damaged(&s, 90, 48, 18, 16));
    CHECK(shows(&s, 90, 48, 'x', 0x0f));
    palette_set(&s, mode_text.attribute[7], 1, 2, 3);
    screen_render(&s);
    CHECK(s.damage.n > 0);
    CHECK(screen_is_current(&s));
    screen_close(&s);
}

/* Dots of a line of a cell as one number, leftmost highest, for cells `width` pixels wide. */
static uint32_t dots(struct screen *s, uint32_t x, uint32_t y, uint32_t width, uint32_t foreground)
{
    uint32_t value = 0;

    for (uint32_t i = 0; i < width; i++) {
        value = value << 1 | (pixel(s, x + i, y) == foreground);
    }
    return value;
}

TEST(cursor)
{
    struct screen s;
    uint32_t white = attribute_color(7);

    text_open(&s);
    screen_render(&s);
    vga_set(&s, 0x3d4, 0x0e, 2 * 80 >> 8);
    vga_set(&s, 0x3d4, 0x0f, 2 * 80 + 5);
    vga_set(&s, 0x3d4, 0x0a, 13);
    vga_set(&s, 0x3d4, 0x0b, 14);
    screen_render(&s);
    for (uint32_t line = 0; line < 16; line++) {
        CHECK_EQ(dots(&s, 5 * 9, 32 + line, 9, white),
                 line == 13 || line == 14 ? 0x1ff : font_line(0, ' ', line) << 1);
    }
    vga_set(&s, 0x3d4, 0x0f, 2 * 80 + 6);
    screen_render(&s);
    CHECK(damaged(&s, 45, 32, 18, 16));
    CHECK(shows(&s, 45, 32, ' ', 7));
    CHECK_EQ(dots(&s, 54, 32 + 13, 9, white), 0x1ff);
    vga_set(&s, 0x3d4, 0x0b, 12); /* ends before it starts: none */
    screen_render(&s);
    CHECK(shows(&s, 54, 32, ' ', 7));
    screen_close(&s);
}

TEST(text_of_the_screen)
{
    static struct text_cell cells[80 * 25];
    struct screen s;
    struct text_cursor at;
    const struct display_ops *ops;

    text_open(&s);
    ops = s.device->class->display;
    put(&s, 3, 4, 'Q', 0x5c);
    vga_set(&s, 0x3d4, 0x0a, 0);
    vga_set(&s, 0x3d4, 0x0b, 15);
    vga_set(&s, 0x3d4, 0x0e, (24 * 80 + 79) >> 8);
    vga_set(&s, 0x3d4, 0x0f, (24 * 80 + 79) & 0xff);
    CHECK(ops->text(s.device, cells, 80, 25, &at));
    CHECK_EQ(cells[4 * 80 + 3].character, 'Q');
    CHECK_EQ(cells[4 * 80 + 3].attribute, 0x5c);
    CHECK_EQ(cells[4 * 80 + 2].character, ' ');
    CHECK(at.visible);
    CHECK_EQ(at.column, 79);
    CHECK_EQ(at.row, 24);
    vga_set(&s, 0x3d4, 0x0d, 80); /* one row further on: the cursor moves up with the text */
    CHECK(ops->text(s.device, cells, 80, 25, &at));
    CHECK_EQ(cells[3 * 80 + 3].character, 'Q');
    CHECK_EQ(at.row, 23);
    vga_set(&s, 0x3d4, 0x0a, 0x20);
    CHECK(ops->text(s.device, cells, 80, 25, &at));
    CHECK(!at.visible);
    CHECK(!ops->text(s.device, cells, 80, 24, &at));
    CHECK(!ops->text(s.device, cells, 40, 25, &at));
    /* With the picture turned off the text is still there. */
    fake_in(s.fake, 0x3da, 1);
    fake_out(s.fake, 0x3c0, 1, 0);
    screen_render(&s);
    CHECK(s.mode.blank && s.mode.text);
    CHECK(ops->text(s.device, cells, 80, 25, &at));
    CHECK_EQ(cells[3 * 80 + 3].character, 'Q');
    mode_start(&s, &mode_planar);
    CHECK(!ops->text(s.device, cells, 80, 25, &at));
    screen_close(&s);
}

TEST(eight_dots_and_two_fonts)
{
    struct screen s;

    text_open(&s);
    font_load(&s, 1);
    vga_set(&s, 0x3c4, 1, 1);
    vga_set(&s, 0x3c4, 3, 0x04); /* attribute bit 3 selects the block at 16 KiB */
    put(&s, 2, 1, 0xc4, 0x07);
    put(&s, 3, 1, 0xc4, 0x0f);
    screen_render(&s);
    CHECK_EQ(s.mode.width, 640);
    for (uint32_t line = 0; line < 16; line++) {
        CHECK_EQ(dots(&s, 16, 16 + line, 8, attribute_color(7)), font_line(0, 0xc4, line));
        CHECK_EQ(dots(&s, 24, 16 + line, 8, attribute_color(15)), font_line(1, 0xc4, line));
    }
    /* A character drawn anew in the font is drawn anew on the screen. */
    fake_write(s.fake, FRAMEBUFFER + 4 * (0xc4 * 32 + 3) + 2, 1, 0xff);
    screen_render(&s);
    CHECK_EQ(dots(&s, 16, 16 + 3, 8, attribute_color(7)), 0xff);
    CHECK(screen_is_current(&s));
    screen_close(&s);
}

TEST(forty_columns_and_fifty_rows)
{
    struct screen s;

    text_open(&s);
    vga_set(&s, 0x3d4, 0x11, 0);
    vga_set(&s, 0x3d4, 0x01, 39);
    vga_set(&s, 0x3d4, 0x13, 20);
    vga_set(&s, 0x3c4, 1, 0x08);
    vga_set(&s, 0x3d4, 0x09, 0x47); /* 8 lines a row */
    fake_write(s.fake, TEXT + 2 * (49 * 40 + 39), 2, 0x07 << 8 | 'M');
    screen_render(&s);
    CHECK_EQ(s.mode.width, 720);
    CHECK_EQ(s.mode.height, 400);
    CHECK_EQ(s.mode.columns, 40);
    CHECK_EQ(s.mode.rows, 50);
    for (uint32_t line = 0; line < 8; line++) {
        uint32_t expected = 0, shown = dots(&s, 39 * 18, 49 * 8 + line, 18, attribute_color(7));

        for (unsigned i = 0; i < 8; i++) { /* every dot twice */
            expected |= (font_line(0, 'M', line) >> i & 1) * 3u << (2 * i + 2);
        }
        CHECK_EQ(shown, expected);
    }
    screen_close(&s);
}

TEST(underline_and_blink)
{
    struct screen s;

    text_open(&s);
    vga_set(&s, 0x3d4, 0x14, 12);
    put(&s, 0, 0, 0, 0x01);
    put(&s, 1, 0, 0, 0x02);
    attribute_set(&s, 0x10, 0x04); /* background of four bits, no blinking */
    put(&s, 2, 0, 0, 0xf2);
    screen_render(&s);
    CHECK_EQ(dots(&s, 0, 12, 9, attribute_color(1)), 0x1ff);
    CHECK_EQ(dots(&s, 9, 12, 9, attribute_color(2)), font_line(0, 0, 12) << 1);
    CHECK_EQ(pixel(&s, 18 + 8, 0), attribute_color(15));
    screen_close(&s);
}

TEST(split_screen_and_smooth_scroll)
{
    struct screen s;

    text_open(&s);
    put(&s, 0, 0, 'S', 0x07);  /* shown below the split */
    put(&s, 0, 30, 'T', 0x07); /* where the display starts */
    put(&s, 1, 30, 'U', 0x07);
    put(&s, 0, 31, 'V', 0x07);
    vga_set(&s, 0x3d4, 0x0c, 30 * 80 >> 8);
    vga_set(&s, 0x3d4, 0x0d, 30 * 80 & 0xff);
    vga_set(&s, 0x3d4, 0x11, 0);
    vga_set(&s, 0x3d4, 0x18, 199);
    vga_set(&s, 0x3d4, 0x07, mode_text.crtc[7] & ~0x10);
    vga_set(&s, 0x3d4, 0x09, 0x0f);
    screen_render(&s);
    CHECK(shows(&s, 0, 0, 'T', 7));
    CHECK(shows(&s, 0, 200, 'S', 7));
    vga_set(&s, 0x3d4, 0x08, 5);   /* five lines up */
    attribute_set(&s, 0x13, 2);    /* three dots left, in 9-dot modes */
    attribute_set(&s, 0x10, 0x2c); /* above the split only */
    screen_render(&s);
    CHECK(shows(&s, 0, 200, 'S', 7));
    CHECK_EQ(dots(&s, 0, 0, 6, attribute_color(7)), font_line(0, 'T', 5) << 1 & 0x3f);
    CHECK_EQ(dots(&s, 6, 0, 9, attribute_color(7)), font_line(0, 'U', 5) << 1);
    CHECK_EQ(dots(&s, 0, 11, 6, attribute_color(7)), font_line(0, 'V', 0) << 1 & 0x3f);
    attribute_set(&s, 0x10, 0x0c); /* now below it too */
    screen_render(&s);
    CHECK_EQ(dots(&s, 0, 200, 6, attribute_color(7)), font_line(0, 'S', 0) << 1 & 0x3f);
    CHECK(screen_is_current(&s));
    screen_close(&s);
}

TEST(blank)
{
    struct screen s;

    text_open(&s);
    screen_render(&s);
    vga_set(&s, 0x3c4, 1, 0x20);
    screen_render(&s);
    CHECK(s.mode.blank);
    CHECK_EQ(s.mode.width, 720);
    CHECK_EQ(pixel(&s, 0, 0) | pixel(&s, 359, 200) | pixel(&s, 719, 399), 0);
    vga_set(&s, 0x3c4, 1, 0x00);
    screen_render(&s);
    CHECK(!s.mode.blank);
    CHECK(shows(&s, 0, 0, ' ', 7));
    screen_close(&s);
}

TEST(saved_in_the_middle)
{
    struct screen s;

    text_open(&s);
    put(&s, 8, 8, 'z', 0x1e);
    screen_render(&s);
    CHECK(fake_save_load(s.device));
    screen_render(&s);
    CHECK_EQ(s.damage.n, 1);
    CHECK(shows(&s, 72, 128, 'z', 0x1e));
    CHECK(screen_is_current(&s));
    screen_close(&s);
}

TEST(surface_of_another_size_is_refused)
{
    struct screen s;

    text_open(&s);
    screen_render(&s);
    mode_start(&s, &mode_planar);
    s.damage.n = 0;
    CHECK(!s.device->class->display->render(s.device, 0, &s.surface, true, &s.damage));
    CHECK_EQ(s.damage.n, 0);
    screen_close(&s);
}

TEST_MAIN(T(characters_and_colors), T(only_changed_cells_are_drawn), T(cursor),
          T(text_of_the_screen), T(eight_dots_and_two_fonts), T(forty_columns_and_fifty_rows),
          T(underline_and_blink), T(split_screen_and_smooth_scroll), T(blank),
          T(saved_in_the_middle), T(surface_of_another_size_is_refused))
