/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine/boot: SMBIOS structures, taken apart as an operating system does, and dmidecode's opinion.
 */
#include "../test.h"

#include <glib.h>
#include <sys/wait.h>

#include "boot/smbios.h"
#include "bytes.h"

#define UUID "01234567-89ab-cdef-0011-223344556677"

static uint32_t apic_ids[255];

struct table {
    GByteArray *bytes;
    uint8_t anchor[SMBIOS_ANCHOR_SIZE];
};

static struct table build(unsigned cpus, uint64_t memory)
{
    struct boot_board board = {
        .n_cpus = cpus,
        .apic_ids = apic_ids,
        .ram_low = boot_ram_low(memory),
        .ram_high = memory - boot_ram_low(memory),
    };
    struct table table;

    table.bytes = smbios_build(&board, UUID, table.anchor);
    return table;
}

/* Length of a structure with its strings; 0 if it is not whole. */
static size_t structure_size(const uint8_t *p, size_t left)
{
    if (left < 6 || p[1] < 4 || p[1] + 2u > left) {
        return 0;
    }
    for (size_t at = p[1]; at + 1 < left; at++) {
        if (p[at] == 0 && p[at + 1] == 0) {
            return at + 2;
        }
    }
    return 0;
}

/* The n-th structure of a type, or NULL. */
static const uint8_t *find(const struct table *table, uint8_t type, unsigned n)
{
    for (size_t at = 0; at < table->bytes->len;) {
        const uint8_t *p = table->bytes->data + at;
        size_t size = structure_size(p, table->bytes->len - at);

        CHECK(size > 0);
        if (p[0] == type && n-- == 0) {
            return p;
        }
        at += size;
    }
    return NULL;
}

static const char *string(const uint8_t *p, uint8_t number)
{
    const char *text = (const char *)p + p[1];

    CHECK(number > 0);
    while (--number > 0) {
        text += strlen(text) + 1;
    }
    return text;
}

TEST(structures_are_whole_and_numbered_once)
{
    struct table table = build(4, UINT64_C(40) << 30);
    unsigned n = 0, largest = 0;
    g_autoptr(GHashTable) handles = g_hash_table_new(NULL, NULL);
    uint8_t last = 0;

    for (size_t at = 0; at < table.bytes->len; n++) {
        const uint8_t *p = table.bytes->data + at;
        size_t size = structure_size(p, table.bytes->len - at);

        CHECK(size > 0);
        CHECK(g_hash_table_add(handles, GUINT_TO_POINTER(load_le16(p + 2))));
        largest = MAX(largest, (unsigned)size);
        last = p[0];
        at += size;
    }
    CHECK_EQ(last, 127);
    CHECK(memcmp(table.anchor, "_SM_", 4) == 0 && memcmp(table.anchor + 16, "_DMI_", 5) == 0);
    CHECK_EQ(table.anchor[5], 31);
    CHECK_EQ(load_le16(table.anchor + 8), largest);
    CHECK_EQ(load_le16(table.anchor + 22), table.bytes->len);
    CHECK_EQ(load_le16(table.anchor + 28), n);
    g_byte_array_unref(table.bytes);
}

TEST(lengths_are_those_of_version_2_8)
{
    static const uint8_t lengths[][2] = { { 1, 0x1b },  { 3, 0x16 },  { 4, 0x2a },  { 16, 0x17 },
                                          { 17, 0x28 }, { 19, 0x1f }, { 32, 0x0b }, { 127, 4 } };
    struct table table = build(1, 1 << 30);

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        const uint8_t *p = find(&table, lengths[i][0], 0);

        CHECK(p != NULL);
        CHECK_EQ(p[1], lengths[i][1]);
    }
    CHECK(find(&table, 0, 0) == NULL);
    g_byte_array_unref(table.bytes);
}

TEST(the_system_says_who_it_is)
{
    static const uint8_t wire[16] = { 0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd,
                                      0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77 };
    struct table table = build(3, 1 << 30);
    const uint8_t *p = find(&table, 1, 0);

    CHECK_STR(string(p, p[4]), "Oriel");
    CHECK_STR(string(p, p[5]), "Oriel Virtual Machine");
    CHECK_STR(string(p, p[6]), "pc-1");
    CHECK(memcmp(p + 8, wire, 16) == 0);
    p = find(&table, 4, 0);
    CHECK(find(&table, 4, 1) == NULL);
    CHECK(p[0x23] == 3 && p[0x24] == 3 && p[0x25] == 3);
    g_byte_array_unref(table.bytes);
}

