/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-try-window.h. The window stays, unseen, until nothing of the trial is left. */
#include "oriel-try-window.h"

#include <glib/gi18n.h>

#include "machine/page/oriel-machine-page.h"
#include "model/oriel-trial.h"
#include "oriel-window-private.h"

typedef enum {
    ANSWER_NONE,
    ANSWER_DISCARD,
    ANSWER_IMPORT,
} Answer;

struct _OrielTryWindow {
    AdwApplicationWindow parent_instance;
    OrielMachinePage *page;

    OrielTrial *trial;
    OrielImport *import;
    gboolean start;
    GtkWindow *question; /* while it is asked; borrowed */
    Answer answer;
};

G_DEFINE_FINAL_TYPE(OrielTryWindow, oriel_try_window, ADW_TYPE_APPLICATION_WINDOW)

/* --- The end ---------------------------------------------------------------------------------- */

/* Nothing of the trial is left. */
static void finish(OrielTryWindow *window)
{
    GtkApplication *application = gtk_window_get_application(GTK_WINDOW(window));

    if (window->answer == ANSWER_IMPORT) {
        oriel_application_import(ORIEL_APPLICATION(application), window->import, window->start);
    }
    gtk_window_destroy(GTK_WINDOW(window));
}

static void on_ended(OrielTryWindow *window);

static void answered(AdwMessageDialog *dialog, const char *response, OrielTryWindow *window)
{
    gboolean ended = oriel_trial_has_ended(window->trial);

    window->question = NULL;
    if (g_str_equal(response, "import")) {
        window->answer = ANSWER_IMPORT;
    } else if (g_str_equal(response, "discard")) {
        window->answer = ANSWER_DISCARD;
    } else if (ended) { /* meanwhile */
        on_ended(window);
        return;
    } else {
        return;
    }
    /* The dialog outlives the window by a moment. */
    gtk_window_set_transient_for(GTK_WINDOW(dialog), NULL);
    gtk_widget_set_visible(GTK_WIDGET(window), FALSE);
    if (ended) {
        finish(window);
    } else {
        oriel_trial_end(window->trial);
    }
}

static const char *name_of(OrielTryWindow *window)
{
    return oriel_machine_item_get_name(oriel_trial_get_item(window->trial));
}

static AdwMessageDialog *dialog_new(OrielTryWindow *window, const char *heading, const char *body)
{
    GtkWidget *dialog = adw_message_dialog_new(GTK_WINDOW(window), heading, body);

    window->question = GTK_WINDOW(dialog);
    g_signal_connect_object(dialog, "response", G_CALLBACK(answered), window, 0);
    return ADW_MESSAGE_DIALOG(dialog);
}

static void ask(OrielTryWindow *window)
{
    gboolean ended = oriel_trial_has_ended(window->trial);
    g_autofree char *heading = g_strdup_printf(_("Import “%s”?"), name_of(window));
    AdwMessageDialog *dialog =
        dialog_new(window, heading,
                   _("What was done in it while it was tried is not kept. Importing it makes a "
                     "machine of it as it came."));

    if (!ended) {
        adw_message_dialog_add_response(dialog, "cancel", _("_Go On Trying"));
    }
    adw_message_dialog_add_responses(dialog, "discard", _("_Discard"), "import", _("_Import It"),
                                     NULL);
    adw_message_dialog_set_response_appearance(dialog, "import", ADW_RESPONSE_SUGGESTED);
    adw_message_dialog_set_close_response(dialog, ended ? "discard" : "cancel");
    gtk_window_present(GTK_WINDOW(dialog));
}

static void tell_failure(OrielTryWindow *window, const GError *error)
{
    g_autofree char *heading = g_strdup_printf(_("Could Not Try “%s”"), name_of(window));
    AdwMessageDialog *dialog = dialog_new(window, heading, error->message);

    adw_message_dialog_add_response(dialog, "discard", _("_Close"));
    adw_message_dialog_set_close_response(dialog, "discard");
    gtk_window_present(GTK_WINDOW(dialog));
}

