/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-general-page.h. */
#include "oriel-general-page.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/oriel-message.h"
#include "new/oriel-system-chooser.h"
#include "oriel-system.h"
#include "settings/oriel-machine-work.h"
#include "settings/oriel-settings-window.h"

enum {
    NOTES_SETTLE_MS = 1500, /* notes are saved when the typing rests */
};

struct _OrielGeneralPage {
    AdwPreferencesPage parent_instance;
    AdwEntryRow *name_row, *tags_row;
    GtkImage *system_icon;
    GtkLabel *system_label;
    GtkTextView *notes_view;
    GtkWidget *notes_row;
    AdwActionRow *folder_row;

    OrielMachineItem *item;
    OrielMachineList *list;
    char *name_shown; /* the name that was put into its row last */
    guint notes_source;
    gboolean showing;
};

G_DEFINE_FINAL_TYPE(OrielGeneralPage, oriel_general_page, ADW_TYPE_PREFERENCES_PAGE)

/* --- Notes ------------------------------------------------------------------------------------ */

static char *notes_text(OrielGeneralPage *self)
{
    GtkTextIter start, end;
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(self->notes_view);

    gtk_text_buffer_get_bounds(buffer, &start, &end);
    return gtk_text_buffer_get_text(buffer, &start, &end, FALSE);
}

static void notes_saved(GObject *item, GAsyncResult *result, gpointer data)
{
    g_autoptr(OrielGeneralPage) self = data;
    g_autoptr(GError) error = NULL;

    oriel_machine_item_set_finish(ORIEL_MACHINE_ITEM(item), result, &error);
    oriel_setting_row_set_problem(self->notes_row, error ? error->message : NULL);
}

static void notes_save(OrielGeneralPage *self)
{
    g_autofree char *text = notes_text(self);
    const char *pairs[] = { "notes", text, NULL };

    g_clear_handle_id(&self->notes_source, g_source_remove);
    oriel_machine_item_set_async(self->item, pairs, NULL, notes_saved, g_object_ref(self));
}

/* The window ends; nobody waits for the answer. */
static void notes_save_last(OrielGeneralPage *self)
{
    g_autofree char *text = notes_text(self);
    const char *pairs[] = { "notes", text, NULL };

    g_clear_handle_id(&self->notes_source, g_source_remove);
    oriel_machine_item_set_async(self->item, pairs, NULL, NULL, NULL);
}

static gboolean notes_settled(gpointer data)
{
    OrielGeneralPage *self = data;

    self->notes_source = 0;
    notes_save(self);
    return G_SOURCE_REMOVE;
}

static void notes_changed(OrielGeneralPage *self)
{
    if (!self->showing) {
        g_clear_handle_id(&self->notes_source, g_source_remove);
        self->notes_source = g_timeout_add(NOTES_SETTLE_MS, notes_settled, self);
    }
}

/* --- Name and system -------------------------------------------------------------------------- */

static void renamed(GtkWidget *page, const GError *error, const char *result)
{
    OrielGeneralPage *self = ORIEL_GENERAL_PAGE(page);

    oriel_setting_row_set_problem(GTK_WIDGET(self->name_row), error ? error->message : NULL);
}

static void on_name_applied(OrielGeneralPage *self)
{
    const char *name = gtk_editable_get_text(GTK_EDITABLE(self->name_row));

    machine_work_rename(GTK_WIDGET(self), self->item, name, renamed);
}

static void system_saved(GObject *item, GAsyncResult *result, gpointer data)
{
    g_autoptr(OrielGeneralPage) self = data;
    g_autoptr(GError) error = NULL;

    if (!oriel_machine_item_set_finish(ORIEL_MACHINE_ITEM(item), result, &error)) {
        oriel_message_toast(GTK_WIDGET(self), error->message);
    }
}

static GtkWindow *window_of(OrielGeneralPage *self)
{
    return GTK_WINDOW(gtk_widget_get_root(GTK_WIDGET(self)));
}

static void system_chosen(OrielGeneralPage *self, const char *id)
{
    const char *pairs[] = { "os", id, NULL };

    oriel_machine_item_set_async(self->item, pairs, NULL, system_saved, g_object_ref(self));
    oriel_settings_close_subpage(GTK_WIDGET(self));
}

static void action_choose_system(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielGeneralPage *self = ORIEL_GENERAL_PAGE(widget);
    GtkWidget *chooser = oriel_system_chooser_new();

    g_signal_connect_object(chooser, "chosen", G_CALLBACK(system_chosen), self, G_CONNECT_SWAPPED);
    oriel_settings_present_subpage(widget, chooser, _("System"));
    oriel_system_chooser_open(ORIEL_SYSTEM_CHOOSER(chooser));
}

/* --- The folder ------------------------------------------------------------------------------- */

static void action_open_folder(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielGeneralPage *self = ORIEL_GENERAL_PAGE(widget);
    g_autoptr(GFile) folder = g_file_new_for_path(oriel_machine_item_get_folder(self->item));
    g_autofree char *uri = g_file_get_uri(folder);

    gtk_show_uri(window_of(self), uri, GDK_CURRENT_TIME);
}

