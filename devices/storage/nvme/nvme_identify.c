/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Identify (NVMe 1.4 section 5.15): controller, namespace, active namespaces, and the namespace's
 * identification: a UUID made of the disk's serial number, so that it is the same at every start.
 */
#include <string.h>

#include "nvme.h"

enum {
    CNS_NAMESPACE = 0x00,
    CNS_CONTROLLER = 0x01,
    CNS_ACTIVE_NAMESPACES = 0x02,
    CNS_DESCRIPTORS = 0x03,

    SN_LENGTH = 20,
    MN_LENGTH = 40,
    FR_LENGTH = 8,
    UUID_LENGTH = 16,
    NIDT_UUID = 3,

    OACS_DOORBELL_BUFFER_CONFIG = 1u << 8,
    ONCS_COMPARE = 1u << 0,
    ONCS_DATASET_MANAGEMENT = 1u << 2,
    ONCS_WRITE_ZEROES = 1u << 3,
};

/* ASCII, padded with spaces. */
static void text_store(uint8_t *field, size_t length, const char *text)
{
    size_t n = strlen(text);

    memset(field, ' ', length);
    memcpy(field, text, n < length ? n : length);
}

/* FNV-1a over the serial number, from two starts; a UUID of version 8 (RFC 9562: of one's own). */
static void uuid_make(const struct nvme *nvme, uint8_t uuid[UUID_LENGTH])
{
    const uint64_t prime = UINT64_C(0x100000001b3);
    uint64_t low = UINT64_C(0xcbf29ce484222325), high = low ^ UINT64_C(0x6f7269656c);

    for (const char *c = nvme->info.serial; *c; c++) {
        low = (low ^ (uint8_t)*c) * prime;
        high = (high ^ (uint8_t)*c) * prime;
    }
    store_be64(uuid, high);
    store_be64(uuid + 8, low);
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x80);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

static void subnqn_store(const struct nvme *nvme, uint8_t *field)
{
    static const char prefix[] = "nqn.2014-08.org.nvmexpress:uuid:", digits[] = "0123456789abcdef";
    uint8_t uuid[UUID_LENGTH];

    uuid_make(nvme, uuid);
    memcpy(field, prefix, sizeof(prefix) - 1);
    field += sizeof(prefix) - 1;
    for (unsigned i = 0; i < UUID_LENGTH; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *field++ = '-';
        }
        *field++ = (uint8_t)digits[uuid[i] >> 4];
        *field++ = (uint8_t)digits[uuid[i] & 15];
    }
}

static void controller_build(const struct nvme *nvme, uint8_t *reply)
{
    uint16_t oncs = ONCS_COMPARE;

    if (!nvme->info.read_only) {
        oncs |= ONCS_WRITE_ZEROES | (nvme->info.discard ? ONCS_DATASET_MANAGEMENT : 0);
    }
    store_le16(reply, load_le16(nvme->pci.config));            /* VID */
    store_le16(reply + 2, load_le16(nvme->pci.config + 0x2c)); /* SSVID */
    text_store(reply + 4, SN_LENGTH, nvme->info.serial);       /* SN */
    text_store(reply + 24, MN_LENGTH, "Oriel NVMe disk");      /* MN */
    text_store(reply + 64, FR_LENGTH, "1");                    /* FR */
    reply[72] = 6;                                             /* RAB */
    reply[77] = NVME_MDTS;                                     /* MDTS */
    store_le32(reply + 80, NVME_VERSION);                      /* VER */
    store_le32(reply + 92, EVENT_CONFIG_NAMESPACE);            /* OAES */
    reply[111] = 1;                                            /* CNTRLTYPE: I/O */
    store_le16(reply + 256, OACS_DOORBELL_BUFFER_CONFIG);      /* OACS */
    reply[258] = 3;                                            /* ACL */
    reply[259] = NVME_EVENT_REQUESTS - 1;                      /* AERL */
    reply[260] = 0x03;                                         /* FRMW: one slot, read only */
    reply[261] = 1u << 2;                                      /* LPA: offsets */
    store_le16(reply + 266, 343);                              /* WCTEMP, kelvins */
    store_le16(reply + 268, 373);                              /* CCTEMP */
    reply[512] = 0x66;                                         /* SQES */
    reply[513] = 0x44;                                         /* CQES */
    store_le32(reply + 516, NVME_NSID);                        /* NN */
    store_le16(reply + 520, oncs);                             /* ONCS */
    reply[525] = 0x07;                                         /* VWC; Flush of all namespaces */
    subnqn_store(nvme, reply + 768);                           /* SUBNQN */
    store_le16(reply + 2048, 2500);                            /* PSD0.MP: 25 W */
}

static void namespace_build(const struct nvme *nvme, uint8_t *reply)
{
    uint64_t blocks = nvme->info.size >> nvme->block_shift;
    uint32_t physical = nvme->info.physical_block_size >> nvme->block_shift;
    uint16_t granularity = (uint16_t)(physical > 1 && physical <= 0x10000 ? physical - 1 : 0);

    store_le64(reply, blocks);                  /* NSZE */
    store_le64(reply + 8, blocks);              /* NCAP */
    store_le64(reply + 16, blocks);             /* NUSE */
    reply[24] = 1u << 4;                        /* NSFEAT: NPWG and the others are valid */
    reply[33] = 1;                              /* DLFEAT: deallocated blocks read as zeroes */
    for (unsigned at = 64; at <= 70; at += 2) { /* NPWG, NPWA, NPDG, NPDA */
        store_le16(reply + at, granularity);
    }
    reply[99] = nvme->info.read_only;        /* NSATTR */
    reply[130] = (uint8_t)nvme->block_shift; /* LBAF0.LBADS */
}

static void descriptors_build(const struct nvme *nvme, uint8_t *reply)
{
    reply[0] = NIDT_UUID;
    reply[1] = UUID_LENGTH;
    uuid_make(nvme, reply + 4);
}

unsigned nvme_identify(struct nvme *nvme, unsigned index)
{
    const struct nvme_command *command = &nvme->commands[index];
    uint8_t reply[NVME_REPLY_SIZE] = { 0 };
    uint32_t nsid = sqe_nsid(command);
    uint8_t cns = (uint8_t)sqe_dword(command, 10);

    switch (cns) {
    case CNS_NAMESPACE:
    case CNS_DESCRIPTORS:
        if (nsid != NVME_NSID) {
            return STATUS_INVALID_NAMESPACE;
        }
        if (cns == CNS_NAMESPACE) {
            namespace_build(nvme, reply);
        } else {
            descriptors_build(nvme, reply);
        }
        break;
    case CNS_CONTROLLER:
        controller_build(nvme, reply);
        break;
    case CNS_ACTIVE_NAMESPACES: /* those above the given one */
        if (nsid >= (uint32_t)NVME_NSID_ALL - 1) {
            return STATUS_INVALID_NAMESPACE;
        }
        store_le32(reply, nsid < NVME_NSID ? NVME_NSID : 0);
        break;
    default:
        return STATUS_INVALID_FIELD;
    }
    return nvme_reply(nvme, index, reply, sizeof(reply));
}
