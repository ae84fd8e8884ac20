/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file `ram` of a saved machine: chunks and their index, whole, damaged and hostile. */
#include "test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "engine/check_error.h"
#include "saved_fixture.h"

static uint64_t length_of(int fd)
{
    struct stat status;

    CHECK(fstat(fd, &status) == 0);
    return (uint64_t)status.st_size;
}

TEST(memories_come_back)
{
    struct memory_region regions[REGIONS], again[REGIONS];
    struct memory_work work = { false };
    g_autoptr(GByteArray) index = g_byte_array_new();
    int fd = memfd_create("ram", MFD_CLOEXEC);
    uint64_t estimate;

    regions_make(regions);
    regions_make(again);
    regions_clear(again);
    CHECK_OK(memory_file_write(fd, "ram", regions, REGIONS, &work, index, &error));
    CHECK_EQ(work.done, work.total);
    /* The chunk of noise, and hardly more: zeroes are not there. */
    CHECK(length_of(fd) > MEMORY_CHUNK && length_of(fd) < MEMORY_CHUNK + 100000);
    estimate = memory_file_estimate(regions, REGIONS);
    CHECK(estimate > MEMORY_CHUNK / 2 && estimate < 3 * MEMORY_CHUNK);
    CHECK_OK(memory_file_read(fd, "ram", length_of(fd), index->data, index->len, again, REGIONS,
                              &error));
    for (unsigned i = 0; i < REGIONS; i++) {
        CHECK(memcmp(regions[i].bytes, again[i].bytes, regions[i].size) == 0);
    }
    regions_free(regions);
    regions_free(again);
    close(fd);
}

TEST(memories_of_another_machine_are_refused)
{
    struct memory_region regions[REGIONS];
    struct memory_work work = { false };
    g_autoptr(GByteArray) index = g_byte_array_new();
    int fd = memfd_create("ram", MFD_CLOEXEC);
    uint64_t length;

    regions_make(regions);
    CHECK_OK(memory_file_write(fd, "ram", regions, REGIONS, &work, index, &error));
    length = length_of(fd);
    CHECK_ERROR(
        memory_file_read(fd, "ram", length, index->data, index->len, regions, REGIONS - 1, &error),
        ORIEL_ERROR_CORRUPT, "damaged");
    regions[1].size -= 4096;
    CHECK_ERROR(
        memory_file_read(fd, "ram", length, index->data, index->len, regions, REGIONS, &error),
        ORIEL_ERROR_CORRUPT, "damaged");
    regions[1].size += 4096;
    regions[1].name[0] = 'R';
    CHECK_ERROR(
        memory_file_read(fd, "ram", length, index->data, index->len, regions, REGIONS, &error),
        ORIEL_ERROR_CORRUPT, "damaged");
    regions_free(regions);
    close(fd);
}

/* Every number of the index, made wrong in several ways. */
TEST(hostile_index_is_refused)
{
    static const uint32_t values[] = { 0, 1, 2, 3, 0x7fffffff, 0x80000000, UINT32_MAX };
    struct memory_region regions[REGIONS], first[REGIONS];
    struct memory_work work = { false };
    g_autoptr(GByteArray) index = g_byte_array_new();
    int fd = memfd_create("ram", MFD_CLOEXEC);
    uint64_t length;

    regions_make(regions);
    regions_make(first);
    CHECK_OK(memory_file_write(fd, "ram", regions, REGIONS, &work, index, &error));
    length = length_of(fd);
    for (guint at = 0; at + 4 <= index->len; at += 4) {
        uint32_t was = load_le32(index->data + at);

        for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
            g_autoptr(GError) error = NULL;
            bool good, same = true;

            store_le32(index->data + at, values[i]);
            regions_clear(regions);
            good = memory_file_read(fd, "ram", length, index->data, index->len, regions, REGIONS,
                                    &error);
            for (unsigned r = 0; r < REGIONS; r++) {
                same &= memcmp(regions[r].bytes, first[r].bytes, first[r].size) == 0;
            }
            /* Only a chunk that is said to be another of the same size may pass here. */
            CHECK(good || g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT));
            CHECK(values[i] != was || (good && same));
        }
        store_le32(index->data + at, was);
    }
    for (guint n = 0; n < index->len; n++) {
        g_autofree guint8 *copy = g_memdup2(index->data, n);

        CHECK_ERROR(memory_file_read(fd, "ram", length, copy, n, regions, REGIONS, &error),
                    ORIEL_ERROR_CORRUPT, "damaged");
    }
    regions_free(regions);
    regions_free(first);
    close(fd);
}

TEST(damaged_chunks_are_found)
{
    struct memory_region regions[REGIONS];
    struct memory_work work = { false };
    g_autoptr(GByteArray) index = g_byte_array_new();
    int fd = memfd_create("ram", MFD_CLOEXEC);
    uint64_t seed = 5, length;

    regions_make(regions);
    CHECK_OK(memory_file_write(fd, "ram", regions, REGIONS, &work, index, &error));
    length = length_of(fd);
    for (unsigned i = 0; i < 200; i++) {
        off_t at = (off_t)(random_next(&seed) % length);
        uint8_t was, is;

        CHECK(pread(fd, &was, 1, at) == 1);
        is = was ^ (uint8_t)(1u << random_next(&seed) % 8);
        CHECK(pwrite(fd, &is, 1, at) == 1);
        CHECK_ERROR(
            memory_file_read(fd, "ram", length, index->data, index->len, regions, REGIONS, &error),
            ORIEL_ERROR_CORRUPT, "damaged");
        CHECK(pwrite(fd, &was, 1, at) == 1);
    }
    /* Shorter than it was when it was looked at. */
    CHECK(ftruncate(fd, (off_t)length / 2) == 0);
    CHECK_ERROR(
        memory_file_read(fd, "ram", length, index->data, index->len, regions, REGIONS, &error),
        ORIEL_ERROR_CORRUPT, "damaged");
    regions_free(regions);
    close(fd);
}

TEST(cancelled_write_ends)
{
    struct memory_region regions[REGIONS];
    struct memory_work work = { true };
    g_autoptr(GByteArray) index = g_byte_array_new();
    int fd = memfd_create("ram", MFD_CLOEXEC);

    regions_make(regions);
    CHECK_ERROR(memory_file_write(fd, "ram", regions, REGIONS, &work, index, &error),
                ORIEL_ERROR_STATE, "cancelled");
    CHECK_EQ(length_of(fd), 0);
    regions_free(regions);
    close(fd);
}

TEST(write_without_room_says_so)
{
    struct memory_region regions[REGIONS];
    struct memory_work work = { false };
    g_autoptr(GByteArray) index = g_byte_array_new();
    int fd = open("/dev/full", O_RDWR | O_CLOEXEC);

    regions_make(regions);
    CHECK_ERROR(memory_file_write(fd, "a/ram", regions, REGIONS, &work, index, &error),
                ORIEL_ERROR_NO_SPACE, "a/ram");
    regions_free(regions);
    close(fd);
}

TEST_MAIN(T(memories_come_back), T(memories_of_another_machine_are_refused),
          T(hostile_index_is_refused), T(damaged_chunks_are_found), T(cancelled_write_ends),
          T(write_without_room_says_so))
