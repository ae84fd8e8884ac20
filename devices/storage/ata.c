/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An ATA disk: its commands (ATA8-ACS, with TRIM and the 10h log as in ACS-2). One table says for
 * each opcode what it does and by which protocol it ends.
 *
 * After a queued command has failed the disk refuses everything until the guest has read log 10h or
 * reset it (ACS-2 section 4.15); the log says which tag it was.
 *
 * Left out, and ended with ABRT: CHS addresses, SMART, security, host protected area, APM, queued
 * TRIM, streaming, microcode, tagged queuing of ATA-4.
 */
#include "ata.h"

#include "ahci.h"
#include "atapi.h"
#include "bytes.h"
#include "services.h"
#include "state.h"

enum {
    ATA_NOP = 0x00,
    ATA_DATA_SET_MANAGEMENT = 0x06,
    ATA_DEVICE_RESET = 0x08,
    ATA_READ_SECTORS = 0x20,
    ATA_READ_SECTORS_EXT = 0x24,
    ATA_READ_DMA_EXT = 0x25,
    ATA_READ_NATIVE_MAX_EXT = 0x27,
    ATA_READ_MULTIPLE_EXT = 0x29,
    ATA_READ_LOG_EXT = 0x2f,
    ATA_WRITE_SECTORS = 0x30,
    ATA_WRITE_SECTORS_EXT = 0x34,
    ATA_WRITE_DMA_EXT = 0x35,
    ATA_WRITE_MULTIPLE_EXT = 0x39,
    ATA_WRITE_DMA_FUA_EXT = 0x3d,
    ATA_READ_VERIFY = 0x40,
    ATA_READ_VERIFY_EXT = 0x42,
    ATA_READ_LOG_DMA_EXT = 0x47,
    ATA_READ_FPDMA_QUEUED = 0x60,
    ATA_WRITE_FPDMA_QUEUED = 0x61,
    ATA_EXECUTE_DEVICE_DIAGNOSTIC = 0x90,
    ATA_INITIALIZE_DEVICE_PARAMETERS = 0x91,
    ATA_PACKET = 0xa0,
    ATA_IDENTIFY_PACKET_DEVICE = 0xa1,
    ATA_READ_MULTIPLE = 0xc4,
    ATA_WRITE_MULTIPLE = 0xc5,
    ATA_SET_MULTIPLE_MODE = 0xc6,
    ATA_READ_DMA = 0xc8,
    ATA_WRITE_DMA = 0xca,
    ATA_WRITE_MULTIPLE_FUA_EXT = 0xce,
    ATA_STANDBY_IMMEDIATE = 0xe0,
    ATA_IDLE_IMMEDIATE = 0xe1,
    ATA_STANDBY = 0xe2,
    ATA_IDLE = 0xe3,
    ATA_CHECK_POWER_MODE = 0xe5,
    ATA_SLEEP = 0xe6,
    ATA_FLUSH_CACHE = 0xe7,
    ATA_FLUSH_CACHE_EXT = 0xea,
    ATA_IDENTIFY_DEVICE = 0xec,
    ATA_SET_FEATURES = 0xef,
    ATA_READ_NATIVE_MAX = 0xf8,

    LOG_NCQ_ERROR = 0x10,
    POWER_COUNT_ACTIVE = 0xff,
    POWER_COUNT_STANDBY = 0x00,
    DIAGNOSTIC_PASSED = 0x01,
};

struct ata_op {
    void (*run)(struct ahci_command *command, unsigned flags);
    enum ata_protocol protocol;
    unsigned flags;
};

static struct ata_drive *drive_of(struct ahci_command *command)
{
    return &command->port->drive;
}

uint64_t ata_sectors(const struct ata_drive *drive)
{
    return drive->info.size / ATA_SECTOR;
}

/* --- Commands --------------------------------------------------------------------------------- */

static void request_done(struct ahci_command *command, int status)
{
    if (status == 0) {
        command_finish(command);
    } else {
        command_fail(command, ERROR_ABRT);
    }
}

