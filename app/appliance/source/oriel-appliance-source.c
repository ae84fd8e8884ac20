/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-appliance-source.h. */
#include "oriel-appliance-source.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
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

/* --- Files of the source ---------------------------------------------------------------------- */

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

/* Whether disks may lie in other places than where they were named. */
static gboolean is_searched(const OrielApplianceSource *source)
{
    return source->format == ORIEL_FOREIGN_HYPER_V || source->format == ORIEL_FOREIGN_UNKNOWN;
}

static const struct member *member_locate(const OrielApplianceSource *source, const char *name)
{
    const struct member *member = member_find(source, name);
    g_autofree char *base = g_path_get_basename(name);

    for (guint i = 0; !member && is_searched(source) && i < source->members->len; i++) {
        const struct member *other = source->members->pdata[i];
        g_autofree char *other_base = g_path_get_basename(other->name);

        member = g_ascii_strcasecmp(base, other_base) == 0 ? other : NULL;
    }
    return member;
}

static gboolean is_file(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    struct stat status;

    return lstat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* The folder in which a file lies and, in *place, its name there (g_free()); NULL: in none. */
static const char *folder_locate(const OrielApplianceSource *source, const char *name, char **place)
{
    g_autofree char *base = g_path_get_basename(name);

    *place = g_strdup(name);
    if ((!source->alone || strcmp(name, source->title) == 0) && is_file(source->folder, name)) {
        return source->folder;
    }
    for (guint i = 0; is_searched(source) && !source->alone && source_places[i]; i++) {
        g_free(*place);
        *place = g_strconcat(source_places[i], base, NULL);
        if (is_file(source->folder, *place)) {
            return source->folder;
        }
    }
    g_free(*place);
    *place = g_steal_pointer(&base);
    return source->disks && is_file(source->disks, *place) ? source->disks : NULL;
}

char *source_name_in_folder(const OrielApplianceSource *source, const char *name)
{
    g_autofree char *place = NULL;

    return folder_locate(source, name, &place) == source->folder ? g_steal_pointer(&place) : NULL;
}

gboolean source_has(OrielApplianceSource *source, const char *name)
{
    g_autofree char *place = NULL;

    return source->folder ? folder_locate(source, name, &place) != NULL
                          : member_locate(source, name) != NULL;
}

static struct part folder_part_open(OrielApplianceSource *source, const char *name, GError **error)
{
    g_autofree char *place = NULL;
    const char *folder = folder_locate(source, name, &place);
    struct part part = { .fd = -1 };
    struct stat status;

    part.fd =
        image_file_open(NULL, folder ? folder : source->folder, folder ? place : name, true, error);
    if (part.fd >= 0 && (fstat(part.fd, &status) != 0 || !S_ISREG(status.st_mode))) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” of the appliance is not a file."), name);
        close(part.fd);
        part.fd = -1;
    }
    part.size = part.fd >= 0 ? (guint64)status.st_size : 0;
    return part;
}

struct part source_part_open(OrielApplianceSource *source, const char *name, GError **error)
{
    const struct member *member = source->folder ? NULL : member_locate(source, name);
    struct part part = { .fd = -1 };

    if (source->folder) {
        return folder_part_open(source, name, error);
    }
    if (member) {
        part.fd = fcntl(source->fd, F_DUPFD_CLOEXEC, 0);
        part.offset = member->offset;
        part.size = member->size;
    } else {
        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
            _("The appliance “%s” lacks its file “%s”. Get it again from where it was made."),
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
                    _("The appliance “%s” is refused: “%s” in it is too large for a description."),
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
            oriel_error_set_errno(error, n < 0 ? errno : EIO, _("“%s” cannot be read"), name);
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

/* --- Opening ---------------------------------------------------------------------------------- */

/* An OVF's description with its manifest. */
static gboolean manifest_read(OrielApplianceSource *source, GError **error)
{
    g_autofree char *stem = g_strndup(source->descriptor, strlen(source->descriptor) - 4);
    g_autofree char *manifest = g_strconcat(stem, ".mf", NULL);
    g_autofree char *certificate = g_strconcat(stem, ".cert", NULL);

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
    return TRUE;
}

static gboolean descriptor_read(OrielApplianceSource *source, GError **error)
{
    const char *slash = source->descriptor ? strrchr(source->descriptor, '/') : NULL;

    /* Hyper-V's lies beside its disks' folder. */
    source->base = g_strndup(source->descriptor ? source->descriptor : "",
                             slash && source->format != ORIEL_FOREIGN_HYPER_V
                                 ? (gsize)(slash - source->descriptor) + 1
                                 : 0);
    if (!source->descriptor) {
        return TRUE;
    }
    if (source->format == ORIEL_FOREIGN_OVF && !manifest_read(source, error)) {
        return FALSE;
    }
    source->text =
        source_text_read(source, source->descriptor, ORIEL_OVF_BYTES_MAX, &source->length, error);
    return source->text != NULL;
}

OrielApplianceSource *oriel_appliance_source_open(const char *path,
                                                  const OrielApplianceSourceOptions *options,
                                                  GError **error)
{
    g_autoptr(OrielApplianceSource) source = g_new0(OrielApplianceSource, 1);

    source->fd = -1;
    source->path = g_canonicalize_filename(path, NULL);
    source->disks = options->disks ? g_canonicalize_filename(options->disks, NULL) : NULL;
    source->members = g_ptr_array_new_with_free_func(member_free);
    source->images = g_ptr_array_new_with_free_func(g_free);
    if (!source_find(source, options, error) || !descriptor_read(source, error)) {
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
    g_ptr_array_unref(source->images);
    g_free(source->disks);
    g_free(source->title);
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
    /* A bundle is called by its own name, and so is what has no description. */
    return source->descriptor && source->format != ORIEL_FOREIGN_UTM ? source->descriptor
                                                                     : source->title;
}

OrielForeign oriel_appliance_source_format(const OrielApplianceSource *source)
{
    return source->format;
}

const GPtrArray *oriel_appliance_source_images(const OrielApplianceSource *source)
{
    return source->images;
}

gboolean oriel_appliance_source_has_manifest(const OrielApplianceSource *source)
{
    return source->digests != NULL;
}

gboolean oriel_appliance_source_is_signed(const OrielApplianceSource *source)
{
    return source->is_signed;
}
