/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * engine/boot: the ACPI tables as a guest gets them. A small firmware places them; then
 * they are walked from the RSDP, and the AML is given to iasl where there is one.
 */
#include "test.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <sys/wait.h>

#include "acpi_firmware.h"

/* --- Tests ------------------------------------------------------------------------------------ */

TEST(every_table_is_found_and_sums_to_zero)
{
    struct fake_pci pci = { 0 };
    struct boot_board board = board_of(4, UINT64_C(5) << 30, &pci);
    struct firmware *f = firmware_run(&board);
    static const struct {
        const char *signature;
        uint32_t length; /* 0: any */
    } tables[] = { { "FACP", 268 }, { "APIC", 0 },  { "HPET", 56 },
                   { "MCFG", 60 },  { "WAET", 40 }, { "SSDT", 0 } };

    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        const uint8_t *found = table(f, tables[i].signature);

        CHECK(tables[i].length == 0 || load_le32(found + 4) == tables[i].length);
    }
    CHECK_EQ(load_le32(rsdt_of(f) + 4), 36 + 4 * G_N_ELEMENTS(tables));
    CHECK_EQ(f->counts[1], 3);
    CHECK_EQ(f->counts[4], 1);
    firmware_free(f);
}

TEST(fadt_names_the_hardware)
{
    struct fake_pci pci = { 0 };
    struct boot_board board = board_of(1, 1 << 30, &pci);
    struct firmware *f = firmware_run(&board);
    const uint8_t *fadt = table(f, "FACP");
    const uint8_t *facs = at_address(f, load_le32(fadt + 36), 64);

    CHECK_EQ(fadt[8], 5);
    CHECK_EQ(load_le32(fadt + 36) % 64, 0);
    CHECK(memcmp(facs, "FACS", 4) == 0);
    CHECK_EQ(load_le32(facs + 4), 64);
    CHECK_EQ(facs[32], 1);
    CHECK_EQ(load_le32(fadt + 40), load_le64(fadt + 140));
    CHECK(memcmp(table_at(f, load_le32(fadt + 40)), "DSDT", 4) == 0);
    CHECK_EQ(load_le64(fadt + 132), 0);
    CHECK_EQ(load_le16(fadt + 46), 9);
    CHECK_EQ(load_le32(fadt + 48), 0); /* no SMI command: ACPI is on from the start */
    CHECK_EQ(load_le32(fadt + 56), 0x600);
    CHECK_EQ(load_le32(fadt + 64), 0x604);
    CHECK_EQ(load_le32(fadt + 76), 0x608);
    CHECK_EQ(load_le32(fadt + 80), 0x620);
    CHECK_EQ(fadt[88], 4);
    CHECK_EQ(fadt[89], 2);
    CHECK_EQ(fadt[91], 4);
    CHECK_EQ(fadt[92], 16);
    CHECK_EQ(fadt[108], 0x32);
    CHECK_EQ(load_le16(fadt + 109), 3);
    CHECK_EQ(load_le32(fadt + 112), 0x8425);
    CHECK_EQ(fadt[116], 1);
    CHECK_EQ(load_le64(fadt + 120), 0xcf9);
    CHECK_EQ(fadt[128], 0x0f);
    for (unsigned i = 0; i < 4; i++) { /* both forms of every block agree */
        static const unsigned place[][2] = { { 56, 148 }, { 64, 172 }, { 76, 208 }, { 80, 220 } };
        static const unsigned length[] = { 88, 89, 91, 92 };

        CHECK_EQ(load_le32(fadt + place[i][0]), load_le64(fadt + place[i][1] + 4));
        CHECK_EQ(fadt[length[i]] * 8, fadt[place[i][1] + 1]);
    }
    firmware_free(f);
}

