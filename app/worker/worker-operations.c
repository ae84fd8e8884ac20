/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See worker-operations.h. Options have the names of the structures that they come from. */
#include "worker/worker-operations.h"

#include <string.h>

#include "config/config.h"
#include "appliance/export/oriel-export-private.h"
#include "appliance/import/oriel-import-private.h"
#include "media/oriel-media-private.h"
#include "worker/disk-work.h"

static const char *text(const struct worker_call *call, const char *key)
{
    const char *value = NULL;

    g_variant_dict_lookup(call->options, key, "^&ay", &value);
    return value;
}

static gboolean flag(const struct worker_call *call, const char *key)
{
    gboolean value = FALSE;

    g_variant_dict_lookup(call->options, key, "b", &value);
    return value;
}

/* An answer of nothing but "it is done". */
static GVariant *done(gboolean good)
{
    return good ? g_variant_new("a{sv}", NULL) : NULL;
}

/* --- Disk images ------------------------------------------------------------------------------ */

/* Takes the node. */
static GVariant *json_answer(JsonNode *node)
{
    g_autofree char *json = node ? json_to_string(node, FALSE) : NULL;
    GVariantDict answer;

    if (!node) {
        return NULL;
    }
    json_node_unref(node);
    g_variant_dict_init(&answer, NULL);
    g_variant_dict_insert_value(&answer, "json", g_variant_new_bytestring(json));
    return g_variant_dict_end(&answer);
}

static GVariant *disk_info(const struct worker_call *call, GError **error)
{
    return json_answer(disk_work_info(text(call, "path"), text(call, "format"), error));
}

static GVariant *disk_convert(const struct worker_call *call, GError **error)
{
    const OrielDiskOptions options = {
        .from = text(call, "from"),
        .to = text(call, "to"),
        .snapshot = text(call, "snapshot"),
        .cluster_size = text(call, "cluster-size"),
        .chain = flag(call, "chain"),
        .compress = flag(call, "compress"),
        .zstd = flag(call, "zstd"),
        .fixed = flag(call, "fixed"),
    };

    return done(disk_work_convert(text(call, "path"), call->file, text(call, "target"), &options,
                                  call->progress, call->data, call->cancellable, error));
}

static GVariant *disk_check(const struct worker_call *call, GError **error)
{
    return json_answer(disk_work_check(text(call, "path"), text(call, "format"), call->progress,
                                       call->data, call->cancellable, error));
}

static GVariant *disk_repair(const struct worker_call *call, GError **error)
{
    return json_answer(
        disk_work_repair(text(call, "path"), call->progress, call->data, call->cancellable, error));
}

static GVariant *disk_resize(const struct worker_call *call, GError **error)
{
    const OrielDiskResize resize = {
        .size = text(call, "size"),
        .shrink = flag(call, "shrink"),
        .grow_partition = flag(call, "grow-partition"),
    };

    return json_answer(disk_work_resize(text(call, "path"), text(call, "format"), &resize, error));
}

static GVariant *disk_compact(const struct worker_call *call, GError **error)
{
    gboolean rewritten;
    GVariantDict answer;

    if (!disk_work_compact(text(call, "path"), text(call, "format"), call->file, &rewritten,
                           call->progress, call->data, call->cancellable, error)) {
        return NULL;
    }
    g_variant_dict_init(&answer, NULL);
    g_variant_dict_insert(&answer, "rewritten", "b", rewritten);
    return g_variant_dict_end(&answer);
}

static GVariant *disk_commit(const struct worker_call *call, GError **error)
{
    return done(
        disk_work_commit(text(call, "path"), call->progress, call->data, call->cancellable, error));
}

static GVariant *disk_delete_snapshot(const struct worker_call *call, GError **error)
{
    return done(disk_work_delete_snapshot(text(call, "path"), text(call, "snapshot"), error));
}

/* --- Files of any kind ------------------------------------------------------------------------ */

static GVariant *identify(const struct worker_call *call, GError **error)
{
    g_autoptr(OrielMedia) media = media_look(text(call, "path"), TRUE, call->cancellable, error);

    return media ? media_to_wire(media) : NULL;
}

/* --- Appliances ------------------------------------------------------------------------------- */

static OrielImport *plan(const struct worker_call *call, GError **error)
{
    const OrielImportOptions options = {
        .machine = text(call, "machine"),
        .name = text(call, "name"),
        .folder = text(call, "folder"),
        .disks = text(call, "disks"),
        .first_machine = flag(call, "first-machine"),
        .ignore_manifest = flag(call, "ignore-manifest"),
    };

    g_autoptr(GVariant) unpacked = g_variant_dict_lookup_value(call->options, "unpacked", NULL);

    return import_plan(text(call, "path"), &options, call->file, unpacked, error);
}

