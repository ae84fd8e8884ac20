/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See chain.h. */
#include "chain.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "config/config.h"
#include "files.h"
#include "formats/formats.h"
#include "lent.h"
#include "qcow2/qcow2.h"

/* Another file of the image's folder, by plain name only. */
static char *sibling_path(const char *path, const char *name, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);

    if (strchr(name, '/') != NULL || strchr(name, '\\') != NULL || strchr(name, ':') != NULL ||
        strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || name[0] == '\0') {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” refers to “%s”, which is not a file of its own folder; this is not "
                      "followed. Put both into one folder, or convert it where it was made."),
                    path, name);
        return NULL;
    }
    return strcmp(folder, ".") == 0 && path[0] != '.' ? g_strdup(name)
                                                      : g_build_filename(folder, name, NULL);
}

/* Opens a sibling so that no link leads out of the folder. */
static int sibling_open(const struct chain_request *request, const char *path, bool read_only,
                        GError **error)
{
    g_autofree char *folder = NULL, *name = NULL;

    if (request->folder != NULL) {
        return image_file_open(request->drive, request->folder, path, read_only, error);
    }
    folder = g_path_get_dirname(path);
    name = g_path_get_basename(path);
    return image_file_open(request->drive, folder, name, read_only, error);
}

/* The same as a storage; `path` NULL: *error is set. */
static struct storage *sibling_storage(const struct chain_request *request, const char *path,
                                       bool read_only, GError **error)
{
    int fd = path == NULL ? -1 : sibling_open(request, path, read_only, error);

    return fd < 0 ? NULL : storage_file_new(fd, path, read_only, error);
}

struct opening {
    const struct chain_request *request;
    const char *path; /* of the image that asks */
    GPtrArray *files; /* names that were opened, or NULL */
};

static struct storage *extent_open(void *context, const char *name, GError **error)
{
    struct opening *opening = context;
    g_autofree char *path = sibling_path(opening->path, name, error);
    int fd = path == NULL ? -1 : sibling_open(opening->request, path, true, error);

    if (fd >= 0 && opening->files != NULL) {
        g_ptr_array_add(opening->files, g_strdup(path));
    }
    return fd < 0 ? NULL : storage_file_new(fd, path, true, error);
}

static struct image *image_from(struct opening *opening, struct storage *storage,
                                enum image_format format, bool top, GError **error)
{
    const struct chain_request *request = opening->request;

    if (format == IMAGE_VMDK) {
        return vmdk_open_files(storage, extent_open, opening, error);
    }
    if (top && request->for_repair && format == IMAGE_QCOW2) {
        return qcow2_open_for_repair(storage, error);
    }
    if (top && request->snapshot != NULL) {
        if (format != IMAGE_QCOW2) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                        _("“%s” is a %s image, which has no snapshots inside."), storage->name,
                        image_format_name(format));
            storage_free(storage);
            return NULL;
        }
        return qcow2_open(storage, request->snapshot, error);
    }
    return image_open(storage, format, error);
}

static bool backing_format(const struct chain_request *request, const struct image *image,
                           struct storage *storage, enum image_format *format, GError **error)
{
    if (image->backing_format != NULL) {
        if (image_format_parse(image->backing_format, format)) {
            return true;
        }
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” builds on an image of the format “%s”, which is not supported."),
                    image->storage->name, image->backing_format);
        return false;
    }
    if (request->follow == CHAIN_DETECT) {
        return image_detect(storage, format, error);
    }
    g_set_error(
        error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
        _("“%s” does not say which format “%s” has; import it with “orielctl disk convert”."),
        image->storage->name, image->backing_name);
    return false;
}

static bool identity_check(const struct image *image, const struct image *backing, GError **error)
{
    if (image->backing_identity == NULL || backing->identity == NULL ||
        g_ascii_strcasecmp(image->backing_identity, backing->identity) == 0) {
        return true;
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                _("“%s” does not belong to “%s”: that is another image, or was changed since. Find "
                  "the right one."),
                image->storage->name, backing->storage->name);
    return false;
}

static bool backing_attach(struct opening *opening, struct image *image, unsigned depth,
                           GError **error);

static struct image *backing_open(struct opening *opening, struct image *image, unsigned depth,
                                  GError **error)
{
    const struct chain_request *request = opening->request;
    g_autofree char *path = NULL;
    g_autoptr(GError) cause = NULL;
    struct storage *storage = lent_open(image->backing_name, &cause);
    struct opening next = { request, NULL, opening->files };
    enum image_format format;
    struct image *backing;

    if (cause != NULL) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return NULL;
    }
    if (storage != NULL) {
        path = g_strdup(image->backing_name);
    } else {
        path = sibling_path(opening->path, image->backing_name, error);
        storage = sibling_storage(request, path, !request->for_commit || depth > 0, error);
    }
    next.path = path;
    if (storage == NULL) {
        return NULL;
    }
    if (opening->files != NULL) {
        g_ptr_array_add(opening->files, g_strdup(path));
    }
    if (!backing_format(request, image, storage, &format, error)) {
        storage_free(storage);
        return NULL;
    }
    backing = image_from(&next, storage, format, false, error);
    if (backing != NULL && (!identity_check(image, backing, error) ||
                            !backing_attach(&next, backing, depth + 1, error))) {
        image_free(backing);
        return NULL;
    }
    return backing;
}

static bool backing_attach(struct opening *opening, struct image *image, unsigned depth,
                           GError **error)
{
    enum chain_follow follow = opening->request->follow;
    struct image *backing;

    if (image->backing_name == NULL || follow == CHAIN_ALONE) {
        return true;
    }
    if (follow == CHAIN_REFUSE) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is only a difference to “%s”. Allow that this is read too (--chain)."),
                    image->storage->name, image->backing_name);
        return false;
    }
    if (depth >= IMAGE_CHAIN_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” builds on more than %d images, or on itself."), opening->request->path,
                    IMAGE_CHAIN_MAX);
        return false;
    }
    backing = backing_open(opening, image, depth, error);
    if (backing != NULL) {
        image_set_backing(image, backing);
    }
    return backing != NULL;
}

static struct image *open_all(const struct chain_request *request, GPtrArray *files, GError **error)
{
    struct opening opening = { request, request->path, files };
    int fd =
        image_file_open(request->drive, request->folder, request->path, request->read_only, error);
    struct storage *storage =
        fd < 0 ? NULL : storage_file_new(fd, request->path, request->read_only, error);
    enum image_format format = request->format;
    struct image *image;

    if (storage == NULL) {
        return NULL;
    }
    if (request->detect && !image_detect(storage, &format, error)) {
        storage_free(storage);
        return NULL;
    }
    if (files != NULL) {
        g_ptr_array_add(files, g_strdup(request->path));
    }
    image = image_from(&opening, storage, format, true, error);
    if (image != NULL && !backing_attach(&opening, image, 0, error)) {
        image_free(image);
        return NULL;
    }
    return image;
}

struct image *chain_open(const struct chain_request *request, GError **error)
{
    return open_all(request, NULL, error);
}

GPtrArray *chain_files(const struct chain_request *request, GError **error)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    struct image *image = open_all(request, files, error);

    if (image == NULL) {
        g_ptr_array_unref(files);
        return NULL;
    }
    image_free(image);
    return files;
}
