/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an optical drive replies about itself, and the bounded writer all replies are built with.
 * SPC-3 sections 6.4 (INQUIRY) and 6.27 (REQUEST SENSE), MMC-5 sections 6.6 (GET
 * CONFIGURATION), 6.7 (GET EVENT STATUS NOTIFICATION), 6.12 (MECHANISM STATUS), 7 (mode pages).
 *
 * A reply is built whole; the caller sends as much as the guest has allocated.
 */
#include <string.h>

#include "atapi.h"
#include "bytes.h"

enum {
    SPEED = 0x0b06, /* kB/s: sixteen times */
    BUFFER_KB = 512,
    LOADER = 0x29, /* tray, can eject, can lock */
};

/* --- The writer ------------------------------------------------------------------------------- */

void reply_8(struct reply *reply, unsigned value)
{
    if (reply->length < sizeof(reply->bytes)) {
        reply->bytes[reply->length++] = (uint8_t)value;
    }
}

void reply_16(struct reply *reply, unsigned value)
{
    reply_8(reply, value >> 8);
    reply_8(reply, value);
}

void reply_24(struct reply *reply, uint32_t value)
{
    reply_8(reply, value >> 16);
    reply_16(reply, value);
}

void reply_32(struct reply *reply, uint32_t value)
{
    reply_16(reply, value >> 16);
    reply_16(reply, value);
}

void reply_zeroes(struct reply *reply, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        reply_8(reply, 0);
    }
}

void reply_text(struct reply *reply, const char *text, size_t length)
{
    size_t n = strnlen(text, length);

    for (size_t i = 0; i < length; i++) {
        reply_8(reply, i < n ? (uint8_t)text[i] : ' ');
    }
}

/* --- INQUIRY and sense ------------------------------------------------------------------------ */

unsigned reply_inquiry(const struct ata_drive *drive, const uint8_t *packet, struct reply *reply)
{
    enum { VITAL_PRODUCT_DATA = 1, PAGE_LIST = 0x00, PAGE_SERIAL = 0x80, TYPE_CD = 5 };
    size_t serial = strnlen(drive->info.serial, sizeof(drive->info.serial));

    reply_8(reply, TYPE_CD);
    if (packet[1] & VITAL_PRODUCT_DATA) {
        reply_8(reply, packet[2]);
        if (packet[2] == PAGE_LIST) {
            reply_16(reply, 2);
            reply_8(reply, PAGE_LIST);
            reply_8(reply, PAGE_SERIAL);
        } else if (packet[2] == PAGE_SERIAL) {
            reply_16(reply, (unsigned)serial);
            reply_text(reply, drive->info.serial, serial);
        } else {
            return ASC_INVALID_FIELD;
        }
        return 0;
    }
    if (packet[2] != 0) {
        return ASC_INVALID_FIELD;
    }
    reply_8(reply, 0x80); /* removable */
    reply_8(reply, 0x00); /* no version of SPC is claimed, as usual with ATAPI */
    reply_8(reply, 0x21); /* ATAPI 2, response format 1 */
    reply_8(reply, 31);   /* bytes that follow */
    reply_zeroes(reply, 3);
    reply_text(reply, "ORIEL", 8);
    reply_text(reply, "DVD-ROM", 16);
    reply_text(reply, "1.0", 4);
    return 0;
}

void reply_sense(const struct ata_drive *drive, struct reply *reply)
{
    reply_8(reply, 0x70); /* current error, fixed format */
    reply_8(reply, 0);
    reply_8(reply, drive->atapi.sense_key);
    reply_zeroes(reply, 4);
    reply_8(reply, 10); /* bytes that follow */
    reply_zeroes(reply, 4);
    reply_8(reply, drive->atapi.asc);
    reply_8(reply, drive->atapi.ascq);
    reply_zeroes(reply, 4);
}

/* --- Mode pages ------------------------------------------------------------------------------- */

static void page_error_recovery(const struct ata_drive *drive, bool values, struct reply *reply)
{
    reply_8(reply, 0x01);
    reply_8(reply, 6);
    reply_8(reply, 0);
    reply_8(reply, values ? 5 : 0); /* read retries */
    reply_zeroes(reply, 4);
}

