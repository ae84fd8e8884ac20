/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen of a running machine in its page: connecting, keys, screenshots, scaling. */
#include <glib/gi18n.h>
#include <string.h>

#include "display/engine/oriel-engine-backend.h"
#include "machine/oriel-screenshot.h"
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

static void act_screenshot(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielMachinePage *page = ORIEL_MACHINE_PAGE(widget);

    if (page->item) {
        oriel_screenshot_save(page->display, oriel_machine_item_get_name(page->item));
    }
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
