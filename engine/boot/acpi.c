/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Putting the tables together, and the script with which firmware links them. See acpi.h.
 *
 * Addresses are known only to the firmware, so a field that holds one is stored as an offset into
 * the blob it points to, and the script adds the blob's address. Tables with such fields get their
 * checksum from the script, all others have it already. Every table is pointed to once, by the RSDT
 * or the FADT, because that is how OVMF finds them. Records are 128 bytes; zero ones are skipped.
 */
#include "acpi.h"

#include <string.h>

#include "bytes.h"

enum {
    RECORD_SIZE = 128,
    NAME_SIZE = 56,
    ALLOCATE = 1,
    ADD_POINTER = 2,
    ADD_CHECKSUM = 3,
    WRITE_POINTER = 4,
    ZONE_HIGH = 1,
    ZONE_F_SEGMENT = 2,

    TABLES_ALIGNMENT = 64, /* of the FACS, which comes first */
    RSDP_ALIGNMENT = 16,
    TABLE_CHECKSUM = 9,
    RSDP_CHECKSUM = 8,
    RSDP_RSDT = 16,
    ROOT_TABLES_MAX = 6, /* in the RSDT */
};

/* --- The loader's script ---------------------------------------------------------------------- */

struct script {
    uint8_t *next, *end;
};

static uint8_t *record(struct script *script, uint32_t command, const char *name)
{
    uint8_t *r = script->next;

    g_assert(script->next < script->end && strlen(name) < NAME_SIZE);
    script->next += RECORD_SIZE;
    store_le32(r, command);
    strcpy((char *)r + 4, name);
    return r + 4 + NAME_SIZE;
}

static void allocate(struct script *script, const char *file, uint32_t alignment, uint8_t zone)
{
    uint8_t *r = record(script, ALLOCATE, file);

    store_le32(r, alignment);
    r[4] = zone;
}

/* Adds the address of `target` to the `size` bytes at `offset` of `file`. */
static void add_pointer(struct script *script, const char *file, const char *target, size_t offset,
                        uint8_t size)
{
    uint8_t *r = record(script, ADD_POINTER, file);

    strcpy((char *)r, target);
    store_le32(r + NAME_SIZE, (uint32_t)offset);
    r[NAME_SIZE + 4] = size;
}

static void add_checksum(struct script *script, const char *file, size_t at, size_t start,
                         size_t length)
{
    uint8_t *r = record(script, ADD_CHECKSUM, file);

    store_le32(r, (uint32_t)at);
    store_le32(r + 4, (uint32_t)start);
    store_le32(r + 8, (uint32_t)length);
}

/* Tells the host, through a writable file, where `target` has come to lie. */
static void write_pointer(struct script *script, const char *file, const char *target, uint8_t size)
{
    uint8_t *r = record(script, WRITE_POINTER, file);

    strcpy((char *)r, target);
    r[NAME_SIZE + 8] = size;
}

/* A table gets its checksum after its pointers; until then the byte is zero. */
static void table_checksum(struct script *script, GByteArray *tables, size_t table)
{
    tables->data[table + TABLE_CHECKSUM] = 0;
    add_checksum(script, ACPI_TABLES_FILE, table + TABLE_CHECKSUM, table,
                 load_le32(tables->data + table + 4));
}

/* --- Tables and their links ------------------------------------------------------------------- */

static void link_fadt(struct script *script, GByteArray *tables, size_t fadt, size_t facs,
                      size_t dsdt)
{
    store_le32(tables->data + fadt + FADT_FACS, (uint32_t)facs);
    store_le32(tables->data + fadt + FADT_DSDT, (uint32_t)dsdt);
    store_le64(tables->data + fadt + FADT_X_DSDT, dsdt);
    add_pointer(script, ACPI_TABLES_FILE, ACPI_TABLES_FILE, fadt + FADT_FACS, 4);
    add_pointer(script, ACPI_TABLES_FILE, ACPI_TABLES_FILE, fadt + FADT_DSDT, 4);
    add_pointer(script, ACPI_TABLES_FILE, ACPI_TABLES_FILE, fadt + FADT_X_DSDT, 8);
    table_checksum(script, tables, fadt);
}

