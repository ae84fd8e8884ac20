/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes the whole disk and reads it back. On a host whose disk is too small for that, the machine
 * pauses in the middle; when there is room again, it goes on and nothing is missing.
 */
#include "runtime/disk.h"

#define CHUNK_MAX    (64 << 10)
#define NO_INTERRUPT 0

static struct disk disk;
static uint32_t *chunk, chunk_bytes;

static uint32_t word_of(uint32_t sector, size_t i)
{
    return (sector + 1) * 2654435761u + (uint32_t)i;
}

static void fills_the_disk(void)
{
    CHECK(disk_open(&disk, NO_INTERRUPT));
    CHECK(disk_start(&disk, false));
    chunk_bytes = disk_transfer_max(&disk) < CHUNK_MAX ? disk_transfer_max(&disk) : CHUNK_MAX;
    for (uint32_t sector = 0; sector < DISK_SECTORS; sector += chunk_bytes / 512) {
        for (size_t i = 0; i < chunk_bytes / sizeof(uint32_t); i++) {
            chunk[i] = word_of(sector, i);
        }
        CHECK(disk_transfer(&disk, true, sector, (uint64_t)chunk, chunk_bytes));
    }
}

static void reads_it_back(void)
{
    for (uint32_t sector = 0; sector < DISK_SECTORS; sector += chunk_bytes / 512) {
        memset(chunk, 0, chunk_bytes);
        CHECK(disk_transfer(&disk, false, sector, (uint64_t)chunk, chunk_bytes));
        for (size_t i = 0; i < chunk_bytes / sizeof(uint32_t); i++) {
            CHECK_EQ(chunk[i], word_of(sector, i));
        }
    }
}

void guest_main(void)
{
    chunk = buffer_alloc(CHUNK_MAX, 4096);
    RUN(fills_the_disk);
    RUN(reads_it_back);
}
