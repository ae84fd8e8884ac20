/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-window.h. */
#include "oriel-window.h"

#include <glib/gi18n.h>

#include "machine/oriel-machine-actions.h"
#include "base/oriel-message.h"
#include "oriel-window-private.h"

G_DEFINE_FINAL_TYPE(OrielWindow, oriel_window, ADW_TYPE_APPLICATION_WINDOW)

gboolean oriel_window_is_of_one_machine(OrielWindow *window)
{
    return window->of_one_machine;
}

OrielMachineItem *oriel_window_get_machine(OrielWindow *window)
{
    return window->page ? oriel_machine_page_get_item(window->page) : NULL;
}

/* The window is called after what it shows. */
static void title_follow(OrielWindow *window)
{
    OrielMachineItem *item = oriel_window_get_machine(window);

    gtk_window_set_title(GTK_WINDOW(window), item ? oriel_machine_item_get_name(item) : _("Oriel"));
}

void oriel_window_shortcuts_follow(GtkWindow *window, OrielMachinePage *page)
{
    GtkApplication *application = gtk_window_get_application(window);

    if (application && gtk_window_is_active(window)) {
        oriel_application_set_shortcuts(ORIEL_APPLICATION(application),
                                        !page || !oriel_machine_page_captures_keys(page));
    }
}

static void shortcuts_follow(OrielWindow *window)
{
    oriel_window_shortcuts_follow(GTK_WINDOW(window), window->page);
}

/* While the user was elsewhere, machines out of sight may have been changed. */
static void machines_look(OrielWindow *window)
{
    if (gtk_window_is_active(GTK_WINDOW(window)) && window->list &&
        !oriel_machine_list_is_loading(window->list)) {
        oriel_machine_list_reload(window->list);
    }
}

static void fullscreen_follow(OrielWindow *window)
{
    if (window->page) {
        oriel_machine_page_set_fullscreen(window->page,
                                          gtk_window_is_fullscreen(GTK_WINDOW(window)));
    }
}

/* The page of a machine, made when the first one is shown: it is most of the window's widgets. */
static OrielMachinePage *page_get(OrielWindow *window)
{
    if (!window->page) {
        window->page = g_object_new(ORIEL_TYPE_MACHINE_PAGE, NULL);
        oriel_machine_page_set_up(window->page, window->preferences, window->of_one_machine);
        g_signal_connect_swapped(window->page, "notify::captures-keys",
                                 G_CALLBACK(shortcuts_follow), window);
        gtk_stack_add_named(window->stack, GTK_WIDGET(window->page), "machine");
        fullscreen_follow(window);
    }
    return window->page;
}

void oriel_window_show_machine(OrielWindow *window, OrielMachineItem *item)
{
    OrielMachineItem *old = oriel_window_get_machine(window);

    if (old != item) {
        if (old) {
            g_signal_handlers_disconnect_by_func(old, title_follow, window);
        }
        oriel_machine_page_set_item(page_get(window), item);
        if (item) {
            g_signal_connect_object(item, "notify::name", G_CALLBACK(title_follow), window,
                                    G_CONNECT_SWAPPED);
        }
    }
    gtk_stack_set_visible_child_name(window->stack, item ? "machine" : "library");
    if (!item && gtk_window_is_fullscreen(GTK_WINDOW(window))) {
        gtk_window_unfullscreen(GTK_WINDOW(window));
    }
    title_follow(window);
    gtk_widget_action_set_enabled(GTK_WIDGET(window), "win.back", item && !window->of_one_machine);
    if (!window->of_one_machine) {
        oriel_preferences_set_string(window->preferences, "open-machine",
                                     item ? oriel_machine_item_get_folder(item) : "");
    }
}

static void pending_found(OrielWindow *window, OrielMachineItem *item, gboolean start)
{
    OrielMachineState state = oriel_machine_item_get_state(item);

    oriel_window_show_machine(window, item);
    if (start && (state == ORIEL_MACHINE_STATE_STOPPED || state == ORIEL_MACHINE_STATE_SAVED)) {
        oriel_machine_actions_start(GTK_WIDGET(window), item, FALSE);
    }
}

static void pending_added(GObject *list, GAsyncResult *result, gpointer data)
{
    g_autoptr(OrielWindow) window = data;
    g_autoptr(GError) error = NULL;
    OrielMachineItem *item =
        oriel_machine_list_add_folder_finish(ORIEL_MACHINE_LIST(list), result, &error);

    if (!window->list) {
        return; /* it was closed */
    }
    if (item) {
        pending_found(window, item, TRUE);
    } else if (g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND)) {
        oriel_message_toast(GTK_WIDGET(window->toasts), _("The machine is not there any more."));
    } else {
        oriel_message_error(GTK_WIDGET(window->toasts), _("Could Not Start the Machine"), error);
    }
}

