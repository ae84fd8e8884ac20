/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Interrupts reach the processor by every way of the board: the 8259 pair, the I/O APIC with the
 * override of IRQ 0, the local APIC's timer, and the level-triggered line of a PCI function.
 * Without an operating system there is no ACPI table here: GSI 16 for the AHCI function's INTA
 * is what the board wires (Intel ICH9 data sheet, D31IR at its reset value).
 */
#include "runtime/ahci.h"
#include "runtime/apic.h"
#include "runtime/board.h"
#include "runtime/cpu.h"
#include "io.h"

#define PIC_VECTOR   0x20
#define VECTOR_A     0x40
#define VECTOR_B     0x41
#define VECTOR_TIMER 0x42
#define VECTOR_LEVEL 0x90
#define AHCI_GSI     16
#define PIT_1000_HZ  1193

static struct ahci_port disk;

static void pic_tick(struct interrupt_frame *frame)
{
    pic_end((unsigned)frame->vector - PIC_VECTOR);
}

static void pit_through_pic(void)
{
    pic_setup(PIC_VECTOR, 0x0001);
    apic_enable();
    apic_write(APIC_LVT_LINT0, APIC_EXTINT);
    interrupt_handle(PIC_VECTOR, pic_tick);
    pit_start(PIT_1000_HZ);
    CHECK(WAIT_FOR(interrupt_count[PIC_VECTOR] >= 5, LONG_MS));
}

static void halt_wakes_on_tick(void)
{
    uint32_t before = interrupt_count[PIC_VECTOR];

    cpu_halt();
    CHECK(interrupt_count[PIC_VECTOR] > before);
}

static void pic_masks_a_line(void)
{
    uint32_t before;

    pic_mask(0);
    WAIT_FOR(false, 1);
    before = interrupt_count[PIC_VECTOR];
    WAIT_FOR(false, SHORT_MS);
    CHECK_EQ(interrupt_count[PIC_VECTOR], before);
    outb(0x20, 0x0A); /* OCW3: the next read gives the request register */
    CHECK_EQ(inb(0x20) & 1, 1);
    pic_mask(1);
    CHECK(WAIT_FOR(interrupt_count[PIC_VECTOR] > before, LONG_MS));
    pic_mask(0);
    pit_stop();
}

/* The second 8259 comes through line 2 of the first; both need an end of interrupt. */
static void second_pic_through_cascade(void)
{
    uint8_t saved_b = (cmos_read(0x0A), cmos_read(0x0B));

    interrupt_handle(PIC_VECTOR + 8, pic_tick);
    cmos_write(0x0A, 0x26);
    cmos_write(0x0B, saved_b | 0x40); /* periodic interrupt, 1024 a second */
    pic_mask(1 << 2 | 1 << 8);
    cmos_read(0x0C);
    CHECK(WAIT_FOR(interrupt_count[PIC_VECTOR + 8] >= 1, LONG_MS));
    cmos_read(0x0C);
    CHECK(WAIT_FOR(interrupt_count[PIC_VECTOR + 8] >= 2, LONG_MS));
    cmos_write(0x0B, saved_b);
    cmos_read(0x0C);
    pic_mask(0);
}

static void ioapic_is_there(void)
{
    CHECK_EQ(ioapic_read(1) >> 16 & 0xFF, IOAPIC_PINS - 1);
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        CHECK(ioapic_entry(pin) & IOAPIC_MASKED);
}

static void irq0_arrives_at_pin_2(void)
{
    interrupt_handle(VECTOR_A, apic_end);
    interrupt_handle(VECTOR_B, apic_end);
    ioapic_route(0, VECTOR_A, apic_id());
    ioapic_route(2, VECTOR_B, apic_id());
    pit_start(PIT_1000_HZ);
    CHECK(WAIT_FOR(interrupt_count[VECTOR_B] >= 5, LONG_MS));
    CHECK_EQ(interrupt_count[VECTOR_A], 0);
}

static void priority_holds_back(void)
{
    uint32_t before;

    apic_write(APIC_TPR, 0x50); /* above the class of VECTOR_B */
    WAIT_FOR(false, 1);
    before = interrupt_count[VECTOR_B];
    WAIT_FOR(false, SHORT_MS);
    CHECK_EQ(interrupt_count[VECTOR_B], before);
    CHECK(apic_read(APIC_IRR + (VECTOR_B / 32) * 16) & 1u << VECTOR_B % 32);
    apic_write(APIC_TPR, 0);
    CHECK(WAIT_FOR(interrupt_count[VECTOR_B] > before, LONG_MS));
}

static void ioapic_masks_a_pin(void)
{
    uint32_t before;

    ioapic_route(0, IOAPIC_MASKED, 0);
    ioapic_route(2, IOAPIC_MASKED, 0);
    WAIT_FOR(false, 1);
    before = interrupt_count[VECTOR_B];
    WAIT_FOR(false, SHORT_MS);
    CHECK_EQ(interrupt_count[VECTOR_B], before);
    pit_stop();
}

static void apic_timer_once(void)
{
    interrupt_handle(VECTOR_TIMER, apic_end);
    apic_write(APIC_TIMER_DIVIDE, 0x3); /* by 16 */
    apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
    apic_write(APIC_TIMER_INITIAL, 10000);
    CHECK(WAIT_FOR(interrupt_count[VECTOR_TIMER] == 1, LONG_MS));
    WAIT_FOR(false, SHORT_MS);
    CHECK_EQ(interrupt_count[VECTOR_TIMER], 1);
    CHECK_EQ(apic_read(APIC_TIMER_CURRENT), 0);
}

