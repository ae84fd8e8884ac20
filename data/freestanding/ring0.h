/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program runs at CPL 3, at native speed also where the host emulates ring 0. What has to be done
 * in ring 0 is a function called through ring0(), or an interrupt.
 */
#ifndef FREESTANDING_RING0_H
#define FREESTANDING_RING0_H

#include <stdint.h>

/* Registers as interrupt.S pushes them; a handler may change them. */
struct interrupt_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

/* The program's own: called in ring 0 with interrupts off for every exception and interrupt but
 * those of ring0(). It may not use vector registers, which are not saved. */
void interrupt_dispatch(struct interrupt_frame *frame);

/* For the gates: 16 bytes for each of 256 vectors, but for vector 6, through which ring0() goes. */
extern const char interrupt_entries[], invalid_opcode_entry[];
#define VECTOR_INVALID_OPCODE 6

/* Calls a function in ring 0 with interrupts off and gives back its result. Keep it short. */
uint64_t ring0(uint64_t (*function)(uint64_t), uint64_t argument);

#endif