static void page_capabilities(const struct ata_drive *drive, bool values, struct reply *reply)
{
    reply_8(reply, 0x2a);
    reply_8(reply, 18);
    if (!values) {
        reply_zeroes(reply, 18);
        return;
    }
    reply_8(reply, 0x1b); /* reads CD-R, CD-RW, DVD-ROM, DVD-R */
    reply_8(reply, 0x00); /* writes nothing */
    reply_16(reply, 0);   /* no audio, no raw sectors */
    reply_8(reply, LOADER | (drive->atapi.locked ? 0x02u : 0));
    reply_8(reply, 0);
    reply_16(reply, SPEED);
    reply_16(reply, 0); /* volume levels */
    reply_16(reply, BUFFER_KB);
    reply_16(reply, SPEED);
    reply_zeroes(reply, 4);
}

unsigned reply_mode_sense(const struct ata_drive *drive, const uint8_t *packet, struct reply *reply)
{
    enum { CODE_6 = 0x1a, CHANGEABLE = 1, SAVED = 3, ALL = 0x3f };
    enum { NO_DISC = 0x70, DISC = 0x01, TRAY_OPEN = 0x71 };
    unsigned page = packet[2] & 0x3f, control = packet[2] >> 6;
    unsigned medium = atapi_ready(drive) ? DISC : drive->atapi.tray_open ? TRAY_OPEN : NO_DISC;
    bool six = packet[0] == CODE_6, values = control != CHANGEABLE;

    if (control == SAVED) {
        return ASC_SAVING_NOT_SUPPORTED;
    }
    if (page != 0x01 && page != 0x2a && page != ALL) {
        return ASC_INVALID_FIELD;
    }
    reply_zeroes(reply, six ? 1 : 2); /* the length, when it is known */
    reply_8(reply, medium);
    reply_zeroes(reply, six ? 2 : 5);
    if (page == 0x01 || page == ALL) {
        page_error_recovery(drive, values, reply);
    }
    if (page == 0x2a || page == ALL) {
        page_capabilities(drive, values, reply);
    }
    if (six) {
        reply->bytes[0] = (uint8_t)(reply->length - 1);
    } else {
        store_be16(reply->bytes, (uint16_t)(reply->length - 2));
    }
    return 0;
}

/* --- Features and profiles -------------------------------------------------------------------- */

enum {
    FEATURE_PROFILE_LIST = 0x0000,
    FEATURE_CORE = 0x0001,
    FEATURE_MORPHING = 0x0002,
    FEATURE_REMOVABLE_MEDIUM = 0x0003,
    FEATURE_RANDOM_READABLE = 0x0010,
    FEATURE_CD_READ = 0x001e,
    FEATURE_DVD_READ = 0x001f,

    FEATURE_CURRENT = 0x01,
    FEATURE_ALWAYS = 0x03, /* persistent and current */
    FEATURE_VERSION_SHIFT = 2,
    INTERFACE_SERIAL_ATAPI = 7,
};

static void profile_add(struct reply *reply, unsigned profile, unsigned current)
{
    reply_16(reply, profile);
    reply_8(reply, profile == current ? FEATURE_CURRENT : 0);
    reply_8(reply, 0);
}

static void feature_add(struct reply *reply, unsigned code, unsigned flags, unsigned version,
                        unsigned length)
{
    reply_16(reply, code);
    reply_8(reply, flags | version << FEATURE_VERSION_SHIFT);
    reply_8(reply, length);
}

/* Whether the medium that is in makes the feature current. */
static unsigned feature_flags(unsigned code, unsigned profile)
{
    switch (code) {
    case FEATURE_RANDOM_READABLE:
        return profile != 0 ? FEATURE_CURRENT : 0;
    case FEATURE_CD_READ:
        return profile == PROFILE_CD_ROM ? FEATURE_CURRENT : 0;
    case FEATURE_DVD_READ:
        return profile == PROFILE_DVD_ROM ? FEATURE_CURRENT : 0;
    default:
        return FEATURE_ALWAYS;
    }
}

