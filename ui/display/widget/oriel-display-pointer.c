/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pointer, wheel and touch of the display widget.
 *
 * A guest with an absolute device gets the pixel under the pointer. A guest with only a mouse gets
 * how the host's mouse moves, once a click has locked the pointer (oriel-display-lock.c). Before
 * that, and where the desktop has no lock, it gets how far the pointer moved while it was over the
 * picture; the host's pointer stays visible then, because the two need not be in the same place. A
 * guest that has no use for a pointer, as firmware and boot menus, is told nothing: a click gives
 * it the keyboard, no more.
 */
#include <math.h>

#include "oriel-display-private.h"

enum {
    TOUCHPAD_NOTCH = 12, /* logical pixels of a touchpad's scrolling that make a notch */
    NOTCHES_MAX = 16,    /* of one event */
};

static guint button_mask(guint button)
{
    switch (button) {
    case GDK_BUTTON_PRIMARY:
        return ORIEL_POINTER_LEFT;
    case GDK_BUTTON_MIDDLE:
        return ORIEL_POINTER_MIDDLE;
    case GDK_BUTTON_SECONDARY:
        return ORIEL_POINTER_RIGHT;
    case 8:
        return ORIEL_POINTER_SIDE;
    case 9:
        return ORIEL_POINTER_EXTRA;
    default:
        return 0;
    }
}

/* Where an event is in the widget. */
static gboolean position_get(OrielDisplay *display, GdkEvent *event, double *x, double *y)
{
    GtkWidget *widget = GTK_WIDGET(display);
    GtkNative *native = gtk_widget_get_native(widget);
    double surface_x, surface_y, offset_x, offset_y;
    graphene_point_t point;

    if (!native || !gdk_event_get_position(event, &surface_x, &surface_y)) {
        return FALSE;
    }
    gtk_native_get_surface_transform(native, &offset_x, &offset_y);
    if (!gtk_widget_compute_point(
            GTK_WIDGET(native), widget,
            &GRAPHENE_POINT_INIT((float)(surface_x - offset_x), (float)(surface_y - offset_y)),
            &point)) {
        return FALSE;
    }
    *x = point.x;
    *y = point.y;
    return TRUE;
}

/* How far the pointer moved, in pixels of the guest, since it was last seen. */
static void motion_send(OrielDisplay *display, double x, double y)
{
    double per_pixel = display->geometry.guest_width / display->geometry.width;
    double dx, dy;

    if (!display->pointer_known) {
        return;
    }
    dx = trunc((x - display->pointer_x) * per_pixel);
    dy = trunc((y - display->pointer_y) * per_pixel);
    /* What is less than a pixel counts with the next move. */
    display->pointer_x += dx / per_pixel;
    display->pointer_y += dy / per_pixel;
    if (dx != 0 || dy != 0) {
        oriel_display_backend_motion(display->backend, (int)dx, (int)dy, display->buttons);
    }
}

/* Tells the guest where the pointer is and which buttons are down. */
static void place_send(OrielDisplay *display, guint buttons)
{
    guint x, y;

    display->buttons = buttons;
    if (oriel_display_has_pointer_mode(display, ORIEL_POINTER_MODE_ABSOLUTE)) {
        oriel_geometry_to_guest(&display->geometry, display->pointer_x, display->pointer_y, &x, &y);
        oriel_display_backend_pointer(display->backend, x, y, buttons);
    } else {
        oriel_display_backend_motion(display->backend, 0, 0, buttons);
    }
}

void oriel_display_show_place(OrielDisplay *display)
{
    if (display->pointer_known &&
        oriel_display_has_pointer_mode(display, ORIEL_POINTER_MODE_ABSOLUTE)) {
        place_send(display, display->buttons);
    }
}

void oriel_display_release_buttons(OrielDisplay *display)
{
    if (display->buttons != 0 && display->backend) {
        place_send(display, 0);
    }
    display->buttons = 0;
    display->scroll_x = display->scroll_y = 0;
}

static void on_motion(OrielDisplay *display, double x, double y)
{
    OrielPointerMode mode = oriel_display_backend_get_pointer_mode(display->backend);
    guint guest_x, guest_y;
    gboolean inside = oriel_geometry_to_guest(&display->geometry, x, y, &guest_x, &guest_y);

    if (mode == ORIEL_POINTER_MODE_RELATIVE && (inside || display->buttons != 0)) {
        motion_send(display, x, y);
    }
    if (mode != ORIEL_POINTER_MODE_RELATIVE || !display->pointer_known) {
        display->pointer_x = x;
        display->pointer_y = y;
    }
    display->pointer_known = inside || display->buttons != 0;
    oriel_display_show_place(display);
    if (display->cursor_inside != inside) {
        display->cursor_inside = inside;
        oriel_display_update_cursor(display);
    }
}

