/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Admin commands (NVMe 1.4 section 5): creation and deletion of I/O queues, Abort and Asynchronous
 * Event Request are here, the others in files of their own.
 *
 * The deletion of a submission queue waits for the commands that were fetched from it. Abort takes
 * back waiting Asynchronous Event Requests only: what is with the back end ends by itself.
 *
 * Events are told once, by the completion of an Asynchronous Event Request; one of the same type is
 * told again only after the host has read the log page that goes with it (section 5.2).
 *
 * Left out: namespace management, firmware download, format, security, self-test, virtualization.
 */
#include <string.h>

#include "nvme.h"
#include "services.h"

enum {
    OPCODE_DELETE_SQ = 0x00,
    OPCODE_CREATE_SQ = 0x01,
    OPCODE_GET_LOG_PAGE = 0x02,
    OPCODE_DELETE_CQ = 0x04,
    OPCODE_CREATE_CQ = 0x05,
    OPCODE_IDENTIFY = 0x06,
    OPCODE_ABORT = 0x08,
    OPCODE_SET_FEATURES = 0x09,
    OPCODE_GET_FEATURES = 0x0a,
    OPCODE_ASYNC_EVENT_REQUEST = 0x0c,
    OPCODE_DOORBELL_BUFFER_CONFIG = 0x7c,

    CDW11_PC = 1u << 0,
    CDW11_IEN = 1u << 1,

    CC_IOSQES_SHIFT = 16,
    CC_IOCQES_SHIFT = 20,
    IOSQES = 6, /* 64 bytes */
    IOCQES = 4, /* 16 bytes */

    ABORT_NOT_DONE = 1, /* dword 0 */
};

/* --- Queues ----------------------------------------------------------------------------------- */

struct queue_wish {
    uint32_t id, size, dw11;
    uint64_t base;
};

/* What creations of both kinds share. */
static unsigned queue_wish_check(struct nvme *nvme, const struct nvme_command *command, bool exists,
                                 struct queue_wish *wish)
{
    uint32_t dw10 = sqe_dword(command, 10);
    bool submission = command->sqe[0] == OPCODE_CREATE_SQ;
    unsigned shift = submission ? CC_IOSQES_SHIFT : CC_IOCQES_SHIFT;

    *wish = (struct queue_wish){ dw10 & 0xffff, (dw10 >> 16) + 1, sqe_dword(command, 11),
                                 load_le64(command->sqe + 24) };
    if (wish->id == 0 || wish->id >= NVME_QUEUES || exists) {
        return STATUS_INVALID_QUEUE_ID;
    }
    if (wish->size < 2 || wish->size > NVME_QUEUE_ENTRIES_MAX ||
        (nvme->cc >> shift & 0xf) != (unsigned)(submission ? IOSQES : IOCQES)) {
        return STATUS_INVALID_QUEUE_SIZE;
    }
    if (!(wish->dw11 & CDW11_PC)) {
        return STATUS_INVALID_FIELD;
    }
    return wish->base % NVME_PAGE != 0 ? STATUS_PRP_OFFSET_INVALID : STATUS_SUCCESS;
}

static unsigned create_cq(struct nvme *nvme, const struct nvme_command *command)
{
    struct queue_wish wish;
    bool exists = nvme_cq_find(nvme, sqe_dword(command, 10) & 0xffff) != NULL;
    unsigned status = queue_wish_check(nvme, command, exists, &wish);
    uint32_t iv = wish.dw11 >> 16;

    if (status != STATUS_SUCCESS) {
        return status;
    }
    if (iv >= NVME_QUEUES || (iv > 0 && !pci_msix_enabled(&nvme->pci))) {
        return STATUS_INVALID_VECTOR;
    }
    nvme_cq_create(nvme, wish.id, wish.base, wish.size);
    nvme->cqs[wish.id].ien = (wish.dw11 & CDW11_IEN) != 0;
    nvme->cqs[wish.id].iv = iv;
    return STATUS_SUCCESS;
}

static unsigned create_sq(struct nvme *nvme, const struct nvme_command *command)
{
    struct queue_wish wish;
    uint32_t cqid = sqe_dword(command, 11) >> 16;
    bool exists = nvme_sq_find(nvme, sqe_dword(command, 10) & 0xffff) != NULL;
    unsigned status = queue_wish_check(nvme, command, exists, &wish);

    if (status != STATUS_SUCCESS) {
        return status;
    }
    if (cqid == 0 || !nvme_cq_find(nvme, cqid)) {
        return STATUS_CQ_INVALID;
    }
    nvme_sq_create(nvme, wish.id, wish.base, wish.size, cqid);
    return STATUS_SUCCESS;
}

static unsigned delete_sq(struct nvme *nvme, unsigned index)
{
    uint32_t sqid = sqe_dword(&nvme->commands[index], 10) & 0xffff;
    struct nvme_sq *sq = nvme_sq_find(nvme, sqid);

    if (sqid == 0 || !sq || sq->deleting) {
        return STATUS_INVALID_QUEUE_ID;
    }
    if (sq->in_flight > 0) {
        sq->deleting = true;
        sq->delete_command = (uint16_t)index;
        return STATUS_PENDING;
    }
    sq->live = false;
    return STATUS_SUCCESS;
}

