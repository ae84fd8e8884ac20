/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The GUID partition table (UEFI 2.10, chapter 5.3): a header in sector 1 and its entries, and a
 * copy of both at the disk's end, the header in the last sector. Sector 0 is an MBR with one entry
 * that covers the disk.
 *
 * The copy is written first and made durable, at the disk's new end, while the primary table still
 * says what it did. Then the primary one, header and entries together, with the MBR. What was torn
 * meanwhile is the one of the two that its checksum refuses; the other one is whole. A primary
 * table that is refused is restored from the copy before anything else is written.
 */
#include <string.h>
#include <zlib.h>

#include "bytes.h"
#include "partitions_private.h"

enum {
    HEADER_REVISION = 8,
    HEADER_SIZE = 12,
    HEADER_CRC = 16,
    HEADER_MY_LBA = 24,
    HEADER_ALTERNATE_LBA = 32,
    HEADER_FIRST_USABLE = 40,
    HEADER_LAST_USABLE = 48,
    HEADER_ENTRIES_LBA = 72,
    HEADER_ENTRIES = 80,
    HEADER_ENTRY_SIZE = 84,
    HEADER_ENTRIES_CRC = 88,
    HEADER_SIZE_MIN = 92,
    REVISION = 0x00010000,
    ENTRY = 128,
    ENTRY_FIRST = 32,
    ENTRY_LAST = 40,
    ENTRIES_MAX = 1024,
    GUID = 16,
    PRIMARY = 1,         /* the sector of its header */
    PRIMARY_ENTRIES = 2, /* where they begin, if a lost header does not say it */
    SECTORS_MIN = 8,
};

static const char signature[8] = { 'E', 'F', 'I', ' ', 'P', 'A', 'R', 'T' };

/* What partitions are by their type, as it stands in an entry. */
static const struct {
    uint8_t type[GUID];
    enum partition_content content;
} types[] = {
    /* EFI system */
    { { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9,
        0x3b },
      PARTITION_RESERVED },
    /* Microsoft reserved */
    { { 0x16, 0xe3, 0xc9, 0xe3, 0x5c, 0x0b, 0xb8, 0x4d, 0x81, 0x7d, 0xf9, 0x2d, 0xf0, 0x02, 0x15,
        0xae },
      PARTITION_RESERVED },
    /* BIOS boot */
    { { 0x48, 0x61, 0x68, 0x21, 0x49, 0x64, 0x6f, 0x6e, 0x74, 0x4e, 0x65, 0x65, 0x64, 0x45, 0x46,
        0x49 },
      PARTITION_RESERVED },
    /* Windows recovery */
    { { 0xa4, 0xbb, 0x94, 0xde, 0xd1, 0x06, 0x40, 0x4d, 0xa1, 0x6a, 0xbf, 0xd5, 0x01, 0x79, 0xd6,
        0xac },
      PARTITION_RESERVED },
    /* Linux RAID */
    { { 0x0f, 0x88, 0x9d, 0xa1, 0xfc, 0x05, 0x3b, 0x4d, 0xa0, 0x06, 0x74, 0x3f, 0x0f, 0x84, 0x91,
        0x1e },
      PARTITION_RAID },
    /* Linux swap */
    { { 0x6d, 0xfd, 0x57, 0x06, 0xab, 0xa4, 0xc4, 0x43, 0x84, 0xe5, 0x09, 0x33, 0xc8, 0x4b, 0x4f,
        0x4f },
      PARTITION_SWAP },
};

/* Metadata and data of Windows' Logical Disk Manager, whose database has the sizes once more. */
static const uint8_t dynamic_types[][GUID] = {
    { 0xaa, 0xc8, 0x08, 0x58, 0x8f, 0x7e, 0xe0, 0x42, 0x85, 0xd2, 0xe1, 0xe9, 0x04, 0x34, 0xcf,
      0xb3 },
    { 0xa0, 0x60, 0x9b, 0xaf, 0x31, 0x14, 0x62, 0x4f, 0xbc, 0x68, 0x33, 0x11, 0x71, 0x4a, 0x69,
      0xad },
};

static uint32_t checksum(const uint8_t *bytes, size_t n)
{
    return (uint32_t)crc32(0, bytes, (uInt)n);
}

void gpt_clear(struct gpt *gpt)
{
    g_clear_pointer(&gpt->entries, g_free);
}

int gpt_is_marked(struct image *image, bool *marked)
{
    uint8_t bytes[IMAGE_SECTOR];
    int result = 0;

    *marked = false;
    if (image_sectors(image) > PRIMARY) {
        result = image_read(image, sector_offset(PRIMARY), bytes, sizeof(bytes));
        *marked = result == 0 && memcmp(bytes, signature, sizeof(signature)) == 0;
    }
    return result;
}

