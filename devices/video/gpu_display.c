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

static void scanout_disable(struct gpu_head *head)
{
    head->scanout = 0;
    head->x = head->y = 0;
    head->redraw = true;
}

void gpu_resource_hide(struct gpu *gpu, const struct gpu_resource *resource)
{
    for (unsigned i = 0; i < gpu->n_heads; i++) {
        if (gpu->heads[i].scanout == resource->id) {
            scanout_disable(&gpu->heads[i]);
        }
    }
}

static bool head_valid(const struct gpu *gpu, const struct gpu_head *head)
{
    const struct gpu_resource *resource = gpu_resource_find((struct gpu *)gpu, head->scanout);

    if (head->wanted_width < EDID_WIDTH_MIN || head->wanted_height < EDID_HEIGHT_MIN ||
        (head->width == 0) != (head->height == 0)) {
        return false;
    }
    if (head->scanout == 0) {
        return true;
    }
    return gpu->driving && head->width > 0 && resource &&
           range_fits(head->x, head->width, resource->width) &&
           range_fits(head->y, head->height, resource->height);
}

bool gpu_heads_valid(const struct gpu *gpu)
{
    for (unsigned i = 0; i < DISPLAY_HEADS_MAX; i++) {
        const struct gpu_head *head = &gpu->heads[i];

        if (!head_valid(gpu, head) || (i == 0 && !head->connected) ||
            (i >= gpu->n_heads && (head->connected || head->scanout != 0))) {
            return false;
        }
    }
    return true;
}

enum gpu_answer gpu_set_scanout(struct gpu *gpu, const uint8_t *command)
{
    uint32_t number = load_le32(command + AT_BODY + 16);
    uint32_t id = load_le32(command + AT_BODY + 20);
    struct gpu_resource *resource = gpu_resource_find(gpu, id);
    struct gpu_head *head;
    struct rect rect;

