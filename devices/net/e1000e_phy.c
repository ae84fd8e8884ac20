/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The PHY of the 82574L behind MDIC (datasheet sections 8 and 10.2.2.7; IEEE 802.3 clause 22) and
 * its NVM behind EERD and EEWR (sections 6.1, 10.2.2.4).
 *
 * The PHY has always finished negotiating 1000 Mb/s full duplex; whether there is a link is what
 * the back end says. Its registers are latched, page by page, except for those that report. What a
 * guest writes to the NVM is forgotten at power off.
 *
 * Left out: the bits of EECD that drive an SPI chip by hand; drivers of this card use EERD.
 */
#include <string.h>

#include "e1000e.h"

enum {
    MDIC_ADDRESS = 1, /* the only PHY */
    MDIC_OP_WRITE = 1,
    MDIC_OP_READ = 2,
    MDIC_READY = 1 << 28,
    MDIC_INTERRUPT = 1 << 29,
    MDIC_ERROR = 1 << 30,

    PHY_CONTROL = 0,
    PHY_STATUS = 1,
    PHY_ID1 = 2,
    PHY_ID2 = 3,
    PHY_ADVERTISE = 4,
    PHY_PARTNER = 5,
    PHY_EXPANSION = 6,
    PHY_NEXT_PAGE = 7,
    PHY_1000_CONTROL = 9,
    PHY_1000_STATUS = 10,
    PHY_EXTENDED_STATUS = 15,
    PHY_SPECIFIC_CONTROL = 16,
    PHY_SPECIFIC_STATUS = 17,
    PHY_INTERRUPT_STATUS = 19,
    PHY_ERRORS = 21,
    PHY_PAGE = 22,
    PHY_COMMON = 16, /* registers below are the same on every page */

    CONTROL_RESET = 1 << 15,
    CONTROL_LOOPBACK = 1 << 14,
    CONTROL_RESTART = 1 << 9,
    STATUS_LINK = 1 << 2,
    STATUS_FIXED = 0x7969, /* all speeds, negotiation is done */
    PARTNER_1000 = 0x7800, /* link partner's status and receivers */
    SPECIFIC_LINK = 0x0408,
    SPECIFIC_FIXED = 0xa800, /* 1000 Mb/s, full duplex, resolved */

    NVM_START = 1,
    NVM_DONE = 2,
    NVM_CHECKSUM = 0xbaba,
};

static unsigned phy_index(const struct e1000e *e1000e, unsigned number)
{
    unsigned page = number < PHY_COMMON || number == PHY_PAGE ? 0 : e1000e->phy[PHY_PAGE];

    return page < E1000E_PHY_PAGES ? page * E1000E_PHY_REGISTERS + number : UINT32_MAX;
}

static uint16_t phy_read(const struct e1000e *e1000e, unsigned number)
{
    unsigned index = phy_index(e1000e, number);

    if (index == UINT32_MAX) {
        return 0;
    }
    switch (index) {
    case PHY_STATUS:
        return STATUS_FIXED | (e1000e->link ? STATUS_LINK : 0);
    case PHY_PARTNER:
        return e1000e->link ? 0x45e1 : 0;
    case PHY_1000_STATUS:
        return e1000e->link ? PARTNER_1000 : 0;
    case PHY_SPECIFIC_STATUS:
        return e1000e->link ? SPECIFIC_FIXED | SPECIFIC_LINK : 0;
    default:
        return e1000e->phy[index];
    }
}

static void phy_write(struct e1000e *e1000e, unsigned number, uint16_t value)
{
    unsigned index = phy_index(e1000e, number);

    switch (index) {
    case PHY_CONTROL:
        e1000e->phy[index] = value & (uint16_t) ~(CONTROL_RESET | CONTROL_RESTART | 0x3f);
        if (value & CONTROL_RESET) {
            e1000e_phy_reset(e1000e);
        }
        if (value & (CONTROL_RESET | CONTROL_RESTART)) {
            e1000e_raise(e1000e, ICR_LSC); /* it was away for a moment */
        }
        break;
    case PHY_STATUS:
    case PHY_ID1:
    case PHY_ID2:
    case PHY_PARTNER:
    case PHY_EXPANSION:
    case PHY_1000_STATUS:
    case PHY_EXTENDED_STATUS:
    case PHY_SPECIFIC_STATUS:
    case PHY_INTERRUPT_STATUS:
    case PHY_ERRORS:
    case UINT32_MAX:
        break;
    default:
        e1000e->phy[index] = value;
        break;
    }
}

