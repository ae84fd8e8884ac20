/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Q35 and ICH9 registers: see the Intel ICH9 and 3 Series Express Chipset data sheets. */
#include "board.h"
#include "cpu.h"
#include "io.h"

struct board_found board_found;

void board_setup(void)
{
    board_found.pm_base = pci_read(PCI_LPC, 0x40, 4);
    board_found.acpi_control = (uint8_t)pci_read(PCI_LPC, 0x44, 1);
    board_found.pciexbar = pci_read(PCI_HOST_BRIDGE, 0x60, 4);
    pci_write(PCI_LPC, 0x40, 4, BOARD_PM_BASE | 1); /* PMBASE */
    pci_write(PCI_LPC, 0x44, 1, 0x80);              /* ACPI_CNTL: the block is on, SCI is IRQ 9 */
    pci_write(PCI_HOST_BRIDGE, 0x60, 4, 0);
    pci_write(PCI_HOST_BRIDGE, 0x64, 4, 0);
    pci_write(PCI_HOST_BRIDGE, 0x60, 4, BOARD_ECAM_BASE | 1); /* PCIEXBAR: 256 buses */
    clock_ticks();
}

_Noreturn void board_power_off(void)
{
    for (;;) {
        outw(BOARD_PM_BASE + 4, 0x2000); /* PM1_CNT: SLP_EN, SLP_TYP 0 is soft off here */
        cpu_halt();
    }
}

unsigned pci_capability(unsigned function, uint8_t id)
{
    unsigned offset, steps = 0;

    if (!(pci_read(function, 6, 2) & 0x10))
        return 0;
    offset = pci_read(function, 0x34, 1) & 0xFC;
    while (offset >= 0x40 && steps++ < 48) {
        if (pci_read(function, offset, 1) == id)
            return offset;
        offset = pci_read(function, offset + 1, 1) & 0xFC;
    }
    return 0;
}

uint8_t cmos_read(uint8_t index)
{
    outb(0x70, index);
    return inb(0x71);
}

void cmos_write(uint8_t index, uint8_t value)
{
    outb(0x70, index);
    outb(0x71, value);
}
