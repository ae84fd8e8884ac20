/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests on images of any format. See image.h. */
#include "image.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>

#include "bytes.h"
#include "config/config.h"
#include "spans.h"

/* --- Decompressed units ----------------------------------------------------------------------- */

/* A few units that were read last: small reads one after the other decompress each unit once. */
struct image_unit_cache {
    pthread_mutex_t lock;
    struct {
        uint8_t *bytes;
        uint64_t start;
        bool valid;
    } units[4];
    unsigned next;
    uint64_t generation; /* counts image_cache_forget() */
};

static bool cache_read(struct image *image, const struct image_extent *extent, uint64_t skip,
                       struct spans *spans, uint64_t *generation)
{
    struct image_unit_cache *cache = image->cache;
    bool found = false;

    pthread_mutex_lock(&cache->lock);
    *generation = cache->generation;
    for (unsigned i = 0; i < G_N_ELEMENTS(cache->units) && !found; i++) {
        if (cache->units[i].valid && cache->units[i].start == extent->unit) {
            spans_fill(spans, cache->units[i].bytes + skip, extent->length);
            found = true;
        }
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

/* Takes `bytes`. */
static void cache_put(struct image *image, uint64_t start, uint8_t *bytes, uint64_t generation)
{
    struct image_unit_cache *cache = image->cache;

    pthread_mutex_lock(&cache->lock);
    if (cache->generation == generation) {
        uint8_t *old = cache->units[cache->next].bytes;

        cache->units[cache->next].bytes = bytes;
        cache->units[cache->next].start = start;
        cache->units[cache->next].valid = true;
        cache->next = (cache->next + 1) % G_N_ELEMENTS(cache->units);
        bytes = old;
    }
    pthread_mutex_unlock(&cache->lock);
    g_free(bytes);
}

void image_cache_forget(struct image *image)
{
    pthread_mutex_lock(&image->cache->lock);
    image->cache->generation++;
    for (unsigned i = 0; i < G_N_ELEMENTS(image->cache->units); i++) {
        image->cache->units[i].valid = false;
    }
    pthread_mutex_unlock(&image->cache->lock);
}

static int read_compressed(struct image *image, uint64_t offset, const struct image_extent *extent,
                           struct spans *spans)
{
    uint64_t skip = offset - extent->unit, generation;
    struct iovec part[1];
    int result;

    if (extent->length == image->unit && spans->at->iov_len - spans->used >= image->unit) {
        spans_take(spans, image->unit, part);
        return image->class->decompress(image, extent, part[0].iov_base);
    }
    if (cache_read(image, extent, skip, spans, &generation)) {
        return 0;
    }
    uint8_t *bytes = g_try_malloc(image->unit);

    if (bytes == NULL) {
        return -ENOMEM;
    }
    result = image->class->decompress(image, extent, bytes);
    if (result < 0) {
        g_free(bytes);
        return result;
    }
    spans_fill(spans, bytes + skip, extent->length);
    cache_put(image, extent->unit, bytes, generation);
    return 0;
}

/* --- Reading ---------------------------------------------------------------------------------- */

static int map(struct image *image, uint64_t offset, uint64_t length, struct image_extent *extent)
{
    int result = image->class->map(image, offset, length, extent);

    g_assert(result < 0 || (extent->length > 0 && extent->length <= length));
    return result;
}

/* From the backing image, which may be shorter; what it lacks is zero. */
static int read_backing(struct image *image, uint64_t offset, uint64_t length, struct spans *spans)
{
    uint64_t there = 0;
    int result = 0;

    if (image->backing != NULL && offset < image->backing->size) {
        g_autofree struct iovec *part = g_new(struct iovec, SPANS_MAX);

        there = MIN(length, image->backing->size - offset);
        unsigned n = spans_take(spans, there, part);

        result = image_readv(image->backing, offset, part, n, there);
        if (result == -EUCLEAN) {
            image_damaged(image, "%s", image_problem(image->backing));
        }
    }
    spans_zero(spans, length - there);
    return result;
}

static int read_data(const struct image_extent *extent, struct spans *spans, uint64_t whole,
                     const struct iovec *all, unsigned n)
{
    if (extent->length == whole) { /* usually a request lies in one piece */
        return storage_readv(extent->storage, extent->host, all, n);
    }
    struct iovec part[SPANS_MAX];
    unsigned taken = spans_take(spans, extent->length, part);

    return storage_readv(extent->storage, extent->host, part, taken);
}

int image_read_inside(struct image *image, uint64_t offset, const struct iovec *list, unsigned n,
                      uint64_t length)
{
    struct spans spans = spans_start(list, n);
    uint64_t end = offset + length;
    int result = 0;

    while (offset < end && result >= 0) {
        struct image_extent extent;

        result = map(image, offset, end - offset, &extent);
        if (result < 0) {
            break;
        }
        switch (extent.kind) {
        case IMAGE_DATA:
            result = read_data(&extent, &spans, length, list, n);
            break;
        case IMAGE_ZERO:
            spans_zero(&spans, extent.length);
            break;
        case IMAGE_ABSENT:
            result = read_backing(image, offset, extent.length, &spans);
            break;
        case IMAGE_COMPRESSED:
            result = read_compressed(image, offset, &extent, &spans);
            break;
        }
        offset += extent.length;
    }
    return result;
}

static void begin(struct image *image)
{
    if (image->class->begin != NULL) {
        image->class->begin(image);
    }
}

static void end(struct image *image)
{
    if (image->class->end != NULL) {
        image->class->end(image);
    }
}

int image_readv(struct image *image, uint64_t offset, const struct iovec *spans, unsigned n,
                uint64_t length)
{
    int result;

    if (!range_fits(offset, length, image->size)) {
        return -EINVAL;
    }
    begin(image);
    result = image_read_inside(image, offset, spans, n, length);
    end(image);
    return result;
}

int image_read(struct image *image, uint64_t offset, void *bytes, size_t length)
{
    struct iovec span = { bytes, length };

    return image_readv(image, offset, &span, 1, length);
}

/* --- Writing ---------------------------------------------------------------------------------- */

int image_writev(struct image *image, uint64_t offset, const struct iovec *spans, unsigned n,
                 uint64_t length)
{
    if (!range_fits(offset, length, image->size)) {
        return -EINVAL;
    }
    if (image->read_only || image->class->write == NULL) {
        return -EROFS;
    }
    return length == 0 ? 0 : image->class->write(image, offset, spans, n, length);
}

int image_write(struct image *image, uint64_t offset, const void *bytes, size_t length)
{
    struct iovec span = { (void *)bytes, length };

    return image_writev(image, offset, &span, 1, length);
}

int image_zero(struct image *image, uint64_t offset, uint64_t length, bool release)
{
    if (!range_fits(offset, length, image->size)) {
        return -EINVAL;
    }
    if (image->read_only || image->class->zero == NULL) {
        return -EROFS;
    }
    return length == 0 ? 0 : image->class->zero(image, offset, length, release);
}

int image_flush(struct image *image)
{
    return image->read_only || image->class->flush == NULL ? 0 : image->class->flush(image);
}

int image_sync(struct image *image)
{
    return image->read_only || image->class->sync == NULL ? image_flush(image)
                                                          : image->class->sync(image);
}

/* --- Places ----------------------------------------------------------------------------------- */

void image_place_end(struct image *image, const struct image_place *place)
{
    end(image);
    while (image != place->last) {
        image = image->backing;
        end(image);
    }
}

static bool begin_now(struct image *image)
{
    return image->class->begin_now == NULL || image->class->begin_now(image);
}

/* Goes down the chain to the image that has all of it; each one passed stays begun. */
static bool place_read(struct image *image, uint64_t offset, uint64_t length,
                       struct image_place *place)
{
    struct image_extent extent;

    if (!range_fits(offset, length, image->size) || image->class->map_now == NULL ||
        !begin_now(image)) {
        return false;
    }
    if (image->class->map_now(image, offset, length, &extent) == 0 && extent.length == length) {
        if (extent.kind == IMAGE_DATA) {
            *place = (struct image_place){ extent.storage, extent.host, image };
            return true;
        }
        if (extent.kind == IMAGE_ABSENT && image->backing != NULL &&
            place_read(image->backing, offset, length, place)) {
            return true;
        }
    }
    end(image);
    return false;
}

static bool place_write(struct image *image, uint64_t offset, uint64_t length,
                        struct image_place *place)
{
    if (image->read_only || !range_fits(offset, length, image->size) ||
        image->class->place_write == NULL || !begin_now(image)) {
        return false;
    }
    *place = (struct image_place){ .storage = image->storage, .last = image };
    if (image->class->place_write(image, offset, length, &place->host) == 0) {
        return true;
    }
    end(image);
    return false;
}

bool image_place(struct image *image, uint64_t offset, uint64_t length, bool write,
                 struct image_place *place)
{
    return length > 0 && (write ? place_write(image, offset, length, place)
                                : place_read(image, offset, length, place));
}

/* --- Status ----------------------------------------------------------------------------------- */

int image_status_top(struct image *image, uint64_t offset, uint64_t length, enum image_kind *kind,
                     uint64_t *known)
{
    struct image_extent extent;
    int result;

    if (!range_fits(offset, length, image->size) || length == 0) {
        return -EINVAL;
    }
    begin(image);
    result = map(image, offset, length, &extent);
    end(image);
    if (result < 0) {
        return result;
    }
    *kind = extent.kind;
    *known = extent.length;
    if (extent.kind == IMAGE_DATA) { /* a hole in the file reads as zeroes */
        bool data = true;

        result = storage_extent(extent.storage, extent.host, known, &data);
        if (!data) {
            *kind = IMAGE_ZERO;
        }
    }
    return result;
}

int image_status(struct image *image, uint64_t offset, uint64_t length, enum image_kind *kind,
                 uint64_t *known)
{
    int result = image_status_top(image, offset, length, kind, known);

    if (result < 0 || *kind == IMAGE_ZERO) {
        return result;
    }
    if (*kind == IMAGE_ABSENT) {
        if (image->backing == NULL || offset >= image->backing->size) {
            *kind = IMAGE_ZERO;
            return 0;
        }
        return image_status(image->backing, offset, MIN(*known, image->backing->size - offset),
                            kind, known);
    }
    *kind = IMAGE_DATA;
    return 0;
}

/* --- The base --------------------------------------------------------------------------------- */

void image_init(struct image *image, const struct image_class *class, struct storage *storage)
{
    image->class = class;
    image->storage = storage;
    image->read_only = storage->read_only || class->write == NULL;
    image->cache = g_new0(struct image_unit_cache, 1);
    pthread_mutex_init(&image->cache->lock, NULL);
}

void image_clear(struct image *image)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(image->cache->units); i++) {
        g_free(image->cache->units[i].bytes);
    }
    pthread_mutex_destroy(&image->cache->lock);
    g_free(image->cache);
    g_free(image->backing_name);
    g_free(image->backing_format);
    g_free(image->identity);
    g_free(image->backing_identity);
    g_free(image->problem);
    image_free(image->backing);
    storage_free(image->storage);
}

