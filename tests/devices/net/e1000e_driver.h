/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a driver of the 82574L does, for tests and fuzzers; see the datasheet for the names. */
#ifndef TESTS_E1000E_DRIVER_H
#define TESTS_E1000E_DRIVER_H

#include "fake_machine.h"

enum {
    CARD_RAM = 1 << 20,
    CARD_REGISTERS = 0xfeb00000,
    CARD_FLASH = 0xfeb40000,
    CARD_PORTS = 0xc000,
    CARD_MSIX = 0xfeb80000,
    CARD_MSI_ADDRESS = 0xfee00000,
    CARD_MSI_DATA = 0x40, /* and the vector's number */

    CARD_ENTRIES = 16, /* of each ring */
    CARD_TX_RING = 0x10000,
    CARD_RX_RING = 0x20000, /* each 64 KiB behind for queue 1: in the middle */
    CARD_RING_STRIDE = 0x8000,
    CARD_DATA = 0x30000,    /* to be sent */
    CARD_BUFFERS = 0x60000, /* received; 4 KiB each */

    CTRL = 0x0000,
    STATUS = 0x0008,
    EECD = 0x0010,
    EERD = 0x0014,
    CTRL_EXT = 0x0018,
    MDIC = 0x0020,
    ICR = 0x00c0,
    ITR = 0x00c4,
    ICS = 0x00c8,
    IMS = 0x00d0,
    IMC = 0x00d8,
    EIAC = 0x00dc,
    IAM = 0x00e0,
    IVAR = 0x00e4,
    EITR = 0x00e8,
    RCTL = 0x0100,
    TCTL = 0x0400,
    EEWR = 0x102c,
    PSRCTL = 0x2170,
    RDBAL = 0x2800,
    RDTR = 0x2820,
    TDBAL = 0x3800,
    TIDV = 0x3820,
    RXCSUM = 0x5000,
    RFCTL = 0x5008,
    MTA = 0x5200,
    RAL = 0x5400,
    VFTA = 0x5600,
    MRQC = 0x5818,
    SWSM = 0x5b50,
    RETA = 0x5c00,
    RSSRK = 0x5c80,

    TXDW = 1 << 0,
    TXQE = 1 << 1,
    LSC = 1 << 2,
    RXDMT0 = 1 << 4,
    RXT0 = 1 << 7,
    RXQ0 = 1 << 20,
    RXQ1 = 1 << 21,
    TXQ0 = 1 << 22,
    OTHER = 1 << 24,

    CMD_EOP = 1 << 24,
    CMD_IC = 1 << 26,
    CMD_TSE = 1 << 26,
    CMD_RS = 1 << 27,
    CMD_DEXT = 1 << 29,
    CMD_VLE = 1 << 30,
    DTYP_DATA = 1 << 20,
};
#define CMD_IDE 0x80000000u

struct card {
    struct fake *fake;
    struct device *device;
    unsigned tx_tail[2], rx_tail[2];
};

/* Makes machine and card, places its BARs; nothing is turned on. */
void card_open(struct card *card);
void card_close(struct card *card);
uint32_t card_read(struct card *card, unsigned offset);
void card_write(struct card *card, unsigned offset, uint32_t value);
/* Rings, receiving (extended descriptors of 2 KiB, no check sequence) and sending. */
void card_start(struct card *card);
/* All five causes have the vector of their place in IVAR. */
void card_msix(struct card *card);

/* Adds a transmit descriptor with these two dwords behind the address. */
void card_descriptor(struct card *card, unsigned queue, uint64_t address, uint32_t lower,
                     uint32_t upper);
void card_send(struct card *card, unsigned queue); /* writes the tail */
/* The same as the card has left it. */
uint8_t *card_sent(struct card *card, unsigned queue, unsigned index);
/* Gives n receive descriptors of 16 or 32 bytes with buffers of 4 KiB. */
void card_buffers(struct card *card, unsigned queue, unsigned n, unsigned size);
uint8_t *card_received(struct card *card, unsigned queue, unsigned index, unsigned size);
uint8_t *card_buffer(struct card *card, unsigned queue, unsigned index);

#endif
