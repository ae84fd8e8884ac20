/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ICH9 SATA controller in AHCI mode: PCI 8086:2922, six ports, 32 slots, native command queuing.
 * AHCI 1.3.1 with the capabilities of a 1.0 controller; ICH9 data sheet sections 15.1 and 15.3.
 *
 * Each port holds what the back end has for the drive of the same number: an ATA disk, an ATAPI CD
 * or DVD drive, or nothing.
 *
 * Interrupts: a bit in a port's PxIS that PxIE lets through latches the port's bit in IS; IS with
 * GHC.IE is the interrupt. By MSI a message goes out whenever IS gains a bit, and when the guest
 * has cleared bits of IS and others (or the same, latched again because the port still has a
 * reason) remain, so that no event between the guest's look and its acknowledgement is lost
 * (section 10.6.2).
 *
 * BAR 4 holds the index/data pair behind the legacy bus master registers, which read as 0 in this
 * mode.
 *
 * Left out: legacy (IDE) mode, enclosure management, command completion coalescing, port
 * multipliers, link power management, several MSI vectors.
 *
 * How it fails: a guest's wrong addresses and lists stop the port with HBFS or IFS as the
 * specification says and are counted as guest errors; errors of the medium end commands with ATA
 * errors.
 */
#include <errno.h>

#include "ahci.h"
#include "bytes.h"
#include "services.h"
#include "state.h"

enum {
    REGION_ABAR,
    REGION_INDEX_DATA,

    TASK_RESTART = 0,

    HBA_CAP = 0x00,
    HBA_GHC = 0x04,
    HBA_IS = 0x08,
    HBA_PI = 0x0c,
    HBA_VS = 0x10,
    HBA_RESERVED = 0x14, /* up to the ports: features that CAP does not offer */
    HBA_PORTS = 0x100,
    HBA_PORT_SIZE = 0x80,
    HBA_SIZE = 0x1000,

    GHC_HR = 1u << 0,
    GHC_IE = 1u << 1,

    PORTS_IMPLEMENTED = (1u << AHCI_PORTS) - 1,
    VERSION = 0x00010000,

    INDEX_DATA_SIZE = 32,
    INDEX = 0x10,
    DATA = 0x14,

    CONFIG_MAP = 0x90,
    CONFIG_MAP_AHCI = 0x40,
    CAPABILITY_SATA = 0x12,
    CAPABILITY_SATA_AT = 0xa8,
    CAPABILITY_SATA_VERSION = 0x10,
    CAPABILITY_SATA_BAR = 0x48, /* BAR 4, 4 dwords in */
};
#define GHC_AE       0x80000000u
#define CAPABILITIES 0xc0141f05u /* 64 bit, NCQ, AHCI only, generation 1, 32 slots, 6 ports */

static struct ahci *to_ahci(struct device *device)
{
    return (struct ahci *)device;
}

/* --- Interrupts ------------------------------------------------------------------------------- */

static void interrupts_latch(struct ahci *ahci, bool acknowledged)
{
    uint32_t before = ahci->is;

    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        if (ahci_port_status(&ahci->ports[i]) & ahci->ports[i].ie) {
            ahci->is |= 1u << i;
        }
    }
    bool level = (ahci->ghc & GHC_IE) && ahci->is != 0;

    if (level && ahci->pci.intx_level) {
        if ((ahci->is & ~before) != 0 || acknowledged) {
            pci_msix_notify(&ahci->pci, 0);
        }
    } else {
        pci_irq_set(&ahci->pci, level);
    }
}

void ahci_interrupts_update(struct ahci *ahci)
{
    interrupts_latch(ahci, false);
}

/* --- Registers -------------------------------------------------------------------------------- */

void ahci_reset_settle(struct ahci *ahci)
{
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        if (ahci->ports[i].n_stale > 0) {
            return;
        }
    }
    ahci->resetting = false;
}

static void ahci_hba_reset(struct ahci *ahci)
{
    ahci->ghc = 0;
    ahci->resetting = true;
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        ahci_port_reset(&ahci->ports[i]);
    }
    ahci->is = 0;
    ahci_reset_settle(ahci);
    ahci_interrupts_update(ahci);
}

