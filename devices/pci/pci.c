/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration space of every PCI function: header, BARs, and the INTx side of interrupts.
 * Capabilities are in pci_caps.c.
 *
 * Each byte has a mask of bits that the guest may write and one of bits it clears by writing 1;
 * what has neither is read-only. After a write the parts that have effects are looked at again: the
 * BARs are placed where the registers now say, the interrupt follows its disable and MSI enable
 * bits.
 *
 * PCI Local Bus Specification 3.0, chapter 6; PCI-to-PCI Bridge Architecture 1.2, chapter 3.
 *
 * Left out: expansion ROM BARs (firmware gets option ROMs through fw_cfg), bridge windows as a
 * filter (a function behind a bridge answers wherever its BARs say), Memory Write and Invalidate,
 * VGA snooping.
 */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "pci.h"
#include "pci_private.h"
#include "services.h"

enum {
    VENDOR_DEFAULT_SUBSYSTEM = 0x1af4,
    DEFAULT_SUBSYSTEM = 0x1100,
    BAR_PIO = 1,
    BAR_MMIO64 = 4,
    BAR_PREFETCHABLE = 8,
};

void pci_config_set(struct pci_device *pci, unsigned offset, unsigned size, uint32_t value)
{
    store_le(pci->config + offset, size, value);
}

void pci_config_writable(struct pci_device *pci, unsigned offset, unsigned size, uint32_t mask)
{
    store_le(pci->write_mask + offset, size, mask);
}

static const struct pci_info *info_of(const struct pci_device *pci)
{
    return pci->device.class->pci;
}

bool pci_bus_master(const struct pci_device *pci)
{
    return (load_le16(pci->config + PCI_COMMAND) & PCI_COMMAND_MASTER) != 0;
}

/* --- BARs ------------------------------------------------------------------------------------- */

static uint64_t bar_size(struct pci_device *pci, unsigned bar)
{
    const struct pci_bar_desc *desc = &info_of(pci)->bars[bar];
    uint64_t size = desc->size;

    if (size == 0 && desc->window) {
        dev_memory(&pci->device, pci->device.class->windows[desc->index].memory, &size);
    }
    return size;
}

static uint8_t bar_flags(const struct pci_bar_desc *desc)
{
    uint8_t flags = desc->prefetchable ? BAR_PREFETCHABLE : 0;

    switch (desc->kind) {
    case PCI_BAR_PIO:
        return BAR_PIO;
    case PCI_BAR_MMIO64:
        return flags | BAR_MMIO64;
    case PCI_BAR_MMIO32:
    case PCI_BAR_NONE:
        break;
    }
    return flags;
}

static int bar_create(struct pci_device *pci, unsigned bar, struct dev_error *error)
{
    const struct pci_bar_desc *desc = &info_of(pci)->bars[bar];
    unsigned at = PCI_BAR0 + 4 * bar;
    uint64_t size = bar_size(pci, bar);

    if (desc->kind == PCI_BAR_NONE) {
        return 0;
    }
    if (size < 4 || (size & (size - 1)) != 0) {
        dev_error_set(error, "%s: the size of BAR %u, %llu bytes, is no power of two.",
                      pci->device.name, bar, (unsigned long long)size);
        return -EINVAL;
    }
    uint64_t mask = ~(size - 1) & ~UINT64_C(0xf);

    if (desc->kind == PCI_BAR_PIO) {
        mask = ~(size - 1) & 0xfffffffc;
    }
    pci_config_writable(pci, at, 4, (uint32_t)mask);
    if (desc->kind == PCI_BAR_MMIO64) {
        pci_config_writable(pci, at + 4, 4, (uint32_t)(mask >> 32));
    }
    pci->config[at] = bar_flags(desc);
    return 0;
}

/*
 * Where the registers want the BAR. Firmware measures a BAR by writing ones, perhaps while decoding
 * is on; such a value, and zero, means nowhere. The lower half of a 64-bit BAR being measured would
 * be the last addresses below 4 GiB, where the firmware itself lies.
 */
