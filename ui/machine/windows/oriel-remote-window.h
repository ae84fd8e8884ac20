/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A window on the screen of a computer elsewhere, over VNC. Asks for a password if there is one. */
#ifndef ORIEL_REMOTE_WINDOW_H
#define ORIEL_REMOTE_WINDOW_H

#include "base/oriel-preferences.h"
#include "oriel-screen-window.h"

#define ORIEL_TYPE_REMOTE_WINDOW (oriel_remote_window_get_type())
G_DECLARE_FINAL_TYPE(OrielRemoteWindow, oriel_remote_window, ORIEL, REMOTE_WINDOW,
                     OrielScreenWindow)

/* `address` as oriel_vnc_backend_new() takes it; what is wrong with it is shown in the window. */
GtkWindow *oriel_remote_window_new(GtkApplication *application, OrielPreferences *preferences,
                                   const char *address);

#endif