/* What is to be started may have been made a moment ago, or be kept outside the library. */
static void pending_show(OrielWindow *window)
{
    g_autofree char *folder = NULL;
    OrielMachineItem *item;

    if (!window->pending_folder || oriel_machine_list_is_loading(window->list)) {
        return;
    }
    folder = g_steal_pointer(&window->pending_folder);
    item = oriel_machine_list_find_folder(window->list, folder);
    if (item) {
        pending_found(window, item, window->pending_start);
    } else if (window->pending_start) {
        oriel_machine_list_add_folder_async(window->list, folder, pending_added,
                                            g_object_ref(window));
    }
}

void oriel_window_show_folder(OrielWindow *window, const char *folder, gboolean start)
{
    g_free(window->pending_folder);
    window->pending_folder = g_strdup(folder);
    window->pending_start = start;
    pending_show(window);
}

OrielMachineItem *oriel_window_parameter_item(OrielWindow *window, GVariant *parameter)
{
    return oriel_machine_list_find_folder(window->list, g_variant_get_string(parameter, NULL));
}

/* A machine that was deleted, or whose row went away, is no longer shown. */
static void machines_changed(OrielWindow *window)
{
    OrielMachineItem *item = oriel_window_get_machine(window);

    for (guint i = 0; item && i < g_list_model_get_n_items(G_LIST_MODEL(window->list)); i++) {
        g_autoptr(OrielMachineItem) other = g_list_model_get_item(G_LIST_MODEL(window->list), i);

        if (other == item) {
            return;
        }
    }
    if (item && window->of_one_machine) {
        window->closing = TRUE;
        gtk_window_close(GTK_WINDOW(window));
    } else if (item) {
        oriel_window_show_machine(window, NULL);
    }
}

static gboolean close_request(GtkWindow *base)
{
    return !oriel_window_may_close(ORIEL_WINDOW(base)) ||
           GTK_WINDOW_CLASS(oriel_window_parent_class)->close_request(base);
}

static void oriel_window_dispose(GObject *object)
{
    OrielWindow *window = ORIEL_WINDOW(object);

    g_clear_pointer(&window->pending_folder, g_free);
    window->page = NULL;
    gtk_widget_dispose_template(GTK_WIDGET(window), ORIEL_TYPE_WINDOW);
    g_clear_object(&window->list);
    g_clear_object(&window->preferences);
    G_OBJECT_CLASS(oriel_window_parent_class)->dispose(object);
}

static void oriel_window_class_init(OrielWindowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_window_dispose;
    GTK_WINDOW_CLASS(class)->close_request = close_request;
    g_type_ensure(ORIEL_TYPE_LIBRARY_PAGE);
    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/io/github/oriel_vm/Oriel/oriel-window.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielWindow, toasts);
    gtk_widget_class_bind_template_child(widget_class, OrielWindow, stack);
    gtk_widget_class_bind_template_child(widget_class, OrielWindow, library);
    gtk_widget_class_bind_template_callback(widget_class, oriel_window_show_machine);
    oriel_window_install_actions(widget_class);
    oriel_window_install_form_actions(widget_class);
}

static void oriel_window_init(OrielWindow *window)
{
    gtk_widget_init_template(GTK_WIDGET(window));
    g_signal_connect(window, "notify::is-active", G_CALLBACK(shortcuts_follow), NULL);
    g_signal_connect(window, "notify::is-active", G_CALLBACK(machines_look), NULL);
    g_signal_connect(window, "notify::fullscreened", G_CALLBACK(fullscreen_follow), NULL);
    oriel_window_accept_drops(window);
}

/* Size and machine of the last time. */
static void restore(OrielWindow *window)
{
    g_autofree char *folder = oriel_preferences_dup_string(window->preferences, "open-machine");

    oriel_preferences_bind(window->preferences, "window-width", window, "default-width",
                           G_SETTINGS_BIND_DEFAULT);
    oriel_preferences_bind(window->preferences, "window-height", window, "default-height",
                           G_SETTINGS_BIND_DEFAULT);
    oriel_preferences_bind(window->preferences, "window-maximized", window, "maximized",
                           G_SETTINGS_BIND_DEFAULT);
    if (*folder) {
        oriel_window_show_folder(window, folder, FALSE);
    }
}

OrielWindow *oriel_window_new(OrielApplication *application, OrielMachineItem *item)
{
    OrielWindow *window = g_object_new(ORIEL_TYPE_WINDOW, "application", application, NULL);

    window->list = g_object_ref(oriel_application_get_list(application));
    window->preferences = g_object_ref(oriel_application_get_preferences(application));
    window->of_one_machine = item != NULL;
    oriel_library_page_set_up(window->library, window->list, window->preferences);
    g_signal_connect_object(window->list, "items-changed", G_CALLBACK(machines_changed), window,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(window->list, "notify::loading", G_CALLBACK(pending_show), window,
                            G_CONNECT_SWAPPED);
    if (item) {
        gtk_window_set_default_size(GTK_WINDOW(window), 1024, 768);
        oriel_window_show_machine(window, item);
    } else {
        oriel_library_page_set_key_capture(window->library, GTK_WIDGET(window->library));
        gtk_widget_action_set_enabled(GTK_WIDGET(window), "win.back", FALSE);
        restore(window);
    }
    return window;
}
