/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hyper-V's VHDX, [MS-VHDX]: two headers, two region tables, metadata, and a table of blocks (BAT)
 * between whose entries stand those of sector bitmaps. Read only.
 */
#include "vhdx.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <string.h>

#include "../pages.h"
#include "bytes.h"
#include "config/config.h"
#include "crc32c.h"

enum {
    REGION_ENTRY = 32,
    REGIONS_MAX = 2047,
    METADATA_ENTRY = 32,
    METADATA_ENTRIES_MAX = 2047,
    METADATA_ITEMS = 64 << 10, /* items lie behind the table */
    ITEM_MAX = 64 << 10,
    BITMAP_PIECE = 512,
};

#define VHDX_DISK_MAX (UINT64_C(64) << 40)

#define GUID_BYTES(a, b, c, ...)                                                                   \
    {                                                                                              \
        (uint8_t)(a), (uint8_t)((a) >> 8), (uint8_t)((a) >> 16), (uint8_t)((a) >> 24),             \
            (uint8_t)(b), (uint8_t)((b) >> 8), (uint8_t)(c), (uint8_t)((c) >> 8), __VA_ARGS__      \
    }

/* clang-format off */
const uint8_t vhdx_guid_bat[16] = GUID_BYTES(0x2dc27766u, 0xf623u, 0x4200u, 0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08);
const uint8_t vhdx_guid_metadata[16] = GUID_BYTES(0x8b7ca206u, 0x4790u, 0x4b9au, 0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e);
const uint8_t vhdx_guid_file_parameters[16] = GUID_BYTES(0xcaa16737u, 0xfa36u, 0x4d43u, 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b);
const uint8_t vhdx_guid_disk_size[16] = GUID_BYTES(0x2fa54224u, 0xcd1bu, 0x4876u, 0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4, 0xb8);
const uint8_t vhdx_guid_page83[16] = GUID_BYTES(0xbeca12abu, 0xb2e6u, 0x4523u, 0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7, 0x46);
const uint8_t vhdx_guid_logical_sector[16] = GUID_BYTES(0x8141bf1du, 0xa96fu, 0x4709u, 0xba, 0x47, 0xf2, 0x33, 0xa8, 0xfa, 0xab, 0x5f);
const uint8_t vhdx_guid_physical_sector[16] = GUID_BYTES(0xcda348c7u, 0x445du, 0x4471u, 0x9c, 0xc9, 0xe9, 0x88, 0x52, 0x51, 0xc5, 0x56);
const uint8_t vhdx_guid_parent_locator[16] = GUID_BYTES(0xa8d35f2du, 0xb30bu, 0x454du, 0xab, 0xf7, 0xd3, 0xd8, 0x48, 0x34, 0xab, 0x0c);
/* clang-format on */

struct vhdx {
    struct image image;
    struct storage *view; /* with the log replayed; owns the image's storage if it is another one */
    struct pages *pages;
    uint64_t bat_offset, bat_bytes, metadata_offset, metadata_bytes;
    uint32_t block_size, sector_size;
    uint64_t chunk_ratio;
    bool has_parent, seen_parameters;
};

/* --- The map ---------------------------------------------------------------------------------- */

static int bat_entry(struct vhdx *vhdx, uint64_t index, uint64_t *entry)
{
    uint8_t bytes[8];
    int result = index >= vhdx->bat_bytes / 8
                     ? -EUCLEAN
                     : pages_read(vhdx->pages, vhdx->bat_offset + index * 8, bytes, 8);

    *entry = result == 0 ? load_le64(bytes) : 0;
    return result;
}

/* A partly present block: bits say which sectors are here, least significant bit first. */
static int bitmap_run(struct vhdx *vhdx, uint64_t block, uint64_t within, bool *here,
                      uint64_t *length)
{
    uint64_t chunk = block / vhdx->chunk_ratio, entry, sector, bitmap;
    uint8_t bits[BITMAP_PIECE];
    uint32_t at, end;
    int result = bat_entry(vhdx, chunk * (vhdx->chunk_ratio + 1) + vhdx->chunk_ratio, &entry);

    if (result < 0) {
        return result;
    }
    if ((entry & 7) != VHDX_PRESENT) {
        return -EUCLEAN;
    }
    sector = (block % vhdx->chunk_ratio * vhdx->block_size + within) / vhdx->sector_size;
    bitmap = (entry & VHDX_BAT_OFFSET_MASK) + sector / 8;
    end = (uint32_t)MIN(sizeof(bits), VHDX_MIB - sector / 8);
    result = pages_read(vhdx->pages, bitmap, bits, end);
    if (result < 0) {
        return result;
    }
    at = sector % 8;
    *here = bits[0] >> at & 1;
    *length = vhdx->sector_size - within % vhdx->sector_size;
    while (++at < end * 8 && (bits[at / 8] >> at % 8 & 1) == *here) {
        *length += vhdx->sector_size;
    }
    return 0;
}

