/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the AHCI controller and of the drives behind it share.
 *
 * Layers, each calling only downwards or into its neighbour:
 *   ahci.c          the function on the PCI bus, global registers, interrupts
 *   ahci_port.c     registers of a port, link, start and stop, choice of the next slot
 *   ahci_command.c  one slot from its fetch to its completion; requests to the back end
 *   ahci_prdt.c     the guest's scatter list
 *   ahci_fis.c      what a drive sends to the host: received FISes and the task file
 *   ata*.c, atapi*.c  the drives, which know nothing of rings or registers
 *
 * Nothing a guest wrote is kept as a host pointer except the spans of a request that is with the
 * back end, which are addresses of whole, pinned RAM.
 */
#ifndef DEVICES_STORAGE_AHCI_H
#define DEVICES_STORAGE_AHCI_H

#include "ata.h"
#include "block.h"
#include "pci.h"

enum {
    AHCI_PORTS = 6,
    AHCI_SLOTS = 32,

    /* Port registers, AHCI 1.3.1 section 3.3, relative to the port. */
    PORT_CLB = 0x00,
    PORT_CLBU = 0x04,
    PORT_FB = 0x08,
    PORT_FBU = 0x0c,
    PORT_IS = 0x10,
    PORT_IE = 0x14,
    PORT_CMD = 0x18,
    PORT_TFD = 0x20,
    PORT_SIG = 0x24,
    PORT_SSTS = 0x28,
    PORT_SCTL = 0x2c,
    PORT_SERR = 0x30,
    PORT_SACT = 0x34,
    PORT_CI = 0x38,
    PORT_SNTF = 0x3c,
    PORT_FBS = 0x40,

    /* PxCMD */
    CMD_ST = 1u << 0,
    CMD_SUD = 1u << 1,
    CMD_POD = 1u << 2,
    CMD_CLO = 1u << 3,
    CMD_FRE = 1u << 4,
    CMD_CCS_SHIFT = 8,
    CMD_FR = 1u << 14,
    CMD_CR = 1u << 15,
    CMD_ATAPI = 1u << 24,
    CMD_DLAE = 1u << 25,

    SERR_DIAG_N = 1u << 16, /* the PHY's readiness changed */
    SERR_DIAG_X = 1u << 26, /* a device announced itself */

    TFD_NO_DEVICE = 0x7f,
};

/* PxIS and PxIE. Unsigned constants, because bit 31 does not fit an enumeration. */
#define IS_DHRS  (1u << 0)  /* register FIS */
#define IS_PSS   (1u << 1)  /* PIO setup FIS */
#define IS_DSS   (1u << 2)  /* DMA setup FIS */
#define IS_SDBS  (1u << 3)  /* set device bits FIS */
#define IS_DPS   (1u << 5)  /* a PRD with its I bit was used up */
#define IS_PCS   (1u << 6)  /* follows PxSERR.DIAG.X */
#define IS_PRCS  (1u << 22) /* follows PxSERR.DIAG.N */
#define IS_OFS   (1u << 24) /* the drive had more data than the PRD table room */
#define IS_IFS   (1u << 27) /* interface fatal */
#define IS_HBFS  (1u << 29) /* an address that is no memory */
#define IS_TFES  (1u << 30) /* the drive reported an error */
#define IS_ALL   0xfdc000ffu
#define SIG_NONE 0xffffffffu

enum ahci_link {
    LINK_EMPTY, /* no drive */
    LINK_UP,
    LINK_RESET,   /* COMRESET is asserted, or waits for requests that are still with the back end */
    LINK_OFFLINE, /* turned off by PxSCTL.DET = 4 */
    LINK_STATES
};

/* A walk along a PRD table (section 4.2.3.3). Entries are read once, when they are reached. */
struct ahci_prdt {
    uint64_t table; /* guest address */
    uint32_t n, next;
    uint64_t address; /* rest of the entry being used up */
    uint32_t left;
    bool entry_interrupts, interrupt;
    bool fault; /* an entry or what it points to is not RAM */
};

struct ahci_spans {
    struct block_span span[BLOCK_SPANS_MAX];
    uint64_t address[BLOCK_SPANS_MAX];
};

/* One slot. Set up anew by each fetch; nothing of it is saved, because a load starts it again. */
struct ahci_command {
    struct block_request request; /* first */
    struct ahci_port *port;
    uint8_t slot;
    bool active;    /* fetched and neither finished nor given up */
    bool queued;    /* an NCQ command */
    bool in_flight; /* the request is with the back end */
    bool stale;     /* ... and the command behind it was given up */
    uint8_t fis[20];
    uint8_t packet[16];
    enum ata_protocol protocol;
    struct ata_registers registers; /* what the drive will report */
    struct ahci_prdt prdt;
    uint32_t moved;        /* bytes, for PRDBC */
    uint64_t offset, left; /* bytes of the medium still to be done */
    uint32_t unit;         /* bytes of a sector: requests are multiples of it */
    void (*done)(struct ahci_command *command, int status);
    struct ahci_spans *spans; /* room, made at first use */
    unsigned n_spans;
    size_t cut;      /* bytes of the last span of the request that belong to the next one */
    uint8_t *ranges; /* DATA SET MANAGEMENT: a private copy */
    unsigned n_ranges, range;
};

