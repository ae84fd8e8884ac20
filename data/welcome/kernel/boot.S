/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The boot sector: reads the program with INT 13h extensions and jumps to it. Read in pieces of
 * 64 sectors, because one transfer must not cross a segment.
 */
#include "layout.h"

#define PIECE 64

    .section .boot, "ax"
    .code16
    .globl boot_sector
boot_sector:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $LAYOUT_BOOT_STACK, %sp
    ljmp $0, $1f
1:  sti
    movb %dl, LAYOUT_BOOT_INFO + BOOT_INFO_DRIVE
    movw $LAYOUT_PROGRAM_SECTORS / PIECE, %cx
2:  pushw %cx
    movw $packet, %si
    movb $0x42, %ah
    movb LAYOUT_BOOT_INFO + BOOT_INFO_DRIVE, %dl
    int $0x13
    popw %cx
    jc failed
    addw $PIECE * 512 / 16, packet_segment
    addw $PIECE, packet_sector
    loop 2b
    ljmp $LAYOUT_PROGRAM >> 4, $0

failed:
    movw $message, %si
3:  lodsb
    testb %al, %al
    jz 4f
    movb $0x0E, %ah
    movw $7, %bx
    int $0x10
    jmp 3b
4:  hlt
    jmp 4b

message:
    .asciz "The welcome machine cannot read its disk.\r\n"

    .balign 4
packet:
    .byte 16, 0
    .word PIECE
    .word 0
packet_segment:
    .word LAYOUT_PROGRAM >> 4
packet_sector:
    .quad 1

    /* One partition, "data that is not a file system", so that tools see the disk is used. */
    .org boot_sector + 446
    .byte 0x80, 0xFE, 0xFF, 0xFF, 0xDA, 0xFE, 0xFF, 0xFF
    .long 1, LAYOUT_DISK_SECTORS - 1
    .org boot_sector + 510
    .word 0xAA55

    .section .note.GNU-stack, "", @progbits
