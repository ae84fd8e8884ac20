/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Capabilities: power management, MSI, MSI-X, PCI Express.
 *
 * MSI: PCI 3.0 section 6.8.1, 64-bit address, with per-vector masking where wanted. MSI-X: section
 * 6.8.2. Power management: PCI Power Management 1.2, D0 and D3hot without effect on the function.
 * PCI Express: Base 2.0 section 7.8, link fixed at x1 2.5 GT/s.
 *
 * A message is sent when its vector is not masked; masked ones wait in the pending bits and are
 * sent when the mask goes.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "pci.h"
#include "pci_private.h"
#include "services.h"

enum {
    CAPABILITY_PM = 0x01,
    CAPABILITY_MSI = 0x05,
    CAPABILITY_PCIE = 0x10,
    CAPABILITY_MSIX = 0x11,

    PM_CAPABILITIES = 2,
    PM_CONTROL = 4,
    PM_LENGTH = 8,
    PM_VERSION = 0x0003,
    PM_NO_SOFT_RESET = 0x0008,

    MSI_CONTROL = 2,
    MSI_ADDRESS = 4,
    MSI_DATA = 12,
    MSI_MASK = 16,
    MSI_PENDING = 20,
    MSI_LENGTH = 24,
    MSI_NO_MASK_LENGTH = 14,
    MSI_ENABLE = 0x0001,
    MSI_MULTIPLE_ENABLE_SHIFT = 4,
    MSI_64BIT = 0x0080,
    MSI_MASKING = 0x0100,
    MSI_MAXIMUM_SHIFT = 1,

    MSIX_CONTROL = 2,
    MSIX_TABLE = 4,
    MSIX_PBA = 8,
    MSIX_LENGTH = 12,
    MSIX_FUNCTION_MASK = 0x4000,
    MSIX_ENABLE = 0x8000,
    MSIX_PBA_OFFSET = 2048,
    MSIX_VECTOR_MASKED = 1,

    PCIE_LENGTH = 60,
    PCIE_FLAGS = 2,
    PCIE_DEVICE_CAPABILITIES = 4,
    PCIE_DEVICE_CONTROL = 8,
    PCIE_DEVICE_STATUS = 10,
    PCIE_LINK_CAPABILITIES = 12,
    PCIE_LINK_CONTROL = 16,
    PCIE_LINK_STATUS = 18,
    PCIE_DEVICE_CONTROL_2 = 40,
    PCIE_LINK_CONTROL_2 = 48,
};

