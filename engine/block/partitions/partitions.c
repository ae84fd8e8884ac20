/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See partitions.h. */
#include "partitions_private.h"

/* What was read of a disk's table; at most one of both. */
struct table {
    enum partition_table kind;
    struct mbr mbr;
    struct gpt gpt;
};

const char *partition_content_name(enum partition_content content)
{
    static const char *const names[PARTITION_CONTENTS] = {
        [PARTITION_UNKNOWN] = "unknown", [PARTITION_EXT] = "ext",
        [PARTITION_XFS] = "xfs",         [PARTITION_BTRFS] = "btrfs",
        [PARTITION_NTFS] = "ntfs",       [PARTITION_UFS] = "ufs",
        [PARTITION_LVM] = "lvm",         [PARTITION_LUKS] = "luks",
        [PARTITION_FAT] = "fat",         [PARTITION_SWAP] = "swap",
        [PARTITION_RAID] = "raid",       [PARTITION_RESERVED] = "reserved",
    };

    return names[content];
}

const char *partition_table_name(enum partition_table table)
{
    static const char *const names[] = {
        [PARTITION_TABLE_NONE] = "none",
        [PARTITION_TABLE_MBR] = "mbr",
        [PARTITION_TABLE_GPT] = "gpt",
        [PARTITION_TABLE_UNKNOWN] = "unknown",
    };

    return names[table];
}

static enum partition_table if_known(bool known, enum partition_table kind)
{
    return known ? kind : PARTITION_TABLE_UNKNOWN;
}

/* gpt_clear(&table->gpt) after it, whatever it returns. */
static int table_load(struct image *image, struct table *table)
{
    uint8_t sector[IMAGE_SECTOR];
    bool marked = false, known = false;
    enum mbr_kind kind;
    int result = 0;

    *table = (struct table){ .kind = PARTITION_TABLE_NONE };
    if (image->size < IMAGE_SECTOR) {
        return 0;
    }
    result = image_read(image, 0, sector, sizeof(sector));
    if (result == 0) {
        result = gpt_is_marked(image, &marked);
    }
    if (result < 0) {
        return result;
    }
    kind = mbr_kind(sector);
    if (kind == MBR_PROTECTIVE) {
        result = gpt_load(image, &table->gpt, &known);
        table->kind = if_known(known, PARTITION_TABLE_GPT);
    } else if (marked || kind == MBR_UNKNOWN) {
        table->kind = PARTITION_TABLE_UNKNOWN;
    } else if (kind == MBR_PLAIN) {
        result = mbr_load(image, &table->mbr, &known);
        table->kind = if_known(known, PARTITION_TABLE_MBR);
    }
    return result;
}

static const struct partition_place *place_of(const struct table *table)
{
    return table->kind == PARTITION_TABLE_GPT   ? &table->gpt.last
           : table->kind == PARTITION_TABLE_MBR ? &table->mbr.last
                                                : NULL;
}

static int last_fill(struct image *image, const struct table *table, struct partition_last *last)
{
    const struct partition_place *place = place_of(table);
    uint64_t end;

    *last = (struct partition_last){ .table = table->kind };
    if (table->kind == PARTITION_TABLE_NONE) {
        return partition_content_look(image, 0, image->size, &last->content);
    }
    if (!place || place->number == 0) {
        return 0;
    }
    end = place->end_max / PARTITION_ALIGN * PARTITION_ALIGN;
    last->number = place->number;
    last->offset = sector_offset(place->start);
    last->length = sector_offset(place->sectors);
    last->length_max =
        MAX(last->length, sector_offset(end) - MIN(last->offset, sector_offset(end)));
    last->torn = table->kind == PARTITION_TABLE_GPT && table->gpt.primary_lost;
    last->content = place->by_type;
    return place->by_type == PARTITION_UNKNOWN
               ? partition_content_look(image, last->offset, last->length, &last->content)
               : 0;
}

int partitions_look(struct image *image, struct partition_last *last)
{
    struct table table;
    int result = table_load(image, &table);

    *last = (struct partition_last){ .table = table.kind };
    if (result == 0) {
        result = last_fill(image, &table, last);
    }
    gpt_clear(&table.gpt);
    return result;
}

bool partition_can_grow(const struct partition_last *last)
{
    return last->number > 0 && (last->length_max > last->length || last->torn) &&
           last->content > PARTITION_UNKNOWN && last->content < PARTITION_FAT;
}

int partitions_grow(struct image *image, struct partition_last *last)
{
    struct table table;
    int result = table_load(image, &table);

    *last = (struct partition_last){ .table = table.kind };
    if (result == 0) {
        result = last_fill(image, &table, last);
    }
    if (result == 0 && partition_can_grow(last)) {
        uint64_t end = (last->offset + last->length_max) / IMAGE_SECTOR;

        result = table.kind == PARTITION_TABLE_GPT ? gpt_grow(image, &table.gpt, end)
                                                   : mbr_grow(image, &table.mbr, end);
        if (result == 0) {
            last->length = last->length_max;
            last->torn = false;
        }
    }
    gpt_clear(&table.gpt);
    return result;
}
