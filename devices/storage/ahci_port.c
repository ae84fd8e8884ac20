/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A port: its registers (AHCI 1.3.1 section 3.3), its link, and the engine that fetches commands.
 *
 * The link comes up with COMRESET: at power on, by GHC.HR, or when the guest moves PxSCTL.DET from
 * 1 (or 4) back to 0. The drive then announces itself with a register FIS that holds its signature;
 * it waits until the guest has turned reception on (PxCMD.FRE), and until then PxTFD reads 7Fh.
 *
 * Commands are fetched, in turn of their slots, while PxCMD.ST is set, the drive is not busy and no
 * error halts the port. PxCMD.FR follows FRE at once. PxCMD.CR follows ST, except that it stays set
 * as long as requests given up are still with the back end: only then may the guest use that memory
 * again. For the same reason a COMRESET ends, and GHC.HR clears, when they have come back.
 *
 * Left out: staggered spin-up (CAP.SSS is 0, SUD and POD read as 1), link power management, port
 * multipliers, cold presence and hot plug.
 */
#include <errno.h>
#include <stdlib.h>

#include "ahci.h"
#include "atapi.h"
#include "bytes.h"
#include "services.h"
#include "state.h"

enum {
    SCTL_DET = 0xf,
    SCTL_WRITABLE = 0xfff, /* DET, SPD, IPM */
    DET_COMRESET = 1,
    DET_OFFLINE = 4,
    SSTS_UP = 0x113, /* active, generation 1, device and link */
    SSTS_RESET = 0x001,
    SSTS_OFFLINE = 0x004,
    LIST_ALIGNMENT = 0x400,
    FIS_ALIGNMENT = 0x100,
};

/* --- Link ------------------------------------------------------------------------------------- */

static void link_up(struct ahci_port *port)
{
    if (port->drive.kind == DRIVE_NONE) {
        port->link = LINK_EMPTY;
        return;
    }
    port->link = LINK_UP;
    port->signature_pending = true;
    port->serr |= SERR_DIAG_X | SERR_DIAG_N;
}

/* The drive is gone from the link; everything it was doing is given up. */
static void link_down(struct ahci_port *port, enum ahci_link state)
{
    ahci_port_abandon(port);
    port->link = (uint8_t)state;
    port->tfd = TFD_NO_DEVICE;
    port->sig = SIG_NONE;
    port->signature_pending = false;
    port->queued = 0;
    port->halted = port->ci != 0;
    atapi_unlock(port);
    ata_drive_reset(&port->drive);
}

/* COMRESET ends when it is no longer asserted and nothing is left of before. */
static void link_settle(struct ahci_port *port)
{
    if (port->link == LINK_RESET && (port->sctl & SCTL_DET) == 0 && port->n_stale == 0) {
        link_up(port);
    }
}

static void sctl_write(struct ahci_port *port, uint32_t value)
{
    unsigned detection = value & SCTL_DET;

    port->sctl = value & SCTL_WRITABLE;
    if (detection == DET_COMRESET) {
        link_down(port, LINK_RESET);
    } else if (detection == DET_OFFLINE) {
        link_down(port, LINK_OFFLINE);
    } else if (detection == 0 && port->link == LINK_OFFLINE) {
        port->link = LINK_RESET;
    }
    link_settle(port);
    ahci_interrupts_update(port->ahci);
    ahci_port_kick(port);
}

static uint32_t link_status(const struct ahci_port *port)
{
    switch ((enum ahci_link)port->link) {
    case LINK_UP:
        return SSTS_UP;
    case LINK_RESET:
        return port->drive.kind == DRIVE_NONE ? 0 : SSTS_RESET;
    case LINK_OFFLINE:
        return SSTS_OFFLINE;
    case LINK_EMPTY:
    case LINK_STATES:
        break;
    }
    return 0;
}

