/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Display adapter with two-dimensional virtio (virtio 1.2, section 5.7) that begins as the VGA of
 * vga.c: PCI 1AF4:1050 of class VGA, with the VGA's ports, memory and BARs 0 and 2, so that
 * firmware, boot loaders and systems without a driver show their picture. When a driver sets a
 * scanout the adapter shows that, until the driver or the machine is reset.
 *
 * Queues: 0 commands, 1 pointer. There are one to four scanouts with a monitor each: those behind
 * the first begin unplugged. What display_ops->set_size() and set_connected() say becomes display
 * information, EDID and an event that tells the driver to look. Monitors stand side by side, from
 * left to right.
 *
 * Left out: 3D, blobs, UUIDs of resources.
 *
 * How it fails: a command that is wrong is answered with an error of section 5.7.6.7 and counted.
 * One without room for an answer is only counted. Pictures have no more memory than the option
 * says.
 */
#include "gpu.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "services.h"

enum {
    GPU_ID = 16,
    QUEUE_CONTROL = 0,
    QUEUE_CURSOR = 1,
    QUEUES = 2,

    CONFIG_EVENTS_READ = 0,
    CONFIG_EVENTS_CLEAR = 4,
    CONFIG_NUM_SCANOUTS = 8,
    CONFIG_SIZE = 16,
    SCANOUTS = 16, /* places in the answer with display information */
    SCANOUT_SIZE = 24,

    CMD_GET_DISPLAY_INFO = 0x100,
    CMD_RESOURCE_CREATE_2D = 0x101,
    CMD_RESOURCE_UNREF = 0x102,
    CMD_SET_SCANOUT = 0x103,
    CMD_RESOURCE_FLUSH = 0x104,
    CMD_TRANSFER_TO_HOST_2D = 0x105,
    CMD_ATTACH_BACKING = 0x106,
    CMD_DETACH_BACKING = 0x107,
    CMD_GET_EDID = 0x10a,
    CMD_UPDATE_CURSOR = 0x300,
    CMD_MOVE_CURSOR = 0x301,

    HEADER_SIZE = 24,
    HEADER_FLAGS = 4,
    HEADER_COPIED = HEADER_SIZE - HEADER_FLAGS, /* of the command's, if it has a fence */
    FLAG_FENCE = 1,
    COMMAND_MAX = 56,
    ANSWER_EDID = 1024,
    ANSWER_MAX = HEADER_SIZE + 8 + ANSWER_EDID,
    WORK_MAX = 64 << 20, /* bytes moved in one entry; the rest comes in a later one */
};

#define GPU_F_EDID (UINT64_C(1) << 1)

/* --- Answers ---------------------------------------------------------------------------------- */

struct answer {
    uint32_t length;
    uint8_t bytes[ANSWER_MAX];
};

static enum gpu_answer display_info(const struct gpu *gpu, struct answer *answer)
{
    uint32_t x = 0;

    for (unsigned i = 0; i < gpu->n_heads; i++) {
        uint8_t *scanout = answer->bytes + HEADER_SIZE + i * SCANOUT_SIZE;
        const struct gpu_head *head = &gpu->heads[i];

        if (head->connected) {
            store_le32(scanout, x);
            store_le32(scanout + 8, head->wanted_width);
            store_le32(scanout + 12, head->wanted_height);
            store_le32(scanout + 16, 1);
            x += head->wanted_width;
        }
    }
    answer->length = HEADER_SIZE + SCANOUTS * SCANOUT_SIZE;
    return GPU_OK_DISPLAY_INFO;
}

static enum gpu_answer edid_get(const struct gpu *gpu, const uint8_t *command,
                                struct answer *answer)
{
    uint32_t head = load_le32(command + HEADER_SIZE);

    if (head >= gpu->n_heads) {
        return GPU_ERR_INVALID_SCANOUT;
    }
    store_le32(answer->bytes + HEADER_SIZE, EDID_SIZE);
    edid_make(answer->bytes + HEADER_SIZE + 8, gpu->heads[head].wanted_width,
              gpu->heads[head].wanted_height);
    answer->length = ANSWER_MAX;
    return GPU_OK_EDID;
}

/* --- Commands --------------------------------------------------------------------------------- */

