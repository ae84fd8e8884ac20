/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The registers of the 82574L (datasheet chapter 10): most keep what is written to their writable
 * bits; those with effects are in the two switches. Statistics are cleared by reading, the 64-bit
 * ones by reading their upper half. Some registers are at the address of an older chip, too.
 *
 * Left out, reading as zero: flash, manageability, wake-up, time stamps, diagnostics.
 *
 * How it fails: a write to what is no register is a guest error without effect.
 */
#include <string.h>

#include "e1000e.h"

enum {
    STATUS_FD = 1 << 0,
    STATUS_LU = 1 << 1,
    STATUS_SPEED_1000 = 2 << 6,
    STATUS_ASDV_1000 = 2 << 8,
    STATUS_PHYRA = 1 << 10,
    STATUS_GIO_MASTER_ENABLE = 1 << 19,
    EECD_REQ = 1 << 6,
    EECD_GNT = 1 << 7,
    EECD_FIXED = 0x300, /* present, read after reset */
    SWSM_SMBI = 1,
};

/* Plain registers: `n` of them, `stride` bytes apart. */
struct plain {
    uint16_t first, n, stride;
    uint32_t writable, reset;
};

#define ALL 0xffffffffu
static const struct plain plains[] = {
    { 0x0018, 1, 4, 0x3f80e0b0, 0 }, /* CTRL_EXT; bit 31 acts */
    { 0x001c, 1, 4, ALL, 0 },        /* FLA */
    { 0x0028, 3, 4, ALL, 0 },        /* FCAL, FCAH, FCT */
    { REG_VET, 1, 4, 0xffff, 0x8100 },
    { REG_ITR, 1, 4, 0xffff, 0 },
    { REG_EIAC, 1, 4, 0x01f00000, 0 },
    { REG_IAM, 1, 4, ICR_CAUSES, 0 },
    { REG_IVAR, 1, 4, 0x800fffff, 0 },
    { REG_EITR, E1000E_VECTORS, 4, 0xffff, 0 },
    { REG_RCTL, 1, 4, 0xfffffffe, 0 },
    { 0x0170, 1, 4, 0xffff, 0 }, /* FCTTV */
    { 0x0178, 1, 4, 0xffff, 0 }, /* TXCW */
    { REG_TCTL, 1, 4, ALL, 0 },
    { REG_TIPG, 1, 4, 0x3fffffff, 0x00602008 },
    { 0x0458, 1, 4, 0xffff, 0 }, /* AIT */
    { REG_LEDCTL, 1, 4, ALL, 0x07061302 },
    { 0x0f00, 1, 4, ALL, 8 }, /* EXTCNF_CTRL */
    { 0x0f08, 1, 4, ALL, 0 }, /* EXTCNF_SIZE */
    { 0x0f10, 1, 4, ALL, 0 }, /* PHY_CTRL */
    { REG_PBA, 1, 4, 0x003f003f, 0x00140014 },
    { 0x1008, 1, 4, ALL, 0 },    /* PBS */
    { 0x103c, 1, 4, ALL, 0 },    /* FLOP */
    { 0x2160, 1, 4, 0xfff8, 0 }, /* FCRTL */
    { 0x2168, 1, 4, 0xfff8, 0 }, /* FCRTH */
    { REG_PSRCTL, 1, 4, 0x3f3f3f7f, 0x00040402 },
    { 0x2410, 5, 8, ALL, 0 },              /* RDFH.. */
    { 0x2800, 2, 0x100, 0xfffffff0, 0 },   /* RDBAL */
    { 0x2804, 2, 0x100, ALL, 0 },          /* RDBAH */
    { 0x2808, 2, 0x100, 0xfff80, 0 },      /* RDLEN */
    { 0x2810, 2, 0x100, 0xffff, 0 },       /* RDH */
    { 0x2818, 2, 0x100, 0xffff, 0 },       /* RDT */
    { 0x2820, 2, 0x100, 0xffff, 0 },       /* RDTR */
    { 0x2828, 2, 0x100, ALL, 0x00010000 }, /* RXDCTL */
    { 0x282c, 1, 4, 0xffff, 0 },           /* RADV */
    { 0x2c00, 1, 4, 0xfff, 0 },            /* RSRPD */
    { 0x2c08, 1, 4, ALL, 0 },              /* RAID */
    { 0x2c10, 1, 4, ALL, 0 },              /* CPUVEC */
    { 0x3410, 5, 8, ALL, 0 },              /* TDFH.. */
    { 0x3800, 2, 0x100, 0xfffffff0, 0 },   /* TDBAL */
    { 0x3804, 2, 0x100, ALL, 0 },          /* TDBAH */
    { 0x3808, 2, 0x100, 0xfff80, 0 },      /* TDLEN */
    { 0x3810, 2, 0x100, 0xffff, 0 },       /* TDH */
    { 0x3818, 2, 0x100, 0xffff, 0 },       /* TDT */
    { REG_TIDV, 1, 4, 0xffff, 0 },
    { 0x3828, 2, 0x100, ALL, 0x00400000 }, /* TXDCTL */
    { 0x382c, 1, 4, 0xffff, 0 },           /* TADV */
    { 0x3840, 2, 0x100, ALL, 0x00000403 }, /* TARC */
    { REG_RXCSUM, 1, 4, 0x3fff, 0 },
    { REG_RFCTL, 1, 4, ALL, 0 },
    { REG_MTA, 128, 4, ALL, 0 },
    { REG_RAL, 16, 8, ALL, 0 },
    { REG_RAL + 4, 16, 8, 0x8003ffff, 0 }, /* RAH */
    { REG_VFTA, 128, 4, ALL, 0 },
    { 0x5800, 1, 4, 0xf, 0 }, /* WUC */
    { 0x5808, 1, 4, ALL, 0 }, /* WUFC */
    { REG_MRQC, 1, 4, ALL, 0 },
    { 0x5820, 1, 4, ALL, 0 },   /* MANC */
    { 0x5838, 1, 4, ALL, 0 },   /* IPAV */
    { 0x5b00, 1, 4, ALL, 0 },   /* GCR */
    { 0x5b04, 5, 4, ALL, 0 },   /* FUNCTAG, GSCL_1..4 */
    { REG_SWSM, 1, 4, 0xa, 0 }, /* SMBI is in the switches */
    { 0x5b58, 1, 4, ALL, 0 },   /* SWSM2 */
    { 0x5b64, 1, 4, ALL, 0 },   /* GCR2 */
    { REG_RETA, 32, 4, 0x80808080, 0 },
    { REG_RSSRK, 10, 4, ALL, 0 },
};

