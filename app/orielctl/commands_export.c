/* SPDX-License-Identifier: GPL-3.0-or-later */
/* export. */
#include <glib/gi18n-lib.h>
#include <stdio.h>

#include "appliance/export/oriel-export.h"
#include "orielctl.h"

static gboolean options_read(const struct call *call, OrielExportOptions *options, GError **error)
{
    const char *profile = call_option(call, "profile");
    const char *controller = call_option(call, "controller");

    *options = (OrielExportOptions){
        .sha1 = call_option(call, "sha1") != NULL,
        .verify = call_option(call, "no-verify") == NULL,
        .force = call_option(call, "force") != NULL,
    };
    if (profile && !oriel_ovf_profile_parse(profile, &options->profile)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    _("There is no profile “%s”; choose vmware, virtualbox, proxmox or hyper-v."),
                    profile);
        return FALSE;
    }
    if (controller && !oriel_ovf_controller_parse(controller, &options->controller)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    _("There is no controller “%s”; choose default, scsi, sata or ide."),
                    controller);
        return FALSE;
    }
    if (!call_option(call, "estimate") && call->n_arguments < 2) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    _("“export” needs NAME and FILE.ova or FOLDER; see “orielctl export --help”."));
        return FALSE;
    }
    return TRUE;
}

static JsonArray *texts_json(GPtrArray *texts)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < texts->len; i++) {
        json_array_add_string_element(array, texts->pdata[i]);
    }
    return array;
}

static void report_print(const struct call *call, const OrielExportReport *report)
{
    g_autofree char *size = g_format_size_full(report->size, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *capacity = g_format_size_full(report->capacity, G_FORMAT_SIZE_IEC_UNITS);

    if (call->json) {
        JsonObject *object = json_object_new();
        JsonNode *node = json_node_new(JSON_NODE_OBJECT);

        json_object_set_int_member(object, "size", (gint64)report->size);
        json_object_set_int_member(object, "capacity", (gint64)report->capacity);
        json_object_set_array_member(object, "files", texts_json(report->files));
        json_object_set_array_member(object, "notes", texts_json(report->notes));
        json_node_take_object(node, object);
        print_json(node);
        return;
    }
    printf(call_option(call, "estimate") ? _("about %s for disks of %s\n")
                                         : _("%s for disks of %s\n"),
           size, capacity);
    for (guint i = 0; i < report->notes->len; i++) {
        printf("%s\n", (const char *)report->notes->pdata[i]);
    }
}

gboolean run_export(const struct call *call, GError **error)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(OrielMachine) machine = NULL;
    g_autoptr(OrielExportReport) report = NULL;
    OrielExportOptions options;

    if (!options_read(call, &options, error) || !(machine = call_machine(call, error))) {
        return FALSE;
    }
    if (call_option(call, "estimate")) {
        report = oriel_export_estimate(machine, &options, NULL, error);
    } else {
        watch_start();
        report = oriel_export(machine, call->arguments[1], &options, watch_progress, cancellable,
                              cancellable, error);
        progress_end();
    }
    if (!report) {
        return FALSE;
    }
    report_print(call, report);
    return TRUE;
}
