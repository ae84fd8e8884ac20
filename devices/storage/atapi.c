/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An ATAPI CD or DVD drive: the packets that a host sends with PACKET, MMC-5 and SPC-3 over
 * ATA8-ACS.
 *
 * A packet ends with good status, or with CHECK CONDITION: the sense key in the error register and
 * the rest to be fetched by REQUEST SENSE. The next packet forgets the sense of the one before.
 *
 * The medium: the back end says when it is changed. The guest learns of a new one twice, as a unit
 * attention that fails one command, and as an event for those who ask by GET EVENT STATUS
 * NOTIFICATION. START STOP UNIT opens the tray by asking the machine, which then takes the medium
 * out; PREVENT ALLOW MEDIUM REMOVAL tells the machine whether the user may do so.
 *
 * Every disc has one data track, mode 1, from sector 0 to its end. What is longer than a CD can be
 * is a DVD. Data goes by DMA or PIO as the host's feature register says; in PIO only the last of
 * the PIO setup FISes is written, with the byte count limit as its count.
 *
 * Left out: audio, raw sectors and subchannels, writing, several sessions, changers, CSS, the event
 * of a pressed eject button.
 */
#include "atapi.h"

#include <errno.h>

#include "ahci.h"
#include "bytes.h"
#include "services.h"

enum {
    PACKET_TEST_UNIT_READY = 0x00,
    PACKET_REQUEST_SENSE = 0x03,
    PACKET_INQUIRY = 0x12,
    PACKET_MODE_SENSE_6 = 0x1a,
    PACKET_START_STOP_UNIT = 0x1b,
    PACKET_PREVENT_ALLOW = 0x1e,
    PACKET_READ_CAPACITY = 0x25,
    PACKET_READ_10 = 0x28,
    PACKET_SEEK = 0x2b,
    PACKET_VERIFY = 0x2f,
    PACKET_READ_TOC = 0x43,
    PACKET_GET_CONFIGURATION = 0x46,
    PACKET_GET_EVENT_STATUS = 0x4a,
    PACKET_READ_DISC_INFORMATION = 0x51,
    PACKET_READ_TRACK_INFORMATION = 0x52,
    PACKET_MODE_SENSE_10 = 0x5a,
    PACKET_READ_12 = 0xa8,
    PACKET_READ_DVD_STRUCTURE = 0xad,
    PACKET_READ_CD_MSF = 0xb9,
    PACKET_SET_CD_SPEED = 0xbb,
    PACKET_MECHANISM_STATUS = 0xbd,
    PACKET_READ_CD = 0xbe,

    FEATURE_DMA = 0x01,
    REASON_STATUS = 0x03, /* interrupt reason: command is done */
    BYTE_COUNT_MAX = 0xfffe,

    NEEDS_MEDIUM = 1 << 0,
    WITHOUT_ATTENTION = 1 << 1, /* runs although a unit attention waits */

    MSF_OFFSET = 150, /* sector 0 is at 00:02:00 */
    FRAMES_A_SECOND = 75,
};

static struct ata_drive *drive_of(struct ahci_command *command)
{
    return &command->port->drive;
}

/* --- The medium ------------------------------------------------------------------------------- */

bool atapi_ready(const struct ata_drive *drive)
{
    return drive->info.present && !drive->atapi.tray_open;
}

uint32_t atapi_sectors(const struct ata_drive *drive)
{
    uint64_t sectors = drive->info.size / CD_SECTOR;

    return sectors < UINT32_MAX ? (uint32_t)sectors : UINT32_MAX;
}

unsigned atapi_profile(const struct ata_drive *drive)
{
    if (!atapi_ready(drive)) {
        return 0;
    }
    return atapi_sectors(drive) > CD_FRAMES_MAX ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
}

static void medium_arrived(struct ata_drive *drive)
{
    drive->atapi.tray_open = false;
    drive->atapi.attention = true;
    drive->atapi.media_event = MEDIA_NEW;
}

void atapi_media_changed(struct ata_drive *drive)
{
    if (drive->info.present) {
        medium_arrived(drive);
    } else {
        drive->atapi.attention = false;
        drive->atapi.media_event = MEDIA_REMOVED;
    }
    drive->atapi.generation = drive->info.generation;
}

void atapi_power_on(struct ata_drive *drive)
{
    drive->atapi = (struct atapi_state){ .generation = drive->info.generation };
}

