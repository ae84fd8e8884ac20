/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Get Features and Set Features (NVMe 1.4 section 5.21). Nothing is saved beyond a controller
 * reset; there are no default and saved values to select.
 *
 * Interrupt Coalescing, Arbitration and Error Recovery are recommendations that may be read back:
 * interrupts are not delayed, queues are served in turn.
 */
#include "nvme.h"
#include "state.h"

enum {
    FEATURE_ARBITRATION = 0x01,
    FEATURE_POWER_MANAGEMENT = 0x02,
    FEATURE_TEMPERATURE_THRESHOLD = 0x04,
    FEATURE_ERROR_RECOVERY = 0x05,
    FEATURE_VOLATILE_WRITE_CACHE = 0x06,
    FEATURE_NUMBER_OF_QUEUES = 0x07,
    FEATURE_INTERRUPT_COALESCING = 0x08,
    FEATURE_INTERRUPT_VECTOR = 0x09,
    FEATURE_WRITE_ATOMICITY = 0x0a,
    FEATURE_ASYNC_EVENT = 0x0b,

    CDW10_SEL = 7u << 8,
    POWER_STATE = 0x1f,
    TMPTH = 0xffff,
    TMPSEL = 0xf << 16,
    TMPSEL_ALL = 0xf << 16,
    THSEL_SHIFT = 20,
    TEMPERATURE_OVER = 343, /* kelvins: the warning temperature of Identify */
    VECTOR_CD = 1u << 16,
    COALESCING = 0xffff,
    ERROR_RECOVERY = 0xffff, /* TLER; DULBE is not offered */
    EVENT_CONFIG = EVENT_CONFIG_SMART | EVENT_CONFIG_NAMESPACE | EVENT_CONFIG_FIRMWARE,
};
#define CDW10_SV 0x80000000u

void nvme_features_reset(struct nvme *nvme)
{
    nvme->features = (struct nvme_features){
        .temperature = { TEMPERATURE_OVER, 0 },
        .write_cache = true,
    };
    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        nvme->features.vector_config[i] = i;
    }
    nvme->features.vector_config[0] |= VECTOR_CD; /* the admin queue's is never coalesced */
}

/* The threshold that THSEL and TMPSEL of dword 11 choose: the composite temperature's. */
static uint32_t *threshold_find(struct nvme *nvme, uint32_t dw11)
{
    unsigned type = dw11 >> THSEL_SHIFT & 3;

    return type < 2 && (dw11 & TMPSEL) == 0 ? &nvme->features.temperature[type] : NULL;
}

unsigned nvme_features_get(struct nvme *nvme, const struct nvme_command *command, uint32_t *dw0)
{
    const struct nvme_features *features = &nvme->features;
    uint32_t dw10 = sqe_dword(command, 10), dw11 = sqe_dword(command, 11);
    const uint32_t *threshold;

    if (dw10 & CDW10_SEL) {
        return STATUS_INVALID_FIELD;
    }
    switch (dw10 & 0xff) {
    case FEATURE_ARBITRATION:
        *dw0 = features->arbitration;
        break;
    case FEATURE_POWER_MANAGEMENT:
        *dw0 = 0;
        break;
    case FEATURE_TEMPERATURE_THRESHOLD:
        threshold = threshold_find(nvme, dw11);
        if (!threshold) {
            return STATUS_INVALID_FIELD;
        }
        *dw0 = *threshold;
        break;
    case FEATURE_ERROR_RECOVERY:
        *dw0 = features->error_recovery;
        break;
    case FEATURE_VOLATILE_WRITE_CACHE:
        *dw0 = features->write_cache;
        break;
    case FEATURE_NUMBER_OF_QUEUES:
        *dw0 = (NVME_IO_QUEUES - 1) << 16 | (NVME_IO_QUEUES - 1);
        break;
    case FEATURE_INTERRUPT_COALESCING:
        *dw0 = features->coalescing;
        break;
    case FEATURE_INTERRUPT_VECTOR:
        if ((dw11 & 0xffff) >= NVME_QUEUES) {
            return STATUS_INVALID_FIELD;
        }
        *dw0 = features->vector_config[dw11 & 0xffff];
        break;
    case FEATURE_WRITE_ATOMICITY:
        *dw0 = features->write_atomicity;
        break;
    case FEATURE_ASYNC_EVENT:
        *dw0 = features->event_config;
        break;
    default:
        return STATUS_INVALID_FIELD;
    }
    return STATUS_SUCCESS;
}

