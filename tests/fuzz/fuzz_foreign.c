/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Descriptions of other programs from any bytes: what they are recognised as, and, where nothing
 * is, the formats that are lines of text.
 */
#include <stdint.h>

#include "appliance_check.h"
#include "appliance/foreign/oriel-foreign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_as(OrielForeign format, const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrielAppliance) appliance =
        oriel_foreign_parse(format, (const char *)data, size, "fuzz.txt", &error);

    check_appliance(appliance, error);
    for (guint i = 0; appliance && i < appliance->files->len; i++) {
        const OrielOvfFile *file = appliance->files->pdata[i];

        g_assert_true(file->href[0] != '/' && !strstr(file->href, "../"));
        g_assert_true(!file->parent || oriel_appliance_file(appliance, file->parent));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OrielForeign format = oriel_foreign_recognise((const char *)data, size);

    if (format != ORIEL_FOREIGN_UNKNOWN && format != ORIEL_FOREIGN_OVF) {
        read_as(format, data, size);
    } else {
        read_as(ORIEL_FOREIGN_VMWARE, data, size);
        read_as(ORIEL_FOREIGN_QUICKEMU, data, size);
    }
    return 0;
}
