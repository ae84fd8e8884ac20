/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text modes: a grid of characters and attributes in planes 0 and 1, fonts in plane 2. IBM VGA: 8
 * or 9 dots a character, two fonts, underline, cursor, line graphics, smooth scrolling in both
 * directions, split screen.
 *
 * A screen is a list of bands: lines that show one row of characters, or part of one at the edges
 * of a smooth scroll or a split. A cell is drawn again when its character, attribute or cursor
 * differs from what was drawn there last; a change of font draws everything.
 *
 * Nothing blinks: the cursor is steady, and characters with the blink attribute are shown. A
 * picture that never changes by itself costs nobody a wake-up and looks the same in every
 * screenshot.
 */
#include <string.h>

#include "vga.h"

enum {
    CELL_CURSOR = 1 << 16,
    CELL_NONE = -1,
    CURSOR_OFF = 0x20,
};

/* Lines top..bottom - 1 of the surface, showing one row of characters. */
struct band {
    uint32_t top, bottom;
    struct scan scan; /* at the first line */
};

/* What to know while drawing cells. */
struct text {
    struct vga *vga;
    const struct picture *picture;
    struct canvas *canvas;
    uint32_t cursor_offset;             /* plane offset of the character under it */
    uint32_t cursor_first, cursor_last; /* scan lines; first > last: no cursor */
};

/* Takes the band that begins at *y, ending before `limit`, and moves *y and *scan behind it. */
static void band_take(const struct picture *picture, struct scan *scan, uint32_t limit, uint32_t *y,
                      struct band *band)
{
    band->top = *y;
    band->scan = *scan;
    do {
        scan_next(picture, scan, (*y)++);
    } while (*y < limit && (scan->line > 0 || scan->repeat > 0));
    band->bottom = *y;
}

static void cursor_get(const struct vga *vga, struct text *text)
{
    const uint8_t *crtc = vga->crtc;

    text->cursor_offset =
        (uint32_t)(crtc[CRTC_CURSOR_HIGH] << 8 | crtc[CRTC_CURSOR_LOW]) & (VGA_PLANE_SIZE - 1);
    text->cursor_first = crtc[CRTC_CURSOR_START] & 0x1f;
    text->cursor_last = crtc[CRTC_CURSOR_END] & 0x1f;
    if (crtc[CRTC_CURSOR_START] & CURSOR_OFF) {
        text->cursor_first = 1;
        text->cursor_last = 0;
    }
}

/* Character, attribute and cursor of a cell, as one number. */
static uint32_t cell_get(const struct text *text, uint32_t offset)
{
    const uint8_t *at = text->vga->vram + 4 * (size_t)offset;
    uint32_t cell = at[0] | (uint32_t)at[1] << 8;

    if (offset == text->cursor_offset && text->cursor_first <= text->cursor_last) {
        cell |= CELL_CURSOR;
    }
    return cell;
}

/* The dots of one scan line of a cell, leftmost in bit 8; the ninth in bit 0. */
static uint32_t cell_dots(const struct text *text, uint32_t cell, uint32_t line)
{
    const struct picture *picture = text->picture;
    uint32_t character = cell & 0xff, attribute = cell >> 8 & 0xff;
    const uint8_t *font = text->vga->drawn->font[attribute >> 3 & 1];
    uint32_t dots = (uint32_t)font[character * 32 + line] << 1;

    if ((picture->attribute_mode & ATTR_MODE_LINE_GRAPHICS) && character >= 0xc0 &&
        character <= 0xdf) {
        dots |= dots >> 1 & 1;
    }
    if ((attribute & 0x77) == 0x01 && line == picture->underline) {
        dots = 0x1ff;
    }
    if ((cell & CELL_CURSOR) && line >= text->cursor_first && line <= text->cursor_last) {
        dots = 0x1ff;
    }
    return dots;
}

/* Draws a cell whose left edge is at surface pixel x, which may lie left of the surface. */
static void cell_draw(const struct text *text, const struct band *band, uint32_t cell, int32_t x)
{
    const struct surface *surface = text->canvas->surface;
    const struct picture *picture = text->picture;
    const uint32_t *colors = text->vga->drawn->colors16;
    uint32_t background = cell >> 12 & (picture->attribute_mode & ATTR_MODE_BLINK ? 7 : 15);
    uint32_t pair[2] = { colors[background], colors[cell >> 8 & 15] };
    uint32_t first = x < 0 ? (uint32_t)-x : 0, end = picture->cell_width;
    struct scan scan = band->scan;

    if ((int64_t)x + end > surface->width) {
        end = (uint32_t)(surface->width - (int64_t)x);
    }
    for (uint32_t y = band->top; y < band->bottom; y++) {
        uint32_t *to = surface->pixels + (size_t)y * surface->stride;
        uint32_t dots = cell_dots(text, cell, scan.line);

        for (uint32_t i = first; i < end; i++) {
            to[(int64_t)x + i] = pair[dots >> (8 - i / picture->dot_repeat) & 1];
        }
        scan_next(picture, &scan, y);
    }
}

