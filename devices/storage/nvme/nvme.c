/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NVMe controller with one namespace: PCI 1B36:0010, NVM Express 1.4, an admin queue and 16 pairs
 * of I/O queues, MSI-X and INTx. BAR 0 holds the registers and doorbells, BAR 4 the MSI-X table.
 *
 * Enabling and disabling (CC.EN, section 7.6): disabling forgets all queues and commands at once,
 * but CSTS.RDY stays until the last request has come back from the back end, because it may still
 * write to the guest's memory; enabling waits for the same. A shutdown (CC.SHN) flushes the disk.
 *
 * Doorbells are exits, because their value is needed, until the host has it in memory
 * (nvme_shadow.c).
 *
 * Left out: subsystem reset, controller memory buffer, boot partitions, other page sizes than 4
 * KiB, SGLs, metadata and protection information, arbitration by weights.
 *
 * How it fails: what the registers cannot mean (CC, AQA) and queues that are no RAM stop the
 * controller with CSTS.CFS until it is disabled, and are counted as guest errors; wrong commands
 * end with their status. Memory for a request that the host does not give stops the program.
 */
#include <errno.h>

#include "nvme.h"
#include "services.h"
#include "state.h"

enum {
    REGION_REGISTERS,
    REGION_MSIX,

    TASK_RESTART,
    TASK_SERVICE, /* once for all answers of the back end that come together */
    TASKS,

    REGISTER_CAP = 0x00,
    REGISTER_VS = 0x08,
    REGISTER_INTMS = 0x0c,
    REGISTER_INTMC = 0x10,
    REGISTER_CC = 0x14,
    REGISTER_CSTS = 0x1c,
    REGISTER_NSSR = 0x20,
    REGISTER_AQA = 0x24,
    REGISTER_ASQ = 0x28,
    REGISTER_ACQ = 0x30,
    REGISTER_END = 0x1000,
    DOORBELLS = 0x1000,
    BAR_SIZE = 0x4000,

    CAP_CQR = 1u << 16,    /* queues are contiguous */
    CAP_TO = 120u << 24,   /* a minute, in units of half a second: a slow host disk */
    CAP_CSS_NVM = 1u << 5, /* of the upper half */

    CC_SHN = 3u << 14,
    CC_START = 0x7ff0, /* CSS, MPS, AMS must be 0 (SHN is looked at elsewhere) */
    CC_WRITABLE = 0x00fffff1,
    AQA_WRITABLE = 0x0fff0fff,
    LOGICAL_BLOCK_MIN = 512,
    ROUNDS_MAX = 4, /* in which the host adds commands while others are taken */
};

static struct nvme *to_nvme(struct device *device)
{
    return (struct nvme *)device;
}

void nvme_fatal(struct nvme *nvme, const char *reason, uint64_t value)
{
    guest_error(nvme_device(nvme), "stopped: %s %#llx", reason, (unsigned long long)value);
    nvme->csts |= CSTS_CFS;
}

void nvme_service(struct nvme *nvme)
{
    unsigned rounds = 0;

    do {
        nvme_queues_service(nvme);
    } while (nvme_shadow_rest(nvme) && ++rounds < ROUNDS_MAX);
    if (rounds == ROUNDS_MAX) {
        dev_defer(nvme_device(nvme), TASK_SERVICE);
    }
    nvme_shadow_bind(nvme);
    nvme_events_deliver(nvme);
    nvme_batch_submit(nvme);
    nvme_interrupts_update(nvme);
}

/* --- Enabling, disabling, shutdown ------------------------------------------------------------ */

static void controller_start(struct nvme *nvme)
{
    uint32_t sq_size = (nvme->aqa & 0xfff) + 1, cq_size = (nvme->aqa >> 16 & 0xfff) + 1;

    if ((nvme->cc & CC_START & ~(uint32_t)CC_SHN) != 0) {
        nvme_fatal(nvme, "command set, page size or arbitration of CC", nvme->cc);
    } else if (sq_size < 2 || cq_size < 2) {
        nvme_fatal(nvme, "sizes of the admin queues", nvme->aqa);
    } else {
        nvme_sq_create(nvme, 0, nvme->asq, sq_size, 0);
        nvme_cq_create(nvme, 0, nvme->acq, cq_size);
        nvme->cqs[0].ien = true;
        nvme->csts |= CSTS_RDY;
    }
}