static int block_map(struct vhdx *vhdx, uint64_t block, uint64_t within,
                     struct image_extent *extent)
{
    uint64_t entry, run;
    bool here = true;
    int result = bat_entry(vhdx, block + block / vhdx->chunk_ratio, &entry);

    if (result < 0) {
        return result;
    }
    switch (entry & 7) {
    case VHDX_NOT_PRESENT:
        extent->kind = IMAGE_ABSENT;
        return 0;
    case VHDX_UNDEFINED:
    case VHDX_ZERO:
    case VHDX_UNMAPPED:
    case VHDX_UNMAPPED_V1:
        extent->kind = IMAGE_ZERO;
        return 0;
    case VHDX_PARTLY_PRESENT:
        result = vhdx->has_parent ? bitmap_run(vhdx, block, within, &here, &run) : -EUCLEAN;
        extent->length = result == 0 ? MIN(extent->length, run) : extent->length;
        break;
    case VHDX_PRESENT:
        break;
    default:
        return -EUCLEAN;
    }
    extent->kind = here ? IMAGE_DATA : IMAGE_ABSENT;
    extent->host = (entry & VHDX_BAT_OFFSET_MASK) + within;
    if (result == 0 && here && extent->host >= storage_size(vhdx->view)) {
        result = -EUCLEAN;
    }
    return result;
}

static int vhdx_map(struct image *image, uint64_t offset, uint64_t length,
                    struct image_extent *extent)
{
    struct vhdx *vhdx = (struct vhdx *)image;
    uint64_t within = offset % vhdx->block_size;
    int result;

    *extent = (struct image_extent){
        .length = MIN(length, vhdx->block_size - within),
        .storage = vhdx->view,
    };
    result = block_map(vhdx, offset / vhdx->block_size, within, extent);
    if (result == -EUCLEAN) {
        return image_damaged(image,
                             _("“%s” is damaged: the block at byte %" PRIu64
                               " of its disk cannot be found. Copy or download it again."),
                             image->storage->name, offset);
    }
    return result;
}

static void vhdx_free(struct image *image)
{
    struct vhdx *vhdx = (struct vhdx *)image;

    pages_free(vhdx->pages);
    if (vhdx->view != NULL) {
        image->storage = vhdx->view; /* frees what it lies over */
    }
    image_clear(image);
    g_free(image);
}

static const struct image_class vhdx_class = {
    .format = IMAGE_VHDX,
    .map = vhdx_map,
    .free = vhdx_free,
};

/* --- Opening ---------------------------------------------------------------------------------- */

static bool crc_good(const uint8_t *bytes, size_t n)
{
    static const uint8_t zero[4];
    uint32_t crc = crc32c(0, bytes, VHDX_CRC);

    crc = crc32c(crc, zero, sizeof(zero));
    crc = crc32c(crc, bytes + VHDX_CRC + 4, n - VHDX_CRC - 4);
    return crc == load_le32(bytes + VHDX_CRC);
}

/* The valid header with the higher sequence number. */
static const char *header_find(struct storage *storage, uint8_t *header)
{
    const uint64_t places[] = { VHDX_HEADER_1, VHDX_HEADER_2 };
    uint8_t bytes[VHDX_HEADER_BYTES];
    uint64_t best = 0;
    bool found = false;

    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        if (storage_read_all(storage, places[i], bytes, sizeof(bytes)) == 0 &&
            memcmp(bytes, "head", 4) == 0 && crc_good(bytes, sizeof(bytes)) &&
            (!found || load_le64(bytes + VHDX_SEQUENCE) > best)) {
            best = load_le64(bytes + VHDX_SEQUENCE);
            memcpy(header, bytes, sizeof(bytes));
            found = true;
        }
    }
    if (!found) {
        return _("it has no valid header");
    }
    return load_le16(header + VHDX_VERSION) != 1 ? _("its version of the format is not supported")
                                                 : NULL;
}

