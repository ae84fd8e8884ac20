/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The master boot record and its chain of logical partitions. Sector 0 has four entries; one of
 * them may be an extended partition, which begins with a record of the same form. There the first
 * entry is a logical partition, relative to its record, and the second one the rest of the chain,
 * relative to the extended partition: the next record and its logical partition.
 *
 * A logical partition grows from the outside in: the extended partition, the entry that leads to
 * its record, then itself. Each is one sector, and durable before the next, so that at every moment
 * whatever lies in something does so wholly.
 */
#include <string.h>

#include "bytes.h"
#include "partitions_private.h"

enum {
    SIGNATURE = 510,
    ENTRY_STATUS = 0,
    ENTRY_TYPE = 4,
    ENTRY_END_CHS = 5,
    ENTRY_START = 8,
    ENTRY_SECTORS = 12,
    STATUS_ACTIVE = 0x80,
    CHAIN_MAX = 128,
    FIRST_LOGICAL = 5, /* its number */
    HEADS = 255,
    TRACK = 63, /* sectors */
    CYLINDERS = 1024,
    TYPE_EXTENDED = 0x05,
    TYPE_EXTENDED_LBA = 0x0f,
    TYPE_EXTENDED_LINUX = 0x85,
    TYPE_COMPAQ = 0x12,
    TYPE_RECOVERY = 0x27,
    TYPE_DYNAMIC = 0x42, /* the disk has a database of Windows' Logical Disk Manager */
    TYPE_SWAP = 0x82,
    TYPE_PROTECTIVE = 0xee,
    TYPE_EFI = 0xef,
    TYPE_RAID = 0xfd,
};

#define SECTORS_MAX (UINT64_C(1) << 32) /* what an MBR can speak of */

/* --- Entries ---------------------------------------------------------------------------------- */

struct mbr_entry mbr_entry(const uint8_t sector[IMAGE_SECTOR], unsigned index)
{
    const uint8_t *bytes = sector + MBR_TABLE + (size_t)index * MBR_ENTRY;

    return (struct mbr_entry){
        .status = bytes[ENTRY_STATUS],
        .type = bytes[ENTRY_TYPE],
        .start = load_le32(bytes + ENTRY_START),
        .sectors = load_le32(bytes + ENTRY_SECTORS),
    };
}

/* Cylinder, head and sector as old firmware counts; the largest there is for what lies behind. */
static void chs_store(uint8_t chs[3], uint64_t sector)
{
    uint64_t cylinder = sector / (HEADS * TRACK);
    unsigned head = (unsigned)(sector / TRACK % HEADS), in_track = (unsigned)(sector % TRACK) + 1;

    if (cylinder >= CYLINDERS) {
        cylinder = CYLINDERS - 1;
        head = HEADS - 1;
        in_track = TRACK;
    }
    chs[0] = (uint8_t)head;
    chs[1] = (uint8_t)(in_track | (cylinder >> 8) << 6);
    chs[2] = (uint8_t)cylinder;
}

void mbr_entry_set_sectors(uint8_t sector[IMAGE_SECTOR], unsigned index, uint64_t start,
                           uint64_t sectors)
{
    uint8_t *bytes = sector + MBR_TABLE + (size_t)index * MBR_ENTRY;

    chs_store(bytes + ENTRY_END_CHS, start + sectors - 1);
    store_le32(bytes + ENTRY_SECTORS, (uint32_t)sectors);
}

static bool is_extended(uint8_t type)
{
    return type == TYPE_EXTENDED || type == TYPE_EXTENDED_LBA || type == TYPE_EXTENDED_LINUX;
}

static bool has_signature(const uint8_t sector[IMAGE_SECTOR])
{
    return sector[SIGNATURE] == 0x55 && sector[SIGNATURE + 1] == 0xaa;
}

enum mbr_kind mbr_kind(const uint8_t sector[IMAGE_SECTOR])
{
    unsigned used = 0, protective = 0;
    bool begins = false; /* where a GPT does */

    if (!has_signature(sector)) {
        return MBR_NONE;
    }
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        struct mbr_entry entry = mbr_entry(sector, i);

        if (entry.status & ~STATUS_ACTIVE) {
            return MBR_NONE; /* the code or the text of a file system's boot sector */
        }
        used += entry.type != 0;
        protective += entry.type == TYPE_PROTECTIVE;
        begins |= entry.type == TYPE_PROTECTIVE && entry.start == 1;
    }
    if (used == 0) {
        return MBR_NONE;
    }
    return protective == 0 ? MBR_PLAIN : used == 1 && begins ? MBR_PROTECTIVE : MBR_UNKNOWN;
}

static enum partition_content content_of_type(uint8_t type)
{
    switch (type) {
    case TYPE_SWAP:
        return PARTITION_SWAP;
    case TYPE_RAID:
        return PARTITION_RAID;
    case TYPE_COMPAQ:
    case TYPE_RECOVERY:
    case TYPE_EFI:
        return PARTITION_RESERVED;
    default:
        return PARTITION_UNKNOWN;
    }
}

static void step_add(struct mbr *mbr, uint64_t sector, unsigned entry, uint64_t start)
{
    mbr->steps[mbr->n_steps++] = (struct mbr_step){ sector, entry, start };
}

/* --- Logical partitions ----------------------------------------------------------------------- */