/* --- Reading ---------------------------------------------------------------------------------- */

static bool header_is_valid(const uint8_t header[IMAGE_SECTOR], uint64_t lba)
{
    uint8_t copy[IMAGE_SECTOR];
    uint32_t size = load_le32(header + HEADER_SIZE);

    if (memcmp(header, signature, sizeof(signature)) != 0 ||
        load_le32(header + HEADER_REVISION) != REVISION || size < HEADER_SIZE_MIN ||
        size > IMAGE_SECTOR) {
        return false;
    }
    memcpy(copy, header, sizeof(copy));
    store_le32(copy + HEADER_CRC, 0);
    return load_le32(header + HEADER_CRC) == checksum(copy, size) &&
           load_le64(header + HEADER_MY_LBA) == lba;
}

/* The header in sector `lba` with its entries; *valid is false if they are not. */
static int table_read(struct image *image, uint64_t lba, struct gpt *gpt, bool *valid)
{
    int result = image_read(image, sector_offset(lba), gpt->header, sizeof(gpt->header));
    uint64_t at;
    size_t bytes;

    *valid = false;
    if (result < 0 || !header_is_valid(gpt->header, lba)) {
        return result;
    }
    at = load_le64(gpt->header + HEADER_ENTRIES_LBA);
    gpt->n_entries = load_le32(gpt->header + HEADER_ENTRIES);
    if (load_le32(gpt->header + HEADER_ENTRY_SIZE) != ENTRY || gpt->n_entries == 0 ||
        gpt->n_entries > ENTRIES_MAX) {
        return 0;
    }
    bytes = (size_t)gpt->n_entries * ENTRY;
    gpt->entries_sectors = (bytes + IMAGE_SECTOR - 1) / IMAGE_SECTOR;
    if (!range_fits(at, gpt->entries_sectors, image_sectors(image))) {
        return 0;
    }
    g_free(gpt->entries);
    gpt->entries = g_malloc(sector_offset(gpt->entries_sectors));
    result =
        image_read(image, sector_offset(at), gpt->entries, sector_offset(gpt->entries_sectors));
    gpt->entries_lba = at;
    *valid =
        result == 0 && checksum(gpt->entries, bytes) == load_le32(gpt->header + HEADER_ENTRIES_CRC);
    return result;
}

static uint8_t *entry_of(const struct gpt *gpt, unsigned index)
{
    return gpt->entries + (size_t)index * ENTRY;
}

static bool is_used(const struct gpt *gpt, unsigned index)
{
    static const uint8_t none[GUID];

    return memcmp(entry_of(gpt, index), none, GUID) != 0;
}

static bool is_dynamic(const struct gpt *gpt, unsigned index)
{
    for (size_t i = 0; i < G_N_ELEMENTS(dynamic_types); i++) {
        if (memcmp(entry_of(gpt, index), dynamic_types[i], GUID) == 0) {
            return true;
        }
    }
    return false;
}

/* The table, and its copy at the disk's end, have room, and every partition lies between them. */
static bool places_are_valid(const struct gpt *gpt, uint64_t sectors)
{
    uint64_t first = load_le64(gpt->header + HEADER_FIRST_USABLE);
    uint64_t last = load_le64(gpt->header + HEADER_LAST_USABLE);
    uint64_t backup = sectors - PRIMARY - gpt->entries_sectors;

    if (gpt->entries_lba < PRIMARY_ENTRIES || gpt->entries_lba > first ||
        first - gpt->entries_lba < gpt->entries_sectors || backup <= first) {
        return false;
    }
    for (unsigned i = 0; i < gpt->n_entries; i++) {
        uint64_t begins = load_le64(entry_of(gpt, i) + ENTRY_FIRST);
        uint64_t ends = load_le64(entry_of(gpt, i) + ENTRY_LAST);

        if (is_used(gpt, i) && (begins < first || ends < begins || ends > last || ends >= backup ||
                                is_dynamic(gpt, i))) {
            return false;
        }
    }
    return true;
}

static int by_start(const void *a, const void *b)
{
    uint64_t first = load_le64(*(const uint8_t *const *)a + ENTRY_FIRST);
    uint64_t second = load_le64(*(const uint8_t *const *)b + ENTRY_FIRST);

    return (first > second) - (first < second);
}

