/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the user gave: an archive, a folder, a description, a disk image. The content decides; of
 * several descriptions in one place the one that says most.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "media/oriel-media-private.h"
#include "oriel-appliance-source-private.h"
#include "worker/oriel-worker.h"

enum {
    FOLDER_DEPTH = 2, /* "Virtual Hard Disks/disk.vhdx" */
};

const char *const source_places[] = { "", "Virtual Hard Disks/", "Snapshots/", NULL };

/* --- Names ------------------------------------------------------------------------------------ */

static void folder_list(GPtrArray *names, const char *folder, const char *prefix, guint depth)
{
    g_autofree char *path = g_build_filename(folder, prefix, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && names->len < SOURCE_MEMBERS_MAX && (name = g_dir_read_name(dir))) {
        g_autofree char *below = g_strconcat(prefix, name, NULL);
        g_autofree char *full = g_build_filename(folder, below, NULL);

        if (name[0] == '.' || g_file_test(full, G_FILE_TEST_IS_SYMLINK)) {
            continue;
        }
        if (g_file_test(full, G_FILE_TEST_IS_REGULAR)) {
            g_ptr_array_add(names, g_steal_pointer(&below));
        } else if (depth > 1 && g_file_test(full, G_FILE_TEST_IS_DIR)) {
            g_autofree char *deeper = g_strconcat(below, "/", NULL);

            folder_list(names, folder, deeper, depth - 1);
        }
    }
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All files of the source. */
static GPtrArray *names_list(const OrielApplianceSource *source)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < source->members->len; i++) {
        const struct member *member = source->members->pdata[i];

        g_ptr_array_add(names, g_strdup(member->name));
    }
    if (source->folder) {
        folder_list(names, source->folder, "", FOLDER_DEPTH);
        g_ptr_array_sort(names, by_name);
    }
    return names;
}

static gboolean ends_with(const char *name, const char *end)
{
    gsize n = strlen(name), m = strlen(end);

    return n > m && g_ascii_strcasecmp(name + n - m, end) == 0;
}

/* --- Descriptions ----------------------------------------------------------------------------- */

static OrielForeign format_of(OrielApplianceSource *source, const char *name)
{
    struct part part = source_part_open(source, name, NULL);
    g_autofree char *text = g_malloc(ORIEL_FOREIGN_LOOK);
    ssize_t n;

    if (part.fd < 0) {
        return ORIEL_FOREIGN_UNKNOWN;
    }
    n = pread(part.fd, text, MIN(part.size, ORIEL_FOREIGN_LOOK), (off_t)part.offset);
    close(part.fd);
    return n > 0 ? oriel_foreign_recognise(text, (gsize)n) : ORIEL_FOREIGN_UNKNOWN;
}

/* By endings, best first; what stands there must be a description, but OVF's is told by its name.
 */
static gboolean descriptor_find(OrielApplianceSource *source, const GPtrArray *names)
{
    static const char *const ends[] = { ".ovf", "config.plist", ".vmx", ".vbox", ".xml", ".conf" };

    for (gsize end = 0; end < G_N_ELEMENTS(ends); end++) {
        for (guint i = 0; i < names->len; i++) {
            const char *name = names->pdata[i];
            g_autofree char *base = g_path_get_basename(name);
            OrielForeign format = ORIEL_FOREIGN_OVF;

            if (base[0] == '.' ||
                (!ends_with(name, ends[end]) && g_ascii_strcasecmp(name, ends[end]) != 0)) {
                continue;
            }
            if (end > 0) {
                format = format_of(source, name);
            }
            if (format != ORIEL_FOREIGN_UNKNOWN) {
                source->format = format;
                source->descriptor = g_strdup(name);
                return TRUE;
            }
        }
    }
    return FALSE;
}

/* Files that belong to another one, which is an image as a whole. */
static gboolean is_extent(const char *name)
{
    return g_regex_match_simple("(-[sf]\\d{3}|-flat|-delta|-ctk)\\.vmdk$", name, G_REGEX_CASELESS,
                                0);
}

static gboolean images_find(OrielApplianceSource *source, const GPtrArray *names)
{
    static const char *const ends[] = { ".vhdx", ".avhdx", ".vhd",  ".avhd", ".qcow2",
                                        ".img",  ".raw",   ".vmdk", ".vdi" };
    gsize n = source->folder ? 4 : G_N_ELEMENTS(ends); /* a folder of anything is none of ours */

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *base = g_path_get_basename(name);

        for (gsize end = 0; end < n; end++) {
            if (base[0] != '.' && ends_with(name, ends[end]) && !is_extent(name)) {
                g_ptr_array_add(source->images, g_strdup(name));
                break;
            }
        }
    }
    return source->images->len > 0;
}

