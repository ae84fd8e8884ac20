/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What memory the guest sees at which address, without an exit: RAM, the firmware's image, and the
 * windows through which device memories (VRAM, flash) show. The map keeps what is wanted and turns
 * it into KVM memory slots.
 *
 * Where wishes collide: RAM and the pages of the interrupt controllers and of KVM win over
 * everything, what the board has placed (flash, ECAM, HPET) wins over what a BAR has, and among
 * equals what was placed first. A loser is not shown at all until there is room for the whole of
 * it.
 *
 * Threads: memory_map_init(), memory_map_destroy() and the firmware from one; the rest from any, in
 * a device's domain or outside. A change that takes memory away stops all vCPUs for a moment.
 */
#ifndef ENGINE_MEMORY_MAP_H
#define ENGINE_MEMORY_MAP_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "memory/ram.h"
#include "services.h"

struct kvm;
struct vcpus;
struct bus;
struct machine_device;

enum {
    MEMORY_SLOTS_MAX = 96,
    MEMORY_PAGE = 4096,
};

/* The bytes of one memory of a device. */
struct device_memory {
    const struct memory_desc *desc;
    uint8_t *bytes; /* NULL until first asked for */
    uint64_t size;
    char *path; /* MEMORY_PERSISTENT: the file behind it */
    int fd;
    uint64_t *dirty; /* pages written since the last report; NULL: nobody has asked yet */
};

struct window {
    struct machine_device *owner;
    const struct window_desc *desc;
    struct device_memory *memory;
    bool bar; /* placed by a BAR */
    bool placed, shown;
    uint64_t base, offset, length;
    uint64_t order; /* of placement */
};

struct memory_slot {
    uint64_t gpa, size; /* size 0: free */
    uint8_t *host;
    uint32_t flags;        /* KVM_MEM_* */
    struct window *window; /* what it shows, or NULL */
};

struct memory_map {
    pthread_mutex_t lock;
    struct kvm *kvm;
    struct vcpus *vcpus;
    struct bus *bus;
    struct ram ram;
    const uint8_t *firmware; /* ends at 4 GiB, and at 0x100000 while PAM does not say RAM */
    uint64_t firmware_size;
    bool pam_read[PAM_SEGMENTS], pam_write[PAM_SEGMENTS];
    GPtrArray *windows; /* struct window */
    uint64_t next_order;
    struct memory_slot slots[MEMORY_SLOTS_MAX];
    bool built; /* KVM has the slots; before that nothing is told to it */
    uint64_t rebuilds, refused;
};

/* Makes `ram_size` bytes of RAM; nothing is told to KVM yet. The parts are the caller's and outlive
 * the map. Error: NO_SPACE. */
bool memory_map_init(struct memory_map *map, struct kvm *kvm, struct vcpus *vcpus, struct bus *bus,
                     uint64_t ram_size, GError **error);
void memory_map_destroy(struct memory_map *map);
/* The firmware image, a multiple of 4 KiB, kept by the caller; its last 128 KiB are also shown at
 * 0xe0000. */
void memory_map_set_firmware(struct memory_map *map, const uint8_t *image, uint64_t size);
/* Makes KVM's slots for the first time. False with *error set if KVM refuses RAM or firmware. */
bool memory_map_build(struct memory_map *map, GError **error);

/* Where reads of a PAM segment (0..PAM_SEGMENTS - 1; see services.h) come from and writes go to:
 * RAM, or the firmware's image. */
void memory_map_pam(struct memory_map *map, unsigned segment, bool read_ram, bool write_ram);
/* Makes a window known, which is the caller's and not placed. */
void memory_map_add_window(struct memory_map *map, struct window *window);
/* Takes it off again, placed or not. */
void memory_map_remove_window(struct memory_map *map, struct window *window);
/* Shows bytes [offset, offset + length) of the window's memory at `base`, all of them multiples of
 * MEMORY_PAGE, unless something else is there (see above). */
void memory_map_place(struct memory_map *map, struct window *window, uint64_t base, uint64_t offset,
                      uint64_t length);
/* Shows it nowhere. */
void memory_map_remove(struct memory_map *map, struct window *window);
/* A region of the board has moved, which windows of BARs must make room for. */
void memory_map_regions_changed(struct memory_map *map);

/* A guest write that exited: true if it went to RAM that PAM lets be written but not read. */
bool memory_map_write_exit(struct memory_map *map, uint64_t gpa, const void *bytes, size_t length);

/*
 * Host memory behind a guest address for DMA: RAM, or a shown window onto a MEMORY_RAM memory; NULL
 * if neither. In *length how many bytes are wanted, then how many of them are contiguous there.
 */
void *memory_map_dma(struct memory_map *map, uint64_t gpa, size_t *length);
/* The same for what the guest sees at an address without an exit, be it writable or not. */
void *memory_map_seen(struct memory_map *map, uint64_t gpa, size_t *length);
/* Notes that bytes of a device memory were written by DMA through memory_map_dma(). */
void memory_map_dma_written(struct memory_map *map, uint64_t gpa, size_t length);
/* See services.h, memory_dirty. */
void memory_map_dirty(struct memory_map *map, struct device_memory *memory, uint64_t *bitmap);

#endif