static const char *regions_read(struct vhdx *vhdx)
{
    const uint64_t places[] = { VHDX_REGIONS_1, VHDX_REGIONS_2 };
    g_autofree uint8_t *bytes = g_malloc(VHDX_REGIONS_BYTES);
    bool found = false;
    uint32_t count;

    for (unsigned i = 0; i < G_N_ELEMENTS(places) && !found; i++) {
        found = storage_read_all(vhdx->view, places[i], bytes, VHDX_REGIONS_BYTES) == 0 &&
                memcmp(bytes, "regi", 4) == 0 && crc_good(bytes, VHDX_REGIONS_BYTES);
    }
    count = load_le32(bytes + 8);
    if (!found || count > REGIONS_MAX) {
        return _("it has no valid table of regions");
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = bytes + 16 + (gsize)i * REGION_ENTRY;
        uint64_t offset = load_le64(entry + 16), length = load_le32(entry + 24);

        if (memcmp(entry, vhdx_guid_bat, 16) == 0) {
            vhdx->bat_offset = offset;
            vhdx->bat_bytes = length;
        } else if (memcmp(entry, vhdx_guid_metadata, 16) == 0) {
            vhdx->metadata_offset = offset;
            vhdx->metadata_bytes = length;
        } else if (load_le32(entry + 28) & 1) {
            return _("it needs something that is not supported");
        } else {
            continue;
        }
        if (offset < VHDX_MIB || offset % VHDX_MIB != 0 || length % VHDX_MIB != 0 || length == 0 ||
            !range_fits(offset, length, storage_size(vhdx->view))) {
            return _("a region lies outside of the file");
        }
    }
    return vhdx->bat_bytes == 0 || vhdx->metadata_bytes == 0 ? _("a region is missing") : NULL;
}

static char *utf16_text(const uint8_t *bytes, size_t n)
{
    return g_convert((const char *)bytes, (gssize)n, "UTF-8", "UTF-16LE", NULL, NULL, NULL);
}

/* Keys and values; of the places where the parent may be, only the one beside the image is used. */
static const char *parent_read(struct vhdx *vhdx, const uint8_t *item, uint32_t length)
{
    uint32_t count = length >= 20 ? load_le16(item + 18) : 0;

    if (20 + (uint64_t)count * 12 > length) {
        return _("what it says about its parent is damaged");
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = item + 20 + (gsize)i * 12;
        uint32_t key_at = load_le32(entry), value_at = load_le32(entry + 4);
        g_autofree char *key = NULL, *value = NULL;

        if (!range_fits(key_at, load_le16(entry + 8), length) ||
            !range_fits(value_at, load_le16(entry + 10), length)) {
            return _("what it says about its parent is damaged");
        }
        key = utf16_text(item + key_at, load_le16(entry + 8));
        value = utf16_text(item + value_at, load_le16(entry + 10));
        if (g_strcmp0(key, "relative_path") == 0 && value != NULL) {
            const char *slash = strrchr(value, '\\');

            g_free(vhdx->image.backing_name);
            vhdx->image.backing_name = g_strdup(slash != NULL ? slash + 1 : value);
        } else if (g_strcmp0(key, "parent_linkage") == 0) {
            g_free(vhdx->image.backing_identity);
            vhdx->image.backing_identity = g_steal_pointer(&value);
        }
    }
    vhdx->image.backing_format = g_strdup("vhdx");
    return vhdx->image.backing_name == NULL ? _("it does not say where its parent is") : NULL;
}

static const char *item_take(struct vhdx *vhdx, const uint8_t *guid, const uint8_t *item,
                             uint32_t length, uint32_t flags)
{
    if (memcmp(guid, vhdx_guid_file_parameters, 16) == 0 && length >= 8) {
        vhdx->block_size = load_le32(item);
        vhdx->has_parent = load_le32(item + 4) & 2;
        vhdx->seen_parameters = true;
    } else if (memcmp(guid, vhdx_guid_disk_size, 16) == 0 && length >= 8) {
        vhdx->image.size = load_le64(item);
    } else if (memcmp(guid, vhdx_guid_logical_sector, 16) == 0 && length >= 4) {
        vhdx->sector_size = load_le32(item);
    } else if (memcmp(guid, vhdx_guid_parent_locator, 16) == 0) {
        return parent_read(vhdx, item, length);
    } else if ((flags & 4) && memcmp(guid, vhdx_guid_page83, 16) != 0 &&
               memcmp(guid, vhdx_guid_physical_sector, 16) != 0) {
        return _("it needs something that is not supported");
    }
    return NULL;
}

