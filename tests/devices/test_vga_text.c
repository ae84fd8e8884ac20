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
            unsigned on = i < 8 ? dots >> (7 - i) & 1
                                : character >= 0xc0 && character <= 0xdf && (dots & 1);

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

TEST_MAIN(T(characters_and_colors), T(only_changed_cells_are_drawn))