/* Bytes of a command's fixed part; 0: there is no such command on the queue. */
static uint32_t command_size(unsigned queue, uint32_t type)
{
    if (queue == QUEUE_CURSOR) {
        return type == CMD_UPDATE_CURSOR || type == CMD_MOVE_CURSOR ? 56 : 0;
    }
    switch (type) {
    case CMD_GET_DISPLAY_INFO:
        return HEADER_SIZE;
    case CMD_RESOURCE_UNREF:
    case CMD_ATTACH_BACKING:
    case CMD_DETACH_BACKING:
    case CMD_GET_EDID:
        return HEADER_SIZE + 8;
    case CMD_RESOURCE_CREATE_2D:
        return HEADER_SIZE + 16;
    case CMD_SET_SCANOUT:
    case CMD_RESOURCE_FLUSH:
        return HEADER_SIZE + 24;
    case CMD_TRANSFER_TO_HOST_2D:
        return HEADER_SIZE + 32;
    default:
        return 0;
    }
}

static enum gpu_answer command_do(struct gpu *gpu, const struct vq_chain *chain,
                                  const uint8_t *command, struct answer *answer)
{
    switch (load_le32(command)) {
    case CMD_GET_DISPLAY_INFO:
        return display_info(gpu, answer);
    case CMD_GET_EDID:
        return edid_get(gpu, command, answer);
    case CMD_RESOURCE_CREATE_2D:
        return gpu_resource_create(gpu, command);
    case CMD_RESOURCE_UNREF:
        return gpu_resource_unref(gpu, command);
    case CMD_SET_SCANOUT:
        return gpu_set_scanout(gpu, command);
    case CMD_RESOURCE_FLUSH:
        return gpu_flush(gpu, command);
    case CMD_TRANSFER_TO_HOST_2D:
        return gpu_transfer(gpu, command);
    case CMD_ATTACH_BACKING:
        return gpu_backing_attach(gpu, chain, command);
    case CMD_DETACH_BACKING:
        return gpu_backing_detach(gpu, command);
    default: /* of the other queue */
        gpu_cursor_command(gpu, command, load_le32(command) == CMD_UPDATE_CURSOR);
        return GPU_OK;
    }
}

/* Carries the command out; the answer's length, 0 if there is no room for it. */
static uint32_t command_take(struct gpu *gpu, unsigned queue, const struct vq_chain *chain)
{
    struct virtio_device *virtio = &gpu->vga.virtio;
    struct answer answer = { .length = HEADER_SIZE };
    uint8_t command[COMMAND_MAX] = { 0 };
    enum gpu_answer type = GPU_ERR_UNSPEC;
    uint32_t size;

    if (!virtio_read(virtio, chain, 0, command, HEADER_SIZE)) {
        guest_error(virtio_to_device(virtio), "a command without a header");
        return 0;
    }
    size = command_size(queue, load_le32(command));
    if (size > 0 && virtio_read(virtio, chain, 0, command, size)) {
        type = command_do(gpu, chain, command, &answer);
    }
    if (type >= GPU_ERR_UNSPEC) {
        guest_error(virtio_to_device(virtio), "command %#x fails with %#x", load_le32(command),
                    type);
    }
    store_le32(answer.bytes, type);
    if (load_le32(command + HEADER_FLAGS) & FLAG_FENCE) {
        memcpy(answer.bytes + HEADER_FLAGS, command + HEADER_FLAGS, HEADER_COPIED);
        store_le32(answer.bytes + HEADER_FLAGS, FLAG_FENCE);
    }
    if (chain->in_length < answer.length) {
        return 0; /* drivers want no answer to commands of the pointer */
    }
    return virtio_write(virtio, chain, 0, answer.bytes, answer.length) ? answer.length : 0;
}

static void gpu_on_queue(struct virtio_device *virtio, unsigned queue)
{
    struct gpu *gpu = to_gpu(virtio);
    struct vq_chain chain;

    gpu->work = 0;
    while (gpu->work < WORK_MAX && virtio_pop(virtio, queue, &chain)) {
        uint32_t written = command_take(gpu, queue, &chain);

        virtio_push(virtio, queue, chain.head, written);
    }
    virtio_publish(virtio, queue);
    if (gpu->work >= WORK_MAX) {
        virtio_kick_later(virtio, queue);
    }
}

/* --- Configuration ---------------------------------------------------------------------------- */

static uint64_t gpu_features(struct virtio_device *virtio)
{
    (void)virtio;
    return GPU_F_EDID;
}

static void gpu_config_read(struct virtio_device *virtio, uint8_t *config)
{
    store_le32(config + CONFIG_EVENTS_READ, to_gpu(virtio)->events);
    store_le32(config + CONFIG_NUM_SCANOUTS, to_gpu(virtio)->n_heads);
}

