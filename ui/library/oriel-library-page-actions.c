/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Actions of the library's page: search, selection of several machines and what is done with them,
 * the welcome machine. */
#include <glib/gi18n.h>

#include "library/oriel-delete.h"
#include "library/oriel-library-page-private.h"
#include "library/oriel-machine-cell.h"
#include "machine/oriel-machine-actions.h"
#include "base/oriel-message.h"
#include "base/oriel-welcome.h"

static gboolean is_off(OrielMachineItem *item)
{
    OrielMachineState state = oriel_machine_item_get_state(item);

    return state == ORIEL_MACHINE_STATE_STOPPED || state == ORIEL_MACHINE_STATE_SAVED;
}

static gboolean is_running(OrielMachineItem *item)
{
    return oriel_machine_item_get_state(item) == ORIEL_MACHINE_STATE_RUNNING;
}

static gboolean is_deletable(OrielMachineItem *item)
{
    return is_off(item) || oriel_machine_item_get_state(item) == ORIEL_MACHINE_STATE_DAMAGED;
}

/* The selected machines for which `suits` holds. g_ptr_array_unref(). */
static GPtrArray *selected_that(OrielLibraryPage *page, gboolean (*suits)(OrielMachineItem *item))
{
    GPtrArray *items = g_ptr_array_new_with_free_func(g_object_unref);
    GHashTableIter iter;
    gpointer item;

    g_hash_table_iter_init(&iter, page->selected);
    while (g_hash_table_iter_next(&iter, &item, NULL)) {
        if (suits(item)) {
            g_ptr_array_add(items, g_object_ref(item));
        }
    }
    return items;
}

static gboolean any_selected(OrielLibraryPage *page, gboolean (*suits)(OrielMachineItem *item))
{
    g_autoptr(GPtrArray) items = selected_that(page, suits);

    return items->len > 0;
}

void oriel_library_page_selection_follow(OrielLibraryPage *page)
{
    GtkWidget *widget = GTK_WIDGET(page);
    guint number = g_hash_table_size(page->selected);
    g_autofree char *title =
        number ? g_strdup_printf(ngettext("%u Selected", "%u Selected", number), number)
               : g_strdup(_("Select Machines"));

    adw_window_title_set_title(page->selection_title, title);
    gtk_revealer_set_reveal_child(page->selection_bar, page->selecting);
    gtk_widget_action_set_enabled(widget, "library.start-selected", any_selected(page, is_off));
    gtk_widget_action_set_enabled(widget, "library.shut-down-selected",
                                  any_selected(page, is_running));
    gtk_widget_action_set_enabled(widget, "library.delete-selected",
                                  any_selected(page, is_deletable));
    gtk_widget_action_set_enabled(widget, "library.select-all", page->selecting);
}

void oriel_library_page_select(OrielLibraryPage *page, OrielMachineItem *item, gboolean selected)
{
    if (selected == g_hash_table_contains(page->selected, item)) {
        return;
    }
    if (selected) {
        g_hash_table_add(page->selected, g_object_ref(item));
    } else {
        g_hash_table_remove(page->selected, item);
    }
    for (guint i = 0; i < page->cells->len; i++) {
        OrielMachineCell *cell = g_ptr_array_index(page->cells, i);

        if (oriel_machine_cell_get_item(cell) == item) {
            oriel_machine_cell_set_selected(cell, selected);
        }
    }
    oriel_library_page_selection_follow(page);
}

static void selection_clear(OrielLibraryPage *page)
{
    g_autoptr(GList) items = g_hash_table_get_keys(page->selected);

    for (GList *link = items; link; link = link->next) {
        g_autoptr(OrielMachineItem) item = g_object_ref(link->data);

        oriel_library_page_select(page, item, FALSE);
    }
}

void oriel_library_page_set_selecting(OrielLibraryPage *page, gboolean selecting)
{
    page->selecting = selecting;
    selection_clear(page);
    for (guint i = 0; i < page->cells->len; i++) {
        oriel_machine_cell_set_selecting(g_ptr_array_index(page->cells, i), selecting);
    }
    gtk_stack_set_visible_child_name(page->header_stack, selecting ? "select" : "browse");
    oriel_library_page_selection_follow(page);
}

static void act_search(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielLibraryPage *page = ORIEL_LIBRARY_PAGE(widget);

    if (!page->selecting && gtk_widget_get_visible(page->search_button)) {
        gtk_search_bar_set_search_mode(page->search_bar, TRUE);
        gtk_widget_grab_focus(GTK_WIDGET(page->search_entry));
    }
}

static void act_select(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielLibraryPage *page = ORIEL_LIBRARY_PAGE(widget);

    oriel_library_page_set_selecting(page, !page->selecting);
}

