/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-disk.h. The images are opened by oriel-worker (worker/disk-work.c); here are the names
 * of new files, and the machines that images may belong to. */
#include "oriel-disk.h"

#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/saved.h"
#include "oriel-new-file.h"
#include "worker/oriel-worker.h"

/* --- Requests --------------------------------------------------------------------------------- */

/* Whether the file begins with these bytes. */
static gboolean begins_with(const char *path, const char *bytes)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char found[8] = "";
    ssize_t n = fd < 0 ? -1 : read(fd, found, strlen(bytes));

    if (fd >= 0) {
        close(fd);
    }
    return n == (ssize_t)strlen(bytes) && memcmp(found, bytes, strlen(bytes)) == 0;
}

static guint64 host_bytes(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? (guint64)status.st_blocks * 512 : 0;
}

/*
 * A machine that is saved goes on only if its disks are as they were: FALSE for a file of such a
 * machine. One that runs holds its images' locks.
 */
static gboolean may_change(const char *path, GError **error)
{
    g_autofree char *real = realpath(path, NULL);
    g_autofree char *disks = real ? g_path_get_dirname(real) : NULL;
    g_autofree char *folder = disks ? g_path_get_dirname(disks) : NULL;

    if (folder && oriel_saved_exists(folder)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    _("“%s” belongs to a machine that is saved. Start it and shut it down first, "
                      "or forget its saved state: “Start Afresh” in the window, “orielctl start "
                      "--discard-saved” in a terminal."),
                    path);
        return FALSE;
    }
    return TRUE;
}

/* Takes the answer. */
static JsonNode *json_of(GVariant *answer, GError **error)
{
    g_autoptr(GVariant) owned = answer;
    g_autoptr(GVariantDict) dict = answer ? g_variant_dict_new(answer) : NULL;
    const char *json = NULL;

    return dict && g_variant_dict_lookup(dict, "json", "^&ay", &json)
               ? json_from_string(json, error)
               : NULL;
}

static gboolean done(GVariant *answer)
{
    if (!answer) {
        return FALSE;
    }
    g_variant_unref(answer);
    return TRUE;
}

/* --- Operations ------------------------------------------------------------------------------- */

JsonNode *oriel_disk_info(const char *path, const char *format, GCancellable *cancellable,
                          GError **error)
{
    g_autofree char *folder = oriel_worker_folder_of_text(path);
    const OrielWorkerRequest request = {
        .operation = "disk-info",
        .options = oriel_worker_texts("path", path, "format", format, NULL),
        .reads = { path, folder },
    };

    return json_of(oriel_worker_run(&request, NULL, NULL, cancellable, error), error);
}

static GVariant *convert_options(const char *path, const char *target,
                                 const OrielDiskOptions *options)
{
    g_autoptr(GVariant) texts = g_variant_ref_sink(oriel_worker_texts(
        "path", path, "target", target, "from", options->from, "to", options->to, "snapshot",
        options->snapshot, "cluster-size", options->cluster_size, NULL));
    GVariantDict dict;

    g_variant_dict_init(&dict, texts);
    g_variant_dict_insert(&dict, "chain", "b", options->chain);
    g_variant_dict_insert(&dict, "compress", "b", options->compress);
    g_variant_dict_insert(&dict, "zstd", "b", options->zstd);
    g_variant_dict_insert(&dict, "fixed", "b", options->fixed);
    return g_variant_dict_end(&dict);
}

gboolean oriel_disk_convert(const char *path, const char *target, const OrielDiskOptions *options,
                            OrielProgress progress, gpointer data, GCancellable *cancellable,
                            GError **error)
{
    g_autofree char *folder =
        options->chain ? g_path_get_dirname(path) : oriel_worker_folder_of_text(path);
    OrielNewFile file;
    gboolean good = oriel_new_file_open(&file, target, error);

    if (good) {
        const OrielWorkerRequest request = {
            .operation = "disk-convert",
            .options = convert_options(path, target, options),
            .reads = { path, folder },
            .file = &file.fd,
        };

        good = done(oriel_worker_run(&request, progress, data, cancellable, error)) &&
               oriel_new_file_name(&file, FALSE, error);
    }
    oriel_new_file_clear(&file);
    return good;
}

JsonNode *oriel_disk_check(const char *path, const char *format, OrielProgress progress,
                           gpointer data, GCancellable *cancellable, GError **error)
{
    g_autofree char *folder = oriel_worker_folder_of_text(path);
    const OrielWorkerRequest request = {
        .operation = "disk-check",
        .options = oriel_worker_texts("path", path, "format", format, NULL),
        .reads = { path, folder },
    };

    return json_of(oriel_worker_run(&request, progress, data, cancellable, error), error);
}

