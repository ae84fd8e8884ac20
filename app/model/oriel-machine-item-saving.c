/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Saving as work that is shown and can be cancelled, whoever asked the engine for it. */
#include <glib/gi18n-lib.h>

#include "oriel-machine-item-private.h"

static void on_progress(OrielEngine *engine, GParamSpec *property, OrielOperation *operation)
{
    oriel_operation_set_fraction(operation, oriel_engine_get_save_progress(engine));
}

static void on_cancelled(GCancellable *cancellable, OrielMachineItem *item)
{
    if (item->engine) {
        oriel_engine_call_cancel_save(item->engine, NULL, NULL, NULL);
    }
}

static void begin(OrielMachineItem *item)
{
    g_autofree char *title = g_strdup_printf(_("Saving “%s”"), item->name);
    g_autofree char *done = g_strdup_printf(_("“%s” Is Saved"), item->name);
    g_autofree char *failed = g_strdup_printf(_("Could Not Save “%s”"), item->name);
    OrielOperation *operation = oriel_operation_new(title);

    oriel_operation_set_outcomes(operation, done, failed);
    item->saving = operation;
    g_signal_connect_object(item->engine, "notify::save-progress", G_CALLBACK(on_progress),
                            operation, 0);
    g_signal_connect_object(oriel_operation_get_cancellable(operation), "cancelled",
                            G_CALLBACK(on_cancelled), item, 0);
    oriel_operation_begin(operation);
    on_progress(item->engine, NULL, operation);
    machine_item_set_operation(item, operation);
}

void machine_item_saving_end(OrielMachineItem *item, const GError *error)
{
    g_autoptr(OrielOperation) operation = g_steal_pointer(&item->saving);

    if (operation) {
        oriel_operation_end(operation, error);
        if (item->operation == operation) {
            machine_item_set_operation(item, NULL);
        }
    }
}

gboolean machine_item_saving_is_cancelled(OrielMachineItem *item)
{
    return item->saving &&
           g_cancellable_is_cancelled(oriel_operation_get_cancellable(item->saving));
}

/* The machine does not run any more. */
static void judge(OrielMachineItem *item)
{
    g_autoptr(GError) error = NULL;

    if (!item->supervisor || !oriel_supervisor_was_saved(item->supervisor)) {
        g_set_error(&error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    *item->message ? "%s" : _("“%s” ended before it was saved."),
                    *item->message ? item->message : item->name);
    }
    machine_item_saving_end(item, error);
}

void machine_item_saving_follow(OrielMachineItem *item)
{
    g_autoptr(GError) error = NULL;

    switch (item->state) {
    case ORIEL_MACHINE_STATE_SAVING:
        if (!item->operation && item->engine) {
            begin(item);
        }
        break;
    case ORIEL_MACHINE_STATE_STOPPING:
    case ORIEL_MACHINE_STATE_LOST: /* it may still come to an end */
        break;
    case ORIEL_MACHINE_STATE_STARTING:
    case ORIEL_MACHINE_STATE_RUNNING:
    case ORIEL_MACHINE_STATE_PAUSED:
    case ORIEL_MACHINE_STATE_CRASHED:
        /* Somebody else's: the reason is theirs to tell. */
        g_set_error(&error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _("“%s” was not saved."), item->name);
        machine_item_saving_end(item, error);
        break;
    case ORIEL_MACHINE_STATE_UNAVAILABLE:
    case ORIEL_MACHINE_STATE_DAMAGED:
    case ORIEL_MACHINE_STATE_PENDING:
    case ORIEL_MACHINE_STATE_STOPPED:
    case ORIEL_MACHINE_STATE_SAVED:
        judge(item);
        break;
    }
}
