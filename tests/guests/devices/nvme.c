/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The NVMe disk with real doorbells and interrupts, by the registers and then by shadow doorbells
 * (NVMe 1.3 section 5.7): with these the guest rings only when the controller asks for it, so a
 * command that nobody sees shows that the two have missed each other.
 */
#include "runtime/apic.h"
#include "runtime/board.h"
#include "runtime/cpu.h"
#include "io.h"
#include "runtime/layout.h"

#define DISK             PCI_FUNCTION(0, 0x11, 0)
#define BAR              0xE0000000u
#define MSIX_BAR         0xE0010000u
#define CAP_MSIX         0x11
#define VECTOR           0x70

#define CC               (BAR + 0x14)
#define CSTS             (BAR + 0x1C)
#define AQA              (BAR + 0x24)
#define ASQ              (BAR + 0x28)
#define ACQ              (BAR + 0x30)
#define DOORBELLS        (BAR + 0x1000)
#define CC_ENABLE        0x00460001u

#define CREATE_SQ        0x01
#define CREATE_CQ        0x05
#define IDENTIFY         0x06
#define DOORBELL_BUFFERS 0x7C
#define OACS_SHADOW      (1u << 8)
#define WRITE            0x01
#define READ             0x02

#define PAGE             4096u
#define ENTRIES          32u
#define AT_ONCE          (ENTRIES - 1)
#define SECTORS_EACH     (PAGE / 512)

struct sqe {
    uint32_t dw0, nsid;
    uint64_t reserved, metadata, prp1, prp2;
    uint32_t dw10, dw11, dw12, dw13, dw14, dw15;
};

struct cqe {
    uint32_t dw0, dw1;
    uint16_t sq_head, sqid, cid, status;
};

struct queue {
    unsigned number;
    volatile struct sqe *sq;
    volatile struct cqe *cq;
    unsigned tail, head;
    uint16_t phase;
};

static struct queue admin = { 0 }, io = { .number = 1 };
static volatile uint32_t *shadow, *eventidx;
static bool has_shadow, waits; /* ... for the interrupt before it looks for an answer */
static uint32_t interrupts;    /* when a doorbell was rung last */
static unsigned rings[2];      /* of submission and completion queues for I/O */
static uint8_t *data;

static uint8_t *page(unsigned i)
{
    return data + PAGE * i;
}