    if (number >= gpu->n_heads) {
        return GPU_ERR_INVALID_SCANOUT;
    }
    head = &gpu->heads[number];
    if (id == 0) {
        scanout_disable(head);
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
    head->scanout = id;
    head->x = rect.x;
    head->y = rect.y;
    head->width = rect.width;
    head->height = rect.height;
    head->redraw = true;
    return GPU_OK;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* What of the resource's rectangle a head shows must be drawn again. */
static void head_damage(struct gpu_head *head, const struct rect *rect)
{
    uint32_t left = rect->x > head->x ? rect->x - head->x : 0;
    uint32_t top = rect->y > head->y ? rect->y - head->y : 0;
    uint32_t right = rect->x + rect->width > head->x ? rect->x + rect->width - head->x : 0;
    uint32_t bottom = rect->y + rect->height > head->y ? rect->y + rect->height - head->y : 0;

    right = least(right, head->width);
    bottom = least(bottom, head->height);
    if (left < right && top < bottom) {
        damage_add(&head->damage, left, top, right - left, bottom - top);
    }
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
    for (unsigned i = 0; i < gpu->n_heads; i++) {
        if (gpu->heads[i].scanout == resource->id) {
            head_damage(&gpu->heads[i], &rect);
        }
    }
    return GPU_OK;
}

/* --- For the console -------------------------------------------------------------------------- */

/* The VGA's picture is the first head's. */
static bool shows_vga(const struct gpu *gpu, unsigned head)
{
    return head == 0 && !gpu->driving;
}

static unsigned gpu_heads(struct device *device)
{
    return to_gpu(to_virtio(device))->n_heads;
}

/* A head that was never used is as large as its monitor prefers. */
static void gpu_mode(struct device *device, unsigned head, struct display_mode *mode)
{
    struct gpu *gpu = to_gpu(to_virtio(device));
    const struct gpu_head *from = &gpu->heads[head];

    if (shows_vga(gpu, head)) {
        vga_display_mode(device, head, mode);
        return;
    }
    *mode = (struct display_mode){ .width = from->width > 0 ? from->width : from->wanted_width,
                                   .height = from->width > 0 ? from->height : from->wanted_height,
                                   .blank = from->scanout == 0 };
}

static bool line_changed(const struct gpu_head *head, uint32_t y)
{
    for (unsigned i = 0; i < head->damage.n; i++) {
        if (y - head->damage.rects[i].y < head->damage.rects[i].height) {
            return true;
        }
    }
    return head->redraw;
}

static void line_make(struct gpu *gpu, const struct gpu_head *head,
                      const struct gpu_resource *resource, uint32_t width, uint32_t y)
{
    struct rect part = { head->x, head->y + y, width, 1 };

    if (resource) {
        gpu_resource_line(gpu, resource, &part, gpu->line);
    }
    for (uint32_t x = 0; x < width; x++) {
        gpu->line[x] = resource ? gpu->line[x] | DISPLAY_OPAQUE : DISPLAY_OPAQUE;
    }
}

static void head_draw(struct gpu *gpu, struct gpu_head *head, struct canvas *canvas)
{
    const struct gpu_resource *resource = gpu_resource_find(gpu, head->scanout);

    for (uint32_t y = 0; y < canvas->surface->height; y++) {
        if (line_changed(head, y)) {
            line_make(gpu, head, resource, canvas->surface->width, y);
            canvas_line(canvas, y, gpu->line);
        }
    }
    canvas_end(canvas);
    head->redraw = false;
    head->damage.n = 0;
}

static bool gpu_render(struct device *device, unsigned head, const struct surface *surface,
                       bool full, struct damage *damage)
{
    struct gpu *gpu = to_gpu(to_virtio(device));
    struct damage pieces = { .n = 0 };
    struct canvas canvas = { .surface = surface, .damage = full ? &pieces : damage };
    struct display_mode mode;

    if (shows_vga(gpu, head)) {
        return vga_display_render(device, head, surface, full, damage);
    }
    gpu_mode(device, head, &mode);
    if (surface->width != mode.width || surface->height != mode.height) {
        return false;
    }
    gpu->heads[head].redraw |= full;
    head_draw(gpu, &gpu->heads[head], &canvas);
    if (head == 0) {
        gpu->vga.drawn->valid = false; /* another picture is on the surface */
    }
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

/* The driver is told to look at the monitors again. */
static void monitors_changed(struct gpu *gpu)
{
    gpu->events |= 1;
    virtio_config_changed(&gpu->vga.virtio);
}

static void gpu_set_size(struct device *device, unsigned head, uint32_t width, uint32_t height)
{
    struct gpu *gpu = to_gpu(to_virtio(device));
    struct gpu_head *to = &gpu->heads[head];
    /* Two such pictures of each head fit the memory: one is drawn while the other is shown. */
    uint64_t most = (gpu->memory_size / 2 - (1 << 20)) / gpu->n_heads;

    if (head == 0) {
        vga_set_size(device, head, width, height);
    }
    width = clamp(width, EDID_WIDTH_MIN, EDID_WIDTH_MAX);
    height = clamp(height, EDID_HEIGHT_MIN, EDID_HEIGHT_MAX);
    while ((uint64_t)width * height * GPU_PIXEL_SIZE > most &&
           (width > EDID_WIDTH_MIN || height > EDID_HEIGHT_MIN)) {
        width = clamp(width * 15 / 16, EDID_WIDTH_MIN, EDID_WIDTH_MAX);
        height = clamp(height * 15 / 16, EDID_HEIGHT_MIN, EDID_HEIGHT_MAX);
    }
    if (width == to->wanted_width && height == to->wanted_height) {
        return;
    }
    to->wanted_width = width;
    to->wanted_height = height;
    if (to->connected) {
        monitors_changed(gpu);
    }
}

static bool gpu_connected(struct device *device, unsigned head)
{
    return to_gpu(to_virtio(device))->heads[head].connected;
}

static void gpu_set_connected(struct device *device, unsigned head, bool connected)
{
    struct gpu *gpu = to_gpu(to_virtio(device));

    if (head > 0 && gpu->heads[head].connected != connected) {
        gpu->heads[head].connected = connected;
        monitors_changed(gpu);
    }
}

const struct display_ops gpu_display = {
    .heads = gpu_heads,
    .mode = gpu_mode,
    .render = gpu_render,
    .cursor = gpu_cursor_get,
    .text = gpu_text,
    .set_size = gpu_set_size,
    .connected = gpu_connected,
    .set_connected = gpu_set_connected,
};
