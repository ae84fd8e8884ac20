/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-drives.h. */
#include "oriel-drives.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/chain.h"
#include "block/drive/drive.h"
#include "config/runtime.h"
#include "library/oriel-building.h"
#include "oriel-disk.h"
#include "running/oriel-plug.h"

#define MIB (G_GUINT64_CONSTANT(1) << 20)

gboolean oriel_disk_is_size(const char *source)
{
    return !strchr(source, '/') && !g_file_test(source, G_FILE_TEST_EXISTS);
}

const char *oriel_disk_suffix(OrielDiskFormat format)
{
    return format == ORIEL_DISK_FORMAT_RAW ? ".raw" : ".qcow2";
}

gboolean oriel_disk_format_for(const char *source, OrielDiskFormat *format,
                               GCancellable *cancellable, GError **error)
{
    g_autoptr(JsonNode) info = NULL;
    const char *name;

    *format = ORIEL_DISK_FORMAT_QCOW2;
    if (oriel_disk_is_size(source)) {
        return TRUE;
    }
    info = oriel_disk_info(source, NULL, cancellable, error);
    if (!info) {
        return FALSE;
    }
    name = json_object_get_string_member(json_node_get_object(info), "format");
    if (strcmp(name, "raw") == 0) {
        *format = ORIEL_DISK_FORMAT_RAW;
    }
    return TRUE;
}

gboolean oriel_disk_make(const char *target, const char *source, OrielDiskFormat format,
                         OrielProgress progress, gpointer data, GCancellable *cancellable,
                         GError **error)
{
    const OrielDiskOptions options = { .to = "qcow2" };
    guint64 size;

    if (oriel_disk_is_size(source)) {
        return oriel_size_parse(source, &size, error) && drive_create_qcow2(target, size, error);
    }
    return format == ORIEL_DISK_FORMAT_RAW
               ? oriel_file_copy(source, target, progress, data, cancellable, error)
               : oriel_disk_convert(source, target, &options, progress, data, cancellable, error);
}

static OrielDrive *drive_find(const OrielConfig *config, const char *id, GError **error)
{
    OrielDrive *drive = oriel_config_find_drive(config, id);

    if (!drive) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    _("“%s” has no drive “%s”; “orielctl show” names those it has."), config->name,
                    id);
    }
    return drive;
}

/* --- Adding ----------------------------------------------------------------------------------- */

/* Of what takes its time. */
struct watch {
    OrielProgress progress;
    gpointer data;
    GCancellable *cancellable;
};

struct addition {
    OrielDriveKind kind;
    OrielDiskFormat format;
    const char *path;
    gboolean live; /* into a slot of the running machine */
    char *id;      /* of the new drive */
};

/* Of a disk in a slot: that of the first disk, whose driver the system has; in place of AHCI, which
 * has no slots, the one that systems of today know. */
static OrielController controller_choose(const OrielConfig *config)
{
    for (guint i = 0; i < config->drives->len; i++) {
        const OrielDrive *drive = config->drives->pdata[i];

        if (drive->kind == ORIEL_DRIVE_DISK && drive->controller != ORIEL_CONTROLLER_AHCI) {
            return drive->controller;
        }
    }
    return ORIEL_CONTROLLER_NVME;
}

static gboolean addition_apply(OrielConfig *config, gpointer data, GError **error)
{
    struct addition *addition = data;
    OrielController controller = addition->live ? controller_choose(config) : ORIEL_CONTROLLER_AHCI;
    guint port = addition->live ? oriel_plug_free_port(config, error) : 0;
    OrielDrive *drive = NULL;

    if (!addition->live || port > 0) {
        drive = oriel_config_add_drive(config, addition->kind, addition->path, error);
    }
    if (drive) {
        drive->controller = controller;
        drive->port = port;
        drive->format = addition->format;
        g_free(addition->id);
        addition->id = g_strdup(drive->id);
    }
    return drive != NULL;
}

static char *drive_add(const OrielMachine *machine, OrielDriveKind kind, OrielDiskFormat format,
                       const char *path, gboolean live, GError **error)
{
    struct addition addition = { .kind = kind, .format = format, .path = path, .live = live };

    if (!oriel_machine_edit(machine->folder, addition_apply, &addition, error)) {
        g_clear_pointer(&addition.id, g_free);
    }
    return addition.id;
}

/* Long work is not begun for a machine that has no room for the result. */
static gboolean check_room(const OrielMachine *machine, GError **error)
{
    g_autoptr(OrielConfig) config = oriel_config_load(machine->folder, error);

    return config && oriel_config_add_drive(config, ORIEL_DRIVE_CDROM, NULL, error);
}

