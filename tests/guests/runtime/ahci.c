/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Section numbers are those of AHCI 1.3.1. */
#include "ahci.h"
#include "board.h"
#include "io.h"

#define HBA_GHC       0x04
#define HBA_IS        0x08

#define GHC_RESET     0x1u
#define GHC_INTERRUPT 0x2u
#define GHC_AHCI      0x80000000u

#define CMD_START     0x0001u
#define CMD_FIS       0x0010u
#define CMD_FIS_RUNS  0x4000u
#define CMD_LIST_RUNS 0x8000u

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
    ahci_write(port, AHCI_CLB, (uint32_t)(uint64_t)port->list);
    ahci_write(port, AHCI_CLB + 4, 0);
    ahci_write(port, AHCI_FB, (uint32_t)(uint64_t)port->fis);
    ahci_write(port, AHCI_FB + 4, 0);
    port_start(port);
    return POLL_FOR(!(ahci_read(port, AHCI_TFD) & 0x88), LONG_MS);
}

void ahci_start(struct ahci_port *port, const struct ahci_command *command)
{
    uint8_t *fis = port->table;

    memset(fis, 0, 64);
    fis[0] = 0x27; /* register FIS, host to device */
    fis[1] = 0x80; /* a command, not a control */
    fis[2] = command->command;
    fis[4] = (uint8_t)command->address;
    fis[5] = (uint8_t)(command->address >> 8);
    fis[6] = (uint8_t)(command->address >> 16);
    fis[7] = 0x40; /* LBA */
    fis[8] = (uint8_t)(command->address >> 24);
    fis[9] = (uint8_t)(command->address >> 32);
    fis[10] = (uint8_t)(command->address >> 40);
    fis[12] = (uint8_t)command->sectors;
    fis[13] = (uint8_t)(command->sectors >> 8);
    for (unsigned i = 0; i < command->prd_count && i < AHCI_PRDS; i++) {
        uint32_t *prd = (uint32_t *)(port->table + 128 + 16 * i);
        prd[0] = (uint32_t)command->prds[i].address;
        prd[1] = (uint32_t)(command->prds[i].address >> 32);
        prd[2] = 0;
        prd[3] = command->prds[i].bytes - 1;
    }
    port->list[0] = 5u | (command->write ? 0x40u : 0) | command->prd_count << 16;
    port->list[1] = 0;
    port->list[2] = (uint32_t)(uint64_t)port->table;
    port->list[3] = 0;
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
