/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Page tables of the guest's own take effect: permissions, changes, small pages, aliases. */
#include "runtime/cpu.h"
#include "io.h"
#include "runtime/layout.h"

/* The window of these tests: the second entry of the PML4, 512 GiB. */
#define WINDOW        0x8000000000ull
#define UNMAPPED      0x10000000000ull
#define PRESENT       0x01u
#define WRITABLE      0x02u
#define USER          0x04u
#define ACCESSED      0x20u
#define DIRTY         0x40u
#define NO_EXECUTE    (1ull << 63)
#define HPET          0xFED00000u

#define ERROR_PRESENT 1u
#define ERROR_WRITE   2u
#define ERROR_USER    4u
#define ERROR_FETCH   16u

static volatile uint64_t *entries; /* 512 pages of 4 KiB from WINDOW on */
static uint8_t *frames;            /* four pages of memory */

static uint64_t flush(uint64_t unused)
{
    __asm__ volatile("movq %%cr3, %%rax; movq %%rax, %%cr3" : : : "rax", "memory");
    return unused;
}

static uint64_t flush_page(uint64_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
    return 0;
}

static uint64_t frame(unsigned number)
{
    return (uint64_t)frames + 4096ull * number;
}

static void map(unsigned page, uint64_t entry)
{
    entries[page] = entry;
    ring0(flush_page, WINDOW + 4096ull * page);
}

static void setup(void)
{
    uint64_t *pdpt = buffer_alloc(4096, 4096), *directory = buffer_alloc(4096, 4096);

    entries = buffer_alloc(4096, 4096);
    frames = buffer_alloc(4 * 4096, 4096);
    directory[0] = (uint64_t)entries | PRESENT | WRITABLE | USER;
    pdpt[0] = (uint64_t)directory | PRESENT | WRITABLE | USER;
    ((volatile uint64_t *)LAYOUT_PML4)[1] = (uint64_t)pdpt | PRESENT | WRITABLE | USER;
    ring0(flush, 0);
}

static void read_it(uint64_t address)
{
    read64(address);
}

static void write_it(uint64_t address)
{
    write64(address, 1);
}

static void call_it(uint64_t address)
{
    ((void (*)(void))address)();
}

/* The error code of the page fault that a function causes, or -1. */
static int64_t page_fault(void (*function)(uint64_t), uint64_t address)
{
    static uint64_t error;
    int vector = fault_error_of(function, address, &error);

    return vector == 14 ? (int64_t)error : -1;
}

static void absent_page_faults(void)
{
    CHECK_EQ((uint64_t)page_fault(read_it, UNMAPPED), ERROR_USER);
    CHECK_EQ((uint64_t)page_fault(write_it, UNMAPPED), ERROR_USER | ERROR_WRITE);
    CHECK_EQ((uint64_t)page_fault(read_it, WINDOW), ERROR_USER);
}

static void small_pages_reach_their_frames(void)
{
    map(0, frame(0) | PRESENT | WRITABLE | USER);
    map(1, frame(2) | PRESENT | WRITABLE | USER);
    write64(WINDOW, 0x1111);
    write64(WINDOW + 4096, 0x2222);
    CHECK_EQ(read64(frame(0)), 0x1111);
    CHECK_EQ(read64(frame(2)), 0x2222);
}

static void an_access_may_cross_pages(void)
{
    write64(WINDOW + 4092, 0x8877665544332211);
    CHECK_EQ(read32(frame(0) + 4092), 0x44332211);
    CHECK_EQ(read32(frame(2)), 0x88776655);
    CHECK_EQ(read64(WINDOW + 4092), 0x8877665544332211);
}

static void changes_take_effect(void)
{
    for (unsigned i = 0; i < 4; i++)
        write64(frame(i), 0x1000 + i);
    for (unsigned i = 0; i < 16; i++) {
        map(0, frame(i & 3) | PRESENT | WRITABLE | USER);
        CHECK_EQ(read64(WINDOW), 0x1000 + (i & 3));
    }
}

static void protection_holds(void)
{
    map(0, frame(0) | PRESENT | USER);
    read_it(WINDOW);
    CHECK_EQ((uint64_t)page_fault(write_it, WINDOW), ERROR_PRESENT | ERROR_WRITE | ERROR_USER);
    map(0, frame(0) | PRESENT | WRITABLE);
    CHECK_EQ((uint64_t)page_fault(read_it, WINDOW), ERROR_PRESENT | ERROR_USER);
}

static void use_is_recorded(void)
{
    map(0, frame(0) | PRESENT | WRITABLE | USER);
    read_it(WINDOW);
    CHECK_EQ(entries[0] & (ACCESSED | DIRTY), ACCESSED);
    write_it(WINDOW);
    CHECK_EQ(entries[0] & (ACCESSED | DIRTY), ACCESSED | DIRTY);
    map(0, frame(0) | PRESENT | WRITABLE | USER);
    read_it(WINDOW);
    CHECK_EQ(entries[0] & (ACCESSED | DIRTY), ACCESSED);
}

static void data_does_not_execute(void)
{
    *(volatile uint8_t *)frame(0) = 0xC3; /* RET */
    map(0, frame(0) | PRESENT | WRITABLE | USER);
    call_it(WINDOW);
    cpu_write_msr(0xC0000080, cpu_read_msr(0xC0000080) | 0x800); /* EFER.NXE */
    map(0, frame(0) | PRESENT | WRITABLE | USER | NO_EXECUTE);
    read_it(WINDOW);
    CHECK_EQ((uint64_t)page_fault(call_it, WINDOW), ERROR_PRESENT | ERROR_USER | ERROR_FETCH);
}

static void registers_have_aliases(void)
{
    map(3, HPET | PRESENT | WRITABLE | USER);
    CHECK_EQ(read64(WINDOW + 3 * 4096), read64(HPET));
    map(3, frame(3) | PRESENT | WRITABLE | USER);
    write64(WINDOW + 3 * 4096, 0x3333);
    CHECK_EQ(read64(frame(3)), 0x3333);
}

void guest_main(void)
{
    setup();
    RUN(absent_page_faults);
    RUN(small_pages_reach_their_frames);
    RUN(an_access_may_cross_pages);
    RUN(changes_take_effect);
    RUN(protection_holds);
    RUN(use_is_recorded);
    if (cpu_id(0x80000001, 0).edx & 1u << 20)
        RUN(data_does_not_execute);
    RUN(registers_have_aliases);
}
