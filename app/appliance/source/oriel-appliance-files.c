/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The content of declared files: names, chunks, compression, manifest. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "config/config.h"
#include "oriel-appliance-source-private.h"
#include "appliance/export/oriel-export-private.h"
#include "appliance/oriel-digest.h"

enum {
    CHUNK = 1 << 20,
};

/* --- Names ------------------------------------------------------------------------------------ */

/* The name in the source, or NULL: confined to the folder of the description. */
static char *name_of(OrielApplianceSource *source, const OrielOvfFile *file, GError **error)
{
    const char *href = file->href;
    g_auto(GStrv) segments = NULL;

    while (g_str_has_prefix(href, "./")) {
        href += 2;
    }
    segments = g_strsplit(href, "/", -1);
    if (!*href || *href == '/' || strlen(href) > SOURCE_NAME_MAX || strchr(href, '\\') ||
        g_uri_peek_scheme(href) || g_strv_contains((const char *const *)segments, "..")) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("The appliance “%s” is refused: it refers to “%s”, which is not one of its "
                      "own files."),
                    source->path, file->href);
        return NULL;
    }
    g_autofree char *name = g_strconcat(source->base, href, NULL);

    if (file->outside && !source_has(source, name)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    _("“%s” needs “%s”, which is not a part of it. Say in which folder it may be "
                      "read with --disks."),
                    source->path, file->outside);
        return NULL;
    }
    return g_steal_pointer(&name);
}

/* The names of its pieces, in order; one if it is whole. */
static GPtrArray *names_of(OrielApplianceSource *source, const OrielOvfFile *file, GError **error)
{
    g_autofree char *name = name_of(source, file, error);
    GPtrArray *names;

    if (!name) {
        return NULL;
    }
    names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < SOURCE_MEMBERS_MAX && (i > 0 || !source_has(source, name)); i++) {
        g_autofree char *piece = g_strdup_printf("%s.%09u", name, i);

        if (!source_has(source, piece)) {
            break;
        }
        g_ptr_array_add(names, g_steal_pointer(&piece));
    }
    if (names->len == 0) {
        g_ptr_array_add(names, g_steal_pointer(&name));
    }
    return names;
}

/* Pieces that follow each other: all but the last have the size that was declared. */
static gboolean sizes_of(OrielApplianceSource *source, const OrielOvfFile *file, GPtrArray *names,
                         guint64 *total, GError **error)
{
    *total = 0;
    for (guint i = 0; i < names->len; i++) {
        struct part part = source_part_open(source, names->pdata[i], error);

        if (part.fd < 0) {
            return FALSE;
        }
        close(part.fd);
        if (names->len > 1 && file->chunk_size && i + 1 < names->len &&
            part.size != file->chunk_size) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                        _("The appliance “%s” is damaged: “%s” has another size than was declared. "
                          "Get it again."),
                        source->path, (const char *)names->pdata[i]);
            return FALSE;
        }
        *total += part.size;
    }
    if (names->len > 1 && file->size && *total < file->size) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                    _("The appliance “%s” lacks a piece of “%s”. Get it again."), source->path,
                    file->href);
        return FALSE;
    }
    return TRUE;
}

gboolean oriel_appliance_source_size(OrielApplianceSource *source, const OrielOvfFile *file,
                                     guint64 *size, GError **error)
{
    g_autoptr(GPtrArray) names = names_of(source, file, error);

    return names && sizes_of(source, file, names, size, error);
}

gboolean oriel_appliance_source_is_plain(OrielApplianceSource *source, const OrielOvfFile *file)
{
    g_autoptr(GPtrArray) names = names_of(source, file, NULL);

    return names && names->len == 1 && !file->gzip;
}

gboolean oriel_appliance_source_place(OrielApplianceSource *source, const OrielOvfFile *file,
                                      char **name, guint64 *offset, guint64 *size)
{
    g_autoptr(GPtrArray) names = names_of(source, file, NULL);
    struct part part = { .fd = -1 };

    if (!names || names->len != 1 || file->gzip) {
        return FALSE;
    }
    part = source_part_open(source, names->pdata[0], NULL);
    if (part.fd < 0) {
        return FALSE;
    }
    close(part.fd);
    *name = source->folder ? source_name_in_folder(source, names->pdata[0]) : g_strdup("");
    *offset = part.offset;
    *size = part.size;
    return *name != NULL;
}

