/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Get Log Page (NVMe 1.4 section 5.14): Error Information (the newest error), SMART / Health
 * Information (what a disk without temperature and wear can say truly), Firmware Slot Information,
 * and the Changed Namespace List.
 */
#include <string.h>

#include "nvme.h"
#include "state.h"

enum {
    LOG_SIZE_MAX = 4096,
    ERROR_SIZE = 64,
    SMART_SIZE = 512,
    FIRMWARE_SIZE = 512,
    CHANGED_NAMESPACES_SIZE = 4096,

    CDW10_RAE = 1u << 15,
    SMART_TEMPERATURE = 1,
    SMART_SPARE = 3,
    SMART_SPARE_THRESHOLD = 4,
    SMART_UNITS_READ = 32,
    SMART_UNITS_WRITTEN = 48,
    SMART_READS = 64,
    SMART_WRITES = 80,
    SMART_POWER_CYCLES = 112,
    SMART_ERROR_ENTRIES = 176,
    TEMPERATURE = 313,   /* kelvins; the host's disk is not asked */
    SMART_UNIT = 1000,   /* of 512 bytes, rounded up */
    LOG_ERROR_NSID = 24, /* of an error's entry */
};

void nvme_log_error(struct nvme *nvme, const struct nvme_command *command, unsigned status)
{
    nvme->error = (struct nvme_error){
        .count = nvme->error.count + 1,
        .sqid = (uint16_t)command->sqid,
        .cid = load_le16(command->sqe + 2),
        .status = (uint16_t)(status << 1),
        .lba = command->sqid != 0 ? load_le64(command->sqe + 40) : 0,
        .nsid = sqe_nsid(command),
    };
}

static size_t error_log(const struct nvme *nvme, uint8_t *log)
{
    const struct nvme_error *error = &nvme->error;

    store_le64(log, error->count);
    store_le16(log + 8, error->sqid);
    store_le16(log + 10, error->cid);
    store_le16(log + 12, error->status);
    store_le16(log + 14, error->count > 0 ? 0xffff : 0); /* no place in the command is meant */
    store_le64(log + 16, error->lba);
    store_le32(log + LOG_ERROR_NSID, error->nsid);
    return ERROR_SIZE;
}

static size_t smart_log(const struct nvme *nvme, uint8_t *log)
{
    store_le16(log + SMART_TEMPERATURE, TEMPERATURE);
    log[SMART_SPARE] = 100;
    log[SMART_SPARE_THRESHOLD] = 10;
    store_le64(log + SMART_UNITS_READ, (nvme->units_read + SMART_UNIT - 1) / SMART_UNIT);
    store_le64(log + SMART_UNITS_WRITTEN, (nvme->units_written + SMART_UNIT - 1) / SMART_UNIT);
    store_le64(log + SMART_READS, nvme->reads);
    store_le64(log + SMART_WRITES, nvme->writes);
    store_le64(log + SMART_POWER_CYCLES, 1);
    store_le64(log + SMART_ERROR_ENTRIES, nvme->error.count);
    return SMART_SIZE;
}

static size_t firmware_log(uint8_t *log)
{
    log[0] = 1; /* slot 1 is active */
    memcpy(log + 8, "1       ", 8);
    return FIRMWARE_SIZE;
}

static size_t changed_namespaces_log(const struct nvme *nvme, uint8_t *log)
{
    store_le32(log, nvme->namespace_changed ? NVME_NSID : 0);
    return CHANGED_NAMESPACES_SIZE;
}

static size_t log_build(const struct nvme *nvme, uint8_t id, uint8_t *log)
{
    switch (id) {
    case LOG_ERROR:
        return error_log(nvme, log);
    case LOG_SMART:
        return smart_log(nvme, log);
    case LOG_FIRMWARE:
        return firmware_log(log);
    case LOG_CHANGED_NAMESPACES:
        return changed_namespaces_log(nvme, log);
    default:
        return 0;
    }
}

unsigned nvme_log_page(struct nvme *nvme, unsigned index)
{
    const struct nvme_command *command = &nvme->commands[index];
    uint32_t dw10 = sqe_dword(command, 10), dw11 = sqe_dword(command, 11), nsid = sqe_nsid(command);
    uint64_t offset = sqe_dword(command, 12) | (uint64_t)sqe_dword(command, 13) << 32;
    uint64_t length = (((uint64_t)(dw11 & 0xffff) << 16 | dw10 >> 16) + 1) * 4;
    uint8_t log[LOG_SIZE_MAX] = { 0 }, id = (uint8_t)dw10;
    size_t size = log_build(nvme, id, log);
    unsigned status;

    if (size == 0) {
        return STATUS_INVALID_LOG_PAGE;
    }
    if (offset % 4 != 0 || offset >= size || (nsid != 0 && nsid != (uint32_t)NVME_NSID_ALL)) {
        return STATUS_INVALID_FIELD;
    }
    if (length > size - offset) {
        length = size - offset; /* what lies behind the page is not defined */
    }
    status = nvme_reply(nvme, index, log + offset, (size_t)length);
    if (status == STATUS_SUCCESS && !(dw10 & CDW10_RAE)) {
        nvme_events_clear(nvme, id);
        nvme->namespace_changed = nvme->namespace_changed && id != LOG_CHANGED_NAMESPACES;
    }
    return status;
}

const struct state_field nvme_error_fields[] = {
    FIELD(struct nvme_error, count),
    FIELD(struct nvme_error, sqid),
    FIELD(struct nvme_error, cid),
    FIELD(struct nvme_error, status),
    FIELD(struct nvme_error, lba),
    FIELD(struct nvme_error, nsid),
    FIELD_END,
};
