/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A tiny NVMe driver on the fake machine: enables the controller, makes queues in the machine's
 * RAM, submits commands and takes completions. It breaks a rule only where a test tells it to.
 */
#ifndef TESTS_NVME_DRIVER_H
#define TESTS_NVME_DRIVER_H

#include "fake_machine.h"

enum {
    NVME_RAM = 16 << 20,
    NVME_MEDIUM = 16 << 20,
    NVME_REGISTERS = 0x40000000, /* where BAR 0 is mapped */
    NVME_MSIX = 0x40010000,
    NVME_ADMIN_SQ = 0x10000,
    NVME_ADMIN_CQ = 0x20000,
    NVME_IO_SQ = 0x40000, /* + 64 KiB for each */
    NVME_IO_CQ = 0xc0000,
    NVME_LISTS = 0x140000,
    NVME_SHADOW = 0x1a0000,
    NVME_EVENTIDX = 0x1b0000,
    NVME_DATA = 0x200000,
    NVME_ENTRIES = 8,
    NVME_PAIRS = 4,
    NVME_MSI_ADDRESS = 0xfee00000,
    NVME_MSI_DATA = 0x4000, /* plus the vector */

    CAP = 0x00,
    VS = 0x08,
    INTMS = 0x0c,
    INTMC = 0x10,
    CC = 0x14,
    CSTS = 0x1c,
    AQA = 0x24,
    ASQ = 0x28,
    ACQ = 0x30,
    DOORBELL = 0x1000,
    CC_ENABLE = 0x00460001,
    PENDING = 0xffff,
};

struct nvme_queue {
    uint64_t sq, cq;
    unsigned entries, tail, head, phase;
};

struct nvme_completion {
    uint32_t dw0;
    uint16_t sq_head, sqid, cid, status; /* of the status: code and type */
    bool dnr;
};

struct nvme_entry {
    uint8_t opcode, flags;
    uint32_t nsid;
    uint64_t prp1, prp2;
    uint32_t dw10, dw11, dw12, dw13;
};

extern struct fake *fake;
extern struct device *nvme;
extern uint8_t *medium;
extern struct nvme_queue queues[NVME_PAIRS + 1];
/* The I/O queues' doorbells are in memory; set by host_shadow(). */
extern bool shadow;
/* How often a doorbell of an I/O queue was rung: submission, completion queues. */
extern unsigned sq_rings, cq_rings;

/* A machine with a disk and the BARs mapped, and nothing else done. */
void host_open(const struct block_info *info);
/* ... and the controller enabled, with MSI-X and one pair of I/O queues. */
void host_setup(void);
/* Checks that the driver made no mistake, then frees. */
void host_finish(void);
void host_finish_bad(void);

uint32_t host_read(unsigned offset);
void host_write(unsigned offset, uint32_t value);
void host_enable(void);
void host_msix(void);
/* Vector q for queue q, with interrupts. */
void host_pair_create(unsigned q);
/* Puts an entry into the queue; its command identifier. Without the doorbell. */
uint16_t host_add(unsigned q, const struct nvme_entry *entry);
void host_ring(unsigned q);
/* Gives the controller pages for shadow doorbells and uses them from now on, as Linux does. */
void host_shadow(void);
/* The next completion, if there is one; moves the head. */
bool host_take(unsigned q, struct nvme_completion *completion);
/* Add, ring, run, take: the status. */
uint16_t host_command(unsigned q, const struct nvme_entry *entry, uint32_t *dw0);
uint16_t host_admin(uint8_t opcode, uint32_t dw10, uint32_t dw11, uint32_t *dw0);
uint16_t host_io(uint8_t opcode, uint64_t slba, uint32_t blocks, uint64_t prp1, uint64_t prp2);
struct nvme_entry host_io_entry(uint8_t opcode, uint64_t slba, uint32_t blocks, uint64_t prp1,
                                uint64_t prp2);

extern const struct block_info host_disk;

#endif