TEST(madt_lists_every_processor)
{
    static const unsigned counts[] = { 1, 2, 4, 8, 9, 255 };

    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        struct fake_pci pci = { 0 };
        struct boot_board board = board_of(counts[i], 1 << 30, &pci);
        struct firmware *f = firmware_run(&board);
        const uint8_t *madt = table(f, "APIC"), *fadt = table(f, "FACP"), *entry;

        for (unsigned cpu = 0; cpu < counts[i]; cpu++) {
            entry = madt_entry(madt, 0, cpu);
            CHECK(entry != NULL);
            CHECK_EQ(entry[2], cpu);
            CHECK_EQ(entry[3], cpu);
            CHECK_EQ(load_le32(entry + 4), 1);
        }
        CHECK(madt_entry(madt, 0, counts[i]) == NULL);
        CHECK(madt_entry(madt, 9, 0) == NULL && madt_entry(madt, 10, 0) == NULL);
        entry = madt_entry(madt, 1, 0);
        CHECK_EQ(load_le32(entry + 4), 0xfec00000);
        entry = madt_entry(madt, 2, 0);
        CHECK(entry[3] == 0 && load_le32(entry + 4) == 2 && load_le16(entry + 8) == 0);
        entry = madt_entry(madt, 2, 2);
        CHECK(entry[3] == 9 && load_le32(entry + 4) == 9 && load_le16(entry + 8) == 0x0d);
        entry = madt_entry(madt, 4, 0);
        CHECK(entry[2] == 0xff && entry[5] == 1);
        CHECK_EQ(load_le32(fadt + 112) >> 18 & 1, counts[i] > 8);
        firmware_free(f);
    }
}

TEST(large_apic_ids_get_x2apic_entries)
{
    struct fake_pci pci = { 0 };
    struct boot_board board = board_of(3, 1 << 30, &pci);
    struct firmware *f;
    const uint8_t *madt, *entry;

    apic_ids[1] = 254;
    apic_ids[2] = 256;
    f = firmware_run(&board);
    madt = table(f, "APIC");
    CHECK_EQ(madt_entry(madt, 0, 1)[3], 254);
    CHECK(madt_entry(madt, 0, 2) == NULL);
    entry = madt_entry(madt, 9, 0);
    CHECK_EQ(load_le32(entry + 4), 256);
    CHECK_EQ(load_le32(entry + 12), 2);
    CHECK(madt_entry(madt, 10, 0) != NULL);
    firmware_free(f);
}

TEST(small_tables_say_where_things_are)
{
    struct fake_pci pci = { 0 };
    struct boot_board board = board_of(1, 1 << 30, &pci);
    struct firmware *f = firmware_run(&board);

    CHECK_EQ(load_le64(table(f, "MCFG") + 44), 0xb0000000);
    CHECK_EQ(table(f, "MCFG")[55], 255);
    CHECK_EQ(load_le32(table(f, "HPET") + 36), 0x8086a201);
    CHECK_EQ(load_le64(table(f, "HPET") + 44), 0xfed00000);
    CHECK_EQ(load_le32(table(f, "WAET") + 36), 2);
    firmware_free(f);
}

TEST(the_generation_page_is_linked_both_ways)
{
    struct fake_pci pci = { 0 };
    struct boot_board board = board_of(1, 1 << 30, &pci);
    struct firmware *f = firmware_run(&board);
    const uint8_t *ssdt = table(f, "SSDT");

    CHECK_EQ(f->files[2].address % 4096, 0);
    CHECK_EQ(load_le64(f->page_address), f->files[2].address);
    /* Name (\VGIA, 0x........) right behind the header */
    CHECK(memcmp(ssdt + 36, "\x08\\VGIA\x0c", 7) == 0);
    CHECK_EQ(load_le32(ssdt + 43), f->files[2].address);
    firmware_free(f);
}

TEST(without_a_generation_id_there_is_no_trace_of_it)
{
    struct fake_pci pci = { 0 };
    struct boot_board board = board_of(1, 1 << 30, &pci);
    struct firmware *f;

    board.generation_page = NULL;
    f = firmware_run(&board);
    CHECK_EQ(f->counts[1], 2);
    CHECK_EQ(f->counts[4], 0);
    CHECK_EQ(load_le32(rsdt_of(f) + 4), 36 + 4 * 5);
    CHECK(!contains(f->blobs.tables, sizeof(f->blobs.tables), "VM_Gen", 6));
    firmware_free(f);
}