static void flush(struct ahci_command *command, unsigned flags)
{
    command->done = request_done;
    command_request(command, BLOCK_FLUSH, 0, 0);
}

static void identify(struct ahci_command *command, unsigned flags)
{
    uint8_t data[ATA_SECTOR];

    ata_identify(drive_of(command), command->port->number, data);
    command_reply(command, data, sizeof(data));
}

static void read_log(struct ahci_command *command, unsigned flags)
{
    struct ata_drive *drive = drive_of(command);
    uint8_t data[ATA_SECTOR];
    uint8_t log = (uint8_t)command->registers.lba;
    uint16_t page = (uint16_t)((command->registers.lba >> 8 & 0xff) |
                               (command->registers.lba >> 32 & 0xff) << 8);

    if (command->registers.count != 1 || !ata_log_page(drive, log, page, data)) {
        command_fail(command, ERROR_ABRT);
        return;
    }
    if (log == LOG_NCQ_ERROR) {
        drive->queue_error = false;
    }
    command_reply(command, data, sizeof(data));
}

static void read_native_max(struct ahci_command *command, unsigned flags)
{
    uint64_t sectors = ata_sectors(drive_of(command)), last = sectors ? sectors - 1 : 0;

    if (!(flags & OP_EXT)) {
        last = last < 0xfffffff ? last : 0xfffffff;
        command->registers.device =
            (uint8_t)((command->registers.device & 0xf0) | (last >> 24 & 0xf));
        last &= 0xffffff;
    }
    command->registers.lba = last;
    command_finish(command);
}

static void set_multiple_mode(struct ahci_command *command, unsigned flags)
{
    uint8_t count = (uint8_t)command->registers.count;

    if (count > ATA_MULTIPLE_MAX || (count & (count - 1)) != 0) {
        command_fail(command, ERROR_ABRT);
        return;
    }
    drive_of(command)->multiple = count;
    command_finish(command);
}

static void execute_device_diagnostic(struct ahci_command *command, unsigned flags)
{
    ata_signature(drive_of(command), &command->registers);
    command->registers.error = DIAGNOSTIC_PASSED;
    command_finish(command);
}

static void succeed(struct ahci_command *command, unsigned flags)
{
    command_finish(command);
}

static void set_features(struct ahci_command *command, unsigned flags)
{
    enum {
        ENABLE_WRITE_CACHE = 0x02,
        SET_TRANSFER_MODE = 0x03,
        DISABLE_LOOK_AHEAD = 0x55,
        KEEP_SETTINGS = 0x66,
        DISABLE_WRITE_CACHE = 0x82,
        ENABLE_LOOK_AHEAD = 0xaa,
        FORGET_SETTINGS = 0xcc,
    };
    struct ata_drive *drive = drive_of(command);
    uint8_t feature = command->fis[3], mode = command->fis[12];
    bool disk = drive->kind == DRIVE_DISK;

    if (feature == SET_TRANSFER_MODE) {
        /* PIO default, PIO 0-4, multiword DMA 0-2, Ultra DMA 0-6 */
        if (mode > 0x01 && (mode < 0x08 || mode > 0x0c) && (mode < 0x20 || mode > 0x22) &&
            (mode < 0x40 || mode > 0x46)) {
            command_fail(command, ERROR_ABRT);
            return;
        }
        drive->transfer_mode = mode;
    } else if (disk && (feature == ENABLE_WRITE_CACHE || feature == DISABLE_WRITE_CACHE)) {
        drive->write_cache = feature == ENABLE_WRITE_CACHE;
        if (!drive->write_cache) {
            flush(command, 0); /* what is in the cache must not stay there */
            return;
        }
    } else if (disk && (feature == ENABLE_LOOK_AHEAD || feature == DISABLE_LOOK_AHEAD)) {
        drive->look_ahead = feature == ENABLE_LOOK_AHEAD;
    } else if (feature != KEEP_SETTINGS && feature != FORGET_SETTINGS) {
        command_fail(command, ERROR_ABRT);
        return;
    }
    command_finish(command);
}

