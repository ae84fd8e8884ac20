/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files and the window: drops, CDs, launchers. */
#include <glib/gi18n.h>
#include <string.h>

#include "base/oriel-message.h"
#include "library/oriel-operations.h"
#include "oriel-window-private.h"

static gboolean dropped(GtkDropTarget *target, const GValue *value, double x, double y,
                        OrielWindow *window)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new();
    GSList *list = gdk_file_list_get_files(g_value_get_boxed(value));

    for (GSList *link = list; link; link = link->next) {
        g_ptr_array_add(files, link->data);
    }
    oriel_window_open_files(window, (GFile **)files->pdata, files->len);
    g_slist_free(list);
    return files->len > 0;
}

void oriel_window_accept_drops(OrielWindow *window)
{
    GtkDropTarget *target = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

    g_signal_connect(target, "drop", G_CALLBACK(dropped), window);
    gtk_widget_add_controller(GTK_WIDGET(window->library), GTK_EVENT_CONTROLLER(target));
}

/* Changing the medium: blocking work on a worker thread. */
typedef struct {
    OrielMachine *machine;
    char *path; /* NULL: out */
    gboolean force;
} Change;

static void change_free(gpointer data)
{
    Change *change = data;

    oriel_machine_free(change->machine);
    g_free(change->path);
    g_free(change);
}

static void change_work(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Change *change = data;
    g_autoptr(GError) error = NULL;

    if (oriel_change_medium(change->machine, NULL, change->path, change->force, &error)) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, g_steal_pointer(&error));
    }
}

static void medium_changed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(OrielMachineItem) item = data;
    g_autoptr(GError) error = NULL;
    const Change *change = g_task_get_task_data(G_TASK(result));
    gboolean in = change->path != NULL;

    if (g_task_propagate_boolean(G_TASK(result), &error)) {
        oriel_machine_item_reload(item);
        oriel_message_toast(GTK_WIDGET(source), in ? _("CD inserted") : _("CD ejected"));
    } else {
        oriel_message_error(GTK_WIDGET(source),
                            in ? _("Could Not Insert the CD") : _("Could Not Eject the CD"), error);
    }
}

static void medium_change(OrielWindow *window, OrielMachineItem *item, const char *path)
{
    Change *change = g_new0(Change, 1);
    g_autoptr(GTask) task = g_task_new(window->toasts, NULL, medium_changed, g_object_ref(item));

    change->machine = oriel_machine_item_dup_machine(item);
    change->path = g_strdup(path);
    g_task_set_task_data(task, change, change_free);
    g_task_run_in_thread(task, change_work);
}

static void cd_chosen(GtkNativeDialog *dialog, int response, OrielWindow *window)
{
    OrielMachineItem *item = g_object_get_data(G_OBJECT(dialog), "item");

    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        g_autofree char *path = file ? g_file_get_path(file) : NULL;

        if (path) {
            medium_change(window, item, path);
        }
    }
    gtk_native_dialog_destroy(dialog);
    g_object_unref(dialog);
}

void oriel_window_insert_cd(OrielWindow *window, OrielMachineItem *item)
{
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(_("Insert a CD"), GTK_WINDOW(window),
                                    GTK_FILE_CHOOSER_ACTION_OPEN, _("_Insert"), _("_Cancel"));
    g_autoptr(GtkFileFilter) images = gtk_file_filter_new();
    g_autoptr(GtkFileFilter) all = gtk_file_filter_new();

    gtk_file_filter_set_name(images, _("CD Images"));
    gtk_file_filter_add_mime_type(images, "application/x-cd-image");
    gtk_file_filter_add_mime_type(images, "application/x-iso9660-image");
    gtk_file_filter_add_suffix(images, "iso");
    gtk_file_filter_set_name(all, _("All Files"));
    gtk_file_filter_add_pattern(all, "*");
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), images);
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), all);
    g_object_set_data_full(G_OBJECT(dialog), "item", g_object_ref(item), g_object_unref);
    g_signal_connect(dialog, "response", G_CALLBACK(cd_chosen), window);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

void oriel_window_eject_cd(OrielWindow *window, OrielMachineItem *item)
{
    medium_change(window, item, NULL);
}

/* An argument as desktop files quote it. g_free(). */
static char *exec_quote(const char *text)
{
    GString *quoted = g_string_new("\"");

    for (const char *at = text; *at; at++) {
        if (strchr("\"`$\\", *at)) {
            g_string_append_c(quoted, '\\');
        } else if (*at == '%') {
            g_string_append_c(quoted, '%');
        }
        g_string_append_c(quoted, *at);
    }
    g_string_append_c(quoted, '"');
    return g_string_free(quoted, FALSE);
}

/* It starts the machine by its UUID, which stays when the machine gets another name. g_free(). */
static char *launcher_text(OrielMachineItem *item)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *installed = g_find_program_in_path("oriel");
    g_autofree char *quoted_program = exec_quote(installed ? "oriel" : program);
    g_autofree char *command =
        g_strdup_printf("%s --start %s", quoted_program, oriel_machine_item_get_uuid(item));

    g_key_file_set_string(file, "Desktop Entry", "Type", "Application");
    g_key_file_set_string(file, "Desktop Entry", "Name", oriel_machine_item_get_name(item));
    g_key_file_set_string(file, "Desktop Entry", "Comment", _("A machine in Oriel"));
    g_key_file_set_string(file, "Desktop Entry", "Exec", command);
    g_key_file_set_string(file, "Desktop Entry", "Icon", "io.github.oriel_vm.Oriel");
    g_key_file_set_string(file, "Desktop Entry", "Categories", "System;Emulator;");
    return g_key_file_to_data(file, NULL, NULL);
}

static void launcher_written(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(OrielWindow) window = data;
    g_autoptr(GError) error = NULL;

    if (g_file_replace_contents_finish(G_FILE(source), result, NULL, &error)) {
        oriel_message_toast(GTK_WIDGET(window->toasts), _("Added to your applications"));
    } else {
        oriel_message_error(GTK_WIDGET(window->toasts), _("Could Not Add to Applications"), error);
    }
}

void oriel_window_add_launcher(OrielWindow *window, OrielMachineItem *item)
{
    g_autofree char *folder = g_build_filename(g_get_user_data_dir(), "applications", NULL);
    g_autofree char *name = g_strdup_printf("io.github.oriel_vm.Oriel.machine-%s.desktop",
                                            oriel_machine_item_get_uuid(item));
    g_autoptr(GFile) file = g_file_new_build_filename(folder, name, NULL);
    g_autofree char *text = launcher_text(item);
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

    g_mkdir_with_parents(folder, 0755);
    g_file_replace_contents_bytes_async(file, bytes, NULL, FALSE, G_FILE_CREATE_REPLACE_DESTINATION,
                                        NULL, launcher_written, g_object_ref(window));
}
