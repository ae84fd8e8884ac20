/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-export.h. The caller's part: the machine's lock, and the names of what is made. */
#include "oriel-export.h"

#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "config/runtime.h"
#include "library/oriel-building.h"
#include "oriel-export-private.h"
#include "oriel-new-file.h"
#include "worker/oriel-worker.h"

/* --- Where to --------------------------------------------------------------------------------- */

static gboolean is_archive(const char *target)
{
    gsize length = strlen(target);

    return length > 4 && g_ascii_strcasecmp(target + length - 4, ".ova") == 0;
}

static gboolean target_check(const char *target, const OrielExportOptions *options, GError **error)
{
    gboolean archive = is_archive(target);

    if (archive && options->profile == ORIEL_OVF_HYPER_V) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("Hyper-V reads no OVA: give the name of a new folder instead of “%s”."),
                    target);
        return FALSE;
    }
    if (g_str_has_suffix(target, ".ovf")) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” would be one of several files: give the name of a new folder for them, "
                      "or one that ends with “.ova”."),
                    target);
        return FALSE;
    }
    if (g_file_test(target, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK) &&
        !(archive && options->force && !g_file_test(target, G_FILE_TEST_IS_DIR))) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_EXISTS,
                    archive && !options->force
                        ? _("“%s” exists already; choose another name, or replace it with --force.")
                        : _("“%s” exists already; choose another name."),
                    target);
        return FALSE;
    }
    return TRUE;
}

/* --- The report ------------------------------------------------------------------------------- */

OrielExportReport *export_report_empty(void)
{
    OrielExportReport *report = g_new0(OrielExportReport, 1);

    report->files = g_ptr_array_new_with_free_func(g_free);
    report->notes = g_ptr_array_new_with_free_func(g_free);
    return report;
}

void oriel_export_report_free(OrielExportReport *report)
{
    g_ptr_array_unref(report->files);
    g_ptr_array_unref(report->notes);
    g_free(report);
}

GVariant *export_report_to_wire(const OrielExportReport *report)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "size", "t", report->size);
    g_variant_dict_insert(&dict, "capacity", "t", report->capacity);
    g_variant_dict_insert_value(
        &dict, "files",
        g_variant_new_bytestring_array((const char *const *)report->files->pdata,
                                       (gssize)report->files->len));
    g_variant_dict_insert_value(
        &dict, "notes",
        g_variant_new_bytestring_array((const char *const *)report->notes->pdata,
                                       (gssize)report->notes->len));
    return g_variant_dict_end(&dict);
}

static void texts_get(GVariant *wire, const char *key, GPtrArray *texts)
{
    g_autofree const char **found = NULL;

    g_variant_lookup(wire, key, "^a&ay", &found);
    for (gsize i = 0; found && found[i]; i++) {
        g_ptr_array_add(texts, g_utf8_make_valid(found[i], -1));
    }
}

/* Takes the answer; NULL stays NULL. */
static OrielExportReport *report_from_wire(GVariant *answer)
{
    g_autoptr(GVariant) wire = answer;
    OrielExportReport *report = wire ? export_report_empty() : NULL;

    if (report) {
        g_variant_lookup(wire, "size", "t", &report->size);
        g_variant_lookup(wire, "capacity", "t", &report->capacity);
        texts_get(wire, "files", report->files);
        texts_get(wire, "notes", report->notes);
    }
    return report;
}

/* --- The whole -------------------------------------------------------------------------------- */

static GVariant *options_of(const OrielMachine *machine, const OrielExportOptions *options,
                            const char *target, const char *into)
{
    g_autoptr(GVariant) texts = g_variant_ref_sink(
        oriel_worker_texts("machine", machine->folder, "target", target, "into", into, NULL));
    GVariantDict dict;

    g_variant_dict_init(&dict, texts);
    g_variant_dict_insert(&dict, "profile", "u", options->profile);
    g_variant_dict_insert(&dict, "controller", "u", options->controller);
    g_variant_dict_insert(&dict, "sha1", "b", options->sha1);
    g_variant_dict_insert(&dict, "verify", "b", options->verify);
    return g_variant_dict_end(&dict);
}

OrielExportReport *oriel_export_estimate(const OrielMachine *machine,
                                         const OrielExportOptions *options,
                                         GCancellable *cancellable, GError **error)
{
    OrielWorkerRequest request = { .operation = "export-estimate", .reads = { machine->folder } };
    OrielExportReport *report;
    int lock = oriel_machine_lock(machine->folder, error);

    if (lock < 0) {
        return NULL;
    }
    request.options = options_of(machine, options, NULL, NULL);
    report = report_from_wire(oriel_worker_run(&request, NULL, NULL, cancellable, error));
    oriel_machine_unlock(lock);
    return report;
}

static OrielExportReport *archive_export(OrielWorkerRequest *request, const char *target,
                                         gboolean replace, OrielProgress progress, gpointer data,
                                         GCancellable *cancellable, GError **error)
{
    OrielExportReport *report = NULL;
    OrielNewFile file;
    gboolean good = replace ? oriel_new_file_open_over(&file, target, error)
                            : oriel_new_file_open(&file, target, error);

    if (good) {
        request->file = &file.fd;
        report = report_from_wire(oriel_worker_run(request, progress, data, cancellable, error));
    } else {
        g_variant_unref(g_variant_ref_sink(request->options));
    }
    if (report && !oriel_new_file_name(&file, replace, error)) {
        g_clear_pointer(&report, oriel_export_report_free);
    }
    oriel_new_file_clear(&file);
    return report;
}

static OrielExportReport *folder_export(OrielWorkerRequest *request, const OrielMachine *machine,
                                        const char *target, const OrielExportOptions *options,
                                        OrielProgress progress, gpointer data,
                                        GCancellable *cancellable, GError **error)
{
    g_auto(Building) building = { NULL };
    OrielExportReport *report = NULL;
    int lock = oriel_building_start_at(&building, target, error);

    if (lock >= 0) {
        request->options = options_of(machine, options, target, building.folder);
        request->fill = building.folder;
        report = report_from_wire(oriel_worker_run(request, progress, data, cancellable, error));
    }
    if (report && !oriel_building_place(&building, error)) {
        g_clear_pointer(&report, oriel_export_report_free);
    }
    if (lock >= 0) {
        oriel_machine_unlock(lock);
    }
    return report;
}

OrielExportReport *oriel_export(const OrielMachine *machine, const char *target,
                                const OrielExportOptions *options, OrielProgress progress,
                                gpointer data, GCancellable *cancellable, GError **error)
{
    OrielWorkerRequest request = { .operation = "export", .reads = { machine->folder } };
    OrielExportReport *report = NULL;
    int lock = oriel_machine_lock(machine->folder, error);

    if (lock < 0) {
        return NULL;
    }
    if (!target_check(target, options, error)) {
        oriel_machine_unlock(lock);
        return NULL;
    }
    if (is_archive(target)) {
        request.options = options_of(machine, options, target, NULL);
        report =
            archive_export(&request, target, options->force, progress, data, cancellable, error);
    } else {
        report =
            folder_export(&request, machine, target, options, progress, data, cancellable, error);
    }
    oriel_machine_unlock(lock);
    return report;
}
