/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A writer of ACPI machine language (ACPI 6.4 chapter 20). Terms are appended in the order in which
 * they stand in the byte code: an operator, then its operands. Whatever has a length is opened and
 * closed:
 *
 *     size_t device = aml_device(aml, "RTC_");
 *     aml_name(aml, "_HID");
 *     aml_eisa_id(aml, "PNP0B00");
 *     aml_close(aml, device);
 *
 * Names are given as in ASL ("\\_SB.PCI0", "^PIRQ"); segments shorter than four characters are
 * filled with underscores. All input is the program's own: mistakes are assertions. Private to
 * engine/boot/.
 */
#ifndef ENGINE_BOOT_AML_H
#define ENGINE_BOOT_AML_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum aml_op {
    AML_ZERO = 0x00,
    AML_ONE = 0x01,
    AML_ONES = 0xff,
    AML_LOCAL0 = 0x60,
    AML_ARG0 = 0x68,
    AML_STORE = 0x70,              /* source, target */
    AML_ADD = 0x72,                /* a, b, target */
    AML_AND = 0x7b,                /* a, b, target */
    AML_OR = 0x7d,                 /* a, b, target */
    AML_NOTIFY = 0x86,             /* object, value */
    AML_INDEX = 0x88,              /* source, index, target */
    AML_CREATE_DWORD_FIELD = 0x8a, /* source, byte index, name */
    AML_LNOT = 0x92,
    AML_LEQUAL = 0x93, /* a, b */
    AML_RETURN = 0xa4,
};

void aml_op(GByteArray *aml, enum aml_op op);
void aml_local(GByteArray *aml, unsigned n);
void aml_arg(GByteArray *aml, unsigned n);
/* An integer in its shortest form. */
void aml_integer(GByteArray *aml, uint64_t value);
/* An integer that always takes a prefix and four bytes; returns the place of those bytes. */
size_t aml_dword(GByteArray *aml, uint32_t value);
void aml_string(GByteArray *aml, const char *text);
/* "PNP0A08" as the compressed 32-bit identifier. */
void aml_eisa_id(GByteArray *aml, const char *id);
void aml_bytes(GByteArray *aml, const void *bytes, size_t n); /* a Buffer */
void aml_uuid(GByteArray *aml, const char *text);             /* a Buffer, as ToUUID() makes it */
void aml_path(GByteArray *aml, const char *path);
/* Name(path, ...): the object's term follows. */
void aml_name(GByteArray *aml, const char *path);
void aml_name_integer(GByteArray *aml, const char *path, uint64_t value);

size_t aml_scope(GByteArray *aml, const char *path);
size_t aml_device(GByteArray *aml, const char *path);
size_t aml_method(GByteArray *aml, const char *path, unsigned arguments, bool serialized);
size_t aml_if(GByteArray *aml); /* the condition follows, then the body */
size_t aml_else(GByteArray *aml);
size_t aml_package(GByteArray *aml, unsigned elements);
/* OperationRegion in the configuration space of the PCI device in whose scope it stands. */
void aml_pci_region(GByteArray *aml, const char *name, unsigned offset, unsigned length);
size_t aml_field_bytes(GByteArray *aml, const char *region); /* byte access, no lock, preserve */
void aml_field_unit(GByteArray *aml, const char *name, unsigned bits); /* NULL: skipped bits */
void aml_close(GByteArray *aml, size_t mark);

/* --- Resource templates (ACPI 6.4, section 6.4) ----------------------------------------------- */

/* A list to fill with descriptors; aml_resources() frees it. */
GByteArray *resources_new(void);
void resource_io(GByteArray *list, uint16_t base, uint8_t length);
void resource_irq(GByteArray *list, unsigned irq); /* edge, active high, exclusive */
/* Level, active high, shared interrupts of the system. */
void resource_interrupts(GByteArray *list, const uint32_t *numbers, unsigned n);
void resource_memory_fixed(GByteArray *list, uint32_t base, uint32_t length); /* read and write */
void resource_bus_range(GByteArray *list, uint16_t first, uint16_t last);
void resource_io_range(GByteArray *list, uint16_t first, uint16_t last);
void resource_memory_range(GByteArray *list, uint32_t first, uint32_t last, bool cacheable);
void resource_memory_range64(GByteArray *list, uint64_t first, uint64_t last);
void aml_resources(GByteArray *aml, GByteArray *list);

#endif
