/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the display adapter "stdvga" share, and what an adapter takes over that begins
 * as one and has more besides (gpu.c): its state starts with struct vga, its class has
 * VGA_REGIONS, the memory and windows, VGA_OPTIONS and functions that call those of vga.c. See
 * vga.c for the hardware.
 *
 * Video memory holds the four planes interleaved: the byte of plane p at plane offset a is
 * vram[4 * a + p]. A "plane offset" counts bytes of one plane. With this layout chain-4, mode X and
 * the linear framebuffer agree on where a pixel is, and text character n is at vram[4 * n], its
 * attribute at vram[4 * n + 1], its font's bytes at vram[4 * a + 2].
 */
#ifndef DEVICES_VGA_H
#define DEVICES_VGA_H

#include "virtio.h"
#include "display.h"
#include "edid.h"
#include "pci.h"

enum {
    SEQ_RESET = 0,
    SEQ_CLOCKING = 1,
    SEQ_MAP_MASK = 2,
    SEQ_CHARACTER_MAP = 3,
    SEQ_MEMORY_MODE = 4,
    SEQ_REGISTERS = 5,

    CLOCKING_8_DOTS = 0x01,
    CLOCKING_HALF_DOT_CLOCK = 0x08,
    CLOCKING_SCREEN_OFF = 0x20,
    MEMORY_MODE_CHAIN4 = 0x08,

    GC_SET_RESET = 0,
    GC_ENABLE_SET_RESET = 1,
    GC_COLOR_COMPARE = 2,
    GC_DATA_ROTATE = 3,
    GC_READ_MAP = 4,
    GC_MODE = 5,
    GC_MISCELLANEOUS = 6,
    GC_COLOR_DONT_CARE = 7,
    GC_BIT_MASK = 8,
    GC_REGISTERS = 9,

    GC_MODE_READ_COMPARE = 0x08,
    GC_MODE_ODD_EVEN = 0x10,
    GC_MODE_SHIFT_INTERLEAVE = 0x20,
    GC_MODE_SHIFT_256 = 0x40,
    GC_MISC_GRAPHICS = 0x01,

    CRTC_HORIZONTAL_TOTAL = 0x00,
    CRTC_HORIZONTAL_DISPLAY_END = 0x01,
    CRTC_VERTICAL_TOTAL = 0x06,
    CRTC_OVERFLOW = 0x07,
    CRTC_PRESET_ROW_SCAN = 0x08,
    CRTC_MAXIMUM_SCAN_LINE = 0x09,
    CRTC_CURSOR_START = 0x0a,
    CRTC_CURSOR_END = 0x0b,
    CRTC_START_HIGH = 0x0c,
    CRTC_START_LOW = 0x0d,
    CRTC_CURSOR_HIGH = 0x0e,
    CRTC_CURSOR_LOW = 0x0f,
    CRTC_VERTICAL_RETRACE_START = 0x10,
    CRTC_VERTICAL_RETRACE_END = 0x11,
    CRTC_VERTICAL_DISPLAY_END = 0x12,
    CRTC_OFFSET = 0x13,
    CRTC_UNDERLINE = 0x14,
    CRTC_MODE = 0x17,
    CRTC_LINE_COMPARE = 0x18,
    CRTC_REGISTERS = 0x19,

    CRTC_MODE_NO_BIT_13 = 0x01, /* address bit 13 is not row scan bit 0 */
    CRTC_MODE_NO_BIT_14 = 0x02,
    CRTC_MODE_BYTES = 0x40,
    CRTC_MODE_RUN = 0x80,
    CRTC_PROTECT = 0x80, /* in CRTC_VERTICAL_RETRACE_END */

    ATTR_MODE = 0x10,
    ATTR_OVERSCAN = 0x11,
    ATTR_PLANE_ENABLE = 0x12,
    ATTR_PANNING = 0x13,
    ATTR_COLOR_SELECT = 0x14,
    ATTR_REGISTERS = 0x15,

    ATTR_MODE_LINE_GRAPHICS = 0x04,
    ATTR_MODE_BLINK = 0x08,
    ATTR_MODE_PAN_TOP_ONLY = 0x20,
    ATTR_MODE_COLOR_SELECT_54 = 0x80,
    ATTR_INDEX_VIDEO_ON = 0x20,

    MISC_COLOR_PORTS = 0x01,
};

enum {
    DISPI_ID,
    DISPI_XRES,
    DISPI_YRES,
    DISPI_BPP,
    DISPI_ENABLE,
    DISPI_BANK,
    DISPI_VIRT_WIDTH,
    DISPI_VIRT_HEIGHT,
    DISPI_X_OFFSET,
    DISPI_Y_OFFSET,
    DISPI_VIDEO_MEMORY,
    DISPI_REGISTERS,