/* Registers that the drivers of older chips look for elsewhere. */
static uint32_t alias_resolve(uint32_t offset)
{
    static const struct {
        uint16_t first, end, to;
    } aliases[] = {
        { 0x0040, 0x00c0, REG_RAL },  { 0x0108, 0x010c, REG_RDTR },  { 0x0110, 0x012c, REG_RDBAL },
        { 0x0200, 0x0400, REG_MTA },  { 0x0420, 0x043c, REG_TDBAL }, { 0x0440, 0x0444, REG_TIDV },
        { 0x0600, 0x0800, REG_VFTA },
    };

    for (unsigned i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (offset >= aliases[i].first && offset < aliases[i].end) {
            return offset - aliases[i].first + aliases[i].to;
        }
    }
    return offset;
}

static const struct plain *plain_find(uint32_t offset)
{
    for (unsigned i = 0; i < sizeof(plains) / sizeof(plains[0]); i++) {
        uint32_t behind = offset - plains[i].first;

        if (offset >= plains[i].first && behind % plains[i].stride == 0 &&
            behind / plains[i].stride < plains[i].n) {
            return &plains[i];
        }
    }
    return NULL;
}

void e1000e_registers_reset(struct e1000e *e1000e)
{
    memset(e1000e->reg, 0, sizeof(e1000e->reg));
    for (unsigned i = 0; i < sizeof(plains) / sizeof(plains[0]); i++) {
        for (unsigned n = 0; n < plains[i].n; n++) {
            *e1000e_reg(e1000e, plains[i].first + n * plains[i].stride) = plains[i].reset;
        }
    }
    *e1000e_reg(e1000e, REG_CTRL) = CTRL_FD | CTRL_SLU | CTRL_SPEED_1000;
    e1000e->mng_reserved = false;
    /* From the NVM. */
    *e1000e_reg(e1000e, REG_RAL) = (uint32_t)e1000e->nvm[0] | (uint32_t)e1000e->nvm[1] << 16;
    *e1000e_reg(e1000e, REG_RAL + 4) = e1000e->nvm[2] | 0x80000000u;
}

/* --- Reading ---------------------------------------------------------------------------------- */

static uint32_t status_read(struct e1000e *e1000e)
{
    bool masters = !(*e1000e_reg(e1000e, REG_CTRL) & CTRL_GIO_MASTER_DISABLE);

    return STATUS_FD | STATUS_SPEED_1000 | STATUS_ASDV_1000 | (e1000e->link ? STATUS_LU : 0) |
           (masters ? STATUS_GIO_MASTER_ENABLE : 0) |
           (*e1000e_reg(e1000e, REG_STATUS) & STATUS_PHYRA);
}

static uint32_t statistic_read(struct e1000e *e1000e, uint32_t offset)
{
    uint32_t value = *e1000e_reg(e1000e, offset);

    switch (offset) {
    case STAT_GORC:
    case STAT_GOTC:
    case STAT_TOR:
    case STAT_TOT:
        return value;
    case STAT_GORC + 4:
    case STAT_GOTC + 4:
    case STAT_TOR + 4:
    case STAT_TOT + 4:
        *e1000e_reg(e1000e, offset - 4) = 0;
        break;
    default:
        break;
    }
    *e1000e_reg(e1000e, offset) = 0;
    return value;
}

