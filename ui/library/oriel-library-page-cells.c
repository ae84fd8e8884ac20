/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cells of the grid and rows of the list.
 *
 * GTK keeps cells for some thirty rows of as many columns as the grid may have, and for two hundred
 * rows of the list, most of them out of sight. So the grid may have just one column more than fit,
 * and the pictures of machines that are more than a page away are neither read nor followed.
 */
#include "library/oriel-library-page-private.h"
#include "library/oriel-machine-cell.h"

enum {
    COLUMN_WIDTH = 200, /* pixels; a cell with its borders is not smaller */
    COLUMNS_MAX = 12,
    LOOK_MS = 50,   /* between a change of what is in sight and the look at it */
    LOOK_CELLS = 8, /* that come into sight at once, or go out of it; others wait for events */
};

/* --- What is in sight ------------------------------------------------------------------------- */

static gboolean look_now(gpointer data)
{
    OrielLibraryPage *page = data;
    guint changed = 0;

    page->look = 0;
    for (guint i = 0; i < page->cells->len && changed < LOOK_CELLS; i++) {
        OrielMachineCell *cell = g_ptr_array_index(page->cells, i);
        GtkWidget *view = gtk_widget_get_ancestor(GTK_WIDGET(cell), GTK_TYPE_SCROLLABLE);
        int height = view ? gtk_widget_get_height(view) : 0;
        graphene_rect_t bounds;

        changed += oriel_machine_cell_set_seen(
            cell, height > 0 && gtk_widget_compute_bounds(GTK_WIDGET(cell), view, &bounds) &&
                      bounds.origin.y + bounds.size.height > -height &&
                      bounds.origin.y < 2 * height);
    }
    if (changed == LOOK_CELLS) {
        page->look = g_idle_add(look_now, page);
    }
    return G_SOURCE_REMOVE;
}

static void look_soon(OrielLibraryPage *page)
{
    if (!page->look) {
        page->look = g_timeout_add(LOOK_MS, look_now, page);
    }
}

/* --- Columns ---------------------------------------------------------------------------------- */

static gboolean columns_set(gpointer data)
{
    OrielLibraryPage *page = data;
    GtkAdjustment *width = gtk_scrollable_get_hadjustment(GTK_SCROLLABLE(page->grid));
    int columns = (int)gtk_adjustment_get_page_size(width) / COLUMN_WIDTH + 1;

    page->columns = 0;
    gtk_grid_view_set_max_columns(page->grid, (guint)CLAMP(columns, 2, COLUMNS_MAX));
    return G_SOURCE_REMOVE;
}

/* The grid is just being laid out: after that. */
static void width_changed(OrielLibraryPage *page)
{
    if (!page->columns) {
        page->columns = g_idle_add_full(G_PRIORITY_HIGH_IDLE, columns_set, page, NULL);
    }
}

/* --- Cells ------------------------------------------------------------------------------------ */

static void cell_toggled(OrielLibraryPage *page, OrielMachineCell *cell)
{
    OrielMachineItem *item = oriel_machine_cell_get_item(cell);

    if (item) {
        oriel_library_page_select(page, item, oriel_machine_cell_get_selected(cell));
    }
}

static void cell_setup(OrielLibraryPage *page, GtkListItem *list_item, gboolean compact)
{
    GtkWidget *cell = oriel_machine_cell_new(compact);

    g_signal_connect_swapped(cell, "toggled", G_CALLBACK(cell_toggled), page);
    gtk_list_item_set_child(list_item, cell);
}

static void grid_setup(OrielLibraryPage *page, GtkListItem *list_item)
{
    cell_setup(page, list_item, FALSE);
}

static void list_setup(OrielLibraryPage *page, GtkListItem *list_item)
{
    cell_setup(page, list_item, TRUE);
}

static void cell_bind(OrielLibraryPage *page, GtkListItem *list_item)
{
    OrielMachineCell *cell = ORIEL_MACHINE_CELL(gtk_list_item_get_child(list_item));
    OrielMachineItem *item = gtk_list_item_get_item(list_item);

    oriel_machine_cell_set_item(cell, item);
    oriel_machine_cell_set_selecting(cell, page->selecting);
    oriel_machine_cell_set_selected(cell, g_hash_table_contains(page->selected, item));
    g_ptr_array_add(page->cells, cell);
    look_soon(page);
}

static void cell_unbind(OrielLibraryPage *page, GtkListItem *list_item)
{
    OrielMachineCell *cell = ORIEL_MACHINE_CELL(gtk_list_item_get_child(list_item));

    g_ptr_array_remove_fast(page->cells, cell);
    oriel_machine_cell_set_seen(cell, FALSE);
    oriel_machine_cell_set_item(cell, NULL);
}

static GtkListItemFactory *factory_new(OrielLibraryPage *page, GCallback setup)
{
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();

    g_signal_connect_swapped(factory, "setup", setup, page);
    g_signal_connect_swapped(factory, "bind", G_CALLBACK(cell_bind), page);
    g_signal_connect_swapped(factory, "unbind", G_CALLBACK(cell_unbind), page);
    return factory;
}

static void follow_scrolling(OrielLibraryPage *page, GtkScrollable *view)
{
    GtkAdjustment *height = gtk_scrollable_get_vadjustment(view);

    g_signal_connect_object(height, "value-changed", G_CALLBACK(look_soon), page,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(height, "notify::page-size", G_CALLBACK(look_soon), page,
                            G_CONNECT_SWAPPED);
}

void oriel_library_page_init_cells(OrielLibraryPage *page)
{
    g_autoptr(GtkListItemFactory) cells = factory_new(page, G_CALLBACK(grid_setup));
    g_autoptr(GtkListItemFactory) rows = factory_new(page, G_CALLBACK(list_setup));

    gtk_grid_view_set_factory(page->grid, cells);
    gtk_list_view_set_factory(page->list, rows);
    follow_scrolling(page, GTK_SCROLLABLE(page->grid));
    follow_scrolling(page, GTK_SCROLLABLE(page->list));
    g_signal_connect_object(gtk_scrollable_get_hadjustment(GTK_SCROLLABLE(page->grid)),
                            "notify::page-size", G_CALLBACK(width_changed), page,
                            G_CONNECT_SWAPPED);
}
