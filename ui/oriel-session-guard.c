/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-session-guard.h. */
#include "oriel-session-guard.h"

#include <glib/gi18n.h>

struct _OrielSessionGuard {
    GObject parent_instance;
    GtkApplication *application; /* borrowed: it owns the guard */
    OrielMachineList *list;
    guint cookie;  /* of the inhibitor; 0: none */
    guint pending; /* machines being saved at the end of the session */
    gboolean held;
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

static void saved(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(OrielSessionGuard) guard = data;
    g_autoptr(GError) error = NULL;

    if (!oriel_machine_item_command_finish(ORIEL_MACHINE_ITEM(source), result, &error)) {
        g_warning("“%s” could not be saved at the end of the session: %s",
                  oriel_machine_item_get_name(ORIEL_MACHINE_ITEM(source)), error->message);
    }
    guard->pending--;
    if (guard->pending == 0) {
        uninhibit(guard);
    }
}

/* The session wants to end: it waits for the inhibitor, which goes when all machines are saved. */
static void query_end(OrielSessionGuard *guard)
{
    for (guint i = 0; i < g_list_model_get_n_items(G_LIST_MODEL(guard->list)); i++) {
        g_autoptr(OrielMachineItem) item = g_list_model_get_item(G_LIST_MODEL(guard->list), i);
        OrielMachineState state = oriel_machine_item_get_state(item);

        if (state == ORIEL_MACHINE_STATE_RUNNING || state == ORIEL_MACHINE_STATE_PAUSED) {
            guard->pending++;
            oriel_machine_item_command_async(item, ORIEL_COMMAND_SAVE, NULL, saved,
                                             g_object_ref(guard));
        }
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
