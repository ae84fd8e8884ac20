/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entry points of all 256 vectors, and the gate through which user mode calls a function in ring 0. */

    .text
    .code64

/* 256 entries of 16 bytes: vectors without an error code push a zero in its place. */
    .balign 16
    .globl interrupt_entries
interrupt_entries:
    .set vector, 0
    .rept 256
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
    pushq $0
    .endif
    pushq $vector
    jmp interrupt_common
    .set vector, vector + 1
    .endr

/* The order of the pushes is that of struct interrupt_frame, backwards. */
interrupt_common:
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rbx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld
    movq %rsp, %rdi
    movq %rsp, %rbx
    andq $~15, %rsp
    call interrupt_dispatch
    movq %rbx, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rbp
    popq %rbx
    popq %rdx
    popq %rcx
    popq %rax
    addq $16, %rsp
    iretq

/*
 * uint64_t ring0(uint64_t (*function)(uint64_t), uint64_t argument)
 * The way into ring 0 is an invalid instruction at a known place: an exception works on every
 * host, while a software interrupt from user mode does not on those that emulate ring 0.
 */
    .globl ring0
ring0:
    movl %cs, %eax
    testb $3, %al
    jz 1f
ring0_call:
    ud2
    ret
1:  movq %rdi, %rax                     /* already there: an exception being reported */
    movq %rsi, %rdi
    jmp *%rax

/*
 * Vector 6. RDI holds the function, RSI its argument; the System V ABI lets everything but RBX,
 * RBP and R12-R15 change.
 */
    .globl invalid_opcode_entry
invalid_opcode_entry:
    cmpq $ring0_call, (%rsp)
    je 1f
    pushq $0
    pushq $6
    jmp interrupt_common
1:  addq $2, (%rsp)
    pushq %rbp
    movq %rsp, %rbp
    andq $~15, %rsp
    cld
    movq %rdi, %rax
    movq %rsi, %rdi
    call *%rax
    movq %rbp, %rsp
    popq %rbp
    iretq

    .section .note.GNU-stack, "", @progbits
