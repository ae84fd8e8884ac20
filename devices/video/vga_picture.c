/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the registers say is on the screen, and the parts of drawing that all modes share: colours,
 * the CRTC's walk from line to line, finding changed pages, and putting lines into the surface so
 * that only tiles whose pixels differ become damage.
 *
 * Nothing is remembered from one register write to the next: vga_picture_get() derives everything
 * from the raw registers at each call, inside the limits of the surface and of video memory. What
 * was drawn last is kept only to tell what must be drawn again.
 *
 * A blank picture keeps the size of the last visible one, so that a guest in the middle of a mode
 * change does not resize windows.
 *
 * Left out: the overscan border, CRTC timing tricks within a frame, doubled vertical counting
 * (CRTC 17 bit 2).
 */
#include <string.h>

#include "services.h"
#include "vga.h"

enum {
    DEFAULT_WIDTH = 720, /* before the first picture */
    DEFAULT_HEIGHT = 400,
    TILE_WIDTH = 64,
    TILE_HEIGHT = 16,
};

/* --- The picture ----------------------------------------------------------------------------- */

static uint32_t bit(uint32_t value, unsigned n)
{
    return value >> n & 1;
}

/* Plane offset of the font that three bits of the character map register select: 16 KiB blocks, the
 * high bit picks the upper half. */
static uint32_t font_offset(uint32_t low, uint32_t high)
{
    return low * 0x4000 + high * 0x2000;
}

static uint32_t dot_columns(const struct picture *picture, uint32_t dots)
{
    return picture->columns * dots * picture->dot_repeat;
}

static void text_picture(const struct vga *vga, struct picture *picture)
{
    uint8_t map = vga->sequencer[SEQ_CHARACTER_MAP];
    uint32_t dots = vga->sequencer[SEQ_CLOCKING] & CLOCKING_8_DOTS ? 8 : 9;
    uint32_t pan = vga->attribute[ATTR_PANNING];

    picture->kind = PICTURE_TEXT;
    picture->cell_width = dots * picture->dot_repeat;
    picture->width = dot_columns(picture, dots);
    picture->rows = picture->height / (picture->row_scans * picture->scan_repeat);
    if (picture->rows < 1) {
        picture->rows = 1;
    } else if (picture->rows > DISPLAY_ROWS_MAX) {
        picture->rows = DISPLAY_ROWS_MAX;
    }
    if (dots == 9) { /* here 8 means no panning */
        picture->pan = pan >= 8 ? 0 : pan + 1;
    } else {
        picture->pan = pan & 7;
    }
    picture->underline = vga->crtc[CRTC_UNDERLINE] & 0x1f;
    picture->attribute_mode = vga->attribute[ATTR_MODE];
    picture->font[0] = font_offset(map & 3, bit(map, 4));
    picture->font[1] = font_offset(map >> 2 & 3, bit(map, 5));
}

static void graphics_picture(const struct vga *vga, struct picture *picture)
{
    uint8_t mode = vga->graphics[GC_MODE];

    picture->width = dot_columns(picture, 8);
    picture->pan = vga->attribute[ATTR_PANNING] & 7;
    if (mode & GC_MODE_SHIFT_256) {
        picture->kind = PICTURE_CHAIN;
    } else {
        picture->kind = mode & GC_MODE_SHIFT_INTERLEAVE ? PICTURE_CGA : PICTURE_PLANAR;
    }
}

static void vga_picture(const struct vga *vga, struct picture *picture)
{
    const uint8_t *crtc = vga->crtc;
    uint8_t overflow = crtc[CRTC_OVERFLOW], scan = crtc[CRTC_MAXIMUM_SCAN_LINE];

    picture->columns = crtc[CRTC_HORIZONTAL_DISPLAY_END] + 1u;
    picture->height =
        (crtc[CRTC_VERTICAL_DISPLAY_END] | bit(overflow, 1) << 8 | bit(overflow, 6) << 9) + 1;
    picture->line_compare = crtc[CRTC_LINE_COMPARE] | bit(overflow, 4) << 8 | bit(scan, 6) << 9;
    picture->row_scans = (scan & 0x1f) + 1u;
    picture->scan_repeat = scan & 0x80 ? 2 : 1;
    picture->dot_repeat = vga->sequencer[SEQ_CLOCKING] & CLOCKING_HALF_DOT_CLOCK ? 2 : 1;
    picture->preset_scan = crtc[CRTC_PRESET_ROW_SCAN] & 0x1f;
    picture->start = (uint32_t)(crtc[CRTC_START_HIGH] << 8 | crtc[CRTC_START_LOW]) +
                     (crtc[CRTC_PRESET_ROW_SCAN] >> 5 & 3u);
    picture->pitch = crtc[CRTC_OFFSET] * 2u;
    picture->offset_mask = VGA_PLANE_SIZE - 1;
    picture->pan_top_only = (vga->attribute[ATTR_MODE] & ATTR_MODE_PAN_TOP_ONLY) != 0;
    picture->crtc_mode = crtc[CRTC_MODE];
    picture->blank =
        !(crtc[CRTC_MODE] & CRTC_MODE_RUN) || (vga->sequencer[SEQ_CLOCKING] & CLOCKING_SCREEN_OFF);
    if (vga->graphics[GC_MISCELLANEOUS] & GC_MISC_GRAPHICS) {
        graphics_picture(vga, picture);
    } else {
        text_picture(vga, picture);
    }
}

