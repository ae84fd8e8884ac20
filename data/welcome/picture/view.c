/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view.h"

uint32_t view_sky[SCENE_HEIGHT][SCENE_WIDTH], view_land[SCENE_HEIGHT][SCENE_WIDTH];
uint8_t view_land_cover[SCENE_HEIGHT][SCENE_WIDTH];

static const struct light lights[DAYTIMES] = {
    [DAYTIME_MORNING] = { .sky_top = 0x9DC4E3,
                          .sky_low = 0xFBE3CC,
                          .sun = 0xFFF6DF,
                          .far = 0xB4BFD3,
                          .middle = 0x8FAEA9,
                          .near = 0x5E8C76,
                          .water_top = 0xE6DCD3,
                          .water_low = 0x9DBFCF,
                          .cloud = 0xFFFAF4,
                          .sun_x = 318,
                          .sun_y = 330,
                          .sun_size = 24,
                          .glow = 0.75f,
                          .clouds = 0.85f,
                          .stars = 0 },
    [DAYTIME_DAY] = { .sky_top = 0x5FA5D6,
                      .sky_low = 0xD9EEF6,
                      .sun = 0xFFFBEA,
                      .far = 0xA9C3CF,
                      .middle = 0x79A98B,
                      .near = 0x4D8A5C,
                      .water_top = 0xBFE0EA,
                      .water_low = 0x5E9FC0,
                      .cloud = 0xFFFFFF,
                      .sun_x = 258,
                      .sun_y = 140,
                      .sun_size = 22,
                      .glow = 0.5f,
                      .clouds = 0.92f,
                      .stars = 0 },
    [DAYTIME_EVENING] = { .sky_top = 0x5A6699,
                          .sky_low = 0xF9B48A,
                          .sun = 0xFFE3AE,
                          .far = 0x9A7C9B,
                          .middle = 0x655A80,
                          .near = 0x403F5F,
                          .water_top = 0xEBAA8C,
                          .water_low = 0x5C6391,
                          .cloud = 0xFFD3BD,
                          .sun_x = 190,
                          .sun_y = 352,
                          .sun_size = 26,
                          .glow = 0.9f,
                          .clouds = 0.7f,
                          .stars = 0.08f },
    [DAYTIME_NIGHT] = { .sky_top = 0x0F1C36,
                        .sky_low = 0x38507A,
                        .sun = 0xF3F0DF,
                        .far = 0x2B3D61,
                        .middle = 0x1E2E4D,
                        .near = 0x131F38,
                        .water_top = 0x3B5580,
                        .water_low = 0x17274A,
                        .cloud = 0x6C80A8,
                        .sun_x = 262,
                        .sun_y = 168,
                        .sun_size = 20,
                        .glow = 0.35f,
                        .clouds = 0.45f,
                        .stars = 1 },
};

static float between(float from, float to, float t)
{
    return from + (to - from) * t;
}

struct light light_of(enum daytime daytime)
{
    return lights[daytime];
}

struct light light_between(const struct light *a, const struct light *b, float t)
{
    unsigned mix = coverage_of(t);

    return (struct light){
        .sky_top = color_mix(a->sky_top, b->sky_top, mix),
        .sky_low = color_mix(a->sky_low, b->sky_low, mix),
        .sun = color_mix(a->sun, b->sun, mix),
        .far = color_mix(a->far, b->far, mix),
        .middle = color_mix(a->middle, b->middle, mix),
        .near = color_mix(a->near, b->near, mix),
        .water_top = color_mix(a->water_top, b->water_top, mix),
        .water_low = color_mix(a->water_low, b->water_low, mix),
        .cloud = color_mix(a->cloud, b->cloud, mix),
        .sun_x = between(a->sun_x, b->sun_x, t),
        .sun_y = between(a->sun_y, b->sun_y, t),
        .sun_size = between(a->sun_size, b->sun_size, t),
        .glow = between(a->glow, b->glow, t),
        .clouds = between(a->clouds, b->clouds, t),
        .stars = between(a->stars, b->stars, t),
    };
}

static void paint_stars(float strength)
{
    for (uint32_t i = 0; strength > 0.01f && i < 140; i++) {
        int x = (int)(noise(i * 7 + 1) * (SCENE_WIDTH - 2)), y = (int)(noise(i * 7 + 2) * 360);
        float bright = strength * (0.25f + 0.75f * noise(i * 7 + 3)) * (1 - (float)y / 420);
        view_sky[y][x] = color_mix(view_sky[y][x], 0xFFFFFF, coverage_of(bright));
        if (noise(i * 7 + 4) > 0.8f)
            view_sky[y][x + 1] = color_mix(view_sky[y][x + 1], 0xFFFFFF, coverage_of(bright / 2));
    }
}

static void paint_sky(const struct light *light)
{
    for (int y = 0; y < SCENE_HEIGHT; y++) {
        uint32_t row =
            color_mix(light->sky_top, light->sky_low, coverage_of((float)y / VIEW_SHORE));
        for (int x = 0; x < SCENE_WIDTH; x++)
            view_sky[y][x] = row;
    }
    paint_stars(light->stars);
    for (int y = 0; y < VIEW_SHORE; y++) {
        for (int x = 0; x < SCENE_WIDTH; x++) {
            float squared = square((float)x - light->sun_x) + square((float)y - light->sun_y);
            float glow = light->glow / (1 + squared / square(light->sun_size * 2.2f));
            float inside = light->sun_size + 0.5f - square_root(squared);
            view_sky[y][x] = color_mix(view_sky[y][x], light->sun, coverage_of(glow));
            view_sky[y][x] = color_mix(view_sky[y][x], light->sun, coverage_of(inside));
        }
    }
}