unsigned pci_capability_add(struct pci_device *pci, uint8_t id, unsigned length)
{
    unsigned at = pci->capability_end, msi = pci->capability_msi;

    if (msi && at < msi + MSI_LENGTH && at + length > msi) {
        at = msi + MSI_LENGTH; /* past the one whose place is fixed */
    }
    assert(at + length <= PCI_CONFIG_SIZE);
    pci->config[at] = id;
    pci->config[at + 1] = pci->config[PCI_CAPABILITIES_POINTER];
    pci->config[PCI_CAPABILITIES_POINTER] = (uint8_t)at;
    pci->config[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
    pci->capability_end = (uint16_t)((at + length + 3) & ~3u);
    return at;
}

static void pm_create(struct pci_device *pci)
{
    unsigned at = pci_capability_add(pci, CAPABILITY_PM, PM_LENGTH);

    pci->capability_pm = (uint8_t)at;
    pci_config_set(pci, at + PM_CAPABILITIES, 2, PM_VERSION);
    pci_config_set(pci, at + PM_CONTROL, 2, PM_NO_SOFT_RESET);
    pci_config_writable(pci, at + PM_CONTROL, 2, 0x0003);
}

/* --- MSI -------------------------------------------------------------------------------------- */

static unsigned log2_of(unsigned power)
{
    return (unsigned)__builtin_ctz(power);
}

static void msi_create(struct pci_device *pci)
{
    const struct pci_info *info = pci->device.class->pci;
    uint16_t next = pci->capability_end;

    if (info->msi_offset) {
        pci->capability_end = info->msi_offset;
    }
    unsigned at = pci_capability_add(pci, CAPABILITY_MSI,
                                     info->msi_no_mask ? MSI_NO_MASK_LENGTH : MSI_LENGTH);
    unsigned vectors = log2_of(info->msi_vectors);

    if (info->msi_offset) {
        pci->capability_end = next; /* the room before the fixed place stays free for others */
    }
    pci->capability_msi = (uint8_t)at;
    pci_config_set(pci, at + MSI_CONTROL, 2,
                   MSI_64BIT | (info->msi_no_mask ? 0 : MSI_MASKING) |
                       vectors << MSI_MAXIMUM_SHIFT);
    pci_config_writable(pci, at + MSI_CONTROL, 2,
                        MSI_ENABLE | (vectors ? 7u << MSI_MULTIPLE_ENABLE_SHIFT : 0));
    pci_config_writable(pci, at + MSI_ADDRESS, 4, 0xfffffffc);
    pci_config_writable(pci, at + MSI_ADDRESS + 4, 4, 0xffffffff);
    pci_config_writable(pci, at + MSI_DATA, 2, 0xffff);
    if (!info->msi_no_mask) {
        pci_config_writable(pci, at + MSI_MASK, 4,
                            (uint32_t)((UINT64_C(1) << info->msi_vectors) - 1));
    }
}

bool pci_msi_enabled(const struct pci_device *pci)
{
    return pci->capability_msi &&
           (load_le16(pci->config + pci->capability_msi + MSI_CONTROL) & MSI_ENABLE);
}

/* Vectors the guest has granted: a power of two, at most what the function has. */
static unsigned msi_granted(const struct pci_device *pci)
{
    unsigned control = load_le16(pci->config + pci->capability_msi + MSI_CONTROL);
    unsigned granted = 1u << (control >> MSI_MULTIPLE_ENABLE_SHIFT & 7);
    unsigned maximum = pci->device.class->pci->msi_vectors;

    return granted < maximum ? granted : maximum;
}

static void msi_send(struct pci_device *pci, unsigned vector)
{
    const uint8_t *msi = pci->config + pci->capability_msi;
    uint32_t data = load_le16(msi + MSI_DATA) & ~(msi_granted(pci) - 1);

    if (pci_bus_master(pci)) {
        pci->device.services->msi_send(&pci->device, load_le64(msi + MSI_ADDRESS), data | vector);
    }
}

static uint32_t msi_mask(const struct pci_device *pci)
{
    return pci->device.class->pci->msi_no_mask
               ? 0
               : load_le32(pci->config + pci->capability_msi + MSI_MASK);
}

static void msi_pending_set(struct pci_device *pci, uint32_t pending)
{
    pci->msi_pending = pending;
    if (!pci->device.class->pci->msi_no_mask) {
        store_le32(pci->config + pci->capability_msi + MSI_PENDING, pending);
    }
}

void pci_msi_notify(struct pci_device *pci, unsigned vector)
{
    uint32_t mask = msi_mask(pci);

    vector &= msi_granted(pci) - 1;
    if (mask & 1u << vector) {
        msi_pending_set(pci, pci->msi_pending | 1u << vector);
    } else {
        msi_send(pci, vector);
    }
}

static void msi_unmasked(struct pci_device *pci)
{
    uint32_t mask = msi_mask(pci);
    uint32_t due = pci->msi_pending & ~mask;

    if (!pci_msi_enabled(pci) || due == 0) {
        return;
    }
    msi_pending_set(pci, pci->msi_pending & mask);
    for (unsigned vector = 0; vector < 32; vector++) {
        if (due & 1u << vector) {
            msi_send(pci, vector);
        }
    }
}

/* --- MSI-X ------------------------------------------------------------------------------------ */

static int msix_create(struct pci_device *pci, struct dev_error *error)
{
    const struct pci_info *info = pci->device.class->pci;

    if (info->msix_vectors > PCI_MSIX_MAX) {
        dev_error_set(error, "%s: more than %d MSI-X vectors.", pci->device.name, PCI_MSIX_MAX);
        return -EINVAL;
    }
    unsigned at = pci_capability_add(pci, CAPABILITY_MSIX, MSIX_LENGTH);

    pci->capability_msix = (uint8_t)at;
    pci_config_set(pci, at + MSIX_CONTROL, 2, info->msix_vectors - 1);
    pci_config_writable(pci, at + MSIX_CONTROL, 2, MSIX_ENABLE | MSIX_FUNCTION_MASK);
    pci_config_set(pci, at + MSIX_TABLE, 4, info->msix_bar);
    pci_config_set(pci, at + MSIX_PBA, 4, MSIX_PBA_OFFSET | info->msix_bar);
    return 0;
}

static uint16_t msix_control(const struct pci_device *pci)
{
    return load_le16(pci->config + pci->capability_msix + MSIX_CONTROL);
}

bool pci_msix_enabled(const struct pci_device *pci)
{
    return pci->capability_msix && (msix_control(pci) & MSIX_ENABLE);
}

static bool msix_masked(const struct pci_device *pci, unsigned vector)
{
    return (msix_control(pci) & MSIX_FUNCTION_MASK) ||
           (pci->msix[vector].control & MSIX_VECTOR_MASKED);
}

static void msix_send(struct pci_device *pci, unsigned vector)
{
    const struct pci_msix_entry *entry = &pci->msix[vector];

    if (pci_bus_master(pci)) {
        pci->device.services->msi_send(&pci->device, entry->address, entry->data);
    }
}

void pci_msix_notify(struct pci_device *pci, unsigned vector)
{
    if (!pci_msix_enabled(pci)) {
        if (pci_msi_enabled(pci)) {
            pci_msi_notify(pci, vector);
        }
        return;
    }
    if (vector >= pci->device.class->pci->msix_vectors) {
        return; /* the guest chose a vector that does not exist */
    }
    if (msix_masked(pci, vector)) {
        pci->msix_pending[vector / 8] |= (uint8_t)(1u << (vector % 8));
    } else {
        msix_send(pci, vector);
    }
}

static void msix_unmasked(struct pci_device *pci)
{
    if (!pci_msix_enabled(pci)) {
        return;
    }
    for (unsigned vector = 0; vector < pci->device.class->pci->msix_vectors; vector++) {
        uint8_t bit = (uint8_t)(1u << (vector % 8));

        if ((pci->msix_pending[vector / 8] & bit) && !msix_masked(pci, vector)) {
            pci->msix_pending[vector / 8] &= (uint8_t)~bit;
            msix_send(pci, vector);
        }
    }
}

uint64_t pci_msix_read(struct device *device, uint64_t offset, unsigned size)
{
    struct pci_device *pci = to_pci(device);
    uint64_t vector = offset / 16;
    uint8_t entry[16];

    if (offset >= MSIX_PBA_OFFSET) {
        uint8_t pending[8] = { 0 };

        if (offset - MSIX_PBA_OFFSET < sizeof(pci->msix_pending)) {
            memcpy(pending, pci->msix_pending, sizeof(pending));
            return load_le(pending + (offset - MSIX_PBA_OFFSET), size);
        }
        return 0;
    }
    if (vector >= device->class->pci->msix_vectors) {
        return 0;
    }
    store_le64(entry, pci->msix[vector].address);
    store_le32(entry + 8, pci->msix[vector].data);
    store_le32(entry + 12, pci->msix[vector].control);
    return load_le(entry + offset % 16, size);
}

void pci_msix_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct pci_device *pci = to_pci(device);
    uint64_t vector = offset / 16;
    uint8_t entry[16];

    if (offset >= MSIX_PBA_OFFSET || vector >= device->class->pci->msix_vectors) {
        guest_error(device, "write of %#llx to MSI-X offset %#llx, which is no table entry",
                    (unsigned long long)value, (unsigned long long)offset);
        return;
    }
    store_le64(entry, pci->msix[vector].address);
    store_le32(entry + 8, pci->msix[vector].data);
    store_le32(entry + 12, pci->msix[vector].control);
    store_le(entry + offset % 16, size, value);
    pci->msix[vector].address = load_le64(entry) & ~UINT64_C(3);
    pci->msix[vector].data = load_le32(entry + 8);
    pci->msix[vector].control = load_le32(entry + 12) & MSIX_VECTOR_MASKED;
    msix_unmasked(pci);
}

