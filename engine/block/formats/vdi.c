/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VirtualBox disk images: a header, a map of 32 bit block numbers, and blocks. Dynamic, fixed and
 * differencing images, version 1.1; read only.
 */
#include <errno.h>
#include <glib/gi18n-lib.h>

#include "../pages.h"
#include "bytes.h"
#include "config/config.h"
#include "formats.h"

enum vdi_field {
    VDI_SIGNATURE = 0x40,
    VDI_VERSION = 0x44,
    VDI_HEADER_SIZE = 0x48,
    VDI_TYPE = 0x4c,
    VDI_OFF_BLOCKS = 0x154,
    VDI_OFF_DATA = 0x158,
    VDI_DISK_SIZE = 0x170,
    VDI_BLOCK_SIZE = 0x178,
    VDI_BLOCK_EXTRA = 0x17c,
    VDI_BLOCKS = 0x180,
    VDI_UUID = 0x188,
    VDI_UUID_LINKAGE = 0x1a8,
    VDI_HEADER_BYTES = 0x1c8,
};

enum {
    VDI_DYNAMIC = 1,
    VDI_FIXED = 2,
    VDI_DIFFERENCE = 4,
    VDI_BLOCKS_MAX = 1 << 26,
    VDI_BLOCK_SIZE_MAX = 256 << 20,
};

#define VDI_MAGIC       UINT32_C(0xbeda107f)
#define VDI_UNALLOCATED UINT32_C(0xffffffff)
#define VDI_ZERO        UINT32_C(0xfffffffe)

struct vdi {
    struct image image;
    struct pages *pages;
    uint32_t off_blocks, off_data, block_size, block_extra;
};

static int vdi_map(struct image *image, uint64_t offset, uint64_t length,
                   struct image_extent *extent)
{
    struct vdi *vdi = (struct vdi *)image;
    uint64_t within = offset % vdi->block_size, step, host;
    uint8_t entry[4];
    uint32_t block;
    int result = pages_read(vdi->pages, vdi->off_blocks + offset / vdi->block_size * 4, entry, 4);

    if (result < 0) {
        return result;
    }
    block = load_le32(entry);
    *extent = (struct image_extent){
        .kind = IMAGE_DATA,
        .length = MIN(length, vdi->block_size - within),
        .storage = image->storage,
    };
    if (block == VDI_UNALLOCATED || block == VDI_ZERO) {
        extent->kind = block == VDI_ZERO ? IMAGE_ZERO : IMAGE_ABSENT;
        return 0;
    }
    step = (uint64_t)vdi->block_size + vdi->block_extra;
    host = vdi->off_data + block * step + vdi->block_extra;
    if (host >= storage_size(image->storage)) {
        return image_damaged(image,
                             _("“%s” is cut short: a block of its disk lies outside of the file. "
                               "Copy or download it again."),
                             image->storage->name);
    }
    extent->host = host + within;
    return 0;
}

static void vdi_free(struct image *image)
{
    pages_free(((struct vdi *)image)->pages);
    image_clear(image);
    g_free(image);
}

static const struct image_class vdi_class = {
    .format = IMAGE_VDI,
    .map = vdi_map,
    .free = vdi_free,
};

/* Microsoft's order of bytes: the first three fields little-endian. */
static char *uuid_text(const uint8_t *u)
{
    return g_strdup_printf("{%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}", load_le32(u),
                           load_le16(u + 4), load_le16(u + 6), u[8], u[9], u[10], u[11], u[12],
                           u[13], u[14], u[15]);
}

static const char *header_read(struct vdi *vdi, const uint8_t *header)
{
    uint32_t type = load_le32(header + VDI_TYPE), blocks = load_le32(header + VDI_BLOCKS);
    uint64_t size = load_le64(header + VDI_DISK_SIZE);

    if (load_le32(header + VDI_SIGNATURE) != VDI_MAGIC) {
        return _("it does not begin like one");
    }
    if (load_le32(header + VDI_VERSION) >> 16 != 1 || load_le32(header + VDI_HEADER_SIZE) < 0x180) {
        return _("its version of the format is not supported");
    }
    if (type != VDI_DYNAMIC && type != VDI_FIXED && type != VDI_DIFFERENCE) {
        return _("its type is not supported");
    }
    vdi->off_blocks = load_le32(header + VDI_OFF_BLOCKS);
    vdi->off_data = load_le32(header + VDI_OFF_DATA);
    vdi->block_size = load_le32(header + VDI_BLOCK_SIZE);
    vdi->block_extra = load_le32(header + VDI_BLOCK_EXTRA);
    if (vdi->block_size < IMAGE_SECTOR || vdi->block_size > VDI_BLOCK_SIZE_MAX ||
        vdi->block_size % IMAGE_SECTOR != 0 || vdi->block_extra > VDI_BLOCK_SIZE_MAX) {
        return _("its block size is out of range");
    }
    if (size == 0 || size > IMAGE_BYTES_MAX || blocks > VDI_BLOCKS_MAX ||
        (size - 1) / vdi->block_size >= blocks) {
        return _("the size of its disk does not fit its blocks");
    }
    if (!range_fits(vdi->off_blocks, (uint64_t)blocks * 4, storage_size(vdi->image.storage))) {
        return _("its block map is cut short");
    }
    vdi->image.size = (size + IMAGE_SECTOR - 1) / IMAGE_SECTOR * IMAGE_SECTOR;
    vdi->image.unit = vdi->block_size;
    vdi->image.identity = uuid_text(header + VDI_UUID);
    if (type == VDI_DIFFERENCE) {
        vdi->image.backing_identity = uuid_text(header + VDI_UUID_LINKAGE);
        vdi->image.backing_name = g_strconcat(vdi->image.backing_identity, ".vdi", NULL);
        vdi->image.backing_format = g_strdup("vdi");
    }
    return NULL;
}

struct image *vdi_open(struct storage *storage, GError **error)
{
    struct vdi *vdi = g_new0(struct vdi, 1);
    uint8_t header[VDI_HEADER_BYTES];
    const char *problem;
    int result;

    image_init(&vdi->image, &vdi_class, storage);
    vdi->pages = pages_new(storage);
    result = storage_read(storage, 0, header, sizeof(header));
    if (result < 0) {
        image_set_error(&vdi->image, result, error);
        vdi_free(&vdi->image);
        return NULL;
    }
    problem = header_read(vdi, header);
    if (problem != NULL) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” cannot be used as a VDI image: %s."), storage->name, problem);
        vdi_free(&vdi->image);
        return NULL;
    }
    return &vdi->image;
}
