/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * EDID 1.4, base block only (VESA E-EDID Standard release A2). Timings of the preferred size are
 * those of CVT with reduced blanking version 1. See edid.h.
 */
#include "edid.h"

#include <string.h>

#include "bytes.h"

enum {
    PRODUCT = 0x0001,
    MODEL_YEAR = 2026,
    DESCRIPTOR_SIZE = 18,
    DESCRIPTOR_TEXT = 13,
    CLOCK_MAX = 65535, /* of 10 kHz, the largest a detailed timing can say */
    CLOCK_STEP = 25,   /* CVT rounds down to 0.25 MHz */
    REFRESH = 60,
    BLANK_TIME_NS = 460000, /* CVT's smallest vertical blanking */
    H_BLANK = 160,
    H_FRONT = 48,
    H_SYNC = 32,
    V_FRONT = 3,
    V_BACK_MIN = 6,
    /* Of all sizes but the preferred one. */
    LINE_KHZ_MIN = 28,
    LINE_KHZ_USUAL = 160,
    CLOCK_USUAL = 20, /* of 10 MHz */
};

struct timing {
    uint32_t width, height, refresh;
    uint32_t v_blank, v_sync;
    uint32_t clock; /* of 10 kHz */
};

/* CVT tells aspect ratios by the length of vertical sync. */
static uint32_t v_sync_lines(uint32_t width, uint32_t height)
{
    static const uint8_t ratios[][3] = {
        { 4, 3, 4 }, { 16, 9, 5 }, { 16, 10, 6 }, { 5, 4, 7 }, { 15, 9, 7 }
    };

    for (size_t i = 0; i < sizeof(ratios) / sizeof(ratios[0]); i++) {
        if (height * ratios[i][0] / ratios[i][1] / 8 == width / 8) {
            return ratios[i][2];
        }
    }
    return 10;
}

static void timing_make(struct timing *timing, uint32_t width, uint32_t height)
{
    timing->width = width;
    timing->height = height;
    timing->v_sync = v_sync_lines(width, height);
    for (timing->refresh = REFRESH; timing->refresh > 1; timing->refresh--) {
        uint32_t line_ns = (1000000000 / timing->refresh - BLANK_TIME_NS) / height;
        uint32_t least = V_FRONT + timing->v_sync + V_BACK_MIN;

        timing->v_blank = BLANK_TIME_NS / line_ns + 1;
        if (timing->v_blank < least) {
            timing->v_blank = least;
        }
        uint64_t clock =
            (uint64_t)timing->refresh * (width + H_BLANK) * (height + timing->v_blank) / 10000;

        timing->clock = (uint32_t)(clock / CLOCK_STEP * CLOCK_STEP);
        if (clock <= CLOCK_MAX) {
            break;
        }
    }
}

static uint8_t high_nibbles(uint32_t a, uint32_t b)
{
    return (uint8_t)((a >> 8 & 15) << 4 | (b >> 8 & 15));
}

static void detailed_timing(uint8_t *d, const struct timing *t, uint32_t width_mm,
                            uint32_t height_mm)
{
    store_le16(d, (uint16_t)t->clock);
    d[2] = (uint8_t)t->width;
    d[3] = H_BLANK;
    d[4] = high_nibbles(t->width, H_BLANK);
    d[5] = (uint8_t)t->height;
    d[6] = (uint8_t)t->v_blank;
    d[7] = high_nibbles(t->height, t->v_blank);
    d[8] = H_FRONT;
    d[9] = H_SYNC;
    d[10] = (uint8_t)(V_FRONT << 4 | t->v_sync);
    d[11] = 0;
    d[12] = (uint8_t)width_mm;
    d[13] = (uint8_t)height_mm;
    d[14] = high_nibbles(width_mm, height_mm);
    d[17] = 0x1a; /* digital separate sync, horizontal positive, vertical negative */
}

static void descriptor_text(uint8_t *d, uint8_t tag, const char *text)
{
    size_t length = strlen(text);

    d[3] = tag;
    memset(d + 5, ' ', DESCRIPTOR_TEXT);
    memcpy(d + 5, text, length);
    if (length < DESCRIPTOR_TEXT) {
        d[5 + length] = '\n';
    }
}

