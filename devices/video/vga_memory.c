/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory window A0000-BFFFF: how an access becomes bytes of the four planes. IBM VGA: the
 * graphics controller's read modes 0 and 1 and write modes 0 to 3, the latches, the map mask,
 * odd/even and chain-4 addressing.
 *
 * Chain-4 and odd/even addresses are packed (address / 4, address / 2) instead of leaving holes in
 * the planes, so that every mode shows its memory without gaps; see vga.h. Odd/even is taken from
 * the graphics controller's bit for both directions; its page bits are not modelled.
 *
 * A DISPI mode with 8 bits a pixel or more sees a plain bank at A0000 whatever the VGA registers
 * say. That, and chain-4 with nothing else in the way, needs no trapping: vga_memory_place().
 */
#include "bytes.h"
#include "services.h"
#include "vga.h"

/* Four plane bits as a mask of four bytes. */
static uint32_t plane_bytes(unsigned planes)
{
    return ((planes & 1) * 0xffu) | ((planes >> 1 & 1) * 0xff00u) |
           ((planes >> 2 & 1) * 0xff0000u) | ((planes >> 3 & 1) * 0xff000000u);
}

static uint32_t byte_repeat(uint8_t byte)
{
    return byte * 0x01010101u;
}

/* Where the memory map select puts the window: first offset and length in A0000-BFFFF. */
static void map_get(const struct vga *vga, uint64_t *first, uint64_t *length)
{
    static const uint32_t maps[4][2] = {
        { 0, 0x20000 }, { 0, 0x10000 }, { 0x10000, 0x8000 }, { 0x18000, 0x8000 }
    };
    const uint32_t *map = maps[vga->graphics[GC_MISCELLANEOUS] >> 2 & 3];

    *first = map[0];
    *length = map[1];
}

static bool chain4(const struct vga *vga)
{
    return vga->sequencer[SEQ_MEMORY_MODE] & MEMORY_MODE_CHAIN4;
}

/* What an access at one address means. */
struct target {
    uint32_t base;   /* byte offset in video memory of plane 0 */
    unsigned planes; /* that the address can reach: bits */
    unsigned plane;  /* that read mode 0 gives */
};

/* False if nothing answers at the offset. */
static bool target_get(const struct vga *vga, uint64_t offset, struct target *target)
{
    uint64_t first, length;
    uint32_t bank = 0;

    map_get(vga, &first, &length);
    if (offset < first || offset - first >= length) {
        return false;
    }
    uint32_t address = (uint32_t)(offset - first);

    if (dispi_enabled(vga)) { /* four bits a pixel: the bank counts in every plane */
        bank = vga->dispi[DISPI_BANK] * (uint32_t)VGA_BANK_SIZE;
    }
    if (chain4(vga)) {
        target->planes = 1u << (address & 3);
        target->plane = address & 3;
        address >>= 2;
    } else if (vga->graphics[GC_MODE] & GC_MODE_ODD_EVEN) {
        target->planes = address & 1 ? 0xa : 0x5;
        target->plane = (vga->graphics[GC_READ_MAP] & 2) | (address & 1);
        address >>= 1;
    } else {
        target->planes = 0xf;
        target->plane = vga->graphics[GC_READ_MAP] & 3;
    }
    address &= VGA_PLANE_SIZE - 1;
    target->base = (bank + address) % (vga->vram_size / 4) * 4;
    return true;
}

/* Read mode 1: a bit is set where all planes that matter have the wanted colour. */
static uint8_t color_compare(const struct vga *vga)
{
    uint32_t wanted = plane_bytes(vga->graphics[GC_COLOR_COMPARE]);
    uint32_t care = plane_bytes(vga->graphics[GC_COLOR_DONT_CARE]);
    uint32_t differ = (vga->latch ^ wanted) & care;

    differ |= differ >> 16;
    differ |= differ >> 8;
    return (uint8_t)~differ;
}

uint64_t vga_memory_read(struct device *device, uint64_t offset, unsigned size)
{
    struct vga *vga = to_vga(device);
    struct target target;
    uint64_t bank;

    if (dispi_bank(vga, &bank)) {
        return offset < VGA_BANK_SIZE ? vga->vram[bank + offset] : ones(size);
    }
    if (!target_get(vga, offset, &target)) {
        return ones(size);
    }
    vga->latch = load_le32(vga->vram + target.base);
    if (vga->graphics[GC_MODE] & GC_MODE_READ_COMPARE) {
        return color_compare(vga);
    }
    return vga->latch >> (target.plane * 8) & 0xff;
}

