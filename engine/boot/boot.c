/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preparing a machine's start and filling fw_cfg. See boot.h.
 *
 * Everything given to fw_cfg is owned by `struct boot` until it is freed, because the device does
 * not copy.
 */
#include "boot.h"

#include <errno.h>
#include <string.h>

#include "acpi.h"
#include "bytes.h"
#include "files.h"
#include "firmware.h"
#include "fw_cfg.h"
#include "kernel.h"
#include "smbios.h"

enum {
    KEY_ACPI_TABLES = FW_CFG_ARCH_LOCAL, /* of firmware from before files: none */
    KEY_SMBIOS_ENTRIES = FW_CFG_ARCH_LOCAL + 1,
    KEY_IRQ0_OVERRIDE = FW_CFG_ARCH_LOCAL + 2,
    KEY_E820 = FW_CFG_ARCH_LOCAL + 3,

    MENU_WAIT_MS = 5000,
};

struct boot {
    OrielConfig *config;
    struct firmware firmware;
    struct kernel kernel;
    struct boot_board board;
    uint32_t apic_ids[CONFIG_CPUS_MAX];
    GPtrArray *contents; /* GBytes that fw_cfg refers to */
    struct device *fw_cfg;
    struct acpi_blobs acpi;
    uint8_t generation_page[GENERATION_PAGE_SIZE];
    uint8_t generation_address[GENERATION_ADDRESS_SIZE]; /* written by the firmware */
};

/* --- Giving bytes to fw_cfg ------------------------------------------------------------------- */

/* Takes `bytes`. */
static void set_key(struct boot *boot, uint16_t key, GBytes *bytes)
{
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);

    g_ptr_array_add(boot->contents, bytes);
    fw_cfg_set_key(boot->fw_cfg, key, data, (uint32_t)size);
}

static void set_number(struct boot *boot, uint16_t key, unsigned size, uint64_t value)
{
    guint8 bytes[8];

    store_le64(bytes, value);
    set_key(boot, key, g_bytes_new(bytes, size));
}

/* `bytes` stay where they are. The number of files is ours and small, so there is room. */
static void set_file_at(struct boot *boot, const char *name, void *bytes, size_t size,
                        bool writable)
{
    int result = fw_cfg_set_file(boot->fw_cfg, name, bytes, (uint32_t)size, writable);

    g_assert(result == 0);
}

/* Takes `bytes`. */
static void set_file(struct boot *boot, const char *name, GBytes *bytes)
{
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);

    g_ptr_array_add(boot->contents, bytes);
    set_file_at(boot, name, (void *)data, size, false);
}

static void set_file_number(struct boot *boot, const char *name, unsigned size, uint64_t value)
{
    guint8 bytes[8];

    store_le64(bytes, value);
    set_file(boot, name, g_bytes_new(bytes, size));
}

/* --- Contents --------------------------------------------------------------------------------- */

static void install_keys(struct boot *boot)
{
    const struct boot_board *board = &boot->board;
    uint32_t highest = 0;
    guint8 uuid[16];

    for (unsigned i = 0; i < board->n_cpus; i++) {
        highest = MAX(highest, board->apic_ids[i]);
    }
    uuid_to_bytes(boot->config->uuid, uuid);
    set_key(boot, FW_CFG_UUID, g_bytes_new(uuid, sizeof(uuid)));
    set_number(boot, FW_CFG_RAM_SIZE, 8, board->ram_low + board->ram_high);
    set_number(boot, FW_CFG_NOGRAPHIC, 2, 0);
    set_number(boot, FW_CFG_NB_CPUS, 2, board->n_cpus);
    set_number(boot, FW_CFG_MAX_CPUS, 2, highest + 1);
    set_number(boot, FW_CFG_NUMA, 8, 0);
    set_number(boot, FW_CFG_BOOT_MENU, 2, boot->config->boot_menu);
    set_number(boot, KEY_ACPI_TABLES, 2, 0);
    set_number(boot, KEY_SMBIOS_ENTRIES, 2, 0);
    set_number(boot, KEY_IRQ0_OVERRIDE, 4, 1); /* ISA interrupt 0 is IOAPIC input 2 */
    set_number(boot, KEY_E820, 4, 0);
}

/* UEFI needs none: it finds the kernel in fw_cfg by itself, before any boot device. */
static const char *kernel_rom_name(const struct boot *boot)
{
    return boot->kernel.image != NULL && boot->config->firmware == ORIEL_FIRMWARE_BIOS
               ? "genroms/linux.rom"
               : NULL;
}

