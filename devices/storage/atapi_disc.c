/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an optical drive replies about the disc: MMC-5 sections 6.22 (READ DISC INFORMATION), 6.23
 * (READ DISC STRUCTURE), 6.26 (READ TOC/PMA/ATIP), 6.27 (READ TRACK INFORMATION), 6.28 (READ
 * CAPACITY).
 *
 * Every disc is one closed session with one data track.
 */
#include <string.h>

#include "atapi.h"
#include "bytes.h"

enum {
    TRACK = 1,
    SESSION = 1,
    TRACK_LEAD_OUT = 0xaa,
    TRACK_DATA = 0x14, /* ADR 1, a data track */
    MSF_OFFSET = 150,
    FRAMES_A_SECOND = 75,
};

void reply_capacity(const struct ata_drive *drive, struct reply *reply)
{
    uint32_t sectors = atapi_sectors(drive);

    reply_32(reply, sectors > 0 ? sectors - 1 : 0);
    reply_32(reply, CD_SECTOR);
}

/* --- Table of contents ------------------------------------------------------------------------ */

/* Minute, second, frame; a DVD has more minutes than the format can say. */
static void msf_add(struct reply *reply, uint32_t lba)
{
    uint64_t frames = (uint64_t)lba + MSF_OFFSET;
    uint64_t minute = frames / FRAMES_A_SECOND / 60;

    if (minute > 255) {
        reply_24(reply, 0xff3b4a);
        return;
    }
    reply_8(reply, (unsigned)minute);
    reply_8(reply, (unsigned)(frames / FRAMES_A_SECOND % 60));
    reply_8(reply, (unsigned)(frames % FRAMES_A_SECOND));
}

static void toc_entry_add(struct reply *reply, unsigned track, bool msf, uint32_t lba)
{
    reply_8(reply, 0);
    reply_8(reply, TRACK_DATA);
    reply_8(reply, track);
    reply_8(reply, 0);
    if (msf) {
        reply_8(reply, 0);
        msf_add(reply, lba);
    } else {
        reply_32(reply, lba);
    }
}

static void full_toc_entry_add(struct reply *reply, unsigned point)
{
    reply_8(reply, SESSION);
    reply_8(reply, TRACK_DATA);
    reply_8(reply, 0);
    reply_8(reply, point);
    reply_32(reply, 0);
}

/* Format 2: what the lead-in says; always minutes, seconds and frames. */
static void full_toc_add(struct reply *reply, uint32_t sectors)
{
    enum { POINT_FIRST_TRACK = 0xa0, POINT_LAST_TRACK = 0xa1, POINT_LEAD_OUT = 0xa2 };

    full_toc_entry_add(reply, POINT_FIRST_TRACK);
    reply_24(reply, TRACK << 16);
    full_toc_entry_add(reply, POINT_LAST_TRACK);
    reply_24(reply, TRACK << 16);
    full_toc_entry_add(reply, POINT_LEAD_OUT);
    msf_add(reply, sectors);
    full_toc_entry_add(reply, TRACK);
    msf_add(reply, 0);
}

unsigned reply_toc(const struct ata_drive *drive, const uint8_t *packet, struct reply *reply)
{
    enum { FORMAT_TOC = 0, FORMAT_SESSIONS = 1, FORMAT_FULL = 2 };
    bool msf = packet[1] & 2;
    unsigned format = packet[2] & 0xf, start = packet[6];

    if (format == 0) {
        format = packet[9] >> 6; /* where SFF 8020i had it */
    }
    reply_16(reply, 0); /* the length, when it is known */
    reply_8(reply, TRACK);
    reply_8(reply, TRACK); /* or sessions: there is one of each */
    switch (format) {
    case FORMAT_TOC:
        if (start > TRACK && start != TRACK_LEAD_OUT) {
            return ASC_INVALID_FIELD;
        }
        if (start <= TRACK) {
            toc_entry_add(reply, TRACK, msf, 0);
        }
        toc_entry_add(reply, TRACK_LEAD_OUT, msf, atapi_sectors(drive));
        break;
    case FORMAT_SESSIONS:
        toc_entry_add(reply, TRACK, msf, 0);
        break;
    case FORMAT_FULL:
        if (start > SESSION) {
            return ASC_INVALID_FIELD;
        }
        full_toc_add(reply, atapi_sectors(drive));
        break;
    default:
        return ASC_INVALID_FIELD;
    }
    store_be16(reply->bytes, (uint16_t)(reply->length - 2));
    return 0;
}

