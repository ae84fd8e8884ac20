/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a partition holds, by the marks of file systems and volumes. */
#include <string.h>

#include "partitions_private.h"

struct mark {
    enum partition_content content;
    uint32_t offset;
    uint32_t length;
    const char *bytes;
};

static const struct mark marks[] = {
    { PARTITION_EXT, 1024 + 56, 2, "\x53\xef" },
    { PARTITION_XFS, 0, 4, "XFSB" },
    { PARTITION_BTRFS, 65536 + 64, 8, "_BHRfS_M" },
    { PARTITION_NTFS, 3, 8, "NTFS    " },
    { PARTITION_UFS, 8192 + 1372, 4, "\x54\x19\x01\x00" },
    { PARTITION_UFS, 65536 + 1372, 4, "\x19\x01\x54\x19" },
    { PARTITION_LVM, 512 + 24, 8, "LVM2 001" },
    { PARTITION_LUKS, 0, 6, "LUKS\xba\xbe" },
    { PARTITION_FAT, 54, 4, "FAT1" },
    { PARTITION_FAT, 82, 5, "FAT32" },
    { PARTITION_SWAP, 4096 - 10, 10, "SWAPSPACE2" },
    { PARTITION_RAID, 0, 4, "\xfc\x4e\x2b\xa9" },
    { PARTITION_RAID, 4096, 4, "\xfc\x4e\x2b\xa9" },
};

static int mark_is_there(struct image *image, uint64_t offset, uint64_t length,
                         const struct mark *mark, bool *there)
{
    uint64_t first = mark->offset / IMAGE_SECTOR * IMAGE_SECTOR;
    uint8_t sector[IMAGE_SECTOR];
    int result;

    *there = false;
    if (first + IMAGE_SECTOR > length) {
        return 0;
    }
    result = image_read(image, offset + first, sector, sizeof(sector));
    *there = result == 0 && memcmp(sector + mark->offset - first, mark->bytes, mark->length) == 0;
    return result;
}

int partition_content_look(struct image *image, uint64_t offset, uint64_t length,
                           enum partition_content *content)
{
    enum partition_content found = PARTITION_UNKNOWN;

    *content = PARTITION_UNKNOWN;
    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
        bool there;
        int result = mark_is_there(image, offset, length, &marks[i], &there);

        if (result < 0) {
            return result;
        }
        if (there && found != PARTITION_UNKNOWN && found != marks[i].content) {
            return 0; /* one of them is an earlier file system's: which one is not for us to say */
        }
        if (there) {
            found = marks[i].content;
        }
    }
    *content = found;
    return 0;
}