static void power(struct ahci_command *command, unsigned flags)
{
    struct ata_drive *drive = drive_of(command);

    switch (command->fis[2]) {
    case ATA_STANDBY:
    case ATA_STANDBY_IMMEDIATE:
    case ATA_SLEEP:
        drive->power = command->fis[2] == ATA_SLEEP ? POWER_SLEEP : POWER_STANDBY;
        if (drive->kind == DRIVE_DISK) {
            flush(command, 0);
            return;
        }
        break;
    case ATA_CHECK_POWER_MODE:
        command->registers.count =
            drive->power == POWER_ACTIVE ? POWER_COUNT_ACTIVE : POWER_COUNT_STANDBY;
        break;
    default:
        drive->power = POWER_ACTIVE;
    }
    command_finish(command);
}

static void identify_packet(struct ahci_command *command, unsigned flags)
{
    uint8_t data[ATA_SECTOR];

    ata_identify_packet(drive_of(command), command->port->number, data);
    command_reply(command, data, sizeof(data));
}

/* A packet device answers this with its signature, so that the host asks again the other way. */
static void identify_refused(struct ahci_command *command, unsigned flags)
{
    ata_signature(drive_of(command), &command->registers);
    command_fail(command, ERROR_ABRT);
}

static void packet_device_reset(struct ahci_command *command, unsigned flags)
{
    ata_drive_soft_reset(drive_of(command));
    execute_device_diagnostic(command, flags);
}

static void packet(struct ahci_command *command, unsigned flags)
{
    atapi_execute(command);
}

#define READ_OP(protocol_, flags_)                                                                 \
    {                                                                                              \
        ata_media_access, PROTOCOL_##protocol_, flags_                                             \
    }
#define WRITE_OP(protocol_, flags_)                                                                \
    {                                                                                              \
        ata_media_access, PROTOCOL_##protocol_, OP_WRITE | (flags_)                                \
    }
#define POWER_OP                                                                                   \
    {                                                                                              \
        power, PROTOCOL_NO_DATA, 0                                                                 \
    }

