/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Display adapter "stdvga": PCI 1234:1111 revision 2, the VGA with Bochs display interface that
 * SeaVGABIOS, OVMF, Linux (bochs-drm), Windows (through the firmware) and hobby systems know.
 *
 *   BAR 0   video memory as a linear framebuffer
 *   BAR 2   4 KiB: EDID at 000, ports 3C0-3DF at 400, DISPI registers at 500, size and byte
 *           order of pixels at 600
 *   ports   3B0-3DF, and 1CE/1CF (1D0) for DISPI
 *   memory  A0000-BFFFF
 *
 * Specification: IBM VGA for the ports and planes (vga_registers.c, vga_memory.c); the Bochs VBE
 * extensions (dispi.c); VESA EDID 1.4 (edid.c). What is shown: vga_picture.c and one file for each
 * family of modes. The legacy ports and memory answer whatever the PCI command register says, as in
 * the boards that guests know. The video BIOS is not in a ROM BAR; firmware finds it through
 * fw_cfg.
 *
 * Left out: interrupts, the overscan border, tricks within a frame, genuine chain-4 addressing with
 * holes (vga_memory.c). A guest's nonsense is clamped when it is used and is no error.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "services.h"
#include "vga.h"

enum {
    DISPI_PORT_INDEX = 0,
    DISPI_PORT_DATA = 1,   /* 1CF */
    DISPI_PORT_DATA_2 = 2, /* 1D0, for machines without odd 16-bit ports */

    BAR2_PORTS = 0x400,
    BAR2_PORTS_END = 0x420,
    BAR2_PORTS_FIRST = 0x3c0,
    BAR2_DISPI = 0x500,
    BAR2_DISPI_END = BAR2_DISPI + 2 * DISPI_REGISTERS,
    BAR2_EXTENDED_SIZE = 0x600,
    BAR2_ENDIAN = 0x604,
    EXTENDED_SIZE = 8,
};

#define ENDIAN_LITTLE 0x1e1e1e1eu
#define ENDIAN_BIG    0xbebebebeu

/* --- Ports ----------------------------------------------------------------------------------- */

uint64_t vga_ports_read(struct device *device, uint64_t offset, unsigned size)
{
    return vga_port_read(to_vga(device), VGA_PORTS_BASE + (unsigned)offset);
}

void vga_ports_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    vga_port_write(to_vga(device), VGA_PORTS_BASE + (unsigned)offset, (uint8_t)value);
}

uint64_t vga_dispi_read(struct device *device, uint64_t offset, unsigned size)
{
    struct vga *vga = to_vga(device);

    switch (offset) {
    case DISPI_PORT_INDEX:
        return vga->dispi_index;
    case DISPI_PORT_DATA:
    case DISPI_PORT_DATA_2:
        return dispi_read(vga, vga->dispi_index);
    default:
        return ones(size);
    }
}

void vga_dispi_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct vga *vga = to_vga(device);

    switch (offset) {
    case DISPI_PORT_INDEX:
        vga->dispi_index = (uint16_t)value;
        break;
    case DISPI_PORT_DATA:
    case DISPI_PORT_DATA_2:
        dispi_write(vga, vga->dispi_index, (uint16_t)value);
        break;
    default:
        break;
    }
}

/* --- BAR 2 ----------------------------------------------------------------------------------- */

