/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-revisions.h. */
#include "oriel-revisions.h"

#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "config/runtime.h"
#include "config/saved.h"

static const OrielRevision *revision_find(GPtrArray *revisions, guint number)
{
    for (guint i = 0; i < revisions->len; i++) {
        const OrielRevision *revision = revisions->pdata[i];

        if (revision->number == number) {
            return revision;
        }
    }
    return NULL;
}

/* Disks that were removed since are in the trash. */
static gboolean check_disks(const OrielMachine *machine, const OrielConfig *config, GError **error)
{
    for (guint i = 0; i < config->drives->len; i++) {
        const OrielDrive *drive = config->drives->pdata[i];
        g_autofree char *path = drive->kind == ORIEL_DRIVE_DISK
                                    ? g_build_filename(machine->folder, drive->path, NULL)
                                    : NULL;

        if (path && !g_file_test(path, G_FILE_TEST_EXISTS)) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                        _("These settings need the disk “%s”, which is not there any more. Put it "
                          "back from the trash first."),
                        path);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean settings_take(OrielConfig *config, gpointer data, GError **error)
{
    oriel_config_take_settings(config, data);
    return TRUE;
}

/* Nothing of the present settings can be kept. */
static gboolean replace_damaged(const OrielMachine *machine, const OrielConfig *config,
                                GError **error)
{
    int lock = oriel_machine_lock_edit(machine->folder, error);
    gboolean good = lock >= 0 && oriel_config_save(config, machine->folder, error);

    if (lock >= 0) {
        oriel_machine_unlock(lock);
    }
    return good;
}

gboolean oriel_restore(const OrielMachine *machine, guint number, GError **error)
{
    g_autoptr(GPtrArray) revisions = oriel_config_list_revisions(machine->folder, error);
    const OrielRevision *revision = revisions ? revision_find(revisions, number) : NULL;

    if (revisions && !revision) {
        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
            _("“%s” has no settings of number %u; “orielctl revisions” shows those it has."),
            machine->name, number);
    }
    if (!revision || !check_disks(machine, revision->config, error)) {
        return FALSE;
    }
    return machine->problem
               ? replace_damaged(machine, revision->config, error)
               : oriel_machine_edit(machine->folder, settings_take, revision->config, error);
}

guint oriel_last_worked(const OrielMachine *machine, GError **error)
{
    g_autoptr(GPtrArray) revisions = oriel_config_list_revisions(machine->folder, error);

    for (guint i = 0; revisions && i < revisions->len; i++) {
        const OrielRevision *revision = revisions->pdata[i];

        if (revision->worked && revision->number != 0) {
            return revision->number;
        }
        if (revision->worked) {
            break;
        }
    }
    if (revisions) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    _("“%s” has no other settings that are known to have worked."), machine->name);
    }
    return 0;
}

/* What oriel_config_undo() would go back to: the newest that differ from the present ones. */
static const OrielRevision *undo_target(GPtrArray *revisions)
{
    const OrielRevision *present = revision_find(revisions, 0);

    for (guint i = 0; i < revisions->len; i++) {
        const OrielRevision *revision = revisions->pdata[i];

        if (revision->number == 0 || revision->number == ORIEL_REVISION_WORKED) {
            continue;
        }
        g_auto(GStrv) differences =
            present ? oriel_config_differences(present->config, revision->config) : NULL;

        if (!present || *differences) {
            return revision;
        }
    }
    return NULL;
}

static gboolean undo_check(const OrielMachine *machine, const OrielRevision *target, GError **error)
{
    if (machine->config && strcmp(machine->config->name, target->config->name) != 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    _("The last change was the name, which was “%s”; use “orielctl rename”."),
                    target->config->name);
        return FALSE;
    }
    g_autofree char *key =
        machine->config ? oriel_config_guest_difference(machine->config, target->config) : NULL;

    return (!key || oriel_machine_check_saved(machine->folder, machine->config, key, error)) &&
           check_disks(machine, target->config, error);
}

gboolean oriel_undo(const OrielMachine *machine, GError **error)
{
    int lock = oriel_machine_lock_edit(machine->folder, error);
    g_autoptr(GPtrArray) revisions = NULL;
    const OrielRevision *target;
    gboolean good = FALSE;

    if (lock < 0) {
        return FALSE;
    }
    revisions = oriel_config_list_revisions(machine->folder, error);
    if (revisions) {
        target = undo_target(revisions);
        good = (!target || undo_check(machine, target, error)) &&
               oriel_config_undo(machine->folder, error);
    }
    oriel_machine_unlock(lock);
    return good;
}
