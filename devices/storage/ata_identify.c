/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What drives say about themselves: IDENTIFY DEVICE, IDENTIFY PACKET DEVICE (ATA8-ACS sections 7.16
 * and 7.17, words 69, 105, 169 as in ACS-2) and the log pages 00h and 10h (annex A).
 */
#include <string.h>

#include "ahci.h"
#include "bytes.h"

enum {
    WORDS = 256,
    FIRMWARE_WORD = 23,
    FIRMWARE_LENGTH = 8,
    SERIAL_WORD = 10,
    SERIAL_LENGTH = 20,
    MODEL_WORD = 27,
    MODEL_LENGTH = 40,

    HEADS = 16,
    SECTORS_PER_TRACK = 63,
    CYLINDERS_MAX = 16383,
    SECTORS_28_BIT = 0x0fffffff,
    ROTATION_NONE = 1,
    ROTATION_RATE = 7200,

    ATA_VERSIONS = 0x03f0, /* ATA/ATAPI-4 to ACS-2 */
    SATA_SPEEDS = 0x0006,  /* generations 1 and 2 */
    SATA_NCQ = 0x0100,
    TRANSPORT_SERIAL = 0x101f, /* Serial ATA up to 2.6 */
    WORD_VALID = 0x4000,       /* bit 14 set and 15 clear mark a word as meaningful */

    SET_82_POWER = 1 << 3,
    SET_82_PACKET = 1 << 4,
    SET_82_WRITE_CACHE = 1 << 5,
    SET_82_LOOK_AHEAD = 1 << 6,
    SET_82_DEVICE_RESET = 1 << 9,
    SET_83_LBA48 = 1 << 10,
    SET_83_FLUSH = 1 << 12,
    SET_83_FLUSH_EXT = 1 << 13,
    SET_84_LOGS = 1 << 5,
    SET_84_FUA = 1 << 6,

    LOG_DIRECTORY = 0x00,
    LOG_NCQ_ERROR = 0x10,
    LOG_DIRECTORY_VERSION = 1,
    NOT_QUEUED = 0x80,
};

static void word_set(uint8_t *data, unsigned word, uint32_t value)
{
    store_le16(data + 2 * word, (uint16_t)value);
}

/* Text of fixed length, padded with spaces; the first character of a word is its high byte. */
static void text_set(uint8_t *data, unsigned word, const char *text, size_t length)
{
    size_t n = strnlen(text, length);

    for (size_t i = 0; i < length; i++) {
        data[2 * word + (i ^ 1)] = i < n ? (uint8_t)text[i] : ' ';
    }
}

static void names_set(const struct ata_drive *drive, unsigned number, const char *model,
                      uint8_t *data)
{
    char serial[] = "ORIEL-0";

    serial[sizeof(serial) - 2] = (char)('0' + number);
    text_set(data, SERIAL_WORD, drive->info.serial[0] != '\0' ? drive->info.serial : serial,
             SERIAL_LENGTH);
    text_set(data, FIRMWARE_WORD, "1.0", FIRMWARE_LENGTH);
    text_set(data, MODEL_WORD, model, MODEL_LENGTH);
}

/* Byte 511 makes the sum of all bytes zero. */
static void checksum_set(uint8_t *data)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < ATA_SECTOR - 1; i++) {
        sum = (uint8_t)(sum + data[i]);
    }
    data[ATA_SECTOR - 1] = (uint8_t)-sum;
}

/* Words 63 and 88: all modes up to 2 and 6, and which one is selected. */
static void transfer_modes_set(const struct ata_drive *drive, uint8_t *data)
{
    unsigned kind = drive->transfer_mode & 0xf8, selected = 0x100u << (drive->transfer_mode & 7);

    word_set(data, 63, 0x0007 | (kind == 0x20 ? selected : 0));
    word_set(data, 88, 0x007f | (kind == 0x40 ? selected : 0));
    word_set(data, 53, 0x0006); /* words 64-70 and 88 are valid */
    word_set(data, 64, 0x0003); /* PIO 3 and 4 */
    for (unsigned word = 65; word <= 68; word++) {
        word_set(data, word, 120); /* ns a cycle */
    }
}

static void geometry_set(const struct ata_drive *drive, uint8_t *data)
{
    uint64_t sectors = ata_sectors(drive);
    uint64_t cylinders = sectors / (HEADS * SECTORS_PER_TRACK);
    uint32_t small = sectors < SECTORS_28_BIT ? (uint32_t)sectors : SECTORS_28_BIT;

    if (cylinders > CYLINDERS_MAX) {
        cylinders = CYLINDERS_MAX;
    } else if (cylinders == 0) {
        cylinders = 1;
    }
    word_set(data, 1, (uint32_t)cylinders);
    word_set(data, 3, HEADS);
    word_set(data, 6, SECTORS_PER_TRACK);
    store_le32(data + 2 * 60, small);
    store_le64(data + 2 * 100, sectors);
}

