/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The adapter is the standard VGA of PCs without one of their own (1234:1111), in the linear mode
 * of its DISPI registers: see "Bochs VBE display" in the documentation of SeaVGABIOS.
 */
#include "canvas.h"
#include "io.h"

#define DISPI_INDEX    0x1CE
#define DISPI_DATA     0x1CF
#define DISPI_XRES     1
#define DISPI_YRES     2
#define DISPI_BPP      3
#define DISPI_ENABLE   4
#define DISPI_WIDTH    6
#define DISPI_MEMORY   10

#define POINTER_WIDTH  18
#define POINTER_HEIGHT 26

uint32_t canvas[CANVAS_HEIGHT][CANVAS_WIDTH];

static volatile uint32_t *video;
static unsigned video_stride;
static struct rect pointer = { -POINTER_WIDTH, 0, POINTER_WIDTH, POINTER_HEIGHT };
static uint8_t pointer_shape[POINTER_HEIGHT][POINTER_WIDTH],
    pointer_edge[POINTER_HEIGHT][POINTER_WIDTH];

static uint16_t dispi_read(uint16_t index)
{
    outw(DISPI_INDEX, index);
    return inw(DISPI_DATA);
}

static void dispi_write(uint16_t index, uint16_t value)
{
    outw(DISPI_INDEX, index);
    outw(DISPI_DATA, value);
}

/* Distance of a point to the line through two corners of the pointer, positive to its right. */
static float edge_distance(float x, float y, const float *from, const float *to)
{
    float dx = to[0] - from[0], dy = to[1] - from[1];

    return ((x - from[0]) * -dy + (y - from[1]) * dx) / square_root(dx * dx + dy * dy);
}

static float maximum(float a, float b)
{
    return a > b ? a : b;
}

/* An arrow: a head, which is a triangle, and a tail, which is a slanted bar. */
static void pointer_draw(void)
{
    static const float head[3][2] = { { 1.5f, 1.5f }, { 1.5f, 19 }, { 14, 14 } };
    static const float tail[4][2] = { { 4.6f, 14 }, { 8, 22.8f }, { 11, 21.6f }, { 7.4f, 13 } };

    for (int row = 0; row < POINTER_HEIGHT; row++) {
        for (int column = 0; column < POINTER_WIDTH; column++) {
            float x = (float)column + 0.5f, y = (float)row + 0.5f, in_head = -99, in_tail = -99;
            float distance;
            for (int i = 0; i < 3; i++)
                in_head = maximum(in_head, -edge_distance(x, y, head[(i + 1) % 3], head[i]));
            for (int i = 0; i < 4; i++)
                in_tail = maximum(in_tail, -edge_distance(x, y, tail[(i + 1) % 4], tail[i]));
            distance = in_head < in_tail ? in_head : in_tail;
            pointer_shape[row][column] = (uint8_t)coverage_of(0.5f - distance);
            pointer_edge[row][column] = (uint8_t)coverage_of(1.9f - distance);
        }
    }
}

bool canvas_start(void)
{
    unsigned function = 0;

    while (function < 256 && pci_read(function, 0) != 0x11111234)
        function++;
    if (function == 256)
        return false;
    video = (volatile uint32_t *)(uint64_t)(pci_read(function, 0x10) & ~0xFu);
    dispi_write(DISPI_ENABLE, 0);
    dispi_write(DISPI_XRES, CANVAS_WIDTH);
    dispi_write(DISPI_YRES, CANVAS_HEIGHT);
    dispi_write(DISPI_BPP, 32);
    dispi_write(DISPI_ENABLE, 0x41); /* enabled, linear */
    video_stride = dispi_read(DISPI_WIDTH);
    pointer_draw();
    return video && dispi_read(DISPI_XRES) == CANVAS_WIDTH && video_stride >= CANVAS_WIDTH;
}

uint64_t canvas_video_memory(void)
{
    return (uint64_t)dispi_read(DISPI_MEMORY) << 16;
}

static uint32_t pixel_with_pointer(int x, int y)
{
    uint32_t color = canvas[y][x];
    int column = x - pointer.x, row = y - pointer.y;

    if (column < 0 || column >= POINTER_WIDTH || row < 0 || row >= POINTER_HEIGHT)
        return color;
    color = color_mix(color, 0x22333B, pointer_edge[row][column]);
    return color_mix(color, 0xFFFFFF, pointer_shape[row][column]);
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

void canvas_present(struct rect part)
{
    int x0 = clamp(part.x, 0, CANVAS_WIDTH), x1 = clamp(part.x + part.width, 0, CANVAS_WIDTH);
    int y0 = clamp(part.y, 0, CANVAS_HEIGHT), y1 = clamp(part.y + part.height, 0, CANVAS_HEIGHT);

    for (int y = y0; y < y1; y++) {
        volatile uint32_t *line = video + (unsigned)y * video_stride;
        bool pointed = y >= pointer.y && y < pointer.y + POINTER_HEIGHT;
        for (int x = x0; x < x1; x++)
            line[x] = pointed ? pixel_with_pointer(x, y) : canvas[y][x];
    }
}

void canvas_point(int x, int y)
{
    struct rect old = pointer;

    pointer.x = x - 1;
    pointer.y = y - 1;
    canvas_present(old);
    canvas_present(pointer);
}

float rect_distance(float x, float y, struct rect rect, float radius)
{
    float half_width = (float)rect.width / 2, half_height = (float)rect.height / 2;
    float dx = x - ((float)rect.x + half_width), dy = y - ((float)rect.y + half_height);
    float qx = (dx < 0 ? -dx : dx) - half_width + radius;
    float qy = (dy < 0 ? -dy : dy) - half_height + radius;
    float px = maximum(qx, 0), py = maximum(qy, 0), inner = maximum(qx, qy);

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
