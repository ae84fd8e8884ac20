/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way back out of a function that faulted. */

    .text
    .code64

/*
 * int fault_catch(struct fault_context *context, void (*function)(uint64_t), uint64_t argument)
 * Saves what interrupt_dispatch() needs to make this function return early.
 */
    .globl fault_catch
fault_catch:
    movq %rbx, 0(%rdi)
    movq %rbp, 8(%rdi)
    movq %r12, 16(%rdi)
    movq %r13, 24(%rdi)
    movq %r14, 32(%rdi)
    movq %r15, 40(%rdi)
    movq %rsp, 48(%rdi)
    leaq 1f(%rip), %rax
    movq %rax, 56(%rdi)
    movq %rsi, %rax
    movq %rdx, %rdi
    subq $8, %rsp
    call *%rax
    addq $8, %rsp
    movl $-1, %eax
1:  ret

    .section .note.GNU-stack, "", @progbits