static uint8_t rotate(const struct vga *vga, uint8_t value)
{
    unsigned count = vga->graphics[GC_DATA_ROTATE] & 7;

    return (uint8_t)(value >> count | value << (8 - count));
}

static uint32_t combine(const struct vga *vga, uint32_t value)
{
    switch (vga->graphics[GC_DATA_ROTATE] >> 3 & 3) {
    case 1:
        return value & vga->latch;
    case 2:
        return value | vga->latch;
    case 3:
        return value ^ vga->latch;
    default:
        return value;
    }
}

/* What the four planes get for a byte written, before the map mask. */
static uint32_t planes_value(const struct vga *vga, uint8_t byte)
{
    uint32_t set = plane_bytes(vga->graphics[GC_SET_RESET]);
    uint32_t enable = plane_bytes(vga->graphics[GC_ENABLE_SET_RESET]);
    uint32_t mask = byte_repeat(vga->graphics[GC_BIT_MASK]);
    uint32_t value;

    switch (vga->graphics[GC_MODE] & 3) {
    case 0:
        value = (byte_repeat(rotate(vga, byte)) & ~enable) | (set & enable);
        break;
    case 1:
        return vga->latch;
    case 2:
        value = plane_bytes(byte);
        break;
    default:
        mask &= byte_repeat(rotate(vga, byte));
        value = set;
        break;
    }
    return (combine(vga, value) & mask) | (vga->latch & ~mask);
}

void vga_memory_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct vga *vga = to_vga(device);
    struct target target;
    uint64_t bank;

    if (dispi_bank(vga, &bank)) {
        if (offset < VGA_BANK_SIZE) {
            vga->vram[bank + offset] = (uint8_t)value;
            vga_memory_touched(vga, bank + offset, 1);
        }
        return;
    }
    if (!target_get(vga, offset, &target)) {
        return;
    }
    uint8_t *at = vga->vram + target.base;
    uint32_t mask = plane_bytes(vga->sequencer[SEQ_MAP_MASK] & target.planes);

    store_le32(at, (planes_value(vga, (uint8_t)value) & mask) | (load_le32(at) & ~mask));
    vga_memory_touched(vga, target.base, 4);
}

void vga_memory_touched(struct vga *vga, uint64_t offset, uint64_t length)
{
    for (uint64_t page = offset / VGA_PAGE_SIZE; page * VGA_PAGE_SIZE < offset + length; page++) {
        vga->dirty[page / 64] |= UINT64_C(1) << (page % 64);
    }
}

/* Chain-4 with every byte going to memory as it is and coming back as it is. */
static bool chain4_plain(const struct vga *vga)
{
    const uint8_t *gc = vga->graphics;

    return chain4(vga) && vga->sequencer[SEQ_MAP_MASK] == 0xf &&
           (gc[GC_MODE] & (GC_MODE_READ_COMPARE | 3)) == 0 && gc[GC_ENABLE_SET_RESET] == 0 &&
           gc[GC_DATA_ROTATE] == 0 && gc[GC_BIT_MASK] == 0xff;
}

void vga_memory_place(struct vga *vga)
{
    struct device *device = &vga->pci.device;
    uint64_t first = 0, length = VGA_BANK_SIZE, offset = 0;

    if (!dispi_bank(vga, &offset)) {
        map_get(vga, &first, &length);
        if (!chain4_plain(vga) || dispi_enabled(vga)) {
            length = 0;
        }
    }
    if (length == vga->alias_length &&
        (length == 0 || (first == vga->alias_first && offset == vga->alias_offset))) {
        return;
    }
    vga->alias_first = first;
    vga->alias_offset = offset;
    vga->alias_length = length;
    if (length == 0) {
        device->services->window_remove(device, VGA_WINDOW_LEGACY);
    } else {
        device->services->window_place(device, VGA_WINDOW_LEGACY, VGA_WINDOW_BASE + first, offset,
                                       length);
    }
}
