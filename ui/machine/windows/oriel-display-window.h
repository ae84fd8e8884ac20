/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A window on the second, third or fourth display of a running machine. While it is open, the
 * guest has a monitor there; the window goes when the machine's screen does.
 */
#ifndef ORIEL_DISPLAY_WINDOW_H
#define ORIEL_DISPLAY_WINDOW_H

#include "model/oriel-machine-item.h"
#include "base/oriel-preferences.h"
#include "oriel-screen-window.h"

#define ORIEL_TYPE_DISPLAY_WINDOW (oriel_display_window_get_type())
G_DECLARE_FINAL_TYPE(OrielDisplayWindow, oriel_display_window, ORIEL, DISPLAY_WINDOW,
                     OrielScreenWindow)

/* Opens one, or brings the one that there is to the front. `number` is 2 or more. */
void oriel_display_window_open(GtkApplication *application, OrielPreferences *preferences,
                               OrielMachineItem *item, guint number);

#endif