/* A soft hill: its height at x, 1 at its middle. */
static float hill(float x, float middle, float width)
{
    return 1 / square(1 + square((x - middle) / width));
}

/* Noise over a line that runs smoothly from one whole number to the next. */
static float ridge(float x)
{
    uint32_t left = (uint32_t)x;
    float t = x - (float)left;

    return noise(left + 77) + (noise(left + 78) - noise(left + 77)) * t;
}

static void cover(int x, int y, uint32_t color, unsigned coverage)
{
    unsigned before = view_land_cover[y][x];

    if (!coverage)
        return;
    view_land[y][x] = before ? color_mix(view_land[y][x], color, coverage) : color;
    view_land_cover[y][x] = (uint8_t)(before + (255 - before) * coverage / 255);
}

static void paint_hills(const struct light *light)
{
    for (int x = 0; x < SCENE_WIDTH; x++) {
        float u = (float)x;
        float far = 372 - 74 * hill(u, 90, 70) - 96 * hill(u, 225, 60) - 60 * hill(u, 340, 80) -
                    14 * ridge(u / 13) * hill(u, 210, 150) - 6 * ridge(u / 4);
        float middle = 408 - 46 * hill(u, 30, 90) - 30 * hill(u, 190, 60) - 66 * hill(u, 420, 110);
        for (int y = 240; y < VIEW_SHORE; y++) {
            float haze = larger(0, (float)(y - 300) / 180);
            uint32_t color = color_mix(light->far, light->sky_low, coverage_of(haze));
            cover(x, y, color, coverage_of((float)y - far + 0.5f));
            color = color_mix(light->middle, light->sky_low, coverage_of(haze * 0.35f));
            cover(x, y, color, coverage_of((float)y - middle + 0.5f));
        }
    }
}

/* The lake mirrors the sun in short level strokes. */
static void paint_lake(const struct light *light)
{
    for (int y = VIEW_SHORE; y < VIEW_BANK + 60; y++) {
        float down = (float)(y - VIEW_SHORE) / (VIEW_BANK - VIEW_SHORE);
        uint32_t row = color_mix(light->water_top, light->water_low, coverage_of(down));
        for (int x = 0; x < SCENE_WIDTH; x++) {
            float stroke = noise((uint32_t)(y / 2 * 131 + (x + y / 2 * 37) / 23));
            float away = absolute((float)x - light->sun_x) / (14 + 60 * down);
            float gleam = stroke > 0.45f ? larger(0, 1 - away) * (light->glow + 0.1f) * stroke : 0;
            uint32_t color = color_mix(row, light->sun, coverage_of(gleam));
            if (stroke < 0.12f)
                color = color_mix(color, 0xFFFFFF, 22);
            cover(x, y, color, 255);
        }
    }
}

/* A slender tree: an upright ellipse, its foot at x, y. */
static void paint_tree(float x, float y, float height, uint32_t color)
{
    float width = height * 0.17f, middle = y - height * 0.48f;

    for (int row = (int)(y - height); row < (int)y + 4; row++) {
        for (int column = (int)(x - width) - 2; column < (int)(x + width) + 3; column++) {
            float f = square_root(square(((float)column - x) / width) +
                                  square(((float)row - middle) / (height / 2)));
            if (row >= 0 && row < SCENE_HEIGHT && column >= 0 && column < SCENE_WIDTH)
                cover(column, row, color, coverage_of((1 - f) * width + 0.5f));
        }
    }
}

static void paint_bank(const struct light *light)
{
    static const float trees[][3] = {
        { 52, 548, 76 },  { 74, 546, 102 }, { 94, 550, 62 },
        { 362, 560, 58 }, { 392, 552, 92 }, { 410, 550, 70 },
    };
    uint32_t dark = color_mix(light->near, 0x101C28, 70);

    for (unsigned i = 0; i < sizeof(trees) / sizeof(trees[0]); i++)
        paint_tree(trees[i][0], trees[i][1], trees[i][2], dark);
    for (int x = 0; x < SCENE_WIDTH; x++) {
        float edge = 560 - 30 * hill((float)x, 70, 120) - 26 * hill((float)x, 420, 110);
        for (int y = 500; y < SCENE_HEIGHT; y++) {
            float down = larger(0, ((float)y - edge) / 160);
            cover(x, y, color_mix(light->near, dark, coverage_of(down)),
                  coverage_of((float)y - edge + 0.5f));
        }
    }
}

void view_paint(const struct light *light)
{
    for (int y = 0; y < SCENE_HEIGHT; y++) {
        for (int x = 0; x < SCENE_WIDTH; x++)
            view_land_cover[y][x] = 0;
    }
    paint_sky(light);
    paint_hills(light);
    paint_lake(light);
    paint_bank(light);
}
