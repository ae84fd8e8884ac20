/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Virtual PC's and Hyper-V's VHD: a footer at the end, and for dynamic and differencing disks its
 * copy at the start, a header, a table of blocks, and blocks that begin with a bitmap of sectors.
 * Read only.
 *
 * The size. Most programs mean the footer's current size. Virtual PC, and QEMU when it imitates it,
 * mean the geometry, which can be smaller: it is taken if nothing is stored behind it.
 */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "../pages.h"
#include "bytes.h"
#include "config/config.h"
#include "formats.h"

enum vhd_field {
    FOOTER_DATA_OFFSET = 16,
    FOOTER_CREATOR = 28,
    FOOTER_CURRENT_SIZE = 48,
    FOOTER_GEOMETRY = 56,
    FOOTER_TYPE = 60,
    FOOTER_CHECKSUM = 64,
    FOOTER_UUID = 68,
    FOOTER_BYTES = 512,
    HEADER_BAT_OFFSET = 16,
    HEADER_MAX_ENTRIES = 28,
    HEADER_BLOCK_SIZE = 32,
    HEADER_CHECKSUM = 36,
    HEADER_PARENT_UUID = 40,
    HEADER_PARENT_NAME = 64,
    HEADER_LOCATORS = 576,
    HEADER_BYTES = 1024,
    LOCATOR_BYTES = 24,
    LOCATORS = 8,
};

enum {
    VHD_FIXED = 2,
    VHD_DYNAMIC = 3,
    VHD_DIFFERENCE = 4,
    VHD_BLOCK_SIZE_MAX = 256 << 20,
    PARENT_NAME_MAX = 2048, /* bytes of UTF-16 */
    BITMAP_PIECE = 512,
    TAIL_MAX = 16 << 20,
};

#define VHD_ENTRIES_MAX (UINT32_C(1) << 24)
#define VHD_ABSENT      UINT32_C(0xffffffff)

struct vhd {
    struct image image;
    struct pages *pages;
    unsigned type;
    uint64_t bat_offset;
    uint32_t n_entries, block_size, bitmap_bytes;
};

static int damaged(struct image *image)
{
    return image_damaged(image,
                         _("“%s” is cut short: a block of its disk lies outside of the file. Copy "
                           "or download it again."),
                         image->storage->name);
}

/* Sectors from `sector` on whose bits are the same, most significant bit first. */
static int bits_run(struct vhd *vhd, uint64_t bitmap, uint32_t sector, bool *set, uint32_t *n)
{
    uint8_t bits[BITMAP_PIECE];
    uint32_t first = sector / 8, sectors = vhd->block_size / IMAGE_SECTOR;
    uint32_t bytes = MIN((sectors + 7) / 8 - first, (uint32_t)sizeof(bits));
    uint32_t at = sector % 8, end = MIN(bytes * 8, sectors - first * 8);
    int result = pages_read(vhd->pages, bitmap + first, bits, bytes);

    if (result < 0) {
        return result;
    }
    *set = bits[0] >> (7 - at) & 1;
    *n = 0;
    while (at < end && (bits[at / 8] >> (7 - at % 8) & 1) == *set) {
        at++;
        (*n)++;
    }
    return 0;
}

static int vhd_map(struct image *image, uint64_t offset, uint64_t length,
                   struct image_extent *extent)
{
    struct vhd *vhd = (struct vhd *)image;
    uint64_t within, bitmap;
    uint8_t entry[4];
    uint32_t sectors;
    bool set;
    int result;

    *extent = (struct image_extent){
        .kind = IMAGE_DATA, .length = length, .storage = image->storage, .host = offset
    };
    if (vhd->type == VHD_FIXED) {
        return 0;
    }
    within = offset % vhd->block_size;
    extent->length = MIN(length, vhd->block_size - within);
    result = pages_read(vhd->pages, vhd->bat_offset + offset / vhd->block_size * 4, entry, 4);
    if (result < 0) {
        return result;
    }
    if (load_be32(entry) == VHD_ABSENT) {
        extent->kind = IMAGE_ABSENT;
        return 0;
    }
    bitmap = (uint64_t)load_be32(entry) * IMAGE_SECTOR;
    result = bits_run(vhd, bitmap, (uint32_t)(within / IMAGE_SECTOR), &set, &sectors);
    if (result < 0) {
        return result == -EUCLEAN ? damaged(image) : result;
    }
    extent->length = MIN(extent->length, (uint64_t)sectors * IMAGE_SECTOR - within % IMAGE_SECTOR);
    extent->kind = set ? IMAGE_DATA : IMAGE_ABSENT;
    extent->host = bitmap + vhd->bitmap_bytes + within;
    return set && extent->host >= storage_size(image->storage) ? damaged(image) : 0;
}

