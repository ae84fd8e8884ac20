/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-files.h. */
#include "oriel-files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

enum {
    COPY_CHUNK = 4 << 20,
    COPY_PIECE = 64 << 10,
    FTW_FDS = 16,
};

/* Where the kernel cannot copy by itself: between file systems, and on some of them at all. */
static ssize_t piece_copy(int in, off_t *from, int out, off_t *to, size_t n)
{
    char bytes[COPY_PIECE];
    ssize_t got = pread(in, bytes, MIN(n, sizeof(bytes)), *from), put = 0;

    while (got > 0 && put < got) {
        ssize_t m = pwrite(out, bytes + put, (size_t)(got - put), *to + put);

        if (m < 0 && errno != EINTR) {
            return -1;
        }
        put += m > 0 ? m : 0;
    }
    if (got > 0) {
        *from += got;
        *to += got;
    }
    return got;
}

static gboolean kernel_cannot(int number)
{
    return number == EXDEV || number == EOPNOTSUPP || number == ENOSYS || number == EINVAL;
}

/* Copies the data extent [offset, end) of one file. */
static gboolean extent_copy(int in, int out, off_t offset, off_t end)
{
    off_t from = offset, to = offset;

    while (from < end) {
        size_t n = (size_t)MIN(end - from, COPY_CHUNK);
        ssize_t copied = copy_file_range(in, &from, out, &to, n, 0);

        if (copied < 0 && kernel_cannot(errno)) {
            copied = piece_copy(in, &from, out, &to, n);
        }
        if (copied < 0 && errno == EINTR) {
            continue;
        }
        if (copied <= 0) {
            if (copied == 0) {
                errno = EIO; /* the file has become shorter meanwhile */
            }
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean data_copy(int in, int out, off_t size, OrielProgress progress, gpointer data,
                          GCancellable *cancellable)
{
    off_t offset = 0;

    while (offset < size) {
        off_t start = lseek(in, offset, SEEK_DATA);

        if (start < 0 && errno == ENXIO) {
            break; /* nothing but a hole is left */
        }
        if (start < 0) {
            return FALSE;
        }
        off_t hole = lseek(in, start, SEEK_HOLE);

        if (hole < 0) {
            return FALSE;
        }
        for (off_t at = start; at < hole; at += COPY_CHUNK) {
            if (g_cancellable_is_cancelled(cancellable)) {
                errno = ECANCELED;
                return FALSE;
            }
            if (!extent_copy(in, out, at, MIN(at + COPY_CHUNK, hole))) {
                return FALSE;
            }
            if (progress) {
                progress((guint64)MIN(at + COPY_CHUNK, hole), (guint64)size, data);
            }
        }
        offset = hole;
    }
    return TRUE;
}

gboolean oriel_file_copy(const char *from, const char *to, OrielProgress progress, gpointer data,
                         GCancellable *cancellable, GError **error)
{
    struct stat status;
    int in = open(from, O_RDONLY | O_NONBLOCK | O_CLOEXEC), out;

    if (in < 0 || fstat(in, &status) != 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be read"), from);
        if (in >= 0) {
            close(in);
        }
        return FALSE;
    }
    if (!S_ISREG(status.st_mode)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, _("“%s” is not a file."), from);
        close(in);
        return FALSE;
    }
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out < 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be made"), to);
        close(in);
        return FALSE;
    }
    gboolean good = ioctl(out, FICLONE, in) == 0 ||
                    (ftruncate(out, status.st_size) == 0 &&
                     data_copy(in, out, status.st_size, progress, data, cancellable));

    good = good && fsync(out) == 0;
    if (!good) {
        if (!g_cancellable_set_error_if_cancelled(cancellable, error)) {
            oriel_error_set_errno(error, errno, _("“%s” cannot be written"), to);
        }
        g_unlink(to);
    }
    close(in);
    close(out);
    return good;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    return remove(path);
}

gboolean oriel_folder_remove(const char *folder, GError **error)
{
    if (nftw(folder, remove_one, FTW_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be removed"), folder);
        return FALSE;
    }
    return TRUE;
}

gboolean oriel_folder_sync(const char *folder, GError **error)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean good = fd >= 0 && fsync(fd) == 0;

    if (!good) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be written"), folder);
    }
    if (fd >= 0) {
        close(fd);
    }
    return good;
}
