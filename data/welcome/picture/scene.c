/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scene.h"
#include "kernel.h"
#include "screen.h"
#include "view.h"

#define CLOUD_WIDTH  190
#define CLOUD_HEIGHT 64
#define CLOUD_SHAPES 3
#define SKY_TOP      70 /* where clouds move */
#define SKY_LOW      344
#define BOAT_WIDTH   30
#define BOAT_HEIGHT  38
#define BOAT_Y       452
#define TURN_TICKS   TICKS /* how long a change of light takes */

struct cloud {
    unsigned shape;
    float x;
    int y;
    float speed; /* pixels a second in a wind of 1 */
};

static uint8_t cloud_shapes[CLOUD_SHAPES][CLOUD_HEIGHT][CLOUD_WIDTH];
static uint32_t room[SCENE_HEIGHT][SCENE_WIDTH];
static struct cloud clouds[] = {
    { 0, 20, 70, 7 },    { 1, 250, 130, 9 },   { 2, 120, 200, 12 },
    { 0, 360, 250, 10 }, { 1, -120, 280, 14 },
};
static float boat_x = 260;
static unsigned wind = 2;
static struct light light, light_from, light_to;
static unsigned turning;

/* A cloud is a heap of circles with a soft rim, flat below. */
static void clouds_draw(void)
{
    for (unsigned shape = 0; shape < CLOUD_SHAPES; shape++) {
        for (int y = 0; y < CLOUD_HEIGHT; y++) {
            for (int x = 0; x < CLOUD_WIDTH; x++) {
                float most = 0;
                for (uint32_t i = 0; i < 8; i++) {
                    float t = ((float)i + 0.5f) / 8, arch = 1 - square(2 * t - 1);
                    float radius = 9 + (9 + 11 * noise(shape * 31 + i)) * arch;
                    float cx = 24 + t * (CLOUD_WIDTH - 48);
                    float cy = CLOUD_HEIGHT - 14 - radius * (0.4f + 0.5f * noise(shape * 57 + i));
                    float away = square_root(square((float)x - cx) + square((float)y - cy));
                    most = larger(most, smaller(1, (radius - away) / 9 + 0.35f));
                }
                most *= smaller(1, larger(0, (float)(CLOUD_HEIGHT - 8 - y) / 12));
                cloud_shapes[shape][y][x] = (uint8_t)coverage_of(most * most * (3 - 2 * most));
            }
        }
    }
}

/* Clouds between two pixels are mixed of both neighbours, so that they glide. */
static void clouds_put(uint32_t *line, int y)
{
    unsigned strength = coverage_of(light.clouds);

    for (unsigned i = 0; i < sizeof(clouds) / sizeof(clouds[0]); i++) {
        const struct cloud *cloud = &clouds[i];
        int row = y - cloud->y, left = (int)(cloud->x + 1000) - 1000;
        unsigned fraction = (unsigned)((cloud->x - (float)left) * 256);
        if (row < 0 || row >= CLOUD_HEIGHT)
            continue;
        for (int column = 0; column <= CLOUD_WIDTH; column++) {
            int x = left + column;
            const uint8_t *shape = cloud_shapes[cloud->shape][row];
            unsigned here = column < CLOUD_WIDTH ? shape[column] : 0;
            unsigned before = column ? shape[column - 1] : 0;
            unsigned coverage = (here * (256 - fraction) + before * fraction) >> 8;
            if (coverage && x >= 0 && x < SCENE_WIDTH)
                line[x] = color_mix(line[x], light.cloud, coverage * strength / 255);
        }
    }
}

/* A hull and two sails, as distances from their slanted edges. */
static void boat_put(uint32_t *line, int y)
{
    float row = (float)(y - BOAT_Y);
    uint32_t sail = color_mix(0xFFFFFF, light.cloud, 90);
    uint32_t hull = color_mix(0x8A4B3A, light.near, 60);

    if (y < BOAT_Y || y >= BOAT_Y + BOAT_HEIGHT)
        return;
    for (int x = (int)boat_x; x < (int)boat_x + BOAT_WIDTH + 1; x++) {
        float column = (float)x - boat_x;
        float main_sail = smaller(smaller(column - 14, 29 - row), (row * 0.42f + 13.5f) - column);
        float fore_sail = smaller(smaller(12.5f - column, 29 - row), column - (12 - row * 0.36f));
        float body =
            smaller(smaller(row - 31, 36.5f - row),
                    smaller(column - (row - 31) * 0.9f - 0.5f, 28.5f - (row - 31) * 0.7f - column));
        if (x < 0 || x >= SCENE_WIDTH)
            continue;
        line[x] = color_mix(line[x], sail, coverage_of(larger(main_sail, fore_sail) + 0.5f));
        line[x] = color_mix(line[x], hull, coverage_of(body + 0.5f));
    }
}

static void compose(int from, int to)
{
    for (int y = from; y < to; y++) {
        uint32_t line[SCENE_WIDTH];
        uint32_t *shown = &canvas[SCENE_Y + y][SCENE_X];

        for (int x = 0; x < SCENE_WIDTH; x++)
            line[x] = view_sky[y][x];
        clouds_put(line, y);
        for (int x = 0; x < SCENE_WIDTH; x++)
            line[x] = color_mix(line[x], view_land[y][x], view_land_cover[y][x]);
        boat_put(line, y);
        for (int x = 0; x < SCENE_WIDTH; x++)
            shown[x] = color_mix(room[y][x], line[x], window_glass[y][x]);
    }
}

void scene_start(enum daytime daytime)
{
    clouds_draw();
    window_paint();
    for (int y = 0; y < SCENE_HEIGHT; y++) {
        for (int x = 0; x < SCENE_WIDTH; x++)
            room[y][x] = canvas[SCENE_Y + y][SCENE_X + x];
    }
    light = light_of(daytime);
    view_paint(&light);
    compose(0, SCENE_HEIGHT);
}

void scene_daytime(enum daytime daytime)
{
    light_from = light;
    light_to = light_of(daytime);
    turning = TURN_TICKS;
}

void scene_wind(unsigned new_wind)
{
    wind = new_wind;
}

static void drift(float distance)
{
    for (unsigned i = 0; i < sizeof(clouds) / sizeof(clouds[0]); i++) {
        clouds[i].x += clouds[i].speed * distance / 2;
        if (clouds[i].x > SCENE_WIDTH)
            clouds[i].x -= SCENE_WIDTH + CLOUD_WIDTH;
    }
    boat_x += distance * 4;
    if (boat_x > SCENE_WIDTH)
        boat_x = -BOAT_WIDTH;
}

static void show(int from, int to)
{
    compose(from, to);
    screen_show((struct rect){ SCENE_X, SCENE_Y + from, SCENE_WIDTH, to - from });
}

void scene_step(unsigned ticks)
{
    drift((float)(wind * ticks) / TICKS);
    if (turning) {
        turning -= ticks < turning ? ticks : turning;
        light = light_between(&light_from, &light_to, 1 - (float)turning / TURN_TICKS);
        view_paint(&light);
        show(0, SCENE_HEIGHT);
    } else if (wind) {
        show(SKY_TOP, SKY_LOW);
        show(BOAT_Y, BOAT_Y + BOAT_HEIGHT);
    }
}