const struct state_field pci_msix_fields[] = {
    FIELD(struct pci_msix_entry, address),
    FIELD(struct pci_msix_entry, data),
    FIELD_MAX(struct pci_msix_entry, control, MSIX_VECTOR_MASKED),
    FIELD_END,
};

/* --- PCI Express ------------------------------------------------------------------------------ */

static void pcie_create(struct pci_device *pci)
{
    static const uint16_t port_type[] = {
        [PCIE_ENDPOINT] = 0x0, [PCIE_INTEGRATED_ENDPOINT] = 0x9, [PCIE_ROOT_PORT] = 0x4
    };
    enum pcie_type type = pci->device.class->pci->pcie;
    unsigned at = pci_capability_add(pci, CAPABILITY_PCIE, PCIE_LENGTH);

    pci->capability_pcie = (uint8_t)at;
    pci_config_set(pci, at + PCIE_FLAGS, 2, 2u | (uint32_t)port_type[type] << 4);
    pci_config_set(pci, at + PCIE_DEVICE_CAPABILITIES, 4, 0x8000); /* role-based errors */
    pci_config_writable(pci, at + PCIE_DEVICE_CONTROL, 2, 0x7fff);
    store_le16(pci->clear_mask + at + PCIE_DEVICE_STATUS, 0x000f);
    if (type != PCIE_INTEGRATED_ENDPOINT) {
        pci_config_set(pci, at + PCIE_LINK_CAPABILITIES, 4, 0x00000011); /* x1, 2.5 GT/s */
        pci_config_writable(pci, at + PCIE_LINK_CONTROL, 2, 0x00c3);
        pci_config_set(pci, at + PCIE_LINK_STATUS, 2, 0x0011);
        pci_config_set(pci, at + PCIE_LINK_CONTROL_2, 2, 0x0001);
    }
    pci_config_writable(pci, at + PCIE_DEVICE_CONTROL_2, 2, 0x0010);
}

