/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The type 1 header: bus numbers and windows of a bridge. PCI-to-PCI Bridge Architecture 1.2,
 * section 3.2.
 */
#include "bytes.h"
#include "pci.h"
#include "pci_private.h"

enum {
    IO_BASE = 0x1c,
    MEMORY_BASE = 0x20,
    PREFETCHABLE_BASE = 0x24,
    PREFETCHABLE_UPPER = 0x28,
    SECONDARY_STATUS = 0x1e,
    WINDOW_IO_CLOSED = 0x00f0, /* base above limit: no window; 16-bit I/O */
    WINDOW_MEMORY_CLOSED = 0x0000fff0,
    WINDOW_PREFETCHABLE_CLOSED = 0x0001fff1, /* 64-bit */
};

void pci_bridge_header_create(struct pci_device *pci)
{
    pci_config_writable(pci, PCI_PRIMARY_BUS, 4, 0x00ffffff);
    pci_config_writable(pci, IO_BASE, 2, 0xf0f0);
    store_le16(pci->clear_mask + SECONDARY_STATUS, 0xf900);
    pci_config_writable(pci, MEMORY_BASE, 4, 0xfff0fff0);
    pci_config_writable(pci, PREFETCHABLE_BASE, 4, 0xfff0fff0);
    pci_config_writable(pci, PREFETCHABLE_UPPER, 4, 0xffffffff);
    pci_config_writable(pci, PREFETCHABLE_UPPER + 4, 4, 0xffffffff);
    pci_config_writable(pci, PCI_BRIDGE_CONTROL, 2, 0x005f);
}

void pci_bridge_header_reset(struct pci_device *pci)
{
    pci_config_set(pci, IO_BASE, 2, WINDOW_IO_CLOSED);
    pci_config_set(pci, MEMORY_BASE, 4, WINDOW_MEMORY_CLOSED);
    pci_config_set(pci, PREFETCHABLE_BASE, 4, WINDOW_PREFETCHABLE_CLOSED);
}

bool pci_bridge_claims(const struct pci_device *bridge, unsigned bus)
{
    unsigned secondary = bridge->config[PCI_SECONDARY_BUS];

    return secondary > 0 && bus >= secondary && bus <= bridge->config[PCI_SUBORDINATE_BUS];
}

bool pci_bridge_leads_to(const struct pci_device *bridge, unsigned bus)
{
    return pci_bridge_claims(bridge, bus) && bus == bridge->config[PCI_SECONDARY_BUS];
}
