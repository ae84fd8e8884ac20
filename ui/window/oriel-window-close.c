/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What becomes of running machines when a window is closed: asked once, remembered. */
#include <glib/gi18n.h>

#include "library/oriel-delete.h"
#include "base/oriel-message.h"
#include "oriel-window-private.h"

static gboolean can_be_asked(OrielMachineItem *item)
{
    OrielMachineState state = oriel_machine_item_get_state(item);

    return state == ORIEL_MACHINE_STATE_RUNNING || state == ORIEL_MACHINE_STATE_PAUSED;
}

static guint n_windows(OrielWindow *window)
{
    GtkApplication *application = gtk_window_get_application(GTK_WINDOW(window));
    guint number = 0;

    for (GList *link = gtk_application_get_windows(application); link; link = link->next) {
        number += ORIEL_IS_WINDOW(link->data);
    }
    return number;
}

/* The machines that closing this window is about: the one it shows; all that run, if it is the last
 * window. g_ptr_array_unref(). */
static GPtrArray *machines_concerned(OrielWindow *window)
{
    GPtrArray *items = g_ptr_array_new_with_free_func(g_object_unref);
    OrielMachineItem *shown = oriel_window_get_machine(window);
    gboolean last = n_windows(window) == 1;

    for (guint i = 0; i < g_list_model_get_n_items(G_LIST_MODEL(window->list)); i++) {
        g_autoptr(OrielMachineItem) item = g_list_model_get_item(G_LIST_MODEL(window->list), i);

        if (can_be_asked(item) && (last || item == shown)) {
            g_ptr_array_add(items, g_object_ref(item));
        }
    }
    return items;
}

/* A command given on the way out. If it fails, the machine's window comes back to say so. */
static void commanded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(OrielApplication) application = data;
    g_autoptr(GError) error = NULL;

    if (!oriel_machine_item_command_finish(ORIEL_MACHINE_ITEM(source), result, &error) &&
        !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_autofree char *heading = g_strdup_printf(
            _("“%s” Is Still Running"), oriel_machine_item_get_name(ORIEL_MACHINE_ITEM(source)));

        oriel_application_open_machine(application, ORIEL_MACHINE_ITEM(source));
        oriel_message_error(
            GTK_WIDGET(gtk_application_get_active_window(GTK_APPLICATION(application))), heading,
            error);
    }
    g_application_release(G_APPLICATION(application));
}

static void command_all(OrielWindow *window, GPtrArray *items, OrielCommand command)
{
    GtkApplication *application = gtk_window_get_application(GTK_WINDOW(window));

    for (guint i = 0; i < items->len; i++) {
        g_application_hold(G_APPLICATION(application));
        oriel_machine_item_command_async(g_ptr_array_index(items, i), command, NULL, commanded,
                                         g_object_ref(application));
    }
}

static void carry_out(OrielWindow *window, GPtrArray *items, OrielCloseAction action)
{
    switch (action) {
    case ORIEL_CLOSE_SAVE:
        command_all(window, items, ORIEL_COMMAND_SAVE);
        break;
    case ORIEL_CLOSE_SHUT_DOWN:
        command_all(window, items, ORIEL_COMMAND_SHUT_DOWN);
        break;
    case ORIEL_CLOSE_ASK:
    case ORIEL_CLOSE_KEEP_RUNNING:
        break;
    }
}

static void answered(AdwMessageDialog *dialog, const char *response, OrielWindow *window)
{
    static const char *const responses[] = { "cancel", "keep-running", "save", "shut-down" };
    GtkWidget *remember = adw_message_dialog_get_extra_child(dialog);
    g_autoptr(GPtrArray) items = machines_concerned(window);
    guint action = ORIEL_CLOSE_ASK;

    for (guint i = 0; i < G_N_ELEMENTS(responses); i++) {
        action = g_str_equal(response, responses[i]) ? i : action;
    }
    if (action == ORIEL_CLOSE_ASK) {
        return;
    }
    if (gtk_check_button_get_active(GTK_CHECK_BUTTON(remember))) {
        oriel_preferences_set_close_action(window->preferences, (OrielCloseAction)action);
    }
    carry_out(window, items, (OrielCloseAction)action);
    /* The dialog outlives the window by a moment. */
    gtk_window_set_transient_for(GTK_WINDOW(dialog), NULL);
    window->closing = TRUE;
    gtk_window_close(GTK_WINDOW(window));
}

static void ask(OrielWindow *window, GPtrArray *items)
{
    g_autofree char *heading = NULL;
    AdwMessageDialog *dialog;

    if (items->len == 1) {
        heading = g_strdup_printf(_("“%s” Is Running"),
                                  oriel_machine_item_get_name(g_ptr_array_index(items, 0)));
    } else {
        heading = g_strdup_printf(
            ngettext("%u Machine Is Running", "%u Machines Are Running", items->len), items->len);
    }
    dialog = ADW_MESSAGE_DIALOG(adw_message_dialog_new(
        GTK_WINDOW(window), heading,
        _("Machines can go on running without a window. Open Oriel again to see them.")));
    adw_message_dialog_add_responses(dialog, "cancel", _("_Cancel"), "shut-down", _("S_hut Down"),
                                     "save", _("_Save and Close"), "keep-running",
                                     _("_Keep Running"), NULL);
    adw_message_dialog_set_response_appearance(dialog, "keep-running", ADW_RESPONSE_SUGGESTED);
    adw_message_dialog_set_default_response(dialog, "keep-running");
    adw_message_dialog_set_close_response(dialog, "cancel");
    adw_message_dialog_set_extra_child(
        dialog, gtk_check_button_new_with_mnemonic(_("_Do the same next time")));
    gtk_check_button_set_active(GTK_CHECK_BUTTON(adw_message_dialog_get_extra_child(dialog)), TRUE);
    g_signal_connect_object(dialog, "response", G_CALLBACK(answered), window, 0);
    gtk_window_present(GTK_WINDOW(dialog));
}

gboolean oriel_window_may_close(OrielWindow *window)
{
    if (!window->closing) {
        g_autoptr(GPtrArray) items = machines_concerned(window);
        OrielCloseAction action = oriel_preferences_get_close_action(window->preferences);

        if (items->len > 0 && action == ORIEL_CLOSE_ASK) {
            ask(window, items);
            return FALSE;
        }
        carry_out(window, items, action);
    }
    if (n_windows(window) == 1) {
        oriel_delete_commit_all(window->list);
    }
    return TRUE;
}