static uint32_t register_read(struct ahci *ahci, unsigned offset)
{
    if (offset >= HBA_PORTS) {
        unsigned port = (offset - HBA_PORTS) / HBA_PORT_SIZE;

        return port < AHCI_PORTS ? ahci_port_read(&ahci->ports[port], offset % HBA_PORT_SIZE) : 0;
    }
    switch (offset) {
    case HBA_CAP:
        return CAPABILITIES;
    case HBA_GHC:
        return GHC_AE | ahci->ghc | (ahci->resetting ? GHC_HR : 0);
    case HBA_IS:
        return ahci->is;
    case HBA_PI:
        return PORTS_IMPLEMENTED;
    case HBA_VS:
        return VERSION;
    default:
        return 0;
    }
}

static void ghc_write(struct ahci *ahci, uint32_t value)
{
    if (value & GHC_HR) {
        ahci_hba_reset(ahci);
        return;
    }
    ahci->ghc = value & GHC_IE;
    ahci_interrupts_update(ahci);
}

static void register_write(struct ahci *ahci, unsigned offset, uint32_t value)
{
    if (offset >= HBA_PORTS) {
        unsigned port = (offset - HBA_PORTS) / HBA_PORT_SIZE;

        if (port < AHCI_PORTS) {
            ahci_port_write(&ahci->ports[port], offset % HBA_PORT_SIZE, value);
            return;
        }
        guest_error(&ahci->pci.device, "write of %#x to port %u, which is not implemented", value,
                    port);
        return;
    }
    switch (offset) {
    case HBA_GHC:
        ghc_write(ahci, value);
        break;
    case HBA_IS:
        ahci->is &= ~value;
        interrupts_latch(ahci, true);
        break;
    default:
        if (offset < HBA_RESERVED) {
            break; /* written once by firmware on hardware, read-only here */
        }
        guest_error(&ahci->pci.device, "write of %#x to reserved register %#x", value, offset);
    }
}

static uint64_t abar_read(struct device *device, uint64_t offset, unsigned size)
{
    return register_read(to_ahci(device), (unsigned)offset);
}

static void abar_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    register_write(to_ahci(device), (unsigned)offset, (uint32_t)value);
}

static uint64_t index_data_read(struct device *device, uint64_t offset, unsigned size)
{
    struct ahci *ahci = to_ahci(device);

    switch (offset) {
    case INDEX:
        return ahci->index;
    case DATA:
        return register_read(ahci, ahci->index);
    default:
        return 0;
    }
}

static void index_data_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct ahci *ahci = to_ahci(device);

    switch (offset) {
    case INDEX:
        ahci->index = (uint32_t)value & (HBA_SIZE - 4);
        break;
    case DATA:
        register_write(ahci, ahci->index, (uint32_t)value);
        break;
    default:
        guest_error(device, "write of %#llx to legacy register %#llx in AHCI mode",
                    (unsigned long long)value, (unsigned long long)offset);
    }
}

/* --- Life ------------------------------------------------------------------------------------- */

static int ahci_create(struct device *device, struct dev_error *error)
{
    struct ahci *ahci = to_ahci(device);
    struct block_info info;

    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        if (device->services->block_info(device, i, &info) && !info.optical &&
            info.logical_block_size != ATA_SECTOR) {
            dev_error_set(error,
                          "%s: the disk of port %u has sectors of %u bytes; only %d are possible.",
                          device->name, i, info.logical_block_size, ATA_SECTOR);
            return -EINVAL;
        }
        ahci_port_create(ahci, i);
    }
    pci_config_set(&ahci->pci, CONFIG_MAP, 1, CONFIG_MAP_AHCI);
    ahci->pci.capability_end = CAPABILITY_SATA_AT;
    unsigned at = pci_capability_add(&ahci->pci, CAPABILITY_SATA, 8);

    pci_config_set(&ahci->pci, at + 2, 2, CAPABILITY_SATA_VERSION);
    pci_config_set(&ahci->pci, at + 4, 4, CAPABILITY_SATA_BAR);
    return 0;
}

static void ahci_destroy(struct device *device)
{
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        ahci_port_destroy(&to_ahci(device)->ports[i]);
    }
}

