/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-notifications.h. */
#include "oriel-notifications.h"

#include <glib/gi18n.h>

#include "base/oriel-message.h"
#include "window/oriel-window.h"

enum {
    LONG_SECONDS = 10, /* work that took less is not announced */
};

struct _OrielNotifications {
    GObject parent_instance;
    GtkApplication *application; /* borrowed: it owns this */
    OrielMachineList *list;
    OrielPreferences *preferences;
    GHashTable *sent;      /* ids of notifications that may still be shown */
    GHashTable *beginning; /* OrielOperation -> gint64: monotonic time when it was first seen */
};

G_DEFINE_FINAL_TYPE(OrielNotifications, oriel_notifications, G_TYPE_OBJECT)

/* The window that the user looks at now, perhaps by way of a dialog, or NULL. */
static GtkWindow *looked_at(OrielNotifications *notifications)
{
    GtkWindow *window = gtk_application_get_active_window(notifications->application);

    if (!window || !gtk_window_is_active(window)) {
        return NULL;
    }
    while (window && !ORIEL_IS_WINDOW(window)) {
        window = gtk_window_get_transient_for(window);
    }
    return window;
}

/* A window that there is, whether or not somebody looks, or NULL. */
static GtkWindow *any_window(OrielNotifications *notifications)
{
    for (GList *link = gtk_application_get_windows(notifications->application); link;
         link = link->next) {
        if (ORIEL_IS_WINDOW(link->data)) {
            return link->data;
        }
    }
    return NULL;
}

static void send(OrielNotifications *notifications, OrielMachineItem *item, const char *id,
                 const char *title, const char *body)
{
    g_autoptr(GNotification) notification = g_notification_new(title);

    if (!oriel_preferences_get_notifications(notifications->preferences)) {
        return;
    }
    if (body && *body) {
        g_notification_set_body(notification, body);
    }
    if (oriel_machine_item_get_folder(item)) {
        g_notification_set_default_action_and_target(notification, "app.open-machine", "s",
                                                     oriel_machine_item_get_folder(item));
    }
    g_application_send_notification(G_APPLICATION(notifications->application), id, notification);
    g_hash_table_add(notifications->sent, g_strdup(id));
}

static void withdraw_all(OrielNotifications *notifications)
{
    GHashTableIter iter;
    gpointer id;

    if (!looked_at(notifications)) {
        return;
    }
    g_hash_table_iter_init(&iter, notifications->sent);
    while (g_hash_table_iter_next(&iter, &id, NULL)) {
        g_application_withdraw_notification(G_APPLICATION(notifications->application), id);
        g_hash_table_iter_remove(&iter);
    }
}

/* Says it once: the page of the machine says it itself. */
static void tell(OrielNotifications *notifications, OrielMachineItem *item, const char *title,
                 const char *message)
{
    GtkWindow *window = looked_at(notifications);
    g_autofree char *id = g_strconcat("stopped-", oriel_machine_item_get_uuid(item), NULL);

    if (!window) {
        send(notifications, item, id, title, message);
    } else if (oriel_window_get_machine(ORIEL_WINDOW(window)) != item) {
        oriel_message_toast(GTK_WIDGET(window), message && *message ? message : title);
    }
}

static void stopped(OrielMachineItem *item, const char *message, gpointer data)
{
    gboolean crashed = oriel_machine_item_get_state(item) == ORIEL_MACHINE_STATE_CRASHED;
    g_autofree char *title =
        g_strdup_printf(crashed ? _("“%s” Crashed") : _("“%s” Stopped Unexpectedly"),
                        oriel_machine_item_get_name(item));

    tell(data, item, title, message);
}

typedef struct {
    OrielNotifications *notifications;
    OrielMachineItem *item;
} Watched;

static void watched_free(gpointer data, GClosure *closure)
{
    Watched *watched = data;

    g_object_unref(watched->item);
    g_object_unref(watched->notifications);
    g_free(watched);
}

/* What has happened, for somebody who did not look. */
static void send_outcome(OrielNotifications *notifications, OrielMachineItem *item,
                         OrielOperation *operation)
{
    const GError *error = oriel_operation_get_error(operation);
    const char *outcome = oriel_operation_get_outcome(operation);
    const char *name = oriel_machine_item_get_name(item);
    g_autofree char *id = g_strconcat("operation-", name, NULL);
    g_autofree char *text = error ? g_strdup_printf(_("Work on “%s” Failed"), name)
                                  : g_strdup_printf(_("“%s” Is Ready"), name);
    const char *body = error ? error->message : oriel_operation_get_title(operation);

    send(notifications, item, id, outcome ? outcome : text, !error && outcome ? NULL : body);
}

