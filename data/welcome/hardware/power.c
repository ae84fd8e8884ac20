/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ACPI 1.0 tables: the RSDP on a paragraph of E0000-FFFFF, RSDT, FADT ("FACP"), DSDT. The value
 * for soft off is in the package named _S5_ of the DSDT's byte code, which is read without an
 * interpreter: NameOp "_S5_" PackageOp length count value...
 */
#include "power.h"
#include "io.h"
#include "memory.h"

#include <stdint.h>

#define PM1_BUTTON   0x0100u
#define PM1_SCI      0x0001u
#define PM1_SLEEP    0x2000u
#define FADT_SMI     48
#define FADT_ENABLE  52
#define FADT_EVENT   56
#define FADT_CONTROL 64
#define FADT_DSDT    40
#define TABLE_LIMIT  (1u << 20) /* longer tables are not believed */

static uint16_t pm1_event, pm1_control;
static uint16_t soft_off;

static uint32_t word_at(const uint8_t *table, unsigned offset)
{
    uint32_t value;
    memcpy(&value, table + offset, 4);
    return value;
}

static const uint8_t *table_at(uint32_t address, const char *signature)
{
    const uint8_t *table = (const uint8_t *)(uint64_t)address;

    if (!address || memcmp(table, signature, 4))
        return 0;
    return word_at(table, 4) >= 36 && word_at(table, 4) <= TABLE_LIMIT ? table : 0;
}

static const uint8_t *find_fadt(void)
{
    const uint8_t *rsdp = (const uint8_t *)0xE0000, *rsdt, *fadt = 0;

    while (rsdp < (const uint8_t *)0x100000 && memcmp(rsdp, "RSD PTR ", 8))
        rsdp += 16;
    if (rsdp == (const uint8_t *)0x100000)
        return 0;
    rsdt = table_at(word_at(rsdp, 16), "RSDT");
    for (uint32_t offset = 36; rsdt && !fadt && offset + 4 <= word_at(rsdt, 4); offset += 4)
        fadt = table_at(word_at(rsdt, offset), "FACP");
    return fadt && word_at(fadt, 4) >= 116 ? fadt : 0;
}

static uint16_t find_soft_off(const uint8_t *dsdt)
{
    uint32_t length = dsdt ? word_at(dsdt, 4) : 0;

    for (uint32_t i = 36; i + 12 < length; i++) {
        uint32_t value;
        if (memcmp(dsdt + i, "_S5_\x12", 5))
            continue;
        value = i + 5 + 1 + (dsdt[i + 5] >> 6) + 1; /* after the length, 1 to 4 bytes, and count */
        if (value + 1 < length)
            return dsdt[value] == 0x0A ? dsdt[value + 1] & 7 : dsdt[value] == 1;
    }
    return 0;
}

void power_start(void)
{
    const uint8_t *fadt = find_fadt();

    if (!fadt)
        return;
    pm1_event = (uint16_t)word_at(fadt, FADT_EVENT);
    pm1_control = (uint16_t)word_at(fadt, FADT_CONTROL);
    soft_off = find_soft_off(table_at(word_at(fadt, FADT_DSDT), "DSDT"));
    if (!(inw(pm1_control) & PM1_SCI) && word_at(fadt, FADT_SMI))
        outb((uint16_t)word_at(fadt, FADT_SMI), fadt[FADT_ENABLE]);
    outw(pm1_event, 0xFFFF); /* status: written ones clear */
    outw(pm1_event + 2, PM1_BUTTON);
}

bool power_button(void)
{
    if (!pm1_event || !(inw(pm1_event) & PM1_BUTTON))
        return false;
    outw(pm1_event, PM1_BUTTON);
    return true;
}

void power_off(void)
{
    if (pm1_control)
        outw(pm1_control, (uint16_t)((inw(pm1_control) & PM1_SCI) | soft_off << 10 | PM1_SLEEP));
}

void power_restart(void)
{
    outb(0xCF9, 0x02);
    outb(0xCF9, 0x06);
    outb(0x64, 0xFE); /* the keyboard controller, on boards without the register */
}
