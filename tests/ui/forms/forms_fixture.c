/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See forms_fixture.h. */
#include "forms_fixture.h"

#include "widgets/oriel-spin-row.h"

void forms_start(void)
{
    g_autoptr(GtkCssProvider) style = gtk_css_provider_new();

    fixture_start();
    g_setenv("GSETTINGS_SCHEMA_DIR", SCHEMA_DIR, TRUE);
    adw_init();
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
    /* Windows have the buttons that GNOME gives them. */
    g_object_set(gtk_settings_get_default(), "gtk-enable-animations", FALSE,
                 "gtk-decoration-layout", "appmenu:close", NULL);
    gtk_css_provider_load_from_resource(style, "/io/github/oriel_vm/Oriel/style.css");
    gtk_style_context_add_provider_for_display(gdk_display_get_default(), GTK_STYLE_PROVIDER(style),
                                               GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
    gtk_icon_theme_add_resource_path(gtk_icon_theme_get_for_display(gdk_display_get_default()),
                                     "/io/github/oriel_vm/Oriel/icons");
}

OrielPreferences *forms_preferences(void)
{
    static OrielPreferences *preferences;

    if (!preferences) {
        preferences = oriel_preferences_new();
    }
    CHECK(preferences);
    return preferences;
}

/* --- Windows ---------------------------------------------------------------------------------- */

static void on_painted(GdkFrameClock *clock, gboolean *painted)
{
    *painted = TRUE;
}

/* Until everything that is under way has been drawn. */
static void settle(GtkWindow *window)
{
    GdkFrameClock *clock = gtk_widget_get_frame_clock(GTK_WIDGET(window));

    for (int i = 0; i < 3; i++) {
        gboolean painted = FALSE;
        gulong handler = g_signal_connect(clock, "after-paint", G_CALLBACK(on_painted), &painted);

        gdk_frame_clock_request_phase(clock, GDK_FRAME_CLOCK_PHASE_PAINT);
        WAIT(painted);
        g_signal_handler_disconnect(clock, handler);
    }
}

GtkWindow *forms_show(GtkWindow *window, int width, int height)
{
    if (width > 0) {
        gtk_window_set_default_size(window, width, height);
    }
    gtk_window_present(window);
    WAIT(gtk_widget_get_mapped(GTK_WIDGET(window)));
    settle(window);
    return window;
}

void forms_scale_text(double factor)
{
    enum { DPI = 96, UNITS = 1024 };

    g_object_set(gtk_settings_get_default(), "gtk-xft-dpi", (int)(DPI * UNITS * factor), NULL);
}

void forms_close(GtkWindow *window)
{
    gtk_window_destroy(window);
}

GtkWindow *forms_window_above(GtkWindow *below)
{
    g_autoptr(GList) windows = gtk_window_list_toplevels();

    for (GList *link = windows; link; link = link->next) {
        if (link->data != below && gtk_widget_get_visible(link->data)) {
            return link->data;
        }
    }
    return NULL;
}

void forms_picture(GtkWindow *window, const char *name)
{
    const char *folder = g_getenv("ORIEL_ARTIFACTS");

    if (!folder) {
        return;
    }
    settle(window);
    g_autofree char *file = g_strdup_printf("%s/%s.png", folder, name);
    g_autoptr(GdkPaintable) paintable = gtk_widget_paintable_new(GTK_WIDGET(window));
    int width = gdk_paintable_get_intrinsic_width(paintable);
    int height = gdk_paintable_get_intrinsic_height(paintable);
    GtkSnapshot *snapshot = gtk_snapshot_new();

    gdk_paintable_snapshot(paintable, snapshot, width, height);
    g_autoptr(GskRenderNode) node = gtk_snapshot_free_to_node(snapshot);

    CHECK(node);
    g_autoptr(GdkTexture) texture =
        gsk_renderer_render_texture(gtk_native_get_renderer(GTK_NATIVE(window)), node,
                                    &GRAPHENE_RECT_INIT(0, 0, (float)width, (float)height));

    CHECK(gdk_texture_save_to_png(texture, file));
}

/* --- Widgets ---------------------------------------------------------------------------------- */

typedef gboolean (*Wanted)(GtkWidget *widget, gconstpointer data);

static GtkWidget *find(GtkWidget *widget, Wanted wanted, gconstpointer data)
{
    if (wanted(widget, data)) {
        return widget;
    }
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        GtkWidget *found = find(child, wanted, data);

        if (found) {
            return found;
        }
    }
    return NULL;
}

static gboolean has_title(GtkWidget *widget, gconstpointer title)
{
    return ADW_IS_PREFERENCES_ROW(widget) &&
           g_strcmp0(adw_preferences_row_get_title(ADW_PREFERENCES_ROW(widget)), title) == 0;
}

GtkWidget *forms_find_row(gpointer root, const char *title)
{
    return find(root, has_title, title);
}

GtkWidget *forms_row(gpointer root, const char *title)
{
    GtkWidget *row = forms_find_row(root, title);

    if (!row) {
        test_fail(__FILE__, __LINE__, "no row “%s”", title);
    }
    return row;
}

