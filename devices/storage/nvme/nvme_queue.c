/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Submission and completion queues (NVMe 1.4 section 4.1), the doorbells that move their ends, and
 * the interrupts of completion queues (section 7.5).
 *
 * A command is taken only if the completion queue has an entry for it that no other command will
 * need, so a completion never waits and a full completion queue stops the submission queues that
 * use it.
 *
 * Interrupts: with MSI-X each completion queue sends its own message after entries were added.
 * Otherwise the pin is high while a completion queue with interrupts on has entries that the host
 * has not passed with its doorbell, unless INTMS masks it.
 *
 * How it fails: a doorbell of a queue that does not exist, or one moved to where the queue cannot
 * be, is ignored, counted and told as an asynchronous event. Queue memory that is no RAM stops the
 * controller (CSTS.CFS).
 */
#include "nvme.h"
#include "services.h"
#include "state.h"

struct nvme_sq *nvme_sq_find(struct nvme *nvme, uint32_t sqid)
{
    return sqid < NVME_QUEUES && nvme->sqs[sqid].live ? &nvme->sqs[sqid] : NULL;
}

struct nvme_cq *nvme_cq_find(struct nvme *nvme, uint32_t cqid)
{
    return cqid < NVME_QUEUES && nvme->cqs[cqid].live ? &nvme->cqs[cqid] : NULL;
}

void nvme_sq_create(struct nvme *nvme, unsigned sqid, uint64_t base, uint32_t size, uint32_t cqid)
{
    nvme->sqs[sqid] = (struct nvme_sq){ .live = true, .base = base, .size = size, .cqid = cqid };
    nvme_shadow_begin(nvme, 2 * sqid, 0);
}

void nvme_cq_create(struct nvme *nvme, unsigned cqid, uint64_t base, uint32_t size)
{
    nvme->cqs[cqid] = (struct nvme_cq){ .live = true, .phase = true, .base = base, .size = size };
    nvme_shadow_begin(nvme, 2 * cqid + 1, 0);
}

/* Entries from `head` up to `tail`. */
static uint32_t filled(uint32_t head, uint32_t tail, uint32_t size)
{
    return tail >= head ? tail - head : size - head + tail;
}

bool nvme_cq_has_room(const struct nvme_cq *cq)
{
    return filled(cq->head, cq->tail, cq->size) + cq->reserved < cq->size - 1;
}

void nvme_cq_post(struct nvme *nvme, unsigned sqid, uint16_t cid, uint32_t dw0, unsigned status)
{
    struct nvme_sq *sq = &nvme->sqs[sqid];
    struct nvme_cq *cq = &nvme->cqs[sq->cqid];
    struct device *device = nvme_device(nvme);
    uint64_t at = cq->base + (uint64_t)cq->tail * NVME_CQE_SIZE;
    uint8_t cqe[NVME_CQE_SIZE] = { 0 };

    if (nvme->csts & CSTS_CFS) {
        return;
    }
    store_le32(cqe, dw0);
    store_le16(cqe + 8, (uint16_t)sq->head);
    store_le16(cqe + 10, (uint16_t)sqid);
    store_le16(cqe + 12, cid);
    store_le16(cqe + 14, (uint16_t)(status << 1 | cq->phase));
    /* The dword with the phase tag last: the host may be polling it. */
    if (dev_ram_write(device, at, cqe, 12) != 0 || dev_ram_write(device, at + 12, cqe + 12, 4)) {
        nvme_fatal(nvme, "no RAM at the completion queue", at);
        return;
    }
    cq->due = true;
    if (++cq->tail == cq->size) {
        cq->tail = 0;
        cq->phase = !cq->phase;
    }
}

/* --- Interrupts ------------------------------------------------------------------------------- */

void nvme_interrupts_update(struct nvme *nvme)
{
    bool messages = pci_msix_enabled(&nvme->pci), level = false;

    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        struct nvme_cq *cq = &nvme->cqs[i];

        if (!cq->live || !cq->ien) {
            continue;
        }
        if (messages && cq->due) {
            pci_msix_notify(&nvme->pci, cq->iv);
        } else if (cq->head != cq->tail && !(nvme->intms & 1u << cq->iv)) {
            level = true;
        }
        cq->due = false;
    }
    pci_irq_set(&nvme->pci, level && !messages);
}

/* --- Doorbells -------------------------------------------------------------------------------- */

bool nvme_sq_tail_set(struct nvme *nvme, unsigned sqid, uint32_t value)
{
    struct nvme_sq *sq = &nvme->sqs[sqid];

    if (value >= sq->size) {
        guest_error(nvme_device(nvme), "tail %u of submission queue %u of %u entries", value, sqid,
                    sq->size);
        nvme_event(nvme, EVENT_INVALID_DOORBELL_VALUE);
        return false;
    }
    sq->tail = value;
    return true;
}

