/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a device is.
 *
 * A device is one constant `struct device_class` in the file named after it, listed in
 * devices/registry.c. An instance is the class's own state structure, whose first member is
 * `struct device` (or `struct pci_device`, which starts with one).
 *
 * Threads: every function of a class is called with the lock of the device's domain held, one at a
 * time, never nested; the only exception are regions marked REGION_LOCKLESS_READ. A class function
 * must not block and must not call another device.
 */
#ifndef DEVICES_DEVICE_H
#define DEVICES_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DEVICE_NAME_MAX = 32,
    DEVICE_ERROR_MAX = 256,
};

struct device;
struct services;
struct block_request;
struct display_ops;
struct input_ops;
struct pci_info;
struct state_field;
struct virtio_type;

/* A host or configuration error: one sentence for the user. Filled by dev_error_set(). */
struct dev_error {
    char message[DEVICE_ERROR_MAX];
};

void dev_error_set(struct dev_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

enum reset_kind {
    RESET_COLD, /* power on */
    RESET_WARM, /* the reset register, i8042, triple fault: memory and CMOS survive */
};

/* Things that the world outside does to a machine and that one device turns into a guest event. */
enum device_event {
    EVENT_POWER_BUTTON,
    EVENT_SLEEP_BUTTON,
    EVENT_WAKE,       /* leave a sleep state */
    EVENT_GENERATION, /* the machine was cloned or restored: a new VM generation id is in place */
    EVENT_CLOCK, /* the wall clock may have moved against machine time: it was set, or a pause ends
                  */
};

/* --- Address regions ------------------------------------------------------------------------ */

enum region_space {
    REGION_PIO,
    REGION_MMIO,
};

enum {
    SIZE_1 = 1,
    SIZE_2 = 2,
    SIZE_4 = 4,
    SIZE_8 = 8,
    SIZE_ANY = 15,
};

enum {
    /* The read function takes no lock, has no side effect and reads only atomics and the clock. */
    REGION_LOCKLESS_READ = 1u << 0,
    /* Writes may be batched by the kernel and arrive later, in order, before any other access. */
    REGION_COALESCE = 1u << 1,
    /* Offsets need not be multiples of the size: word registers at odd ports. */
    REGION_UNALIGNED = 1u << 2,
};

#define REGION_UNPLACED UINT64_MAX

/*
 * A range of ports or memory addresses that traps into the device. Offsets given to the functions
 * are relative to the region and always satisfy offset + size <= region size and, unless the region
 * is REGION_UNALIGNED, offset % size == 0; size is one that the masks allow. The dispatcher
 * (devices/core/region.c) sees to it: it splits wider accesses, widens narrower reads, and refuses
 * narrower writes as a guest error.
 */
struct region_desc {
    const char *name;
    enum region_space space;
    uint64_t size; /* bytes */
    uint64_t base; /* where the board has it from power on; REGION_UNPLACED: the device places it */
    uint8_t read_sizes;  /* mask of SIZE_*; 0: reads give all ones */
    uint8_t write_sizes; /* mask of SIZE_*; 0: writes are dropped */
    unsigned flags;
    uint64_t (*read)(struct device *device, uint64_t offset, unsigned size);
    void (*write)(struct device *device, uint64_t offset, unsigned size, uint64_t value);
};

/* --- Memory of a device that the guest accesses without trapping (VRAM, ROM, flash) ----------- */

enum {
    MEMORY_PERSISTENT =
        1u << 0,          /* backed by a file that the board names; see service memory_sync */
    MEMORY_RAM = 1u << 1, /* contents are volatile state, saved like RAM (VRAM) */
};

struct memory_desc {
    const char *name;
    uint64_t size; /* bytes, multiple of 4096; 0: decided by the option of the same name */
    unsigned flags;
};

enum {
    WINDOW_READ_ONLY = 1u << 0, /* writes trap to the region that lies below the window, if any */
    WINDOW_DIRTY = 1u << 1,     /* written pages are tracked while somebody watches */
};

/* A view of (part of) one memory at a guest physical address. Placed and removed at run time. */
struct window_desc {
    const char *name;
    unsigned memory; /* index into the class's memories */
    unsigned flags;
};

/* --- Options: what a machine's configuration may set ------------------------------------------ */

enum option_type {
    OPTION_BOOL,   /* bool */
    OPTION_U32,    /* uint32_t, minimum..maximum */
    OPTION_U64,    /* uint64_t, minimum..maximum */
    OPTION_STRING, /* char[maximum]: at most maximum - 1 bytes and the terminating zero */
    OPTION_UUID,   /* uint8_t[16], in the byte order of the text form */
};

struct option_desc {
    const char *name;
    enum option_type type;
    size_t offset; /* of the member in the state structure */
    uint64_t minimum, maximum;
    const char *fallback; /* the default, as text */
    const char *help;
};

/* One setting, as text: "size" = "16777216". */
struct option_value {
    const char *name;
    const char *value;
};

/* --- The class -------------------------------------------------------------------------------- */

struct device_class {
    const char *name; /* also the name in configurations, logs and saved state */
    unsigned version; /* of the saved state; starts at 1 */
    size_t state_size;
    const char *description; /* for people, one line */

    const struct option_desc *options; /* ends with a NULL name */
    const struct region_desc *regions;
    unsigned n_regions;
    const struct memory_desc *memories;
    unsigned n_memories;
    const struct window_desc *windows;
    unsigned n_windows;
    unsigned
        n_irqs; /* interrupt outputs besides PCI's own; numbered from 0, for PCI functions from 1 */
    unsigned n_timers;                 /* numbered from 0 */
    unsigned n_tasks;                  /* deferred work, numbered from 0 */
    unsigned n_drives;                 /* block back ends it can use, numbered from 0 */
    unsigned n_ports;                  /* character back ends it can use, numbered from 0 */
    unsigned n_doorbells;              /* see service doorbell_bind, numbered from 0 */
    const struct state_field *fields;  /* ends with a NULL name; see state.h */
    const struct pci_info *pci;        /* set for PCI functions; state starts with pci_device */
    const struct display_ops *display; /* set for display adapters */
    const struct input_ops *input;     /* set for keyboards and pointers */
    const struct virtio_type *virtio;  /* set for virtio devices; state starts with virtio_device */

    /* Checks options and back ends and prepares the instance (zeroed, options filled in).
     * 0, or a negative errno value with *error filled. reset(RESET_COLD) always follows. */
    int (*create)(struct device *device, struct dev_error *error);
    void (*destroy)(struct device *device);
    /* From any state, with requests in flight. Must leave all state as after power on (cold), or as
     * the hardware's reset pin does (warm). Interrupt outputs end low; timers end disarmed by the
     * core. */
    void (*reset)(struct device *device, enum reset_kind kind);
    void (*on_timer)(struct device *device, unsigned timer);
    void (*on_task)(struct device *device, unsigned task);
    /* A request given to service block_submit has ended; request->status says how. */
    void (*on_block)(struct device *device, struct block_request *request);
    /* The medium of a drive was inserted, removed, or changed its size. */
    void (*on_media)(struct device *device, unsigned drive);
    /* Bytes may be waiting for service char_read. Also called when the peer connects. Absent:
     * output only. */
    void (*on_char)(struct device *device, unsigned port);
    /* Network cards: frames may be waiting, there may be room to send again, or the link changed.
     */
    void (*on_net)(struct device *device);
    /* A write came to the place that service doorbell_bind gave this number to. */
    void (*on_doorbell)(struct device *device, unsigned doorbell);
    void (*on_event)(struct device *device, enum device_event event);
    /* PCI only: config bytes [offset, offset+size) were written by the guest; the core has already
     * applied masks, BARs and capabilities. */
    void (*on_config)(struct device *device, unsigned offset, unsigned size);
    /* PCI only: the guest is about to read these config bytes; the device may set them first. */
    void (*on_config_read)(struct device *device, unsigned offset, unsigned size);
    /* True when no request of this device is with a back end. Pausing waits for it. */
    bool (*idle)(struct device *device);
    /* After loading: checks what single-field limits cannot. Touches nothing outside the instance.
     */
    int (*validate)(struct device *device, struct dev_error *error);
    /* After a valid load: places regions and windows, sets interrupt levels, arms timers. */
    void (*restored)(struct device *device);
};

struct device {
    const struct device_class *class;
    const struct services *services;
    void *host;                 /* the machine's record of this device; opaque to the device */
    char name[DEVICE_NAME_MAX]; /* unique in the machine */
};

/* All classes, in the order of devices/registry.c; NULL ends. */
extern const struct device_class *const device_classes[];
const struct device_class *device_class_find(const char *name);

/*
 * Makes an instance. `services` and `host` must work from now on, because create() already uses
 * them. Returns NULL with *error filled if an option is unknown or out of range or create() fails.
 * The caller owns the result: device_free().
 */
struct device *device_new(const struct device_class *class, const char *name,
                          const struct services *services, void *host,
                          const struct option_value *values, size_t n_values,
                          struct dev_error *error);
void device_free(struct device *device);
void device_reset(struct device *device, enum reset_kind kind);

/*
 * Performs a guest access of any size 1..8 and alignment at `offset` of a region, by the contract
 * of struct region_desc. Bytes beyond the region read as ones and are not written.
 */
uint64_t region_read(struct device *device, const struct region_desc *region, uint64_t offset,
                     unsigned size);
void region_write(struct device *device, const struct region_desc *region, uint64_t offset,
                  unsigned size, uint64_t value);

#endif
