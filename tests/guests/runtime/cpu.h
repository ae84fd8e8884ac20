/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processors: ring 0 calls, interrupt handlers, faults, and starting the other processors. */
#ifndef GUEST_CPU_H
#define GUEST_CPU_H

#include "guest.h"
#include "ring0.h"

/* Where a function that faults is left; the order is known to fault.S. */
struct fault_context {
    uint64_t rbx, rbp, r12, r13, r14, r15, rsp, rip;
    uint64_t error;
};

/* The general registers as the reset left them; the order is known to start.S. */
struct reset_record {
    uint32_t eax, ebx, ecx, edx, esi, edi, ebp, esp, cr0, cr2, cr3, cr4, eflags;
};
const struct reset_record *reset_record(void);

/*
 * Calls a function and gives back the vector of the exception that ended it, or -1. Exceptions
 * outside fault_catch() end the guest with a report.
 */
int fault_catch(struct fault_context *context, void (*function)(uint64_t), uint64_t argument);
int fault_of(void (*function)(uint64_t), uint64_t argument);

/* The same, and the exception's error code. */
int fault_error_of(void (*function)(uint64_t), uint64_t argument, uint64_t *error);

/*
 * Sets what runs in ring 0, with interrupts off, for a vector from 32 on (and 2, NMI); NULL for
 * nothing. Every arrival also counts in interrupt_count[].
 */
typedef void (*interrupt_handler)(struct interrupt_frame *frame);
void interrupt_handle(unsigned vector, interrupt_handler handler);
extern volatile uint32_t interrupt_count[256];

/* HLT in ring 0 with interrupts on; returns with interrupts off after one was handled. */
void cpu_halt(void);

uint64_t cpu_read_msr(uint32_t index);
void cpu_write_msr(uint32_t index, uint64_t value);

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};
struct cpuid cpu_id(uint32_t leaf, uint32_t subleaf);

/*
 * Whether this is the oracle run on QEMU without KVM. For the few expectations in which a real PC
 * and our machine agree and QEMU differs; each place says how.
 */
bool cpu_is_oracle(void);

/* The number of the processor that calls: 0 is the first, the others in the order they came. */
unsigned cpu_number(void);

/* Maps 2 MiB at an address above 4 GiB, identity mapped like all other memory. */
void cpu_map(uint64_t address);

/*
 * Starts all other processors with INIT and SIPI to all but itself. Each runs `work` (with
 * interrupts off, at CPL 3) and halts. Waits until `expected` of them, without the caller, have
 * come, or for LONG_MS; returns how many came.
 */
unsigned cpu_start_others(unsigned expected, void (*work)(unsigned number));

#endif
