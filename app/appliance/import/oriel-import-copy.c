/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-worker's part of the import itself: the disks and CD images. See oriel-import-private.h. */
#include "block/convert/convert.h"

#include <glib/gi18n-lib.h>
#include "block/drive/drive.h"
#include "block/files.h"
#include "config/config.h"
#include "oriel-import-private.h"

enum {
    COPY_CHUNK = 1 << 20,
};

struct run {
    OrielImport *import;
    const char *folder; /* the machine's, which is being built */
    gboolean trial;
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

/* --- Disks ------------------------------------------------------------------------------------ */

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
        import_image_open(run->import, drive, run->folder, run->cancellable, error);
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

/* --- CDs -------------------------------------------------------------------------------------- */

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
                        _("Cancelled; nothing was changed or left behind."));
            return FALSE;
        }
    }
    result = result == 0 ? storage_flush(to) : result;
    if (result < 0) {
        oriel_error_set_errno(error, -result, _("“%s” cannot be copied"), from->name);
    }
    run->done += size;
    return result == 0;
}

static gboolean cd_copy(struct run *run, const struct import_drive *drive, const char *target,
                        GError **error)
{
    struct storage *from = oriel_appliance_source_storage(
        run->import->source, drive->file, run->folder, IMPORT_DISK_MAX, run->cancellable, error);
    int fd = from ? image_file_create(target, error) : -1;
    struct storage *to = fd < 0 ? NULL : storage_file_new(fd, target, false, error);
    gboolean good = to && bytes_copy(run, from, to, error);

    storage_free(to);
    storage_free(from);
    return good && (run->import->options.ignore_manifest ||
                    oriel_appliance_source_verify(run->import->source, drive->file,
                                                  run->cancellable, error));
}

/* --- All of it -------------------------------------------------------------------------------- */

static gboolean drive_fill(struct run *run, guint number, GError **error)
{
    const struct import_drive *drive =
        &g_array_index(run->import->drives, struct import_drive, number);
    g_autofree char *name = import_drive_name(run->import, number);
    g_autofree char *target = name ? g_build_filename(run->folder, name, NULL) : NULL;

    if (!target || (run->trial && (!drive->file || drive->place.size > 0))) {
        return TRUE;
    }
    if (drive->kind == ORIEL_OVF_DRIVE_CDROM) {
        return cd_copy(run, drive, target, error);
    }
    return drive->file ? disk_take(run, drive, target, error)
                       : drive_create_qcow2(target, drive->capacity, error);
}

gboolean import_fill(OrielImport *import, const char *folder, gboolean trial,
                     OrielProgress progress, gpointer data, GCancellable *cancellable,
                     GError **error)
{
    g_autoptr(GCancellable) stop = g_cancellable_new();
    struct run run = {
        .import = import,
        .folder = folder,
        .trial = trial,
        .progress = progress,
        .data = data,
        .cancellable = cancellable,
        .stop = stop,
        .total = import->report.disks_size,
    };
    gboolean good = TRUE;

    for (guint i = 0; i < import->drives->len && good; i++) {
        good = drive_fill(&run, i, error);
    }
    return good;
}
