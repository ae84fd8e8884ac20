/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every change makes the list of slots that should be, from scratch, and then brings KVM from the
 * list that is to that one. Slots that are in both are not touched. RAM below 0xa0000, from 1 MiB
 * and from 4 GiB has slots of its own, which are in every list, so no change ever touches them.
 *
 * PAM: sixteen-KiB segments from 0xc0000 (the last one 64 KiB from 0xf0000), each with two bits.
 * Reads come from RAM (RE=1), or else from the firmware's image above 0xe0000 and from nowhere
 * below. Where reads come from RAM but writes are off, the slot is read-only; where writes go to
 * RAM but reads do not, every write exits and is carried out here.
 */
#include "memory/memory_map.h"

#include <errno.h>
#include <string.h>

#include "boot/boot.h"
#include "bus/bus.h"
#include "config/config.h"
#include "cpu/kvm.h"
#include "machine/machine_private.h"
#include "memory/memory_slots.h"
#include "cpu/vcpu.h"

#define PAM_START    UINT64_C(0xc0000)
#define PAM_LAST     UINT64_C(0xf0000)
#define PAM_END      UINT64_C(0x100000)
#define FIRMWARE_LOW UINT64_C(0xe0000)
#define FOUR_GIB     (UINT64_C(1) << 32)
#define SEGMENT_SIZE UINT64_C(0x4000)

/* Addresses that KVM answers itself: IOAPIC, LAPIC, and its own pages. */
static const struct {
    uint64_t base, size;
} kernel_ranges[] = {
    { UINT64_C(0xfec00000), 0x1000 },
    { UINT64_C(0xfee00000), 0x100000 },
    { BOOT_KVM_PAGES, 0x4000 },
};

static bool ranges_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

/* --- What should be -------------------------------------------------------------------------- */

static void want(struct slot_list *list, uint64_t gpa, uint64_t size, const uint8_t *host,
                 uint32_t flags)
{
    if (size > 0) {
        list->slots[list->n++] = (struct memory_slot){ gpa, size, (uint8_t *)host, flags, NULL };
    }
}

/* Makes the segment below longer where it can, and never one of RAM's own slots. */
static void segment_want(struct slot_list *list, uint64_t gpa, uint64_t size, const uint8_t *host,
                         uint32_t flags)
{
    struct memory_slot *last = list->n > 0 ? &list->slots[list->n - 1] : NULL;

    if (last && last->gpa >= PAM_START && last->gpa + last->size == gpa &&
        last->host + last->size == host && last->flags == flags) {
        last->size += size;
    } else {
        want(list, gpa, size, host, flags);
    }
}

static void pam_want(struct memory_map *map, struct slot_list *list)
{
    for (unsigned i = 1; i <= PAM_SEGMENTS; i++) {
        unsigned segment = i % PAM_SEGMENTS; /* in the order of addresses: 1..12, then 0 */
        uint64_t gpa = segment == 0 ? PAM_LAST : PAM_START + (segment - 1) * SEGMENT_SIZE;
        uint64_t size = segment == 0 ? PAM_END - PAM_LAST : SEGMENT_SIZE;

        if (map->pam_read[segment]) {
            segment_want(list, gpa, size, map->ram.low + gpa,
                         map->pam_write[segment] ? 0 : KVM_MEM_READONLY);
        } else if (gpa >= FIRMWARE_LOW && PAM_END - gpa <= map->firmware_size) {
            segment_want(list, gpa, size, map->firmware + map->firmware_size - (PAM_END - gpa),
                         KVM_MEM_READONLY);
        }
    }
}

static void fixed_want(struct memory_map *map, struct slot_list *list)
{
    const struct ram *ram = &map->ram;

    want(list, 0, RAM_VGA_START, ram->low, 0);
    pam_want(map, list);
    want(list, PAM_END, ram->low_size - PAM_END, ram->low + PAM_END, 0);
    if (map->firmware_size > 0) {
        want(list, FOUR_GIB - map->firmware_size, map->firmware_size, map->firmware,
             KVM_MEM_READONLY);
    }
    if (ram->high_size > 0) {
        want(list, RAM_HIGH_BASE, ram->high_size, ram->high, 0);
    }
}

static bool window_hidden(struct memory_map *map, const struct slot_list *list,
                          const struct window *window)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(kernel_ranges); i++) {
        if (ranges_overlap(window->base, window->length, kernel_ranges[i].base,
                           kernel_ranges[i].size)) {
            return true;
        }
    }
    for (unsigned i = 0; i < list->n; i++) {
        if (ranges_overlap(window->base, window->length, list->slots[i].gpa, list->slots[i].size)) {
            return true;
        }
    }
    /* Behind PAM there is RAM, even where it is not shown. */
    if (ranges_overlap(window->base, window->length, PAM_START, PAM_END - PAM_START)) {
        return true;
    }
    return window->bar && bus_board_overlaps(map->bus, window->base, window->length);
}

