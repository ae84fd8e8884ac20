/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The commands of an ATA disk that touch the medium: reading, writing, verifying, TRIM. ATA8-ACS,
 * and ACS-2 section 7.10 for DATA SET MANAGEMENT.
 *
 * Addresses are LBA only, 28 or 48 bits; every range is checked against the disk before anything
 * moves. With the write cache turned off each write is made durable before it ends.
 *
 * TRIM copies its ranges once, checks all of them, and then discards one after the other; ranges
 * that follow each other become one. READ VERIFY checks the range only.
 *
 * How it fails: IDNF for what is not on the disk, UNC for what the host cannot read, ABRT
 * otherwise.
 */
#include <errno.h>
#include <stdlib.h>

#include "ahci.h"
#include "ata.h"
#include "bytes.h"
#include "services.h"

enum {
    TRIM_FEATURE = 0x01,
    TRIM_RANGE_SIZE = 8,
};

static struct ata_drive *drive_of(struct ahci_command *command)
{
    return &command->port->drive;
}

/* --- Reading and writing ---------------------------------------------------------------------- */

static uint8_t error_of(int status, bool write)
{
    switch (status) {
    case -EINVAL:
        return ERROR_IDNF;
    case -EIO:
        return write ? ERROR_ABRT : ERROR_UNC;
    default:
        return ERROR_ABRT;
    }
}

static void media_done(struct ahci_command *command, int status)
{
    if (status == 0) {
        command_finish(command);
        return;
    }
    command->registers.lba = command->offset / ATA_SECTOR;
    command_fail(command, error_of(status, command->request.op == BLOCK_WRITE));
}

/* The range [lba, lba + count), or an error if it is not on the disk. */
static void media_run(struct ahci_command *command, uint64_t lba, uint32_t count, unsigned flags)
{
    struct ata_drive *drive = drive_of(command);

    if (!range_fits(lba, count, ata_sectors(drive))) {
        guest_error(port_device(command->port), "port %u: sectors %llu to %llu of %llu",
                    command->port->number, (unsigned long long)lba,
                    (unsigned long long)(lba + count - 1), (unsigned long long)ata_sectors(drive));
        command_fail(command, ERROR_IDNF);
        return;
    }
    drive->power = POWER_ACTIVE;
    if (flags & OP_VERIFY) {
        command_finish(command);
        return;
    }
    if (command->protocol == PROTOCOL_PIO_OUT &&
        !fis_pio_setup(command->port, &(struct ata_registers){ .status = STATUS_GOOD | STATUS_BSY },
                       false, false, ATA_SECTOR)) {
        return;
    }
    command->done = media_done;
    command->request.fua = (flags & OP_WRITE) && ((flags & OP_FUA) || !drive->write_cache);
    command_transfer(command, flags & OP_WRITE ? BLOCK_WRITE : BLOCK_READ, lba * ATA_SECTOR,
                     (uint64_t)count * ATA_SECTOR, ATA_SECTOR);
}

void ata_media_access(struct ahci_command *command, unsigned flags)
{
    const struct ata_registers *r = &command->registers;
    uint64_t lba = r->lba & 0xffffff;
    uint32_t count = r->count & 0xff;

    if (!(r->device & DEVICE_LBA) || ((flags & OP_MULTIPLE) && drive_of(command)->multiple == 0)) {
        command_fail(command, ERROR_ABRT);
        return;
    }
    if (flags & OP_EXT) {
        lba = r->lba;
        count = r->count ? r->count : 0x10000;
    } else {
        lba |= (uint64_t)(r->device & 0xf) << 24;
        count = count ? count : 0x100;
    }
    media_run(command, lba, count, flags);
}

/* The count is in the feature field, the tag in bits 7:3 of the count field. */
void ata_queued_access(struct ahci_command *command, unsigned flags)
{
    uint32_t count = command->fis[3] | (uint32_t)command->fis[11] << 8;
    unsigned tag = command->fis[12] >> 3;

    if (tag != command->slot || !(command->registers.device & DEVICE_LBA)) {
        guest_error(port_device(command->port), "port %u, slot %u: queued command with tag %u",
                    command->port->number, command->slot, tag);
        command_fail(command, ERROR_ABRT);
        return;
    }
    flags |= command->registers.device & DEVICE_FUA ? OP_FUA : 0;
    media_run(command, command->registers.lba, count ? count : 0x10000, flags);
}

/* --- TRIM ------------------------------------------------------------------------------------- */

/* Takes the next range that is not empty; 0: none is left. */
static uint64_t trim_next(struct ahci_command *command, uint64_t *lba)
{
    while (command->range < command->n_ranges) {
        uint64_t entry = load_le64(command->ranges + TRIM_RANGE_SIZE * command->range++);

        if (entry >> 48 != 0) {
            *lba = entry & UINT64_C(0xffffffffffff);
            return entry >> 48;
        }
    }
    return 0;
}

static void trim_done(struct ahci_command *command, int status)
{
    uint64_t lba, count;

    if (status != 0) {
        command_fail(command, ERROR_ABRT);
        return;
    }
    count = trim_next(command, &lba);
    if (count == 0) {
        command_finish(command);
        return;
    }
    /* Ranges that follow each other are one. */
    while (command->range < command->n_ranges) {
        uint64_t entry = load_le64(command->ranges + TRIM_RANGE_SIZE * command->range);

        if ((entry & UINT64_C(0xffffffffffff)) != lba + count) {
            break;
        }
        count += entry >> 48;
        command->range++;
    }
    command->done = trim_done;
    command_request(command, BLOCK_DISCARD, lba * ATA_SECTOR, count * ATA_SECTOR);
}

static bool trim_ranges_fit(struct ahci_command *command)
{
    uint64_t lba, count;

    for (command->range = 0; (count = trim_next(command, &lba)) > 0;) {
        if (!range_fits(lba, count, ata_sectors(drive_of(command)))) {
            return false;
        }
    }
    command->range = 0;
    return true;
}

void ata_data_set_management(struct ahci_command *command, unsigned flags)
{
    size_t length = (size_t)command->registers.count * ATA_SECTOR, got;

    if (!drive_of(command)->info.discard || command->fis[3] != TRIM_FEATURE || length == 0 ||
        command->registers.count > ATA_TRIM_BLOCKS_MAX) {
        command_fail(command, ERROR_ABRT);
        return;
    }
    command->ranges = calloc(1, length);
    if (!command->ranges) {
        abort(); /* a few KiB: the host is beyond help */
    }
    if (!command_fetch(command, command->ranges, length, &got)) {
        return;
    }
    command->n_ranges = (unsigned)(got / TRIM_RANGE_SIZE);
    if (got < length || !trim_ranges_fit(command)) {
        guest_error(port_device(command->port), "port %u: bad list of TRIM ranges",
                    command->port->number);
        command_fail(command, got < length ? ERROR_ABRT : ERROR_IDNF);
        return;
    }
    trim_done(command, 0);
}
