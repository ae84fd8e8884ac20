/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From real mode to C at CPL 3. The BIOS is asked here for the memory map and the disk, and the
 * count of starts on the disk goes up by one; everything else is done at CPL 3, because some hosts
 * emulate ring 0 slowly.
 */
#include "layout.h"
#include "long_mode.inc"
#include "selectors.h"

#define REAL(label) ((label) - LAYOUT_PROGRAM) /* offset in the program's segment */
#define INFO(offset) (LAYOUT_BOOT_INFO + (offset))
#define PACKET INFO(BOOT_INFO_PACKET)

    .section .text.start, "ax"
    .code16
    .globl start
start:
    xorw %ax, %ax                       /* DS, ES and SS stay 0 for the low addresses */

    /* Memory map, 20 bytes an entry. */
    movl $0, INFO(BOOT_INFO_RANGES)
    xorl %ebx, %ebx
    movw $INFO(BOOT_INFO_RANGE), %di
1:  movl $0xE820, %eax
    movl $0x534D4150, %edx              /* "SMAP" */
    movl $20, %ecx
    int $0x15
    jc 2f
    cmpl $0x534D4150, %eax
    jne 2f
    incl INFO(BOOT_INFO_RANGES)
    addw $20, %di
    cmpl $BOOT_INFO_MAX, INFO(BOOT_INFO_RANGES)
    jae 2f
    testl %ebx, %ebx
    jnz 1b
2:
    /* The size of the disk: INT 13h function 48h fills in 26 bytes. */
    movl $0, INFO(BOOT_INFO_SECTORS)
    movl $0, INFO(BOOT_INFO_SECTORS) + 4
    movw $26, PACKET
    movw $PACKET, %si
    movb INFO(BOOT_INFO_DRIVE), %dl
    movb $0x48, %ah
    int $0x13
    jc 3f
    movl PACKET + 16, %eax
    movl %eax, INFO(BOOT_INFO_SECTORS)
    movl PACKET + 20, %eax
    movl %eax, INFO(BOOT_INFO_SECTORS) + 4
3:
    /* The data sector: a mark and the count of starts. */
    movl $0, INFO(BOOT_INFO_STARTS)
    movb $0x42, %ah
    call data_sector
    jc 5f
    cmpl $0x4C495257, INFO(BOOT_INFO_DATA) /* "WRIL" */
    je 4f
    movl $0x4C495257, INFO(BOOT_INFO_DATA)
    movl $0, INFO(BOOT_INFO_DATA) + 4
4:  incl INFO(BOOT_INFO_DATA) + 4
    movb $0x43, %ah
    call data_sector
    jc 5f
    movl INFO(BOOT_INFO_DATA) + 4, %eax
    movl %eax, INFO(BOOT_INFO_STARTS)
5:
    cli
    inb $0x92, %al                      /* A20, when the BIOS left it off */
    orb $2, %al
    andb $0xFE, %al
    outb %al, $0x92
    lgdtl %cs:REAL(boot_gdt_pointer)
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $SELECTOR_CODE32, $start32

/* INT 13h function AH on the data sector. */
data_sector:
    movl $0x00010010, PACKET
    movl $INFO(BOOT_INFO_DATA), PACKET + 4
    movl $LAYOUT_DATA_SECTOR, PACKET + 8
    movl $0, PACKET + 12
    movw $PACKET, %si
    movb INFO(BOOT_INFO_DRIVE), %dl
    xorb %al, %al
    int $0x13
    ret

    .balign 4
boot_gdt_pointer:
    .word SELECTOR_TSS + 16 - 1
    .long gdt

    .code32
start32:
    movw $SELECTOR_DATA, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    cld

    identity_map LAYOUT_PAGES
    long_mode_enable LAYOUT_PAGES
    ljmpl $SELECTOR_CODE64, $start64

    .code64
start64:
    movl $LAYOUT_STACKS, %esp
    call kernel_setup
    movw $SELECTOR_USER_DATA, %ax
    movw %ax, %ds
    movw %ax, %es
    pushq $SELECTOR_USER_DATA
    pushq $LAYOUT_USER_STACK
    pushq $0x2
    pushq $SELECTOR_USER_CODE
    pushq $user_entry
    iretq

user_entry:
    movl $bss_start, %edi               /* native speed from here on */
    movl $bss_end, %ecx
    subl %edi, %ecx
    xorl %eax, %eax
    rep stosb
    call welcome_main
    ud2

    .section .note.GNU-stack, "", @progbits
