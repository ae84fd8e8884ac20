/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * KVM's memory slots: from those that are to those that memory_map.c wants, and the log of written
 * pages that each may keep. Under the map's lock.
 */
#ifndef ENGINE_MEMORY_SLOTS_H
#define ENGINE_MEMORY_SLOTS_H

#include "memory/memory_map.h"

struct slot_list {
    unsigned n;
    struct memory_slot slots[MEMORY_SLOTS_MAX];
};

/* False with errno set if KVM refused a slot; the others are in place. */
bool memory_slots_apply(struct memory_map *map, const struct slot_list *wanted);
/* Moves what KVM has logged for the memory into memory->dirty. */
void memory_slots_harvest(struct memory_map *map, struct device_memory *memory);

#endif
