/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formats by name and by content, and their opening. See image.h. */
#include <string.h>

#include "bytes.h"
#include "config/config.h"
#include "formats/formats.h"
#include "image.h"
#include "qcow2/qcow2.h"

static const char *const names[] = {
    [IMAGE_RAW] = "raw", [IMAGE_QCOW2] = "qcow2", [IMAGE_VMDK] = "vmdk",
    [IMAGE_VDI] = "vdi", [IMAGE_VHD] = "vhd",     [IMAGE_VHDX] = "vhdx",
};

const char *image_format_name(enum image_format format)
{
    return names[format];
}

bool image_format_parse(const char *name, enum image_format *format)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_ascii_strcasecmp(name, names[i]) == 0) {
            *format = i;
            return true;
        }
    }
    if (g_ascii_strcasecmp(name, "vpc") == 0) {
        *format = IMAGE_VHD;
        return true;
    }
    return false;
}

struct magic {
    unsigned offset, length;
    const char *bytes;
    enum image_format format; /* IMAGE_FORMATS: not supported, see `what` */
    const char *what;
};

/* clang-format off */
static const struct magic magics[] = {
    { 0, 4, "QFI\xfb", IMAGE_QCOW2, NULL },
    { 0, 4, "KDMV", IMAGE_VMDK, NULL },
    { 0, 20, "# Disk DescriptorFil", IMAGE_VMDK, NULL },
    { 64, 4, "\x7f\x10\xda\xbe", IMAGE_VDI, NULL },
    { 0, 8, "conectix", IMAGE_VHD, NULL },
    { 0, 8, "vhdxfile", IMAGE_VHDX, NULL },
    { 0, 4, "COWD", IMAGE_FORMATS, "an ESXi snapshot (vmfsSparse); consolidate the snapshots there and export the machine" },
    { 0, 8, "\xbe\xba\xfe\xca\0\0\0\0", IMAGE_FORMATS, "an ESXi snapshot (seSparse); consolidate the snapshots there and export the machine" },
    { 0, 4, "QED\0", IMAGE_FORMATS, "a QED image; convert it with qemu-img first" },
    { 0, 16, "WithoutFreeSpace", IMAGE_FORMATS, "a Parallels image; convert it with qemu-img first" },
    { 0, 16, "WithouFreSpacExt", IMAGE_FORMATS, "a Parallels image; convert it with qemu-img first" },
    { 0, 5, "\xfd" "7zXZ", IMAGE_FORMATS, "compressed with xz; unpack it first" },
    { 0, 2, "\x1f\x8b", IMAGE_FORMATS, "compressed with gzip; unpack it first" },
    { 0, 4, "\x28\xb5\x2f\xfd", IMAGE_FORMATS, "compressed with zstd; unpack it first" },
    { 0, 4, "PK\3\4", IMAGE_FORMATS, "a zip archive; unpack it first" },
};
/* clang-format on */

bool image_detect(struct storage *storage, enum image_format *format, GError **error)
{
    uint8_t start[128], footer[IMAGE_SECTOR];
    uint64_t size = storage_size(storage);
    int result = storage_read(storage, 0, start, sizeof(start));

    /* A fixed VHD has its only mark at the end; the oldest are a byte short. */
    if (result == 0 && size >= sizeof(footer)) {
        result = storage_read(storage, size - sizeof(footer), footer, sizeof(footer));
    }
    if (result < 0) {
        oriel_error_set_errno(error, -result, "“%s” cannot be read", storage->name);
        return false;
    }
    *format = IMAGE_RAW;
    for (unsigned i = 0; i < G_N_ELEMENTS(magics); i++) {
        if (memcmp(start + magics[i].offset, magics[i].bytes, magics[i].length) == 0) {
            *format = magics[i].format;
            if (*format == IMAGE_FORMATS) {
                g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, "“%s” is %s.", storage->name,
                            magics[i].what);
                return false;
            }
            return true;
        }
    }
    if (size >= sizeof(footer) &&
        (memcmp(footer, "conectix", 8) == 0 || memcmp(footer + 1, "conectix", 8) == 0)) {
        *format = IMAGE_VHD;
    }
    return true;
}

struct image *image_open(struct storage *storage, enum image_format format, GError **error)
{
    switch (format) {
    case IMAGE_RAW:
        return image_raw_open(storage, IMAGE_SECTOR, error);
    case IMAGE_QCOW2:
        return qcow2_open(storage, NULL, error);
    case IMAGE_VMDK:
        return vmdk_open(storage, error);
    case IMAGE_VDI:
        return vdi_open(storage, error);
    case IMAGE_VHD:
        return vhd_open(storage, error);
    case IMAGE_VHDX:
        return vhdx_open(storage, error);
    case IMAGE_FORMATS:
        break;
    }
    g_assert_not_reached();
}
