/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-new-file.h. */
#include "oriel-new-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/files.h"
#include "config/config.h"
#include "library/oriel-building.h"

/* Hidden files of processes that were killed: nobody holds their lock any more. */
static void remains_remove(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        struct stat status;
        int fd = -1;

        if (g_str_has_prefix(name, ORIEL_HIDDEN_PREFIX) && lstat(path, &status) == 0 &&
            S_ISREG(status.st_mode)) {
            fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        }
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
            g_unlink(path);
        }
        if (fd >= 0) {
            close(fd);
        }
    }
}

gboolean oriel_new_file_open_over(OrielNewFile *file, const char *target, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(target);

    *file = (OrielNewFile){ .fd = -1, .target = target };
    remains_remove(folder);
    file->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
        file->hidden = g_build_filename(folder, ORIEL_HIDDEN_PREFIX "XXXXXX", NULL);
        file->fd = g_mkstemp_full(file->hidden, O_RDWR | O_CLOEXEC, 0600);
    }
    if (file->fd < 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be made"), target);
        g_clear_pointer(&file->hidden, g_free);
        return FALSE;
    }
    flock(file->fd, LOCK_EX | LOCK_NB); /* where that cannot be, nobody removes it either */
    return TRUE;
}

gboolean oriel_new_file_open(OrielNewFile *file, const char *target, GError **error)
{
    *file = (OrielNewFile){ .fd = -1, .target = target };
    if (g_file_test(target, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_EXISTS,
                    _("“%s” exists already; choose another name."), target);
        return FALSE;
    }
    return oriel_new_file_open_over(file, target, error);
}

gboolean oriel_new_file_name(OrielNewFile *file, gboolean replace, GError **error)
{
    g_autofree char *self = g_strdup_printf("/proc/self/fd/%d", file->fd);
    g_autofree char *folder = g_path_get_dirname(file->target);
    int result;

    if (!file->hidden && replace) { /* a name first: only a rename replaces */
        file->hidden = g_strdup_printf("%s/" ORIEL_HIDDEN_PREFIX "%08x", folder, g_random_int());
        result = linkat(AT_FDCWD, self, AT_FDCWD, file->hidden, AT_SYMLINK_FOLLOW);
    } else if (!file->hidden) {
        result = linkat(AT_FDCWD, self, AT_FDCWD, file->target, AT_SYMLINK_FOLLOW);
    } else {
        result = 0;
    }
    if (result == 0 && file->hidden) {
        result = replace
                     ? rename(file->hidden, file->target)
                     : renameat2(AT_FDCWD, file->hidden, AT_FDCWD, file->target, RENAME_NOREPLACE);
        if (result == 0) {
            g_clear_pointer(&file->hidden, g_free);
        }
    }
    if (result != 0 && errno == EEXIST) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_EXISTS,
                    _("“%s” exists already; choose another name."), file->target);
        return FALSE;
    }
    if (result != 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be made"), file->target);
        return FALSE;
    }
    return image_file_sync_parent(file->target, error);
}

void oriel_new_file_clear(OrielNewFile *file)
{
    if (file->hidden) {
        g_unlink(file->hidden);
        g_free(file->hidden);
    }
    if (file->fd >= 0) {
        close(file->fd);
    }
}
