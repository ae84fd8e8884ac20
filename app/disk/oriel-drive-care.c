/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-drive-care.h. */
#include "oriel-drive-care.h"

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "config/runtime.h"
#include "library/oriel-building.h"
#include "oriel-disk.h"
#include "oriel-drives.h"

#define MIB (G_GUINT64_CONSTANT(1) << 20)

/* A disk that is ours as long as `lock` is held. */
typedef struct {
    OrielConfig *config;
    const OrielDrive *drive; /* of the configuration */
    char *path;
    int lock;
} Care;

static void care_clear(Care *care)
{
    if (care->lock >= 0) {
        oriel_machine_unlock(care->lock);
    }
    g_clear_pointer(&care->config, oriel_config_free);
    g_clear_pointer(&care->path, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Care, care_clear)

static const char *format_name(OrielDiskFormat format)
{
    return format == ORIEL_DISK_FORMAT_RAW ? "raw" : "qcow2";
}

static gboolean care_find(Care *care, const OrielMachine *machine, const char *id, GError **error)
{
    care->config = oriel_config_load(machine->folder, error);
    care->drive = care->config ? oriel_config_find_drive(care->config, id) : NULL;
    if (care->config && !care->drive) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    _("“%s” has no drive “%s”; “orielctl show” names those it has."),
                    care->config->name, id);
    } else if (care->drive && care->drive->kind != ORIEL_DRIVE_DISK) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is a CD drive; this is only possible with disks."), id);
        return FALSE;
    }
    return care->drive != NULL;
}

/* `changes`: a saved machine is refused. care_clear() after this, whatever it returns. */
static gboolean care_begin(Care *care, const OrielMachine *machine, const char *id,
                           gboolean changes, GError **error)
{
    /* Locked first: the settings that are read then name the disk until the end. */
    *care = (Care){ .lock = oriel_machine_lock(machine->folder, error) };
    if (care->lock < 0 || !care_find(care, machine, id, error) ||
        (changes && !oriel_machine_check_saved(machine->folder, care->config, id, error))) {
        return FALSE;
    }
    care->path = oriel_path_inside(machine, care->drive->path, error);
    return care->path != NULL;
}

/* --- Growing ---------------------------------------------------------------------------------- */

/* Whether it has less than `bytes` now, or with `equal` as many. */
static gboolean is_smaller(const Care *care, guint64 bytes, gboolean equal, GError **error)
{
    g_autoptr(JsonNode) info =
        oriel_disk_info(care->path, format_name(care->drive->format), NULL, error);
    g_autofree char *text = NULL;
    guint64 size;

    if (!info) {
        return FALSE;
    }
    size = (guint64)json_object_get_int_member(json_node_get_object(info), "disk-size");
    if (bytes > size || (equal && bytes == size)) {
        return TRUE;
    }
    text = oriel_size_text(size);
    g_set_error(
        error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
        _("“%s” has %s already. A disk can only grow: what is behind its end would be lost."),
        care->drive->id, text);
    return FALSE;
}

JsonNode *oriel_grow_disk(const OrielMachine *machine, const char *id, guint64 bytes,
                          gboolean partition, GError **error)
{
    g_auto(Care) care = { .lock = -1 };
    g_autofree char *size = NULL;
    OrielDiskResize resize = { .grow_partition = partition };

    if (bytes > G_MAXINT64 - MIB) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, _("That is too large for “%s”."), id);
        return NULL;
    }
    bytes = (bytes + MIB - 1) / MIB * MIB;
    size = g_strdup_printf("%" G_GUINT64_FORMAT "B", bytes);
    resize.size = size;
    return care_begin(&care, machine, id, TRUE, error) && is_smaller(&care, bytes, partition, error)
               ? oriel_disk_resize(care.path, format_name(care.drive->format), &resize, error)
               : NULL;
}

/* --- Checking, repairing, compacting ---------------------------------------------------------- */

