/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef WELCOME_GLYPHS_H
#define WELCOME_GLYPHS_H

struct glyph {
    char letter;
    float width;
    const char *strokes; /* see glyphs.c */
};

extern const struct glyph glyphs[];
extern const unsigned glyph_count;

#endif
