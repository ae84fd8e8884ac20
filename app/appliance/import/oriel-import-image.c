/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Disks of appliances: opening them with all that they are made of. An OVF's disk is one file.
 * Disks of other programs may consist of several, or be differences to others: those are read too,
 * but only from the appliance itself (oriel-appliance-source.h).
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "block/formats/formats.h"
#include "config/config.h"
#include "oriel-import-private.h"

enum {
    EXTENTS_MAX = 1 << 22, /* 256 GiB in pieces of 64 KiB */
};

/* An image that is being opened, with those below it. */
struct opening {
    OrielImport *import;
    const OrielOvfFile *file; /* of the image that asks for others */
    const char *scratch;
    guint64 limit; /* bytes that its file may have when it is unpacked */
    GCancellable *cancellable;
    guint depth;
};

/* `name` in the folder of the file that asks. */
static char *beside(const struct opening *opening, const char *name)
{
    const char *slash = strrchr(opening->file->href, '/');

    return slash ? g_strdup_printf("%.*s/%s", (int)(slash - opening->file->href),
                                   opening->file->href, name)
                 : g_strdup(name);
}

/* The last part of a path of any system. */
static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/'), *back = strrchr(path, '\\');
    const char *last = slash && (!back || slash > back) ? slash : back;

    return last ? last + 1 : path;
}

static struct storage *extent_open(void *context, const char *name, GError **error)
{
    const struct opening *opening = context;
    g_autofree char *href = beside(opening, name);
    const OrielOvfFile file = { .href = href };

    return oriel_appliance_source_storage(opening->import->source, &file, opening->scratch,
                                          opening->limit, opening->cancellable, error);
}

/* The image alone, without what it is a difference to. */
static struct image *top_open(struct opening *opening, const char *format_name, GError **error)
{
    gboolean several = oriel_appliance_source_format(opening->import->source) != ORIEL_FOREIGN_OVF;
    struct storage *storage =
        oriel_appliance_source_storage(opening->import->source, opening->file, opening->scratch,
                                       opening->limit, opening->cancellable, error);
    enum image_format format;

    if (!storage) {
        return NULL;
    }
    if (!(format_name && image_format_parse(format_name, &format)) &&
        !image_detect(storage, &format, error)) {
        storage_free(storage);
        return NULL;
    }
    return several && format == IMAGE_VMDK ? vmdk_open_files(storage, extent_open, opening, error)
                                           : image_open(storage, format, error);
}

static gboolean refuse(struct image *image, const OrielOvfFile *file, const char *problem,
                       GError **error)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                _("The disk “%s” of the appliance cannot be used: %s."), file->href, problem);
    image_free(image);
    return FALSE;
}

static struct image *chain_open_from(struct opening *opening, const char *format, GError **error);

static gboolean backing_attach(struct opening *opening, struct image *image, GError **error)
{
    OrielImport *import = opening->import;
    const OrielOvfFile *parent = oriel_appliance_file(import->appliance, opening->file->parent);
    g_autofree char *href = beside(opening, last_part(image->backing_name));
    const OrielOvfFile named = { .href = href, .outside = image->backing_name };
    struct opening next = *opening;
    struct image *backing;

    next.file = parent ? parent : &named;
    next.depth++;
    backing = chain_open_from(&next, image->backing_format, error);
    if (!backing) {
        return FALSE;
    }
    if (image->backing_identity && backing->identity &&
        g_ascii_strcasecmp(image->backing_identity, backing->identity) != 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” does not belong to “%s”: that is another image, or was changed since."),
                    opening->file->href, next.file->href);
        image_free(backing);
        return FALSE;
    }
    image_set_backing(image, backing);
    return TRUE;
}

static struct image *chain_open_from(struct opening *opening, const char *format, GError **error)
{
    struct image *image = top_open(opening, format, error);

    if (!image || !image->backing_name) {
        return image;
    }
    if (oriel_appliance_source_format(opening->import->source) == ORIEL_FOREIGN_OVF) {
        refuse(image, opening->file,
               _("it is only a difference to another file. Export it again as a whole"), error);
        return NULL;
    }
    if (opening->depth >= IMAGE_CHAIN_MAX) {
        refuse(image, opening->file, _("it builds on too many others, or on itself"), error);
        return NULL;
    }
    if (!backing_attach(opening, image, error)) {
        image_free(image);
        return NULL;
    }
    return image;
}

struct image *import_image_open(OrielImport *import, const struct import_drive *drive,
                                const char *scratch, GCancellable *cancellable, GError **error)
{
    struct opening opening = {
        .import = import,
        .file = drive->file,
        .scratch = scratch,
        .limit = (drive->capacity ? drive->capacity : IMPORT_DISK_MAX) + IMPORT_SPARE,
        .cancellable = cancellable,
    };
    struct image *image = chain_open_from(&opening, NULL, error);

    if (image && (image->size > IMPORT_DISK_MAX || image->size == 0)) {
        refuse(image, drive->file, _("it has no size that a disk can have"), error);
        return NULL;
    }
    return image;
}

char *import_image_parent(OrielImport *import, const OrielOvfFile *file, GError **error)
{
    struct opening opening = { .import = import, .file = file, .limit = IMPORT_DISK_MAX };
    struct image *image = top_open(&opening, NULL, error);
    char *parent = image && image->backing_name ? g_strdup(last_part(image->backing_name)) : NULL;

    image_free(image);
    return parent;
}

guint64 import_image_data(struct image *image)
{
    guint64 offset = 0, data = 0;

    for (guint i = 0; offset < image->size; i++) {
        enum image_kind kind;
        uint64_t known;

        if (i == EXTENTS_MAX ||
            image_status(image, offset, image->size - offset, &kind, &known) != 0) {
            return data + (image->size - offset); /* not worth more looking */
        }
        data += kind == IMAGE_DATA ? known : 0;
        offset += known;
    }
    return data;
}