static GVariant *import_plan_only(const struct worker_call *call, GError **error)
{
    g_autoptr(OrielImport) import = plan(call, error);

    GVariant *unpacked = import ? oriel_appliance_source_unpacked(import->source) : NULL;
    GVariantDict answer;

    if (!import) {
        return NULL;
    }
    g_autoptr(GVariant) wire = g_variant_ref_sink(import_to_wire(import));

    g_variant_dict_init(&answer, wire);
    if (unpacked) {
        g_variant_dict_insert_value(&answer, "unpacked", unpacked);
    }
    return g_variant_dict_end(&answer);
}

static GVariant *import_all(const struct worker_call *call, GError **error)
{
    g_autoptr(OrielImport) import = plan(call, error);
    GVariantDict answer;

    if (!import || !import_fill(import, text(call, "into"), flag(call, "trial"), call->progress,
                                call->data, call->cancellable, error)) {
        return NULL;
    }
    g_variant_dict_init(&answer, NULL);
    g_variant_dict_insert(&answer, "uefi", "b", import->report.uefi);
    return g_variant_dict_end(&answer);
}

static guint32 number(const struct worker_call *call, const char *key, guint32 end)
{
    guint32 value = 0;

    g_variant_dict_lookup(call->options, key, "u", &value);
    return value < end ? value : 0;
}

static GVariant *export_some(const struct worker_call *call, gboolean write, GError **error)
{
    const OrielExportOptions options = {
        .profile = (OrielOvfProfile)number(call, "profile", ORIEL_OVF_PROFILES),
        .controller = (OrielOvfController)number(call, "controller", ORIEL_OVF_CONTROLLERS),
        .sha1 = flag(call, "sha1"),
        .verify = flag(call, "verify"),
    };
    const ExportPlace place = { text(call, "target"), text(call, "into"), call->file };
    g_autoptr(OrielMachine) machine = oriel_machine_load(text(call, "machine"));
    g_autoptr(OrielExportReport) report = NULL;

    if (machine->problem) {
        g_propagate_error(error, g_error_copy(machine->problem));
        return NULL;
    }
    report = write ? export_write(machine, &place, &options, call->progress, call->data,
                                  call->cancellable, error)
                   : export_estimate(machine, &options, error);
    return report ? export_report_to_wire(report) : NULL;
}

static GVariant *export_all(const struct worker_call *call, GError **error)
{
    if (!text(call, "into") && call->file < 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, "The worker has nowhere to write.");
        return NULL;
    }
    return export_some(call, TRUE, error);
}

static GVariant *export_estimate_only(const struct worker_call *call, GError **error)
{
    return export_some(call, FALSE, error);
}

/* --- The table -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *needs[3]; /* texts without which it cannot be */
    gboolean needs_file;
    GVariant *(*run)(const struct worker_call *call, GError **error);
} operations[] = {
    { "disk-info", { "path" }, FALSE, disk_info },
    { "disk-convert", { "path", "target" }, TRUE, disk_convert },
    { "disk-check", { "path" }, FALSE, disk_check },
    { "disk-repair", { "path" }, FALSE, disk_repair },
    { "disk-resize", { "path", "size" }, FALSE, disk_resize },
    { "disk-compact", { "path" }, FALSE, disk_compact },
    { "disk-commit", { "path" }, FALSE, disk_commit },
    { "disk-delete-snapshot", { "path", "snapshot" }, FALSE, disk_delete_snapshot },
    { "identify", { "path" }, FALSE, identify },
    { "import-plan", { "path" }, FALSE, import_plan_only },
    { "import", { "path", "into" }, FALSE, import_all },
    { "export-estimate", { "machine" }, FALSE, export_estimate_only },
    { "export", { "machine", "target" }, FALSE, export_all },
};

GVariant *worker_operation_run(const char *name, const struct worker_call *call, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(operations); i++) {
        gboolean complete = !operations[i].needs_file || call->file >= 0;

        if (strcmp(operations[i].name, name) != 0) {
            continue;
        }
        for (gsize n = 0; operations[i].needs[n]; n++) {
            complete &= text(call, operations[i].needs[n]) != NULL;
        }
        if (complete) {
            return operations[i].run(call, error);
        }
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, "The worker cannot do “%s”.", name);
    return NULL;
}
