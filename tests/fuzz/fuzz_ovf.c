/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The description of an appliance from any bytes: refused with a sentence, or whole. */
#include <stdint.h>

#include "appliance_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrielAppliance) appliance =
        oriel_ovf_parse((const char *)data, size, "fuzz.ovf", &error);

    check_appliance(appliance, error);
    return 0;
}