JsonNode *oriel_drive_check(const OrielMachine *machine, const char *id, OrielProgress progress,
                            gpointer data, GCancellable *cancellable, GError **error)
{
    g_auto(Care) care = { .lock = -1 };

    return care_begin(&care, machine, id, FALSE, error)
               ? oriel_disk_check(care.path, format_name(care.drive->format), progress, data,
                                  cancellable, error)
               : NULL;
}

JsonNode *oriel_drive_repair(const OrielMachine *machine, const char *id, OrielProgress progress,
                             gpointer data, GCancellable *cancellable, GError **error)
{
    g_auto(Care) care = { .lock = -1 };

    if (!care_begin(&care, machine, id, TRUE, error)) {
        return NULL;
    }
    if (care.drive->format != ORIEL_DISK_FORMAT_QCOW2) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is a raw image: it has no tables of its own that could be repaired."),
                    id);
        return NULL;
    }
    return oriel_disk_repair(care.path, progress, data, cancellable, error);
}

gboolean oriel_drive_compact(const OrielMachine *machine, const char *id, guint64 *saved,
                             OrielProgress progress, gpointer data, GCancellable *cancellable,
                             GError **error)
{
    g_auto(Care) care = { .lock = -1 };

    *saved = 0;
    return care_begin(&care, machine, id, TRUE, error) &&
           oriel_disk_compact(care.path, format_name(care.drive->format), saved, progress, data,
                              cancellable, error);
}

/* --- Another format --------------------------------------------------------------------------- */

struct conversion {
    const char *id, *path;
    OrielDiskFormat format;
};

static gboolean conversion_apply(OrielConfig *config, gpointer data, GError **error)
{
    const struct conversion *conversion = data;
    OrielDrive *drive = oriel_config_find_drive(config, conversion->id);

    if (!drive) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    _("“%s” was removed from “%s” meanwhile."), conversion->id, config->name);
        return FALSE;
    }
    g_free(drive->path);
    drive->path = g_strdup(conversion->path);
    drive->format = conversion->format;
    return TRUE;
}

/* The new file is whole: the settings name it, and the old one goes. */
static gboolean file_exchange(const OrielMachine *machine, const Care *care,
                              const struct conversion *conversion, GError **error)
{
    struct conversion back = { conversion->id, care->drive->path, care->drive->format };
    g_autoptr(GFile) old = g_file_new_for_path(care->path);
    g_autoptr(GError) cause = NULL;

    if (!oriel_machine_edit(machine->folder, conversion_apply, (gpointer)conversion, error)) {
        return FALSE;
    }
    if (g_file_trash(old, NULL, &cause)) {
        return TRUE;
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                _("The disk “%s” stays as it is: its file “%s” cannot be moved to the trash: %s."),
                conversion->id, care->path, cause->message);
    oriel_machine_edit(machine->folder, conversion_apply, &back, NULL);
    return FALSE;
}

gboolean oriel_drive_convert(const OrielMachine *machine, const char *id, OrielDiskFormat format,
                             OrielProgress progress, gpointer data, GCancellable *cancellable,
                             GError **error)
{
    const OrielDiskOptions options = { .from = format_name(format == ORIEL_DISK_FORMAT_RAW
                                                               ? ORIEL_DISK_FORMAT_QCOW2
                                                               : ORIEL_DISK_FORMAT_RAW),
                                       .to = format_name(format),
                                       .chain = TRUE };
    g_auto(Care) care = { .lock = -1 };
    g_autofree char *name = oriel_disk_new_name(machine, format);
    g_autofree char *target = g_build_filename(machine->folder, name, NULL);
    const struct conversion conversion = { id, name, format };

    if (!care_begin(&care, machine, id, TRUE, error)) {
        return FALSE;
    }
    if (care.drive->format == format) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, _("“%s” is a %s image already."), id,
                    format_name(format));
        return FALSE;
    }
    if (!oriel_disk_convert(care.path, target, &options, progress, data, cancellable, error)) {
        return FALSE;
    }
    if (!file_exchange(machine, &care, &conversion, error)) {
        g_unlink(target);
        return FALSE;
    }
    return TRUE;
}
