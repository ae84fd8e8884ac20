/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a virtio device is made of (virtio 1.2). A device's file has
 *
 *   - its state structure, whose first member is `struct virtio_device`
 *   - one constant `struct virtio_type`: number, queues, configuration space, functions
 *   - one constant `struct pci_info`, by VIRTIO_PCI_INFO()
 *   - one constant `struct device_class`, with VIRTIO_CLASS_FUNCTIONS in it
 *
 * and the core does the rest: PCI transport (modern only), status, feature negotiation, reset,
 * queue registers, rings, interrupts, doorbells, saving and loading. rng.c is the smallest example.
 *
 * A device is entered by on_queue(): the driver has put buffers into a queue, or may have. It takes
 * them with virtio_pop() until that says there are no more, gives each back with virtio_push(), and
 * calls virtio_publish() once at the end of every batch. When the outside world has something for
 * the driver (input, a frame), the device calls virtio_kick() on the queue, which leads to
 * on_queue() too: then all the taking of buffers is in one place, and the budget of one entry holds
 * for all of it.
 *
 * A buffer may be kept as long as the device likes; the queue remembers its head. What of it is
 * needed later must be copied out of the chain. Machines are saved while a device holds buffers
 * only if its type has again(), which gets them back after the load.
 *
 * A driver's mistake in a ring or descriptor stops the device: virtio_pop() says there is nothing
 * any more until the driver resets it. A device does the same with virtio_broken() when a request
 * cannot be answered at all; what can be answered with an error of the device's own is.
 *
 * Reset comes at any moment. Requests that are with a back end go on; the device marks them, drops
 * their answers, and says by its class's idle() when there are none left. Until then the driver,
 * which waits for it, reads a status that is not 0, so it does not use their memory again.
 */
#ifndef DEVICES_VIRTIO_VIRTIO_H
#define DEVICES_VIRTIO_VIRTIO_H

#include "device.h"
#include "pci.h"
#include "services.h"
#include "vq.h"

enum {
    VIRTIO_QUEUES_MAX = 16,
    VIRTIO_CONFIG_MAX = 256, /* bytes of configuration space of a device */
    VIRTIO_BUDGET = 256,     /* buffers taken in one entry; the rest comes in a later one */

    /* Regions and tasks of every class; a device with more of its own numbers them from here. */
    VIRTIO_REGION_MSIX = 0,
    VIRTIO_REGION_REGISTERS,
    VIRTIO_REGIONS,
    VIRTIO_TASKS = 2,

    /* The layout of BAR 4. */
    VIRTIO_COMMON = 0x0000,
    VIRTIO_ISR = 0x1000,
    VIRTIO_DEVICE = 0x2000,
    VIRTIO_NOTIFY = 0x3000,
    VIRTIO_BAR_SIZE = 0x4000,
    VIRTIO_NOTIFY_MULTIPLIER = 4,
};

/* Feature bits that the core knows (section 6). */
#define VIRTIO_F_INDIRECT_DESC (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_IDX     (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1     (UINT64_C(1) << 32)

struct virtio_device;

struct virtio_type {
    uint16_t id;        /* section 5 */
    unsigned n_queues;  /* at most, VIRTIO_QUEUES_MAX */
    size_t config_size; /* bytes of its configuration space, VIRTIO_CONFIG_MAX */

    /* Like the functions of the same names in struct device_class. */
    int (*create)(struct virtio_device *virtio, struct dev_error *error);
    void (*destroy)(struct virtio_device *virtio);
    int (*validate)(struct virtio_device *virtio, struct dev_error *error);
    void (*restored)(struct virtio_device *virtio);

