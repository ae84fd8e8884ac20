/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * PCI functions. A PCI device's state structure starts with `struct pci_device`, its class points
 * to a constant `struct pci_info`, and devices/pci/pci.c owns its configuration space entirely:
 * identity, BARs (which it places and removes), capabilities (MSI, MSI-X, power management, PCI
 * Express) and their write masks. PCI Local Bus 3.0, PCI Express Base 2.0, MSI and MSI-X as of
 * PCI 3.0 section 6.8.
 */
#ifndef DEVICES_PCI_H
#define DEVICES_PCI_H

#include "device.h"
#include "state.h"

enum {
    PCI_CONFIG_SIZE = 256,
    PCIE_CONFIG_SIZE = 4096,
    PCI_BARS = 6,
    PCI_MSIX_MAX = 64, /* vectors a function of ours may have */
};

enum pci_bar_kind {
    PCI_BAR_NONE,
    PCI_BAR_PIO,
    PCI_BAR_MMIO32,
    PCI_BAR_MMIO64, /* takes this BAR and the next */
};

struct pci_bar_desc {
    enum pci_bar_kind kind;
    bool prefetchable;
    bool window; /* index names a window of the class, otherwise a region */
    unsigned index;
    uint64_t size; /* bytes, a power of two; 0 with a window: the size of its memory */
};

enum pcie_type {
    PCIE_NONE, /* conventional function, no PCI Express capability */
    PCIE_ENDPOINT,
    PCIE_INTEGRATED_ENDPOINT,
    PCIE_ROOT_PORT,
};

struct pci_info {
    uint16_t vendor, device;
    uint16_t subsystem_vendor, subsystem; /* 0: 1AF4:1100 */
    uint8_t revision;
    uint32_t class_code; /* 24 bits: base class, subclass, programming interface */
    bool multifunction;
    bool bridge;           /* type 1 header */
    uint8_t interrupt_pin; /* 0 none, 1..4 INTA..INTD */
    struct pci_bar_desc bars[PCI_BARS];
    enum pcie_type pcie;
    unsigned msi_vectors;  /* 0: no MSI capability; a power of two up to 32 */
    uint8_t msi_offset;    /* place of the MSI capability, 0: the next free one */
    bool msi_no_mask;      /* MSI without the mask and pending registers: 16 bytes instead of 24 */
    unsigned msix_vectors; /* 0: no MSI-X; up to PCI_MSIX_MAX */
    unsigned msix_bar;     /* BAR whose region is one of pci_msix_read/pci_msix_write's */
    bool power_management; /* PM capability with D0 and D3hot */
};

struct pci_msix_entry {
    uint64_t address;
    uint32_t data;
    uint32_t control; /* bit 0: masked */
};

struct pci_device {
    struct device device; /* first */
    uint16_t bdf;         /* bus << 8 | device << 3 | function at power on; set by the board */
    uint8_t config[PCIE_CONFIG_SIZE];
    uint8_t write_mask[PCIE_CONFIG_SIZE]; /* bits the guest may write */
    uint8_t clear_mask[PCIE_CONFIG_SIZE]; /* bits the guest clears by writing 1 */
    uint8_t capability_pcie, capability_msi, capability_msix, capability_pm; /* offsets, 0: none */
    uint16_t capability_end; /* where the next capability goes */
    bool intx_level;
    uint32_t msi_pending;
    struct pci_msix_entry msix[PCI_MSIX_MAX];
    uint8_t msix_pending[PCI_MSIX_MAX / 8];
    uint64_t bar_address[PCI_BARS]; /* where each BAR is placed now; REGION_UNPLACED: nowhere */
};

/* State table of struct pci_device, to be named by FIELD_STRUCT in every PCI device's own. */
extern const struct state_field pci_fields[];

static inline struct pci_device *to_pci(struct device *device)
{
    return (struct pci_device *)device;
}

/* Builds the configuration space from class->pci. The core calls it before the class's create(). */
int pci_create(struct pci_device *pci, struct dev_error *error);
/* Back to power-on values: command 0, BARs 0 and removed, capabilities off. Called before
 * class->reset(). */
void pci_reset(struct pci_device *pci);
/* After a load: checks, then places the BARs again. */
int pci_validate(struct pci_device *pci, struct dev_error *error);
void pci_restored(struct pci_device *pci);

/* Guest accesses to the function's configuration space; size 1, 2 or 4, aligned, offset below 4096.
 */
uint32_t pci_config_read(struct pci_device *pci, unsigned offset, unsigned size);
void pci_config_write(struct pci_device *pci, unsigned offset, unsigned size, uint32_t value);

/* For create(): registers of the device's own in configuration space; reset() sets their values
 * again. */
void pci_config_set(struct pci_device *pci, unsigned offset, unsigned size, uint32_t value);
void pci_config_writable(struct pci_device *pci, unsigned offset, unsigned size, uint32_t mask);
/* Adds a capability of `length` bytes (its first two are set) and returns its offset. */
unsigned pci_capability_add(struct pci_device *pci, uint8_t id, unsigned length);

/*
 * Sets the function's interrupt request. With MSI enabled a rising level sends vector 0; otherwise
 * the INTx pin follows, subject to Interrupt Disable in the command register.
 */
void pci_irq_set(struct pci_device *pci, bool level);
/* Sends an MSI-X (or MSI) vector, or makes it pending while masked. */
void pci_msix_notify(struct pci_device *pci, unsigned vector);
bool pci_msix_enabled(const struct pci_device *pci);
/* The MSI-X table at offset 0 and the pending bits at offset 2048 of a 4 KiB region. */
uint64_t pci_msix_read(struct device *device, uint64_t offset, unsigned size);
void pci_msix_write(struct device *device, uint64_t offset, unsigned size, uint64_t value);

/* True while the guest lets the function read and write memory (Bus Master Enable). */
bool pci_bus_master(const struct pci_device *pci);

/* Bridges: true if configuration accesses to `bus` (not its own) go through this one. */
bool pci_bridge_claims(const struct pci_device *bridge, unsigned bus);
/* Bridges: true if `bus` is the one right behind it. */
bool pci_bridge_leads_to(const struct pci_device *bridge, unsigned bus);

#endif
