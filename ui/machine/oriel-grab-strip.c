/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-grab-strip.h. */
#include "oriel-grab-strip.h"

#include <glib/gi18n.h>
#include <linux/input-event-codes.h>

#include "display/keys/oriel-keymap.h"
#include "machine/page/oriel-fullscreen-box.h"

enum {
    HOLD_MS = 600, /* of a key of the release chord: whoever holds it looks for the way out */
};

struct _OrielGrabStrip {
    GtkWidget parent_instance;
    GtkRevealer *revealer;
    GtkImage *icon;
    GtkLabel *label;
    GtkWidget *release;
    OrielDisplay *display;
    GtkEventController *keys; /* of the window that the strip is in, or NULL */
    guint hold;               /* source */
};

G_DEFINE_FINAL_TYPE(OrielGrabStrip, oriel_grab_strip, GTK_TYPE_WIDGET)

enum {
    PROP_DISPLAY = 1,
    N_PROPS,
};
static GParamSpec *properties[N_PROPS];

static void text_follow(OrielGrabStrip *strip, gboolean keys, gboolean pointer)
{
    g_autofree char *chord =
        oriel_keymap_chord_words(oriel_display_get_release_chord(strip->display));
    g_autofree char *text = NULL;

    if (keys && pointer) {
        text = g_strdup_printf(
            _("All keys and the pointer go to the machine. Press %s to get them back."), chord);
    } else if (pointer) {
        text = g_strdup_printf(_("The pointer is the machine’s. Press %s to get it back."), chord);
    } else {
        text = g_strdup_printf(_("All keys go to the machine. Press %s to get them back."), chord);
    }
    gtk_label_set_text(strip->label, text);
    gtk_image_set_from_icon_name(strip->icon,
                                 keys ? "input-keyboard-symbolic" : "input-mouse-symbolic");
    /* Without a pointer nobody clicks it. */
    gtk_widget_set_visible(strip->release, !pointer);
}

static gboolean is_captured(OrielGrabStrip *strip)
{
    return strip->display && (oriel_display_is_grabbed(strip->display) ||
                              oriel_display_is_pointer_locked(strip->display));
}

/* In fullscreen the strip is in the bar, which comes for some seconds. */
static void bar_reveal(OrielGrabStrip *strip)
{
    GtkWidget *box = gtk_widget_get_ancestor(GTK_WIDGET(strip), ORIEL_TYPE_FULLSCREEN_BOX);

    if (box) {
        oriel_fullscreen_box_reveal(ORIEL_FULLSCREEN_BOX(box));
    }
}

static void follow(OrielGrabStrip *strip)
{
    gboolean captured = is_captured(strip);

    if (captured) {
        text_follow(strip, oriel_display_is_grabbed(strip->display),
                    oriel_display_is_pointer_locked(strip->display));
    }
    if (captured || gtk_revealer_get_reveal_child(strip->revealer)) {
        bar_reveal(strip);
    }
    gtk_revealer_set_reveal_child(strip->revealer, captured);
}

/* --- Keys of those who look for the way out, which go on to the machine ----------------------- */

static gboolean is_held(gpointer data)
{
    OrielGrabStrip *strip = data;

    if (!is_captured(strip)) {
        strip->hold = 0;
        return G_SOURCE_REMOVE;
    }
    bar_reveal(strip);
    return G_SOURCE_CONTINUE;
}

