/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-connect-dialog.h. */
#include "dialogs/oriel-connect-dialog.h"

#include <glib/gi18n.h>

#include "display/vnc/oriel-vnc-backend.h"

struct _OrielConnectDialog {
    AdwMessageDialog parent_instance;
    GtkEditable *entry;
};

G_DEFINE_FINAL_TYPE(OrielConnectDialog, oriel_connect_dialog, ADW_TYPE_MESSAGE_DIALOG)

enum {
    CONNECT,
    N_SIGNALS,
};

static guint signals[N_SIGNALS];

static char *address_of(OrielConnectDialog *self)
{
    return g_strstrip(g_strdup(gtk_editable_get_text(self->entry)));
}

/* The backend knows what an address is. */
static void on_changed(OrielConnectDialog *self)
{
    g_autofree char *address = address_of(self);
    g_autoptr(GError) error = NULL;
    OrielDisplayBackend *backend = *address ? oriel_vnc_backend_new(address, &error) : NULL;

    adw_message_dialog_set_response_enabled(ADW_MESSAGE_DIALOG(self), "connect", backend != NULL);
    adw_message_dialog_set_body(ADW_MESSAGE_DIALOG(self),
                                error ? error->message
                                      : _("The address of a VNC server, “office.example:1” or "
                                          "“192.0.2.7:5901” for example."));
    g_clear_object(&backend);
}

static void oriel_connect_dialog_response(AdwMessageDialog *dialog, const char *response)
{
    OrielConnectDialog *self = ORIEL_CONNECT_DIALOG(dialog);
    g_autofree char *address = address_of(self);

    if (g_str_equal(response, "connect")) {
        g_signal_emit(self, signals[CONNECT], 0, address);
    }
}

static void oriel_connect_dialog_class_init(OrielConnectDialogClass *class)
{
    ADW_MESSAGE_DIALOG_CLASS(class)->response = oriel_connect_dialog_response;
    signals[CONNECT] = g_signal_new("connect", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void oriel_connect_dialog_init(OrielConnectDialog *self)
{
    AdwMessageDialog *dialog = ADW_MESSAGE_DIALOG(self);
    GtkWidget *list = gtk_list_box_new();
    GtkWidget *entry = adw_entry_row_new();

    self->entry = GTK_EDITABLE(entry);
    adw_message_dialog_set_heading(dialog, _("Connect to a Remote Screen"));
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(entry), _("Address"));
    adw_entry_row_set_activates_default(ADW_ENTRY_ROW(entry), TRUE);
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(list, "boxed-list");
    gtk_list_box_append(GTK_LIST_BOX(list), entry);
    adw_message_dialog_set_extra_child(dialog, list);
    adw_message_dialog_add_responses(dialog, "cancel", _("_Cancel"), "connect", _("C_onnect"),
                                     NULL);
    adw_message_dialog_set_response_appearance(dialog, "connect", ADW_RESPONSE_SUGGESTED);
    adw_message_dialog_set_default_response(dialog, "connect");
    g_signal_connect_object(entry, "changed", G_CALLBACK(on_changed), self, G_CONNECT_SWAPPED);
    on_changed(self);
}

GtkWindow *oriel_connect_dialog_new(GtkWindow *parent)
{
    return g_object_new(ORIEL_TYPE_CONNECT_DIALOG, "transient-for", parent, "modal", parent != NULL,
                        NULL);
}