/* The first register FIS after a reset. */
static void signature_deliver(struct ahci_port *port)
{
    struct ata_registers registers;

    if (!port->signature_pending || port->halted || !(port->cmd & CMD_FRE)) {
        return;
    }
    ata_signature(&port->drive, &registers);
    if (fis_register(port, &registers, true)) {
        port->signature_pending = false;
        port->sig = (uint32_t)(registers.lba << 8) | (registers.count & 0xff);
        ahci_port_raise(port, IS_DHRS);
    }
}

void ahci_port_soft_reset(struct ahci_port *port, bool assert)
{
    if (assert) {
        ahci_port_abandon(port);
        ata_drive_soft_reset(&port->drive);
        port->soft_reset = true;
        port->queued = 0;
    } else if (port->soft_reset) {
        port->soft_reset = false;
        port->tfd |= STATUS_BSY;
        port->signature_pending = true;
    }
}

/* --- Engine ----------------------------------------------------------------------------------- */

static bool port_ready(const struct ahci_port *port)
{
    return (port->cmd & CMD_ST) && (port->cmd & CMD_FRE) && port->link == LINK_UP &&
           !port->halted && !port->busy && !(port->tfd & (STATUS_BSY | STATUS_DRQ)) &&
           port->n_stale == 0;
}

static void commands_fetch(struct ahci_port *port)
{
    /* Each round takes a slot out of PxCI, makes the port busy or halts it. */
    for (unsigned i = 0; i <= AHCI_SLOTS; i++) {
        if (port->n_stale > 0 || !pci_bus_master(&port->ahci->pci)) {
            return;
        }
        signature_deliver(port);
        if (!port_ready(port) || port->ci == 0) {
            return;
        }
        unsigned first = (port->current + 1u) % AHCI_SLOTS;
        uint32_t turned = port->ci >> first | (first ? port->ci << (AHCI_SLOTS - first) : 0);
        unsigned slot = (first + (unsigned)__builtin_ctz(turned)) % AHCI_SLOTS;

        ahci_command_issue(&port->commands[slot]);
    }
}

void ahci_port_kick(struct ahci_port *port)
{
    commands_fetch(port);
    ahci_batch_submit(port);
}

/* What is with the back end now belongs to no command any more. */
static void requests_disown(struct ahci_port *port)
{
    for (unsigned i = 0; i < AHCI_SLOTS; i++) {
        struct ahci_command *command = &port->commands[i];

        if (command->in_flight && !command->stale) {
            command->stale = true;
            port->n_stale++;
        }
        ahci_command_release(command);
    }
}

void ahci_port_abandon(struct ahci_port *port)
{
    requests_disown(port);
    port->busy = false;
}

void ahci_port_fatal(struct ahci_port *port, uint32_t is)
{
    port->halted = true;
    ahci_port_abandon(port);
    ahci_port_raise(port, is);
}

void ahci_port_raise(struct ahci_port *port, uint32_t is)
{
    port->is |= is;
    ahci_interrupts_update(port->ahci);
}

static void command_engine_stop(struct ahci_port *port)
{
    ahci_port_abandon(port);
    port->ci = 0;
    port->sact = 0;
    port->queued = 0;
    port->current = 0;
    port->halted = false;
}

static void cmd_write(struct ahci_port *port, uint32_t value)
{
    bool was_started = port->cmd & CMD_ST;

    port->cmd = (value & (CMD_ST | CMD_FRE | CMD_ATAPI | CMD_DLAE)) | CMD_SUD | CMD_POD;
    if (value & CMD_CLO) {
        port->tfd &= (uint16_t) ~(STATUS_BSY | STATUS_DRQ);
    }
    if (!(value & CMD_ST)) {
        command_engine_stop(port);
    } else if (!was_started && (value & CMD_ST)) {
        port->current = AHCI_SLOTS - 1; /* slot 0 is next */
    }
    ahci_port_kick(port);
}

static uint32_t cmd_read(const struct ahci_port *port)
{
    uint32_t value = port->cmd;

    if (value & CMD_FRE) {
        value |= CMD_FR;
    }
    if ((value & CMD_ST) || port->n_stale > 0) {
        value |= CMD_CR;
    }
    if ((value & CMD_ST) && (port->busy || port->halted)) {
        value |= (uint32_t)port->current << CMD_CCS_SHIFT;
    }
    return value;
}

