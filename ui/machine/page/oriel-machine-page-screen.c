/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen of a running machine in its page: connecting, keys, screenshots, scaling. */
#include <glib/gi18n.h>
#include <string.h>

#include "display/engine/oriel-engine-backend.h"
#include "machine/windows/oriel-display-window.h"
#include "oriel-machine-page-private.h"
#include "base/oriel-connection.h"
#include "base/oriel-message.h"
#include "base/oriel-state.h"

static void connected(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusConnection) connection = oriel_connection_open_finish(result, &error);
    OrielMachinePage *page = data;
    g_autoptr(OrielDisplayBackend) backend = NULL;

    /* Cancelled: the page may be gone. Any other failure is followed by news of the machine. */
    if (!connection) {
        return;
    }
    backend = oriel_engine_backend_new(connection, 1);
    oriel_display_set_backend(page->display, backend);
    oriel_display_backend_start(backend);
    oriel_machine_page_actions_follow(page);
}

void oriel_machine_page_screen_follow(OrielMachinePage *page)
{
    OrielMachineState state =
        page->item ? oriel_machine_item_get_state(page->item) : ORIEL_MACHINE_STATE_STOPPED;
    gboolean wanted =
        page->item && oriel_machine_item_get_engine(page->item) &&
        (state == ORIEL_MACHINE_STATE_RUNNING || state == ORIEL_MACHINE_STATE_PAUSED ||
         state == ORIEL_MACHINE_STATE_STOPPING);

    if (wanted && !page->cancellable) {
        page->cancellable = g_cancellable_new();
        oriel_connection_open_async(page->item, page->cancellable, connected, page);
    } else if (!wanted && page->cancellable) {
        g_cancellable_cancel(page->cancellable);
        g_clear_object(&page->cancellable);
        oriel_display_set_backend(page->display, NULL);
    }
}

static OrielScaling scaling_wanted(OrielMachinePage *page)
{
    g_autofree char *nick = oriel_state_setting(page->item, "display.scaling");
    g_autoptr(GEnumClass) class = g_type_class_ref(ORIEL_TYPE_SCALING);
    const GEnumValue *value = g_enum_get_value_by_nick(class, nick);

    return value ? (OrielScaling)value->value : oriel_preferences_get_scaling(page->preferences);
}

void oriel_machine_page_scaling_follow(OrielMachinePage *page)
{
    OrielScaling scaling = scaling_wanted(page);

    if (oriel_display_get_scaling(page->display) != scaling) {
        oriel_display_set_scaling(page->display, scaling);
    }
}

static void scaling_set(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(OrielMachinePage) page = data;
    g_autoptr(GError) error = NULL;

    if (!oriel_machine_item_set_finish(ORIEL_MACHINE_ITEM(source), result, &error)) {
        oriel_message_error(GTK_WIDGET(page), _("Could Not Keep the Scaling"), error);
    }
}

void oriel_machine_page_set_scaling(OrielMachinePage *page, OrielScaling scaling)
{
    g_autoptr(GEnumClass) class = g_type_class_ref(ORIEL_TYPE_SCALING);
    const char *pairs[] = { "display.scaling", g_enum_get_value(class, (int)scaling)->value_nick,
                            NULL };

    oriel_display_set_scaling(page->display, scaling);
    if (page->item && scaling != scaling_wanted(page)) {
        oriel_machine_item_set_async(page->item, pairs, NULL, scaling_set, g_object_ref(page));
    }
}

static void act_send_keys(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielMachinePage *page = ORIEL_MACHINE_PAGE(widget);

    oriel_display_send_keys(page->display, g_variant_get_string(parameter, NULL));
    gtk_widget_grab_focus(GTK_WIDGET(page->display));
}

/* screen.NAME is display.NAME for those that are not inside the display. */
static void act_display(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielMachinePage *page = ORIEL_MACHINE_PAGE(widget);
    g_autofree char *name = g_strconcat("display.", strchr(action, '.') + 1, NULL);

    gtk_widget_activate_action_variant(GTK_WIDGET(page->display), name, parameter);
    gtk_widget_grab_focus(GTK_WIDGET(page->display));
}

static void act_copy(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielMachinePage *page = ORIEL_MACHINE_PAGE(widget);
    g_autoptr(GdkTexture) texture = oriel_display_screenshot(page->display);

    if (texture) {
        gdk_clipboard_set_texture(gtk_widget_get_clipboard(widget), texture);
        oriel_message_toast(widget, _("Picture copied"));
    }
}

/* A screenshot on its way into a file. */
typedef struct {
    GdkTexture *texture;
    char *path;
} Shot;

static void shot_free(gpointer data)
{
    Shot *shot = data;

    g_object_unref(shot->texture);
    g_free(shot->path);
    g_free(shot);
}

