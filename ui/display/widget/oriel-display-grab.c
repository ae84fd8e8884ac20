/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * System shortcuts for the guest. Asking the desktop for them is only a request: "grabbed" says
 * what it answered. They are given back as soon as the widget has the focus no more, its window is
 * not the active one, or it is hidden.
 */
#include "oriel-display-private.h"

/* How many displays of a toplevel asked. */
static int inhibit_count(GdkToplevel *toplevel, int change)
{
    int count = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(toplevel), "oriel-inhibit-count"));

    count += change;
    g_object_set_data(G_OBJECT(toplevel), "oriel-inhibit-count", GINT_TO_POINTER(count));
    return count;
}

static void inhibit(OrielDisplay *display, GdkEvent *event)
{
    if (!display->inhibited && GDK_IS_TOPLEVEL(display->surface)) {
        display->inhibited = g_object_ref(GDK_TOPLEVEL(display->surface));
        if (inhibit_count(display->inhibited, 1) == 1) {
            gdk_toplevel_inhibit_system_shortcuts(display->inhibited, event);
        }
    }
}

static void restore(OrielDisplay *display)
{
    if (display->inhibited) {
        if (inhibit_count(display->inhibited, -1) == 0) {
            gdk_toplevel_restore_system_shortcuts(display->inhibited);
        }
        g_clear_object(&display->inhibited);
    }
}

static gboolean is_fullscreen(OrielDisplay *display)
{
    return GDK_IS_TOPLEVEL(display->surface) &&
           (gdk_toplevel_get_state(GDK_TOPLEVEL(display->surface)) & GDK_TOPLEVEL_STATE_FULLSCREEN);
}

gboolean oriel_display_has_keyboard(OrielDisplay *display)
{
    return gtk_widget_get_mapped(GTK_WIDGET(display)) &&
           gtk_widget_has_focus(GTK_WIDGET(display)) && display->window &&
           gtk_window_is_active(display->window);
}

static gboolean shortcuts_are_wanted(OrielDisplay *display)
{
    if (!display->backend || !oriel_display_has_keyboard(display) ||
        display->grab_policy == ORIEL_GRAB_NEVER) {
        return FALSE;
    }
    return display->captured ||
           (display->grab_policy == ORIEL_GRAB_FULLSCREEN && is_fullscreen(display));
}

/* What the desktop says of our request. */
static void grabbed_update(OrielDisplay *display)
{
    gboolean granted = FALSE;

    if (display->inhibited) {
        g_object_get(display->inhibited, "shortcuts-inhibited", &granted, NULL);
    }
    if (display->grabbed && !granted) {
        oriel_display_release_keys(display);
    }
    oriel_display_set_flag(display, &display->grabbed, granted, "grabbed");
}

void oriel_display_update_grab(OrielDisplay *display, GdkEvent *event)
{
    if (shortcuts_are_wanted(display)) {
        inhibit(display, event);
    } else {
        restore(display);
    }
    grabbed_update(display);
    gtk_widget_action_set_enabled(GTK_WIDGET(display), "display.grab",
                                  display->grab_policy != ORIEL_GRAB_NEVER);
}

gboolean oriel_display_capture(OrielDisplay *display, GdkEvent *event)
{
    if (display->captured || display->grab_policy != ORIEL_GRAB_CLICK || !display->backend) {
        return FALSE;
    }
    oriel_display_set_flag(display, &display->captured, TRUE, "captured");
    oriel_display_update_grab(display, event);
    return TRUE;
}

void oriel_display_ungrab(OrielDisplay *display)
{
    oriel_display_set_flag(display, &display->captured, FALSE, "captured");
    restore(display);
    grabbed_update(display);
}

static void on_active(OrielDisplay *display)
{
    if (gtk_window_is_active(display->window)) {
        oriel_display_update_grab(display, NULL);
    } else {
        oriel_display_release(display);
    }
}

static void on_state(OrielDisplay *display)
{
    oriel_display_update_grab(display, NULL);
}

static void on_toplevel_size(OrielDisplay *display)
{
    oriel_display_unlock_pointer(display);
    /* The window jumped to its new size: no more is to come, so the guest is asked at once. */
    oriel_display_resize_now(display);
}

void oriel_display_grab_root(OrielDisplay *display)
{
    GtkRoot *root = gtk_widget_get_root(GTK_WIDGET(display));

    if (GTK_IS_WINDOW(root)) {
        display->window = GTK_WINDOW(root);
        display->window_handlers[0] =
            g_signal_connect_swapped(root, "notify::is-active", G_CALLBACK(on_active), display);
        display->window_handlers[1] = g_signal_connect_swapped(
            root, "notify::fullscreened", G_CALLBACK(on_toplevel_size), display);
    }
}

void oriel_display_grab_unroot(OrielDisplay *display)
{
    oriel_display_release(display);
    if (display->window) {
        for (gsize i = 0; i < G_N_ELEMENTS(display->window_handlers); i++) {
            g_clear_signal_handler(&display->window_handlers[i], display->window);
        }
        display->window = NULL;
    }
}

void oriel_display_grab_realize(OrielDisplay *display)
{
    display->surface = gtk_native_get_surface(gtk_widget_get_native(GTK_WIDGET(display)));
    if (GDK_IS_TOPLEVEL(display->surface)) {
        display->surface_handlers[0] = g_signal_connect_swapped(display->surface, "notify::state",
                                                                G_CALLBACK(on_state), display);
        display->surface_handlers[1] = g_signal_connect_swapped(
            display->surface, "notify::shortcuts-inhibited", G_CALLBACK(grabbed_update), display);
    }
}

void oriel_display_grab_unrealize(OrielDisplay *display)
{
    oriel_display_release(display);
    for (gsize i = 0; i < G_N_ELEMENTS(display->surface_handlers); i++) {
        g_clear_signal_handler(&display->surface_handlers[i], display->surface);
    }
    display->surface = NULL;
}
