/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From real mode to C at CPL 3. The BIOS is asked here for the memory map and the disk, and the
 * count of starts on the disk goes up by one; everything else is done at CPL 3, because some hosts
 * emulate ring 0 slowly.
 */
#include "layout.h"

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

    /* 4 GiB, identity mapped with 2 MiB pages that user mode may read and write. */
    movl $LAYOUT_PAGES, %edi
    movl $2 * 1024, %ecx
    xorl %eax, %eax
    rep stosl
    movl $LAYOUT_PAGES + 0x1007, LAYOUT_PAGES
    movl $LAYOUT_PAGES + 0x2007, LAYOUT_PAGES + 0x1000
    movl $LAYOUT_PAGES + 0x3007, LAYOUT_PAGES + 0x1008
    movl $LAYOUT_PAGES + 0x4007, LAYOUT_PAGES + 0x1010
    movl $LAYOUT_PAGES + 0x5007, LAYOUT_PAGES + 0x1018
    movl $0x87, %eax
1:  movl %eax, (%edi)
    movl $0, 4(%edi)
    addl $8, %edi
    addl $0x200000, %eax
    jnc 1b

    movl $LAYOUT_PAGES, %eax
    movl %eax, %cr3
    movl $0x620, %eax                   /* PAE, OSFXSR, OSXMMEXCPT */
    movl %eax, %cr4
    movl $0xC0000080, %ecx              /* EFER: long mode */
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl $0x80000033, %eax              /* paging, native FPU errors */
    movl %eax, %cr0
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

/* One entry for each vector below 48; those without an error code push a zero in its place. */
    .text
    .balign 16
    .globl interrupt_entries
interrupt_entries:
    .set vector, 0
    .rept 48
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
    pushq $0
    .endif
    pushq $vector
    jmp interrupt_common
    .set vector, vector + 1
    .endr

interrupt_common:
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %rbx
    cld
    movq %rsp, %rbx
    movq 80(%rsp), %rdi                 /* vector */
    movq 96(%rsp), %rsi                 /* RIP */
    andq $~15, %rsp
    call kernel_interrupt
    movq %rbx, %rsp
    popq %rbx
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rax
    addq $16, %rsp
    iretq

/*
 * void wait_for_interrupt(void): the only call from CPL 3 into ring 0. It is an invalid instruction
 * at a known place, because exceptions work on every host, while software interrupts from user mode
 * do not on those that emulate ring 0.
 */
    .globl wait_for_interrupt, invalid_opcode_entry
wait_for_interrupt:
    ud2
    ret

invalid_opcode_entry:
    cmpq $wait_for_interrupt, (%rsp)
    je 1f
    pushq $0
    pushq $6
    jmp interrupt_common
1:  addq $2, (%rsp)
    sti
    hlt
    cli
    iretq

    .section .note.GNU-stack, "", @progbits
