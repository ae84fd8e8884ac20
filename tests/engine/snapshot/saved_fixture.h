/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a saved machine consists of, made up for tests of its files. */
#ifndef TESTS_SAVED_FIXTURE_H
#define TESTS_SAVED_FIXTURE_H

#include <glib.h>
#include <stdint.h>

#include "snapshot/memory_file.h"
#include "snapshot/sections.h"

enum { REGIONS = 3 };

/* The next of a row of numbers that look random; it never begins with 0. */
uint64_t random_next(uint64_t *seed);

/* "device" "rtc" of version 1 with "abc", "device" "hpet" of version 2 with nothing, "kvm" "rtc" of
 * version 7 with 12 bytes. g_byte_array_unref(). */
GByteArray *three_sections(void);

/*
 * Two and a half chunks of mixed content, one that is zero but for its last byte, one all zero.
 * regions_free().
 */
void regions_make(struct memory_region regions[REGIONS]);
/* All bytes to zero. */
void regions_clear(struct memory_region regions[REGIONS]);
void regions_free(struct memory_region regions[REGIONS]);

#endif
