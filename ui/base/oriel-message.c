/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-message.h. */
#include "oriel-message.h"

#include <glib/gi18n.h>

/* The toast overlay around the widget, or else the first in its window. */
static AdwToastOverlay *overlay_find(GtkWidget *near)
{
    GtkWidget *around = gtk_widget_get_ancestor(near, ADW_TYPE_TOAST_OVERLAY);
    GtkRoot *root = gtk_widget_get_root(near);
    GtkWidget *child;

    if (around) {
        return ADW_TOAST_OVERLAY(around);
    }
    if (!ADW_IS_APPLICATION_WINDOW(root)) {
        return NULL;
    }
    child = adw_application_window_get_content(ADW_APPLICATION_WINDOW(root));
    return ADW_IS_TOAST_OVERLAY(child) ? ADW_TOAST_OVERLAY(child) : NULL;
}

void oriel_message_add_toast(GtkWidget *near, AdwToast *toast)
{
    AdwToastOverlay *overlay = overlay_find(near);

    if (overlay) {
        adw_toast_overlay_add_toast(overlay, toast);
    } else {
        g_object_unref(toast);
    }
}

void oriel_message_toast(GtkWidget *near, const char *text)
{
    g_autofree char *markup = g_markup_escape_text(text, -1);

    oriel_message_add_toast(near, adw_toast_new(markup));
}

static GtkWindow *window_of(GtkWidget *near)
{
    GtkRoot *root = gtk_widget_get_root(near);

    return GTK_IS_WINDOW(root) ? GTK_WINDOW(root) : NULL;
}

void oriel_message_tell(GtkWidget *near, const char *heading, const char *body)
{
    GtkWidget *dialog = adw_message_dialog_new(window_of(near), heading, body);

    adw_message_dialog_add_response(ADW_MESSAGE_DIALOG(dialog), "close", _("_Close"));
    gtk_window_present(GTK_WINDOW(dialog));
}

void oriel_message_error(GtkWidget *near, const char *heading, const GError *error)
{
    g_autofree char *body = g_utf8_make_valid(error->message, -1); /* there may be a path in it */

    if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        oriel_message_tell(near, heading, body);
    }
}

typedef struct {
    OrielMessageAnswer confirmed;
    gpointer data;
    GDestroyNotify free_data;
} Question;

static void question_free(gpointer data, GClosure *closure)
{
    Question *question = data;

    if (question->free_data) {
        question->free_data(question->data);
    }
    g_free(question);
}

static void answered(AdwMessageDialog *dialog, const char *response, gpointer data)
{
    Question *question = data;

    if (g_str_equal(response, "confirm")) {
        question->confirmed(question->data);
    }
}

void oriel_message_confirm(GtkWidget *near, const char *heading, const char *body,
                           const char *label, OrielMessageAnswer confirmed, gpointer data,
                           GDestroyNotify free_data)
{
    GtkWidget *widget = adw_message_dialog_new(window_of(near), heading, body);
    AdwMessageDialog *dialog = ADW_MESSAGE_DIALOG(widget);
    Question *question = g_new(Question, 1);

    *question = (Question){ confirmed, data, free_data };
    adw_message_dialog_add_response(dialog, "cancel", _("_Cancel"));
    adw_message_dialog_add_response(dialog, "confirm", label);
    adw_message_dialog_set_response_appearance(dialog, "confirm", ADW_RESPONSE_DESTRUCTIVE);
    adw_message_dialog_set_default_response(dialog, "cancel");
    adw_message_dialog_set_close_response(dialog, "cancel");
    g_signal_connect_data(dialog, "response", G_CALLBACK(answered), question, question_free, 0);
    gtk_window_present(GTK_WINDOW(dialog));
}
