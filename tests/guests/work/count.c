/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Works without a pause on all that a saved and resumed machine must find as it left it: interrupts
 * of four kinds that must come, once each; clocks that must neither stop nor run back; memory, SSE
 * registers and a disk that must hold what was put there. Says on the first serial port how far it
 * is, "step N", and ends when it is told "q" there.
 */
#include "runtime/ahci.h"
#include "runtime/apic.h"
#include "runtime/board.h"
#include "runtime/cpu.h"
#include "io.h"
#include "runtime/layout.h"

#define HPET           0xFED00000u
#define HPET_CONFIG    (HPET + 0x10)
#define HPET_COUNTER   (HPET + 0xF0)
#define HPET_TIMER     (HPET + 0x100)
#define HPET_COMPARE   (HPET + 0x108)
#define HPET_INTERRUPT 0x04u
#define HPET_LINE      20
#define AHCI_GSI       16 /* PIRQA */

#define VECTOR_HPET    0x60
#define VECTOR_TIMER   0x61
#define VECTOR_DISK    0x62
#define VECTOR_PIT     0x63

#define SERIAL         0x3F8
#define SERIAL_LSR     (SERIAL + 5)

#define FIRST_SECTOR   8
#define SECTORS        1000
#define WORDS          (512 / sizeof(uint32_t))
#define MEMORY_WORDS   (4u << 20 >> 2)
#define REPORT_EVERY   16

static struct ahci_port disk;
static uint32_t *sector, *memory;
static uint64_t tsc_before, hpet_before;

static uint32_t word_of(uint32_t step, uint32_t i)
{
    return (step + 1) * 2654435761u + i * 40503u;
}

/* --- Serial port ----------------------------------------------------------------------------- */

static void serial_put(char c)
{
    while (!(inb(SERIAL_LSR) & 0x20)) {
    }
    outb(SERIAL, (uint8_t)c);
}

static void report(uint32_t step)
{
    char digits[10];
    unsigned n = 0;

    for (const char *p = "step "; *p; p++) {
        serial_put(*p);
    }
    do {
        digits[n++] = (char)('0' + step % 10);
        step /= 10;
    } while (step > 0);
    while (n > 0) {
        serial_put(digits[--n]);
    }
    serial_put('\n');
}

static bool told_to_end(void)
{
    return (inb(SERIAL_LSR) & 1) && inb(SERIAL) == 'q';
}

/* --- One step --------------------------------------------------------------------------------- */

static void disk_interrupt(struct interrupt_frame *frame)
{
    ahci_clear(&disk);
    apic_end(frame);
}

/* A comparator that is met in a millisecond, edge-triggered through the I/O APIC. */
static void hpet_once(void)
{
    uint32_t before = interrupt_count[VECTOR_HPET];

    write64(HPET_COMPARE, read64(HPET_COUNTER) + 100000);
    CHECK(WAIT_FOR(interrupt_count[VECTOR_HPET] != before, LONG_MS));
    CHECK_EQ(interrupt_count[VECTOR_HPET], before + 1);
}

static void apic_once(void)
{
    uint32_t before = interrupt_count[VECTOR_TIMER];

    apic_write(APIC_TIMER_INITIAL, 20000);
    CHECK(WAIT_FOR(interrupt_count[VECTOR_TIMER] != before, LONG_MS));
    CHECK_EQ(interrupt_count[VECTOR_TIMER], before + 1);
}

/* It ticks all the time; here it must have ticked since. */
static void pit_ticks(void)
{
    uint32_t before = interrupt_count[VECTOR_PIT];

    CHECK(WAIT_FOR(interrupt_count[VECTOR_PIT] != before, LONG_MS));
}

/* A level-triggered interrupt for each transfer: this step's sector out, the one before it in. */
static void disk_moves(bool write, uint32_t step)
{
    uint32_t before = interrupt_count[VECTOR_DISK];
    const struct ahci_prd prd = { (uint64_t)sector, 512 };
    const struct ahci_command command = {
        .command = write ? 0x35 : 0x25, /* WRITE, READ DMA EXT */
        .write = write,
        .address = FIRST_SECTOR + step % SECTORS,
        .sectors = 1,
        .prds = &prd,
        .prd_count = 1,
    };

    ahci_start(&disk, &command);
    CHECK(WAIT_FOR(interrupt_count[VECTOR_DISK] != before, LONG_MS));
    CHECK(ahci_wait(&disk));
}

static void disk_step(uint32_t step)
{
    for (uint32_t i = 0; i < WORDS; i++) {
        sector[i] = word_of(step, i);
    }
    disk_moves(true, step);
    if (step > 1) {
        disk_moves(false, step - 1);
        for (uint32_t i = 0; i < WORDS; i++) {
            CHECK_EQ(sector[i], word_of(step - 1, i));
        }
    }
}

/* A part of the memory in each step: what was put there long ago, and anew. */
static void memory_step(uint32_t step)
{
    uint32_t part = MEMORY_WORDS / 64, first = step % 64 * part;

    for (uint32_t i = first; i < first + part; i++) {
        CHECK_EQ(memory[i], word_of(step < 64 ? 0 : step - 64, i));
        memory[i] = word_of(step, i);
    }
}

static void clocks_step(void)
{
    uint64_t tsc = rdtsc(), hpet = read64(HPET_COUNTER);

    CHECK(tsc > tsc_before);
    CHECK(hpet > hpet_before);
    tsc_before = tsc;
    hpet_before = hpet;
}

static const uint64_t sse_wanted[2] = { 0x0123456789ABCDEF, 0xFEDCBA9876543210 };

static void sse_put(void)
{
    __asm__ volatile("movdqu %0, %%xmm7" : : "m"(sse_wanted));
}

static void sse_step(void)
{
    uint64_t found[2];

    __asm__ volatile("movdqu %%xmm7, %0" : "=m"(found));
    CHECK_EQ(found[0], sse_wanted[0]);
    CHECK_EQ(found[1], sse_wanted[1]);
}

/* --- The whole -------------------------------------------------------------------------------- */

static void setup(void)
{
    CHECK(ahci_open(&disk, 0));
    apic_enable();
    interrupt_handle(VECTOR_HPET, apic_end);
    interrupt_handle(VECTOR_TIMER, apic_end);
    interrupt_handle(VECTOR_DISK, disk_interrupt);
    interrupt_handle(VECTOR_PIT, apic_end);
    ioapic_route(HPET_LINE, VECTOR_HPET, apic_id());
    ioapic_route(AHCI_GSI, VECTOR_DISK | IOAPIC_LEVEL, apic_id());
    ioapic_route(2, VECTOR_PIT, apic_id());
    ahci_interrupts(&disk, true);
    apic_write(APIC_TIMER_DIVIDE, 0x3); /* by 16 */
    apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
    write64(HPET_CONFIG, 1);
    write64(HPET_TIMER, HPET_LINE << 9 | HPET_INTERRUPT);
    pit_start(11932); /* 100 a second */
    sector = buffer_alloc(512, 4096);
    memory = (uint32_t *)LAYOUT_FREE;
    for (uint32_t i = 0; i < MEMORY_WORDS; i++) {
        memory[i] = word_of(0, i);
    }
    sse_put();
}

static void nothing_is_lost(void)
{
    setup();
    for (uint32_t step = 1; !test_failed() && !told_to_end(); step++) {
        hpet_once();
        apic_once();
        pit_ticks();
        disk_step(step);
        memory_step(step);
        clocks_step();
        sse_step();
        if (step % REPORT_EVERY == 0) {
            report(step);
        }
    }
}

void guest_main(void)
{
    RUN(nothing_is_lost);
}
