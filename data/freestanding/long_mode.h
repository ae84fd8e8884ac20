/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Assembler macros for the way from 32-bit mode with paging off to long mode. The jump into a
 * 64-bit code segment is the caller's.
 */
#ifndef FREESTANDING_LONG_MODE_H
#define FREESTANDING_LONG_MODE_H

/*
 * Page tables for the first 4 GiB, identity mapped with 2 MiB pages that user mode may read and
 * write. At `tables`, a number: PML4, PDPT, four page directories, 4 KiB each. Changes EAX, ECX and
 * EDI.
 */
.macro identity_map tables
    movl $\tables, %edi
    movl $2 * 1024, %ecx
    xorl %eax, %eax
    rep stosl
    movl $\tables + 0x1007, \tables
    movl $\tables + 0x2007, \tables + 0x1000
    movl $\tables + 0x3007, \tables + 0x1008
    movl $\tables + 0x4007, \tables + 0x1010
    movl $\tables + 0x5007, \tables + 0x1018
    movl $0x87, %eax
1:  movl %eax, (%edi)
    movl $0, 4(%edi)
    addl $8, %edi
    addl $0x200000, %eax
    jnc 1b
.endm

/* Turns long mode on with these tables. Changes EAX, ECX and EDX. */
.macro long_mode_enable tables
    movl $\tables, %eax
    movl %eax, %cr3
    movl $0x620, %eax                   /* PAE, OSFXSR, OSXMMEXCPT */
    movl %eax, %cr4
    movl $0xC0000080, %ecx              /* EFER: long mode */
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl $0x80000033, %eax              /* paging, native FPU errors */
    movl %eax, %cr0
.endm

#endif
