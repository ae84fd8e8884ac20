/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A disk's partition table from any bytes. The first half of the input stands at the disk's
 * beginning, the second half at its end; an odd input's disk does not grow before. Checksums of a
 * GPT are made right, in both places, or nothing behind them would ever be reached. Whatever comes
 * of it, growing leaves what is in the partition and is done afterwards.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "block/partitions/partitions.h"
#include "bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    DISK = 1 << 20,
    LOOK = 64 << 10,
};

static uint8_t disk[DISK], before[LOOK], after[LOOK];

static void checksums_mend(size_t lba)
{
    uint8_t *header = disk + lba * IMAGE_SECTOR;
    uint64_t at = load_le64(header + 72);
    uint32_t n = load_le32(header + 80), length = load_le32(header + 12);

    if (at < DISK / IMAGE_SECTOR && n <= 1024 && n * 128 <= DISK - at * IMAGE_SECTOR) {
        store_le32(header + 88, (uint32_t)crc32(0, disk + at * IMAGE_SECTOR, n * 128));
    }
    if (length <= IMAGE_SECTOR) {
        store_le32(header + 16, 0);
        store_le32(header + 16, (uint32_t)crc32(0, header, length));
    }
}

static struct image *image_make(const uint8_t *data, size_t size)
{
    size_t first = MIN(size / 2, DISK / 2), second = MIN(size - first, DISK / 2);
    int fd = memfd_create("disk", MFD_CLOEXEC);
    struct image *image;

    memset(disk, 0, sizeof(disk));
    memcpy(disk, data, first);
    memcpy(disk + DISK - second, data + size - second, second);
    checksums_mend(1);
    checksums_mend(DISK / IMAGE_SECTOR - 1);
    g_assert_true(fd >= 0 && write(fd, disk, DISK) == DISK);
    image = image_open(storage_file_new(fd, "disk", false, NULL), IMAGE_RAW, NULL);
    g_assert_nonnull(image);
    return image;
}

static void content_read(struct image *image, const struct partition_last *last, uint8_t *bytes)
{
    size_t length = MIN(last->length, LOOK);

    g_assert_cmpint(image_read(image, last->offset, bytes, length), ==, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image *image = image_make(data, size);
    struct partition_last last, grown, again;

    g_assert_true(image_resize(image, size % 2 ? DISK : 4 * DISK, NULL));
    g_assert_cmpint(partitions_look(image, &last), ==, 0);
    g_assert_cmpuint(last.length, <=, last.length_max);
    g_assert_cmpuint(last.offset + last.length_max, <=, image->size);
    g_assert_true(last.number > 0 || last.length == 0);
    content_read(image, &last, before);
    g_assert_cmpint(partitions_grow(image, &grown), ==, 0);
    g_assert_cmpuint(grown.length, ==, partition_can_grow(&last) ? last.length_max : last.length);
    g_assert_cmpint(partitions_look(image, &again), ==, 0);
    g_assert_true(again.number == last.number && again.offset == last.offset &&
                  again.length == grown.length);
    g_assert_false(partition_can_grow(&again));
    content_read(image, &last, after);
    g_assert_true(memcmp(before, after, MIN(last.length, LOOK)) == 0);
    image_free(image);
    return 0;
}
