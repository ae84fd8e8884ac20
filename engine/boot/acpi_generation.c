/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The SSDT by which a guest finds its VM generation id. "Virtual Machine Generation ID"
 * (Microsoft). See acpi.h. */
#include "acpi.h"
#include "aml.h"

size_t acpi_generation(GByteArray *tables, size_t *address)
{
    enum { GPE = 5 };
    size_t table = acpi_table_begin(tables, "SSDT", 1), scope, device, method;

    /* First, where no length before it can move it. */
    aml_name(tables, "\\VGIA");
    *address = aml_dword(tables, 0);
    scope = aml_scope(tables, "\\_SB");
    device = aml_device(tables, "VGEN");
    aml_name(tables, "_HID");
    aml_string(tables, "ORVG0001");
    aml_name(tables, "_CID");
    aml_string(tables, "VM_Gen_Counter");
    aml_name(tables, "_DDN");
    aml_string(tables, "VM_Gen_Counter");
    method = aml_method(tables, "ADDR", 0, true);
    aml_name(tables, "PAIR");
    {
        size_t package = aml_package(tables, 2);

        aml_integer(tables, 0);
        aml_integer(tables, 0);
        aml_close(tables, package);
    }
    aml_op(tables, AML_ADD);
    aml_path(tables, "\\VGIA");
    aml_integer(tables, GENERATION_OFFSET);
    aml_op(tables, AML_INDEX);
    aml_path(tables, "PAIR");
    aml_integer(tables, 0);
    aml_op(tables, AML_ZERO); /* no target of Index itself */
    aml_op(tables, AML_RETURN);
    aml_path(tables, "PAIR");
    aml_close(tables, method);
    aml_close(tables, device);
    aml_close(tables, scope);

    scope = aml_scope(tables, "\\_GPE");
    {
        g_autofree char *name = g_strdup_printf("_E%02X", GPE);

        method = aml_method(tables, name, 0, false);
    }
    aml_op(tables, AML_NOTIFY);
    aml_path(tables, "\\_SB.VGEN");
    aml_integer(tables, 0x80);
    aml_close(tables, method);
    aml_close(tables, scope);
    acpi_table_end(tables, table);
    return table;
}
