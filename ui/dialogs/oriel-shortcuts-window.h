/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ORIEL_SHORTCUTS_WINDOW_H
#define ORIEL_SHORTCUTS_WINDOW_H

#include "base/oriel-preferences.h"

/* The window that lists the keyboard shortcuts, among them the keys that leave the screen. */
GtkWindow *oriel_shortcuts_window_new(OrielPreferences *preferences);

#endif
