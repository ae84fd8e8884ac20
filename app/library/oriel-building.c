/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-building.h. */
#include "oriel-building.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/runtime.h"
#include "oriel-files.h"

enum {
    HIDDEN_TRIES = 10,
};

void oriel_building_clear(Building *building)
{
    if (building->folder) {
        oriel_folder_remove(building->folder, NULL);
    }
    g_free(building->parent);
    g_free(building->folder);
    g_free(building->final);
}

void oriel_building_clean(const char *parent)
{
    g_autoptr(GDir) dir = g_dir_open(parent, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (!g_str_has_prefix(name, ORIEL_HIDDEN_PREFIX)) {
            continue;
        }
        g_autofree char *folder = g_build_filename(parent, name, NULL);
        int lock = oriel_machine_lock_remains(folder);

        if (lock >= 0) {
            oriel_folder_remove(folder, NULL);
            oriel_machine_unlock(lock);
        }
    }
}

static char *exists_already(const Building *building, GError **error)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_EXISTS,
                _("“%s” exists already; choose another name or folder."), building->final);
    return NULL;
}

/*
 * Makes the hidden folder and returns the lock on it, or -1. Between the two steps it looks like
 * remains, and another process may take it away: then another one is made.
 */
static int hidden_folder_make(Building *building, GError **error)
{
    for (unsigned tries = 0;; tries++) {
        g_autofree char *folder =
            g_build_filename(building->parent, ORIEL_HIDDEN_PREFIX "XXXXXX", NULL);
        g_autoptr(GError) cause = NULL;
        int lock;

        if (!g_mkdtemp_full(folder, 0700)) {
            oriel_error_set_errno(error, errno, _("No machine can be made in “%s”"),
                                  building->parent);
            return -1;
        }
        lock = oriel_machine_lock(folder, &cause);
        if (lock >= 0 && g_file_test(folder, G_FILE_TEST_IS_DIR)) {
            building->folder = g_steal_pointer(&folder);
            return lock;
        }
        if (lock >= 0) {
            oriel_machine_unlock(lock);
        } else if (tries == HIDDEN_TRIES) {
            g_rmdir(folder);
            g_propagate_error(error, g_steal_pointer(&cause));
            return -1;
        }
    }
}

int oriel_building_start(Building *building, const char *parent, const char *name, GError **error)
{
    g_autofree char *base = g_strconcat(name, ".oriel", NULL);

    building->parent =
        parent ? g_canonicalize_filename(parent, NULL) : oriel_library_folder(TRUE, error);
    if (!building->parent || !oriel_library_check_folder(building->parent, error)) {
        return -1;
    }
    oriel_building_clean(building->parent);
    building->final = g_build_filename(building->parent, base, NULL);
    if (g_file_test(building->final, G_FILE_TEST_EXISTS)) {
        exists_already(building, error);
        return -1;
    }
    int lock = hidden_folder_make(building, error);

    if (lock >= 0) {
        g_autofree char *disks = g_build_filename(building->folder, "disks", NULL);

        g_mkdir(disks, 0700);
    }
    return lock;
}

int oriel_building_start_at(Building *building, const char *final, GError **error)
{
    building->final = g_canonicalize_filename(final, NULL);
    building->parent = g_path_get_dirname(building->final);
    oriel_building_clean(building->parent);
    if (g_file_test(building->final, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK)) {
        exists_already(building, error);
        return -1;
    }
    return hidden_folder_make(building, error);
}

gboolean oriel_building_place(Building *building, GError **error)
{
    g_autofree char *lock = g_build_filename(building->final, "lock", NULL);

    if (!oriel_folder_sync(building->folder, error)) {
        return FALSE;
    }
    if (renameat2(AT_FDCWD, building->folder, AT_FDCWD, building->final, RENAME_NOREPLACE) != 0) {
        if (errno == EEXIST) {
            return exists_already(building, error) != NULL;
        }
        oriel_error_set_errno(error, errno, _("“%s” cannot be made"), building->final);
        return FALSE;
    }
    g_clear_pointer(&building->folder, g_free);
    /* Only now: without its lock the hidden folder would look like remains. */
    g_unlink(lock);
    return oriel_folder_sync(building->final, error) && oriel_folder_sync(building->parent, error);
}

char *oriel_building_finish(Building *building, const OrielConfig *config, gboolean elsewhere,
                            GError **error)
{
    if (!oriel_config_save(config, building->folder, error)) {
        return NULL;
    }
    if (!oriel_folder_sync(building->folder, error)) {
        return NULL;
    }
    if (g_rename(building->folder, building->final) != 0) {
        if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) {
            return exists_already(building, error);
        }
        oriel_error_set_errno(error, errno, _("“%s” cannot be made"), building->final);
        return NULL;
    }
    if (!oriel_folder_sync(building->parent, error) ||
        (elsewhere && !oriel_library_is_own(building->parent) &&
         !oriel_library_register(building->final, error))) {
        /* Back to what oriel_building_clear() removes: what is not in the list is not there. */
        g_rename(building->final, building->folder);
        return NULL;
    }
    g_clear_pointer(&building->folder, g_free);
    return g_steal_pointer(&building->final);
}

char *oriel_path_inside(const OrielMachine *machine, const char *path, GError **error)
{
    g_autofree char *from = g_build_filename(machine->folder, path, NULL);
    g_autofree char *real_folder = realpath(machine->folder, NULL);
    g_autofree char *real = realpath(from, NULL);
    g_autofree char *expected = real_folder ? g_build_filename(real_folder, path, NULL) : NULL;

    if (!real) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be read"), from);
        return NULL;
    }
    if (g_strcmp0(real, expected) != 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is or lies behind a symbolic link. Put the file itself into the "
                      "machine’s folder."),
                    from);
        return NULL;
    }
    return g_steal_pointer(&from);
}
