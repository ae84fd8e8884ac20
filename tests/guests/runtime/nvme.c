/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nvme.h"

#include "apic.h"
#include "board.h"
#include "io.h"

#define BAR                    0xE0000000u
#define MSIX_BAR               0xE0010000u /* if the table has one of its own */
#define CAP_MSIX               0x11

#define CC                     (BAR + 0x14)
#define CSTS                   (BAR + 0x1C)
#define AQA                    (BAR + 0x24)
#define ASQ                    (BAR + 0x28)
#define ACQ                    (BAR + 0x30)
#define DOORBELLS              (BAR + 0x1000)
#define CC_ENABLE              0x00460001u
#define CSTS_READY             1u

#define CREATE_SQ              0x01
#define CREATE_CQ              0x05
#define IDENTIFY               0x06
#define DOORBELL_BUFFER_CONFIG 0x7C
#define WRITE                  0x01
#define READ                   0x02
#define OACS_DOORBELL          (1u << 8)
#define ADMIN_CID              7

bool nvme_open(struct nvme *nvme, unsigned function)
{
    unsigned capability;

    if (pci_read(function, 8, 4) >> 8 != 0x010802)
        return false;
    memset(nvme, 0, sizeof(*nvme));
    nvme->function = function;
    nvme->io.number = 1;
    pci_write(function, 0x10, 4, BAR);
    pci_write(function, 0x14, 4, 0);
    pci_write(function, 0x20, 4, MSIX_BAR);
    pci_write(function, 4, 2, 6); /* memory, bus master */
    capability = pci_capability(function, CAP_MSIX);
    if (!capability)
        return false;
    nvme->table = pci_read(function, capability + 4, 4);
    nvme->table = (nvme->table & 7 ? MSIX_BAR : BAR) + (nvme->table & ~7ull);
    return true;
}

void nvme_msix_enable(struct nvme *nvme, uint8_t interrupt)
{
    for (unsigned vector = 0; vector < 2; vector++) {
        write32(nvme->table + 16 * vector, APIC_BASE | apic_id() << 12);
        write32(nvme->table + 16 * vector + 4, 0);
        write32(nvme->table + 16 * vector + 8, interrupt);
        write32(nvme->table + 16 * vector + 12, 0);
    }
    pci_write(nvme->function, pci_capability(nvme->function, CAP_MSIX) + 2, 2, 0x8000);
}

/* --- Queues ----------------------------------------------------------------------------------- */

static void doorbell(struct nvme *nvme, unsigned number, uint32_t value)
{
    if (nvme->has_shadow && number >= 2) {
        uint16_t old = (uint16_t)nvme->shadow[number];

        nvme->shadow[number] = value;
        __asm__ volatile("mfence" : : : "memory");
        if ((uint16_t)(value - nvme->eventidx[number] - 1) >= (uint16_t)(value - old))
            return;
    }
    if (number >= 2)
        nvme->rings[number % 2]++;
    write32(DOORBELLS + 4 * number, value);
}

static void queue_reset(struct nvme_queue *queue)
{
    if (!queue->sq) {
        queue->sq = buffer_alloc(sizeof(struct nvme_sqe) * NVME_ENTRIES, NVME_PAGE);
        queue->cq = buffer_alloc(sizeof(struct nvme_cqe) * NVME_ENTRIES, NVME_PAGE);
    }
    memset((void *)queue->cq, 0, sizeof(struct nvme_cqe) * NVME_ENTRIES);
    queue->tail = queue->head = 0;
    queue->phase = 1;
}

void nvme_add(struct nvme_queue *queue, uint8_t opcode, uint16_t cid, const struct nvme_sqe *more)
{
    volatile struct nvme_sqe *entry = &queue->sq[queue->tail];

    *entry = *more;
    entry->dw0 = opcode | (uint32_t)cid << 16;
    queue->tail = (queue->tail + 1) % NVME_ENTRIES;
}

void nvme_transfer_add(struct nvme *nvme, uint16_t cid, bool write, uint64_t sector,
                       uint64_t address, uint32_t length)
{
    const struct nvme_sqe transfer = { .nsid = 1,
                                       .prp1 = address,
                                       .dw10 = (uint32_t)sector,
                                       .dw11 = (uint32_t)(sector >> 32),
                                       .dw12 = length / 512 - 1 };

    nvme_add(&nvme->io, write ? WRITE : READ, cid, &transfer);
}

