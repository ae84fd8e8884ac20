/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the display adapter "virtio-gpu" share: gpu.c, commands and class;
 * gpu_resource.c, pictures and their backing; gpu_display.c, what is shown; gpu_cursor.c, the
 * pointer.
 */
#ifndef DEVICES_GPU_H
#define DEVICES_GPU_H

#include "vga.h"
#include "virtio.h"

enum {
    GPU_RESOURCES_MAX = 256,
    GPU_SIDE_MAX = 16384,    /* pixels across or down of a resource */
    GPU_ENTRIES_MAX = 16384, /* of a backing */
    GPU_ENTRY_SIZE = 16,     /* le64 address, le32 length, le32 padding */
    GPU_PIXEL_SIZE = 4,
    GPU_MEMORY_RESOURCES = 1, /* number of the memory, behind the VGA's */
    GPU_MEMORY_MIN = 4 << 20,
    GPU_MEMORY_MAX = 1 << 30,
};

/* Types of responses, section 5.7.6.7. */
enum gpu_answer {
    GPU_OK = 0x1100,
    GPU_OK_DISPLAY_INFO = 0x1101,
    GPU_OK_EDID = 0x1104,
    GPU_ERR_UNSPEC = 0x1200,
    GPU_ERR_OUT_OF_MEMORY = 0x1201,
    GPU_ERR_INVALID_SCANOUT = 0x1202,
    GPU_ERR_INVALID_RESOURCE = 0x1203,
    GPU_ERR_INVALID_PARAMETER = 0x1205,
};

/*
 * A picture. Its pixels, and a copy of the list of its backing, lie in the memory "resources", each
 * from a multiple of 4096 on.
 */
struct gpu_resource {
    uint32_t id; /* 0: this one is free */
    uint32_t format;
    uint32_t width, height;
    uint32_t pixels;  /* offset */
    uint32_t backing; /* offset */
    uint32_t n_entries;
};

/* A scanout of section 5.7, and the monitor at it. */
struct gpu_head {
    bool connected;                       /* the monitor; always so at the first */
    uint32_t wanted_width, wanted_height; /* that the monitor prefers; not only groups of eight */
    uint32_t scanout;                     /* resource shown, 0: none */
    uint32_t x, y, width, height; /* the part of it; the size stays while none is shown, 0 before */

    bool cursor_visible;
    bool cursor_given;           /* the driver has set a shape since it came */
    uint32_t cursor_x, cursor_y; /* of its top left pixel, two's complement */
    uint32_t cursor_hot_x, cursor_hot_y;
    uint32_t cursor_pixels[DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE]; /* ARGB, premultiplied */

    struct damage damage; /* not drawn yet */
    bool redraw;          /* all of it is not */
    uint32_t shape;       /* number of the cursor's shape for the console */
};

struct gpu {
    struct vga vga; /* first; vga.edid_width and height are the size that the monitor prefers */

    uint32_t n_heads;     /* option */
    uint32_t memory_size; /* option */
    uint32_t events;      /* that the driver has not cleared */
    bool driving;         /* the driver has shown something: it is no VGA any more */
    struct gpu_head heads[DISPLAY_HEADS_MAX];
    struct gpu_resource resources[GPU_RESOURCES_MAX];

    uint8_t *memory;
    uint64_t work; /* bytes moved in this entry */
    uint32_t line[DISPLAY_WIDTH_MAX];
};

static inline struct gpu *to_gpu(struct virtio_device *virtio)
{
    return (struct gpu *)virtio;
}

static inline struct device *gpu_to_device(struct gpu *gpu)
{
    return &gpu->vga.pci.device;
}

/* --- gpu_resource.c --------------------------------------------------------------------------- */

/* The resource of that id; NULL: there is none, or it is 0. */
struct gpu_resource *gpu_resource_find(struct gpu *gpu, uint32_t id);
/* Commands on resources. `command` is the whole fixed part. */
enum gpu_answer gpu_resource_create(struct gpu *gpu, const uint8_t *command);
enum gpu_answer gpu_resource_unref(struct gpu *gpu, const uint8_t *command);
enum gpu_answer gpu_backing_attach(struct gpu *gpu, const struct vq_chain *chain,
                                   const uint8_t *command);
enum gpu_answer gpu_backing_detach(struct gpu *gpu, const uint8_t *command);
enum gpu_answer gpu_transfer(struct gpu *gpu, const uint8_t *command);
/* The first line of a part, which is inside the resource, as ARGB; what is in the highest byte only
 * matters for a cursor. */
void gpu_resource_line(const struct gpu *gpu, const struct gpu_resource *resource,
                       const struct rect *part, uint32_t *pixels);
/* True if the resources of a loaded state fit the memory and each other. */
bool gpu_resources_valid(const struct gpu *gpu);
/* A rectangle of a command (le32 x, y, width, height); false: not inside width x height. */
bool gpu_rect_read(const uint8_t *bytes, uint32_t width, uint32_t height, struct rect *rect);

/* --- gpu_display.c ---------------------------------------------------------------------------- */

extern const struct display_ops gpu_display;

enum gpu_answer gpu_set_scanout(struct gpu *gpu, const uint8_t *command);
enum gpu_answer gpu_flush(struct gpu *gpu, const uint8_t *command);
/* The resource is no longer shown anywhere; the sizes stay. */
void gpu_resource_hide(struct gpu *gpu, const struct gpu_resource *resource);
/* True if the scanouts of a loaded state show parts of its resources. */
bool gpu_heads_valid(const struct gpu *gpu);

/* --- gpu_cursor.c ----------------------------------------------------------------------------- */

/* UPDATE_CURSOR, or only MOVE_CURSOR. */
void gpu_cursor_command(struct gpu *gpu, const uint8_t *command, bool update);
/* The pointer as it is after a load or reset has another shape than what consoles know. */
void gpu_cursor_renew(struct gpu_head *head);
/* See display_ops->cursor. */
void gpu_cursor_get(struct device *device, unsigned head, struct display_cursor *cursor);

#endif