static void gpu_config_write(struct virtio_device *virtio, unsigned offset, unsigned size,
                             uint32_t value)
{
    if (offset == CONFIG_EVENTS_CLEAR && size == 4) {
        to_gpu(virtio)->events &= ~value;
    } else {
        guest_error(virtio_to_device(virtio), "write of %#x to configuration %#x", value, offset);
    }
}

/* --- Life ------------------------------------------------------------------------------------- */

static int gpu_create(struct device *device, struct dev_error *error)
{
    struct gpu *gpu = to_gpu(to_virtio(device));
    int result = vga_create(device, error);
    uint64_t size;

    gpu->memory = dev_memory(device, GPU_MEMORY_RESOURCES, &size);
    for (unsigned i = 0; i < DISPLAY_HEADS_MAX; i++) {
        gpu->heads[i].wanted_width = gpu->vga.edid_width;
        gpu->heads[i].wanted_height = gpu->vga.edid_height;
    }
    gpu->heads[0].connected = true;
    return result != 0 ? result : virtio_class_create(device, error);
}

static void gpu_destroy(struct device *device)
{
    virtio_class_destroy(device);
    vga_destroy(device);
}

/* All that the driver made of it; the monitor stays. */
static void head_forget(struct gpu_head *head)
{
    head->scanout = head->x = head->y = head->width = head->height = 0;
    head->cursor_visible = head->cursor_given = false;
    head->cursor_x = head->cursor_y = head->cursor_hot_x = head->cursor_hot_y = 0;
    memset(head->cursor_pixels, 0, sizeof(head->cursor_pixels));
    gpu_cursor_renew(head);
    head->damage.n = 0;
    head->redraw = true;
}

/* The driver is gone: it is a VGA again. */
static void gpu_forget(struct virtio_device *virtio, bool machine)
{
    struct gpu *gpu = to_gpu(virtio);

    (void)machine;
    gpu->events = 0;
    gpu->driving = false;
    for (unsigned i = 0; i < DISPLAY_HEADS_MAX; i++) {
        head_forget(&gpu->heads[i]);
    }
    memset(gpu->resources, 0, sizeof(gpu->resources));
    gpu->vga.drawn->valid = false;
}

static void gpu_reset(struct device *device, enum reset_kind kind)
{
    vga_reset(device, kind);
    virtio_class_reset(device, kind);
}

static int gpu_validate(struct device *device, struct dev_error *error)
{
    const struct gpu *gpu = to_gpu(to_virtio(device));
    int result = vga_validate(device, error);

    if (result != 0) {
        return result;
    }
    if (!gpu_resources_valid(gpu) || !gpu_heads_valid(gpu)) {
        dev_error_set(
            error,
            "The saved state of “%s” has pictures that no driver can have made, so it was "
            "not loaded.",
            device->name);
        return -EINVAL;
    }
    return virtio_class_validate(device, error);
}

static void gpu_restored(struct device *device)
{
    struct gpu *gpu = to_gpu(to_virtio(device));

    for (unsigned i = 0; i < gpu->n_heads; i++) {
        gpu->heads[i].damage.n = 0;
        gpu->heads[i].redraw = true;
        gpu_cursor_renew(&gpu->heads[i]);
    }
    vga_restored(device);
    virtio_class_restored(device);
}

static const struct region_desc gpu_regions[] = {
    VIRTIO_REGION_DESCS,
    VGA_REGIONS(VIRTIO_REGIONS),
};

static const struct memory_desc gpu_memories[] = {
    [VGA_MEMORY_VRAM] = { .name = "vram", .flags = MEMORY_RAM },
    [GPU_MEMORY_RESOURCES] = { .name = "resources", .flags = MEMORY_RAM },
};

static const struct window_desc gpu_windows[] = { VGA_WINDOWS };

static const struct option_desc gpu_options[] = {
    VGA_OPTIONS,
    { "resources", OPTION_U32, offsetof(struct gpu, memory_size), GPU_MEMORY_MIN, GPU_MEMORY_MAX,
      "16777216", "bytes of memory for the driver's pictures, whole pages" },
    { "heads", OPTION_U32, offsetof(struct gpu, n_heads), 1, DISPLAY_HEADS_MAX, "1",
      "scanouts for monitors" },
    { NULL },
};

