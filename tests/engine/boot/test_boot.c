/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a machine boots from, as its guest reads it through the real fw_cfg and CMOS. */
#include "boot_place.h"
#include "bytes.h"
#include "bzimage.h"
#include "fake_machine.h"
#include "fw_cfg.h"
#include "test.h"

static uint32_t absent(void *context, unsigned bdf, unsigned offset, unsigned size)
{
    ++*(unsigned *)context;
    return (uint32_t)ones(size);
}

static uint64_t page_told;

static void page_at(void *context, uint64_t gpa)
{
    page_told = gpa;
}

struct guest {
    struct fake *machine;
    struct device *fw_cfg;
    struct boot *boot;
    unsigned pci_reads;
    uint8_t directory[4 + 64 * FW_CFG_FILES_MAX];
};

static void read_key(struct guest *guest, uint16_t key, void *bytes, size_t n)
{
    fake_out(guest->machine, 0x510, 2, key);
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)bytes)[i] = (uint8_t)fake_in(guest->machine, 0x511, 1);
    }
}

static uint64_t number(struct guest *guest, uint16_t key, unsigned size)
{
    uint8_t bytes[8];

    read_key(guest, key, bytes, size);
    return load_le(bytes, size);
}

/* A whole file, followed by a zero; NULL if there is none. g_free(). */
static uint8_t *file_of(struct guest *guest, const char *name, uint32_t *size)
{
    for (uint32_t i = 0; i < load_be32(guest->directory); i++) {
        const uint8_t *entry = guest->directory + 4 + 64 * i;

        if (strcmp((const char *)entry + 8, name) == 0) {
            uint8_t *bytes = g_malloc0(load_be32(entry) + 1);

            *size = load_be32(entry);
            read_key(guest, load_be16(entry + 4), bytes, *size);
            return bytes;
        }
    }
    return NULL;
}

static struct guest *guest_new(const struct place *place, unsigned cpus)
{
    static uint32_t apic_ids[255];
    struct guest *guest = g_new0(struct guest, 1);
    uint64_t low = boot_ram_low(place->config->memory);
    struct boot_board board = {
        .n_cpus = cpus,
        .apic_ids = apic_ids,
        .ram_low = low,
        .ram_high = place->config->memory - low,
        .n_serials = 1,
        .physical_bits = 40,
        .pci_read = absent,
        .generation_page = page_at,
        .context = &guest->pci_reads,
    };
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; i < 255; i++) {
        apic_ids[i] = i;
    }
    guest->machine = fake_new(1 << 20);
    guest->fw_cfg = fake_add(guest->machine, "fw-cfg", NULL);
    guest->boot = boot_prepare(place->config, place->machine, &error);
    if (guest->boot == NULL) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    boot_install(guest->boot, &board, guest->fw_cfg);
    memset(apic_ids, 0xff, sizeof(apic_ids)); /* copied */
    read_key(guest, FW_CFG_FILE_DIR, guest->directory, sizeof(guest->directory));
    return guest;
}

static void guest_free(struct guest *guest)
{
    fake_free(guest->machine);
    boot_free(guest->boot);
    g_free(guest);
}

TEST(fixed_keys_describe_the_machine)
{
    struct place place = place_new(ORIEL_FIRMWARE_BIOS);
    struct guest *guest;
    uint8_t uuid[16];

    place.config->memory = UINT64_C(5) << 30;
    place.config->boot_menu = TRUE;
    g_free(place.config->uuid);
    place.config->uuid = g_strdup("01234567-89ab-cdef-0011-223344556677");
    guest = guest_new(&place, 4);
    CHECK_EQ(number(guest, FW_CFG_RAM_SIZE, 8), UINT64_C(5) << 30);
    CHECK_EQ(number(guest, FW_CFG_NB_CPUS, 2), 4);
    CHECK_EQ(number(guest, FW_CFG_MAX_CPUS, 2), 4);
    CHECK_EQ(number(guest, FW_CFG_BOOT_MENU, 2), 1);
    CHECK_EQ(number(guest, FW_CFG_NOGRAPHIC, 2), 0);
    CHECK_EQ(number(guest, FW_CFG_KERNEL_SIZE, 4), 0);
    CHECK_EQ(number(guest, 0x8002, 4), 1);
    read_key(guest, FW_CFG_UUID, uuid, 16);
    CHECK_EQ(load_be32(uuid), 0x01234567);
    CHECK_EQ(uuid[15], 0x77);
    guest_free(guest);
    place_free(&place);
}