TEST(sleep_states_are_those_that_work)
{
    for (unsigned suspend = 0; suspend < 2; suspend++) {
        struct fake_pci pci = { 0 };
        struct boot_board board = board_of(1, 1 << 30, &pci);
        struct firmware *f;
        const uint8_t *dsdt;
        uint32_t length;

        board.suspend = suspend;
        f = firmware_run(&board);
        dsdt = table_at(f, load_le32(table(f, "FACP") + 40));
        length = load_le32(dsdt + 4);
        CHECK_EQ(contains(dsdt, length, "\x08\\_S3_\x12\x06\x04\x01\x01", 11), suspend);
        CHECK(contains(dsdt, length, "\x08\\_S4_\x12\x08\x04\x0a\x02\x0a\x02", 13));
        CHECK(contains(dsdt, length, "\x08\\_S5_\x12\x06\x04\x00\x00\x00\x00", 13));
        firmware_free(f);
    }
}

TEST(same_board_same_bytes_and_sizes_never_change)
{
    struct fake_pci pci = { 0 };
    struct boot_board board = board_of(255, UINT64_C(64) << 30, &pci);
    struct firmware *a, *b;

    board.n_root_ports = BOOT_ROOT_PORTS_MAX;
    for (unsigned i = 0; i < BOOT_ROOT_PORTS_MAX; i++) {
        board.root_ports[i] = (uint8_t)((i + 2) << 3);
    }
    a = firmware_run(&board);
    b = firmware_run(&board);
    CHECK(memcmp(&a->blobs, &b->blobs, sizeof(a->blobs)) == 0);
    firmware_free(a);
    firmware_free(b);
}

/* --- The window above 4 GiB ------------------------------------------------------------------- */

static struct acpi_window window_of(struct fake_pci *pci, uint64_t memory)
{
    struct boot_board board = board_of(1, memory, pci);
    struct acpi_window window;

    pci_window64(&board, &window);
    return window;
}

TEST(without_devices_the_window_follows_ram)
{
    struct fake_pci pci = { 0 };
    struct acpi_window window = window_of(&pci, UINT64_C(5) << 30);

    CHECK_EQ(window.first, UINT64_C(7) << 30);
    CHECK_EQ(window.last, (UINT64_C(39) << 30) - 1);
    window = window_of(&pci, 64 << 20);
    CHECK_EQ(window.first, UINT64_C(4) << 30);
}

TEST(the_window_covers_what_was_placed)
{
    struct fake_pci pci = { 0 };
    uint8_t *config;
    struct acpi_window window;

    config = fake_function(&pci, 0x08, 0); /* a 32-bit BAR does not count, an I/O BAR neither */
    store_le32(config + 0x10, 0xfd000008);
    store_le32(config + 0x14, 0xc001);
    config = fake_function(&pci, 0x18, 0x80);
    store_le32(config + 0x10, 0x0000000c);
    store_le32(config + 0x14, 0x7000);
    config = fake_function(&pci, 0x1b, 0);
    store_le32(config + 0x20, 0x40000004);
    store_le32(config + 0x24, 0x7010);
    config = fake_function(&pci, 0x20, 1); /* a bridge with a window and a device behind it */
    config[0x19] = 5;
    store_le16(config + 0x24, 0x0001);
    store_le16(config + 0x26, 0xfff1);
    store_le32(config + 0x28, 0x7020);
    store_le32(config + 0x2c, 0x7020);
    config = fake_function(&pci, 0x500, 0);
    store_le32(config + 0x10, 0x00000004);
    store_le32(config + 0x14, 0x7018);
    window = window_of(&pci, 1 << 30);
    CHECK_EQ(window.first, UINT64_C(0x700000000000));
    CHECK_EQ(window.last, UINT64_C(0x7020ffffffff));
}

TEST(nonsense_in_configuration_space_does_no_harm)
{
    struct fake_pci pci = { 0 };
    uint8_t *config;
    struct acpi_window window;

    config = fake_function(&pci, 0x08, 0); /* being sized */
    store_le32(config + 0x10, 0xfffff004);
    store_le32(config + 0x14, 0xffffffff);
    store_le32(config + 0x24, 0xffffffff); /* a 64-bit BAR without a second half */
    config = fake_function(&pci, 0x10, 1); /* bridges in a circle, windows the wrong way round */
    config[0x19] = 9;
    store_le16(config + 0x24, 0xfff1);
    store_le16(config + 0x26, 0x0001);
    store_le32(config + 0x28, 0x9);
    store_le32(config + 0x2c, 0x8);
    config = fake_function(&pci, 0x900, 1);
    config[0x19] = 0;
    config = fake_function(&pci, 0x908, 1);
    config[0x19] = 9;
    window = window_of(&pci, UINT64_C(5) << 30);
    CHECK_EQ(window.first, UINT64_C(7) << 30);
    CHECK_EQ(window.last, (UINT64_C(39) << 30) - 1);
    CHECK(pci.reads < 5000);
}

