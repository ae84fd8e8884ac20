/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The VGA's ports 3B0-3DF: miscellaneous output, sequencer, graphics controller, CRTC, attribute
 * controller, DAC, and the status register that follows the clock. IBM VGA; unused bits read as 0.
 *
 * The status register computes where the beam is from machine time and the CRTC's vertical timing,
 * at the VGA's 31.47 kHz line rate. Vertical retrace is reported from its start to the end of the
 * frame instead of for two lines, because a guest that waits for it looks through exits and
 * would miss it. There are no interrupts, light pen, or switch sensing.
 */
#include <string.h>

#include "services.h"
#include "vga.h"

enum {
    PORT_CRTC_INDEX_MONO = 0x3b4,
    PORT_CRTC_DATA_MONO = 0x3b5,
    PORT_STATUS_1_MONO = 0x3ba,
    PORT_ATTRIBUTE = 0x3c0,
    PORT_ATTRIBUTE_READ = 0x3c1,
    PORT_MISC_WRITE = 0x3c2, /* reads: input status 0 */
    PORT_SEQUENCER_INDEX = 0x3c4,
    PORT_SEQUENCER_DATA = 0x3c5,
    PORT_DAC_MASK = 0x3c6,
    PORT_DAC_READ_INDEX = 0x3c7, /* reads: state */
    PORT_DAC_WRITE_INDEX = 0x3c8,
    PORT_DAC_DATA = 0x3c9,
    PORT_FEATURE_READ = 0x3ca,
    PORT_MISC_READ = 0x3cc,
    PORT_GRAPHICS_INDEX = 0x3ce,
    PORT_GRAPHICS_DATA = 0x3cf,
    PORT_CRTC_INDEX = 0x3d4,
    PORT_CRTC_DATA = 0x3d5,
    PORT_STATUS_1 = 0x3da, /* writes: feature control */

    MONO_TO_COLOR = 0x20,

    STATUS_1_DISPLAY_OFF = 0x01,
    STATUS_1_VERTICAL_RETRACE = 0x08,

    LINE_NS = 31778,
    LINE_SHOWN_NS = 25422, /* of which pixels are shown */
    LINES_MIN = 100,
};

static const uint8_t sequencer_masks[SEQ_REGISTERS] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
static const uint8_t graphics_masks[GC_REGISTERS] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03,
                                                      0x7b, 0x0f, 0x0f, 0xff };
static const uint8_t attribute_masks[ATTR_REGISTERS] = { 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
                                                         0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
                                                         0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f };

/* --- Where the beam is ----------------------------------------------------------------------- */

/* A 10-bit CRTC value: low byte and the places of bits 8 and 9 in the overflow register. */
static uint32_t crtc_vertical(const struct vga *vga, unsigned low, unsigned bit8, unsigned bit9)
{
    uint8_t overflow = vga->crtc[CRTC_OVERFLOW];

    return vga->crtc[low] | (overflow >> bit8 & 1u) << 8 | (overflow >> bit9 & 1u) << 9;
}

static uint8_t status_1(struct vga *vga)
{
    uint32_t total = crtc_vertical(vga, CRTC_VERTICAL_TOTAL, 0, 5) + 2;
    uint32_t shown = crtc_vertical(vga, CRTC_VERTICAL_DISPLAY_END, 1, 6) + 1;
    uint32_t retrace = crtc_vertical(vga, CRTC_VERTICAL_RETRACE_START, 2, 7);
    uint8_t status = 0;

    if (total < LINES_MIN) {
        total = LINES_MIN;
    }
    /* Whatever the registers say, a frame has a shown part and a retrace. */
    if (shown >= total) {
        shown = total - LINES_MIN / 10;
    }
    if (retrace < shown || retrace >= total) {
        retrace = shown;
    }
    uint64_t frame_ns = (uint64_t)total * LINE_NS;
    uint64_t at = dev_now_ns(&vga->pci.device) % frame_ns;
    uint64_t line = at / LINE_NS;

    if (line >= shown || at % LINE_NS >= LINE_SHOWN_NS) {
        status |= STATUS_1_DISPLAY_OFF;
    }
    if (line >= retrace) {
        status |= STATUS_1_VERTICAL_RETRACE;
    }
    return status;
}

/* --- DAC ------------------------------------------------------------------------------------- */

static uint8_t dac_mask_width(const struct vga *vga)
{
    return vga->dispi[DISPI_ENABLE] & DISPI_8BIT_DAC ? 0xff : 0x3f;
}

static uint8_t dac_read(struct vga *vga)
{
    uint8_t value = vga->palette[vga->dac_read_index * 3 + vga->dac_component % 3];

    if (++vga->dac_component >= 3) {
        vga->dac_component = 0;
        vga->dac_read_index++;
    }
    return value & dac_mask_width(vga);
}

/* A colour takes effect when its third component arrives. */
static void dac_write(struct vga *vga, uint8_t value)
{
    value &= dac_mask_width(vga);
    if (vga->dac_component < 2) {
        vga->dac_pending[vga->dac_component++] = value;
        return;
    }
    uint8_t *color = vga->palette + vga->dac_write_index * 3;

    color[0] = vga->dac_pending[0];
    color[1] = vga->dac_pending[1];
    color[2] = value;
    vga->dac_component = 0;
    vga->dac_write_index++;
}

/* --- Indexed registers ----------------------------------------------------------------------- */

static void attribute_write(struct vga *vga, uint8_t value)
{
    unsigned index = vga->attribute_index & 0x1f;

    if (!vga->attribute_data) {
        vga->attribute_index = value & 0x3f;
    } else if (index < ATTR_REGISTERS) {
        vga->attribute[index] = value & attribute_masks[index];
    }
    vga->attribute_data = !vga->attribute_data;
}

