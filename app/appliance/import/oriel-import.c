/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The caller's part of the import: settings and the machine's folder. See oriel-import.h. */
#include "oriel-import.h"

#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/runtime.h"
#include "library/oriel-building.h"
#include "oriel-import-private.h"
#include "oriel-system.h"
#include "worker/oriel-worker.h"

/* --- The plan --------------------------------------------------------------------------------- */

/* What the worker may read besides the appliance itself. */
static void reads_fill(const OrielImport *import, OrielWorkerRequest *request)
{
    guint n = 1;

    if (import->reads) {
        request->reads[n++] = import->reads;
    }
    if (import->options.disks) {
        request->reads[n] = import->options.disks;
    }
}

static GVariant *options_of(const OrielImport *import, const char *into, gboolean trial)
{
    g_autoptr(GVariant) texts = g_variant_ref_sink(oriel_worker_texts(
        "path", import->path, "machine", import->options.machine, "name", import->options.name,
        "folder", import->folder, "disks", import->options.disks, "into", into, NULL));
    GVariantDict dict;

    g_variant_dict_init(&dict, texts);
    g_variant_dict_insert(&dict, "first-machine", "b", import->options.first_machine);
    g_variant_dict_insert(&dict, "ignore-manifest", "b", import->options.ignore_manifest);
    g_variant_dict_insert(&dict, "trial", "b", trial);
    if (import->unpacked) {
        g_variant_dict_insert_value(&dict, "unpacked", import->unpacked);
    }
    return g_variant_dict_end(&dict);
}

/* Where the machine will be there is the space that it needs. */
static int scratch_open(const OrielImport *import)
{
    g_autofree char *folder =
        import->folder ? g_strdup(import->folder) : oriel_library_folder(FALSE, NULL);

    while (folder && !g_file_test(folder, G_FILE_TEST_IS_DIR)) { /* not made yet */
        char *parent = g_path_get_dirname(folder);

        g_free(folder);
        folder = parent;
    }
    return folder ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
}

/* What was unpacked before, if it was of the same file. It is only read from then on. */
static gboolean unpacked_share(OrielImport *import, const OrielImport *before)
{
    if (!before || !before->unpacked || strcmp(before->path, import->path) != 0) {
        return FALSE;
    }
    import->scratch = fcntl(before->scratch, F_DUPFD_CLOEXEC, 0);
    if (import->scratch < 0) {
        return FALSE;
    }
    import->unpacked = g_variant_ref(before->unpacked);
    return TRUE;
}

/* The folder of a description; of Hyper-V's, that which has the disks' folder too. */
static char *reads_of(const char *path)
{
    char *folder = oriel_worker_folder_of_text(path);
    g_autofree char *name = folder ? g_path_get_basename(folder) : NULL;

    if (g_strcmp0(name, "Virtual Machines") == 0) {
        char *parent = g_path_get_dirname(folder);

        g_free(folder);
        folder = parent;
    }
    return folder;
}

OrielImport *oriel_import_open(const char *path, const OrielImportOptions *options,
                               GCancellable *cancellable, GError **error)
{
    g_autoptr(OrielImport) import = import_new(options);
    OrielWorkerRequest request = { .operation = "import-plan", .texts = TRUE };

    import->path = g_strdup(path);
    import->reads = reads_of(path);
    if (!unpacked_share(import, options->before)) {
        import->scratch = scratch_open(import);
    }
    request.options = options_of(import, NULL, FALSE);
    request.file = import->scratch >= 0 ? &import->scratch : NULL;
    request.reads[0] = path;
    reads_fill(import, &request);
    import->wire = oriel_worker_run(&request, NULL, NULL, cancellable, error);
    if (!import->wire || g_cancellable_set_error_if_cancelled(cancellable, error) ||
        !import_from_wire(import, error)) {
        return NULL;
    }
    return g_steal_pointer(&import);
}

/* --- Settings --------------------------------------------------------------------------------- */

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

static gboolean settings_apply(const OrielImport *import, OrielConfig *config, GError **error)
{
    const OrielImportReport *plan = &import->report;
    const OrielOvfMachine *machine = plan->machine;

    config->cpus = plan->cpus;
    config->memory = plan->memory;
    config->firmware = plan->uefi ? ORIEL_FIRMWARE_UEFI : ORIEL_FIRMWARE_BIOS;
    config->clock_local =
        machine->clock_known ? machine->clock_local : oriel_system_find(plan->os)->clock_local;
    g_free(config->notes);
    config->notes = notes_make(machine);
    return oriel_config_set(config, "os", plan->os, error) && oriel_config_check(config, error);
}

gboolean import_drive_check(const char *folder, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    struct stat status;

    if (g_lstat(path, &status) == 0 && S_ISREG(status.st_mode)) {
        return TRUE;
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                _("The appliance was changed while it was imported; import it again."));
    return FALSE;
}

