/* SPDX-License-Identifier: GPL-3.0-or-later */
/* drag_source FILE...: a small window, titled "Files", from which the files are dragged as a file
 * manager does. */
#include <gtk/gtk.h>

static GdkContentProvider *prepare(GtkDragSource *source, double x, double y, gpointer data)
{
    char **paths = data;
    GdkFileList *list;
    GSList *files = NULL;
    GdkContentProvider *provider;

    for (; *paths; paths++) {
        files = g_slist_append(files, g_file_new_for_commandline_arg(*paths));
    }
    list = gdk_file_list_new_from_list(files);
    provider = gdk_content_provider_new_typed(GDK_TYPE_FILE_LIST, list);
    g_boxed_free(GDK_TYPE_FILE_LIST, list);
    g_slist_free_full(files, g_object_unref);
    return provider;
}

static void closed(GtkWindow *window, gpointer loop)
{
    g_main_loop_quit(loop);
}

int main(int argc, char **argv)
{
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    GtkDragSource *source;
    GtkWidget *window, *label;

    gtk_init();
    window = gtk_window_new();
    label = gtk_label_new("Drag me");
    source = gtk_drag_source_new();
    g_signal_connect(source, "prepare", G_CALLBACK(prepare), argv + 1);
    gtk_widget_add_controller(label, GTK_EVENT_CONTROLLER(source));
    gtk_window_set_child(GTK_WINDOW(window), label);
    gtk_window_set_title(GTK_WINDOW(window), "Files");
    gtk_window_set_default_size(GTK_WINDOW(window), 200, 120);
    g_signal_connect(window, "destroy", G_CALLBACK(closed), loop);
    gtk_window_present(GTK_WINDOW(window));
    g_main_loop_run(loop);
    g_main_loop_unref(loop);
    return 0;
}
