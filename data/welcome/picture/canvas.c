/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "canvas.h"

uint32_t canvas[CANVAS_HEIGHT][CANVAS_WIDTH];

float rect_distance(float x, float y, struct rect rect, float radius)
{
    float half_width = (float)rect.width / 2, half_height = (float)rect.height / 2;
    float dx = x - ((float)rect.x + half_width), dy = y - ((float)rect.y + half_height);
    float qx = (dx < 0 ? -dx : dx) - half_width + radius;
    float qy = (dy < 0 ? -dy : dy) - half_height + radius;
    float px = larger(qx, 0), py = larger(qy, 0), inner = larger(qx, qy);

    return square_root(px * px + py * py) + (inner < 0 ? inner : 0) - radius;
}

void canvas_fill_rounded(struct rect rect, float radius, uint32_t color, unsigned coverage)
{
    for (int y = rect.y; y < rect.y + rect.height; y++) {
        for (int x = rect.x; x < rect.x + rect.width; x++) {
            float distance = rect_distance((float)x + 0.5f, (float)y + 0.5f, rect, radius);
            canvas[y][x] =
                color_mix(canvas[y][x], color, coverage_of(0.5f - distance) * coverage / 255);
        }
    }
}

void canvas_shadow(struct rect rect, float radius, float blur, unsigned coverage)
{
    int reach = (int)blur;

    for (int y = rect.y - reach; y < rect.y + rect.height + reach; y++) {
        for (int x = rect.x - reach; x < rect.x + rect.width + reach; x++) {
            float distance = rect_distance((float)x + 0.5f, (float)y + 0.5f, rect, radius);
            float depth = 0.5f - distance / (2 * blur);
            if (depth <= 0 || x < 0 || y < 0 || x >= CANVAS_WIDTH || y >= CANVAS_HEIGHT)
                continue;
            depth = depth > 1 ? 1 : depth;
            canvas[y][x] =
                color_mix(canvas[y][x], 0x4A3F30, (unsigned)(depth * depth * (float)coverage));
        }
    }
}