static unsigned number_of_queues_set(struct nvme *nvme, uint32_t dw11, uint32_t *dw0)
{
    if ((dw11 & 0xffff) == 0xffff || dw11 >> 16 == 0xffff) {
        return STATUS_INVALID_FIELD;
    }
    for (unsigned i = 1; i < NVME_QUEUES; i++) {
        if (nvme->sqs[i].live || nvme->cqs[i].live) {
            return STATUS_COMMAND_SEQUENCE;
        }
    }
    *dw0 = (NVME_IO_QUEUES - 1) << 16 | (NVME_IO_QUEUES - 1);
    return STATUS_SUCCESS;
}

static unsigned temperature_set(struct nvme *nvme, uint32_t dw11)
{
    uint32_t chosen = (dw11 & TMPSEL) == TMPSEL_ALL ? dw11 & ~(uint32_t)TMPSEL : dw11;
    uint32_t *threshold = threshold_find(nvme, chosen);

    if (!threshold) {
        return STATUS_INVALID_FIELD;
    }
    *threshold = dw11 & TMPTH;
    return STATUS_SUCCESS;
}

unsigned nvme_features_set(struct nvme *nvme, const struct nvme_command *command, uint32_t *dw0)
{
    struct nvme_features *features = &nvme->features;
    uint32_t dw10 = sqe_dword(command, 10), dw11 = sqe_dword(command, 11);

    if (dw10 & CDW10_SV) {
        return STATUS_NOT_SAVEABLE;
    }
    switch (dw10 & 0xff) {
    case FEATURE_ARBITRATION:
        features->arbitration = dw11;
        break;
    case FEATURE_POWER_MANAGEMENT:
        return dw11 & POWER_STATE ? STATUS_INVALID_FIELD : STATUS_SUCCESS;
    case FEATURE_TEMPERATURE_THRESHOLD:
        return temperature_set(nvme, dw11);
    case FEATURE_ERROR_RECOVERY:
        features->error_recovery = dw11 & ERROR_RECOVERY;
        break;
    case FEATURE_VOLATILE_WRITE_CACHE:
        features->write_cache = dw11 & 1;
        break;
    case FEATURE_NUMBER_OF_QUEUES:
        return number_of_queues_set(nvme, dw11, dw0);
    case FEATURE_INTERRUPT_COALESCING:
        features->coalescing = dw11 & COALESCING;
        break;
    case FEATURE_INTERRUPT_VECTOR:
        if ((dw11 & 0xffff) >= NVME_QUEUES) {
            return STATUS_INVALID_FIELD;
        }
        features->vector_config[dw11 & 0xffff] = dw11 & (VECTOR_CD | 0xffff);
        break;
    case FEATURE_WRITE_ATOMICITY:
        features->write_atomicity = dw11 & 1;
        break;
    case FEATURE_ASYNC_EVENT:
        features->event_config = dw11 & EVENT_CONFIG;
        break;
    default:
        return STATUS_INVALID_FIELD;
    }
    return STATUS_SUCCESS;
}

const struct state_field nvme_features_fields[] = {
    FIELD(struct nvme_features, arbitration),
    FIELD(struct nvme_features, error_recovery),
    FIELD(struct nvme_features, coalescing),
    FIELD_MAX(struct nvme_features, event_config, EVENT_CONFIG),
    FIELD_ARRAY(struct nvme_features, temperature),
    FIELD_ARRAY(struct nvme_features, vector_config),
    FIELD(struct nvme_features, write_cache),
    FIELD(struct nvme_features, write_atomicity),
    FIELD_END,
};