/* The parts begin and end at multiples of four, so an aligned access is in one of them. */
uint64_t vga_bar2_read(struct device *device, uint64_t offset, unsigned size)
{
    struct vga *vga = to_vga(device);
    uint64_t value = 0;

    if (offset < EDID_SIZE) {
        return load_le(vga->edid + offset, size);
    }
    if (offset >= BAR2_PORTS && offset < BAR2_PORTS_END) {
        for (unsigned i = 0; i < size; i++) {
            unsigned port = BAR2_PORTS_FIRST + (unsigned)(offset - BAR2_PORTS) + i;

            value |= (uint64_t)vga_port_read(vga, port) << (8 * i);
        }
        return value;
    }
    if (offset >= BAR2_DISPI && offset < BAR2_DISPI_END) {
        unsigned index = (unsigned)(offset - BAR2_DISPI) / 2;

        value = dispi_read(vga, index) | (uint32_t)dispi_read(vga, index + 1) << 16;
        return value >> (offset % 2 * 8);
    }
    if (offset >= BAR2_EXTENDED_SIZE && offset < BAR2_EXTENDED_SIZE + EXTENDED_SIZE) {
        value =
            offset < BAR2_ENDIAN ? EXTENDED_SIZE : (vga->big_endian ? ENDIAN_BIG : ENDIAN_LITTLE);
        return value >> (offset % 4 * 8);
    }
    return 0;
}

void vga_bar2_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct vga *vga = to_vga(device);

    if (offset >= BAR2_PORTS && offset < BAR2_PORTS_END) {
        for (unsigned i = 0; i < size; i++) {
            unsigned port = BAR2_PORTS_FIRST + (unsigned)(offset - BAR2_PORTS) + i;

            vga_port_write(vga, port, (uint8_t)(value >> (8 * i)));
        }
    } else if (offset >= BAR2_DISPI && offset < BAR2_DISPI_END && size >= 2) {
        unsigned index = (unsigned)(offset - BAR2_DISPI) / 2;

        dispi_write(vga, index, (uint16_t)value);
        if (size == 4) {
            dispi_write(vga, index + 1, (uint16_t)(value >> 16));
        }
    } else if (offset == BAR2_ENDIAN && size == 4) {
        if (value == ENDIAN_BIG || value == ENDIAN_LITTLE) {
            vga->big_endian = value == ENDIAN_BIG;
        }
    } else {
        guest_error(device, "write of %u bytes at BAR 2 offset %#llx, where nothing takes it", size,
                    (unsigned long long)offset);
    }
}

/* --- The monitor ------------------------------------------------------------------------------ */

static void monitor_set(struct vga *vga)
{
    edid_make(vga->edid, vga->edid_width & ~7u, vga->edid_height);
}

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* A size that video memory does not hold at 32 bits a pixel is made smaller in its own shape. */
void vga_set_size(struct device *device, unsigned head, uint32_t width, uint32_t height)
{
    struct vga *vga = to_vga(device);

    (void)head;
    width = clamp(width, EDID_WIDTH_MIN, EDID_WIDTH_MAX) & ~7u;
    height = clamp(height, EDID_HEIGHT_MIN, EDID_HEIGHT_MAX);
    vga->edid_width = width;
    vga->edid_height = height;
    while ((uint64_t)vga->edid_width * vga->edid_height > vga->vram_size / 4) {
        vga->edid_width -= 8;
        vga->edid_height = height * vga->edid_width / width;
    }
    monitor_set(vga);
}

/* --- Life ------------------------------------------------------------------------------------ */

int vga_create(struct device *device, struct dev_error *error)
{
    struct vga *vga = to_vga(device);
    uint64_t size;

    vga->vram = dev_memory(device, VGA_MEMORY_VRAM, &size);
    /* A BAR's size is a power of two: pci_create() has refused others. */
    assert(size == vga->vram_size && (size & (size - 1)) == 0);
    vga->dirty = calloc(vga->vram_size / VGA_PAGE_SIZE / 64, sizeof(*vga->dirty));
    vga->drawn = calloc(1, sizeof(*vga->drawn));
    if (!vga->dirty || !vga->drawn) {
        abort(); /* small sizes: the host is beyond help */
    }
    monitor_set(vga);
    return 0;
}

void vga_destroy(struct device *device)
{
    struct vga *vga = to_vga(device);

    free(vga->dirty);
    free(vga->drawn);
}

