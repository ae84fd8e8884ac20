/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Instructions that KVM cannot emulate. Where the processor does not run guest code itself (real
 * mode on older processors, all of ring 0 on a KVM without hardware), the kernel's emulator does,
 * and it lacks a few instructions that firmware uses: most of the x87 and SSE control instructions.
 * They are completed here.
 */
#ifndef ENGINE_EMULATE_H
#define ENGINE_EMULATE_H

#include <stdbool.h>
#include <stddef.h>

struct vcpu;

enum emulated {
    EMULATED,         /* it is complete, or has raised the exception that belongs to it */
    EMULATED_REFUSED, /* not known here; a program's, which gets #UD for it */
    EMULATED_NOT,     /* not known here: the guest cannot go on */
};

/*
 * Completes the instruction at which the vCPU has stopped with an emulation failure, or refuses it;
 * what it is comes into `title`. The vCPU's own thread.
 *
 * A program of the guest must not end the guest: in user mode the answer to an instruction that is
 * not known here is the one that KVM gives by itself.
 */
enum emulated emulate_instruction(struct vcpu *vcpu, char *title, size_t size);

/*
 * The bytes of the instruction at which the vCPU is, as many as can be read, up to 15; how many.
 */
unsigned emulate_fetch(struct vcpu *vcpu, unsigned char *bytes);

/*
 * The top of the vCPU's stack, as many of `n` bytes as can be read; how many. *width: the bytes of
 * what a push of its code takes, 2, 4 or 8. The vCPU's own thread.
 */
unsigned emulate_stack(struct vcpu *vcpu, unsigned char *bytes, unsigned n, unsigned *width);

#endif
