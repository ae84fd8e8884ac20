/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The preferences of the application. Every change is kept at once. */
#ifndef ORIEL_PREFERENCES_WINDOW_H
#define ORIEL_PREFERENCES_WINDOW_H

#include <adwaita.h>

#include "base/oriel-preferences.h"

#define ORIEL_TYPE_PREFERENCES_WINDOW (oriel_preferences_window_get_type())
G_DECLARE_FINAL_TYPE(OrielPreferencesWindow, oriel_preferences_window, ORIEL, PREFERENCES_WINDOW,
                     AdwPreferencesWindow)

GtkWindow *oriel_preferences_window_new(OrielPreferences *preferences);

#endif