static void vhd_free(struct image *image)
{
    pages_free(((struct vhd *)image)->pages);
    image_clear(image);
    g_free(image);
}

static const struct image_class vhd_class = {
    .format = IMAGE_VHD,
    .map = vhd_map,
    .free = vhd_free,
};

static bool checksum_good(const uint8_t *bytes, size_t n, size_t field)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum += i >= field && i < field + 4 ? 0 : bytes[i];
    }
    return ~sum == load_be32(bytes + field);
}

static bool footer_good(const uint8_t *footer)
{
    return memcmp(footer, "conectix", 8) == 0 &&
           checksum_good(footer, FOOTER_BYTES, FOOTER_CHECKSUM);
}

/* At the end; a byte short in old files; its copy at the start if the end was cut off. */
static int footer_find(struct vhd *vhd, uint8_t *footer)
{
    struct storage *storage = vhd->image.storage;
    uint64_t size = storage_size(storage);
    const uint64_t places[] = { size - FOOTER_BYTES, size - FOOTER_BYTES + 1, 0 };
    int result = 0;

    if (size < FOOTER_BYTES) {
        return -EUCLEAN;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(places) && result == 0; i++) {
        result = storage_read(storage, places[i], footer, FOOTER_BYTES);
        if (result == 0 && footer_good(footer)) {
            return 0;
        }
    }
    return result < 0 ? result : -EUCLEAN;
}

static char *identity(const uint8_t *uuid)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < 16; i++) {
        g_string_append_printf(text, "%02x", uuid[i]);
    }
    return g_string_free(text, FALSE);
}

/* The last part of a Windows path. */
static char *last_part(const char *path)
{
    const char *slash = strrchr(path, '\\'), *other = strrchr(path, '/');

    slash = other > slash ? other : slash;
    return g_strdup(slash != NULL ? slash + 1 : path);
}

static char *utf16_text(const uint8_t *bytes, size_t n, bool big)
{
    g_autofree char *text = g_convert((const char *)bytes, (gssize)n, "UTF-8",
                                      big ? "UTF-16BE" : "UTF-16LE", NULL, NULL, NULL);

    return text == NULL ? NULL : last_part(text);
}

/* A relative locator, else the name in the header; both are only looked for beside the image. */
static char *parent_name(struct vhd *vhd, const uint8_t *header)
{
    size_t n = 0;

    for (unsigned i = 0; i < LOCATORS; i++) {
        const uint8_t *locator = header + HEADER_LOCATORS + i * LOCATOR_BYTES;
        uint32_t length = load_be32(locator + 8);
        uint8_t path[PARENT_NAME_MAX];
        char *name;

        if (memcmp(locator, "W2ru", 4) == 0 && length <= sizeof(path) &&
            storage_read_all(vhd->image.storage, load_be64(locator + 16), path, length) == 0) {
            name = utf16_text(path, length, false);
            if (name != NULL) {
                return name;
            }
        }
    }
    while (n < 512 && load_be16(header + HEADER_PARENT_NAME + n) != 0) {
        n += 2;
    }
    return utf16_text(header + HEADER_PARENT_NAME, n, true);
}