static void act_select_all(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielLibraryPage *page = ORIEL_LIBRARY_PAGE(widget);
    GListModel *view = oriel_library_model_get_view(page->model);

    for (guint i = 0; i < g_list_model_get_n_items(view); i++) {
        g_autoptr(OrielMachineItem) item = g_list_model_get_item(view, i);

        if (oriel_machine_item_get_state(item) != ORIEL_MACHINE_STATE_PENDING) {
            oriel_library_page_select(page, item, TRUE);
        }
    }
}

static void act_start_selected(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielLibraryPage *page = ORIEL_LIBRARY_PAGE(widget);
    g_autoptr(GPtrArray) items = selected_that(page, is_off);

    oriel_library_page_set_selecting(page, FALSE);
    for (guint i = 0; i < items->len; i++) {
        oriel_machine_actions_start(widget, g_ptr_array_index(items, i), FALSE);
    }
}

static void act_shut_down_selected(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielLibraryPage *page = ORIEL_LIBRARY_PAGE(widget);
    g_autoptr(GPtrArray) items = selected_that(page, is_running);

    oriel_library_page_set_selecting(page, FALSE);
    for (guint i = 0; i < items->len; i++) {
        oriel_machine_actions_command(widget, g_ptr_array_index(items, i), ORIEL_COMMAND_SHUT_DOWN);
    }
}

static void act_delete_selected(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielLibraryPage *page = ORIEL_LIBRARY_PAGE(widget);
    g_autoptr(GPtrArray) items = selected_that(page, is_deletable);

    oriel_library_page_set_selecting(page, FALSE);
    oriel_delete_machines(widget, page->list_model, items);
}

/* The cell that has the focus, or NULL. */
static OrielMachineCell *focused_cell(OrielLibraryPage *page)
{
    GtkRoot *root = gtk_widget_get_root(GTK_WIDGET(page));
    GtkWidget *focus = root ? gtk_root_get_focus(root) : NULL;

    for (guint i = 0; focus && i < page->cells->len; i++) {
        GtkWidget *cell = g_ptr_array_index(page->cells, i);

        if (gtk_widget_get_parent(cell) == focus || gtk_widget_is_ancestor(focus, cell)) {
            return ORIEL_MACHINE_CELL(cell);
        }
    }
    return NULL;
}

static void act_menu(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielMachineCell *cell = focused_cell(ORIEL_LIBRARY_PAGE(widget));

    if (cell) {
        oriel_machine_cell_open_menu(cell);
    }
}

/* An item of the context menu, by its key. */
static void act_do(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielLibraryPage *page = ORIEL_LIBRARY_PAGE(widget);
    OrielMachineCell *cell = page->selecting ? NULL : focused_cell(page);

    if (cell) {
        oriel_machine_cell_activate(cell, g_variant_get_string(parameter, NULL));
    }
}

void oriel_library_page_welcome_follow(OrielLibraryPage *page)
{
    g_autofree char *image = oriel_welcome_image();

    gtk_widget_set_visible(page->empty_welcome, image != NULL);
}

static void act_add_welcome(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielLibraryPage *page = ORIEL_LIBRARY_PAGE(widget);
    OrielMachineItem *item = oriel_welcome_create(page->list_model);

    if (item) {
        gtk_widget_activate_action(widget, "win.start-when-made", "s",
                                   oriel_machine_item_get_name(item));
    }
}

void oriel_library_page_install_actions(GtkWidgetClass *class)
{
    static const struct {
        const char *name;
        GtkWidgetActionActivateFunc activate;
    } actions[] = {
        { "library.search", act_search },
        { "library.select", act_select },
        { "library.select-all", act_select_all },
        { "library.start-selected", act_start_selected },
        { "library.shut-down-selected", act_shut_down_selected },
        { "library.delete-selected", act_delete_selected },
        { "library.menu", act_menu },
        { "library.add-welcome", act_add_welcome },
    };

    for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
        gtk_widget_class_install_action(class, actions[i].name, NULL, actions[i].activate);
    }
    gtk_widget_class_install_action(class, "library.do", "s", act_do);
    gtk_widget_class_add_binding_action(class, GDK_KEY_F2, 0, "library.do", "s", "machine.rename");
    gtk_widget_class_add_binding_action(class, GDK_KEY_Delete, 0, "library.do", "s",
                                        "machine.delete");
    gtk_widget_class_add_binding_action(class, GDK_KEY_Return, GDK_ALT_MASK, "library.do", "s",
                                        "machine.settings");
    gtk_widget_class_add_binding_action(class, GDK_KEY_s, GDK_CONTROL_MASK, "library.select", NULL);
    gtk_widget_class_add_binding_action(class, GDK_KEY_Menu, 0, "library.menu", NULL);
    gtk_widget_class_add_binding_action(class, GDK_KEY_F10, GDK_SHIFT_MASK, "library.menu", NULL);
    gtk_widget_class_add_binding_action(class, GDK_KEY_a, GDK_CONTROL_MASK, "library.select-all",
                                        NULL);
}