TEST(the_memory_map_has_every_byte_once)
{
    static const uint64_t sizes[] = { 64 << 20, UINT64_C(2) << 30, UINT64_C(0xaff00000),
                                      UINT64_C(0xb0000000), UINT64_C(64) << 30 };

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        struct place place = place_new(ORIEL_FIRMWARE_BIOS);
        struct guest *guest;
        uint8_t *map;
        uint32_t size;
        uint64_t ram = 0;

        place.config->memory = sizes[i];
        guest = guest_new(&place, 1);
        map = file_of(guest, "etc/e820", &size);
        CHECK(map != NULL && size % 20 == 0);
        for (uint32_t at = 0; at < size; at += 20) {
            uint64_t base = load_le64(map + at), length = load_le64(map + at + 8);

            if (load_le32(map + at + 16) == 1) {
                ram += length;
                CHECK(base == 0 ? length <= 0xb0000000 : base == UINT64_C(1) << 32);
            } else {
                CHECK_EQ(load_le32(map + at + 16), 2);
            }
        }
        CHECK_EQ(ram, sizes[i]);
        g_free(map);
        guest_free(guest);
        place_free(&place);
    }
}

TEST(boot_order_follows_the_configuration)
{
    struct place place = place_new(ORIEL_FIRMWARE_BIOS);
    struct guest *guest;
    uint32_t size;
    g_autofree uint8_t *usual = NULL, *other = NULL;

    oriel_config_add_drive(place.config, ORIEL_DRIVE_CDROM, NULL, NULL);
    oriel_config_add_drive(place.config, ORIEL_DRIVE_DISK, "disks/a.raw", NULL);
    oriel_config_add_drive(place.config, ORIEL_DRIVE_DISK, "disks/b.raw", NULL);
    guest = guest_new(&place, 1);
    usual = file_of(guest, "bootorder", &size);
    CHECK_STR((char *)usual, "/pci@i0cf8/pci8086,2922@1f,2/drive@1/disk@0\n"
                             "/pci@i0cf8/pci8086,2922@1f,2/drive@2/disk@0\n"
                             "/pci@i0cf8/pci8086,2922@1f,2/drive@0/disk@0");
    CHECK_EQ(size, strlen((char *)usual) + 1);
    guest_free(guest);
    place.config->boot_order = g_strdup("cdrom0,disk1");
    guest = guest_new(&place, 1);
    other = file_of(guest, "bootorder", &size);
    CHECK_STR((char *)other, "/pci@i0cf8/pci8086,2922@1f,2/drive@0/disk@0\n"
                             "/pci@i0cf8/pci8086,2922@1f,2/drive@2/disk@0\n"
                             "/pci@i0cf8/pci8086,2922@1f,2/drive@1/disk@0");
    guest_free(guest);
    g_clear_pointer(&other, g_free);
    ((OrielDrive *)place.config->drives->pdata[2])->controller = ORIEL_CONTROLLER_VIRTIO;
    guest = guest_new(&place, 1);
    other = file_of(guest, "bootorder", &size);
    CHECK_STR((char *)other, "/pci@i0cf8/pci8086,2922@1f,2/drive@0/disk@0\n"
                             "/pci@i0cf8/scsi@12/disk@0,0\n"
                             "/pci@i0cf8/pci8086,2922@1f,2/drive@1/disk@0");
    guest_free(guest);
    g_clear_pointer(&other, g_free);
    ((OrielDrive *)place.config->drives->pdata[2])->controller = ORIEL_CONTROLLER_NVME;
    guest = guest_new(&place, 1);
    other = file_of(guest, "bootorder", &size);
    CHECK_STR((char *)other, "/pci@i0cf8/pci8086,2922@1f,2/drive@0/disk@0\n"
                             "/pci@i0cf8/pci8086,5845@12/namespace@1,0\n"
                             "/pci@i0cf8/pci8086,2922@1f,2/drive@1/disk@0");
    guest_free(guest);
    g_clear_pointer(&other, g_free);
    place.config->hotplug = TRUE;
    ((OrielDrive *)place.config->drives->pdata[2])->port = 3;
    ((OrielDrive *)place.config->drives->pdata[1])->controller = ORIEL_CONTROLLER_VIRTIO;
    ((OrielDrive *)place.config->drives->pdata[1])->port = 1;
    guest = guest_new(&place, 1);
    other = file_of(guest, "bootorder", &size);
    CHECK_STR((char *)other, "/pci@i0cf8/pci8086,2922@1f,2/drive@0/disk@0\n"
                             "/pci@i0cf8/pci-bridge@1c,2/pci8086,5845@0/namespace@1,0\n"
                             "/pci@i0cf8/pci-bridge@1c/scsi@0/disk@0,0");
    guest_free(guest);
    place_free(&place);
}

