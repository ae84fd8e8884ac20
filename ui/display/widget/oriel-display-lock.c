/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pointer of a guest that has only a mouse: a click into its picture locks the host's where it
 * is and hides it, and the guest gets the mouse's movement instead.
 *
 * While it is locked, buttons and wheel are taken where they enter the window: the widget may have
 * moved away from below the pointer.
 */
#include "oriel-display-private.h"

static gboolean on_event(OrielDisplay *display, GdkEvent *event)
{
    if (!oriel_display_has_input(display)) {
        return GDK_EVENT_PROPAGATE;
    }
    oriel_pointer_lock_flush(display->lock, gdk_event_get_time(event));
    return oriel_display_pointer_locked_event(display, event);
}

static void locked_set(OrielDisplay *display, gboolean locked)
{
    GtkWidget *window = GTK_WIDGET(display->window);

    if (locked) {
        display->lock_controller = gtk_event_controller_legacy_new();
        gtk_event_controller_set_propagation_phase(display->lock_controller, GTK_PHASE_CAPTURE);
        g_signal_connect_swapped(display->lock_controller, "event", G_CALLBACK(on_event), display);
        gtk_widget_add_controller(window, display->lock_controller);
    } else {
        gtk_widget_remove_controller(window, display->lock_controller);
        display->lock_controller = NULL;
        display->pointer_known = FALSE;
    }
    gtk_widget_set_cursor_from_name(window, locked ? "none" : NULL);
    oriel_display_set_flag(display, &display->pointer_locked, locked, "pointer-locked");
    oriel_display_update_cursor(display);
}

static void on_lock_changed(gpointer data, gboolean locked)
{
    OrielDisplay *display = data;

    if (locked && oriel_display_has_keyboard(display)) {
        locked_set(display, TRUE);
        return;
    }
    display->lock_refused = !locked && !display->pointer_locked;
    oriel_display_unlock_pointer(display);
}

static void on_lock_motion(gpointer data, int dx, int dy)
{
    OrielDisplay *display = data;

    oriel_display_backend_motion(display->backend, dx, dy, display->buttons);
}

gboolean oriel_display_lock_pointer(OrielDisplay *display)
{
    static const OrielPointerLockHandlers handlers = { on_lock_changed, on_lock_motion };

    if (display->lock || display->lock_refused || !display->window || !display->surface ||
        !oriel_display_has_input(display) ||
        !oriel_display_has_pointer_mode(display, ORIEL_POINTER_MODE_RELATIVE)) {
        return FALSE;
    }
    display->lock = oriel_pointer_lock_new(display->surface, &handlers, display);
    return display->lock != NULL;
}

void oriel_display_unlock_pointer(OrielDisplay *display)
{
    g_clear_pointer(&display->lock, oriel_pointer_lock_free);
    if (display->pointer_locked) {
        locked_set(display, FALSE);
        oriel_display_release_buttons(display);
    }
}
