/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An appliance that is tried: its screen. Closing the window asks once whether it is to be imported
 * or discarded; in both cases nothing is kept of what it did.
 */
#ifndef ORIEL_TRY_WINDOW_H
#define ORIEL_TRY_WINDOW_H

#include <adwaita.h>

#include "application/oriel-application.h"
#include "appliance/import/oriel-import.h"

#define ORIEL_TYPE_TRY_WINDOW (oriel_try_window_get_type())
G_DECLARE_FINAL_TYPE(OrielTryWindow, oriel_try_window, ORIEL, TRY_WINDOW, AdwApplicationWindow)

/*
 * Starts it, after oriel_import_decide(); keeps a reference. `start`: whether the machine is to run
 * when it is imported.
 */
GtkWindow *oriel_try_window_new(OrielApplication *application, OrielImport *import, gboolean start);

#endif
