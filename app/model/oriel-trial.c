/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-trial.h. All of it, from the first copy to the removal, is one operation, in a thread
 * of its own. */
#include "oriel-trial.h"

#include <glib/gi18n-lib.h>

#include "appliance/oriel-try.h"
#include "oriel-machine-item-private.h"

struct _OrielTrial {
    GObject parent;
    OrielMachineItem *item;
    OrielOperation *operation;
    OrielImport *import; /* the thread's while the operation is active */
};

static guint signal_ended;

G_DEFINE_FINAL_TYPE(OrielTrial, oriel_trial, G_TYPE_OBJECT)

/* --- The thread ------------------------------------------------------------------------------- */

struct running {
    OrielTrial *trial;
    MachineReading *reading;
};

static void running_free(gpointer data)
{
    struct running *running = data;

    machine_reading_free(running->reading);
    g_object_unref(running->trial);
    g_free(running);
}

/* On the main context: the engine runs. */
static gboolean on_running(gpointer data)
{
    struct running *running = data;
    OrielMachineItem *item = running->trial->item;

    machine_item_set_operation(item, NULL);
    machine_item_take_reading(item, g_steal_pointer(&running->reading));
    oriel_supervisor_look(item->supervisor);
    return G_SOURCE_REMOVE;
}

static void tell_running(OrielTrial *trial, const OrielTry *try)
{
    struct running *running = g_new0(struct running, 1);

    running->trial = g_object_ref(trial);
    running->reading = machine_reading_new(oriel_try_machine(try)->folder);
    g_idle_add_full(G_PRIORITY_DEFAULT, on_running, running, running_free);
}

static char *work(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                  GError **error)
{
    OrielTrial *trial = data;
    g_autoptr(OrielTry) try =
        oriel_try_start(trial->import, oriel_operation_progress, operation, cancellable, error);

    if (!try) {
        return NULL;
    }
    tell_running(trial, try);
    oriel_try_wait(try, cancellable);
    return g_strdup("");
}

/* --- The object ------------------------------------------------------------------------------- */

static void on_ended(OrielTrial *trial)
{
    machine_item_set_operation(trial->item, NULL);
    g_signal_emit(trial, signal_ended, 0);
}

OrielTrial *oriel_trial_new(OrielImport *import)
{
    OrielTrial *trial = g_object_new(ORIEL_TYPE_TRIAL, NULL);
    const char *name = oriel_import_report(import)->name;
    g_autofree char *title = g_strdup_printf(_("Starting “%s”"), name);

    trial->import = oriel_import_ref(import);
    trial->item = machine_item_new_pending(name);
    trial->item->is_trial = TRUE;
    trial->operation = oriel_operation_new(title);
    g_signal_connect_object(trial->operation, "ended", G_CALLBACK(on_ended), trial,
                            G_CONNECT_SWAPPED);
    oriel_operation_run(trial->operation, work, g_object_ref(trial), g_object_unref);
    machine_item_set_operation(trial->item, trial->operation);
    return trial;
}

OrielMachineItem *oriel_trial_get_item(OrielTrial *trial)
{
    return trial->item;
}

void oriel_trial_end(OrielTrial *trial)
{
    oriel_operation_cancel(trial->operation);
}

gboolean oriel_trial_has_ended(OrielTrial *trial)
{
    return !oriel_operation_is_active(trial->operation);
}

const GError *oriel_trial_get_error(OrielTrial *trial)
{
    return oriel_operation_get_error(trial->operation);
}

static void finalize(GObject *object)
{
    OrielTrial *trial = ORIEL_TRIAL(object);

    g_clear_object(&trial->item);
    g_clear_object(&trial->operation);
    oriel_import_free(trial->import);
    G_OBJECT_CLASS(oriel_trial_parent_class)->finalize(object);
}

static void oriel_trial_class_init(OrielTrialClass *class)
{
    G_OBJECT_CLASS(class)->finalize = finalize;
    signal_ended = g_signal_new("ended", ORIEL_TYPE_TRIAL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 0);
}

static void oriel_trial_init(OrielTrial *trial)
{
}