    /* The type's own feature bits that this device offers; asked for at every machine reset. */
    uint64_t (*features)(struct virtio_device *virtio);
    /* Forgets the driver and all buffers. `machine`: it is a reset of the machine, not the
     * driver's. */
    void (*reset)(struct virtio_device *virtio, bool machine);
    /* The driver is ready (DRIVER_OK); on_queue() of all enabled queues follows. */
    void (*start)(struct virtio_device *virtio);
    /* There may be buffers in an enabled queue. */
    void (*on_queue)(struct virtio_device *virtio, unsigned queue);
    /* After a load: a buffer that the device held when it was saved. */
    void (*again)(struct virtio_device *virtio, unsigned queue, uint16_t head);
    /* Fills config_size zeroed bytes. */
    void (*config_read)(struct virtio_device *virtio, uint8_t *config);
    /* An aligned write of 1, 2 or 4 bytes inside config_size. Absent: all is read-only. */
    void (*config_write)(struct virtio_device *virtio, unsigned offset, unsigned size,
                         uint32_t value);
};

struct virtio_device {
    struct pci_device pci; /* first */
    const struct virtio_type *type;
    unsigned n_queues;
    uint64_t features; /* offered */

    uint64_t driver_features;
    uint32_t device_feature_select, driver_feature_select;
    uint16_t queue_select;
    uint16_t config_vector;
    uint8_t status, isr, config_generation;
    struct vq queues[VIRTIO_QUEUES_MAX];

    uint16_t config_window; /* capability that reaches BAR 4 through configuration space */
    uint8_t status_before;  /* while a reset waits for requests: what the driver reads; else 0 */
    uint32_t kicks;         /* queues for the task, a bit each */
    uint32_t unpublished;   /* the same, of virtio_publish_later() */
    bool regain;            /* the task gives held buffers back to the device first */
    unsigned budget;        /* buffers that this entry may still take */
};

static inline struct virtio_device *to_virtio(struct device *device)
{
    return (struct virtio_device *)device;
}

static inline struct device *virtio_to_device(struct virtio_device *virtio)
{
    return &virtio->pci.device;
}

/* --- Buffers ---------------------------------------------------------------------------------- */

/* True if the driver is ready and the queue can be used. */
bool virtio_queue_live(const struct virtio_device *virtio, unsigned queue);
/* True once the driver is ready and the feature was negotiated. */
bool virtio_has(const struct virtio_device *virtio, uint64_t feature);
/* Takes a buffer. False: there is none now, the budget is used up, or the device is broken. */
bool virtio_pop(struct virtio_device *virtio, unsigned queue, struct vq_chain *chain);
/* Puts back the buffer popped last. */
void virtio_put_back(struct virtio_device *virtio, unsigned queue, const struct vq_chain *chain);
/* Reads a held buffer once more; false: it is broken. */
bool virtio_again(struct virtio_device *virtio, unsigned queue, uint16_t head,
                  struct vq_chain *chain);
/* Gives a buffer back; `written`: bytes at the front of its writable part that are valid. */
void virtio_push(struct virtio_device *virtio, unsigned queue, uint16_t head, uint32_t written);
/* Shows what was pushed to the driver and interrupts it if it wants that. */
void virtio_publish(struct virtio_device *virtio, unsigned queue);
/* The same when the device is left: once for all buffers that go back until then. */
void virtio_publish_later(struct virtio_device *virtio, unsigned queue);
/* Enters on_queue(), now, if the queue is live. Not from inside on_queue(). */
void virtio_kick(struct virtio_device *virtio, unsigned queue);
/* The same soon, from the task; from anywhere. */
void virtio_kick_later(struct virtio_device *virtio, unsigned queue);

/*
 * vq_read(), vq_write() and vq_spans() on a buffer of this device. False (0): outside the buffer,
 * which is the caller's to answer, or not in RAM, and then the device is broken.
 */
bool virtio_read(struct virtio_device *virtio, const struct vq_chain *chain, uint64_t offset,
                 void *bytes, size_t n);
bool virtio_write(struct virtio_device *virtio, const struct vq_chain *chain, uint64_t offset,
                  const void *bytes, size_t n);
unsigned virtio_spans(struct virtio_device *virtio, const struct vq_part *part,
                      struct block_span *spans, unsigned max);

/* --- The device as a whole -------------------------------------------------------------------- */

