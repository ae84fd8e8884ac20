/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The settings of one machine. Every change is saved at once; what a running machine takes up only
 * when it is restarted is marked. Closes itself when the machine goes away.
 */
#ifndef ORIEL_SETTINGS_WINDOW_H
#define ORIEL_SETTINGS_WINDOW_H

#include <adwaita.h>

#include "model/oriel-machine-list.h"

#define ORIEL_TYPE_SETTINGS_WINDOW (oriel_settings_window_get_type())
G_DECLARE_FINAL_TYPE(OrielSettingsWindow, oriel_settings_window, ORIEL, SETTINGS_WINDOW, AdwWindow)

GtkWindow *oriel_settings_window_new(OrielMachineItem *item, OrielMachineList *list);

/* For a page in such a window: shows `subpage` in its place, with a way back. */
void oriel_settings_present_subpage(GtkWidget *page, GtkWidget *subpage, const char *title);
/* Goes back to the page; the subpage is gone. */
void oriel_settings_close_subpage(GtkWidget *page);

#endif
