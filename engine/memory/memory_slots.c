/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "memory/memory_slots.h"

#include <errno.h>

#include "cpu/kvm.h"
#include "cpu/vcpu.h"

static bool slot_set(struct memory_map *map, unsigned index, const struct memory_slot *slot)
{
    struct kvm_userspace_memory_region region = {
        .slot = index,
        .flags = slot->size > 0 ? slot->flags : 0,
        .guest_phys_addr = slot->gpa,
        .memory_size = slot->size,
        .userspace_addr = (uintptr_t)slot->host,
    };

    if (kvm_ioctl(map->kvm->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0) {
        int saved = errno;

        map->refused++;
        g_warning("KVM refused memory at %#llx, %llu bytes: %s", (unsigned long long)slot->gpa,
                  (unsigned long long)slot->size, g_strerror(saved));
        errno = saved;
        return false;
    }
    map->slots[index] = *slot;
    return true;
}

/* Same but for the log, which can be turned on and off in place. */
static bool slot_matches(const struct memory_slot *a, const struct memory_slot *b)
{
    return a->gpa == b->gpa && a->size == b->size && a->host == b->host &&
           ((a->flags ^ b->flags) & ~(uint32_t)KVM_MEM_LOG_DIRTY_PAGES) == 0;
}

static const struct memory_slot *list_find(const struct slot_list *list,
                                           const struct memory_slot *slot)
{
    for (unsigned i = 0; i < list->n; i++) {
        if (slot_matches(&list->slots[i], slot)) {
            return &list->slots[i];
        }
    }
    return NULL;
}

static void slot_harvest(struct memory_map *map, unsigned index)
{
    struct memory_slot *slot = &map->slots[index];
    struct device_memory *memory = slot->window->memory;
    uint64_t pages = slot->size / MEMORY_PAGE;
    /* From the slot, not from the window, which may have been given another offset already. */
    uint64_t first = (uint64_t)(slot->host - memory->bytes) / MEMORY_PAGE;
    g_autofree uint64_t *bitmap = g_new0(uint64_t, (pages + 63) / 64);
    struct kvm_dirty_log log = { .slot = index, .dirty_bitmap = bitmap };

    if (kvm_ioctl(map->kvm->vm, KVM_GET_DIRTY_LOG, &log) < 0) {
        return;
    }
    for (uint64_t i = 0; i < (pages + 63) / 64; i++) {
        uint64_t bits = bitmap[i];

        while (bits != 0) {
            uint64_t page = first + i * 64 + (unsigned)__builtin_ctzll(bits);

            memory->dirty[page / 64] |= UINT64_C(1) << (page % 64);
            bits &= bits - 1;
        }
    }
}

void memory_slots_harvest(struct memory_map *map, struct device_memory *memory)
{
    for (unsigned i = 0; i < MEMORY_SLOTS_MAX; i++) {
        struct memory_slot *slot = &map->slots[i];

        if (slot->size > 0 && slot->window && slot->window->memory == memory &&
            (slot->flags & KVM_MEM_LOG_DIRTY_PAGES)) {
            slot_harvest(map, i);
        }
    }
}

static bool stale_remove(struct memory_map *map, const struct slot_list *wanted, bool stopped)
{
    bool any = false;

    for (unsigned i = 0; i < MEMORY_SLOTS_MAX; i++) {
        struct memory_slot *slot = &map->slots[i];

        if (slot->size == 0 || list_find(wanted, slot)) {
            continue;
        }
        any = true;
        if (stopped) {
            if (slot->flags & KVM_MEM_LOG_DIRTY_PAGES) {
                slot_harvest(map, i);
            }
            slot->size = 0;
            slot_set(map, i, slot);
        }
    }
    return any;
}

static bool missing_add(struct memory_map *map, const struct memory_slot *wanted)
{
    unsigned free_index = MEMORY_SLOTS_MAX;

    for (unsigned i = 0; i < MEMORY_SLOTS_MAX; i++) {
        struct memory_slot *slot = &map->slots[i];

        if (slot->size == 0) {
            free_index = free_index < i ? free_index : i;
        } else if (slot_matches(slot, wanted)) {
            bool same = slot->flags == wanted->flags;

            slot->window = wanted->window;
            return same || slot_set(map, i, wanted);
        }
    }
    g_assert(free_index < MEMORY_SLOTS_MAX);
    return slot_set(map, free_index, wanted);
}

bool memory_slots_apply(struct memory_map *map, const struct slot_list *wanted)
{
    bool remove = stale_remove(map, wanted, false), good = true;

    if (remove) {
        vcpus_stop_guest(map->vcpus);
        stale_remove(map, wanted, true);
    }
    for (unsigned i = 0; i < wanted->n; i++) {
        good &= missing_add(map, &wanted->slots[i]);
    }
    if (remove) {
        vcpus_resume_guest(map->vcpus);
    }
    return good;
}
