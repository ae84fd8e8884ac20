/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the 82574L network card share. Names are those of the Intel 82574 GbE
 * Controller Family Datasheet, chapter 10.
 *
 *   e1000e.c            the function on the PCI bus, reset, link, life
 *   e1000e_registers.c  the registers: which there are, what of them can be written
 *   e1000e_interrupt.c  causes, masks, vectors, moderation
 *   e1000e_phy.c        the PHY behind MDIC and the NVM behind EERD
 *   e1000e_transmit.c   descriptors and frames to be sent
 *   e1000e_receive.c    descriptors and frames that have come
 *   e1000e_filter.c     which frames are for this card
 *   e1000e_packet.c     what is in a frame: headers, checksums, the RSS hash
 *
 * The plain registers are in one array, and the guest may have written anything to most of them:
 * whoever uses one as an index, a length or an address checks it there and then.
 */
#ifndef DEVICES_NET_E1000E_H
#define DEVICES_NET_E1000E_H

#include "bytes.h"
#include "pci.h"
#include "services.h"

enum {
    E1000E_QUEUES = 2,  /* each way */
    E1000E_VECTORS = 5, /* of MSI-X */
    E1000E_DESCRIPTOR = 16,
    E1000E_PHY_PAGES = 7,
    E1000E_PHY_REGISTERS = 32,
    E1000E_NVM_WORDS = 64,
    E1000E_RECEIVE_MAX = 16384, /* bytes of a frame with check sequence, with RCTL.LPE */
    E1000E_FCS = 4,
    E1000E_TRANSMIT_ROOM = 4 * NET_FRAME_MAX,

    /* Registers: offsets in BAR 0. */
    REG_CTRL = 0x0000,
    REG_CTRL_DUP = 0x0004,
    REG_STATUS = 0x0008,
    REG_EECD = 0x0010,
    REG_EERD = 0x0014,
    REG_CTRL_EXT = 0x0018,
    REG_MDIC = 0x0020,
    REG_VET = 0x0038,
    REG_ICR = 0x00c0,
    REG_ITR = 0x00c4,
    REG_ICS = 0x00c8,
    REG_IMS = 0x00d0,
    REG_IMC = 0x00d8,
    REG_EIAC = 0x00dc,
    REG_IAM = 0x00e0,
    REG_IVAR = 0x00e4,
    REG_EITR = 0x00e8,
    REG_RCTL = 0x0100,
    REG_TCTL = 0x0400,
    REG_TIPG = 0x0410,
    REG_LEDCTL = 0x0e00,
    REG_PBA = 0x1000,
    REG_EEWR = 0x102c,
    REG_PSRCTL = 0x2170,
    REG_RDBAL = 0x2800, /* of queue 0; queue 1 is E1000E_QUEUE_STRIDE behind */
    REG_RDTR = 0x2820,
    REG_RXDCTL = 0x2828,
    REG_TDBAL = 0x3800,
    REG_TIDV = 0x3820,
    REG_TXDCTL = 0x3828,
    REG_TARC = 0x3840,
    REG_STATISTICS = 0x4000,
    REG_STATISTICS_END = 0x4128,
    REG_RXCSUM = 0x5000,
    REG_RFCTL = 0x5008,
    REG_MTA = 0x5200,
    REG_RAL = 0x5400,
    REG_VFTA = 0x5600,
    REG_MRQC = 0x5818,
    REG_SWSM = 0x5b50,
    REG_RETA = 0x5c00,
    REG_RSSRK = 0x5c80,
    REG_END = 0x6000, /* of the array */
    E1000E_QUEUE_STRIDE = 0x100,

    /* A ring's registers, from xDBAL. */
    RING_BAL = 0x00,
    RING_BAH = 0x04,
    RING_LEN = 0x08,
    RING_HEAD = 0x10,
    RING_TAIL = 0x18,

    /* Statistics. */
    STAT_ROC = 0x40ac,
    STAT_PRC64 = 0x405c, /* and five more by size */
    STAT_GPRC = 0x4074,
    STAT_BPRC = 0x4078,
    STAT_MPRC = 0x407c,
    STAT_GPTC = 0x4080,
    STAT_GORC = 0x4088, /* 64 bits */
    STAT_GOTC = 0x4090, /* 64 bits */
    STAT_RNBC = 0x40a0,
    STAT_TOR = 0x40c0, /* 64 bits */
    STAT_TOT = 0x40c8, /* 64 bits */
    STAT_TPR = 0x40d0,
    STAT_TPT = 0x40d4,
    STAT_PTC64 = 0x40d8, /* and five more by size */
    STAT_MPTC = 0x40f0,
    STAT_BPTC = 0x40f4,
    STAT_TSCTC = 0x40f8,
    STAT_IAC = 0x4100,