    DISPI_ENABLED = 0x01,
    DISPI_GET_CAPS = 0x02,
    DISPI_8BIT_DAC = 0x20,
    DISPI_NO_CLEAR = 0x80,
};

enum {
    VGA_VRAM_MIN = 8 << 20,
    VGA_VRAM_MAX = 256 << 20,
    VGA_PLANE_SIZE = 65536, /* bytes of a plane that the VGA part reaches */
    VGA_WINDOW_BASE = 0xa0000,
    VGA_WINDOW_SIZE = 0x20000,
    VGA_BANK_SIZE = 0x10000,
    VGA_PAGE_SIZE = 4096,
    VGA_FONT_BYTES = 256 * 32,
    VGA_CELLS_COLUMNS = DISPLAY_COLUMNS_MAX + 1, /* one more when panned */
    VGA_CELLS_ROWS = 1025,                       /* character rows of one scan line each */
    VGA_LINE_MAX = DISPLAY_WIDTH_MAX + 64,

    VGA_MEMORY_VRAM = 0,
    VGA_WINDOW_FRAMEBUFFER = 0,
    VGA_WINDOW_LEGACY = 1,
};

enum picture_kind {
    PICTURE_TEXT,
    PICTURE_PLANAR, /* four planes, 16 colours */
    PICTURE_CGA,    /* two bits a pixel, bytes alternating between planes 0 and 1 */
    PICTURE_CHAIN,  /* VGA with 256 colours: mode 13h and mode X */
    PICTURE_8,      /* linear, as DISPI makes them; kinds from here on ignore the CRTC */
    PICTURE_15,
    PICTURE_16,
    PICTURE_24,
    PICTURE_32,
};

/*
 * What the registers say is to be shown, clamped to the surface's limits and to video memory.
 * Computed anew for every use. Only uint32_t members, so that two can be compared as bytes.
 */
struct picture {
    uint32_t kind;
    uint32_t blank;
    uint32_t width, height; /* of the surface, 1..DISPLAY_*_MAX */
    uint32_t start;         /* planes: plane offset; linear: byte offset in video memory */
    uint32_t pitch;         /* from one row to the next, in the units of start */
    uint32_t offset_mask;   /* planes: valid bits of a plane offset */
    uint32_t big_endian;

    /* Kinds that follow the CRTC. */
    uint32_t columns;     /* character clocks, 1..256 */
    uint32_t rows;        /* text: whole rows, 1..DISPLAY_ROWS_MAX */
    uint32_t cell_width;  /* text: surface pixels, 8, 9, 16 or 18 */
    uint32_t dot_repeat;  /* surface pixels a dot takes, 1 or 2 */
    uint32_t row_scans;   /* scan lines of a row, 1..32 */
    uint32_t scan_repeat; /* surface lines a scan line takes, 1 or 2 */
    uint32_t preset_scan; /* scan line the first row begins with */
    uint32_t pan;         /* dots cut off at the left, 0..8 */
    uint32_t pan_top_only;
    uint32_t line_compare; /* last surface line of the upper part */
    uint32_t crtc_mode;
    uint32_t underline; /* text: scan line of the underline */
    uint32_t attribute_mode;
    uint32_t font[2]; /* text: plane offsets of the fonts for attribute bit 3 = 0 and 1 */
};

/* What was drawn last; not part of the machine's state. */
struct vga_drawn {
    bool valid;
    struct picture picture;
    uint32_t colors[256], colors16[16];
    uint32_t width, height; /* of the last picture that was not blank, 0: none yet */
    uint8_t font[2][VGA_FONT_BYTES];
    uint32_t cursor; /* its scan lines: first << 8 | last */
    uint32_t cells[VGA_CELLS_ROWS][VGA_CELLS_COLUMNS];
    uint32_t line[VGA_LINE_MAX];
};

struct vga {
    union {
        struct pci_device pci;       /* stdvga */
        struct virtio_device virtio; /* an adapter that is more than a VGA; starts with pci, too */
    };

    uint32_t vram_size;               /* option */
    uint32_t edid_width, edid_height; /* options at first, then what set_size() says; no reset */

    uint8_t misc_output, feature_control;
    uint8_t sequencer_index, sequencer[SEQ_REGISTERS];
    uint8_t graphics_index, graphics[GC_REGISTERS];
    uint8_t crtc_index, crtc[CRTC_REGISTERS];
    uint8_t attribute_index, attribute[ATTR_REGISTERS];
    bool attribute_data; /* the next write to 3C0 is data */
    uint8_t dac_mask, dac_read_index, dac_write_index;
    bool dac_reading;
    uint8_t dac_component; /* 0..2 */
    uint8_t dac_pending[2];
    uint8_t palette[256 * 3];
    uint32_t latch; /* plane 0 in the low byte */
    uint16_t dispi_index, dispi[DISPI_REGISTERS];
    bool big_endian;