bool nvme_cq_head_set(struct nvme *nvme, unsigned cqid, uint32_t value)
{
    struct nvme_cq *cq = &nvme->cqs[cqid];

    if (value >= cq->size ||
        filled(cq->head, value, cq->size) > filled(cq->head, cq->tail, cq->size)) {
        guest_error(nvme_device(nvme), "head %u of completion queue %u, whose entries are %u..%u",
                    value, cqid, cq->head, cq->tail);
        nvme_event(nvme, EVENT_INVALID_DOORBELL_VALUE);
        return false;
    }
    cq->head = value;
    return true;
}

void nvme_doorbell_write(struct nvme *nvme, unsigned number, uint32_t value)
{
    bool submission = number % 2 == 0;
    unsigned queue = number / 2;

    if (!(nvme->csts & CSTS_RDY) || !(nvme->cc & CC_EN)) {
        guest_error(nvme_device(nvme), "doorbell %u while the controller is not ready", number);
        return;
    }
    if (submission ? !nvme_sq_find(nvme, queue) : !nvme_cq_find(nvme, queue)) {
        guest_error(nvme_device(nvme), "doorbell of %s queue %u, which does not exist",
                    submission ? "submission" : "completion", queue);
        nvme_event(nvme, EVENT_INVALID_DOORBELL_REGISTER);
        return;
    }
    if (nvme_shadow_has(nvme, number)) {
        return; /* what follows looks there */
    }
    if (submission) {
        nvme_sq_tail_set(nvme, queue, value);
    } else {
        nvme_cq_head_set(nvme, queue, value);
    }
    nvme_shadow_rang(nvme, number, value);
}

static bool can_fetch(struct nvme *nvme, const struct nvme_sq *sq)
{
    return (nvme->csts & (CSTS_RDY | CSTS_CFS)) == CSTS_RDY && (nvme->cc & CC_EN) && sq->live &&
           !sq->deleting && !nvme->restarting && sq->head != sq->tail && nvme->n_free > 0 &&
           nvme_cq_has_room(&nvme->cqs[sq->cqid]) && pci_bus_master(&nvme->pci);
}

/* Each command that ends at once takes an entry of the completion queue, which bounds the loop. */
void nvme_queues_service(struct nvme *nvme)
{
    nvme_shadow_look(nvme);
    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        while (can_fetch(nvme, &nvme->sqs[i]) && nvme_command_fetch(nvme, i)) {
        }
    }
}

/* --- State ------------------------------------------------------------------------------------ */

bool nvme_queues_valid(struct nvme *nvme)
{
    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        const struct nvme_sq *sq = &nvme->sqs[i];
        const struct nvme_cq *cq = &nvme->cqs[i];

        if (sq->live && (sq->size < 2 || sq->head >= sq->size || sq->tail >= sq->size ||
                         sq->base % NVME_PAGE != 0 || !nvme->cqs[sq->cqid].live)) {
            return false;
        }
        if (cq->live && (cq->size < 2 || cq->head >= cq->size || cq->tail >= cq->size ||
                         cq->base % NVME_PAGE != 0)) {
            return false;
        }
    }
    return nvme->sqs[0].live == nvme->cqs[0].live && nvme->sqs[0].cqid == 0 &&
           (nvme->shadow_doorbells | nvme->event_indexes) % NVME_PAGE == 0 &&
           (!nvme->shadow || nvme->sqs[0].live);
}

const struct state_field nvme_sq_fields[] = {
    FIELD(struct nvme_sq, live),
    FIELD(struct nvme_sq, base),
    FIELD_MAX(struct nvme_sq, size, NVME_ADMIN_ENTRIES_MAX),
    FIELD_MAX(struct nvme_sq, head, NVME_ADMIN_ENTRIES_MAX - 1),
    FIELD_MAX(struct nvme_sq, tail, NVME_ADMIN_ENTRIES_MAX - 1),
    FIELD_MAX(struct nvme_sq, cqid, NVME_QUEUES - 1),
    FIELD_END,
};

const struct state_field nvme_cq_fields[] = {
    FIELD(struct nvme_cq, live),
    FIELD(struct nvme_cq, phase),
    FIELD(struct nvme_cq, ien),
    FIELD(struct nvme_cq, base),
    FIELD_MAX(struct nvme_cq, size, NVME_ADMIN_ENTRIES_MAX),
    FIELD_MAX(struct nvme_cq, head, NVME_ADMIN_ENTRIES_MAX - 1),
    FIELD_MAX(struct nvme_cq, tail, NVME_ADMIN_ENTRIES_MAX - 1),
    FIELD_MAX(struct nvme_cq, iv, NVME_QUEUES - 1),
    FIELD_END,
};
