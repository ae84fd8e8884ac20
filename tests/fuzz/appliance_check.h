/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What holds for every appliance that was read, whoever described it. */
#ifndef TESTS_FUZZ_APPLIANCE_CHECK_H
#define TESTS_FUZZ_APPLIANCE_CHECK_H

#include <string.h>

#include "appliance/ovf/oriel-ovf.h"

static inline void check_text(const char *text)
{
    g_assert_true(!text || (*text && g_utf8_validate(text, -1, NULL)));
}

static inline void check_machine(const OrielAppliance *appliance, const OrielOvfMachine *machine)
{
    g_assert_true(machine->name != NULL);
    check_text(machine->name);
    check_text(machine->annotation);
    check_text(machine->product);
    check_text(machine->os_text);
    for (guint i = 0; i < machine->drives->len; i++) {
        const OrielOvfDrive *drive = machine->drives->pdata[i];

        g_assert_true(!drive->disk || oriel_appliance_disk(appliance, drive->disk));
        g_assert_true(!drive->file || oriel_appliance_file(appliance, drive->file));
        g_assert_true(oriel_ovf_bus_name(drive->bus) != NULL);
    }
    for (guint i = 0; i < machine->cards->len; i++) {
        const OrielOvfCard *card = machine->cards->pdata[i];

        g_assert_true(!card->mac || strlen(card->mac) == 17);
    }
}

/* Either an appliance or an error is there, and what is there is whole. */
static inline void check_appliance(const OrielAppliance *appliance, const GError *error)
{
    g_assert_true((appliance != NULL) == (error == NULL));
    if (!appliance) {
        check_text(error->message);
        return;
    }
    g_assert_true(appliance->systems->len > 0 && appliance->format != NULL);
    for (guint i = 0; i < appliance->systems->len; i++) {
        check_machine(appliance, appliance->systems->pdata[i]);
    }
    for (guint i = 0; i < appliance->notes->len; i++) {
        check_text(appliance->notes->pdata[i]);
    }
}

#endif
