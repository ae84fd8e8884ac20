/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small firmware that runs the script of the ACPI table loader: allocates, links, sums up, and
 * tells the host; and the way from the RSDP to its tables. */
#ifndef TESTS_ACPI_FIRMWARE_H
#define TESTS_ACPI_FIRMWARE_H

#include "boot/acpi.h"
#include "bytes.h"

enum { FUNCTIONS_MAX = 8 };

/* Configuration space of a few functions; the rest is absent. */
struct fake_pci {
    unsigned n;
    unsigned bdf[FUNCTIONS_MAX];
    uint8_t config[FUNCTIONS_MAX][64];
    unsigned reads;
};

struct file {
    const char *name;
    uint8_t *bytes; /* as in fw_cfg */
    size_t size;
    uint8_t *memory; /* as placed */
    uint64_t address;
};

struct firmware {
    struct acpi_blobs blobs;
    uint8_t page[GENERATION_PAGE_SIZE], page_address[GENERATION_ADDRESS_SIZE];
    struct file files[4];
    uint64_t next_high, next_low;
    unsigned counts[5];
};

/* A function in configuration space; its 64 bytes. */
uint8_t *fake_function(struct fake_pci *pci, unsigned bdf, uint8_t header);
extern uint32_t apic_ids[255]; /* of the board that was made last; a test may change them */
/* A board with that many CPUs and bytes of RAM. */
struct boot_board board_of(unsigned cpus, uint64_t memory, struct fake_pci *pci);
/* Tables for the board, placed and linked as their loader says. firmware_free(). */
struct firmware *firmware_run(const struct boot_board *board);
void firmware_free(struct firmware *f);
/* What was placed at an address, that much of it at least. */
const uint8_t *at_address(struct firmware *f, uint64_t address, size_t length);
const uint8_t *table_at(struct firmware *f, uint64_t address);
const uint8_t *rsdt_of(struct firmware *f);
/* The table of that signature, as the RSDT leads to it. */
const uint8_t *table(struct firmware *f, const char *signature);
/* The n-th entry of a type in the MADT, or NULL. */
const uint8_t *madt_entry(const uint8_t *madt, uint8_t type, unsigned n);
bool contains(const uint8_t *bytes, size_t length, const void *what, size_t n);

#endif
