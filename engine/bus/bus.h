/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which device answers at which port and address, and the way from a vCPU's exit into it.
 *
 * Ports: a table of all 65536. Memory-mapped registers: a sorted array that is replaced as a whole
 * when something moves; readers hold it by a hazard pointer, so a lookup takes no lock. After the
 * lookup the device's domain is entered and the place looked at again: once region_remove() has
 * returned, no handler of the region runs.
 *
 * Where regions collide, what the board has placed wins over BARs, then the smaller over the larger
 * (reset control inside the configuration ports), then the first placed.
 *
 * Reads that nobody answers give all ones, writes are dropped; both are counted.
 *
 * Threads: regions are added before the machine runs. Placing: in the owner's domain. Accesses: any
 * thread with its own reader, no domain held.
 */
#ifndef ENGINE_BUS_H
#define ENGINE_BUS_H

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "device.h"

struct kvm;
struct kvm_run;
struct machine_device;

enum {
    BUS_PORTS = 65536,
};

struct bus_region {
    struct machine_device *owner;
    const struct region_desc *desc;
    bool bar;        /* placed by a BAR of the function */
    uint16_t number; /* in the bus's list, from 1 */
    uint64_t order;
    bool coalesced; /* KVM batches its writes now */
    _Atomic uint64_t base;
    _Atomic uint64_t reads, writes;
};

struct bus_map;

struct bus_access {
    uint64_t address;
    unsigned size;  /* bytes */
    unsigned count; /* of repetitions at the same address */
    bool write;
    uint8_t *data; /* size * count bytes, in or out */
};

/* One of those who look things up. */
struct bus_reader {
    _Atomic(struct bus_map *) hazard;
    struct bus_region *last; /* the memory-mapped region that answered last, */
    unsigned last_version;   /* and of which version of the map that holds */
    struct bus_reader *next;
    _Atomic uint64_t unclaimed_reads, unclaimed_writes;
};

struct bus {
    pthread_mutex_t lock;
    struct kvm *kvm;
    GPtrArray *regions; /* struct bus_region */
    _Atomic uint16_t *ports;
    _Atomic(struct bus_map *) map;
    _Atomic unsigned map_version;
    GPtrArray *retired; /* struct bus_map, replaced but perhaps still in use */
    struct bus_reader *readers;
    uint64_t next_order;

    pthread_mutex_t coalesced_lock;
    struct bus_reader coalesced_reader; /* under that lock */
    void *coalesced_ring;               /* struct kvm_coalesced_mmio_ring, NULL: none */
};

void bus_init(struct bus *bus, struct kvm *kvm);
void bus_destroy(struct bus *bus);
/* The reader is the caller's and lives until bus_destroy(). Before the machine runs. */
void bus_add_reader(struct bus *bus, struct bus_reader *reader);
/* The ring of batched writes lies in the pages of any vCPU. */
void bus_set_coalesced_ring(struct bus *bus, struct kvm_run *run);

void bus_add(struct bus *bus, struct bus_region *region);
/* Takes a region off again; no vCPU runs. */
void bus_remove(struct bus *bus, struct bus_region *region);
/* Moves a region; REGION_UNPLACED removes it. True if a region of the board in memory space moved.
 */
bool bus_place(struct bus *bus, struct bus_region *region, uint64_t base);
/* True if a memory-mapped region that the board has placed lies in the range. */
bool bus_board_overlaps(struct bus *bus, uint64_t base, uint64_t length);

/* Port accesses: of size 1, 2 or 4, `count` of them to one port, as KVM reports string
 * instructions. */
void bus_ports(struct bus *bus, struct bus_reader *reader, const struct bus_access *access);
/* Memory accesses: 1..8 bytes of any alignment. */
void bus_memory(struct bus *bus, struct bus_reader *reader, const struct bus_access *access);
/* Carries out the writes that KVM has batched. No domain held. */
void bus_drain(struct bus *bus);

#endif
