/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Building SMBIOS structures. See smbios.h. There is no type 0: the firmware adds its own, with its
 * own version.
 */
#include "smbios.h"

#include <string.h>

#include "bytes.h"
#include "files.h"

enum {
    TYPE_SYSTEM = 1,
    TYPE_CHASSIS = 3,
    TYPE_PROCESSOR = 4,
    TYPE_MEMORY_ARRAY = 16,
    TYPE_MEMORY_DEVICE = 17,
    TYPE_MEMORY_MAPPED = 19,
    TYPE_BOOT = 32,
    TYPE_END = 127,

    /* Handles: the type's first, then counting. */
    HANDLE_SHIFT = 8,
    HANDLE_NONE = 0xfffe,

    VERSION_MAJOR = 2,
    VERSION_MINOR = 8,
    UNKNOWN = 2,
    SAFE = 3,

    KIB = 1 << 10,
    MIB = 1 << 20,
    DEVICE_MIB_MAX = 16 << 10, /* a larger memory is several modules */
};

#define EXTENDED_KIB UINT32_C(0x80000000) /* in its old field: see the extended one */

struct writer {
    GByteArray *bytes;
    size_t structure; /* begins here */
    size_t largest;
    unsigned n_structures;
    char strings[256];
    size_t strings_length;
    unsigned n_strings;
};

static void put(struct writer *w, unsigned size, uint64_t value)
{
    guint8 bytes[8];

    store_le64(bytes, value);
    g_byte_array_append(w->bytes, bytes, size);
}

/* A text of the structure; what is stored in it is the text's number. */
static void put_string(struct writer *w, const char *text)
{
    size_t length = strlen(text) + 1;

    g_assert(w->strings_length + length <= sizeof(w->strings));
    memcpy(w->strings + w->strings_length, text, length);
    w->strings_length += length;
    w->n_strings++;
    put(w, 1, w->n_strings);
}

static void begin(struct writer *w, uint8_t type, unsigned index)
{
    w->structure = w->bytes->len;
    w->strings_length = 0;
    w->n_strings = 0;
    put(w, 1, type);
    put(w, 1, 0); /* length */
    put(w, 2, ((unsigned)type << HANDLE_SHIFT) + index);
}

static void end(struct writer *w)
{
    w->bytes->data[w->structure + 1] = (guint8)(w->bytes->len - w->structure);
    g_byte_array_append(w->bytes, (const guint8 *)w->strings, (guint)w->strings_length);
    put(w, w->n_strings > 0 ? 1 : 2, 0);
    w->largest = MAX(w->largest, w->bytes->len - w->structure);
    w->n_structures++;
}

/* --- Structures ------------------------------------------------------------------------------- */

static void add_system(struct writer *w, const char *uuid)
{
    enum { WAKE_UP_POWER_SWITCH = 6 };
    guint8 guid[16];

    uuid_to_guid(uuid, guid);
    begin(w, TYPE_SYSTEM, 0);
    put_string(w, "Oriel");
    put_string(w, "Oriel Virtual Machine");
    put_string(w, "pc-1");
    put(w, 1, 0); /* no serial number */
    g_byte_array_append(w->bytes, guid, sizeof(guid));
    put(w, 1, WAKE_UP_POWER_SWITCH);
    put(w, 1, 0); /* SKU */
    put(w, 1, 0); /* family */
    end(w);
}

static void add_chassis(struct writer *w)
{
    enum { CHASSIS_OTHER = 1 };

    begin(w, TYPE_CHASSIS, 0);
    put_string(w, "Oriel");
    put(w, 1, CHASSIS_OTHER);
    put_string(w, "pc-1");
    put(w, 1, 0);    /* serial number */
    put(w, 1, 0);    /* asset tag */
    put(w, 1, SAFE); /* boot-up, power supply, thermal */
    put(w, 1, SAFE);
    put(w, 1, SAFE);
    put(w, 1, UNKNOWN); /* security */
    put(w, 4, 0);
    put(w, 1, 0); /* height, power cords, contained elements */
    put(w, 1, 0);
    put(w, 1, 0);
    put(w, 1, 0);
    put(w, 1, 0); /* SKU */
    end(w);
}

static void add_processor(struct writer *w, const struct boot_board *board)
{
    enum {
        CENTRAL_PROCESSOR = 3,
        FAMILY_OTHER = 1,
        UPGRADE_OTHER = 1,
        POPULATED_ENABLED = 0x41,
        NO_HANDLE = 0xffff,
        CAPABLE_64_BIT = 1 << 2,
        MULTI_CORE = 1 << 3,
    };

    begin(w, TYPE_PROCESSOR, 0);
    put_string(w, "CPU 0");
    put(w, 1, CENTRAL_PROCESSOR);
    put(w, 1, FAMILY_OTHER);
    put_string(w, "Oriel");
    put(w, 8, 0); /* id: CPUID tells */
    put_string(w, "pc-1");
    put(w, 1, 0); /* voltage, external clock, largest and present speed: unknown */
    put(w, 2, 0);
    put(w, 2, 0);
    put(w, 2, 0);
    put(w, 1, POPULATED_ENABLED);
    put(w, 1, UPGRADE_OTHER);
    put(w, 2, NO_HANDLE); /* caches: CPUID tells */
    put(w, 2, NO_HANDLE);
    put(w, 2, NO_HANDLE);
    put(w, 1, 0); /* serial number, asset tag, part number */
    put(w, 1, 0);
    put(w, 1, 0);
    put(w, 1, board->n_cpus); /* cores, of them enabled, threads: at most 255 */
    put(w, 1, board->n_cpus);
    put(w, 1, board->n_cpus);
    put(w, 2, CAPABLE_64_BIT | (board->n_cpus > 1 ? MULTI_CORE : 0));
    put(w, 2, FAMILY_OTHER);
    end(w);
}

