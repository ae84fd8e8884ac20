/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The picture: a canvas in memory on which everything is drawn; screen.h shows it. Colours are
 * 0xRRGGBB, coverage is 0 (nothing) to 255 (all).
 */
#ifndef WELCOME_CANVAS_H
#define WELCOME_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

#define CANVAS_WIDTH  1024
#define CANVAS_HEIGHT 768

extern uint32_t canvas[CANVAS_HEIGHT][CANVAS_WIDTH];

struct rect {
    int x, y, width, height;
};

static inline uint32_t color_mix(uint32_t under, uint32_t over, unsigned coverage)
{
    unsigned a = coverage + (coverage >> 7); /* 0 - 256 */
    uint32_t rb = ((under & 0xFF00FF) * (256 - a) + (over & 0xFF00FF) * a) >> 8 & 0xFF00FF;
    uint32_t g = ((under & 0x00FF00) * (256 - a) + (over & 0x00FF00) * a) >> 8 & 0x00FF00;
    return rb | g;
}

static inline unsigned coverage_of(float inside)
{
    return inside <= 0 ? 0 : inside >= 1 ? 255 : (unsigned)(inside * 255 + 0.5f);
}

static inline float square_root(float value)
{
    float root;
    __asm__("sqrtss %1, %0" : "=x"(root) : "x"(value));
    return root;
}

static inline float larger(float a, float b)
{
    return a > b ? a : b;
}

/* How far a point is outside of a rectangle with rounded corners; negative inside. */
float rect_distance(float x, float y, struct rect rect, float radius);

void canvas_fill_rounded(struct rect rect, float radius, uint32_t color, unsigned coverage);

/* A soft shadow of such a rectangle, `blur` pixels wide. */
void canvas_shadow(struct rect rect, float radius, float blur, unsigned coverage);

#endif
