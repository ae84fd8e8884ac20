/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bytes of CMOS memory that describe the machine, for firmware without fw_cfg and for old boot
 * loaders. Their places are in devices/include/rtc.h.
 */
#include "files.h"
#include "rtc.h"

enum {
    KIB = 1 << 10,
    UNIT_64K = 64 << 10,
    BASE_MEMORY_KIB = 640,
    EQUIPMENT_FPU = 1 << 1,
    EQUIPMENT_MOUSE = 1 << 2,
    BOOT_DISK_THEN_CD = 0x32, /* low nibble first */
    BOOT_CD_THEN_DISK = 0x23,
    WORD_MAX = 0xffff,
};

struct writer {
    void (*set)(void *context, uint8_t index, uint8_t value);
    void *context;
};

static void put(const struct writer *writer, unsigned index, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++) {
        writer->set(writer->context, (uint8_t)(index + i), (uint8_t)(value >> (8 * i)));
    }
}

static uint64_t above(uint64_t size, uint64_t base, uint64_t unit)
{
    uint64_t units = size > base ? (size - base) / unit : 0;

    return MIN(units, (uint64_t)WORD_MAX);
}

void cmos_build(const struct boot_board *board, bool cd_first,
                void (*set)(void *context, uint8_t index, uint8_t value), void *context)
{
    struct writer writer = { set, context };

    put(&writer, CMOS_EQUIPMENT, 1, EQUIPMENT_FPU | EQUIPMENT_MOUSE);
    put(&writer, CMOS_BASE_MEMORY, 2, BASE_MEMORY_KIB);
    put(&writer, CMOS_EXTENDED_MEMORY, 2, above(board->ram_low, 1 << 20, KIB));
    put(&writer, CMOS_EXTENDED_MEMORY_2, 2, above(board->ram_low, 1 << 20, KIB));
    put(&writer, CMOS_MEMORY_ABOVE_16M, 2, above(board->ram_low, 16 << 20, UNIT_64K));
    put(&writer, CMOS_MEMORY_ABOVE_4G, 3, board->ram_high / UNIT_64K);
    put(&writer, CMOS_BOOT_ORDER, 1, cd_first ? BOOT_CD_THEN_DISK : BOOT_DISK_THEN_CD);
    put(&writer, CMOS_CPUS_MINUS_1, 1, board->n_cpus - 1);
}
