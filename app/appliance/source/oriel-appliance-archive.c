/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The members of an OVA: libarchive lists them, their content is read in its place. */
#include <archive.h>
#include <archive_entry.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "oriel-appliance-source-private.h"

enum {
    READ_CHUNK = 64 << 10,
    TAR_BLOCK = 512,
};

static gboolean invalid(OrielApplianceSource *source, const char *member, const char *problem,
                        GError **error)
{
    g_autofree char *name = g_utf8_make_valid(member ? member : "?", -1);

    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                _("The appliance “%s” is refused because of “%.200s” in it: %s."), source->path,
                name, problem);
    return FALSE;
}

/* Names that stay where they are. */
gboolean source_name_safe(const char *name)
{
    g_auto(GStrv) segments = g_strsplit(name, "/", -1);

    for (const char *at = name; *at; at++) {
        if (g_ascii_iscntrl(*at) || *at == '\\') {
            return FALSE;
        }
    }
    return name[0] && name[0] != '/' && strlen(name) <= SOURCE_NAME_MAX &&
           g_utf8_validate(name, -1, NULL) && !g_strv_contains((const char *const *)segments, "..");
}

static gboolean is_known(OrielApplianceSource *source, GHashTable *names, const char *name)
{
    g_autofree char *folded = g_utf8_casefold(name, -1);

    return !g_hash_table_add(names, g_steal_pointer(&folded));
}

static gboolean member_add(OrielApplianceSource *source, struct archive *archive,
                           struct archive_entry *entry, GHashTable *names, guint64 total,
                           GError **error)
{
    const char *name = archive_entry_pathname(entry);
    gint64 size = archive_entry_size(entry), offset = archive_filter_bytes(archive, 0);
    struct member *member;

    if (archive_entry_filetype(entry) == AE_IFDIR) {
        return TRUE;
    }
    while (name && g_str_has_prefix(name, "./")) {
        name += 2;
    }
    if (!name || !source_name_safe(name)) {
        return invalid(source, name, _("its name leads out of the appliance"), error);
    }
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) ||
        archive_entry_symlink(entry)) {
        return invalid(source, name, _("it is a link or a device, not a file"), error);
    }
    if (archive_entry_sparse_count(entry) > 0) {
        return invalid(source, name, _("it is stored with holes; unpack it and import the .ovf"),
                       error);
    }
    if (source->members->len >= SOURCE_MEMBERS_MAX) {
        return invalid(source, name, _("it is one file too many"), error);
    }
    if (is_known(source, names, name)) {
        return invalid(source, name, _("it is there twice"), error);
    }
    if (size < 0 || offset < TAR_BLOCK || offset % TAR_BLOCK != 0 || (guint64)offset > total ||
        (guint64)size > total - (guint64)offset) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                    _("The appliance “%s” is cut short inside “%s”: get it again, the download is "
                      "not complete."),
                    source->path, name);
        return FALSE;
    }
    member = g_new0(struct member, 1);
    member->name = g_strdup(name);
    member->offset = (guint64)offset;
    member->size = (guint64)size;
    g_ptr_array_add(source->members, member);
    return TRUE;
}

static gboolean members_read(OrielApplianceSource *source, struct archive *archive, guint64 total,
                             GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    struct archive_entry *entry;
    int result;

    while ((result = archive_read_next_header(archive, &entry)) == ARCHIVE_OK ||
           result == ARCHIVE_WARN) {
        if (!member_add(source, archive, entry, names, total, error)) {
            return FALSE;
        }
    }
    if (result == ARCHIVE_EOF && source->members->len > 0) {
        return TRUE;
    }
    g_set_error(
        error, ORIEL_ERROR, source->members->len ? ORIEL_ERROR_CORRUPT : ORIEL_ERROR_INVALID,
        source->members->len
            ? _("The appliance “%s” is damaged or cut short; get it again.")
            : _("“%s” is not an OVA archive. If it is packed (zip, gz, xz), unpack it first."),
        source->path);
    return FALSE;
}

gboolean source_archive_read(OrielApplianceSource *source, GError **error)
{
    struct archive *archive = archive_read_new();
    struct stat status;
    gboolean good = FALSE;

    archive_read_support_format_tar(archive);
    if (fstat(source->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, _("“%s” is not a file."),
                    source->path);
    } else if (lseek(source->fd, 0, SEEK_SET) != 0 ||
               archive_read_open_fd(archive, source->fd, READ_CHUNK) != ARCHIVE_OK) {
        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
            _("“%s” is not an OVA archive. If it is packed (zip, gz, xz), unpack it first."),
            source->path);
    } else {
        good = members_read(source, archive, (guint64)status.st_size, error);
    }
    archive_read_free(archive);
    return good;
}