static const struct ata_op disk_ops[256] = {
    [ATA_DATA_SET_MANAGEMENT] = { ata_data_set_management, PROTOCOL_DMA, 0 },
    [ATA_READ_SECTORS] = READ_OP(PIO_IN, 0),
    [ATA_READ_SECTORS + 1] = READ_OP(PIO_IN, 0),
    [ATA_READ_SECTORS_EXT] = READ_OP(PIO_IN, OP_EXT),
    [ATA_READ_DMA_EXT] = READ_OP(DMA, OP_EXT),
    [ATA_READ_NATIVE_MAX_EXT] = { read_native_max, PROTOCOL_NO_DATA, OP_EXT },
    [ATA_READ_MULTIPLE_EXT] = READ_OP(PIO_IN, OP_EXT | OP_MULTIPLE),
    [ATA_READ_LOG_EXT] = { read_log, PROTOCOL_PIO_IN, 0 },
    [ATA_WRITE_SECTORS] = WRITE_OP(PIO_OUT, 0),
    [ATA_WRITE_SECTORS + 1] = WRITE_OP(PIO_OUT, 0),
    [ATA_WRITE_SECTORS_EXT] = WRITE_OP(PIO_OUT, OP_EXT),
    [ATA_WRITE_DMA_EXT] = WRITE_OP(DMA, OP_EXT),
    [ATA_WRITE_MULTIPLE_EXT] = WRITE_OP(PIO_OUT, OP_EXT | OP_MULTIPLE),
    [ATA_WRITE_DMA_FUA_EXT] = WRITE_OP(DMA, OP_EXT | OP_FUA),
    [ATA_READ_VERIFY] = READ_OP(NO_DATA, OP_VERIFY),
    [ATA_READ_VERIFY + 1] = READ_OP(NO_DATA, OP_VERIFY),
    [ATA_READ_VERIFY_EXT] = READ_OP(NO_DATA, OP_EXT | OP_VERIFY),
    [ATA_READ_LOG_DMA_EXT] = { read_log, PROTOCOL_DMA, 0 },
    [ATA_READ_FPDMA_QUEUED] = { ata_queued_access, PROTOCOL_QUEUED, 0 },
    [ATA_WRITE_FPDMA_QUEUED] = { ata_queued_access, PROTOCOL_QUEUED, OP_WRITE },
    [ATA_EXECUTE_DEVICE_DIAGNOSTIC] = { execute_device_diagnostic, PROTOCOL_NO_DATA, 0 },
    [ATA_INITIALIZE_DEVICE_PARAMETERS] = { succeed, PROTOCOL_NO_DATA, 0 },
    [ATA_READ_MULTIPLE] = READ_OP(PIO_IN, OP_MULTIPLE),
    [ATA_WRITE_MULTIPLE] = WRITE_OP(PIO_OUT, OP_MULTIPLE),
    [ATA_SET_MULTIPLE_MODE] = { set_multiple_mode, PROTOCOL_NO_DATA, 0 },
    [ATA_READ_DMA] = READ_OP(DMA, 0),
    [ATA_READ_DMA + 1] = READ_OP(DMA, 0),
    [ATA_WRITE_DMA] = WRITE_OP(DMA, 0),
    [ATA_WRITE_DMA + 1] = WRITE_OP(DMA, 0),
    [ATA_WRITE_MULTIPLE_FUA_EXT] = WRITE_OP(PIO_OUT, OP_EXT | OP_MULTIPLE | OP_FUA),
    [ATA_STANDBY_IMMEDIATE] = POWER_OP,
    [ATA_IDLE_IMMEDIATE] = POWER_OP,
    [ATA_STANDBY] = POWER_OP,
    [ATA_IDLE] = POWER_OP,
    [ATA_CHECK_POWER_MODE] = POWER_OP,
    [ATA_SLEEP] = POWER_OP,
    [ATA_FLUSH_CACHE] = { flush, PROTOCOL_NO_DATA, 0 },
    [ATA_FLUSH_CACHE_EXT] = { flush, PROTOCOL_NO_DATA, 0 },
    [ATA_IDENTIFY_DEVICE] = { identify, PROTOCOL_PIO_IN, 0 },
    [ATA_SET_FEATURES] = { set_features, PROTOCOL_NO_DATA, 0 },
    [ATA_READ_NATIVE_MAX] = { read_native_max, PROTOCOL_NO_DATA, 0 },
};

static const struct ata_op optical_ops[256] = {
    [ATA_DEVICE_RESET] = { packet_device_reset, PROTOCOL_NO_DATA, 0 },
    [ATA_READ_SECTORS] = { identify_refused, PROTOCOL_NO_DATA, 0 },
    [ATA_EXECUTE_DEVICE_DIAGNOSTIC] = { execute_device_diagnostic, PROTOCOL_NO_DATA, 0 },
    [ATA_PACKET] = { packet, PROTOCOL_PACKET, 0 },
    [ATA_IDENTIFY_PACKET_DEVICE] = { identify_packet, PROTOCOL_PIO_IN, 0 },
    [ATA_STANDBY_IMMEDIATE] = POWER_OP,
    [ATA_IDLE_IMMEDIATE] = POWER_OP,
    [ATA_STANDBY] = POWER_OP,
    [ATA_IDLE] = POWER_OP,
    [ATA_CHECK_POWER_MODE] = POWER_OP,
    [ATA_SLEEP] = POWER_OP,
    [ATA_IDENTIFY_DEVICE] = { identify_refused, PROTOCOL_NO_DATA, 0 },
    [ATA_SET_FEATURES] = { set_features, PROTOCOL_NO_DATA, 0 },
};

