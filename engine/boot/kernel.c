/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bzImage format and the layout in memory. See kernel.h.
 *
 *     0x00010000  real-mode part, its heap and stack, up to the command line
 *     0x00020000  command line
 *     0x00100000  protected-mode part
 *     top of RAM below 4 GiB, less what firmware keeps there: the initial RAM disk
 */
#include "kernel.h"

#include <string.h>

#include "boot.h"
#include "bytes.h"
#include "firmware.h"

enum {
    SETUP_SECTS = 0x1f1,
    SYSSIZE = 0x1f4, /* protected-mode part in units of 16 bytes */
    BOOT_FLAG = 0x1fe,
    JUMP_LENGTH = 0x201, /* of the jump over the header, so it tells where the header ends */
    MAGIC = 0x202,
    VERSION = 0x206,
    TYPE_OF_LOADER = 0x210,
    LOADFLAGS = 0x211,
    RAMDISK_IMAGE = 0x218,
    RAMDISK_SIZE = 0x21c,
    HEAP_END_PTR = 0x224,
    CMD_LINE_PTR = 0x228,
    INITRD_ADDR_MAX = 0x22c,
    XLOADFLAGS = 0x236,
    CMDLINE_SIZE = 0x238,
    PREF_ADDRESS = 0x258,
    INIT_SIZE = 0x260,
    HEADER_END = 0x264,

    SECTOR = 512,
    DEFAULT_SETUP_SECTS = 4,
    LOADED_HIGH = 1 << 0,
    CAN_USE_HEAP = 1 << 7,
    CAN_BE_ABOVE_4G = 1 << 1, /* so the initrd may be anywhere below, too */
    LOADER_OTHER = 0xff,      /* "none assigned" */

    VERSION_INITRD_MAX = 0x0203,
    VERSION_CMDLINE_SIZE = 0x0206,
    VERSION_MIN = 0x0202,
    VERSION_INIT_SIZE = 0x020a,
    VERSION_XLOADFLAGS = 0x020c,

    OLD_COMMAND_LINE_MAX = 255,
    OLD_INITRD_LAST = 0x37ffffff,
    PAGE = 4096,
    FIRMWARE_RESERVE = 2 << 20, /* ACPI tables and the like at the top of low RAM */
    KERNEL_MAX = 512 << 20,
    INITRD_MAX = 2047 << 20,
};

/* --- The header ------------------------------------------------------------------------------- */

G_GNUC_PRINTF(3, 4)
static gboolean refuse(const char *path, GError **error, const char *format, ...)
{
    g_autofree char *why = NULL;
    va_list arguments;

    va_start(arguments, format);
    why = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, "The kernel “%s” cannot be started: %s",
                path, why);
    return FALSE;
}

/* Fields behind the header's end belong to newer protocols and count as absent, that is zero. */
static uint64_t field(const guint8 *image, gsize header_end, gsize offset, unsigned size)
{
    return offset + size <= header_end ? load_le(image + offset, size) : 0;
}

static gboolean parse_sizes(const guint8 *image, gsize size, const char *path,
                            struct kernel_header *header, GError **error)
{
    unsigned sectors = image[SETUP_SECTS] != 0 ? image[SETUP_SECTS] : DEFAULT_SETUP_SECTS;
    uint64_t code = (uint64_t)load_le32(image + SYSSIZE) * 16;

    header->setup_size = (gsize)(sectors + 1) * SECTOR;
    if (header->setup_size >= size) {
        return refuse(path, error, "the file is cut short.");
    }
    header->code_size = size - header->setup_size;
    if (header->setup_size > KERNEL_COMMAND_LINE_ADDRESS - KERNEL_SETUP_ADDRESS - PAGE) {
        return refuse(path, error, "its real-mode part is too large.");
    }
    /* The field is rounded up, and before version 2.04 it had only 16 bits. */
    if (header->version >= 0x0204 && code > header->code_size + 15) {
        return refuse(path, error,
                      "the file is cut short: it has %zu of %" G_GUINT64_FORMAT " bytes.", size,
                      header->setup_size + code);
    }
    return TRUE;
}

gboolean kernel_parse(const guint8 *image, gsize size, const char *path,
                      struct kernel_header *header, GError **error)
{
    gsize header_end;
    uint64_t pref_address, init_size;

    memset(header, 0, sizeof(*header));
    if (size < HEADER_END || load_le16(image + BOOT_FLAG) != 0xaa55 ||
        memcmp(image + MAGIC, "HdrS", 4) != 0) {
        return refuse(path, error, "it is no Linux kernel for PCs (bzImage).");
    }
    header->version = load_le16(image + VERSION);
    if (header->version < VERSION_MIN || !(image[LOADFLAGS] & LOADED_HIGH)) {
        return refuse(path, error, "it is too old (boot protocol %u.%02u).", header->version >> 8,
                      header->version & 0xff);
    }
    if (!parse_sizes(image, size, path, header, error)) {
        return FALSE;
    }
    header_end = MIN((gsize)MAGIC + image[JUMP_LENGTH], (gsize)HEADER_END);
    header->command_line_max = header->version >= VERSION_CMDLINE_SIZE
                                   ? (gsize)field(image, header_end, CMDLINE_SIZE, 4)
                                   : OLD_COMMAND_LINE_MAX;
    header->initrd_last = header->version >= VERSION_INITRD_MAX
                              ? field(image, header_end, INITRD_ADDR_MAX, 4)
                              : OLD_INITRD_LAST;
    if (header->version >= VERSION_XLOADFLAGS &&
        field(image, header_end, XLOADFLAGS, 2) & CAN_BE_ABOVE_4G) {
        header->initrd_last = UINT32_MAX;
    }
    header->running_end = KERNEL_CODE_ADDRESS + header->code_size;
    if (header->version >= VERSION_INIT_SIZE) {
        pref_address = field(image, header_end, PREF_ADDRESS, 8);
        init_size = field(image, header_end, INIT_SIZE, 4);
        if (pref_address <= UINT32_MAX) {
            header->running_end = MAX(header->running_end, pref_address + init_size);
        }
    }
    return TRUE;
}

