/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a file is, from any bytes. The first byte chooses where the rest stands: at the beginning of
 * the file, or in place of a CD's volume descriptors.
 */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "oriel-media-private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OrielMedia *media;
    guint64 offset;
    int fd;

    if (size == 0) {
        return 0;
    }
    fd = memfd_create("media", MFD_CLOEXEC);
    g_assert_true(fd >= 0);
    offset = data[0] & 1 ? 16 * 2048 : 0;
    g_assert_true(pwrite(fd, data + 1, size - 1, (off_t)offset) == (ssize_t)(size - 1));
    media = g_new0(OrielMedia, 1);
    media->size = offset + size - 1;
    media_recognise(fd, media);
    g_assert_true(media->kind <= ORIEL_MEDIA_KERNEL);
    g_assert_true(!media->label || g_utf8_validate(media->label, -1, NULL));
    g_assert_true((media->kind == ORIEL_MEDIA_DISK || media->kind == ORIEL_MEDIA_OVF) ==
                  (media->format != NULL));
    oriel_media_free(media);
    close(fd);
    return 0;
}
