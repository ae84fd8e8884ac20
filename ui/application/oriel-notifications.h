/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is told to people who look elsewhere: long work has ended, a machine stopped and nobody had
 * asked for it. Withdrawn when a window of the application is looked at.
 */
#ifndef ORIEL_NOTIFICATIONS_H
#define ORIEL_NOTIFICATIONS_H

#include <gtk/gtk.h>

#include "model/oriel-machine-list.h"
#include "base/oriel-preferences.h"

#define ORIEL_TYPE_NOTIFICATIONS (oriel_notifications_get_type())
G_DECLARE_FINAL_TYPE(OrielNotifications, oriel_notifications, ORIEL, NOTIFICATIONS, GObject)

OrielNotifications *oriel_notifications_new(GtkApplication *application, OrielMachineList *list,
                                            OrielPreferences *preferences);

#endif
