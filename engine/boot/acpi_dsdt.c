/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The DSDT: what operating systems cannot find out from the hardware. Sleep states, processors, the
 * host bridge with its windows and interrupt routing, the legacy devices behind the LPC bridge.
 *
 * ACPI 6.4 chapters 6 and 7; PCI Firmware Specification 3.2 section 4.5 (_OSC). Hot plugging is PCI
 * Express' own, so there are no methods for it.
 */
#include "acpi.h"
#include "aml.h"

enum {
    ECAM_LAST_BUS = 255,
    PCI_SLOTS = 32,
    PINS = 4,
    PIRQS = 8,
    GSI_PIRQA = 16,
    FIRST_FIXED_SLOT = 25, /* slots from here have their pins on PIRQ A..D, those below on E..H */

    HPET_ADDRESS = 0xfed00000,
    HPET_SIZE = 0x400,
    RCBA_ADDRESS = 0xfed1c000,
    RCBA_SIZE = 0x4000,
    PM_SIZE = 0x80,

    LPC_PIRQ_FIRST = 0x60, /* routing registers: A..D, four bytes of others, E..H */
    LPC_PIRQ_LENGTH = 12,
    PIRQ_OFF = 0x80,

    STATUS_ENABLED = 0x0b, /* present, enabled, working, not shown to the user */
    STATUS_DISABLED = 0x09,
    INTERRUPT_FIELD = 5, /* of an extended interrupt descriptor: the first number */
};

/* --- Sleep states, processors ----------------------------------------------------------------- */

static void sleep_state(GByteArray *aml, const char *name, unsigned type)
{
    size_t package;

    aml_name(aml, name);
    package = aml_package(aml, 4);
    aml_integer(aml, type);
    aml_integer(aml, type);
    aml_integer(aml, 0);
    aml_integer(aml, 0);
    aml_close(aml, package);
}

static void processors(GByteArray *aml, const struct boot_board *board)
{
    size_t container = aml_device(aml, "CPUS");

    aml_name(aml, "_HID");
    aml_string(aml, "ACPI0010");
    for (unsigned i = 0; i < board->n_cpus; i++) {
        g_autofree char *name = g_strdup_printf("C%03X", i);
        size_t cpu = aml_device(aml, name);

        aml_name(aml, "_HID");
        aml_string(aml, "ACPI0007");
        aml_name_integer(aml, "_UID", i);
        aml_close(aml, cpu);
    }
    aml_close(aml, container);
}

/* --- Interrupt routing ------------------------------------------------------------------------ */

static unsigned pirq_of(unsigned slot, unsigned pin)
{
    return slot < FIRST_FIXED_SLOT ? 4 + (slot + pin) % PINS : pin;
}

/* One row: any function of the slot, pin, link device "LNKx" or "GSIx", 0. */
static void routing_entry(GByteArray *aml, unsigned slot, unsigned pin, unsigned pirq, bool apic)
{
    g_autofree char *link = g_strdup_printf("%s%c", apic ? "GSI" : "LNK", (char)('A' + pirq));
    size_t package = aml_package(aml, 4);

    aml_integer(aml, slot << 16 | 0xffff);
    aml_integer(aml, pin);
    aml_path(aml, link);
    aml_integer(aml, 0);
    aml_close(aml, package);
}

/* _PRT answers by the mode that _PIC was told. Behind a root port only slot 0 exists; its pins are
 * the port's. */
static void routing(GByteArray *aml, bool root_port, unsigned port_slot)
{
    unsigned slots = root_port ? 1 : PCI_SLOTS;
    size_t method, condition;

    for (unsigned apic = 0; apic < 2; apic++) {
        size_t package;

        aml_name(aml, apic ? "PRTA" : "PRTP");
        package = aml_package(aml, slots * PINS);
        for (unsigned slot = 0; slot < slots; slot++) {
            for (unsigned pin = 0; pin < PINS; pin++) {
                routing_entry(aml, slot, pin, pirq_of(root_port ? port_slot : slot, pin), apic);
            }
        }
        aml_close(aml, package);
    }
    method = aml_method(aml, "_PRT", 0, false);
    condition = aml_if(aml);
    aml_path(aml, "PICF");
    aml_op(aml, AML_RETURN);
    aml_path(aml, "PRTA");
    aml_close(aml, condition);
    aml_op(aml, AML_RETURN);
    aml_path(aml, "PRTP");
    aml_close(aml, method);
}