char *oriel_disk_new_name(const OrielMachine *machine, OrielDiskFormat format)
{
    for (guint n = 0;; n++) {
        g_autofree char *name = g_strdup_printf("disks/disk%u%s", n, oriel_disk_suffix(format));
        g_autofree char *path = g_build_filename(machine->folder, name, NULL);
        GStatBuf status;

        if (g_lstat(path, &status) != 0) {
            return g_steal_pointer(&name);
        }
    }
}

/* The boot order without a drive; NULL if nothing is left. */
static char *order_without(const char *order, const char *id)
{
    g_auto(GStrv) ids = g_strsplit(order, ",", -1);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (char **each = ids; *each; each++) {
        if (strcmp(*each, id) != 0) {
            g_strv_builder_add(builder, *each);
        }
    }
    g_auto(GStrv) left = g_strv_builder_end(builder);

    return *left ? g_strjoinv(",", left) : NULL;
}

static gboolean removal_apply(OrielConfig *config, gpointer data, GError **error)
{
    OrielDrive *drive = drive_find(config, data, error);
    char *order = config->boot_order;

    if (!drive) {
        return FALSE;
    }
    if (order) {
        config->boot_order = order_without(order, data);
        g_free(order);
    }
    g_ptr_array_remove(config->drives, drive);
    return TRUE;
}

/* The settings name it; a running machine gets it now. */
static char *disk_name(const OrielMachine *machine, OrielEngine *engine, OrielDiskFormat format,
                       const char *name, GError **error)
{
    char *id = drive_add(machine, ORIEL_DRIVE_DISK, format, name, engine != NULL, error);

    if (id && engine && !oriel_plug(engine, id, error)) {
        oriel_machine_edit(machine->folder, removal_apply, id, NULL);
        g_clear_pointer(&id, g_free);
    }
    return id;
}

/* Gives the disk that was made its name in disks/, which is returned. Several can be made at once
 * for an engine. */
static char *disk_place(const OrielMachine *machine, const char *made, OrielDiskFormat format,
                        GError **error)
{
    g_autofree char *name = NULL, *path = NULL;
    int result;

    do {
        g_free(name);
        g_free(path);
        name = oriel_disk_new_name(machine, format);
        path = g_build_filename(machine->folder, name, NULL);
        result = renameat2(AT_FDCWD, made, AT_FDCWD, path, RENAME_NOREPLACE);
    } while (result != 0 && errno == EEXIST);
    if (result != 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be made"), path);
        return NULL;
    }
    return g_steal_pointer(&name);
}

/* In a hidden folder in disks/: what is left there by somebody who was killed goes with the next
 * one. */
static char *disk_make(const OrielMachine *machine, const char *disks, const char *source,
                       OrielDiskFormat format, const struct watch *watch, GError **error)
{
    g_auto(Building) building = { 0 };
    g_autofree char *final = g_build_filename(disks, ORIEL_HIDDEN_PREFIX "disk", NULL);
    g_autofree char *made = NULL;
    char *name = NULL;
    int lock = oriel_building_start_at(&building, final, error);

    if (lock < 0) {
        return NULL;
    }
    made = g_build_filename(building.folder, "disk", NULL);
    if (oriel_disk_make(made, source, format, watch->progress, watch->data, watch->cancellable,
                        error)) {
        name = disk_place(machine, made, format, error);
    }
    oriel_machine_unlock(lock);
    return name;
}

/* With the machine's lock held, or, when its engine has that, for it. */
static char *disk_add(const OrielMachine *machine, const char *source, OrielEngine *engine,
                      const struct watch *watch, GError **error)
{
    g_autofree char *disks = g_build_filename(machine->folder, "disks", NULL);
    g_autofree char *name = NULL, *path = NULL, *real = NULL, *id = NULL;
    OrielDiskFormat format;

    g_mkdir(disks, 0700);
    real = oriel_path_inside(machine, "disks", error);
    if (!real || !check_room(machine, error) ||
        !oriel_disk_format_for(source, &format, watch->cancellable, error)) {
        return NULL;
    }
    name = disk_make(machine, disks, source, format, watch, error);
    if (!name) {
        return NULL;
    }
    path = g_build_filename(machine->folder, name, NULL);
    if (oriel_folder_sync(disks, error)) {
        id = disk_name(machine, engine, format, name, error);
    }
    if (!id) {
        g_unlink(path);
    }
    return g_steal_pointer(&id);
}

