/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The last partition of a disk: finding it, and making it reach to the disk's end after the disk
 * has grown. Tables are GPT (UEFI 2.10, chapter 5.3) and MBR with its chain of logical partitions,
 * both for sectors of 512 bytes.
 *
 * A table that is not wholly understood (damaged, overlapping, hybrid, dynamic disks of Windows) is
 * never written to. Nor is a partition grown whose content is not known to bear it: some have their
 * own tables at their end.
 *
 * Threads: any, alone with the image. Results are 0 or a negative errno value of image.h.
 */
#ifndef ENGINE_BLOCK_PARTITIONS_H
#define ENGINE_BLOCK_PARTITIONS_H

#include "../image.h"

enum partition_table {
    PARTITION_TABLE_NONE,    /* neither an MBR nor a GPT */
    PARTITION_TABLE_MBR,     /* valid */
    PARTITION_TABLE_GPT,     /* valid, or its backup is */
    PARTITION_TABLE_UNKNOWN, /* there is one, which is damaged or not understood */
};

enum partition_content {
    PARTITION_UNKNOWN, /* no mark that is known, or several */
    PARTITION_EXT,     /* ext2, ext3, ext4 */
    PARTITION_XFS,
    PARTITION_BTRFS,
    PARTITION_NTFS,
    PARTITION_UFS,
    PARTITION_LVM,
    PARTITION_LUKS,
    /* From here on they are not grown. */
    PARTITION_FAT,
    PARTITION_SWAP,
    PARTITION_RAID,
    PARTITION_RESERVED, /* by its type: EFI system, BIOS boot, Microsoft reserved, recovery */
    PARTITION_CONTENTS,
};

struct partition_last {
    enum partition_table table;
    enum partition_content content; /* without a table: of the whole disk */
    unsigned number;                /* as Linux counts, logical ones from 5 on; 0: there is none */
    uint64_t offset, length;        /* bytes */
    uint64_t length_max; /* bytes that it may have: to the disk's end, in whole MiB; or `length` */
    bool torn;           /* of a GPT's two copies the first is damaged; growing restores it */
};

/* "ext", "xfs", ...; "unknown". */
const char *partition_content_name(enum partition_content content);
/* "none", "mbr", "gpt", "unknown". */
const char *partition_table_name(enum partition_table table);

/* Which partition is the last one. */
int partitions_look(struct image *image, struct partition_last *last);

/* Whether partitions_grow() would do something. */
bool partition_can_grow(const struct partition_last *last);

/*
 * Gives the last partition `length_max`, if partition_can_grow(), and says in `last` how it is
 * then. Durable when it returns. Killed, or with the power cut, at any moment, the disk has its
 * partitions with the old length or the new one (of a GPT at least one of its two copies says so),
 * and the same call completes it. With a GPT the backup moves to the disk's end.
 */
int partitions_grow(struct image *image, struct partition_last *last);

#endif
