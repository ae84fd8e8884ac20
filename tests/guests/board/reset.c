/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Resets the machine in every way it has, and looks at what processor and devices hold afterwards.
 * Where the guest stands is kept in CMOS, its results in memory: a reset leaves both alone.
 */
#include "runtime/ahci.h"
#include "runtime/apic.h"
#include "runtime/board.h"
#include "runtime/cpu.h"
#include "runtime/fwcfg.h"
#include "io.h"
#include "runtime/layout.h"

#define CMOS_MARK       0x50
#define CMOS_STEP       0x51
#define MARK            0xA7
#define MSR_SYSENTER_CS 0x174
#define MSR_APIC_BASE   0x1B
#define HPET_CONFIG     0xFED00010u

struct surviving {
    struct test_totals totals;
    uint64_t pattern[64];
};

static struct surviving *const surviving = (struct surviving *)LAYOUT_SURVIVING;
static struct ahci_port disk;
static unsigned cpus;

static void reset_by_cf9(void)
{
    outb(0xCF9, 0x02);
    outb(0xCF9, 0x06);
}

static void full_reset_by_cf9(void)
{
    outb(0xCF9, 0x0E);
}

static void reset_by_keyboard_controller(void)
{
    POLL_FOR(!(inb(0x64) & 2), LONG_MS);
    outb(0x64, 0xFE);
}

static void reset_by_port_92(void)
{
    outb(0x92, inb(0x92) & 0xFE);
    outb(0x92, inb(0x92) | 1);
}

static uint64_t load_empty_idt(uint64_t unused)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = { 0, 0 };
    __asm__ volatile("lidt %0" : : "m"(pointer));
    return unused;
}

static void reset_by_triple_fault(void)
{
    ring0(load_empty_idt, 0);
    __asm__ volatile("ud2");
}

struct step {
    const char *name;
    void (*reset)(void);
};

