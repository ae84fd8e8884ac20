/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The NVM command set (NVMe 1.4 section 6): Flush, Write, Read, Compare, Write Zeroes, Dataset
 * Management. Every command is one request to the back end, except Dataset Management, whose ranges
 * go one after the other.
 *
 * A compared command reads the medium into memory of its own; the guest's bytes are compared when
 * that has come.
 *
 * How it fails: blocks outside the namespace, a namespace that does not exist, wrong PRPs and a
 * disk that cannot be written end with the status codes of section 4.6.1; errors of the host with
 * media errors.
 */
#include <stdlib.h>
#include <string.h>

#include "nvme.h"
#include "services.h"

enum {
    OPCODE_FLUSH = 0x00,
    OPCODE_WRITE = 0x01,
    OPCODE_READ = 0x02,
    OPCODE_COMPARE = 0x05,
    OPCODE_WRITE_ZEROES = 0x08,
    OPCODE_DATASET_MANAGEMENT = 0x09,

    DSM_NR = 0xff,
    DSM_AD = 1u << 2,
    RANGE_SIZE = 16,
    DATA_UNIT = 512,
    DISCARD_MAX = 1 << 30, /* bytes in one request */
};
#define CDW12_FUA (1u << 30)

static uint8_t opcode(const struct nvme_command *command)
{
    return command->sqe[0];
}

/* Blocks of the medium as bytes; false: some are outside. */
static bool range_find(const struct nvme *nvme, uint64_t slba, uint64_t blocks,
                       struct nvme_range *range)
{
    if (!nvme->info.present || !range_fits(slba, blocks, nvme->info.size >> nvme->block_shift)) {
        return false;
    }
    *range = (struct nvme_range){ slba << nvme->block_shift, blocks << nvme->block_shift };
    return true;
}

/* The range of a command with SLBA and NLB. */
static unsigned command_range(const struct nvme *nvme, const struct nvme_command *command,
                              struct nvme_range *range)
{
    uint64_t slba = load_le64(command->sqe + 40);
    uint32_t blocks = (sqe_dword(command, 12) & 0xffff) + 1;

    return range_find(nvme, slba, blocks, range) ? STATUS_SUCCESS : STATUS_LBA_OUT_OF_RANGE;
}

static unsigned request_submit(struct nvme *nvme, unsigned index, enum block_op op,
                               const struct nvme_range *range)
{
    struct nvme_request *request = nvme_request(nvme, index);

    request->block.op = op;
    request->block.offset = range->offset;
    request->block.length = range->length;
    nvme_submit(nvme, request);
    return STATUS_PENDING;
}

/* --- Read, Write, Compare --------------------------------------------------------------------- */

static unsigned transfer(struct nvme *nvme, unsigned index, enum block_op op)
{
    const struct nvme_command *command = &nvme->commands[index];
    struct nvme_range range;
    unsigned status = command_range(nvme, command, &range);

    if (status == STATUS_SUCCESS && range.length > NVME_TRANSFER_MAX) {
        status = STATUS_INVALID_FIELD;
    }
    if (status == STATUS_SUCCESS && op == BLOCK_WRITE && nvme->info.read_only) {
        status = STATUS_WRITE_PROTECTED;
    }
    if (status == STATUS_SUCCESS) {
        status = nvme_prp_map(nvme, index, (size_t)range.length);
    }
    if (status != STATUS_SUCCESS) {
        return status;
    }
    struct nvme_request *request = command->request;

    request->block.spans = request->spans;
    request->block.n_spans = request->n_spans;
    request->block.fua =
        op == BLOCK_WRITE && ((sqe_dword(command, 12) & CDW12_FUA) || !nvme->features.write_cache);
    return request_submit(nvme, index, op, &range);
}

static unsigned compare(struct nvme *nvme, unsigned index)
{
    struct nvme_command *command = &nvme->commands[index];
    struct nvme_range range;
    unsigned status = command_range(nvme, command, &range);

    if (status == STATUS_SUCCESS) {
        status =
            nvme_prp_map(nvme, index, range.length <= NVME_TRANSFER_MAX ? (size_t)range.length : 0);
    }
    if (status != STATUS_SUCCESS) {
        return status;
    }
    struct nvme_request *request = command->request;

    request->compare = malloc((size_t)range.length);
    if (!request->compare) {
        return STATUS_INTERNAL_ERROR;
    }
    request->own = (struct block_span){ request->compare, (size_t)range.length };
    request->block.spans = &request->own;
    request->block.n_spans = 1;
    return request_submit(nvme, index, BLOCK_READ, &range);
}

static unsigned compare_end(const struct nvme_request *request)
{
    const uint8_t *medium = request->compare;

    for (unsigned i = 0; i < request->n_spans; i++) {
        if (memcmp(request->spans[i].base, medium, request->spans[i].length) != 0) {
            return STATUS_COMPARE_FAILURE;
        }
        medium += request->spans[i].length;
    }
    return STATUS_SUCCESS;
}

/* --- Write Zeroes, Dataset Management, Flush -------------------------------------------------- */

