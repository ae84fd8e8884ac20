/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The description of a monitor that a guest reads: VESA E-EDID Standard release A2, EDID 1.4. */
#ifndef DEVICES_EDID_H
#define DEVICES_EDID_H

#include <stdint.h>

enum {
    EDID_SIZE = 128,
    EDID_WIDTH_MIN = 320,
    EDID_HEIGHT_MIN = 200,
    EDID_WIDTH_MAX = 4088, /* a detailed timing counts pixels in 12 bits */
    EDID_HEIGHT_MAX = 4088,
};

/*
 * Makes the block of a digital monitor that prefers width x height pixels at 60 Hz (fewer if the
 * pixel clock would not fit) and also takes the usual other sizes. Both sizes must be inside the
 * limits above.
 */
void edid_make(uint8_t edid[EDID_SIZE], uint32_t width, uint32_t height);

#endif