char *oriel_add_disk(const OrielMachine *machine, const char *source, OrielProgress progress,
                     gpointer data, GCancellable *cancellable, GError **error)
{
    const struct watch watch = { progress, data, cancellable };
    g_autoptr(OrielEngine) engine = NULL;
    char *id;
    int lock;

    if (machine->config->hotplug && !oriel_plug_engine(machine, &engine, error)) {
        return NULL;
    }
    if (engine) {
        return disk_add(machine, source, engine, &watch, error);
    }
    lock = oriel_machine_lock(machine->folder, error);
    if (lock < 0) {
        return NULL;
    }
    id = disk_add(machine, source, NULL, &watch, error);
    oriel_machine_unlock(lock);
    return id;
}

char *oriel_add_cdrom(const OrielMachine *machine, const char *path, GError **error)
{
    g_autofree char *absolute = path ? g_canonicalize_filename(path, NULL) : NULL;

    if (absolute && !drive_check_medium(absolute, true, error)) {
        return NULL;
    }
    return drive_add(machine, ORIEL_DRIVE_CDROM, ORIEL_DISK_FORMAT_RAW, absolute, FALSE, error);
}

/* --- Removing --------------------------------------------------------------------------------- */

/* Puts back what the removal took: the settings as they were, if nobody has changed them since. */
static gboolean removal_undo(OrielConfig *config, gpointer data, GError **error)
{
    const OrielConfig *before = data;
    g_autoptr(OrielConfig) copy = oriel_config_copy(before);

    g_free(config->boot_order);
    config->boot_order = g_strdup(before->boot_order);
    g_ptr_array_unref(config->drives);
    config->drives = g_ptr_array_ref(copy->drives);
    return TRUE;
}

/* With the machine's lock held. */
static gboolean disk_remove(const OrielMachine *machine, const OrielConfig *config,
                            const OrielDrive *drive, GError **error)
{
    g_autofree char *named = g_build_filename(machine->folder, drive->path, NULL);
    gboolean there = g_file_test(named, G_FILE_TEST_EXISTS);
    g_autofree char *path = there ? oriel_path_inside(machine, drive->path, error) : NULL;
    g_autoptr(GFile) file = path ? g_file_new_for_path(path) : NULL;
    g_autoptr(GError) cause = NULL;

    if ((there && !path) || !oriel_machine_edit(machine->folder, removal_apply, drive->id, error)) {
        return FALSE;
    }
    if (!file || g_file_trash(file, NULL, &cause)) {
        return TRUE;
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                _("The disk “%s” stays: its file “%s” cannot be moved to the trash: %s."),
                drive->id, path, cause->message);
    oriel_machine_edit(machine->folder, removal_undo, (gpointer)config, NULL);
    return FALSE;
}

gboolean oriel_remove_drive(const OrielMachine *machine, const char *id, gboolean force,
                            GError **error)
{
    g_autoptr(OrielEngine) engine = NULL;
    g_autoptr(OrielConfig) config = oriel_config_load(machine->folder, error);
    const OrielDrive *drive = config ? drive_find(config, id, error) : NULL;
    gboolean good;
    int lock;

    if (!drive) {
        return FALSE;
    }
    if (drive->kind == ORIEL_DRIVE_CDROM) {
        return oriel_machine_edit(machine->folder, removal_apply, (gpointer)id, error);
    }
    if (drive->port > 0 && !oriel_plug_engine(machine, &engine, error)) {
        return FALSE;
    }
    if (engine) {
        return oriel_plug_take_out(engine, id, force, error) &&
               disk_remove(machine, config, drive, error);
    }
    lock = oriel_machine_lock(machine->folder, error);
    if (lock < 0) {
        return FALSE;
    }
    good = disk_remove(machine, config, drive, error);
    oriel_machine_unlock(lock);
    return good;
}

/* --- Order ------------------------------------------------------------------------------------ */

static gboolean order_apply(OrielConfig *config, gpointer data, GError **error)
{
    char **ids = data;
    g_autoptr(GPtrArray) ordered = g_ptr_array_new();

    for (char **id = ids; *id; id++) {
        OrielDrive *drive = drive_find(config, *id, error);

        if (!drive) {
            return FALSE;
        }
        if (!g_ptr_array_find(ordered, drive, NULL)) {
            g_ptr_array_add(ordered, drive);
        }
    }
    if (ordered->len != config->drives->len || g_strv_length(ids) != ordered->len) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("The new order of “%s” must name each of its %u drives once."), config->name,
                    config->drives->len);
        return FALSE;
    }
    for (guint i = 0; i < ordered->len; i++) {
        config->drives->pdata[i] = ordered->pdata[i];
    }
    return TRUE;
}

gboolean oriel_reorder_drives(const OrielMachine *machine, const char *const *ids, GError **error)
{
    return oriel_machine_edit(machine->folder, order_apply, (gpointer)ids, error);
}