static void tray_lock(struct ahci_port *port, bool lock)
{
    if (port->drive.atapi.locked != lock) {
        port->drive.atapi.locked = lock;
        dev_request(port_device(port), REQUEST_LOCK_TRAY, port->number << 1 | lock);
    }
}

void atapi_unlock(struct ahci_port *port)
{
    tray_lock(port, false);
}

/* --- How packets end -------------------------------------------------------------------------- */

static void check_condition(struct ahci_command *command, unsigned key, unsigned asc)
{
    struct atapi_state *atapi = &drive_of(command)->atapi;

    atapi->sense_key = (uint8_t)key;
    atapi->asc = (uint8_t)(asc >> 8);
    atapi->ascq = (uint8_t)asc;
    command->registers.count = REASON_STATUS;
    command_fail(command, (uint8_t)(key << 4 | (key == SENSE_ILLEGAL_REQUEST ? ERROR_ABRT : 0)));
}

static void good(struct ahci_command *command)
{
    command->registers.count = REASON_STATUS;
    command_finish(command);
}

static void not_ready(struct ahci_command *command)
{
    check_condition(command, SENSE_NOT_READY,
                    drive_of(command)->atapi.tray_open ? ASC_NO_MEDIUM_TRAY_OPEN
                                                       : ASC_NO_MEDIUM_TRAY_CLOSED);
}

static void illegal(struct ahci_command *command, unsigned asc)
{
    check_condition(command, SENSE_ILLEGAL_REQUEST, asc);
}

/* In PIO mode data is announced; false: the port has been stopped. */
static bool data_announce(struct ahci_command *command, uint64_t length)
{
    struct ata_registers busy = { .status = STATUS_GOOD | STATUS_BSY };
    uint16_t limit = load_le16(command->fis + 5) & BYTE_COUNT_MAX;

    if (command->fis[3] & FEATURE_DMA) {
        return true;
    }
    limit = limit ? limit : BYTE_COUNT_MAX;
    limit = limit < length ? limit : (uint16_t)length;
    if (!fis_pio_setup(command->port, &busy, true, true, limit)) {
        return false;
    }
    command->registers.lba = (uint64_t)limit << 8;
    ahci_port_raise(command->port, IS_PSS);
    return true;
}

static void reply_send(struct ahci_command *command, const struct reply *reply, size_t allocated)
{
    size_t n = reply->length < allocated ? reply->length : allocated;

    command->registers.count = REASON_STATUS;
    if (n == 0) {
        command_finish(command);
    } else if (data_announce(command, n)) {
        command_reply(command, reply->bytes, n);
    }
}

/* --- Reading ---------------------------------------------------------------------------------- */

static void read_done(struct ahci_command *command, int status)
{
    switch (status) {
    case 0:
        good(command);
        break;
    case -ENOMEDIUM:
        not_ready(command);
        break;
    case -EINVAL:
        illegal(command, ASC_LBA_OUT_OF_RANGE);
        break;
    default:
        check_condition(command, SENSE_MEDIUM_ERROR, ASC_UNRECOVERED_READ_ERROR);
    }
}

static bool range_check(struct ahci_command *command, uint32_t lba, uint32_t count)
{
    if (range_fits(lba, count, atapi_sectors(drive_of(command)))) {
        return true;
    }
    illegal(command, ASC_LBA_OUT_OF_RANGE);
    return false;
}

static void sectors_read(struct ahci_command *command, uint32_t lba, uint32_t count)
{
    uint64_t length = (uint64_t)count * CD_SECTOR;

    if (!range_check(command, lba, count)) {
        return;
    }
    drive_of(command)->power = POWER_ACTIVE;
    if (count == 0) {
        good(command);
        return;
    }
    if (data_announce(command, length)) {
        command->done = read_done;
        command_transfer(command, BLOCK_READ, (uint64_t)lba * CD_SECTOR, length, CD_SECTOR);
    }
}

/* What READ CD wants of each sector: its 2048 bytes of user data, or nothing. */
static void cd_read(struct ahci_command *command, uint32_t lba, uint32_t count)
{
    enum { TYPE_ANY = 0, TYPE_MODE_1 = 2, SELECT_USER_DATA = 0x10, SELECT = 0xfe };
    const uint8_t *packet = command->packet;
    unsigned type = packet[1] >> 2 & 7, select = packet[9] & SELECT;

    if (type != TYPE_ANY && type != TYPE_MODE_1) {
        illegal(command, ASC_ILLEGAL_MODE_FOR_TRACK);
    } else if ((packet[10] & 7) != 0 || (select != 0 && select != SELECT_USER_DATA)) {
        illegal(command, ASC_INVALID_FIELD);
    } else if (select == 0) {
        if (range_check(command, lba, count)) {
            good(command);
        }
    } else {
        sectors_read(command, lba, count);
    }
}

