/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Actions of the window that need no form. */
#include <glib/gi18n.h>

#include "library/oriel-delete.h"
#include "machine/windows/oriel-log-window.h"
#include "machine/oriel-machine-actions.h"
#include "base/oriel-message.h"
#include "oriel-window-private.h"

static void act_back(GtkWidget *widget, const char *action, GVariant *parameter)
{
    oriel_window_show_machine(ORIEL_WINDOW(widget), NULL);
}

static void act_search(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielWindow *window = ORIEL_WINDOW(widget);

    if (!oriel_window_get_machine(window)) {
        gtk_widget_activate_action(GTK_WIDGET(window->library), "library.search", NULL);
    }
}

static void act_check_host(GtkWidget *widget, const char *action, GVariant *parameter)
{
    oriel_library_page_show_host(ORIEL_WINDOW(widget)->library);
}

static void act_fullscreen(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielWindow *window = ORIEL_WINDOW(widget);
    g_autofree char *wanted =
        oriel_preferences_dup_string(window->preferences, "fullscreen-monitor");

    if (gtk_window_is_fullscreen(GTK_WINDOW(window))) {
        gtk_window_unfullscreen(GTK_WINDOW(window));
    } else if (!oriel_window_get_machine(window)) {
        return;
    } else if (*wanted) {
        gtk_widget_activate_action(widget, "win.fullscreen-on", "s", wanted);
    } else {
        gtk_window_fullscreen(GTK_WINDOW(window));
    }
}

/* On the monitor that is plugged into the connector, or where the window is if there is none. */
static void act_fullscreen_on(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielWindow *window = ORIEL_WINDOW(widget);
    const char *connector = g_variant_get_string(parameter, NULL);
    GListModel *monitors = gdk_display_get_monitors(gtk_widget_get_display(widget));

    oriel_preferences_set_string(window->preferences, "fullscreen-monitor", connector);
    for (guint i = 0; i < g_list_model_get_n_items(monitors); i++) {
        g_autoptr(GdkMonitor) monitor = g_list_model_get_item(monitors, i);

        if (g_strcmp0(gdk_monitor_get_connector(monitor), connector) == 0) {
            gtk_window_fullscreen_on_monitor(GTK_WINDOW(window), monitor);
            return;
        }
    }
    gtk_window_fullscreen(GTK_WINDOW(window));
}

static void act_machine_menu(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielWindow *window = ORIEL_WINDOW(widget);

    if (oriel_window_get_machine(window)) {
        oriel_machine_page_open_menu(window->page);
    }
}

/* A machine that is being made, until it has been. */
typedef struct {
    GWeakRef window;
    gulong handler;
} Start;

static void made_follow(OrielMachineItem *item, GParamSpec *pspec, gpointer data)
{
    Start *start = data;
    OrielMachineState state = oriel_machine_item_get_state(item);
    g_autoptr(OrielWindow) window = NULL;

    /* What failed may be tried again: then it is still waited for. */
    if (state == ORIEL_MACHINE_STATE_PENDING) {
        return;
    }
    window = g_weak_ref_get(&start->window);
    /* Once: starting it changes the state, which would come here again. `start` ends with this. */
    g_signal_handler_disconnect(item, start->handler);
    if (state == ORIEL_MACHINE_STATE_STOPPED && window) {
        oriel_window_show_machine(window, item);
        oriel_machine_actions_start(GTK_WIDGET(window->toasts), item, FALSE);
    }
}

static void start_free(gpointer data, GClosure *closure)
{
    Start *start = data;

    g_weak_ref_clear(&start->window);
    g_free(start);
}

void oriel_window_start_when_made(OrielWindow *window, OrielMachineItem *item)
{
    Start *start = g_new0(Start, 1);

    g_weak_ref_init(&start->window, window);
    start->handler =
        g_signal_connect_data(item, "notify::state", G_CALLBACK(made_follow), start, start_free, 0);
    made_follow(item, NULL, start);
}

static void act_start_when_made(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielWindow *window = ORIEL_WINDOW(widget);
    OrielMachineItem *item =
        oriel_machine_list_find_name(window->list, g_variant_get_string(parameter, NULL));

    if (item) {
        oriel_window_start_when_made(window, item);
    }
}

