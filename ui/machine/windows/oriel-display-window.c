/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-display-window.h. */
#include "oriel-display-window.h"

#include <glib/gi18n.h>

#include "display/widget/oriel-display.h"
#include "display/engine/oriel-engine-backend.h"
#include "base/oriel-connection.h"

struct _OrielDisplayWindow {
    OrielScreenWindow parent_instance;
    OrielDisplay *display;

    OrielMachineItem *item;
    guint number;
    GCancellable *cancellable;
    OrielDisplayBackend *backend;
};

G_DEFINE_FINAL_TYPE(OrielDisplayWindow, oriel_display_window, ORIEL_TYPE_SCREEN_WINDOW)

static void status_follow(OrielDisplayWindow *window)
{
    switch (oriel_display_backend_get_status(window->backend)) {
    case ORIEL_DISPLAY_STATUS_CONNECTING:
        break;
    case ORIEL_DISPLAY_STATUS_CONNECTED:
        gtk_widget_grab_focus(GTK_WIDGET(window->display));
        break;
    case ORIEL_DISPLAY_STATUS_FAILED:
    case ORIEL_DISPLAY_STATUS_CLOSED:
        gtk_window_destroy(GTK_WINDOW(window));
        break;
    }
}

static void title_follow(OrielDisplayWindow *window)
{
    const char *name = oriel_machine_item_get_name(window->item);
    /* Translators: %u is 2 or more; the first display is the machine's usual screen. */
    g_autofree char *display = g_strdup_printf(_("Display %u"), window->number);
    /* Translators: a machine's name and "Display 2". */
    g_autofree char *title = g_strdup_printf(_("%s — %s"), name, display);

    oriel_screen_window_set_titles(ORIEL_SCREEN_WINDOW(window), name, display);
    gtk_window_set_title(GTK_WINDOW(window), title);
    oriel_display_set_machine_name(window->display, title);
}

static void connected(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusConnection) connection = oriel_connection_open_finish(result, &error);
    OrielDisplayWindow *window = data;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return; /* the window may be gone */
    }
    if (!connection) {
        gtk_window_destroy(GTK_WINDOW(window));
        return;
    }
    window->backend = oriel_engine_backend_new(connection, window->number);
    g_signal_connect_object(window->backend, "notify::status", G_CALLBACK(status_follow), window,
                            G_CONNECT_SWAPPED);
    oriel_engine_backend_set_connected(ORIEL_ENGINE_BACKEND(window->backend), TRUE);
    oriel_display_set_backend(window->display, window->backend);
}

static void oriel_display_window_dispose(GObject *object)
{
    OrielDisplayWindow *window = ORIEL_DISPLAY_WINDOW(object);

    g_cancellable_cancel(window->cancellable);
    if (window->backend) {
        g_signal_handlers_disconnect_by_data(window->backend, window);
        oriel_engine_backend_set_connected(ORIEL_ENGINE_BACKEND(window->backend), FALSE);
        g_clear_object(&window->backend);
    }
    gtk_widget_dispose_template(GTK_WIDGET(window), ORIEL_TYPE_DISPLAY_WINDOW);
    g_clear_object(&window->item);
    g_clear_object(&window->cancellable);
    G_OBJECT_CLASS(oriel_display_window_parent_class)->dispose(object);
}

static void oriel_display_window_class_init(OrielDisplayWindowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_display_window_dispose;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/machine/oriel-display-window.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielDisplayWindow, display);
}

static void oriel_display_window_init(OrielDisplayWindow *window)
{
    gtk_widget_init_template(GTK_WIDGET(window));
    window->cancellable = g_cancellable_new();
}

static GtkWindow *window_find(GtkApplication *application, OrielMachineItem *item, guint number)
{
    for (GList *l = gtk_application_get_windows(application); l; l = l->next) {
        if (ORIEL_IS_DISPLAY_WINDOW(l->data) && ORIEL_DISPLAY_WINDOW(l->data)->item == item &&
            ORIEL_DISPLAY_WINDOW(l->data)->number == number) {
            return l->data;
        }
    }
    return NULL;
}

static GtkWindow *window_new(GtkApplication *application, OrielPreferences *preferences,
                             OrielMachineItem *item, guint number)
{
    OrielDisplayWindow *window =
        g_object_new(ORIEL_TYPE_DISPLAY_WINDOW, "application", application, NULL);

    window->item = g_object_ref(item);
    window->number = number;
    oriel_screen_window_bind(ORIEL_SCREEN_WINDOW(window), preferences);
    oriel_display_set_scaling(window->display, ORIEL_SCALING_FOLLOW);
    g_signal_connect_object(item, "notify::name", G_CALLBACK(title_follow), window,
                            G_CONNECT_SWAPPED);
    title_follow(window);
    oriel_connection_open_async(item, window->cancellable, connected, window);
    return GTK_WINDOW(window);
}

void oriel_display_window_open(GtkApplication *application, OrielPreferences *preferences,
                               OrielMachineItem *item, guint number)
{
    GtkWindow *window = window_find(application, item, number);

    if (!window) {
        window = window_new(application, preferences, item, number);
    }
    gtk_window_present(window);
}
