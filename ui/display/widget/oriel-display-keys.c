/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys of the display widget. They go to the guest by the place on the keyboard, through no input
 * method; the guest has its own.
 *
 * The events are taken where they enter the window, before its shortcuts see them, while the widget
 * has the focus. Every key that went down in the guest is remembered and let go when the keyboard
 * goes elsewhere, however that comes about.
 */
#include <linux/input-event-codes.h>

#include "oriel-display-private.h"
#include "display/keys/oriel-keymap.h"

enum {
    LOCK_TAPS_MAX = 2, /* corrections that the guest does not follow before we stop */
    LOCK_TAP_INTERVAL_US = 500 * 1000,
};

/* Modifiers as GDK sees them, with the keys that hold them. */
static const struct {
    GdkModifierType mask;
    guint left, right;
} modifiers[] = {
    { GDK_CONTROL_MASK, KEY_LEFTCTRL, KEY_RIGHTCTRL },
    { GDK_SHIFT_MASK, KEY_LEFTSHIFT, KEY_RIGHTSHIFT },
    { GDK_ALT_MASK, KEY_LEFTALT, KEY_RIGHTALT },
    { GDK_SUPER_MASK, KEY_LEFTMETA, KEY_RIGHTMETA },
};

static void key_release(OrielDisplay *display, guint code)
{
    guint keysym;

    if (oriel_pressed_keys_release(&display->pressed, code, &keysym)) {
        oriel_display_backend_key(display->backend, code, keysym, FALSE);
    }
}

static gboolean key_press(OrielDisplay *display, guint code, guint keysym)
{
    if (oriel_pressed_keys_press(&display->pressed, code, keysym) == ORIEL_KEY_FULL) {
        return FALSE;
    }
    oriel_display_backend_key(display->backend, code, keysym, TRUE);
    return TRUE;
}

void oriel_display_release_keys(OrielDisplay *display)
{
    guint code, keysym;

    while (oriel_pressed_keys_pop(&display->pressed, &code, &keysym)) {
        oriel_display_backend_key(display->backend, code, keysym, FALSE);
    }
    display->chord_armed = FALSE;
}

/* --- Modifiers */

void oriel_display_reconcile_modifiers(OrielDisplay *display, GdkModifierType state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(modifiers); i++) {
        if (state & modifiers[i].mask) {
            continue;
        }
        key_release(display, modifiers[i].left);
        /* AltGr is no Alt on most layouts, so the mask says nothing about it. */
        if (modifiers[i].right != KEY_RIGHTALT) {
            key_release(display, modifiers[i].right);
        }
    }
}

/* The focus came with modifiers held: the guest has not seen them go down. */
static void missing_modifiers_press(OrielDisplay *display, GdkModifierType state)
{
    if (display->pressed.n > 0) {
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(modifiers); i++) {
        if (state & modifiers[i].mask) {
            key_press(display, modifiers[i].left, oriel_keymap_to_keysym(modifiers[i].left));
        }
    }
}

/* Some other key held the modifier whose left one we pressed for it. */
static void stand_in_release(OrielDisplay *display, guint code)
{
    for (gsize i = 0; i < G_N_ELEMENTS(modifiers); i++) {
        if (modifiers[i].right == code) {
            key_release(display, modifiers[i].left);
        }
    }
}

/* --- Release chord */

static GdkModifierType modifier_mask(guint code)
{
    for (gsize i = 0; i < G_N_ELEMENTS(modifiers); i++) {
        if (modifiers[i].left == code || modifiers[i].right == code) {
            return modifiers[i].mask;
        }
    }
    return 0;
}

/* Whether just the modifiers of the chord are down. */
static gboolean chord_is_down(OrielDisplay *display)
{
    GdkModifierType wanted = 0, down = 0;
    guint codes[ORIEL_CHORD_MAX], n = oriel_keymap_parse_chord(display->release_chord, codes);

    for (guint i = 0; i < n; i++) {
        wanted |= modifier_mask(codes[i]);
    }
    for (guint i = 0; i < display->pressed.n; i++) {
        GdkModifierType mask = modifier_mask(display->pressed.keys[i].code);

        if (mask == 0) {
            return FALSE;
        }
        down |= mask;
    }
    return wanted != 0 && down == wanted;
}

void oriel_display_leave(OrielDisplay *display)
{
    GtkWidget *widget = GTK_WIDGET(display);
    GtkRoot *root = gtk_widget_get_root(widget);

    oriel_display_release(display);
    gtk_widget_child_focus(GTK_WIDGET(root), GTK_DIR_TAB_FORWARD);
    if (gtk_root_get_focus(root) == widget) {
        gtk_root_set_focus(root, NULL);
    }
}

/* --- Events */

/* Full screen is left and entered with it as long as the guest has nothing of the host's. */
static gboolean is_for_window(OrielDisplay *display, GdkEvent *event)
{
    return gdk_key_event_get_keyval(event) == GDK_KEY_F11 && !display->captured &&
           !display->grabbed &&
           (gdk_event_get_modifier_state(event) & gtk_accelerator_get_default_mod_mask()) == 0;
}