void e1000e_phy_reset(struct e1000e *e1000e)
{
    memset(e1000e->phy, 0, sizeof(e1000e->phy));
    e1000e->phy[PHY_CONTROL] = 0x1140;
    e1000e->phy[PHY_ID1] = 0x0141;
    e1000e->phy[PHY_ID2] = 0x0cb1;
    e1000e->phy[PHY_ADVERTISE] = 0x0de1;
    e1000e->phy[PHY_EXPANSION] = 0x000f;
    e1000e->phy[PHY_NEXT_PAGE] = 0x2001;
    e1000e->phy[PHY_1000_CONTROL] = 0x0e00;
    e1000e->phy[PHY_EXTENDED_STATUS] = 0x3000;
    e1000e->phy[PHY_SPECIFIC_CONTROL] = 0x0360;
}

bool e1000e_phy_loopback(const struct e1000e *e1000e)
{
    return e1000e->phy[PHY_CONTROL] & CONTROL_LOOPBACK;
}

void e1000e_mdic_write(struct e1000e *e1000e, uint32_t value)
{
    unsigned number = value >> 16 & 0x1f, operation = value >> 26 & 3;
    uint32_t result = value & ~(uint32_t)(MDIC_READY | MDIC_ERROR);

    if ((value >> 21 & 0x1f) != MDIC_ADDRESS ||
        (operation != MDIC_OP_READ && operation != MDIC_OP_WRITE)) {
        result |= MDIC_ERROR;
    } else if (operation == MDIC_OP_READ) {
        result = (result & 0xffff0000) | phy_read(e1000e, number);
    } else {
        phy_write(e1000e, number, (uint16_t)value);
    }
    *e1000e_reg(e1000e, REG_MDIC) = result | MDIC_READY;
    if (value & MDIC_INTERRUPT) {
        e1000e_raise(e1000e, ICR_MDAC);
    }
}

/* --- NVM -------------------------------------------------------------------------------------- */

void e1000e_nvm_reset(struct e1000e *e1000e)
{
    /* Section 6.1: what a driver looks at. No manageability, no wake-up. */
    static const struct {
        uint8_t word;
        uint16_t value;
    } words[] = {
        { 0x03, 0x0420 }, { 0x04, 0xf746 }, { 0x05, 0x2010 }, { 0x08, 0xffff }, { 0x09, 0xffff },
        { 0x0a, 0x026b }, { 0x0b, 0x1100 }, { 0x0c, 0x1af4 }, { 0x0d, 0x10d3 }, { 0x0e, 0x8086 },
        { 0x10, 0xffff }, { 0x11, 0xffff }, { 0x13, 0xffff }, { 0x14, 0xb000 }, { 0x16, 0x0706 },
        { 0x18, 0x0706 }, { 0x1a, 0x8086 }, { 0x1f, 0x0706 },
    };
    uint16_t sum = 0;

    memset(e1000e->nvm, 0, sizeof(e1000e->nvm));
    for (unsigned i = 0; i < NET_MAC_SIZE / 2; i++) {
        e1000e->nvm[i] = load_le16(e1000e->permanent + 2 * i);
    }
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        e1000e->nvm[words[i].word] = words[i].value;
    }
    for (unsigned i = 0; i < E1000E_NVM_WORDS - 1; i++) {
        sum = (uint16_t)(sum + e1000e->nvm[i]);
    }
    e1000e->nvm[E1000E_NVM_WORDS - 1] = (uint16_t)(NVM_CHECKSUM - sum);
}

void e1000e_eerd_write(struct e1000e *e1000e, uint32_t value)
{
    uint32_t word = value >> 2 & 0x3fff;
    uint16_t data = word < E1000E_NVM_WORDS ? e1000e->nvm[word] : 0;

    *e1000e_reg(e1000e, REG_EERD) =
        value & NVM_START ? (uint32_t)data << 16 | word << 2 | NVM_DONE : value & 0xfffc;
}

void e1000e_eewr_write(struct e1000e *e1000e, uint32_t value)
{
    uint32_t word = value >> 2 & 0x3fff;

    if ((value & NVM_START) && word < E1000E_NVM_WORDS) {
        e1000e->nvm[word] = (uint16_t)(value >> 16);
    }
    *e1000e_reg(e1000e, REG_EEWR) = (value & 0xfffffffc) | NVM_DONE;
}