static uint64_t bar_wanted(struct pci_device *pci, unsigned bar)
{
    const struct pci_bar_desc *desc = &info_of(pci)->bars[bar];
    uint16_t command = load_le16(pci->config + PCI_COMMAND);
    unsigned at = PCI_BAR0 + 4 * bar;
    uint64_t size = bar_size(pci, bar);
    uint64_t address = load_le32(pci->config + at) & (desc->kind == PCI_BAR_PIO ? ~3u : ~15u);
    const uint64_t four_gib = UINT64_C(1) << 32;
    uint64_t end = four_gib;

    if (!(command & (desc->kind == PCI_BAR_PIO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY))) {
        return REGION_UNPLACED;
    }
    if (desc->kind == PCI_BAR_PIO) {
        end = UINT64_C(1) << 16;
    } else if (desc->kind == PCI_BAR_MMIO64) {
        address |= (uint64_t)load_le32(pci->config + at + 4) << 32;
        end = UINT64_C(1) << 52;
    }
    address &= ~(size - 1); /* of a saved state any bits may be set */
    if (address == 0 || !range_fits(address, size, end - 1) || address + size == four_gib) {
        return REGION_UNPLACED;
    }
    return address;
}

static void bar_place(struct pci_device *pci, unsigned bar, uint64_t address)
{
    const struct pci_bar_desc *desc = &info_of(pci)->bars[bar];
    struct device *device = &pci->device;

    pci->bar_address[bar] = address;
    if (!desc->window) {
        if (address == REGION_UNPLACED) {
            device->services->region_remove(device, desc->index);
        } else {
            device->services->region_place(device, desc->index, address);
        }
    } else if (address == REGION_UNPLACED) {
        device->services->window_remove(device, desc->index);
    } else {
        device->services->window_place(device, desc->index, address, 0, bar_size(pci, bar));
    }
}

static void bars_update(struct pci_device *pci)
{
    for (unsigned bar = 0; bar < PCI_BARS; bar++) {
        if (info_of(pci)->bars[bar].kind == PCI_BAR_NONE) {
            continue;
        }
        uint64_t wanted = bar_wanted(pci, bar);

        if (wanted != pci->bar_address[bar]) {
            bar_place(pci, bar, wanted);
        }
    }
}

/* --- Interrupts ------------------------------------------------------------------------------- */

