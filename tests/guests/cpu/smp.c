/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All processors start with INIT and SIPI, run at the same time, share memory with locked
 * instructions, and interrupt each other. How many there are comes from fw_cfg.
 */
#include "runtime/apic.h"
#include "runtime/cpu.h"
#include "runtime/fwcfg.h"
#include "runtime/layout.h"

#define VECTOR     0x50
#define INCREMENTS 200000u

static unsigned cpus;
static volatile uint64_t locked_sum;
static volatile uint32_t apic_ids[LAYOUT_MAX_CPUS], start_counts[LAYOUT_MAX_CPUS];
static volatile uint32_t ipi_counts[LAYOUT_MAX_CPUS], nmi_counts[LAYOUT_MAX_CPUS];
static volatile bool ready[LAYOUT_MAX_CPUS];

static void count_ipi(struct interrupt_frame *frame)
{
    ipi_counts[cpu_number()]++;
    apic_end(frame);
}

static void count_nmi(struct interrupt_frame *frame)
{
    (void)frame;
    nmi_counts[cpu_number()]++;
}

static void increment(unsigned number)
{
    apic_enable();
    apic_ids[number] = apic_id();
    start_counts[number]++;
    for (unsigned i = 0; i < INCREMENTS; i++)
        __asm__ volatile("lock incq %0" : "+m"(locked_sum));
}

static void all_start(void)
{
    locked_sum = 0;
    CHECK_EQ(cpu_start_others(cpus - 1, increment), cpus - 1);
    increment(0);
    CHECK_EQ(locked_sum, (uint64_t)cpus * INCREMENTS);
    WAIT_FOR(false, SHORT_MS);
    CHECK_EQ(locked_sum, (uint64_t)cpus * INCREMENTS); /* no more than fw_cfg said came */
}

static void apic_ids_differ(void)
{
    for (unsigned i = 0; i < cpus; i++) {
        for (unsigned j = 0; j < i; j++)
            CHECK(apic_ids[i] != apic_ids[j]);
    }
}

static void interrupt_each(void)
{
    for (unsigned i = 1; i < cpus; i++) {
        uint32_t before = ipi_counts[i];
        apic_command(apic_ids[i], VECTOR | APIC_FIXED);
        CHECK(WAIT_FOR(ipi_counts[i] == before + 1, LONG_MS));
        for (unsigned j = 0; j < i; j++)
            CHECK_EQ(ipi_counts[j], j ? before + 1 : 0);
    }
}

static bool all_reached(volatile uint32_t *counts, unsigned first, uint32_t count)
{
    for (unsigned i = first; i < cpus; i++) {
        if (counts[i] != count)
            return false;
    }
    return true;
}

static void interrupt_all_but_self(void)
{
    uint32_t expected = cpus > 1 ? ipi_counts[1] + 1 : 0;

    apic_command(0, VECTOR | APIC_FIXED | APIC_ALL_BUT_SELF);
    CHECK(WAIT_FOR(all_reached(ipi_counts, 1, expected), LONG_MS));
    CHECK_EQ(ipi_counts[0], 0);
}

static void interrupt_all(void)
{
    uint32_t expected = cpus > 1 ? ipi_counts[1] + 1 : 1;

    ipi_counts[0] = expected - 1;
    apic_command(0, VECTOR | APIC_FIXED | APIC_ALL);
    CHECK(WAIT_FOR(all_reached(ipi_counts, 0, expected), LONG_MS));
}

static void nmi_to_each(void)
{
    for (unsigned i = 1; i < cpus; i++) {
        apic_command(apic_ids[i], APIC_NMI);
        CHECK(WAIT_FOR(nmi_counts[i] == 1, LONG_MS));
    }
    CHECK_EQ(nmi_counts[0], 0);
}

/* Every processor adds its turn in order, so that each must see what the one before wrote. */
static volatile unsigned turn;

static void take_turns(unsigned number)
{
    apic_enable();
    ready[number] = true;
    for (unsigned round = 0; round < 10; round++) {
        while (turn != round * cpus + number)
            __asm__ volatile("pause");
        turn++;
    }
}

static void start_again_and_take_turns(void)
{
    turn = 1; /* the turn of number 0 in the first round is this line */
    for (unsigned i = 0; i < cpus; i++)
        ready[i] = false;
    cpu_start_others(0, take_turns);
    for (unsigned round = 1; round <= 10; round++) {
        CHECK(POLL_FOR(turn == round * cpus, LONG_MS));
        if (round < 10)
            turn++;
    }
    for (unsigned i = 1; i < cpus; i++)
        CHECK(ready[i]);
}

void guest_main(void)
{
    cpus = (unsigned)fwcfg_number(FWCFG_NB_CPUS, 2);
    if (!cpus || cpus > LAYOUT_MAX_CPUS) {
        test_fail("fw_cfg tells of %u processors; this guest starts 1 to %d", cpus,
                  LAYOUT_MAX_CPUS);
        return;
    }
    interrupt_handle(VECTOR, count_ipi);
    interrupt_handle(2, count_nmi);
    print("%u processors\n", cpus);
    RUN(all_start);
    RUN(apic_ids_differ);
    RUN(interrupt_each);
    RUN(interrupt_all_but_self);
    RUN(interrupt_all);
    RUN(nmi_to_each);
    RUN(start_again_and_take_turns);
}