static const char *metadata_read(struct vhdx *vhdx)
{
    g_autofree uint8_t *table = g_malloc(METADATA_ITEMS), *item = g_malloc0(ITEM_MAX);
    const char *problem = NULL;
    uint32_t count;

    if (storage_read_all(vhdx->view, vhdx->metadata_offset, table, METADATA_ITEMS) < 0 ||
        memcmp(table, "metadata", 8) != 0 || load_le16(table + 10) > METADATA_ENTRIES_MAX) {
        return _("its metadata is damaged");
    }
    count = load_le16(table + 10);
    for (uint32_t i = 0; i < count && problem == NULL; i++) {
        const uint8_t *entry = table + 32 + (gsize)i * METADATA_ENTRY;
        uint32_t offset = load_le32(entry + 16), length = load_le32(entry + 20);

        if (length > ITEM_MAX || !range_fits(offset, length, vhdx->metadata_bytes) ||
            storage_read_all(vhdx->view, vhdx->metadata_offset + offset, item, length) < 0) {
            return _("its metadata is damaged");
        }
        problem = item_take(vhdx, entry, item, length, load_le32(entry + 24));
    }
    return problem;
}

static const char *sizes_check(struct vhdx *vhdx)
{
    uint64_t blocks, last;

    if (!vhdx->seen_parameters || vhdx->block_size < VHDX_MIB ||
        vhdx->block_size > 256 * VHDX_MIB || (vhdx->block_size & (vhdx->block_size - 1)) != 0) {
        return _("its block size is out of range");
    }
    if (vhdx->sector_size != IMAGE_SECTOR) {
        return _("its sectors have not 512 bytes, which is not supported");
    }
    if (vhdx->image.size == 0 || vhdx->image.size > VHDX_DISK_MAX ||
        vhdx->image.size % IMAGE_SECTOR != 0) {
        return _("the size of its disk is out of range");
    }
    if (vhdx->has_parent && vhdx->image.backing_name == NULL) {
        return _("it does not say where its parent is");
    }
    vhdx->chunk_ratio = ((uint64_t)vhdx->sector_size << 23) / vhdx->block_size;
    blocks = (vhdx->image.size - 1) / vhdx->block_size + 1;
    last = (blocks - 1) + (blocks - 1) / vhdx->chunk_ratio;
    return last >= vhdx->bat_bytes / 8 ? _("its table of blocks is too small") : NULL;
}

static char *guid_text(const uint8_t *g)
{
    return g_strdup_printf("{%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}", load_le32(g),
                           load_le16(g + 4), load_le16(g + 6), g[8], g[9], g[10], g[11], g[12],
                           g[13], g[14], g[15]);
}

static bool open_failed(struct vhdx *vhdx, const char *problem, GError **error)
{
    if (problem != NULL) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” cannot be used as a VHDX image: %s."), vhdx->image.storage->name,
                    problem);
    }
    return problem != NULL;
}

struct image *vhdx_open(struct storage *storage, GError **error)
{
    struct vhdx *vhdx = g_new0(struct vhdx, 1);
    uint8_t header[VHDX_HEADER_BYTES] = { 0 };
    const char *problem;

    image_init(&vhdx->image, &vhdx_class, storage);
    problem = header_find(storage, header);
    if (open_failed(vhdx, problem, error)) {
        vhdx_free(&vhdx->image);
        return NULL;
    }
    vhdx->view = vhdx_log_replay(storage, header, error);
    if (vhdx->view == NULL) {
        vhdx->image.storage = NULL;
        vhdx_free(&vhdx->image);
        return NULL;
    }
    vhdx->pages = pages_new(vhdx->view);
    problem = regions_read(vhdx);
    problem = problem != NULL ? problem : metadata_read(vhdx);
    problem = problem != NULL ? problem : sizes_check(vhdx);
    if (open_failed(vhdx, problem, error)) {
        vhdx_free(&vhdx->image);
        return NULL;
    }
    vhdx->image.unit = vhdx->block_size;
    vhdx->image.identity = guid_text(header + VHDX_DATA_WRITE_GUID);
    return &vhdx->image;
}
