/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compiled without vector registers: interrupts do not save them. The interrupt controllers are the
 * two 8259, the timer is the 8254, because every PC has them.
 */
#include "kernel.h"
#include "console.h"
#include "descriptors.h"
#include "io.h"
#include "layout.h"
#include "ring0.h"
#include "selectors.h"

#define GATES 48

/* Outside of .bss, which is cleared at CPL 3 only, with these in use. */
#define KEPT  __attribute__((section(".data")))

uint64_t gdt[SELECTOR_TSS / 8 + 2] KEPT = { GDT_SEGMENTS };
static struct gate idt[GATES] KEPT;
static struct task_state task KEPT;

volatile uint32_t irq_count[16] KEPT;

/* Called by start.S only. */
void kernel_setup(void);

void kernel_setup(void)
{
    const struct descriptor_tables tables = { gdt, idt, sizeof(gdt), sizeof(idt) };

    for (unsigned vector = 0; vector < GATES; vector++)
        gate_set(&idt[vector], interrupt_entries + 16 * vector);
    gate_set(&idt[VECTOR_INVALID_OPCODE], invalid_opcode_entry);
    descriptors_load(&tables, SELECTOR_TSS, &task, LAYOUT_STACKS);
}

void interrupt_dispatch(struct interrupt_frame *frame)
{
    unsigned irq = (unsigned)frame->vector - VECTOR_PIC;

    if (irq >= 16) {
        console_print("exception %u at %lx\n", (unsigned)frame->vector, frame->rip);
        for (;;)
            __asm__ volatile("cli; hlt");
    }
    irq_count[irq]++;
    if (irq >= 8)
        outb(0xA0, 0x20);
    outb(0x20, 0x20);
}

static uint64_t halt(uint64_t unused)
{
    __asm__ volatile("sti; hlt; cli" : : : "memory");
    return unused;
}

void wait_for_interrupt(void)
{
    ring0(halt, 0);
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