static void crtc_write(struct vga *vga, uint8_t value)
{
    unsigned index = vga->crtc_index;

    if (index >= CRTC_REGISTERS) {
        return;
    }
    if (index <= CRTC_OVERFLOW && (vga->crtc[CRTC_VERTICAL_RETRACE_END] & CRTC_PROTECT)) {
        if (index == CRTC_OVERFLOW) { /* bit 8 of the line compare stays open */
            vga->crtc[index] = (uint8_t)((vga->crtc[index] & ~0x10) | (value & 0x10));
        }
        return;
    }
    vga->crtc[index] = value;
}

static bool port_active(const struct vga *vga, unsigned port)
{
    bool color = vga->misc_output & MISC_COLOR_PORTS;

    return port >= 0x3d0 ? color : port >= 0x3c0 || !color;
}

uint8_t vga_port_read(struct vga *vga, unsigned port)
{
    if (!port_active(vga, port)) {
        return 0xff;
    }
    switch (port) {
    case PORT_CRTC_INDEX_MONO:
    case PORT_CRTC_INDEX:
        return vga->crtc_index;
    case PORT_CRTC_DATA_MONO:
    case PORT_CRTC_DATA:
        return vga->crtc_index < CRTC_REGISTERS ? vga->crtc[vga->crtc_index] : 0;
    case PORT_STATUS_1_MONO:
    case PORT_STATUS_1:
        vga->attribute_data = false;
        return status_1(vga);
    case PORT_ATTRIBUTE:
        return vga->attribute_data ? 0 : vga->attribute_index;
    case PORT_ATTRIBUTE_READ:
        return (vga->attribute_index & 0x1f) < ATTR_REGISTERS
                   ? vga->attribute[vga->attribute_index & 0x1f]
                   : 0;
    case PORT_MISC_WRITE:
        return 0;
    case PORT_SEQUENCER_INDEX:
        return vga->sequencer_index;
    case PORT_SEQUENCER_DATA:
        return vga->sequencer_index < SEQ_REGISTERS ? vga->sequencer[vga->sequencer_index] : 0;
    case PORT_DAC_MASK:
        return vga->dac_mask;
    case PORT_DAC_READ_INDEX:
        return vga->dac_reading ? 3 : 0;
    case PORT_DAC_WRITE_INDEX:
        return vga->dac_write_index;
    case PORT_DAC_DATA:
        return dac_read(vga);
    case PORT_FEATURE_READ:
        return vga->feature_control;
    case PORT_MISC_READ:
        return vga->misc_output;
    case PORT_GRAPHICS_INDEX:
        return vga->graphics_index;
    case PORT_GRAPHICS_DATA:
        return vga->graphics_index < GC_REGISTERS ? vga->graphics[vga->graphics_index] : 0;
    default:
        return 0xff;
    }
}

void vga_port_write(struct vga *vga, unsigned port, uint8_t value)
{
    if (!port_active(vga, port)) {
        return;
    }
    switch (port) {
    case PORT_CRTC_INDEX_MONO:
    case PORT_CRTC_INDEX:
        vga->crtc_index = value;
        break;
    case PORT_CRTC_DATA_MONO:
    case PORT_CRTC_DATA:
        crtc_write(vga, value);
        break;
    case PORT_STATUS_1_MONO:
    case PORT_STATUS_1:
        vga->feature_control = value & 0x10;
        break;
    case PORT_ATTRIBUTE:
        attribute_write(vga, value);
        break;
    case PORT_MISC_WRITE:
        vga->misc_output = value & ~0x10;
        break;
    case PORT_SEQUENCER_INDEX:
        vga->sequencer_index = value & 7;
        break;
    case PORT_SEQUENCER_DATA:
        if (vga->sequencer_index < SEQ_REGISTERS) {
            vga->sequencer[vga->sequencer_index] = value & sequencer_masks[vga->sequencer_index];
            vga_memory_place(vga);
        }
        break;
    case PORT_DAC_MASK:
        vga->dac_mask = value;
        break;
    case PORT_DAC_READ_INDEX:
        vga->dac_read_index = value;
        vga->dac_component = 0;
        vga->dac_reading = true;
        break;
    case PORT_DAC_WRITE_INDEX:
        vga->dac_write_index = value;
        vga->dac_component = 0;
        vga->dac_reading = false;
        break;
    case PORT_DAC_DATA:
        dac_write(vga, value);
        break;
    case PORT_GRAPHICS_INDEX:
        vga->graphics_index = value & 15;
        break;
    case PORT_GRAPHICS_DATA:
        if (vga->graphics_index < GC_REGISTERS) {
            vga->graphics[vga->graphics_index] = value & graphics_masks[vga->graphics_index];
            vga_memory_place(vga);
        }
        break;
    default: /* holes in the range, and status registers */
        break;
    }
}

void vga_registers_reset(struct vga *vga)
{
    vga->misc_output = 0;
    vga->feature_control = 0;
    vga->sequencer_index = 0;
    memset(vga->sequencer, 0, sizeof(vga->sequencer));
    vga->graphics_index = 0;
    memset(vga->graphics, 0, sizeof(vga->graphics));
    vga->crtc_index = 0;
    memset(vga->crtc, 0, sizeof(vga->crtc));
    vga->attribute_index = 0;
    memset(vga->attribute, 0, sizeof(vga->attribute));
    vga->attribute_data = false;
    vga->dac_mask = 0xff;
    vga->dac_read_index = 0;
    vga->dac_write_index = 0;
    vga->dac_reading = false;
    vga->dac_component = 0;
    memset(vga->dac_pending, 0, sizeof(vga->dac_pending));
    memset(vga->palette, 0, sizeof(vga->palette));
    vga->latch = 0;
}
