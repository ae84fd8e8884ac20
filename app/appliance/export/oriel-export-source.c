/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an export begins with: the machine's disks, how much they hold, whether the target can be
 * made, and what cannot travel. */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <libdeflate.h>
#include <string.h>
#include <sys/statvfs.h>

#include "block/chain.h"
#include "block/drive/drive.h"
#include "config/saved.h"
#include "oriel-export-private.h"

enum {
    GRAIN = 64 << 10,
    SAMPLES = 64, /* grains of a disk that are compressed to estimate the whole */
    DEFLATE_LEVEL = 5,
    IDE_DRIVES_MAX = 4,
};

#define VHDX_TABLES (G_GUINT64_CONSTANT(8) << 20)

/* --- How much --------------------------------------------------------------------------------- */

struct sample {
    struct libdeflate_compressor *compressor;
    guint64 from, to; /* bytes before and after */
    guint8 bytes[GRAIN], packed[2 * GRAIN];
};

static gboolean sample_take(struct sample *sample, struct image *image, guint64 offset,
                            GError **error)
{
    gsize length = (gsize)MIN(image->size - offset, GRAIN);
    int result = image_read(image, offset, sample->bytes, length);

    if (result < 0) {
        image_set_error(image, result, error);
        return FALSE;
    }
    sample->from += length;
    if (sample->bytes[0] != 0 || memcmp(sample->bytes, sample->bytes + 1, length - 1) != 0) {
        sample->to += libdeflate_zlib_compress(sample->compressor, sample->bytes, length,
                                               sample->packed, sizeof(sample->packed));
    }
    return TRUE;
}

/*
 * Walks over what holds data; *populated becomes its size. With `sample` a grain is looked at every
 * `step` bytes of it.
 */
static gboolean data_walk(struct image *image, struct sample *sample, guint64 step,
                          guint64 *populated, GError **error)
{
    guint64 offset = 0, next = 0, known;

    *populated = 0;
    for (; offset < image->size; offset += known) {
        enum image_kind kind;
        int result;

        known = image->size - offset;
        result = image_status(image, offset, known, &kind, &known);
        if (result < 0) {
            image_set_error(image, result, error);
            return FALSE;
        }
        if (kind != IMAGE_DATA) {
            continue;
        }
        for (; sample && next < *populated + known; next += step) {
            if (!sample_take(sample, image, offset + (next - *populated), error)) {
                return FALSE;
            }
        }
        *populated += known;
    }
    return TRUE;
}

static gboolean disk_measure(ExportDisk *disk, gboolean compressed, GError **error)
{
    g_autofree struct sample *sample = g_new0(struct sample, 1);
    guint64 step, populated;
    gboolean good;

    if (!data_walk(disk->image, NULL, 0, &disk->populated, error)) {
        return FALSE;
    }
    disk->packed = disk->populated + VHDX_TABLES;
    if (!compressed) {
        return TRUE;
    }
    step = MAX(disk->populated / SAMPLES, (guint64)GRAIN) / IMAGE_SECTOR * IMAGE_SECTOR;
    sample->compressor = libdeflate_alloc_compressor(DEFLATE_LEVEL);
    good = data_walk(disk->image, sample, step, &populated, error);
    libdeflate_free_compressor(sample->compressor);
    disk->packed = GRAIN;
    if (sample->from > 0) {
        disk->packed +=
            (guint64)((double)disk->populated * (double)sample->to / (double)sample->from);
    }
    return good;
}

/* --- What ------------------------------------------------------------------------------------- */

static void disk_free(gpointer data)
{
    ExportDisk *disk = data;

    image_free(disk->image);
    g_free(disk);
}

static gboolean disk_open(Export *export, const OrielDrive *drive, GError **error)
{
    const struct chain_request request = {
        .drive = drive->id,
        .folder = export->machine->folder,
        .path = drive->path,
        .format = drive_image_format(drive->format),
        .read_only = true,
        .follow = CHAIN_STATED,
    };
    ExportDisk *disk;
    struct image *image = chain_open(&request, error);

    if (!image) {
        return FALSE;
    }
    disk = g_new0(ExportDisk, 1);
    disk->image = image;
    g_ptr_array_add(export->disks, disk);
    return disk_measure(disk, export->options->profile != ORIEL_OVF_HYPER_V, error);
}

static gboolean machine_check(const Export *export, GError **error)
{
    const OrielMachine *machine = export->machine;
    guint disks = 0;

    if (oriel_saved_exists(machine->folder)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    _("“%s” is saved, and its saved state cannot travel. Start it and shut it down "
                      "first, or forget the state: “Start Afresh” in the window, “orielctl start "
                      "--discard-saved” in a terminal."),
                    machine->name);
        return FALSE;
    }
    for (guint i = 0; i < machine->config->drives->len; i++) {
        disks += ((const OrielDrive *)machine->config->drives->pdata[i])->kind == ORIEL_DRIVE_DISK;
    }
    if (disks == 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” has no disk, so there is nothing to export."), machine->name);
        return FALSE;
    }
    if (export->controller == ORIEL_OVF_CONTROLLER_IDE &&
        machine->config->drives->len > IDE_DRIVES_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” has more than four drives, which IDE cannot have; export it with "
                      "another controller."),
                    machine->name);
        return FALSE;
    }
    return TRUE;
}