/* clang-format off */
static const struct state_field head_fields[] = {
    FIELD(struct gpu_head, connected),
    FIELD_MAX(struct gpu_head, wanted_width, EDID_WIDTH_MAX),
    FIELD_MAX(struct gpu_head, wanted_height, EDID_HEIGHT_MAX),
    FIELD(struct gpu_head, scanout),
    FIELD(struct gpu_head, x),
    FIELD(struct gpu_head, y),
    FIELD_MAX(struct gpu_head, width, DISPLAY_WIDTH_MAX),
    FIELD_MAX(struct gpu_head, height, DISPLAY_HEIGHT_MAX),
    FIELD(struct gpu_head, cursor_visible),
    FIELD(struct gpu_head, cursor_given),
    FIELD(struct gpu_head, cursor_x),
    FIELD(struct gpu_head, cursor_y),
    FIELD_MAX(struct gpu_head, cursor_hot_x, DISPLAY_CURSOR_SIDE - 1),
    FIELD_MAX(struct gpu_head, cursor_hot_y, DISPLAY_CURSOR_SIDE - 1),
    FIELD_ARRAY(struct gpu_head, cursor_pixels),
    FIELD_END,
};
/* clang-format on */

static const struct state_field resource_fields[] = {
    FIELD(struct gpu_resource, id),
    FIELD(struct gpu_resource, format),
    FIELD_MAX(struct gpu_resource, width, GPU_SIDE_MAX),
    FIELD_MAX(struct gpu_resource, height, GPU_SIDE_MAX),
    FIELD(struct gpu_resource, pixels),
    FIELD(struct gpu_resource, backing),
    FIELD_MAX(struct gpu_resource, n_entries, GPU_ENTRIES_MAX),
    FIELD_END,
};

/* clang-format off */
static const struct state_field gpu_fields[] = {
    FIELD_STRUCT(struct gpu, vga.virtio, virtio_fields),
    { .name = "vga", .type = FIELD_STRUCTS, .offset = offsetof(struct gpu, vga), .count = 1,
      .fields = vga_fields + 1, .stride = sizeof(struct vga) }, /* all but the PCI function */
    FIELD_MAX(struct gpu, events, 1),
    FIELD(struct gpu, driving),
    FIELD_STRUCTS_ARRAY(struct gpu, heads, head_fields),
    FIELD_STRUCTS_ARRAY(struct gpu, resources, resource_fields),
    FIELD_END,
};

static const struct pci_info gpu_pci = {
    .vendor = 0x1af4,
    .device = 0x1040 + GPU_ID,
    .subsystem_vendor = 0x1af4,
    .subsystem = 0x1100,
    .revision = 1,
    .class_code = 0x030000,
    .interrupt_pin = 1,
    .bars = { VGA_BARS(VIRTIO_REGIONS), VIRTIO_PCI_BARS },
    .msix_vectors = QUEUES + 1,
    .msix_bar = 1,
    .power_management = true,
};
/* clang-format on */

static const struct virtio_type gpu_type = {
    .id = GPU_ID,
    .n_queues = QUEUES,
    .config_size = CONFIG_SIZE,
    .features = gpu_features,
    .reset = gpu_forget,
    .on_queue = gpu_on_queue,
    .config_read = gpu_config_read,
    .config_write = gpu_config_write,
};

const struct device_class virtio_gpu_class = {
    .name = "virtio-gpu",
    .version = 2,
    .state_size = sizeof(struct gpu),
    .description = "virtio display adapter that begins as a VGA",
    .options = gpu_options,
    .regions = gpu_regions,
    .n_regions = sizeof(gpu_regions) / sizeof(gpu_regions[0]),
    .memories = gpu_memories,
    .n_memories = sizeof(gpu_memories) / sizeof(gpu_memories[0]),
    .windows = gpu_windows,
    .n_windows = sizeof(gpu_windows) / sizeof(gpu_windows[0]),
    .n_tasks = VIRTIO_TASKS,
    .n_doorbells = QUEUES,
    .fields = gpu_fields,
    .pci = &gpu_pci,
    .virtio = &gpu_type,
    .display = &gpu_display,
    .create = gpu_create,
    .destroy = gpu_destroy,
    .reset = gpu_reset,
    .on_task = virtio_class_on_task,
    .on_doorbell = virtio_class_on_doorbell,
    .on_config = virtio_class_on_config,
    .on_config_read = virtio_class_on_config_read,
    .validate = gpu_validate,
    .restored = gpu_restored,
};