static const struct step steps[] = {
    { "reset_by_cf9", reset_by_cf9 },
    { "full_reset_by_cf9", full_reset_by_cf9 },
    { "reset_by_keyboard_controller", reset_by_keyboard_controller },
    { "reset_by_port_92", reset_by_port_92 },
    { "reset_by_triple_fault", reset_by_triple_fault },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static uint64_t pattern_word(unsigned step, unsigned i)
{
    return 0x9E3779B97F4A7C15ull * (step * 64 + i + 1);
}

static void spin(unsigned number)
{
    (void)number;
    for (;;)
        __asm__ volatile("pause");
}

/* Leaves as many registers as possible with values that a reset must take away. */
static void disturb(void)
{
    pci_write(PCI_HOST_BRIDGE, 0x90, 4, 0x11111110);
    pci_write(PCI_HOST_BRIDGE, 0x94, 2, 0x1111);
    pci_write(PCI_LPC, 0x60, 4, 0x0B0B0A0A);
    pci_write(PCI_LPC, 0xF0, 4, 0xFED1C001);
    outb(0x4D1, 0x0C);
    outb(0x3FB, 0x80); /* UART: divisor */
    outb(0x3F8, 0x01);
    outb(0x3FB, 0x03);
    outb(0x3F9, 0x05);
    outb(0x3FC, 0x0B);
    outw(BOARD_PM_BASE + 2, 0x0120);
    write64(HPET_CONFIG, 3);
    outw(0x1CE, 1); /* DISPI: a mode of 640 x 480 */
    outw(0x1CF, 640);
    outw(0x1CE, 2);
    outw(0x1CF, 480);
    outw(0x1CE, 4);
    outw(0x1CF, 0x41);
    ioapic_route(5, 0x55 | IOAPIC_LEVEL, 0);
    apic_enable();
    apic_write(APIC_LVT_TIMER, 0x44 | APIC_PERIODIC);
    apic_write(APIC_TIMER_INITIAL, 0x10000000);
    apic_write(APIC_TPR, 0x20);
    cpu_write_msr(MSR_SYSENTER_CS, 0x18);
    ahci_open(&disk, 0);
    ahci_interrupts(&disk, true);
}

static void check_processor(void)
{
    const struct reset_record *found = reset_record();

    CHECK_EQ(found->cr0, 0x60000010);
    CHECK_EQ(found->cr2, 0);
    CHECK_EQ(found->cr3, 0);
    CHECK_EQ(found->cr4, 0);
    CHECK_EQ(found->eflags, 2);
    CHECK_EQ(found->eax, 0);
    CHECK_EQ(found->ebx, 0);
    CHECK_EQ(found->ecx, 0);
    CHECK_EQ(found->esp, 0);
    CHECK(found->edx);
    CHECK_EQ(cpu_read_msr(MSR_SYSENTER_CS), 0);
    CHECK_EQ(cpu_read_msr(MSR_APIC_BASE), 0xFEE00900);
}

static void check_interrupt_controllers(void)
{
    CHECK_EQ(apic_read(APIC_SVR), 0xFF);
    CHECK_EQ(apic_read(APIC_TPR), 0);
    CHECK_EQ(apic_read(APIC_LVT_TIMER), APIC_MASKED);
    CHECK_EQ(apic_read(APIC_LVT_ERROR), APIC_MASKED);
    CHECK_EQ(apic_read(APIC_TIMER_INITIAL), 0);
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        CHECK_EQ(ioapic_entry(pin), IOAPIC_MASKED);
    CHECK_EQ(inb(0x4D1), 0);
}

static void check_chipset(void)
{
    CHECK_EQ(board_found.pm_base, 1);
    CHECK_EQ(board_found.acpi_control, 0);
    CHECK_EQ(board_found.pciexbar, 0xB0000000);
    if (!cpu_is_oracle()) { /* QEMU leaves the PAM registers alone */
        CHECK_EQ(pci_read(PCI_HOST_BRIDGE, 0x90, 4), 0);
        CHECK_EQ(pci_read(PCI_HOST_BRIDGE, 0x94, 2), 0);
    }
    CHECK_EQ(pci_read(PCI_LPC, 0x60, 4), 0x80808080);
    CHECK_EQ(pci_read(PCI_LPC, 0xF0, 4), 0);
    CHECK_EQ(inw(BOARD_PM_BASE + 2), 0);
    CHECK_EQ(read64(HPET_CONFIG), 0);
    CHECK_EQ(inb(0x3F9), 0);
    CHECK_EQ(inb(0x3FB), 0);
    outw(0x1CE, 4);
    CHECK_EQ(inw(0x1CF) & 1, 0);
}

static void check_disk(void)
{
    CHECK_EQ(pci_read(PCI_AHCI, 4, 2) & 7, 0);
    CHECK_EQ(pci_read(PCI_AHCI, 0x24, 4), 0);
    pci_write(PCI_AHCI, 0x24, 4, BOARD_AHCI_BAR);
    pci_write(PCI_AHCI, 4, 2, 2);
    CHECK_EQ(read32(BOARD_AHCI_BAR + 0x04) & 2, 0);
    CHECK_EQ(read32(BOARD_AHCI_BAR + 0x100 + AHCI_IE), 0);
    CHECK_EQ(read32(BOARD_AHCI_BAR + 0x100 + AHCI_CMD) & 0x11, 0);
    CHECK(ahci_open(&disk, 0));
    CHECK(ahci_identify(&disk));
}

static void check_memory(unsigned step)
{
    for (unsigned i = 0; i < 64; i++)
        CHECK_EQ(surviving->pattern[i], pattern_word(step, i));
}

/* The others wait for their start again, although they were running. */
static void nothing(unsigned number)
{
    (void)number;
}

static unsigned current;

static void check_after_reset(void)
{
    void (*const checks[])(void) = { check_processor, check_interrupt_controllers, check_chipset,
                                     check_disk };

    for (unsigned i = 0; i < sizeof(checks) / sizeof(checks[0]) && !test_failed(); i++)
        checks[i]();
    if (!test_failed())
        check_memory(current);
    if (!test_failed())
        CHECK_EQ(cpu_start_others(cpus - 1, nothing), cpus - 1);
}

static void go(unsigned step)
{
    for (unsigned i = 0; i < 64; i++)
        surviving->pattern[i] = pattern_word(step, i);
    surviving->totals = test_totals;
    cmos_write(CMOS_STEP, (uint8_t)(step + 1));
    cmos_write(CMOS_MARK, MARK);
    disturb();
    if (cpus > 1)
        cpu_start_others(0, spin);
    steps[step].reset();
    POLL_FOR(false, LONG_MS);
    test_fail("%s did not happen", steps[step].name);
    cmos_write(CMOS_MARK, 0);
}

void guest_main(void)
{
    unsigned step = 0;

    cpus = (unsigned)fwcfg_number(FWCFG_NB_CPUS, 2);
    if (cmos_read(CMOS_MARK) == MARK)
        step = cmos_read(CMOS_STEP);
    cmos_write(CMOS_MARK, 0);
    if (step >= 1 && step <= STEPS) {
        test_totals = surviving->totals;
        current = step - 1;
        test_run(steps[current].name, check_after_reset);
    }
    if (step < STEPS)
        go(step);
}
