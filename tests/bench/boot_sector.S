/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A boot sector that turns the machine off: the end of a firmware's start. PM1_CNT of ICH9 as SeaBIOS places it. */
    .code16
    .text
    movw $0x604, %dx
    movw $0x2000, %ax
    outw %ax, %dx
    cli
1:  hlt
    jmp 1b
    .org 510
    .word 0xaa55