    bool started;                                     /* video memory may hold something */
    uint64_t alias_first, alias_offset, alias_length; /* what vga_memory_place() has placed */
    uint8_t *vram;
    uint8_t edid[EDID_SIZE];
    uint64_t *dirty; /* a bit a page of video memory: changed since the last drawing */
    struct vga_drawn *drawn;
};

static inline struct vga *to_vga(struct device *device)
{
    return (struct vga *)device;
}

/* vga_registers.c: ports 3B0-3DF, a byte at a time. Ports that do not exist read as all ones. */
uint8_t vga_port_read(struct vga *vga, unsigned port);
void vga_port_write(struct vga *vga, unsigned port, uint8_t value);
void vga_registers_reset(struct vga *vga);

/* vga_memory.c: the window at A0000; offset below VGA_WINDOW_SIZE. */
uint64_t vga_memory_read(struct device *device, uint64_t offset, unsigned size);
void vga_memory_write(struct device *device, uint64_t offset, unsigned size, uint64_t value);
/* Shows video memory at A0000 without trapping exactly when that is what the registers mean. */
void vga_memory_place(struct vga *vga);
/* Notes that the device itself wrote [offset, offset + length) of video memory, which must fit. */
void vga_memory_touched(struct vga *vga, uint64_t offset, uint64_t length);

/* dispi.c. Reads and writes of the register that `index` names; absent ones read 0. */
uint16_t dispi_read(struct vga *vga, unsigned index);
void dispi_write(struct vga *vga, unsigned index, uint16_t value);
void dispi_reset(struct vga *vga);
static inline bool dispi_enabled(const struct vga *vga)
{
    return vga->dispi[DISPI_ENABLE] & DISPI_ENABLED;
}
/* True while A0000-AFFFF is a plain 64 KiB bank of video memory; *offset is where it begins. */
bool dispi_bank(const struct vga *vga, uint64_t *offset);
/* Fills in the picture of an enabled DISPI mode. */
void dispi_picture(const struct vga *vga, struct picture *picture);

/* vga_picture.c: what is shown, and the parts of drawing that all modes share. */
void vga_picture_get(const struct vga *vga, struct picture *picture);
void vga_display_mode(struct device *device, unsigned head, struct display_mode *mode);
bool vga_display_render(struct device *device, unsigned head, const struct surface *surface,
                        bool full, struct damage *damage);

/* A drawing in progress. */
struct canvas {
    const struct surface *surface;
    struct damage *damage;
    bool redraw;       /* everything must be looked at, not only what changed in video memory */
    uint32_t tile_row; /* that is being put: 16 lines */
    uint32_t changed[DISPLAY_WIDTH_MAX / 64 / 32]; /* bit a tile of it, 64 pixels wide */
};

/*
 * Puts line y of the picture, of the surface's width, where it differs from what is there. Lines
 * come in rising order and may be left out; canvas_end() follows the last.
 */
void canvas_line(struct canvas *canvas, uint32_t y, const uint32_t *pixels);
void canvas_end(struct canvas *canvas);
/* True if a byte of [offset, offset + length) of video memory changed since the last drawing. */
bool vga_dirty(const struct vga *vga, uint64_t offset, uint64_t length);

/* The CRTC's walk over the lines of a picture. */
struct scan {
    uint32_t row;  /* plane offset of the row's first byte, not yet masked */
    uint32_t line; /* scan line in the row */
    uint32_t repeat;
    uint32_t pan; /* dots */
};
void scan_start(const struct picture *picture, struct scan *scan);
/* Moves from surface line y to the next. */
void scan_next(const struct picture *picture, struct scan *scan, uint32_t y);
/* Plane offset of the byte for a character clock. */
uint32_t scan_offset(const struct picture *picture, const struct scan *scan, uint32_t column);

/* The modes. */
void vga_text_draw(struct vga *vga, const struct picture *picture, struct canvas *canvas);
bool vga_display_text(struct device *device, struct text_cell *cells, uint32_t columns,
                      uint32_t rows, struct text_cursor *cursor);
void vga_planar_draw(struct vga *vga, const struct picture *picture, struct canvas *canvas);
void vga_linear_draw(struct vga *vga, const struct picture *picture, struct canvas *canvas);