/* --- Packets ---------------------------------------------------------------------------------- */

static void packet_good(struct ahci_command *command)
{
    good(command);
}

static void packet_request_sense(struct ahci_command *command)
{
    struct atapi_state *atapi = &drive_of(command)->atapi;
    struct reply reply = { .length = 0 };

    if (atapi->sense_key == SENSE_NONE && atapi->attention) {
        atapi->sense_key = SENSE_UNIT_ATTENTION;
        atapi->asc = ASC_MEDIUM_CHANGED >> 8;
        atapi->attention = false;
    }
    reply_sense(drive_of(command), &reply);
    atapi->sense_key = SENSE_NONE;
    atapi->asc = 0;
    atapi->ascq = 0;
    reply_send(command, &reply, command->packet[4]);
}

static void packet_read(struct ahci_command *command)
{
    const uint8_t *packet = command->packet;

    sectors_read(command, load_be32(packet + 2),
                 packet[0] == PACKET_READ_12 ? load_be32(packet + 6) : load_be16(packet + 7));
}

static void packet_seek(struct ahci_command *command)
{
    const uint8_t *packet = command->packet;
    uint32_t count = packet[0] == PACKET_VERIFY ? load_be16(packet + 7) : 1;

    if (range_check(command, load_be32(packet + 2), count)) {
        good(command);
    }
}

static void packet_read_cd(struct ahci_command *command)
{
    const uint8_t *packet = command->packet;

    cd_read(command, load_be32(packet + 2), (uint32_t)packet[6] << 16 | load_be16(packet + 7));
}

static void packet_read_cd_msf(struct ahci_command *command)
{
    const uint8_t *packet = command->packet;
    uint32_t start = (packet[3] * 60u + packet[4]) * FRAMES_A_SECOND + packet[5];
    uint32_t end = (packet[6] * 60u + packet[7]) * FRAMES_A_SECOND + packet[8];

    if (start < MSF_OFFSET || end < start) {
        illegal(command, ASC_LBA_OUT_OF_RANGE);
        return;
    }
    cd_read(command, start - MSF_OFFSET, end - start);
}

static void packet_start_stop_unit(struct ahci_command *command)
{
    enum { START = 1, LOAD_EJECT = 2, POWER_CONDITION = 0xf0 };
    struct ahci_port *port = command->port;
    struct atapi_state *atapi = &port->drive.atapi;
    unsigned operation = command->packet[4];

    if ((operation & POWER_CONDITION) || !(operation & LOAD_EJECT)) {
        good(command); /* the disc turns as long as it is needed */
        return;
    }
    if (operation & START) {
        if (atapi->tray_open) {
            atapi->tray_open = false;
            if (port->drive.info.present) {
                medium_arrived(&port->drive);
            }
        }
        good(command);
        return;
    }
    if (atapi->locked) {
        illegal(command, ASC_REMOVAL_PREVENTED);
        return;
    }
    if (!atapi->tray_open) {
        atapi->tray_open = true;
        atapi->attention = false;
        atapi->media_event = MEDIA_REMOVED;
        dev_request(port_device(port), REQUEST_EJECT, port->number);
    }
    good(command);
}

static void packet_prevent_allow(struct ahci_command *command)
{
    tray_lock(command->port, (command->packet[4] & 1) != 0);
    good(command);
}

