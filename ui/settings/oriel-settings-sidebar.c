/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-settings-sidebar.h. */
#include "settings/oriel-settings-sidebar.h"

#include <string.h>

struct _OrielSettingsSidebar {
    GtkWidget parent_instance;
    GtkWidget *box; /* all that there is; bound so that it goes with the widget */
    GtkWidget *search;
    GtkListBox *list;
    char *needle; /* what is searched for, case folded; NULL: nothing */
};

G_DEFINE_FINAL_TYPE(OrielSettingsSidebar, oriel_settings_sidebar, GTK_TYPE_WIDGET)

enum {
    SELECTED,
    ACTIVATED,
    N_SIGNALS,
};

static guint signals[N_SIGNALS];

static AdwPreferencesPage *page_of(GtkListBoxRow *row)
{
    return g_object_get_data(G_OBJECT(row), "page");
}

/* --- Searching -------------------------------------------------------------------------------- */

static gboolean has_needle(const char *text, const char *needle)
{
    g_autofree char *folded = text ? g_utf8_casefold(text, -1) : NULL;

    return folded && strstr(folded, needle);
}

static gboolean row_matches(GtkWidget *row, const char *needle)
{
    const char *subtitle = ADW_IS_ACTION_ROW(row) ? adw_action_row_get_subtitle(ADW_ACTION_ROW(row))
                           : ADW_IS_EXPANDER_ROW(row)
                               ? adw_expander_row_get_subtitle(ADW_EXPANDER_ROW(row))
                               : NULL;

    return has_needle(adw_preferences_row_get_title(ADW_PREFERENCES_ROW(row)), needle) ||
           has_needle(subtitle, needle);
}

/* The first row below the widget that matches, or NULL. */
static GtkWidget *find(GtkWidget *widget, const char *needle)
{
    GtkWidget *found = NULL;

    if (!gtk_widget_get_visible(widget)) {
        return NULL;
    }
    if (ADW_IS_PREFERENCES_ROW(widget) && row_matches(widget, needle)) {
        return widget;
    }
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child && !found;
         child = gtk_widget_get_next_sibling(child)) {
        found = find(child, needle);
    }
    return found;
}

static gboolean is_wanted(GtkListBoxRow *row, gpointer data)
{
    OrielSettingsSidebar *self = data;
    AdwPreferencesPage *page = page_of(row);

    return !self->needle || has_needle(adw_preferences_page_get_title(page), self->needle) ||
           find(GTK_WIDGET(page), self->needle);
}

static void on_search_changed(OrielSettingsSidebar *self)
{
    g_autofree char *text = g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(self->search))));
    GtkListBoxRow *selected = gtk_list_box_get_selected_row(self->list);
    GtkListBoxRow *row;

    g_free(self->needle);
    self->needle = *text ? g_utf8_casefold(text, -1) : NULL;
    gtk_list_box_invalidate_filter(self->list);
    if (selected && is_wanted(selected, self)) {
        return;
    }
    for (int i = 0; (row = gtk_list_box_get_row_at_index(self->list, i)); i++) {
        if (is_wanted(row, self)) {
            gtk_list_box_select_row(self->list, row);
            return;
        }
    }
}

/* Rows inside one that is shut are shown with it. */
static void expand_around(GtkWidget *row)
{
    GtkWidget *around = gtk_widget_get_ancestor(row, ADW_TYPE_EXPANDER_ROW);

    if (around) {
        adw_expander_row_set_expanded(ADW_EXPANDER_ROW(around), TRUE);
    }
}

static void on_row_activated(OrielSettingsSidebar *self, GtkListBoxRow *row)
{
    GtkWidget *page = GTK_WIDGET(page_of(row));
    GtkWidget *match = self->needle ? find(page, self->needle) : NULL;

    if (match) {
        expand_around(match);
    }
    g_signal_emit(self, signals[ACTIVATED], 0, match ? match : page);
}

static void on_search_activate(OrielSettingsSidebar *self)
{
    GtkListBoxRow *row;

    on_search_changed(self); /* "search-changed" comes only when the typing rests */
    row = gtk_list_box_get_selected_row(self->list);
    if (row && is_wanted(row, self)) {
        on_row_activated(self, row);
    }
}

