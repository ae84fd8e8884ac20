/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a command slot, AHCI 1.3.1 sections 4.2.2, 4.2.3 and 5.5.
 *
 *   fetch    header, command FIS and packet are copied out of guest memory once
 *   execute  the drive decides; short commands end at once, others send requests to the back end
 *   end      bytes moved, FIS, task file, command register, interrupt, in this order
 *
 * A command that is not queued keeps the port busy until it ends. A queued one (NCQ) is accepted
 * with a register FIS, which frees its bit in PxCI; its end is a set device bits FIS, which frees
 * its bit in PxSACT. After an error the port halts, every other command is given up, and their bits
 * stay for the guest to see until it clears PxCMD.ST (section 6.2.2).
 *
 * The command's request belongs to the back end while it is in flight. Giving the command up makes
 * it stale; a port with stale requests fetches nothing, so a slot is never in use twice and nothing
 * of an old command reaches memory after the guest has been told that the port has come to rest.
 *
 * Left out: port multipliers (the port number of a FIS is ignored), BIST, prefetch.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ahci.h"
#include "bytes.h"
#include "services.h"

enum {
    HEADER_SIZE = 32,
    HEADER_FIS_LENGTH = 0x1f, /* dwords */
    HEADER_PRDBC = 4,
    HEADER_CTBA = 8,
    FIS_LENGTH_MIN = 2,
    FIS_LENGTH_MAX = 16,

    TABLE_PACKET = 0x40,
    TABLE_PRDT = 0x80,

    FIS_COMMAND = 0x27,
    FIS_IS_COMMAND = 0x80, /* otherwise it is about the control register */
    CONTROL_SRST = 0x04,
};

static uint32_t slot_bit(const struct ahci_command *command)
{
    return 1u << command->slot;
}

static void fetch_refuse(struct ahci_command *command, uint32_t is, const char *what,
                         uint64_t value)
{
    guest_error(port_device(command->port), "port %u, slot %u: %s %#llx", command->port->number,
                command->slot, what, (unsigned long long)value);
    ahci_port_fatal(command->port, is);
}

/* Copies header and table; false if the port has been stopped because they are wrong. */
static bool command_load(struct ahci_command *command)
{
    struct ahci_port *port = command->port;
    struct device *device = port_device(port);
    uint64_t at = port->command_list + command->slot * (uint64_t)HEADER_SIZE;
    uint8_t header[HEADER_SIZE], table[TABLE_PACKET + sizeof(command->packet)];

    if (dev_ram_read(device, at, header, sizeof(header)) != 0) {
        fetch_refuse(command, IS_HBFS, "no RAM at the command header", at);
        return false;
    }
    uint32_t flags = load_le32(header);
    uint64_t table_at = load_le64(header + HEADER_CTBA) & ~UINT64_C(0x7f);

    if (dev_ram_read(device, table_at, table, sizeof(table)) != 0) {
        fetch_refuse(command, IS_HBFS, "no RAM at the command table", table_at);
        return false;
    }
    unsigned length = flags & HEADER_FIS_LENGTH;

    if (length < FIS_LENGTH_MIN || length > FIS_LENGTH_MAX || table[0] != FIS_COMMAND) {
        fetch_refuse(command, IS_IFS, "no command FIS, but length and type",
                     length << 8 | table[0]);
        return false;
    }
    memset(command->fis, 0, sizeof(command->fis));
    memcpy(command->fis, table,
           length * 4 < sizeof(command->fis) ? length * 4 : sizeof(command->fis));
    memcpy(command->packet, table + TABLE_PACKET, sizeof(command->packet));
    prdt_start(&command->prdt, table_at + TABLE_PRDT, flags >> 16);
    return true;
}

/* What a drive reports unless the command says otherwise: the registers as they were written. */
static void registers_load(struct ahci_command *command)
{
    const uint8_t *fis = command->fis;

    command->registers = (struct ata_registers){
        .status = STATUS_GOOD,
        .device = fis[7],
        .count = load_le16(fis + 12),
        .lba = (uint64_t)load_le16(fis + 4) | (uint64_t)fis[6] << 16 |
               (uint64_t)load_le16(fis + 8) << 24 | (uint64_t)fis[10] << 40,
    };
}

