/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formats by name and by content, and their opening. See image.h. */
#include <glib/gi18n-lib.h>
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

/* clang-format off */
static const struct image_mark marks[] = {
    { 0, 4, "QFI\xfb", IMAGE_QCOW2, "qcow2", NULL },
    { 0, 4, "KDMV", IMAGE_VMDK, "vmdk", NULL },
    { 0, 20, "# Disk DescriptorFil", IMAGE_VMDK, "vmdk", NULL },
    { 64, 4, "\x7f\x10\xda\xbe", IMAGE_VDI, "vdi", NULL },
    { 0, 8, "conectix", IMAGE_VHD, "vhd", NULL },
    { 0, 8, "vhdxfile", IMAGE_VHDX, "vhdx", NULL },
    { 0, 4, "COWD", IMAGE_FORMATS, "vmfs-sparse", N_("it is an ESXi snapshot (vmfsSparse); consolidate the snapshots there and export the machine") },
    { 0, 8, "\xbe\xba\xfe\xca\0\0\0\0", IMAGE_FORMATS, "se-sparse", N_("it is an ESXi snapshot (seSparse); consolidate the snapshots there and export the machine") },
    { 0, 4, "QED\0", IMAGE_FORMATS, "qed", N_("it is a QED image; convert it with qemu-img first") },
    { 0, 16, "WithoutFreeSpace", IMAGE_FORMATS, "parallels", N_("it is a Parallels image; convert it with qemu-img first") },
    { 0, 16, "WithouFreSpacExt", IMAGE_FORMATS, "parallels", N_("it is a Parallels image; convert it with qemu-img first") },
    { 0, 6, "\xfd" "7zXZ\0", IMAGE_FORMATS, NULL, N_("it is compressed with xz; unpack it first") },
    { 0, 2, "\x1f\x8b", IMAGE_FORMATS, NULL, N_("it is compressed with gzip; unpack it first") },
    { 0, 4, "\x28\xb5\x2f\xfd", IMAGE_FORMATS, NULL, N_("it is compressed with zstd; unpack it first") },
    { 0, 3, "BZh", IMAGE_FORMATS, NULL, N_("it is compressed with bzip2; unpack it first") },
    { 0, 4, "PK\3\4", IMAGE_FORMATS, NULL, N_("it is a zip archive; unpack it first") },
    { 0, 6, "7z\xbc\xaf\x27\x1c", IMAGE_FORMATS, NULL, N_("it is a 7z archive; unpack it first") },
};
/* clang-format on */

/* A fixed VHD has its only mark at the end; the oldest are a byte short. */
static const struct image_mark fixed_vhd = { 0, 8, "conectix", IMAGE_VHD, "vhd", NULL };

const struct image_mark *image_mark_find(const uint8_t start[IMAGE_LOOK],
                                         const uint8_t footer[IMAGE_SECTOR])
{
    for (unsigned i = 0; i < G_N_ELEMENTS(marks); i++) {
        if (memcmp(start + marks[i].offset, marks[i].bytes, marks[i].length) == 0) {
            return &marks[i];
        }
    }
    return footer != NULL && (memcmp(footer, fixed_vhd.bytes, fixed_vhd.length) == 0 ||
                              memcmp(footer + 1, fixed_vhd.bytes, fixed_vhd.length) == 0)
               ? &fixed_vhd
               : NULL;
}

bool image_detect(struct storage *storage, enum image_format *format, GError **error)
{
    uint8_t start[IMAGE_LOOK], footer[IMAGE_SECTOR];
    uint64_t size = storage_size(storage);
    const struct image_mark *mark;
    int result = storage_read(storage, 0, start, sizeof(start));

    if (result == 0 && size >= sizeof(footer)) {
        result = storage_read(storage, size - sizeof(footer), footer, sizeof(footer));
    }
    if (result < 0) {
        oriel_error_set_errno(error, -result, _("“%s” cannot be read"), storage->name);
        return false;
    }
    mark = image_mark_find(start, size >= sizeof(footer) ? footer : NULL);
    *format = mark != NULL ? mark->format : IMAGE_RAW;
    if (*format == IMAGE_FORMATS) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” cannot be used as a disk image: %s."), storage->name, _(mark->what));
    }
    return *format != IMAGE_FORMATS;
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