static void feature_reply(struct reply *reply, unsigned code, unsigned profile)
{
    unsigned flags = feature_flags(code, profile);

    switch (code) {
    case FEATURE_PROFILE_LIST:
        feature_add(reply, code, flags, 0, 8);
        profile_add(reply, PROFILE_DVD_ROM, profile);
        profile_add(reply, PROFILE_CD_ROM, profile);
        break;
    case FEATURE_CORE:
        feature_add(reply, code, flags, 2, 8);
        reply_32(reply, INTERFACE_SERIAL_ATAPI);
        reply_32(reply, 0);
        break;
    case FEATURE_MORPHING:
        feature_add(reply, code, flags, 1, 4);
        reply_32(reply, 0);
        break;
    case FEATURE_REMOVABLE_MEDIUM:
        feature_add(reply, code, flags, 0, 4);
        reply_32(reply, (uint32_t)LOADER << 24);
        break;
    case FEATURE_RANDOM_READABLE:
        feature_add(reply, code, flags, 0, 8);
        reply_32(reply, CD_SECTOR);
        reply_16(reply, profile == PROFILE_DVD_ROM ? 16 : 1); /* sectors of an error block */
        reply_16(reply, 0);
        break;
    case FEATURE_CD_READ:
    case FEATURE_DVD_READ:
        feature_add(reply, code, flags, code == FEATURE_CD_READ ? 2 : 0, 4);
        reply_32(reply, 0);
        break;
    }
}

unsigned reply_configuration(const struct ata_drive *drive, const uint8_t *packet,
                             struct reply *reply)
{
    enum { TYPE_ALL = 0, TYPE_CURRENT = 1, TYPE_ONE = 2 };
    static const uint16_t features[] = {
        FEATURE_PROFILE_LIST,    FEATURE_CORE,    FEATURE_MORPHING, FEATURE_REMOVABLE_MEDIUM,
        FEATURE_RANDOM_READABLE, FEATURE_CD_READ, FEATURE_DVD_READ,
    };
    unsigned type = packet[1] & 3, start = load_be16(packet + 2);
    unsigned profile = atapi_profile(drive);

    if (type > TYPE_ONE) {
        return ASC_INVALID_FIELD;
    }
    reply_32(reply, 0); /* the length, when it is known */
    reply_16(reply, 0);
    reply_16(reply, profile);
    for (unsigned i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        bool current = feature_flags(features[i], profile) & FEATURE_CURRENT;

        if ((type == TYPE_ONE && features[i] == start) ||
            (type == TYPE_ALL && features[i] >= start) ||
            (type == TYPE_CURRENT && features[i] >= start && current)) {
            feature_reply(reply, features[i], profile);
        }
    }
    store_be32(reply->bytes, (uint32_t)(reply->length - 4));
    return 0;
}

/* --- Events and mechanism --------------------------------------------------------------------- */

unsigned reply_event_status(struct ata_drive *drive, const uint8_t *packet, struct reply *reply)
{
    enum { POLLED = 1, CLASS_MEDIA = 4, NO_EVENT_AVAILABLE = 0x80 };
    enum { STATUS_TRAY_OPEN = 1, STATUS_MEDIUM_PRESENT = 2 };

    if (!(packet[1] & POLLED)) {
        return ASC_INVALID_FIELD; /* there is no command queue that could wait */
    }
    if (!(packet[4] & 1 << CLASS_MEDIA)) {
        reply_16(reply, 2);
        reply_8(reply, NO_EVENT_AVAILABLE);
        reply_8(reply, 1 << CLASS_MEDIA);
        return 0;
    }
    reply_16(reply, 6);
    reply_8(reply, CLASS_MEDIA);
    reply_8(reply, 1 << CLASS_MEDIA);
    reply_8(reply, drive->atapi.media_event);
    reply_8(reply, (drive->atapi.tray_open ? STATUS_TRAY_OPEN : 0) |
                       (atapi_ready(drive) ? STATUS_MEDIUM_PRESENT : 0));
    reply_16(reply, 0);
    drive->atapi.media_event = 0;
    return 0;
}

void reply_mechanism_status(const struct ata_drive *drive, struct reply *reply)
{
    reply_8(reply, 0);
    reply_8(reply, drive->atapi.tray_open ? 0x10 : 0);
    reply_24(reply, 0);
    reply_8(reply, 1); /* slots */
    reply_16(reply, 0);
}