void ahci_port_drained(struct ahci_port *port)
{
    link_settle(port);
    ahci_reset_settle(port->ahci);
    ahci_interrupts_update(port->ahci);
    ahci_port_kick(port);
}

/* --- Registers -------------------------------------------------------------------------------- */

uint32_t ahci_port_status(const struct ahci_port *port)
{
    return port->is | (port->serr & SERR_DIAG_X ? IS_PCS : 0) |
           (port->serr & SERR_DIAG_N ? IS_PRCS : 0);
}

uint32_t ahci_port_read(struct ahci_port *port, unsigned offset)
{
    switch (offset) {
    case PORT_CLB:
        return (uint32_t)port->command_list;
    case PORT_CLBU:
        return (uint32_t)(port->command_list >> 32);
    case PORT_FB:
        return (uint32_t)port->fis_area;
    case PORT_FBU:
        return (uint32_t)(port->fis_area >> 32);
    case PORT_IS:
        return ahci_port_status(port);
    case PORT_IE:
        return port->ie;
    case PORT_CMD:
        return cmd_read(port);
    case PORT_TFD:
        return port->tfd;
    case PORT_SIG:
        return port->sig;
    case PORT_SSTS:
        return link_status(port);
    case PORT_SCTL:
        return port->sctl;
    case PORT_SERR:
        return port->serr;
    case PORT_SACT:
        return port->sact;
    case PORT_CI:
        return port->ci;
    default:
        return 0; /* reserved, PxSNTF, PxFBS */
    }
}

static void address_write(uint64_t *address, bool high, uint32_t value, uint32_t alignment)
{
    if (high) {
        *address = (*address & 0xffffffff) | (uint64_t)value << 32;
    } else {
        *address = (*address & ~UINT64_C(0xffffffff)) | (value & ~(alignment - 1));
    }
}

void ahci_port_write(struct ahci_port *port, unsigned offset, uint32_t value)
{
    switch (offset) {
    case PORT_CLB:
    case PORT_CLBU:
        address_write(&port->command_list, offset == PORT_CLBU, value, LIST_ALIGNMENT);
        break;
    case PORT_FB:
    case PORT_FBU:
        address_write(&port->fis_area, offset == PORT_FBU, value, FIS_ALIGNMENT);
        break;
    case PORT_IS:
        port->is &= ~value;
        ahci_interrupts_update(port->ahci);
        break;
    case PORT_IE:
        port->ie = value & IS_ALL;
        ahci_interrupts_update(port->ahci);
        break;
    case PORT_CMD:
        cmd_write(port, value);
        break;
    case PORT_SCTL:
        sctl_write(port, value);
        break;
    case PORT_SERR:
        port->serr &= ~value;
        ahci_interrupts_update(port->ahci);
        break;
    case PORT_SACT:
        port->sact |= port->cmd & CMD_ST ? value : 0;
        break;
    case PORT_CI:
        port->ci |= port->cmd & CMD_ST ? value : 0;
        ahci_port_kick(port);
        break;
    case PORT_TFD:
    case PORT_SIG:
    case PORT_SSTS:
    case PORT_SNTF:
    case PORT_FBS:
        break; /* read-only, or of features that CAP does not offer */
    default:
        guest_error(port_device(port), "port %u: write of %#x to reserved register %#x",
                    port->number, value, offset);
    }
}

/* --- Life ------------------------------------------------------------------------------------- */

void ahci_port_create(struct ahci *ahci, unsigned number)
{
    struct ahci_port *port = &ahci->ports[number];

    port->ahci = ahci;
    port->number = (uint8_t)number;
    for (unsigned i = 0; i < AHCI_SLOTS; i++) {
        port->commands[i].port = port;
        port->commands[i].slot = (uint8_t)i;
    }
}

void ahci_port_destroy(struct ahci_port *port)
{
    for (unsigned i = 0; i < AHCI_SLOTS; i++) {
        ahci_command_release(&port->commands[i]);
        free(port->commands[i].spans);
    }
}

