/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a test guest keeps what, in guest physical memory. Shared by C, assembly and the linker
 * script, so it holds plain macros only. Everything is identity mapped.
 */
#ifndef GUEST_LAYOUT_H
#define GUEST_LAYOUT_H

#define LAYOUT_RESET_RECORD 0x600   /* registers found at reset, survives into C */
#define LAYOUT_BOOT_STACK   0x7000  /* until the first C function runs */
#define LAYOUT_TRAMPOLINE   0x8000  /* first code of an application processor; SIPI vector 8 */
#define LAYOUT_PML4         0x10000 /* page tables: one PML4, one PDPT, */
#define LAYOUT_PDPT         0x11000
#define LAYOUT_PD           0x12000 /* four page directories of 2 MiB pages for 0 - 4 GiB, */
#define LAYOUT_PD_MORE      0x16000 /* and room for directories of memory above it */
#define LAYOUT_PD_END       0x60000
#define LAYOUT_SURVIVING    0x60000 /* 4 KiB that the runtime never clears, not even at reset */
#define LAYOUT_PROGRAM      0x100000
#define LAYOUT_BUFFERS      0x180000 /* handed out by buffer_alloc() */
#define LAYOUT_CPU_AREAS    0x200000 /* one area of LAYOUT_CPU_AREA bytes for each processor */
#define LAYOUT_CPU_AREA     0x8000   /* aligned to its size: struct cpu, then the two stacks */
#define LAYOUT_FREE         0x400000 /* from here on the guest program does as it likes */
#define LAYOUT_MAX_CPUS     64
#define LAYOUT_ROM          0xFFFF0000 /* the 64 KiB firmware image */
#define LAYOUT_ROM_BOOT     0xFFFFF000

#endif
