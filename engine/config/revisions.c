/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Earlier settings of a machine: numbered files under revisions/, and worked.json, the last ones
 * with which it ran well. See config.h.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    REVISION_NUMBER_MAX = 99999999,
};

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

/* The folder of revisions, made if it is not there; -1 with errno set. */
static int revisions_open(int directory)
{
    if (mkdirat(directory, REVISIONS, 0700) < 0 && errno != EEXIST) {
        return -1;
    }
    return openat(directory, REVISIONS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

int config_revision_keep(int directory, const char *folder, const GString *data)
{
    g_autoptr(GArray) numbers = NULL;
    char name[24];
    guint number = 1;
    int result = 0;
    AUTO_CLOSE revisions = revisions_open(directory);

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
        result = config_file_write(revisions, REVISION_NEW, data->str, data->len);
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
        if (config_file_read(revisions, name, data) != 0) {
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
    AUTO_CLOSE directory = config_folder_open_locked(folder, error);

    if (directory < 0) {
        return FALSE;
    }
    config_file_read(directory, FILE_NAME, present);
    AUTO_CLOSE revisions =
        openat(directory, REVISIONS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (revisions >= 0) {
        number = newest_usable(revisions, folder, present);
    }
    if (number == 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    _("There are no earlier settings in “%s” to go back to."), folder);
        return FALSE;
    }
    revision_name(name, number);
    if (renameat(revisions, name, directory, FILE_NAME) < 0 || fsync(directory) < 0 ||
        fsync(revisions) < 0) {
        oriel_error_set_errno(error, errno,
                              _("The earlier settings in “%s/%s/%s” cannot be put back"), folder,
                              REVISIONS, name);
        return FALSE;
    }
    return TRUE;
}

/* --- Those that worked ------------------------------------------------------------------------ */

static int mark_worked(int directory, const char *text)
{
    AUTO_CLOSE revisions = revisions_open(directory);

    if (revisions < 0) {
        return errno;
    }
    int number = config_file_write(revisions, REVISION_NEW, text, strlen(text));

    if (number == 0 &&
        (renameat(revisions, REVISION_NEW, revisions, REVISION_GOOD) < 0 || fsync(revisions) < 0)) {
        number = errno;
    }
    return number;
}

gboolean oriel_config_mark_worked(const OrielConfig *config, const char *folder, GError **error)
{
    g_autofree char *text = config_text(config);
    AUTO_CLOSE directory = config_folder_open_locked(folder, error);
    int number = directory < 0 ? 0 : mark_worked(directory, text);

    if (number != 0) {
        oriel_error_set_errno(error, number, _("The settings of “%s” cannot be kept in “%s”"),
                              config->name, folder);
    }
    return directory >= 0 && number == 0;
}

/* --- Listing ---------------------------------------------------------------------------------- */

void oriel_revision_free(OrielRevision *revision)
{
    oriel_config_free(revision->config);
    g_free(revision);
}

/* NULL if the file is not there or not usable. */
static OrielRevision *revision_read(int directory, const char *name, guint number)
{
    g_autoptr(GString) data = g_string_new(NULL);
    OrielRevision *revision;
    OrielConfig *config;
    struct stat status;

    if (config_file_read(directory, name, data) != 0 || fstatat(directory, name, &status, 0) != 0) {
        return NULL;
    }
    config = oriel_config_from_data(data->str, data->len, name, NULL);
    if (config == NULL) {
        return NULL;
    }
    revision = g_new0(OrielRevision, 1);
    revision->number = number;
    revision->time = status.st_mtim.tv_sec;
    revision->config = config;
    return revision;
}

static gboolean same(const OrielConfig *a, const OrielConfig *b)
{
    g_autofree char *first = config_text(a), *second = config_text(b);

    return strcmp(first, second) == 0;
}

/* Marks those that equal the ones that worked, or adds these. */
static void add_worked(GPtrArray *all, OrielRevision *worked)
{
    gboolean found = FALSE;

    for (guint i = 0; i < all->len; i++) {
        OrielRevision *revision = all->pdata[i];

        revision->worked = same(revision->config, worked->config);
        found = found || revision->worked;
    }
    if (found) {
        oriel_revision_free(worked);
    } else {
        worked->worked = TRUE;
        g_ptr_array_add(all, worked);
    }
}

GPtrArray *oriel_config_list_revisions(const char *folder, GError **error)
{
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)oriel_revision_free);
    g_autoptr(GArray) numbers = NULL;
    OrielRevision *present, *worked;
    AUTO_CLOSE directory = config_folder_open_locked(folder, error);

    if (directory < 0) {
        g_ptr_array_unref(all);
        return NULL;
    }
    present = revision_read(directory, FILE_NAME, 0);
    if (present != NULL) {
        g_ptr_array_add(all, present);
    }
    AUTO_CLOSE revisions =
        openat(directory, REVISIONS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    numbers = list_revisions(folder);
    for (guint i = numbers->len; i > 0 && revisions >= 0; i--) {
        guint number = g_array_index(numbers, guint, i - 1);
        OrielRevision *revision;
        char name[24];

        revision_name(name, number);
        revision = revision_read(revisions, name, number);
        if (revision != NULL) {
            g_ptr_array_add(all, revision);
        }
    }
    worked = revisions >= 0 ? revision_read(revisions, REVISION_GOOD, ORIEL_REVISION_WORKED) : NULL;
    if (worked != NULL) {
        add_worked(all, worked);
    }
    return all;
}

/* --- Taking over ------------------------------------------------------------------------------ */

void oriel_config_take_settings(OrielConfig *config, const OrielConfig *revision)
{
    g_autoptr(OrielConfig) copy = oriel_config_copy(revision);
    OrielConfig present = *config;

    /* The identity stays: one goes to `copy`, to be freed, and one to the result. */
    *config = *copy;
    *copy = present;
    char *name = config->name, *uuid = config->uuid, *generation = config->generation_id;

    config->name = copy->name;
    config->uuid = copy->uuid;
    config->generation_id = copy->generation_id;
    copy->name = name;
    copy->uuid = uuid;
    copy->generation_id = generation;
}
