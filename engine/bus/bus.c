/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bus/bus.h"

#include <linux/kvm.h>
#include <string.h>

#include "bus/bus_map.h"
#include "bytes.h"
#include "bus/domain.h"
#include "machine/machine_private.h"

/* The offset of an address in a region as it is placed now; false if it is elsewhere by now. */
static bool offset_now(const struct bus_region *region, uint64_t address, uint64_t *offset)
{
    uint64_t base = atomic_load_explicit(&region->base, memory_order_acquire);

    *offset = address - base;
    return base != REGION_UNPLACED && address >= base && *offset < region->desc->size;
}

static void unclaimed(struct bus_reader *reader, bool write, uint8_t *data, size_t n)
{
    _Atomic uint64_t *counter = write ? &reader->unclaimed_writes : &reader->unclaimed_reads;

    if (!write) {
        memset(data, 0xff, n);
    }
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/*
 * Carries an access out on a region. False, with nothing done, if the region has moved away since
 * it was looked up.
 */
static bool region_access(struct bus_region *region, const struct bus_access *access)
{
    struct machine_device *owner = region->owner;
    bool lock = access->write || !(region->desc->flags & REGION_LOCKLESS_READ), here;
    uint8_t *data = access->data;
    unsigned size = access->size;
    uint64_t offset;

    if (lock) {
        domain_enter(owner->domain);
    }
    here = offset_now(region, access->address, &offset);
    for (unsigned i = 0; here && i < access->count; i++, data += size) {
        if (access->write) {
            region_write(owner->device, region->desc, offset, size, load_le(data, size));
        } else {
            store_le(data, size, region_read(owner->device, region->desc, offset, size));
        }
    }
    if (here) {
        atomic_fetch_add_explicit(access->write ? &region->writes : &region->reads, access->count,
                                  memory_order_relaxed);
    }
    if (lock) {
        domain_leave(owner->domain);
    }
    return here;
}

/* How many of the bytes from `address` the region holds. */
static unsigned bytes_inside(const struct bus_region *region, uint64_t address, unsigned size)
{
    uint64_t offset, left;

    if (!offset_now(region, address, &offset)) {
        return 0;
    }
    left = region->desc->size - offset;
    return left < size ? (unsigned)left : size;
}

/* An access that no region holds as a whole: bytes side by side may belong to several. */
static void port_split(struct bus *bus, struct bus_reader *reader, const struct bus_access *access)
{
    unsigned done = 0;

    while (done < access->size) {
        struct bus_access part = { (uint16_t)(access->address + done), access->size - done, 1,
                                   access->write, access->data + done };
        struct bus_region *region = bus_port_find(bus, (uint16_t)part.address);

        part.size = region ? bytes_inside(region, part.address, part.size) : 0;
        if (part.size == 3) {
            part.size = 2;
        }
        if (part.size == 0 || !region_access(region, &part)) {
            part.size = 1;
            unclaimed(reader, part.write, part.data, 1);
        }
        done += part.size;
    }
}

void bus_ports(struct bus *bus, struct bus_reader *reader, const struct bus_access *access)
{
    struct bus_region *region = bus_port_find(bus, (uint16_t)access->address);
    struct bus_access one = *access;

    if (region && bytes_inside(region, access->address, access->size) == access->size &&
        region_access(region, access)) {
        return;
    }
    one.count = 1;
    for (unsigned i = 0; i < access->count; i++, one.data += one.size) {
        port_split(bus, reader, &one);
    }
}

void bus_memory(struct bus *bus, struct bus_reader *reader, const struct bus_access *access)
{
    unsigned version = atomic_load(&bus->map_version);
    struct bus_region *region = reader->last;
    uint64_t offset;

    if (!region || reader->last_version != version ||
        !offset_now(region, access->address, &offset)) {
        region = bus_map_find(bus, reader, access->address);
        reader->last = region;
        reader->last_version = version;
    }
    if (!region || !region_access(region, access)) {
        unclaimed(reader, access->write, access->data, access->size);
    }
}

/*
 * What is in the ring when the lock is taken: processors that go on writing meanwhile must not keep
 * the caller here.
 */
void bus_drain(struct bus *bus)
{
    struct kvm_coalesced_mmio_ring *ring = bus->coalesced_ring;
    const unsigned slots =
        (4096 - sizeof(struct kvm_coalesced_mmio_ring)) / sizeof(struct kvm_coalesced_mmio);
    unsigned first, end;

    if (!ring || __atomic_load_n(&ring->first, __ATOMIC_RELAXED) ==
                     __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE)) {
        return;
    }
    pthread_mutex_lock(&bus->coalesced_lock);
    first = __atomic_load_n(&ring->first, __ATOMIC_RELAXED);
    end = __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE);
    while (first < slots && end < slots && first != end) {
        struct kvm_coalesced_mmio entry = ring->coalesced_mmio[first];
        struct bus_access access;

        if (entry.len > sizeof(entry.data)) {
            entry.len = sizeof(entry.data);
        }
        access = (struct bus_access){ entry.phys_addr, entry.len, 1, true, entry.data };
        if (entry.pio) {
            bus_ports(bus, &bus->coalesced_reader, &access);
        } else {
            bus_memory(bus, &bus->coalesced_reader, &access);
        }
        first = (first + 1) % slots;
        __atomic_store_n(&ring->first, first, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&bus->coalesced_lock);
}
