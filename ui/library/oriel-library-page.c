/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-library-page.h. */
#include "library/oriel-library-page.h"

#include <glib/gi18n.h>

#include "library/oriel-host-banner.h"
#include "library/oriel-library-model.h"
#include "library/oriel-library-page-private.h"
#include "widgets/oriel-scroll-pacer.h"

G_DEFINE_FINAL_TYPE(OrielLibraryPage, oriel_library_page, GTK_TYPE_WIDGET)

static guint signal_open;

/* What is shown below the header bar: machines, or why there are none. */
static void body_follow(OrielLibraryPage *page)
{
    guint n_all = g_list_model_get_n_items(G_LIST_MODEL(page->list_model));
    guint n_shown = g_list_model_get_n_items(oriel_library_model_get_view(page->model));
    const char *name = "grid";

    if (oriel_machine_list_is_loading(page->list_model) && n_all == 0) {
        name = "loading";
    } else if (n_all == 0) {
        name = "empty";
    } else if (n_shown == 0) {
        name = "nothing";
    } else if (oriel_preferences_get_library_view(page->preferences) == ORIEL_LIBRARY_VIEW_LIST) {
        name = "list";
    }
    gtk_stack_set_visible_child_name(page->stack, name);
    gtk_widget_set_visible(page->search_button, n_all > 0);
    gtk_widget_set_visible(page->view_button, n_all > 0);
    if (n_all == 0) {
        gtk_search_bar_set_search_mode(page->search_bar, FALSE);
    }
}

/* Only the view that is shown has the model: the other one makes no cells. */
static void view_follow(OrielLibraryPage *page)
{
    gboolean list =
        oriel_preferences_get_library_view(page->preferences) == ORIEL_LIBRARY_VIEW_LIST;
    GtkSelectionModel *model = GTK_SELECTION_MODEL(gtk_no_selection_new(
        G_LIST_MODEL(g_object_ref(oriel_library_model_get_view(page->model)))));

    gtk_grid_view_set_model(page->grid, list ? NULL : model);
    gtk_list_view_set_model(page->list, list ? model : NULL);
    g_object_unref(model);
    body_follow(page);
}

static void sort_follow(OrielLibraryPage *page)
{
    oriel_library_model_set_sort(page->model,
                                 oriel_preferences_get_library_sort(page->preferences));
}

static void search_changed(OrielLibraryPage *page)
{
    oriel_library_model_set_search(page->model,
                                   gtk_editable_get_text(GTK_EDITABLE(page->search_entry)));
}

static void tag_toggled(OrielLibraryPage *page, GtkToggleButton *button)
{
    if (gtk_toggle_button_get_active(button)) {
        oriel_library_model_set_tag(page->model, g_object_get_data(G_OBJECT(button), "tag"));
    }
}

static GtkWidget *tag_button(OrielLibraryPage *page, const char *label, const char *tag,
                             GtkWidget *group)
{
    GtkWidget *button = gtk_toggle_button_new_with_label(label);

    g_object_set_data_full(G_OBJECT(button), "tag", g_strdup(tag), g_free);
    gtk_toggle_button_set_group(GTK_TOGGLE_BUTTON(button), group ? GTK_TOGGLE_BUTTON(group) : NULL);
    g_signal_connect_swapped(button, "toggled", G_CALLBACK(tag_toggled), page);
    gtk_box_append(page->tag_box, button);
    return button;
}

static void tags_follow(OrielLibraryPage *page)
{
    g_auto(GStrv) tags = oriel_library_model_dup_tags(page->model);
    GtkWidget *all, *child;

    if (page->tags && g_strv_equal((const char *const *)tags, (const char *const *)page->tags)) {
        return;
    }
    g_strfreev(page->tags);
    page->tags = g_strdupv(tags);
    while ((child = gtk_widget_get_first_child(GTK_WIDGET(page->tag_box)))) {
        gtk_box_remove(page->tag_box, child);
    }
    all = tag_button(page, _("All"), "", NULL);
    for (char **tag = tags; *tag; tag++) {
        tag_button(page, *tag, *tag, all);
    }
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(all), TRUE);
    gtk_widget_set_visible(page->tag_bar, *tags != NULL);
}

