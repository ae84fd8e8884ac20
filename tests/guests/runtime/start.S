/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the reset vector to C: real mode, protected mode, page tables, long mode, CPL 3.
 *
 * The code in .boot runs from the image below 4 GiB only, so it does not depend on the copy at
 * 0xF0000. It runs in ring 0, which some hosts emulate slowly: it does the least that C needs.
 * The descriptors have their accessed bits set, because the table lies in ROM at first.
 */
#include "layout.h"
#include "long_mode.inc"
#include "selectors.h"

/* The address of a label in .boot, for code that runs before relocation is possible. */
#define BOOT(label)   (LAYOUT_ROM_BOOT + (label) - boot_start)
#define BOOT16(label) (0xF000 + (label) - boot_start)

    .section .reset, "ax"
    .code16
    .globl reset_vector
reset_vector:
    .byte 0xE9                          /* jmp to the start of .boot, 0xFF0 bytes before this */
    .word 0xF000 - 0xFFF3
    .byte 0
    .ascii "oriel guest"

    .section .boot, "ax"
    .code16
boot_start:
    cli
    cld
    /* Keep what the registers held; DS and SS have base 0 at reset. */
    movl %eax, LAYOUT_RESET_RECORD + 0
    movl %ebx, LAYOUT_RESET_RECORD + 4
    movl %ecx, LAYOUT_RESET_RECORD + 8
    movl %edx, LAYOUT_RESET_RECORD + 12
    movl %esi, LAYOUT_RESET_RECORD + 16
    movl %edi, LAYOUT_RESET_RECORD + 20
    movl %ebp, LAYOUT_RESET_RECORD + 24
    movl %esp, LAYOUT_RESET_RECORD + 28
    movl %cr0, %eax
    movl %eax, LAYOUT_RESET_RECORD + 32
    movl %cr2, %eax
    movl %eax, LAYOUT_RESET_RECORD + 36
    movl %cr3, %eax
    movl %eax, LAYOUT_RESET_RECORD + 40
    movl %cr4, %eax
    movl %eax, LAYOUT_RESET_RECORD + 44
    movl $LAYOUT_BOOT_STACK, %esp
    pushfl
    popl LAYOUT_RESET_RECORD + 48

    lgdtl %cs:BOOT16(boot_gdt_pointer)
    movl $0x11, %eax                    /* PE and ET; caching on */
    movl %eax, %cr0
    ljmpl $SELECTOR_CODE32, $BOOT(start32)

    .code32
start32:
    movw $SELECTOR_DATA, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $LAYOUT_BOOT_STACK, %esp

    /* The program to where it is linked, its variables to zero. */
    movl $LAYOUT_ROM, %esi
    movl $program_start, %edi
    movl $program_end, %ecx
    subl %edi, %ecx
    shrl $2, %ecx
    rep movsl
    movl $bss_start, %edi
    movl $bss_end, %ecx
    subl %edi, %ecx
    shrl $2, %ecx
    xorl %eax, %eax
    rep stosl

    identity_map LAYOUT_PML4
    long_mode_enable LAYOUT_PML4
    ljmpl $SELECTOR_CODE64, $entry64

    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00CF9B000000FFFF            /* 32-bit code */
    .quad 0x00CF93000000FFFF            /* data */
    .quad 0x00AF9B000000FFFF            /* 64-bit code */
boot_gdt_pointer:
    .word . - boot_gdt - 1
    .long BOOT(boot_gdt)

/* Long mode, first processor. */
    .section .text.entry, "ax"
    .code64
entry64:
    xorl %edi, %edi
    jmp cpu_enter

/*
 * The common way of every processor into C; EDI holds its number, any stack is lost.
 * cpu_ring0_setup() fills its area and loads its tables, then it goes on at CPL 3.
 */
    .globl cpu_enter
cpu_enter:
    movw $SELECTOR_DATA, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl %edi, %esp
    incl %esp
    imull $LAYOUT_CPU_AREA, %esp
    addl $LAYOUT_CPU_AREAS, %esp        /* top of the area: the ring 0 stack */
    movl %edi, %ebx
    call cpu_ring0_setup
    movw $SELECTOR_USER_DATA, %ax
    movw %ax, %ds
    movw %ax, %es
    leaq -LAYOUT_CPU_AREA / 2(%rsp), %rcx /* the user stack ends where that of ring 0 begins */
    andq $~15, %rcx
    movl %ebx, %edi
    pushq $SELECTOR_USER_DATA
    pushq %rcx
    pushq $0x2                          /* interrupts off */
    pushq $SELECTOR_USER_CODE
    pushq $cpu_user_entry
    iretq

cpu_user_entry:
    call cpu_main
    ud2

/* First code of an application processor, copied to LAYOUT_TRAMPOLINE. */
    .section .rodata
    .globl trampoline_start, trampoline_end
    .code16
#define TRAMPOLINE(label) (LAYOUT_TRAMPOLINE + (label) - trampoline_start)
trampoline_start:
    cli
    cld
    lgdtl %cs:(trampoline_gdt_pointer - trampoline_start)
    movl $0x11, %eax
    movl %eax, %cr0
    ljmpl $SELECTOR_CODE32, $TRAMPOLINE(trampoline32)
    .code32
trampoline32:
    movw $SELECTOR_DATA, %ax
    movw %ax, %ds
    long_mode_enable LAYOUT_PML4
    ljmpl $SELECTOR_CODE64, $trampoline64
trampoline_gdt_pointer:
    .word SELECTOR_CODE64 + 8 - 1
    .long cpu_gdt
trampoline_end:

    .text
    .code64
trampoline64:
    movl $1, %edi                       /* every processor takes the next number */
    lock xaddl %edi, cpu_next_number
    cmpl $LAYOUT_MAX_CPUS, %edi
    jb cpu_enter
1:  hlt
    jmp 1b

    .section .note.GNU-stack, "", @progbits
