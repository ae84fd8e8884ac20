/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An option ROM that starts Linux: a BIOS runs it like any boot device, and it fetches from fw_cfg what
 * kernel.c has laid out, each part to the address that fw_cfg names, then enters the kernel's real-mode
 * part. PC firmware: "Plug and Play BIOS Specification 1.0A" section 3 (expansion header, bootstrap entry vector); Linux:
 * "The Linux/x86 Boot Protocol", section "Running the Kernel". kernel.c sets the two checksums.
 *
 * If a transfer fails, the next boot device is tried (int 18h).
 */
#define FW_CFG_DMA          0x514

#define KERNEL_ADDRESS      0x07
#define KERNEL_SIZE         0x08
#define INITRD_ADDRESS      0x0a
#define INITRD_SIZE         0x0b
#define KERNEL_DATA         0x11
#define INITRD_DATA         0x12
#define COMMAND_LINE_ADDRESS 0x13
#define COMMAND_LINE_SIZE   0x14
#define COMMAND_LINE_DATA   0x15
#define SETUP_ADDRESS       0x16
#define SETUP_SIZE          0x17
#define SETUP_DATA          0x18

#define CONTROL_READ_SELECT 0x0a
#define CONTROL_ERROR       0x01000000 /* as seen: the descriptor is big-endian */

/* Low memory that is free while a BIOS boots. */
#define STACK               0x7c00
#define DESCRIPTOR          0x7e00
#define DESCRIPTOR_SWAPPED  0x007e0000
#define VALUE               0x7e10

        .section .rodata.linux_rom, "a", @progbits
        .balign 512
        .code16
        .globl  linux_rom, linux_rom_end
        .hidden linux_rom, linux_rom_end
linux_rom:
        .word   0xaa55
        .byte   (linux_rom_end - linux_rom) / 512
        jmp     initialize
        .org    linux_rom + 0x1a
        .word   plug_and_play - linux_rom
        .org    linux_rom + 0x20
plug_and_play:
        .ascii  "$PnP"
        .byte   1, 2            /* revision, length in 16 bytes */
        .word   0               /* no further header */
        .byte   0, 0            /* reserved, checksum */
        .long   0               /* device identifier */
        .word   manufacturer - linux_rom
        .word   product - linux_rom
        .byte   0, 0, 0, 0      /* device type, indicators */
        .word   0, 0            /* boot connection and disconnect vectors */
        .word   bootstrap - linux_rom
        .word   0, 0

manufacturer:
        .asciz  "Oriel"
product:
        .asciz  "Linux"

initialize:
        xorw    %ax, %ax
        lretw

bootstrap:
        cli
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $STACK, %sp
        sti

        movw    $SETUP_SIZE, %si
        movw    $SETUP_ADDRESS, %bx
        movw    $SETUP_DATA, %bp
        call    load
        movw    $COMMAND_LINE_SIZE, %si
        movw    $COMMAND_LINE_ADDRESS, %bx
        movw    $COMMAND_LINE_DATA, %bp
        call    load
        movw    $KERNEL_SIZE, %si
        movw    $KERNEL_ADDRESS, %bx
        movw    $KERNEL_DATA, %bp
        call    load
        movw    $INITRD_SIZE, %si
        movw    $INITRD_ADDRESS, %bx
        movw    $INITRD_DATA, %bp
        call    load

        movw    $SETUP_ADDRESS, %di
        call    read_value
        shrl    $4, %eax
        cli
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movw    $0xfff0, %sp
        addw    $0x20, %ax
        xorw    %dx, %dx
        pushw   %ax
        pushw   %dx
        lretw

/* Loads one part: SI, BX, BP are the keys of its size, its address and its bytes. */
load:
        movw    %si, %di
        call    read_value
        testl   %eax, %eax
        jz      1f
        pushl   %eax
        movw    %bx, %di
        call    read_value
        popl    %ecx
        movw    %bp, %di
        call    transfer
1:      retw

/* EAX = the 32-bit value behind key DI. */
read_value:
        movl    $4, %ecx
        movl    $VALUE, %eax
        call    transfer
        movl    VALUE, %eax
        retw

/* Copies ECX bytes behind key DI to physical address EAX. Does not return if that fails. */
transfer:
        bswapl  %eax
        movl    %eax, DESCRIPTOR + 12
        movl    $0, DESCRIPTOR + 8
        bswapl  %ecx
        movl    %ecx, DESCRIPTOR + 4
        movzwl  %di, %eax
        shll    $16, %eax
        orl     $CONTROL_READ_SELECT, %eax
        bswapl  %eax
        movl    %eax, DESCRIPTOR
        xorl    %eax, %eax
        movw    $FW_CFG_DMA, %dx
        outl    %eax, %dx
        movl    $DESCRIPTOR_SWAPPED, %eax
        movw    $FW_CFG_DMA + 4, %dx
        outl    %eax, %dx
1:      movl    DESCRIPTOR, %eax
        testl   %eax, %eax
        jz      2f
        testl   $CONTROL_ERROR, %eax
        jz      1b
        int     $0x18
2:      retw

        .balign 512
linux_rom_end:

        .section .note.GNU-stack, "", @progbits
