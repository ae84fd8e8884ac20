/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Raw images: the disk, byte for byte. What a file lacks of its last sector reads as zeroes. */
#include "config/config.h"

#include <glib/gi18n-lib.h>
#include "formats/formats.h"
#include "image.h"

static int raw_map(struct image *image, uint64_t offset, uint64_t length,
                   struct image_extent *extent)
{
    *extent = (struct image_extent){
        .kind = IMAGE_DATA, .length = length, .storage = image->storage, .host = offset
    };
    return 0;
}

static int raw_place_write(struct image *image, uint64_t offset, uint64_t length, uint64_t *host)
{
    *host = offset;
    return 0;
}

static int raw_write(struct image *image, uint64_t offset, const struct iovec *spans, unsigned n,
                     uint64_t length)
{
    return storage_writev(image->storage, offset, spans, n);
}

static int raw_zero(struct image *image, uint64_t offset, uint64_t length, bool release)
{
    return storage_clear(image->storage, offset, length, release);
}

static int raw_flush(struct image *image)
{
    return storage_flush(image->storage);
}

static bool raw_resize(struct image *image, uint64_t size, GError **error)
{
    int result = storage_resize(image->storage, size);

    if (result == 0) {
        image->size = size;
        result = storage_flush(image->storage);
    }
    if (result < 0) {
        image_set_error(image, result, error);
    }
    return result == 0;
}

static void raw_free(struct image *image)
{
    image_clear(image);
    g_free(image);
}

static const struct image_class raw_class = {
    .format = IMAGE_RAW,
    .map = raw_map,
    .map_now = raw_map,
    .place_write = raw_place_write,
    .write = raw_write,
    .zero = raw_zero,
    .flush = raw_flush,
    .resize = raw_resize,
    .free = raw_free,
};

struct image *image_raw_open(struct storage *storage, uint32_t sector, GError **error)
{
    uint64_t size = storage_size(storage);
    struct image *image;

    if (size == 0 || size > IMAGE_BYTES_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    size == 0 ? _("“%s” is empty.") : _("“%s” is larger than any disk."),
                    storage->name);
        storage_free(storage);
        return NULL;
    }
    image = g_new0(struct image, 1);
    image_init(image, &raw_class, storage);
    image->size = (size + sector - 1) / sector * sector;
    image->unit = sector;
    return image;
}
