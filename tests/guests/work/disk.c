/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How fast the disk is, for tests/bench/: random transfers of 4 KiB, one or 32 at once, and
 * transfers of 1 MiB one after the other, four at once. The guest asks for nothing but what a
 * driver needs; it either looks for answers all the time or halts until the interrupt.
 *
 * The first sector of the disk names the measurement to make; without a name it is all of them that
 * its controller can, each short. Says "us NAME N": microseconds for each transfer, times 100.
 */
#include "runtime/apic.h"
#include "runtime/cpu.h"
#include "runtime/disk.h"
#include "runtime/layout.h"

#define VECTOR     0x70
#define SHORT      CLOCK_MS(50)
#define LONG       CLOCK_MS(2000)
#define LOOK_EVERY 32 /* transfers between two looks at the clock, which are exits */

struct measurement {
    const char *name;
    bool write;
    uint32_t bytes;
    unsigned depth;
    bool random, halt;
};

static const struct measurement measurements[] = {
    { "read-1", false, 4096, 1, true, false },
    { "read-32", false, 4096, 32, true, false },
    { "write-1", true, 4096, 1, true, false },
    { "write-32", true, 4096, 32, true, false },
    { "read-1-interrupt", false, 4096, 1, true, true },
    { "read-32-interrupt", false, 4096, 32, true, true },
    { "write-1-interrupt", true, 4096, 1, true, true },
    { "write-32-interrupt", true, 4096, 32, true, true },
    { "read-1m", false, 1 << 20, 4, false, false },
    { "write-1m", true, 1 << 20, 4, false, false },
    { "read-1m-interrupt", false, 1 << 20, 4, false, true },
    { "write-1m-interrupt", true, 1 << 20, 4, false, true },
};

static struct disk disk;
static uint8_t *data;
static uint32_t seed = 1;
static uint64_t next_sector;

static void transfer_add(const struct measurement *m, unsigned slot)
{
    uint32_t sectors = m->bytes / 512, places = DISK_SECTORS / sectors;
    uint64_t sector = next_sector;

    if (m->random) {
        seed = seed * 1664525 + 1013904223;
        sector = (uint64_t)((seed >> 8) % (places - 1) + 1) * sectors; /* not the first */
    } else {
        next_sector = next_sector + sectors < DISK_SECTORS ? next_sector + sectors : sectors;
    }
    disk_add(&disk, slot, m->write, sector, (uint64_t)data + slot * m->bytes, m->bytes);
}

/* Waits for the next answer. */
static int answer(const struct measurement *m, bool *good)
{
    int slot;

    while ((slot = disk_take(&disk, good)) < 0) {
        if (m->halt)
            cpu_halt();
    }
    return slot;
}

static bool measure(const struct measurement *m, uint64_t ticks)
{
    uint64_t start, now, done = 0;
    bool good = true;

    next_sector = m->bytes / 512;
    start = now = clock_ticks();
    for (unsigned slot = 0; slot < m->depth; slot++)
        transfer_add(m, slot);
    disk_notify(&disk);
    while (good && (done % LOOK_EVERY != 0 || (now = clock_ticks()) - start < ticks)) {
        int slot = answer(m, &good);

        /* All that is there is taken before the doorbell rings again. */
        do {
            done++;
            transfer_add(m, (unsigned)slot);
        } while (good && done % LOOK_EVERY != 0 && (slot = disk_take(&disk, &good)) >= 0);
        disk_notify(&disk);
    }
    for (unsigned i = 0; good && i < m->depth; i++)
        answer(m, &good);
    print("us %s %lu\n", m->name, (now - start) * 100000000 / CLOCK_HZ / done);
    return good;
}

static bool can(const struct measurement *m)
{
    return m->bytes <= disk_transfer_max(&disk) && (!m->halt || disk.controller != DISK_AHCI);
}

static void transfers(void)
{
    char wanted[32];

    apic_enable();
    interrupt_handle(VECTOR, apic_end);
    CHECK(disk_open(&disk, VECTOR));
    CHECK(disk_start(&disk, false));
    CHECK(disk_transfer(&disk, false, 0, (uint64_t)data, 512));
    memcpy(wanted, data, sizeof(wanted));
    wanted[sizeof(wanted) - 1] = '\0';
    for (unsigned i = 0; i < sizeof(measurements) / sizeof(measurements[0]); i++) {
        const struct measurement *m = &measurements[i];

        if ((wanted[0] && strcmp(wanted, m->name)) || !can(m))
            continue;
        CHECK(disk_start(&disk, m->halt));
        CHECK(measure(m, wanted[0] ? LONG : SHORT));
    }
}

void guest_main(void)
{
    data = (uint8_t *)LAYOUT_FREE;
    RUN(transfers);
}
