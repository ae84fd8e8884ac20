/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The import itself: disks, settings, the machine's folder. See oriel-import.h. */
#include "oriel-import.h"

#include <string.h>
#include <unistd.h>

#include "block/convert/convert.h"
#include "block/drive.h"
#include "block/files.h"
#include "config/config.h"
#include "oriel-building.h"
#include "oriel-import-private.h"
#include "oriel-system.h"

enum {
    COPY_CHUNK = 1 << 20,
};

struct run {
    OrielImport *import;
    Building building;
    OrielConfig *config;
    OrielProgress progress;
    gpointer data;
    GCancellable *cancellable; /* the user's, passed on to `stop` */
    GCancellable *stop;        /* of the checking thread */
    guint64 done, total;       /* bytes of disks */
};

static bool report(uint64_t done, uint64_t total, void *context)
{
    struct run *run = context;

    if (run->progress) {
        run->progress(run->done + done, MAX(run->total, run->done + total), run->data);
    }
    return !g_cancellable_is_cancelled(run->cancellable);
}

/* --- Disks --------------------------------------------------------------------------------------
 */

struct check {
    struct run *run;
    const OrielOvfFile *file;
    GError *error;
};

static gpointer check_work(gpointer data)
{
    struct check *check = data;

    oriel_appliance_source_verify(check->run->import->source, check->file, check->run->stop,
                                  &check->error);
    return NULL;
}

static gboolean disk_convert(struct run *run, const struct import_drive *drive, const char *target,
                             GError **error)
{
    struct image *image =
        import_image_open(run->import, drive, run->building.folder, run->cancellable, error);
    struct convert_options options = {
        .format = IMAGE_QCOW2,
        .progress = report,
        .context = run,
    };
    struct storage *storage = NULL;
    gboolean good;

    if (!image) {
        return FALSE;
    }
    if (!run->import->report.uefi && run->done == 0 &&
        run->import->report.machine->firmware == ORIEL_OVF_FIRMWARE_UNKNOWN) {
        run->import->report.uefi = import_image_is_uefi(image);
    }
    options.qcow2.size =
        MAX(image->size, (drive->capacity + IMAGE_SECTOR - 1) / IMAGE_SECTOR * IMAGE_SECTOR);
    int fd = image_file_create(target, error);

    if (fd >= 0) {
        storage = storage_file_new(fd, target, false, error);
    }
    good = storage && image_convert(image, storage, &options, error);
    run->done += image->size;
    image_free(image);
    return good;
}

/* Converts, and checks the file by the manifest meanwhile. */
static gboolean disk_take(struct run *run, const struct import_drive *drive, const char *target,
                          GError **error)
{
    struct check check = { .run = run, .file = drive->file };
    GThread *thread =
        run->import->options.ignore_manifest ? NULL : g_thread_new("manifest", check_work, &check);
    gboolean good = disk_convert(run, drive, target, error);

    if (!good) {
        g_cancellable_cancel(run->stop);
    }
    if (thread) {
        g_thread_join(thread);
    }
    if (check.error && good) {
        g_propagate_error(error, g_steal_pointer(&check.error));
        good = FALSE;
    } else if (g_error_matches(check.error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT) && error &&
               !g_error_matches(*error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_clear_error(error); /* the cause of what the conversion met */
        g_propagate_error(error, g_steal_pointer(&check.error));
    }
    g_clear_error(&check.error);
    return good;
}

static gboolean disk_add(struct run *run, const struct import_drive *drive, GError **error)
{
    g_autofree char *name = g_strdup_printf("disks/disk%u.qcow2", run->config->drives->len);
    g_autofree char *target = g_build_filename(run->building.folder, name, NULL);
    OrielDrive *added = oriel_config_add_drive(run->config, ORIEL_DRIVE_DISK, name, error);

    if (!added) {
        return FALSE;
    }
    added->format = ORIEL_DISK_FORMAT_QCOW2;
    added->controller =
        drive->bus == ORIEL_OVF_BUS_VIRTIO ? ORIEL_CONTROLLER_VIRTIO : ORIEL_CONTROLLER_AHCI;
    return drive->file ? disk_take(run, drive, target, error)
                       : drive_create_qcow2(target, drive->capacity, error);
}

/* --- CDs ----------------------------------------------------------------------------------------
 */

static gboolean bytes_copy(struct run *run, struct storage *from, struct storage *to,
                           GError **error)
{
    g_autofree guint8 *bytes = g_malloc(COPY_CHUNK);
    guint64 size = storage_size(from);
    int result = 0;

    for (guint64 at = 0; at < size && result == 0; at += COPY_CHUNK) {
        gsize n = MIN(size - at, COPY_CHUNK);

        result = storage_read_all(from, at, bytes, n);
        result = result == 0 ? storage_write(to, at, bytes, n) : result;
        if (!report(at, size, run)) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                        "Cancelled; nothing was changed or left behind.");
            return FALSE;
        }
    }
    result = result == 0 ? storage_flush(to) : result;
    if (result < 0) {
        oriel_error_set_errno(error, -result, "“%s” cannot be copied", from->name);
    }
    run->done += size;
    return result == 0;
}

