/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lookup structures behind bus.h; bus.c and bus_map.c only. */
#ifndef ENGINE_BUS_MAP_H
#define ENGINE_BUS_MAP_H

#include "bus/bus.h"

struct bus_map_entry {
    uint64_t start, end; /* end: first byte behind */
    struct bus_region *region;
};

/* Sorted by address, without overlaps; never changed once published. */
struct bus_map {
    unsigned n;
    struct bus_map_entry entries[];
};

/* The memory-mapped region at the address, and up to where it answers; NULL: none. */
struct bus_region *bus_map_find(struct bus *bus, struct bus_reader *reader, uint64_t address);
struct bus_region *bus_port_find(struct bus *bus, uint16_t port);

#endif
