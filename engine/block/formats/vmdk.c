/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VMware's disk images: extents one after the other, each a part of a flat file, a file of grains,
 * or nothing. See formats.h and vmdk.h.
 */
#include "vmdk.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <string.h>

#include "bytes.h"
#include "config/config.h"

enum {
    FLAT_UNIT = 64 << 10,
};

struct extent {
    enum vmdk_extent_type type;
    uint64_t start, length;  /* bytes of the disk */
    struct storage *storage; /* NULL: zero */
    bool owned;              /* not the image's own storage */
    uint64_t offset;         /* flat: bytes */
    struct vmdk_sparse sparse;
};

struct vmdk {
    struct image image;
    GPtrArray *extents; /* struct extent, by start */
};

static void extent_free(gpointer data)
{
    struct extent *extent = data;

    vmdk_sparse_close(&extent->sparse);
    if (extent->owned) {
        storage_free(extent->storage);
    }
    g_free(extent);
}

/* --- The map ---------------------------------------------------------------------------------- */

static struct extent *extent_find(const struct vmdk *vmdk, uint64_t offset)
{
    guint low = 0, high = vmdk->extents->len;

    while (high - low > 1) {
        guint middle = (low + high) / 2;
        const struct extent *extent = vmdk->extents->pdata[middle];

        if (extent->start <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return vmdk->extents->pdata[low];
}

static int damaged(struct image *image, uint64_t offset)
{
    return image_damaged(image,
                         _("“%s” is damaged or cut short: what lies at byte %" PRIu64
                           " of its disk cannot be read. Copy or download it again."),
                         image->storage->name, offset);
}

static int map_sparse(struct vmdk *vmdk, struct extent *extent, uint64_t offset,
                      struct image_extent *found)
{
    struct vmdk_sparse *sparse = &extent->sparse;
    uint64_t inside = offset - extent->start, within = inside % sparse->grain;
    uint32_t sector;
    int result = vmdk_sparse_grain(sparse, inside / sparse->grain, &sector);

    if (result < 0) {
        return result == -EUCLEAN ? damaged(&vmdk->image, offset) : result;
    }
    if (sector == 0) {
        uint64_t grains = (within + found->length - 1) / sparse->grain + 1;

        grains = vmdk_sparse_absent(sparse, inside / sparse->grain, grains);
        found->kind = IMAGE_ABSENT;
        found->length = MIN(found->length, grains * sparse->grain - within);
        return 0;
    }
    found->length = MIN(found->length, sparse->grain - within);
    if (sector == 1 && sparse->zero_gte) {
        found->kind = IMAGE_ZERO;
    } else if (sparse->compressed) {
        found->kind = IMAGE_COMPRESSED;
        found->unit = offset - within;
        found->cookie = sector;
    } else {
        found->kind = IMAGE_DATA;
        found->host = (uint64_t)sector * IMAGE_SECTOR + within;
        if (found->host >= storage_size(extent->storage)) {
            return damaged(&vmdk->image, offset);
        }
    }
    return 0;
}

static int vmdk_map(struct image *image, uint64_t offset, uint64_t length,
                    struct image_extent *found)
{
    struct vmdk *vmdk = (struct vmdk *)image;
    struct extent *extent = extent_find(vmdk, offset);

    *found = (struct image_extent){
        .kind = IMAGE_ZERO,
        .length = MIN(length, extent->start + extent->length - offset),
        .storage = extent->storage,
    };
    if (extent->type == VMDK_SPARSE) {
        return map_sparse(vmdk, extent, offset, found);
    }
    if (extent->type == VMDK_FLAT) {
        found->kind = IMAGE_DATA;
        found->host = extent->offset + (offset - extent->start);
    }
    return 0;
}

static int vmdk_decompress(struct image *image, const struct image_extent *found, uint8_t *unit)
{
    struct extent *extent = extent_find((struct vmdk *)image, found->unit);
    int result = vmdk_sparse_unpack(&extent->sparse, found->cookie, unit);

    return result == -EUCLEAN ? damaged(image, found->unit) : result;
}

static void vmdk_free(struct image *image)
{
    g_ptr_array_unref(((struct vmdk *)image)->extents);
    image_clear(image);
    g_free(image);
}

static const struct image_class vmdk_class = {
    .format = IMAGE_VMDK,
    .map = vmdk_map,
    .decompress = vmdk_decompress,
    .free = vmdk_free,
};

/* --- Opening ---------------------------------------------------------------------------------- */

static bool refuse(struct vmdk *vmdk, const char *problem, GError **error)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                _("“%s” cannot be used as a VMDK image: %s."), vmdk->image.storage->name, problem);
    return false;
}

/* Adds an extent, whose storage is there already. */
static bool extent_add(struct vmdk *vmdk, struct extent *extent, GError **error)
{
    bool first = vmdk->image.unit == 0;
    const char *problem = NULL;

    extent->start = vmdk->image.size;
    g_ptr_array_add(vmdk->extents, extent);
    if (extent->type == VMDK_SPARSE) {
        problem = vmdk_sparse_open(&extent->sparse, extent->storage);
    } else if (extent->type == VMDK_FLAT &&
               !range_fits(extent->offset, extent->length, storage_size(extent->storage))) {
        problem = _("one of its files is cut short");
    }
    if (problem == NULL && extent->type == VMDK_SPARSE) {
        if (extent->length == 0) {
            extent->length = extent->sparse.capacity;
        }
        if (extent->length > extent->sparse.capacity) {
            problem = _("one of its files is smaller than it should be");
        }
        if (first || !extent->sparse.compressed) {
            vmdk->image.unit = first ? extent->sparse.grain : vmdk->image.unit;
        } else if (vmdk->image.unit != extent->sparse.grain ||
                   extent->start % extent->sparse.grain != 0) {
            problem = _("its files do not fit together");
        }
    }
    if (problem == NULL && !range_fits(extent->start, extent->length, IMAGE_BYTES_MAX)) {
        problem = _("the size of its disk is out of range");
    }
    if (problem != NULL) {
        return refuse(vmdk, problem, error);
    }
    vmdk->image.size += extent->length;
    return true;
}