static void install_files(struct boot *boot)
{
    guint8 states[SYSTEM_STATES_SIZE];

    system_states_build(states, boot->board.suspend);
    set_file(boot, "etc/e820", g_byte_array_free_to_bytes(e820_build(&boot->board)));
    set_file(boot, "etc/system-states", g_bytes_new(states, sizeof(states)));
    set_file(boot, "bootorder",
             g_byte_array_free_to_bytes(boot_order_build(boot->config, kernel_rom_name(boot))));
    /* A machine with nothing to boot waits for a medium instead of restarting for ever. */
    set_file_number(boot, "etc/boot-fail-wait", 4, UINT32_MAX);
    if (boot->config->boot_menu) {
        set_file_number(boot, "etc/boot-menu-wait", 2, MENU_WAIT_MS);
    }
    if (boot->firmware.video_rom != NULL) {
        set_file(boot,
                 boot->config->video == ORIEL_VIDEO_VIRTIO_GPU ? "pci1af4,1050.rom"
                                                               : "pci1234,1111.rom",
                 g_bytes_ref(boot->firmware.video_rom));
    }
}

static void install_smbios(struct boot *boot)
{
    guint8 anchor[SMBIOS_ANCHOR_SIZE];
    GByteArray *tables = smbios_build(&boot->board, boot->config->uuid, anchor);

    set_file(boot, "etc/smbios/smbios-tables", g_byte_array_free_to_bytes(tables));
    set_file(boot, "etc/smbios/smbios-anchor", g_bytes_new(anchor, sizeof(anchor)));
}

/* Where a part lies, how large it is, its bytes. Takes `bytes`. */
static void set_part(struct boot *boot, const uint16_t keys[3], uint64_t address, GBytes *bytes)
{
    set_number(boot, keys[0], 4, address);
    set_number(boot, keys[1], 4, g_bytes_get_size(bytes));
    set_key(boot, keys[2], bytes);
}

/*
 * A BIOS' option ROM enters the kernel as a boot loader would, so the loader's fields are filled
 * in. UEFI starts the image as a program, from the bytes of the file as they are.
 */
static void install_kernel(struct boot *boot)
{
    static const uint16_t setup_keys[] = { FW_CFG_SETUP_ADDR, FW_CFG_SETUP_SIZE,
                                           FW_CFG_SETUP_DATA };
    static const uint16_t code_keys[] = { FW_CFG_KERNEL_ADDR, FW_CFG_KERNEL_SIZE,
                                          FW_CFG_KERNEL_DATA };
    static const uint16_t initrd_keys[] = { FW_CFG_INITRD_ADDR, FW_CFG_INITRD_SIZE,
                                            FW_CFG_INITRD_DATA };
    static const uint16_t command_line_keys[] = { FW_CFG_CMDLINE_ADDR, FW_CFG_CMDLINE_SIZE,
                                                  FW_CFG_CMDLINE_DATA };
    const struct kernel *kernel = &boot->kernel;
    const char *rom = kernel_rom_name(boot);

    if (kernel->image == NULL) {
        return;
    }
    set_part(boot, setup_keys, KERNEL_SETUP_ADDRESS,
             rom != NULL ? g_bytes_ref(kernel->setup)
                         : g_bytes_new_from_bytes(kernel->image, 0, kernel->header.setup_size));
    set_part(
        boot, code_keys, KERNEL_CODE_ADDRESS,
        g_bytes_new_from_bytes(kernel->image, kernel->header.setup_size, kernel->header.code_size));
    set_part(boot, command_line_keys, KERNEL_COMMAND_LINE_ADDRESS,
             g_bytes_ref(kernel->command_line));
    if (kernel->initrd != NULL) {
        set_part(boot, initrd_keys, kernel->initrd_address, g_bytes_ref(kernel->initrd));
    }
    if (rom != NULL) {
        set_file(boot, rom, kernel_rom());
    }
}

/* --- ACPI ------------------------------------------------------------------------------------- */

static void build_acpi(struct boot *boot)
{
    struct acpi_window window;

    pci_window64(&boot->board, &window);
    acpi_build(&boot->acpi, &boot->board, &window);
}

