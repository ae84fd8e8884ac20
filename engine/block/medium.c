/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening, locking and closing what lies in a drive. See medium.h. */
#include "medium.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

enum {
    PUNCH_PROBE = 4096,
};

/*
 * Opens a path below a folder one component at a time without following symbolic links, so that no
 * link, put there by whoever made the folder, leads out of it.
 */
static int open_below(const char *folder, const char *path, int flags)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    int directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

    for (char **part = parts; *part != NULL && directory >= 0; part++) {
        bool last = part[1] == NULL;
        int next;

        if ((*part)[0] == '\0' || strcmp(*part, ".") == 0 || strcmp(*part, "..") == 0) {
            close(directory);
            errno = ELOOP;
            return -1;
        }
        next = openat(directory, *part,
                      (last ? flags : O_PATH | O_DIRECTORY) | O_NOFOLLOW | O_CLOEXEC);
        close(directory);
        directory = next;
    }
    return directory;
}

static void open_error(const char *what, const char *path, int number, GError **error)
{
    if (number == ENOENT || number == ENOTDIR) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    "The image of “%s”, “%s”, is not there.", what, path);
    } else if (number == ELOOP) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "The image of “%s”, “%s”, is or lies behind a symbolic link. Put the file "
                    "itself into the machine's folder.",
                    what, path);
    } else if (number == EACCES || number == EPERM || number == EROFS) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_PERMISSION,
                    "The image of “%s”, “%s”, may not be opened (%s). Change its permissions, or "
                    "attach it read-only.",
                    what, path, g_strerror(number));
    } else {
        oriel_error_set_errno(error, number, "The image of “%s”, “%s”, cannot be opened", what,
                              path);
    }
}

/* Readers share, a writer is alone. The kernel drops the lock when the last copy of the descriptor
 * closes. */
static bool lock(struct medium *medium, const char *what, GError **error)
{
    struct flock whole = {
        .l_type = medium->read_only ? F_RDLCK : F_WRLCK,
        .l_whence = SEEK_SET,
    };

    if (fcntl(medium->fd, F_OFD_SETLK, &whole) == 0) {
        return true;
    }
    if (errno == EAGAIN || errno == EACCES) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_LOCKED,
                    "The image of “%s”, “%s”, is in use by another machine or program. Stop that "
                    "one first.",
                    what, medium->path);
        return false;
    }
    g_warning("“%s” cannot be locked (%s); see that nothing else uses it.", medium->path,
              g_strerror(errno));
    return true;
}

/*
 * Behind the end there is nothing to lose, but the file system tells whether it knows how. To ask
 * is no change of the file, though some file systems note one.
 */
static bool can_discard(struct medium *medium, const struct stat *status)
{
    uint64_t end = ((uint64_t)status->st_size + PUNCH_PROBE - 1) / PUNCH_PROBE * PUNCH_PROBE;
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, status->st_mtim };
    bool can = fallocate(medium->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)end,
                         PUNCH_PROBE) == 0;

    futimens(medium->fd, times);
    return can;
}

static bool measure(struct medium *medium, const char *what, GError **error)
{
    uint64_t sector = medium->optical ? OPTICAL_SECTOR : DISK_SECTOR;
    struct stat status;
    uint64_t size = 0;

    if (fstat(medium->fd, &status) < 0 ||
        (S_ISBLK(status.st_mode) && ioctl(medium->fd, BLKGETSIZE64, &size) < 0)) {
        open_error(what, medium->path, errno, error);
        return false;
    }
    if (S_ISREG(status.st_mode)) {
        size = (uint64_t)status.st_size;
    } else if (!S_ISBLK(status.st_mode)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "The image of “%s”, “%s”, is neither a file nor a disk.", what, medium->path);
        return false;
    }
    if (size == 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, "The image of “%s”, “%s”, is empty.",
                    what, medium->path);
        return false;
    }
    if (medium->optical && !iso_check(medium->fd, medium->path, size, error)) {
        return false;
    }
    medium->size = (size + sector - 1) / sector * sector;
    medium->discard = S_ISREG(status.st_mode) && !medium->read_only && can_discard(medium, &status);
    return true;
}

struct medium *medium_open(const char *what, const char *folder, const char *path, bool optical,
                           bool read_only, GError **error)
{
    int flags = (read_only ? O_RDONLY : O_RDWR) | O_NONBLOCK | O_CLOEXEC;
    struct medium *medium;
    int fd = folder != NULL ? open_below(folder, path, flags) : open(path, flags);

    if (fd < 0) {
        open_error(what, path, errno, error);
        return NULL;
    }
    medium = g_new0(struct medium, 1);
    medium->references = 1;
    medium->fd = fd;
    medium->path = g_strdup(path);
    medium->optical = optical;
    medium->read_only = read_only;
    if (!measure(medium, what, error) || !lock(medium, what, error)) {
        medium_unref(medium);
        return NULL;
    }
    return medium;
}

struct medium *medium_ref(struct medium *medium)
{
    g_atomic_int_inc(&medium->references);
    return medium;
}

void medium_unref(struct medium *medium)
{
    if (!g_atomic_int_dec_and_test(&medium->references)) {
        return;
    }
    if (!medium->read_only && fdatasync(medium->fd) < 0) {
        g_warning("“%s”: what was written last may be lost: %s", medium->path, g_strerror(errno));
    }
    close(medium->fd);
    g_free(medium->path);
    g_free(medium);
}
