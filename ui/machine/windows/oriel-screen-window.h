/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the windows that show a screen beside the library have in common: a header bar with keys to
 * send, screenshots and fullscreen, the strip with the way out of a grab, and toasts.
 *
 * Properties, set once by the template of a subclass: "display" (OrielDisplay), "body" (GtkWidget:
 * the display, or what it is in). Class actions: "win.fullscreen", "screen.send-keys" (s),
 * "screen.paste", "screen.screenshot".
 */
#ifndef ORIEL_SCREEN_WINDOW_H
#define ORIEL_SCREEN_WINDOW_H

#include <adwaita.h>

#include "base/oriel-preferences.h"
#include "display/widget/oriel-display.h"

#define ORIEL_TYPE_SCREEN_WINDOW (oriel_screen_window_get_type())
G_DECLARE_DERIVABLE_TYPE(OrielScreenWindow, oriel_screen_window, ORIEL, SCREEN_WINDOW,
                         AdwApplicationWindow)

struct _OrielScreenWindowClass {
    AdwApplicationWindowClass parent_class;
};

/* The display does as the preferences say with keys of the desktop. */
void oriel_screen_window_bind(OrielScreenWindow *window, OrielPreferences *preferences);
/* `subtitle` may be NULL. The window's own title is left as it is. */
void oriel_screen_window_set_titles(OrielScreenWindow *window, const char *title,
                                    const char *subtitle);

#endif
