/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See disk-work.h. */
#include "worker/disk-work.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/chain.h"
#include "block/convert/commit.h"
#include "block/convert/convert.h"
#include "block/files.h"
#include "config/config.h"

enum {
    READ_CHUNK = 2 << 20,
    HOLE = 64 << 10, /* zeroes of a raw image that become holes */
};

/* --- Opening ---------------------------------------------------------------------------------- */

static gboolean request_fill(struct chain_request *request, const char *path, const char *format,
                             GError **error)
{
    *request = (struct chain_request){ .path = path, .read_only = true, .detect = format == NULL };
    if (format && !image_format_parse(format, &request->format)) {
        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
            _("There is no format “%s”; the formats are raw, qcow2, vmdk, vdi, vhd and vhdx."),
            format);
        return FALSE;
    }
    return TRUE;
}

static guint64 host_bytes(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? (guint64)status.st_blocks * 512 : 0;
}

static gboolean cancelled_set(GError **error)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                _("Cancelled; nothing was changed or left behind."));
    return FALSE;
}

/* --- Info ------------------------------------------------------------------------------------- */

static JsonArray *snapshots_json(struct image *image)
{
    g_autoptr(GPtrArray) snapshots = qcow2_snapshots(image, NULL);
    JsonArray *array = json_array_new();

    for (guint i = 0; snapshots && i < snapshots->len; i++) {
        const struct qcow2_snapshot *snapshot = snapshots->pdata[i];
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(snapshot->seconds);
        g_autofree char *text = time ? g_date_time_format_iso8601(time) : g_strdup("");
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "id", snapshot->id);
        json_object_set_string_member(object, "name", snapshot->name);
        json_object_set_string_member(object, "time", text);
        json_object_set_int_member(object, "vm-state-size", (gint64)snapshot->vm_state_size);
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonNode *info_node(struct image *image, const char *path)
{
    g_autoptr(GPtrArray) details = image_describe(image);
    JsonObject *object = json_object_new(), *more = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_object_set_string_member(object, "file", path);
    json_object_set_string_member(object, "format", image_format_name(image->class->format));
    json_object_set_int_member(object, "disk-size", (gint64)image->size);
    json_object_set_int_member(object, "file-size", (gint64)storage_size(image->storage));
    json_object_set_int_member(object, "host-size", (gint64)host_bytes(path));
    if (image->backing_name) {
        json_object_set_string_member(object, "builds-on", image->backing_name);
    }
    if (image->backing_format) {
        json_object_set_string_member(object, "builds-on-format", image->backing_format);
    }
    if (image->class->format == IMAGE_QCOW2) {
        json_object_set_array_member(object, "snapshots", snapshots_json(image));
    }
    for (guint i = 0; i + 1 < details->len; i += 2) {
        json_object_set_string_member(more, details->pdata[i], details->pdata[i + 1]);
    }
    json_object_set_object_member(object, "details", more);
    json_node_take_object(node, object);
    return node;
}

JsonNode *disk_work_info(const char *path, const char *format, GError **error)
{
    struct chain_request request;
    struct image *image;
    JsonNode *node;

    if (!request_fill(&request, path, format, error)) {
        return NULL;
    }
    image = chain_open(&request, error);
    if (!image) {
        return NULL;
    }
    node = info_node(image, path);
    image_free(image);
    return node;
}

/* --- Convert ---------------------------------------------------------------------------------- */

struct watch {
    OrielProgress progress;
    gpointer data;
    GCancellable *cancellable;
};

static bool watch_report(uint64_t done, uint64_t total, void *context)
{
    struct watch *watch = context;

    if (watch->progress) {
        watch->progress(done, total, watch->data);
    }
    return !g_cancellable_is_cancelled(watch->cancellable);
}

static gboolean target_format(const char *target, const OrielDiskOptions *options,
                              enum image_format *format, GError **error)
{
    const char *dot = strrchr(target, '.');

    if (options->to && image_format_parse(options->to, format)) {
        return TRUE;
    }
    if (!options->to && dot && image_format_parse(dot + 1, format)) {
        return TRUE;
    }
    if (!options->to && dot && g_ascii_strcasecmp(dot, ".img") == 0) {
        *format = IMAGE_RAW;
        return TRUE;
    }
    g_set_error(
        error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
        options->to
            ? _("There is no format “%s”; choose qcow2, raw, vmdk, vhd or vhdx.")
            : _("The name “%s” does not say which format it shall have; choose one with --to."),
        options->to ? options->to : target);
    return FALSE;
}

static gboolean options_fill(struct convert_options *convert, const OrielDiskOptions *options,
                             GError **error)
{
    guint64 cluster_size = 0;
    gboolean qcow2 = convert->format == IMAGE_QCOW2;
    gboolean hyper_v = convert->format == IMAGE_VHD || convert->format == IMAGE_VHDX;

    if ((options->compress || options->zstd || options->cluster_size) && !qcow2) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("Only qcow2 images can be compressed or have a cluster size chosen."));
        return FALSE;
    }
    if (options->fixed && !hyper_v) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("Only vhd and vhdx images can be fixed."));
        return FALSE;
    }
    if (options->cluster_size && !oriel_size_parse(options->cluster_size, &cluster_size, error)) {
        return FALSE;
    }
    convert->compress = options->compress || options->zstd;
    convert->fixed = options->fixed;
    convert->qcow2.cluster_size = cluster_size > G_MAXUINT32 ? 1 : (guint32)cluster_size;
    convert->qcow2.compression = options->zstd ? QCOW2_ZSTD : QCOW2_DEFLATE;
    return TRUE;
}