static gboolean has_type(GtkWidget *widget, gconstpointer type)
{
    return G_TYPE_CHECK_INSTANCE_TYPE(widget, *(const GType *)type) &&
           gtk_widget_is_visible(widget);
}

GtkWidget *forms_find(gpointer root, GType type)
{
    return find(root, has_type, &type);
}

static gboolean is_button(GtkWidget *widget, gconstpointer text)
{
    return GTK_IS_BUTTON(widget) && gtk_widget_is_visible(widget) &&
           (g_strcmp0(gtk_button_get_label(GTK_BUTTON(widget)), text) == 0 ||
            g_strcmp0(gtk_widget_get_tooltip_text(widget), text) == 0);
}

GtkWidget *forms_find_button(gpointer root, const char *text)
{
    return find(root, is_button, text);
}

void forms_click(gpointer root, const char *button)
{
    GtkWidget *found = forms_find_button(root, button);

    if (!found || !gtk_widget_is_sensitive(found)) {
        test_fail(__FILE__, __LINE__, "no button “%s” that can be clicked", button);
    }
    g_signal_emit_by_name(found, "clicked");
}

static gboolean is_label_with(GtkWidget *widget, gconstpointer text)
{
    return GTK_IS_LABEL(widget) && gtk_widget_get_mapped(widget) &&
           strstr(gtk_label_get_text(GTK_LABEL(widget)), text);
}

gboolean forms_says(gpointer root, const char *text)
{
    return find(root, is_label_with, text) != NULL;
}

static gboolean is_label_of(GtkWidget *widget, gconstpointer text)
{
    return GTK_IS_LABEL(widget) && g_str_equal(gtk_label_get_text(GTK_LABEL(widget)), text);
}

static gboolean is_line_of(GtkWidget *widget, gconstpointer text)
{
    return GTK_IS_LIST_BOX_ROW(widget) && !ADW_IS_PREFERENCES_ROW(widget) &&
           find(widget, is_label_of, text);
}

GtkWidget *forms_line(gpointer root, const char *text)
{
    return find(root, is_line_of, text);
}

static gboolean is_problem(GtkWidget *widget, gconstpointer data)
{
    return GTK_IS_LABEL(widget) && strcmp(gtk_widget_get_name(widget), "problem") == 0;
}

const char *forms_problem(GtkWidget *row)
{
    GtkWidget *next = gtk_widget_get_next_sibling(row);
    GtkWidget *label = next ? find(next, is_problem, NULL) : NULL;

    return label && gtk_widget_has_css_class(row, "error") ? gtk_label_get_label(GTK_LABEL(label))
                                                           : NULL;
}

/* --- Rows ------------------------------------------------------------------------------------- */

static gboolean is_switch(GtkWidget *widget, gconstpointer data)
{
    return GTK_IS_SWITCH(widget);
}

static gboolean is_spin_button(GtkWidget *widget, gconstpointer data)
{
    return GTK_IS_SPIN_BUTTON(widget);
}

static GtkStringList *choices(GtkWidget *row)
{
    return GTK_STRING_LIST(adw_combo_row_get_model(ADW_COMBO_ROW(row)));
}

static void choose(GtkWidget *row, const char *text)
{
    GtkStringList *list = choices(row);

    for (guint i = 0; i < g_list_model_get_n_items(G_LIST_MODEL(list)); i++) {
        if (strcmp(gtk_string_list_get_string(list, i), text) == 0) {
            adw_combo_row_set_selected(ADW_COMBO_ROW(row), i);
            return;
        }
    }
    test_fail(__FILE__, __LINE__, "no choice “%s”", text);
}

void forms_set(GtkWidget *row, const char *text)
{
    if (ADW_IS_ENTRY_ROW(row)) {
        gtk_editable_set_text(GTK_EDITABLE(row), text);
        g_signal_emit_by_name(row, "apply");
    } else if (ADW_IS_COMBO_ROW(row)) {
        choose(row, text);
    } else if (ORIEL_IS_SPIN_ROW(row)) {
        GtkWidget *spin = find(row, is_spin_button, NULL);

        gtk_editable_set_text(GTK_EDITABLE(spin), text);
        gtk_spin_button_update(GTK_SPIN_BUTTON(spin));
    } else {
        gtk_switch_set_active(GTK_SWITCH(find(row, is_switch, NULL)), strcmp(text, "true") == 0);
    }
}

char *forms_get(GtkWidget *row)
{
    if (ADW_IS_ENTRY_ROW(row)) {
        return g_strdup(gtk_editable_get_text(GTK_EDITABLE(row)));
    }
    if (ADW_IS_COMBO_ROW(row)) {
        return g_strdup(gtk_string_list_get_string(choices(row),
                                                   adw_combo_row_get_selected(ADW_COMBO_ROW(row))));
    }
    if (ORIEL_IS_SPIN_ROW(row)) {
        return g_strdup(gtk_editable_get_text(GTK_EDITABLE(find(row, is_spin_button, NULL))));
    }
    return g_strdup(gtk_switch_get_active(GTK_SWITCH(find(row, is_switch, NULL))) ? "true"
                                                                                  : "false");
}