/* With the PICs: the routing register of the LPC bridge says which ISA interrupt a PIRQ drives. */
static void link_isa(GByteArray *aml, unsigned pirq)
{
    static const uint32_t possible[] = { 5, 10, 11 };
    static const uint32_t none[] = { 0 };
    g_autofree char *name = g_strdup_printf("LNK%c", (char)('A' + pirq));
    g_autofree char *reg = g_strdup_printf("\\_SB.PCI0.ISA.PRQ%c", (char)('A' + pirq));
    size_t device = aml_device(aml, name), method, inner;
    GByteArray *list;

    aml_name(aml, "_HID");
    aml_eisa_id(aml, "PNP0C0F");
    aml_name_integer(aml, "_UID", pirq);
    aml_name(aml, "_PRS");
    list = resources_new();
    resource_interrupts(list, possible, G_N_ELEMENTS(possible));
    aml_resources(aml, list);

    method = aml_method(aml, "_STA", 0, false);
    inner = aml_if(aml);
    aml_op(aml, AML_AND);
    aml_path(aml, reg);
    aml_integer(aml, PIRQ_OFF);
    aml_op(aml, AML_ZERO); /* no target */
    aml_op(aml, AML_RETURN);
    aml_integer(aml, STATUS_DISABLED);
    aml_close(aml, inner);
    aml_op(aml, AML_RETURN);
    aml_integer(aml, STATUS_ENABLED);
    aml_close(aml, method);

    method = aml_method(aml, "_DIS", 0, false);
    aml_op(aml, AML_OR);
    aml_path(aml, reg);
    aml_integer(aml, PIRQ_OFF);
    aml_path(aml, reg);
    aml_close(aml, method);

    method = aml_method(aml, "_CRS", 0, true);
    aml_name(aml, "CRS0");
    list = resources_new();
    resource_interrupts(list, none, 1);
    aml_resources(aml, list);
    aml_op(aml, AML_CREATE_DWORD_FIELD);
    aml_path(aml, "CRS0");
    aml_integer(aml, INTERRUPT_FIELD);
    aml_path(aml, "IRQ0");
    aml_op(aml, AML_AND);
    aml_path(aml, reg);
    aml_integer(aml, 0x0f);
    aml_path(aml, "IRQ0");
    aml_op(aml, AML_RETURN);
    aml_path(aml, "CRS0");
    aml_close(aml, method);

    method = aml_method(aml, "_SRS", 1, true);
    aml_op(aml, AML_CREATE_DWORD_FIELD);
    aml_arg(aml, 0);
    aml_integer(aml, INTERRUPT_FIELD);
    aml_path(aml, "IRQ0");
    aml_op(aml, AML_STORE);
    aml_path(aml, "IRQ0");
    aml_path(aml, reg);
    aml_close(aml, method);
    aml_close(aml, device);
}

/* With the IOAPIC: every PIRQ has an input of its own. */
static void link_ioapic(GByteArray *aml, unsigned pirq)
{
    g_autofree char *name = g_strdup_printf("GSI%c", (char)('A' + pirq));
    uint32_t gsi = GSI_PIRQA + pirq;
    size_t device = aml_device(aml, name), method;

    aml_name(aml, "_HID");
    aml_eisa_id(aml, "PNP0C0F");
    aml_name_integer(aml, "_UID", gsi);
    for (unsigned i = 0; i < 2; i++) {
        GByteArray *list = resources_new();

        aml_name(aml, i == 0 ? "_PRS" : "_CRS");
        resource_interrupts(list, &gsi, 1);
        aml_resources(aml, list);
    }
    method = aml_method(aml, "_SRS", 1, false); /* there is nothing to choose */
    aml_close(aml, method);
    aml_close(aml, device);
}

/* --- The LPC bridge and what is behind it ----------------------------------------------------- */

static void isa_device(GByteArray *aml, const char *name, const char *id, unsigned uid,
                       GByteArray *resources)
{
    size_t device = aml_device(aml, name);

    aml_name(aml, "_HID");
    aml_eisa_id(aml, id);
    if (uid > 0) {
        aml_name_integer(aml, "_UID", uid);
    }
    aml_name(aml, "_CRS");
    aml_resources(aml, resources);
    aml_close(aml, device);
}