static uint32_t register_read(struct e1000e *e1000e, uint32_t offset)
{
    uint32_t value;

    offset = alias_resolve(offset);
    if (offset >= REG_END) {
        return 0;
    }
    if (offset >= REG_STATISTICS && offset < REG_STATISTICS_END) {
        return statistic_read(e1000e, offset);
    }
    switch (offset) {
    case REG_CTRL_DUP:
        return *e1000e_reg(e1000e, REG_CTRL);
    case REG_STATUS:
        return status_read(e1000e);
    case REG_EECD:
        value = *e1000e_reg(e1000e, REG_EECD) & EECD_REQ;
        return value | EECD_FIXED | (value ? EECD_GNT : 0);
    case REG_ICR:
        return e1000e_icr_read(e1000e);
    case REG_ICS:
        return *e1000e_reg(e1000e, REG_ICR);
    case REG_SWSM:
        value = *e1000e_reg(e1000e, REG_SWSM) | (e1000e->mng_reserved ? SWSM_SMBI : 0);
        e1000e->mng_reserved = true;
        return value;
    default:
        return *e1000e_reg(e1000e, offset);
    }
}

uint64_t e1000e_registers_read(struct device *device, uint64_t offset, unsigned size)
{
    (void)size;
    return register_read(to_e1000e(device), (uint32_t)offset);
}

/* --- Writing ---------------------------------------------------------------------------------- */

static void ctrl_write(struct e1000e *e1000e, uint32_t value)
{
    if (value & CTRL_RST) {
        e1000e_mac_reset(e1000e);
        return;
    }
    *e1000e_reg(e1000e, REG_CTRL) = value & 0x7fffffff;
    if (value & 0x80000000u) { /* PHY_RST */
        e1000e_phy_reset(e1000e);
        *e1000e_reg(e1000e, REG_STATUS) |= STATUS_PHYRA;
    }
}

static void plain_write(struct e1000e *e1000e, uint32_t offset, uint32_t value)
{
    const struct plain *plain = plain_find(offset);

    if (!plain) {
        guest_error(e1000e_device(e1000e), "write of %#x to %#x, which is no register", value,
                    offset);
        return;
    }
    *e1000e_reg(e1000e, offset) =
        (*e1000e_reg(e1000e, offset) & ~plain->writable) | (value & plain->writable);
}

/* Registers whose write does more than keep the value. */
static void register_write(struct e1000e *e1000e, uint32_t offset, uint32_t value)
{
    offset = alias_resolve(offset);
    switch (offset) {
    case REG_CTRL:
    case REG_CTRL_DUP:
        ctrl_write(e1000e, value);
        break;
    case REG_STATUS:
        *e1000e_reg(e1000e, REG_STATUS) &= value & STATUS_PHYRA;
        break;
    case REG_EECD:
        *e1000e_reg(e1000e, REG_EECD) = value;
        break;
    case REG_EERD:
        e1000e_eerd_write(e1000e, value);
        break;
    case REG_EEWR:
        e1000e_eewr_write(e1000e, value);
        break;
    case REG_MDIC:
        e1000e_mdic_write(e1000e, value);
        break;
    case REG_ICR:
        e1000e_icr_write(e1000e, value);
        break;
    case REG_ICS:
        e1000e_raise(e1000e, value & ICR_CAUSES);
        break;
    case REG_IMS:
        *e1000e_reg(e1000e, REG_IMS) |= value & ICR_CAUSES;
        e1000e_interrupts_update(e1000e);
        break;
    case REG_IMC:
        *e1000e_reg(e1000e, REG_IMS) &= ~value;
        e1000e_interrupts_update(e1000e);
        break;
    case REG_CTRL_EXT:
        plain_write(e1000e, offset, value);
        if (value & CTRL_EXT_EE_RST) { /* reads the NVM again, and is done */
            *e1000e_reg(e1000e, REG_CTRL_EXT) &= ~(uint32_t)CTRL_EXT_EE_RST;
        }
        break;
    case REG_SWSM:
        plain_write(e1000e, offset, value);
        e1000e->mng_reserved = value & SWSM_SMBI;
        break;
    case REG_RCTL:
    case REG_RDBAL + RING_LEN:
    case REG_RDBAL + RING_TAIL:
    case REG_RDBAL + E1000E_QUEUE_STRIDE + RING_LEN:
    case REG_RDBAL + E1000E_QUEUE_STRIDE + RING_TAIL:
        plain_write(e1000e, offset, value);
        e1000e_receive(e1000e);
        break;
    case REG_TCTL:
    case REG_TDBAL + RING_TAIL:
    case REG_TDBAL + E1000E_QUEUE_STRIDE + RING_TAIL:
        plain_write(e1000e, offset, value);
        e1000e_transmit(e1000e);
        break;
    default:
        if (offset < REG_STATISTICS || offset >= REG_STATISTICS_END) {
            plain_write(e1000e, offset, value);
        }
        break;
    }
}

void e1000e_registers_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    (void)size;
    register_write(to_e1000e(device), (uint32_t)offset, (uint32_t)value);
}
