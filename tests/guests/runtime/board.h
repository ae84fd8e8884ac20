/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The chipset as far as every guest needs it: what firmware would set up before an operating
 * system runs, configuration space, CMOS, and power off.
 */
#ifndef GUEST_BOARD_H
#define GUEST_BOARD_H

#include "guest.h"
#include "pci.h"

#define BOARD_PM_BASE   0x600
#define BOARD_ECAM_BASE 0xB0000000u
#define BOARD_AHCI_BAR  0xFEBF0000u

#define PCI_HOST_BRIDGE PCI_FUNCTION(0, 0x00, 0)
#define PCI_LPC         PCI_FUNCTION(0, 0x1F, 0)
#define PCI_AHCI        PCI_FUNCTION(0, 0x1F, 2)

/* Places the power management block and configuration space in memory. */
void board_setup(void);

/* What board_setup() found before it changed anything. */
struct board_found {
    uint32_t pm_base, pciexbar;
    uint8_t acpi_control;
};
extern struct board_found board_found;

/* Soft off through the power management block. Does not return. */
_Noreturn void board_power_off(void);

/* Where a register of configuration space is in memory, once board_setup() has placed it. */
static inline uint64_t pci_ecam(unsigned function, unsigned offset)
{
    return BOARD_ECAM_BASE + ((uint64_t)function << 12) + offset;
}

/* The offset of a capability in configuration space, or 0. */
unsigned pci_capability(unsigned function, uint8_t id);

uint8_t cmos_read(uint8_t index);
void cmos_write(uint8_t index, uint8_t value);

#endif
