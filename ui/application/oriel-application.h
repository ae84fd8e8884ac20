/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The application: one instance a session, its windows, what it does without a window (machines
 * that run, work under way, the end of the session).
 *
 * Actions, also over D-Bus: "app.start-machine" (s name), "app.open-machine" (s folder),
 * "app.new-window", "app.quit".
 */
#ifndef ORIEL_APPLICATION_H
#define ORIEL_APPLICATION_H

#include <adwaita.h>

#include "appliance/import/oriel-import.h"
#include "model/oriel-machine-list.h"
#include "base/oriel-preferences.h"

#define ORIEL_TYPE_APPLICATION (oriel_application_get_type())
G_DECLARE_FINAL_TYPE(OrielApplication, oriel_application, ORIEL, APPLICATION, AdwApplication)

OrielApplication *oriel_application_new(void);
OrielMachineList *oriel_application_get_list(OrielApplication *application);
OrielPreferences *oriel_application_get_preferences(OrielApplication *application);
/*
 * Keyboard shortcuts of the application are off while the screen of a machine has the keyboard: its
 * keys are the guest's.
 */
void oriel_application_set_shortcuts(OrielApplication *application, gboolean on);
/* Shows the machine in the window that has it, otherwise in the main window. */
void oriel_application_open_machine(OrielApplication *application, OrielMachineItem *item);
/* Begins an import that was decided, shown in the main window; `start`: the machine runs when it is
 * there. */
void oriel_application_import(OrielApplication *application, OrielImport *import, gboolean start);

#endif