static void isa_devices(GByteArray *aml, const struct boot_board *board)
{
    static const struct {
        const char *name;
        uint16_t port;
        uint8_t irq;
    } serials[] = { { "COM1", 0x3f8, 4 }, { "COM2", 0x2f8, 3 } };
    GByteArray *list = resources_new();

    resource_io(list, 0x60, 1);
    resource_io(list, 0x64, 1);
    resource_irq(list, 1);
    isa_device(aml, "KBD", "PNP0303", 0, list);
    list = resources_new();
    resource_irq(list, 12);
    isa_device(aml, "MOU", "PNP0F13", 0, list);
    list = resources_new();
    resource_io(list, 0x70, 2);
    resource_irq(list, 8);
    isa_device(aml, "RTC", "PNP0B00", 0, list);
    for (unsigned i = 0; i < board->n_serials && i < G_N_ELEMENTS(serials); i++) {
        list = resources_new();
        resource_io(list, serials[i].port, 8);
        resource_irq(list, serials[i].irq);
        isa_device(aml, serials[i].name, "PNP0501", i + 1, list);
    }
    /* The power management block, so that nobody hands its ports out. */
    list = resources_new();
    resource_io(list, BOOT_PM_BASE, PM_SIZE);
    isa_device(aml, "SYSR", "PNP0C02", 1, list);
}

static void lpc_bridge(GByteArray *aml, const struct boot_board *board)
{
    size_t device = aml_device(aml, "ISA"), field;

    aml_name_integer(aml, "_ADR", 0x001f0000);
    aml_pci_region(aml, "PIRQ", LPC_PIRQ_FIRST, LPC_PIRQ_LENGTH);
    field = aml_field_bytes(aml, "PIRQ");
    for (unsigned i = 0; i < PIRQS; i++) {
        g_autofree char *name = g_strdup_printf("PRQ%c", (char)('A' + i));

        if (i == 4) {
            aml_field_unit(aml, NULL, 32);
        }
        aml_field_unit(aml, name, 8);
    }
    aml_close(aml, field);
    isa_devices(aml, board);
    aml_close(aml, device);
}

/* --- The host bridge -------------------------------------------------------------------------- */

static GByteArray *host_bridge_resources(const struct acpi_window *window64)
{
    GByteArray *list = resources_new();

    resource_bus_range(list, 0, ECAM_LAST_BUS);
    resource_io(list, 0xcf8, 8);
    resource_io_range(list, 0, 0xcf7);
    resource_io_range(list, 0xd00, 0xffff);
    resource_memory_range(list, 0xa0000, 0xbffff, true);
    resource_memory_range(list, BOOT_PCI32_BASE, BOOT_PCI32_END - 1, false);
    resource_memory_range64(list, window64->first, window64->last);
    return list;
}

/* Sets a bit of the status that _OSC gives back. */
static void osc_status(GByteArray *aml, unsigned bit)
{
    aml_op(aml, AML_OR);
    aml_path(aml, "CDW1");
    aml_integer(aml, bit);
    aml_path(aml, "CDW1");
}

/* One of the dwords that _OSC is given, by its name. */
static void osc_dword(GByteArray *aml, const char *name, unsigned offset)
{
    aml_op(aml, AML_CREATE_DWORD_FIELD);
    aml_arg(aml, 3);
    aml_integer(aml, offset);
    aml_path(aml, name);
}

/*
 * _OSC: the system may take over native hot plug, power management events, error reporting and the
 * PCI Express capability, because no firmware wants them.
 */
static void host_bridge_osc(GByteArray *aml)
{
    enum {
        GRANTED = 0x1f,
        UNKNOWN_UUID = 1 << 2,
        UNKNOWN_REVISION = 1 << 3,
        MASKED = 1 << 4,
        REVISION = 1,
    };
    size_t method = aml_method(aml, "_OSC", 4, true), known, inner;

    osc_dword(aml, "CDW1", 0);
    known = aml_if(aml);
    aml_op(aml, AML_LEQUAL);
    aml_arg(aml, 0);
    aml_uuid(aml, "33db4d5b-1ff7-401c-9657-7441c03dd766");
    osc_dword(aml, "CDW3", 8);
    aml_op(aml, AML_AND);
    aml_path(aml, "CDW3");
    aml_integer(aml, GRANTED);
    aml_local(aml, 0);

    inner = aml_if(aml);
    aml_op(aml, AML_LNOT);
    aml_op(aml, AML_LEQUAL);
    aml_arg(aml, 1);
    aml_integer(aml, REVISION);
    osc_status(aml, UNKNOWN_REVISION);
    aml_close(aml, inner);

    inner = aml_if(aml);
    aml_op(aml, AML_LNOT);
    aml_op(aml, AML_LEQUAL);
    aml_path(aml, "CDW3");
    aml_local(aml, 0);
    osc_status(aml, MASKED);
    aml_close(aml, inner);
    aml_op(aml, AML_STORE);
    aml_local(aml, 0);
    aml_path(aml, "CDW3");
    aml_close(aml, known);

    inner = aml_else(aml);
    osc_status(aml, UNKNOWN_UUID);
    aml_close(aml, inner);
    aml_op(aml, AML_RETURN);
    aml_arg(aml, 3);
    aml_close(aml, method);
}

