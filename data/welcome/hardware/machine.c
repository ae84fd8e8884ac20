/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sources: CPUID, fw_cfg (how many processors), the BIOS (memory map, disk), SMBIOS (firmware),
 * PCI configuration space of bus 0 (devices), the RTC.
 */
#include "machine.h"
#include "font.h"
#include "io.h"
#include "layout.h"
#include "memory.h"
#include "pci.h"
#include "screen.h"
#include "text.h"

struct device_name {
    uint32_t id; /* device << 16 | vendor */
    const char *name;
};

static const struct device_name device_names[] = {
    { 0x29C08086, "Q35 host bridge" },
    { 0x11111234, "Standard VGA display" },
    { 0x10411AF4, "Virtio network card" },
    { 0x10421AF4, "Virtio disk" },
    { 0x10431AF4, "Virtio console" },
    { 0x10441AF4, "Virtio random numbers" },
    { 0x10451AF4, "Virtio memory balloon" },
    { 0x10501AF4, "Virtio display" },
    { 0x10521AF4, "Virtio tablet" },
    { 0x29188086, "ICH9 LPC bridge" },
    { 0x29228086, "ICH9 AHCI disk controller" },
    { 0x29308086, "ICH9 system management bus" },
    { 0x000C1B36, "PCI Express root port" },
    { 0x000D1B36, "USB 3 controller" },
    { 0x10D38086, "Intel network card" },
    { 0x100E8086, "Intel network card" },
    { 0x26688086, "High Definition Audio" },
    { 0x293E8086, "High Definition Audio" },
};

static const char *const class_names[] = {
    "Device",
    "Disk controller",
    "Network card",
    "Display",
    "Multimedia device",
    "Memory device",
    "Bridge",
    "Serial device",
    "System device",
    "Input device",
    "Docking station",
    "Processor",
    "Serial bus controller",
};

static unsigned fwcfg_cpu_count(void)
{
    outw(0x510, 0);
    if (inb(0x511) != 'Q' || inb(0x511) != 'E' || inb(0x511) != 'M' || inb(0x511) != 'U')
        return 0;
    outw(0x510, 5);
    return inb(0x511) | (unsigned)inb(0x511) << 8;
}

static void find_processor(struct machine *machine)
{
    uint32_t brand[13] = { 0 };
    char *name = (char *)brand, *last;
    unsigned count = fwcfg_cpu_count();

    for (uint32_t i = 0; i < 3; i++) {
        __asm__("cpuid"
                : "=a"(brand[4 * i]), "=b"(brand[4 * i + 1]), "=c"(brand[4 * i + 2]),
                  "=d"(brand[4 * i + 3])
                : "a"(0x80000002 + i), "c"(0));
    }
    while (*name == ' ')
        name++;
    for (last = name; *last; last++) {
    }
    while (last > name && last[-1] == ' ')
        *--last = '\0';
    if (count > 1)
        text_format(machine->processor, sizeof(machine->processor), "%u " FONT_TIMES " %s", count,
                    name);
    else
        text_format(machine->processor, sizeof(machine->processor), "%s", name);
}

/* "1.5 GiB", or in MiB below that. */
static void format_size(char *text, size_t size, uint64_t bytes)
{
    unsigned mib = (unsigned)((bytes + 0xFFFFF) >> 20);

    if (mib >= 1024)
        text_format(text, size, "%u.%u GiB", mib / 1024, mib % 1024 * 10 / 1024);
    else
        text_format(text, size, "%u MiB", mib);
}

static void find_memory(struct machine *machine, const struct boot_info *info)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < info->range_count && i < BOOT_INFO_MAX; i++) {
        if (info->ranges[i].type == 1)
            bytes += info->ranges[i].size;
    }
    format_size(machine->memory, sizeof(machine->memory), bytes);
}

/* The n-th text after a structure of SMBIOS, and "" when there is none before `end`. */
static const char *smbios_text(const uint8_t *structure, const uint8_t *end, unsigned n)
{
    const char *text = (const char *)structure + structure[1];

    while (n > 1 && text < (const char *)end && *text) {
        while (text < (const char *)end && *text)
            text++;
        text++;
        n--;
    }
    return n && text < (const char *)end ? text : "";
}

