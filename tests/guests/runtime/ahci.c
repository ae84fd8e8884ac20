/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Section numbers are those of AHCI 1.3.1. */
#include "ahci.h"
#include "board.h"
#include "io.h"

#define HBA_GHC             0x04
#define HBA_IS              0x08

#define GHC_RESET           0x1u
#define GHC_INTERRUPT       0x2u
#define GHC_AHCI            0x80000000u

#define CMD_START           0x0001u
#define CMD_FIS             0x0010u
#define CMD_FIS_RUNS        0x4000u
#define CMD_LIST_RUNS       0x8000u

#define READ_FPDMA_QUEUED   0x60
#define WRITE_FPDMA_QUEUED  0x61
#define STATUS_ERR          0x01
#define QUEUE_TABLE         256  /* bytes, with one entry of its list of memory */
#define FIS_SET_DEVICE_BITS 0x58 /* in the area of received FISes */

static uint32_t hba_read(unsigned offset)
{
    return read32(BOARD_AHCI_BAR + offset);
}

static void hba_write(unsigned offset, uint32_t value)
{
    write32(BOARD_AHCI_BAR + offset, value);
}

uint32_t ahci_read(const struct ahci_port *port, unsigned offset)
{
    return read32(port->registers + offset);
}

void ahci_write(const struct ahci_port *port, unsigned offset, uint32_t value)
{
    write32(port->registers + offset, value);
}

static void port_stop(struct ahci_port *port)
{
    ahci_write(port, AHCI_CMD, ahci_read(port, AHCI_CMD) & ~CMD_START);
    POLL_FOR(!(ahci_read(port, AHCI_CMD) & CMD_LIST_RUNS), LONG_MS);
}

static void port_start(struct ahci_port *port)
{
    ahci_write(port, AHCI_SERR, 0xFFFFFFFF);
    ahci_write(port, AHCI_IS, 0xFFFFFFFF);
    ahci_write(port, AHCI_CMD, ahci_read(port, AHCI_CMD) | CMD_FIS);
    POLL_FOR(ahci_read(port, AHCI_CMD) & CMD_FIS_RUNS, LONG_MS);
    ahci_write(port, AHCI_CMD, ahci_read(port, AHCI_CMD) | CMD_START);
}

bool ahci_open(struct ahci_port *port, unsigned number)
{
    pci_write(PCI_AHCI, 0x24, 4, BOARD_AHCI_BAR);
    pci_write(PCI_AHCI, 4, 2, 0x0006); /* memory space, bus master */
    hba_write(HBA_GHC, GHC_AHCI);
    hba_write(HBA_GHC, GHC_AHCI | GHC_RESET);
    if (!POLL_FOR(!(hba_read(HBA_GHC) & GHC_RESET), LONG_MS))
        return false;
    hba_write(HBA_GHC, GHC_AHCI);

    if (!port->list) {
        port->list = buffer_alloc(1024, 1024);
        port->fis = buffer_alloc(256, 256);
        port->table = buffer_alloc(128 + 16 * AHCI_PRDS, 128);
        port->buffer = buffer_alloc(4096, 4096);
    }
    port->number = number;
    port->registers = BOARD_AHCI_BAR + 0x100 + 0x80 * number;
    if (!POLL_FOR((ahci_read(port, AHCI_SSTS) & 0xF) == 3, LONG_MS))
        return false;
    port_stop(port);
    memset(port->fis, 0, 256);
    port->added = port->queued = port->ended = 0;
    ahci_write(port, AHCI_CLB, (uint32_t)(uint64_t)port->list);
    ahci_write(port, AHCI_CLB + 4, 0);
    ahci_write(port, AHCI_FB, (uint32_t)(uint64_t)port->fis);
    ahci_write(port, AHCI_FB + 4, 0);
    port_start(port);
    return POLL_FOR(!(ahci_read(port, AHCI_TFD) & 0x88), LONG_MS);
}

/* A command FIS; the fields that depend on the kind of command are left 0. */
static void fis_fill(uint8_t *fis, uint8_t command, uint64_t address)
{
    memset(fis, 0, 64);
    fis[0] = 0x27; /* register FIS, host to device */
    fis[1] = 0x80; /* a command, not a control */
    fis[2] = command;
    fis[4] = (uint8_t)address;
    fis[5] = (uint8_t)(address >> 8);
    fis[6] = (uint8_t)(address >> 16);
    fis[7] = 0x40; /* LBA */
    fis[8] = (uint8_t)(address >> 24);
    fis[9] = (uint8_t)(address >> 32);
    fis[10] = (uint8_t)(address >> 40);
}

static void prd_fill(uint8_t *table, unsigned i, const struct ahci_prd *from)
{
    uint32_t *prd = (uint32_t *)(table + 128 + 16 * i);

    prd[0] = (uint32_t)from->address;
    prd[1] = (uint32_t)(from->address >> 32);
    prd[2] = 0;
    prd[3] = from->bytes - 1;
}

static void header_fill(struct ahci_port *port, unsigned slot, const uint8_t *table, bool write,
                        unsigned prd_count)
{
    uint32_t *header = port->list + 8 * slot;

    header[0] = 5u | (write ? 0x40u : 0) | prd_count << 16;
    header[1] = 0;
    header[2] = (uint32_t)(uint64_t)table;
    header[3] = 0;
}

