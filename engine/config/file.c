/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * machine.json on disk: reading, atomic replacement, revisions. See config.h.
 *
 * A save is: write machine.json.new and sync it; keep the present file under revisions/ (a hard
 * link, or a copy where the file system has none); rename; sync the folder. Dying anywhere leaves a
 * whole machine.json and at most a left-over .new, which the next save overwrites, or a revision
 * equal to the present file, which undo skips. A lock on the folder keeps two savers apart.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_BYTES_MAX = 1 << 20,
};

/* --- Small pieces ----------------------------------------------------------------------------- */

int config_file_read(int directory, const char *name, GString *into)
{
    AUTO_CLOSE fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat status;
    char chunk[4096];
    ssize_t n;

    if (fd < 0 || fstat(fd, &status) < 0) {
        return errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return EINVAL;
    }
    while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n > 0) {
            g_string_append_len(into, chunk, n);
        }
        if (into->len > FILE_BYTES_MAX) {
            return EFBIG;
        }
    }
    return 0;
}

static int write_all(int fd, const char *data, gsize length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);

        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n > 0) {
            data += n;
            length -= (gsize)n;
        }
    }
    return 0;
}

int config_file_write(int directory, const char *name, const char *data, gsize length)
{
    AUTO_CLOSE fd =
        openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int number;

    if (fd < 0) {
        return errno;
    }
    number = write_all(fd, data, length);
    if (number == 0 && fsync(fd) < 0) {
        number = errno;
    }
    return number;
}

static int open_folder(const char *folder, GError **error)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        oriel_error_set_errno(error, errno, _("The machine’s folder “%s” cannot be opened"),
                              folder);
    }
    return fd;
}

int config_folder_open_locked(const char *folder, GError **error)
{
    int fd = open_folder(folder, error);

    while (fd >= 0 && flock(fd, LOCK_EX) < 0 && errno == EINTR) {
    }
    return fd;
}

/* --- Load, save ------------------------------------------------------------------------------- */

static gboolean read_present(int directory, const char *folder, GString *data, GError **error)
{
    int number = config_file_read(directory, FILE_NAME, data);

    if (number == ENOENT) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    _("There is no machine in “%s”: it has no %s."), folder, FILE_NAME);
    } else if (number == EINVAL || number == ELOOP) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT, _("“%s/%s” is not a file."), folder,
                    FILE_NAME);
    } else if (number == EFBIG) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                    _("“%s/%s” is damaged: it is larger than any machine’s could be."), folder,
                    FILE_NAME);
    } else if (number != 0) {
        oriel_error_set_errno(error, number, _("“%s/%s” cannot be read"), folder, FILE_NAME);
    }
    return number == 0;
}

OrielConfig *oriel_config_load(const char *folder, GError **error)
{
    g_autoptr(GString) data = g_string_new(NULL);
    g_autofree char *source = g_strdup_printf("“%s/" FILE_NAME "”", folder);
    AUTO_CLOSE directory = open_folder(folder, error);

    if (directory < 0 || !read_present(directory, folder, data, error)) {
        return NULL;
    }
    return oriel_config_from_data(data->str, data->len, source, error);
}

char *config_text(const OrielConfig *config)
{
    g_autoptr(JsonNode) node = oriel_config_to_json(config);
    g_autofree char *text = json_to_string(node, TRUE);

    return g_strconcat(text, "\n", NULL);
}

static int replace(int directory, const char *folder, const char *text, const GString *old)
{
    int number = config_file_write(directory, FILE_NEW, text, strlen(text));

    if (number == 0 && old != NULL) {
        number = config_revision_keep(directory, folder, old);
    }
    if (number == 0 && renameat(directory, FILE_NEW, directory, FILE_NAME) < 0) {
        number = errno;
    }
    if (number != 0) {
        unlinkat(directory, FILE_NEW, 0);
        return number;
    }
    return fsync(directory) < 0 ? errno : 0;
}

gboolean oriel_config_save(const OrielConfig *config, const char *folder, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GString) old = g_string_new(NULL);
    int number;

    if (!oriel_config_check(config, error)) {
        return FALSE;
    }
    text = config_text(config);
    AUTO_CLOSE directory = config_folder_open_locked(folder, error);
    if (directory < 0) {
        return FALSE;
    }
    number = config_file_read(directory, FILE_NAME, old);
    if (number == 0 && strcmp(old->str, text) == 0) {
        return TRUE;
    }
    number = replace(directory, folder, text, number == 0 ? old : NULL);
    if (number != 0) {
        oriel_error_set_errno(error, number, _("The settings of “%s” cannot be saved in “%s”"),
                              config->name, folder);
    }
    return number == 0;
}