    CTRL_FD = 1 << 0,
    CTRL_GIO_MASTER_DISABLE = 1 << 2,
    CTRL_SLU = 1 << 6,
    CTRL_SPEED_1000 = 2 << 8,
    CTRL_RST = 1 << 26,
    CTRL_VME = 1 << 30,
    CTRL_EXT_EE_RST = 1 << 13,
    CTRL_EXT_EIAME = 1 << 24,
    CTRL_EXT_IAME = 1 << 27,

    RCTL_EN = 1 << 1,
    RCTL_UPE = 1 << 3,
    RCTL_MPE = 1 << 4,
    RCTL_LPE = 1 << 5,
    RCTL_LBM = 3 << 6,
    RCTL_BAM = 1 << 15,
    RCTL_VFE = 1 << 18,
    RCTL_CFIEN = 1 << 19,
    RCTL_CFI = 1 << 20,
    RCTL_BSEX = 1 << 25,
    RCTL_SECRC = 1 << 26,
    TCTL_EN = 1 << 1,
    TARC_ENABLE = 1 << 10,
    RFCTL_EXSTEN = 1 << 15,
    RXCSUM_IPOFL = 1 << 8,
    RXCSUM_TUOFL = 1 << 9,
    RXCSUM_PCSD = 1 << 13,

    ICR_TXDW = 1 << 0,
    ICR_TXQE = 1 << 1,
    ICR_LSC = 1 << 2,
    ICR_RXDMT0 = 1 << 4,
    ICR_RXT0 = 1 << 7,
    ICR_MDAC = 1 << 9,
    ICR_RXQ0 = 1 << 20, /* RXQ1 is the next */
    ICR_TXQ0 = 1 << 22,
    ICR_OTHER = 1 << 24,
    ICR_CAUSES = 0x01f782d7, /* all there are */

    TIMER_EITR = 0, /* one for each vector */
    TIMER_ITR = E1000E_VECTORS,
    TIMER_RECEIVE_DELAY,
    TIMER_TRANSMIT_DELAY,
    E1000E_TIMERS,

    TASK_RECEIVE = 0,
    TASK_TRANSMIT,
    E1000E_TASKS,
};

#define ICR_INT_ASSERTED 0x80000000u

/* The offload context that a context descriptor sets for the frames behind it. */
struct e1000e_context {
    uint8_t ipcss, ipcso, tucss, tucso, hdrlen, tucmd;
    uint16_t ipcse, tucse, mss;
};

/* What waits for a delay timer. */
struct e1000e_delay {
    uint32_t causes;
    uint64_t deadline; /* machine time in nanoseconds; with causes */
};

struct e1000e {
    struct pci_device pci; /* first */
    char mac_text[18];     /* option */
    uint8_t permanent[NET_MAC_SIZE];

    uint32_t reg[REG_END / 4];
    uint32_t ioaddr;
    uint16_t nvm[E1000E_NVM_WORDS];
    uint16_t phy[E1000E_PHY_PAGES * E1000E_PHY_REGISTERS];
    bool link;
    bool mng_reserved;                     /* SWSM.SMBI is taken */
    uint32_t active;                       /* ICR & IMS as of the last look */
    uint32_t due;                          /* MSI-X causes that wait for their vector */
    uint64_t throttle[E1000E_VECTORS + 1]; /* when the next interrupt may come: EITR, and ITR */
    struct e1000e_delay delays[2];         /* receive, transmit */
    struct e1000e_context context;
    bool skipping[E1000E_QUEUES]; /* the rest of a frame that has too many descriptors */

    bool stuck; /* the back end did not take all there was to send */
    uint8_t receive_bytes[E1000E_RECEIVE_MAX + 64];
    uint8_t transmit_bytes[E1000E_TRANSMIT_ROOM];
};

static inline struct e1000e *to_e1000e(struct device *device)
{
    return (struct e1000e *)device;
}

static inline struct device *e1000e_device(struct e1000e *e1000e)
{
    return &e1000e->pci.device;
}

/* The register at an offset below REG_END. */
static inline uint32_t *e1000e_reg(struct e1000e *e1000e, unsigned offset)
{
    return &e1000e->reg[offset / 4];
}

/* --- e1000e.c --------------------------------------------------------------------------------- */