void ahci_start(struct ahci_port *port, const struct ahci_command *command)
{
    fis_fill(port->table, command->command, command->address);
    port->table[12] = (uint8_t)command->sectors;
    port->table[13] = (uint8_t)(command->sectors >> 8);
    for (unsigned i = 0; i < command->prd_count && i < AHCI_PRDS; i++)
        prd_fill(port->table, i, &command->prds[i]);
    header_fill(port, 0, port->table, command->write, command->prd_count);
    barrier();
    ahci_write(port, AHCI_CI, 1);
}

bool ahci_wait(struct ahci_port *port)
{
    const uint32_t errors = AHCI_IS_TFES | AHCI_IS_HBFS | AHCI_IS_HBDS | AHCI_IS_IFS;

    if (!POLL_FOR(!(ahci_read(port, AHCI_CI) & 1) || (ahci_read(port, AHCI_IS) & errors), LONG_MS))
        return false;
    return !(ahci_read(port, AHCI_IS) & errors) && !(ahci_read(port, AHCI_TFD) & 0x89);
}

/* A device that is still busy with the failed command wants a reset of its link (6.2.2.1). */
void ahci_recover(struct ahci_port *port)
{
    port_stop(port);
    if (ahci_read(port, AHCI_TFD) & 0x88) {
        ahci_write(port, AHCI_SCTL, 1);
        POLL_FOR(false, 2);
        ahci_write(port, AHCI_SCTL, 0);
        POLL_FOR((ahci_read(port, AHCI_SSTS) & 0xF) == 3, LONG_MS);
    }
    port_start(port);
    POLL_FOR(!(ahci_read(port, AHCI_TFD) & 0x88), LONG_MS);
}

bool ahci_transfer(struct ahci_port *port, bool write, uint64_t sector, uint16_t sectors,
                   uint64_t memory)
{
    struct ahci_prd prd = { memory, sectors * 512u };

    ahci_start(port, &(struct ahci_command){ .command = write ? 0x35 : 0x25,
                                             .write = write,
                                             .address = sector,
                                             .sectors = sectors,
                                             .prds = &prd,
                                             .prd_count = 1 });
    return ahci_wait(port);
}

bool ahci_identify(struct ahci_port *port)
{
    struct ahci_prd prd = { (uint64_t)port->buffer, 512 };

    ahci_start(port, &(struct ahci_command){ .command = 0xEC, .prds = &prd, .prd_count = 1 });
    return POLL_FOR(!(ahci_read(port, AHCI_CI) & 1), LONG_MS);
}

/* --- Queued transfers ------------------------------------------------------------------------- */

void ahci_queue_add(struct ahci_port *port, unsigned slot, bool write, uint64_t sector,
                    uint64_t memory, uint32_t length)
{
    const struct ahci_prd prd = { memory, length };
    uint8_t *fis;

    if (!port->queue)
        port->queue = buffer_alloc(AHCI_SLOTS * QUEUE_TABLE, 128);
    fis = port->queue + QUEUE_TABLE * slot;
    fis_fill(fis, write ? WRITE_FPDMA_QUEUED : READ_FPDMA_QUEUED, sector);
    fis[3] = (uint8_t)(length / 512);
    fis[11] = (uint8_t)(length / 512 >> 8);
    fis[12] = (uint8_t)(slot << 3); /* tag */
    prd_fill(fis, 0, &prd);
    header_fill(port, slot, fis, write, 1);
    port->added |= 1u << slot;
}

void ahci_queue_issue(struct ahci_port *port)
{
    uint32_t slots = port->added;

    if (!slots)
        return;
    port->added = 0;
    port->queued |= slots;
    barrier();
    ahci_write(port, AHCI_SACT, slots);
    ahci_write(port, AHCI_CI, slots);
}

int ahci_queue_take(struct ahci_port *port, bool *good)
{
    volatile uint8_t *bits = port->fis + FIS_SET_DEVICE_BITS;
    volatile uint32_t *finished = (volatile uint32_t *)(bits + 4);
    int slot;

    *good = !(bits[2] & STATUS_ERR);
    if (!*good) {
        slot = port->queued ? __builtin_ctz(port->queued) : 0;
        ahci_open(port, port->number);
        return slot;
    }
    if (!port->ended && *finished) {
        *finished = 0; /* whoever ends from now on writes it again */
        port->ended = port->queued & ~ahci_read(port, AHCI_SACT);
        port->queued &= ~port->ended;
    }
    if (!port->ended)
        return -1;
    slot = __builtin_ctz(port->ended);
    port->ended &= port->ended - 1;
    return slot;
}

void ahci_interrupts(struct ahci_port *port, bool on)
{
    ahci_clear(port);
    ahci_write(port, AHCI_IE, on ? 0xFFFFFFFF : 0);
    hba_write(HBA_GHC, GHC_AHCI | (on ? GHC_INTERRUPT : 0));
}

void ahci_clear(struct ahci_port *port)
{
    ahci_write(port, AHCI_IS, 0xFFFFFFFF);
    hba_write(HBA_IS, 1u << port->number);
}
