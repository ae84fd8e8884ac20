/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Message signalled interrupts of the AHCI function (PCI Local Bus 3.0, section 6.8.1). */
#include "runtime/ahci.h"
#include "runtime/apic.h"
#include "runtime/board.h"
#include "runtime/cpu.h"

#define MSI_ID       0x05
#define MSI_ENABLE   0x0001u
#define MSI_64       0x0080u
#define MSI_MASKABLE 0x0100u
#define VECTOR_MSI   0x70
#define VECTOR_OTHER 0x71
#define VECTOR_INTX  0x72
#define AHCI_GSI     16

static struct ahci_port disk;
static unsigned msi;

static void disk_end(struct interrupt_frame *frame)
{
    ahci_clear(&disk);
    apic_end(frame);
}

static void msi_set(uint8_t vector, bool on)
{
    uint16_t control = (uint16_t)pci_read(PCI_AHCI, msi + 2, 2);
    unsigned data = msi + (control & MSI_64 ? 12 : 8);

    pci_write(PCI_AHCI, msi + 4, 4, APIC_BASE | apic_id() << 12);
    if (control & MSI_64)
        pci_write(PCI_AHCI, msi + 8, 4, 0);
    pci_write(PCI_AHCI, data, 2, vector);
    pci_write(PCI_AHCI, msi + 2, 2, (control & ~(MSI_ENABLE | 0x70u)) | (on ? MSI_ENABLE : 0));
}

static bool read_sector(void)
{
    return ahci_transfer(&disk, false, 0, 1, (uint64_t)disk.buffer);
}

static void capability_is_there(void)
{
    apic_enable();
    CHECK(ahci_open(&disk, 0));
    msi = pci_capability(PCI_AHCI, MSI_ID);
    CHECK(msi);
    CHECK_EQ(pci_read(PCI_AHCI, msi + 2, 2) & MSI_ENABLE, 0);
    msi_set(VECTOR_MSI, true);
    CHECK_EQ(pci_read(PCI_AHCI, msi + 2, 2) & MSI_ENABLE, MSI_ENABLE);
    CHECK_EQ(pci_read(PCI_AHCI, msi + 4, 4), APIC_BASE | apic_id() << 12);
}

static void interrupt_arrives_once_for_each_command(void)
{
    interrupt_handle(VECTOR_MSI, disk_end);
    interrupt_handle(VECTOR_INTX, disk_end);
    ioapic_route(AHCI_GSI, VECTOR_INTX | IOAPIC_LEVEL, apic_id());
    ahci_interrupts(&disk, true);
    for (unsigned i = 1; i <= 3; i++) {
        CHECK(read_sector());
        CHECK(WAIT_FOR(interrupt_count[VECTOR_MSI] == i, LONG_MS));
        WAIT_FOR(false, SHORT_MS);
        CHECK_EQ(interrupt_count[VECTOR_MSI], i);
    }
    CHECK_EQ(interrupt_count[VECTOR_INTX], 0); /* the line stays quiet meanwhile */
    CHECK_EQ(pci_read(PCI_AHCI, 6, 2) & 8, 0);
}

static void vector_can_be_changed(void)
{
    interrupt_handle(VECTOR_MSI, disk_end);
    interrupt_handle(VECTOR_OTHER, disk_end);
    msi_set(VECTOR_OTHER, true);
    CHECK(read_sector());
    CHECK(WAIT_FOR(interrupt_count[VECTOR_OTHER] == 1, LONG_MS));
    CHECK_EQ(interrupt_count[VECTOR_MSI], 0);
}

static void disk_interrupt_mask_holds(void)
{
    interrupt_handle(VECTOR_OTHER, disk_end);
    ahci_interrupts(&disk, false);
    CHECK(read_sector());
    WAIT_FOR(false, SHORT_MS);
    CHECK_EQ(interrupt_count[VECTOR_OTHER], 0);
    ahci_interrupts(&disk, true);
}

static void masked_vector_stays_pending(void)
{
    uint16_t control = (uint16_t)pci_read(PCI_AHCI, msi + 2, 2);
    unsigned mask = msi + (control & MSI_64 ? 16 : 12);

    interrupt_handle(VECTOR_OTHER, disk_end);
    pci_write(PCI_AHCI, mask, 4, 1);
    CHECK(read_sector());
    WAIT_FOR(false, SHORT_MS);
    CHECK_EQ(interrupt_count[VECTOR_OTHER], 0);
    CHECK_EQ(pci_read(PCI_AHCI, mask + 4, 4), 1);
    pci_write(PCI_AHCI, mask, 4, 0);
    CHECK(WAIT_FOR(interrupt_count[VECTOR_OTHER] == 1, LONG_MS));
    CHECK_EQ(pci_read(PCI_AHCI, mask + 4, 4), 0);
}

static void line_works_again_without_msi(void)
{
    msi_set(VECTOR_MSI, false);
    interrupt_handle(VECTOR_MSI, disk_end);
    interrupt_handle(VECTOR_INTX, disk_end);
    CHECK(read_sector());
    CHECK(WAIT_FOR(interrupt_count[VECTOR_INTX] >= 1, LONG_MS));
    CHECK_EQ(interrupt_count[VECTOR_MSI], 0);
}

void guest_main(void)
{
    RUN(capability_is_there);
    RUN(interrupt_arrives_once_for_each_command);
    RUN(vector_can_be_changed);
    RUN(disk_interrupt_mask_holds);
    if (pci_read(PCI_AHCI, msi + 2, 2) & MSI_MASKABLE)
        RUN(masked_vector_stays_pending);
    RUN(line_works_again_without_msi);
}