static gboolean content_find(OrielApplianceSource *source, GError **error)
{
    g_autoptr(GPtrArray) names = names_list(source);

    if (descriptor_find(source, names) || source->images->len > 0 || images_find(source, names)) {
        return TRUE;
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                _("“%s” is not an appliance: no description of a machine (.ovf, .vmx, .vbox, .xml "
                  "…) is in it."),
                source->path);
    return FALSE;
}

/* --- What the path is ------------------------------------------------------------------------- */

static gboolean refuse(const OrielApplianceSource *source, const char *problem, GError **error)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, _("“%s” cannot be imported: %s."),
                source->path, problem);
    return FALSE;
}

/* Hyper-V's description lies in a folder of its own beside that of the disks. */
static void folder_of_description(OrielApplianceSource *source)
{
    g_autofree char *folder = g_path_get_dirname(source->path);
    g_autofree char *name = g_path_get_basename(folder);

    if (strcmp(name, "Virtual Machines") == 0) {
        source->folder = g_path_get_dirname(folder);
        source->descriptor = g_strconcat(name, "/", source->title, NULL);
    } else {
        source->folder = g_steal_pointer(&folder);
        source->descriptor = g_strdup(source->title);
    }
}

/* As the description of a VMDK in pieces is, which names them. */
static gboolean is_text(const char *path)
{
    g_autofree char *folder = oriel_worker_folder_of_text(path);

    return folder != NULL;
}

static gboolean archive_find(OrielApplianceSource *source,
                             const OrielApplianceSourceOptions *options, GError **error)
{
    char magic[6] = "";

    source->fd = open(source->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (source->fd < 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be opened"), source->path);
        return FALSE;
    }
    /* A tar as it is can be read in its place. */
    if (pread(source->fd, magic, 5, 257) == 5 && strcmp(magic, "ustar") == 0) {
        return source_archive_read(source, error) && content_find(source, error);
    }
    return (options->unpacked
                ? source_archive_take(source, options->scratch, options->unpacked, error)
                : source_archive_unpack(source, options->scratch, error)) &&
           content_find(source, error);
}

static gboolean file_find(OrielApplianceSource *source, const OrielApplianceSourceOptions *options,
                          GError **error)
{
    g_autoptr(OrielMedia) media = media_look(source->path, FALSE, NULL, error);

    if (!media) {
        return FALSE;
    }
    switch (media->kind) {
    case ORIEL_MEDIA_DISK:
        source->folder = g_path_get_dirname(source->path);
        g_ptr_array_add(source->images, g_strdup(source->title));
        source->alone = !is_text(source->path);
        return TRUE;
    case ORIEL_MEDIA_OVF:
        folder_of_description(source);
        source->format = format_of(source, source->descriptor);
        return TRUE;
    case ORIEL_MEDIA_OVA:
    case ORIEL_MEDIA_ARCHIVE:
        return archive_find(source, options, error);
    case ORIEL_MEDIA_ISO:
        return refuse(source,
                      _("it is a CD image, not a machine; “orielctl create” with --cdrom makes a "
                        "machine that starts from it"),
                      error);
    case ORIEL_MEDIA_MACHINE:
        return refuse(source, _("it is a machine of Oriel already"), error);
    case ORIEL_MEDIA_KERNEL:
        return refuse(source,
                      _("it is a Linux kernel, not a machine; “orielctl create” with --kernel "
                        "makes a machine that starts it"),
                      error);
    case ORIEL_MEDIA_UNKNOWN:
        break;
    }
    return refuse(
        source,
        _("it is not an OVA archive, a disk image or a description of a machine, or it is damaged"),
        error);
}

gboolean source_find(OrielApplianceSource *source, const OrielApplianceSourceOptions *options,
                     GError **error)
{
    g_autofree char *settings = g_build_filename(source->path, "machine.json", NULL);

    source->title = g_path_get_basename(source->path);
    if (ends_with(source->title, ".ovf") && !g_file_test(source->path, G_FILE_TEST_IS_DIR)) {
        source->format = ORIEL_FOREIGN_OVF;
        folder_of_description(source);
        return TRUE;
    }
    if (g_file_test(settings, G_FILE_TEST_EXISTS)) {
        return refuse(source, _("it is a machine of Oriel already"), error);
    }
    if (g_file_test(source->path, G_FILE_TEST_IS_DIR)) {
        source->folder = g_strdup(source->path);
        return content_find(source, error);
    }
    return file_find(source, options, error);
}
