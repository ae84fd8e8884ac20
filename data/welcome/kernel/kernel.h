/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What runs in ring 0: the descriptor tables, and interrupt handlers that only count. All the
 * rest of the program runs at CPL 3 with all ports open, and asks for an interrupt by halting.
 */
#ifndef WELCOME_KERNEL_H
#define WELCOME_KERNEL_H

#include <stdint.h>

#define IRQ_TIMER    0
#define IRQ_KEYBOARD 1
#define IRQ_SCI      9
#define IRQ_MOUSE    12

/* Ticks of the timer a second. */
#define TICKS        30

/* How many interrupts of each line came. */
extern volatile uint32_t irq_count[16];

/* Halts the processor until an interrupt came; they are let in nowhere else. */
void wait_for_interrupt(void);

/* Sets the interrupt controllers and the timer up. */
void interrupts_start(void);

#endif
