/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Q35 memory controller hub as far as software sees it: PCI configuration mechanism 1, the
 * memory mapped configuration space (ECAM), the PAM registers that decide between ROM and RAM from
 * 0xC0000 to 0xFFFFF, and the reset control register, which lies at port CF9 inside the CF8 dword.
 *
 * Intel 3 Series Express Chipset Family datasheet, section 5.1 (D0:F0); PCI 3.0 section 3.2.2.3.2;
 * PCI Express Base 2.0 section 7.2.2; ICH9 datasheet, section 13.7.5 (RST_CNT).
 *
 * CF8 is latched by dword writes only. CFC..CFF take bytes, words and dwords. Absent functions read
 * as ones: that is the answer of the service, and the one given here while CF8 bit 31 is off.
 *
 * Left out: system management mode (SMRAM, ESMRAMC and the extended TSEG size are read-only at the
 * values of a bridge without it), DRAM controller registers, the DMI and egress port blocks, error
 * reporting. Nothing here fails; a guest that programs a reserved ECAM length or base 0 gets no
 * ECAM.
 */
#include <errno.h>

#include "bytes.h"
#include "pci.h"
#include "services.h"

enum {
    TSEG_EXTENDED = 0x50,
    PCIEXBAR = 0x60,
    PAM0 = 0x90,
    PAM_REGISTERS = 7,
    SMRAM = 0x9d,
    ESMRAMC = 0x9e,

    TSEG_EXTENDED_RESET = 0x0010,
    PCIEXBAR_RESET = 0xb0000000,
    PCIEXBAR_ENABLE = 1u << 0,
    SMRAM_RESET = 0x02,
    ESMRAMC_RESET = 0x38,
    PAM_READ = 1u << 0,
    PAM_WRITE = 1u << 1,

    RST_CNT_OFFSET = 1, /* CF9, in the region that starts at CF8 */
    RST_CNT_MASK = 0x0e,
    RST_CPU = 1u << 2,
};

#define CONFIG_ENABLE 0x80000000u

/* Regions, in the order of the class's table. The three ECAM sizes are those of PCIEXBAR bits 2:1.
 */
enum {
    REGION_ADDRESS,
    REGION_DATA,
    REGION_ECAM, /* 256 MiB; then 128, 64 */
    ECAM_SIZES = 3,
};

struct host_bridge {
    struct pci_device pci;
    uint32_t config_address; /* CF8 */
    uint8_t reset_control;   /* CF9 */
};

static struct host_bridge *to_bridge(struct device *device)
{
    return (struct host_bridge *)device;
}

/* --- Configuration accesses ------------------------------------------------------------------- */

/* The bridge's own registers are reached directly: its domain is already entered. */
static uint32_t config_read(struct device *device, unsigned bdf, unsigned offset, unsigned size)
{
    if (bdf == to_pci(device)->bdf) {
        return pci_config_read(to_pci(device), offset, size);
    }
    return device->services->pci_config_read(device, bdf, offset, size);
}

static void config_write(struct device *device, unsigned bdf, unsigned offset, unsigned size,
                         uint32_t value)
{
    if (bdf == to_pci(device)->bdf) {
        pci_config_write(to_pci(device), offset, size, value);
    } else {
        device->services->pci_config_write(device, bdf, offset, size, value);
    }
}

static uint64_t address_read(struct device *device, uint64_t offset, unsigned size)
{
    struct host_bridge *bridge = to_bridge(device);

    if (size == 4) {
        return bridge->config_address;
    }
    if (size == 1 && offset == RST_CNT_OFFSET) {
        return bridge->reset_control;
    }
    return ones(size);
}

static void reset_control_write(struct host_bridge *bridge, uint8_t value)
{
    bool rising = (value & RST_CPU) && !(bridge->reset_control & RST_CPU);

    bridge->reset_control = value & RST_CNT_MASK;
    if (rising) {
        dev_request(&bridge->pci.device, REQUEST_RESET, 0);
    }
}

static void address_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct host_bridge *bridge = to_bridge(device);

    if (size == 4) {
        bridge->config_address = (uint32_t)value;
    } else if (size == 1 && offset == RST_CNT_OFFSET) {
        reset_control_write(bridge, (uint8_t)value);
    }
}

static uint64_t data_read(struct device *device, uint64_t offset, unsigned size)
{
    uint32_t address = to_bridge(device)->config_address;

    if (!(address & CONFIG_ENABLE)) {
        return ones(size);
    }
    return config_read(device, address >> 8 & 0xffff, (address & 0xfc) + (unsigned)offset, size);
}

static void data_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    uint32_t address = to_bridge(device)->config_address;

    if (address & CONFIG_ENABLE) {
        config_write(device, address >> 8 & 0xffff, (address & 0xfc) + (unsigned)offset, size,
                     (uint32_t)value);
    }
}

static uint64_t ecam_read(struct device *device, uint64_t offset, unsigned size)
{
    return config_read(device, (unsigned)(offset >> 12), offset & 0xfff, size);
}

static void ecam_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    config_write(device, (unsigned)(offset >> 12), offset & 0xfff, size, (uint32_t)value);
}

/* --- Effects of the bridge's own registers ---------------------------------------------------- */