TEST(files_fit_the_firmware)
{
    for (int firmware = 0; firmware < 2; firmware++) {
        struct place place = place_new((OrielFirmware)firmware);
        struct guest *guest = guest_new(&place, 2);
        uint32_t size;
        g_autofree uint8_t *states = file_of(guest, "etc/system-states", &size);
        g_autofree uint8_t *rom = NULL, *wait = NULL, *anchor = NULL;

        CHECK_EQ(size, 6);
        CHECK(memcmp(states, "\x80\0\0\x01\x82\x80", 6) == 0);
        rom = file_of(guest, "pci1234,1111.rom", &size);
        CHECK_EQ(rom != NULL, firmware == ORIEL_FIRMWARE_BIOS);
        wait = file_of(guest, "etc/boot-menu-wait", &size);
        CHECK(wait == NULL);
        anchor = file_of(guest, "etc/smbios/smbios-anchor", &size);
        CHECK_EQ(size, 31);
        CHECK(memcmp(anchor, "_SM_", 4) == 0);
        guest_free(guest);
        place_free(&place);
    }
}

TEST(tables_are_made_when_the_firmware_asks)
{
    struct place place = place_new(ORIEL_FIRMWARE_BIOS);
    struct guest *guest = guest_new(&place, 2);
    uint32_t size;
    g_autofree uint8_t *script = NULL, *tables = NULL, *again = NULL;
    unsigned reads;

    CHECK_EQ(guest->pci_reads, 0);
    script = file_of(guest, "etc/table-loader", &size);
    CHECK_EQ(load_le32(script), 1);
    CHECK_STR((char *)script + 4, "etc/acpi/rsdp");
    reads = guest->pci_reads;
    CHECK(reads > 0);
    tables = file_of(guest, "etc/acpi/tables", &size);
    CHECK_EQ(size, 64 << 10);
    CHECK(memcmp(tables, "FACS", 4) == 0 && memcmp(tables + 64, "DSDT", 4) == 0);
    again = file_of(guest, "etc/acpi/tables", &size);
    CHECK(memcmp(tables, again, size) == 0);
    guest_free(guest);
    place_free(&place);
}

TEST(the_generation_page_is_told_and_forgotten)
{
    struct place place = place_new(ORIEL_FIRMWARE_BIOS);
    struct guest *guest;
    uint32_t size;
    g_autofree uint8_t *page = NULL, *address = NULL;
    uint8_t *ram;
    uint16_t key = 0;

    g_free(place.config->generation_id);
    place.config->generation_id = g_strdup("01234567-89ab-cdef-0011-223344556677");
    guest = guest_new(&place, 1);
    page = file_of(guest, "etc/vmgenid_guid", &size);
    CHECK_EQ(size, 4096);
    CHECK(memcmp(page + 40, "\x67\x45\x23\x01\xab\x89\xef\xcd\x00\x11\x22\x33\x44\x55\x66\x77",
                 16) == 0);
    for (uint32_t i = 0; i < load_be32(guest->directory); i++) {
        const uint8_t *entry = guest->directory + 4 + 64 * i;

        if (strcmp((const char *)entry + 8, "etc/vmgenid_addr") == 0) {
            key = load_be16(entry + 4);
        }
    }
    CHECK(key != 0);
    ram = fake_ram(guest->machine); /* a descriptor: select, write 8 bytes */
    store_be32(ram + 0x1000, (uint32_t)key << 16 | 0x18);
    store_be32(ram + 0x1004, 8);
    store_be64(ram + 0x1008, 0x2000);
    store_le64(ram + 0x2000, 0x7fff1000);
    page_told = 0;
    fake_out(guest->machine, 0x514, 4, 0);
    fake_out(guest->machine, 0x518, 4, __builtin_bswap32(0x1000));
    CHECK_EQ(load_be32(ram + 0x1000), 0);
    CHECK_EQ(page_told, 0x7fff1000);
    boot_reset(guest->boot);
    address = file_of(guest, "etc/vmgenid_addr", &size);
    CHECK_EQ(load_le64(address), 0);
    guest_free(guest);
    place_free(&place);
}