static void link_rsdt(struct script *script, GByteArray *tables, size_t rsdt, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        add_pointer(script, ACPI_TABLES_FILE, ACPI_TABLES_FILE, rsdt + ACPI_HEADER_SIZE + 4 * i, 4);
    }
    table_checksum(script, tables, rsdt);
}

static void build_rsdp(struct script *script, uint8_t *rsdp, size_t rsdt)
{
    memset(rsdp, 0, ACPI_RSDP_SIZE);
    memcpy(rsdp, "RSD PTR ", 8);
    memcpy(rsdp + 9, "ORIEL ", 6);
    store_le32(rsdp + RSDP_RSDT, (uint32_t)rsdt);
    add_pointer(script, ACPI_RSDP_FILE, ACPI_TABLES_FILE, RSDP_RSDT, 4);
    add_checksum(script, ACPI_RSDP_FILE, RSDP_CHECKSUM, 0, ACPI_RSDP_SIZE);
}

/* The FADT is the first of the RSDT's tables. */
static unsigned build_root_tables(GByteArray *tables, const struct boot_board *board,
                                  size_t root[ROOT_TABLES_MAX])
{
    unsigned n = 0;

    root[n++] = acpi_fadt(tables, board);
    root[n++] = acpi_madt(tables, board);
    root[n++] = acpi_hpet(tables);
    root[n++] = acpi_mcfg(tables);
    root[n++] = acpi_waet(tables);
    return n;
}

static size_t build_generation(struct script *script, GByteArray *tables)
{
    size_t address, table = acpi_generation(tables, &address);

    allocate(script, GENERATION_FILE, GENERATION_PAGE_SIZE, ZONE_HIGH);
    add_pointer(script, ACPI_TABLES_FILE, GENERATION_FILE, address, 4);
    table_checksum(script, tables, table);
    write_pointer(script, GENERATION_ADDRESS, GENERATION_FILE, GENERATION_ADDRESS_SIZE);
    return table;
}

void acpi_build(struct acpi_blobs *blobs, const struct boot_board *board,
                const struct acpi_window *window64)
{
    g_autoptr(GByteArray) tables = g_byte_array_new();
    struct script script = { blobs->loader, blobs->loader + sizeof(blobs->loader) };
    size_t facs, dsdt, rsdt, root[ROOT_TABLES_MAX];
    unsigned n;
    guint8 entry[4];

    memset(blobs->loader, 0, sizeof(blobs->loader));
    allocate(&script, ACPI_RSDP_FILE, RSDP_ALIGNMENT, ZONE_F_SEGMENT);
    allocate(&script, ACPI_TABLES_FILE, TABLES_ALIGNMENT, ZONE_HIGH);
    facs = acpi_facs(tables);
    dsdt = acpi_dsdt(tables, board, window64);
    n = build_root_tables(tables, board, root);
    if (board->generation_page != NULL) {
        root[n++] = build_generation(&script, tables);
    }
    rsdt = acpi_table_begin(tables, "RSDT", 1);
    for (unsigned i = 0; i < n; i++) {
        store_le32(entry, (uint32_t)root[i]);
        g_byte_array_append(tables, entry, sizeof(entry));
    }
    acpi_table_end(tables, rsdt);
    link_fadt(&script, tables, root[0], facs, dsdt);
    link_rsdt(&script, tables, rsdt, n);
    build_rsdp(&script, blobs->rsdp, rsdt);

    g_assert(tables->len <= sizeof(blobs->tables));
    memset(blobs->tables, 0, sizeof(blobs->tables));
    memcpy(blobs->tables, tables->data, tables->len);
}
