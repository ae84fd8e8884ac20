/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Actions of the window that open another one: new machine, settings, names, preferences, help. */
#include <glib/gi18n.h>

#include "dialogs/oriel-about.h"
#include "dialogs/oriel-connect-dialog.h"
#include "dialogs/oriel-export-dialog.h"
#include "dialogs/oriel-name-dialog.h"
#include "dialogs/oriel-preferences-window.h"
#include "dialogs/oriel-shortcuts-window.h"
#include "machine/windows/oriel-remote-window.h"
#include "new/oriel-new-machine-window.h"
#include "base/oriel-message.h"
#include "oriel-try-window.h"
#include "oriel-window-private.h"
#include "settings/oriel-settings-window.h"

/* A machine that was made and not started: one step leads on. */
static void made(OrielOperation *operation, OrielWindow *window)
{
    const char *name = g_object_get_data(G_OBJECT(operation), "name");
    /* Translators: %s is the name of a machine. */
    g_autofree char *text = g_strdup_printf(_("“%s” is ready"), name);
    g_autofree char *title = g_markup_escape_text(text, -1);
    AdwToast *toast;

    if (!oriel_operation_get_error(operation)) {
        toast = adw_toast_new(title);
        adw_toast_set_timeout(toast, 0); /* whoever had to wait may look elsewhere */
        adw_toast_set_button_label(toast, _("_Start"));
        adw_toast_set_action_name(toast, "win.start-when-made");
        adw_toast_set_action_target_value(toast, g_variant_new_string(name));
        oriel_message_add_toast(GTK_WIDGET(window->toasts), toast);
    }
}

static void follow_making(OrielWindow *window, OrielMachineItem *item, gboolean start)
{
    OrielOperation *operation = oriel_machine_item_get_operation(item);

    if (start) {
        oriel_window_start_when_made(window, item);
    } else if (operation) {
        g_object_set_data_full(G_OBJECT(operation), "name",
                               g_strdup(oriel_machine_item_get_name(item)), g_free);
        g_signal_connect_object(operation, "ended", G_CALLBACK(made), window, 0);
    }
}

static void created(OrielNewMachineWindow *form, OrielMachineItem *item, gboolean start,
                    OrielWindow *window)
{
    follow_making(window, item, start);
}

void oriel_window_import(OrielWindow *window, OrielImport *import, gboolean start)
{
    follow_making(window, oriel_machine_list_import(window->list, import), start);
}

static void try(OrielNewMachineWindow *form, OrielImport *import, gboolean start,
                OrielWindow *window)
{
    GtkApplication *application = gtk_window_get_application(GTK_WINDOW(window));

    gtk_window_present(oriel_try_window_new(ORIEL_APPLICATION(application), import, start));
}

static OrielNewMachineWindow *new_machine(OrielWindow *window)
{
    GtkWindow *form = oriel_new_machine_window_new(window->list, window->preferences);

    gtk_window_set_transient_for(form, GTK_WINDOW(window));
    gtk_window_set_modal(form, TRUE);
    g_signal_connect_object(form, "created", G_CALLBACK(created), window, 0);
    g_signal_connect_object(form, "try", G_CALLBACK(try), window, 0);
    gtk_window_present(form);
    return ORIEL_NEW_MACHINE_WINDOW(form);
}

void oriel_window_open_files(OrielWindow *window, GFile **files, guint n_files)
{
    for (guint i = 0; i < n_files; i++) {
        g_autofree char *path = g_file_get_path(files[i]);

        if (path) {
            oriel_new_machine_window_open_file(new_machine(window), path);
        } else {
            oriel_message_toast(GTK_WIDGET(window->toasts),
                                _("Only files of this computer can be opened."));
        }
    }
}

static void act_new_machine(GtkWidget *widget, const char *action, GVariant *parameter)
{
    new_machine(ORIEL_WINDOW(widget));
}

static void connect_to(OrielConnectDialog *dialog, const char *address, OrielWindow *window)
{
    gtk_window_present(oriel_remote_window_new(gtk_window_get_application(GTK_WINDOW(window)),
                                               window->preferences, address));
}

static void act_connect(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GtkWindow *dialog = oriel_connect_dialog_new(GTK_WINDOW(widget));

    g_signal_connect_object(dialog, "connect", G_CALLBACK(connect_to), widget, 0);
    gtk_window_present(dialog);
}

/* Shows a window over this one. */
static void present_over(GtkWidget *widget, GtkWindow *window)
{
    gtk_window_set_transient_for(window, GTK_WINDOW(widget));
    gtk_window_present(window);
}

static void act_preferences(GtkWidget *widget, const char *action, GVariant *parameter)
{
    present_over(widget, oriel_preferences_window_new(ORIEL_WINDOW(widget)->preferences));
}

static void act_shortcuts(GtkWidget *widget, const char *action, GVariant *parameter)
{
    present_over(widget, oriel_shortcuts_window_new(ORIEL_WINDOW(widget)->preferences));
}

static void act_about(GtkWidget *widget, const char *action, GVariant *parameter)
{
    oriel_about_show(GTK_WINDOW(widget));
}

static void act_settings(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielWindow *window = ORIEL_WINDOW(widget);
    OrielMachineItem *item = oriel_window_parameter_item(window, parameter);

    if (item) {
        present_over(widget, oriel_settings_window_new(item, window->list));
    }
}

static void act_clone(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielWindow *window = ORIEL_WINDOW(widget);
    OrielMachineItem *item = oriel_window_parameter_item(window, parameter);

    if (item) {
        oriel_clone_dialog_show(GTK_WINDOW(widget), window->list, item);
    }
}

static void act_export(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielMachineItem *item = oriel_window_parameter_item(ORIEL_WINDOW(widget), parameter);

    if (item) {
        oriel_export_dialog_show(GTK_WINDOW(widget), item);
    }
}

static void act_rename(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielWindow *window = ORIEL_WINDOW(widget);
    OrielMachineItem *item = oriel_window_parameter_item(window, parameter);

    if (item) {
        oriel_rename_dialog_show(GTK_WINDOW(widget), item, window->list);
    }
}

void oriel_window_install_form_actions(GtkWidgetClass *class)
{
    static const struct {
        const char *name, *parameter;
        GtkWidgetActionActivateFunc activate;
    } actions[] = {
        { "win.new-machine", NULL, act_new_machine },
        { "win.connect", NULL, act_connect },
        { "win.preferences", NULL, act_preferences },
        { "win.show-help-overlay", NULL, act_shortcuts },
        { "win.about", NULL, act_about },
        { "win.machine-settings", "s", act_settings },
        { "win.machine-clone", "s", act_clone },
        { "win.machine-export", "s", act_export },
        { "win.machine-rename", "s", act_rename },
    };

    for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
        gtk_widget_class_install_action(class, actions[i].name, actions[i].parameter,
                                        actions[i].activate);
    }
}
