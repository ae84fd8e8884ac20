/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The library: all machines as a grid or a list, search, tags, order, selection of several, and the
 * empty page that invites.
 *
 * Class actions: "library.search", "library.select" (selection mode), "library.select-all",
 * "library.start-selected", "library.shut-down-selected", "library.delete-selected",
 * "library.menu" (context menu of the machine with the focus), "library.add-welcome".
 * The stateful actions "view.library-view" and "view.library-sort" are those of the preferences.
 *
 * Signal: "open" (OrielMachineItem): the user wants to see a machine.
 */
#ifndef ORIEL_LIBRARY_PAGE_H
#define ORIEL_LIBRARY_PAGE_H

#include <adwaita.h>

#include "model/oriel-machine-list.h"
#include "base/oriel-preferences.h"

#define ORIEL_TYPE_LIBRARY_PAGE (oriel_library_page_get_type())
G_DECLARE_FINAL_TYPE(OrielLibraryPage, oriel_library_page, ORIEL, LIBRARY_PAGE, GtkWidget)

/* Once, before it is shown. */
void oriel_library_page_set_up(OrielLibraryPage *page, OrielMachineList *list,
                               OrielPreferences *preferences);
/* Leaves search or selection mode; FALSE if in neither. */
gboolean oriel_library_page_escape(OrielLibraryPage *page);
/* Keys that are typed while nothing else wants them start a search. */
void oriel_library_page_set_key_capture(OrielLibraryPage *page, GtkWidget *widget);

/* Shows what this computer lacks. */
void oriel_library_page_show_host(OrielLibraryPage *page);

#endif