static void add_memory_array(struct writer *w, uint64_t memory, unsigned devices)
{
    enum {
        LOCATION_OTHER = 1,
        USE_SYSTEM_MEMORY = 3,
        CORRECTION_NONE = 3,
    };
    bool extended = memory / KIB >= EXTENDED_KIB;

    begin(w, TYPE_MEMORY_ARRAY, 0);
    put(w, 1, LOCATION_OTHER);
    put(w, 1, USE_SYSTEM_MEMORY);
    put(w, 1, CORRECTION_NONE);
    put(w, 4, extended ? EXTENDED_KIB : memory / KIB);
    put(w, 2, HANDLE_NONE);
    put(w, 2, devices);
    put(w, 8, extended ? memory : 0);
    end(w);
}

static void add_memory_device(struct writer *w, unsigned index, uint64_t mebibytes)
{
    enum {
        WIDTH_UNKNOWN = 0xffff,
        FORM_DIMM = 9,
        KIND_RAM = 7,
        DETAIL_OTHER = 1 << 1,
    };
    g_autofree char *locator = g_strdup_printf("DIMM %u", index);

    begin(w, TYPE_MEMORY_DEVICE, index);
    put(w, 2, TYPE_MEMORY_ARRAY << HANDLE_SHIFT);
    put(w, 2, HANDLE_NONE);
    put(w, 2, WIDTH_UNKNOWN);
    put(w, 2, WIDTH_UNKNOWN);
    put(w, 2, mebibytes); /* modules are small enough for this field */
    put(w, 1, FORM_DIMM);
    put(w, 1, 0); /* set */
    put_string(w, locator);
    put(w, 1, 0); /* bank */
    put(w, 1, KIND_RAM);
    put(w, 2, DETAIL_OTHER);
    put(w, 2, 0); /* speed */
    put_string(w, "Oriel");
    put(w, 1, 0); /* serial number, asset tag, part number */
    put(w, 1, 0);
    put(w, 1, 0);
    put(w, 1, 0); /* rank */
    put(w, 4, 0); /* extended size */
    put(w, 2, 0); /* configured speed, voltages */
    put(w, 2, 0);
    put(w, 2, 0);
    put(w, 2, 0);
    end(w);
}

static void add_mapped(struct writer *w, unsigned index, uint64_t base, uint64_t size)
{
    uint64_t last = base + size - 1;
    bool extended = last / KIB >= UINT32_MAX;

    begin(w, TYPE_MEMORY_MAPPED, index);
    put(w, 4, extended ? UINT32_MAX : base / KIB);
    put(w, 4, extended ? UINT32_MAX : last / KIB);
    put(w, 2, TYPE_MEMORY_ARRAY << HANDLE_SHIFT);
    put(w, 1, 1); /* partition width */
    put(w, 8, extended ? base : 0);
    put(w, 8, extended ? last : 0);
    end(w);
}

static void add_memory(struct writer *w, const struct boot_board *board)
{
    uint64_t memory = board->ram_low + board->ram_high, left = memory / MIB;
    unsigned devices = (unsigned)((left + DEVICE_MIB_MAX - 1) / DEVICE_MIB_MAX);

    add_memory_array(w, memory, devices);
    for (unsigned i = 0; i < devices; i++) {
        uint64_t part = MIN(left, (uint64_t)DEVICE_MIB_MAX);

        add_memory_device(w, i, part);
        left -= part;
    }
    add_mapped(w, 0, 0, board->ram_low);
    if (board->ram_high > 0) {
        add_mapped(w, 1, BOOT_RAM_HIGH_BASE, board->ram_high);
    }
}

static void add_boot(struct writer *w)
{
    begin(w, TYPE_BOOT, 0);
    put(w, 6, 0);
    put(w, 1, 0); /* no errors */
    end(w);
}

/* --- The entry point -------------------------------------------------------------------------- */

static void build_anchor(uint8_t anchor[SMBIOS_ANCHOR_SIZE], const struct writer *w)
{
    memset(anchor, 0, SMBIOS_ANCHOR_SIZE);
    memcpy(anchor, "_SM_", 4);
    anchor[5] = SMBIOS_ANCHOR_SIZE;
    anchor[6] = VERSION_MAJOR;
    anchor[7] = VERSION_MINOR;
    store_le16(anchor + 8, (uint16_t)w->largest);
    memcpy(anchor + 16, "_DMI_", 5);
    store_le16(anchor + 22, (uint16_t)w->bytes->len);
    store_le16(anchor + 28, (uint16_t)w->n_structures);
    anchor[30] = VERSION_MAJOR << 4 | VERSION_MINOR;
}

GByteArray *smbios_build(const struct boot_board *board, const char *uuid,
                         uint8_t anchor[SMBIOS_ANCHOR_SIZE])
{
    struct writer w = { .bytes = g_byte_array_new() };

    add_system(&w, uuid);
    add_chassis(&w);
    add_processor(&w, board);
    add_memory(&w, board);
    add_boot(&w);
    begin(&w, TYPE_END, 0);
    end(&w);
    g_assert(w.bytes->len <= UINT16_MAX);
    build_anchor(anchor, &w);
    return w.bytes;
}
