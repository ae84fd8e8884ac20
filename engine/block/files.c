/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See files.h. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"

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

/* What is at fault, for the beginning of a sentence. */
static char *subject(const char *drive, const char *path)
{
    /* Translators: this begins sentences such as “… is not there.”. */
    return drive != NULL ? g_strdup_printf(_("The image of “%s”, “%s”,"), drive, path)
                         : g_strdup_printf(_("“%s”"), path);
}

static void open_error(const char *drive, const char *path, int number, GError **error)
{
    g_autofree char *what = subject(drive, path);

    if (number == ENOENT || number == ENOTDIR) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND, _("%s is not there."), what);
    } else if (number == ELOOP) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("%s is or lies behind a symbolic link. Put the file itself into the "
                      "machine’s folder."),
                    what);
    } else if (number == EACCES || number == EPERM || number == EROFS) {
        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_PERMISSION,
            drive != NULL
                ? _("%s may not be opened (%s). Change its permissions, or attach it read-only.")
                : _("%s may not be opened (%s). Change its permissions."),
            what, g_strerror(number));
    } else {
        oriel_error_set_errno(error, number, _("%s cannot be opened"), what);
    }
}

static bool lock(int fd, const char *drive, const char *path, bool read_only, GError **error)
{
    struct flock whole = { .l_type = read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };
    g_autofree char *what = subject(drive, path);

    if (fcntl(fd, F_OFD_SETLK, &whole) == 0) {
        return true;
    }
    if (errno == EAGAIN || errno == EACCES) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_LOCKED,
                    _("%s is in use by another machine or program. Stop that one first."), what);
        return false;
    }
    g_warning("“%s” cannot be locked (%s); see that nothing else uses it.", path,
              g_strerror(errno));
    return true;
}

int image_file_open(const char *drive, const char *folder, const char *path, bool read_only,
                    GError **error)
{
    int flags = (read_only ? O_RDONLY : O_RDWR) | O_NONBLOCK | O_CLOEXEC;
    int fd = folder != NULL ? open_below(folder, path, flags) : open(path, flags);

    if (fd < 0) {
        open_error(drive, path, errno, error);
        return -1;
    }
    if (!lock(fd, drive, path, read_only, error)) {
        close(fd);
        return -1;
    }
    return fd;
}

int image_file_create(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0) {
        if (errno == EEXIST) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_EXISTS,
                        _("“%s” exists already; choose another name."), path);
        } else {
            oriel_error_set_errno(error, errno, _("The disk “%s” cannot be made"), path);
        }
        return -1;
    }
    if (!lock(fd, NULL, path, false, error)) {
        close(fd);
        return -1;
    }
    return fd;
}

bool image_file_sync_parent(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;

    if (!good) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be written"), folder);
    }
    if (fd >= 0) {
        close(fd);
    }
    return good;
}
