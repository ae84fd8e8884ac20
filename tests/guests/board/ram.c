/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory map of fw_cfg is true: it holds as much memory as the machine has, and the ends of
 * each range are memory of their own.
 */
#include "runtime/board.h"
#include "runtime/ahci.h"
#include "runtime/cpu.h"
#include "runtime/fwcfg.h"
#include "runtime/layout.h"

#define RANGES   16
#define PAGE     4096u
#define FOUR_GIB 0x100000000ull

static struct e820_entry ranges[RANGES];
static unsigned range_count;

static void map_is_orderly(void)
{
    range_count = fwcfg_e820(ranges, RANGES);
    CHECK(range_count >= 1 && range_count <= RANGES);
    for (unsigned i = 0; i < range_count; i++) {
        CHECK(ranges[i].size > 0);
        CHECK(ranges[i].start + ranges[i].size > ranges[i].start);
        for (unsigned j = 0; j < i; j++)
            CHECK(ranges[i].start + ranges[i].size <= ranges[j].start ||
                  ranges[j].start + ranges[j].size <= ranges[i].start);
    }
}

static void sum_is_the_memory_of_the_machine(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < range_count; i++) {
        if (ranges[i].type == E820_RAM)
            sum += ranges[i].size;
    }
    CHECK_EQ(sum, fwcfg_number(FWCFG_RAM_SIZE, 8));
}

static void low_memory_leaves_room_for_devices(void)
{
    for (unsigned i = 0; i < range_count; i++) {
        if (ranges[i].type == E820_RAM && ranges[i].start < FOUR_GIB)
            CHECK(ranges[i].start + ranges[i].size <= BOARD_ECAM_BASE);
    }
}

static volatile uint64_t *word(uint64_t address)
{
    if (address >= FOUR_GIB)
        cpu_map(address);
    return (volatile uint64_t *)address;
}

/* Addresses to try: both ends of every range, but none where this program lives. */
static unsigned list_addresses(uint64_t *addresses)
{
    unsigned count = 0;

    for (unsigned i = 0; i < range_count; i++) {
        uint64_t start = ranges[i].start, end = start + ranges[i].size;
        if (ranges[i].type != E820_RAM)
            continue;
        addresses[count++] = start ? start : LAYOUT_FREE;
        addresses[count++] = start + PAGE > LAYOUT_FREE ? start + PAGE : LAYOUT_FREE + PAGE;
        addresses[count++] = start + (ranges[i].size / 2 & ~7ull);
        addresses[count++] = end - PAGE;
        addresses[count++] = end - 8;
    }
    return count;
}

static uint64_t addresses[RANGES * 5];
static unsigned address_count;

static void ends_of_each_range_hold_data(void)
{
    address_count = list_addresses(addresses);
    for (unsigned i = 0; i < address_count; i++)
        *word(addresses[i]) = ~addresses[i];
    for (unsigned i = 0; i < address_count; i++)
        CHECK_EQ(*word(addresses[i]), ~addresses[i]);
    for (unsigned i = 0; i < address_count; i++)
        *word(addresses[i]) = addresses[i];
    for (unsigned i = 0; i < address_count; i++)
        CHECK_EQ(*word(addresses[i]), addresses[i]);
}

static void disk_reaches_all_memory(void)
{
    struct ahci_port disk = { 0 };
    uint8_t *pattern = buffer_alloc(512, 512);

    for (unsigned i = 0; i < 512; i++)
        pattern[i] = (uint8_t)(i * 7 + 3);
    CHECK(ahci_open(&disk, 0));
    CHECK(ahci_transfer(&disk, true, 7, 1, (uint64_t)pattern));
    for (unsigned i = 0; i < address_count; i++) {
        uint64_t address = addresses[i] & ~511ull;
        memset((void *)word(address), 0, 512);
        CHECK(ahci_transfer(&disk, false, 7, 1, address));
        CHECK(!memcmp((const void *)word(address), pattern, 512));
    }
}

static void fwcfg_reaches_all_memory(void)
{
    for (unsigned i = 0; i < address_count; i++) {
        *word(addresses[i]) = 0;
        CHECK_EQ(fwcfg_dma(FWCFG_DMA_SELECT | FWCFG_DMA_READ, FWCFG_SIGNATURE, addresses[i], 4), 0);
        CHECK_EQ(*word(addresses[i]), 0x554D4551);
    }
}

static void dma_ends_where_memory_does(void)
{
    uint64_t end = 0;

    for (unsigned i = 0; i < range_count; i++) {
        if (ranges[i].type == E820_RAM && ranges[i].start + ranges[i].size > end)
            end = ranges[i].start + ranges[i].size;
    }
    CHECK_EQ(fwcfg_dma(FWCFG_DMA_SELECT | FWCFG_DMA_READ, FWCFG_SIGNATURE, end, 4),
             FWCFG_DMA_ERROR);
    CHECK_EQ(fwcfg_dma(FWCFG_DMA_SELECT | FWCFG_DMA_READ, FWCFG_SIGNATURE, end - 2, 4),
             FWCFG_DMA_ERROR);
}

void guest_main(void)
{
    RUN(map_is_orderly);
    RUN(sum_is_the_memory_of_the_machine);
    RUN(low_memory_leaves_room_for_devices);
    RUN(ends_of_each_range_hold_data);
    RUN(disk_reaches_all_memory);
    RUN(fwcfg_reaches_all_memory);
    RUN(dma_ends_where_memory_does);
}