void import_drive_settings(const struct import_drive *drive, OrielDrive *disk)
{
    disk->format = ORIEL_DISK_FORMAT_QCOW2;
    disk->controller = drive->bus == ORIEL_OVF_BUS_VIRTIO ? ORIEL_CONTROLLER_VIRTIO
                       : drive->bus == ORIEL_OVF_BUS_NVME ? ORIEL_CONTROLLER_NVME
                                                          : ORIEL_CONTROLLER_AHCI;
}

static gboolean drives_add(const OrielImport *import, const Building *building, OrielConfig *config,
                           GError **error)
{
    for (guint i = 0; i < import->drives->len; i++) {
        const struct import_drive *drive = &g_array_index(import->drives, struct import_drive, i);
        g_autofree char *name = import_drive_name(import, i);
        gboolean disk = drive->kind == ORIEL_OVF_DRIVE_DISK;
        OrielDrive *added;

        if (name && !import_drive_check(building->folder, name, error)) {
            return FALSE;
        }
        added = oriel_config_add_drive(config, disk ? ORIEL_DRIVE_DISK : ORIEL_DRIVE_CDROM, name,
                                       error);
        if (!added) {
            return FALSE;
        }
        if (disk) {
            import_drive_settings(drive, added);
        }
    }
    return TRUE;
}

static gboolean cards_add(const OrielImport *import, OrielConfig *config, GError **error)
{
    for (guint i = 0; i < import->cards->len; i++) {
        const struct import_card *card = &g_array_index(import->cards, struct import_card, i);
        OrielNetwork *network = oriel_config_add_network(config, error);

        if (!network) {
            return FALSE;
        }
        network->model = card->model;
        if (*card->mac) {
            g_free(network->mac);
            network->mac = g_strdup(card->mac);
        }
        network->link_down = !card->connected;
    }
    return TRUE;
}

gboolean import_settings(const OrielImport *import, OrielConfig *config, GError **error)
{
    return cards_add(import, config, error) && settings_apply(import, config, error);
}

/* --- All of it -------------------------------------------------------------------------------- */

static gboolean may_run(OrielImport *import, GError **error)
{
    const OrielImportReport *plan = &import->report;

    if (plan->appliance->eulas->len > 0 && !import->options.accept_licence) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    _("The appliance has a licence: read it with --report, and accept it with "
                      "--accept-licence."));
        return FALSE;
    }
    if (plan->space > plan->space_free && plan->space_free > 0) {
        g_autofree char *needed = g_format_size_full(plan->space, G_FORMAT_SIZE_IEC_UNITS);
        g_autofree char *there = g_format_size_full(plan->space_free, G_FORMAT_SIZE_IEC_UNITS);

        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NO_SPACE,
                    _("The disks of the appliance take %s, and only %s are free. Make room, or "
                      "choose another folder: “Location” in the window, --dir in a terminal."),
                    needed, there);
        return FALSE;
    }
    return oriel_library_check_name(plan->name, error);
}

void oriel_import_decide(OrielImport *import, const char *name, gboolean accept_licence,
                         gboolean ignore_manifest)
{
    g_free(import->name);
    import->name = g_strdup(name);
    import->options.name = import->report.name = import->name;
    import->options.accept_licence = accept_licence;
    import->options.ignore_manifest = ignore_manifest;
}

/* The worker sees the folder that is being built, and no other of the library. */
gboolean import_fill_folder(OrielImport *import, const char *folder, gboolean trial,
                            OrielProgress progress, gpointer data, GCancellable *cancellable,
                            GError **error)
{
    OrielWorkerRequest request = {
        .operation = "import",
        .texts = TRUE,
        .options = options_of(import, folder, trial),
        .reads = { import->path },
        .fill = folder,
        .file = import->scratch >= 0 ? &import->scratch : NULL,
    };
    reads_fill(import, &request);
    g_autoptr(GVariant) answer = oriel_worker_run(&request, progress, data, cancellable, error);

    if (answer) {
        g_variant_lookup(answer, "uefi", "b", &import->report.uefi);
    }
    return answer != NULL;
}

char *oriel_import_run(OrielImport *import, OrielProgress progress, gpointer data,
                       GCancellable *cancellable, GError **error)
{
    g_auto(Building) building = { NULL };
    OrielConfig *config;
    char *folder = NULL;
    int lock;

    if (!may_run(import, error)) {
        return NULL;
    }
    config = oriel_config_new(import->report.name);
    lock = oriel_building_start(&building, import->folder, import->report.name, error);
    if (lock >= 0 &&
        import_fill_folder(import, building.folder, FALSE, progress, data, cancellable, error) &&
        drives_add(import, &building, config, error) && import_settings(import, config, error) &&
        import_nvram_write(import, building.folder, error) &&
        !g_cancellable_set_error_if_cancelled(cancellable, error)) {
        folder = oriel_building_finish(&building, config, import->folder != NULL, error);
    }
    if (lock >= 0) {
        oriel_machine_unlock(lock);
    }
    oriel_config_free(config);
    return folder;
}
