/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-log-window.h. */
#include "oriel-log-window.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/oriel-message.h"

enum {
    TEXT_MAX = 1 << 20, /* bytes shown, from the end of the file */
};

/* Files below FOLDER/log, as they are called for people. */
static const struct {
    const char *file, *label;
} logs[] = {
    { "engine.log", N_("Machine") },        { "serial0.log", N_("Serial Port 1") },
    { "serial1.log", N_("Serial Port 2") }, { "firmware.log", N_("Firmware") },
    { NULL, N_("Crash Report") },
};

struct _OrielLogWindow {
    AdwWindow parent_instance;
    AdwWindowTitle *title;
    GtkDropDown *files;
    GtkStack *stack;
    GtkTextView *view;
    GtkWidget *copy;
    OrielMachineItem *item;
    GFileMonitor *monitor;
    GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE(OrielLogWindow, oriel_log_window, ADW_TYPE_WINDOW)

/* Shows text that anybody may have written: only valid UTF-8 reaches the view. Without length there
 * may be no text. */
static void show_text(OrielLogWindow *window, const char *text, gsize length)
{
    g_autofree char *valid = g_utf8_make_valid(length ? text : "", (gssize)length);
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(window->view);
    GtkTextIter end;

    gtk_text_buffer_set_text(buffer, valid, -1);
    gtk_text_buffer_get_end_iter(buffer, &end);
    gtk_text_buffer_place_cursor(buffer, &end);
    gtk_text_view_scroll_to_mark(window->view, gtk_text_buffer_get_insert(buffer), 0, FALSE, 0, 1);
    gtk_stack_set_visible_child_name(window->stack, length ? "text" : "empty");
    gtk_widget_set_sensitive(window->copy, length > 0);
}

/* Reads the end of a file; worker thread. */
static void read_end(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GFileInputStream) stream = g_file_read(data, cancellable, &error);
    g_autofree char *text = g_malloc(TEXT_MAX);
    gsize length = 0;

    if (stream) {
        g_autoptr(GFileInfo) info = g_file_input_stream_query_info(
            stream, G_FILE_ATTRIBUTE_STANDARD_SIZE, cancellable, &error);

        if (info && g_file_info_get_size(info) > TEXT_MAX) {
            g_seekable_seek(G_SEEKABLE(stream), g_file_info_get_size(info) - TEXT_MAX, G_SEEK_SET,
                            cancellable, NULL);
        }
        g_input_stream_read_all(G_INPUT_STREAM(stream), text, TEXT_MAX, &length, cancellable,
                                &error);
    }
    if (error && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
        g_task_return_error(task, g_steal_pointer(&error));
    } else {
        g_task_return_pointer(task, g_bytes_new(text, length), (GDestroyNotify)g_bytes_unref);
    }
}

static void end_read(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = g_task_propagate_pointer(G_TASK(result), &error);

    if (bytes) {
        show_text(ORIEL_LOG_WINDOW(source), g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    } else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        show_text(ORIEL_LOG_WINDOW(source), error->message, strlen(error->message));
    }
}

static void report_got(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(OrielLogWindow) window = data;
    g_autofree char *report = NULL;
    g_autoptr(GError) error = NULL;

    if (oriel_engine_call_get_crash_report_finish(ORIEL_ENGINE(source), &report, result, &error)) {
        show_text(window, report, strlen(report));
    } else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_dbus_error_strip_remote_error(error);
        show_text(window, error->message, strlen(error->message));
    }
}

static void reading_stop(OrielLogWindow *window)
{
    g_cancellable_cancel(window->cancellable);
    g_clear_object(&window->cancellable);
}

static void read_file(OrielLogWindow *window, GFile *file)
{
    g_autoptr(GTask) task = NULL;

    reading_stop(window);
    window->cancellable = g_cancellable_new();
    task = g_task_new(window, window->cancellable, end_read, NULL);
    g_task_set_task_data(task, g_object_ref(file), g_object_unref);
    g_task_run_in_thread(task, read_end);
}

