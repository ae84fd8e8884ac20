/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an exported archive is made of: headers as libarchive reads them, parts of files. */
#include "test.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "appliance/export/oriel-export-private.h"

#define GIB (UINT64_C(1) << 30)

/* The size that libarchive reads from a header; its name must be `name`. */
static uint64_t header_read(const char *name, uint64_t size, gint64 time)
{
    guint8 bytes[TAR_RECORD] = { 0 };
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    uint64_t read = 0;

    export_tar_header(bytes, name, size, time);
    archive_read_support_format_tar(archive);
    if (archive_read_open_memory(archive, bytes, sizeof(bytes)) == ARCHIVE_OK &&
        archive_read_next_header(archive, &entry) == ARCHIVE_OK &&
        g_strcmp0(archive_entry_pathname(entry), name) == 0 &&
        archive_entry_filetype(entry) == AE_IFREG && archive_entry_mtime(entry) == time &&
        archive_entry_perm(entry) == 0644) {
        read = (uint64_t)archive_entry_size(entry);
    }
    archive_read_free(archive);
    return read;
}

TEST(headers)
{
    g_autofree char *longest = g_strnfill(TAR_NAME_MAX, 'x');

    CHECK_EQ(header_read("One.ovf", 1, 1700000000), 1);
    CHECK_EQ(header_read("One-disk1.vmdk", 8 * GIB - 1, 0), 8 * GIB - 1);
    CHECK_EQ(header_read("One-disk1.vmdk", 8 * GIB, 1), 8 * GIB);
    CHECK_EQ(header_read("One-disk1.vmdk", 2048 * GIB + 512, 1), 2048 * GIB + 512);
    CHECK_EQ(header_read(longest, 5, 1), 5);
}

static int file_new(void)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("oriel-test-XXXXXX", &path, NULL);

    CHECK(fd >= 0);
    g_unlink(path);
    return fd;
}

TEST(a_part_that_is_written)
{
    g_autofree char *digest = NULL;
    guint64 written = 0;
    const ExportSlice slice = {
        .offset = 100, .digest_name = "SHA256", .digest = &digest, .written = &written
    };
    int fd = file_new();
    char bytes[16];
    struct storage *storage = export_slice_new(fd, "part", &slice, NULL);

    CHECK(storage);
    CHECK_EQ(storage_write(storage, 0, "abc", 3), 0);
    CHECK(storage_write(storage, 0, "x", 1) < 0); /* only from front to back */
    CHECK(storage_write(storage, 4, "x", 1) < 0);
    CHECK_EQ(storage_write(storage, 3, "def", 3), 0);
    CHECK_EQ(storage_size(storage), 6);
    CHECK_EQ(storage_flush(storage), 0);
    storage_free(storage);
    CHECK_EQ(written, 6);
    CHECK_STR(digest, "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721");
    CHECK_EQ(pread(fd, bytes, sizeof(bytes), 100), 6);
    CHECK(memcmp(bytes, "abcdef", 6) == 0);
    close(fd);
}

TEST(a_part_that_is_read)
{
    const ExportSlice slice = { .offset = 2, .size = 3 };
    int fd = file_new();
    char bytes[8];
    struct storage *storage;

    CHECK_EQ(pwrite(fd, "0123456789", 10, 0), 10);
    storage = export_slice_new(fd, "part", &slice, NULL);
    CHECK(storage);
    CHECK_EQ(storage_size(storage), 3);
    CHECK_EQ(storage_read(storage, 1, bytes, sizeof(bytes)), 0);
    CHECK(memcmp(bytes, "34\0\0\0\0\0\0", 8) == 0); /* what follows belongs to somebody else */
    CHECK_EQ(storage_read(storage, 50, bytes, 4), 0);
    CHECK(memcmp(bytes, "\0\0\0\0", 4) == 0);
    CHECK(storage_read_all(storage, 1, bytes, 3) < 0);
    CHECK(storage_write(storage, 0, "x", 1) < 0);
    storage_free(storage);
    close(fd);
}

TEST_MAIN(T(headers), T(a_part_that_is_written), T(a_part_that_is_read))
