/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pointers of the display adapter (virtio 1.2, section 5.7.6.10), one for each scanout: a shape
 * of 64 x 64 pixels that is taken from a resource when the driver says so. It is not drawn into the
 * picture: viewers get it by itself. See gpu.h.
 *
 * Its colours are premultiplied, as Linux and its compositors deliver them. The position is that of
 * the shape's top left pixel.
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
    AT_HOT_X = 44,
    AT_HOT_Y = 48,
};

void gpu_cursor_renew(struct gpu_head *head)
{
    head->shape = head->shape < UINT32_MAX ? head->shape + 1 : 1;
}

static uint32_t hot_spot(uint32_t value)
{
    return value < DISPLAY_CURSOR_SIDE ? value : DISPLAY_CURSOR_SIDE - 1;
}

static void shape_take(struct gpu *gpu, struct gpu_head *head, const uint8_t *command)
{
    uint32_t id = load_le32(command + AT_RESOURCE);
    const struct gpu_resource *resource = gpu_resource_find(gpu, id);

    head->cursor_visible = false;
    if (id == 0) {
        return;
    }
    if (!resource || resource->width != DISPLAY_CURSOR_SIDE ||
        resource->height != DISPLAY_CURSOR_SIDE) {
        guest_error(gpu_to_device(gpu), "resource %u is no pointer of 64 x 64 pixels", id);
        return;
    }
    for (uint32_t y = 0; y < DISPLAY_CURSOR_SIDE; y++) {
        struct rect line = { 0, y, DISPLAY_CURSOR_SIDE, 1 };

        gpu_resource_line(gpu, resource, &line, head->cursor_pixels + y * DISPLAY_CURSOR_SIDE);
    }
    head->cursor_hot_x = hot_spot(load_le32(command + AT_HOT_X));
    head->cursor_hot_y = hot_spot(load_le32(command + AT_HOT_Y));
    head->cursor_visible = true;
    head->cursor_given = true;
    gpu_cursor_renew(head);
}

void gpu_cursor_command(struct gpu *gpu, const uint8_t *command, bool update)
{
    uint32_t number = load_le32(command + AT_SCANOUT);

    if (number >= gpu->n_heads) {
        guest_error(gpu_to_device(gpu), "there is no scanout %u", number);
        return;
    }
    gpu->heads[number].cursor_x = load_le32(command + AT_X);
    gpu->heads[number].cursor_y = load_le32(command + AT_Y);
    if (update) {
        shape_take(gpu, &gpu->heads[number], command);
    }
}

void gpu_cursor_get(struct device *device, unsigned head, struct display_cursor *cursor)
{
    const struct gpu_head *from = &to_gpu(to_virtio(device))->heads[head];
    uint32_t shape = from->cursor_given ? from->shape : 0;

    if (shape != 0 && shape != cursor->shape) {
        memcpy(cursor->pixels, from->cursor_pixels, sizeof(cursor->pixels));
    }
    cursor->shape = shape;
    cursor->visible = from->cursor_visible;
    cursor->x = (int32_t)from->cursor_x;
    cursor->y = (int32_t)from->cursor_y;
    cursor->hot_x = from->cursor_hot_x;
    cursor->hot_y = from->cursor_hot_y;
}