static void band_draw(const struct text *text, const struct band *band, uint32_t *drawn)
{
    const struct picture *picture = text->picture;
    int32_t pan = (int32_t)(band->scan.pan * picture->dot_repeat);
    uint32_t changed_from = UINT32_MAX, changed_to = 0;
    uint32_t width = text->canvas->surface->width;

    for (uint32_t column = 0; column < picture->columns + (pan > 0); column++) {
        uint32_t cell = cell_get(text, scan_offset(picture, &band->scan, column));
        int32_t x = (int32_t)(column * picture->cell_width) - pan;

        if (cell == drawn[column] || x >= (int32_t)width) {
            continue;
        }
        drawn[column] = cell;
        cell_draw(text, band, cell, x);

        uint32_t left = x < 0 ? 0 : (uint32_t)x;
        uint32_t right = (uint32_t)(x + (int32_t)picture->cell_width);

        if (left > changed_to && changed_from != UINT32_MAX) {
            damage_add(text->canvas->damage, changed_from, band->top, changed_to - changed_from,
                       band->bottom - band->top);
            changed_from = UINT32_MAX;
        }
        changed_from = left < changed_from ? left : changed_from;
        changed_to = right < width ? right : width;
    }
    if (changed_from != UINT32_MAX) {
        damage_add(text->canvas->damage, changed_from, band->top, changed_to - changed_from,
                   band->bottom - band->top);
    }
}

/* Copies the two fonts out of plane 2; true if one changed. */
static bool fonts_update(struct vga *vga, const struct picture *picture)
{
    bool changed = false;

    for (unsigned f = 0; f < 2; f++) {
        const uint8_t *from = vga->vram + 4 * (size_t)picture->font[f] + 2;
        uint8_t *to = vga->drawn->font[f];

        for (unsigned i = 0; i < VGA_FONT_BYTES; i++) {
            changed |= to[i] != from[4 * i];
            to[i] = from[4 * i];
        }
    }
    return changed;
}

void vga_text_draw(struct vga *vga, const struct picture *picture, struct canvas *canvas)
{
    struct text text = { .vga = vga, .picture = picture, .canvas = canvas };
    bool forget = fonts_update(vga, picture) || canvas->redraw;
    struct scan scan;
    uint32_t y = 0;

    cursor_get(vga, &text);
    if (vga->drawn->cursor != (text.cursor_first << 8 | text.cursor_last)) {
        vga->drawn->cursor = text.cursor_first << 8 | text.cursor_last;
        forget = true;
    }
    scan_start(picture, &scan);
    for (uint32_t row = 0; y < picture->height && row < VGA_CELLS_ROWS; row++) {
        struct band band;

        if (forget) {
            memset(vga->drawn->cells[row], CELL_NONE, sizeof(vga->drawn->cells[row]));
        }
        band_take(picture, &scan, picture->height, &y, &band);
        band_draw(&text, &band, vga->drawn->cells[row]);
    }
}

bool vga_display_text(struct device *device, struct text_cell *cells, uint32_t columns,
                      uint32_t rows, struct text_cursor *cursor)
{
    struct vga *vga = to_vga(device);
    struct text text = { .vga = vga };
    struct picture picture;
    struct scan scan;
    uint32_t y = 0;

    vga_picture_get(vga, &picture);
    if (picture.kind != PICTURE_TEXT || picture.columns != columns || picture.rows != rows) {
        return false;
    }
    cursor_get(vga, &text);
    *cursor = (struct text_cursor){ .visible = false };
    scan_start(&picture, &scan);
    for (uint32_t row = 0; row < rows; row++) {
        struct band band;

        band_take(&picture, &scan, UINT32_MAX, &y, &band);
        for (uint32_t column = 0; column < columns; column++) {
            uint32_t cell = cell_get(&text, scan_offset(&picture, &band.scan, column));

            cells[row * columns + column] =
                (struct text_cell){ (uint8_t)cell, (uint8_t)(cell >> 8) };
            if (cell & CELL_CURSOR) {
                *cursor = (struct text_cursor){ true, column, row };
            }
        }
    }
    return true;
}
