/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-try.h. */
#include "oriel-try.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/drive/drive.h"
#include "block/files.h"
#include "block/lent.h"
#include "block/qcow2/qcow2.h"
#include "config/config.h"
#include "config/runtime.h"
#include "library/oriel-building.h"
#include "appliance/import/oriel-import-private.h"
#include "running/oriel-session.h"

struct OrielTry {
    Building building; /* the hidden folder, which never gets its final name */
    OrielMachine *machine;
    GSubprocess *engine; /* NULL: does not run */
    int until;           /* the engine ends when this is closed; -1: it does not run */
    GArray *loans;       /* OrielLoan */
};

/* --- Disks ------------------------------------------------------------------------------------ */

/* What was unpacked into a nameless file, for reading. */
static int scratch_open(const OrielImport *import, GError **error)
{
    g_autofree char *self = g_strdup_printf("/proc/self/fd/%d", import->scratch);
    int fd = open(self, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be read"), import->path);
    }
    return fd;
}

static int place_file_open(const OrielImport *import, const struct import_place *place,
                           GError **error)
{
    g_autofree char *folder = g_file_test(import->path, G_FILE_TEST_IS_DIR) ? g_strdup(import->path)
                              : import->reads ? g_strdup(import->reads)
                                              : g_path_get_dirname(import->path);

    if (*place->name) {
        return image_file_open(NULL, folder, place->name, true, error);
    }
    return import->unpacked ? scratch_open(import, error)
                            : image_file_open(NULL, NULL, import->path, true, error);
}

static int place_open(const OrielImport *import, const struct import_place *place, GError **error)
{
    int fd = place_file_open(import, place, error);
    struct stat status;

    if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
                    place->offset > (guint64)status.st_size ||
                    place->size > (guint64)status.st_size - place->offset)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                    _("“%s” was changed while it was looked at; try again."), import->path);
        close(fd);
        return -1;
    }
    return fd;
}

static gboolean is_lent(const struct import_drive *drive)
{
    return drive->kind == ORIEL_OVF_DRIVE_DISK && drive->file && drive->place.size > 0;
}

