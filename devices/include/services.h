/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine as a device sees it: everything a device may ask for. The engine implements it on KVM
 * (engine/machine/services.c), the unit tests and fuzzers with tests/devices/fake_machine.c.
 *
 * Threads: called from class functions, under the device's domain lock. No service calls back into
 * a device before it returns.
 */
#ifndef DEVICES_SERVICES_H
#define DEVICES_SERVICES_H

#include "device.h"
#include "block.h"
#include "net.h"

/* What a device may ask of the whole machine; carried out after the device has returned. */
enum machine_request {
    REQUEST_RESET,     /* warm reset */
    REQUEST_POWER_OFF, /* the guest turned itself off (S5) */
    REQUEST_SUSPEND,   /* S3 */
    REQUEST_HIBERNATE, /* S4: powered off, but the guest expects to come back */
    REQUEST_EJECT,     /* the guest opens the tray; argument: drive */
    REQUEST_LOCK_TRAY, /* the guest locks (1) or unlocks (0) the tray; argument: drive << 1 | lock
                        */
    REQUEST_UNPLUG,    /* the guest has let go of a card and turned its slot off; argument: slot */
};

#define TIMER_OFF UINT64_MAX

/* Number of the PAM segments of the Q35 host bridge: 0 is 0xF0000-0xFFFFF, 1..12 are 16 KiB each
 * from 0xC0000. */
enum { PAM_SEGMENTS = 13 };

struct services {
    /*
     * Guest memory. Only RAM answers (and device memories marked MEMORY_RAM that are placed): an
     * access that leaves it fails with -EFAULT and moves nothing, so DMA never reaches a register.
     */
    int (*ram_read)(struct device *device, uint64_t gpa, void *destination, size_t length);
    int (*ram_write)(struct device *device, uint64_t gpa, const void *source, size_t length);
    /*
     * A host pointer to guest RAM for bulk data that is moved, never parsed, at the address gpa.
     * Returns NULL if gpa is not RAM; *length is shortened to what is contiguous. The pointer stays
     * good until the device is destroyed. Written data is announced with ram_written().
     */
    void *(*ram_map)(struct device *device, uint64_t gpa, size_t *length);
    void (*ram_written)(struct device *device, uint64_t gpa, size_t length);
    /*
     * The guest does not need what is in the whole 4 KiB pages of [gpa, gpa + length): they may
     * read as zeroes from now on. What is not RAM is left alone.
     */
    void (*ram_discard)(struct device *device, uint64_t gpa, uint64_t length);

    /*
     * Interrupts. `irq` counts the outputs of the device's class; the board has wired them. For a
     * PCI function output 0 is its INTx pin (used by devices/pci only) and its own outputs start
     * at 1. Level: true = asserted.
     */
    void (*irq_set)(struct device *device, unsigned irq, bool level);
    void (*msi_send)(struct device *device, uint64_t address, uint32_t data);

    /* Places a region of the class at a port or address; a second call moves it. */
    void (*region_place)(struct device *device, unsigned region, uint64_t base);
    void (*region_remove)(struct device *device, unsigned region);

    /*
     * Asks that writes at `offset` of a region reach the device as on_doorbell(doorbell), soon and
     * perhaps several as one, without the CPU waiting for it. Their size and value are lost. From
     * create() on and for good, wherever the region is placed. A machine that cannot do that calls
     * the region's write function as ever, so that one must do the same.
     */
    void (*doorbell_bind)(struct device *device, unsigned region, uint64_t offset,
                          unsigned doorbell);
    /*
     * Whether a bound doorbell is one, which it is from the beginning. While it is not, writes
     * reach the region's write function with their size and value; a ring from before may still
     * come.
     */
    void (*doorbell_enable)(struct device *device, unsigned doorbell, bool enable);

    /* The bytes of a device memory, zeroed (or loaded from its file) at creation; never moves. */
    void *(*memory)(struct device *device, unsigned memory, uint64_t *size);
    /* Makes bytes [offset, offset+length) of a persistent memory durable. */
    void (*memory_sync)(struct device *device, unsigned memory, uint64_t offset, uint64_t length);
    /*
     * Shows [offset, offset+length) of the window's memory at guest address base; all multiples of
     * 4096. A second call moves it. RAM, and whatever was placed first, wins over it.
     */
    void (*window_place)(struct device *device, unsigned window, uint64_t base, uint64_t offset,
                         uint64_t length);
    void (*window_remove)(struct device *device, unsigned window);
    /*
     * ORs into `bitmap` a bit for every 4 KiB page of the memory behind WINDOW_DIRTY windows that
     * was written since the last call (bit n = byte offset n * 4096 of the memory), by the guest
     * through any window or by memory_touched(), and clears the record. The first call reports
     * every page.
     */
    void (*memory_dirty)(struct device *device, unsigned memory, uint64_t *bitmap);