/* vga.c: the functions of the class, and the handlers of its regions. */
int vga_create(struct device *device, struct dev_error *error);
void vga_destroy(struct device *device);
void vga_reset(struct device *device, enum reset_kind kind);
int vga_validate(struct device *device, struct dev_error *error);
void vga_restored(struct device *device);
void vga_set_size(struct device *device, unsigned head, uint32_t width, uint32_t height);
uint64_t vga_ports_read(struct device *device, uint64_t offset, unsigned size);
void vga_ports_write(struct device *device, uint64_t offset, unsigned size, uint64_t value);
uint64_t vga_dispi_read(struct device *device, uint64_t offset, unsigned size);
void vga_dispi_write(struct device *device, uint64_t offset, unsigned size, uint64_t value);
uint64_t vga_bar2_read(struct device *device, uint64_t offset, unsigned size);
void vga_bar2_write(struct device *device, uint64_t offset, unsigned size, uint64_t value);

/* --- For the descriptors at the end of an adapter's file -------------------------------------- */

enum {
    VGA_PORTS_BASE = 0x3b0,
    VGA_DISPI_BASE = 0x1ce,
    VGA_BAR2_SIZE = 4096,

    /* Regions, from the class's first one of the VGA. */
    VGA_REGION_PORTS = 0,
    VGA_REGION_DISPI,
    VGA_REGION_LEGACY,
    VGA_REGION_BAR2,
};

/* The first field is the PCI function's, all others are the VGA's own. */
extern const struct state_field vga_fields[];

/* clang-format off */
#define VGA_REGIONS(first_)                                                                        \
    [(first_) + VGA_REGION_PORTS] = {                                                              \
        .name = "vga-ports", .space = REGION_PIO, .base = VGA_PORTS_BASE, .size = 0x30,            \
        .read_sizes = SIZE_1, .write_sizes = SIZE_1,                                               \
        .read = vga_ports_read, .write = vga_ports_write },                                        \
    [(first_) + VGA_REGION_DISPI] = {                                                              \
        .name = "vga-dispi", .space = REGION_PIO, .base = VGA_DISPI_BASE, .size = 4,               \
        .read_sizes = SIZE_2, .write_sizes = SIZE_2, .flags = REGION_UNALIGNED,                    \
        .read = vga_dispi_read, .write = vga_dispi_write },                                        \
    [(first_) + VGA_REGION_LEGACY] = {                                                             \
        .name = "vga-memory", .space = REGION_MMIO,                                                \
        .base = VGA_WINDOW_BASE, .size = VGA_WINDOW_SIZE,                                          \
        .read_sizes = SIZE_1, .write_sizes = SIZE_1, .flags = REGION_COALESCE,                     \
        .read = vga_memory_read, .write = vga_memory_write },                                      \
    [(first_) + VGA_REGION_BAR2] = {                                                               \
        .name = "vga-registers", .space = REGION_MMIO,                                             \
        .base = REGION_UNPLACED, .size = VGA_BAR2_SIZE,                                            \
        .read_sizes = SIZE_1 | SIZE_2 | SIZE_4, .write_sizes = SIZE_1 | SIZE_2 | SIZE_4,           \
        .read = vga_bar2_read, .write = vga_bar2_write }

#define VGA_WINDOWS                                                                                \
    [VGA_WINDOW_FRAMEBUFFER] = {                                                                   \
        .name = "vga-framebuffer", .memory = VGA_MEMORY_VRAM, .flags = WINDOW_DIRTY },             \
    [VGA_WINDOW_LEGACY] = {                                                                        \
        .name = "vga-bank", .memory = VGA_MEMORY_VRAM, .flags = WINDOW_DIRTY }

#define VGA_OPTIONS                                                                                \
    { "vram", OPTION_U32, offsetof(struct vga, vram_size), VGA_VRAM_MIN, VGA_VRAM_MAX,             \
      "16777216", "bytes of video memory, a power of two" },                                       \
    { "width", OPTION_U32, offsetof(struct vga, edid_width), EDID_WIDTH_MIN, EDID_WIDTH_MAX,       \
      "1280", "pixels across that the monitor prefers, in whole groups of eight" },                \
    { "height", OPTION_U32, offsetof(struct vga, edid_height), EDID_HEIGHT_MIN, EDID_HEIGHT_MAX,   \
      "800", "pixels down that the monitor prefers" }

#define VGA_BARS(first_)                                                                           \
    [0] = { .kind = PCI_BAR_MMIO32, .prefetchable = true, .window = true,                          \
            .index = VGA_WINDOW_FRAMEBUFFER },                                                     \
    [2] = { .kind = PCI_BAR_MMIO32, .index = (first_) + VGA_REGION_BAR2, .size = VGA_BAR2_SIZE }
/* clang-format on */

#endif