void image_free(struct image *image)
{
    if (image == NULL) {
        return;
    }
    int result = image_flush(image);

    if (result < 0) {
        g_warning("“%s”: what was written last may be lost: %s", image->storage->name,
                  g_strerror(-result));
    }
    image->class->free(image);
}

void image_set_backing(struct image *image, struct image *backing)
{
    g_assert(image->backing == NULL);
    image->backing = backing;
}

bool image_resize(struct image *image, uint64_t size, GError **error)
{
    if (image->read_only || image->class->resize == NULL) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is a %s image, which cannot be resized; convert it to qcow2 first."),
                    image->storage->name, image_format_name(image->class->format));
        return false;
    }
    if (size == 0 || size > IMAGE_BYTES_MAX || size % IMAGE_SECTOR != 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("A disk’s size must be a multiple of 512 bytes, from 512 to 64P."));
        return false;
    }
    return image->class->resize(image, size, error);
}

GPtrArray *image_describe(struct image *image)
{
    return image->class->describe != NULL ? image->class->describe(image)
                                          : g_ptr_array_new_with_free_func(g_free);
}

const char *image_problem(struct image *image)
{
    return g_atomic_pointer_get(&image->problem);
}

int image_damaged(struct image *image, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (!g_atomic_pointer_compare_and_exchange(&image->problem, NULL, text)) {
        g_free(text);
    }
    return -EUCLEAN;
}

void image_set_error(struct image *image, int result, GError **error)
{
    const char *problem = image_problem(image);

    if (result == -ECANCELED) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                    _("Cancelled; nothing was changed or left behind."));
    } else if (result == -EUCLEAN && problem != NULL) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, "%s", problem);
    } else if (result == -EUCLEAN) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is cut short or damaged. Copy or download it again."),
                    image->storage->name);
    } else {
        oriel_error_set_errno(error, -result, _("“%s” cannot be read or written"),
                              image->storage->name);
    }
}