    /* Machine time in nanoseconds since power on; stands still while the machine is paused. Any
     * thread. */
    uint64_t (*now_ns)(struct device *device);
    /* Host wall clock in nanoseconds since 1970-01-01 UTC, plus the configured offset. Any thread.
     */
    uint64_t (*wall_ns)(struct device *device);
    /* Calls on_timer at machine time `deadline` or soon after; TIMER_OFF disarms. One shot. */
    void (*timer_arm)(struct device *device, unsigned timer, uint64_t deadline_ns);
    /* Calls on_task soon, from another stack. Calls that come before it has run are merged. */
    void (*defer)(struct device *device, unsigned task);
    /*
     * True while the machine stands still, perhaps because it is being saved: nobody from outside
     * may change guest memory then. A task that has to wait for the end of that defers itself
     * again.
     */
    bool (*halted)(struct device *device);

    /* Counts and (rate-limited) logs a mistake of the guest. Never fails. */
    void (*guest_error)(struct device *device, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
    void (*request)(struct device *device, enum machine_request request, unsigned argument);
    /* What input_ops->leds(), in_use() or reporting() says is no longer what it was. */
    void (*input_changed)(struct device *device);
    void (*random)(struct device *device, void *destination, size_t length);

    /* Back ends; see block.h. block_info returns false when the drive does not exist. */
    bool (*block_info)(struct device *device, unsigned drive, struct block_info *info);
    void (*block_submit)(struct device *device, struct block_request *request);
    /* The same for n requests at once, in order: cheaper. `requests` is read before it returns. */
    void (*block_submit_batch)(struct device *device, struct block_request *const *requests,
                               unsigned n);
    /* Takes all n bytes, always: what the peer cannot take at once is kept, then dropped (oldest
     * first). */
    void (*char_write)(struct device *device, unsigned port, const void *bytes, size_t n);
    size_t (*char_read)(struct device *device, unsigned port, void *bytes, size_t n);

    /* Network; see net.h. True: the cable is in, and what is sent goes somewhere. */
    bool (*net_link)(struct device *device);
    /*
     * Sends 1..NET_BATCH_MAX frames in order; returns how many of them were taken, all if the link
     * is down. If it is not all, on_net() follows when it is worth trying again.
     */
    unsigned (*net_send)(struct device *device, const struct net_frame *frames, unsigned n);
    /* The next frame that has come, or NULL; it is there until net_drop(), which takes it away. */
    const struct net_received *(*net_peek)(struct device *device);
    void (*net_drop)(struct device *device);
    /* What may be left to do in frames that net_peek() gives from now on: NET_ACCEPT_*. Nothing
     * from power on. */
    void (*net_accept)(struct device *device, unsigned accept);

    /* For the chipset only. */
    void (*pam_set)(struct device *device, unsigned segment, bool read_ram, bool write_ram);
    /* PIRQ 0..7 (A..H) drives ISA interrupt `isa_irq`, or none when it is 0x80 or above. */
    void (*pirq_route)(struct device *device, unsigned pirq, uint8_t isa_irq);
    /*
     * A PCI configuration access by bus << 8 | device << 3 | function; size 1, 2 or 4, aligned.
     * Absent functions read as ones. Called by the host bridge only: its domain lock is the one
     * that may be held while another device's domain is entered.
     */
    uint32_t (*pci_config_read)(struct device *device, unsigned bdf, unsigned offset,
                                unsigned size);
    void (*pci_config_write)(struct device *device, unsigned bdf, unsigned offset, unsigned size,
                             uint32_t value);
};

/* Shorthands: dev_now_ns(device) is device->services->now_ns(device), and so on. */
static inline int dev_ram_read(struct device *device, uint64_t gpa, void *destination,
                               size_t length)
{
    return device->services->ram_read(device, gpa, destination, length);
}

static inline int dev_ram_write(struct device *device, uint64_t gpa, const void *source,
                                size_t length)
{
    return device->services->ram_write(device, gpa, source, length);
}

static inline void dev_irq_set(struct device *device, unsigned irq, bool level)
{
    device->services->irq_set(device, irq, level);
}

static inline uint64_t dev_now_ns(struct device *device)
{
    return device->services->now_ns(device);
}

static inline void dev_timer_arm(struct device *device, unsigned timer, uint64_t deadline_ns)
{
    device->services->timer_arm(device, timer, deadline_ns);
}

static inline void dev_defer(struct device *device, unsigned task)
{
    device->services->defer(device, task);
}

static inline void dev_region_place(struct device *device, unsigned region, uint64_t base)
{
    device->services->region_place(device, region, base);
}

static inline void *dev_memory(struct device *device, unsigned memory, uint64_t *size)
{
    return device->services->memory(device, memory, size);
}

static inline void dev_request(struct device *device, enum machine_request request,
                               unsigned argument)
{
    device->services->request(device, request, argument);
}

/* Counts a mistake of the guest: what it did, with the values that matter. */
#define guest_error(device, ...) ((device)->services->guest_error((device), __VA_ARGS__))

#endif
