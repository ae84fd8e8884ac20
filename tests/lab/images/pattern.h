/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The picture that kms-pattern and x-pattern show: 0xRRGGBB of each pixel of a display, counted
 * from 1. */
#ifndef TESTS_LAB_PATTERN_H
#define TESTS_LAB_PATTERN_H

#include <stdint.h>

static inline uint32_t pattern(unsigned display, uint32_t x, uint32_t y)
{
    uint32_t red = (x * 3 + display * 64) & 255, green = (y * 5) & 255;

    return red << 16 | green << 8 | (((x ^ y) + display * 32) & 255);
}

#endif
