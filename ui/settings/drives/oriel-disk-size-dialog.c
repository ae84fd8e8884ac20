/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-disk-size-dialog.h. */
#include "oriel-disk-size-dialog.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#include "widgets/oriel-spin-row.h"

enum {
    MIB_PER_GIB = 1024,
    SIZE_MIB_MAX = 64 * 1024 * 1024,
};

typedef struct {
    GtkWidget *widget;
    OrielSpinRow *row;
    GtkSwitch *more; /* NULL: not asked */
    DiskSizeAnswered answered;
} Question;

static void question_free(gpointer data, GClosure *closure)
{
    Question *question = data;

    g_object_unref(question->widget);
    g_free(question);
}

static void on_response(AdwMessageDialog *dialog, const char *response, Question *question)
{
    g_autofree char *size = g_strdup_printf("%.0fM", oriel_spin_row_get_value(question->row));

    if (g_str_equal(response, "accept")) {
        question->answered(question->widget, size,
                           question->more && gtk_switch_get_active(question->more));
    }
}

static GtkSwitch *more_add(GtkListBox *list, const DiskSizeQuestion *asked)
{
    GtkWidget *row = adw_action_row_new(), *more = gtk_switch_new();

    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), asked->more);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), asked->more_subtitle);
    gtk_switch_set_active(GTK_SWITCH(more), TRUE);
    gtk_widget_set_valign(more, GTK_ALIGN_CENTER);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), more);
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), more);
    gtk_list_box_append(list, row);
    return GTK_SWITCH(more);
}

void disk_size_dialog_show(GtkWidget *widget, const DiskSizeQuestion *asked,
                           DiskSizeAnswered answered)
{
    GtkWindow *parent = GTK_WINDOW(gtk_widget_get_root(widget));
    AdwMessageDialog *dialog =
        ADW_MESSAGE_DIALOG(adw_message_dialog_new(parent, asked->heading, asked->body));
    GtkWidget *list = gtk_list_box_new();
    Question *question = g_new0(Question, 1);

    question->widget = g_object_ref(widget);
    question->answered = answered;
    question->row = g_object_new(ORIEL_TYPE_SPIN_ROW, "title", _("Size"), "sizes", TRUE, "lower",
                                 asked->lower, "upper", (double)SIZE_MIB_MAX, "step",
                                 (double)MIB_PER_GIB, "value", asked->value, NULL);
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(list, "boxed-list");
    gtk_list_box_append(GTK_LIST_BOX(list), GTK_WIDGET(question->row));
    if (asked->more) {
        question->more = more_add(GTK_LIST_BOX(list), asked);
    }
    adw_message_dialog_set_extra_child(dialog, list);
    adw_message_dialog_add_responses(dialog, "cancel", _("_Cancel"), "accept", asked->accept, NULL);
    adw_message_dialog_set_response_appearance(dialog, "accept", ADW_RESPONSE_SUGGESTED);
    adw_message_dialog_set_default_response(dialog, "accept");
    g_signal_connect_data(dialog, "response", G_CALLBACK(on_response), question, question_free, 0);
    gtk_window_present(GTK_WINDOW(dialog));
}
