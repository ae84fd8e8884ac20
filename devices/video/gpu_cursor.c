/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pointer of the display adapter (virtio 1.2, section 5.7.6.10): a shape of 64 x 64 pixels that
 * is taken from a resource when the driver says so, and drawn over the picture. See gpu.h.
 *
 * Its colours are premultiplied, as Linux and its compositors deliver them. The hot spot only
 * matters to hosts that show the shape as their own pointer; the position is that of the shape's
 * top left pixel.
 */
#include <string.h>

#include "bytes.h"
#include "gpu.h"
#include "services.h"

enum {
    AT_SCANOUT = 24,
    AT_X = 28,
    AT_Y = 32,
    AT_RESOURCE = 40,
};

/* Where the pointer is now must be drawn again. */
static void cursor_damage(struct gpu *gpu)
{
    int64_t left = (int32_t)gpu->cursor_x, top = (int32_t)gpu->cursor_y;
    int64_t right = left + GPU_CURSOR_SIDE, bottom = top + GPU_CURSOR_SIDE;

    left = left < 0 ? 0 : left;
    top = top < 0 ? 0 : top;
    right = right > gpu->width ? gpu->width : right;
    bottom = bottom > gpu->height ? gpu->height : bottom;
    if (gpu->cursor_visible && left < right && top < bottom) {
        damage_add(&gpu->damage, (uint32_t)left, (uint32_t)top, (uint32_t)(right - left),
                   (uint32_t)(bottom - top));
    }
}

static void shape_take(struct gpu *gpu, uint32_t id)
{
    const struct gpu_resource *resource = gpu_resource_find(gpu, id);

    gpu->cursor_visible = false;
    if (id == 0) {
        return;
    }
    if (!resource || resource->width != GPU_CURSOR_SIDE || resource->height != GPU_CURSOR_SIDE) {
        guest_error(gpu_to_device(gpu), "resource %u is no pointer of 64 x 64 pixels", id);
        return;
    }
    for (uint32_t y = 0; y < GPU_CURSOR_SIDE; y++) {
        struct rect line = { 0, y, GPU_CURSOR_SIDE, 1 };

        gpu_resource_line(gpu, resource, &line, gpu->cursor_pixels + y * GPU_CURSOR_SIDE);
    }
    gpu->cursor_visible = true;
}

void gpu_cursor_command(struct gpu *gpu, const uint8_t *command, bool update)
{
    if (load_le32(command + AT_SCANOUT) != 0) {
        guest_error(gpu_to_device(gpu), "there is no scanout %u", load_le32(command + AT_SCANOUT));
        return;
    }
    cursor_damage(gpu);
    gpu->cursor_x = load_le32(command + AT_X);
    gpu->cursor_y = load_le32(command + AT_Y);
    if (update) {
        shape_take(gpu, load_le32(command + AT_RESOURCE));
    }
    cursor_damage(gpu);
}

/* A premultiplied pixel over an opaque one. */
static uint32_t pixel_over(uint32_t above, uint32_t below)
{
    uint32_t rest = 255 - (above >> 24), pixel = DISPLAY_OPAQUE;

    for (unsigned shift = 0; shift < 24; shift += 8) {
        uint32_t sum = (above >> shift & 255) + ((below >> shift & 255) * rest + 127) / 255;

        pixel |= (sum > 255 ? 255 : sum) << shift;
    }
    return pixel;
}

void gpu_cursor_draw(const struct gpu *gpu, uint32_t y, uint32_t *pixels)
{
    int64_t row = (int64_t)y - (int32_t)gpu->cursor_y;

    if (!gpu->cursor_visible || row < 0 || row >= GPU_CURSOR_SIDE) {
        return;
    }
    for (unsigned column = 0; column < GPU_CURSOR_SIDE; column++) {
        int64_t x = (int64_t)(int32_t)gpu->cursor_x + column;

        if (x >= 0 && x < gpu->width) {
            pixels[x] = pixel_over(gpu->cursor_pixels[row * GPU_CURSOR_SIDE + column], pixels[x]);
        }
    }
}