/* --- Layout ----------------------------------------------------------------------------------- */

static gboolean place(struct kernel *kernel, const OrielConfig *config, uint64_t ram_low,
                      GError **error)
{
    gsize size = kernel->initrd != NULL ? g_bytes_get_size(kernel->initrd) : 0;
    uint64_t end = ram_low > FIRMWARE_RESERVE ? ram_low - FIRMWARE_RESERVE : 0;
    uint64_t start;

    if (kernel->initrd != NULL) {
        end = MIN(end, kernel->header.initrd_last + 1);
    }
    start = end > size ? (end - size) & ~(uint64_t)(PAGE - 1) : 0;
    if (start < kernel->header.running_end) {
        g_autofree char *need = oriel_size_text(
            (kernel->header.running_end + size + PAGE + FIRMWARE_RESERVE + (1 << 20) - 1) >>
            20 << 20);

        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "The kernel “%s”%s%s%s not fit into the machine's memory. Set “memory” to at "
                    "least %s.",
                    config->kernel, kernel->initrd != NULL ? " and “" : "",
                    kernel->initrd != NULL ? config->initrd : "",
                    kernel->initrd != NULL ? "” do" : " does", need);
        return FALSE;
    }
    kernel->initrd_address = size > 0 ? (uint32_t)start : 0;
    return TRUE;
}

/* The fields that the protocol calls obligatory for a loader (section "Details of Header Fields").
 */
static GBytes *fill_setup(const struct kernel *kernel)
{
    gsize size = kernel->header.setup_size;
    guint8 *setup = g_memdup2(g_bytes_get_data(kernel->image, NULL), size);

    setup[TYPE_OF_LOADER] = LOADER_OTHER;
    setup[LOADFLAGS] |= CAN_USE_HEAP;
    store_le16(setup + HEAP_END_PTR,
               (uint16_t)(KERNEL_COMMAND_LINE_ADDRESS - KERNEL_SETUP_ADDRESS - 0x200));
    store_le32(setup + CMD_LINE_PTR, KERNEL_COMMAND_LINE_ADDRESS);
    store_le32(setup + RAMDISK_IMAGE, kernel->initrd_address);
    store_le32(setup + RAMDISK_SIZE,
               kernel->initrd != NULL ? (uint32_t)g_bytes_get_size(kernel->initrd) : 0);
    return g_bytes_new_take(setup, size);
}

gboolean kernel_load(struct kernel *kernel, const OrielConfig *config, uint64_t ram_low,
                     GError **error)
{
    const char *append = config->append != NULL ? config->append : "";
    const guint8 *image;
    gsize size;

    if (config->kernel == NULL) {
        return TRUE;
    }
    kernel->image = boot_read_file("The kernel", config->kernel, KERNEL_MAX, error);
    if (kernel->image == NULL) {
        return FALSE;
    }
    image = g_bytes_get_data(kernel->image, &size);
    if (!kernel_parse(image, size, config->kernel, &kernel->header, error)) {
        return FALSE;
    }
    if (strlen(append) > kernel->header.command_line_max) {
        return refuse(config->kernel, error,
                      "its command line may have %zu bytes, but “append” has %zu.",
                      kernel->header.command_line_max, strlen(append));
    }
    kernel->command_line = g_bytes_new(append, strlen(append) + 1);
    if (config->initrd != NULL) {
        kernel->initrd = boot_read_file("The initial RAM disk", config->initrd, INITRD_MAX, error);
        if (kernel->initrd == NULL) {
            return FALSE;
        }
    }
    if (!place(kernel, config, ram_low, error)) {
        return FALSE;
    }
    kernel->setup = fill_setup(kernel);
    return TRUE;
}

void kernel_clear(struct kernel *kernel)
{
    g_clear_pointer(&kernel->image, g_bytes_unref);
    g_clear_pointer(&kernel->initrd, g_bytes_unref);
    g_clear_pointer(&kernel->setup, g_bytes_unref);
    g_clear_pointer(&kernel->command_line, g_bytes_unref);
}

/* --- The option ROM --------------------------------------------------------------------------- */

extern const guint8 linux_rom[], linux_rom_end[];

static guint8 sum_to_zero(const guint8 *bytes, gsize n)
{
    guint8 sum = 0;

    for (gsize i = 0; i < n; i++) {
        sum = (guint8)(sum + bytes[i]);
    }
    return (guint8)-sum;
}

GBytes *kernel_rom(void)
{
    enum {
        PNP_POINTER = 0x1a,
        PNP_SIZE = 32,
        PNP_CHECKSUM = 9,
    };
    gsize size = (gsize)(linux_rom_end - linux_rom);
    guint8 *rom = g_memdup2(linux_rom, size);
    guint8 *pnp = rom + load_le16(rom + PNP_POINTER);

    pnp[PNP_CHECKSUM] = sum_to_zero(pnp, PNP_SIZE);
    rom[size - 1] = sum_to_zero(rom, size - 1);
    return g_bytes_new_take(rom, size);
}
