/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of partitions/ have in common. Lengths are sectors of 512 bytes here. */
#ifndef ENGINE_BLOCK_PARTITIONS_PRIVATE_H
#define ENGINE_BLOCK_PARTITIONS_PRIVATE_H

#include "partitions.h"

enum {
    MBR_ENTRIES = 4,
    MBR_ENTRY = 16,
    MBR_TABLE = 446, /* where its entries begin */
    MBR_STEPS = 3,
    PARTITION_ALIGN = 2048, /* sectors: new ends lie on whole MiB */
};

/* The sector 0 of a disk, by its four entries. */
enum mbr_kind {
    MBR_NONE,
    MBR_PLAIN,
    MBR_PROTECTIVE, /* of a GPT, and nothing else */
    MBR_UNKNOWN,
};

/* One entry of an MBR or of a logical partition's record. */
struct mbr_entry {
    uint8_t status, type;
    uint64_t start, sectors; /* `start` as it stands there: relative to different things */
};

/* A partition that was found. */
struct partition_place {
    unsigned number;
    uint64_t start, sectors;
    uint64_t end_max;               /* sector behind the last one that it may have */
    enum partition_content by_type; /* what its type says; PARTITION_UNKNOWN: nothing */
};

/* An entry that must be changed, in this order, for a partition to grow. */
struct mbr_step {
    uint64_t sector;
    unsigned entry;
    uint64_t start; /* of what it describes, from the disk's beginning */
};

struct mbr {
    struct partition_place last;
    struct mbr_step steps[MBR_STEPS];
    unsigned n_steps;
};

struct gpt {
    struct partition_place last;
    uint8_t header[IMAGE_SECTOR]; /* of the primary one, or of its backup if that is lost */
    uint8_t *entries;             /* whole sectors */
    unsigned n_entries;
    uint64_t entries_sectors, entries_lba; /* of the primary one */
    unsigned last_index;
    bool primary_lost;
};

static inline uint64_t image_sectors(const struct image *image)
{
    return image->size / IMAGE_SECTOR;
}

static inline uint64_t sector_offset(uint64_t sector)
{
    return sector * IMAGE_SECTOR;
}

/* mbr.c */
enum mbr_kind mbr_kind(const uint8_t sector[IMAGE_SECTOR]);
struct mbr_entry mbr_entry(const uint8_t sector[IMAGE_SECTOR], unsigned index);
/* The sectors of an entry of an MBR that begins `start` from the disk's beginning. */
void mbr_entry_set_sectors(uint8_t sector[IMAGE_SECTOR], unsigned index, uint64_t start,
                           uint64_t sectors);
/* Of an MBR_PLAIN. *known is false if it is not understood. */
int mbr_load(struct image *image, struct mbr *mbr, bool *known);
/* The last partition ends before sector `end` then. */
int mbr_grow(struct image *image, const struct mbr *mbr, uint64_t end);

/* gpt.c; gpt_clear() after gpt_load(), whatever it returns. */
int gpt_load(struct image *image, struct gpt *gpt, bool *known);
int gpt_grow(struct image *image, struct gpt *gpt, uint64_t end);
void gpt_clear(struct gpt *gpt);
/* Whether sector 1 begins like a GPT. */
int gpt_is_marked(struct image *image, bool *marked);

/* content.c */
int partition_content_look(struct image *image, uint64_t offset, uint64_t length,
                           enum partition_content *content);

#endif
