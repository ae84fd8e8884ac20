/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The packet side of an optical drive, and the replies it gives. MMC-5, SPC-3. */
#ifndef DEVICES_STORAGE_ATAPI_H
#define DEVICES_STORAGE_ATAPI_H

#include "ata.h"

enum {
    REPLY_MAX = 2052, /* the longest: READ DVD STRUCTURE with its header */

    SENSE_NONE = 0x0,
    SENSE_NOT_READY = 0x2,
    SENSE_MEDIUM_ERROR = 0x3,
    SENSE_ILLEGAL_REQUEST = 0x5,
    SENSE_UNIT_ATTENTION = 0x6,

    /* Additional sense code << 8 | qualifier */
    ASC_UNRECOVERED_READ_ERROR = 0x1100,
    ASC_INVALID_OPERATION_CODE = 0x2000,
    ASC_LBA_OUT_OF_RANGE = 0x2100,
    ASC_INVALID_FIELD = 0x2400,
    ASC_MEDIUM_CHANGED = 0x2800,
    ASC_INCOMPATIBLE_MEDIUM = 0x3000,
    ASC_SAVING_NOT_SUPPORTED = 0x3900,
    ASC_NO_MEDIUM_TRAY_CLOSED = 0x3a01,
    ASC_NO_MEDIUM_TRAY_OPEN = 0x3a02,
    ASC_REMOVAL_PREVENTED = 0x5302,
    ASC_ILLEGAL_MODE_FOR_TRACK = 0x6400,

    MEDIA_NEW = 2,
    MEDIA_REMOVED = 3,

    PROFILE_CD_ROM = 0x0008,
    PROFILE_DVD_ROM = 0x0010,
    CD_FRAMES_MAX = 80 * 60 * 75, /* sectors; anything longer is a DVD */
};

/* A reply under construction. What does not fit is dropped and shows in no reply of ours. */
struct reply {
    uint8_t bytes[REPLY_MAX];
    size_t length;
};

void reply_8(struct reply *reply, unsigned value);
void reply_16(struct reply *reply, unsigned value);
void reply_24(struct reply *reply, uint32_t value);
void reply_32(struct reply *reply, uint32_t value);
void reply_zeroes(struct reply *reply, size_t n);
void reply_text(struct reply *reply, const char *text, size_t length);

/* The drive as the guest can see it now. */
bool atapi_ready(const struct ata_drive *drive);
uint32_t atapi_sectors(const struct ata_drive *drive);
unsigned atapi_profile(const struct ata_drive *drive); /* 0: no medium */

void atapi_execute(struct ahci_command *command);
void atapi_media_changed(struct ata_drive *drive);
void atapi_power_on(struct ata_drive *drive);
/* A reset forgets PREVENT ALLOW MEDIUM REMOVAL. */
void atapi_unlock(struct ahci_port *port);

/*
 * Replies (atapi_replies.c, atapi_disc.c). `packet` is the command, 12 bytes. Those that can refuse
 * return 0 or the additional sense of an illegal request.
 */
unsigned reply_inquiry(const struct ata_drive *drive, const uint8_t *packet, struct reply *reply);
void reply_sense(const struct ata_drive *drive, struct reply *reply);
unsigned reply_mode_sense(const struct ata_drive *drive, const uint8_t *packet,
                          struct reply *reply);
unsigned reply_configuration(const struct ata_drive *drive, const uint8_t *packet,
                             struct reply *reply);
unsigned reply_event_status(struct ata_drive *drive, const uint8_t *packet, struct reply *reply);
void reply_mechanism_status(const struct ata_drive *drive, struct reply *reply);
void reply_capacity(const struct ata_drive *drive, struct reply *reply);
unsigned reply_toc(const struct ata_drive *drive, const uint8_t *packet, struct reply *reply);
unsigned reply_disc_information(const struct ata_drive *drive, const uint8_t *packet,
                                struct reply *reply);
unsigned reply_track_information(const struct ata_drive *drive, const uint8_t *packet,
                                 struct reply *reply);
unsigned reply_dvd_structure(const struct ata_drive *drive, const uint8_t *packet,
                             struct reply *reply);

#endif