static int window_compare(const void *a, const void *b)
{
    const struct window *x = *(struct window *const *)a, *y = *(struct window *const *)b;

    if (x->bar != y->bar) {
        return x->bar ? 1 : -1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

static void windows_want(struct memory_map *map, struct slot_list *list)
{
    g_ptr_array_sort(map->windows, window_compare);
    for (unsigned i = 0; i < map->windows->len; i++) {
        struct window *w = g_ptr_array_index(map->windows, i);
        uint32_t flags = w->desc->flags & WINDOW_READ_ONLY ? KVM_MEM_READONLY : 0;

        w->shown = w->placed && list->n < MEMORY_SLOTS_MAX && !window_hidden(map, list, w);
        if (!w->shown) {
            continue;
        }
        if (w->memory->dirty && (w->desc->flags & WINDOW_DIRTY)) {
            flags |= KVM_MEM_LOG_DIRTY_PAGES;
        }
        list->slots[list->n++] =
            (struct memory_slot){ w->base, w->length, w->memory->bytes + w->offset, flags, w };
    }
}

static bool rebuild(struct memory_map *map)
{
    struct slot_list list = { .n = 0 };

    if (!map->built) {
        return true;
    }
    map->rebuilds++;
    fixed_want(map, &list);
    windows_want(map, &list);
    return memory_slots_apply(map, &list);
}

/* --- Changes --------------------------------------------------------------------------------- */

bool memory_map_build(struct memory_map *map, GError **error)
{
    bool good;

    pthread_mutex_lock(&map->lock);
    map->built = true;
    good = rebuild(map);
    pthread_mutex_unlock(&map->lock);
    if (!good) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                    "/dev/kvm refused the machine's memory (%s).", g_strerror(errno));
    }
    return good;
}

void memory_map_set_firmware(struct memory_map *map, const uint8_t *image, uint64_t size)
{
    g_assert(((uintptr_t)image | size) % MEMORY_PAGE == 0);
    map->firmware = image;
    map->firmware_size = size;
}

void memory_map_pam(struct memory_map *map, unsigned segment, bool read_ram, bool write_ram)
{
    bool changed;

    g_assert(segment < PAM_SEGMENTS);
    pthread_mutex_lock(&map->lock);
    changed = map->pam_read[segment] != read_ram || map->pam_write[segment] != write_ram;
    if (changed) {
        map->pam_read[segment] = read_ram;
        map->pam_write[segment] = write_ram;
        rebuild(map);
    }
    pthread_mutex_unlock(&map->lock);
}

bool memory_map_write_exit(struct memory_map *map, uint64_t gpa, const void *bytes, size_t length)
{
    unsigned segment = gpa >= PAM_LAST ? 0 : 1 + (unsigned)((gpa - PAM_START) / SEGMENT_SIZE);
    bool to_ram;

    if (gpa < PAM_START || gpa >= PAM_END) {
        return false;
    }
    pthread_mutex_lock(&map->lock);
    to_ram = map->pam_write[segment];
    pthread_mutex_unlock(&map->lock);
    if (to_ram) {
        ram_write(&map->ram, gpa, bytes, length);
    }
    return true;
}

void memory_map_add_window(struct memory_map *map, struct window *window)
{
    pthread_mutex_lock(&map->lock);
    g_ptr_array_add(map->windows, window);
    pthread_mutex_unlock(&map->lock);
}

void memory_map_remove_window(struct memory_map *map, struct window *window)
{
    memory_map_remove(map, window);
    pthread_mutex_lock(&map->lock);
    g_ptr_array_remove(map->windows, window);
    pthread_mutex_unlock(&map->lock);
}

void memory_map_place(struct memory_map *map, struct window *window, uint64_t base, uint64_t offset,
                      uint64_t length)
{
    pthread_mutex_lock(&map->lock);
    if (!window->placed || window->base != base || window->offset != offset ||
        window->length != length) {
        window->placed = true;
        window->base = base;
        window->offset = offset;
        window->length = length;
        window->order = map->next_order++;
        rebuild(map);
    }
    pthread_mutex_unlock(&map->lock);
}

