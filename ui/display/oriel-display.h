/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The display widget: shows what a backend gives, and sends it keys and pointers.
 *
 * Properties: "backend" (OrielDisplayBackend), "scaling" (OrielScaling), "grabbed" (b, read-only:
 * system shortcuts go to the guest), "grab-policy" (OrielGrabPolicy), "release-chord" (s:
 * "ctrl+alt"), "guest-width", "guest-height" (u, read-only, pixels). Class actions, for menus and
 * shortcuts: "display.grab", "display.release", "display.paste" (clipboard text as keystrokes),
 * "display.send-keys" (s: "ctrl+alt+delete"), "display.resize-to-guest".
 */
#ifndef ORIEL_DISPLAY_H
#define ORIEL_DISPLAY_H

#include "oriel-display-backend.h"

typedef enum {
    ORIEL_SCALING_FIT,     /* as large as fits, keeping the aspect */
    ORIEL_SCALING_INTEGER, /* the largest whole multiple that fits; smaller than 1 as FIT */
    ORIEL_SCALING_ACTUAL,  /* one guest pixel is one device pixel; scrolls */
    ORIEL_SCALING_FOLLOW,  /* the guest is asked for the widget's size in device pixels; else FIT */
} OrielScaling;
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
OrielDisplayBackend *oriel_display_get_backend(OrielDisplay *display);
void oriel_display_set_scaling(OrielDisplay *display, OrielScaling scaling);
OrielScaling oriel_display_get_scaling(OrielDisplay *display);
void oriel_display_set_grab_policy(OrielDisplay *display, OrielGrabPolicy policy);
gboolean oriel_display_is_grabbed(OrielDisplay *display);
/* Lets go of everything: grab, keys that are down, pointer. */
void oriel_display_release(OrielDisplay *display);
/* Keys pressed together and let go: "ctrl+alt+f2". FALSE for an unknown name. */
gboolean oriel_display_send_keys(OrielDisplay *display, const char *chord);
/* The guest's picture at its own size as it is now; NULL if there is none. Unref. */
GdkTexture *oriel_display_screenshot(OrielDisplay *display);

#endif
