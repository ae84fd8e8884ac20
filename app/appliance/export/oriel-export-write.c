/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing the files, in oriel-worker; oriel-export-source.c has the machine's side. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "block/convert/convert.h"
#include "oriel-export-private.h"

enum {
    DESCRIPTOR, /* in the list of members */
    MANIFEST,
    FIRST_DISK,
    CHUNK = 1 << 20,
};

static guint64 blocks(guint64 size)
{
    return (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

const char *export_digest_name(const Export *export)
{
    return export->options->sha1 ? "SHA1" : "SHA256";
}

gboolean export_report(Export *export, guint64 done, GError **error)
{
    if (export->progress) {
        export->progress(MIN(done, export->total), export->total, export->data);
    }
    if (g_cancellable_is_cancelled(export->cancellable)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                    _("Cancelled; nothing was changed or left behind."));
        return FALSE;
    }
    return TRUE;
}

/* --- Members ---------------------------------------------------------------------------------- */

static ExportMember *member_add(Export *export, const char *format, ...) G_GNUC_PRINTF(2, 3);
static ExportMember *member_add(Export *export, const char *format, ...)
{
    ExportMember *member = g_new0(ExportMember, 1);
    va_list arguments;

    va_start(arguments, format);
    member->name = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    member->fd = -1;
    g_ptr_array_add(export->members, member);
    return member;
}

static ExportMember *member_at(const Export *export, guint n)
{
    return export->members->pdata[n];
}

static void members_name(Export *export)
{
    gboolean hyper_v = export->options->profile == ORIEL_OVF_HYPER_V;

    member_add(export, "%s.ovf", export->base);
    member_add(export, "%s.mf", export->base);
    for (guint i = 0; i < export->disks->len; i++) {
        member_add(export, "%s-disk%u.%s", export->base, i + 1, hyper_v ? "vhdx" : "vmdk");
    }
    if (hyper_v) {
        member_add(export, "%s.txt", export->base);
    }
}

/* --- Texts ------------------------------------------------------------------------------------ */

static char *descriptor_text(const Export *export, gsize *length)
{
    g_autofree OrielOvfDiskFile *disks = g_new0(OrielOvfDiskFile, export->disks->len);
    const OrielOvf ovf = {
        .profile = export->options->profile,
        .controller = export->controller,
        .config = export->machine->config,
        .disks = disks,
        .n_disks = export->disks->len,
    };

    for (guint i = 0; i < ovf.n_disks; i++) {
        const ExportMember *member = member_at(export, FIRST_DISK + i);
        const ExportDisk *disk = export->disks->pdata[i];

        disks[i] =
            (OrielOvfDiskFile){ member->name, member->size, disk->image->size, disk->populated };
    }
    return oriel_ovf_write(&ovf, length);
}

/* The digests that are not known yet are as long as the others. */
static char *manifest_text(const Export *export)
{
    GString *text = g_string_new(NULL);
    g_autoptr(OrielDigest) digest = oriel_digest_new(export_digest_name(export));
    int length = (int)oriel_digest_length(digest);

    for (guint i = 0; i < export->members->len; i++) {
        const ExportMember *member = member_at(export, i);

        if (i != MANIFEST) {
            g_string_append_printf(text, "%s(%s)= %*s\n", export_digest_name(export), member->name,
                                   length, member->digest ? member->digest : "");
        }
    }
    return g_string_free(text, FALSE);
}

/* Hyper-V reads no descriptor: what is to be typed there. */
static char *settings_text(const Export *export)
{
    const OrielConfig *config = export->machine->config;
    GString *text = g_string_new(NULL);

    g_string_append_printf(
        text,
        "Hyper-V imports no appliance: make a new virtual machine there with these settings.\n\n"
        "Name:             %s\nGeneration:       %s\nMemory:           %" G_GUINT64_FORMAT
        " MB\nProcessors:       %u\n",
        config->name,
        config->firmware == ORIEL_FIRMWARE_UEFI ? "2, with Secure Boot turned off" : "1",
        config->memory >> 20, config->cpus);
    for (guint i = 0; i < export->disks->len; i++) {
        g_string_append_printf(text, "Hard disk %u:      %s%s\n", i + 1,
                               member_at(export, FIRST_DISK + i)->name,
                               i == 0 ? " (starts from it)" : "");
    }
    return g_string_free(text, FALSE);
}

/* Writes a member whose place is known. */
static gboolean text_write(ExportMember *member, const Export *export, const char *text,
                           gsize length, GError **error)
{
    g_autoptr(OrielDigest) digest = oriel_digest_new(export_digest_name(export));
    gsize at = 0;

    while (at < length) {
        ssize_t n = pwrite(member->fd, text + at, length - at, (off_t)(member->offset + at));

        if (n < 0 && errno != EINTR) {
            oriel_error_set_errno(error, errno, _("“%s” cannot be written"), member->name);
            return FALSE;
        }
        at += n > 0 ? (gsize)n : 0;
    }
    member->size = length;
    g_free(member->digest);
    oriel_digest_update(digest, text, length);
    member->digest = oriel_digest_finish(digest);
    return TRUE;
}

static gboolean manifest_write(const Export *export, GError **error)
{
    g_autofree char *text = manifest_text(export);

    return text_write(member_at(export, MANIFEST), export, text, strlen(text), error);
}

/* --- Disks ------------------------------------------------------------------------------------ */

static bool convert_report(uint64_t done, uint64_t total, void *context)
{
    Export *export = context;

    return export_report(export, export->done + done, NULL);
}

/* VHDX is not written from front to back. */
static gboolean digest_after(const Export *export, ExportMember *member, GError **error)
{
    g_autoptr(OrielDigest) digest = oriel_digest_new(export_digest_name(export));
    g_autofree guint8 *bytes = g_malloc(CHUNK);
    ssize_t n;

    while ((n = pread(member->fd, bytes, CHUNK, (off_t)member->size)) > 0) {
        oriel_digest_update(digest, bytes, (gsize)n);
        member->size += (guint64)n;
    }
    if (n < 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be read"), member->name);
        return FALSE;
    }
    member->digest = oriel_digest_finish(digest);
    return TRUE;
}

static gboolean disk_write(Export *export, guint number, GError **error)
{
    ExportMember *member = member_at(export, FIRST_DISK + number);
    ExportDisk *disk = export->disks->pdata[number];
    gboolean hyper_v = export->options->profile == ORIEL_OVF_HYPER_V;
    const ExportSlice part = { .offset = member->offset,
                               .digest_name = export_digest_name(export),
                               .digest = hyper_v ? NULL : &member->digest,
                               .written = hyper_v ? NULL : &member->size };
    const struct convert_options options = {
        .format = hyper_v ? IMAGE_VHDX : IMAGE_VMDK,
        .name = member->name,
        .progress = convert_report,
        .context = export,
    };
    struct storage *storage;

    if (hyper_v) {
        int copy = fcntl(member->fd, F_DUPFD_CLOEXEC, 0);

        storage = copy >= 0 ? storage_file_new(copy, member->name, false, error) : NULL;
    } else {
        storage = export_slice_new(member->fd, member->name, &part, error);
    }
    if (!storage || !image_convert(disk->image, storage, &options, error)) {
        return FALSE;
    }
    export->done += disk->image->size;
    return !hyper_v || digest_after(export, member, error);
}

/* --- An archive ------------------------------------------------------------------------------- */

/* The places of descriptor and manifest; returns that of the first disk's header. */
static guint64 archive_plan(Export *export)
{
    g_autofree char *manifest = manifest_text(export), *descriptor = NULL;
    gsize length;

    for (guint i = FIRST_DISK; i < export->members->len; i++) {
        member_at(export, i)->size = G_MAXUINT64; /* no number is longer */
    }
    descriptor = descriptor_text(export, &length);
    member_at(export, DESCRIPTOR)->offset = TAR_BLOCK;
    member_at(export, MANIFEST)->offset = TAR_BLOCK + blocks(length) + TAR_BLOCK;
    return member_at(export, MANIFEST)->offset + blocks(strlen(manifest));
}

/* The descriptor fills the blocks that were planned for it, by line feeds at its end if need be. */
static gboolean archive_descriptor(Export *export, GError **error)
{
    ExportMember *member = member_at(export, DESCRIPTOR);
    gsize room = (gsize)(member_at(export, MANIFEST)->offset - TAR_BLOCK - member->offset), length;
    g_autofree char *text = descriptor_text(export, &length);
    g_autoptr(GString) padded = g_string_new_len(text, (gssize)length);

    while (blocks(padded->len) < room) {
        g_string_append_c(padded, '\n');
    }
    return text_write(member, export, padded->str, padded->len, error);
}

static gboolean archive_headers(const Export *export, GError **error)
{
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;

    for (guint i = 0; i < export->members->len; i++) {
        const ExportMember *member = member_at(export, i);
        guint8 header[TAR_BLOCK];

        export_tar_header(header, member->name, member->size, now);
        if (pwrite(member->fd, header, TAR_BLOCK, (off_t)(member->offset - TAR_BLOCK)) !=
            TAR_BLOCK) {
            oriel_error_set_errno(error, errno, _("“%s” cannot be written"), member->name);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean archive_write(Export *export, int fd, GError **error)
{
    guint64 at = archive_plan(export);

    for (guint i = 0; i < export->members->len; i++) {
        member_at(export, i)->fd = fd;
    }
    for (guint i = 0; i < export->disks->len; i++) {
        ExportMember *member = member_at(export, FIRST_DISK + i);

        member->offset = at + TAR_BLOCK;
        if (!disk_write(export, i, error)) {
            return FALSE;
        }
        at = member->offset + blocks(member->size);
    }
    /* Two blocks of zeroes at the end, and a whole record. */
    at = (at + 2 * TAR_BLOCK + TAR_RECORD - 1) / TAR_RECORD * TAR_RECORD;
    if (!archive_descriptor(export, error) || !manifest_write(export, error) ||
        !archive_headers(export, error)) {
        return FALSE;
    }
    if (ftruncate(fd, (off_t)at) != 0 || fsync(fd) != 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be written"), export->base);
        return FALSE;
    }
    return !export->options->verify || export_verify(export, fd, error);
}

/* --- A folder --------------------------------------------------------------------------------- */

static gboolean folder_open_files(Export *export, const char *folder, GError **error)
{
    for (guint i = 0; i < export->members->len; i++) {
        ExportMember *member = member_at(export, i);
        g_autofree char *path = g_build_filename(folder, member->name, NULL);

        member->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (member->fd < 0) {
            oriel_error_set_errno(error, errno, _("“%s” cannot be made"), member->name);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean folder_texts(Export *export, GError **error)
{
    guint settings = FIRST_DISK + export->disks->len;
    g_autofree char *text = NULL;
    gsize length;

    if (settings < export->members->len) {
        text = settings_text(export);
        if (!text_write(member_at(export, settings), export, text, strlen(text), error)) {
            return FALSE;
        }
        g_free(text);
    }
    text = descriptor_text(export, &length);
    return text_write(member_at(export, DESCRIPTOR), export, text, length, error) &&
           manifest_write(export, error);
}

static gboolean folder_sync(Export *export, GError **error)
{
    for (guint i = 0; i < export->members->len; i++) {
        if (fsync(member_at(export, i)->fd) != 0) {
            oriel_error_set_errno(error, errno, _("“%s” cannot be written"),
                                  member_at(export, i)->name);
            return FALSE;
        }
    }
    return !export->options->verify || export_verify(export, -1, error);
}

static gboolean folder_write(Export *export, const char *folder, GError **error)
{
    gboolean good = folder_open_files(export, folder, error);

    for (guint i = 0; i < export->disks->len && good; i++) {
        good = disk_write(export, i, error);
    }
    good = good && folder_texts(export, error) && folder_sync(export, error);
    for (guint i = 0; i < export->members->len; i++) {
        if (member_at(export, i)->fd >= 0) {
            close(member_at(export, i)->fd);
        }
    }
    return good;
}

/* --- The whole -------------------------------------------------------------------------------- */

static void report_finish(const Export *export, OrielExportReport *report)
{
    report->size = 0;
    for (guint i = 0; i < export->members->len; i++) {
        report->size += member_at(export, i)->size;
        g_ptr_array_add(report->files, g_strdup(member_at(export, i)->name));
    }
}

static OrielExportReport *export_run(Export *export, const ExportPlace *place, GError **error)
{
    g_autoptr(OrielExportReport) report = NULL;

    if (!export_open(export, error)) {
        return NULL;
    }
    report = export_report_new(export);
    if (!export_space_check(report, place->target, error)) {
        return NULL;
    }
    export->total = report->capacity * (export->options->verify ? 2 : 1);
    members_name(export);
    if (place->folder ? !folder_write(export, place->folder, error)
                      : !archive_write(export, place->file, error)) {
        return NULL;
    }
    report_finish(export, report);
    return g_steal_pointer(&report);
}

OrielExportReport *export_estimate(const OrielMachine *machine, const OrielExportOptions *options,
                                   GError **error)
{
    Export export = { .machine = machine, .options = options };
    OrielExportReport *report = NULL;

    if (export_open(&export, error)) {
        report = export_report_new(&export);
        members_name(&export);
        for (guint i = 0; i < export.members->len; i++) {
            g_ptr_array_add(report->files, g_strdup(member_at(&export, i)->name));
        }
    }
    export_clear(&export);
    return report;
}

OrielExportReport *export_write(const OrielMachine *machine, const ExportPlace *place,
                                const OrielExportOptions *options, OrielProgress progress,
                                gpointer data, GCancellable *cancellable, GError **error)
{
    Export export = {
        .machine = machine,
        .options = options,
        .progress = progress,
        .data = data,
        .cancellable = cancellable,
    };
    OrielExportReport *report = export_run(&export, place, error);

    export_clear(&export);
    return report;
}
