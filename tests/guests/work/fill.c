/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes the whole disk and reads it back. On a host whose disk is too small for that, the machine
 * pauses in the middle; when there is room again, it goes on and nothing is missing.
 */
#include "runtime/ahci.h"
#include "runtime/board.h"

#define DISK_SECTORS  32768
#define CHUNK_SECTORS 128
#define WORDS         (CHUNK_SECTORS * 512 / sizeof(uint32_t))

static struct ahci_port disk;
static uint32_t *chunk;

static uint32_t word_of(uint32_t sector, size_t i)
{
    return (sector + 1) * 2654435761u + (uint32_t)i;
}

static void fills_the_disk(void)
{
    CHECK(ahci_open(&disk, 0));
    for (uint32_t sector = 0; sector < DISK_SECTORS; sector += CHUNK_SECTORS) {
        for (size_t i = 0; i < WORDS; i++) {
            chunk[i] = word_of(sector, i);
        }
        CHECK(ahci_transfer(&disk, true, sector, CHUNK_SECTORS, (uint64_t)chunk));
    }
}

static void reads_it_back(void)
{
    for (uint32_t sector = 0; sector < DISK_SECTORS; sector += CHUNK_SECTORS) {
        memset(chunk, 0, WORDS * sizeof(uint32_t));
        CHECK(ahci_transfer(&disk, false, sector, CHUNK_SECTORS, (uint64_t)chunk));
        for (size_t i = 0; i < WORDS; i++) {
            CHECK_EQ(chunk[i], word_of(sector, i));
        }
    }
}

void guest_main(void)
{
    chunk = buffer_alloc(WORDS * sizeof(uint32_t), 4096);
    RUN(fills_the_disk);
    RUN(reads_it_back);
}
