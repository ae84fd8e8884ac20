/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening and closing what lies in a drive. See medium.h. */
#include "medium.h"

#include "block/chain.h"
#include "config/config.h"
#include "drive.h"
#include "block/files.h"
#include "block/formats/formats.h"

static struct image *optical_open(const char *what, const char *folder, const char *path,
                                  GError **error)
{
    int fd = image_file_open(what, folder, path, true, error);
    struct storage *storage = fd < 0 ? NULL : storage_file_new(fd, path, true, error);

    if (storage == NULL) {
        return NULL;
    }
    if (storage_size(storage) > 0 && !iso_check(fd, path, storage_size(storage), error)) {
        storage_free(storage);
        return NULL;
    }
    return image_raw_open(storage, OPTICAL_SECTOR, error);
}

struct medium *medium_open(const char *what, const char *folder, const char *path,
                           enum image_format format, bool optical, bool read_only, GError **error)
{
    const struct chain_request request = {
        .drive = what,
        .folder = path[0] == '/' && optical ? NULL : folder,
        .path = path,
        .format = format,
        .read_only = read_only,
        .follow = CHAIN_STATED,
    };
    struct image *image =
        optical ? optical_open(what, request.folder, path, error) : chain_open(&request, error);
    struct medium *medium;

    if (image == NULL) {
        return NULL;
    }
    medium = g_new0(struct medium, 1);
    medium->references = 1;
    medium->path = g_strdup(path);
    medium->image = image;
    medium->optical = optical;
    medium->read_only = read_only;
    medium->discard = !read_only && image->storage->releases;
    return medium;
}

struct medium *medium_ref(struct medium *medium)
{
    g_atomic_int_inc(&medium->references);
    return medium;
}

void medium_unref(struct medium *medium)
{
    if (!g_atomic_int_dec_and_test(&medium->references)) {
        return;
    }
    image_free(medium->image);
    g_free(medium->path);
    g_free(medium);
}

bool drive_check_medium(const char *path, bool optical, GError **error)
{
    struct medium *medium =
        medium_open(optical ? "CD" : "disk", NULL, path, IMAGE_RAW, optical, true, error);

    if (medium == NULL) {
        return false;
    }
    medium_unref(medium);
    return true;
}