void memory_map_remove(struct memory_map *map, struct window *window)
{
    pthread_mutex_lock(&map->lock);
    if (window->placed) {
        window->placed = false;
        rebuild(map);
    }
    pthread_mutex_unlock(&map->lock);
}

void memory_map_regions_changed(struct memory_map *map)
{
    pthread_mutex_lock(&map->lock);
    rebuild(map);
    pthread_mutex_unlock(&map->lock);
}

/* --- DMA ------------------------------------------------------------------------------------- */

/* The shown window onto a MEMORY_RAM memory that holds gpa. Under the lock. */
static struct window *window_at(struct memory_map *map, uint64_t gpa)
{
    for (unsigned i = 0; i < map->windows->len; i++) {
        struct window *w = g_ptr_array_index(map->windows, i);

        if (w->shown && gpa >= w->base && gpa - w->base < w->length &&
            (w->memory->desc->flags & MEMORY_RAM) && !(w->desc->flags & WINDOW_READ_ONLY)) {
            return w;
        }
    }
    return NULL;
}

void *memory_map_dma(struct memory_map *map, uint64_t gpa, size_t *length)
{
    size_t wanted = *length;
    void *at = ram_at(&map->ram, gpa, length);
    struct window *w;

    if (at) {
        return at;
    }
    pthread_mutex_lock(&map->lock);
    w = window_at(map, gpa);
    if (w) {
        uint64_t left = w->length - (gpa - w->base);

        at = w->memory->bytes + w->offset + (gpa - w->base);
        *length = wanted < left ? wanted : (size_t)left;
    }
    pthread_mutex_unlock(&map->lock);
    return at;
}

void *memory_map_seen(struct memory_map *map, uint64_t gpa, size_t *length)
{
    uint8_t *at = NULL;

    pthread_mutex_lock(&map->lock);
    for (unsigned i = 0; i < MEMORY_SLOTS_MAX; i++) {
        const struct memory_slot *slot = &map->slots[i];

        if (slot->size > 0 && gpa >= slot->gpa && gpa - slot->gpa < slot->size) {
            uint64_t left = slot->size - (gpa - slot->gpa);

            *length = *length < left ? *length : (size_t)left;
            at = slot->host + (gpa - slot->gpa);
        }
    }
    pthread_mutex_unlock(&map->lock);
    return at;
}

void memory_map_dma_written(struct memory_map *map, uint64_t gpa, size_t length)
{
    size_t got = length;
    struct window *w;

    if (length == 0 || ram_at(&map->ram, gpa, &got)) {
        return;
    }
    pthread_mutex_lock(&map->lock);
    w = window_at(map, gpa);
    if (w && w->memory->dirty) {
        uint64_t first = w->offset + (gpa - w->base);
        uint64_t left = w->memory->size - first;
        uint64_t last = first + (length < left ? length : left) - 1;

        for (uint64_t page = first / MEMORY_PAGE; page <= last / MEMORY_PAGE; page++) {
            w->memory->dirty[page / 64] |= UINT64_C(1) << (page % 64);
        }
    }
    pthread_mutex_unlock(&map->lock);
}

void memory_map_dirty(struct memory_map *map, struct device_memory *memory, uint64_t *bitmap)
{
    uint64_t pages = memory->size / MEMORY_PAGE;

    pthread_mutex_lock(&map->lock);
    if (!memory->dirty) {
        memory->dirty = g_new0(uint64_t, (pages + 63) / 64);
        rebuild(map); /* turns the logging of its slots on */
        for (uint64_t page = 0; page < pages; page++) {
            memory->dirty[page / 64] |= UINT64_C(1) << (page % 64);
        }
    } else {
        memory_slots_harvest(map, memory);
    }
    for (uint64_t i = 0; i < (pages + 63) / 64; i++) {
        bitmap[i] |= memory->dirty[i];
        memory->dirty[i] = 0;
    }
    pthread_mutex_unlock(&map->lock);
}

/* --- Life ------------------------------------------------------------------------------------ */

bool memory_map_init(struct memory_map *map, struct kvm *kvm, struct vcpus *vcpus, struct bus *bus,
                     uint64_t ram_size, GError **error)
{
    *map = (struct memory_map){ .kvm = kvm, .vcpus = vcpus, .bus = bus };
    pthread_mutex_init(&map->lock, NULL);
    map->windows = g_ptr_array_new();
    return ram_init(&map->ram, ram_size, error);
}

void memory_map_destroy(struct memory_map *map)
{
    if (map->windows) {
        ram_destroy(&map->ram);
        g_ptr_array_free(map->windows, TRUE);
        pthread_mutex_destroy(&map->lock);
    }
}