/* Packets whose whole effect is a reply. */
static void packet_reply(struct ahci_command *command)
{
    struct ata_drive *drive = drive_of(command);
    const uint8_t *packet = command->packet;
    struct reply reply = { .length = 0 };
    size_t allocated = load_be16(packet + 7);
    unsigned refused = 0;

    switch (packet[0]) {
    case PACKET_INQUIRY:
        allocated = load_be16(packet + 3);
        refused = reply_inquiry(drive, packet, &reply);
        break;
    case PACKET_MODE_SENSE_6:
        allocated = packet[4];
        refused = reply_mode_sense(drive, packet, &reply);
        break;
    case PACKET_MODE_SENSE_10:
        refused = reply_mode_sense(drive, packet, &reply);
        break;
    case PACKET_READ_CAPACITY:
        allocated = sizeof(reply.bytes);
        reply_capacity(drive, &reply);
        break;
    case PACKET_READ_TOC:
        refused = reply_toc(drive, packet, &reply);
        break;
    case PACKET_GET_CONFIGURATION:
        refused = reply_configuration(drive, packet, &reply);
        break;
    case PACKET_GET_EVENT_STATUS:
        refused = reply_event_status(drive, packet, &reply);
        break;
    case PACKET_READ_DISC_INFORMATION:
        refused = reply_disc_information(drive, packet, &reply);
        break;
    case PACKET_READ_TRACK_INFORMATION:
        refused = reply_track_information(drive, packet, &reply);
        break;
    case PACKET_READ_DVD_STRUCTURE:
        allocated = load_be16(packet + 8);
        refused = reply_dvd_structure(drive, packet, &reply);
        break;
    case PACKET_MECHANISM_STATUS:
        allocated = load_be16(packet + 8);
        reply_mechanism_status(drive, &reply);
        break;
    }
    if (refused != 0) {
        illegal(command, refused);
    } else {
        reply_send(command, &reply, allocated);
    }
}

struct packet_op {
    void (*run)(struct ahci_command *command);
    unsigned flags;
};

static const struct packet_op packet_ops[256] = {
    [PACKET_TEST_UNIT_READY] = { packet_good, NEEDS_MEDIUM },
    [PACKET_REQUEST_SENSE] = { packet_request_sense, WITHOUT_ATTENTION },
    [PACKET_INQUIRY] = { packet_reply, WITHOUT_ATTENTION },
    [PACKET_MODE_SENSE_6] = { packet_reply, 0 },
    [PACKET_START_STOP_UNIT] = { packet_start_stop_unit, 0 },
    [PACKET_PREVENT_ALLOW] = { packet_prevent_allow, 0 },
    [PACKET_READ_CAPACITY] = { packet_reply, NEEDS_MEDIUM },
    [PACKET_READ_10] = { packet_read, NEEDS_MEDIUM },
    [PACKET_SEEK] = { packet_seek, NEEDS_MEDIUM },
    [PACKET_VERIFY] = { packet_seek, NEEDS_MEDIUM },
    [PACKET_READ_TOC] = { packet_reply, NEEDS_MEDIUM },
    [PACKET_GET_CONFIGURATION] = { packet_reply, WITHOUT_ATTENTION },
    [PACKET_GET_EVENT_STATUS] = { packet_reply, WITHOUT_ATTENTION },
    [PACKET_READ_DISC_INFORMATION] = { packet_reply, NEEDS_MEDIUM },
    [PACKET_READ_TRACK_INFORMATION] = { packet_reply, NEEDS_MEDIUM },
    [PACKET_MODE_SENSE_10] = { packet_reply, 0 },
    [PACKET_READ_12] = { packet_read, NEEDS_MEDIUM },
    [PACKET_READ_DVD_STRUCTURE] = { packet_reply, NEEDS_MEDIUM },
    [PACKET_READ_CD_MSF] = { packet_read_cd_msf, NEEDS_MEDIUM },
    [PACKET_SET_CD_SPEED] = { packet_good, 0 },
    [PACKET_MECHANISM_STATUS] = { packet_reply, 0 },
    [PACKET_READ_CD] = { packet_read_cd, NEEDS_MEDIUM },
};

void atapi_execute(struct ahci_command *command)
{
    struct ata_registers busy = { .status = STATUS_GOOD | STATUS_BSY };
    struct atapi_state *atapi = &drive_of(command)->atapi;
    const struct packet_op *op = &packet_ops[command->packet[0]];

    /* The packet itself goes over as PIO data to the drive. */
    if (!fis_pio_setup(command->port, &busy, false, false, 12)) {
        return;
    }
    if (command->packet[0] != PACKET_REQUEST_SENSE) {
        atapi->sense_key = SENSE_NONE;
        atapi->asc = 0;
        atapi->ascq = 0;
    }
    if (!op->run) {
        illegal(command, ASC_INVALID_OPERATION_CODE);
    } else if (atapi->attention && !(op->flags & WITHOUT_ATTENTION)) {
        atapi->attention = false;
        check_condition(command, SENSE_UNIT_ATTENTION, ASC_MEDIUM_CHANGED);
    } else if ((op->flags & NEEDS_MEDIUM) && !atapi_ready(drive_of(command))) {
        not_ready(command);
    } else {
        op->run(command);
    }
}