/* Asks the back end what is there. */
static void drive_attach(struct ahci_port *port)
{
    struct device *device = port_device(port);
    struct ata_drive *drive = &port->drive;

    drive->kind = DRIVE_NONE;
    if (device->services->block_info(device, port->number, &drive->info)) {
        drive->kind = drive->info.optical ? DRIVE_OPTICAL : DRIVE_DISK;
    }
}

void ahci_port_media(struct ahci_port *port)
{
    if (port->drive.kind != DRIVE_NONE) {
        drive_attach(port);
        ata_media_changed(&port->drive);
    }
}

void ahci_port_reset(struct ahci_port *port)
{
    port->is = 0;
    port->ie = 0;
    port->cmd = CMD_SUD | CMD_POD;
    port->sctl = 0;
    port->serr = 0;
    port->soft_reset = false;
    command_engine_stop(port);
    link_down(port, LINK_RESET);
    link_settle(port);
}

void ahci_port_power_on(struct ahci_port *port)
{
    port->command_list = 0;
    port->fis_area = 0;
    atapi_unlock(port);
    drive_attach(port);
    atapi_power_on(&port->drive);
}

/* The state can be loaded over a device that has requests in flight; those are of another time. */
void ahci_port_restored(struct ahci_port *port)
{
    requests_disown(port);
    drive_attach(port);
}

/* Commands that were being executed start again from their slots. */
void ahci_port_restart(struct ahci_port *port)
{
    if (port->drive.kind == DRIVE_NONE && port->link != LINK_OFFLINE) {
        port->link = LINK_EMPTY;
        port->signature_pending = false;
    }
    if (port->drive.kind == DRIVE_OPTICAL &&
        port->drive.info.generation != port->drive.atapi.generation) {
        ata_media_changed(&port->drive);
    }
    if (port->busy && !port->commands[port->current].active) {
        port->busy = false;
        port->tfd &= (uint16_t)~STATUS_BSY;
    }
    for (unsigned i = 0; i < AHCI_SLOTS && !port->halted; i++) {
        uint32_t bit = 1u << i;

        if ((port->queued & bit) && !port->commands[i].active) {
            port->queued &= ~bit;
            port->ci |= bit;
        }
    }
    link_settle(port);
    ahci_port_kick(port);
}

bool ahci_port_valid(const struct ahci_port *port)
{
    const uint32_t cmd = CMD_ST | CMD_FRE | CMD_ATAPI | CMD_DLAE | CMD_SUD | CMD_POD;

    return (port->cmd & ~cmd) == 0 && (port->ie & ~IS_ALL) == 0 &&
           (port->sctl & ~(uint32_t)SCTL_WRITABLE) == 0 &&
           port->command_list % LIST_ALIGNMENT == 0 && port->fis_area % FIS_ALIGNMENT == 0 &&
           ((port->cmd & CMD_ST) || (port->ci | port->sact | port->queued) == 0);
}

const struct state_field ahci_port_fields[] = {
    FIELD(struct ahci_port, command_list),
    FIELD(struct ahci_port, fis_area),
    FIELD(struct ahci_port, is),
    FIELD(struct ahci_port, ie),
    FIELD(struct ahci_port, cmd),
    FIELD(struct ahci_port, sig),
    FIELD(struct ahci_port, sctl),
    FIELD(struct ahci_port, serr),
    FIELD(struct ahci_port, sact),
    FIELD(struct ahci_port, ci),
    FIELD(struct ahci_port, tfd),
    FIELD_MAX(struct ahci_port, link, LINK_STATES - 1),
    FIELD(struct ahci_port, signature_pending),
    FIELD(struct ahci_port, soft_reset),
    FIELD(struct ahci_port, halted),
    FIELD(struct ahci_port, busy),
    FIELD_MAX(struct ahci_port, current, AHCI_SLOTS - 1),
    FIELD(struct ahci_port, queued),
    FIELD_STRUCT(struct ahci_port, drive, ata_drive_fields),
    FIELD_END,
};
