/* SPDX-License-Identifier: GPL-3.0-or-later */
/* add-disk, add-cdrom, remove-drive, reorder, grow, move, undo, revisions, restore. */
#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>

#include "disk/oriel-drive-care.h"
#include "disk/oriel-drives.h"
#include "library/oriel-move.h"
#include "library/oriel-revisions.h"
#include "orielctl.h"

/* --- Drives ----------------------------------------------------------------------------------- */

static gboolean id_print(const struct call *call, const char *id)
{
    if (id && call->json) {
        print_json(json_object_of("id", id, NULL));
    } else if (id) {
        printf("%s\n", id);
    }
    return id != NULL;
}

gboolean run_add_disk(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);
    g_autofree char *id =
        machine ? oriel_add_disk(machine, call->arguments[1], progress(), NULL, NULL, error) : NULL;

    progress_end();
    return id_print(call, id);
}

gboolean run_add_cdrom(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);
    g_autofree char *id = machine ? oriel_add_cdrom(machine, call->arguments[1], error) : NULL;

    return id_print(call, id);
}

gboolean run_remove_drive(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);

    return machine && oriel_remove_drive(machine, call->arguments[1],
                                         call_option(call, "force") != NULL, error);
}

gboolean run_reorder(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);

    return machine &&
           oriel_reorder_drives(machine, (const char *const *)call->arguments + 1, error);
}

gboolean run_grow(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);
    JsonNode *node;
    guint64 bytes;

    if (!machine || !oriel_size_parse(call->arguments[2], &bytes, error)) {
        return FALSE;
    }
    node = oriel_grow_disk(machine, call->arguments[1], bytes,
                           call_option(call, "grow-partition") != NULL, error);
    if (node) {
        resized_print(call, node);
    }
    return node != NULL;
}

gboolean run_convert_disk(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    gboolean raw = strcmp(call->arguments[2], "raw") == 0, good;

    if (machine && !raw && strcmp(call->arguments[2], "qcow2") != 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("There is no format “%s” for disks of machines; they are raw or qcow2."),
                    call->arguments[2]);
        return FALSE;
    }
    watch_start();
    good = machine && oriel_drive_convert(machine, call->arguments[1],
                                          raw ? ORIEL_DISK_FORMAT_RAW : ORIEL_DISK_FORMAT_QCOW2,
                                          watch_progress, cancellable, cancellable, error);
    progress_end();
    return good;
}

/* --- The whole machine ------------------------------------------------------------------------ */

gboolean run_move(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);
    g_autofree char *folder =
        machine ? oriel_move(machine, call->arguments[1], progress(), NULL, NULL, error) : NULL;

    progress_end();
    if (folder) {
        made_print(call, machine->name, folder);
    }
    return folder != NULL;
}

/* --- Earlier settings ------------------------------------------------------------------------- */

gboolean run_undo(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = oriel_library_look_up(call->arguments[0], error);

    return machine && oriel_undo(machine, error);
}

static char *number_text(guint number)
{
    return number == 0                       ? g_strdup("now")
           : number == ORIEL_REVISION_WORKED ? g_strdup("worked")
                                             : g_strdup_printf("%u", number);
}

/* What differs from the present settings, for people: "memory cpus". */
static char *changes_text(const GPtrArray *revisions, const OrielRevision *revision)
{
    const OrielRevision *first = revisions->pdata[0];
    g_auto(GStrv) keys = first->number == 0
                             ? oriel_config_differences(revision->config, first->config)
                             : g_new0(char *, 1);

    return g_strjoinv(" ", keys);
}

gboolean run_revisions(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = oriel_library_look_up(call->arguments[0], error);
    g_autoptr(GPtrArray) revisions =
        machine ? oriel_config_list_revisions(machine->folder, error) : NULL;
    JsonArray *array = json_array_new();

    for (guint i = 0; revisions && i < revisions->len; i++) {
        const OrielRevision *revision = revisions->pdata[i];
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(revision->time);
        g_autofree char *when = time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : g_strdup("");
        g_autofree char *number = number_text(revision->number);
        g_autofree char *changes = changes_text(revisions, revision);

        if (call->json) {
            json_array_add_element(array, json_object_of("revision", number, "time", when, "worked",
                                                         revision->worked ? "yes" : "", "differs",
                                                         changes, NULL));
        } else {
            printf("%-8s %s  %-6s %s\n", number, when, revision->worked ? "worked" : "", changes);
        }
    }
    if (revisions && call->json) {
        print_json_array(array);
    }
    json_array_unref(array);
    return revisions != NULL;
}

gboolean run_restore(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = oriel_library_look_up(call->arguments[0], error);
    const char *text = call->arguments[1];
    guint64 number = 0;

    if (!machine) {
        return FALSE;
    }
    if (strcmp(text, "worked") == 0) {
        number = oriel_last_worked(machine, error);
        if (number == 0) {
            return FALSE;
        }
    } else if (!g_ascii_string_to_unsigned(text, 10, 1, ORIEL_REVISION_WORKED, &number, NULL)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is not a revision; “orielctl revisions” shows their numbers, and "
                      "“worked” means the last that worked."),
                    text);
        return FALSE;
    }
    return oriel_restore(machine, (guint)number, error);
}