/* --- Disc and track --------------------------------------------------------------------------- */

unsigned reply_disc_information(const struct ata_drive *drive, const uint8_t *packet,
                                struct reply *reply)
{
    if ((packet[1] & 7) != 0) {
        return ASC_INVALID_FIELD;
    }
    reply_16(reply, 32);
    reply_8(reply, 0x0e); /* last session complete, disc finalized */
    reply_8(reply, TRACK);
    reply_8(reply, 1); /* sessions */
    reply_8(reply, TRACK);
    reply_8(reply, TRACK);
    reply_8(reply, 0x20); /* unrestricted use */
    reply_zeroes(reply, 26);
    return 0;
}

unsigned reply_track_information(const struct ata_drive *drive, const uint8_t *packet,
                                 struct reply *reply)
{
    enum { BY_ADDRESS = 0, BY_TRACK = 1, BY_SESSION = 2 };
    uint32_t sectors = atapi_sectors(drive), number = load_be32(packet + 2);

    switch (packet[1] & 3) {
    case BY_ADDRESS:
        if (number >= sectors) {
            return ASC_LBA_OUT_OF_RANGE;
        }
        break;
    case BY_TRACK:
    case BY_SESSION:
        if (number != TRACK) {
            return ASC_INVALID_FIELD;
        }
        break;
    default:
        return ASC_INVALID_FIELD;
    }
    reply_16(reply, 34);
    reply_8(reply, TRACK);
    reply_8(reply, SESSION);
    reply_8(reply, 0);
    reply_8(reply, 0x04); /* data, recorded without interruption */
    reply_8(reply, 0x01); /* mode 1 */
    reply_8(reply, 0);
    reply_zeroes(reply, 16); /* start, next writable, free, packet size */
    reply_32(reply, sectors);
    reply_zeroes(reply, 8);
    return 0;
}

/* --- DVD structures --------------------------------------------------------------------------- */

static void dvd_physical_add(const struct ata_drive *drive, struct reply *reply)
{
    const uint32_t first = 0x030000; /* physical sector of logical sector 0 */

    reply_8(reply, 0x01); /* DVD-ROM, version 1 */
    reply_8(reply, 0x0f); /* 120 mm, rate not specified */
    reply_8(reply, 0x01); /* one layer, embossed */
    reply_8(reply, 0x00);
    reply_32(reply, first);
    reply_32(reply, first + atapi_sectors(drive) - 1);
    reply_zeroes(reply, 2048 - 12);
}

static void dvd_list_add(struct reply *reply, unsigned format, unsigned length)
{
    reply_8(reply, format);
    reply_8(reply, 0x40); /* can be read */
    reply_16(reply, length);
}

unsigned reply_dvd_structure(const struct ata_drive *drive, const uint8_t *packet,
                             struct reply *reply)
{
    enum { PHYSICAL = 0x00, COPYRIGHT = 0x01, MANUFACTURING = 0x04, LIST = 0xff };
    unsigned format = packet[7], layer = packet[6];

    if (atapi_profile(drive) != PROFILE_DVD_ROM) {
        return ASC_INCOMPATIBLE_MEDIUM;
    }
    if (layer != 0) {
        return ASC_INVALID_FIELD;
    }
    reply_32(reply, 0); /* the length, when it is known */
    switch (format) {
    case PHYSICAL:
        dvd_physical_add(drive, reply);
        break;
    case COPYRIGHT:
        reply_32(reply, 0); /* none, all regions */
        break;
    case MANUFACTURING:
        reply_zeroes(reply, 2048);
        break;
    case LIST:
        dvd_list_add(reply, PHYSICAL, 2052);
        dvd_list_add(reply, COPYRIGHT, 8);
        dvd_list_add(reply, MANUFACTURING, 2052);
        break;
    default:
        return ASC_INVALID_FIELD;
    }
    store_be16(reply->bytes, (uint16_t)(reply->length - 2));
    return 0;
}