static unsigned delete_cq(struct nvme *nvme, const struct nvme_command *command)
{
    uint32_t cqid = sqe_dword(command, 10) & 0xffff;

    if (cqid == 0 || !nvme_cq_find(nvme, cqid)) {
        return STATUS_INVALID_QUEUE_ID;
    }
    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        if (nvme->sqs[i].live && nvme->sqs[i].cqid == cqid) {
            return STATUS_INVALID_QUEUE_DELETION;
        }
    }
    nvme->cqs[cqid].live = false;
    return STATUS_SUCCESS;
}

/* --- Events ----------------------------------------------------------------------------------- */

static const struct {
    uint8_t type, information, log_page;
} events[NVME_EVENTS] = {
    [EVENT_INVALID_DOORBELL_REGISTER] = { 0, 0, LOG_ERROR },
    [EVENT_INVALID_DOORBELL_VALUE] = { 0, 1, LOG_ERROR },
    [EVENT_NAMESPACE_CHANGED] = { 2, 0, LOG_CHANGED_NAMESPACES },
};

void nvme_event(struct nvme *nvme, enum nvme_event event)
{
    nvme->events |= 1u << event;
}

static uint32_t events_of_type(uint8_t type)
{
    uint32_t bits = 0;

    for (unsigned i = 0; i < NVME_EVENTS; i++) {
        bits |= events[i].type == type ? 1u << i : 0;
    }
    return bits;
}

void nvme_events_deliver(struct nvme *nvme)
{
    const struct nvme_cq *cq = nvme_cq_find(nvme, 0);

    for (unsigned i = 0; i < NVME_EVENTS && cq; i++) {
        uint32_t bit = 1u << i;
        uint32_t dw0 = (uint32_t)events[i].type | (uint32_t)events[i].information << 8 |
                       (uint32_t)events[i].log_page << 16;

        if (!(nvme->events & ~nvme->events_masked & bit) || nvme->n_event_requests == 0 ||
            !nvme_cq_has_room(cq) || (nvme->csts & (CSTS_RDY | CSTS_CFS)) != CSTS_RDY) {
            continue;
        }
        nvme->events &= ~bit;
        nvme->events_masked |= events_of_type(events[i].type);
        nvme_cq_post(nvme, 0, nvme->event_requests[--nvme->n_event_requests], dw0, STATUS_SUCCESS);
    }
}

void nvme_events_clear(struct nvme *nvme, uint8_t log_page)
{
    for (unsigned i = 0; i < NVME_EVENTS; i++) {
        if (events[i].log_page == log_page) {
            nvme->events_masked &= ~(1u << i);
        }
    }
}

static unsigned abort_command(struct nvme *nvme, const struct nvme_command *command, uint32_t *dw0)
{
    uint32_t dw10 = sqe_dword(command, 10);
    uint16_t cid = (uint16_t)(dw10 >> 16);
    const struct nvme_cq *cq = &nvme->cqs[0];

    *dw0 = ABORT_NOT_DONE;
    for (unsigned i = 0; (dw10 & 0xffff) == 0 && i < nvme->n_event_requests; i++) {
        if (nvme->event_requests[i] == cid && nvme_cq_has_room(cq)) {
            nvme->event_requests[i] = nvme->event_requests[--nvme->n_event_requests];
            nvme_cq_post(nvme, 0, cid, 0, STATUS_ABORT_REQUESTED);
            *dw0 = 0;
            break;
        }
    }
    return STATUS_SUCCESS;
}

/* --- Dispatch --------------------------------------------------------------------------------- */

unsigned nvme_admin_execute(struct nvme *nvme, unsigned index, uint32_t *dw0)
{
    const struct nvme_command *command = &nvme->commands[index];

    switch (command->sqe[0]) {
    case OPCODE_DELETE_SQ:
        return delete_sq(nvme, index);
    case OPCODE_CREATE_SQ:
        return create_sq(nvme, command);
    case OPCODE_GET_LOG_PAGE:
        return nvme_log_page(nvme, index);
    case OPCODE_DELETE_CQ:
        return delete_cq(nvme, command);
    case OPCODE_CREATE_CQ:
        return create_cq(nvme, command);
    case OPCODE_IDENTIFY:
        return nvme_identify(nvme, index);
    case OPCODE_ABORT:
        return abort_command(nvme, command, dw0);
    case OPCODE_SET_FEATURES:
        return nvme_features_set(nvme, command, dw0);
    case OPCODE_GET_FEATURES:
        return nvme_features_get(nvme, command, dw0);
    case OPCODE_ASYNC_EVENT_REQUEST:
        return STATUS_EVENT_LIMIT; /* those within it were kept when they were fetched */
    case OPCODE_DOORBELL_BUFFER_CONFIG:
        return nvme_doorbell_buffer_config(nvme, command);
    default:
        return STATUS_INVALID_OPCODE;
    }
}