static void descriptor_range(uint8_t *d, const struct timing *t)
{
    uint32_t line_khz = t->refresh * (t->height + t->v_blank) / 1000 + 1;
    uint32_t clock = t->clock / 1000 + 1; /* of 10 MHz */

    d[3] = 0xfd;
    d[5] = (uint8_t)(t->refresh < 50 ? t->refresh : 50);
    d[6] = 75;
    d[7] = (uint8_t)(line_khz - 1 < LINE_KHZ_MIN ? line_khz - 1 : LINE_KHZ_MIN);
    d[8] = (uint8_t)(line_khz > LINE_KHZ_USUAL ? line_khz : LINE_KHZ_USUAL);
    d[9] = (uint8_t)(clock > CLOCK_USUAL ? clock : CLOCK_USUAL);
    d[10] = 0x01; /* no timing formula */
    memset(d + 11, ' ', 7);
    d[11] = '\n';
}

/* Sizes all guests may try, largest first: width, and the two bits for the aspect ratio. */
static void standard_timings(uint8_t *out)
{
    enum {
        RATIO_16_10 = 0,
        RATIO_4_3 = 1,
        RATIO_5_4 = 2,
        RATIO_16_9 = 3,
    };
    static const struct {
        uint16_t width;
        uint8_t ratio;
    } sizes[8] = {
        { 1920, RATIO_16_10 }, { 1920, RATIO_16_9 }, { 1680, RATIO_16_10 }, { 1600, RATIO_4_3 },
        { 1440, RATIO_16_10 }, { 1280, RATIO_5_4 },  { 1280, RATIO_16_10 }, { 1280, RATIO_16_9 },
    };

    for (unsigned i = 0; i < 8; i++) {
        out[2 * i] = (uint8_t)(sizes[i].width / 8 - 31);
        out[2 * i + 1] = (uint8_t)(sizes[i].ratio << 6); /* low bits 0: 60 Hz */
    }
}

void edid_make(uint8_t edid[EDID_SIZE], uint32_t width, uint32_t height)
{
    static const uint8_t header[8] = { 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00 };
    static const uint8_t srgb[10] = { 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54 };
    uint32_t width_mm = width * 254 / 960, height_mm = height * 254 / 960; /* 96 dots an inch */
    struct timing timing;
    uint8_t sum = 0;

    timing_make(&timing, width, height);
    memset(edid, 0, EDID_SIZE);
    memcpy(edid, header, sizeof(header));
    store_be16(edid + 8, ('O' - '@') << 10 | ('R' - '@') << 5 | ('L' - '@'));
    store_le16(edid + 10, PRODUCT);
    edid[16] = 0xff; /* the year is the model's */
    edid[17] = MODEL_YEAR - 1990;
    edid[18] = 1;
    edid[19] = 4;
    edid[20] = 0xa5; /* digital, 8 bits a colour, DisplayPort */
    edid[21] = (uint8_t)((width_mm + 5) / 10);
    edid[22] = (uint8_t)((height_mm + 5) / 10);
    edid[23] = 120;  /* gamma 2.2 */
    edid[24] = 0x06; /* sRGB; the first detailed timing is native */
    memcpy(edid + 25, srgb, sizeof(srgb));
    edid[35] = 0x21; /* 640x480 and 800x600 at 60 Hz */
    edid[36] = 0x08; /* 1024x768 at 60 Hz */
    standard_timings(edid + 38);
    detailed_timing(edid + 54, &timing, width_mm, height_mm);
    descriptor_range(edid + 54 + DESCRIPTOR_SIZE, &timing);
    descriptor_text(edid + 54 + 2 * DESCRIPTOR_SIZE, 0xfc, "Oriel");
    edid[54 + 3 * DESCRIPTOR_SIZE + 3] = 0x10; /* unused */
    for (unsigned i = 0; i < EDID_SIZE - 1; i++) {
        sum = (uint8_t)(sum + edid[i]);
    }
    edid[EDID_SIZE - 1] = (uint8_t)-sum;
}
