/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory map, boot order, sleep states. See files.h. */
#include "files.h"

#include <string.h>

#include "bytes.h"

enum {
    E820_RAM = 1,
    E820_RESERVED = 2,
    KVM_PAGES_SIZE = 0x4000,

    SLEEP_SUPPORTED = 0x80,
};

#define HYPER_TRANSPORT_BASE UINT64_C(0xfd00000000)
#define HYPER_TRANSPORT_SIZE UINT64_C(0x0300000000)

/* --- Memory map ------------------------------------------------------------------------------- */

static void e820_add(GByteArray *map, uint64_t base, uint64_t size, uint32_t type)
{
    guint8 entry[20];

    store_le64(entry, base);
    store_le64(entry + 8, size);
    store_le32(entry + 16, type);
    g_byte_array_append(map, entry, sizeof(entry));
}

GByteArray *e820_build(const struct boot_board *board)
{
    GByteArray *map = g_byte_array_new();

    e820_add(map, 0, board->ram_low, E820_RAM);
    if (board->ram_high > 0) {
        e820_add(map, BOOT_RAM_HIGH_BASE, board->ram_high, E820_RAM);
    }
    e820_add(map, BOOT_KVM_PAGES, KVM_PAGES_SIZE, E820_RESERVED);
    if (board->hyper_transport_hole) {
        e820_add(map, HYPER_TRANSPORT_BASE, HYPER_TRANSPORT_SIZE, E820_RESERVED);
    }
    return map;
}

uint64_t boot_ram_low(uint64_t memory)
{
    return memory >= BOOT_ECAM_BASE ? UINT64_C(0x80000000) : memory;
}

/* --- Boot order ------------------------------------------------------------------------------- */

/* A drive's place in the configuration is its port on the AHCI controller 00:1f.2, or its slot on
 * bus 0; what can come and go is alone behind a root port. */
static void add_drive(GString *order, const OrielConfig *config, const OrielDrive *drive)
{
    guint place = 0, slot;
    g_autofree char *bridge = drive->port > 0
                                  ? g_strdup_printf("/pci-bridge@%x%s%.0u", BOOT_PORTS_SLOT,
                                                    drive->port > 1 ? "," : "", drive->port - 1)
                                  : g_strdup("");

    while (place < config->drives->len && config->drives->pdata[place] != drive) {
        place++;
    }
    slot = drive->port > 0 ? 0 : BOOT_DRIVE_SLOT + place;
    switch (drive->controller) {
    case ORIEL_CONTROLLER_AHCI:
        g_string_append_printf(order, "/pci@i0cf8/pci8086,2922@1f,2/drive@%x/disk@0\n", place);
        break;
    case ORIEL_CONTROLLER_VIRTIO:
        g_string_append_printf(order, "/pci@i0cf8%s/scsi@%x/disk@0,0\n", bridge, slot);
        break;
    case ORIEL_CONTROLLER_NVME: /* OVMF knows the class by this pair only, whatever the device's */
        g_string_append_printf(order, "/pci@i0cf8%s/pci8086,5845@%x/namespace@1,0\n", bridge, slot);
        break;
    }
}

GByteArray *boot_order_build(const OrielConfig *config, const char *kernel_rom)
{
    GString *order = g_string_new(NULL);
    g_auto(GStrv) named = g_strsplit(config->boot_order != NULL ? config->boot_order : "", ",", -1);
    gsize length;
    guint8 *bytes;

    if (kernel_rom != NULL) {
        g_string_append_printf(order, "/rom@%s\n", kernel_rom);
    }
    for (char **id = named; *id != NULL; id++) {
        add_drive(order, config, oriel_config_find_drive(config, *id));
    }
    for (int kind = ORIEL_DRIVE_DISK; kind <= ORIEL_DRIVE_CDROM; kind++) {
        for (guint i = 0; i < config->drives->len; i++) {
            const OrielDrive *drive = config->drives->pdata[i];

            if ((int)drive->kind == kind &&
                !g_strv_contains((const char *const *)named, drive->id)) {
                add_drive(order, config, drive);
            }
        }
    }
    if (order->len > 0) {
        g_string_truncate(order, order->len - 1); /* lines are separated, not ended */
    }
    length = order->len + 1;
    bytes = (guint8 *)g_string_free(order, FALSE);
    return g_byte_array_new_take(bytes, length);
}

/* --- Sleep states, identifiers ---------------------------------------------------------------- */

void system_states_build(guint8 states[SYSTEM_STATES_SIZE], bool suspend)
{
    memset(states, 0, SYSTEM_STATES_SIZE);
    states[0] = SLEEP_SUPPORTED;
    states[3] = (guint8)((suspend ? SLEEP_SUPPORTED : 0) | BOOT_SLEEP_TYPE_S3);
    states[4] = SLEEP_SUPPORTED | BOOT_SLEEP_TYPE_S4;
    states[5] = SLEEP_SUPPORTED | BOOT_SLEEP_TYPE_S5;
}

void uuid_to_bytes(const char *text, guint8 bytes[16])
{
    for (unsigned i = 0; i < 16; i++) {
        text += *text == '-';
        bytes[i] = (guint8)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
        text += 2;
    }
}

void uuid_to_guid(const char *text, guint8 guid[16])
{
    guint8 bytes[16];

    uuid_to_bytes(text, bytes);
    memcpy(guid, bytes, 16);
    store_le32(guid, load_be32(bytes));
    store_le16(guid + 4, load_be16(bytes + 4));
    store_le16(guid + 6, load_be16(bytes + 6));
}