/* Writes the file, never over another one; worker thread. */
static void shot_write(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Shot *shot = data;
    g_autoptr(GFile) file = g_file_new_for_path(shot->path);
    g_autoptr(GFile) folder = g_file_get_parent(file);
    g_autoptr(GBytes) png = gdk_texture_save_to_png_bytes(shot->texture);
    g_autoptr(GFileOutputStream) stream = NULL;
    g_autoptr(GError) error = NULL;

    if (!g_file_make_directory_with_parents(folder, NULL, &error) &&
        !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_EXISTS)) {
        g_task_return_error(task, g_steal_pointer(&error));
        return;
    }
    g_clear_error(&error);
    stream = g_file_create(file, G_FILE_CREATE_NONE, NULL, &error);
    if (!stream ||
        !g_output_stream_write_all(G_OUTPUT_STREAM(stream), g_bytes_get_data(png, NULL),
                                   g_bytes_get_size(png), NULL, NULL, &error) ||
        !g_output_stream_close(G_OUTPUT_STREAM(stream), NULL, &error)) {
        g_task_return_error(task, g_steal_pointer(&error));
        return;
    }
    g_task_return_pointer(task, g_strdup(shot->path), g_free);
}

static void open_clicked(AdwToast *toast, gpointer data)
{
    g_autoptr(GFile) file = g_file_new_for_path(g_object_get_data(G_OBJECT(toast), "path"));
    g_autofree char *uri = g_file_get_uri(file);

    gtk_show_uri(NULL, uri, GDK_CURRENT_TIME);
}

static void shot_written(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_task_propagate_pointer(G_TASK(result), &error);
    AdwToast *toast;

    if (!path) {
        oriel_message_error(GTK_WIDGET(source), _("Could Not Save the Screenshot"), error);
        return;
    }
    toast = adw_toast_new(_("Screenshot saved in Pictures"));
    adw_toast_set_button_label(toast, _("_Open"));
    g_object_set_data_full(G_OBJECT(toast), "path", g_strdup(path), g_free);
    g_signal_connect(toast, "button-clicked", G_CALLBACK(open_clicked), NULL);
    oriel_message_add_toast(GTK_WIDGET(source), toast);
}

/* "Debian 2026-11-25 18-30-00.png" in the Pictures folder. g_free(). */
static char *shot_path(OrielMachineItem *item)
{
    const char *pictures = g_get_user_special_dir(G_USER_DIRECTORY_PICTURES);
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%d %H-%M-%S");
    g_autofree char *name = g_strdup_printf("%s %s.png", oriel_machine_item_get_name(item), time);

    g_strdelimit(name, "/", '-');
    if (pictures) {
        return g_build_filename(pictures, name, NULL);
    }
    return g_build_filename(g_get_home_dir(), "Pictures", name, NULL);
}

static void act_screenshot(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielMachinePage *page = ORIEL_MACHINE_PAGE(widget);
    g_autoptr(GdkTexture) texture = oriel_display_screenshot(page->display);
    g_autoptr(GTask) task = NULL;
    Shot *shot;

    if (!texture || !page->item) {
        return;
    }
    shot = g_new(Shot, 1);
    *shot = (Shot){ g_object_ref(texture), shot_path(page->item) };
    task = g_task_new(page, NULL, shot_written, NULL);
    g_task_set_task_data(task, shot, shot_free);
    g_task_run_in_thread(task, shot_write);
}

static void act_open_display(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielMachinePage *page = ORIEL_MACHINE_PAGE(widget);
    GtkRoot *root = gtk_widget_get_root(widget);

    if (page->item && GTK_IS_WINDOW(root)) {
        oriel_display_window_open(gtk_window_get_application(GTK_WINDOW(root)), page->preferences,
                                  page->item, g_variant_get_uint32(parameter));
    }
}

static const struct {
    const char *name, *parameter;
    GtkWidgetActionActivateFunc activate;
} actions[] = {
    { "screen.send-keys", "s", act_send_keys },       { "screen.paste", NULL, act_display },
    { "screen.select-text", NULL, act_display },      { "screen.copy", NULL, act_copy },
    { "screen.open-display", "u", act_open_display }, { "screen.screenshot", NULL, act_screenshot },
};

void oriel_machine_page_actions_follow(OrielMachinePage *page)
{
    OrielMachineState state =
        page->item ? oriel_machine_item_get_state(page->item) : ORIEL_MACHINE_STATE_STOPPED;
    gboolean picture = state == ORIEL_MACHINE_STATE_RUNNING || state == ORIEL_MACHINE_STATE_PAUSED;

    for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
        gtk_widget_action_set_enabled(GTK_WIDGET(page), actions[i].name, picture);
    }
}

void oriel_machine_page_install_actions(GtkWidgetClass *class)
{
    for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
        gtk_widget_class_install_action(class, actions[i].name, actions[i].parameter,
                                        actions[i].activate);
    }
    gtk_widget_class_install_property_action(class, "screen.scaling", "scaling");
    gtk_widget_class_add_binding_action(class, GDK_KEY_p, GDK_CONTROL_MASK | GDK_SHIFT_MASK,
                                        "screen.screenshot", NULL);
}
