/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of fixed layout (ACPI 6.4 section 5.2). See acpi.h. */
#include "acpi.h"

#include <string.h>

#include "bytes.h"

enum {
    OEM_REVISION = 1,
    SCI = 9,
    IOAPIC_ADDRESS = 0xfec00000,
    LAPIC_ADDRESS = 0xfee00000,
    HPET_ADDRESS = 0xfed00000,
    HPET_ID = 0x8086a201, /* Intel, legacy replacement, 64 bits, three timers, revision 1 */
};

static void put(GByteArray *tables, unsigned size, uint64_t value)
{
    guint8 bytes[8];

    store_le64(bytes, value);
    g_byte_array_append(tables, bytes, size);
}

size_t acpi_table_begin(GByteArray *tables, const char *signature, uint8_t revision)
{
    size_t table = tables->len;

    g_byte_array_append(tables, (const guint8 *)signature, 4);
    put(tables, 4, 0); /* length */
    put(tables, 1, revision);
    put(tables, 1, 0); /* checksum */
    g_byte_array_append(tables, (const guint8 *)"ORIEL ORIELPC1", 14);
    put(tables, 4, OEM_REVISION);
    g_byte_array_append(tables, (const guint8 *)"ORIL", 4);
    put(tables, 4, OEM_REVISION);
    return table;
}

void acpi_table_end(GByteArray *tables, size_t table)
{
    uint8_t sum = 0;

    store_le32(tables->data + table + 4, (uint32_t)(tables->len - table));
    for (size_t i = table; i < tables->len; i++) {
        sum = (uint8_t)(sum + tables->data[i]);
    }
    tables->data[table + 9] = (uint8_t)-sum;
}

size_t acpi_facs(GByteArray *tables)
{
    enum {
        SIZE = 64,
        VERSION = 1,
    };
    size_t table = tables->len;

    g_byte_array_append(tables, (const guint8 *)"FACS", 4);
    put(tables, 4, SIZE);
    g_byte_array_set_size(tables, (guint)(table + SIZE));
    memset(tables->data + table + 8, 0, SIZE - 8);
    tables->data[table + 32] = VERSION;
    return table;
}

/* --- FADT (section 5.2.9) --------------------------------------------------------------------- */

enum {
    FADT_SIZE = 268,
    FADT_REVISION = 5,

    PROFILE_DESKTOP = 1,
    FLAG_WBINVD = 1 << 0,
    FLAG_PROC_C1 = 1 << 2,
    FLAG_SLP_BUTTON = 1 << 5, /* no fixed sleep button */
    FLAG_RESET_REG = 1 << 10,
    FLAG_PLATFORM_CLOCK =
        1 << 15, /* time survives a move to a host whose TSC runs at another rate */
    FLAG_APIC_CLUSTER = 1 << 18,
    FLAT_CPUS_MAX = 8, /* what the APICs' flat logical mode can address */
    ARCH_LEGACY = 1 << 0,
    ARCH_8042 = 1 << 1,

    SPACE_IO = 1,
    RESET_PORT = 0xcf9,
    RESET_VALUE = 0x0f,
    CENTURY = 0x32,
    LATENCY_NONE = 0xfff, /* C2, C3: not supported */
};

/* The register blocks: their places in the table, old and new form, and in the I/O space. */
static const struct {
    uint8_t address, length, extended;
    uint16_t port;
    uint8_t bytes, access; /* access: 2 words, 3 double words, 0 any */
} fadt_blocks[] = {
    { 56, 88, 148, BOOT_PM_BASE, 4, 2 },         /* PM1a events */
    { 64, 89, 172, BOOT_PM_BASE + 0x04, 2, 2 },  /* PM1a control */
    { 76, 91, 208, BOOT_PM_BASE + 0x08, 4, 3 },  /* PM timer */
    { 80, 92, 220, BOOT_PM_BASE + 0x20, 16, 1 }, /* general purpose events */
};

static void store_io_address(uint8_t *p, unsigned bytes, uint8_t access, uint16_t port)
{
    p[0] = SPACE_IO;
    p[1] = (uint8_t)(bytes * 8);
    p[3] = access;
    store_le64(p + 4, port);
}

size_t acpi_fadt(GByteArray *tables, const struct boot_board *board)
{
    size_t table = acpi_table_begin(tables, "FACP", FADT_REVISION);
    uint32_t flags =
        FLAG_WBINVD | FLAG_PROC_C1 | FLAG_SLP_BUTTON | FLAG_RESET_REG | FLAG_PLATFORM_CLOCK;
    uint8_t *fadt;

    if (board->n_cpus > FLAT_CPUS_MAX) {
        flags |= FLAG_APIC_CLUSTER;
    }
    g_byte_array_set_size(tables, (guint)(table + FADT_SIZE));
    fadt = tables->data + table;
    memset(fadt + ACPI_HEADER_SIZE, 0, FADT_SIZE - ACPI_HEADER_SIZE);
    fadt[45] = PROFILE_DESKTOP;
    store_le16(fadt + 46, SCI);
    for (size_t i = 0; i < G_N_ELEMENTS(fadt_blocks); i++) {
        store_le32(fadt + fadt_blocks[i].address, fadt_blocks[i].port);
        fadt[fadt_blocks[i].length] = fadt_blocks[i].bytes;
        store_io_address(fadt + fadt_blocks[i].extended, fadt_blocks[i].bytes,
                         fadt_blocks[i].access, fadt_blocks[i].port);
    }
    store_le16(fadt + 96, LATENCY_NONE);
    store_le16(fadt + 98, LATENCY_NONE);
    fadt[108] = CENTURY;
    store_le16(fadt + 109, ARCH_LEGACY | ARCH_8042);
    store_le32(fadt + 112, flags);
    store_io_address(fadt + 116, 1, 1, RESET_PORT);
    fadt[128] = RESET_VALUE;
    acpi_table_end(tables, table);
    return table;
}

