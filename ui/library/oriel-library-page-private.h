/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the library's page share. */
#ifndef ORIEL_LIBRARY_PAGE_PRIVATE_H
#define ORIEL_LIBRARY_PAGE_PRIVATE_H

#include "library/oriel-host-banner.h"
#include "library/oriel-library-model.h"
#include "library/oriel-library-page.h"

struct _OrielLibraryPage {
    GtkWidget parent_instance;
    GtkWidget *box;
    GtkStack *header_stack, *stack;
    AdwWindowTitle *selection_title;
    GtkRevealer *selection_bar;
    OrielHostBanner *host_banner;
    GtkSearchBar *search_bar;
    GtkSearchEntry *search_entry;
    GtkWidget *search_button, *view_button, *tag_bar, *empty_welcome;
    GtkBox *tag_box;
    GtkGridView *grid;
    GtkListView *list;

    OrielMachineList *list_model;
    OrielPreferences *preferences;
    OrielLibraryModel *model;
    GHashTable *selected; /* set of OrielMachineItem */
    GPtrArray *cells;     /* OrielMachineCell that show an item now; borrowed */
    char **tags;          /* those in the tag bar */
    gboolean selecting;
    guint look;    /* source: which cells are in sight */
    guint columns; /* source: the grid is wider or narrower */
};

void oriel_library_page_install_actions(GtkWidgetClass *class);
/* The cells of the grid and the rows of the list. */
void oriel_library_page_init_cells(OrielLibraryPage *page);
void oriel_library_page_set_selecting(OrielLibraryPage *page, gboolean selecting);
void oriel_library_page_select(OrielLibraryPage *page, OrielMachineItem *item, gboolean selected);
/* The title, the bar and the actions of the selection as it is now. */
void oriel_library_page_selection_follow(OrielLibraryPage *page);
/* Whether the welcome machine is offered: its image must be there. */
void oriel_library_page_welcome_follow(OrielLibraryPage *page);

#endif
