/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nvme_driver.h"

#include "bytes.h"
#include "test.h"

struct fake *fake;
struct device *nvme;
uint8_t *medium;
struct nvme_queue queues[NVME_PAIRS + 1];
bool shadow;
unsigned sq_rings, cq_rings;
static uint16_t next_cid;

const struct block_info host_disk = {
    .present = true,
    .size = NVME_MEDIUM,
    .logical_block_size = 512,
    .physical_block_size = 4096,
    .discard = true,
    .serial = "OR0123456789abcdef",
};

void host_open(const struct block_info *info)
{
    fake = fake_new(NVME_RAM);
    nvme = fake_add(fake, "nvme", NULL);
    medium = calloc(1, NVME_MEDIUM);
    for (unsigned i = 0; i < NVME_MEDIUM; i += 4) {
        store_le32(medium + i, i * 2654435761u);
    }
    fake_drive(nvme, 0, info, medium);
    device_reset(nvme, RESET_COLD);
    fake_map_bar(nvme, 0, NVME_REGISTERS);
    fake_map_bar(nvme, 4, NVME_MSIX);
    memset(queues, 0, sizeof(queues));
    shadow = false;
    sq_rings = cq_rings = 0;
    next_cid = 0x100;
}

void host_setup(void)
{
    host_open(&host_disk);
    host_msix();
    host_enable();
    host_pair_create(1);
}

void host_finish_bad(void)
{
    fake_free(fake);
    free(medium);
}

void host_finish(void)
{
    CHECK_STR(fake_last_guest_error(nvme), "");
    host_finish_bad();
}

uint32_t host_read(unsigned offset)
{
    return (uint32_t)fake_read(fake, NVME_REGISTERS + offset, 4);
}

void host_write(unsigned offset, uint32_t value)
{
    fake_write(fake, NVME_REGISTERS + offset, 4, value);
}

void host_msix(void)
{
    unsigned at = (unsigned)fake_config_read(nvme, 0x34, 1);

    for (unsigned vector = 0; vector <= NVME_PAIRS; vector++) {
        fake_write(fake, NVME_MSIX + vector * 16, 8, NVME_MSI_ADDRESS);
        fake_write(fake, NVME_MSIX + vector * 16 + 8, 4, NVME_MSI_DATA + vector);
        fake_write(fake, NVME_MSIX + vector * 16 + 12, 4, 0);
    }
    while (fake_config_read(nvme, at, 1) != 0x11) {
        at = (unsigned)fake_config_read(nvme, at + 1, 1);
    }
    fake_config_write(nvme, at + 2, 2, 0x8000);
}

void host_enable(void)
{
    memset(fake_ram(fake) + NVME_ADMIN_CQ, 0, 4096);
    queues[0] = (struct nvme_queue){ NVME_ADMIN_SQ, NVME_ADMIN_CQ, NVME_ENTRIES, 0, 0, 1 };
    host_write(AQA, (NVME_ENTRIES - 1) << 16 | (NVME_ENTRIES - 1));
    host_write(ASQ, NVME_ADMIN_SQ);
    host_write(ASQ + 4, 0);
    host_write(ACQ, NVME_ADMIN_CQ);
    host_write(ACQ + 4, 0);
    host_write(CC, CC_ENABLE);
    fake_run(fake);
    CHECK_EQ(host_read(CSTS), 1);
}

void host_pair_create(unsigned q)
{
    struct nvme_entry cq = { .opcode = 0x05, .prp1 = NVME_IO_CQ + 0x10000 * q };
    struct nvme_entry sq = { .opcode = 0x01, .prp1 = NVME_IO_SQ + 0x10000 * q };

    memset(fake_ram(fake) + cq.prp1, 0, 0x4000);
    cq.dw10 = sq.dw10 = (NVME_ENTRIES - 1) << 16 | q;
    cq.dw11 = q << 16 | 3;
    sq.dw11 = q << 16 | 1;
    CHECK_EQ(host_command(0, &cq, NULL), 0);
    CHECK_EQ(host_command(0, &sq, NULL), 0);
    queues[q] = (struct nvme_queue){ sq.prp1, cq.prp1, NVME_ENTRIES, 0, 0, 1 };
}

