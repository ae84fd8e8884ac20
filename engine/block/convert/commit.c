/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See commit.h. */
#include "commit.h"

#include <gio/gio.h>
#include <glib/gi18n-lib.h>

#include "config/config.h"

enum {
    COMMIT_CHUNK = 2 << 20,
};

struct commit {
    struct image *image;
    uint8_t *buffer;
    bool (*progress)(uint64_t done, uint64_t total, void *context);
    void *context;
    bool cancelled;
    bool reading; /* what failed: reading the image, or else writing its backing image */
};

static int data_write(struct commit *commit, uint64_t offset, uint64_t length)
{
    int result;

    commit->reading = true;
    result = image_read(commit->image, offset, commit->buffer, length);
    if (result < 0) {
        return result;
    }
    commit->reading = false;
    return image_write(commit->image->backing, offset, commit->buffer, length);
}

/* Up to the end of what is the same kind, at most a chunk. */
static int piece_write(struct commit *commit, uint64_t offset, uint64_t *length)
{
    struct image *image = commit->image;
    enum image_kind kind;
    int result;

    commit->reading = true;
    result = image_status_top(image, offset, image->size - offset, &kind, length);
    if (result < 0 || kind == IMAGE_ABSENT) {
        return result;
    }
    if (kind == IMAGE_ZERO) {
        commit->reading = false;
        return image_zero(image->backing, offset, *length, true);
    }
    *length = MIN(*length, (uint64_t)COMMIT_CHUNK);
    return data_write(commit, offset, *length);
}

static int all_write(struct commit *commit)
{
    uint64_t size = commit->image->size;
    uint64_t length = 0;
    int result = 0;

    for (uint64_t offset = 0; offset < size && result >= 0; offset += length) {
        if (commit->progress != NULL && !commit->progress(offset, size, commit->context)) {
            commit->cancelled = true;
            return 0;
        }
        result = piece_write(commit, offset, &length);
    }
    if (result >= 0) {
        commit->reading = false;
        result = image_flush(commit->image->backing);
    }
    return result;
}

bool image_commit(struct image *image, bool (*progress)(uint64_t, uint64_t, void *), void *context,
                  GError **error)
{
    struct commit commit = { .image = image, .progress = progress, .context = context };
    int result;

    if (image->backing == NULL) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” builds on no other image: there is nothing to commit it to."),
                    image->storage->name);
        return false;
    }
    if (image->backing->read_only) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s”, on which “%s” builds, is a %s image, which is only read. Convert the "
                      "disk to a new image instead."),
                    image->backing->storage->name, image->storage->name,
                    image_format_name(image->backing->class->format));
        return false;
    }
    if (image->backing->size < image->size && !image_resize(image->backing, image->size, error)) {
        return false;
    }
    commit.buffer = g_malloc(COMMIT_CHUNK);
    result = all_write(&commit);
    g_free(commit.buffer);
    if (result < 0) {
        image_set_error(commit.reading ? image : image->backing, result, error);
    } else if (commit.cancelled) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _("Cancelled."));
    }
    return result >= 0 && !commit.cancelled;
}