/* A record of the chain, and what it says. */
struct record {
    uint64_t sector;
    struct mbr_entry logical, next;
};

/* False if it is not one, or leads out of the extended partition, which ends before `end`. */
static bool record_parse(const uint8_t bytes[IMAGE_SECTOR], uint64_t end, struct record *record)
{
    const struct mbr_entry logical = mbr_entry(bytes, 0), next = mbr_entry(bytes, 1);

    if (!has_signature(bytes) || mbr_entry(bytes, 2).type || mbr_entry(bytes, 3).type ||
        (logical.status & ~STATUS_ACTIVE) || logical.type == 0 || is_extended(logical.type) ||
        logical.type == TYPE_DYNAMIC || (next.type != 0 && !is_extended(next.type))) {
        return false;
    }
    record->logical = logical;
    record->next = next;
    return logical.start > 0 && logical.sectors > 0 &&
           range_fits(record->sector + logical.start, logical.sectors, end);
}

/*
 * Follows the chain of the extended partition in entry `extended` of the MBR, which must go
 * forwards. What is found is the last link.
 */
static int chain_load(struct image *image, const struct mbr_entry *container, unsigned extended,
                      struct mbr *mbr, bool *known)
{
    uint64_t end = container->start + container->sectors;
    struct record record = { .sector = container->start };
    uint64_t leading = 0; /* the record whose second entry leads to this one; 0: none */

    *known = false;
    for (unsigned i = 0; i < CHAIN_MAX; i++) {
        uint8_t bytes[IMAGE_SECTOR];
        int result = image_read(image, sector_offset(record.sector), bytes, sizeof(bytes));
        uint64_t next;

        if (result < 0 || !record_parse(bytes, end, &record)) {
            return result;
        }
        next = container->start + record.next.start;
        if (record.next.type == 0) {
            step_add(mbr, 0, extended, container->start);
            if (leading > 0) {
                step_add(mbr, leading, 1, record.sector);
            }
            step_add(mbr, record.sector, 0, record.sector + record.logical.start);
            mbr->last.number = FIRST_LOGICAL + i;
            mbr->last.start = record.sector + record.logical.start;
            mbr->last.sectors = record.logical.sectors;
            mbr->last.by_type = content_of_type(record.logical.type);
            *known = true;
            return 0;
        }
        if (next < record.sector + record.logical.start + record.logical.sectors || next >= end) {
            return 0;
        }
        leading = record.sector;
        record.sector = next;
    }
    return 0;
}

/* --- The whole table -------------------------------------------------------------------------- */

static bool overlap(const struct mbr_entry *a, const struct mbr_entry *b)
{
    return a->start < b->start + b->sectors && b->start < a->start + a->sectors;
}

/* Every entry lies on the disk and none in another; *last is the index of the last one. */
static bool entries_check(const struct mbr_entry entries[MBR_ENTRIES], uint64_t sectors,
                          unsigned *last)
{
    unsigned extended = 0;
    bool found = false;

    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        if (entries[i].type == 0) {
            continue;
        }
        extended += is_extended(entries[i].type);
        if (entries[i].start == 0 || entries[i].sectors == 0 ||
            !range_fits(entries[i].start, entries[i].sectors, sectors) ||
            entries[i].type == TYPE_DYNAMIC) {
            return false;
        }
        for (unsigned j = 0; j < i; j++) {
            if (entries[j].type != 0 && overlap(&entries[i], &entries[j])) {
                return false;
            }
        }
        if (!found || entries[i].start > entries[*last].start) {
            *last = i;
        }
        found = true;
    }
    return found && extended <= 1;
}

int mbr_load(struct image *image, struct mbr *mbr, bool *known)
{
    uint64_t sectors = MIN(image_sectors(image), SECTORS_MAX);
    struct mbr_entry entries[MBR_ENTRIES];
    uint8_t bytes[IMAGE_SECTOR];
    unsigned last = 0;
    int result = image_read(image, 0, bytes, sizeof(bytes));

    *mbr = (struct mbr){ .n_steps = 0 };
    *known = false;
    for (unsigned i = 0; result == 0 && i < MBR_ENTRIES; i++) {
        entries[i] = mbr_entry(bytes, i);
    }
    if (result < 0 || !entries_check(entries, sectors, &last)) {
        return result;
    }
    mbr->last.end_max = sectors;
    if (is_extended(entries[last].type)) {
        return chain_load(image, &entries[last], last, mbr, known);
    }
    step_add(mbr, 0, last, entries[last].start);
    mbr->last.number = last + 1;
    mbr->last.start = entries[last].start;
    mbr->last.sectors = entries[last].sectors;
    mbr->last.by_type = content_of_type(entries[last].type);
    *known = true;
    return 0;
}

int mbr_grow(struct image *image, const struct mbr *mbr, uint64_t end)
{
    int result = 0;

    for (unsigned i = 0; result == 0 && i < mbr->n_steps; i++) {
        const struct mbr_step *step = &mbr->steps[i];
        uint8_t bytes[IMAGE_SECTOR];

        result = image_read(image, sector_offset(step->sector), bytes, sizeof(bytes));
        if (result == 0) {
            mbr_entry_set_sectors(bytes, step->entry, step->start, end - step->start);
            result = image_write(image, sector_offset(step->sector), bytes, sizeof(bytes));
        }
        if (result == 0) {
            result = image_flush(image);
        }
    }
    return result;
}