/* The firmware asks for the tables once it has set up PCI, so now the windows are known. */
static void on_file(void *context, const char *name, bool written)
{
    struct boot *boot = context;

    if (written && strcmp(name, GENERATION_ADDRESS) == 0) {
        if (boot->board.generation_page) {
            boot->board.generation_page(boot->board.context, load_le64(boot->generation_address));
        }
    } else if (!written &&
               (strcmp(name, ACPI_LOADER_FILE) == 0 || strcmp(name, ACPI_TABLES_FILE) == 0)) {
        build_acpi(boot);
    }
}

static void install_acpi(struct boot *boot)
{
    set_file_at(boot, ACPI_TABLES_FILE, boot->acpi.tables, sizeof(boot->acpi.tables), false);
    set_file_at(boot, ACPI_RSDP_FILE, boot->acpi.rsdp, sizeof(boot->acpi.rsdp), false);
    set_file_at(boot, ACPI_LOADER_FILE, boot->acpi.loader, sizeof(boot->acpi.loader), false);
    if (boot->board.generation_page != NULL) {
        uuid_to_guid(boot->config->generation_id, boot->generation_page + GENERATION_OFFSET);
        set_file_at(boot, GENERATION_FILE, boot->generation_page, sizeof(boot->generation_page),
                    false);
        set_file_at(boot, GENERATION_ADDRESS, boot->generation_address,
                    sizeof(boot->generation_address), true);
    }
    fw_cfg_set_hook(boot->fw_cfg, on_file, boot);
}

/* --- Public ----------------------------------------------------------------------------------- */

struct boot *boot_prepare(const OrielConfig *config, const char *folder, GError **error)
{
    struct boot *boot = g_new0(struct boot, 1);

    boot->config = oriel_config_copy(config);
    boot->contents = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    if (!kernel_load(&boot->kernel, config, boot_ram_low(config->memory), error) ||
        !firmware_load(&boot->firmware, config, folder, error)) {
        boot_free(boot);
        return NULL;
    }
    return boot;
}

void boot_free(struct boot *boot)
{
    if (boot == NULL) {
        return;
    }
    firmware_clear(&boot->firmware);
    kernel_clear(&boot->kernel);
    g_ptr_array_unref(boot->contents);
    oriel_config_free(boot->config);
    g_free(boot);
}

const void *boot_firmware(const struct boot *boot, size_t *size)
{
    return g_bytes_get_data(boot->firmware.image, size);
}

void *boot_firmware_bytes(struct boot *boot, size_t *size)
{
    return (void *)boot_firmware(boot, size); /* ours alone: read_whole() made it */
}

const char *boot_variables(const struct boot *boot, size_t *size)
{
    *size = boot->firmware.variables_size;
    return boot->firmware.variables;
}

void boot_install(struct boot *boot, const struct boot_board *board, struct device *fw_cfg)
{
    g_assert(board->ram_low == boot_ram_low(boot->config->memory));
    g_assert(board->n_cpus >= 1 && board->n_cpus <= CONFIG_CPUS_MAX);
    g_assert(board->n_root_ports <= BOOT_ROOT_PORTS_MAX);
    boot->board = *board;
    memcpy(boot->apic_ids, board->apic_ids, board->n_cpus * sizeof(boot->apic_ids[0]));
    boot->board.apic_ids = boot->apic_ids;
    boot->fw_cfg = fw_cfg;
    install_keys(boot);
    install_files(boot);
    install_smbios(boot);
    install_kernel(boot);
    install_acpi(boot);
}

void boot_reset(struct boot *boot)
{
    memset(boot->generation_address, 0, sizeof(boot->generation_address));
}

uint64_t boot_save(const struct boot *boot)
{
    return load_le64(boot->generation_address);
}

void boot_restore(struct boot *boot, uint64_t saved)
{
    store_le64(boot->generation_address, saved);
    build_acpi(boot); /* the firmware may be in the middle of reading it */
}

void boot_cmos(const struct boot *boot, const struct boot_board *board,
               void (*set)(void *context, uint8_t index, uint8_t value), void *context)
{
    const char *order = boot->config->boot_order;
    g_auto(GStrv) ids = g_strsplit(order != NULL ? order : "", ",", 2);
    const OrielDrive *first = ids[0] != NULL ? oriel_config_find_drive(boot->config, ids[0]) : NULL;

    cmos_build(board, first != NULL && first->kind == ORIEL_DRIVE_CDROM, set, context);
}
