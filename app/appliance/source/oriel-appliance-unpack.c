/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packed archives and images: libarchive unpacks them one member behind the other into one file,
 * whose parts are then read as those of a plain archive are. Zeroes become holes.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "config/config.h"
#include "oriel-appliance-source-private.h"

enum {
    READ_CHUNK = 256 << 10,
    HOLE = 64 << 10,
    ALIGN = 4096, /* where members begin */
};

#define UNPACKED_MAX (G_GUINT64_CONSTANT(1) << 46)
#define SPARE        (G_GUINT64_CONSTANT(1) << 30) /* bytes that stay free */

struct unpacking {
    OrielApplianceSource *source;
    struct archive *archive;
    GHashTable *names; /* folded */
    int target;
    guint64 end;          /* of what was unpacked so far */
    guint64 data, budget; /* bytes written, and that may be */
};

static gboolean damaged(const struct unpacking *unpacking, GError **error)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                _("“%s” cannot be unpacked: it is not an OVA archive, or it is damaged or cut "
                  "short. Get it again."),
                unpacking->source->path);
    return FALSE;
}

static gboolean refuse(const struct unpacking *unpacking, const char *name, const char *problem,
                       GError **error)
{
    g_autofree char *valid = g_utf8_make_valid(name ? name : "?", -1);

    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                _("The appliance “%s” is refused because of “%.200s” in it: %s."),
                unpacking->source->path, valid, problem);
    return FALSE;
}

/* --- Content ---------------------------------------------------------------------------------- */

static gboolean piece_write(struct unpacking *unpacking, const guint8 *bytes, gsize n, guint64 at,
                            GError **error)
{
    if (bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0) {
        return TRUE;
    }
    unpacking->data += n;
    if (unpacking->data > unpacking->budget) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NO_SPACE,
                    _("“%s” is packed, and there is not enough room to unpack it. Make room, or "
                      "choose another folder: “Location” in the window, --dir in a terminal."),
                    unpacking->source->path);
        return FALSE;
    }
    while (n > 0) {
        ssize_t done = pwrite(unpacking->target, bytes, n, (off_t)at);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            oriel_error_set_errno(error, done < 0 ? errno : EIO, _("“%s” cannot be unpacked"),
                                  unpacking->source->path);
            return FALSE;
        }
        bytes += done;
        n -= (gsize)done;
        at += (guint64)done;
    }
    return TRUE;
}

/* The member at hand goes to `start`; *size is what it has in the end. */
static gboolean member_unpack(struct unpacking *unpacking, guint64 start, guint64 *size,
                              GError **error)
{
    const void *block;
    gint64 offset;
    size_t length;
    int result;

    *size = 0;
    while ((result = archive_read_data_block(unpacking->archive, &block, &length, &offset)) ==
           ARCHIVE_OK) {
        if (offset < 0 || (guint64)offset > UNPACKED_MAX - start ||
            length > UNPACKED_MAX - start - (guint64)offset) {
            return damaged(unpacking, error);
        }
        for (gsize at = 0; at < length; at += HOLE) {
            if (!piece_write(unpacking, (const guint8 *)block + at, MIN(length - at, HOLE),
                             start + (guint64)offset + at, error)) {
                return FALSE;
            }
        }
        *size = MAX(*size, (guint64)offset + length);
    }
    return result == ARCHIVE_EOF || damaged(unpacking, error);
}

/* --- Members ---------------------------------------------------------------------------------- */

/* One packed file has no name of its own: "disk.img" of "disk.img.xz". */
static char *name_of_single(const struct unpacking *unpacking)
{
    const char *title = unpacking->source->title, *dot = strrchr(title, '.');

    return dot && dot > title ? g_strndup(title, (gsize)(dot - title)) : g_strdup(title);
}

static gboolean name_take(struct unpacking *unpacking, const char *name, GError **error)
{
    g_autofree char *folded = NULL;

    if (!source_name_safe(name)) {
        return refuse(unpacking, name, _("its name leads out of the appliance"), error);
    }
    folded = g_utf8_casefold(name, -1);
    if (!g_hash_table_add(unpacking->names, g_steal_pointer(&folded))) {
        return refuse(unpacking, name, _("it is there twice"), error);
    }
    return unpacking->source->members->len < SOURCE_MEMBERS_MAX ||
           refuse(unpacking, name, _("it is one file too many"), error);
}

static gboolean entry_read(struct unpacking *unpacking, struct archive_entry *entry, GError **error)
{
    gboolean single = archive_format(unpacking->archive) == ARCHIVE_FORMAT_RAW;
    const char *path = archive_entry_pathname(entry);
    g_autofree char *name = single ? name_of_single(unpacking) : g_strdup(path);
    OrielApplianceSource *source = unpacking->source;
    struct member *member;
    guint64 size;

    if (archive_entry_filetype(entry) == AE_IFDIR) {
        return TRUE;
    }
    while (name && g_str_has_prefix(name, "./")) {
        memmove(name, name + 2, strlen(name + 2) + 1);
    }
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) ||
        archive_entry_symlink(entry)) {
        return refuse(unpacking, name, _("it is a link or a device, not a file"), error);
    }
    if (!name || !name_take(unpacking, name, error) ||
        !member_unpack(unpacking, unpacking->end, &size, error)) {
        return name != NULL ? FALSE : damaged(unpacking, error);
    }
    member = g_new0(struct member, 1);
    member->name = g_steal_pointer(&name);
    member->offset = unpacking->end;
    member->size = size;
    g_ptr_array_add(source->members, member);
    unpacking->end = (unpacking->end + size + ALIGN - 1) / ALIGN * ALIGN;
    source->single = single;
    if (single) {
        g_ptr_array_add(source->images, g_strdup(member->name));
    }
    return TRUE;
}

