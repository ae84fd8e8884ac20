/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Resources of the display adapter: two-dimensional pictures of 32 bits a pixel, kept in the
 * adapter's own memory, and the guest memory behind each, from which the guest has rectangles
 * copied (virtio 1.2, section 5.7.6.8). See gpu.h.
 *
 * Memory is given out first fit, in whole pages; there is no more than the option says, however
 * many and large the pictures are that a guest asks for.
 */
#include <string.h>

#include "bytes.h"
#include "gpu.h"
#include "services.h"

enum {
    PAGE = 4096,
    AT_BODY = 24, /* of a command, behind its header */

    FORMAT_B8G8R8A8 = 1,
    FORMAT_B8G8R8X8 = 2,
    FORMAT_A8R8G8B8 = 3,
    FORMAT_X8R8G8B8 = 4,
    FORMAT_R8G8B8A8 = 67,
    FORMAT_X8B8G8R8 = 68,
    FORMAT_A8B8G8R8 = 121,
    FORMAT_R8G8B8X8 = 134,
};

/* --- Memory ----------------------------------------------------------------------------------- */

static uint64_t whole_pages(uint64_t bytes)
{
    return (bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static uint64_t pixels_size(const struct gpu_resource *resource)
{
    return whole_pages((uint64_t)resource->width * resource->height * GPU_PIXEL_SIZE);
}

static uint64_t backing_size(const struct gpu_resource *resource)
{
    return whole_pages((uint64_t)resource->n_entries * GPU_ENTRY_SIZE);
}

/* Moves *at behind what is in the way of [*at, *at + size). */
static bool step_over(uint64_t offset, uint64_t length, uint64_t size, uint64_t *at)
{
    if (length == 0 || offset >= *at + size || *at >= offset + length) {
        return false;
    }
    *at = offset + length;
    return true;
}

/* A place for `size` bytes; false: there is none. */
static bool memory_find(const struct gpu *gpu, uint64_t size, uint32_t *offset)
{
    uint64_t at = 0;
    bool moved = true;

    while (moved) {
        moved = false;
        for (unsigned i = 0; i < GPU_RESOURCES_MAX; i++) {
            const struct gpu_resource *r = &gpu->resources[i];

            if (r->id != 0) {
                moved |= step_over(r->pixels, pixels_size(r), size, &at);
                moved |= step_over(r->backing, backing_size(r), size, &at);
            }
        }
    }
    *offset = (uint32_t)at;
    return range_fits(at, size, gpu->memory_size);
}

static bool fits(const struct gpu *gpu, uint32_t offset, uint64_t size)
{
    return offset % PAGE == 0 && range_fits(offset, size, gpu->memory_size);
}

static bool apart(uint32_t a, uint64_t a_size, uint32_t b, uint64_t b_size)
{
    return a_size == 0 || b_size == 0 || a + a_size <= b || b + b_size <= a;
}

static bool pair_valid(const struct gpu_resource *a, const struct gpu_resource *b)
{
    return a->id != b->id && apart(a->pixels, pixels_size(a), b->pixels, pixels_size(b)) &&
           apart(a->pixels, pixels_size(a), b->backing, backing_size(b)) &&
           apart(a->backing, backing_size(a), b->pixels, pixels_size(b)) &&
           apart(a->backing, backing_size(a), b->backing, backing_size(b));
}

static bool format_known(uint32_t format)
{
    switch (format) {
    case FORMAT_B8G8R8A8:
    case FORMAT_B8G8R8X8:
    case FORMAT_A8R8G8B8:
    case FORMAT_X8R8G8B8:
    case FORMAT_R8G8B8A8:
    case FORMAT_X8B8G8R8:
    case FORMAT_A8B8G8R8:
    case FORMAT_R8G8B8X8:
        return true;
    default:
        return false;
    }
}

bool gpu_resources_valid(const struct gpu *gpu)
{
    for (unsigned i = 0; i < GPU_RESOURCES_MAX; i++) {
        const struct gpu_resource *r = &gpu->resources[i];

        if (r->id == 0) {
            continue;
        }
        if (!format_known(r->format) || r->width == 0 || r->height == 0 ||
            !fits(gpu, r->pixels, pixels_size(r)) || !fits(gpu, r->backing, backing_size(r)) ||
            !apart(r->pixels, pixels_size(r), r->backing, backing_size(r))) {
            return false;
        }
        for (unsigned k = 0; k < i; k++) {
            if (gpu->resources[k].id != 0 && !pair_valid(r, &gpu->resources[k])) {
                return false;
            }
        }
    }
    return true;
}

/* --- Life ------------------------------------------------------------------------------------- */

struct gpu_resource *gpu_resource_find(struct gpu *gpu, uint32_t id)
{
    for (unsigned i = 0; id != 0 && i < GPU_RESOURCES_MAX; i++) {
        if (gpu->resources[i].id == id) {
            return &gpu->resources[i];
        }
    }
    return NULL;
}

static struct gpu_resource *resource_free(struct gpu *gpu)
{
    for (unsigned i = 0; i < GPU_RESOURCES_MAX; i++) {
        if (gpu->resources[i].id == 0) {
            return &gpu->resources[i];
        }
    }
    return NULL;
}

enum gpu_answer gpu_resource_create(struct gpu *gpu, const uint8_t *command)
{
    struct gpu_resource *place = resource_free(gpu);
    struct gpu_resource fresh = { .id = load_le32(command + AT_BODY),
                                  .format = load_le32(command + AT_BODY + 4),
                                  .width = load_le32(command + AT_BODY + 8),
                                  .height = load_le32(command + AT_BODY + 12) };

    if (fresh.id == 0 || gpu_resource_find(gpu, fresh.id)) {
        return GPU_ERR_INVALID_RESOURCE;
    }
    if (!format_known(fresh.format) || fresh.width == 0 || fresh.width > GPU_SIDE_MAX ||
        fresh.height == 0 || fresh.height > GPU_SIDE_MAX) {
        return GPU_ERR_INVALID_PARAMETER;
    }
    if (!place || !memory_find(gpu, pixels_size(&fresh), &fresh.pixels)) {
        return GPU_ERR_OUT_OF_MEMORY;
    }
    *place = fresh;
    memset(gpu->memory + fresh.pixels, 0, pixels_size(&fresh));
    gpu->work += pixels_size(&fresh);
    return GPU_OK;
}

enum gpu_answer gpu_resource_unref(struct gpu *gpu, const uint8_t *command)
{
    struct gpu_resource *resource = gpu_resource_find(gpu, load_le32(command + AT_BODY));

    if (!resource) {
        return GPU_ERR_INVALID_RESOURCE;
    }
    gpu_resource_hide(gpu, resource);
    memset(resource, 0, sizeof(*resource));
    return GPU_OK;
}

/* --- Backing ---------------------------------------------------------------------------------- */

enum gpu_answer gpu_backing_attach(struct gpu *gpu, const struct vq_chain *chain,
                                   const uint8_t *command)
{
    struct gpu_resource *resource = gpu_resource_find(gpu, load_le32(command + AT_BODY));
    uint32_t n = load_le32(command + AT_BODY + 4), offset;

    if (!resource) {
        return GPU_ERR_INVALID_RESOURCE;
    }
    if (resource->n_entries > 0) {
        return GPU_ERR_UNSPEC;
    }
    if (n == 0 || n > GPU_ENTRIES_MAX ||
        !range_fits(AT_BODY + 8, (uint64_t)n * GPU_ENTRY_SIZE, chain->out_length)) {
        return GPU_ERR_INVALID_PARAMETER;
    }
    if (!memory_find(gpu, whole_pages((uint64_t)n * GPU_ENTRY_SIZE), &offset)) {
        return GPU_ERR_OUT_OF_MEMORY;
    }
    if (!virtio_read(&gpu->vga.virtio, chain, AT_BODY + 8, gpu->memory + offset,
                     (size_t)n * GPU_ENTRY_SIZE)) {
        return GPU_ERR_UNSPEC;
    }
    resource->backing = offset;
    resource->n_entries = n;
    return GPU_OK;
}

enum gpu_answer gpu_backing_detach(struct gpu *gpu, const uint8_t *command)
{
    struct gpu_resource *resource = gpu_resource_find(gpu, load_le32(command + AT_BODY));

    if (!resource) {
        return GPU_ERR_INVALID_RESOURCE;
    }
    if (resource->n_entries == 0) {
        return GPU_ERR_UNSPEC;
    }
    resource->n_entries = 0;
    resource->backing = 0;
    return GPU_OK;
}

/* A walk through the bytes of a backing, which only goes forward. */
struct walk {
    const uint8_t *entries;
    uint32_t n, entry;
    uint64_t start; /* offset of that entry's first byte */
};

/* Copies `length` bytes from `offset` on; false: there is no such memory. */
static bool backing_read(struct gpu *gpu, struct walk *walk, uint64_t offset, uint8_t *to,
                         uint64_t length)
{
    while (length > 0) {
        if (walk->entry >= walk->n) {
            return false;
        }
        const uint8_t *entry = walk->entries + (size_t)walk->entry * GPU_ENTRY_SIZE;
        uint64_t address = load_le64(entry), size = load_le32(entry + 8);

        if (offset - walk->start >= size) {
            walk->start += size;
            walk->entry++;
            continue;
        }
        uint64_t skip = offset - walk->start;
        uint64_t n = size - skip < length ? size - skip : length;

        if (address > UINT64_MAX - skip ||
            dev_ram_read(gpu_to_device(gpu), address + skip, to, n) != 0) {
            return false;
        }
        offset += n;
        to += n;
        length -= n;
    }
    return true;
}

bool gpu_rect_read(const uint8_t *bytes, uint32_t width, uint32_t height, struct rect *rect)
{
    *rect = (struct rect){ load_le32(bytes), load_le32(bytes + 4), load_le32(bytes + 8),
                           load_le32(bytes + 12) };
    return range_fits(rect->x, rect->width, width) && range_fits(rect->y, rect->height, height);
}

enum gpu_answer gpu_transfer(struct gpu *gpu, const uint8_t *command)
{
    struct gpu_resource *resource = gpu_resource_find(gpu, load_le32(command + AT_BODY + 24));
    uint64_t offset = load_le64(command + AT_BODY + 16);
    struct rect rect;

    if (!resource) {
        return GPU_ERR_INVALID_RESOURCE;
    }
    uint64_t pitch = (uint64_t)resource->width * GPU_PIXEL_SIZE;

    if (resource->n_entries == 0 ||
        !gpu_rect_read(command + AT_BODY, resource->width, resource->height, &rect) ||
        offset > UINT32_MAX * (uint64_t)GPU_ENTRIES_MAX) {
        return GPU_ERR_INVALID_PARAMETER;
    }
    struct walk walk = { .entries = gpu->memory + resource->backing, .n = resource->n_entries };
    uint8_t *to = gpu->memory + resource->pixels + rect.y * pitch + rect.x * GPU_PIXEL_SIZE;

    for (uint32_t y = 0; y < rect.height; y++) {
        if (!backing_read(gpu, &walk, offset + y * pitch, to + y * pitch,
                          (uint64_t)rect.width * GPU_PIXEL_SIZE)) {
            guest_error(gpu_to_device(gpu), "transfer from beyond the backing of resource %u",
                        resource->id);
            return GPU_ERR_INVALID_PARAMETER;
        }
    }
    gpu->work += (uint64_t)rect.width * rect.height * GPU_PIXEL_SIZE;
    return GPU_OK;
}

/* --- Pixels ----------------------------------------------------------------------------------- */

/*
 * A pixel of the format, as a little-endian number, to ARGB. Formats without transparency keep what
 * is in the unused byte: Linux makes its cursors of them, and means transparency.
 */
static uint32_t pixel_convert(uint32_t format, uint32_t p)
{
    switch (format) {
    case FORMAT_B8G8R8A8:
    case FORMAT_B8G8R8X8:
        return p;
    case FORMAT_A8R8G8B8:
    case FORMAT_X8R8G8B8:
        return __builtin_bswap32(p);
    case FORMAT_R8G8B8A8:
    case FORMAT_R8G8B8X8:
        return (p & 0xff00ff00) | (p & 0xff) << 16 | (p >> 16 & 0xff);
    default: /* A8B8G8R8, X8B8G8R8 */
        return p << 24 | p >> 8;
    }
}

void gpu_resource_line(const struct gpu *gpu, const struct gpu_resource *resource,
                       const struct rect *part, uint32_t *pixels)
{
    const uint8_t *from = gpu->memory + resource->pixels +
                          ((uint64_t)part->y * resource->width + part->x) * GPU_PIXEL_SIZE;

    for (uint32_t x = 0; x < part->width; x++) {
        pixels[x] = pixel_convert(resource->format, load_le32(from + (size_t)x * GPU_PIXEL_SIZE));
    }
}
