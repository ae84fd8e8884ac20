/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-move.h. Within a file system it is a rename, entered in the list of machines before and
 * after. Between two, the folder is copied into a hidden one, which is made durable and put in its
 * place before the old one goes.
 */
#include "oriel-move.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/runtime.h"
#include "oriel-building.h"

enum {
    LEVELS_MAX = 16, /* of folders in a machine */
};

/* --- Copying a folder ------------------------------------------------------------------------- */

struct copying {
    guint64 done, total; /* bytes of whole files */
    OrielProgress progress;
    gpointer data;
    GCancellable *cancellable;
};

static void file_progress(guint64 done, guint64 total, gpointer data)
{
    const struct copying *copying = data;

    if (copying->progress) {
        copying->progress(MIN(copying->done + done, copying->total), copying->total, copying->data);
    }
}

/* The time is part of what a saved state knows of a disk. */
static void time_copy(const char *to, const struct stat *status)
{
    const struct timespec times[2] = { status->st_atim, status->st_mtim };

    utimensat(AT_FDCWD, to, times, AT_SYMLINK_NOFOLLOW);
}

static gboolean file_copy(struct copying *copying, const char *from, const char *to,
                          const struct stat *status, GError **error)
{
    if (!oriel_file_copy(from, to, file_progress, copying, copying->cancellable, error)) {
        return FALSE;
    }
    time_copy(to, status);
    copying->done += (guint64)status->st_size;
    return TRUE;
}

static gboolean tree_copy(struct copying *copying, const char *from, const char *to, guint level,
                          GError **error);

static gboolean entry_copy(struct copying *copying, const char *from, const char *to, guint level,
                           GError **error)
{
    struct stat status;

    if (lstat(from, &status) != 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be read"), from);
        return FALSE;
    }
    if (S_ISREG(status.st_mode)) {
        return file_copy(copying, from, to, &status, error);
    }
    if (!S_ISDIR(status.st_mode) || level >= LEVELS_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” cannot be moved along: it is neither a file nor a folder of a machine. "
                      "Take it out first."),
                    from);
        return FALSE;
    }
    if (g_mkdir(to, 0700) != 0 && errno != EEXIST) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be made"), to);
        return FALSE;
    }
    return tree_copy(copying, from, to, level + 1, error);
}

static gboolean tree_copy(struct copying *copying, const char *from, const char *to, guint level,
                          GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
    const char *name;

    if (!dir) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_PERMISSION, _("“%s” cannot be read."), from);
        return FALSE;
    }
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *source = g_build_filename(from, name, NULL);
        g_autofree char *target = g_build_filename(to, name, NULL);

        /* The new folder has a lock of its own, which is held. */
        if (level == 0 && strcmp(name, "lock") == 0) {
            continue;
        }
        if (!entry_copy(copying, source, target, level, error)) {
            return FALSE;
        }
    }
    return oriel_folder_sync(to, error);
}

/* Bytes of all files, for the progress. */
static guint64 tree_size(const char *folder, guint level)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint64 size = 0;
    const char *name;

    while (dir && level < LEVELS_MAX && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        struct stat status;

        if (lstat(path, &status) != 0) {
            continue;
        }
        if (S_ISREG(status.st_mode)) {
            size += (guint64)status.st_size;
        } else if (S_ISDIR(status.st_mode)) { /* a link may lead to itself, or to anything */
            size += tree_size(path, level + 1);
        }
    }
    return size;
}

/* --- Between file systems --------------------------------------------------------------------- */

/* The old folder, after the new one is in its place. */
static gboolean old_remove(const char *folder, const char *now, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(folder);
    g_autofree char *hidden = g_build_filename(parent, ORIEL_HIDDEN_PREFIX "XXXXXX", NULL);
    g_autoptr(GError) cause = NULL;

    if (!g_mkdtemp_full(hidden, 0700) || g_rename(folder, hidden) != 0) {
        int number = errno;

        g_rmdir(hidden);
        oriel_error_set_errno(
            error, number,
            _("The machine is in “%s” now, but its old folder “%s” cannot be removed"), now,
            folder);
        return FALSE;
    }
    oriel_folder_remove(hidden, &cause); /* what is left is removed with the next machine */
    return TRUE;
}