/* --- Putting together, unpacking -------------------------------------------------------------- */

struct assembly {
    OrielApplianceSource *source;
    const OrielOvfFile *file;
    GCancellable *cancellable;
    int target;
    guint64 written, limit;
    gboolean gzip, ended;
    z_stream stream;
    guint8 *unpacked; /* CHUNK bytes */
};

static gboolean write_all(struct assembly *a, const guint8 *bytes, gsize n, GError **error)
{
    if (n > a->limit - a->written) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("The appliance “%s” is refused: “%s” in it is much larger than the disk that "
                      "it is said to hold."),
                    a->source->path, a->file->href);
        return FALSE;
    }
    while (n > 0) {
        ssize_t done = write(a->target, bytes, n);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            oriel_error_set_errno(error, done < 0 ? errno : EIO, _("“%s” cannot be unpacked"),
                                  a->file->href);
            return FALSE;
        }
        bytes += done;
        n -= (gsize)done;
        a->written += (guint64)done;
    }
    return TRUE;
}

static gboolean damaged(struct assembly *a, GError **error)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                _("The appliance “%s” is damaged: “%s” cannot be unpacked. Get it again."),
                a->source->path, a->file->href);
    return FALSE;
}

static gboolean unpack(struct assembly *a, guint8 *bytes, gsize n, GError **error)
{
    a->stream.next_in = bytes;
    a->stream.avail_in = (uInt)n;
    while (a->stream.avail_in > 0 || a->stream.avail_out == 0) {
        int result;

        if (a->ended) {
            if (a->stream.avail_in == 0) {
                break;
            }
            a->ended = inflateReset(&a->stream) != Z_OK; /* another one behind it */
        }
        a->stream.next_out = a->unpacked;
        a->stream.avail_out = CHUNK;
        result = inflate(&a->stream, Z_NO_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
            return damaged(a, error);
        }
        a->ended = result == Z_STREAM_END;
        if (!write_all(a, a->unpacked, CHUNK - a->stream.avail_out, error)) {
            return FALSE;
        }
        if (result == Z_BUF_ERROR) {
            break;
        }
    }
    return TRUE;
}

static gboolean piece_append(struct assembly *a, const char *name, guint8 *bytes, GError **error)
{
    struct part part = source_part_open(a->source, name, error);
    gboolean good = part.fd >= 0;

    for (guint64 at = 0; good && at < part.size;) {
        ssize_t n = pread(part.fd, bytes, MIN(part.size - at, CHUNK), (off_t)(part.offset + at));

        if (n <= 0) {
            good = damaged(a, error);
        } else if (g_cancellable_set_error_if_cancelled(a->cancellable, error)) {
            good = FALSE;
        } else {
            good =
                a->gzip ? unpack(a, bytes, (gsize)n, error) : write_all(a, bytes, (gsize)n, error);
            at += (guint64)n;
        }
    }
    if (part.fd >= 0) {
        close(part.fd);
    }
    return good;
}

static gboolean assemble(struct assembly *a, GPtrArray *names, GError **error)
{
    g_autofree guint8 *bytes = g_malloc(CHUNK);
    g_autofree guint8 *unpacked = g_malloc(CHUNK);
    gboolean good = TRUE;

    a->unpacked = unpacked;
    if (a->gzip && inflateInit2(&a->stream, 15 + 16) != Z_OK) { /* 16: with gzip's header */
        return damaged(a, error);
    }
    for (guint i = 0; i < names->len && good; i++) {
        good = piece_append(a, names->pdata[i], bytes, error);
    }
    if (good && a->gzip && !a->ended) {
        good = damaged(a, error);
    }
    if (a->gzip) {
        inflateEnd(&a->stream);
    }
    return good;
}

static struct storage *assembled_storage(OrielApplianceSource *source, const OrielOvfFile *file,
                                         GPtrArray *names, struct assembly *a, GError **error)
{
    if (!assemble(a, names, error)) {
        close(a->target);
        return NULL;
    }
    return storage_file_new(a->target, file->href, true, error);
}