static const char *dynamic_read(struct vhd *vhd, uint64_t offset, int *result)
{
    uint8_t header[HEADER_BYTES];

    *result = storage_read_all(vhd->image.storage, offset, header, sizeof(header));
    if (*result < 0) {
        return _("its header is cut short");
    }
    if (memcmp(header, "cxsparse", 8) != 0 ||
        !checksum_good(header, sizeof(header), HEADER_CHECKSUM)) {
        return _("its header is damaged");
    }
    vhd->bat_offset = load_be64(header + HEADER_BAT_OFFSET);
    vhd->n_entries = load_be32(header + HEADER_MAX_ENTRIES);
    vhd->block_size = load_be32(header + HEADER_BLOCK_SIZE);
    if (vhd->block_size < IMAGE_SECTOR || vhd->block_size > VHD_BLOCK_SIZE_MAX ||
        vhd->block_size % IMAGE_SECTOR != 0) {
        return _("its block size is out of range");
    }
    vhd->bitmap_bytes = (vhd->block_size / IMAGE_SECTOR + 7) / 8;
    vhd->bitmap_bytes = (vhd->bitmap_bytes + IMAGE_SECTOR - 1) / IMAGE_SECTOR * IMAGE_SECTOR;
    if (vhd->n_entries > VHD_ENTRIES_MAX ||
        (vhd->image.size - 1) / vhd->block_size >= vhd->n_entries ||
        !range_fits(vhd->bat_offset, (uint64_t)vhd->n_entries * 4,
                    storage_size(vhd->image.storage))) {
        return _("its table of blocks is too small or cut short");
    }
    vhd->image.unit = vhd->block_size;
    if (vhd->type == VHD_DIFFERENCE) {
        vhd->image.backing_name = parent_name(vhd, header);
        vhd->image.backing_format = g_strdup("vhd");
        vhd->image.backing_identity = identity(header + HEADER_PARENT_UUID);
        if (vhd->image.backing_name == NULL) {
            return _("the name of its parent is damaged");
        }
    }
    return NULL;
}

static const char *footer_read(struct vhd *vhd, const uint8_t *footer, int *result)
{
    uint64_t size = load_be64(footer + FOOTER_CURRENT_SIZE);

    vhd->type = load_be32(footer + FOOTER_TYPE);
    if (size == 0 || size > IMAGE_BYTES_MAX || size % IMAGE_SECTOR != 0) {
        return _("the size of its disk is out of range");
    }
    vhd->image.size = size;
    vhd->image.unit = IMAGE_SECTOR;
    vhd->image.identity = identity(footer + FOOTER_UUID);
    if (vhd->type == VHD_DYNAMIC || vhd->type == VHD_DIFFERENCE) {
        return dynamic_read(vhd, load_be64(footer + FOOTER_DATA_OFFSET), result);
    }
    if (vhd->type != VHD_FIXED) {
        return _("its type is not supported");
    }
    return size > storage_size(vhd->image.storage) ? _("it is cut short") : NULL;
}

static bool reads_as_zero(struct image *image, uint64_t offset)
{
    uint8_t bytes[BITMAP_PIECE * 8];

    for (; offset < image->size; offset += sizeof(bytes)) {
        size_t n = MIN(sizeof(bytes), image->size - offset);

        if (image_read(image, offset, bytes, n) < 0 || bytes[0] != 0 ||
            memcmp(bytes, bytes + 1, n - 1) != 0) {
            return false;
        }
    }
    return true;
}

/* See the head of this file. */
static void geometry_apply(struct vhd *vhd, const uint8_t *footer)
{
    static const char *const imitators[] = { "vpc ", "vs  ", "qemu" };
    const uint8_t *g = footer + FOOTER_GEOMETRY;
    uint64_t size = (uint64_t)load_be16(g) * g[2] * g[3] * IMAGE_SECTOR;
    bool largest = load_be16(g) == 65535 && g[2] == 16 && g[3] == 255;

    for (unsigned i = 0; i < G_N_ELEMENTS(imitators); i++) {
        if (memcmp(footer + FOOTER_CREATOR, imitators[i], 4) == 0 && !largest && size > 0 &&
            size < vhd->image.size && vhd->image.size - size <= TAIL_MAX &&
            vhd->type != VHD_DIFFERENCE && reads_as_zero(&vhd->image, size)) {
            vhd->image.size = size;
        }
    }
}

struct image *vhd_open(struct storage *storage, GError **error)
{
    struct vhd *vhd = g_new0(struct vhd, 1);
    const char *problem = NULL;
    uint8_t footer[FOOTER_BYTES];
    int result;

    image_init(&vhd->image, &vhd_class, storage);
    vhd->pages = pages_new(storage);
    result = footer_find(vhd, footer);
    if (result == -EUCLEAN) {
        problem = _("it has no valid footer");
    } else if (result == 0) {
        problem = footer_read(vhd, footer, &result);
    }
    if (problem != NULL) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” cannot be used as a VHD image: %s."), storage->name, problem);
    } else if (result < 0) {
        image_set_error(&vhd->image, result, error);
    }
    if (problem != NULL || result < 0) {
        vhd_free(&vhd->image);
        return NULL;
    }
    geometry_apply(vhd, footer);
    return &vhd->image;
}