uint16_t host_add(unsigned q, const struct nvme_entry *entry)
{
    struct nvme_queue *queue = &queues[q];
    uint8_t *sqe = fake_ram(fake) + queue->sq + queue->tail * 64;

    memset(sqe, 0, 64);
    sqe[0] = entry->opcode;
    sqe[1] = entry->flags;
    store_le16(sqe + 2, next_cid);
    store_le32(sqe + 4, entry->nsid);
    store_le64(sqe + 24, entry->prp1);
    store_le64(sqe + 32, entry->prp2);
    store_le32(sqe + 40, entry->dw10);
    store_le32(sqe + 44, entry->dw11);
    store_le32(sqe + 48, entry->dw12);
    store_le32(sqe + 52, entry->dw13);
    queue->tail = (queue->tail + 1) % queue->entries;
    return next_cid++;
}

/* Stores the value; true if the controller wants to hear of it. */
static bool shadow_store(unsigned number, unsigned value)
{
    uint8_t *at = fake_ram(fake) + NVME_SHADOW + number * 4;
    uint16_t old = load_le16(at), event = load_le16(fake_ram(fake) + NVME_EVENTIDX + number * 4);

    store_le32(at, value);
    return (uint16_t)(value - event - 1) < (uint16_t)(value - old);
}

/* A doorbell that costs no exit loses its value. */
static void doorbell_write(unsigned number, unsigned value)
{
    bool submission = number % 2 == 0;

    if (shadow && number >= 2 && !shadow_store(number, value)) {
        return;
    }
    if (number >= 2) {
        sq_rings += submission;
        cq_rings += !submission;
    }
    if (number >= 2 && submission && fake_doorbell_enabled(nvme, number / 2 - 1)) {
        nvme->class->on_doorbell(nvme, number / 2 - 1);
    } else {
        host_write(DOORBELL + number * 4, value);
    }
}

void host_ring(unsigned q)
{
    doorbell_write(q * 2, queues[q].tail);
}

void host_shadow(void)
{
    struct nvme_entry entry = { .opcode = 0x7c, .prp1 = NVME_SHADOW, .prp2 = NVME_EVENTIDX };

    CHECK_EQ(host_command(0, &entry, NULL), 0);
    shadow = true;
}

bool host_take(unsigned q, struct nvme_completion *completion)
{
    struct nvme_queue *queue = &queues[q];
    const uint8_t *cqe = fake_ram(fake) + queue->cq + queue->head * 16;
    uint16_t status = load_le16(cqe + 14);

    if ((status & 1u) != queue->phase) {
        return false;
    }
    *completion = (struct nvme_completion){
        .dw0 = load_le32(cqe),
        .sq_head = load_le16(cqe + 8),
        .sqid = load_le16(cqe + 10),
        .cid = load_le16(cqe + 12),
        .status = (uint16_t)(status >> 1 & 0x7ff),
        .dnr = status >> 15,
    };
    if (++queue->head == queue->entries) {
        queue->head = 0;
        queue->phase ^= 1;
    }
    doorbell_write(q * 2 + 1, queue->head);
    return true;
}

uint16_t host_command(unsigned q, const struct nvme_entry *entry, uint32_t *dw0)
{
    struct nvme_completion completion;
    uint16_t cid = host_add(q, entry);

    host_ring(q);
    fake_run(fake);
    if (!host_take(q, &completion)) {
        return PENDING;
    }
    CHECK_EQ(completion.cid, cid);
    CHECK_EQ(completion.sqid, q);
    CHECK_EQ(completion.sq_head, queues[q].tail);
    CHECK_EQ(completion.dnr, completion.status != 0);
    if (dw0) {
        *dw0 = completion.dw0;
    }
    return completion.status;
}

uint16_t host_admin(uint8_t opcode, uint32_t dw10, uint32_t dw11, uint32_t *dw0)
{
    struct nvme_entry entry = { .opcode = opcode, .prp1 = NVME_DATA, .dw10 = dw10, .dw11 = dw11 };

    return host_command(0, &entry, dw0);
}

struct nvme_entry host_io_entry(uint8_t opcode, uint64_t slba, uint32_t blocks, uint64_t prp1,
                                uint64_t prp2)
{
    return (struct nvme_entry){ .opcode = opcode,
                                .nsid = 1,
                                .prp1 = prp1,
                                .prp2 = prp2,
                                .dw10 = (uint32_t)slba,
                                .dw11 = (uint32_t)(slba >> 32),
                                .dw12 = blocks - 1 };
}

uint16_t host_io(uint8_t opcode, uint64_t slba, uint32_t blocks, uint64_t prp1, uint64_t prp2)
{
    struct nvme_entry entry = host_io_entry(opcode, slba, blocks, prp1, prp2);

    return host_command(1, &entry, NULL);
}