static void file_changed(OrielLogWindow *window, GFile *file)
{
    read_file(window, file);
}

static void file_selected(OrielLogWindow *window)
{
    guint selected = gtk_drop_down_get_selected(window->files);
    OrielEngine *engine;
    g_autoptr(GFile) file = NULL;

    if (!window->item || selected >= G_N_ELEMENTS(logs)) {
        return;
    }
    g_clear_object(&window->monitor);
    if (!logs[selected].file) {
        engine = oriel_machine_item_get_engine(window->item);
        reading_stop(window);
        show_text(window, "", 0);
        if (engine) {
            window->cancellable = g_cancellable_new();
            oriel_engine_call_get_crash_report(engine, window->cancellable, report_got,
                                               g_object_ref(window));
        }
        return;
    }
    file = g_file_new_build_filename(oriel_machine_item_get_folder(window->item), "log",
                                     logs[selected].file, NULL);
    window->monitor = g_file_monitor_file(file, G_FILE_MONITOR_NONE, NULL, NULL);
    if (window->monitor) {
        g_file_monitor_set_rate_limit(window->monitor, 1000);
        g_signal_connect_swapped(window->monitor, "changed", G_CALLBACK(file_changed), window);
    }
    read_file(window, file);
}

static void copy_clicked(OrielLogWindow *window)
{
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(window->view);
    GtkTextIter start, end;
    g_autofree char *text = NULL;

    gtk_text_buffer_get_bounds(buffer, &start, &end);
    text = gtk_text_buffer_get_text(buffer, &start, &end, FALSE);
    gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(window)), text);
    oriel_message_toast(GTK_WIDGET(window->view), _("Log copied"));
}

static void oriel_log_window_dispose(GObject *object)
{
    OrielLogWindow *window = ORIEL_LOG_WINDOW(object);

    reading_stop(window);
    g_clear_object(&window->monitor);
    g_clear_object(&window->item);
    G_OBJECT_CLASS(oriel_log_window_parent_class)->dispose(object);
}

static void oriel_log_window_class_init(OrielLogWindowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_log_window_dispose;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/machine/oriel-log-window.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielLogWindow, title);
    gtk_widget_class_bind_template_child(widget_class, OrielLogWindow, files);
    gtk_widget_class_bind_template_child(widget_class, OrielLogWindow, stack);
    gtk_widget_class_bind_template_child(widget_class, OrielLogWindow, view);
    gtk_widget_class_bind_template_child(widget_class, OrielLogWindow, copy);
    gtk_widget_class_bind_template_callback(widget_class, file_selected);
    gtk_widget_class_bind_template_callback(widget_class, copy_clicked);
}

static void oriel_log_window_init(OrielLogWindow *window)
{
    g_autoptr(GtkStringList) labels = gtk_string_list_new(NULL);

    gtk_widget_init_template(GTK_WIDGET(window));
    for (guint i = 0; i < G_N_ELEMENTS(logs); i++) {
        gtk_string_list_append(labels, _(logs[i].label));
    }
    gtk_drop_down_set_model(window->files, G_LIST_MODEL(labels));
}

GtkWindow *oriel_log_window_new(OrielMachineItem *item)
{
    OrielLogWindow *window = g_object_new(ORIEL_TYPE_LOG_WINDOW, NULL);

    window->item = g_object_ref(item);
    gtk_window_set_title(GTK_WINDOW(window), _("Logs"));
    adw_window_title_set_subtitle(window->title, oriel_machine_item_get_name(item));
    if (oriel_machine_item_get_state(item) == ORIEL_MACHINE_STATE_CRASHED) {
        gtk_drop_down_set_selected(window->files, G_N_ELEMENTS(logs) - 1);
    }
    file_selected(window);
    return GTK_WINDOW(window);
}