void nvme_settle(struct nvme *nvme)
{
    if ((nvme->csts & CSTS_SHST) == CSTS_SHST_OCCURRING && !nvme->flushing) {
        nvme->csts = (nvme->csts & ~(uint32_t)CSTS_SHST) | CSTS_SHST_COMPLETE;
    }
    if (nvme->n_stale > 0) {
        return;
    }
    if (!(nvme->cc & CC_EN)) {
        nvme->csts &= ~(uint32_t)(CSTS_RDY | CSTS_CFS);
    } else if (!(nvme->csts & (CSTS_RDY | CSTS_CFS))) {
        controller_start(nvme);
    }
}

/* The controller level reset: everything but the admin queue's registers. */
static void controller_reset(struct nvme *nvme)
{
    nvme_commands_abandon(nvme);
    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        nvme->sqs[i] = (struct nvme_sq){ .live = false };
        nvme->cqs[i] = (struct nvme_cq){ .live = false };
    }
    nvme_features_reset(nvme);
    nvme->n_event_requests = 0;
    nvme->events = nvme->events_masked = 0;
    nvme->namespace_changed = false;
    nvme->shadow = false;
    nvme->shadow_doorbells = nvme->event_indexes = 0;
    nvme->intms = 0;
    nvme->csts &= ~(uint32_t)CSTS_SHST;
}

static void cc_write(struct nvme *nvme, uint32_t value)
{
    bool was_enabled = nvme->cc & CC_EN, enabled = value & CC_EN;

    nvme->cc = value & CC_WRITABLE;
    if (was_enabled && !enabled) {
        controller_reset(nvme);
    } else if (!was_enabled && enabled) {
        nvme->csts &= ~(uint32_t)(CSTS_RDY | CSTS_CFS); /* if it is still being disabled */
    }
    if ((value & CC_SHN) != 0 && (nvme->csts & CSTS_SHST) == 0) {
        nvme->csts |= CSTS_SHST_OCCURRING;
        if (nvme->info.present) {
            nvme_flush_for_shutdown(nvme);
        }
    }
    nvme_settle(nvme);
}

/* --- Registers -------------------------------------------------------------------------------- */

static uint64_t registers_read(struct device *device, uint64_t offset, unsigned size)
{
    const struct nvme *nvme = to_nvme(device);

    (void)size;
    switch (offset) {
    case REGISTER_CAP:
        return CAP_TO | CAP_CQR | (NVME_QUEUE_ENTRIES_MAX - 1);
    case REGISTER_CAP + 4:
        return CAP_CSS_NVM;
    case REGISTER_VS:
        return NVME_VERSION;
    case REGISTER_INTMS:
    case REGISTER_INTMC:
        return nvme->intms;
    case REGISTER_CC:
        return nvme->cc;
    case REGISTER_CSTS:
        return nvme->csts;
    case REGISTER_AQA:
        return nvme->aqa;
    case REGISTER_ASQ:
        return (uint32_t)nvme->asq;
    case REGISTER_ASQ + 4:
        return nvme->asq >> 32;
    case REGISTER_ACQ:
        return (uint32_t)nvme->acq;
    case REGISTER_ACQ + 4:
        return nvme->acq >> 32;
    default:
        return 0;
    }
}

static void address_write(uint64_t *address, bool high, uint32_t value)
{
    if (high) {
        *address = (*address & 0xffffffff) | (uint64_t)value << 32;
    } else {
        *address = (*address & ~UINT64_C(0xffffffff)) | (value & ~(uint32_t)(NVME_PAGE - 1));
    }
}

static void register_write(struct nvme *nvme, uint64_t offset, uint32_t value)
{
    switch (offset) {
    case REGISTER_INTMS:
        nvme->intms |= value;
        break;
    case REGISTER_INTMC:
        nvme->intms &= ~value;
        break;
    case REGISTER_CC:
        cc_write(nvme, value);
        break;
    case REGISTER_AQA:
        nvme->aqa = value & AQA_WRITABLE;
        break;
    case REGISTER_ASQ:
    case REGISTER_ASQ + 4:
        address_write(&nvme->asq, offset != REGISTER_ASQ, value);
        break;
    case REGISTER_ACQ:
    case REGISTER_ACQ + 4:
        address_write(&nvme->acq, offset != REGISTER_ACQ, value);
        break;
    case REGISTER_CSTS: /* NSSRO and PP would be cleared by 1; neither is ever set */
    case REGISTER_NSSR:
        break;
    default:
        guest_error(nvme_device(nvme), "write of %#x to %#llx, which is no register", value,
                    (unsigned long long)offset);
        break;
    }
}

