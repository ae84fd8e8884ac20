/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The list of the pages of settings, with a search in their rows.
 *
 * Signals: "selected" (AdwPreferencesPage): the page to show; "activated" (GtkWidget): the user
 * goes there: to the page, or to the row of it that was searched for.
 */
#ifndef ORIEL_SETTINGS_SIDEBAR_H
#define ORIEL_SETTINGS_SIDEBAR_H

#include <adwaita.h>

#define ORIEL_TYPE_SETTINGS_SIDEBAR (oriel_settings_sidebar_get_type())
G_DECLARE_FINAL_TYPE(OrielSettingsSidebar, oriel_settings_sidebar, ORIEL, SETTINGS_SIDEBAR,
                     GtkWidget)

/* Adds a line for the page, with its title and icon; the first one is selected. */
void oriel_settings_sidebar_add(OrielSettingsSidebar *sidebar, AdwPreferencesPage *page);
/* Moves the focus to the line of the page that is shown. */
void oriel_settings_sidebar_focus(OrielSettingsSidebar *sidebar);
/* Moves the focus to the search. */
void oriel_settings_sidebar_search(OrielSettingsSidebar *sidebar);

#endif
