/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Disk images outside of a running machine: a look before it starts, new ones. See drive.h. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "config/config.h"
#include "drive.h"
#include "medium.h"

enum {
    RAW_UNIT = 1 << 20,
};

#define RAW_BYTES_MAX (UINT64_C(64) << 40)

bool drive_check_medium(const char *path, bool optical, GError **error)
{
    struct medium *medium = medium_open(optical ? "CD" : "disk", NULL, path, optical, true, error);

    if (medium == NULL) {
        return false;
    }
    medium_unref(medium);
    return true;
}

static int sync_parent(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int number = fd < 0 || fsync(fd) < 0 ? errno : 0;

    if (fd >= 0) {
        close(fd);
    }
    return number;
}

bool drive_create_raw(const char *path, uint64_t bytes, GError **error)
{
    int fd, number = 0;

    if (bytes == 0 || bytes > RAW_BYTES_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "A disk must have at least 1M and at most 64T.");
        return false;
    }
    bytes = (bytes + RAW_UNIT - 1) / RAW_UNIT * RAW_UNIT;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        if (errno == EEXIST) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_EXISTS, "“%s” is there already.", path);
        } else {
            oriel_error_set_errno(error, errno, "The disk “%s” cannot be made", path);
        }
        return false;
    }
    if (ftruncate(fd, (off_t)bytes) < 0 || fsync(fd) < 0) {
        number = errno;
    }
    close(fd);
    if (number == 0) {
        number = sync_parent(path);
    }
    if (number != 0) {
        unlink(path);
        oriel_error_set_errno(error, number, "The disk “%s” cannot be made", path);
    }
    return number == 0;
}