static void registers_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct nvme *nvme = to_nvme(device);

    (void)size;
    if (offset >= DOORBELLS) {
        nvme_doorbell_write(nvme, (unsigned)(offset - DOORBELLS) / 4, (uint32_t)value & 0xffff);
    } else {
        register_write(nvme, offset, (uint32_t)value);
    }
    nvme_service(nvme);
}

/* --- Life ------------------------------------------------------------------------------------- */

static void info_read(struct nvme *nvme)
{
    struct device *device = nvme_device(nvme);

    if (!device->services->block_info(device, 0, &nvme->info)) {
        nvme->info = (struct block_info){ .present = false };
    }
    if (nvme->info.logical_block_size < LOGICAL_BLOCK_MIN) {
        nvme->info.logical_block_size = LOGICAL_BLOCK_MIN;
    }
    if (!nvme->info.present) {
        nvme->info.size = 0;
    }
    nvme->block_shift = (unsigned)__builtin_ctz(nvme->info.logical_block_size);
}

static int nvme_create(struct device *device, struct dev_error *error)
{
    (void)error;
    for (unsigned sqid = 1; sqid < NVME_QUEUES; sqid++) {
        device->services->doorbell_bind(device, REGION_REGISTERS, DOORBELLS + 8 * sqid, sqid - 1);
        device->services->doorbell_enable(device, sqid - 1, false);
    }
    return 0;
}

static void nvme_destroy(struct device *device)
{
    nvme_commands_destroy(to_nvme(device));
}

static void nvme_reset(struct device *device, enum reset_kind kind)
{
    struct nvme *nvme = to_nvme(device);

    controller_reset(nvme);
    nvme->cc = nvme->csts = nvme->aqa = 0;
    nvme->asq = nvme->acq = 0;
    nvme->restarting = false;
    if (kind == RESET_COLD) {
        nvme->units_read = nvme->units_written = nvme->reads = nvme->writes = 0;
        nvme->error = (struct nvme_error){ .count = 0 };
    }
    info_read(nvme);
    nvme_shadow_bind(nvme);
    nvme_interrupts_update(nvme);
}

static void nvme_on_doorbell(struct device *device, unsigned doorbell)
{
    (void)doorbell; /* whichever it was, all are looked at */
    nvme_service(to_nvme(device));
}

static void nvme_on_block(struct device *device, struct block_request *request)
{
    nvme_block_done(to_nvme(device), (struct nvme_request *)request);
    dev_defer(device, TASK_SERVICE);
}

static void nvme_on_media(struct device *device, unsigned drive)
{
    struct nvme *nvme = to_nvme(device);

    (void)drive;
    info_read(nvme);
    nvme->namespace_changed = true;
    if (nvme->features.event_config & EVENT_CONFIG_NAMESPACE) {
        nvme_event(nvme, EVENT_NAMESPACE_CHANGED);
    }
    nvme_service(nvme);
}

/* Bus mastering or MSI-X may have been turned on. */
static void nvme_on_config(struct device *device, unsigned offset, unsigned size)
{
    (void)offset;
    (void)size;
    nvme_service(to_nvme(device));
}

static void nvme_on_task(struct device *device, unsigned task)
{
    struct nvme *nvme = to_nvme(device);

    if (task == TASK_RESTART && nvme->restarting) {
        nvme->restarting = false;
        nvme_commands_restart(nvme);
        if ((nvme->csts & CSTS_SHST) == CSTS_SHST_OCCURRING && nvme->info.present) {
            nvme_flush_for_shutdown(nvme);
        }
    }
    nvme_settle(nvme);
    nvme_service(nvme);
}

static bool nvme_idle(struct device *device)
{
    return to_nvme(device)->n_in_flight == 0;
}

static int nvme_validate(struct device *device, struct dev_error *error)
{
    struct nvme *nvme = to_nvme(device);
    bool running = (nvme->cc & CC_EN) && (nvme->csts & CSTS_RDY);

    if (!nvme_queues_valid(nvme) || nvme->sqs[0].live != running || !nvme_commands_valid(nvme) ||
        (nvme->asq | nvme->acq) % NVME_PAGE != 0 || (nvme->csts & CSTS_SHST) == CSTS_SHST) {
        dev_error_set(error, "The saved state of “%s” contradicts itself in its queues.",
                      device->name);
        return -EINVAL;
    }
    return 0;
}