/* By itself, by an answer, or because its start was cancelled or has failed. */
static void on_ended(OrielTryWindow *window)
{
    const GError *error = oriel_trial_get_error(window->trial);

    if (window->answer != ANSWER_NONE || g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        finish(window);
    } else if (error) {
        tell_failure(window, error);
    } else if (!window->question) {
        ask(window);
    }
}

static gboolean close_request(GtkWindow *base)
{
    OrielTryWindow *window = ORIEL_TRY_WINDOW(base);

    if (window->question) {
        gtk_window_present(window->question);
    } else if (window->answer == ANSWER_NONE) {
        ask(window);
    }
    return TRUE;
}

/* --- The window ------------------------------------------------------------------------------- */

static void shortcuts_follow(OrielTryWindow *window)
{
    oriel_window_shortcuts_follow(GTK_WINDOW(window), window->page);
}

static void fullscreen_follow(OrielTryWindow *window)
{
    oriel_machine_page_set_fullscreen(window->page, gtk_window_is_fullscreen(GTK_WINDOW(window)));
}

static void act_fullscreen(GtkWidget *widget, const char *action, GVariant *parameter)
{
    if (gtk_window_is_fullscreen(GTK_WINDOW(widget))) {
        gtk_window_unfullscreen(GTK_WINDOW(widget));
    } else {
        gtk_window_fullscreen(GTK_WINDOW(widget));
    }
}

static void act_machine_menu(GtkWidget *widget, const char *action, GVariant *parameter)
{
    oriel_machine_page_open_menu(ORIEL_TRY_WINDOW(widget)->page);
}

static void oriel_try_window_dispose(GObject *object)
{
    OrielTryWindow *window = ORIEL_TRY_WINDOW(object);

    if (window->trial) {
        oriel_trial_end(window->trial);
    }
    g_clear_object(&window->trial);
    g_clear_pointer(&window->import, oriel_import_free);
    G_OBJECT_CLASS(oriel_try_window_parent_class)->dispose(object);
}

static void oriel_try_window_class_init(OrielTryWindowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_try_window_dispose;
    GTK_WINDOW_CLASS(class)->close_request = close_request;
    gtk_widget_class_install_action(widget_class, "win.fullscreen", NULL, act_fullscreen);
    gtk_widget_class_install_action(widget_class, "win.machine-menu", NULL, act_machine_menu);
}

static void oriel_try_window_init(OrielTryWindow *window)
{
    GtkWidget *toasts = adw_toast_overlay_new();

    window->page = g_object_new(ORIEL_TYPE_MACHINE_PAGE, NULL);
    adw_toast_overlay_set_child(ADW_TOAST_OVERLAY(toasts), GTK_WIDGET(window->page));
    adw_application_window_set_content(ADW_APPLICATION_WINDOW(window), toasts);
    gtk_window_set_default_size(GTK_WINDOW(window), 1024, 768);
    g_signal_connect(window, "notify::fullscreened", G_CALLBACK(fullscreen_follow), NULL);
    g_signal_connect(window, "notify::is-active", G_CALLBACK(shortcuts_follow), NULL);
}

GtkWindow *oriel_try_window_new(OrielApplication *application, OrielImport *import, gboolean start)
{
    OrielTryWindow *window = g_object_new(ORIEL_TYPE_TRY_WINDOW, "application", application, NULL);
    g_autofree char *title = NULL;

    /* Translators: %s is the name of a machine that is tried before it is imported. */
    title = g_strdup_printf(_("Trying “%s”"), oriel_import_report(import)->name);
    gtk_window_set_title(GTK_WINDOW(window), title);
    window->import = oriel_import_ref(import);
    window->start = start;
    window->trial = oriel_trial_new(import);
    g_signal_connect_object(window->trial, "ended", G_CALLBACK(on_ended), window,
                            G_CONNECT_SWAPPED);
    oriel_machine_page_set_up(window->page, oriel_application_get_preferences(application), TRUE);
    oriel_machine_page_set_item(window->page, oriel_trial_get_item(window->trial));
    g_signal_connect_object(window->page, "notify::captures-keys", G_CALLBACK(shortcuts_follow),
                            window, G_CONNECT_SWAPPED);
    return GTK_WINDOW(window);
}