/* The new file stays the caller's. */
static struct storage *new_storage(int file, const char *name, GError **error)
{
    int copy = fcntl(file, F_DUPFD_CLOEXEC, 0);

    if (copy < 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be made"), name);
        return NULL;
    }
    return storage_file_new(copy, name, false, error);
}

static gboolean convert_into(struct image *image, int file, const char *name,
                             struct convert_options *convert, struct watch *watch, GError **error)
{
    struct storage *storage = new_storage(file, name, error);

    convert->progress = watch_report;
    convert->context = watch;
    return storage && image_convert(image, storage, convert, error);
}

gboolean disk_work_convert(const char *path, int file, const char *target,
                           const OrielDiskOptions *options, OrielProgress progress, gpointer data,
                           GCancellable *cancellable, GError **error)
{
    g_autofree char *name = g_path_get_basename(target);
    struct watch watch = { progress, data, cancellable };
    struct convert_options convert = { .name = name };
    struct chain_request request;
    struct image *image;
    gboolean good;

    if (!request_fill(&request, path, options->from, error) ||
        !target_format(target, options, &convert.format, error) ||
        !options_fill(&convert, options, error)) {
        return FALSE;
    }
    request.follow = options->chain ? CHAIN_DETECT : CHAIN_REFUSE;
    request.snapshot = options->snapshot;
    image = chain_open(&request, error);
    if (!image) {
        return FALSE;
    }
    good = convert_into(image, file, target, &convert, &watch, error);
    image_free(image);
    return good;
}

/* --- Check and repair ------------------------------------------------------------------------- */

static JsonNode *report_node(const struct qcow2_report *report, gboolean repair)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();

    json_object_set_boolean_member(object, "clean", report->leaks + report->corruptions == 0);
    json_object_set_int_member(object, "clusters", (gint64)report->clusters);
    json_object_set_int_member(object, "leaks", (gint64)report->leaks);
    json_object_set_int_member(object, "corruptions", (gint64)report->corruptions);
    json_object_set_int_member(object, "flags", (gint64)report->flags);
    if (report->first) {
        json_object_set_string_member(object, "first-problem", report->first);
    }
    if (repair) {
        json_object_set_int_member(object, "lost-clusters", (gint64)report->lost);
    }
    json_node_take_object(node, object);
    return node;
}

/* Formats without counts of their own: can everything be read? */
static gboolean read_all(struct image *image, struct watch *watch, GError **error)
{
    g_autofree guint8 *bytes = g_malloc(READ_CHUNK);
    uint64_t offset = 0, known;
    int result = 0;

    while (offset < image->size && result == 0) {
        enum image_kind kind;

        result =
            image_status_top(image, offset, MIN(image->size - offset, READ_CHUNK), &kind, &known);
        if (result == 0 && (kind == IMAGE_DATA || kind == IMAGE_COMPRESSED)) {
            result = image_read(image, offset, bytes, known);
        }
        offset += known;
        if (!watch_report(offset, image->size, watch)) {
            return cancelled_set(error);
        }
    }
    if (result < 0) {
        image_set_error(image, result, error);
    }
    return result == 0;
}

