/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A command from its fetch to its completion, and the requests to the back end.
 *
 * Commands live in a table of NVME_COMMANDS that all queues share and that is saved: after a load
 * every command in it is executed once more, which is harmless because its host has not been told
 * that it ended. Requests are structures of their own, made when first needed and used again; the
 * back end has a request until it answers, even when its command is gone (it is stale then). While
 * requests are stale they may still write to the memory of the guest, so the controller does not
 * say that it is disabled before the last of them has come back.
 */
#include <stdlib.h>

#include "nvme.h"
#include "services.h"
#include "state.h"

enum {
    STATUS_DNR = 0x4000, /* Do Not Retry: it would end the same way */
};

/* --- Requests --------------------------------------------------------------------------------- */

static struct nvme_request *request_new(struct nvme *nvme, unsigned index)
{
    struct nvme_request *request = nvme->free;

    if (request) {
        nvme->free = request->next;
    } else {
        request = calloc(1, sizeof(*request));
        if (!request) {
            abort(); /* 6 KiB */
        }
        request->all = nvme->all;
        nvme->all = request;
    }
    request->command = (uint16_t)index;
    request->block = (struct block_request){ .drive = 0 };
    request->n_spans = 0;
    request->range = request->n_ranges = 0;
    return request;
}

static void request_free(struct nvme *nvme, struct nvme_request *request)
{
    free(request->ranges);
    free(request->compare);
    request->ranges = NULL;
    request->compare = NULL;
    request->stale = false;
    request->next = nvme->free;
    nvme->free = request;
}

struct nvme_request *nvme_request(struct nvme *nvme, unsigned index)
{
    struct nvme_command *command = &nvme->commands[index];

    if (!command->request) {
        command->request = request_new(nvme, index);
    }
    return command->request;
}

void nvme_batch_submit(struct nvme *nvme)
{
    struct device *device = nvme_device(nvme);

    if (nvme->n_batch == 1) {
        device->services->block_submit(device, nvme->batch[0]);
    } else if (nvme->n_batch > 1) {
        device->services->block_submit_batch(device, nvme->batch, nvme->n_batch);
    }
    nvme->n_batch = 0;
}

void nvme_submit(struct nvme *nvme, struct nvme_request *request)
{
    if (nvme->n_batch == NVME_BATCH) {
        nvme_batch_submit(nvme);
    }
    request->in_flight = true;
    nvme->n_in_flight++;
    nvme->batch[nvme->n_batch++] = &request->block;
}

void nvme_flush_for_shutdown(struct nvme *nvme)
{
    struct nvme_request *request = request_new(nvme, NVME_COMMANDS);

    request->block.op = BLOCK_FLUSH;
    nvme->flushing = true;
    nvme_submit(nvme, request);
}

/* --- Commands --------------------------------------------------------------------------------- */

static void command_release(struct nvme *nvme, unsigned index)
{
    struct nvme_command *command = &nvme->commands[index];

    command->active = false;
    if (command->request) {
        request_free(nvme, command->request);
        command->request = NULL;
    }
    nvme->free_commands[nvme->n_free++] = (uint16_t)index;
}

static void command_end(struct nvme *nvme, unsigned index, uint32_t dw0, unsigned status)
{
    struct nvme_command *command = &nvme->commands[index];
    struct nvme_sq *sq = &nvme->sqs[command->sqid];

    if (status != STATUS_SUCCESS) {
        nvme_log_error(nvme, command, status);
        status |= status == STATUS_ABORT_REQUESTED ? 0 : (unsigned)STATUS_DNR;
    }
    sq->in_flight--;
    nvme->cqs[sq->cqid].reserved--;
    nvme_cq_post(nvme, command->sqid, load_le16(command->sqe + 2), dw0, status);
    command_release(nvme, index);
}

void nvme_finish(struct nvme *nvme, unsigned index, uint32_t dw0, unsigned status)
{
    struct nvme_sq *sq = &nvme->sqs[nvme->commands[index].sqid];

    command_end(nvme, index, dw0, status);
    if (sq->deleting && sq->in_flight == 0) {
        sq->live = sq->deleting = false;
        command_end(nvme, sq->delete_command, 0, STATUS_SUCCESS);
    }
}

static void command_execute(struct nvme *nvme, unsigned index)
{
    const struct nvme_command *command = &nvme->commands[index];
    /* FUSE and PSDT: no fused operations, no SGLs. */
    unsigned status = STATUS_INVALID_FIELD;
    uint32_t dw0 = 0;

    if ((command->sqe[1] & 0xc3) == 0) {
        status = command->sqid == 0 ? nvme_admin_execute(nvme, index, &dw0)
                                    : nvme_io_execute(nvme, index);
    }
    if (status != STATUS_PENDING) {
        nvme_finish(nvme, index, dw0, status);
    }
}

/* An Asynchronous Event Request waits for as long as it likes: only its identifier is kept. */
static bool event_request_keep(struct nvme *nvme, const struct nvme_command *command)
{
    if (command->sqid != 0 || command->sqe[0] != 0x0c || (command->sqe[1] & 0xc3) != 0 ||
        nvme->n_event_requests == NVME_EVENT_REQUESTS) {
        return false;
    }
    nvme->event_requests[nvme->n_event_requests++] = load_le16(command->sqe + 2);
    return true;
}

