/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The receive filters of the 82574L (datasheet section 7.1.1): VLAN table, exact addresses,
 * multicast table, promiscuous modes. Only what RCTL can turn off stands in the way of a frame.
 */
#include <string.h>

#include "e1000e.h"

enum {
    ADDRESSES = 16,
    RAH_VALID = 1 << 31,
    RAH_SELECT = 3 << 16, /* 0: the destination; others are reserved or the source */
    TYPE_OFFSET = 12,
    TCI_OFFSET = 14,
    TCI_CFI = 0x1000,
};

static bool vlan_wanted(struct e1000e *e1000e, const uint8_t *bytes, uint32_t length)
{
    uint32_t rctl = *e1000e_reg(e1000e, REG_RCTL);
    unsigned tci, id;

    if (!(rctl & RCTL_VFE) || length < TCI_OFFSET + 2 ||
        load_be16(bytes + TYPE_OFFSET) != (*e1000e_reg(e1000e, REG_VET) & 0xffff)) {
        return true;
    }
    tci = load_be16(bytes + TCI_OFFSET);
    if ((rctl & RCTL_CFIEN) && !(tci & TCI_CFI) != !(rctl & RCTL_CFI)) {
        return false;
    }
    id = tci & 0xfff;
    return *e1000e_reg(e1000e, REG_VFTA + id / 32 * 4) & 1u << id % 32;
}

static bool address_known(struct e1000e *e1000e, const uint8_t *to)
{
    for (unsigned i = 0; i < ADDRESSES; i++) {
        uint32_t low = *e1000e_reg(e1000e, REG_RAL + 8 * i);
        uint32_t high = *e1000e_reg(e1000e, REG_RAL + 8 * i + 4);

        if ((high & RAH_VALID) && !(high & RAH_SELECT) && low == load_le32(to) &&
            (high & 0xffff) == load_le16(to + 4)) {
            return true;
        }
    }
    return false;
}

static bool multicast_known(struct e1000e *e1000e, const uint8_t *to)
{
    static const uint8_t shifts[] = { 4, 3, 2, 0 };
    unsigned shift = shifts[*e1000e_reg(e1000e, REG_RCTL) >> 12 & 3];
    unsigned hash = (unsigned)load_le16(to + 4) >> shift & 0xfff;

    return *e1000e_reg(e1000e, REG_MTA + hash / 32 * 4) & 1u << hash % 32;
}

enum e1000e_match e1000e_filter(struct e1000e *e1000e, const uint8_t *bytes, uint32_t length)
{
    static const uint8_t broadcast[NET_MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    uint32_t rctl = *e1000e_reg(e1000e, REG_RCTL);
    bool multicast = bytes[0] & 1;

    if (!vlan_wanted(e1000e, bytes, length)) {
        return MATCH_NONE;
    }
    if ((rctl & (multicast ? RCTL_MPE : RCTL_UPE)) || address_known(e1000e, bytes) ||
        ((rctl & RCTL_BAM) && memcmp(bytes, broadcast, NET_MAC_SIZE) == 0)) {
        return MATCH_EXACT;
    }
    return multicast && multicast_known(e1000e, bytes) ? MATCH_HASH : MATCH_NONE;
}