void nvme_ring(struct nvme *nvme, const struct nvme_queue *queue)
{
    doorbell(nvme, 2 * queue->number, queue->tail);
}

bool nvme_take(struct nvme *nvme, struct nvme_queue *queue, uint16_t *cid, uint16_t *status)
{
    volatile struct nvme_cqe *entry = &queue->cq[queue->head];
    uint16_t value = entry->status;

    if ((value & 1) != queue->phase)
        return false;
    barrier();
    *cid = entry->cid;
    *status = value >> 1;
    queue->head = (queue->head + 1) % NVME_ENTRIES;
    queue->phase ^= queue->head == 0;
    doorbell(nvme, 2 * queue->number + 1, queue->head);
    return true;
}

bool nvme_command(struct nvme *nvme, uint8_t opcode, const struct nvme_sqe *more)
{
    uint16_t cid, status;

    nvme_add(&nvme->admin, opcode, ADMIN_CID, more);
    nvme_ring(nvme, &nvme->admin);
    return POLL_FOR(nvme_take(nvme, &nvme->admin, &cid, &status), LONG_MS) && status == 0 &&
           cid == ADMIN_CID;
}

/* --- Life ------------------------------------------------------------------------------------- */

bool nvme_start(struct nvme *nvme)
{
    nvme->has_shadow = false;
    write32(CC, CC_ENABLE & ~1u);
    if (!POLL_FOR(!(read32(CSTS) & CSTS_READY), LONG_MS))
        return false;
    queue_reset(&nvme->admin);
    write32(AQA, (NVME_ENTRIES - 1) << 16 | (NVME_ENTRIES - 1));
    write32(ASQ, (uint32_t)(uint64_t)nvme->admin.sq);
    write32(ASQ + 4, 0);
    write32(ACQ, (uint32_t)(uint64_t)nvme->admin.cq);
    write32(ACQ + 4, 0);
    write32(CC, CC_ENABLE);
    return POLL_FOR(read32(CSTS) == CSTS_READY, LONG_MS);
}

uint32_t nvme_status(const struct nvme *nvme)
{
    (void)nvme;
    return read32(CSTS);
}

bool nvme_queues_make(struct nvme *nvme, bool interrupts)
{
    struct nvme_sqe queue = { .dw10 = (NVME_ENTRIES - 1) << 16 | nvme->io.number };

    queue_reset(&nvme->io);
    queue.prp1 = (uint64_t)nvme->io.cq;
    queue.dw11 = interrupts ? 1 << 16 | 3 : 1; /* the vector; contiguous */
    if (!nvme_command(nvme, CREATE_CQ, &queue))
        return false;
    queue.prp1 = (uint64_t)nvme->io.sq;
    queue.dw11 = nvme->io.number << 16 | 1;
    return nvme_command(nvme, CREATE_SQ, &queue);
}

bool nvme_can_shadow(struct nvme *nvme)
{
    struct nvme_sqe identify = { .dw10 = 1 };

    if (!nvme->identity)
        nvme->identity = buffer_alloc(NVME_PAGE, NVME_PAGE);
    identify.prp1 = (uint64_t)nvme->identity;
    return nvme_command(nvme, IDENTIFY, &identify) &&
           (*(uint16_t *)(nvme->identity + 256) & OACS_DOORBELL);
}

bool nvme_shadow_give(struct nvme *nvme)
{
    struct nvme_sqe buffers = { 0 };

    if (!nvme->shadow) {
        nvme->shadow = buffer_alloc(NVME_PAGE, NVME_PAGE);
        nvme->eventidx = buffer_alloc(NVME_PAGE, NVME_PAGE);
    }
    memset((void *)nvme->shadow, 0, NVME_PAGE);
    memset((void *)nvme->eventidx, 0, NVME_PAGE);
    buffers.prp1 = (uint64_t)nvme->shadow;
    buffers.prp2 = (uint64_t)nvme->eventidx;
    nvme->rings[0] = nvme->rings[1] = 0;
    nvme->has_shadow = nvme_command(nvme, DOORBELL_BUFFER_CONFIG, &buffers);
    return nvme->has_shadow;
}