static unsigned write_zeroes(struct nvme *nvme, unsigned index)
{
    struct nvme_range range;
    unsigned status = command_range(nvme, &nvme->commands[index], &range);

    if (status == STATUS_SUCCESS && nvme->info.read_only) {
        status = STATUS_WRITE_PROTECTED;
    }
    if (status != STATUS_SUCCESS) {
        return status;
    }
    nvme_request(nvme, index)->block.fua =
        (sqe_dword(&nvme->commands[index], 12) & CDW12_FUA) || !nvme->features.write_cache;
    return request_submit(nvme, index, BLOCK_WRITE_ZEROES, &range);
}

/* Long ranges go in pieces: one request must not keep the back end for long. */
static unsigned range_next(struct nvme *nvme, struct nvme_request *request)
{
    while (request->range < request->n_ranges) {
        struct nvme_range *range = &request->ranges[request->range];

        if (range->length > 0) {
            struct nvme_range piece = *range;

            if (piece.length > DISCARD_MAX) {
                piece.length = DISCARD_MAX;
            }
            range->offset += piece.length;
            range->length -= piece.length;
            return request_submit(nvme, request->command, BLOCK_DISCARD, &piece);
        }
        request->range++;
    }
    return STATUS_SUCCESS;
}

/* Copies and checks the ranges. */
static unsigned ranges_take(struct nvme *nvme, unsigned index, unsigned n)
{
    uint8_t bytes[NVME_RANGES_MAX * RANGE_SIZE];
    unsigned status = nvme_prp_map(nvme, index, n * RANGE_SIZE);
    struct nvme_request *request = nvme_request(nvme, index);

    if (status != STATUS_SUCCESS) {
        return status;
    }
    nvme_copy_in(request, bytes, n * RANGE_SIZE);
    request->ranges = calloc(n, sizeof(request->ranges[0]));
    if (!request->ranges) {
        return STATUS_INTERNAL_ERROR;
    }
    request->n_ranges = n;
    for (unsigned i = 0; i < n; i++) {
        if (!range_find(nvme, load_le64(bytes + i * RANGE_SIZE + 8),
                        load_le32(bytes + i * RANGE_SIZE + 4), &request->ranges[i])) {
            return STATUS_LBA_OUT_OF_RANGE;
        }
    }
    return STATUS_SUCCESS;
}

static unsigned dataset_management(struct nvme *nvme, unsigned index)
{
    const struct nvme_command *command = &nvme->commands[index];
    unsigned status = ranges_take(nvme, index, (sqe_dword(command, 10) & DSM_NR) + 1);

    if (status != STATUS_SUCCESS) {
        return status;
    }
    if (!(sqe_dword(command, 11) & DSM_AD)) {
        return STATUS_SUCCESS; /* hints about how the data will be used */
    }
    return nvme->info.read_only ? (unsigned)STATUS_WRITE_PROTECTED
                                : range_next(nvme, command->request);
}

static unsigned flush(struct nvme *nvme, unsigned index)
{
    const struct nvme_range nothing = { 0, 0 };

    return request_submit(nvme, index, BLOCK_FLUSH, &nothing);
}

/* --- Dispatch --------------------------------------------------------------------------------- */

unsigned nvme_io_execute(struct nvme *nvme, unsigned index)
{
    const struct nvme_command *command = &nvme->commands[index];
    uint32_t nsid = sqe_nsid(command);
    bool all = opcode(command) == OPCODE_FLUSH && nsid == (uint32_t)NVME_NSID_ALL;

    switch (opcode(command)) {
    case OPCODE_FLUSH:
    case OPCODE_WRITE:
    case OPCODE_READ:
    case OPCODE_COMPARE:
    case OPCODE_WRITE_ZEROES:
    case OPCODE_DATASET_MANAGEMENT:
        break;
    default:
        return STATUS_INVALID_OPCODE;
    }
    if (nsid != NVME_NSID && !all) {
        return STATUS_INVALID_NAMESPACE;
    }
    switch (opcode(command)) {
    case OPCODE_WRITE:
        return transfer(nvme, index, BLOCK_WRITE);
    case OPCODE_READ:
        return transfer(nvme, index, BLOCK_READ);
    case OPCODE_COMPARE:
        return compare(nvme, index);
    case OPCODE_WRITE_ZEROES:
        return write_zeroes(nvme, index);
    case OPCODE_DATASET_MANAGEMENT:
        return dataset_management(nvme, index);
    default:
        return flush(nvme, index);
    }
}

static unsigned error_of(const struct nvme_request *request)
{
    return request->block.op == BLOCK_READ ? STATUS_UNRECOVERED_READ : STATUS_WRITE_FAULT;
}

unsigned nvme_io_continue(struct nvme *nvme, struct nvme_request *request)
{
    if (request->block.status != 0) {
        return error_of(request);
    }
    switch (request->block.op) {
    case BLOCK_READ:
        nvme->reads++;
        nvme->units_read += request->block.length / DATA_UNIT;
        if (request->compare) {
            return compare_end(request);
        }
        nvme_spans_written(nvme, request);
        return STATUS_SUCCESS;
    case BLOCK_WRITE:
        nvme->writes++;
        nvme->units_written += request->block.length / DATA_UNIT;
        return STATUS_SUCCESS;
    case BLOCK_DISCARD:
        return range_next(nvme, request);
    case BLOCK_FLUSH:
    case BLOCK_WRITE_ZEROES:
        break;
    }
    return STATUS_SUCCESS;
}
