/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The NVMe disk with real doorbells and interrupts, by the registers and then by shadow doorbells
 * (NVMe 1.3 section 5.7): with these the guest rings only when the controller asks for it, so a
 * command that nobody sees shows that the two have missed each other.
 */
#include "runtime/apic.h"
#include "runtime/cpu.h"
#include "runtime/layout.h"
#include "runtime/nvme.h"
#include "pci.h"

#define DISK         PCI_FUNCTION(0, 0x11, 0)
#define VECTOR       0x70
#define PAGE         NVME_PAGE
#define SECTORS_EACH (PAGE / 512)
#define TIMES        (2 * NVME_ENTRIES)

static struct nvme nvme;
static bool waits;          /* ... for the interrupt before it looks for an answer */
static uint32_t interrupts; /* when a doorbell was rung last */
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

/* --- Life ------------------------------------------------------------------------------------- */

static void disk_is_found(void)
{
    data = (uint8_t *)LAYOUT_FREE;
    CHECK(nvme_open(&nvme, DISK));
    apic_enable();
    interrupt_handle(VECTOR, apic_end);
    nvme_msix_enable(&nvme, VECTOR);
    CHECK(nvme_start(&nvme));
    CHECK(nvme_can_shadow(&nvme));
}

static void queues_are_made(void)
{
    CHECK(nvme_queues_make(&nvme, true));
}

/* --- Work ------------------------------------------------------------------------------------- */

static void transfer_add(bool write, unsigned slot, unsigned at)
{
    nvme_transfer_add(&nvme, (uint16_t)slot, write, SECTORS_EACH * (slot + 1), (uint64_t)page(at),
                      PAGE);
}

static void ring(void)
{
    interrupts = interrupt_count[VECTOR];
    nvme_ring(&nvme, &nvme.io);
}

/* Waits for one command; true if it was good. */
static bool answered(uint16_t *cid)
{
    uint16_t status = 0xFFFF;

    if (waits && !WAIT_FOR(interrupt_count[VECTOR] != interrupts, LONG_MS))
        return false;
    return POLL_FOR(nvme_take(&nvme, &nvme.io, cid, &status), LONG_MS) && status == 0;
}

static bool all_answered(unsigned n)
{
    uint64_t seen = 0;
    uint16_t cid;

    for (unsigned i = 0; i < n; i++) {
        if (!answered(&cid) || cid >= n || (seen >> cid & 1))
            return false;
        seen |= 1ull << cid;
    }
    return true;
}

static void one_after_the_other(void)
{
    for (unsigned round = 0; round < TIMES; round++) {
        fill(page(0), round);
        transfer_add(true, 0, 0);
        ring();
        CHECK(all_answered(1));
        transfer_add(false, 0, 1);
        ring();
        CHECK(all_answered(1));
        CHECK(!memcmp(page(0), page(1), PAGE));
    }
}

static void many_at_once(void)
{
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned slot = 0; slot < NVME_AT_ONCE; slot++) {
            fill(page(slot), round * 100 + slot);
            transfer_add(true, slot, slot);
        }
        ring();
        CHECK(all_answered(NVME_AT_ONCE));
        for (unsigned slot = 0; slot < NVME_AT_ONCE; slot++) {
            transfer_add(false, slot, NVME_ENTRIES + slot);
            ring(); /* each by itself, while others are under way */
        }
        CHECK(all_answered(NVME_AT_ONCE));
        CHECK(!memcmp(page(0), page(NVME_ENTRIES), PAGE * NVME_AT_ONCE));
    }
}

static void shadow_doorbells_are_given(void)
{
    CHECK(nvme_shadow_give(&nvme));
}

static void few_doorbells_were_rung(void)
{
    print("%u and %u rings\n", nvme.rings[0], nvme.rings[1]);
    CHECK_EQ(nvme_status(&nvme), 1);
    CHECK(nvme.rings[1] <= nvme.rings[0] / 4);
}

static void message_for_each_command(void)
{
    uint32_t before;

    WAIT_FOR(false, SHORT_MS); /* those of what was done before */
    before = interrupt_count[VECTOR];
    waits = true;
    one_after_the_other();
    WAIT_FOR(false, SHORT_MS);
    CHECK_EQ(interrupt_count[VECTOR] - before, 2 * TIMES);
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