static void fill(uint8_t *bytes, uint32_t seed)
{
    for (unsigned i = 0; i < PAGE; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

/* --- Queues ----------------------------------------------------------------------------------- */

static void doorbell(unsigned number, uint32_t value)
{
    if (has_shadow && number >= 2) {
        uint16_t old = (uint16_t)shadow[number];

        shadow[number] = value;
        __asm__ volatile("mfence" : : : "memory");
        if ((uint16_t)(value - eventidx[number] - 1) >= (uint16_t)(value - old))
            return;
    }
    if (number >= 2)
        rings[number % 2]++;
    write32(DOORBELLS + 4 * number, value);
}

static void queue_reset(struct queue *queue)
{
    queue->sq = buffer_alloc(sizeof(struct sqe) * ENTRIES, PAGE);
    queue->cq = buffer_alloc(sizeof(struct cqe) * ENTRIES, PAGE);
    queue->tail = queue->head = 0;
    queue->phase = 1;
}

static void add(struct queue *queue, uint8_t opcode, uint16_t cid, const struct sqe *more)
{
    volatile struct sqe *entry = &queue->sq[queue->tail];

    *entry = *more;
    entry->dw0 = opcode | (uint32_t)cid << 16;
    queue->tail = (queue->tail + 1) % ENTRIES;
}

static void ring(const struct queue *queue)
{
    interrupts = interrupt_count[VECTOR];
    doorbell(2 * queue->number, queue->tail);
}

/* The status of the next command that has ended, and its identifier; false: none has. */
static bool take(struct queue *queue, uint16_t *cid, uint16_t *status)
{
    volatile struct cqe *entry = &queue->cq[queue->head];
    uint16_t value = entry->status;

    if ((value & 1) != queue->phase)
        return false;
    barrier();
    *cid = entry->cid;
    *status = value >> 1;
    queue->head = (queue->head + 1) % ENTRIES;
    queue->phase ^= queue->head == 0;
    doorbell(2 * queue->number + 1, queue->head);
    return true;
}

/* Waits for one command; true if it was good. */
static bool answered(struct queue *queue, uint16_t *cid)
{
    uint16_t status = 0xFFFF;

    if (waits && !WAIT_FOR(interrupt_count[VECTOR] != interrupts, LONG_MS))
        return false;
    return POLL_FOR(take(queue, cid, &status), LONG_MS) && status == 0;
}

static bool command(struct queue *queue, uint8_t opcode, const struct sqe *more)
{
    uint16_t cid;

    add(queue, opcode, 7, more);
    ring(queue);
    return answered(queue, &cid) && cid == 7;
}

/* --- Life ------------------------------------------------------------------------------------- */

static void disk_is_found(void)
{
    uint8_t *identity = buffer_alloc(PAGE, PAGE);
    const struct sqe identify = { .prp1 = (uint64_t)identity, .dw10 = 1 };
    unsigned capability = pci_capability(DISK, CAP_MSIX);

    data = (uint8_t *)LAYOUT_FREE;
    CHECK_EQ(pci_read(DISK, 8, 4) >> 8, 0x010802);
    pci_write(DISK, 0x10, 4, BAR);
    pci_write(DISK, 0x14, 4, 0);
    pci_write(DISK, 0x20, 4, MSIX_BAR);
    pci_write(DISK, 4, 2, 6); /* memory, bus master */
    apic_enable();
    interrupt_handle(VECTOR, apic_end);
    for (unsigned vector = 0; vector < 2; vector++) {
        write32(MSIX_BAR + 16 * vector, APIC_BASE | apic_id() << 12);
        write32(MSIX_BAR + 16 * vector + 4, 0);
        write32(MSIX_BAR + 16 * vector + 8, VECTOR);
        write32(MSIX_BAR + 16 * vector + 12, 0);
    }
    pci_write(DISK, capability + 2, 2, 0x8000);
    queue_reset(&admin);
    write32(AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    write32(ASQ, (uint32_t)(uint64_t)admin.sq);
    write32(ASQ + 4, 0);
    write32(ACQ, (uint32_t)(uint64_t)admin.cq);
    write32(ACQ + 4, 0);
    write32(CC, CC_ENABLE);
    CHECK(POLL_FOR(read32(CSTS) == 1, LONG_MS));
    CHECK(command(&admin, IDENTIFY, &identify));
    CHECK(*(uint16_t *)(identity + 256) & OACS_SHADOW);
}

static void queues_are_made(void)
{
    struct sqe queue = { .dw10 = (ENTRIES - 1) << 16 | 1 };

    queue_reset(&io);
    queue.prp1 = (uint64_t)io.cq;
    queue.dw11 = 1 << 16 | 3; /* its interrupt vector */
    CHECK(command(&admin, CREATE_CQ, &queue));
    queue.prp1 = (uint64_t)io.sq;
    queue.dw11 = 1 << 16 | 1;
    CHECK(command(&admin, CREATE_SQ, &queue));
}

/* --- Work ------------------------------------------------------------------------------------- */

static void transfer_add(uint8_t opcode, unsigned slot, unsigned at)
{
    const struct sqe transfer = { .nsid = 1,
                                  .prp1 = (uint64_t)page(at),
                                  .dw10 = SECTORS_EACH * (slot + 1),
                                  .dw12 = SECTORS_EACH - 1 };

    add(&io, opcode, (uint16_t)slot, &transfer);
}

static bool all_answered(unsigned n)
{
    uint32_t seen = 0;
    uint16_t cid;

    for (unsigned i = 0; i < n; i++) {
        if (!answered(&io, &cid) || cid >= n || (seen >> cid & 1))
            return false;
        seen |= 1u << cid;
    }
    return true;
}

static void one_after_the_other(void)
{
    for (unsigned round = 0; round < 4 * ENTRIES; round++) {
        fill(page(0), round);
        transfer_add(WRITE, 0, 0);
        ring(&io);
        CHECK(all_answered(1));
        transfer_add(READ, 0, 1);
        ring(&io);
        CHECK(all_answered(1));
        CHECK(!memcmp(page(0), page(1), PAGE));
    }
}

static void many_at_once(void)
{
    for (unsigned round = 0; round < 8; round++) {
        for (unsigned slot = 0; slot < AT_ONCE; slot++) {
            fill(page(slot), round * 100 + slot);
            transfer_add(WRITE, slot, slot);
        }
        ring(&io);
        CHECK(all_answered(AT_ONCE));
        for (unsigned slot = 0; slot < AT_ONCE; slot++) {
            transfer_add(READ, slot, ENTRIES + slot);
            ring(&io); /* each by itself, while others are under way */
        }
        CHECK(all_answered(AT_ONCE));
        CHECK(!memcmp(page(0), page(ENTRIES), PAGE * AT_ONCE));
    }
}

static void shadow_doorbells_are_given(void)
{
    struct sqe buffers = { 0 };

    shadow = buffer_alloc(PAGE, PAGE);
    eventidx = buffer_alloc(PAGE, PAGE);
    buffers.prp1 = (uint64_t)shadow;
    buffers.prp2 = (uint64_t)eventidx;
    CHECK(command(&admin, DOORBELL_BUFFERS, &buffers));
    has_shadow = true;
    rings[0] = rings[1] = 0;
}

static void few_doorbells_were_rung(void)
{
    print("%u and %u rings\n", rings[0], rings[1]);
    CHECK_EQ(read32(CSTS), 1);
    CHECK(rings[1] <= rings[0] / 4);
}

static void message_for_each_command(void)
{
    uint32_t before;

    WAIT_FOR(false, SHORT_MS); /* those of what was done before */
    before = interrupt_count[VECTOR];
    waits = true;
    one_after_the_other();
    WAIT_FOR(false, SHORT_MS);
    CHECK_EQ(interrupt_count[VECTOR] - before, 8 * ENTRIES);
}

void guest_main(void)
{
    RUN(disk_is_found);
    RUN(queues_are_made);
    RUN(one_after_the_other);
    RUN(many_at_once);
    RUN(shadow_doorbells_are_given);
    RUN(one_after_the_other);
    RUN(many_at_once);
    RUN(message_for_each_command);
    RUN(few_doorbells_were_rung);
}