struct ahci_port {
    struct ahci *ahci;
    uint8_t number;
    uint64_t command_list, fis_area;
    uint32_t is, ie, cmd, sig, sctl, serr, sact, ci;
    uint16_t tfd;
    uint8_t link;
    bool signature_pending; /* the drive's first register FIS has not been taken yet */
    bool soft_reset;        /* SRST is asserted */
    bool halted;            /* after an error, until PxCMD.ST is cleared */
    bool busy;              /* a command that is not queued is being executed */
    uint8_t current;        /* slot fetched last */
    uint32_t queued;        /* NCQ commands accepted and not finished */
    struct ata_drive drive;
    struct ahci_command commands[AHCI_SLOTS];
    unsigned n_in_flight, n_stale;
    struct block_request *batch[AHCI_SLOTS]; /* counted as in flight, to be given to the back end */
    unsigned n_batch;
};

struct ahci {
    struct pci_device pci; /* first */
    uint32_t is, ghc;
    uint32_t index; /* of the index/data pair */
    bool resetting; /* GHC.HR reads as set until every port has come to rest */
    struct ahci_port ports[AHCI_PORTS];
};

static inline struct device *port_device(struct ahci_port *port)
{
    return &port->ahci->pci.device;
}

/* --- ahci.c ----------------------------------------------------------------------------------- */

/* To be called after any change of PxIS, PxIE or PxSERR. */
void ahci_interrupts_update(struct ahci *ahci);
/* Ends GHC.HR when every port has come to rest. */
void ahci_reset_settle(struct ahci *ahci);

/* --- ahci_port.c ------------------------------------------------------------------------------ */

extern const struct state_field ahci_port_fields[];

void ahci_port_create(struct ahci *ahci, unsigned number);
void ahci_port_destroy(struct ahci_port *port);
/* Forgets the addresses of list and FIS area and looks what drive there is; a reset follows. */
void ahci_port_power_on(struct ahci_port *port);
void ahci_port_reset(struct ahci_port *port);
/* After a load; then, as soon as the device may act, restart. Valid: the guest could have got here.
 */
void ahci_port_restored(struct ahci_port *port);
void ahci_port_restart(struct ahci_port *port);
bool ahci_port_valid(const struct ahci_port *port);
/* The medium has changed, or the size of the disk. */
void ahci_port_media(struct ahci_port *port);
uint32_t ahci_port_read(struct ahci_port *port, unsigned offset);
void ahci_port_write(struct ahci_port *port, unsigned offset, uint32_t value);
uint32_t ahci_port_status(const struct ahci_port *port); /* PxIS */
/* Does what can be done now: the drive's first FIS, then commands until the port is busy; their
 * requests go to the back end together. */
void ahci_port_kick(struct ahci_port *port);
/* Forgets all commands; requests that are with the back end become stale. */
void ahci_port_abandon(struct ahci_port *port);
/* The last stale request has come back. */
void ahci_port_drained(struct ahci_port *port);
/* Stops the engine with an error that the guest must clear PxCMD.ST for. */
void ahci_port_fatal(struct ahci_port *port, uint32_t is);
void ahci_port_raise(struct ahci_port *port, uint32_t is);
/* SRST by a control FIS: asserted, then released. */
void ahci_port_soft_reset(struct ahci_port *port, bool assert);

/* --- ahci_command.c --------------------------------------------------------------------------- */

void ahci_command_issue(struct ahci_command *command);
/* A request has ended. */
void ahci_command_block_done(struct ahci_command *command);
void ahci_command_release(struct ahci_command *command);
/* Gives the batch to the back end. */
void ahci_batch_submit(struct ahci_port *port);

/* For the drives. Each of these may end the command; the caller returns at once. */
void command_finish(struct ahci_command *command);
/* Ends with an error: registers.error is `error`, status gets ERR. */
void command_fail(struct ahci_command *command, uint8_t error);
/* Sends n bytes to the guest and finishes. */
void command_reply(struct ahci_command *command, const void *bytes, size_t n);
/* Takes up to n bytes of the guest; false: the command has ended with an error. */
bool command_fetch(struct ahci_command *command, void *bytes, size_t n, size_t *got);
/*
 * Moves `length` bytes between the medium at `offset` and the PRD table in as many requests as it
 * takes; done(command, status) is called at the end, later.
 */
void command_transfer(struct ahci_command *command, enum block_op op, uint64_t offset,
                      uint64_t length, uint32_t unit);
/* One request without data: flush or discard. */
void command_request(struct ahci_command *command, enum block_op op, uint64_t offset,
                     uint64_t length);

/* --- ahci_prdt.c ------------------------------------------------------------------------------ */

void prdt_start(struct ahci_prdt *prdt, uint64_t table, uint32_t n);
/* Copies between private bytes and the guest; returns the bytes moved, fewer at the table's end. */
size_t prdt_copy_out(struct ahci_command *command, const void *bytes, size_t n);
size_t prdt_copy_in(struct ahci_command *command, void *bytes, size_t n);
/* Gathers spans up to `want` bytes; returns the whole units of it, cut to a request's limits. */
size_t prdt_collect(struct ahci_command *command, size_t want);
/* Forgets the spans of the request just ended, announcing them if they were written to. */
void prdt_consume(struct ahci_command *command, bool written);

/* --- ahci_fis.c ------------------------------------------------------------------------------- */

/*
 * Each writes a FIS to the guest's area, if reception is on, and then the task file. Raising the
 * interrupt bits is the caller's, after its own registers are right. False: the area is no RAM and
 * the port has been stopped.
 */
bool fis_register(struct ahci_port *port, const struct ata_registers *registers, bool interrupt);
bool fis_pio_setup(struct ahci_port *port, const struct ata_registers *registers, bool to_host,
                   bool interrupt, uint16_t count);
bool fis_dma_setup(struct ahci_port *port, uint8_t tag, bool to_host, uint32_t count);
bool fis_set_device_bits(struct ahci_port *port, uint8_t status, uint8_t error, uint32_t finished);

#endif
