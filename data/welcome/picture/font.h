/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A typeface drawn with a pen of even width: each letter is a few lines and quarter ellipses, so
 * one description serves every size. Units: capitals are 10 high, small letters 7.
 */
#ifndef WELCOME_FONT_H
#define WELCOME_FONT_H

#include <stdint.h>

/* A size of text: pixels a unit, width of the pen and space between letters in pixels. */
struct font {
    float scale, pen, spacing;
};

extern const struct font font_title, font_heading, font_body;

/* Letters outside ASCII that the typeface has, by code. */
#define FONT_LEFT  "\x01"
#define FONT_RIGHT "\x02"
#define FONT_UP    "\x03"
#define FONT_DOWN  "\x04"
#define FONT_TIMES "\x05"
#define FONT_DOT   "\x06"

/* Draws text on the canvas with its baseline at y; returns where the next letter would begin. */
float text_draw(float x, int y, const struct font *font, uint32_t color, const char *text);

/* How wide text_draw() would be. */
float text_width(const struct font *font, const char *text);

#endif
