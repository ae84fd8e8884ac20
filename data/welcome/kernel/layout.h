/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the welcome machine's program keeps what, in memory and on its disk. Shared by C, assembly
 * and the linker script, so it holds plain macros only. Memory is identity mapped.
 */
#ifndef WELCOME_LAYOUT_H
#define WELCOME_LAYOUT_H

#define LAYOUT_BOOT_INFO       0x600   /* struct boot_info of machine.h, filled by start.S */
#define LAYOUT_BOOT_STACK      0x7C00  /* of the boot sector, grows down */
#define LAYOUT_PAGES           0x70000 /* PML4, PDPT, four page directories */
#define LAYOUT_PROGRAM         0x10000 /* the program, read from disk from sector 1 on */
#define LAYOUT_VARIABLES       0x200000
#define LAYOUT_STACKS          0x1000000 /* end of the ring 0 stack, growing down; */
#define LAYOUT_USER_STACK      0xFF0000  /* and of the one at CPL 3 */

/* On disk, in sectors of 512 bytes. */
#define LAYOUT_PROGRAM_SECTORS 256
#define LAYOUT_DATA_SECTOR     2048
#define LAYOUT_DISK_SECTORS    8192

/* Offsets in struct boot_info. */
#define BOOT_INFO_DRIVE        0  /* BIOS drive number */
#define BOOT_INFO_STARTS       4  /* how often the machine was started, 0 when the disk failed */
#define BOOT_INFO_SECTORS      8  /* of the disk; 64 bits */
#define BOOT_INFO_RANGES       16 /* how many memory ranges follow */
#define BOOT_INFO_RANGE        24 /* ranges as INT 15h E820 gives them, 20 bytes each */
#define BOOT_INFO_MAX          32
#define BOOT_INFO_DATA         0x1000 /* the data sector, after LAYOUT_BOOT_INFO */
#define BOOT_INFO_PACKET       0x0F00 /* scratch for INT 13h, after LAYOUT_BOOT_INFO */

#define VECTOR_PIC             0x20 /* IRQ 0 to 15 */

#endif
