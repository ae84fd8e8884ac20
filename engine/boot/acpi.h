/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ACPI tables of the machine as three blobs of fixed size for fw_cfg, and the script by which
 * firmware puts them into memory. ACPI 6.4; Interface: "QEMU table loader" (etc/table-loader).
 * Private to engine/boot/.
 */
#ifndef ENGINE_BOOT_ACPI_H
#define ENGINE_BOOT_ACPI_H

#include "boot.h"

#define ACPI_TABLES_FILE   "etc/acpi/tables"
#define ACPI_RSDP_FILE     "etc/acpi/rsdp"
#define ACPI_LOADER_FILE   "etc/table-loader"
#define GENERATION_FILE    "etc/vmgenid_guid"
#define GENERATION_ADDRESS "etc/vmgenid_addr"

enum {
    ACPI_TABLES_SIZE = 64 << 10,
    ACPI_RSDP_SIZE = 20,
    ACPI_LOADER_SIZE = 4096,
    ACPI_HEADER_SIZE = 36,

    GENERATION_PAGE_SIZE = 4096,
    GENERATION_OFFSET = 40, /* of the id in its page */
    GENERATION_ADDRESS_SIZE = 8,
};

/* A range of addresses, last included. */
struct acpi_window {
    uint64_t first, last;
};

struct acpi_blobs {
    uint8_t tables[ACPI_TABLES_SIZE];
    uint8_t rsdp[ACPI_RSDP_SIZE];
    uint8_t loader[ACPI_LOADER_SIZE];
};

/* Builds everything anew. The same board and window give the same bytes. */
void acpi_build(struct acpi_blobs *blobs, const struct boot_board *board,
                const struct acpi_window *window64);

/*
 * The range above RAM that holds what the firmware has placed there: memory BARs and the
 * prefetchable windows of bridges, in whole GiB, at least 32 GiB as far as addresses reach. BARs of
 * up to 1 GiB are covered whole.
 */
void pci_window64(const struct boot_board *board, struct acpi_window *window);

/* --- Parts, for acpi.c ------------------------------------------------------------------------ */

/* Begins a table with its header; returns its place in `tables`. */
size_t acpi_table_begin(GByteArray *tables, const char *signature, uint8_t revision);
/* Sets length and checksum. */
void acpi_table_end(GByteArray *tables, size_t table);

size_t acpi_facs(GByteArray *tables);
size_t acpi_fadt(GByteArray *tables, const struct boot_board *board);
size_t acpi_madt(GByteArray *tables, const struct boot_board *board);
size_t acpi_hpet(GByteArray *tables);
size_t acpi_mcfg(GByteArray *tables);
size_t acpi_waet(GByteArray *tables);
size_t acpi_dsdt(GByteArray *tables, const struct boot_board *board,
                 const struct acpi_window *window64);
/* *address: where the 4-byte address of the generation id's page is to be put. */
size_t acpi_generation(GByteArray *tables, size_t *address);

enum {
    FADT_FACS = 36, /* places of the addresses that the loader fills in */
    FADT_DSDT = 40,
    FADT_X_DSDT = 140,
};

#endif