/* True while the function may read and write memory. */
bool e1000e_may_dma(struct e1000e *e1000e);
/* True while frames do not leave the card. */
bool e1000e_loopback(struct e1000e *e1000e);
/* CTRL.RST: everything but the PHY, the NVM and the configuration space. */
void e1000e_mac_reset(struct e1000e *e1000e);
/* Adds to a statistics register, which stays at its maximum. */
void e1000e_count(struct e1000e *e1000e, unsigned offset, uint32_t n);
/* What sent and received frames have in common; `length` with check sequence. */
void e1000e_count_frame(struct e1000e *e1000e, bool received, const uint8_t *bytes,
                        uint32_t length);

/* A ring as its registers have it. */
struct e1000e_ring {
    unsigned at;                  /* offset of its registers */
    uint64_t base;                /* address */
    uint32_t entries, head, tail; /* entries 0: it cannot be used */
};

struct e1000e_ring e1000e_ring(struct e1000e *e1000e, unsigned at, unsigned entry_size);
/* Entries from head to tail. */
static inline uint32_t e1000e_ring_filled(const struct e1000e_ring *ring)
{
    return (ring->tail + ring->entries - ring->head) % ring->entries;
}

/* --- e1000e_registers.c ----------------------------------------------------------------------- */

void e1000e_registers_reset(struct e1000e *e1000e);
uint64_t e1000e_registers_read(struct device *device, uint64_t offset, unsigned size);
void e1000e_registers_write(struct device *device, uint64_t offset, unsigned size, uint64_t value);

/* --- e1000e_interrupt.c ----------------------------------------------------------------------- */

extern const struct state_field e1000e_delay_fields[];

void e1000e_raise(struct e1000e *e1000e, uint32_t causes);
/* After a delay of `units` of 1.024 us, bounded by an earlier one; 0 and with MSI-X: at once. */
void e1000e_raise_later(struct e1000e *e1000e, bool transmit, uint32_t causes, uint32_t units);
/* A change of masks, causes or the configuration space takes effect. */
void e1000e_interrupts_update(struct e1000e *e1000e);
void e1000e_interrupt_timer(struct e1000e *e1000e, unsigned timer);
void e1000e_interrupts_reset(struct e1000e *e1000e);
void e1000e_interrupts_restored(struct e1000e *e1000e);
uint32_t e1000e_icr_read(struct e1000e *e1000e);
void e1000e_icr_write(struct e1000e *e1000e, uint32_t value);

/* --- e1000e_phy.c ----------------------------------------------------------------------------- */

void e1000e_phy_reset(struct e1000e *e1000e);
bool e1000e_phy_loopback(const struct e1000e *e1000e);
void e1000e_mdic_write(struct e1000e *e1000e, uint32_t value);
void e1000e_nvm_reset(struct e1000e *e1000e);
void e1000e_eerd_write(struct e1000e *e1000e, uint32_t value);
void e1000e_eewr_write(struct e1000e *e1000e, uint32_t value);

/* --- e1000e_transmit.c ------------------------------------------------------------------------ */

extern const struct state_field e1000e_context_fields[];

/* Sends what is in the queues, as far as a budget and the back end allow. */
void e1000e_transmit(struct e1000e *e1000e);

/* --- e1000e_receive.c ------------------------------------------------------------------------- */

/* Gives what has come to the driver, as far as it has descriptors. */
void e1000e_receive(struct e1000e *e1000e);

/* --- e1000e_filter.c -------------------------------------------------------------------------- */

enum e1000e_match {
    MATCH_NONE,
    MATCH_EXACT,
    MATCH_HASH, /* by the multicast table: perhaps not for us */
};

enum e1000e_match e1000e_filter(struct e1000e *e1000e, const uint8_t *bytes, uint32_t length);

/* --- e1000e_packet.c -------------------------------------------------------------------------- */

/* The headers of a frame, offsets in it. */
struct e1000e_packet {
    bool ip4, ip6, tcp, udp, fragment;
    uint32_t ip, transport, data; /* data: behind the headers that were understood */
};

void e1000e_packet_look(struct e1000e_packet *packet, const uint8_t *bytes, uint32_t length);
/* The sum of RFC 1071 over 16-bit words as they are in memory, folded. */
uint16_t e1000e_sum(uint64_t so_far, const uint8_t *bytes, uint32_t length);
bool e1000e_ip_checksum_good(const struct e1000e_packet *packet, const uint8_t *bytes);
/* Of TCP or UDP that is no fragment. UDP without one is good. */
bool e1000e_transport_checksum_good(const struct e1000e_packet *packet, const uint8_t *bytes,
                                    uint32_t length);
/* The hash by MRQC and its type, 0: none. */
uint32_t e1000e_rss_hash(struct e1000e *e1000e, const struct e1000e_packet *packet,
                         const uint8_t *bytes, unsigned *type);
/* The check sequence of Ethernet. */
uint32_t e1000e_fcs(const uint8_t *bytes, uint32_t length);

#endif
