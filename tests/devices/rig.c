/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "fake_private.h"
#include "fw_cfg.h"
#include "pci.h"
#include "state.h"
#include "vmgenid.h"

enum {
    HEADER_SIZE = 16,
    CHECKSUM_AT = 12,
    REPLUG_NS = 100000000, /* that a slot stays empty */
};

/* --- Host side content of the classes that have one ------------------------------------------- */

static uint8_t fw_cfg_key[16] = "key content", fw_cfg_file[64], fw_cfg_writable[64];

static void fw_cfg_setup(struct device *device)
{
    fw_cfg_set_key(device, FW_CFG_UUID, fw_cfg_key, sizeof(fw_cfg_key));
    fw_cfg_set_file(device, "etc/read-only", fw_cfg_file, sizeof(fw_cfg_file), false);
    fw_cfg_set_file(device, "etc/writable", fw_cfg_writable, sizeof(fw_cfg_writable), true);
}

static void vmgenid_setup(struct device *device)
{
    vmgenid_set_page(device, 0x5000);
}

struct rig_setup {
    const char *class;
    struct option_value values[3]; /* instead of the defaults */
    void (*setup)(struct device *device);
};

static const struct rig_setup setups[] = {
    { "fw-cfg", { { NULL, NULL } }, fw_cfg_setup },
    { "vmgenid", { { NULL, NULL } }, vmgenid_setup },
    { "pcie-root-port", { { "hotplug", "true" }, { NULL, NULL } }, NULL },
    { "stdvga",
      { { "vram", "8388608" }, { NULL, NULL } },
      NULL }, /* the least: it is copied often */
};

static const struct rig_setup *setup_find(const struct device_class *class)
{
    static const struct rig_setup nothing = { "", { { NULL, NULL } }, NULL };

    for (unsigned i = 0; i < sizeof(setups) / sizeof(setups[0]); i++) {
        if (strcmp(class->name, setups[i].class) == 0) {
            return &setups[i];
        }
    }
    return &nothing;
}

/* --- The rig ---------------------------------------------------------------------------------- */

void rig_drive_info(unsigned drive, bool present, struct block_info *info)
{
    bool optical = drive % 3 == 1;

    *info = (struct block_info){
        .optical = optical,
        .present = present || !optical,
        .read_only = drive % 3 != 0,
        .size = present || !optical ? RIG_MEDIUM_SIZE : 0,
        .logical_block_size = optical ? 2048 : 512,
        .physical_block_size = optical ? 2048 : 4096,
        .discard = drive % 3 == 0,
        .serial = "SERIAL",
    };
}

bool rig_has_drive(const struct rig *rig, unsigned drive)
{
    unsigned n = rig->device->class->n_drives;

    return drive < n && (n == 1 || drive < n - 1) && drive < RIG_DRIVES_MAX;
}

static void device_add(struct rig *rig, const struct device_class *class)
{
    const struct rig_setup *setup = setup_find(class);
    struct block_info info;

    rig->device = fake_add_class(rig->fake, class, setup->values);
    for (unsigned i = 0; i < RIG_DRIVES_MAX; i++) {
        if (rig_has_drive(rig, i)) {
            rig_drive_info(i, true, &info);
            fake_drive(rig->device, i, &info, rig->media[i]);
        }
    }
    if (setup->setup) {
        setup->setup(rig->device);
    }
    device_reset(rig->device, RESET_COLD);
    fake_run(rig->fake);
}

void rig_open(struct rig *rig, const struct device_class *class)
{
    memset(rig, 0, sizeof(*rig));
    rig->fake = fake_new(RIG_RAM_SIZE);
    for (unsigned i = 0; i < RIG_DRIVES_MAX && i < class->n_drives; i++) {
        rig->media[i] = calloc(1, RIG_MEDIUM_SIZE);
    }
    device_add(rig, class);
}

void rig_replug(struct rig *rig)
{
    const struct device_class *class = rig->device->class;
    uint8_t *ram = malloc(RIG_RAM_SIZE);

    memcpy(ram, fake_ram(rig->fake), RIG_RAM_SIZE);
    fake_remove(rig->fake, rig->device);
    fake_advance(rig->fake, REPLUG_NS);
    if (memcmp(ram, fake_ram(rig->fake), RIG_RAM_SIZE) != 0) {
        fake_bug("RAM is written to by a device that is gone");
    }
    free(ram);
    device_add(rig, class);
}

void rig_close(struct rig *rig)
{
    fake_free(rig->fake);
    for (unsigned i = 0; i < RIG_DRIVES_MAX; i++) {
        free(rig->media[i]);
    }
}

void rig_map(struct rig *rig)
{
    const struct pci_info *info = rig->device->class->pci;

    for (unsigned bar = 0; info && bar < PCI_BARS; bar++) {
        switch (info->bars[bar].kind) {
        case PCI_BAR_NONE:
            break;
        case PCI_BAR_PIO:
            fake_map_bar(rig->device, bar, 0xc000 + 0x400 * bar);
            break;
        case PCI_BAR_MMIO32:
        case PCI_BAR_MMIO64:
            fake_map_bar(rig->device, bar, 0xc0000000 + (uint64_t)bar * 0x08000000);
            break;
        }
    }
    if (info) {
        fake_config_write(rig->device, 0x04, 2, 7);
    }
}

void rig_settle(struct rig *rig)
{
    for (unsigned i = 0; i < RIG_DRIVES_MAX; i++) {
        if (rig_has_drive(rig, i)) {
            fake_drive_hold(rig->device, i, false);
        }
    }
    fake_run(rig->fake);
}

uint8_t *rig_save(struct rig *rig, size_t *size)
{
    *size = device_state_size(rig->device);

    uint8_t *bytes = malloc(*size);

    if (device_save(rig->device, bytes, *size) != *size) {
        fake_bug("a device does not save what its table says");
    }
    return bytes;
}

void rig_state_seal(uint8_t *bytes, size_t size)
{
    static uint32_t table[256];
    uint32_t crc = 0xffffffff;

    for (uint32_t i = 0; table[255] == 0 && i < 256; i++) {
        table[i] = i;
        for (unsigned bit = 0; bit < 8; bit++) {
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82f63b78 : 0);
        }
    }
    for (size_t i = HEADER_SIZE; i < size; i++) {
        crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
    }
    store_le32(bytes + CHECKSUM_AT, ~crc);
}
