/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading an appliance again before it gets its name. The archive is walked by libarchive, which
 * shares nothing with what wrote it. See oriel-export-private.h.
 */
#include <archive.h>
#include <archive_entry.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "oriel-export-private.h"
#include "appliance/ovf/oriel-ovf.h"

enum {
    CHUNK = 2 << 20,
    ARCHIVE_CHUNK = 64 << 10,
};

static gboolean differs(GError **error, const char *what, const char *name)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                _("“%s” is not what was to be written: %s. Nothing is kept; check the disk that it "
                  "was written to, and export again."),
                name, what);
    return FALSE;
}

/* --- The archive ------------------------------------------------------------------------------ */

/* One entry beside the member that is expected in its place. */
static gboolean entry_check(struct archive *archive, struct archive_entry *entry,
                            const ExportMember *member, GError **error)
{
    const char *name = archive_entry_pathname(entry);

    if (g_strcmp0(name, member->name) != 0 || archive_entry_filetype(entry) != AE_IFREG) {
        return differs(error, _("it is in another place of the archive"), member->name);
    }
    if ((guint64)archive_entry_size(entry) != member->size ||
        (guint64)archive_read_header_position(archive) + TAR_BLOCK != member->offset) {
        return differs(error, _("it has another size in the archive"), member->name);
    }
    return TRUE;
}

static gboolean archive_walk(const Export *export, struct archive *archive, GError **error)
{
    struct archive_entry *entry;
    guint n = 0;

    while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
        if (n == export->members->len) {
            return differs(error, _("the archive has more files"), export->base);
        }
        if (!entry_check(archive, entry, export->members->pdata[n], error)) {
            return FALSE;
        }
        n++;
    }
    return (n == export->members->len && archive_errno(archive) == 0) ||
           differs(error, _("the archive has fewer files, or is cut short"), export->base);
}

static gboolean archive_verify(const Export *export, int fd, GError **error)
{
    struct archive *archive = archive_read_new();
    gboolean good;

    archive_read_support_format_tar(archive);
    good = (lseek(fd, 0, SEEK_SET) == 0 &&
            archive_read_open_fd(archive, fd, ARCHIVE_CHUNK) == ARCHIVE_OK) ||
           differs(error, _("it does not begin like an archive"), export->base);
    good = good && archive_walk(export, archive, error);
    archive_read_free(archive);
    return good;
}

/* --- The manifest ----------------------------------------------------------------------------- */

/* Digests of all members, by another thread than that which compares. */
typedef struct {
    const Export *export;
    gint stop;          /* atomic */
    GPtrArray *digests; /* char *; NULL where a member could not be read */
} Digests;

static char *member_digest(const Digests *digests, const ExportMember *member)
{
    g_autoptr(OrielDigest) digest = oriel_digest_new(export_digest_name(digests->export));
    g_autofree guint8 *bytes = g_malloc(CHUNK);
    guint64 at = 0;

    while (at < member->size && !g_atomic_int_get(&digests->stop)) {
        ssize_t n =
            pread(member->fd, bytes, MIN(member->size - at, CHUNK), (off_t)(member->offset + at));

        if (n <= 0) {
            return NULL;
        }
        oriel_digest_update(digest, bytes, (gsize)n);
        at += (guint64)n;
    }
    return oriel_digest_finish(digest);
}

static gpointer digests_make(gpointer data)
{
    Digests *digests = data;

    for (guint i = 0; i < digests->export->members->len; i++) {
        g_ptr_array_add(digests->digests,
                        member_digest(digests, digests->export->members->pdata[i]));
    }
    return NULL;
}

/* The manifest is the second member; it names all others. */
static gboolean manifest_verify(const Export *export, GPtrArray *digests, GError **error)
{
    const ExportMember *manifest = export->members->pdata[1];
    g_autofree char *text = g_malloc0(manifest->size + 1);
    g_autoptr(GString) expected = g_string_new(NULL);

    if (pread(manifest->fd, text, manifest->size, (off_t)manifest->offset) !=
        (ssize_t)manifest->size) {
        return differs(error, _("its content differs"), manifest->name);
    }
    for (guint i = 0; i < export->members->len; i++) {
        const ExportMember *member = export->members->pdata[i];

        if (member == manifest) {
            continue;
        }
        if (!digests->pdata[i]) {
            return differs(error, _("its content differs"), member->name);
        }
        g_string_append_printf(expected, "%s(%s)= %s\n", export_digest_name(export), member->name,
                               (const char *)digests->pdata[i]);
    }
    return strcmp(text, expected->str) == 0 ||
           differs(error, _("its checksums differ"), manifest->name);
}

/* --- The descriptor --------------------------------------------------------------------------- */

