/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The adapter is the standard VGA of PCs without one of their own (1234:1111), in the linear mode
 * of its DISPI registers: see "Bochs VBE display" in the documentation of SeaVGABIOS. Its BAR 2
 * begins with the monitor's EDID, whose first detailed timing is the preferred size.
 */
#include "screen.h"
#include "io.h"
#include "pci.h"

#define DISPI_INDEX    0x1CE
#define DISPI_DATA     0x1CF
#define DISPI_XRES     1
#define DISPI_YRES     2
#define DISPI_BPP      3
#define DISPI_ENABLE   4
#define DISPI_WIDTH    6
#define DISPI_MEMORY   10

#define ATTRIBUTE      0x3C0
#define INPUT_STATUS   0x3DA
#define ATTRIBUTE_ON   0x20

#define SIZE_LEAST     200
#define SIZE_MOST      8192

#define POINTER_WIDTH  18
#define POINTER_HEIGHT 26

static volatile uint32_t *video;
static const volatile uint32_t *edid;
static unsigned video_stride;
static struct rect screen;              /* the mode's size */
static struct rect shown;               /* where the canvas lies on it */
static int wished_width, wished_height; /* what the monitor was last seen to prefer */
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

/* Lets the monitor see the picture, or nothing. */
static void picture_on(bool on)
{
    inb(INPUT_STATUS);
    outb(ATTRIBUTE, on ? ATTRIBUTE_ON : 0);
}

/* Distance of a point to the line through two corners of the pointer, positive to its right. */
static float edge_distance(float x, float y, const float *from, const float *to)
{
    float dx = to[0] - from[0], dy = to[1] - from[1];

    return ((x - from[0]) * -dy + (y - from[1]) * dx) / square_root(dx * dx + dy * dy);
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
                in_head = larger(in_head, -edge_distance(x, y, head[(i + 1) % 3], head[i]));
            for (int i = 0; i < 4; i++)
                in_tail = larger(in_tail, -edge_distance(x, y, tail[(i + 1) % 4], tail[i]));
            distance = in_head < in_tail ? in_head : in_tail;
            pointer_shape[row][column] = (uint8_t)coverage_of(0.5f - distance);
            pointer_edge[row][column] = (uint8_t)coverage_of(1.9f - distance);
        }
    }
}

/* Where the canvas goes: in the middle, no larger than it is. */
static void canvas_place(void)
{
    shown.width = CANVAS_WIDTH;
    shown.height = CANVAS_HEIGHT;
    if (screen.width < shown.width || screen.height < shown.height) {
        shown.width = screen.width;
        shown.height = CANVAS_HEIGHT * screen.width / CANVAS_WIDTH;
        if (shown.height > screen.height) {
            shown.height = screen.height;
            shown.width = CANVAS_WIDTH * screen.height / CANVAS_HEIGHT;
        }
    }
    shown.x = (screen.width - shown.width) / 2;
    shown.y = (screen.height - shown.height) / 2;
}

static bool mode_set(int width, int height)
{
    dispi_write(DISPI_ENABLE, 0);
    dispi_write(DISPI_XRES, (uint16_t)width);
    dispi_write(DISPI_YRES, (uint16_t)height);
    dispi_write(DISPI_BPP, 32);
    dispi_write(DISPI_ENABLE, 0x41); /* enabled, linear */
    video_stride = dispi_read(DISPI_WIDTH);
    if (dispi_read(DISPI_XRES) != width || dispi_read(DISPI_YRES) != height ||
        video_stride < (unsigned)width)
        return false;
    screen = (struct rect){ 0, 0, width, height };
    canvas_place();
    return true;
}

/* The active pixels of the first detailed timing, which begins at byte 54. */
static void preferred_read(int *width, int *height)
{
    uint32_t low = edid[56 / 4], high = edid[60 / 4];

    *width = (int)((low & 0xFF) | (low >> 16 & 0xF0) << 4);
    *height = (int)(low >> 24 | (high >> 8 & 0xF0) << 4);
}

/* The size that the monitor prefers; false if this adapter cannot show it. */
static bool preferred_get(int *width, int *height)
{
    preferred_read(width, height);
    *width &= ~7;
    return *width >= SIZE_LEAST && *height >= SIZE_LEAST && *width <= SIZE_MOST &&
           *height <= SIZE_MOST && (uint64_t)*width * (unsigned)*height * 4 <= screen_memory();
}

static void edid_find(unsigned function)
{
    edid = (const volatile uint32_t *)(uint64_t)(pci_read(function, 0x18, 4) & ~0xFu);
    if (edid && (edid[0] != 0xFFFFFF00 || edid[1] != 0x00FFFFFF))
        edid = (void *)0;
}