static void moved(GtkWidget *page, const GError *error, const char *result)
{
    OrielGeneralPage *self = ORIEL_GENERAL_PAGE(page);

    oriel_setting_row_set_problem(GTK_WIDGET(self->folder_row), error ? error->message : NULL);
}

static void place_chosen(GtkNativeDialog *dialog, int response, OrielGeneralPage *self)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        g_autofree char *path = g_file_get_path(file);

        machine_work_move(GTK_WIDGET(self), self->item, path, moved);
    }
    g_object_unref(dialog);
}

static void action_move(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielGeneralPage *self = ORIEL_GENERAL_PAGE(widget);
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(_("Move the Machine To"), window_of(self),
                                    GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _("_Move"), NULL);

    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect_object(dialog, "response", G_CALLBACK(place_chosen), self, 0);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

/* --- Showing ---------------------------------------------------------------------------------- */

static void show(OrielGeneralPage *self)
{
    const OrielConfig *config = oriel_machine_item_get_config(self->item);
    g_autofree char *notes = config ? oriel_config_get(config, "notes", NULL) : NULL;
    g_autofree char *os = config ? oriel_config_get(config, "os", NULL) : NULL;
    const OrielSystem *system = oriel_system_find(os && *os ? os : NULL);
    g_autofree char *old = notes_text(self);
    g_autofree char *folder = g_filename_display_name(oriel_machine_item_get_folder(self->item));
    const char *name = oriel_machine_item_get_name(self->item);
    gboolean still = !oriel_machine_item_is_active(self->item);

    self->showing = TRUE;
    gtk_label_set_label(self->system_label, system->name);
    gtk_image_set_from_icon_name(self->system_icon, system->icon);
    if (g_strcmp0(self->name_shown, name) != 0) {
        g_free(self->name_shown);
        self->name_shown = g_strdup(name);
        gtk_editable_set_text(GTK_EDITABLE(self->name_row), name);
    }
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(self->folder_row), folder);
    if (notes && !self->notes_source && strcmp(notes, old) != 0) {
        gtk_text_buffer_set_text(gtk_text_view_get_buffer(self->notes_view), notes, -1);
    }
    /* The name is part of the folder's, and the folder is in use while the machine runs. */
    gtk_widget_set_sensitive(GTK_WIDGET(self->name_row), still);
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "general.move", still);
    self->showing = FALSE;
}

/* --- The object ------------------------------------------------------------------------------- */

static void oriel_general_page_dispose(GObject *object)
{
    OrielGeneralPage *self = ORIEL_GENERAL_PAGE(object);

    if (self->notes_source) {
        notes_save_last(self);
    }
    g_clear_pointer(&self->name_shown, g_free);
    g_clear_object(&self->item);
    g_clear_object(&self->list);
    G_OBJECT_CLASS(oriel_general_page_parent_class)->dispose(object);
}

static void oriel_general_page_class_init(OrielGeneralPageClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_general_page_dispose;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/settings/oriel-general-page.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielGeneralPage, name_row);
    gtk_widget_class_bind_template_child(widget_class, OrielGeneralPage, tags_row);
    gtk_widget_class_bind_template_child(widget_class, OrielGeneralPage, system_icon);
    gtk_widget_class_bind_template_child(widget_class, OrielGeneralPage, system_label);
    gtk_widget_class_bind_template_child(widget_class, OrielGeneralPage, notes_view);
    gtk_widget_class_bind_template_child(widget_class, OrielGeneralPage, notes_row);
    gtk_widget_class_bind_template_child(widget_class, OrielGeneralPage, folder_row);
    gtk_widget_class_bind_template_callback(widget_class, on_name_applied);
    gtk_widget_class_install_action(widget_class, "general.choose-system", NULL,
                                    action_choose_system);
    gtk_widget_class_install_action(widget_class, "general.open-folder", NULL, action_open_folder);
    gtk_widget_class_install_action(widget_class, "general.move", NULL, action_move);
}

static void oriel_general_page_init(OrielGeneralPage *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect_object(gtk_text_view_get_buffer(self->notes_view), "changed",
                            G_CALLBACK(notes_changed), self, G_CONNECT_SWAPPED);
}

AdwPreferencesPage *oriel_general_page_new(OrielMachineItem *item, OrielMachineList *list,
                                           OrielSettingRows *rows)
{
    static const char *const signals[] = { "notify::config", "notify::name", "notify::folder",
                                           "notify::state" };
    OrielGeneralPage *self = g_object_new(ORIEL_TYPE_GENERAL_PAGE, NULL);

    self->item = g_object_ref(item);
    self->list = g_object_ref(list);
    oriel_setting_rows_bind(rows, GTK_WIDGET(self->tags_row), "tags", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) {
        g_signal_connect_object(item, signals[i], G_CALLBACK(show), self, G_CONNECT_SWAPPED);
    }
    show(self);
    return ADW_PREFERENCES_PAGE(self);
}