/* SMBIOS 2.1: the entry point lies on a paragraph of F0000-FFFFF, type 0 describes the firmware. */
static void find_firmware(struct machine *machine)
{
    const uint8_t *entry = (const uint8_t *)0xF0000, *table, *end;

    text_format(machine->firmware, sizeof(machine->firmware), "BIOS");
    while (entry < (const uint8_t *)0x100000 && memcmp(entry, "_SM_", 4))
        entry += 16;
    if (entry == (const uint8_t *)0x100000)
        return;
    table = (const uint8_t *)(uint64_t)(*(const uint32_t *)(entry + 24));
    end = table + *(const uint16_t *)(entry + 22);
    while (table + 4 < end && table[1] >= 4) {
        if (table[0] == 0 && table[1] >= 6) {
            text_format(machine->firmware, sizeof(machine->firmware), "%s %s",
                        smbios_text(table, end, table[4]), smbios_text(table, end, table[5]));
            return;
        }
        table += table[1];
        while (table + 1 < end && (table[0] || table[1]))
            table++;
        table += 2;
    }
}

static const char *device_name(unsigned function)
{
    uint32_t id = pci_read(function, 0, 4), class = pci_read(function, 8, 4) >> 24;

    for (unsigned i = 0; i < sizeof(device_names) / sizeof(device_names[0]); i++) {
        if (device_names[i].id == id)
            return device_names[i].name;
    }
    if ((id & 0xFFFF) == 0x1AF4)
        return "Virtio device";
    return class < sizeof(class_names) / sizeof(class_names[0]) ? class_names[class] : "Device";
}

static void find_devices(struct machine *machine)
{
    for (unsigned function = 0; function < 256; function++) {
        if ((pci_read(function, 0, 4) & 0xFFFF) != 0xFFFF) {
            if (machine->device_count < MACHINE_DEVICES)
                machine->devices[machine->device_count++] =
                    (struct machine_device){ (uint8_t)(function >> 3), (uint8_t)(function & 7),
                                             device_name(function) };
        } else if (!(function & 7)) {
            function += 7; /* no function 0, no device */
            continue;
        }
        if (!(function & 7) && !(pci_read(function, 0xC, 4) & 0x800000))
            function += 7; /* one function only */
    }
}

void machine_find(struct machine *machine)
{
    const struct boot_info *info = (const struct boot_info *)LAYOUT_BOOT_INFO;
    char size[32];

    machine->starts = info->starts;
    find_processor(machine);
    find_memory(machine, info);
    find_firmware(machine);
    find_devices(machine);
    format_size(size, sizeof(size), info->disk_sectors << 9);
    text_format(machine->disk, sizeof(machine->disk), "%s, %s", size,
                info->starts ? "reads and writes" : "cannot be written");
    machine_display(machine);
}

void machine_display(struct machine *machine)
{
    struct rect screen = screen_size();
    char size[32];

    format_size(size, sizeof(size), screen_memory());
    text_format(machine->display, sizeof(machine->display), "%u " FONT_TIMES " %u, %s of its own",
                (unsigned)screen.width, (unsigned)screen.height, size);
}

static uint8_t cmos_read(uint8_t index)
{
    outb(0x70, index);
    return inb(0x71);
}

static unsigned clock_value(uint8_t index, uint8_t format)
{
    uint8_t value = cmos_read(index);
    return format & 4 ? value : (value >> 4) * 10u + (value & 15);
}

struct clock machine_clock(void)
{
    uint8_t format = cmos_read(0x0B);
    struct clock clock;

    for (unsigned i = 0; i < 1000 && cmos_read(0x0A) & 0x80; i++) {
    }
    clock.second = clock_value(0, format);
    clock.minute = clock_value(2, format);
    clock.hour = clock_value(4, format);
    clock.day = clock_value(7, format);
    clock.month = clock_value(8, format);
    clock.year = 2000 + clock_value(9, format);
    return clock;
}