TEST(a_kernel_is_prepared_for_either_firmware)
{
    static uint8_t image[BZIMAGE_SIZE];

    bzimage_make(image);
    for (int firmware = 0; firmware < 2; firmware++) {
        struct place place = place_new((OrielFirmware)firmware);
        struct guest *guest;
        uint8_t *setup = g_malloc(BZIMAGE_SETUP), *code = g_malloc(BZIMAGE_CODE);
        g_autofree uint8_t *order = NULL, *rom = NULL;
        uint32_t size;
        char line[16], initrd[8] = "";

        put_file(place.root, "vmlinuz", image, sizeof(image));
        put_file(place.root, "initrd", "ramdisk", 7);
        place.config->kernel = g_build_filename(place.root, "vmlinuz", NULL);
        place.config->initrd = g_build_filename(place.root, "initrd", NULL);
        place.config->append = g_strdup("quiet");
        guest = guest_new(&place, 1);
        CHECK_EQ(number(guest, FW_CFG_SETUP_ADDR, 4), 0x10000);
        CHECK_EQ(number(guest, FW_CFG_SETUP_SIZE, 4), BZIMAGE_SETUP);
        CHECK_EQ(number(guest, FW_CFG_KERNEL_ADDR, 4), 0x100000);
        CHECK_EQ(number(guest, FW_CFG_KERNEL_SIZE, 4), BZIMAGE_CODE);
        CHECK_EQ(number(guest, FW_CFG_CMDLINE_ADDR, 4), 0x20000);
        CHECK_EQ(number(guest, FW_CFG_CMDLINE_SIZE, 4), 6);
        CHECK_EQ(number(guest, FW_CFG_INITRD_SIZE, 4), 7);
        read_key(guest, FW_CFG_CMDLINE_DATA, line, 6);
        CHECK_STR(line, "quiet");
        read_key(guest, FW_CFG_INITRD_DATA, initrd, 7);
        CHECK_STR(initrd, "ramdisk");
        read_key(guest, FW_CFG_SETUP_DATA, setup, BZIMAGE_SETUP);
        read_key(guest, FW_CFG_KERNEL_DATA, code, BZIMAGE_CODE);
        CHECK(memcmp(code, image + BZIMAGE_SETUP, BZIMAGE_CODE) == 0);
        order = file_of(guest, "bootorder", &size);
        rom = file_of(guest, "genroms/linux.rom", &size);
        if (firmware == ORIEL_FIRMWARE_BIOS) {
            CHECK_EQ(setup[0x210], 0xff);
            CHECK_STR((char *)order, "/rom@genroms/linux.rom");
            CHECK(rom != NULL && load_le16(rom) == 0xaa55);
        } else { /* signed images stay valid */
            CHECK(memcmp(setup, image, BZIMAGE_SETUP) == 0);
            CHECK_STR((char *)order, "");
            CHECK(rom == NULL);
        }
        g_free(setup);
        g_free(code);
        guest_free(guest);
        place_free(&place);
    }
}

static uint8_t cmos[128];

static void set_cmos(void *context, uint8_t index, uint8_t value)
{
    CHECK(index >= 0x0e && index < 128 && index != 0x32);
    cmos[index] = value;
}

TEST(cmos_describes_memory_and_processors)
{
    struct place place = place_new(ORIEL_FIRMWARE_BIOS);
    struct boot *boot;
    struct boot_board board = { .n_cpus = 4,
                                .ram_low = UINT64_C(2) << 30,
                                .ram_high = UINT64_C(3) << 30 };

    oriel_config_add_drive(place.config, ORIEL_DRIVE_CDROM, NULL, NULL);
    boot = boot_prepare(place.config, place.machine, NULL);
    boot_cmos(boot, &board, set_cmos, NULL);
    CHECK_EQ(load_le16(cmos + 0x15), 640);
    CHECK_EQ(load_le16(cmos + 0x17), 0xffff);
    CHECK_EQ(load_le16(cmos + 0x30), 0xffff);
    CHECK_EQ(load_le16(cmos + 0x34), ((2u << 30) - (16 << 20)) >> 16);
    CHECK_EQ(load_le32(cmos + 0x5b) & 0xffffff, (UINT64_C(3) << 30) >> 16);
    CHECK_EQ(cmos[0x5f], 3);
    CHECK_EQ(cmos[0x3d], 0x32);
    boot_free(boot);
    place.config->boot_order = g_strdup("cdrom0");
    boot = boot_prepare(place.config, place.machine, NULL);
    board.ram_low = 32 << 20;
    board.ram_high = 0;
    boot_cmos(boot, &board, set_cmos, NULL);
    CHECK_EQ(cmos[0x3d], 0x23);
    CHECK_EQ(load_le16(cmos + 0x17), 31 << 10);
    CHECK_EQ(load_le16(cmos + 0x34), 256);
    boot_free(boot);
    place_free(&place);
}

TEST_MAIN(T(fixed_keys_describe_the_machine), T(the_memory_map_has_every_byte_once),
          T(boot_order_follows_the_configuration), T(files_fit_the_firmware),
          T(tables_are_made_when_the_firmware_asks), T(the_generation_page_is_told_and_forgotten),
          T(a_kernel_is_prepared_for_either_firmware), T(cmos_describes_memory_and_processors))