static void apic_timer_periodic(void)
{
    uint32_t before;

    interrupt_handle(VECTOR_TIMER, apic_end);
    apic_write(APIC_LVT_TIMER, VECTOR_TIMER | APIC_PERIODIC);
    apic_write(APIC_TIMER_INITIAL, 100000);
    CHECK(WAIT_FOR(interrupt_count[VECTOR_TIMER] >= 5, LONG_MS));
    apic_write(APIC_TIMER_INITIAL, 0);
    apic_write(APIC_LVT_TIMER, APIC_MASKED);
    WAIT_FOR(false, 1);
    before = interrupt_count[VECTOR_TIMER];
    WAIT_FOR(false, SHORT_MS);
    CHECK_EQ(interrupt_count[VECTOR_TIMER], before);
}

static void interrupt_to_self(void)
{
    interrupt_handle(VECTOR_A, apic_end);
    apic_command(0, VECTOR_A | APIC_FIXED | APIC_SELF);
    CHECK_EQ(interrupt_count[VECTOR_A], 0);
    CHECK(WAIT_FOR(interrupt_count[VECTOR_A] == 1, LONG_MS));
}

static void nothing(struct interrupt_frame *frame)
{
    (void)frame;
}

/* An NMI is not held back by the interrupt flag. */
static void nmi_to_self(void)
{
    interrupt_handle(2, nothing);
    apic_command(apic_id(), APIC_NMI);
    CHECK(WAIT_FOR(interrupt_count[2] == 1, LONG_MS));
}

/*
 * The first interrupts leave the device's cause standing, so the line must bring another. When
 * the cause is gone, one that was already on its way may still come, and then no more.
 */
#define LEVEL_COUNT 3

static void ahci_level(struct interrupt_frame *frame)
{
    if (interrupt_count[frame->vector & 0xFF] >= LEVEL_COUNT)
        ahci_clear(&disk);
    if (frame->vector == PIC_VECTOR + 10)
        pic_end(10);
    else
        apic_end(frame);
}

static void pci_level_through_ioapic(void)
{
    CHECK(ahci_open(&disk, 0));
    interrupt_handle(VECTOR_LEVEL, ahci_level);
    ioapic_route(AHCI_GSI, VECTOR_LEVEL | IOAPIC_LEVEL, apic_id());
    ahci_interrupts(&disk, true);
    CHECK_EQ(interrupt_count[VECTOR_LEVEL], 0);
    CHECK(ahci_transfer(&disk, false, 0, 1, (uint64_t)disk.buffer));
    CHECK(WAIT_FOR(interrupt_count[VECTOR_LEVEL] >= LEVEL_COUNT, LONG_MS));
    WAIT_FOR(false, SHORT_MS);
    CHECK(interrupt_count[VECTOR_LEVEL] <= LEVEL_COUNT + 1);
    CHECK_EQ(ioapic_entry(AHCI_GSI) & IOAPIC_REMOTE, 0);
}

static void pci_command_disables_intx(void)
{
    interrupt_handle(VECTOR_LEVEL, ahci_level);
    pci_write(PCI_AHCI, 4, 2, 0x0406); /* memory, bus master, interrupt disable */
    CHECK(ahci_transfer(&disk, false, 0, 1, (uint64_t)disk.buffer));
    CHECK_EQ(pci_read(PCI_AHCI, 6, 2) & 8, 8); /* status: interrupt pending */
    WAIT_FOR(false, SHORT_MS);
    CHECK_EQ(interrupt_count[VECTOR_LEVEL], 0);
    pci_write(PCI_AHCI, 4, 2, 0x0006);
    CHECK(WAIT_FOR(interrupt_count[VECTOR_LEVEL] >= LEVEL_COUNT, LONG_MS));
    CHECK_EQ(pci_read(PCI_AHCI, 6, 2) & 8, 0);
    ioapic_route(AHCI_GSI, IOAPIC_MASKED, 0);
}

static void pci_level_through_pic(void)
{
    interrupt_handle(PIC_VECTOR + 10, ahci_level);
    outb(0x4D1, 0x04);               /* ELCR: IRQ 10 is level */
    pci_write(PCI_LPC, 0x60, 1, 10); /* PIRQA goes to IRQ 10 */
    pic_mask(1 << 2 | 1 << 10);
    CHECK(ahci_transfer(&disk, false, 0, 1, (uint64_t)disk.buffer));
    CHECK(WAIT_FOR(interrupt_count[PIC_VECTOR + 10] >= LEVEL_COUNT, LONG_MS));
    WAIT_FOR(false, SHORT_MS);
    CHECK(interrupt_count[PIC_VECTOR + 10] <= LEVEL_COUNT + 1);
    pic_mask(0);
}

void guest_main(void)
{
    RUN(pit_through_pic);
    RUN(halt_wakes_on_tick);
    RUN(pic_masks_a_line);
    RUN(second_pic_through_cascade);
    RUN(ioapic_is_there);
    RUN(irq0_arrives_at_pin_2);
    RUN(priority_holds_back);
    RUN(ioapic_masks_a_pin);
    RUN(apic_timer_once);
    RUN(apic_timer_periodic);
    RUN(interrupt_to_self);
    RUN(nmi_to_self);
    RUN(pci_level_through_ioapic);
    RUN(pci_command_disables_intx);
    RUN(pci_level_through_pic);
}