static void ecam_update(struct host_bridge *bridge)
{
    struct device *device = &bridge->pci.device;
    uint64_t value = load_le64(bridge->pci.config + PCIEXBAR);
    unsigned length = value >> 1 & 3;
    uint64_t base = value & 0xfffffffff & ~((UINT64_C(1) << (28 - length)) - 1);

    bool placed = (value & PCIEXBAR_ENABLE) && base > 0 && length < ECAM_SIZES;

    for (unsigned i = 0; i < ECAM_SIZES; i++) {
        if (!placed || i != length) {
            device->services->region_remove(device, REGION_ECAM + i);
        }
    }
    if (placed) {
        dev_region_place(device, REGION_ECAM + length, base);
    }
}

/* Segment 0 is the high nibble of PAM0; then two segments a register, low nibble first. */
static void pam_update(struct host_bridge *bridge, unsigned first, unsigned end)
{
    struct device *device = &bridge->pci.device;

    for (unsigned i = first; i < end; i++) {
        uint8_t pam = bridge->pci.config[PAM0 + i];
        unsigned low = pam & 0xf, high = pam >> 4;

        if (i > 0) {
            device->services->pam_set(device, 2 * i - 1, low & PAM_READ, low & PAM_WRITE);
        }
        device->services->pam_set(device, 2 * i, high & PAM_READ, high & PAM_WRITE);
    }
}

static void host_bridge_on_config(struct device *device, unsigned offset, unsigned size)
{
    unsigned end = offset + size;

    if (offset < PCIEXBAR + 8 && end > PCIEXBAR) {
        ecam_update(to_bridge(device));
    }
    if (offset < PAM0 + PAM_REGISTERS && end > PAM0) {
        unsigned first = offset > PAM0 ? offset - PAM0 : 0;

        end -= PAM0;
        pam_update(to_bridge(device), first, end < PAM_REGISTERS ? end : PAM_REGISTERS);
    }
}

/* --- Life ------------------------------------------------------------------------------------- */

static int host_bridge_create(struct device *device, struct dev_error *error)
{
    struct pci_device *pci = to_pci(device);

    pci_config_set(pci, TSEG_EXTENDED, 2, TSEG_EXTENDED_RESET);
    pci_config_set(pci, SMRAM, 1, SMRAM_RESET);
    pci_config_set(pci, ESMRAMC, 1, ESMRAMC_RESET);
    pci_config_writable(pci, PCIEXBAR, 4, 0xfc000007);
    pci_config_writable(pci, PCIEXBAR + 4, 4, 0x0000000f);
    pci_config_writable(pci, PAM0, 1, 0x30);
    for (unsigned i = 1; i < PAM_REGISTERS; i++) {
        pci_config_writable(pci, PAM0 + i, 1, 0x33);
    }
    return 0;
}

static void host_bridge_reset(struct device *device, enum reset_kind kind)
{
    struct host_bridge *bridge = to_bridge(device);

    bridge->config_address = 0;
    bridge->reset_control = 0;
    pci_config_set(&bridge->pci, PCIEXBAR, 4, PCIEXBAR_RESET);
    ecam_update(bridge);
    pam_update(bridge, 0, PAM_REGISTERS);
}

static void host_bridge_restored(struct device *device)
{
    ecam_update(to_bridge(device));
    pam_update(to_bridge(device), 0, PAM_REGISTERS);
}

#define ECAM_REGION(name_, size_)                                                                  \
    {                                                                                              \
        .name = (name_), .space = REGION_MMIO, .size = (size_), .base = REGION_UNPLACED,           \
        .read_sizes = SIZE_1 | SIZE_2 | SIZE_4, .write_sizes = SIZE_1 | SIZE_2 | SIZE_4,           \
        .read = ecam_read, .write = ecam_write                                                     \
    }

static const struct region_desc host_bridge_regions[] = {
    [REGION_ADDRESS] = { .name = "config address",
                         .space = REGION_PIO,
                         .size = 4,
                         .base = 0xcf8,
                         .read_sizes = SIZE_1 | SIZE_2 | SIZE_4,
                         .write_sizes = SIZE_1 | SIZE_2 | SIZE_4,
                         .read = address_read,
                         .write = address_write },
    [REGION_DATA] = { .name = "config data",
                      .space = REGION_PIO,
                      .size = 4,
                      .base = 0xcfc,
                      .read_sizes = SIZE_1 | SIZE_2 | SIZE_4,
                      .write_sizes = SIZE_1 | SIZE_2 | SIZE_4,
                      .read = data_read,
                      .write = data_write },
    [REGION_ECAM] = ECAM_REGION("ECAM, 256 buses", 256 << 20),
    [REGION_ECAM + 1] = ECAM_REGION("ECAM, 128 buses", 128 << 20),
    [REGION_ECAM + 2] = ECAM_REGION("ECAM, 64 buses", 64 << 20),
};

static const struct state_field host_bridge_fields[] = {
    FIELD_STRUCT(struct host_bridge, pci, pci_fields),
    FIELD(struct host_bridge, config_address),
    FIELD_MAX(struct host_bridge, reset_control, RST_CNT_MASK),
    FIELD_END,
};

static const struct pci_info host_bridge_pci = {
    .vendor = 0x8086,
    .device = 0x29c0,
    .class_code = 0x060000,
};

const struct device_class host_bridge_class = {
    .name = "q35-host",
    .version = 1,
    .state_size = sizeof(struct host_bridge),
    .description = "Q35 host bridge: PCI configuration access, memory attributes, reset control",
    .regions = host_bridge_regions,
    .n_regions = sizeof(host_bridge_regions) / sizeof(host_bridge_regions[0]),
    .fields = host_bridge_fields,
    .pci = &host_bridge_pci,
    .create = host_bridge_create,
    .reset = host_bridge_reset,
    .on_config = host_bridge_on_config,
    .restored = host_bridge_restored,
};
