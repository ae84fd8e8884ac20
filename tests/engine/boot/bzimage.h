/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A kernel image for tests: a header that is right in every field, and bytes that can be told
 * apart. */
#ifndef TESTS_BZIMAGE_H
#define TESTS_BZIMAGE_H

#include <stdint.h>
#include <string.h>

#include "bytes.h"

enum {
    BZIMAGE_SETUP = 5 * 512,
    BZIMAGE_CODE = 64 << 10,
    BZIMAGE_SIZE = BZIMAGE_SETUP + BZIMAGE_CODE,
};

static inline void bzimage_make(uint8_t image[BZIMAGE_SIZE])
{
    memset(image, 0, BZIMAGE_SIZE);
    memset(image + BZIMAGE_SETUP, 0xc0, BZIMAGE_CODE);
    image[0x1f1] = 4;
    store_le32(image + 0x1f4, BZIMAGE_CODE / 16);
    store_le16(image + 0x1fe, 0xaa55);
    image[0x200] = 0xeb;
    image[0x201] = 0x66; /* the header ends at 0x268 */
    memcpy(image + 0x202, "HdrS", 4);
    store_le16(image + 0x206, 0x020f);
    image[0x211] = 1;
    store_le32(image + 0x22c, 0x7fffffff);
    store_le32(image + 0x238, 2047);
    store_le64(image + 0x258, 0x1000000);
    store_le32(image + 0x260, 0x2000000);
}

#endif
