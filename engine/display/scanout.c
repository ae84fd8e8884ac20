/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See scanout.h. */
#include "display/scanout.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Linux 5.1. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* A memfd of the scanout's size, mapped and then sealed. */
static bool memory_share(struct scanout *scanout)
{
    int fd = memfd_create("oriel-scanout", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    void *pixels;

    if (fd < 0 || ftruncate(fd, (off_t)scanout->size) < 0) {
        goto fail;
    }
    pixels = mmap(NULL, scanout->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (pixels == MAP_FAILED) {
        goto fail;
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) <
        0) {
        munmap(pixels, scanout->size);
        goto fail;
    }
    scanout->surface.pixels = pixels;
    scanout->memory = fd;
    return true;
fail:
    g_message(
        "The picture cannot be shared with a window: the computer gives no sealed memory (%s).",
        g_strerror(errno));
    if (fd >= 0) {
        close(fd);
    }
    return false;
}

struct scanout *scanout_new(guint32 width, guint32 height)
{
    static guint32 last_id;
    struct scanout *scanout = g_new0(struct scanout, 1);

    scanout->surface.width = scanout->surface.stride = width;
    scanout->surface.height = height;
    scanout->size = (size_t)width * height * sizeof(uint32_t);
    scanout->memory = -1;
    scanout->id = ++last_id ? last_id : ++last_id;
    if (!memory_share(scanout)) {
        scanout->surface.pixels = g_malloc0(scanout->size);
    }
    return scanout;
}

void scanout_free(struct scanout *scanout)
{
    if (scanout->memory >= 0) {
        munmap(scanout->surface.pixels, scanout->size);
        close(scanout->memory);
    } else {
        g_free(scanout->surface.pixels);
    }
    g_free(scanout);
}
