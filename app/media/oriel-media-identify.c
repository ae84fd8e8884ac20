/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a file is, as its user asks: oriel-worker looks into it (oriel-media.c). Here is only what
 * the file system says, and what is known of the system that was found.
 */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/config.h"
#include "media/oriel-media-private.h"
#include "worker/oriel-worker.h"

/* A folder with a machine.json, or that file itself. */
static gboolean machine_identify(OrielMedia *media)
{
    g_autofree char *base = g_path_get_basename(media->path);
    g_autofree char *inside = g_build_filename(media->path, "machine.json", NULL);

    if (strcmp(base, "machine.json") == 0 && g_file_test(media->path, G_FILE_TEST_IS_REGULAR)) {
        char *folder = g_path_get_dirname(media->path);

        g_free(media->path);
        media->path = folder;
    } else if (!g_file_test(inside, G_FILE_TEST_IS_REGULAR)) {
        return FALSE;
    }
    media->kind = ORIEL_MEDIA_MACHINE;
    return TRUE;
}

/* What no file can be in. */
static gboolean is_file(const char *path, GError **error)
{
    struct stat status;

    if (stat(path, &status) < 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be opened"), path);
        return FALSE;
    }
    if (S_ISDIR(status.st_mode)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("The folder “%s” is not a machine; choose a file, or a folder that ends in "
                      "“.oriel”."),
                    path);
        return FALSE;
    }
    return TRUE;
}

OrielMedia *oriel_media_identify(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(OrielMedia) media = g_new0(OrielMedia, 1);
    g_autoptr(GVariant) answer = NULL;
    OrielMedia *found;

    media->path = g_canonicalize_filename(path, NULL);
    if (machine_identify(media)) {
        return g_steal_pointer(&media);
    }
    if (!is_file(media->path, error)) {
        return NULL;
    }
    const OrielWorkerRequest request = {
        .operation = "identify",
        .texts = TRUE,
        .options = oriel_worker_texts("path", media->path, NULL),
        .reads = { media->path },
        .systems = TRUE,
    };

    answer = oriel_worker_run(&request, NULL, NULL, cancellable, error);
    if (answer && g_cancellable_set_error_if_cancelled(cancellable, error)) {
        return NULL; /* a moment too late for the worker */
    }
    found = answer ? media_from_wire(answer, media->path, error) : NULL;
    if (found && found->system) {
        oriel_system_load(found->system);
    }
    return found;
}

static void identify_in_thread(GTask *task, gpointer source, gpointer path,
                               GCancellable *cancellable)
{
    GError *error = NULL;
    OrielMedia *media = oriel_media_identify(path, cancellable, &error);

    if (media) {
        g_task_return_pointer(task, media, (GDestroyNotify)oriel_media_free);
    } else {
        g_task_return_error(task, error);
    }
}

void oriel_media_identify_async(const char *path, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer data)
{
    g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, data);

    g_task_set_source_tag(task, oriel_media_identify_async);
    g_task_set_task_data(task, g_strdup(path), g_free);
    g_task_run_in_thread(task, identify_in_thread);
}

OrielMedia *oriel_media_identify_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