static JsonNode *check_image(struct image *image, struct watch *watch, GError **error)
{
    struct qcow2_report report = { .leaks = 0 };
    JsonNode *node = NULL;
    const struct qcow2_watch looking = { watch_report, watch };
    gboolean good = image->class->format == IMAGE_QCOW2
                        ? qcow2_check(image, &looking, &report, error)
                        : read_all(image, watch, error);

    if (good && image->class->format == IMAGE_QCOW2) {
        node = report_node(&report, FALSE);
        if (qcow2_needs_repair(image)) {
            json_object_set_boolean_member(json_node_get_object(node), "clean", FALSE);
        }
    } else if (good) {
        node = json_node_new(JSON_NODE_OBJECT);
        json_node_take_object(node, json_object_new());
        json_object_set_boolean_member(json_node_get_object(node), "clean", TRUE);
    }
    g_free(report.first);
    return node;
}

JsonNode *disk_work_check(const char *path, const char *format, OrielProgress progress,
                          gpointer data, GCancellable *cancellable, GError **error)
{
    struct watch watch = { progress, data, cancellable };
    struct chain_request request;
    struct image *image;
    JsonNode *node;

    if (!request_fill(&request, path, format, error)) {
        return NULL;
    }
    request.for_repair = true;
    image = chain_open(&request, error);
    if (!image) {
        return NULL;
    }
    node = check_image(image, &watch, error);
    image_free(image);
    return node;
}

/* Nothing but the file itself is looked at: those that others name may not be read here. */
static gboolean can_repair(const char *path, GError **error)
{
    int fd = image_file_open(NULL, NULL, path, true, error);
    struct storage *storage = fd < 0 ? NULL : storage_file_new(fd, path, true, error);
    enum image_format format = IMAGE_QCOW2;
    gboolean good = storage && image_detect(storage, &format, error);

    storage_free(storage);
    if (format != IMAGE_QCOW2) {
        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
            _("“%s” is a %s image, and only qcow2 images can be repaired. If it is damaged, "
              "restore it from a copy."),
            path, image_format_name(format));
        return FALSE;
    }
    return good;
}

JsonNode *disk_work_repair(const char *path, OrielProgress progress, gpointer data,
                           GCancellable *cancellable, GError **error)
{
    struct watch watch = { progress, data, cancellable };
    const struct qcow2_watch looking = { watch_report, &watch };
    const struct chain_request request = { .path = path,
                                           .format = IMAGE_QCOW2,
                                           .for_repair = true };
    struct qcow2_report report = { .leaks = 0 };
    struct image *image = can_repair(path, error) ? chain_open(&request, error) : NULL;
    JsonNode *node = NULL;

    if (!image) {
        return NULL;
    }
    if (qcow2_repair(image, &looking, &report, error)) {
        node = report_node(&report, TRUE);
    }
    g_free(report.first);
    image_free(image);
    return node;
}

/* --- Compact -----------------------------------------------------------------------------------
 */

struct image *disk_work_open(const char *path, const char *format, enum chain_follow follow,
                             GError **error)
{
    struct chain_request request;

    if (!request_fill(&request, path, format, error)) {
        return NULL;
    }
    request.read_only = false;
    request.follow = follow;
    return chain_open(&request, error);
}

static gboolean is_zero(const guint8 *bytes, gsize n)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0;
}

/* Zeroes that the file stores become holes. */
static gboolean compact_raw(struct image *image, struct watch *watch, GError **error)
{
    g_autofree guint8 *bytes = g_malloc(HOLE);
    uint64_t offset = 0;
    int result = 0;

    while (offset < image->size && result == 0) {
        enum image_kind kind;
        uint64_t known;

        result = image_status_top(image, offset, image->size - offset, &kind, &known);
        if (result == 0 && kind == IMAGE_DATA) {
            known = MIN(known, HOLE - offset % HOLE);
            result = image_read(image, offset, bytes, known);
            if (result == 0 && is_zero(bytes, known)) {
                result = image_zero(image, offset, known, true);
            }
        }
        offset += known;
        if (!watch_report(offset, image->size, watch)) {
            return cancelled_set(error);
        }
    }
    if (result == 0) {
        result = image_flush(image);
    }
    if (result < 0) {
        image_set_error(image, result, error);
    }
    return result == 0;
}