static bool lines_open(struct vmdk *vmdk, const struct vmdk_descriptor *descriptor,
                       vmdk_opener opener, void *context, GError **error)
{
    for (guint i = 0; i < descriptor->lines->len; i++) {
        const struct vmdk_line *line = &g_array_index(descriptor->lines, struct vmdk_line, i);
        struct extent *extent = g_new0(struct extent, 1);

        extent->type = line->type;
        extent->length = line->sectors * IMAGE_SECTOR;
        extent->offset = line->offset * IMAGE_SECTOR;
        if (line->type != VMDK_ZERO) {
            if (opener == NULL) {
                g_free(extent);
                return refuse(vmdk, _("it needs other files"), error);
            }
            extent->storage = opener(context, line->name, error);
            extent->owned = true;
        }
        if (line->type != VMDK_ZERO && extent->storage == NULL) {
            g_free(extent);
            return false;
        }
        if (!extent_add(vmdk, extent, error)) {
            return false;
        }
    }
    return true;
}

static void descriptor_apply(struct vmdk *vmdk, const struct vmdk_descriptor *descriptor)
{
    vmdk->image.identity = g_strdup_printf("%08x", descriptor->cid);
    if (descriptor->parent_cid != VMDK_NO_PARENT) {
        vmdk->image.backing_name = g_strdup(descriptor->parent_name);
        vmdk->image.backing_format = g_strdup("vmdk");
        vmdk->image.backing_identity = g_strdup_printf("%08x", descriptor->parent_cid);
    }
}

/* One file, with its description inside; the name that this gives it does not matter. */
static bool open_sparse(struct vmdk *vmdk, GError **error)
{
    struct extent *extent = g_new0(struct extent, 1);
    struct vmdk_descriptor descriptor = { NULL };
    g_autofree char *text = NULL;
    const char *problem = NULL;
    uint64_t offset, n;

    extent->type = VMDK_SPARSE;
    extent->storage = vmdk->image.storage;
    if (!extent_add(vmdk, extent, error)) {
        return false;
    }
    offset = extent->sparse.descriptor_offset;
    n = MIN(extent->sparse.descriptor_bytes, (uint64_t)VMDK_DESCRIPTOR_MAX);
    if (offset == 0) {
        return refuse(vmdk, _("it is one of several files; choose the file that describes them"),
                      error);
    }
    text = g_malloc0(n + 1);
    if (storage_read_all(vmdk->image.storage, offset, text, n) < 0) {
        problem = _("its description is cut short");
    } else {
        problem = vmdk_descriptor_parse(text, &descriptor);
    }
    if (problem == NULL && descriptor.lines->len != 1) {
        problem = _("its description names more files than there are");
    }
    if (problem == NULL) {
        descriptor_apply(vmdk, &descriptor);
    }
    vmdk_descriptor_clear(&descriptor);
    return problem == NULL || refuse(vmdk, problem, error);
}

static bool open_text(struct vmdk *vmdk, vmdk_opener opener, void *context, GError **error)
{
    struct vmdk_descriptor descriptor;
    uint64_t n = storage_size(vmdk->image.storage);
    g_autofree char *text = NULL;
    const char *problem;
    bool good;
    int result;

    if (n > VMDK_DESCRIPTOR_MAX) {
        return refuse(vmdk, _("it does not begin like one"), error);
    }
    text = g_malloc0(n + 1);
    result = storage_read(vmdk->image.storage, 0, text, n);
    if (result < 0) {
        image_set_error(&vmdk->image, result, error);
        return false;
    }
    problem = vmdk_descriptor_parse(text, &descriptor);
    good = problem == NULL ? lines_open(vmdk, &descriptor, opener, context, error)
                           : refuse(vmdk, problem, error);
    if (good) {
        descriptor_apply(vmdk, &descriptor);
    }
    vmdk_descriptor_clear(&descriptor);
    return good;
}

struct image *vmdk_open_files(struct storage *storage, vmdk_opener opener, void *context,
                              GError **error)
{
    struct vmdk *vmdk = g_new0(struct vmdk, 1);
    char magic[4] = { 0 };
    int result = storage_read(storage, 0, magic, sizeof(magic));
    bool good = false;

    image_init(&vmdk->image, &vmdk_class, storage);
    vmdk->extents = g_ptr_array_new_with_free_func(extent_free);
    if (result < 0) {
        image_set_error(&vmdk->image, result, error);
    } else {
        good = memcmp(magic, "KDMV", 4) == 0 ? open_sparse(vmdk, error)
                                             : open_text(vmdk, opener, context, error);
    }
    if (!good) {
        vmdk_free(&vmdk->image);
        return NULL;
    }
    if (vmdk->image.unit == 0) {
        vmdk->image.unit = FLAT_UNIT;
    }
    return &vmdk->image;
}

struct image *vmdk_open(struct storage *storage, GError **error)
{
    return vmdk_open_files(storage, NULL, NULL, error);
}
