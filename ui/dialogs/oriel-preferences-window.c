/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-preferences-window.h. */
#include "dialogs/oriel-preferences-window.h"

#include <glib/gi18n.h>

#include "library/oriel-library.h"

struct _OrielPreferencesWindow {
    AdwPreferencesWindow parent_instance;
    AdwComboRow *close_row, *scaling_row, *grab_row, *chord_row;
    AdwActionRow *folder_row;
    GtkWidget *reset_folder_button;
    GtkSwitch *notifications_switch;

    OrielPreferences *preferences; /* NULL while the template is made */
};

G_DEFINE_FINAL_TYPE(OrielPreferencesWindow, oriel_preferences_window, ADW_TYPE_PREFERENCES_WINDOW)

/* In the order of the row's model. */
static const char *const chords[] = { "ctrl+alt", "rightctrl", "ctrl+alt+shift" };

static void on_close_selected(OrielPreferencesWindow *self)
{
    oriel_preferences_set_close_action(
        self->preferences, (OrielCloseAction)adw_combo_row_get_selected(self->close_row));
}

static void on_scaling_selected(OrielPreferencesWindow *self)
{
    oriel_preferences_set_scaling(self->preferences,
                                  (OrielScaling)adw_combo_row_get_selected(self->scaling_row));
}

static void on_grab_selected(OrielPreferencesWindow *self)
{
    oriel_preferences_set_grab_policy(self->preferences,
                                      (OrielGrabPolicy)adw_combo_row_get_selected(self->grab_row));
}

static void on_chord_selected(OrielPreferencesWindow *self)
{
    guint selected = adw_combo_row_get_selected(self->chord_row);

    if (self->preferences && selected < G_N_ELEMENTS(chords)) {
        oriel_preferences_set_string(self->preferences, "release-chord", chords[selected]);
    }
}

static void folder_show(OrielPreferencesWindow *self)
{
    g_autofree char *folder = oriel_preferences_dup_string(self->preferences, "default-folder");
    g_autofree char *own = oriel_library_folder(FALSE, NULL);
    g_autofree char *text = g_filename_display_name(*folder ? folder : own ? own : "");

    adw_action_row_set_subtitle(self->folder_row, text);
    gtk_widget_set_visible(self->reset_folder_button, *folder);
}

static void folder_chosen(GtkNativeDialog *dialog, int response, OrielPreferencesWindow *self)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        g_autofree char *path = g_file_get_path(file);

        oriel_preferences_set_string(self->preferences, "default-folder", path ? path : "");
        folder_show(self);
    }
    g_object_unref(dialog);
}

static void action_choose_folder(GtkWidget *widget, const char *name, GVariant *parameter)
{
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(_("Folder for New Machines"), GTK_WINDOW(widget),
                                    GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, NULL, NULL);

    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect_object(dialog, "response", G_CALLBACK(folder_chosen), widget, 0);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static void action_reset_folder(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielPreferencesWindow *self = ORIEL_PREFERENCES_WINDOW(widget);

    oriel_preferences_set_string(self->preferences, "default-folder", "");
    folder_show(self);
}

static void oriel_preferences_window_dispose(GObject *object)
{
    g_clear_object(&ORIEL_PREFERENCES_WINDOW(object)->preferences);
    G_OBJECT_CLASS(oriel_preferences_window_parent_class)->dispose(object);
}

static void oriel_preferences_window_class_init(OrielPreferencesWindowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_preferences_window_dispose;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/dialogs/oriel-preferences-window.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielPreferencesWindow, close_row);
    gtk_widget_class_bind_template_child(widget_class, OrielPreferencesWindow, scaling_row);
    gtk_widget_class_bind_template_child(widget_class, OrielPreferencesWindow, grab_row);
    gtk_widget_class_bind_template_child(widget_class, OrielPreferencesWindow, chord_row);
    gtk_widget_class_bind_template_child(widget_class, OrielPreferencesWindow, folder_row);
    gtk_widget_class_bind_template_child(widget_class, OrielPreferencesWindow, reset_folder_button);
    gtk_widget_class_bind_template_child(widget_class, OrielPreferencesWindow,
                                         notifications_switch);
    gtk_widget_class_bind_template_callback(widget_class, on_chord_selected);
    gtk_widget_class_install_action(widget_class, "preferences.choose-folder", NULL,
                                    action_choose_folder);
    gtk_widget_class_install_action(widget_class, "preferences.reset-folder", NULL,
                                    action_reset_folder);
}

static void oriel_preferences_window_init(OrielPreferencesWindow *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}

static void chord_show(OrielPreferencesWindow *self)
{
    g_autofree char *chord = oriel_preferences_dup_string(self->preferences, "release-chord");

    for (guint i = 0; i < G_N_ELEMENTS(chords); i++) {
        if (g_str_equal(chords[i], chord)) {
            adw_combo_row_set_selected(self->chord_row, i);
        }
    }
}

GtkWindow *oriel_preferences_window_new(OrielPreferences *preferences)
{
    OrielPreferencesWindow *self = g_object_new(ORIEL_TYPE_PREFERENCES_WINDOW, NULL);

    adw_combo_row_set_selected(self->close_row, oriel_preferences_get_close_action(preferences));
    adw_combo_row_set_selected(self->scaling_row, oriel_preferences_get_scaling(preferences));
    adw_combo_row_set_selected(self->grab_row, oriel_preferences_get_grab_policy(preferences));
    self->preferences = g_object_ref(preferences);
    chord_show(self);
    folder_show(self);
    g_signal_connect_object(self->close_row, "notify::selected", G_CALLBACK(on_close_selected),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(self->scaling_row, "notify::selected", G_CALLBACK(on_scaling_selected),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(self->grab_row, "notify::selected", G_CALLBACK(on_grab_selected), self,
                            G_CONNECT_SWAPPED);
    oriel_preferences_bind(preferences, "notifications", self->notifications_switch, "active",
                           G_SETTINGS_BIND_DEFAULT);
    return GTK_WINDOW(self);
}