static const char *detail(const GPtrArray *details, const char *key)
{
    for (guint i = 0; i + 1 < details->len; i += 2) {
        if (strcmp(details->pdata[i], key) == 0) {
            return details->pdata[i + 1];
        }
    }
    return "";
}

/* The same image, written anew. */
static gboolean compact_qcow2(struct image *image, const char *path, int file, struct watch *watch,
                              GError **error)
{
    g_autoptr(GPtrArray) details = image_describe(image);
    struct convert_options convert = {
        .format = IMAGE_QCOW2,
        .qcow2 = {
            .cluster_size = image->unit,
            .version = (unsigned)atoi(detail(details, "version")),
            .refcount_bits = (unsigned)atoi(detail(details, "refcount-bits")),
            .compression = strcmp(detail(details, "compression"), "zstd") == 0 ? QCOW2_ZSTD
                                                                               : QCOW2_DEFLATE,
            .lazy_refcounts = strcmp(detail(details, "lazy-refcounts"), "yes") == 0,
            .backing_name = image->backing_name,
        },
    };

    if (strcmp(detail(details, "snapshots"), "0") != 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” has internal snapshots, which compacting would lose. Delete them "
                      "first, or convert the disk."),
                    path);
        return FALSE;
    }
    if (image->backing_name &&
        (!image->backing_format ||
         !image_format_parse(image->backing_format, &convert.qcow2.backing_format))) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” does not say which format “%s” has, on which it builds."), path,
                    image->backing_name);
        return FALSE;
    }
    return convert_into(image, file, path, &convert, watch, error);
}

gboolean disk_work_compact(const char *path, const char *format, int file, gboolean *rewritten,
                           OrielProgress progress, gpointer data, GCancellable *cancellable,
                           GError **error)
{
    struct watch watch = { progress, data, cancellable };
    struct image *image = disk_work_open(path, format, CHAIN_ALONE, error);
    gboolean good = FALSE;

    *rewritten = FALSE;
    if (!image) {
        return FALSE;
    }
    if (image->class->format == IMAGE_RAW) {
        good = compact_raw(image, &watch, error);
    } else if (image->class->format == IMAGE_QCOW2 && file >= 0) {
        good = *rewritten = compact_qcow2(image, path, file, &watch, error);
    } else {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is a %s image, which is only read; convert it to qcow2."), path,
                    image_format_name(image->class->format));
    }
    if (!*rewritten) { /* otherwise its lock is held until the new file has its name */
        image_free(image);
    }
    return good;
}

/* What went wrong, and that nothing is lost. */
static void commit_error(const struct image *image, GError *cause, GError **error)
{
    if (g_error_matches(cause, ORIEL_ERROR, ORIEL_ERROR_INVALID)) {
        g_propagate_error(error, cause);
        return;
    }
    g_set_error(error, cause->domain, cause->code,
                _("%s Nothing is lost: “%s” still has everything. Commit it again before “%s” is "
                  "used alone."),
                cause->message, image->storage->name, image->backing->storage->name);
    g_error_free(cause);
}

gboolean disk_work_commit(const char *path, OrielProgress progress, gpointer data,
                          GCancellable *cancellable, GError **error)
{
    const struct chain_request request = {
        .path = path, .detect = true, .read_only = true, .for_commit = true, .follow = CHAIN_STATED
    };
    struct watch watch = { progress, data, cancellable };
    struct image *image = chain_open(&request, error);
    GError *cause = NULL;

    if (image && !image_commit(image, watch_report, &watch, &cause)) {
        commit_error(image, cause, error);
    }
    image_free(image);
    return image && !cause;
}

gboolean disk_work_delete_snapshot(const char *path, const char *snapshot, GError **error)
{
    struct image *image = disk_work_open(path, NULL, CHAIN_ALONE, error);
    gboolean good = FALSE;

    if (image && image->class->format != IMAGE_QCOW2) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is a %s image, which has no snapshots inside."), path,
                    image_format_name(image->class->format));
    } else if (image) {
        good = qcow2_snapshot_delete(image, snapshot, error);
    }
    image_free(image);
    return good;
}