bool nvme_command_fetch(struct nvme *nvme, unsigned sqid)
{
    struct nvme_sq *sq = &nvme->sqs[sqid];
    uint64_t at = sq->base + (uint64_t)sq->head * NVME_SQE_SIZE;
    unsigned index = nvme->free_commands[nvme->n_free - 1];
    struct nvme_command *command = &nvme->commands[index];

    if (dev_ram_read(nvme_device(nvme), at, command->sqe, NVME_SQE_SIZE) != 0) {
        nvme_fatal(nvme, "no RAM at the submission queue", at);
        return false;
    }
    sq->head = sq->head + 1 == sq->size ? 0 : sq->head + 1;
    command->sqid = sqid;
    if (event_request_keep(nvme, command)) {
        return true;
    }
    nvme->n_free--;
    command->active = true;
    sq->in_flight++;
    nvme->cqs[sq->cqid].reserved++;
    command_execute(nvme, index);
    return true;
}

void nvme_block_done(struct nvme *nvme, struct nvme_request *request)
{
    unsigned status;

    request->in_flight = false;
    nvme->n_in_flight--;
    if (request->stale) {
        nvme->n_stale--;
        request_free(nvme, request);
        nvme_settle(nvme);
        return;
    }
    if (request->command == NVME_COMMANDS) {
        nvme->flushing = false;
        request_free(nvme, request);
        nvme_settle(nvme);
        return;
    }
    status = nvme_io_continue(nvme, request);
    if (status != STATUS_PENDING) {
        nvme_finish(nvme, request->command, 0, status);
    }
}

/* --- Life ------------------------------------------------------------------------------------- */

/* What is with the back end now belongs to no command any more. */
static void requests_disown(struct nvme *nvme)
{
    for (unsigned i = 0; i < NVME_COMMANDS; i++) {
        struct nvme_command *command = &nvme->commands[i];

        if (command->request && !command->request->in_flight) {
            request_free(nvme, command->request);
        }
        command->request = NULL;
    }
    for (struct nvme_request *r = nvme->all; r; r = r->all) {
        if (r->in_flight && !r->stale) {
            r->stale = true;
            nvme->n_stale++;
        }
    }
    nvme->flushing = false;
}

static void commands_count(struct nvme *nvme)
{
    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        nvme->sqs[i].in_flight = 0;
        nvme->sqs[i].deleting = false;
        nvme->cqs[i].reserved = 0;
    }
    nvme->n_free = 0;
    for (unsigned i = NVME_COMMANDS; i-- > 0;) {
        struct nvme_command *command = &nvme->commands[i];

        if (command->active) {
            nvme->sqs[command->sqid].in_flight++;
            nvme->cqs[nvme->sqs[command->sqid].cqid].reserved++;
        } else {
            nvme->free_commands[nvme->n_free++] = (uint16_t)i;
        }
    }
}

void nvme_commands_abandon(struct nvme *nvme)
{
    for (unsigned i = 0; i < NVME_COMMANDS; i++) {
        nvme->commands[i].active = false;
    }
    requests_disown(nvme);
    commands_count(nvme);
}

/* The state can be loaded over a device that has requests in flight; those are of another time. */
void nvme_commands_restored(struct nvme *nvme)
{
    requests_disown(nvme);
    commands_count(nvme);
}

void nvme_commands_restart(struct nvme *nvme)
{
    for (unsigned i = 0; i < NVME_COMMANDS; i++) {
        if (nvme->commands[i].active && !(nvme->csts & CSTS_CFS)) {
            command_execute(nvme, i);
        }
    }
}

bool nvme_commands_valid(struct nvme *nvme)
{
    unsigned reserved[NVME_QUEUES] = { 0 };

    for (unsigned i = 0; i < NVME_COMMANDS; i++) {
        const struct nvme_command *command = &nvme->commands[i];

        if (command->active) {
            if (!nvme->sqs[command->sqid].live) {
                return false;
            }
            reserved[nvme->sqs[command->sqid].cqid]++;
        }
    }
    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        struct nvme_cq cq = nvme->cqs[i];

        cq.reserved = reserved[i] > 0 ? reserved[i] - 1 : 0;
        if (reserved[i] > 0 && (!cq.live || !nvme_cq_has_room(&cq))) {
            return false;
        }
    }
    return true;
}

void nvme_commands_destroy(struct nvme *nvme)
{
    struct nvme_request *request = nvme->all;

    while (request) {
        struct nvme_request *next = request->all;

        free(request->ranges);
        free(request->compare);
        free(request);
        request = next;
    }
}

const struct state_field nvme_command_fields[] = {
    FIELD(struct nvme_command, active),
    FIELD_ARRAY(struct nvme_command, sqe),
    FIELD_MAX(struct nvme_command, sqid, NVME_QUEUES - 1),
    FIELD_END,
};