static void on_button_press(OrielDisplay *display, GdkEvent *event, guint mask)
{
    guint x, y;
    gboolean inside =
        oriel_geometry_to_guest(&display->geometry, display->pointer_x, display->pointer_y, &x, &y);

    gboolean taken;

    display->chord_armed = FALSE;
    gtk_widget_grab_focus(GTK_WIDGET(display));
    taken = oriel_display_capture(display, event);
    if (inside && gdk_event_get_event_type(event) == GDK_BUTTON_PRESS) {
        taken |= oriel_display_lock_pointer(display);
    }
    if (taken || !inside || !oriel_display_has_input(display) ||
        oriel_display_has_pointer_mode(display, ORIEL_POINTER_MODE_NONE)) {
        display->buttons_ignored |= mask;
        return;
    }
    display->buttons_ignored &= ~mask; /* the release before may not have come here */
    place_send(display, display->buttons | mask);
}

static void on_button_release(OrielDisplay *display, guint mask)
{
    if (display->buttons_ignored & mask) {
        display->buttons_ignored &= ~mask;
    } else if (display->buttons & mask) {
        place_send(display, display->buttons & ~mask);
    }
}

static int whole_notches(double *sum)
{
    int whole = (int)CLAMP(trunc(*sum), -NOTCHES_MAX, NOTCHES_MAX);

    *sum -= trunc(*sum);
    return whole;
}

static void scroll_add(OrielDisplay *display, GdkEvent *event)
{
    double dx = 0, dy = 0, unit = 1;

    switch (gdk_scroll_event_get_direction(event)) {
    case GDK_SCROLL_UP:
        dy = -1;
        break;
    case GDK_SCROLL_DOWN:
        dy = 1;
        break;
    case GDK_SCROLL_LEFT:
        dx = -1;
        break;
    case GDK_SCROLL_RIGHT:
        dx = 1;
        break;
    case GDK_SCROLL_SMOOTH:
    default:
        gdk_scroll_event_get_deltas(event, &dx, &dy);
        if (gdk_scroll_event_get_unit(event) == GDK_SCROLL_UNIT_SURFACE) {
            unit = TOUCHPAD_NOTCH;
        }
    }
    display->scroll_x += dx / unit;
    display->scroll_y += dy / unit;
}

static void scroll_send(OrielDisplay *display, GdkEvent *event)
{
    int notches_x, notches_y;

    if (gdk_scroll_event_is_stop(event)) {
        display->scroll_x = display->scroll_y = 0;
        return;
    }
    scroll_add(display, event);
    notches_x = whole_notches(&display->scroll_x);
    notches_y = whole_notches(&display->scroll_y);
    if (notches_x != 0 || notches_y != 0) {
        oriel_display_backend_scroll(display->backend, notches_x, notches_y);
    }
}

static void on_scroll(OrielDisplay *display, GdkEvent *event)
{
    guint x, y;

    if (oriel_display_has_pointer_mode(display, ORIEL_POINTER_MODE_NONE)) {
        return;
    }
    if (gdk_scroll_event_is_stop(event) ||
        oriel_geometry_to_guest(&display->geometry, display->pointer_x, display->pointer_y, &x,
                                &y)) {
        scroll_send(display, event);
    }
}

gboolean oriel_display_pointer_locked_event(OrielDisplay *display, GdkEvent *event)
{
    guint mask;

    switch ((int)gdk_event_get_event_type(event)) {
    case GDK_MOTION_NOTIFY: /* the lock tells of it */
        oriel_display_reconcile_modifiers(display, gdk_event_get_modifier_state(event));
        return GDK_EVENT_STOP;
    case GDK_BUTTON_PRESS:
        mask = button_mask(gdk_button_event_get_button(event));
        display->chord_armed = FALSE;
        display->buttons_ignored &= ~mask;
        place_send(display, display->buttons | mask);
        return GDK_EVENT_STOP;
    case GDK_BUTTON_RELEASE:
        on_button_release(display, button_mask(gdk_button_event_get_button(event)));
        return GDK_EVENT_STOP;
    case GDK_SCROLL:
        scroll_send(display, event);
        return GDK_EVENT_STOP;
    default:
        return GDK_EVENT_PROPAGATE;
    }
}

