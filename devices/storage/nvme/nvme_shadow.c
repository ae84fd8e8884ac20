/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shadow doorbells (Doorbell Buffer Config, NVMe 1.3 section 5.7): the host keeps the values of its
 * doorbells in a page of its memory, and writes to the register only when a value passes the one
 * that the controller has put into a second page, EventIdx. So it rings while the controller rests
 * and not while it works, and because the register's value is not needed, the doorbell of a
 * submission queue becomes one that costs the guest no exit (service doorbell_enable).
 *
 * Both pages are laid out like the doorbell registers. EventIdx of a submission queue is the tail
 * at which the controller came to rest. That of a completion queue is the head while a command
 * waits for an entry or the pin has to follow the head; otherwise it is the entry behind the head,
 * which the host does not pass before the controller has put an entry there and moved it on.
 *
 * Drivers do not agree on whether the admin queue has shadows. It is served by its registers; its
 * EventIdx is always the last value, so a host that heeds it rings every time.
 *
 * How it fails: pages that are not aligned or no RAM are refused; if they stop being RAM, the
 * controller stops. Values that a doorbell could not have are errors like those of a doorbell.
 */
#include "nvme.h"
#include "services.h"

enum {
    DOORBELL_SIZE = 4,
    DOORBELL_VALUE = 0xffff,
};

/* --- The pages -------------------------------------------------------------------------------- */

static uint32_t *page_entry(struct nvme *nvme, uint64_t page, unsigned number)
{
    struct device *device = nvme_device(nvme);
    size_t length = DOORBELL_SIZE;
    void *at = device->services->ram_map(device, page + number * DOORBELL_SIZE, &length);

    if (!at || length < DOORBELL_SIZE) {
        nvme_fatal(nvme, "no RAM at the shadow doorbells", page);
        return NULL;
    }
    return at;
}

/*
 * A store and a later load of the other page are in one order with those of the host, which stores
 * its doorbell and then loads EventIdx.
 */
static void page_store(struct nvme *nvme, uint64_t page, unsigned number, uint32_t value)
{
    struct device *device = nvme_device(nvme);
    uint32_t *at = page_entry(nvme, page, number);

    if (at) {
        __atomic_store_n(at, value, __ATOMIC_SEQ_CST);
        device->services->ram_written(device, page + number * DOORBELL_SIZE, DOORBELL_SIZE);
    }
}

static bool shadow_load(struct nvme *nvme, unsigned number, uint32_t *value)
{
    const uint32_t *at = page_entry(nvme, nvme->shadow_doorbells, number);

    if (!at) {
        return false;
    }
    *value = __atomic_load_n(at, __ATOMIC_SEQ_CST) & DOORBELL_VALUE;
    return true;
}

static bool page_is_good(struct nvme *nvme, uint64_t page)
{
    struct device *device = nvme_device(nvme);
    size_t length = NVME_PAGE;

    return page % NVME_PAGE == 0 && device->services->ram_map(device, page, &length) &&
           length >= NVME_PAGE;
}

/* --- Queues ----------------------------------------------------------------------------------- */

static unsigned sq_number(unsigned sqid)
{
    return 2 * sqid;
}

static unsigned cq_number(unsigned cqid)
{
    return 2 * cqid + 1;
}

/* Whether the pages may be used now. */
static bool can_use(const struct nvme *nvme)
{
    return nvme->shadow && (nvme->cc & CC_EN) && (nvme->csts & (CSTS_RDY | CSTS_CFS)) == CSTS_RDY &&
           pci_bus_master(&nvme->pci);
}

bool nvme_shadow_has(const struct nvme *nvme, unsigned number)
{
    return nvme->shadow && number > cq_number(0);
}

/* The host's value has moved to another valid one. */
static bool sq_look(struct nvme *nvme, unsigned sqid)
{
    uint32_t value;

    return nvme->sqs[sqid].live && shadow_load(nvme, sq_number(sqid), &value) &&
           value != nvme->sqs[sqid].tail && nvme_sq_tail_set(nvme, sqid, value);
}

static bool cq_look(struct nvme *nvme, unsigned cqid)
{
    uint32_t value;

    return nvme->cqs[cqid].live && shadow_load(nvme, cq_number(cqid), &value) &&
           value != nvme->cqs[cqid].head && nvme_cq_head_set(nvme, cqid, value);
}

void nvme_shadow_look(struct nvme *nvme)
{
    for (unsigned i = 1; i < NVME_QUEUES && can_use(nvme); i++) {
        sq_look(nvme, i);
        cq_look(nvme, i);
    }
}

static bool sq_rest(struct nvme *nvme, unsigned sqid)
{
    const struct nvme_sq *sq = &nvme->sqs[sqid];

    if (!sq->live || sq->head != sq->tail) {
        return false;
    }
    page_store(nvme, nvme->event_indexes, sq_number(sqid), sq->tail);
    return sq_look(nvme, sqid);
}

static bool cq_rest(struct nvme *nvme, unsigned cqid)
{
    const struct nvme_cq *cq = &nvme->cqs[cqid];
    uint32_t behind = (cq->head > 0 ? cq->head : cq->size) - 1;
    bool wait = !nvme_cq_has_room(cq) || !pci_msix_enabled(&nvme->pci);

    if (!cq->live) {
        return false;
    }
    page_store(nvme, nvme->event_indexes, cq_number(cqid), wait ? cq->head : behind);
    return wait && cq_look(nvme, cqid);
}

bool nvme_shadow_rest(struct nvme *nvme)
{
    bool moved = false;

    for (unsigned i = 1; i < NVME_QUEUES && can_use(nvme); i++) {
        moved |= cq_rest(nvme, i);
        moved |= sq_rest(nvme, i);
    }
    return moved;
}

void nvme_shadow_rang(struct nvme *nvme, unsigned number, uint32_t value)
{
    if (can_use(nvme)) {
        page_store(nvme, nvme->event_indexes, number, value);
    }
}

void nvme_shadow_begin(struct nvme *nvme, unsigned number, uint32_t value)
{
    if (can_use(nvme)) {
        page_store(nvme, nvme->shadow_doorbells, number, value);
        page_store(nvme, nvme->event_indexes, number, value);
    }
}

void nvme_shadow_bind(struct nvme *nvme)
{
    struct device *device = nvme_device(nvme);

    for (unsigned i = 1; i < NVME_QUEUES; i++) {
        bool wanted = nvme->shadow && nvme->sqs[i].live;

        if (wanted != nvme->doorbell_enabled[i]) {
            nvme->doorbell_enabled[i] = wanted;
            device->services->doorbell_enable(device, i - 1, wanted);
        }
    }
}

/* --- The command ------------------------------------------------------------------------------ */

unsigned nvme_doorbell_buffer_config(struct nvme *nvme, const struct nvme_command *command)
{
    uint64_t shadow = load_le64(command->sqe + 24), events = load_le64(command->sqe + 32);

    if (!page_is_good(nvme, shadow) || !page_is_good(nvme, events)) {
        return STATUS_INVALID_FIELD;
    }
    nvme->shadow = true;
    nvme->shadow_doorbells = shadow;
    nvme->event_indexes = events;
    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        nvme_shadow_begin(nvme, sq_number(i), nvme->sqs[i].live ? nvme->sqs[i].tail : 0);
        nvme_shadow_begin(nvme, cq_number(i), nvme->cqs[i].live ? nvme->cqs[i].head : 0);
    }
    return STATUS_SUCCESS;
}