static bool queued_accept(struct ahci_command *command)
{
    struct ahci_port *port = command->port;
    const struct ata_registers accepted = { .status = STATUS_GOOD };

    command->queued = true;
    command->protocol = PROTOCOL_QUEUED;
    if (!fis_register(port, &accepted, false)) {
        return false;
    }
    port->ci &= ~slot_bit(command);
    port->queued |= slot_bit(command);
    return true;
}

void ahci_command_issue(struct ahci_command *command)
{
    struct ahci_port *port = command->port;

    port->current = command->slot;
    if (command->active) {
        fetch_refuse(command, IS_IFS, "issued again while its tag is in use:", command->slot);
        return;
    }
    if (!command_load(command)) {
        return;
    }
    if (!(command->fis[1] & FIS_IS_COMMAND)) {
        port->ci &= ~slot_bit(command);
        ahci_port_soft_reset(port, (command->fis[15] & CONTROL_SRST) != 0);
        return;
    }
    command->active = true;
    command->queued = false;
    command->protocol = PROTOCOL_NO_DATA;
    command->moved = 0;
    command->left = 0;
    command->n_spans = 0;
    command->cut = 0;
    registers_load(command);
    if (ata_is_queued(&port->drive, command->fis[2])) {
        if (queued_accept(command)) {
            ata_execute(command);
        }
        return;
    }
    port->busy = true;
    port->tfd |= STATUS_BSY;
    if (port->queued) {
        guest_error(port_device(port), "port %u: command %#x while queued ones are not finished",
                    port->number, command->fis[2]);
        ata_queue_error(command, STATUS_GOOD | STATUS_ERR, ERROR_ABRT);
        command_fail(command, ERROR_ABRT);
        return;
    }
    ata_execute(command);
}

void ahci_command_release(struct ahci_command *command)
{
    command->active = false;
    free(command->ranges);
    command->ranges = NULL;
}

/* --- The end ---------------------------------------------------------------------------------- */

static bool bytes_moved_store(struct ahci_command *command)
{
    struct ahci_port *port = command->port;
    uint64_t at = port->command_list + command->slot * (uint64_t)HEADER_SIZE + HEADER_PRDBC;
    uint8_t moved[4];

    store_le32(moved, command->moved);
    if (dev_ram_write(port_device(port), at, moved, sizeof(moved)) != 0) {
        fetch_refuse(command, IS_HBFS, "no RAM at the command header", at);
        return false;
    }
    return true;
}

void command_finish(struct ahci_command *command)
{
    struct ahci_port *port = command->port;
    uint32_t is = command->prdt.interrupt ? IS_DPS : 0;

    if (command->queued) {
        if (!fis_set_device_bits(port, command->registers.status, 0, slot_bit(command))) {
            return;
        }
        port->queued &= ~slot_bit(command);
        is |= IS_SDBS;
    } else {
        bool pio_in = command->protocol == PROTOCOL_PIO_IN;

        if (!bytes_moved_store(command) ||
            !(pio_in ? fis_pio_setup(port, &command->registers, true, true, ATA_SECTOR)
                     : fis_register(port, &command->registers, true))) {
            return;
        }
        port->busy = false;
        port->ci &= ~slot_bit(command);
        is |= pio_in ? IS_PSS : IS_DHRS;
    }
    ahci_command_release(command);
    ahci_port_raise(port, is);
}

void command_fail(struct ahci_command *command, uint8_t error)
{
    struct ahci_port *port = command->port;
    uint32_t is = IS_TFES | (command->prdt.interrupt ? IS_DPS : 0);

    command->registers.status |= STATUS_ERR;
    command->registers.error = error;
    if (command->queued) {
        ata_queue_error(command, command->registers.status, error);
        if (!fis_set_device_bits(port, command->registers.status, error, 0)) {
            return;
        }
        is |= IS_SDBS;
    } else {
        if (!bytes_moved_store(command) || !fis_register(port, &command->registers, true)) {
            return;
        }
        port->busy = false;
        is |= IS_DHRS;
    }
    port->halted = true;
    ahci_port_abandon(port);
    ahci_port_raise(port, is);
}

/* --- Data ------------------------------------------------------------------------------------- */