/* Selecting text takes the pointer for itself. */
static gboolean selection_event(OrielDisplay *display, GdkEventType type, double x, double y)
{
    switch ((int)type) {
    case GDK_BUTTON_PRESS:
    case GDK_TOUCH_BEGIN:
        gtk_widget_grab_focus(GTK_WIDGET(display));
        oriel_display_selection_press(display, x, y);
        break;
    case GDK_MOTION_NOTIFY:
    case GDK_TOUCH_UPDATE:
        oriel_display_selection_motion(display, x, y);
        break;
    case GDK_BUTTON_RELEASE:
    case GDK_TOUCH_END:
    case GDK_TOUCH_CANCEL:
        oriel_display_selection_release(display);
        break;
    default:
        break;
    }
    return GDK_EVENT_STOP;
}

static gboolean pointer_event(OrielDisplay *display, GdkEvent *event, double x, double y)
{
    switch ((int)gdk_event_get_event_type(event)) {
    case GDK_MOTION_NOTIFY:
        oriel_display_reconcile_modifiers(display, gdk_event_get_modifier_state(event));
        on_motion(display, x, y);
        return GDK_EVENT_STOP;
    case GDK_ENTER_NOTIFY:
        on_motion(display, x, y);
        return GDK_EVENT_PROPAGATE;
    case GDK_BUTTON_PRESS:
        on_motion(display, x, y);
        on_button_press(display, event, button_mask(gdk_button_event_get_button(event)));
        return GDK_EVENT_STOP;
    case GDK_BUTTON_RELEASE:
        on_motion(display, x, y);
        on_button_release(display, button_mask(gdk_button_event_get_button(event)));
        return GDK_EVENT_STOP;
    case GDK_SCROLL:
        on_scroll(display, event);
        return GDK_EVENT_STOP;
    default:
        return GDK_EVENT_PROPAGATE;
    }
}

/* A finger is the left button, as long as no guest has a touch screen. */
static gboolean touch_event(OrielDisplay *display, GdkEvent *event, double x, double y)
{
    if (!gdk_touch_event_get_emulating_pointer(event)) {
        return GDK_EVENT_PROPAGATE;
    }
    on_motion(display, x, y);
    switch ((int)gdk_event_get_event_type(event)) {
    case GDK_TOUCH_BEGIN:
        on_button_press(display, event, ORIEL_POINTER_LEFT);
        break;
    case GDK_TOUCH_END:
    case GDK_TOUCH_CANCEL:
        on_button_release(display, ORIEL_POINTER_LEFT);
        break;
    default:
        break;
    }
    return GDK_EVENT_STOP;
}

static gboolean on_event(OrielDisplay *display, GdkEvent *event)
{
    GdkEventType type = gdk_event_get_event_type(event);
    double x = display->pointer_x, y = display->pointer_y;

    if (type == GDK_LEAVE_NOTIFY) {
        display->pointer_known = FALSE;
        return GDK_EVENT_PROPAGATE;
    }
    if (!oriel_picture_get_framebuffer(display->picture) ||
        (!position_get(display, event, &x, &y) && type != GDK_SCROLL)) {
        return GDK_EVENT_PROPAGATE;
    }
    if (display->selection.active) {
        return selection_event(display, type, x, y);
    }
    if (!oriel_display_has_input(display)) {
        if (type == GDK_BUTTON_PRESS) {
            gtk_widget_grab_focus(GTK_WIDGET(display));
        }
        return GDK_EVENT_PROPAGATE;
    }
    if (type == GDK_TOUCH_BEGIN || type == GDK_TOUCH_UPDATE || type == GDK_TOUCH_END ||
        type == GDK_TOUCH_CANCEL) {
        return touch_event(display, event, x, y);
    }
    return pointer_event(display, event, x, y);
}

void oriel_display_pointer_init(OrielDisplay *display)
{
    GtkEventController *controller = gtk_event_controller_legacy_new();

    /* Not the scrollbars' events, which are children. */
    gtk_event_controller_set_propagation_phase(controller, GTK_PHASE_TARGET);
    g_signal_connect_swapped(controller, "event", G_CALLBACK(on_event), display);
    gtk_widget_add_controller(GTK_WIDGET(display), controller);
}
