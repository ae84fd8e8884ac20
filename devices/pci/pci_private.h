/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Register names of the PCI header, and what the files of devices/pci/ share. */
#ifndef DEVICES_PCI_PRIVATE_H
#define DEVICES_PCI_PRIVATE_H

#include "pci.h"

enum {
    PCI_VENDOR_ID = 0x00,
    PCI_DEVICE_ID = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION_ID = 0x08,
    PCI_CACHE_LINE_SIZE = 0x0c,
    PCI_HEADER_TYPE = 0x0e,
    PCI_BAR0 = 0x10,
    PCI_PRIMARY_BUS = 0x18,
    PCI_SECONDARY_BUS = 0x19,
    PCI_SUBORDINATE_BUS = 0x1a,
    PCI_SUBSYSTEM_VENDOR_ID = 0x2c,
    PCI_SUBSYSTEM_ID = 0x2e,
    PCI_CAPABILITIES_POINTER = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
    PCI_BRIDGE_CONTROL = 0x3e,
    PCI_CAPABILITIES_START = 0x40,

    PCI_COMMAND_IO = 1u << 0,
    PCI_COMMAND_MEMORY = 1u << 1,
    PCI_COMMAND_MASTER = 1u << 2,
    PCI_COMMAND_PARITY = 1u << 6,
    PCI_COMMAND_SERR = 1u << 8,
    PCI_COMMAND_INTX_DISABLE = 1u << 10,
    PCI_STATUS_INTERRUPT = 1u << 3,
    PCI_STATUS_CAPABILITIES = 1u << 4,
};

extern const struct state_field pci_msix_fields[];

/* pci_caps.c: the capabilities that the class's pci_info asks for. 0, or a negative errno with
 * *error set. */
int pci_capabilities_create(struct pci_device *pci, struct dev_error *error);
void pci_capabilities_reset(struct pci_device *pci);
/* The guest has written these bytes of configuration space. */
void pci_capabilities_written(struct pci_device *pci, unsigned offset, unsigned size);
/* Whether the guest has turned MSI on; and sends a message, or notes it while its vector is masked.
 * A vector beyond those that the guest has granted shares one of them. */
bool pci_msi_enabled(const struct pci_device *pci);
void pci_msi_notify(struct pci_device *pci, unsigned vector);

/* pci_bridge.c: the header of type 1 (PCI-to-PCI Bridge Architecture 1.2, section 3.2). */
void pci_bridge_header_create(struct pci_device *pci);
void pci_bridge_header_reset(struct pci_device *pci);

#endif
