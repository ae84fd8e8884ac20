/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file `state` of a saved machine from any bytes, with its index of the memories. The checksums
 * would keep nearly every input from what lies behind them, so they are made right first.
 */
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "bytes.h"
#include "snapshot/memory_file.h"
#include "snapshot/sections.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    HEADER_SIZE = 16,
    SECTION_HEADER_SIZE = 64,
    LENGTH_AT = 52,
    CRC_AT = 56,
};

static void checksums_mend(uint8_t *data, size_t size)
{
    size_t at = HEADER_SIZE;

    while (at + SECTION_HEADER_SIZE <= size) {
        uint32_t length = load_le32(data + at + LENGTH_AT);

        if (length > size - at - SECTION_HEADER_SIZE) {
            return;
        }
        store_le32(data + at + CRC_AT, (uint32_t)crc32(0, data + at + SECTION_HEADER_SIZE, length));
        at += SECTION_HEADER_SIZE + length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[2][8192];
    const struct memory_region regions[] = {
        { "ram-low", bytes[0], sizeof(bytes[0]) },
        { "firmware", bytes[1], sizeof(bytes[1]) },
    };
    g_autofree uint8_t *copy = g_memdup2(data, size);
    g_autoptr(GArray) sections = NULL;
    const struct section *index;

    if (size > 0) {
        checksums_mend(copy, size);
    }
    sections = sections_parse(copy, size);
    index = sections ? sections_find(sections, "memory", "index") : NULL;
    for (guint i = 0; sections && i < sections->len; i++) {
        const struct section *section = &g_array_index(sections, struct section, i);

        g_assert_true(section->bytes >= copy && section->bytes + section->length <= copy + size);
    }
    if (index) {
        g_autoptr(GError) error = NULL;
        int fd = memfd_create("ram", MFD_CLOEXEC);

        /* The input is the file of the memories as well. */
        g_assert_true(fd >= 0 && write(fd, copy, size) == (ssize_t)size);
        g_assert_true(memory_file_read(fd, "ram", size, index->bytes, index->length, regions,
                                       G_N_ELEMENTS(regions), &error) ||
                      error != NULL);
        close(fd);
    }
    return 0;
}
