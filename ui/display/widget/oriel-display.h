/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The display widget: shows what a backend gives, and sends it keys and pointers.
 *
 * Keys go to the guest while the widget has the keyboard focus, before any shortcut of the window;
 * F11 alone is left to the window while nothing is grabbed. The release chord (Control and Alt,
 * pressed and let go with nothing between) gives everything back and moves the focus out of the
 * widget.
 *
 * A click into the picture of a guest that has only a mouse locks the pointer, which is hidden
 * then, and gives the guest the mouse's movement. It is given back with the release chord, and
 * whenever the focus, the window's activity, fullscreen, the guest's pause or its use of a pointer
 * changes.
 *
 * Properties: "backend" (OrielDisplayBackend), "scaling" (OrielScaling), "grab-policy"
 * (OrielGrabPolicy), "release-chord" (s: "ctrl+alt", modifiers only), "machine-name" (s: for
 * assistive technology); read-only, with notify: "grabbed" (b: system shortcuts go to the guest),
 * "captured" (b: a click, or the action, asked for them), "pointer-locked" (b: show the way out),
 * "typing" (b: a paste is under way), "guest-width", "guest-height" (u, pixels);
 * "selecting-text" (b: the pointer selects characters instead of going to the guest).
 *
 * Class actions, for menus and shortcuts: "display.grab", "display.release", "display.paste"
 * (clipboard text as keystrokes), "display.cancel-paste", "display.send-keys" (s:
 * "ctrl+alt+delete"), "display.resize-to-guest", "display.select-text" (toggles "selecting-text"),
 * "display.copy" (the selected text).
 *
 * Signal: "notice" (s): a sentence for the user, for a toast.
 */
#ifndef ORIEL_DISPLAY_H
#define ORIEL_DISPLAY_H

#include "display/oriel-display-backend.h"
#include "display/picture/oriel-geometry.h"

#define ORIEL_TYPE_SCALING (oriel_scaling_get_type())
GType oriel_scaling_get_type(void);

typedef enum {
    ORIEL_GRAB_FULLSCREEN, /* system shortcuts go to the guest while the window is fullscreen */
    ORIEL_GRAB_CLICK,      /* after a click into the picture */
    ORIEL_GRAB_NEVER,
} OrielGrabPolicy;
#define ORIEL_TYPE_GRAB_POLICY (oriel_grab_policy_get_type())
GType oriel_grab_policy_get_type(void);

#define ORIEL_TYPE_DISPLAY (oriel_display_get_type())
G_DECLARE_FINAL_TYPE(OrielDisplay, oriel_display, ORIEL, DISPLAY, GtkWidget)

GtkWidget *oriel_display_new(void);
/* The old backend is closed. NULL: nothing is shown. */
void oriel_display_set_backend(OrielDisplay *display, OrielDisplayBackend *backend);
void oriel_display_set_scaling(OrielDisplay *display, OrielScaling scaling);
OrielScaling oriel_display_get_scaling(OrielDisplay *display);
void oriel_display_set_machine_name(OrielDisplay *display, const char *name);
void oriel_display_set_grab_policy(OrielDisplay *display, OrielGrabPolicy policy);
gboolean oriel_display_is_grabbed(OrielDisplay *display);
gboolean oriel_display_is_pointer_locked(OrielDisplay *display);
const char *oriel_display_get_release_chord(OrielDisplay *display);
/* Lets go of everything: grab, keys that are down, pointer. */
void oriel_display_release(OrielDisplay *display);
/* The same, and moves the focus out of the widget: what the release chord does. */
void oriel_display_leave(OrielDisplay *display);
/* Keys pressed together and let go: "ctrl+alt+f2". FALSE for an unknown name. */
gboolean oriel_display_send_keys(OrielDisplay *display, const char *chord);
/* The guest's picture at its own size as it is now; NULL if there is none. Unref. */
GdkTexture *oriel_display_screenshot(OrielDisplay *display);

#endif
