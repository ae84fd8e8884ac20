/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The drives: what the controller knows of them, and what their files share. ATA8-ACS / ACS-2 for
 * the commands, ATA8-ACS section 4.3 and MMC-5 for packet devices.
 */
#ifndef DEVICES_STORAGE_ATA_H
#define DEVICES_STORAGE_ATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block.h"
#include "state.h"

struct ahci_command;
struct ahci_port;

enum {
    STATUS_ERR = 0x01,
    STATUS_DRQ = 0x08,
    STATUS_DSC = 0x10,
    STATUS_DRDY = 0x40,
    STATUS_BSY = 0x80,
    STATUS_GOOD = STATUS_DRDY | STATUS_DSC,

    ERROR_ABRT = 0x04,
    ERROR_IDNF = 0x10,
    ERROR_UNC = 0x40,

    DEVICE_LBA = 0x40,
    DEVICE_FUA = 0x80, /* NCQ writes */

    ATA_SECTOR = 512,
    CD_SECTOR = 2048,
    ATA_TRIM_BLOCKS_MAX = 8, /* 512-byte blocks of ranges in one DATA SET MANAGEMENT */
    ATA_MULTIPLE_MAX = 16,
};

/* What a transfer command is besides its opcode. */
enum {
    OP_WRITE = 1 << 0,
    OP_EXT = 1 << 1, /* 48-bit address, 16-bit count */
    OP_FUA = 1 << 2,
    OP_MULTIPLE = 1 << 3,
    OP_VERIFY = 1 << 4,
};

/* Decides by which FIS a command ends. */
enum ata_protocol {
    PROTOCOL_NO_DATA,
    PROTOCOL_PIO_IN,
    PROTOCOL_PIO_OUT,
    PROTOCOL_DMA,
    PROTOCOL_QUEUED,
    PROTOCOL_PACKET,
};

/* The registers as the host sees them when a command ends. */
struct ata_registers {
    uint8_t status, error, device;
    uint16_t count;
    uint64_t lba; /* 48 bits */
};

enum drive_kind {
    DRIVE_NONE,
    DRIVE_DISK,
    DRIVE_OPTICAL,
};

enum power_mode {
    POWER_ACTIVE,
    POWER_STANDBY,
    POWER_SLEEP, /* answers nothing but a reset */
    POWER_MODES
};

/* Sense data, and what the guest must be told about the medium. */
struct atapi_state {
    uint8_t sense_key, asc, ascq;
    bool tray_open;
    bool locked;         /* PREVENT MEDIUM REMOVAL */
    bool attention;      /* a new medium has not been reported as unit attention yet */
    uint8_t media_event; /* for GET EVENT STATUS NOTIFICATION: 0 none, 2 new medium, 3 removed */
    uint64_t generation; /* of the medium last seen */
};

struct ata_drive {
    enum drive_kind kind;   /* from the back end, not saved */
    struct block_info info; /* likewise */
    bool write_cache, look_ahead;
    uint8_t transfer_mode; /* the count field of SET FEATURES 03h */
    uint8_t multiple;      /* sectors a block of READ MULTIPLE, 0: off */
    uint8_t power;
    bool queue_error; /* refuses everything until log 10h has been read */
    uint8_t error_tag, error_status, error_error, error_device;
    bool error_not_queued;
    uint16_t error_count;
    uint64_t error_lba;
    struct atapi_state atapi;
};

extern const struct state_field ata_drive_fields[];

/* Power on, COMRESET; soft: SRST, DEVICE RESET. */
void ata_drive_reset(struct ata_drive *drive);
void ata_media_changed(struct ata_drive *drive);
void ata_drive_soft_reset(struct ata_drive *drive);
/* Status, count and LBA that tell the host what is there. */
void ata_signature(const struct ata_drive *drive, struct ata_registers *registers);

/* Executes the command in command->fis. For a queued one command->queued is set and it was
 * accepted. */
void ata_execute(struct ahci_command *command);
bool ata_is_queued(const struct ata_drive *drive, uint8_t opcode);
/* Remembers a failed queued command (or what came in between) for log 10h. */
void ata_queue_error(struct ahci_command *command, uint8_t status, uint8_t error);
uint64_t ata_sectors(const struct ata_drive *drive);

/* ata_transfer.c; flags are of OP_*. */
void ata_media_access(struct ahci_command *command, unsigned flags);
void ata_queued_access(struct ahci_command *command, unsigned flags);
void ata_data_set_management(struct ahci_command *command, unsigned flags);

/* ata_identify.c. `data` has 512 bytes. */
void ata_identify(const struct ata_drive *drive, unsigned number, uint8_t *data);
void ata_identify_packet(const struct ata_drive *drive, unsigned number, uint8_t *data);
/* False: there is no such page. */
bool ata_log_page(const struct ata_drive *drive, uint8_t log, uint16_t page, uint8_t *data);

#endif