static void intx_update(struct pci_device *pci)
{
    bool disabled = load_le16(pci->config + PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE;
    bool level = pci->intx_level && !disabled && !pci_msi_enabled(pci) && !pci_msix_enabled(pci);

    if (pci->intx_level) {
        pci->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
    } else {
        pci->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTERRUPT;
    }
    if (info_of(pci)->interrupt_pin > 0) {
        dev_irq_set(&pci->device, 0, level);
    }
}

void pci_irq_set(struct pci_device *pci, bool level)
{
    bool rising = level && !pci->intx_level;

    pci->intx_level = level;
    if (rising && pci_msi_enabled(pci)) {
        pci_msi_notify(pci, 0);
    }
    intx_update(pci);
}

/* --- Guest accesses --------------------------------------------------------------------------- */

uint32_t pci_config_read(struct pci_device *pci, unsigned offset, unsigned size)
{
    if (!range_fits(offset, size, PCIE_CONFIG_SIZE)) {
        return (uint32_t)ones(size);
    }
    if (offset >= PCI_CONFIG_SIZE && info_of(pci)->pcie == PCIE_NONE) {
        return (uint32_t)ones(size);
    }
    if (pci->device.class->on_config_read) {
        pci->device.class->on_config_read(&pci->device, offset, size);
    }
    return (uint32_t)load_le(pci->config + offset, size);
}

void pci_config_write(struct pci_device *pci, unsigned offset, unsigned size, uint32_t value)
{
    if (!range_fits(offset, size, PCIE_CONFIG_SIZE)) {
        return;
    }
    for (unsigned i = 0; i < size; i++) {
        uint8_t *byte = &pci->config[offset + i];
        uint8_t written = (uint8_t)(value >> (8 * i));
        uint8_t mask = pci->write_mask[offset + i];

        *byte = (uint8_t)((*byte & ~mask) | (written & mask));
        *byte &= (uint8_t) ~(written & pci->clear_mask[offset + i]);
    }
    pci_capabilities_written(pci, offset, size);
    bars_update(pci);
    intx_update(pci);
    if (pci->device.class->on_config) {
        pci->device.class->on_config(&pci->device, offset, size);
    }
}

/* --- Life ------------------------------------------------------------------------------------- */

static void header_create(struct pci_device *pci)
{
    const struct pci_info *info = info_of(pci);

    pci_config_set(pci, PCI_VENDOR_ID, 2, info->vendor);
    pci_config_set(pci, PCI_DEVICE_ID, 2, info->device);
    pci_config_set(pci, PCI_REVISION_ID, 4, info->class_code << 8 | info->revision);
    pci->config[PCI_HEADER_TYPE] =
        (uint8_t)((info->bridge ? 1 : 0) | (info->multifunction ? 0x80 : 0));
    pci->config[PCI_INTERRUPT_PIN] = info->interrupt_pin;
    pci_config_writable(pci, PCI_COMMAND, 2,
                        PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
                            PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
    store_le16(pci->clear_mask + PCI_STATUS, 0xf900);
    pci_config_writable(pci, PCI_CACHE_LINE_SIZE, 1, 0xff);
    if (info->interrupt_pin > 0) {
        pci_config_writable(pci, PCI_INTERRUPT_LINE, 1, 0xff);
    }
    if (info->bridge) {
        pci_bridge_header_create(pci);
        return;
    }
    pci_config_set(pci, PCI_SUBSYSTEM_VENDOR_ID, 2,
                   info->subsystem_vendor ? info->subsystem_vendor : VENDOR_DEFAULT_SUBSYSTEM);
    pci_config_set(pci, PCI_SUBSYSTEM_ID, 2,
                   info->subsystem_vendor ? info->subsystem : DEFAULT_SUBSYSTEM);
}

int pci_create(struct pci_device *pci, struct dev_error *error)
{
    pci->capability_end = PCI_CAPABILITIES_START;
    for (unsigned bar = 0; bar < PCI_BARS; bar++) {
        pci->bar_address[bar] = REGION_UNPLACED;
        if (bar_create(pci, bar, error) != 0) {
            return -EINVAL;
        }
    }
    header_create(pci);
    return pci_capabilities_create(pci, error);
}

void pci_reset(struct pci_device *pci)
{
    /* What the guest can change goes back to zero; what it cannot was set at creation. */
    for (unsigned i = 0; i < PCIE_CONFIG_SIZE; i++) {
        pci->config[i] &= (uint8_t) ~(pci->write_mask[i] | pci->clear_mask[i]);
    }
    if (info_of(pci)->bridge) {
        pci_bridge_header_reset(pci);
    }
    pci->intx_level = false;
    pci_capabilities_reset(pci);
    bars_update(pci);
    intx_update(pci);
}

int pci_validate(struct pci_device *pci, struct dev_error *error)
{
    const struct pci_info *info = info_of(pci);

    if (load_le16(pci->config + PCI_VENDOR_ID) != info->vendor ||
        load_le16(pci->config + PCI_DEVICE_ID) != info->device ||
        load_le32(pci->config + PCI_REVISION_ID) != (info->class_code << 8 | info->revision)) {
        dev_error_set(error, "The saved state of “%s” is of another device, so it was not loaded.",
                      pci->device.name);
        return -EINVAL;
    }
    return 0;
}

void pci_restored(struct pci_device *pci)
{
    for (unsigned bar = 0; bar < PCI_BARS; bar++) {
        pci->bar_address[bar] = REGION_UNPLACED;
        if (info_of(pci)->bars[bar].kind != PCI_BAR_NONE) {
            bar_place(pci, bar, bar_wanted(pci, bar));
        }
    }
    intx_update(pci);
}

const struct state_field pci_fields[] = {
    FIELD_ARRAY(struct pci_device, config),
    FIELD(struct pci_device, intx_level),
    FIELD(struct pci_device, msi_pending),
    FIELD_STRUCTS_ARRAY(struct pci_device, msix, pci_msix_fields),
    FIELD_ARRAY(struct pci_device, msix_pending),
    FIELD_END,
};