static gboolean on_press(OrielDisplay *display, GdkEvent *event)
{
    guint code = oriel_keymap_from_hardware(gdk_key_event_get_keycode(event));
    GdkModifierType state = gdk_event_get_modifier_state(event);

    if (display->selection.active) {
        return oriel_display_selection_key(display, gdk_key_event_get_keyval(event), state);
    }
    if (!oriel_display_has_input(display) || is_for_window(display, event)) {
        return GDK_EVENT_PROPAGATE;
    }
    if (code == 0) {
        g_debug("key %u is on no guest's keyboard", gdk_key_event_get_keycode(event));
        return GDK_EVENT_STOP;
    }
    if (display->focus_is_new && !oriel_keymap_is_modifier(code)) {
        missing_modifiers_press(display, state);
        display->focus_is_new = FALSE;
    }
    key_press(display, code, gdk_key_event_get_keyval(event));
    display->chord_armed = chord_is_down(display);
    return GDK_EVENT_STOP;
}

static gboolean on_release(OrielDisplay *display, GdkEvent *event)
{
    guint code = oriel_keymap_from_hardware(gdk_key_event_get_keycode(event));

    if (!oriel_pressed_keys_contains(&display->pressed, code)) {
        stand_in_release(display, code);
        return GDK_EVENT_PROPAGATE;
    }
    if (display->chord_armed && modifier_mask(code) != 0) {
        oriel_display_leave(display);
    } else {
        key_release(display, code);
    }
    return GDK_EVENT_STOP;
}

static gboolean on_event(OrielDisplay *display, GdkEvent *event)
{
    GtkRoot *root = gtk_widget_get_root(GTK_WIDGET(display));

    if (gtk_root_get_focus(root) != GTK_WIDGET(display)) {
        return GDK_EVENT_PROPAGATE;
    }
    switch ((int)gdk_event_get_event_type(event)) {
    case GDK_KEY_PRESS:
        return on_press(display, event);
    case GDK_KEY_RELEASE:
        return on_release(display, event);
    default:
        return GDK_EVENT_PROPAGATE;
    }
}

/* --- Lock keys: the guest's follow the host's, never the other way round */

static guint host_locks(OrielDisplay *display)
{
    GdkSeat *seat = gdk_display_get_default_seat(gtk_widget_get_display(GTK_WIDGET(display)));
    GdkDevice *keyboard = seat ? gdk_seat_get_keyboard(seat) : NULL;

    if (!keyboard) {
        return ORIEL_LEDS_UNKNOWN;
    }
    return (gdk_device_get_scroll_lock_state(keyboard) ? ORIEL_LED_SCROLL : 0u) |
           (gdk_device_get_num_lock_state(keyboard) ? ORIEL_LED_NUM : 0u) |
           (gdk_device_get_caps_lock_state(keyboard) ? ORIEL_LED_CAPS : 0u);
}

/*
 * Presses the lock keys that differ. A guest whose lights do not follow (or a host that turned the
 * key into something else) is left alone after two attempts.
 */
static void locks_sync(OrielDisplay *display)
{
    static const guint keys[ORIEL_DISPLAY_LEDS] = { KEY_SCROLLLOCK, KEY_NUMLOCK, KEY_CAPSLOCK };
    guint host = host_locks(display), guest;
    gint64 now = g_get_monotonic_time();

    if (!oriel_display_has_input(display)) {
        return;
    }
    guest = oriel_display_backend_get_leds(display->backend);
    if (host == ORIEL_LEDS_UNKNOWN || guest == ORIEL_LEDS_UNKNOWN ||
        now - display->lock_tap_time < LOCK_TAP_INTERVAL_US) {
        return;
    }
    for (guint i = 0; i < ORIEL_DISPLAY_LEDS; i++) {
        if (((host ^ guest) >> i & 1) && display->lock_taps[i] < LOCK_TAPS_MAX) {
            guint keysym = oriel_keymap_to_keysym(keys[i]);

            oriel_display_backend_key(display->backend, keys[i], keysym, TRUE);
            oriel_display_backend_key(display->backend, keys[i], keysym, FALSE);
            display->lock_taps[i]++;
            display->lock_tap_time = now;
        }
    }
}

void oriel_display_leds_changed(OrielDisplay *display)
{
    guint host = host_locks(display), guest = oriel_display_backend_get_leds(display->backend);

    for (guint i = 0; i < ORIEL_DISPLAY_LEDS; i++) {
        if (((host ^ guest) >> i & 1) == 0) {
            display->lock_taps[i] = 0;
        }
    }
}

static void on_focus_enter(OrielDisplay *display)
{
    display->focus_is_new = TRUE;
    locks_sync(display);
    oriel_display_update_grab(display, NULL);
}

static void on_focus_leave(OrielDisplay *display)
{
    oriel_display_release(display);
}

void oriel_display_keys_init(OrielDisplay *display)
{
    GtkEventController *focus = gtk_event_controller_focus_new();

    g_signal_connect_swapped(focus, "enter", G_CALLBACK(on_focus_enter), display);
    g_signal_connect_swapped(focus, "leave", G_CALLBACK(on_focus_leave), display);
    gtk_widget_add_controller(GTK_WIDGET(display), focus);
}

void oriel_display_keys_root(OrielDisplay *display)
{
    display->key_controller = gtk_event_controller_legacy_new();
    gtk_event_controller_set_propagation_phase(display->key_controller, GTK_PHASE_CAPTURE);
    g_signal_connect_swapped(display->key_controller, "event", G_CALLBACK(on_event), display);
    gtk_widget_add_controller(GTK_WIDGET(gtk_widget_get_root(GTK_WIDGET(display))),
                              display->key_controller);
}

void oriel_display_keys_unroot(OrielDisplay *display)
{
    gtk_widget_remove_controller(gtk_event_controller_get_widget(display->key_controller),
                                 display->key_controller);
    display->key_controller = NULL;
}