/* --- All of them ------------------------------------------------------------------------------ */

int pci_capabilities_create(struct pci_device *pci, struct dev_error *error)
{
    const struct pci_info *info = pci->device.class->pci;

    if (info->power_management) {
        pm_create(pci);
    }
    if (info->pcie != PCIE_NONE) {
        pcie_create(pci);
    }
    if (info->msix_vectors > 0 && msix_create(pci, error) != 0) {
        return -EINVAL;
    }
    if (info->msi_vectors > 0) {
        msi_create(pci);
    }
    return 0;
}

void pci_capabilities_reset(struct pci_device *pci)
{
    pci->msi_pending = 0;
    if (pci->capability_msi) {
        msi_pending_set(pci, 0);
    }
    memset(pci->msix_pending, 0, sizeof(pci->msix_pending));
    for (unsigned vector = 0; vector < PCI_MSIX_MAX; vector++) {
        pci->msix[vector] = (struct pci_msix_entry){ .control = MSIX_VECTOR_MASKED };
    }
}

void pci_capabilities_written(struct pci_device *pci, unsigned offset, unsigned size)
{
    unsigned end = offset + size;

    if (pci->capability_msi && offset < pci->capability_msi + (unsigned)MSI_LENGTH &&
        end > pci->capability_msi) {
        msi_unmasked(pci);
    }
    if (pci->capability_msix && offset < pci->capability_msix + (unsigned)MSIX_LENGTH &&
        end > pci->capability_msix) {
        msix_unmasked(pci);
    }
}