void vga_picture_get(const struct vga *vga, struct picture *picture)
{
    memset(picture, 0, sizeof(*picture));
    if (dispi_enabled(vga)) {
        dispi_picture(vga, picture);
    } else {
        vga_picture(vga, picture);
    }
    if (!(vga->attribute_index & ATTR_INDEX_VIDEO_ON)) {
        picture->blank = true;
    }
    if (picture->blank && !dispi_enabled(vga)) {
        picture->width = vga->drawn->width > 0 ? vga->drawn->width : DEFAULT_WIDTH;
        picture->height = vga->drawn->height > 0 ? vga->drawn->height : DEFAULT_HEIGHT;
    }
}

void vga_display_mode(struct device *device, unsigned head, struct display_mode *mode)
{
    struct vga *vga = to_vga(device);
    struct picture picture;

    (void)head;
    vga_picture_get(vga, &picture);
    mode->width = picture.width;
    mode->height = picture.height;
    mode->blank = picture.blank;
    mode->text = picture.kind == PICTURE_TEXT;
    mode->columns = mode->text ? picture.columns : 0;
    mode->rows = mode->text ? picture.rows : 0;
}

/* --- Colours --------------------------------------------------------------------------------- */

static uint32_t component(uint8_t value, bool eight_bits)
{
    return eight_bits ? value : (value & 0x3fu) << 2 | (value & 0x3fu) >> 4;
}

/* The DAC's 256 colours after the mask, and the 16 of them that the attribute controller uses. */
static void colors_get(const struct vga *vga, uint32_t colors[256], uint32_t colors16[16])
{
    bool eight_bits = vga->dispi[DISPI_ENABLE] & DISPI_8BIT_DAC;
    uint8_t select = vga->attribute[ATTR_COLOR_SELECT];

    for (unsigned i = 0; i < 256; i++) {
        const uint8_t *rgb = vga->palette + 3 * (i & vga->dac_mask);

        colors[i] = DISPLAY_OPAQUE | component(rgb[0], eight_bits) << 16 |
                    component(rgb[1], eight_bits) << 8 | component(rgb[2], eight_bits);
    }
    for (unsigned i = 0; i < 16; i++) {
        unsigned index = vga->attribute[i & vga->attribute[ATTR_PLANE_ENABLE]] & 0x3f;

        if (vga->attribute[ATTR_MODE] & ATTR_MODE_COLOR_SELECT_54) {
            index = (index & 0x0f) | (select & 3u) << 4;
        }
        colors16[i] = colors[index | (select & 0x0cu) << 4];
    }
}

/* --- The CRTC's walk ------------------------------------------------------------------------- */

void scan_start(const struct picture *picture, struct scan *scan)
{
    scan->row = picture->start;
    scan->line = picture->preset_scan % picture->row_scans;
    scan->repeat = 0;
    scan->pan = picture->pan;
}

void scan_next(const struct picture *picture, struct scan *scan, uint32_t y)
{
    if (y == picture->line_compare) {
        scan->row = 0;
        scan->line = 0;
        scan->repeat = 0;
        if (picture->pan_top_only) {
            scan->pan = 0;
        }
        return;
    }
    if (++scan->repeat < picture->scan_repeat) {
        return;
    }
    scan->repeat = 0;
    if (++scan->line >= picture->row_scans) {
        scan->line = 0;
        scan->row += picture->pitch;
    }
}

uint32_t scan_offset(const struct picture *picture, const struct scan *scan, uint32_t column)
{
    uint32_t offset = (scan->row + column) & picture->offset_mask;
    /* Word addressing counts character clocks in half, as odd/even memory is packed. */
    unsigned bit13 = picture->crtc_mode & CRTC_MODE_BYTES ? 13 : 12;

    if (!(picture->crtc_mode & CRTC_MODE_NO_BIT_13)) {
        offset = (offset & ~(1u << bit13)) | (scan->line & 1) << bit13;
    }
    if (!(picture->crtc_mode & CRTC_MODE_NO_BIT_14)) {
        offset = (offset & ~(2u << bit13)) | (scan->line >> 1 & 1) << (bit13 + 1);
    }
    return offset & picture->offset_mask;
}

/* --- Into the surface ------------------------------------------------------------------------ */

