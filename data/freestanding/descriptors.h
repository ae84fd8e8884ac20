/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Segments, interrupt gates and task state of long mode (Intel SDM volume 3, chapters 3, 6 and 8;
 * the task's map of ports: volume 1, section 19.5.2).
 */
#ifndef FREESTANDING_DESCRIPTORS_H
#define FREESTANDING_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

/* The first entries of a GDT, with their accessed bits set, so that it may lie in ROM. */
#define GDT_SEGMENTS                                                                               \
    0, 0x00CF9B000000FFFF,  /* 32-bit code */                                                      \
        0x00CF93000000FFFF, /* data */                                                             \
        0x00AF9B000000FFFF, /* 64-bit code */                                                      \
        0x00CFF3000000FFFF, /* user data */                                                        \
        0x00AFFB000000FFFF  /* user 64-bit code */

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct task_state {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map;
    uint8_t io_bits[8192 + 1]; /* zero: the port is open at CPL 3 */
} __attribute__((packed));

/* An interrupt gate to 64-bit code in ring 0, for exceptions and hardware only. */
void gate_set(struct gate *gate, const char *entry);

/*
 * Loads the tables and, as the task at `selector`, a task whose io_bits are zero: all ports are
 * open at CPL 3, and interrupts from there use `stack`, whose end it is. `gdt` has room for the
 * task's descriptor, two entries, and begins with GDT_SEGMENTS. In ring 0.
 */
struct descriptor_tables {
    uint64_t *gdt;
    struct gate *idt;
    uint16_t gdt_size, idt_size; /* bytes */
};
void descriptors_load(const struct descriptor_tables *tables, unsigned selector,
                      struct task_state *task, uint64_t stack);

#endif
