/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A boot menu that El Torito loads without emulation, by the BIOS's services for the screen (INT 10h) and the keyboard
 * (INT 16h) alone: four entries, a star at the chosen one, the arrow keys, Enter. A chosen entry clears the screen, prints
 * "Chosen: <entry>" and waits for Enter, which leads back to the menu.
 */
    .set ENTRIES, 4
    .set SCAN_ENTER, 0x1c
    .set SCAN_UP, 0x48
    .set SCAN_DOWN, 0x50

    .code16
    .text
    .globl _start
_start:
    ljmp $0, $begin /* 07C0:0000 is possible too */
begin:
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $_start, %sp
    sti

menu:
    call clear
    movw $entries, %si
    xorw %di, %di
1:  movb $' ', %al
    cmpw chosen, %di
    jne 2f
    movb $'*', %al
2:  call put
    movb $' ', %al
    call put
    call print
    movb $'\r', %al
    call put
    movb $'\n', %al
    call put
    incw %di
    cmpw $ENTRIES, %di
    jb 1b

wait_choice:
    call key
    cmpb $SCAN_ENTER, %ah
    je show
    cmpb $SCAN_UP, %ah
    je up
    cmpb $SCAN_DOWN, %ah
    jne wait_choice
    cmpw $ENTRIES - 1, chosen
    je wait_choice
    incw chosen
    jmp menu
up:
    cmpw $0, chosen
    je wait_choice
    decw chosen
    jmp menu

show:
    call clear
    movw $prefix, %si
    call print
    movw $entries, %si
    movw chosen, %cx
    jcxz 2f
1:  lodsb
    testb %al, %al
    jnz 1b
    loop 1b
2:  call print
3:  call key
    cmpb $SCAN_ENTER, %ah
    jne 3b
    jmp menu

/* The next key: its scan code in AH. */
key:
    xorb %ah, %ah
    int $0x16
    ret

/* The character in AL at the cursor. */
put:
    movb $0x0e, %ah
    movw $7, %bx
    int $0x10
    ret

/* Characters from SI up to a zero; SI is behind it afterwards. */
print:
    lodsb
    testb %al, %al
    jz 1f
    call put
    jmp print
1:  ret

/* An empty screen of 80 x 25, the cursor in its corner. */
clear:
    movw $0x0600, %ax
    movb $7, %bh
    xorw %cx, %cx
    movw $0x184f, %dx
    int $0x10
    movb $2, %ah
    xorb %bh, %bh
    xorw %dx, %dx
    int $0x10
    ret

chosen:
    .word 0
prefix:
    .asciz "Chosen: "
entries:
    .asciz "Apple"
    .asciz "Birch"
    .asciz "Cedar"
    .asciz "Maple"