/* Escape: first ends the search, then is the window's. */
static void on_stop_search(OrielSettingsSidebar *self)
{
    if (self->needle) {
        gtk_editable_set_text(GTK_EDITABLE(self->search), "");
    } else {
        gtk_widget_activate_action(GTK_WIDGET(self), "window.close", NULL);
    }
}

/* --- The list --------------------------------------------------------------------------------- */

static void on_row_selected(OrielSettingsSidebar *self, GtkListBoxRow *row)
{
    if (row) {
        g_signal_emit(self, signals[SELECTED], 0, page_of(row));
    }
}

void oriel_settings_sidebar_add(OrielSettingsSidebar *self, AdwPreferencesPage *page)
{
    const char *title = adw_preferences_page_get_title(page);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *label = gtk_label_new(title), *row = gtk_list_box_row_new();
    GtkWidget *icon = gtk_image_new_from_icon_name(adw_preferences_page_get_icon_name(page));

    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
    gtk_box_append(GTK_BOX(box), icon);
    gtk_box_append(GTK_BOX(box), label);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
    gtk_accessible_update_property(GTK_ACCESSIBLE(row), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
    g_object_set_data_full(G_OBJECT(row), "page", g_object_ref(page), g_object_unref);
    gtk_list_box_append(self->list, row);
    if (!gtk_list_box_get_selected_row(self->list)) {
        gtk_list_box_select_row(self->list, GTK_LIST_BOX_ROW(row));
    }
}

void oriel_settings_sidebar_focus(OrielSettingsSidebar *self)
{
    GtkListBoxRow *row = gtk_list_box_get_selected_row(self->list);

    gtk_widget_grab_focus(row ? GTK_WIDGET(row) : GTK_WIDGET(self->list));
}

void oriel_settings_sidebar_search(OrielSettingsSidebar *self)
{
    gtk_widget_grab_focus(self->search);
}

/* --- The widget ------------------------------------------------------------------------------- */

static void oriel_settings_sidebar_dispose(GObject *object)
{
    gtk_widget_dispose_template(GTK_WIDGET(object), ORIEL_TYPE_SETTINGS_SIDEBAR);
    G_OBJECT_CLASS(oriel_settings_sidebar_parent_class)->dispose(object);
}

static void oriel_settings_sidebar_finalize(GObject *object)
{
    g_free(ORIEL_SETTINGS_SIDEBAR(object)->needle);
    G_OBJECT_CLASS(oriel_settings_sidebar_parent_class)->finalize(object);
}

static void oriel_settings_sidebar_class_init(OrielSettingsSidebarClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_settings_sidebar_dispose;
    G_OBJECT_CLASS(class)->finalize = oriel_settings_sidebar_finalize;
    signals[SELECTED] = g_signal_new("selected", ORIEL_TYPE_SETTINGS_SIDEBAR, G_SIGNAL_RUN_LAST, 0,
                                     NULL, NULL, NULL, G_TYPE_NONE, 1, ADW_TYPE_PREFERENCES_PAGE);
    signals[ACTIVATED] = g_signal_new("activated", ORIEL_TYPE_SETTINGS_SIDEBAR, G_SIGNAL_RUN_LAST,
                                      0, NULL, NULL, NULL, G_TYPE_NONE, 1, GTK_TYPE_WIDGET);
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/settings/oriel-settings-sidebar.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielSettingsSidebar, box);
    gtk_widget_class_bind_template_child(widget_class, OrielSettingsSidebar, search);
    gtk_widget_class_bind_template_child(widget_class, OrielSettingsSidebar, list);
    gtk_widget_class_bind_template_callback(widget_class, on_search_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_search_activate);
    gtk_widget_class_bind_template_callback(widget_class, on_stop_search);
    gtk_widget_class_bind_template_callback(widget_class, on_row_selected);
    gtk_widget_class_bind_template_callback(widget_class, on_row_activated);
}

static void oriel_settings_sidebar_init(OrielSettingsSidebar *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    gtk_list_box_set_filter_func(self->list, is_wanted, self, NULL);
}
