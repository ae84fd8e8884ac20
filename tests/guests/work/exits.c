/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What one exit to the engine costs: cycles of the time stamp counter for a write to a port, a read
 * of a port, and a read of a memory-mapped register. It says so in lines "cycles NAME N";
 * tests/bench/ compares them with QEMU's.
 */
#include "runtime/ahci.h"
#include "runtime/board.h"
#include "io.h"

#define ROUNDS     2000
#define DEBUG_PORT 0x402
#define PM_TIMER   0x608

static struct ahci_port disk;

static uint64_t cycles(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

static void port_read(void)
{
    uint64_t start = cycles();

    for (unsigned i = 0; i < ROUNDS; i++) {
        inb(DEBUG_PORT);
    }
    print("cycles port-read %lu\n", (cycles() - start) / ROUNDS);
}

static void timer_read(void)
{
    uint64_t start = cycles();

    for (unsigned i = 0; i < ROUNDS; i++) {
        inl(PM_TIMER);
    }
    print("cycles pm-timer-read %lu\n", (cycles() - start) / ROUNDS);
}

static void register_read(void)
{
    CHECK(ahci_open(&disk, 0));
    uint64_t start = cycles();

    for (unsigned i = 0; i < ROUNDS; i++) {
        ahci_read(&disk, AHCI_TFD);
    }
    print("cycles register-read %lu\n", (cycles() - start) / ROUNDS);
}

static void register_write(void)
{
    uint64_t start = cycles();

    for (unsigned i = 0; i < ROUNDS; i++) {
        ahci_write(&disk, AHCI_SERR, 0);
    }
    print("cycles register-write %lu\n", (cycles() - start) / ROUNDS);
}

void guest_main(void)
{
    RUN(port_read);
    RUN(timer_read);
    RUN(register_read);
    RUN(register_write);
}
