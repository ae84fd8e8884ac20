/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Machines and work without a window, and the end of the session. While machines run or work is
 * under way the application stays, with or without windows; at logout, running machines are saved
 * before the session goes on to end.
 */
#ifndef ORIEL_SESSION_GUARD_H
#define ORIEL_SESSION_GUARD_H

#include <gtk/gtk.h>

#include "model/oriel-machine-list.h"

#define ORIEL_TYPE_SESSION_GUARD (oriel_session_guard_get_type())
G_DECLARE_FINAL_TYPE(OrielSessionGuard, oriel_session_guard, ORIEL, SESSION_GUARD, GObject)

OrielSessionGuard *oriel_session_guard_new(GtkApplication *application, OrielMachineList *list);

#endif