static gboolean is_of_chord(OrielGrabStrip *strip, guint code)
{
    guint codes[ORIEL_CHORD_MAX];
    guint n = oriel_keymap_parse_chord(oriel_display_get_release_chord(strip->display), codes);

    for (guint i = 0; i < n; i++) {
        if (codes[i] == code) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean key_pressed(OrielGrabStrip *strip, guint keyval, guint keycode)
{
    guint code = oriel_keymap_from_hardware(keycode);

    if (!is_captured(strip)) {
        return GDK_EVENT_PROPAGATE;
    }
    if (code == KEY_F11) {
        bar_reveal(strip);
    } else if (strip->hold == 0 && is_of_chord(strip, code)) {
        strip->hold = g_timeout_add(HOLD_MS, is_held, strip);
    }
    return GDK_EVENT_PROPAGATE;
}

static void key_released(OrielGrabStrip *strip)
{
    g_clear_handle_id(&strip->hold, g_source_remove);
}

static void oriel_grab_strip_root(GtkWidget *widget)
{
    OrielGrabStrip *strip = ORIEL_GRAB_STRIP(widget);

    GTK_WIDGET_CLASS(oriel_grab_strip_parent_class)->root(widget);
    strip->keys = gtk_event_controller_key_new();
    gtk_event_controller_set_propagation_phase(strip->keys, GTK_PHASE_CAPTURE);
    g_signal_connect_swapped(strip->keys, "key-pressed", G_CALLBACK(key_pressed), strip);
    g_signal_connect_swapped(strip->keys, "key-released", G_CALLBACK(key_released), strip);
    gtk_widget_add_controller(GTK_WIDGET(gtk_widget_get_root(widget)), strip->keys);
}

static void oriel_grab_strip_unroot(GtkWidget *widget)
{
    OrielGrabStrip *strip = ORIEL_GRAB_STRIP(widget);

    g_clear_handle_id(&strip->hold, g_source_remove);
    gtk_widget_remove_controller(GTK_WIDGET(gtk_widget_get_root(widget)), strip->keys);
    strip->keys = NULL;
    GTK_WIDGET_CLASS(oriel_grab_strip_parent_class)->unroot(widget);
}

/* --- The widget ------------------------------------------------------------------------------- */

static void release_clicked(OrielGrabStrip *strip)
{
    oriel_display_leave(strip->display);
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
    static const char *const watched[] = { "notify::grabbed", "notify::pointer-locked",
                                           "notify::release-chord" };
    OrielGrabStrip *strip = ORIEL_GRAB_STRIP(object);

    g_return_if_fail(!strip->display && g_value_get_object(value));
    strip->display = g_value_dup_object(value);
    for (gsize i = 0; i < G_N_ELEMENTS(watched); i++) {
        g_signal_connect_object(strip->display, watched[i], G_CALLBACK(follow), strip,
                                G_CONNECT_SWAPPED);
    }
    follow(strip);
}

static void oriel_grab_strip_dispose(GObject *object)
{
    OrielGrabStrip *strip = ORIEL_GRAB_STRIP(object);

    if (strip->display) {
        g_signal_handlers_disconnect_by_data(strip->display, strip);
        g_clear_object(&strip->display);
    }
    gtk_widget_dispose_template(GTK_WIDGET(strip), ORIEL_TYPE_GRAB_STRIP);
    G_OBJECT_CLASS(oriel_grab_strip_parent_class)->dispose(object);
}

static void oriel_grab_strip_class_init(OrielGrabStripClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    object_class->set_property = set_property;
    object_class->dispose = oriel_grab_strip_dispose;
    widget_class->root = oriel_grab_strip_root;
    widget_class->unroot = oriel_grab_strip_unroot;
    properties[PROP_DISPLAY] = g_param_spec_object("display", NULL, NULL, ORIEL_TYPE_DISPLAY,
                                                   G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(object_class, N_PROPS, properties);
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/machine/oriel-grab-strip.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielGrabStrip, revealer);
    gtk_widget_class_bind_template_child(widget_class, OrielGrabStrip, icon);
    gtk_widget_class_bind_template_child(widget_class, OrielGrabStrip, label);
    gtk_widget_class_bind_template_child(widget_class, OrielGrabStrip, release);
    gtk_widget_class_bind_template_callback(widget_class, release_clicked);
}

static void oriel_grab_strip_init(OrielGrabStrip *strip)
{
    gtk_widget_init_template(GTK_WIDGET(strip));
}
