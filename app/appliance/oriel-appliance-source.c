/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-appliance-source.h. */
#include "oriel-appliance-source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/files.h"
#include "config/config.h"
#include "oriel-appliance-source-private.h"

static void member_free(gpointer data)
{
    struct member *member = data;

    g_free(member->name);
    g_free(member);
}

/* --- Files of the source ------------------------------------------------------------------------
 */

/* In an archive also where only the case differs. */
static const struct member *member_find(const OrielApplianceSource *source, const char *name)
{
    for (guint pass = 0; pass < 2; pass++) {
        for (guint i = 0; i < source->members->len; i++) {
            const struct member *member = source->members->pdata[i];

            if (pass == 0 ? strcmp(member->name, name) == 0
                          : g_ascii_strcasecmp(member->name, name) == 0) {
                return member;
            }
        }
    }
    return NULL;
}

gboolean source_has(OrielApplianceSource *source, const char *name)
{
    g_autofree char *path = source->folder ? g_build_filename(source->folder, name, NULL) : NULL;
    struct stat status;

    return path ? lstat(path, &status) == 0 && S_ISREG(status.st_mode)
                : member_find(source, name) != NULL;
}

struct part source_part_open(OrielApplianceSource *source, const char *name, GError **error)
{
    const struct member *member = source->folder ? NULL : member_find(source, name);
    struct part part = { .fd = -1 };
    struct stat status;

    if (source->folder) {
        part.fd = image_file_open(NULL, source->folder, name, true, error);
        if (part.fd >= 0 && (fstat(part.fd, &status) != 0 || !S_ISREG(status.st_mode))) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                        "“%s” of the appliance is no file.", name);
            close(part.fd);
            part.fd = -1;
        }
        part.size = part.fd >= 0 ? (guint64)status.st_size : 0;
    } else if (member) {
        part.fd = fcntl(source->fd, F_DUPFD_CLOEXEC, 0);
        part.offset = member->offset;
        part.size = member->size;
    } else {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    "The appliance “%s” lacks its file “%s”. Get it again from where it was made.",
                    source->path, name);
    }
    return part;
}

char *source_text_read(OrielApplianceSource *source, const char *name, guint64 maximum,
                       gsize *length, GError **error)
{
    struct part part = source_part_open(source, name, error);
    g_autofree char *text = NULL;
    gsize done = 0;

    if (part.fd < 0) {
        return NULL;
    }
    if (part.size > maximum) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "The appliance “%s” is refused: “%s” in it is too large for a description.",
                    source->path, name);
        close(part.fd);
        return NULL;
    }
    text = g_malloc(part.size + 1);
    while (done < part.size) {
        ssize_t n = pread(part.fd, text + done, part.size - done, (off_t)(part.offset + done));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            oriel_error_set_errno(error, n < 0 ? errno : EIO, "“%s” cannot be read", name);
            close(part.fd);
            return NULL;
        }
        done += (gsize)n;
    }
    close(part.fd);
    text[done] = '\0';
    *length = done;
    return g_steal_pointer(&text);
}

/* --- Opening ------------------------------------------------------------------------------------
 */

static gboolean is_descriptor(const char *name)
{
    g_autofree char *base = g_path_get_basename(name);
    gsize n = strlen(base);

    return n > 4 && base[0] != '.' && g_ascii_strcasecmp(base + n - 4, ".ovf") == 0;
}

static char *descriptor_in_archive(const OrielApplianceSource *source)
{
    for (guint i = 0; i < source->members->len; i++) {
        const struct member *member = source->members->pdata[i];

        if (is_descriptor(member->name)) {
            return g_strdup(member->name);
        }
    }
    return NULL;
}

static char *descriptor_in_folder(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (is_descriptor(name)) {
            return g_strdup(name);
        }
    }
    return NULL;
}

/* The folder itself, or that of an OVF; or the archive is opened and listed. */
static gboolean place_open(OrielApplianceSource *source, GError **error)
{
    if (g_file_test(source->path, G_FILE_TEST_IS_DIR)) {
        source->folder = g_strdup(source->path);
        source->descriptor = descriptor_in_folder(source->folder);
    } else if (is_descriptor(source->path)) {
        source->folder = g_path_get_dirname(source->path);
        source->descriptor = g_path_get_basename(source->path);
    } else {
        source->fd = open(source->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (source->fd < 0) {
            oriel_error_set_errno(error, errno, "“%s” cannot be opened", source->path);
            return FALSE;
        }
        if (!source_archive_read(source, error)) {
            return FALSE;
        }
        source->descriptor = descriptor_in_archive(source);
    }
    if (!source->descriptor) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "“%s” is no appliance: no description (.ovf) is in it.", source->path);
    }
    return source->descriptor != NULL;
}

static gboolean descriptor_read(OrielApplianceSource *source, GError **error)
{
    g_autofree char *stem = g_strndup(source->descriptor, strlen(source->descriptor) - 4);
    g_autofree char *manifest = g_strconcat(stem, ".mf", NULL);
    g_autofree char *certificate = g_strconcat(stem, ".cert", NULL);
    const char *slash = strrchr(source->descriptor, '/');

    source->base =
        g_strndup(source->descriptor, slash ? (gsize)(slash - source->descriptor) + 1 : 0);
    source->is_signed = source_has(source, certificate);
    if (source_has(source, manifest)) {
        gsize length;
        g_autofree char *text =
            source_text_read(source, manifest, SOURCE_MANIFEST_MAX, &length, error);

        if (!text) {
            return FALSE;
        }
        source_manifest_read(source, text);
    }
    source->text =
        source_text_read(source, source->descriptor, ORIEL_OVF_BYTES_MAX, &source->length, error);
    return source->text != NULL;
}

OrielApplianceSource *oriel_appliance_source_open(const char *path, GError **error)
{
    g_autoptr(OrielApplianceSource) source = g_new0(OrielApplianceSource, 1);

    source->fd = -1;
    source->path = g_canonicalize_filename(path, NULL);
    source->members = g_ptr_array_new_with_free_func(member_free);
    if (!place_open(source, error) || !descriptor_read(source, error)) {
        return NULL;
    }
    return g_steal_pointer(&source);
}

void oriel_appliance_source_free(OrielApplianceSource *source)
{
    if (!source) {
        return;
    }
    if (source->fd >= 0) {
        close(source->fd);
    }
    if (source->digests) {
        g_hash_table_unref(source->digests);
    }
    g_ptr_array_unref(source->members);
    g_free(source->path);
    g_free(source->folder);
    g_free(source->base);
    g_free(source->descriptor);
    g_free(source->text);
    g_free(source);
}

const char *oriel_appliance_source_text(const OrielApplianceSource *source, gsize *length)
{
    *length = source->length;
    return source->text;
}

const char *oriel_appliance_source_name(const OrielApplianceSource *source)
{
    return source->descriptor;
}

gboolean oriel_appliance_source_has_manifest(const OrielApplianceSource *source)
{
    return source->digests != NULL;
}

gboolean oriel_appliance_source_is_signed(const OrielApplianceSource *source)
{
    return source->is_signed;
}