TEST(memory_adds_up)
{
    static const uint64_t sizes[] = { 16 << 20,           UINT64_C(2) << 30,  UINT64_C(5) << 30,
                                      UINT64_C(16) << 30, UINT64_C(40) << 30, UINT64_C(1) << 40 };

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        struct table table = build(1, sizes[i]);
        const uint8_t *array = find(&table, 16, 0), *p;
        uint64_t devices = 0, mapped = 0;
        unsigned n;

        for (n = 0; (p = find(&table, 17, n)) != NULL; n++) {
            devices += (uint64_t)load_le16(p + 12) << 20;
            CHECK_EQ(load_le16(p + 4), load_le16(array + 2));
        }
        CHECK_EQ(devices, sizes[i]);
        CHECK_EQ(load_le16(array + 13), n);
        CHECK_EQ(load_le32(array + 7) == 0x80000000 ? load_le64(array + 15)
                                                    : (uint64_t)load_le32(array + 7) << 10,
                 sizes[i]);
        for (n = 0; (p = find(&table, 19, n)) != NULL; n++) {
            mapped += load_le32(p + 4) == UINT32_MAX
                          ? load_le64(p + 23) - load_le64(p + 15) + 1
                          : ((uint64_t)load_le32(p + 8) - load_le32(p + 4) + 1) << 10;
        }
        CHECK_EQ(mapped, sizes[i]);
        CHECK_EQ(n, boot_ram_low(sizes[i]) == sizes[i] ? 1 : 2);
        g_byte_array_unref(table.bytes);
    }
}

/* dmidecode reads a dump: the entry point, with its sums set as firmware does, and the table at 32.
 */
TEST(dmidecode_finds_nothing_wrong)
{
    struct table table = build(4, UINT64_C(40) << 30);
    g_autofree char *program = g_find_program_in_path("dmidecode"), *out = NULL, *err = NULL;
    g_autofree char *path = NULL;
    g_autoptr(GByteArray) dump = g_byte_array_new();
    uint8_t sum = 0;
    int status;

    if (program == NULL) {
        printf("# dmidecode is not installed: left out\n");
        g_byte_array_unref(table.bytes);
        return;
    }
    store_le32(table.anchor + 24, 32);
    for (unsigned i = 16; i < 31; i++) {
        sum = (uint8_t)(sum + table.anchor[i]);
    }
    table.anchor[21] = (uint8_t)-sum;
    sum = 0;
    for (unsigned i = 0; i < 31; i++) {
        sum = (uint8_t)(sum + table.anchor[i]);
    }
    table.anchor[4] = (uint8_t)-sum;
    g_byte_array_append(dump, table.anchor, 31);
    g_byte_array_append(dump, (const guint8 *)"", 1);
    g_byte_array_append(dump, table.bytes->data, table.bytes->len);
    path = g_build_filename(g_get_tmp_dir(), "oriel-smbios.bin", NULL);
    CHECK(g_file_set_contents(path, (const char *)dump->data, dump->len, NULL));
    {
        const char *arguments[] = { program, "--from-dump", path, NULL };

        CHECK(
            g_spawn_sync(NULL, (char **)arguments, NULL, 0, NULL, NULL, &out, &err, &status, NULL));
    }
    remove(path);
    CHECK(status == 0);
    CHECK(strstr(out, "Wrong") == NULL && strstr(out, "BAD") == NULL &&
          strstr(out, "UNSPEC") == NULL && strstr(out, "Invalid") == NULL);
    CHECK(strstr(out, UUID) != NULL && strstr(out, "Size: 16 GB") != NULL);
    g_byte_array_unref(table.bytes);
}

TEST_MAIN(T(structures_are_whole_and_numbered_once), T(lengths_are_those_of_version_2_8),
          T(the_system_says_who_it_is), T(memory_adds_up), T(dmidecode_finds_nothing_wrong))
