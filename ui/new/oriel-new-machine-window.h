/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a file, whatever it is, to a machine: one page to choose the file, one to look at what the
 * machine will be. Nothing has to be typed.
 *
 * Signal: "created" (OrielMachineItem item, b start), when the machine is on its way (state
 * PENDING) or was added; the window closes itself then. `start`: the user wants it to run at once.
 * Signal: "try" (pointer OrielImport, b start): an appliance is to be tried first; it closes, too.
 */
#ifndef ORIEL_NEW_MACHINE_WINDOW_H
#define ORIEL_NEW_MACHINE_WINDOW_H

#include <adwaita.h>

#include "model/oriel-machine-list.h"
#include "base/oriel-preferences.h"

#define ORIEL_TYPE_NEW_MACHINE_WINDOW (oriel_new_machine_window_get_type())
G_DECLARE_FINAL_TYPE(OrielNewMachineWindow, oriel_new_machine_window, ORIEL, NEW_MACHINE_WINDOW,
                     AdwWindow)

GtkWindow *oriel_new_machine_window_new(OrielMachineList *list, OrielPreferences *preferences);
/* Goes to the review page of this file, or says why no machine comes of it. */
void oriel_new_machine_window_open_file(OrielNewMachineWindow *window, const char *path);

#endif