static void root_ports(GByteArray *aml, const struct boot_board *board)
{
    for (unsigned i = 0; i < board->n_root_ports; i++) {
        unsigned slot = board->root_ports[i] >> 3, function = board->root_ports[i] & 7;
        g_autofree char *name = g_strdup_printf("RP%02X", board->root_ports[i]);
        size_t device = aml_device(aml, name);

        aml_name_integer(aml, "_ADR", slot << 16 | function);
        routing(aml, true, slot);
        aml_close(aml, device);
    }
}

/* The fw_cfg device, by the identifier that Linux's driver for it looks for. */
static void fw_cfg_device(GByteArray *aml)
{
    GByteArray *list = resources_new();
    size_t device = aml_device(aml, "FWCF");

    aml_name(aml, "_HID");
    aml_string(aml, "QEMU0002");
    aml_name_integer(aml, "_STA", STATUS_ENABLED);
    aml_name(aml, "_CRS");
    resource_io(list, 0x510, 12);
    aml_resources(aml, list);
    aml_close(aml, device);
}

static void host_bridge(GByteArray *aml, const struct boot_board *board,
                        const struct acpi_window *window64)
{
    size_t device = aml_device(aml, "PCI0");

    aml_name(aml, "_HID");
    aml_eisa_id(aml, "PNP0A08");
    aml_name(aml, "_CID");
    aml_eisa_id(aml, "PNP0A03");
    aml_name_integer(aml, "_UID", 0);
    aml_name_integer(aml, "_SEG", 0);
    aml_name_integer(aml, "_BBN", 0);
    aml_name(aml, "_CRS");
    aml_resources(aml, host_bridge_resources(window64));
    host_bridge_osc(aml);
    routing(aml, false, 0);
    lpc_bridge(aml, board);
    root_ports(aml, board);
    fw_cfg_device(aml);
    aml_close(aml, device);
}

/* Memory of the board outside the host bridge's windows. */
static void board_memory(GByteArray *aml)
{
    GByteArray *list = resources_new();

    resource_memory_fixed(list, BOOT_ECAM_BASE, BOOT_ECAM_SIZE);
    resource_memory_fixed(list, RCBA_ADDRESS, RCBA_SIZE);
    isa_device(aml, "DRAC", "PNP0C01", 0, list);
    list = resources_new();
    resource_memory_fixed(list, HPET_ADDRESS, HPET_SIZE);
    isa_device(aml, "HPET", "PNP0103", 0, list);
}

/* --- The tables ------------------------------------------------------------------------------- */

size_t acpi_dsdt(GByteArray *tables, const struct boot_board *board,
                 const struct acpi_window *window64)
{
    size_t table = acpi_table_begin(tables, "DSDT", 1), scope, method;

    if (board->suspend) {
        sleep_state(tables, "\\_S3", BOOT_SLEEP_TYPE_S3);
    }
    sleep_state(tables, "\\_S4", BOOT_SLEEP_TYPE_S4);
    sleep_state(tables, "\\_S5", BOOT_SLEEP_TYPE_S5);
    aml_name_integer(tables, "\\PICF", 0);
    method = aml_method(tables, "\\_PIC", 1, false);
    aml_op(tables, AML_STORE);
    aml_arg(tables, 0);
    aml_path(tables, "\\PICF");
    aml_close(tables, method);

    scope = aml_scope(tables, "\\_SB");
    host_bridge(tables, board, window64);
    for (unsigned i = 0; i < PIRQS; i++) {
        link_isa(tables, i);
        link_ioapic(tables, i);
    }
    board_memory(tables);
    processors(tables, board);
    aml_close(tables, scope);
    acpi_table_end(tables, table);
    return table;
}
