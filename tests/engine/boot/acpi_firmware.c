/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See acpi_firmware.h. */
#include "acpi_firmware.h"

#include <glib.h>

#include "test.h"

/* --- A board ---------------------------------------------------------------------------------- */

static uint32_t fake_pci_read(void *context, unsigned bdf, unsigned offset, unsigned size)
{
    struct fake_pci *pci = context;

    pci->reads++;
    CHECK(offset + size <= 64 && bdf < 0x10000);
    for (unsigned i = 0; i < pci->n; i++) {
        if (pci->bdf[i] == bdf) {
            return (uint32_t)load_le(pci->config[i] + offset, size);
        }
    }
    return (uint32_t)ones(size);
}

uint8_t *fake_function(struct fake_pci *pci, unsigned bdf, uint8_t header)
{
    uint8_t *config = pci->config[pci->n];

    pci->bdf[pci->n++] = bdf;
    store_le32(config, 0x29c08086);
    config[0x0e] = header;
    return config;
}

/* Only says that there is such a device; the tables do not call it. */
static void fake_generation_page(void *context, uint64_t gpa)
{
    test_fail(__FILE__, __LINE__, "called");
}

uint32_t apic_ids[255];

struct boot_board board_of(unsigned cpus, uint64_t memory, struct fake_pci *pci)
{
    uint64_t low = boot_ram_low(memory);

    for (unsigned i = 0; i < 255; i++) {
        apic_ids[i] = i;
    }
    return (struct boot_board){
        .n_cpus = cpus,
        .apic_ids = apic_ids,
        .ram_low = low,
        .ram_high = memory - low,
        .n_serials = 2,
        .n_root_ports = 2,
        .root_ports = { 0x10, 0x19 },
        .physical_bits = 48,
        .pci_read = fake_pci_read,
        .generation_page = fake_generation_page,
        .context = pci,
    };
}

/* --- The small firmware ----------------------------------------------------------------------- */

static struct file *find_file(struct firmware *f, const uint8_t *name)
{
    CHECK(memchr(name, 0, 56) != NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(f->files); i++) {
        if (strcmp(f->files[i].name, (const char *)name) == 0) {
            return &f->files[i];
        }
    }
    test_fail(__FILE__, __LINE__, "no file %s", name);
}

static struct file *placed(struct firmware *f, const uint8_t *name)
{
    struct file *file = find_file(f, name);

    CHECK(file->memory != NULL);
    return file;
}

static void run_allocate(struct firmware *f, const uint8_t *r)
{
    struct file *file = find_file(f, r);
    uint32_t alignment = load_le32(r + 56);
    uint64_t *next = r[60] == 2 ? &f->next_low : &f->next_high;

    CHECK(r[60] == 1 || r[60] == 2);
    CHECK(alignment != 0 && (alignment & (alignment - 1)) == 0);
    CHECK(file->memory == NULL);
    *next = (*next + alignment - 1) / alignment * alignment;
    file->address = *next;
    *next += file->size;
    file->memory = g_memdup2(file->bytes, file->size);
}

static void run_script(struct firmware *f)
{
    for (size_t at = 0; at < sizeof(f->blobs.loader); at += 128) {
        const uint8_t *r = f->blobs.loader + at;
        uint32_t command = load_le32(r), offset, start, length;
        struct file *file, *target;
        uint8_t sum = 0, size;

        r += 4;
        CHECK(command <= 4);
        f->counts[command]++;
        switch (command) {
        case 1:
            CHECK(find_file(f, r)->memory == NULL);
            run_allocate(f, r);
            break;
        case 2:
            file = placed(f, r);
            target = placed(f, r + 56);
            offset = load_le32(r + 112);
            size = r[116];
            CHECK(size == 4 || size == 8);
            CHECK(offset + size <= file->size);
            CHECK(load_le(file->memory + offset, size) < target->size);
            store_le(file->memory + offset, size,
                     load_le(file->memory + offset, size) + target->address);
            break;
        case 3:
            file = placed(f, r);
            offset = load_le32(r + 56);
            start = load_le32(r + 60);
            length = load_le32(r + 64);
            CHECK(offset >= start && offset < start + length && start + length <= file->size);
            CHECK_EQ(file->memory[offset], 0);
            for (uint32_t i = start; i < start + length; i++) {
                sum = (uint8_t)(sum + file->memory[i]);
            }
            file->memory[offset] = (uint8_t)-sum;
            break;
        case 4:
            target = placed(f, r + 56);
            CHECK_STR((const char *)r, "etc/vmgenid_addr");
            CHECK_EQ(load_le32(r + 112), 0);
            CHECK_EQ(load_le32(r + 116), 0);
            CHECK_EQ(r[120], 8);
            store_le64(f->page_address, target->address);
            break;
        default:
            break;
        }
    }
}