bool ata_is_queued(const struct ata_drive *drive, uint8_t opcode)
{
    return drive->kind == DRIVE_DISK && disk_ops[opcode].protocol == PROTOCOL_QUEUED;
}

void ata_execute(struct ahci_command *command)
{
    struct ata_drive *drive = drive_of(command);
    uint8_t opcode = command->fis[2];
    const struct ata_op *op =
        drive->kind == DRIVE_OPTICAL ? &optical_ops[opcode] : &disk_ops[opcode];
    bool log = opcode == ATA_READ_LOG_EXT || opcode == ATA_READ_LOG_DMA_EXT;

    if (drive->power == POWER_SLEEP) {
        return; /* it hears nothing, and the host has to time out and reset it */
    }
    if (!op->run || (drive->queue_error && !log)) {
        command_fail(command, ERROR_ABRT);
        return;
    }
    command->protocol = op->protocol;
    op->run(command, op->flags);
}

/* --- Life ------------------------------------------------------------------------------------- */

void ata_queue_error(struct ahci_command *command, uint8_t status, uint8_t error)
{
    struct ata_drive *drive = drive_of(command);

    if (drive->queue_error) {
        return; /* the first one is what the log is about */
    }
    drive->queue_error = true;
    drive->error_not_queued = !command->queued;
    drive->error_tag = command->slot;
    drive->error_status = status;
    drive->error_error = error;
    drive->error_lba = command->registers.lba;
    drive->error_count = command->registers.count;
    drive->error_device = command->registers.device;
}

void ata_signature(const struct ata_drive *drive, struct ata_registers *registers)
{
    *registers = (struct ata_registers){
        .status = STATUS_GOOD,
        .error = DIAGNOSTIC_PASSED,
        .count = 1,
        .lba = drive->kind == DRIVE_OPTICAL ? 0xeb1401 : 0x000001,
    };
}

void ata_drive_soft_reset(struct ata_drive *drive)
{
    drive->queue_error = false;
    drive->power = POWER_ACTIVE;
    drive->atapi.sense_key = 0;
    drive->atapi.asc = 0;
    drive->atapi.ascq = 0;
}

void ata_drive_reset(struct ata_drive *drive)
{
    ata_drive_soft_reset(drive);
    drive->write_cache = true;
    drive->look_ahead = true;
    drive->transfer_mode = 0x46;
    drive->multiple = ATA_MULTIPLE_MAX;
}

void ata_media_changed(struct ata_drive *drive)
{
    if (drive->kind == DRIVE_OPTICAL) {
        atapi_media_changed(drive);
    }
}

static const struct state_field atapi_fields[] = {
    FIELD_MAX(struct atapi_state, sense_key, 15),
    FIELD(struct atapi_state, asc),
    FIELD(struct atapi_state, ascq),
    FIELD(struct atapi_state, tray_open),
    FIELD(struct atapi_state, locked),
    FIELD(struct atapi_state, attention),
    FIELD_MAX(struct atapi_state, media_event, 15),
    FIELD(struct atapi_state, generation),
    FIELD_END,
};

const struct state_field ata_drive_fields[] = {
    FIELD(struct ata_drive, write_cache),
    FIELD(struct ata_drive, look_ahead),
    FIELD(struct ata_drive, transfer_mode),
    FIELD_MAX(struct ata_drive, multiple, ATA_MULTIPLE_MAX),
    FIELD_MAX(struct ata_drive, power, POWER_MODES - 1),
    FIELD(struct ata_drive, queue_error),
    FIELD_MAX(struct ata_drive, error_tag, 31),
    FIELD(struct ata_drive, error_status),
    FIELD(struct ata_drive, error_error),
    FIELD(struct ata_drive, error_device),
    FIELD(struct ata_drive, error_not_queued),
    FIELD(struct ata_drive, error_count),
    FIELD(struct ata_drive, error_lba),
    FIELD_STRUCT(struct ata_drive, atapi, atapi_fields),
    FIELD_END,
};