/* Turns the changed tiles of the current tile row into rectangles. */
static void tile_row_end(struct canvas *canvas)
{
    const struct surface *surface = canvas->surface;
    uint32_t tiles = (surface->width + TILE_WIDTH - 1) / TILE_WIDTH;
    uint32_t top = canvas->tile_row * TILE_HEIGHT;
    uint32_t height = surface->height - top < TILE_HEIGHT ? surface->height - top : TILE_HEIGHT;

    for (uint32_t first = 0, end; first < tiles; first = end + 1) {
        end = first;
        while (end < tiles && bit(canvas->changed[end / 32], end % 32)) {
            end++;
        }
        if (end > first) {
            uint32_t right = end * TILE_WIDTH < surface->width ? end * TILE_WIDTH : surface->width;

            damage_add(canvas->damage, first * TILE_WIDTH, top, right - first * TILE_WIDTH, height);
        }
    }
    memset(canvas->changed, 0, sizeof(canvas->changed));
}

void canvas_line(struct canvas *canvas, uint32_t y, const uint32_t *pixels)
{
    const struct surface *surface = canvas->surface;
    uint32_t *to = surface->pixels + (size_t)y * surface->stride;

    if (y / TILE_HEIGHT != canvas->tile_row) {
        tile_row_end(canvas);
        canvas->tile_row = y / TILE_HEIGHT;
    }
    for (uint32_t x = 0; x < surface->width; x += TILE_WIDTH) {
        uint32_t n = surface->width - x < TILE_WIDTH ? surface->width - x : TILE_WIDTH;

        if (memcmp(to + x, pixels + x, n * sizeof(*to)) != 0) {
            uint32_t tile = x / TILE_WIDTH;

            memcpy(to + x, pixels + x, n * sizeof(*to));
            canvas->changed[tile / 32] |= 1u << (tile % 32);
        }
    }
}

void canvas_end(struct canvas *canvas)
{
    tile_row_end(canvas);
}

/* --- Drawing --------------------------------------------------------------------------------- */

bool vga_dirty(const struct vga *vga, uint64_t offset, uint64_t length)
{
    uint64_t end = offset + length < vga->vram_size ? offset + length : vga->vram_size;

    for (uint64_t page = offset / VGA_PAGE_SIZE; page * VGA_PAGE_SIZE < end; page++) {
        if (vga->dirty[page / 64] >> (page % 64) & 1) {
            return true;
        }
    }
    return false;
}

static void blank_draw(struct vga *vga, struct canvas *canvas)
{
    for (uint32_t x = 0; x < canvas->surface->width; x++) {
        vga->drawn->line[x] = DISPLAY_OPAQUE;
    }
    for (uint32_t y = 0; canvas->redraw && y < canvas->surface->height; y++) {
        canvas_line(canvas, y, vga->drawn->line);
    }
}

static void picture_draw(struct vga *vga, const struct picture *picture, struct canvas *canvas)
{
    if (picture->blank) {
        blank_draw(vga, canvas);
    } else if (picture->kind == PICTURE_TEXT) {
        vga_text_draw(vga, picture, canvas);
    } else if (picture->kind < PICTURE_8) {
        vga_planar_draw(vga, picture, canvas);
    } else {
        vga_linear_draw(vga, picture, canvas);
    }
    canvas_end(canvas);
}

/* Notes the picture and its colours as drawn; true if they are not what was drawn last. */
static bool drawn_update(struct vga *vga, const struct picture *picture)
{
    struct vga_drawn *drawn = vga->drawn;
    uint32_t colors[256], colors16[16];
    bool same;

    colors_get(vga, colors, colors16);
    same = drawn->valid && memcmp(&drawn->picture, picture, sizeof(*picture)) == 0 &&
           memcmp(drawn->colors, colors, sizeof(colors)) == 0 &&
           memcmp(drawn->colors16, colors16, sizeof(colors16)) == 0;
    drawn->valid = true;
    drawn->picture = *picture;
    memcpy(drawn->colors, colors, sizeof(colors));
    memcpy(drawn->colors16, colors16, sizeof(colors16));
    if (!picture->blank) {
        drawn->width = picture->width;
        drawn->height = picture->height;
    }
    return !same;
}

bool vga_display_render(struct device *device, unsigned head, const struct surface *surface,
                        bool full, struct damage *damage)
{
    struct vga *vga = to_vga(device);
    struct damage pieces = { .n = 0 };
    struct canvas canvas = { .surface = surface, .damage = full ? &pieces : damage };
    struct picture picture;

    (void)head;
    vga_picture_get(vga, &picture);
    if (surface->width != picture.width || surface->height != picture.height) {
        return false;
    }
    canvas.redraw = drawn_update(vga, &picture) || full;
    if (!picture.blank && picture.kind != PICTURE_TEXT) { /* text compares what it shows */
        /* This clears the record before memory is read: a later write is drawn next time. */
        device->services->memory_dirty(device, VGA_MEMORY_VRAM, vga->dirty);
    }
    picture_draw(vga, &picture, &canvas);
    memset(vga->dirty, 0, vga->vram_size / VGA_PAGE_SIZE / 8);
    if (full) {
        damage_add(damage, 0, 0, surface->width, surface->height);
    }
    return true;
}
