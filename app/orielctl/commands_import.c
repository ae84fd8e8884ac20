/* SPDX-License-Identifier: GPL-3.0-or-later */
/* import. */
#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <stdio.h>

#include "appliance/import/oriel-import.h"
#include "appliance/oriel-try.h"
#include "orielctl.h"

/* --- Report ----------------------------------------------------------------------------------- */

static JsonArray *texts_json(const GPtrArray *texts)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < texts->len; i++) {
        json_array_add_string_element(array, texts->pdata[i]);
    }
    return array;
}

static JsonArray *machines_json(const OrielAppliance *appliance)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < appliance->systems->len; i++) {
        const OrielOvfMachine *machine = appliance->systems->pdata[i];

        json_array_add_string_element(array, machine->name);
    }
    return array;
}

/* `folder` NULL: nothing was imported. */
static void report_json(const OrielImportReport *report, const char *folder)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "name", report->name);
    if (folder) {
        json_object_set_string_member(object, "folder", folder);
    }
    json_object_set_string_member(object, "format", report->appliance->format);
    json_object_set_string_member(object, "ovf-version", report->appliance->version);
    json_object_set_array_member(object, "machines", machines_json(report->appliance));
    json_object_set_string_member(object, "product", report->machine->product);
    json_object_set_string_member(object, "description", report->machine->annotation);
    json_object_set_string_member(object, "system", report->os);
    json_object_set_int_member(object, "cpus", report->cpus);
    json_object_set_int_member(object, "memory", (gint64)report->memory);
    json_object_set_string_member(object, "firmware", report->uefi ? "uefi" : "bios");
    json_object_set_array_member(object, "drives", texts_json(report->drives));
    json_object_set_array_member(object, "networks", texts_json(report->cards));
    json_object_set_int_member(object, "disks-size", (gint64)report->disks_size);
    json_object_set_int_member(object, "space", (gint64)report->space);
    json_object_set_int_member(object, "space-free", (gint64)report->space_free);
    json_object_set_boolean_member(object, "manifest", report->has_manifest);
    json_object_set_boolean_member(object, "signed", report->is_signed);
    json_object_set_array_member(object, "notes", texts_json(report->notes));
    json_object_set_array_member(object, "licences", texts_json(report->appliance->eulas));
    json_node_take_object(node, object);
    print_json(node);
}

enum {
    KEY_WIDTH = 12,
};

static void notes_print(const OrielImportReport *report)
{
    for (guint i = 0; i < report->notes->len; i++) {
        g_autofree char *note = plain_text(report->notes->pdata[i]);

        printf("%s\n", note);
    }
}

static void report_print(const OrielImportReport *report)
{
    g_autofree char *memory = g_format_size_full(report->memory, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *space = g_format_size_full(report->space, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *most = g_format_size_full(report->disks_size, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *there = g_format_size_full(report->space_free, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *spaces =
        /* Translators: room that disks take; “now” is after the import. */
        g_strdup_printf(_("%s now, at most %s; %s are free"), space, most, there);
    g_autofree char *cpus = g_strdup_printf("%u", report->cpus);
    g_autofree char *firmware =
        g_strdup_printf("%s, %s", report->uefi ? "uefi" : "bios", report->firmware_reason);

    line_print("name", KEY_WIDTH, report->name);
    line_print("format", KEY_WIDTH, report->appliance->format);
    line_print("product", KEY_WIDTH, report->machine->product);
    line_print("description", KEY_WIDTH, report->machine->annotation);
    line_print("system", KEY_WIDTH, report->os);
    line_print("declared as", KEY_WIDTH, report->machine->os_text);
    line_print("made for", KEY_WIDTH, report->machine->hardware);
    line_print("cpus", KEY_WIDTH, cpus);
    line_print("memory", KEY_WIDTH, memory);
    line_print("firmware", KEY_WIDTH, firmware);
    for (guint i = 0; i < report->drives->len; i++) {
        line_print("drive", KEY_WIDTH, report->drives->pdata[i]);
    }
    for (guint i = 0; i < report->cards->len; i++) {
        line_print("network", KEY_WIDTH, report->cards->pdata[i]);
    }
    line_print("space", KEY_WIDTH, spaces);
    notes_print(report);
    for (guint i = 0; i < report->appliance->eulas->len; i++) {
        g_autofree char *licence = plain_text(report->appliance->eulas->pdata[i]);

        printf("\n%s\n%s\n", _("Licence:"), licence);
    }
}

/* --- Command ---------------------------------------------------------------------------------- */

gboolean run_import(const struct call *call, GError **error)
{
    const OrielImportOptions options = {
        .machine = call_option(call, "machine"),
        .name = call_option(call, "name"),
        .folder = call_option(call, "dir"),
        .disks = call_option(call, "disks"),
        .accept_licence = call_option(call, "accept-licence") != NULL,
        .ignore_manifest = call_option(call, "ignore-manifest") != NULL,
    };
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(OrielImport) import = oriel_import_open(call->arguments[0], &options, NULL, error);
    g_autofree char *folder = NULL;

    if (!import) {
        return FALSE;
    }
    const OrielImportReport *report = oriel_import_report(import);

    if (!call_option(call, "report")) {
        watch_start();
        folder = oriel_import_run(import, watch_progress, cancellable, cancellable, error);
        progress_end();
        if (!folder) {
            return FALSE;
        }
    }
    if (call->json) {
        report_json(report, folder);
    } else if (folder) {
        made_print(call, report->name, folder);
        notes_print(report);
    } else {
        report_print(report);
    }
    return TRUE;
}

/* --- Trying ----------------------------------------------------------------------------------- */

struct trying {
    GCancellable *cancellable;
    OrielTry *try;
    gint ended; /* atomic */
};

static gpointer end_wait(gpointer data)
{
    struct trying *trying = data;

    oriel_try_wait(trying->try, trying->cancellable);
    g_atomic_int_set(&trying->ended, TRUE);
    g_main_context_wakeup(NULL);
    return NULL;
}

static gboolean on_signal(gpointer data)
{
    struct trying *trying = data;

    g_cancellable_cancel(trying->cancellable);
    return G_SOURCE_REMOVE;
}

/* Signals want an end of what runs, or is about to: nothing may stay behind. */
static void signals_take(struct trying *trying)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) {
        g_unix_signal_add(signals[i], on_signal, trying);
    }
}

/* Signals are heeded while something is copied, too. */
static void try_progress(guint64 done, guint64 total, gpointer data)
{
    watch_progress(done, total, data);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
}

gboolean run_try(const struct call *call, GError **error)
{
    const OrielImportOptions options = {
        .machine = call_option(call, "machine"),
        .accept_licence = call_option(call, "accept-licence") != NULL,
        .ignore_manifest = TRUE, /* nothing is kept of it */
    };
    g_autoptr(OrielImport) import = oriel_import_open(call->arguments[0], &options, NULL, error);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    struct trying trying = { .cancellable = cancellable };
    GThread *thread;

    if (!import) {
        return FALSE;
    }
    signals_take(&trying);
    trying.try = oriel_try_start(import, try_progress, cancellable, cancellable, error);
    progress_end();
    if (!trying.try) {
        return FALSE;
    }
    made_print(call, oriel_try_machine(trying.try)->name, oriel_try_machine(trying.try)->folder);
    fflush(stdout);
    thread = g_thread_new("wait", end_wait, &trying);
    while (!g_atomic_int_get(&trying.ended)) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_thread_join(thread);
    oriel_try_free(trying.try);
    return TRUE;
}
