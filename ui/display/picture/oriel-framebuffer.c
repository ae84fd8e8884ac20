/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-framebuffer.h. */
#include "oriel-framebuffer.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BYTES_PER_PIXEL = 4,
};

struct _OrielFramebuffer {
    GObject parent_instance;

    GBytes *memory; /* owns the mapping; pictures made of it may outlive this object */
    guint8 *pixels; /* NULL if somebody else writes them */
    guint width, height, stride;
};

G_DEFINE_FINAL_TYPE(OrielFramebuffer, oriel_framebuffer, G_TYPE_OBJECT)

struct mapping {
    void *address;
    gsize size;
};

static void mapping_free(gpointer data)
{
    struct mapping *mapping = data;

    munmap(mapping->address, mapping->size);
    g_free(mapping);
}

/* Takes over a mapping. */
static OrielFramebuffer *framebuffer_new(void *address, gsize size, guint width, guint height,
                                         guint stride)
{
    OrielFramebuffer *framebuffer = g_object_new(ORIEL_TYPE_FRAMEBUFFER, NULL);
    struct mapping *mapping = g_new(struct mapping, 1);

    *mapping = (struct mapping){ address, size };
    framebuffer->memory = g_bytes_new_with_free_func(address, size, mapping_free, mapping);
    framebuffer->width = width;
    framebuffer->height = height;
    framebuffer->stride = stride;
    return framebuffer;
}

static gboolean size_is_valid(guint width, guint height)
{
    return width >= 1 && width <= ORIEL_FRAMEBUFFER_MAX && height >= 1 &&
           height <= ORIEL_FRAMEBUFFER_MAX;
}

/* Bytes from the first pixel to the last. Within the limits above it fits a gsize. */
static gboolean size_needed(guint width, guint height, guint stride, gsize *size)
{
    return g_size_checked_mul(size, stride, height - 1) &&
           g_size_checked_add(size, *size, (gsize)width * BYTES_PER_PIXEL);
}

/* A file that may shrink would end the process that shows it: the seal is what forbids it. */
static gboolean memory_is_valid(int fd, gsize size, GError **error)
{
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || !(seals & F_SEAL_SHRINK)) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                            _("The memory of the picture is not sealed against shrinking."));
        return FALSE;
    }
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size < 0 ||
        (guint64)status.st_size < size) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                            _("The memory of the picture is smaller than the picture."));
        return FALSE;
    }
    return TRUE;
}

OrielFramebuffer *oriel_framebuffer_new_for_memfd(int fd, guint width, guint height, guint stride,
                                                  GError **error)
{
    gsize size;
    void *address;

    if (!size_is_valid(width, height) || stride < width * BYTES_PER_PIXEL ||
        stride % BYTES_PER_PIXEL != 0 || !size_needed(width, height, stride, &size)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    _("A picture of %u × %u pixels with lines of %u bytes cannot be shown."), width,
                    height, stride);
        return NULL;
    }
    if (!memory_is_valid(fd, size, error)) {
        return NULL;
    }
    address = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    _("The memory of the picture cannot be mapped: %s."), g_strerror(errno));
        return NULL;
    }
    return framebuffer_new(address, size, width, height, stride);
}

OrielFramebuffer *oriel_framebuffer_new(guint width, guint height)
{
    OrielFramebuffer *framebuffer;
    guint stride = width * BYTES_PER_PIXEL;
    gsize size;
    void *address;

    if (!size_is_valid(width, height) || !size_needed(width, height, stride, &size)) {
        return NULL;
    }
    address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) {
        return NULL;
    }
    framebuffer = framebuffer_new(address, size, width, height, stride);
    framebuffer->pixels = address;
    return framebuffer;
}

guint oriel_framebuffer_get_width(OrielFramebuffer *framebuffer)
{
    return framebuffer->width;
}

guint oriel_framebuffer_get_height(OrielFramebuffer *framebuffer)
{
    return framebuffer->height;
}

guint oriel_framebuffer_get_stride(OrielFramebuffer *framebuffer)
{
    return framebuffer->stride;
}

guint8 *oriel_framebuffer_get_pixels(OrielFramebuffer *framebuffer)
{
    g_return_val_if_fail(framebuffer->pixels, NULL);
    return framebuffer->pixels;
}

GBytes *oriel_framebuffer_get_bytes(OrielFramebuffer *framebuffer, guint x, guint y, guint width,
                                    guint height)
{
    gsize offset = (gsize)y * framebuffer->stride + (gsize)x * BYTES_PER_PIXEL;

    g_return_val_if_fail(width >= 1 && height >= 1, NULL);
    g_return_val_if_fail(x <= framebuffer->width && width <= framebuffer->width - x, NULL);
    g_return_val_if_fail(y <= framebuffer->height && height <= framebuffer->height - y, NULL);
    return g_bytes_new_from_bytes(framebuffer->memory, offset,
                                  (gsize)framebuffer->stride * (height - 1) +
                                      (gsize)width * BYTES_PER_PIXEL);
}

static void oriel_framebuffer_finalize(GObject *object)
{
    OrielFramebuffer *framebuffer = ORIEL_FRAMEBUFFER(object);

    g_clear_pointer(&framebuffer->memory, g_bytes_unref);
    G_OBJECT_CLASS(oriel_framebuffer_parent_class)->finalize(object);
}

static void oriel_framebuffer_class_init(OrielFramebufferClass *class)
{
    G_OBJECT_CLASS(class)->finalize = oriel_framebuffer_finalize;
}

static void oriel_framebuffer_init(OrielFramebuffer *framebuffer)
{
}