static void nvme_restored(struct device *device)
{
    struct nvme *nvme = to_nvme(device);

    info_read(nvme);
    nvme_commands_restored(nvme);
    nvme->restarting = true;
    dev_defer(device, TASK_RESTART);
}

static const struct state_field nvme_fields[] = {
    FIELD_STRUCT(struct nvme, pci, pci_fields),
    FIELD(struct nvme, intms),
    FIELD_MAX(struct nvme, cc, CC_WRITABLE),
    FIELD_MAX(struct nvme, csts, CSTS_RDY | CSTS_CFS | CSTS_SHST),
    FIELD_MAX(struct nvme, aqa, AQA_WRITABLE),
    FIELD(struct nvme, asq),
    FIELD(struct nvme, acq),
    FIELD_STRUCTS_ARRAY(struct nvme, sqs, nvme_sq_fields),
    FIELD_STRUCTS_ARRAY(struct nvme, cqs, nvme_cq_fields),
    FIELD_STRUCTS_ARRAY(struct nvme, commands, nvme_command_fields),
    FIELD_STRUCT(struct nvme, features, nvme_features_fields),
    FIELD_ARRAY(struct nvme, event_requests),
    FIELD_MAX(struct nvme, n_event_requests, NVME_EVENT_REQUESTS),
    FIELD_MAX(struct nvme, events, (1u << NVME_EVENTS) - 1),
    FIELD_MAX(struct nvme, events_masked, (1u << NVME_EVENTS) - 1),
    FIELD(struct nvme, namespace_changed),
    FIELD(struct nvme, shadow),
    FIELD(struct nvme, shadow_doorbells),
    FIELD(struct nvme, event_indexes),
    FIELD(struct nvme, units_read),
    FIELD(struct nvme, units_written),
    FIELD(struct nvme, reads),
    FIELD(struct nvme, writes),
    FIELD_STRUCT(struct nvme, error, nvme_error_fields),
    FIELD_END,
};

static const struct region_desc nvme_regions[] = {
    [REGION_REGISTERS] = { .name = "registers",
                           .space = REGION_MMIO,
                           .size = BAR_SIZE,
                           .base = REGION_UNPLACED,
                           .read_sizes = SIZE_4,
                           .write_sizes = SIZE_4,
                           .read = registers_read,
                           .write = registers_write },
    [REGION_MSIX] = { .name = "msix",
                      .space = REGION_MMIO,
                      .size = 4096,
                      .base = REGION_UNPLACED,
                      .read_sizes = SIZE_4 | SIZE_8,
                      .write_sizes = SIZE_4 | SIZE_8,
                      .read = pci_msix_read,
                      .write = pci_msix_write },
};

static const struct pci_info nvme_pci = {
    .vendor = 0x1b36,
    .device = 0x0010,
    .subsystem_vendor = 0x1af4,
    .subsystem = 0x1100,
    .revision = 2,
    .class_code = 0x010802,
    .interrupt_pin = 1,
    .bars[0] = { .kind = PCI_BAR_MMIO64, .index = REGION_REGISTERS, .size = BAR_SIZE },
    .bars[4] = { .kind = PCI_BAR_MMIO32, .index = REGION_MSIX, .size = 4096 },
    .msix_vectors = NVME_QUEUES,
    .msix_bar = 4,
    .power_management = true,
};

const struct device_class nvme_class = {
    .name = "nvme",
    .version = 2,
    .state_size = sizeof(struct nvme),
    .description = "NVMe controller with one disk",
    .regions = nvme_regions,
    .n_regions = sizeof(nvme_regions) / sizeof(nvme_regions[0]),
    .n_tasks = TASKS,
    .n_drives = 1,
    .n_doorbells = NVME_IO_QUEUES,
    .fields = nvme_fields,
    .pci = &nvme_pci,
    .create = nvme_create,
    .destroy = nvme_destroy,
    .reset = nvme_reset,
    .on_task = nvme_on_task,
    .on_doorbell = nvme_on_doorbell,
    .on_block = nvme_on_block,
    .on_media = nvme_on_media,
    .on_config = nvme_on_config,
    .idle = nvme_idle,
    .validate = nvme_validate,
    .restored = nvme_restored,
};