void vga_reset(struct device *device, enum reset_kind kind)
{
    struct vga *vga = to_vga(device);

    vga_registers_reset(vga);
    dispi_reset(vga);
    vga->big_endian = false;
    /* New memory is zero already, and stays unallocated if nobody touches it. */
    if (kind == RESET_COLD && vga->started) {
        memset(vga->vram, 0, vga->vram_size);
    }
    vga->started = true;
    vga->drawn->valid = false;
    vga_memory_place(vga);
}

int vga_validate(struct device *device, struct dev_error *error)
{
    const struct vga *vga = to_vga(device);

    if (vga->edid_width < EDID_WIDTH_MIN || vga->edid_height < EDID_HEIGHT_MIN) {
        dev_error_set(error,
                      "The state of %s has a monitor of %u x %u pixels, which does not exist.",
                      device->name, vga->edid_width, vga->edid_height);
        return -EINVAL;
    }
    return 0;
}

void vga_restored(struct device *device)
{
    struct vga *vga = to_vga(device);

    monitor_set(vga);
    vga->drawn->valid = false;
    vga_memory_place(vga);
}

static const struct region_desc vga_regions[] = { VGA_REGIONS(0) };

static const struct memory_desc vga_memories[] = {
    [VGA_MEMORY_VRAM] = { .name = "vram", .flags = MEMORY_RAM },
};

static const struct window_desc vga_windows[] = { VGA_WINDOWS };

static const struct option_desc vga_options[] = { VGA_OPTIONS, { NULL } };

const struct state_field vga_fields[] = {
    FIELD_STRUCT(struct vga, pci, pci_fields),
    FIELD(struct vga, misc_output),
    FIELD(struct vga, feature_control),
    FIELD_MAX(struct vga, sequencer_index, 7),
    FIELD_ARRAY(struct vga, sequencer),
    FIELD_MAX(struct vga, graphics_index, 15),
    FIELD_ARRAY(struct vga, graphics),
    FIELD(struct vga, crtc_index),
    FIELD_ARRAY(struct vga, crtc),
    FIELD_MAX(struct vga, attribute_index, 63),
    FIELD_ARRAY(struct vga, attribute),
    FIELD(struct vga, attribute_data),
    FIELD(struct vga, dac_mask),
    FIELD(struct vga, dac_read_index),
    FIELD(struct vga, dac_write_index),
    FIELD(struct vga, dac_reading),
    FIELD_MAX(struct vga, dac_component, 2),
    FIELD_ARRAY(struct vga, dac_pending),
    FIELD_ARRAY(struct vga, palette),
    FIELD(struct vga, latch),
    FIELD(struct vga, dispi_index),
    FIELD_ARRAY(struct vga, dispi),
    FIELD(struct vga, big_endian),
    FIELD_MAX(struct vga, edid_width, EDID_WIDTH_MAX),
    FIELD_MAX(struct vga, edid_height, EDID_HEIGHT_MAX),
    FIELD_END,
};

static const struct pci_info vga_pci = {
    .vendor = 0x1234,
    .device = 0x1111,
    .revision = 2,
    .class_code = 0x030000,
    .bars = { VGA_BARS(0) },
};

static const struct display_ops vga_display = {
    .mode = vga_display_mode,
    .render = vga_display_render,
    .text = vga_display_text,
    .set_size = vga_set_size,
};

const struct device_class vga_class = {
    .name = "stdvga",
    .version = 1,
    .state_size = sizeof(struct vga),
    .description = "Standard VGA with a linear framebuffer",
    .options = vga_options,
    .regions = vga_regions,
    .n_regions = sizeof(vga_regions) / sizeof(vga_regions[0]),
    .memories = vga_memories,
    .n_memories = sizeof(vga_memories) / sizeof(vga_memories[0]),
    .windows = vga_windows,
    .n_windows = sizeof(vga_windows) / sizeof(vga_windows[0]),
    .fields = vga_fields,
    .pci = &vga_pci,
    .display = &vga_display,
    .create = vga_create,
    .destroy = vga_destroy,
    .reset = vga_reset,
    .validate = vga_validate,
    .restored = vga_restored,
};
