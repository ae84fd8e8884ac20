/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Driver of NVMe controllers (NVM Express 1.4): the admin queue and one pair of I/O queues, with
 * shadow doorbells (1.3 section 5.7) where a guest gives them.
 */
#ifndef GUEST_NVME_H
#define GUEST_NVME_H

#include "guest.h"

#define NVME_PAGE    4096u
#define NVME_ENTRIES 64u                /* of each queue */
#define NVME_AT_ONCE (NVME_ENTRIES - 1) /* commands that fit */

struct nvme_sqe {
    uint32_t dw0, nsid;
    uint64_t reserved, metadata, prp1, prp2;
    uint32_t dw10, dw11, dw12, dw13, dw14, dw15;
};

struct nvme_cqe {
    uint32_t dw0, dw1;
    uint16_t sq_head, sqid, cid, status;
};

struct nvme_queue {
    unsigned number;
    volatile struct nvme_sqe *sq;
    volatile struct nvme_cqe *cq;
    unsigned tail, head;
    uint16_t phase;
};

struct nvme {
    unsigned function;
    uint64_t table; /* address of the MSI-X table */
    struct nvme_queue admin, io;
    uint8_t *identity;
    volatile uint32_t *shadow, *eventidx; /* pages, as is identity */
    bool has_shadow;
    unsigned rings[2]; /* doorbells of submission and completion queues for I/O */
};

/* Places the registers of the function. False: it is no such controller. */
bool nvme_open(struct nvme *nvme, unsigned function);
/* Disables the controller, forgetting its queues, and enables it with the admin queue. */
bool nvme_start(struct nvme *nvme);
uint32_t nvme_status(const struct nvme *nvme); /* CSTS */
/* Vectors 0 and 1 of the MSI-X table send this interrupt to this processor. */
void nvme_msix_enable(struct nvme *nvme, uint8_t interrupt);
/* The queues for I/O; with `interrupts` on vector 1. */
bool nvme_queues_make(struct nvme *nvme, bool interrupts);
/* Whether the controller has Doorbell Buffer Config, and the command. */
bool nvme_can_shadow(struct nvme *nvme);
bool nvme_shadow_give(struct nvme *nvme);

/* Makes a command known to the controller, without telling it: `more`, but for its first dword. */
void nvme_add(struct nvme_queue *queue, uint8_t opcode, uint16_t cid, const struct nvme_sqe *more);
/* The same of a read or write of `length` bytes, whole sectors, 4096 at most, in one page. */
void nvme_transfer_add(struct nvme *nvme, uint16_t cid, bool write, uint64_t sector,
                       uint64_t address, uint32_t length);
/* Rings the doorbell, if the controller wants that. */
void nvme_ring(struct nvme *nvme, const struct nvme_queue *queue);
/* The identifier and status of the next command that has ended; false: none has. */
bool nvme_take(struct nvme *nvme, struct nvme_queue *queue, uint16_t *cid, uint16_t *status);
/* One admin command from start to end, polled; true if it was good. */
bool nvme_command(struct nvme *nvme, uint8_t opcode, const struct nvme_sqe *more);

#endif
