/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-name-dialog.h. One dialog; what is done with the name differs. */
#include "dialogs/oriel-name-dialog.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <string.h>

#include "base/oriel-message.h"
#include "settings/oriel-machine-work.h"
#include "widgets/oriel-machine-name.h"

typedef struct {
    OrielMachineList *list;
    OrielMachineItem *item;
    GtkWindow *parent;
    AdwMessageDialog *dialog; /* borrowed */
    GtkEditable *entry;
    gboolean clone;
} NameDialog;

static void name_dialog_free(gpointer data, GClosure *closure)
{
    NameDialog *self = data;

    g_object_unref(self->list);
    g_object_unref(self->item);
    g_object_unref(self->parent);
    g_free(self);
}

static char *name_of(NameDialog *self)
{
    return g_strstrip(g_strdup(gtk_editable_get_text(self->entry)));
}

static void on_changed(GtkEditable *entry, NameDialog *self)
{
    g_autofree char *name = name_of(self);
    const char *problem =
        oriel_machine_name_problem(self->list, name, self->clone ? NULL : self->item);

    adw_message_dialog_set_response_enabled(self->dialog, "accept", !problem && *name);
    adw_message_dialog_set_body(self->dialog, problem ? problem : "");
    if (problem) {
        gtk_widget_add_css_class(GTK_WIDGET(entry), "error");
    } else {
        gtk_widget_remove_css_class(GTK_WIDGET(entry), "error");
    }
}

static void rename_ended(GtkWidget *parent, const GError *error, const char *result)
{
    if (error) {
        oriel_message_error(parent, _("Could Not Rename the Machine"), error);
    }
}

static void on_response(AdwMessageDialog *dialog, const char *response, NameDialog *self)
{
    g_autofree char *name = name_of(self);

    if (!g_str_equal(response, "accept")) {
        return;
    }
    if (self->clone) {
        oriel_machine_list_clone(self->list, self->item, name);
    } else if (strcmp(name, oriel_machine_item_get_name(self->item)) != 0) {
        machine_work_rename(GTK_WIDGET(self->parent), self->item, name, rename_ended);
    }
}

static void name_dialog_show(GtkWindow *parent, OrielMachineList *list, OrielMachineItem *item,
                             gboolean clone)
{
    NameDialog *self = g_new0(NameDialog, 1);
    /* Translators: %s is the name of a machine. */
    const char *format = clone ? _("Clone “%s”") : _("Rename “%s”");
    g_auto(GStrv) parts = g_strsplit(format, "%s", 2);
    g_autofree char *heading =
        g_strconcat(parts[0], oriel_machine_item_get_name(item), parts[0] ? parts[1] : NULL, NULL);
    GtkWidget *list_box = gtk_list_box_new();
    GtkWidget *entry = adw_entry_row_new();

    self->list = g_object_ref(list);
    self->item = g_object_ref(item);
    self->parent = g_object_ref(parent);
    self->clone = clone;
    self->dialog = ADW_MESSAGE_DIALOG(adw_message_dialog_new(parent, heading, NULL));
    self->entry = GTK_EDITABLE(entry);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(entry), _("Name"));
    adw_entry_row_set_activates_default(ADW_ENTRY_ROW(entry), TRUE);
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list_box), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(list_box, "boxed-list");
    gtk_list_box_append(GTK_LIST_BOX(list_box), entry);
    adw_message_dialog_set_extra_child(self->dialog, list_box);
    adw_message_dialog_add_responses(self->dialog, "cancel", _("_Cancel"), "accept",
                                     clone ? _("C_lone") : _("_Rename"), NULL);
    adw_message_dialog_set_response_appearance(self->dialog, "accept", ADW_RESPONSE_SUGGESTED);
    adw_message_dialog_set_default_response(self->dialog, "accept");
    g_signal_connect(entry, "changed", G_CALLBACK(on_changed), self);
    g_signal_connect_data(self->dialog, "response", G_CALLBACK(on_response), self, name_dialog_free,
                          0);
    if (clone) {
        g_autofree char *name =
            oriel_machine_list_free_name(list, oriel_machine_item_get_name(item));

        gtk_editable_set_text(self->entry, name);
    } else {
        gtk_editable_set_text(self->entry, oriel_machine_item_get_name(item));
    }
    gtk_window_present(GTK_WINDOW(self->dialog));
}

void oriel_clone_dialog_show(GtkWindow *parent, OrielMachineList *list, OrielMachineItem *item)
{
    name_dialog_show(parent, list, item, TRUE);
}

void oriel_rename_dialog_show(GtkWindow *parent, OrielMachineItem *item, OrielMachineList *list)
{
    name_dialog_show(parent, list, item, FALSE);
}
