/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * machine.json on disk: reading, atomic replacement, revisions. See config.h.
 *
 * A save is: write machine.json.new and sync it; keep the present file under revisions/ (a hard
 * link, or a copy where the file system has none); rename; sync the folder. Dying anywhere leaves a
 * whole machine.json and at most a left-over .new, which the next save overwrites, or a revision
 * equal to the present file, which undo skips. A lock on the folder keeps two savers apart.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME     "machine.json"
#define FILE_NEW      "machine.json.new"
#define REVISIONS     "revisions"
#define REVISION_NEW  "new.json"
#define REVISION_NAME "%08u.json"

enum {
    FILE_BYTES_MAX = 1 << 20,
    REVISION_NUMBER_MAX = 99999999,
};

/* --- Small pieces -------------------------------------------------------------------------------
 */

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}
#define AUTO_CLOSE __attribute__((cleanup(close_fd))) int

/* 0 or an errno value. */
static int read_file(int directory, const char *name, GString *into)
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

/* A new file with its content on disk; its name is durable only once the folder is synced. */
static int write_file(int directory, const char *name, const char *data, gsize length)
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
        oriel_error_set_errno(error, errno, "The machine's folder “%s” cannot be opened", folder);
    }
    return fd;
}

static int open_locked(const char *folder, GError **error)
{
    int fd = open_folder(folder, error);

    while (fd >= 0 && flock(fd, LOCK_EX) < 0 && errno == EINTR) {
    }
    return fd;
}

/* --- Revisions ----------------------------------------------------------------------------------
 */

static int compare_numbers(const void *a, const void *b)
{
    guint x = *(const guint *)a, y = *(const guint *)b;

    return (x > y) - (x < y);
}

/* The numbers of all revisions, rising. */
static GArray *list_revisions(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, REVISIONS, NULL);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    GArray *numbers = g_array_new(FALSE, FALSE, sizeof(guint));
    const char *name;

    while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
        g_autofree char *digits = g_strndup(name, 8);
        guint64 number;

        if (strlen(name) == 13 && strcmp(name + 8, ".json") == 0 &&
            g_ascii_string_to_unsigned(digits, 10, 1, REVISION_NUMBER_MAX, &number, NULL)) {
            guint value = (guint)number;

            g_array_append_val(numbers, value);
        }
    }
    g_array_sort(numbers, compare_numbers);
    return numbers;
}

static void revision_name(char name[24], guint number)
{
    g_snprintf(name, 24, REVISION_NAME, number);
}

static void prune_revisions(int revisions, const GArray *numbers)
{
    for (guint i = 0; i + CONFIG_REVISIONS <= numbers->len; i++) {
        char name[24];

        revision_name(name, g_array_index(numbers, guint, i));
        unlinkat(revisions, name, 0);
    }
}

/* Keeps the present machine.json, whose content is `data`, as the newest revision. */
static int keep_revision(int directory, const char *folder, const GString *data)
{
    g_autoptr(GArray) numbers = NULL;
    char name[24];
    guint number = 1;
    int result = 0;

    if (mkdirat(directory, REVISIONS, 0700) < 0 && errno != EEXIST) {
        return errno;
    }
    AUTO_CLOSE revisions =
        openat(directory, REVISIONS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (revisions < 0) {
        return errno;
    }
    numbers = list_revisions(folder);
    if (numbers->len > 0) {
        number = g_array_index(numbers, guint, numbers->len - 1) + 1;
    }
    if (number > REVISION_NUMBER_MAX) {
        return EOVERFLOW;
    }
    revision_name(name, number);
    if (linkat(directory, FILE_NAME, revisions, name, 0) < 0) {
        result = write_file(revisions, REVISION_NEW, data->str, data->len);
        if (result == 0 && renameat(revisions, REVISION_NEW, revisions, name) < 0) {
            result = errno;
        }
    }
    if (result == 0 && fsync(revisions) < 0) {
        result = errno;
    }
    if (result == 0) {
        prune_revisions(revisions, numbers);
    }
    return result;
}

/* --- Load, save, undo ---------------------------------------------------------------------------
 */

static gboolean read_present(int directory, const char *folder, GString *data, GError **error)
{
    int number = read_file(directory, FILE_NAME, data);

    if (number == ENOENT) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    "There is no machine in “%s”: it has no " FILE_NAME ".", folder);
    } else if (number == EINVAL || number == ELOOP) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT, "“%s/" FILE_NAME "” is not a file.",
                    folder);
    } else if (number == EFBIG) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                    "“%s/" FILE_NAME "” is damaged: it is larger than any machine's could be.",
                    folder);
    } else if (number != 0) {
        oriel_error_set_errno(error, number, "“%s/" FILE_NAME "” cannot be read", folder);
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

static char *to_text(const OrielConfig *config)
{
    g_autoptr(JsonNode) node = oriel_config_to_json(config);
    g_autofree char *text = json_to_string(node, TRUE);

    return g_strconcat(text, "\n", NULL);
}

static int replace(int directory, const char *folder, const char *text, const GString *old)
{
    int number = write_file(directory, FILE_NEW, text, strlen(text));

    if (number == 0 && old != NULL) {
        number = keep_revision(directory, folder, old);
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
    text = to_text(config);
    AUTO_CLOSE directory = open_locked(folder, error);
    if (directory < 0) {
        return FALSE;
    }
    number = read_file(directory, FILE_NAME, old);
    if (number == 0 && strcmp(old->str, text) == 0) {
        return TRUE;
    }
    number = replace(directory, folder, text, number == 0 ? old : NULL);
    if (number != 0) {
        oriel_error_set_errno(error, number, "The settings of “%s” cannot be saved in “%s”",
                              config->name, folder);
    }
    return number == 0;
}

/*
 * The number of the newest revision that can be read and differs from the present file, or 0. Newer
 * ones that equal it are dropped on the way.
 */
static guint newest_usable(int revisions, const char *folder, const GString *present)
{
    g_autoptr(GArray) numbers = list_revisions(folder);

    for (guint i = numbers->len; i > 0; i--) {
        g_autoptr(GString) data = g_string_new(NULL);
        g_autoptr(OrielConfig) config = NULL;
        guint number = g_array_index(numbers, guint, i - 1);
        char name[24];

        revision_name(name, number);
        if (read_file(revisions, name, data) != 0) {
            continue;
        }
        if (g_string_equal(data, present)) {
            unlinkat(revisions, name, 0);
            continue;
        }
        config = oriel_config_from_data(data->str, data->len, name, NULL);
        if (config != NULL) {
            return number;
        }
    }
    return 0;
}

gboolean oriel_config_undo(const char *folder, GError **error)
{
    g_autoptr(GString) present = g_string_new(NULL);
    char name[24];
    guint number = 0;
    AUTO_CLOSE directory = open_locked(folder, error);

    if (directory < 0) {
        return FALSE;
    }
    read_file(directory, FILE_NAME, present);
    AUTO_CLOSE revisions =
        openat(directory, REVISIONS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (revisions >= 0) {
        number = newest_usable(revisions, folder, present);
    }
    if (number == 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    "There are no earlier settings in “%s” to go back to.", folder);
        return FALSE;
    }
    revision_name(name, number);
    if (renameat(revisions, name, directory, FILE_NAME) < 0 || fsync(directory) < 0 ||
        fsync(revisions) < 0) {
        oriel_error_set_errno(error, errno,
                              "The earlier settings in “%s/" REVISIONS "/%s” cannot be put back",
                              folder, name);
        return FALSE;
    }
    return TRUE;
}