/* --- MADT (section 5.2.12) -------------------------------------------------------------------- */

enum {
    MADT_REVISION = 3,
    MADT_PCAT_COMPAT = 1,
    MADT_LAPIC = 0,
    MADT_IOAPIC = 1,
    MADT_OVERRIDE = 2,
    MADT_LAPIC_NMI = 4,
    MADT_X2APIC = 9,
    MADT_X2APIC_NMI = 10,
    CPU_ENABLED = 1,
    XAPIC_ID_MAX = 254,
    LEVEL_HIGH = 0x0d,
    NMI_LINT = 1,
};

static void madt_cpu(GByteArray *tables, unsigned uid, uint32_t apic_id)
{
    if (apic_id <= XAPIC_ID_MAX) {
        put(tables, 1, MADT_LAPIC);
        put(tables, 1, 8);
        put(tables, 1, uid);
        put(tables, 1, apic_id);
        put(tables, 4, CPU_ENABLED);
    } else {
        put(tables, 1, MADT_X2APIC);
        put(tables, 1, 16);
        put(tables, 2, 0);
        put(tables, 4, apic_id);
        put(tables, 4, CPU_ENABLED);
        put(tables, 4, uid);
    }
}

static void madt_override(GByteArray *tables, uint8_t isa, uint32_t gsi, uint16_t flags)
{
    put(tables, 1, MADT_OVERRIDE);
    put(tables, 1, 10);
    put(tables, 1, 0);
    put(tables, 1, isa);
    put(tables, 4, gsi);
    put(tables, 2, flags);
}

size_t acpi_madt(GByteArray *tables, const struct boot_board *board)
{
    /* The SCI and those to which PCI interrupts are routed without the IOAPIC. */
    static const uint8_t level[] = { 5, SCI, 10, 11 };
    size_t table = acpi_table_begin(tables, "APIC", MADT_REVISION);
    bool x2apic = false;

    put(tables, 4, LAPIC_ADDRESS);
    put(tables, 4, MADT_PCAT_COMPAT);
    for (unsigned i = 0; i < board->n_cpus; i++) {
        madt_cpu(tables, i, board->apic_ids[i]);
        x2apic = x2apic || board->apic_ids[i] > XAPIC_ID_MAX;
    }
    put(tables, 1, MADT_IOAPIC);
    put(tables, 1, 12);
    put(tables, 2, 0); /* id 0 */
    put(tables, 4, IOAPIC_ADDRESS);
    put(tables, 4, 0);
    madt_override(tables, 0, 2, 0);
    for (size_t i = 0; i < sizeof(level); i++) {
        madt_override(tables, level[i], level[i], LEVEL_HIGH);
    }
    put(tables, 1, MADT_LAPIC_NMI);
    put(tables, 1, 6);
    put(tables, 1, 0xff); /* every processor */
    put(tables, 2, 0);
    put(tables, 1, NMI_LINT);
    if (x2apic) {
        put(tables, 1, MADT_X2APIC_NMI);
        put(tables, 1, 12);
        put(tables, 2, 0);
        put(tables, 4, UINT32_MAX);
        put(tables, 1, NMI_LINT);
        put(tables, 3, 0);
    }
    acpi_table_end(tables, table);
    return table;
}

/* --- Small ones ------------------------------------------------------------------------------- */

size_t acpi_hpet(GByteArray *tables)
{
    size_t table = acpi_table_begin(tables, "HPET", 1);

    put(tables, 4, HPET_ID);
    put(tables, 4, 0); /* a memory address, any width */
    put(tables, 8, HPET_ADDRESS);
    put(tables, 1, 0); /* number */
    put(tables, 2, 0); /* shortest period: no limit */
    put(tables, 1, 0); /* the page holds nothing else, but nothing is promised */
    acpi_table_end(tables, table);
    return table;
}

size_t acpi_mcfg(GByteArray *tables)
{
    size_t table = acpi_table_begin(tables, "MCFG", 1);

    put(tables, 8, 0);
    put(tables, 8, BOOT_ECAM_BASE);
    put(tables, 2, 0); /* segment */
    put(tables, 1, 0); /* first and last bus */
    put(tables, 1, 255);
    put(tables, 4, 0);
    acpi_table_end(tables, table);
    return table;
}

/* "Windows ACPI Emulated Devices Table": one read of the power management timer is enough. */
size_t acpi_waet(GByteArray *tables)
{
    enum { PM_TIMER_GOOD = 1 << 1 };
    size_t table = acpi_table_begin(tables, "WAET", 1);

    put(tables, 4, PM_TIMER_GOOD);
    acpi_table_end(tables, table);
    return table;
}