TEST(the_window_ends_where_addresses_end)
{
    struct fake_pci pci = { 0 };
    struct boot_board board = board_of(1, UINT64_C(8) << 30, &pci);
    struct acpi_window window;

    board.physical_bits = 36;
    board.ram_high = UINT64_C(40) << 30;
    pci_window64(&board, &window);
    CHECK_EQ(window.first, UINT64_C(44) << 30);
    CHECK_EQ(window.last, (UINT64_C(64) << 30) - 1);
}

static bool run_program(const char *const *arguments, char **output)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *err = NULL;
    char *out = NULL;
    int status = 0;

    if (!g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err,
                      &status, &error)) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    *output = g_strconcat(out, err, NULL);
    g_free(out);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Disassembles a table and compiles the result again: no errors, no warnings. */
static void check_with_iasl(const char *folder, const char *name, const uint8_t *bytes)
{
    g_autofree char *aml = g_strdup_printf("%s/%s.aml", folder, name);
    g_autofree char *dsl = g_strdup_printf("%s/%s.dsl", folder, name);
    g_autofree char *output = NULL, *recompiled = NULL;
    const char *disassemble[] = { "iasl", "-d", aml, NULL };
    const char *compile[] = { "iasl", "-p", aml, dsl, NULL };

    CHECK(g_file_set_contents(aml, (const char *)bytes, load_le32(bytes + 4), NULL));
    if (!run_program(disassemble, &output)) {
        test_fail(__FILE__, __LINE__, "%s: %s", name, output);
    }
    if (!run_program(compile, &recompiled) || strstr(recompiled, "0 Errors, 0 Warnings") == NULL) {
        test_fail(__FILE__, __LINE__, "%s: %s", name, recompiled);
    }
}

TEST(iasl_understands_every_table)
{
    struct fake_pci pci = { 0 };
    struct boot_board board = board_of(4, UINT64_C(5) << 30, &pci);
    g_autofree char *iasl = g_find_program_in_path("iasl");
    g_autofree char *folder = NULL, *cleanup = NULL;
    struct firmware *f;
    const uint8_t *rsdt;

    if (iasl == NULL) {
        printf("# iasl is not installed: left out\n");
        return;
    }
    folder = g_dir_make_tmp("oriel-acpi-XXXXXX", NULL);
    CHECK(folder != NULL);
    board.suspend = true;
    f = firmware_run(&board);
    rsdt = rsdt_of(f);
    check_with_iasl(folder, "dsdt", table_at(f, load_le32(table(f, "FACP") + 40)));
    for (uint32_t at = 36; at < load_le32(rsdt + 4); at += 4) {
        const uint8_t *found = table_at(f, load_le32(rsdt + at));
        g_autofree char *name = g_strndup((const char *)found, 4);

        check_with_iasl(folder, name, found);
    }
    if (g_getenv("ORIEL_KEEP_TABLES") == NULL) {
        cleanup = g_strdup_printf("rm -rf '%s'", folder);
        CHECK(system(cleanup) == 0);
    } else {
        printf("# tables are in %s\n", folder);
    }
    firmware_free(f);
}

TEST_MAIN(T(every_table_is_found_and_sums_to_zero), T(fadt_names_the_hardware),
          T(madt_lists_every_processor), T(large_apic_ids_get_x2apic_entries),
          T(small_tables_say_where_things_are), T(the_generation_page_is_linked_both_ways),
          T(without_a_generation_id_there_is_no_trace_of_it), T(sleep_states_are_those_that_work),
          T(same_board_same_bytes_and_sizes_never_change),
          T(without_devices_the_window_follows_ram), T(the_window_covers_what_was_placed),
          T(nonsense_in_configuration_space_does_no_harm), T(the_window_ends_where_addresses_end),
          T(iasl_understands_every_table))