bool screen_start(void)
{
    unsigned function = 0;

    while (function < 256 && pci_read(function, 0, 4) != 0x11111234)
        function++;
    if (function == 256)
        return false;
    video = (volatile uint32_t *)(uint64_t)(pci_read(function, 0x10, 4) & ~0xFu);
    edid_find(function);
    pointer_draw();
    if (!video)
        return false;
    if (edid && preferred_get(&wished_width, &wished_height) &&
        mode_set(wished_width, wished_height))
        return true;
    return mode_set(CANVAS_WIDTH, CANVAS_HEIGHT);
}

bool screen_follow(void)
{
    int width, height, width_again, height_again;

    if (!edid)
        return false;
    preferred_read(&width, &height);
    if ((width & ~7) == wished_width && height == wished_height)
        return false;
    preferred_read(&width_again, &height_again); /* it may have changed between two reads */
    if (width != width_again || height != height_again)
        return false;
    wished_width = width & ~7;
    wished_height = height;
    if (!preferred_get(&width, &height))
        return false;
    picture_on(false);
    if (!mode_set(width, height))
        mode_set(CANVAS_WIDTH, CANVAS_HEIGHT);
    screen_show_all();
    picture_on(true);
    return true;
}

struct rect screen_size(void)
{
    return screen;
}

uint64_t screen_memory(void)
{
    return (uint64_t)dispi_read(DISPI_MEMORY) << 16;
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* The canvas, whose edges go on for ever. */
static uint32_t canvas_pixel(int x, int y)
{
    return canvas[clamp(y, 0, CANVAS_HEIGHT - 1)][clamp(x, 0, CANVAS_WIDTH - 1)];
}

void screen_to_canvas(int *x, int *y)
{
    *x = (*x - shown.x) * CANVAS_WIDTH / shown.width;
    *y = (*y - shown.y) * CANVAS_HEIGHT / shown.height;
}

/* The mean of four places in what a pixel of a smaller picture covers. */
static uint32_t shrunk_pixel(int x, int y)
{
    int x0 = (4 * (x - shown.x) + 1) * CANVAS_WIDTH / (4 * shown.width);
    int x1 = (4 * (x - shown.x) + 3) * CANVAS_WIDTH / (4 * shown.width);
    int y0 = (4 * (y - shown.y) + 1) * CANVAS_HEIGHT / (4 * shown.height);
    int y1 = (4 * (y - shown.y) + 3) * CANVAS_HEIGHT / (4 * shown.height);
    uint32_t above = color_mix(canvas_pixel(x0, y0), canvas_pixel(x1, y0), 128);
    uint32_t below = color_mix(canvas_pixel(x0, y1), canvas_pixel(x1, y1), 128);

    return color_mix(above, below, 128);
}

static uint32_t screen_pixel(int x, int y)
{
    int column = x - pointer.x, row = y - pointer.y;
    uint32_t color =
        shown.width == CANVAS_WIDTH ? canvas_pixel(x - shown.x, y - shown.y) : shrunk_pixel(x, y);

    if (column < 0 || column >= POINTER_WIDTH || row < 0 || row >= POINTER_HEIGHT)
        return color;
    color = color_mix(color, 0x22333B, pointer_edge[row][column]);
    return color_mix(color, 0xFFFFFF, pointer_shape[row][column]);
}

/* Whether a line from x0 to x1 is a copy of the canvas as it is. */
static bool is_plain(int x0, int x1, int y)
{
    return shown.width == CANVAS_WIDTH && x0 >= shown.x && x1 <= shown.x + CANVAS_WIDTH &&
           y >= shown.y && y < shown.y + CANVAS_HEIGHT &&
           (y < pointer.y || y >= pointer.y + POINTER_HEIGHT);
}

static void draw(int x0, int y0, int x1, int y1)
{
    x0 = clamp(x0, 0, screen.width);
    x1 = clamp(x1, 0, screen.width);
    y0 = clamp(y0, 0, screen.height);
    y1 = clamp(y1, 0, screen.height);
    for (int y = y0; y < y1; y++) {
        volatile uint32_t *line = video + (unsigned)y * video_stride;
        bool plain = is_plain(x0, x1, y);
        for (int x = x0; x < x1; x++)
            line[x] = plain ? canvas[y - shown.y][x - shown.x] : screen_pixel(x, y);
    }
}

void screen_show_all(void)
{
    draw(0, 0, screen.width, screen.height);
}

void screen_show(struct rect part)
{
    int right = part.x + part.width, bottom = part.y + part.height;

    draw(shown.x + part.x * shown.width / CANVAS_WIDTH,
         shown.y + part.y * shown.height / CANVAS_HEIGHT,
         shown.x + (right * shown.width + CANVAS_WIDTH - 1) / CANVAS_WIDTH,
         shown.y + (bottom * shown.height + CANVAS_HEIGHT - 1) / CANVAS_HEIGHT);
}

void screen_point(int x, int y)
{
    struct rect old = pointer;

    pointer.x = x - 1;
    pointer.y = y - 1;
    draw(old.x, old.y, old.x + old.width, old.y + old.height);
    draw(pointer.x, pointer.y, pointer.x + pointer.width, pointer.y + pointer.height);
}