struct firmware *firmware_run(const struct boot_board *board)
{
    struct firmware *f = g_new0(struct firmware, 1);
    struct acpi_window window;

    pci_window64(board, &window);
    memset(&f->blobs, 0xcc, sizeof(f->blobs));
    acpi_build(&f->blobs, board, &window);
    f->files[0] = (struct file){ "etc/acpi/tables", f->blobs.tables, sizeof(f->blobs.tables) };
    f->files[1] = (struct file){ "etc/acpi/rsdp", f->blobs.rsdp, sizeof(f->blobs.rsdp) };
    f->files[2] = (struct file){ "etc/vmgenid_guid", f->page, sizeof(f->page) };
    f->files[3] = (struct file){ "etc/vmgenid_addr", f->page_address, sizeof(f->page_address) };
    f->next_high = 0x7ffe0010;
    f->next_low = 0xf5a04;
    run_script(f);
    return f;
}

void firmware_free(struct firmware *f)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(f->files); i++) {
        g_free(f->files[i].memory);
    }
    g_free(f);
}

/* --- Walking ---------------------------------------------------------------------------------- */

const uint8_t *at_address(struct firmware *f, uint64_t address, size_t length)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(f->files); i++) {
        struct file *file = &f->files[i];

        if (file->memory != NULL && address >= file->address &&
            range_fits(address - file->address, length, file->size)) {
            return file->memory + (address - file->address);
        }
    }
    test_fail(__FILE__, __LINE__, "nothing at %#" PRIx64, address);
}

static void check_sum(const uint8_t *bytes, size_t length)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++) {
        sum = (uint8_t)(sum + bytes[i]);
    }
    CHECK_EQ(sum, 0);
}

const uint8_t *table_at(struct firmware *f, uint64_t address)
{
    const uint8_t *table = at_address(f, address, 36);
    uint32_t length = load_le32(table + 4);

    CHECK(length >= 36);
    at_address(f, address, length);
    check_sum(table, length);
    CHECK(memcmp(table + 10, "ORIEL ", 6) == 0);
    return table;
}

const uint8_t *rsdt_of(struct firmware *f)
{
    const uint8_t *rsdp = f->files[1].memory;

    CHECK(f->files[1].address % 16 == 0 && f->files[1].address < 0x100000);
    CHECK(memcmp(rsdp, "RSD PTR ", 8) == 0);
    CHECK_EQ(rsdp[15], 0);
    check_sum(rsdp, 20);
    return table_at(f, load_le32(rsdp + 16));
}

const uint8_t *table(struct firmware *f, const char *signature)
{
    const uint8_t *rsdt = rsdt_of(f);

    for (uint32_t at = 36; at < load_le32(rsdt + 4); at += 4) {
        const uint8_t *found = table_at(f, load_le32(rsdt + at));

        if (memcmp(found, signature, 4) == 0) {
            return found;
        }
    }
    test_fail(__FILE__, __LINE__, "no table %s", signature);
}

const uint8_t *madt_entry(const uint8_t *madt, uint8_t type, unsigned n)
{
    uint32_t length = load_le32(madt + 4);

    for (uint32_t at = 44; at < length; at += madt[at + 1]) {
        CHECK(madt[at + 1] >= 2 && at + madt[at + 1] <= length);
        if (madt[at] == type && n-- == 0) {
            return madt + at;
        }
    }
    return NULL;
}

bool contains(const uint8_t *bytes, size_t length, const void *what, size_t n)
{
    return memmem(bytes, length, what, n) != NULL;
}
