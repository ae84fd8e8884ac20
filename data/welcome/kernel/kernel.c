/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compiled without vector registers: interrupts do not save them. The interrupt controllers are the
 * two 8259, the timer is the 8254, because every PC has them.
 */
#include "kernel.h"
#include "console.h"
#include "io.h"
#include "layout.h"

#include <stdbool.h>

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

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

#define GATES 48

/* Outside of .bss, which is cleared at CPL 3 only, with these in use. */
#define KEPT  __attribute__((section(".data")))

uint64_t gdt[SELECTOR_TSS / 8 + 2] KEPT = {
    0,
    0x00CF9B000000FFFF, /* 32-bit code */
    0x00CF93000000FFFF, /* data */
    0x00AF9B000000FFFF, /* 64-bit code */
    0x00CFF3000000FFFF, /* user data */
    0x00AFFB000000FFFF, /* user 64-bit code */
};
static struct gate idt[GATES] KEPT;
static struct task_state task KEPT;

volatile uint32_t irq_count[16] KEPT;

extern const char interrupt_entries[], invalid_opcode_entry[];

/* Called by start.S only. */
void kernel_setup(void);
void kernel_interrupt(uint64_t vector, uint64_t address);

static void gate_set(unsigned vector, const char *entry)
{
    uint64_t address = (uint64_t)entry;

    idt[vector] = (struct gate){ .offset_low = (uint16_t)address,
                                 .selector = SELECTOR_CODE64,
                                 .type = 0x8E, /* interrupt gate */
                                 .offset_middle = (uint16_t)(address >> 16),
                                 .offset_high = (uint32_t)(address >> 32) };
}

void kernel_setup(void)
{
    struct table_pointer gdt_pointer = { sizeof(gdt) - 1, (uint64_t)gdt };
    struct table_pointer idt_pointer = { sizeof(idt) - 1, (uint64_t)idt };
    uint64_t base = (uint64_t)&task;

    for (unsigned vector = 0; vector < GATES; vector++)
        gate_set(vector, interrupt_entries + 16 * vector);
    gate_set(6, invalid_opcode_entry);
    task.rsp[0] = LAYOUT_STACKS;
    task.io_map = __builtin_offsetof(struct task_state, io_bits);
    task.io_bits[8192] = 0xFF;
    gdt[SELECTOR_TSS / 8] =
        (sizeof(task) - 1) | (base & 0xFFFFFF) << 16 | 0x89ull << 40 | (base >> 24 & 0xFF) << 56;
    gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
    __asm__ volatile("lgdt %0; lidt %1; ltr %w2"
                     :
                     : "m"(gdt_pointer), "m"(idt_pointer), "r"(SELECTOR_TSS)
                     : "memory");
}

void kernel_interrupt(uint64_t vector, uint64_t address)
{
    unsigned irq = (unsigned)vector - VECTOR_PIC;

    if (irq >= 16) {
        console_print("exception %u at %x\n", (unsigned)vector, (unsigned)address);
        for (;;)
            __asm__ volatile("cli; hlt");
    }
    irq_count[irq]++;
    if (irq >= 8)
        outb(0xA0, 0x20);
    outb(0x20, 0x20);
}

void interrupts_start(void)
{
    const uint16_t open =
        1 << IRQ_TIMER | 1 << IRQ_KEYBOARD | 1 << 2 | 1 << IRQ_SCI | 1 << IRQ_MOUSE;
    const unsigned divisor = 1193182 / TICKS;

    outb(0x20, 0x11); /* edge, cascade */
    outb(0x21, VECTOR_PIC);
    outb(0x21, 0x04);
    outb(0x21, 0x01);
    outb(0xA0, 0x11);
    outb(0xA1, VECTOR_PIC + 8);
    outb(0xA1, 0x02);
    outb(0xA1, 0x01);
    outb(0x21, (uint8_t)~open);
    outb(0xA1, (uint8_t)(~open >> 8));
    outb(0x43, 0x34); /* counter 0, rate generator */
    outb(0x40, (uint8_t)divisor);
    outb(0x40, (uint8_t)(divisor >> 8));
}