static void act_open(OrielWindow *window, OrielMachineItem *item)
{
    oriel_window_show_machine(window, item);
}

static void act_open_window(OrielWindow *window, OrielMachineItem *item)
{
    GtkApplication *application = gtk_window_get_application(GTK_WINDOW(window));

    if (oriel_window_get_machine(window) == item && !window->of_one_machine) {
        oriel_window_show_machine(window, NULL);
    }
    gtk_window_present(GTK_WINDOW(oriel_window_new(ORIEL_APPLICATION(application), item)));
}

/* Where undoing is offered: in the library, for the window of one machine goes with it. */
static GtkWidget *undo_place(OrielWindow *window)
{
    GtkApplication *application = gtk_window_get_application(GTK_WINDOW(window));

    for (GList *link = gtk_application_get_windows(application); link; link = link->next) {
        if (ORIEL_IS_WINDOW(link->data) && !oriel_window_is_of_one_machine(link->data)) {
            return GTK_WIDGET(ORIEL_WINDOW(link->data)->toasts);
        }
    }
    return GTK_WIDGET(window->toasts);
}

static void act_delete(OrielWindow *window, OrielMachineItem *item)
{
    g_autoptr(GPtrArray) items = g_ptr_array_new();
    g_autoptr(OrielMachineItem) kept = g_object_ref(item);

    g_ptr_array_add(items, kept);
    oriel_delete_machines(undo_place(window), window->list, items);
}

static void act_forget(OrielWindow *window, OrielMachineItem *item)
{
    oriel_machine_list_forget(window->list, item);
}

static void act_show_folder(OrielWindow *window, OrielMachineItem *item)
{
    g_autoptr(GFile) file = g_file_new_for_path(oriel_machine_item_get_folder(item));
    g_autofree char *uri = g_file_get_uri(file);

    gtk_show_uri(GTK_WINDOW(window), uri, GDK_CURRENT_TIME);
}

static void act_show_log(OrielWindow *window, OrielMachineItem *item)
{
    GtkWindow *log = oriel_log_window_new(item);

    gtk_window_set_transient_for(log, GTK_WINDOW(window));
    gtk_window_present(log);
}

static const struct {
    const char *name;
    void (*act)(OrielWindow *window, OrielMachineItem *item);
} machine_actions[] = {
    { "win.machine-open", act_open },
    { "win.machine-open-window", act_open_window },
    { "win.machine-delete", act_delete },
    { "win.machine-forget", act_forget },
    { "win.machine-show-folder", act_show_folder },
    { "win.machine-show-log", act_show_log },
    { "win.machine-add-launcher", oriel_window_add_launcher },
    { "win.machine-insert-cd", oriel_window_insert_cd },
    { "win.machine-eject-cd", oriel_window_eject_cd },
};

static void act_machine(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielWindow *window = ORIEL_WINDOW(widget);
    OrielMachineItem *item = oriel_window_parameter_item(window, parameter);

    for (guint i = 0; item && i < G_N_ELEMENTS(machine_actions); i++) {
        if (g_str_equal(machine_actions[i].name, action)) {
            machine_actions[i].act(window, item);
            return;
        }
    }
}

void oriel_window_install_actions(GtkWidgetClass *class)
{
    static const struct {
        const char *name, *parameter;
        GtkWidgetActionActivateFunc activate;
    } actions[] = {
        { "win.back", NULL, act_back },
        { "win.search", NULL, act_search },
        { "win.check-host", NULL, act_check_host },
        { "win.fullscreen", NULL, act_fullscreen },
        { "win.fullscreen-on", "s", act_fullscreen_on },
        { "win.machine-menu", NULL, act_machine_menu },
        { "win.start-when-made", "s", act_start_when_made },
    };

    for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
        gtk_widget_class_install_action(class, actions[i].name, actions[i].parameter,
                                        actions[i].activate);
    }
    for (guint i = 0; i < G_N_ELEMENTS(machine_actions); i++) {
        gtk_widget_class_install_action(class, machine_actions[i].name, "s", act_machine);
    }
}
