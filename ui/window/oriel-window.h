/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A window: the library and the machine opened from it, or one machine alone ("Open in New
 * Window").
 *
 * Class actions: "win.back", "win.search", "win.fullscreen", "win.fullscreen-on" (s connector),
 * "win.machine-menu", "win.check-host", "win.new-machine", "win.connect", "win.preferences",
 * "win.show-help-overlay", "win.about", "win.start-when-made" (s name), and with a machine's folder
 * (s): "win.machine-open", "-open-window", "-settings", "-clone", "-rename", "-delete", "-forget",
 * "-show-folder", "-show-log", "-add-launcher", "-insert-cd", "-eject-cd".
 */
#ifndef ORIEL_WINDOW_H
#define ORIEL_WINDOW_H

#include <adwaita.h>

#include "application/oriel-application.h"

#define ORIEL_TYPE_WINDOW (oriel_window_get_type())
G_DECLARE_FINAL_TYPE(OrielWindow, oriel_window, ORIEL, WINDOW, AdwApplicationWindow)

/* `item` NULL: the main window; otherwise a window of that machine alone. */
OrielWindow *oriel_window_new(OrielApplication *application, OrielMachineItem *item);
gboolean oriel_window_is_of_one_machine(OrielWindow *window);
/* The machine that is shown, or NULL: the library is. */
OrielMachineItem *oriel_window_get_machine(OrielWindow *window);
/* NULL: the library. */
void oriel_window_show_machine(OrielWindow *window, OrielMachineItem *item);
/* The machine in that folder, as soon as the library has been read; started if it is off. */
void oriel_window_show_folder(OrielWindow *window, const char *folder, gboolean start);
/* Begins an import that was decided; `start`: the machine runs when it is there. */
void oriel_window_import(OrielWindow *window, OrielImport *import, gboolean start);
/* Files that were dropped, chosen, or given on the command line: each becomes a new machine. */
void oriel_window_open_files(OrielWindow *window, GFile **files, guint n_files);

#endif
