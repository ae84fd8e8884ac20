/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the display adapter shows: the VGA's picture until the driver sets a scanout, from then on
 * the part of the resource that it names, as far as the driver has flushed it. See gpu.h.
 */
#include <string.h>

#include "bytes.h"
#include "gpu.h"
#include "services.h"

enum {
    AT_BODY = 24,
};

/* --- Commands --------------------------------------------------------------------------------- */

void gpu_scanout_disable(struct gpu *gpu)
{
    gpu->scanout = 0;
    gpu->x = gpu->y = 0;
    gpu->redraw = true;
}

bool gpu_scanout_valid(const struct gpu *gpu)
{
    const struct gpu_resource *resource = gpu_resource_find((struct gpu *)gpu, gpu->scanout);

    if (!gpu->driving) {
        return gpu->scanout == 0;
    }
    return gpu->width > 0 && gpu->height > 0 &&
           (gpu->scanout == 0 || (resource && range_fits(gpu->x, gpu->width, resource->width) &&
                                  range_fits(gpu->y, gpu->height, resource->height)));
}

enum gpu_answer gpu_set_scanout(struct gpu *gpu, const uint8_t *command)
{
    uint32_t id = load_le32(command + AT_BODY + 20);
    struct gpu_resource *resource = gpu_resource_find(gpu, id);
    struct rect rect;

    if (load_le32(command + AT_BODY + 16) != 0) {
        return GPU_ERR_INVALID_SCANOUT;
    }
    if (id == 0) {
        gpu_scanout_disable(gpu);
        return GPU_OK;
    }
    if (!resource) {
        return GPU_ERR_INVALID_RESOURCE;
    }
    if (!gpu_rect_read(command + AT_BODY, resource->width, resource->height, &rect) ||
        rect.width == 0 || rect.width > DISPLAY_WIDTH_MAX || rect.height == 0 ||
        rect.height > DISPLAY_HEIGHT_MAX) {
        return GPU_ERR_INVALID_PARAMETER;
    }
    gpu->driving = true;
    gpu->scanout = id;
    gpu->x = rect.x;
    gpu->y = rect.y;
    gpu->width = rect.width;
    gpu->height = rect.height;
    gpu->redraw = true;
    return GPU_OK;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

enum gpu_answer gpu_flush(struct gpu *gpu, const uint8_t *command)
{
    struct gpu_resource *resource = gpu_resource_find(gpu, load_le32(command + AT_BODY + 16));
    struct rect rect;

    if (!resource) {
        return GPU_ERR_INVALID_RESOURCE;
    }
    if (!gpu_rect_read(command + AT_BODY, resource->width, resource->height, &rect)) {
        return GPU_ERR_INVALID_PARAMETER;
    }
    if (gpu->scanout == resource->id) {
        uint32_t left = rect.x > gpu->x ? rect.x - gpu->x : 0;
        uint32_t top = rect.y > gpu->y ? rect.y - gpu->y : 0;
        uint32_t right = rect.x + rect.width > gpu->x ? rect.x + rect.width - gpu->x : 0;
        uint32_t bottom = rect.y + rect.height > gpu->y ? rect.y + rect.height - gpu->y : 0;

        right = least(right, gpu->width);
        bottom = least(bottom, gpu->height);
        if (left < right && top < bottom) {
            damage_add(&gpu->damage, left, top, right - left, bottom - top);
        }
    }
    return GPU_OK;
}

/* --- For the console -------------------------------------------------------------------------- */

static void gpu_mode(struct device *device, struct display_mode *mode)
{
    struct gpu *gpu = to_gpu(to_virtio(device));

    if (!gpu->driving) {
        vga_display_mode(device, mode);
        return;
    }
    *mode = (struct display_mode){ .width = gpu->width,
                                   .height = gpu->height,
                                   .blank = gpu->scanout == 0 };
}

static bool line_changed(const struct gpu *gpu, uint32_t y)
{
    for (unsigned i = 0; i < gpu->damage.n; i++) {
        if (y - gpu->damage.rects[i].y < gpu->damage.rects[i].height) {
            return true;
        }
    }
    return gpu->redraw;
}

static void line_make(struct gpu *gpu, const struct gpu_resource *resource, uint32_t y)
{
    struct rect part = { gpu->x, gpu->y + y, gpu->width, 1 };

    if (resource) {
        gpu_resource_line(gpu, resource, &part, gpu->line);
    }
    for (uint32_t x = 0; x < gpu->width; x++) {
        gpu->line[x] = resource ? gpu->line[x] | DISPLAY_OPAQUE : DISPLAY_OPAQUE;
    }
    if (resource) {
        gpu_cursor_draw(gpu, y, gpu->line);
    }
}

static bool gpu_render(struct device *device, const struct surface *surface, bool full,
                       struct damage *damage)
{
    struct gpu *gpu = to_gpu(to_virtio(device));
    struct damage pieces = { .n = 0 };
    struct canvas canvas = { .surface = surface, .damage = full ? &pieces : damage };

    if (!gpu->driving) {
        return vga_display_render(device, surface, full, damage);
    }
    if (surface->width != gpu->width || surface->height != gpu->height) {
        return false;
    }
    const struct gpu_resource *resource = gpu_resource_find(gpu, gpu->scanout);

    gpu->redraw |= full;
    for (uint32_t y = 0; y < gpu->height; y++) {
        if (line_changed(gpu, y)) {
            line_make(gpu, resource, y);
            canvas_line(&canvas, y, gpu->line);
        }
    }
    canvas_end(&canvas);
    gpu->redraw = false;
    gpu->damage.n = 0;
    gpu->vga.drawn->valid = false; /* another picture is on the surface */
    if (full) {
        damage_add(damage, 0, 0, surface->width, surface->height);
    }
    return true;
}

static bool gpu_text(struct device *device, struct text_cell *cells, uint32_t columns,
                     uint32_t rows, struct text_cursor *cursor)
{
    return !to_gpu(to_virtio(device))->driving &&
           vga_display_text(device, cells, columns, rows, cursor);
}

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high)
{
    return value < low ? low : value > high ? high : value;
}

static void gpu_set_size(struct device *device, uint32_t width, uint32_t height)
{
    struct gpu *gpu = to_gpu(to_virtio(device));

    vga_set_size(device, width, height);
    width = clamp(width, EDID_WIDTH_MIN, EDID_WIDTH_MAX);
    height = clamp(height, EDID_HEIGHT_MIN, EDID_HEIGHT_MAX);
    /* Two such pictures fit the memory: one is drawn while the other is shown. */
    while ((uint64_t)width * height * GPU_PIXEL_SIZE > gpu->memory_size / 2 - (1 << 20)) {
        width = clamp(width * 15 / 16, EDID_WIDTH_MIN, EDID_WIDTH_MAX);
        height = clamp(height * 15 / 16, EDID_HEIGHT_MIN, EDID_HEIGHT_MAX);
    }
    if (width == gpu->wanted_width && height == gpu->wanted_height) {
        return;
    }
    gpu->wanted_width = width;
    gpu->wanted_height = height;
    gpu->events |= 1;
    virtio_config_changed(&gpu->vga.virtio);
}

const struct display_ops gpu_display = {
    .mode = gpu_mode,
    .render = gpu_render,
    .text = gpu_text,
    .set_size = gpu_set_size,
};