static gboolean cd_copy(struct run *run, const struct import_drive *drive, const char *target,
                        GError **error)
{
    struct storage *from =
        oriel_appliance_source_storage(run->import->source, drive->file, run->building.folder,
                                       IMPORT_DISK_MAX, run->cancellable, error);
    int fd = from ? image_file_create(target, error) : -1;
    struct storage *to = fd < 0 ? NULL : storage_file_new(fd, target, false, error);
    gboolean good = to && bytes_copy(run, from, to, error);

    storage_free(to);
    storage_free(from);
    return good && (run->import->options.ignore_manifest ||
                    oriel_appliance_source_verify(run->import->source, drive->file,
                                                  run->cancellable, error));
}

static gboolean cd_add(struct run *run, const struct import_drive *drive, GError **error)
{
    g_autofree char *name = g_strdup_printf("disks/cdrom%u.iso", run->config->drives->len);
    g_autofree char *target = g_build_filename(run->building.folder, name, NULL);
    g_autofree char *path = g_build_filename(run->building.final, name, NULL);
    OrielDrive *added =
        oriel_config_add_drive(run->config, ORIEL_DRIVE_CDROM, drive->file ? path : NULL, error);

    return added && (!drive->file || cd_copy(run, drive, target, error));
}

/* --- Settings -----------------------------------------------------------------------------------
 */

static char *notes_make(const OrielOvfMachine *machine)
{
    g_autofree char *text = g_strconcat(machine->product ? machine->product : "",
                                        machine->product && machine->annotation ? "\n\n" : "",
                                        machine->annotation ? machine->annotation : "", NULL);

    if (strlen(text) > CONFIG_NOTES_MAX) {
        *g_utf8_find_prev_char(text, text + CONFIG_NOTES_MAX) = '\0';
    }
    return *text ? g_steal_pointer(&text) : NULL;
}

static gboolean settings_apply(struct run *run, GError **error)
{
    const OrielImportReport *plan = &run->import->report;
    const OrielOvfMachine *machine = plan->machine;
    OrielConfig *config = run->config;

    config->cpus = plan->cpus;
    config->memory = plan->memory;
    config->firmware = plan->uefi ? ORIEL_FIRMWARE_UEFI : ORIEL_FIRMWARE_BIOS;
    config->clock_local =
        machine->clock_known ? machine->clock_local : oriel_system_find(plan->os)->clock_local;
    g_free(config->notes);
    config->notes = notes_make(machine);
    return oriel_config_set(config, "os", plan->os, error) && oriel_config_check(config, error);
}

static gboolean drives_add(struct run *run, GError **error)
{
    const GArray *drives = run->import->drives;

    for (guint i = 0; i < drives->len; i++) {
        const struct import_drive *drive = &g_array_index(drives, struct import_drive, i);

        if (drive->kind == ORIEL_OVF_DRIVE_DISK ? !disk_add(run, drive, error)
                                                : !cd_add(run, drive, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* --- All of it ----------------------------------------------------------------------------------
 */

static gboolean may_run(OrielImport *import, GError **error)
{
    const OrielImportReport *plan = &import->report;

    if (plan->appliance->eulas->len > 0 && !import->options.accept_licence) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    "The appliance has a licence: read it with --report, and accept it with "
                    "--accept-licence.");
        return FALSE;
    }
    if (plan->space > plan->space_free && plan->space_free > 0) {
        g_autofree char *needed = g_format_size_full(plan->space, G_FORMAT_SIZE_IEC_UNITS);
        g_autofree char *there = g_format_size_full(plan->space_free, G_FORMAT_SIZE_IEC_UNITS);

        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_NO_SPACE,
            "The disks of the appliance take %s, and only %s are free. Make room, or choose "
            "another folder with --dir.",
            needed, there);
        return FALSE;
    }
    return oriel_library_check_name(plan->name, error);
}

char *oriel_import_run(OrielImport *import, OrielProgress progress, gpointer data,
                       GCancellable *cancellable, GError **error)
{
    g_autoptr(GCancellable) stop = g_cancellable_new();
    struct run run = {
        .import = import,
        .progress = progress,
        .data = data,
        .cancellable = cancellable,
        .stop = stop,
        .total = import->report.disks_size,
    };
    char *folder = NULL;
    int lock;

    if (!may_run(import, error)) {
        return NULL;
    }
    run.config = oriel_config_new(import->name);
    lock = oriel_building_start(&run.building, import->folder, import->name, error);
    if (lock >= 0 && drives_add(&run, error) && settings_apply(&run, error) &&
        !g_cancellable_set_error_if_cancelled(cancellable, error)) {
        folder = oriel_building_finish(&run.building, run.config, import->folder != NULL, error);
    }
    oriel_building_clear(&run.building);
    if (lock >= 0) {
        close(lock);
    }
    oriel_config_free(run.config);
    return folder;
}