/* Words 106 and 209: how many logical sectors a physical one has, and that they are aligned. */
static void sector_size_set(const struct ata_drive *drive, uint8_t *data)
{
    unsigned shift = 0;

    while (shift < 15 && (uint32_t)ATA_SECTOR << (shift + 1) <= drive->info.physical_block_size) {
        shift++;
    }
    word_set(data, 106, WORD_VALID | (shift > 0 ? 0x2000 | shift : 0));
    word_set(data, 209, WORD_VALID);
}

static void disk_features_set(const struct ata_drive *drive, uint8_t *data)
{
    unsigned off = (drive->write_cache ? 0u : SET_82_WRITE_CACHE) |
                   (drive->look_ahead ? 0u : SET_82_LOOK_AHEAD);
    unsigned word82 = SET_82_POWER | SET_82_WRITE_CACHE | SET_82_LOOK_AHEAD;
    unsigned word83 = SET_83_LBA48 | SET_83_FLUSH | SET_83_FLUSH_EXT;
    unsigned word84 = SET_84_LOGS | SET_84_FUA;

    word_set(data, 82, word82);
    word_set(data, 83, WORD_VALID | word83);
    word_set(data, 84, WORD_VALID | word84);
    word_set(data, 85, word82 & ~off);
    word_set(data, 86, word83);
    word_set(data, 87, WORD_VALID | word84);
}

void ata_identify(const struct ata_drive *drive, unsigned number, uint8_t *data)
{
    memset(data, 0, ATA_SECTOR);
    word_set(data, 0, 0x0040); /* a fixed disk */
    names_set(drive, number, "ORIEL DISK", data);
    geometry_set(drive, data);
    transfer_modes_set(drive, data);
    sector_size_set(drive, data);
    disk_features_set(drive, data);
    word_set(data, 47, 0x8000 | ATA_MULTIPLE_MAX);
    word_set(data, 49, 0x0b00); /* LBA, DMA, IORDY */
    word_set(data, 50, WORD_VALID);
    word_set(data, 59, drive->multiple ? 0x0100u | drive->multiple : 0);
    word_set(data, 75, AHCI_SLOTS - 1);
    word_set(data, 76, SATA_NCQ | SATA_SPEEDS);
    word_set(data, 80, ATA_VERSIONS);
    if (drive->info.discard) {
        word_set(data, 69, 0x4020); /* reads after TRIM are always the same, and zeroes */
        word_set(data, 105, ATA_TRIM_BLOCKS_MAX);
        word_set(data, 169, 0x0001);
    }
    word_set(data, 217, drive->info.rotational ? ROTATION_RATE : ROTATION_NONE);
    word_set(data, 222, TRANSPORT_SERIAL);
    data[510] = 0xa5; /* a checksum follows */
    checksum_set(data);
}

void ata_identify_packet(const struct ata_drive *drive, unsigned number, uint8_t *data)
{
    memset(data, 0, ATA_SECTOR);
    word_set(data, 0, 0x85c0); /* packets of 12 bytes, CD or DVD, removable, answers within 50 us */
    names_set(drive, number, "ORIEL DVD-ROM", data);
    transfer_modes_set(drive, data);
    word_set(data, 49, 0x0b00);
    word_set(data, 50, WORD_VALID);
    word_set(data, 76, SATA_SPEEDS);
    word_set(data, 80, ATA_VERSIONS);
    word_set(data, 82, SET_82_POWER | SET_82_PACKET | SET_82_DEVICE_RESET);
    word_set(data, 83, WORD_VALID);
    word_set(data, 84, WORD_VALID);
    word_set(data, 85, SET_82_POWER | SET_82_PACKET | SET_82_DEVICE_RESET);
    word_set(data, 87, WORD_VALID);
    word_set(data, 222, TRANSPORT_SERIAL);
    data[510] = 0xa5;
    checksum_set(data);
}

/* Which queued command failed, and how (ATA8-ACS section A.7). */
static void queue_error_log(const struct ata_drive *drive, uint8_t *data)
{
    if (!drive->queue_error) {
        data[0] = NOT_QUEUED;
    } else {
        data[0] = (uint8_t)(drive->error_not_queued ? NOT_QUEUED : drive->error_tag);
        data[2] = drive->error_status;
        data[3] = drive->error_error;
        data[4] = (uint8_t)drive->error_lba;
        data[5] = (uint8_t)(drive->error_lba >> 8);
        data[6] = (uint8_t)(drive->error_lba >> 16);
        data[7] = drive->error_device;
        data[8] = (uint8_t)(drive->error_lba >> 24);
        data[9] = (uint8_t)(drive->error_lba >> 32);
        data[10] = (uint8_t)(drive->error_lba >> 40);
        store_le16(data + 12, drive->error_count);
    }
    checksum_set(data);
}

bool ata_log_page(const struct ata_drive *drive, uint8_t log, uint16_t page, uint8_t *data)
{
    memset(data, 0, ATA_SECTOR);
    if (page != 0) {
        return false;
    }
    switch (log) {
    case LOG_DIRECTORY:
        /* Entry n says how many pages log n has. */
        store_le16(data, LOG_DIRECTORY_VERSION);
        store_le16(data + 2 * LOG_NCQ_ERROR, 1);
        return true;
    case LOG_NCQ_ERROR:
        queue_error_log(drive, data);
        return true;
    default:
        return false;
    }
}
