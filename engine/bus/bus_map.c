/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Placing regions: the port table, the map of memory-mapped registers, KVM's zones of batched
 * writes. */
#include "bus/bus_map.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "cpu/kvm.h"

struct bus_region *bus_port_find(struct bus *bus, uint16_t port)
{
    uint16_t number = atomic_load_explicit(&bus->ports[port], memory_order_acquire);

    return number == 0 ? NULL : g_ptr_array_index(bus->regions, number - 1u);
}

struct bus_region *bus_map_find(struct bus *bus, struct bus_reader *reader, uint64_t address)
{
    struct bus_region *found = NULL;
    struct bus_map *map;
    unsigned low = 0, high;

    do {
        map = atomic_load(&bus->map);
        atomic_store(&reader->hazard, map);
    } while (map != atomic_load(&bus->map));

    high = map->n;
    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (address >= map->entries[middle].end) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < map->n && address >= map->entries[low].start) {
        found = map->entries[low].region;
    }
    atomic_store_explicit(&reader->hazard, NULL, memory_order_release);
    return found;
}

/* --- Under the lock -------------------------------------------------------------------------- */

static bool region_beats(const struct bus_region *a, const struct bus_region *b)
{
    if (a->bar != b->bar) {
        return b->bar;
    }
    return a->desc->size != b->desc->size ? a->desc->size < b->desc->size : a->order < b->order;
}

static int region_compare(const void *a, const void *b)
{
    const struct bus_region *x = *(struct bus_region *const *)a;
    const struct bus_region *y = *(struct bus_region *const *)b;

    return x == y ? 0 : region_beats(x, y) ? -1 : 1;
}

/* Who answers at a port now. A port space region holds at most a few hundred ports. */
static void ports_update(struct bus *bus, uint64_t base, uint64_t size)
{
    for (uint64_t port = base; port < base + size && port < BUS_PORTS; port++) {
        struct bus_region *best = NULL;

        for (unsigned i = 0; i < bus->regions->len; i++) {
            struct bus_region *r = g_ptr_array_index(bus->regions, i);
            uint64_t start = atomic_load_explicit(&r->base, memory_order_relaxed);

            if (r->desc->space == REGION_PIO && start != REGION_UNPLACED && port >= start &&
                port - start < r->desc->size && (!best || region_beats(r, best))) {
                best = r;
            }
        }
        atomic_store_explicit(&bus->ports[port], best ? best->number : 0, memory_order_release);
    }
}

static void map_insert(struct bus_map *map, struct bus_region *region)
{
    uint64_t start = atomic_load_explicit(&region->base, memory_order_relaxed);
    uint64_t end = start + region->desc->size;
    unsigned at = 0;

    if (end < start) {
        return;
    }
    while (at < map->n && map->entries[at].end <= start) {
        at++;
    }
    if (at < map->n && map->entries[at].start < end) {
        return; /* the place is taken by one that wins */
    }
    for (unsigned i = map->n; i > at; i--) {
        map->entries[i] = map->entries[i - 1];
    }
    map->entries[at] = (struct bus_map_entry){ start, end, region };
    map->n++;
}

/* Frees the replaced maps that no reader holds any more. */
static void retired_free(struct bus *bus)
{
    for (unsigned i = bus->retired->len; i > 0; i--) {
        struct bus_map *old = g_ptr_array_index(bus->retired, i - 1);
        bool used = false;

        for (struct bus_reader *r = bus->readers; r; r = r->next) {
            used |= atomic_load(&r->hazard) == old;
        }
        if (!used) {
            g_ptr_array_remove_index_fast(bus->retired, i - 1); /* frees it */
        }
    }
}

static void map_update(struct bus *bus)
{
    g_autoptr(GPtrArray) placed = g_ptr_array_new();
    struct bus_map *map, *old;

    for (unsigned i = 0; i < bus->regions->len; i++) {
        struct bus_region *r = g_ptr_array_index(bus->regions, i);

        if (r->desc->space == REGION_MMIO &&
            atomic_load_explicit(&r->base, memory_order_relaxed) != REGION_UNPLACED) {
            g_ptr_array_add(placed, r);
        }
    }
    g_ptr_array_sort(placed, region_compare);
    map = g_malloc0(sizeof(*map) + placed->len * sizeof(map->entries[0]));
    for (unsigned i = 0; i < placed->len; i++) {
        map_insert(map, g_ptr_array_index(placed, i));
    }
    old = atomic_exchange(&bus->map, map);
    atomic_fetch_add(&bus->map_version, 1);
    if (old) {
        g_ptr_array_add(bus->retired, old);
    }
    retired_free(bus);
}

