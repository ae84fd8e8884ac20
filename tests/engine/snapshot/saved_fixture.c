/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "saved_fixture.h"

#include <string.h>

#include "bytes.h"

uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

GByteArray *three_sections(void)
{
    GByteArray *file = sections_new();

    sections_add(file, "device", "rtc", 1, "abc", 3);
    sections_add(file, "device", "hpet", 2, "", 0);
    sections_add(file, "kvm", "rtc", 7, "longer bytes", 12);
    return file;
}

void regions_make(struct memory_region regions[REGIONS])
{
    static const uint64_t sizes[REGIONS] = { MEMORY_CHUNK * 5 / 2, MEMORY_CHUNK, 4096 };
    uint64_t seed = 88172645463325252;

    for (unsigned i = 0; i < REGIONS; i++) {
        g_snprintf(regions[i].name, sizeof(regions[i].name), "region-%u", i);
        regions[i].size = sizes[i];
        regions[i].bytes = g_malloc0(sizes[i]);
    }
    for (uint64_t i = 0; i < MEMORY_CHUNK; i += 8) {
        store_le64(regions[0].bytes + i, random_next(&seed)); /* cannot be compressed */
    }
    for (uint64_t i = 2 * MEMORY_CHUNK; i < regions[0].size; i++) {
        regions[0].bytes[i] = (uint8_t)(i / 100);
    }
    regions[1].bytes[MEMORY_CHUNK - 1] = 1;
}

void regions_clear(struct memory_region regions[REGIONS])
{
    for (unsigned i = 0; i < REGIONS; i++) {
        memset(regions[i].bytes, 0, regions[i].size);
    }
}

void regions_free(struct memory_region regions[REGIONS])
{
    for (unsigned i = 0; i < REGIONS; i++) {
        g_free(regions[i].bytes);
    }
}
