/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A look at the image of a CD before a machine reads it: is it whole? See medium.h. */
#include "block/drive/medium.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "config/config.h"

enum {
    DESCRIPTOR_SECTOR = 16,
    DESCRIPTOR_PRIMARY = 1,
    VOLUME_SPACE_SIZE = 80, /* both byte orders; the little-endian half */
    LOGICAL_BLOCK_SIZE = 128,
    /* Writers pad images by 150 sectors that hold nothing, and copies of discs often lack them. */
    PADDING_BYTES = 150 * OPTICAL_SECTOR,
};

bool iso_check(int fd, const char *path, uint64_t size, GError **error)
{
    uint8_t descriptor[OPTICAL_SECTOR];
    uint64_t volume;
    ssize_t n;

    do {
        n = pread(fd, descriptor, sizeof(descriptor), (off_t)DESCRIPTOR_SECTOR * OPTICAL_SECTOR);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be read"), path);
        return false;
    }
    if (n < (ssize_t)sizeof(descriptor)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is not a CD image: it has only %" PRIu64
                      " bytes. If it was downloaded, download it again."),
                    path, size);
        return false;
    }
    if (descriptor[0] != DESCRIPTOR_PRIMARY || memcmp(descriptor + 1, "CD001", 5) != 0) {
        return true; /* another format (UDF, HFS): nothing to compare with */
    }
    volume = (uint64_t)load_le32(descriptor + VOLUME_SPACE_SIZE) *
             load_le16(descriptor + LOGICAL_BLOCK_SIZE);
    if (size + PADDING_BYTES < volume) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is cut short: it has %" PRIu64 " of %" PRIu64
                      " bytes. Download or copy it again."),
                    path, size, volume);
        return false;
    }
    return true;
}
