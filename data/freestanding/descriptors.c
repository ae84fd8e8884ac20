/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "descriptors.h"
#include "selectors.h"

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

void gate_set(struct gate *gate, const char *entry)
{
    uint64_t address = (uint64_t)entry;

    *gate = (struct gate){ .offset_low = (uint16_t)address,
                           .selector = SELECTOR_CODE64,
                           .type = 0x8E, /* interrupt gate, from ring 0 or by hardware */
                           .offset_middle = (uint16_t)(address >> 16),
                           .offset_high = (uint32_t)(address >> 32) };
}

void descriptors_load(const struct descriptor_tables *tables, unsigned selector,
                      struct task_state *task, uint64_t stack)
{
    struct table_pointer gdt = { (uint16_t)(tables->gdt_size - 1), (uint64_t)tables->gdt };
    struct table_pointer idt = { (uint16_t)(tables->idt_size - 1), (uint64_t)tables->idt };
    uint64_t *descriptor = &tables->gdt[selector / 8];
    uint64_t base = (uint64_t)task;

    task->rsp[0] = stack;
    task->io_map = offsetof(struct task_state, io_bits);
    task->io_bits[8192] = 0xFF; /* ends the map */
    descriptor[0] =
        (sizeof(*task) - 1) | (base & 0xFFFFFF) << 16 | 0x89ull << 40 | (base >> 24 & 0xFF) << 56;
    descriptor[1] = base >> 32;
    __asm__ volatile("lgdt %0; lidt %1; ltr %w2" : : "m"(gdt), "m"(idt), "r"(selector) : "memory");
}