static char *name_of(const char *folder)
{
    g_autofree char *base = g_path_get_basename(folder);

    return g_strndup(base, strlen(base) - (g_str_has_suffix(base, ".oriel") ? 6 : 0));
}

static char *move_by_copy(const OrielMachine *machine, const char *parent, gboolean elsewhere,
                          struct copying *copying, GError **error)
{
    g_auto(Building) building = { NULL };
    g_autofree char *name = name_of(machine->folder);
    g_autofree char *folder = NULL;
    int lock = oriel_building_start(&building, parent, name, error);

    if (lock < 0) {
        return NULL;
    }
    copying->total = tree_size(machine->folder, 0);
    if (tree_copy(copying, machine->folder, building.folder, 0, error)) {
        g_autoptr(OrielConfig) config = oriel_config_load(building.folder, error);

        folder = config ? oriel_building_finish(&building, config, elsewhere, error) : NULL;
    }
    oriel_machine_unlock(lock);
    if (folder && !old_remove(machine->folder, folder, error)) {
        return NULL;
    }
    return g_steal_pointer(&folder);
}

/* --- Within one ------------------------------------------------------------------------------- */

/* TRUE, or FALSE with errno set. */
static gboolean try_rename(const char *from, const char *to)
{
    return g_rename(from, to) == 0;
}

static char *move_by_rename(const OrielMachine *machine, const char *target, gboolean elsewhere,
                            gboolean *other_file_system, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(target);

    *other_file_system = FALSE;
    if (elsewhere && !oriel_library_register(target, error)) {
        return NULL;
    }
    if (try_rename(machine->folder, target)) {
        return oriel_folder_sync(parent, error) ? g_strdup(target) : NULL;
    }
    int number = errno;

    *other_file_system = number == EXDEV;
    if (!*other_file_system) {
        oriel_error_set_errno(error, number, _("“%s” cannot be moved to “%s”"), machine->name,
                              parent);
    }
    if (elsewhere) {
        oriel_library_forget(target, NULL);
    }
    return NULL;
}

static gboolean target_check(const OrielMachine *machine, const char *parent, const char *target,
                             GError **error)
{
    g_autofree char *inside = g_strconcat(machine->folder, "/", NULL);

    if (!g_file_test(parent, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND, _("There is no folder “%s”."),
                    parent);
        return FALSE;
    }
    if (!oriel_library_check_folder(parent, error)) {
        return FALSE;
    }
    if (strcmp(parent, machine->folder) == 0 || g_str_has_prefix(parent, inside)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” cannot be moved to “%s”; choose another folder."), machine->name,
                    parent);
        return FALSE;
    }
    if (g_file_test(target, G_FILE_TEST_EXISTS)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_EXISTS,
                    _("“%s” exists already; choose another folder, or rename the machine."),
                    target);
        return FALSE;
    }
    return TRUE;
}

char *oriel_move(const OrielMachine *machine, const char *parent, OrielProgress progress,
                 gpointer data, GCancellable *cancellable, GError **error)
{
    struct copying copying = { .progress = progress, .data = data, .cancellable = cancellable };
    g_autofree char *into = g_canonicalize_filename(parent, NULL);
    g_autofree char *name = name_of(machine->folder);
    g_autofree char *base = g_strconcat(name, ".oriel", NULL);
    g_autofree char *target = g_build_filename(into, base, NULL);
    g_autofree char *library = oriel_library_folder(TRUE, error);
    gboolean elsewhere = !oriel_library_is_own(into), other;
    char *folder;
    int lock;

    if (strcmp(target, machine->folder) == 0) {
        return g_strdup(target);
    }
    if (!library || !target_check(machine, into, target, error)) {
        return NULL;
    }
    lock = oriel_machine_lock(machine->folder, error);
    if (lock < 0) {
        return NULL;
    }
    folder = move_by_rename(machine, target, elsewhere, &other, error);
    if (other) {
        folder = move_by_copy(machine, into, elsewhere, &copying, error);
    }
    oriel_machine_unlock(lock);
    if (folder && !oriel_library_forget(machine->folder, error)) {
        g_clear_pointer(&folder, g_free);
    }
    return folder;
}