/* Who looks sees it where the work was asked for; a machine that was not made has no such place. */
static void operation_ended(OrielOperation *operation, gpointer data)
{
    Watched *watched = data;
    OrielNotifications *notifications = watched->notifications;
    gint64 *begun = g_hash_table_lookup(notifications->beginning, operation);
    gboolean was_long = begun && g_get_monotonic_time() - *begun >= LONG_SECONDS * G_USEC_PER_SEC;
    const GError *error = oriel_operation_get_error(operation);
    const char *outcome = oriel_operation_get_outcome(operation);
    const char *title = oriel_operation_get_title(operation);
    gboolean unmade = oriel_machine_item_get_state(watched->item) == ORIEL_MACHINE_STATE_PENDING;
    gboolean cancelled = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    GtkWindow *window = looked_at(notifications);

    if (!window && !cancelled && (error || was_long)) {
        send_outcome(notifications, watched->item, operation);
    }
    window = window ? window : any_window(notifications);
    if (error && unmade && window) {
        oriel_message_error(GTK_WIDGET(window), outcome ? outcome : title, error);
    }
    g_hash_table_remove(notifications->beginning, operation);
}

static void operation_changed(OrielMachineItem *item, GParamSpec *pspec, gpointer data)
{
    OrielNotifications *notifications = data;
    OrielOperation *operation = oriel_machine_item_get_operation(item);
    Watched *watched;
    gint64 *begun;

    if (!operation || !oriel_operation_is_active(operation) ||
        g_hash_table_contains(notifications->beginning, operation)) {
        return;
    }
    begun = g_new(gint64, 1);
    *begun = g_get_monotonic_time();
    g_hash_table_insert(notifications->beginning, g_object_ref(operation), begun);
    watched = g_new(Watched, 1);
    *watched = (Watched){ g_object_ref(notifications), g_object_ref(item) };
    g_signal_connect_data(operation, "ended", G_CALLBACK(operation_ended), watched, watched_free,
                          0);
}

static void watch_new(OrielNotifications *notifications, guint position, guint removed, guint added)
{
    for (guint i = position; i < position + added; i++) {
        g_autoptr(OrielMachineItem) item =
            g_list_model_get_item(G_LIST_MODEL(notifications->list), i);

        /* An item may come back (undo of a deletion). */
        g_signal_handlers_disconnect_by_func(item, stopped, notifications);
        g_signal_handlers_disconnect_by_func(item, operation_changed, notifications);
        g_signal_connect_object(item, "stopped-unexpectedly", G_CALLBACK(stopped), notifications,
                                0);
        g_signal_connect_object(item, "notify::operation", G_CALLBACK(operation_changed),
                                notifications, 0);
        operation_changed(item, NULL, notifications);
    }
}

static void active_changed(OrielNotifications *notifications)
{
    withdraw_all(notifications);
}

static void oriel_notifications_dispose(GObject *object)
{
    OrielNotifications *notifications = ORIEL_NOTIFICATIONS(object);

    g_clear_object(&notifications->list);
    g_clear_object(&notifications->preferences);
    G_OBJECT_CLASS(oriel_notifications_parent_class)->dispose(object);
}

static void oriel_notifications_finalize(GObject *object)
{
    g_hash_table_unref(ORIEL_NOTIFICATIONS(object)->sent);
    g_hash_table_unref(ORIEL_NOTIFICATIONS(object)->beginning);
    G_OBJECT_CLASS(oriel_notifications_parent_class)->finalize(object);
}

static void oriel_notifications_class_init(OrielNotificationsClass *class)
{
    G_OBJECT_CLASS(class)->dispose = oriel_notifications_dispose;
    G_OBJECT_CLASS(class)->finalize = oriel_notifications_finalize;
}

static void oriel_notifications_init(OrielNotifications *notifications)
{
    notifications->sent = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    notifications->beginning = g_hash_table_new_full(NULL, NULL, g_object_unref, g_free);
}

OrielNotifications *oriel_notifications_new(GtkApplication *application, OrielMachineList *list,
                                            OrielPreferences *preferences)
{
    OrielNotifications *notifications = g_object_new(ORIEL_TYPE_NOTIFICATIONS, NULL);

    notifications->application = application;
    notifications->list = g_object_ref(list);
    notifications->preferences = g_object_ref(preferences);
    g_signal_connect_object(application, "notify::active-window", G_CALLBACK(active_changed),
                            notifications, G_CONNECT_SWAPPED);
    g_signal_connect_object(list, "items-changed", G_CALLBACK(watch_new), notifications,
                            G_CONNECT_SWAPPED);
    watch_new(notifications, 0, 0, g_list_model_get_n_items(G_LIST_MODEL(list)));
    return notifications;
}
