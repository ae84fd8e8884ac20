/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-history-page.h. */
#include "oriel-history-page.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/oriel-message.h"
#include "settings/drives/oriel-drive-words.h"
#include "settings/oriel-machine-work.h"

struct _OrielHistoryPage {
    AdwPreferencesPage parent_instance;
    AdwPreferencesGroup *revisions_group;
    AdwActionRow *uuid_row, *generation_row;

    OrielMachineItem *item;
    OrielSettingRows *setting_rows;
    GPtrArray *rows;           /* GtkWidget, borrowed: of the revisions */
    GCancellable *cancellable; /* of the reading under way */
};

G_DEFINE_FINAL_TYPE(OrielHistoryPage, oriel_history_page, ADW_TYPE_PREFERENCES_PAGE)

static char *describe(gpointer rows, const char *key, const char *value)
{
    return oriel_setting_rows_describe(rows, key, value);
}

static char *time_text(gint64 seconds)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(seconds);

    return time ? g_date_time_format(time, "%c") : g_strdup("");
}

static void restored(GtkWidget *page, const GError *error, const char *result)
{
    oriel_message_toast(page, error ? error->message : _("Earlier settings are back"));
}

static void action_restore(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielHistoryPage *self = ORIEL_HISTORY_PAGE(widget);

    machine_work_restore(widget, self->item, g_variant_get_uint32(parameter), restored);
}

static void revision_show(OrielHistoryPage *self, const OrielRevision *revision)
{
    g_autofree char *title = time_text(revision->time);
    const OrielConfig *present = oriel_machine_item_get_config(self->item);
    g_autofree char *differences =
        settings_difference(revision->config, present, describe, self->setting_rows);
    const char *subtitle = *differences       ? differences
                           : revision->number ? _("The same as now")
                                              : _("The present settings");
    GtkWidget *row = adw_action_row_new();

    adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    if (revision->worked) {
        GtkWidget *mark = gtk_label_new(_("Worked"));

        gtk_widget_add_css_class(mark, "success");
        gtk_widget_set_tooltip_text(mark, _("With these settings the machine last ran well"));
        adw_action_row_add_suffix(ADW_ACTION_ROW(row), mark);
    }
    if (revision->number != 0) {
        /* Translators: %s is a date and time. */
        g_autofree char *label = g_strdup_printf(_("Restore the settings of %s"), title);
        GtkWidget *button = gtk_button_new_with_mnemonic(_("_Restore"));

        gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
        gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                       -1);
        gtk_actionable_set_action_target(GTK_ACTIONABLE(button), "u", revision->number);
        gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "history.restore");
        adw_action_row_add_suffix(ADW_ACTION_ROW(row), button);
    }
    adw_preferences_group_add(self->revisions_group, row);
    g_ptr_array_add(self->rows, row);
}

static void revisions_read(GObject *source, GAsyncResult *result, gpointer data)
{
    OrielHistoryPage *self = ORIEL_HISTORY_PAGE(source);
    g_autoptr(GPtrArray) revisions = g_task_propagate_pointer(G_TASK(result), NULL);

    if (!revisions || !oriel_machine_item_get_config(self->item)) {
        return; /* the folder is gone, or a newer reading is under way */
    }
    for (guint i = 0; i < self->rows->len; i++) {
        adw_preferences_group_remove(self->revisions_group, g_ptr_array_index(self->rows, i));
    }
    g_ptr_array_set_size(self->rows, 0);
    for (guint i = 0; i < revisions->len; i++) {
        revision_show(self, g_ptr_array_index(revisions, i));
    }
}

static void read_in_thread(GTask *task, gpointer source, gpointer folder, GCancellable *cancellable)
{
    GError *error = NULL;
    GPtrArray *revisions = oriel_config_list_revisions(folder, &error);

    if (revisions) {
        g_task_return_pointer(task, revisions, (GDestroyNotify)g_ptr_array_unref);
    } else {
        g_task_return_error(task, error);
    }
}

static void show(OrielHistoryPage *self)
{
    const OrielConfig *config = oriel_machine_item_get_config(self->item);

    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    if (!config) {
        return;
    }
    adw_action_row_set_subtitle(self->uuid_row, config->uuid);
    adw_action_row_set_subtitle(self->generation_row, config->generation_id);
    self->cancellable = g_cancellable_new();
    g_autoptr(GTask) task = g_task_new(self, self->cancellable, revisions_read, NULL);

    g_task_set_task_data(task, g_strdup(oriel_machine_item_get_folder(self->item)), g_free);
    g_task_run_in_thread(task, read_in_thread);
}

static void oriel_history_page_dispose(GObject *object)
{
    OrielHistoryPage *self = ORIEL_HISTORY_PAGE(object);

    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    g_clear_object(&self->item);
    g_clear_object(&self->setting_rows);
    G_OBJECT_CLASS(oriel_history_page_parent_class)->dispose(object);
}

static void oriel_history_page_finalize(GObject *object)
{
    g_ptr_array_unref(ORIEL_HISTORY_PAGE(object)->rows);
    G_OBJECT_CLASS(oriel_history_page_parent_class)->finalize(object);
}

static void oriel_history_page_class_init(OrielHistoryPageClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_history_page_dispose;
    G_OBJECT_CLASS(class)->finalize = oriel_history_page_finalize;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/settings/oriel-history-page.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielHistoryPage, revisions_group);
    gtk_widget_class_bind_template_child(widget_class, OrielHistoryPage, uuid_row);
    gtk_widget_class_bind_template_child(widget_class, OrielHistoryPage, generation_row);
    gtk_widget_class_install_action(widget_class, "history.restore", "u", action_restore);
}

static void oriel_history_page_init(OrielHistoryPage *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    self->rows = g_ptr_array_new();
}

AdwPreferencesPage *oriel_history_page_new(OrielMachineItem *item, OrielSettingRows *rows)
{
    OrielHistoryPage *self = g_object_new(ORIEL_TYPE_HISTORY_PAGE, NULL);

    self->item = g_object_ref(item);
    self->setting_rows = g_object_ref(rows);
    g_signal_connect_object(item, "notify::config", G_CALLBACK(show), self, G_CONNECT_SWAPPED);
    show(self);
    return ADW_PREFERENCES_PAGE(self);
}