/* The last partition. False if two share a sector. */
static bool last_find(struct gpt *gpt)
{
    g_autofree const uint8_t **used = g_new(const uint8_t *, gpt->n_entries);
    unsigned n = 0;

    for (unsigned i = 0; i < gpt->n_entries; i++) {
        if (is_used(gpt, i)) {
            used[n++] = entry_of(gpt, i);
        }
    }
    qsort(used, n, sizeof(used[0]), by_start);
    for (unsigned i = 1; i < n; i++) {
        if (load_le64(used[i] + ENTRY_FIRST) <= load_le64(used[i - 1] + ENTRY_LAST)) {
            return false;
        }
    }
    if (n > 0) {
        gpt->last_index = (unsigned)((used[n - 1] - gpt->entries) / ENTRY);
        gpt->last.number = gpt->last_index + 1;
        gpt->last.start = load_le64(used[n - 1] + ENTRY_FIRST);
        gpt->last.sectors = load_le64(used[n - 1] + ENTRY_LAST) - gpt->last.start + 1;
        for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
            if (memcmp(used[n - 1], types[i].type, GUID) == 0) {
                gpt->last.by_type = types[i].content;
            }
        }
    }
    return true;
}

int gpt_load(struct image *image, struct gpt *gpt, bool *known)
{
    uint64_t sectors = image_sectors(image);
    int result;

    *gpt = (struct gpt){ .n_entries = 0 };
    *known = false;
    if (sectors < SECTORS_MIN) {
        return 0;
    }
    result = table_read(image, PRIMARY, gpt, known);
    if (result == 0 && !*known) {
        result = table_read(image, sectors - 1, gpt, known);
        gpt->primary_lost = true;
        gpt->entries_lba = PRIMARY_ENTRIES;
    }
    if (result < 0 || !*known) {
        *known = false;
        return result;
    }
    *known = sectors > PRIMARY + gpt->entries_sectors && places_are_valid(gpt, sectors) &&
             last_find(gpt);
    gpt->last.end_max = sectors - PRIMARY - gpt->entries_sectors;
    return 0;
}

/* --- Writing ---------------------------------------------------------------------------------- */

/* Gives the header to sector `mine`, with its entries from `entries_lba` on. */
static void header_seal(struct gpt *gpt, uint64_t mine, uint64_t alternate, uint64_t entries_lba)
{
    uint8_t *header = gpt->header;

    store_le64(header + HEADER_MY_LBA, mine);
    store_le64(header + HEADER_ALTERNATE_LBA, alternate);
    store_le64(header + HEADER_LAST_USABLE, gpt->last.end_max - 1);
    store_le64(header + HEADER_ENTRIES_LBA, entries_lba);
    store_le32(header + HEADER_ENTRIES_CRC, checksum(gpt->entries, (size_t)gpt->n_entries * ENTRY));
    store_le32(header + HEADER_CRC, 0);
    store_le32(header + HEADER_CRC, checksum(header, load_le32(header + HEADER_SIZE)));
}

/* Entries, then the header, in one piece. */
static int backup_write(struct image *image, struct gpt *gpt)
{
    uint64_t last = image_sectors(image) - 1, at = last - gpt->entries_sectors;
    size_t length = sector_offset(gpt->entries_sectors);
    g_autofree uint8_t *bytes = g_malloc(length + IMAGE_SECTOR);
    int result;

    header_seal(gpt, last, PRIMARY, at);
    memcpy(bytes, gpt->entries, length);
    memcpy(bytes + length, gpt->header, IMAGE_SECTOR);
    result = image_write(image, sector_offset(at), bytes, length + IMAGE_SECTOR);
    return result == 0 ? image_flush(image) : result;
}

/* MBR, header and entries; in one piece, where the entries stand where they usually do. */
static int primary_write(struct image *image, struct gpt *gpt)
{
    uint64_t sectors = image_sectors(image);
    size_t length = sector_offset(gpt->entries_sectors), head = sector_offset(PRIMARY_ENTRIES);
    g_autofree uint8_t *bytes = g_malloc(head + length);
    bool together = gpt->entries_lba == PRIMARY_ENTRIES;
    int result = image_read(image, 0, bytes, IMAGE_SECTOR);

    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        if (mbr_entry(bytes, i).type) {
            mbr_entry_set_sectors(bytes, i, PRIMARY, MIN(sectors - PRIMARY, UINT32_MAX));
        }
    }
    header_seal(gpt, PRIMARY, sectors - 1, gpt->entries_lba);
    memcpy(bytes + sector_offset(PRIMARY), gpt->header, IMAGE_SECTOR);
    memcpy(bytes + head, gpt->entries, length);
    if (result == 0 && !together) {
        result = image_write(image, sector_offset(gpt->entries_lba), bytes + head, length);
    }
    if (result == 0) {
        result = image_write(image, 0, bytes, together ? head + length : head);
    }
    return result == 0 ? image_flush(image) : result;
}

int gpt_grow(struct image *image, struct gpt *gpt, uint64_t end)
{
    int result = gpt->primary_lost ? primary_write(image, gpt) : 0;

    store_le64(entry_of(gpt, gpt->last_index) + ENTRY_LAST, end - 1);
    if (result == 0) {
        result = backup_write(image, gpt);
    }
    return result == 0 ? primary_write(image, gpt) : result;
}