static void activated(OrielLibraryPage *page, guint position)
{
    g_autoptr(OrielMachineItem) item =
        g_list_model_get_item(oriel_library_model_get_view(page->model), position);

    if (!item) {
        return;
    }
    if (page->selecting) {
        oriel_library_page_select(page, item, !g_hash_table_contains(page->selected, item));
    } else if (oriel_machine_item_get_state(item) != ORIEL_MACHINE_STATE_PENDING) {
        g_signal_emit(page, signal_open, 0, item);
    }
}

/* Machines that are gone are no longer selected. */
static void machines_changed(OrielLibraryPage *page)
{
    GHashTableIter iter;
    gpointer item;

    g_hash_table_iter_init(&iter, page->selected);
    while (g_hash_table_iter_next(&iter, &item, NULL)) {
        const char *folder = oriel_machine_item_get_folder(item);

        if (!folder || oriel_machine_list_find_folder(page->list_model, folder) != item) {
            g_hash_table_iter_remove(&iter);
        }
    }
    oriel_library_page_selection_follow(page);
    body_follow(page);
}

void oriel_library_page_set_up(OrielLibraryPage *page, OrielMachineList *list,
                               OrielPreferences *preferences)
{
    static const char *const keys[] = { "library-view", "library-sort" };
    g_autoptr(GSimpleActionGroup) group = g_simple_action_group_new();

    page->list_model = g_object_ref(list);
    page->preferences = g_object_ref(preferences);
    page->model = oriel_library_model_new(list);
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autoptr(GAction) action = oriel_preferences_create_action(preferences, keys[i]);

        g_action_map_add_action(G_ACTION_MAP(group), action);
    }
    gtk_widget_insert_action_group(GTK_WIDGET(page), "view", G_ACTION_GROUP(group));
    g_signal_connect_object(preferences, "changed::library-view", G_CALLBACK(view_follow), page,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(preferences, "changed::library-sort", G_CALLBACK(sort_follow), page,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(list, "notify::loading", G_CALLBACK(body_follow), page,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(list, "items-changed", G_CALLBACK(machines_changed), page,
                            G_CONNECT_SWAPPED | G_CONNECT_AFTER);
    g_signal_connect_object(oriel_library_model_get_view(page->model), "items-changed",
                            G_CALLBACK(body_follow), page, G_CONNECT_SWAPPED);
    g_signal_connect_object(page->model, "tags-changed", G_CALLBACK(tags_follow), page,
                            G_CONNECT_SWAPPED);
    oriel_host_banner_set_preferences(page->host_banner, preferences);
    oriel_host_banner_check(page->host_banner);
    sort_follow(page);
    view_follow(page);
}

void oriel_library_page_show_host(OrielLibraryPage *page)
{
    oriel_host_banner_show_all(page->host_banner);
}

gboolean oriel_library_page_escape(OrielLibraryPage *page)
{
    if (page->selecting) {
        oriel_library_page_set_selecting(page, FALSE);
        return TRUE;
    }
    if (gtk_search_bar_get_search_mode(page->search_bar)) {
        gtk_search_bar_set_search_mode(page->search_bar, FALSE);
        return TRUE;
    }
    return FALSE;
}

void oriel_library_page_set_key_capture(OrielLibraryPage *page, GtkWidget *widget)
{
    gtk_search_bar_set_key_capture_widget(page->search_bar, widget);
}

static gboolean escape_pressed(GtkWidget *widget, GVariant *arguments, gpointer data)
{
    return oriel_library_page_escape(ORIEL_LIBRARY_PAGE(widget));
}

static void oriel_library_page_dispose(GObject *object)
{
    OrielLibraryPage *page = ORIEL_LIBRARY_PAGE(object);

    g_clear_handle_id(&page->look, g_source_remove);
    g_clear_handle_id(&page->columns, g_source_remove);
    if (page->grid) {
        gtk_grid_view_set_model(page->grid, NULL);
        gtk_list_view_set_model(page->list, NULL);
    }
    g_clear_object(&page->model);
    g_clear_object(&page->list_model);
    g_clear_object(&page->preferences);
    gtk_widget_dispose_template(GTK_WIDGET(page), ORIEL_TYPE_LIBRARY_PAGE);
    G_OBJECT_CLASS(oriel_library_page_parent_class)->dispose(object);
}

static void oriel_library_page_finalize(GObject *object)
{
    OrielLibraryPage *page = ORIEL_LIBRARY_PAGE(object);

    g_hash_table_unref(page->selected);
    g_ptr_array_unref(page->cells);
    g_strfreev(page->tags);
    G_OBJECT_CLASS(oriel_library_page_parent_class)->finalize(object);
}

static void bind_template(GtkWidgetClass *class)
{
    gtk_widget_class_set_template_from_resource(
        class, "/io/github/oriel_vm/Oriel/library/oriel-library-page.ui");
    gtk_widget_class_bind_template_child(class, OrielLibraryPage, box);
    gtk_widget_class_bind_template_child(class, OrielLibraryPage, header_stack);
    gtk_widget_class_bind_template_child(class, OrielLibraryPage, selection_title);
    gtk_widget_class_bind_template_child(class, OrielLibraryPage, selection_bar);
    gtk_widget_class_bind_template_child(class, OrielLibraryPage, host_banner);
    gtk_widget_class_bind_template_child(class, OrielLibraryPage, search_bar);
    gtk_widget_class_bind_template_child(class, OrielLibraryPage, search_entry);
    gtk_widget_class_bind_template_child(class, OrielLibraryPage, search_button);
    gtk_widget_class_bind_template_child(class, OrielLibraryPage, view_button);
    gtk_widget_class_bind_template_child(class, OrielLibraryPage, tag_bar);
    gtk_widget_class_bind_template_child(class, OrielLibraryPage, tag_box);
    gtk_widget_class_bind_template_child(class, OrielLibraryPage, stack);
    gtk_widget_class_bind_template_child(class, OrielLibraryPage, grid);
    gtk_widget_class_bind_template_child(class, OrielLibraryPage, list);
    gtk_widget_class_bind_template_child(class, OrielLibraryPage, empty_welcome);
    gtk_widget_class_bind_template_callback(class, search_changed);
    gtk_widget_class_bind_template_callback(class, activated);
}

static void oriel_library_page_class_init(OrielLibraryPageClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_library_page_dispose;
    G_OBJECT_CLASS(class)->finalize = oriel_library_page_finalize;
    signal_open = g_signal_new("open", ORIEL_TYPE_LIBRARY_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                               NULL, G_TYPE_NONE, 1, ORIEL_TYPE_MACHINE_ITEM);
    g_type_ensure(ORIEL_TYPE_HOST_BANNER);
    g_type_ensure(ORIEL_TYPE_SCROLL_PACER);
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    bind_template(widget_class);
    oriel_library_page_install_actions(widget_class);
    gtk_widget_class_add_binding(widget_class, GDK_KEY_Escape, 0, escape_pressed, NULL);
}

static void oriel_library_page_init(OrielLibraryPage *page)
{
    page->selected = g_hash_table_new_full(NULL, NULL, g_object_unref, NULL);
    page->cells = g_ptr_array_new();
    gtk_widget_init_template(GTK_WIDGET(page));
    oriel_library_page_init_cells(page);
    gtk_search_bar_connect_entry(page->search_bar, GTK_EDITABLE(page->search_entry));
    oriel_library_page_selection_follow(page);
    oriel_library_page_welcome_follow(page);
}
