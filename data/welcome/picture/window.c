/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An arched window with a mullion left and right, a transom, and a sill with a plant on it. */
#include "view.h"

#define MIDDLE  230.0f
#define BOTTOM  622.0f
#define SPRING  214.0f /* where the arch begins */
#define HALF    196.0f /* half of the width with the frame, */
#define RISE    186.0f /* and the arch's height */
#define FRAME   18.0f
#define MULLION 70.0f /* from the middle */
#define BAR     5.5f  /* half of the width of mullions and transom */

uint8_t window_glass[SCENE_HEIGHT][SCENE_WIDTH];

static void put(int x, int y, uint32_t color, unsigned coverage)
{
    uint32_t *pixel = &canvas[SCENE_Y + y][SCENE_X + x];

    *pixel = color_mix(*pixel, color, coverage);
}

/* How far a point is outside of the arch made smaller by `inset`. */
static float arch_distance(float x, float y, float inset)
{
    float half = HALF - inset, rise = RISE - inset, dx = absolute(x - MIDDLE), dy = SPRING - y;
    float f, slope;

    if (dy < 0)
        return larger(dx - half, y - (BOTTOM - inset));
    f = square_root(square(dx / half) + square(dy / rise));
    slope = square_root(square(dx / square(half)) + square(dy / square(rise)));
    return slope > 1e-6f ? f * (f - 1) / slope : -smaller(half, rise);
}

/* How far a point is outside of the bars. */
static float bar_distance(float x, float y)
{
    return smaller(absolute(absolute(x - MIDDLE) - MULLION), absolute(y - SPRING)) - BAR;
}

static void paint_frame_pixel(int column, int row)
{
    float x = (float)column + 0.5f, y = (float)row + 0.5f;
    float outer = arch_distance(x, y, 0), inner = arch_distance(x, y, FRAME);
    float bars = bar_distance(x, y), pane = larger(inner, -bars);
    float shadow = 1 - larger(0, outer) / 22;
    uint32_t color = 0xFCF9F3;

    if (outer > 0.5f && shadow > 0 && y < BOTTOM)
        put(column, row, 0x4A3F30, coverage_of(square(shadow) * 0.28f));
    color = color_mix(color, 0xD2C5B1, coverage_of(outer + 2));
    color = color_mix(color, 0xE4DACA, coverage_of(1.2f - absolute(outer + 9)));
    color = color_mix(color, 0xCBBEAA, coverage_of((2.5f - pane) / 3));
    put(column, row, color, coverage_of(0.5f - outer));
    window_glass[row][column] = (uint8_t)coverage_of(0.5f - pane);
}

/* Hides the view behind what stands on the sill. */
static void put_front(int x, int y, uint32_t color, unsigned coverage)
{
    put(x, y, color, coverage);
    window_glass[y][x] = (uint8_t)(window_glass[y][x] * (255 - coverage) / 255);
}

static void paint_leaf(float x0, float y0, float x1, float y1, float width, uint32_t color)
{
    float dx = x1 - x0, dy = y1 - y0, length = square_root(dx * dx + dy * dy);
    int top = (int)smaller(y0, y1) - 12, bottom = (int)larger(y0, y1) + 12;
    int left = (int)smaller(x0, x1) - 12, right = (int)larger(x0, x1) + 12;

    for (int y = top; y < bottom; y++) {
        for (int x = left; x < right; x++) {
            float px = (float)x - x0, py = (float)y - y0;
            float along = (px * dx + py * dy) / (length * length);
            float beside = (px * dy - py * dx) / length, half, inside;
            if (along < 0 || along > 1)
                continue;
            half = width * 4 * along * (1 - along) * (1.25f - 0.5f * along);
            inside = half - absolute(beside);
            put_front(x, y, beside < 0 ? color : color_mix(color, 0xFFFFFF, 34),
                      coverage_of(inside + 0.5f));
        }
    }
}

static void paint_plant(float x, float y)
{
    static const float leaves[][3] = {
        { -46, -58, 5 }, { 44, -66, 5 },     { -30, -96, 6 },   { 30, -104, 6 },
        { -4, -118, 6 }, { -58, -30, 4.5f }, { 56, -36, 4.5f },
    };

    for (unsigned i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
        paint_leaf(x, y - 34, x + leaves[i][0], y - 34 + leaves[i][1] * 0.8f, leaves[i][2],
                   color_mix(0x3F7A5C, 0x2C5F55, i * 36));
    for (int row = (int)y - 44; row < (int)y; row++) {
        float down = ((float)row - (y - 44)) / 44;
        float half = down < 0.22f ? 27 : 24 - 6 * down;
        for (int column = (int)x - 30; column < (int)x + 30; column++) {
            float across = (float)column + 0.5f - x;
            uint32_t color = color_mix(0xC9795A, 0xA65D45, coverage_of(0.5f + across / 50));
            if (down >= 0.22f && down < 0.3f)
                color = color_mix(color, 0x7A4030, 60);
            put_front(column, row, color, coverage_of(half - absolute(across) + 0.5f));
        }
    }
}

static void paint_sill(void)
{
    struct rect top = { SCENE_X + 14, SCENE_Y + 612, SCENE_WIDTH - 28, 18 };
    struct rect under = { SCENE_X + 30, SCENE_Y + 628, SCENE_WIDTH - 60, 14 };

    for (int y = 604; y < SCENE_HEIGHT; y++) {
        for (int x = 0; x < SCENE_WIDTH; x++) {
            float distance =
                rect_distance((float)(SCENE_X + x) + 0.5f, (float)(SCENE_Y + y) + 0.5f, top, 3);
            window_glass[y][x] = distance < 0 || y >= 630 ? 0 : window_glass[y][x];
        }
    }
    canvas_shadow(under, 4, 16, 80);
    canvas_fill_rounded(under, 4, 0xE5DBCB, 255);
    canvas_shadow(top, 3, 5, 60);
    canvas_fill_rounded(top, 3, 0xFCF9F3, 255);
    canvas_fill_rounded((struct rect){ top.x, top.y + 14, top.width, 4 }, 2, 0xDDD2C0, 255);
}

void window_paint(void)
{
    for (int y = 0; y < SCENE_HEIGHT; y++) {
        for (int x = 0; x < SCENE_WIDTH; x++)
            paint_frame_pixel(x, y);
    }
    paint_sill();
    paint_plant(118, 613);
}