/* Work on the file itself that is done in a moment; `folder` is read too, unless NULL. */
static GVariant *change(const char *operation, const char *path, const char *folder,
                        GVariant *options, GError **error)
{
    const OrielWorkerRequest request = {
        .operation = operation,
        .options = options,
        .reads = { folder },
        .change = path,
    };

    if (!may_change(path, error)) {
        g_variant_unref(g_variant_ref_sink(options));
        return NULL;
    }
    return oriel_worker_run(&request, NULL, NULL, NULL, error);
}

JsonNode *oriel_disk_repair(const char *path, OrielProgress progress, gpointer data,
                            GCancellable *cancellable, GError **error)
{
    if (!may_change(path, error)) {
        return NULL;
    }
    const OrielWorkerRequest request = {
        .operation = "disk-repair",
        .options = oriel_worker_texts("path", path, NULL),
        .change = path,
        .finishes = TRUE,
    };

    return json_of(oriel_worker_run(&request, progress, data, cancellable, error), error);
}

JsonNode *oriel_disk_resize(const char *path, const char *format, const OrielDiskResize *resize,
                            GError **error)
{
    g_autofree char *folder = resize->grow_partition ? g_path_get_dirname(path) : NULL;
    g_autoptr(GVariant) texts = g_variant_ref_sink(
        oriel_worker_texts("path", path, "format", format, "size", resize->size, NULL));
    GVariantDict dict;

    g_variant_dict_init(&dict, texts);
    g_variant_dict_insert(&dict, "shrink", "b", resize->shrink);
    g_variant_dict_insert(&dict, "grow-partition", "b", resize->grow_partition);
    return json_of(change("disk-resize", path, folder, g_variant_dict_end(&dict), error), error);
}

/* What the image says it builds on: a file of its own folder, as chain.h wants it. */
static char *base_find(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(JsonNode) node = oriel_disk_info(path, NULL, cancellable, error);
    g_autofree char *folder = g_path_get_dirname(path);
    const char *name;

    if (!node) {
        return NULL;
    }
    name = json_object_get_string_member_with_default(json_node_get_object(node), "builds-on", "");
    if (!*name) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” builds on no other image: there is nothing to commit it to."), path);
        return NULL;
    }
    if (strchr(name, '/')) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” builds on “%s”, which is not a file of its own folder; this is not "
                      "followed. Put both into one folder, or convert it where it was made."),
                    path, name);
        return NULL;
    }
    return g_build_filename(folder, name, NULL);
}

gboolean oriel_disk_commit(const char *path, OrielProgress progress, gpointer data,
                           GCancellable *cancellable, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *base = base_find(path, cancellable, error);

    if (!base || !may_change(path, error) || !may_change(base, error)) {
        return FALSE;
    }
    const OrielWorkerRequest request = {
        .operation = "disk-commit",
        .options = oriel_worker_texts("path", path, NULL),
        .reads = { path, folder },
        .change = base,
    };

    return done(oriel_worker_run(&request, progress, data, cancellable, error));
}

gboolean oriel_disk_delete_snapshot(const char *path, const char *snapshot, GError **error)
{
    return done(change("disk-delete-snapshot", path, NULL,
                       oriel_worker_texts("path", path, "snapshot", snapshot, NULL), error));
}

/* --- Compact ---------------------------------------------------------------------------------- */

/* Whether the image was written anew, into a file that is to take its place. */
static gboolean is_rewritten(GVariant *answer)
{
    gboolean rewritten = FALSE;

    g_variant_lookup(answer, "rewritten", "b", &rewritten);
    return rewritten;
}

static gboolean compact(const char *path, const char *format, OrielNewFile *file,
                        OrielProgress progress, gpointer data, GCancellable *cancellable,
                        GError **error)
{
    g_autofree char *folder = oriel_worker_folder_of_text(path);
    const OrielWorkerRequest request = {
        .operation = "disk-compact",
        .options = oriel_worker_texts("path", path, "format", format, NULL),
        .reads = { folder },
        .change = path,
        .file = file ? &file->fd : NULL,
    };
    g_autoptr(GVariant) answer = NULL;
    OrielWorker *worker =
        oriel_worker_run_and_hold(&request, &answer, progress, data, cancellable, error);
    gboolean good = worker != NULL;

    if (good && file && is_rewritten(answer)) {
        good = oriel_new_file_name(file, TRUE, error);
    }
    if (worker) { /* which has kept the old file locked */
        oriel_worker_end(worker);
    }
    return good;
}

gboolean oriel_disk_compact(const char *path, const char *format, guint64 *saved,
                            OrielProgress progress, gpointer data, GCancellable *cancellable,
                            GError **error)
{
    guint64 before = host_bytes(path), after;
    gboolean anew = begins_with(path, "QFI\xfb");
    OrielNewFile file;
    gboolean good = may_change(path, error);

    if (good && anew) {
        good = oriel_new_file_open_over(&file, path, error) &&
               compact(path, format, &file, progress, data, cancellable, error);
        oriel_new_file_clear(&file);
    } else if (good) {
        good = compact(path, format, NULL, progress, data, cancellable, error);
    }
    after = host_bytes(path);
    *saved = before > after ? before - after : 0;
    return good;
}
