/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blocks are aligned to 2 MiB, so that the host can back them by huge pages, and lie between two
 * inaccessible stretches of as much, so that an overrun of ours cannot reach other memory.
 */
#include "memory/ram.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "boot/boot.h"
#include "config/config.h"

#define HUGE_PAGE (UINT64_C(2) << 20)

static uint64_t huge_round(uint64_t size)
{
    return (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
}

static uint8_t *block_map(uint64_t size)
{
    uint64_t span = huge_round(size) + 3 * HUGE_PAGE;
    uint8_t *start =
        mmap(NULL, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint8_t *block, *end;

    if (start == MAP_FAILED) {
        return NULL;
    }
    block = (uint8_t *)(uintptr_t)huge_round((uintptr_t)start + HUGE_PAGE);
    end = block + huge_round(size) + HUGE_PAGE;
    if (block - HUGE_PAGE > start) {
        munmap(start, (size_t)(block - HUGE_PAGE - start));
    }
    if (end < start + span) {
        munmap(end, (size_t)(start + span - end));
    }
    if (mprotect(block, size, PROT_READ | PROT_WRITE) != 0) {
        munmap(block - HUGE_PAGE, huge_round(size) + 2 * HUGE_PAGE);
        return NULL;
    }
    madvise(block, size, MADV_HUGEPAGE);
    madvise(block, size, MADV_DONTDUMP);
    return block;
}

static void block_unmap(uint8_t *block, uint64_t size)
{
    if (block) {
        munmap(block - HUGE_PAGE, huge_round(size) + 2 * HUGE_PAGE);
    }
}

bool ram_init(struct ram *ram, uint64_t size, GError **error)
{
    uint64_t low = boot_ram_low(size);

    *ram = (struct ram){ .low_size = low, .high_size = size - low };
    ram->low = block_map(ram->low_size);
    if (ram->low && ram->high_size > 0) {
        ram->high = block_map(ram->high_size);
    }
    if (!ram->low || (ram->high_size > 0 && !ram->high)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NO_SPACE,
                    "The computer cannot give this machine %" G_GUINT64_FORMAT
                    " MiB of memory (%s). Choose less memory for the machine.",
                    size >> 20, g_strerror(errno));
        ram_destroy(ram);
        return false;
    }
    return true;
}

void ram_destroy(struct ram *ram)
{
    block_unmap(ram->low, ram->low_size);
    block_unmap(ram->high, ram->high_size);
    *ram = (struct ram){ 0 };
}

void *ram_at(const struct ram *ram, uint64_t gpa, size_t *length)
{
    uint64_t offset = gpa, left;

    if (gpa < RAM_VGA_START) {
        left = RAM_VGA_START - gpa;
    } else if (gpa >= RAM_VGA_END && gpa < ram->low_size) {
        left = ram->low_size - gpa;
    } else if (gpa >= RAM_HIGH_BASE && gpa - RAM_HIGH_BASE < ram->high_size) {
        offset = gpa - RAM_HIGH_BASE;
        left = ram->high_size - offset;
        *length = *length < left ? *length : left;
        return ram->high + offset;
    } else {
        *length = 0;
        return NULL;
    }
    *length = *length < left ? *length : left;
    return ram->low + offset;
}

bool ram_read(const struct ram *ram, uint64_t gpa, void *destination, size_t length)
{
    size_t got = length;
    const void *at = ram_at(ram, gpa, &got);

    if (!at || got < length) {
        return false;
    }
    memcpy(destination, at, length);
    return true;
}

bool ram_write(const struct ram *ram, uint64_t gpa, const void *source, size_t length)
{
    size_t got = length;
    void *at = ram_at(ram, gpa, &got);

    if (!at || got < length) {
        return false;
    }
    memcpy(at, source, length);
    return true;
}

void ram_discard(const struct ram *ram, uint64_t gpa, uint64_t length)
{
    const uint64_t page = 4096;
    uint64_t first, end;

    if (__builtin_add_overflow(gpa, page - 1, &first) ||
        __builtin_add_overflow(gpa, length, &end)) {
        return;
    }
    first &= ~(page - 1);
    end &= ~(page - 1);
    while (first < end) {
        size_t piece = end - first;
        void *at = ram_at(ram, first, &piece);

        if (!at) {
            return;
        }
        madvise(at, piece, MADV_DONTNEED);
        first += piece;
    }
}
