/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-session-guard.h. */
#include "oriel-session-guard.h"

#include <glib/gi18n.h>

#include "oriel-application.h"
#include "base/oriel-message.h"

struct _OrielSessionGuard {
    GObject parent_instance;
    GtkApplication *application; /* borrowed: it owns the guard */
    OrielMachineList *list;
    guint cookie;          /* of the inhibitor; 0: none */
    guint pending;         /* machines being saved at the end of the session */
    gboolean held, failed; /* failed: one of them could not be saved */
};

G_DEFINE_FINAL_TYPE(OrielSessionGuard, oriel_session_guard, G_TYPE_OBJECT)

static guint n_working(OrielMachineList *list)
{
    guint number = 0;

    for (guint i = 0; i < g_list_model_get_n_items(G_LIST_MODEL(list)); i++) {
        g_autoptr(OrielMachineItem) item = g_list_model_get_item(G_LIST_MODEL(list), i);
        OrielOperation *operation = oriel_machine_item_get_operation(item);

        number += operation && oriel_operation_is_active(operation);
    }
    return number;
}

static void uninhibit(OrielSessionGuard *guard)
{
    if (guard->cookie) {
        gtk_application_uninhibit(guard->application, guard->cookie);
        guard->cookie = 0;
    }
}

/* Holds and inhibits as long as there is a reason. */
static void follow(OrielSessionGuard *guard)
{
    guint running = oriel_machine_list_get_n_active(guard->list);
    guint working = n_working(guard->list);
    gboolean needed = running + working > 0;

    if (needed != guard->held) {
        guard->held = needed;
        if (needed) {
            g_application_hold(G_APPLICATION(guard->application));
        } else {
            g_application_release(G_APPLICATION(guard->application));
        }
    }
    if (!needed) {
        uninhibit(guard);
    } else if (!guard->cookie) {
        guard->cookie = gtk_application_inhibit(
            guard->application, gtk_application_get_active_window(guard->application),
            GTK_APPLICATION_INHIBIT_LOGOUT,
            running ? _("Machines are running; they are saved first.")
                    : _("Work on machines is under way."));
    }
}

/* Whether something would be lost if the session ended now. */
static gboolean may_end(OrielSessionGuard *guard)
{
    return guard->pending == 0 && !guard->failed && n_working(guard->list) == 0;
}

static void saved(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(OrielSessionGuard) guard = data;
    OrielMachineItem *item = ORIEL_MACHINE_ITEM(source);
    g_autoptr(GError) error = NULL;

    guard->pending--;
    if (!oriel_machine_item_command_finish(item, result, &error)) {
        g_autofree char *heading =
            g_strdup_printf(_("Could Not Save “%s”"), oriel_machine_item_get_name(item));
        OrielApplication *application = ORIEL_APPLICATION(guard->application);

        guard->failed = TRUE; /* also if the user has cancelled it */
        oriel_application_open_machine(application, item);
        oriel_message_error(GTK_WIDGET(gtk_application_get_active_window(guard->application)),
                            heading, error);
    }
    if (may_end(guard)) {
        uninhibit(guard);
    }
}

/* The session wants to end: it waits for the inhibitor, which goes when all machines are saved. It
 * stays if one could not be: the session's dialog then leaves the choice to the user. */
static void query_end(OrielSessionGuard *guard)
{
    guard->failed = FALSE;
    for (guint i = 0; i < g_list_model_get_n_items(G_LIST_MODEL(guard->list)); i++) {
        g_autoptr(OrielMachineItem) item = g_list_model_get_item(G_LIST_MODEL(guard->list), i);
        OrielMachineState state = oriel_machine_item_get_state(item);

        if (state == ORIEL_MACHINE_STATE_RUNNING || state == ORIEL_MACHINE_STATE_PAUSED) {
            guard->pending++;
            oriel_machine_item_command_async(item, ORIEL_COMMAND_SAVE, NULL, saved,
                                             g_object_ref(guard));
        }
    }
    if (may_end(guard)) {
        uninhibit(guard);
    }
}

static void watch_new(OrielSessionGuard *guard, guint position, guint removed, guint added)
{
    for (guint i = position; i < position + added; i++) {
        g_autoptr(OrielMachineItem) item = g_list_model_get_item(G_LIST_MODEL(guard->list), i);

        g_signal_connect_object(item, "notify::operation", G_CALLBACK(follow), guard,
                                G_CONNECT_SWAPPED);
    }
    follow(guard);
}

static void oriel_session_guard_dispose(GObject *object)
{
    OrielSessionGuard *guard = ORIEL_SESSION_GUARD(object);

    if (guard->list) {
        g_signal_handlers_disconnect_by_data(guard->list, guard);
        uninhibit(guard);
    }
    g_clear_object(&guard->list);
    G_OBJECT_CLASS(oriel_session_guard_parent_class)->dispose(object);
}

static void oriel_session_guard_class_init(OrielSessionGuardClass *class)
{
    G_OBJECT_CLASS(class)->dispose = oriel_session_guard_dispose;
}

static void oriel_session_guard_init(OrielSessionGuard *guard)
{
}

OrielSessionGuard *oriel_session_guard_new(GtkApplication *application, OrielMachineList *list)
{
    OrielSessionGuard *guard = g_object_new(ORIEL_TYPE_SESSION_GUARD, NULL);

    guard->application = application;
    guard->list = g_object_ref(list);
    g_signal_connect_object(application, "query-end", G_CALLBACK(query_end), guard,
                            G_CONNECT_SWAPPED);
    g_signal_connect_swapped(list, "notify::n-active", G_CALLBACK(follow), guard);
    g_signal_connect_swapped(list, "items-changed", G_CALLBACK(watch_new), guard);
    watch_new(guard, 0, 0, g_list_model_get_n_items(G_LIST_MODEL(list)));
    return guard;
}