static gboolean entries_read(struct unpacking *unpacking, GError **error)
{
    struct archive_entry *entry;
    int result;

    while ((result = archive_read_next_header(unpacking->archive, &entry)) == ARCHIVE_OK ||
           result == ARCHIVE_WARN) {
        if (!entry_read(unpacking, entry, error)) {
            return FALSE;
        }
    }
    if (result != ARCHIVE_EOF || unpacking->source->members->len == 0) {
        return damaged(unpacking, error);
    }
    if (ftruncate(unpacking->target, (off_t)unpacking->end) != 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be unpacked"), unpacking->source->path);
        return FALSE;
    }
    return TRUE;
}

/* Only what libarchive does itself: no other program is started. */
static struct archive *reader_new(void)
{
    struct archive *archive = archive_read_new();

    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_zip(archive);
    archive_read_support_format_raw(archive);
    return archive;
}

gboolean source_archive_unpack(OrielApplianceSource *source, int scratch, GError **error)
{
    struct unpacking unpacking = { .source = source };
    struct statvfs status;
    gboolean good;

    unpacking.target = scratch >= 0 ? fcntl(scratch, F_DUPFD_CLOEXEC, 0) : -1;
    if (unpacking.target < 0 || ftruncate(unpacking.target, 0) != 0 ||
        fstatvfs(unpacking.target, &status) != 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                    _("“%s” cannot be unpacked where the machine is to be. Unpack it yourself, and "
                      "import what is inside."),
                    source->path);
        return FALSE;
    }
    unpacking.budget = (guint64)status.f_bavail * status.f_frsize;
    unpacking.budget -= MIN(unpacking.budget, SPARE);
    unpacking.archive = reader_new();
    unpacking.names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    good = lseek(source->fd, 0, SEEK_SET) == 0 &&
                   archive_read_open_fd(unpacking.archive, source->fd, READ_CHUNK) == ARCHIVE_OK
               ? entries_read(&unpacking, error)
               : damaged(&unpacking, error);
    archive_read_free(unpacking.archive);
    g_hash_table_unref(unpacking.names);
    close(source->fd); /* what was unpacked takes its place */
    source->fd = unpacking.target;
    source->unpacked = TRUE;
    return good;
}

/* --- What was unpacked before ----------------------------------------------------------------- */

#define MEMBERS_TYPE "a(aytt)"

GVariant *oriel_appliance_source_unpacked(const OrielApplianceSource *source)
{
    GVariantBuilder members;

    if (!source->unpacked) {
        return NULL;
    }
    g_variant_builder_init(&members, G_VARIANT_TYPE(MEMBERS_TYPE));
    for (guint i = 0; i < source->members->len; i++) {
        const struct member *member = source->members->pdata[i];

        g_variant_builder_add(&members, "(@aytt)", g_variant_new_bytestring(member->name),
                              member->offset, member->size);
    }
    return g_variant_new("(b@" MEMBERS_TYPE ")", source->single, g_variant_builder_end(&members));
}

/* It was another worker's to say: it is checked like the archive itself. */
static gboolean members_take(struct unpacking *unpacking, GVariant *unpacked, guint64 total,
                             GError **error)
{
    OrielApplianceSource *source = unpacking->source;
    g_autoptr(GVariantIter) iter = NULL;
    guint64 offset, size;
    const char *name;

    g_variant_get(unpacked, "(b" MEMBERS_TYPE ")", &source->single, &iter);
    while (g_variant_iter_next(iter, "(^&aytt)", &name, &offset, &size)) {
        struct member *member;

        if (!name_take(unpacking, name, error)) {
            return FALSE;
        }
        if (offset > total || size > total - offset) {
            return damaged(unpacking, error);
        }
        member = g_new0(struct member, 1);
        member->name = g_strdup(name);
        member->offset = offset;
        member->size = size;
        g_ptr_array_add(source->members, member);
        if (source->single) {
            g_ptr_array_add(source->images, g_strdup(name));
        }
    }
    return source->members->len > 0 || damaged(unpacking, error);
}

gboolean source_archive_take(OrielApplianceSource *source, int scratch, GVariant *unpacked,
                             GError **error)
{
    struct unpacking unpacking = { .source = source };
    struct stat status;
    gboolean good;

    unpacking.target = scratch >= 0 ? fcntl(scratch, F_DUPFD_CLOEXEC, 0) : -1;
    if (unpacking.target < 0 || fstat(unpacking.target, &status) != 0 ||
        !g_variant_is_of_type(unpacked, G_VARIANT_TYPE("(b" MEMBERS_TYPE ")"))) {
        return damaged(&unpacking, error);
    }
    unpacking.names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    good = members_take(&unpacking, unpacked, (guint64)status.st_size, error);
    g_hash_table_unref(unpacking.names);
    close(source->fd);
    source->fd = unpacking.target;
    source->unpacked = TRUE;
    return good;
}