/* Stops the device until the driver resets it. */
void virtio_needs_reset(struct virtio_device *virtio);
/* The same for a mistake of the driver, which is counted: what it did, as for guest_error(). */
#define virtio_broken(virtio, ...)                                                                 \
    do {                                                                                           \
        guest_error(virtio_to_device(virtio), __VA_ARGS__);                                        \
        virtio_needs_reset(virtio);                                                                \
    } while (0)
bool virtio_is_broken(const struct virtio_device *virtio);
/* Configuration space has changed: new generation, interrupt. */
void virtio_config_changed(struct virtio_device *virtio);

/* --- For the descriptors at the end of a device's file ---------------------------------------- */

extern const struct state_field virtio_fields[];
extern const struct region_desc virtio_regions[];

int virtio_class_create(struct device *device, struct dev_error *error);
void virtio_class_destroy(struct device *device);
void virtio_class_reset(struct device *device, enum reset_kind kind);
void virtio_class_on_task(struct device *device, unsigned task);
void virtio_class_on_doorbell(struct device *device, unsigned doorbell);
void virtio_class_on_config(struct device *device, unsigned offset, unsigned size);
void virtio_class_on_config_read(struct device *device, unsigned offset, unsigned size);
int virtio_class_validate(struct device *device, struct dev_error *error);
void virtio_class_restored(struct device *device);

uint64_t virtio_registers_read(struct device *device, uint64_t offset, unsigned size);
void virtio_registers_write(struct device *device, uint64_t offset, unsigned size, uint64_t value);

/* The first regions of every class. */
/* clang-format off */
#define VIRTIO_REGION_DESCS                                                                        \
    [VIRTIO_REGION_MSIX] = {                                                                       \
        .name = "msix", .space = REGION_MMIO, .size = 4096, .base = REGION_UNPLACED,               \
        .read_sizes = SIZE_4 | SIZE_8, .write_sizes = SIZE_4 | SIZE_8,                             \
        .read = pci_msix_read, .write = pci_msix_write },                                          \
    [VIRTIO_REGION_REGISTERS] = {                                                                  \
        .name = "registers", .space = REGION_MMIO, .size = VIRTIO_BAR_SIZE,                        \
        .base = REGION_UNPLACED,                                                                   \
        .read_sizes = SIZE_1 | SIZE_2 | SIZE_4, .write_sizes = SIZE_1 | SIZE_2 | SIZE_4,           \
        .read = virtio_registers_read, .write = virtio_registers_write }
/* clang-format on */

/* Members of the device class that are the same for all. */
#define VIRTIO_CLASS_FUNCTIONS                                                                     \
    .regions = virtio_regions, .n_regions = VIRTIO_REGIONS, .n_tasks = VIRTIO_TASKS,               \
    .create = virtio_class_create, .destroy = virtio_class_destroy, .reset = virtio_class_reset,   \
    .on_task = virtio_class_on_task, .on_doorbell = virtio_class_on_doorbell,                      \
    .on_config = virtio_class_on_config, .on_config_read = virtio_class_on_config_read,            \
    .validate = virtio_class_validate, .restored = virtio_class_restored

#define VIRTIO_PCI_BARS                                                                            \
    [1] = { .kind = PCI_BAR_MMIO32, .index = VIRTIO_REGION_MSIX, .size = 4096 }, [4] = {           \
        .kind = PCI_BAR_MMIO64,                                                                    \
        .prefetchable = true,                                                                      \
        .index = VIRTIO_REGION_REGISTERS,                                                          \
        .size = VIRTIO_BAR_SIZE                                                                    \
    }

/* PCI identity and layout: device 1040 + id (id as in the virtio_type), a class code, and one MSI-X
 * vector for each queue and one for the configuration. */
#define VIRTIO_PCI_INFO(id_, class_code_, queues_)                                                 \
    {                                                                                              \
        .vendor = 0x1af4, .device = 0x1040 + (id_), .subsystem_vendor = 0x1af4,                    \
        .subsystem = 0x1100, .revision = 1, .class_code = (class_code_), .interrupt_pin = 1,       \
        .bars = { VIRTIO_PCI_BARS }, .msix_vectors = (queues_) + 1, .msix_bar = 1,                 \
        .power_management = true,                                                                  \
    }

#endif