/* Whether a worker has to copy something first. */
static gboolean wants_copies(const OrielImport *import)
{
    for (guint i = 0; i < import->drives->len; i++) {
        const struct import_drive *drive = &g_array_index(import->drives, struct import_drive, i);

        if (drive->file && !is_lent(drive)) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean disk_lend(OrielTry *try, const OrielImport *import,
                          const struct import_drive *drive, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(try->building.folder, name, NULL);
    OrielLoan loan = { .offset = drive->place.offset, .size = drive->place.size };
    g_autofree char *backing = NULL;

    loan.fd = place_open(import, &drive->place, error);
    if (loan.fd < 0) {
        return FALSE;
    }
    loan.name = g_strdup_printf("disk%u", try->loans->len);
    g_array_append_val(try->loans, loan);
    backing = g_strconcat(LENT_PREFIX, loan.name, NULL);
    const struct qcow2_options options = {
        .size = (drive->size + IMAGE_SECTOR - 1) / IMAGE_SECTOR * IMAGE_SECTOR,
        .backing_name = backing,
        .backing_format = (enum image_format)drive->place.format,
    };

    return qcow2_create_file(path, &options, error);
}

/* What the worker was to copy: a CD, and a disk that cannot be read in its place. */
static gboolean file_add(OrielTry *try, const struct import_drive *drive, const char *name,
                         GError **error)
{
    g_autofree char *path = g_build_filename(try->building.folder, name, NULL);

    return drive->file || drive->kind == ORIEL_OVF_DRIVE_CDROM
               ? import_drive_check(try->building.folder, name, error)
               : drive_create_qcow2(path, drive->capacity, error);
}

static gboolean drive_add(OrielTry *try, const OrielImport *import, guint i, OrielConfig *config,
                          GError **error)
{
    const struct import_drive *drive = &g_array_index(import->drives, struct import_drive, i);
    gboolean disk = drive->kind == ORIEL_OVF_DRIVE_DISK;
    g_autofree char *name = import_drive_name(import, i);
    OrielDrive *added =
        oriel_config_add_drive(config, disk ? ORIEL_DRIVE_DISK : ORIEL_DRIVE_CDROM, name, error);

    if (!added || !name) {
        return added != NULL;
    }
    if (disk) {
        import_drive_settings(drive, added);
    }
    return disk && is_lent(drive) ? disk_lend(try, import, drive, name, error)
                                  : file_add(try, drive, name, error);
}

/* --- The machine ------------------------------------------------------------------------------ */

static gboolean machine_make(OrielTry *try, const OrielImport *import, GError **error)
{
    g_autoptr(OrielConfig) config = oriel_config_new(import->report.name);

    for (guint i = 0; i < import->drives->len; i++) {
        if (!drive_add(try, import, i, config, error)) {
            return FALSE;
        }
    }
    if (!import_settings(import, config, error) ||
        !import_nvram_write(import, try->building.folder, error) ||
        !oriel_config_save(config, try->building.folder, error)) {
        return FALSE;
    }
    try->machine = oriel_machine_load(try->building.folder);
    if (try->machine->problem) {
        g_propagate_error(error, g_error_copy(try->machine->problem));
        return FALSE;
    }
    return TRUE;
}

OrielTry *oriel_try_start(OrielImport *import, OrielProgress progress, gpointer data,
                          GCancellable *cancellable, GError **error)
{
    g_autoptr(OrielTry) try = g_new0(OrielTry, 1);
    g_autofree char *unique = g_uuid_string_random();
    gboolean good;
    int lock, passing;

    try->until = -1;
    try->loans = g_array_new(FALSE, TRUE, sizeof(OrielLoan));
    if (import->report.appliance->eulas->len > 0 && !import->options.accept_licence) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    _("The appliance has a licence: read it with “orielctl import --report”, and "
                      "accept it with --accept-licence."));
        return NULL;
    }
    lock = oriel_building_start(&try->building, import->folder, unique, error);
    if (lock < 0) {
        return NULL;
    }
    good = (!wants_copies(import) || import_fill_folder(import, try->building.folder, TRUE,
                                                        progress, data, cancellable, error)) &&
           machine_make(try, import, error);
    /* Between this lock and the engine's the folder would look like remains. */
    passing = good ? oriel_machine_lock_edit(try->building.folder, error) : -1;
    oriel_machine_unlock(lock);
    if (passing < 0) {
        return NULL;
    }
    good = oriel_session_start_lent(try->machine, (const OrielLoan *)try->loans->data,
                                    try->loans->len, &try->engine, &try->until, cancellable, error);
    oriel_machine_unlock(passing);
    return good ? g_steal_pointer(&try) : NULL;
}

const OrielMachine *oriel_try_machine(const OrielTry *try)
{
    return try->machine;
}

void oriel_try_wait(OrielTry *try, GCancellable *cancellable)
{
    g_subprocess_wait(try->engine, cancellable, NULL);
}

static void engine_end(OrielTry *try)
{
    g_autoptr(GError) error = NULL;

    if (!oriel_session_end(try->engine, try->machine, &error)) {
        g_message("%s", error->message);
    }
    g_clear_object(&try->engine);
    close(try->until);
}

void oriel_try_free(OrielTry *try)
{
    if (!try) {
        return;
    }
    if (try->engine) {
        engine_end(try);
    }
    for (guint i = 0; i < try->loans->len; i++) {
        const OrielLoan *loan = &g_array_index(try->loans, OrielLoan, i);

        close(loan->fd);
        g_free(loan->name);
    }
    g_array_unref(try->loans);
    g_clear_pointer(&try->machine, oriel_machine_free);
    oriel_building_clear(&try->building);
    g_free(try);
}