static void ahci_reset(struct device *device, enum reset_kind kind)
{
    struct ahci *ahci = to_ahci(device);

    ahci->index = 0;
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        ahci_port_power_on(&ahci->ports[i]);
    }
    ahci_hba_reset(ahci);
}

static void ahci_on_block(struct device *device, struct block_request *request)
{
    ahci_command_block_done((struct ahci_command *)request);
}

static void ahci_on_media(struct device *device, unsigned drive)
{
    if (drive < AHCI_PORTS) {
        ahci_port_media(&to_ahci(device)->ports[drive]);
    }
}

/* Bus mastering may have been turned on. */
static void ahci_on_config(struct device *device, unsigned offset, unsigned size)
{
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        ahci_port_kick(&to_ahci(device)->ports[i]);
    }
}

static void ahci_on_task(struct device *device, unsigned task)
{
    struct ahci *ahci = to_ahci(device);

    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        ahci_port_restart(&ahci->ports[i]);
    }
    ahci_reset_settle(ahci);
    ahci_interrupts_update(ahci);
}

static bool ahci_idle(struct device *device)
{
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        if (to_ahci(device)->ports[i].n_in_flight > 0) {
            return false;
        }
    }
    return true;
}

static int ahci_validate(struct device *device, struct dev_error *error)
{
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        if (!ahci_port_valid(&to_ahci(device)->ports[i])) {
            dev_error_set(error, "The saved state of “%s” contradicts itself in port %u.",
                          device->name, i);
            return -EINVAL;
        }
    }
    return 0;
}

static void ahci_restored(struct device *device)
{
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        ahci_port_restored(&to_ahci(device)->ports[i]);
    }
    dev_defer(device, TASK_RESTART);
}

static const struct state_field ahci_fields[] = {
    FIELD_STRUCT(struct ahci, pci, pci_fields),
    FIELD_MAX(struct ahci, is, PORTS_IMPLEMENTED),
    FIELD_MAX(struct ahci, ghc, GHC_IE),
    FIELD_MAX(struct ahci, index, HBA_SIZE - 4),
    FIELD(struct ahci, resetting),
    FIELD_STRUCTS_ARRAY(struct ahci, ports, ahci_port_fields),
    FIELD_END,
};

static const struct region_desc ahci_regions[] = {
    [REGION_ABAR] = {
        .name = "abar",
        .space = REGION_MMIO,
        .size = HBA_SIZE,
        .base = REGION_UNPLACED,
        .read_sizes = SIZE_4,
        .write_sizes = SIZE_4,
        .read = abar_read,
        .write = abar_write,
    },
    [REGION_INDEX_DATA] = {
        .name = "index-data",
        .space = REGION_PIO,
        .size = INDEX_DATA_SIZE,
        .base = REGION_UNPLACED,
        .read_sizes = SIZE_4,
        .write_sizes = SIZE_4,
        .read = index_data_read,
        .write = index_data_write,
    },
};

static const struct pci_info ahci_pci = {
    .vendor = 0x8086,
    .device = 0x2922,
    .revision = 2,
    .class_code = 0x010601,
    .multifunction = true,
    .interrupt_pin = 1,
    .bars[4] = { .kind = PCI_BAR_PIO, .index = REGION_INDEX_DATA, .size = INDEX_DATA_SIZE },
    .bars[5] = { .kind = PCI_BAR_MMIO32, .index = REGION_ABAR, .size = HBA_SIZE },
    .msi_vectors = 1,
    .msi_offset = 0x80,
    .msi_no_mask = true,
};

const struct device_class ahci_class = {
    .name = "ahci",
    .version = 1,
    .state_size = sizeof(struct ahci),
    .description = "SATA controller with six ports for disks and CD drives (ICH9, AHCI)",
    .regions = ahci_regions,
    .n_regions = sizeof(ahci_regions) / sizeof(ahci_regions[0]),
    .n_tasks = 1,
    .n_drives = AHCI_PORTS,
    .fields = ahci_fields,
    .pci = &ahci_pci,
    .create = ahci_create,
    .destroy = ahci_destroy,
    .reset = ahci_reset,
    .on_task = ahci_on_task,
    .on_block = ahci_on_block,
    .on_media = ahci_on_media,
    .on_config = ahci_on_config,
    .idle = ahci_idle,
    .validate = ahci_validate,
    .restored = ahci_restored,
};