struct storage *oriel_appliance_source_storage(OrielApplianceSource *source,
                                               const OrielOvfFile *file, const char *scratch,
                                               guint64 limit, GCancellable *cancellable,
                                               GError **error)
{
    g_autoptr(GPtrArray) names = names_of(source, file, error);
    struct assembly a = { source, file, cancellable, -1, 0, limit, file->gzip };
    struct storage *storage = NULL;
    guint64 total;

    if (!names || !sizes_of(source, file, names, &total, error)) {
        return NULL;
    }
    if (names->len == 1 && !file->gzip) {
        struct part part = source_part_open(source, names->pdata[0], error);
        const ExportSlice slice = { .offset = part.offset, .size = part.size };

        if (part.fd >= 0 && part.size > 0) {
            storage = export_slice_new(part.fd, file->href, &slice, error);
        } else if (part.fd >= 0) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                        _("The appliance “%s” is damaged: “%s” is empty. Get it again."),
                        source->path, file->href);
        }
        if (part.fd >= 0) {
            close(part.fd);
        }
        return storage;
    }
    a.target = open(scratch, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (a.target < 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be unpacked in “%s”"), file->href,
                              scratch);
        return NULL;
    }
    if (!file->gzip) {
        a.limit = total;
    }
    return assembled_storage(source, file, names, &a, error);
}

/* --- Manifest --------------------------------------------------------------------------------- */

void source_manifest_read(OrielApplianceSource *source, const char *text)
{
    g_autoptr(GRegex) line = g_regex_new(
        "^\\s*(SHA1|SHA256|SHA384|SHA512)\\s*\\(([^\\r\\n]*)\\)\\s*=\\s*([0-9A-Fa-f]{40,128})\\s*$",
        G_REGEX_MULTILINE | G_REGEX_RAW | G_REGEX_CASELESS, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    source->digests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_regex_match(line, text, 0, &match);
    while (g_match_info_matches(match)) {
        g_autofree char *kind = g_match_info_fetch(match, 1);
        g_autofree char *name = g_match_info_fetch(match, 2);
        g_autofree char *digest = g_match_info_fetch(match, 3);

        g_hash_table_insert(source->digests, g_strconcat(source->base, name, NULL),
                            g_strdup_printf("%s %s", kind, digest));
        g_match_info_next(match, NULL);
    }
}

gboolean source_part_verify(OrielApplianceSource *source, const char *name,
                            GCancellable *cancellable, GError **error)
{
    const char *line = source->digests ? g_hash_table_lookup(source->digests, name) : NULL;
    g_auto(GStrv) words = line ? g_strsplit(line, " ", 2) : NULL;
    g_autoptr(OrielDigest) digest = line ? oriel_digest_new(words[0]) : NULL;
    g_autofree guint8 *bytes = line ? g_malloc(CHUNK) : NULL;
    g_autofree char *found = NULL;
    struct part part = { .fd = -1 };

    if (!line) {
        return TRUE;
    }
    part = source_part_open(source, name, error);
    if (part.fd < 0) {
        return FALSE;
    }
    for (guint64 at = 0; at < part.size;) {
        ssize_t n = pread(part.fd, bytes, MIN(part.size - at, CHUNK), (off_t)(part.offset + at));

        if (n <= 0 || g_cancellable_is_cancelled(cancellable)) {
            break;
        }
        oriel_digest_update(digest, bytes, (gsize)n);
        at += (guint64)n;
    }
    close(part.fd);
    if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
        return FALSE;
    }
    found = oriel_digest_finish(digest);
    if (g_ascii_strcasecmp(words[1], found) == 0) {
        return TRUE;
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                _("“%s” is not what the appliance’s manifest says: the download is not complete, "
                  "or it was changed. Get it again, or import it all the same: “Import Despite "
                  "Differences” in the window, --ignore-manifest in a terminal."),
                name);
    return FALSE;
}

gboolean oriel_appliance_source_verify(OrielApplianceSource *source, const OrielOvfFile *file,
                                       GCancellable *cancellable, GError **error)
{
    g_autoptr(GPtrArray) names =
        file ? names_of(source, file, error) : g_ptr_array_new_with_free_func(g_free);

    if (names && !file) {
        g_ptr_array_add(names, g_strdup(source->descriptor));
    }
    for (guint i = 0; names && i < names->len; i++) {
        if (!source_part_verify(source, names->pdata[i], cancellable, error)) {
            return FALSE;
        }
    }
    return names != NULL;
}
