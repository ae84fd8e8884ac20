/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ORIEL_SHORTCUTS_WINDOW_H
#define ORIEL_SHORTCUTS_WINDOW_H

#include <gtk/gtk.h>

/* The window that lists the keyboard shortcuts. */
GtkWindow *oriel_shortcuts_window_new(void);

#endif
