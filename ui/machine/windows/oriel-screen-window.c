/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-screen-window.h. */
#include "oriel-screen-window.h"

#include <string.h>

#include "base/oriel-message.h"
#include "machine/oriel-grab-strip.h"
#include "machine/oriel-keys-menu.h"
#include "machine/oriel-screenshot.h"
#include "machine/page/oriel-fullscreen-box.h"

typedef struct {
    OrielFullscreenBox *box;
    AdwWindowTitle *title;
    GtkMenuButton *keys_button;
    GtkWidget *strip;
    OrielDisplay *display; /* a child; NULL before the subclass gives one, and at the end */
} OrielScreenWindowPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(OrielScreenWindow, oriel_screen_window,
                                    ADW_TYPE_APPLICATION_WINDOW)

enum {
    PROP_DISPLAY = 1,
    PROP_BODY,
    N_PROPS,
};

static GParamSpec *properties[N_PROPS];

static OrielScreenWindowPrivate *private_of(gpointer window)
{
    return oriel_screen_window_get_instance_private(window);
}

static void fullscreen_follow(OrielScreenWindow *window)
{
    oriel_fullscreen_box_set_fullscreen(private_of(window)->box,
                                        gtk_window_is_fullscreen(GTK_WINDOW(window)));
}

static void act_fullscreen(GtkWidget *widget, const char *action, GVariant *parameter)
{
    if (gtk_window_is_fullscreen(GTK_WINDOW(widget))) {
        gtk_window_unfullscreen(GTK_WINDOW(widget));
    } else {
        gtk_window_fullscreen(GTK_WINDOW(widget));
    }
}

static void act_send_keys(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielDisplay *display = private_of(widget)->display;

    oriel_display_send_keys(display, g_variant_get_string(parameter, NULL));
    gtk_widget_grab_focus(GTK_WIDGET(display));
}

static void act_paste(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GtkWidget *display = GTK_WIDGET(private_of(widget)->display);

    gtk_widget_activate_action(display, "display.paste", NULL);
    gtk_widget_grab_focus(display);
}

static void act_screenshot(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielDisplay *display = private_of(widget)->display;

    oriel_screenshot_save(display, gtk_window_get_title(GTK_WINDOW(widget)));
}

/* After a menu the keys go to the screen again. */
static void menu_closed(OrielScreenWindow *window)
{
    GtkWidget *display = GTK_WIDGET(private_of(window)->display);

    if (display && gtk_widget_get_mapped(display)) {
        gtk_widget_grab_focus(display);
    }
}

void oriel_screen_window_bind(OrielScreenWindow *window, OrielPreferences *preferences)
{
    OrielDisplay *display = private_of(window)->display;

    oriel_preferences_bind(preferences, "grab-policy", display, "grab-policy", G_SETTINGS_BIND_GET);
    oriel_preferences_bind(preferences, "release-chord", display, "release-chord",
                           G_SETTINGS_BIND_GET);
}

void oriel_screen_window_set_titles(OrielScreenWindow *window, const char *title,
                                    const char *subtitle)
{
    adw_window_title_set_title(private_of(window)->title, title);
    adw_window_title_set_subtitle(private_of(window)->title, subtitle);
}

static void display_set(OrielScreenWindow *window, OrielDisplay *display)
{
    OrielScreenWindowPrivate *private = private_of(window);

    g_return_if_fail(display && !private->display);
    private->display = display;
    g_object_add_weak_pointer(G_OBJECT(display), (gpointer *)&private->display);
    g_object_set(private->strip, "display", display, NULL);
    g_signal_connect_swapped(display, "notice", G_CALLBACK(oriel_message_toast), display);
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
    switch (id) {
    case PROP_DISPLAY:
        display_set(ORIEL_SCREEN_WINDOW(object), g_value_get_object(value));
        break;
    case PROP_BODY:
        oriel_fullscreen_box_set_content(private_of(object)->box, g_value_get_object(value));
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

/* The window itself lets go of its content: GTK 4.8's gtk_widget_dispose_template() fails for a
 * class whose subclass has a template, too. */
static void oriel_screen_window_dispose(GObject *object)
{
    g_clear_weak_pointer(&private_of(object)->display);
    G_OBJECT_CLASS(oriel_screen_window_parent_class)->dispose(object);
}

static void oriel_screen_window_class_init(OrielScreenWindowClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    GParamFlags writable = G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS;

    object_class->set_property = set_property;
    object_class->dispose = oriel_screen_window_dispose;
    properties[PROP_DISPLAY] =
        g_param_spec_object("display", NULL, NULL, ORIEL_TYPE_DISPLAY, writable);
    properties[PROP_BODY] = g_param_spec_object("body", NULL, NULL, GTK_TYPE_WIDGET, writable);
    g_object_class_install_properties(object_class, N_PROPS, properties);
    g_type_ensure(ORIEL_TYPE_DISPLAY);
    g_type_ensure(ORIEL_TYPE_FULLSCREEN_BOX);
    g_type_ensure(ORIEL_TYPE_GRAB_STRIP);
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/machine/oriel-screen-window.ui");
    gtk_widget_class_bind_template_child_private(widget_class, OrielScreenWindow, box);
    gtk_widget_class_bind_template_child_private(widget_class, OrielScreenWindow, title);
    gtk_widget_class_bind_template_child_private(widget_class, OrielScreenWindow, keys_button);
    gtk_widget_class_bind_template_child_private(widget_class, OrielScreenWindow, strip);
    gtk_widget_class_install_action(widget_class, "win.fullscreen", NULL, act_fullscreen);
    gtk_widget_class_install_action(widget_class, "screen.send-keys", "s", act_send_keys);
    gtk_widget_class_install_action(widget_class, "screen.paste", NULL, act_paste);
    gtk_widget_class_install_action(widget_class, "screen.screenshot", NULL, act_screenshot);
}

static void oriel_screen_window_init(OrielScreenWindow *window)
{
    OrielScreenWindowPrivate *private = private_of(window);

    gtk_widget_init_template(GTK_WIDGET(window));
    oriel_keys_menu_set(private->keys_button);
    g_signal_connect_swapped(gtk_menu_button_get_popover(private->keys_button), "closed",
                             G_CALLBACK(menu_closed), window);
    g_signal_connect(window, "notify::fullscreened", G_CALLBACK(fullscreen_follow), NULL);
}