static gboolean declared_disks_check(const Export *export, const OrielAppliance *appliance)
{
    const OrielOvfMachine *machine = appliance->systems->pdata[0];
    guint n = 0;

    for (guint i = 0; i < machine->drives->len; i++) {
        const OrielOvfDrive *drive = machine->drives->pdata[i];
        const OrielOvfDisk *disk = oriel_appliance_disk(appliance, drive->disk);
        const OrielOvfFile *file = oriel_appliance_file(appliance, disk ? disk->file : NULL);

        if (drive->kind != ORIEL_OVF_DRIVE_DISK) {
            continue;
        }
        if (!file || n == export->disks->len) {
            return FALSE;
        }
        const ExportMember *member = export->members->pdata[2 + n];
        const ExportDisk *source = export->disks->pdata[n];

        if (strcmp(file->href, member->name) != 0 || file->size != member->size ||
            disk->capacity != source->image->size) {
            return FALSE;
        }
        n++;
    }
    return n == export->disks->len;
}

/* As an import reads it. */
static gboolean descriptor_verify(const Export *export, GError **error)
{
    const ExportMember *member = export->members->pdata[0];
    const OrielConfig *config = export->machine->config;
    g_autofree char *text = g_malloc0(member->size + 1);
    g_autoptr(OrielAppliance) appliance = NULL;

    if (pread(member->fd, text, member->size, (off_t)member->offset) == (ssize_t)member->size) {
        appliance = oriel_ovf_parse(text, member->size, member->name, NULL);
    }
    if (!appliance || appliance->systems->len != 1) {
        return differs(error, _("its content differs"), member->name);
    }
    const OrielOvfMachine *machine = appliance->systems->pdata[0];

    return (machine->cpus == config->cpus && machine->memory == config->memory &&
            (machine->firmware == ORIEL_OVF_FIRMWARE_UEFI) ==
                (config->firmware == ORIEL_FIRMWARE_UEFI) &&
            declared_disks_check(export, appliance)) ||
           differs(error, _("it declares another machine"), member->name);
}

/* --- The disks -------------------------------------------------------------------------------- */

/*
 * Compares from `offset` on; *known: how many bytes were looked at. What is empty in both need not
 * be read; otherwise at most CHUNK bytes, for which `bytes` has room twice.
 */
static gboolean piece_compare(struct image *source, struct image *copy, guint64 offset,
                              guint8 *bytes, guint64 *known, GError **error)
{
    enum image_kind kind = IMAGE_DATA, copied = IMAGE_DATA;
    int result = image_status(source, offset, source->size - offset, &kind, known);

    if (result == 0 && kind == IMAGE_ZERO &&
        image_status(copy, offset, *known, &copied, known) == 0 && copied == IMAGE_ZERO) {
        return TRUE;
    }
    *known = MIN(*known, (guint64)CHUNK);
    if (result == 0) {
        result = image_read(source, offset, bytes, *known);
    }
    if (result < 0) {
        image_set_error(source, result, error);
        return FALSE;
    }
    return (image_read(copy, offset, bytes + CHUNK, *known) == 0 &&
            memcmp(bytes, bytes + CHUNK, *known) == 0) ||
           differs(error, _("its content differs"), copy->storage->name);
}

static gboolean disk_compare(Export *export, struct image *source, struct image *copy,
                             GError **error)
{
    g_autofree guint8 *bytes = g_malloc(2 * (gsize)CHUNK);
    guint64 offset = 0, known = 0;

    /* Formats with a coarser size end with zeroes, which are compared as what is not there. */
    if (copy->size < source->size) {
        return differs(error, _("its size differs"), copy->storage->name);
    }
    for (; offset < source->size; offset += known) {
        if (!piece_compare(source, copy, offset, bytes, &known, error) ||
            !export_report(export, export->done + offset + known, error)) {
            return FALSE;
        }
    }
    export->done += source->size;
    return TRUE;
}

static gboolean disk_verify(Export *export, guint number, GError **error)
{
    const ExportDisk *disk = export->disks->pdata[number];
    const ExportMember *member = export->members->pdata[2 + number];
    const ExportSlice part = { .offset = member->offset, .size = member->size };
    struct storage *storage = export_slice_new(member->fd, member->name, &part, error);
    struct image *copy = NULL;
    gboolean good;

    if (storage) {
        copy = image_open(storage,
                          export->options->profile == ORIEL_OVF_HYPER_V ? IMAGE_VHDX : IMAGE_VMDK,
                          error);
    }
    good = copy && disk_compare(export, disk->image, copy, error);
    image_free(copy);
    return good;
}

gboolean export_verify(Export *export, int fd, GError **error)
{
    g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func(g_free);
    Digests digests = { .export = export, .digests = made };
    GThread *thread;
    gboolean good = fd < 0 || archive_verify(export, fd, error);

    if (!good) {
        return FALSE;
    }
    thread = g_thread_new("digests", digests_make, &digests);
    for (guint i = 0; i < export->disks->len && good; i++) {
        good = disk_verify(export, i, error);
    }
    g_atomic_int_set(&digests.stop, !good);
    g_thread_join(thread);
    return good && manifest_verify(export, made, error) && descriptor_verify(export, error);
}