static void data_fault(struct ahci_command *command)
{
    fetch_refuse(command, IS_HBFS, "the PRD table leaves RAM near",
                 command->prdt.left > 0 ? command->prdt.address : command->prdt.table);
}

void command_reply(struct ahci_command *command, const void *bytes, size_t n)
{
    struct ahci_port *port = command->port;
    size_t moved = prdt_copy_out(command, bytes, n);

    if (command->prdt.fault) {
        data_fault(command);
        return;
    }
    if (moved < n) {
        port->is |= IS_OFS; /* raised together with the end */
    }
    command_finish(command);
}

bool command_fetch(struct ahci_command *command, void *bytes, size_t n, size_t *got)
{
    *got = prdt_copy_in(command, bytes, n);
    if (command->prdt.fault) {
        data_fault(command);
        return false;
    }
    return true;
}

/* Whoever calls ends with ahci_port_kick(). */
static void submit(struct ahci_command *command)
{
    struct ahci_port *port = command->port;

    command->in_flight = true;
    port->n_in_flight++;
    port->batch[port->n_batch++] = &command->request;
}

void ahci_batch_submit(struct ahci_port *port)
{
    struct device *device = port_device(port);

    if (port->n_batch == 1) {
        device->services->block_submit(device, port->batch[0]);
    } else if (port->n_batch > 1) {
        device->services->block_submit_batch(device, port->batch, port->n_batch);
    }
    port->n_batch = 0;
}

static void transfer_step(struct ahci_command *command)
{
    struct block_request *request = &command->request;
    size_t want = command->left < BLOCK_LENGTH_MAX ? (size_t)command->left : BLOCK_LENGTH_MAX;
    size_t piece = prdt_collect(command, want - want % command->unit);

    if (command->prdt.fault) {
        data_fault(command);
        return;
    }
    if (piece == 0) {
        guest_error(port_device(command->port),
                    "port %u, slot %u: PRD table too short for %llu more bytes",
                    command->port->number, command->slot, (unsigned long long)command->left);
        command->port->is |= IS_OFS;
        command_fail(command, ERROR_ABRT);
        return;
    }
    request->offset = command->offset;
    request->length = piece;
    submit(command);
}

void command_transfer(struct ahci_command *command, enum block_op op, uint64_t offset,
                      uint64_t length, uint32_t unit)
{
    struct ahci_port *port = command->port;
    bool fua = command->request.fua;

    if (!command->spans) {
        command->spans = malloc(sizeof(*command->spans));
        if (!command->spans) {
            abort(); /* a fixed, small size: the host is beyond help */
        }
    }
    command->request = (struct block_request){ .op = op, .drive = port->number, .fua = fua };
    command->offset = offset;
    command->left = length;
    command->unit = unit;
    if (command->queued &&
        !fis_dma_setup(port, command->slot, op == BLOCK_READ, (uint32_t)length)) {
        return;
    }
    transfer_step(command);
}

void command_request(struct ahci_command *command, enum block_op op, uint64_t offset,
                     uint64_t length)
{
    command->request = (struct block_request){
        .op = op, .drive = command->port->number, .offset = offset, .length = length
    };
    command->left = 0;
    submit(command);
}

/* One request of a live command has ended: the next piece, or the drive's turn. */
static void request_done(struct ahci_command *command)
{
    const struct block_request *request = &command->request;

    if (request->op == BLOCK_READ || request->op == BLOCK_WRITE) {
        prdt_consume(command, request->op == BLOCK_READ);
        if (request->status == 0) {
            command->moved += (uint32_t)request->length;
            command->offset += request->length;
            command->left -= request->length;
            if (command->left > 0) {
                transfer_step(command);
                return;
            }
        }
    }
    command->done(command, request->status);
}

void ahci_command_block_done(struct ahci_command *command)
{
    struct ahci_port *port = command->port;

    command->in_flight = false;
    port->n_in_flight--;
    if (command->stale) {
        if (command->request.op == BLOCK_READ) {
            prdt_consume(command, true);
        }
        command->stale = false;
        port->n_stale--;
        if (port->n_stale == 0) {
            ahci_port_drained(port);
        }
        return;
    }
    request_done(command);
    ahci_port_kick(port);
}
