/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One port of the AHCI controller (AHCI 1.3.1): one command at a time in slot 0, polled; or up to
 * AHCI_SLOTS queued transfers (NCQ, ATA8-ACS section 4.16).
 */
#ifndef GUEST_AHCI_H
#define GUEST_AHCI_H

#include "guest.h"

/* Port registers. */
#define AHCI_CLB     0x00
#define AHCI_FB      0x08
#define AHCI_IS      0x10
#define AHCI_IE      0x14
#define AHCI_CMD     0x18
#define AHCI_TFD     0x20
#define AHCI_SIG     0x24
#define AHCI_SSTS    0x28
#define AHCI_SCTL    0x2C
#define AHCI_SERR    0x30
#define AHCI_SACT    0x34
#define AHCI_CI      0x38

#define AHCI_IS_TFES 0x40000000u
#define AHCI_IS_HBFS 0x20000000u
#define AHCI_IS_HBDS 0x10000000u
#define AHCI_IS_IFS  0x08000000u

struct ahci_port {
    unsigned number;
    uint64_t registers;
    uint32_t *list;                /* command list, 1 KiB */
    uint8_t *fis;                  /* received FIS area, 256 bytes */
    uint8_t *table;                /* command table of slot 0 with room for AHCI_PRDS entries */
    uint8_t *buffer;               /* 4 KiB, where ahci_identify() leaves its data */
    uint8_t *queue;                /* command tables of queued transfers */
    uint32_t added, queued, ended; /* slots: made, told to the controller, finished and not taken */
};
#define AHCI_PRDS  8
#define AHCI_SLOTS 32

struct ahci_prd {
    uint64_t address;
    uint32_t bytes;
};

/* Places the controller's registers, resets it and starts the port. False: no disk there. */
bool ahci_open(struct ahci_port *port, unsigned number);

uint32_t ahci_read(const struct ahci_port *port, unsigned offset);
void ahci_write(const struct ahci_port *port, unsigned offset, uint32_t value);

/*
 * Builds a command in slot 0 and starts it: an ATA command with a 48-bit address and a count of
 * sectors, and up to AHCI_PRDS pieces of memory.
 */
struct ahci_command {
    uint8_t command;
    bool write;
    uint64_t address;
    uint16_t sectors;
    const struct ahci_prd *prds;
    unsigned prd_count;
};
void ahci_start(struct ahci_port *port, const struct ahci_command *command);

/* Waits for the end of the started command. False: an error, or no end within LONG_MS. */
bool ahci_wait(struct ahci_port *port);

/* Stops and starts the port after an error, and resets its link where that is needed. */
void ahci_recover(struct ahci_port *port);

/* ahci_start() and ahci_wait() of one transfer, READ/WRITE DMA EXT, to one piece of memory. */
bool ahci_transfer(struct ahci_port *port, bool write, uint64_t sector, uint16_t sectors,
                   uint64_t memory);
bool ahci_identify(struct ahci_port *port);

/* Makes a queued transfer in a free slot, to one piece of memory, without telling the controller.
 */
void ahci_queue_add(struct ahci_port *port, unsigned slot, bool write, uint64_t sector,
                    uint64_t memory, uint32_t length);
/* Tells it of those that were made. */
void ahci_queue_issue(struct ahci_port *port);
/*
 * Takes a slot whose transfer has ended, and whether it ended well; -1: there is none. After an
 * error the controller is reset, and the other transfers are lost. Looks at the received FISes and,
 * only if there is a new one, at the registers.
 */
int ahci_queue_take(struct ahci_port *port, bool *good);

/* Turns the port's and the controller's interrupt on or off, with nothing pending. */
void ahci_interrupts(struct ahci_port *port, bool on);

/* Takes away the cause of the port's interrupt. */
void ahci_clear(struct ahci_port *port);

#endif