gboolean export_open(Export *export, GError **error)
{
    const OrielConfig *config = export->machine->config;

    export->base = oriel_ovf_file_name(config->name);
    export->controller =
        oriel_ovf_controller(export->options->profile, export->options->controller, config);
    export->disks = g_ptr_array_new_with_free_func(disk_free);
    export->members = g_ptr_array_new_with_free_func((GDestroyNotify)export_member_free);
    if (!machine_check(export, error)) {
        return FALSE;
    }
    for (guint i = 0; i < config->drives->len; i++) {
        const OrielDrive *drive = config->drives->pdata[i];

        if (drive->kind == ORIEL_DRIVE_DISK && !disk_open(export, drive, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

void export_clear(Export *export)
{
    g_free(export->base);
    g_clear_pointer(&export->disks, g_ptr_array_unref);
    g_clear_pointer(&export->members, g_ptr_array_unref);
}

/* --- Where to --------------------------------------------------------------------------------- */

gboolean export_space_check(const OrielExportReport *report, const char *target, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(target);
    g_autofree char *needs = g_format_size_full(report->size, G_FORMAT_SIZE_IEC_UNITS);
    struct statvfs status;

    if (statvfs(folder, &status) != 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be made"), target);
        return FALSE;
    }
    if ((guint64)status.f_bavail * status.f_frsize < report->size) {
        g_autofree char *has =
            g_format_size_full((guint64)status.f_bavail * status.f_frsize, G_FORMAT_SIZE_IEC_UNITS);

        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_NO_SPACE,
            _("“%s” would take about %s, but its folder has room for %s; choose another one."),
            target, needs, has);
        return FALSE;
    }
    return TRUE;
}

/* --- What to tell ----------------------------------------------------------------------------- */

static void note(OrielExportReport *report, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void note(OrielExportReport *report, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_ptr_array_add(report->notes, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static void firmware_notes(const Export *export, OrielExportReport *report)
{
    static const char *const steps[ORIEL_OVF_PROFILES] = {
        [ORIEL_OVF_VIRTUALBOX] = N_("VirtualBox does not read that the machine starts by UEFI: "
                                    "turn on “Enable EFI” in its settings before the first start."),
        [ORIEL_OVF_PROXMOX] = N_("Check that the machine’s BIOS is “OVMF (UEFI)” before the first "
                                 "start: not every release of Proxmox reads it."),
    };

    if (export->machine->config->firmware != ORIEL_FIRMWARE_UEFI) {
        return;
    }
    if (steps[export->options->profile]) {
        note(report, "%s", _(steps[export->options->profile]));
    }
    note(report, _("The boot entries of UEFI do not travel: the system starts if its disk has the "
                   "usual \\EFI\\BOOT\\BOOTX64.EFI."));
}

static void drive_notes(const Export *export, OrielExportReport *report)
{
    const OrielConfig *config = export->machine->config;

    for (guint i = 0; i < config->drives->len; i++) {
        const OrielDrive *drive = config->drives->pdata[i];

        if (drive->kind == ORIEL_DRIVE_CDROM && drive->path) {
            note(report, _("The CD image in “%s” does not travel; the drive is empty there."),
                 drive->id);
        } else if (drive->kind == ORIEL_DRIVE_DISK && drive->controller != ORIEL_CONTROLLER_AHCI) {
            note(report,
                 _("“%s” has another controller there: the system must have a driver for it."),
                 drive->id);
        }
    }
    if (export->controller == ORIEL_OVF_CONTROLLER_SCSI) {
        note(report, _("The disks are on an LSI Logic controller there; if the system does not "
                       "find them, export with the SATA controller."));
    }
    for (guint i = 0; i < config->networks->len; i++) {
        const OrielNetwork *network = config->networks->pdata[i];

        if (network->forwards) {
            note(report, _("The ports that are forwarded to “%s” do not travel."), network->id);
        }
    }
    if (config->kernel) {
        note(report, _("The kernel that is started directly does not travel: the system must start "
                       "from its disk."));
    }
}

OrielExportReport *export_report_new(const Export *export)
{
    OrielExportReport *report = export_report_empty();

    for (guint i = 0; i < export->disks->len; i++) {
        const ExportDisk *disk = export->disks->pdata[i];

        report->capacity += disk->image->size;
        report->size += disk->packed;
    }
    firmware_notes(export, report);
    drive_notes(export, report);
    return report;
}
