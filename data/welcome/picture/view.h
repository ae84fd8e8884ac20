/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The layers that scene.c puts together: what is seen through the window, and the window. */
#ifndef WELCOME_VIEW_H
#define WELCOME_VIEW_H

#include "scene.h"

/* The light of a time of day. Places are in pixels of the scene. */
struct light {
    uint32_t sky_top, sky_low, sun, far, middle, near, water_top, water_low, cloud;
    float sun_x, sun_y, sun_size, glow, clouds, stars;
};

struct light light_of(enum daytime daytime);

/* Light between two others: 0 is a, 1 is b. */
struct light light_between(const struct light *a, const struct light *b, float t);

/* The lake's surface, where boats sail. */
#define VIEW_SHORE 430
#define VIEW_BANK  540

/* Sky; land with how much of the sky it hides; both as they look in a light. */
extern uint32_t view_sky[SCENE_HEIGHT][SCENE_WIDTH], view_land[SCENE_HEIGHT][SCENE_WIDTH];
extern uint8_t view_land_cover[SCENE_HEIGHT][SCENE_WIDTH];
void view_paint(const struct light *light);

/* The window, painted on the canvas, and where one sees through it. */
extern uint8_t window_glass[SCENE_HEIGHT][SCENE_WIDTH];
void window_paint(void);

static inline float square(float value)
{
    return value * value;
}

static inline float absolute(float value)
{
    return value < 0 ? -value : value;
}

static inline float smaller(float a, float b)
{
    return a < b ? a : b;
}

/* A number from 0 to 1 that looks random. */
static inline float noise(uint32_t seed)
{
    seed = (seed ^ 61) ^ (seed >> 16);
    seed *= 9;
    seed ^= seed >> 4;
    seed *= 0x27D4EB2D;
    seed ^= seed >> 15;
    return (float)(seed & 0xFFFF) / 65535;
}

#endif
