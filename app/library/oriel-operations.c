/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-operations.h. */
#include "oriel-operations.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "block/chain.h"
#include "block/drive/drive.h"
#include "config/network.h"
#include "config/runtime.h"
#include "oriel-building.h"
#include "disk/oriel-drives.h"
#include "running/oriel-session.h"

/* --- Create ----------------------------------------------------------------------------------- */

static OrielDrive *drive_add(OrielConfig *config, OrielDriveKind kind, OrielDiskFormat format,
                             const char *path)
{
    OrielDrive *drive = g_new0(OrielDrive, 1);
    const char *stem = kind == ORIEL_DRIVE_DISK ? "disk" : "cdrom";
    guint n = 0;

    for (guint i = 0; i < config->drives->len; i++) {
        n += ((OrielDrive *)g_ptr_array_index(config->drives, i))->kind == kind;
    }
    drive->id = g_strdup_printf("%s%u", stem, n);
    drive->kind = kind;
    drive->format = format;
    drive->path = g_strdup(path);
    drive->read_only = kind == ORIEL_DRIVE_CDROM;
    g_ptr_array_add(config->drives, drive);
    return drive;
}

static gboolean settings_apply(OrielConfig *config, const OrielCreateOptions *options,
                               GError **error)
{
    const struct {
        const char *key, *value;
        gboolean is_path;
    } settings[] = {
        { "memory", options->memory, FALSE },     { "cpus", options->cpus, FALSE },
        { "firmware", options->firmware, FALSE }, { "kernel", options->kernel, TRUE },
        { "initrd", options->initrd, TRUE },      { "append", options->append, FALSE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
        g_autofree char *path = NULL;

        if (!settings[i].value) {
            continue;
        }
        if (settings[i].is_path) {
            path = g_canonicalize_filename(settings[i].value, NULL);
            if (g_access(path, R_OK) != 0) {
                g_set_error(error, ORIEL_ERROR,
                            errno == ENOENT ? ORIEL_ERROR_NOT_FOUND : ORIEL_ERROR_PERMISSION,
                            _("“%s” cannot be read: %s."), path, g_strerror(errno));
                return FALSE;
            }
        }
        if (!oriel_config_set(config, settings[i].key, path ? path : settings[i].value, error)) {
            return FALSE;
        }
    }
    for (const char *const *more = options->settings; more && *more; more += 2) {
        if (!oriel_config_set(config, more[0], more[1], error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean disk_add(OrielConfig *config, const Building *building, const char *disk,
                         OrielProgress progress, gpointer data, GCancellable *cancellable,
                         GError **error)
{
    g_autofree char *name = NULL, *target = NULL;
    OrielDiskFormat format;

    if (!oriel_disk_format_for(disk, &format, cancellable, error)) {
        return FALSE;
    }
    name = g_strconcat("disks/disk0", oriel_disk_suffix(format), NULL);
    target = g_build_filename(building->folder, name, NULL);
    drive_add(config, ORIEL_DRIVE_DISK, format, name);
    return oriel_disk_make(target, disk, format, progress, data, cancellable, error);
}

char *oriel_create(const OrielCreateOptions *options, OrielProgress progress, gpointer data,
                   GCancellable *cancellable, GError **error)
{
    g_autoptr(OrielConfig) config = oriel_config_new(options->name);
    g_auto(Building) building = { NULL };
    g_autofree char *cdrom = NULL;

    oriel_config_add_network(config, NULL);
    if (!oriel_library_check_name(options->name, error) ||
        !settings_apply(config, options, error) || !oriel_config_check(config, error)) {
        return NULL;
    }
    if (options->cdrom) {
        cdrom = g_canonicalize_filename(options->cdrom, NULL);
        if (!drive_check_medium(cdrom, true, error)) {
            return NULL;
        }
    }
    int lock = oriel_building_start(&building, options->folder, options->name, error);

    if (lock < 0) {
        return NULL;
    }
    gboolean good =
        !options->disk ||
        (disk_add(config, &building, options->disk, progress, data, cancellable, error) &&
         (!options->controller ||
          oriel_config_set(config, "disk0.controller", options->controller, error)));

    drive_add(config, ORIEL_DRIVE_CDROM, ORIEL_DISK_FORMAT_RAW, cdrom);
    char *folder =
        good ? oriel_building_finish(&building, config, options->folder != NULL, error) : NULL;

    oriel_machine_unlock(lock);
    return folder;
}

/* --- Clone ------------------------------------------------------------------------------------ */

static gboolean disk_file_copy(const OrielMachine *machine, const Building *building,
                               const char *path, OrielProgress progress, gpointer data,
                               GCancellable *cancellable, GError **error)
{
    g_autofree char *from = oriel_path_inside(machine, path, error);
    g_autofree char *to = g_build_filename(building->folder, path, NULL);
    g_autofree char *parent = g_path_get_dirname(to);

    g_mkdir_with_parents(parent, 0700);
    return from && (g_file_test(to, G_FILE_TEST_EXISTS) || /* what two disks build on */
                    oriel_file_copy(from, to, progress, data, cancellable, error));
}

/* Each disk with the images that it builds on, and CD images that came with the machine. */
static gboolean disks_copy(const OrielMachine *machine, const Building *building,
                           OrielProgress progress, gpointer data, GCancellable *cancellable,
                           GError **error)
{
    for (guint i = 0; i < machine->config->drives->len; i++) {
        const OrielDrive *drive = g_ptr_array_index(machine->config->drives, i);
        const struct chain_request request = {
            .drive = drive->id,
            .folder = machine->folder,
            .path = drive->path,
            .format = drive_image_format(drive->format),
            .read_only = true,
            .follow = CHAIN_STATED,
        };
        g_autoptr(GPtrArray) files = NULL;

        if (drive->kind != ORIEL_DRIVE_DISK) {
            if (drive->path && drive->path[0] != '/' &&
                !disk_file_copy(machine, building, drive->path, progress, data, cancellable,
                                error)) {
                return FALSE;
            }
            continue;
        }
        files = chain_files(&request, error);
        for (guint j = 0; files && j < files->len; j++) {
            if (!disk_file_copy(machine, building, files->pdata[j], progress, data, cancellable,
                                error)) {
                return FALSE;
            }
        }
        if (!files) {
            return FALSE;
        }
    }
    return TRUE;
}

/* UEFI variables, if the machine has been started. */
static gboolean firmware_copy(const OrielMachine *machine, const Building *building, GError **error)
{
    g_autofree char *from = g_build_filename(machine->folder, "firmware", NULL);
    g_autofree char *to = g_build_filename(building->folder, "firmware", NULL);
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
    const char *name;

    if (dir) {
        g_mkdir(to, 0700);
    }
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename("firmware", name, NULL);
        g_autofree char *source = oriel_path_inside(machine, path, error);
        g_autofree char *target = g_build_filename(to, name, NULL);

        if (!source || !oriel_file_copy(source, target, NULL, NULL, NULL, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

char *oriel_clone(const OrielMachine *machine, const char *name, OrielProgress progress,
                  gpointer data, GCancellable *cancellable, GError **error)
{
    g_auto(Building) building = { NULL };
    char *folder = NULL;
    int source_lock, lock;

    if (!oriel_library_check_name(name, error)) {
        return NULL;
    }
    source_lock = oriel_machine_lock(machine->folder, error);
    if (source_lock < 0) {
        return NULL;
    }
    lock = oriel_building_start(&building, NULL, name, error);
    if (lock >= 0 && disks_copy(machine, &building, progress, data, cancellable, error) &&
        firmware_copy(machine, &building, error)) {
        g_autoptr(OrielConfig) config = oriel_config_copy(machine->config);

        g_free(config->name);
        g_free(config->uuid);
        g_free(config->generation_id);
        config->name = g_strdup(name);
        config->uuid = g_uuid_string_random();
        config->generation_id = g_uuid_string_random();
        for (guint i = 0; i < config->networks->len; i++) {
            OrielNetwork *network = g_ptr_array_index(config->networks, i);

            g_free(network->mac);
            network->mac = oriel_mac_random();
        }
        folder = oriel_building_finish(&building, config, FALSE, error);
    }
    if (lock >= 0) {
        oriel_machine_unlock(lock);
    }
    oriel_machine_unlock(source_lock);
    return folder;
}

/* --- Rename, delete --------------------------------------------------------------------------- */

static gboolean name_set(OrielConfig *config, gpointer data, GError **error)
{
    return oriel_config_set(config, "name", data, error);
}

/* The new folder is in the list of machines before the old one goes, so that a kill loses none.
 * *renamed: FALSE, also with a good result, if the folder cannot be called so. */
static gboolean folder_rename(const char *from, const char *to, gboolean *renamed, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(from);
    gboolean listed = !oriel_library_is_own(parent);

    if (listed && !oriel_library_register(to, error)) {
        return FALSE;
    }
    *renamed = g_rename(from, to) == 0;
    if (!*renamed) {
        return !listed || oriel_library_forget(to, error);
    }
    return oriel_folder_sync(parent, error) && (!listed || oriel_library_forget(from, error));
}

char *oriel_rename(const OrielMachine *machine, const char *name, GError **error)
{
    g_autofree char *old_base = g_strconcat(machine->name, ".oriel", NULL);
    g_autofree char *new_base = g_strconcat(name, ".oriel", NULL);
    g_autofree char *base = g_path_get_basename(machine->folder);
    g_autofree char *parent = g_path_get_dirname(machine->folder);
    g_autofree char *folder = g_build_filename(parent, new_base, NULL);
    gboolean moves = strcmp(base, old_base) == 0 && !g_file_test(folder, G_FILE_TEST_EXISTS);
    int lock;

    if (!oriel_library_check_name(name, error)) {
        return NULL;
    }
    lock = oriel_machine_lock(machine->folder, error);
    if (lock < 0) {
        return NULL;
    }
    gboolean good = oriel_machine_edit(machine->folder, name_set, (gpointer)name, error);

    /* The name counts; the folder follows if nothing stands in the way. */
    if (good && moves) {
        good = folder_rename(machine->folder, folder, &moves, error);
    }
    oriel_machine_unlock(lock);
    return good ? g_strdup(moves ? folder : machine->folder) : NULL;
}

/* Moved to a hidden folder first, so that a kill in between leaves remains, not half a machine. */
static gboolean remove_for_good(const OrielMachine *machine, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(machine->folder);
    g_autofree char *hidden = g_build_filename(parent, ORIEL_HIDDEN_PREFIX "XXXXXX", NULL);

    if (!g_mkdtemp_full(hidden, 0700) || g_rename(machine->folder, hidden) != 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be deleted"), machine->folder);
        g_rmdir(hidden);
        return FALSE;
    }
    return oriel_folder_remove(hidden, error);
}

gboolean oriel_delete(const OrielMachine *machine, gboolean permanently, GError **error)
{
    g_autoptr(GFile) file = g_file_new_for_path(machine->folder);
    g_autoptr(GError) cause = NULL;
    int lock = oriel_machine_lock(machine->folder, error);
    gboolean good;

    if (lock < 0) {
        return FALSE;
    }
    if (permanently) {
        good = remove_for_good(machine, error);
    } else {
        good = g_file_trash(file, NULL, &cause);
        if (!good) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                        _("“%s” cannot be moved to the trash: %s. To delete it for good, use "
                          "“orielctl delete --permanently”."),
                        machine->name, cause->message);
        }
    }
    oriel_machine_unlock(lock);
    if (!good && !g_file_test(machine->folder, G_FILE_TEST_EXISTS)) {
        oriel_library_forget(machine->folder, NULL); /* hidden, though not all of it could go */
    }
    return good && oriel_library_forget(machine->folder, error);
}

/* --- Media ------------------------------------------------------------------------------------ */

const char *oriel_cdrom_id(const OrielConfig *config, GError **error)
{
    for (guint i = 0; i < config->drives->len; i++) {
        const OrielDrive *drive = g_ptr_array_index(config->drives, i);

        if (drive->kind == ORIEL_DRIVE_CDROM) {
            return drive->id;
        }
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND, _("“%s” has no CD drive."),
                config->name);
    return NULL;
}

struct medium_change {
    const char *drive, *path;
};

static gboolean medium_set(OrielConfig *config, gpointer data, GError **error)
{
    const struct medium_change *change = data;
    g_autofree char *key = g_strconcat(change->drive, ".path", NULL);

    return oriel_config_set(config, key, change->path ? change->path : "", error);
}

gboolean oriel_change_medium(const OrielMachine *machine, const char *drive, const char *path,
                             gboolean force, GError **error)
{
    g_autofree char *absolute = path ? g_canonicalize_filename(path, NULL) : NULL;
    struct medium_change change = { drive ? drive : oriel_cdrom_id(machine->config, error),
                                    absolute };
    g_autoptr(GError) cause = NULL;
    g_autoptr(OrielEngine) engine = oriel_session_connect(machine, &cause);

    if (!change.drive || (absolute && !drive_check_medium(absolute, true, error))) {
        return FALSE;
    }
    if (!engine && !g_error_matches(cause, ORIEL_ERROR, ORIEL_ERROR_STATE)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    gboolean good = TRUE;

    if (engine && absolute) {
        good = oriel_engine_call_insert_media_sync(engine, change.drive, absolute, NULL, error);
    } else if (engine) {
        good = oriel_engine_call_eject_media_sync(engine, change.drive, force, NULL, error);
    }
    if (!good && error && *error) {
        g_dbus_error_strip_remote_error(*error);
    }
    return good && oriel_machine_edit(machine->folder, medium_set, &change, error);
}