static void zone_set(struct bus *bus, struct bus_region *region, bool on)
{
    bool port = region->desc->space == REGION_PIO;
    struct kvm_coalesced_mmio_zone zone = {
        .addr = atomic_load_explicit(&region->base, memory_order_relaxed),
        .size = (uint32_t)region->desc->size,
        .pio = port,
    };

    if (!(region->desc->flags & REGION_COALESCE) || region->coalesced == on ||
        !bus->coalesced_ring || (port && !bus->kvm->coalesced_pio)) {
        return;
    }
    if (kvm_ioctl(bus->kvm->vm, on ? KVM_REGISTER_COALESCED_MMIO : KVM_UNREGISTER_COALESCED_MMIO,
                  &zone) == 0) {
        region->coalesced = on;
    }
}

bool bus_place(struct bus *bus, struct bus_region *region, uint64_t base)
{
    uint64_t before, size = region->desc->size;
    bool memory = region->desc->space == REGION_MMIO;

    pthread_mutex_lock(&bus->lock);
    before = atomic_load_explicit(&region->base, memory_order_relaxed);
    if (before != base) {
        zone_set(bus, region, false);
        atomic_store_explicit(&region->base, base, memory_order_release);
        region->order = bus->next_order++;
        if (base != REGION_UNPLACED) {
            zone_set(bus, region, true);
        }
        if (memory) {
            map_update(bus);
        } else {
            if (before != REGION_UNPLACED) {
                ports_update(bus, before, size);
            }
            if (base != REGION_UNPLACED) {
                ports_update(bus, base, size);
            }
        }
    }
    pthread_mutex_unlock(&bus->lock);
    return before != base && memory && !region->bar;
}

bool bus_board_overlaps(struct bus *bus, uint64_t base, uint64_t length)
{
    bool found = false;

    pthread_mutex_lock(&bus->lock);
    for (unsigned i = 0; i < bus->regions->len; i++) {
        struct bus_region *r = g_ptr_array_index(bus->regions, i);
        uint64_t start = atomic_load_explicit(&r->base, memory_order_relaxed);

        found |= r->desc->space == REGION_MMIO && !r->bar && start != REGION_UNPLACED &&
                 start < base + length && base < start + r->desc->size;
    }
    pthread_mutex_unlock(&bus->lock);
    return found;
}

/* --- Life ------------------------------------------------------------------------------------ */

void bus_init(struct bus *bus, struct kvm *kvm)
{
    void *ports = mmap(NULL, BUS_PORTS * sizeof(*bus->ports), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    g_assert(ports != MAP_FAILED);
    *bus = (struct bus){ .kvm = kvm, .ports = ports };
    pthread_mutex_init(&bus->lock, NULL);
    pthread_mutex_init(&bus->coalesced_lock, NULL);
    bus->regions = g_ptr_array_new();
    bus->retired = g_ptr_array_new_with_free_func(g_free);
    bus_add_reader(bus, &bus->coalesced_reader);
    map_update(bus);
}

void bus_destroy(struct bus *bus)
{
    if (!bus->ports) {
        return;
    }
    munmap((void *)bus->ports, BUS_PORTS * sizeof(*bus->ports));
    g_free(atomic_load(&bus->map));
    g_ptr_array_free(bus->retired, TRUE);
    g_ptr_array_free(bus->regions, TRUE);
    pthread_mutex_destroy(&bus->coalesced_lock);
    pthread_mutex_destroy(&bus->lock);
    *bus = (struct bus){ 0 };
}

void bus_add_reader(struct bus *bus, struct bus_reader *reader)
{
    reader->next = bus->readers;
    bus->readers = reader;
}

void bus_add(struct bus *bus, struct bus_region *region)
{
    g_ptr_array_add(bus->regions, region);
    region->number = (uint16_t)bus->regions->len;
    atomic_store_explicit(&region->base, REGION_UNPLACED, memory_order_relaxed);
}

void bus_remove(struct bus *bus, struct bus_region *region)
{
    unsigned index = region->number - 1u;

    bus_place(bus, region, REGION_UNPLACED);
    pthread_mutex_lock(&bus->lock);
    /* The last one takes its number. */
    g_ptr_array_remove_index_fast(bus->regions, index);
    if (index < bus->regions->len) {
        struct bus_region *moved = g_ptr_array_index(bus->regions, index);
        uint64_t base = atomic_load_explicit(&moved->base, memory_order_relaxed);

        moved->number = (uint16_t)(index + 1);
        if (moved->desc->space == REGION_PIO && base != REGION_UNPLACED) {
            ports_update(bus, base, moved->desc->size);
        }
    }
    map_update(bus); /* so that no reader remembers it */
    pthread_mutex_unlock(&bus->lock);
}

void bus_set_coalesced_ring(struct bus *bus, struct kvm_run *run)
{
    if (bus->kvm->coalesced_page > 0) {
        bus->coalesced_ring = (char *)run + bus->kvm->coalesced_page * 4096;
    }
}
