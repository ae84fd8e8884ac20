/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-delete.h. */
#include "library/oriel-delete.h"

#include <glib/gi18n.h>

#include "base/oriel-message.h"

typedef struct {
    OrielMachineList *list;
    GPtrArray *items;
    GWeakRef near;
    gboolean undone;
} Deletion;

static void deletion_free(gpointer data, GClosure *closure)
{
    Deletion *deletion = data;

    g_object_unref(deletion->list);
    g_ptr_array_unref(deletion->items);
    g_weak_ref_clear(&deletion->near);
    g_free(deletion);
}

/* A commit under way. The application stays until it has ended. */
typedef struct {
    GWeakRef near;
    char *name;
    GApplication *application;
} Commit;

static void committed(GObject *source, GAsyncResult *result, gpointer data)
{
    Commit *commit = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GtkWidget) near = g_weak_ref_get(&commit->near);

    if (!oriel_machine_list_delete_commit_finish(ORIEL_MACHINE_LIST(source), result, &error)) {
        g_autofree char *heading = g_strdup_printf(_("Could Not Delete “%s”"), commit->name);

        if (near && gtk_widget_get_root(near)) {
            oriel_message_error(near, heading, error);
        } else {
            g_warning("%s: %s", heading, error->message);
        }
    }
    g_application_release(commit->application);
    g_weak_ref_clear(&commit->near);
    g_free(commit->name);
    g_free(commit);
}

static void commit_start(OrielMachineList *list, OrielMachineItem *item, GtkWidget *near)
{
    Commit *commit = g_new0(Commit, 1);

    g_weak_ref_init(&commit->near, near);
    commit->name = g_strdup(oriel_machine_item_get_name(item));
    commit->application = g_application_get_default();
    g_application_hold(commit->application);
    oriel_machine_list_delete_commit_async(list, item, committed, commit);
}

static gboolean still_waits(OrielMachineList *list, OrielMachineItem *item)
{
    g_autoptr(GPtrArray) waiting = oriel_machine_list_get_deleted(list);

    return g_ptr_array_find(waiting, item, NULL);
}

static void undo_clicked(AdwToast *toast, gpointer data)
{
    Deletion *deletion = data;

    deletion->undone = TRUE;
    for (guint i = 0; i < deletion->items->len; i++) {
        OrielMachineItem *item = g_ptr_array_index(deletion->items, i);

        if (still_waits(deletion->list, item)) {
            oriel_machine_list_delete_undo(deletion->list, item);
        }
    }
}

static void commit_waiting(Deletion *deletion)
{
    g_autoptr(GtkWidget) near = g_weak_ref_get(&deletion->near);

    for (guint i = 0; i < deletion->items->len; i++) {
        OrielMachineItem *item = g_ptr_array_index(deletion->items, i);

        if (still_waits(deletion->list, item)) {
            commit_start(deletion->list, item, near);
        }
    }
}

static void toast_dismissed(AdwToast *toast, gpointer data)
{
    Deletion *deletion = data;

    if (!deletion->undone) {
        commit_waiting(deletion);
    }
}

void oriel_delete_machines(GtkWidget *near, OrielMachineList *list, GPtrArray *items)
{
    g_autoptr(GtkWidget) kept = g_object_ref(near); /* windows may close with their machine */
    Deletion *deletion;
    AdwToast *toast;
    g_autofree char *title = NULL;
    g_autofree char *markup = NULL;

    if (items->len == 0) {
        return;
    }
    if (items->len == 1) {
        title = g_strdup_printf(_("“%s” deleted"),
                                oriel_machine_item_get_name(g_ptr_array_index(items, 0)));
    } else {
        title = g_strdup_printf(ngettext("%u machine deleted", "%u machines deleted", items->len),
                                items->len);
    }
    deletion = g_new0(Deletion, 1);
    deletion->list = g_object_ref(list);
    deletion->items = g_ptr_array_new_with_free_func(g_object_unref);
    g_weak_ref_init(&deletion->near, near);
    for (guint i = 0; i < items->len; i++) {
        OrielMachineItem *item = g_object_ref(g_ptr_array_index(items, i));

        g_ptr_array_add(deletion->items, item);
        oriel_machine_list_delete(list, item);
    }
    if (!gtk_widget_get_root(near)) { /* nowhere to offer the way back */
        commit_waiting(deletion);
        deletion_free(deletion, NULL);
        return;
    }
    markup = g_markup_escape_text(title, -1);
    toast = adw_toast_new(markup);
    adw_toast_set_button_label(toast, _("_Undo"));
    adw_toast_set_timeout(toast, 10);
    g_signal_connect(toast, "button-clicked", G_CALLBACK(undo_clicked), deletion);
    g_signal_connect_data(toast, "dismissed", G_CALLBACK(toast_dismissed), deletion, deletion_free,
                          0);
    oriel_message_add_toast(near, toast);
}

void oriel_delete_commit_all(OrielMachineList *list)
{
    g_autoptr(GPtrArray) waiting = oriel_machine_list_get_deleted(list);

    for (guint i = 0; i < waiting->len; i++) {
        commit_start(list, g_ptr_array_index(waiting, i), NULL);
    }
}
