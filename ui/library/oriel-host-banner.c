/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-host-banner.h. */
#include "library/oriel-host-banner.h"

#include <glib/gi18n.h>

#include "oriel-host.h"
#include "library/oriel-library.h"

struct _OrielHostBanner {
    GtkWidget parent_instance;
    GtkWidget *revealer, *hide;
    GtkLabel *label;
    OrielPreferences *preferences;
    GPtrArray *findings; /* NULL until the computer was looked at */
    OrielFinding *shown; /* borrowed from findings */
    gboolean show_all;   /* show the window when the look at the computer has ended */
    GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE(OrielHostBanner, oriel_host_banner, GTK_TYPE_WIDGET)

/* The worst finding that the user wants to see. */
static OrielFinding *finding_choose(OrielHostBanner *banner)
{
    OrielFinding *chosen = NULL;

    for (guint i = 0; i < banner->findings->len; i++) {
        OrielFinding *finding = g_ptr_array_index(banner->findings, i);

        if (finding->fatal) {
            return finding;
        }
        if (!chosen && !oriel_preferences_is_hidden(banner->preferences, finding->id)) {
            chosen = finding;
        }
    }
    return chosen;
}

static void show(OrielHostBanner *banner)
{
    banner->shown = finding_choose(banner);
    if (banner->shown) {
        g_autofree char *what = g_markup_escape_text(banner->shown->what, -1);
        g_autofree char *fix = g_markup_escape_text(banner->shown->fix, -1);
        /* Translators: what was found wrong with the computer, and how to mend it: two sentences.
         */
        g_autofree char *markup = g_strdup_printf(_("<b>%s</b> %s"), what, fix);

        gtk_label_set_markup(banner->label, markup);
        gtk_widget_set_visible(banner->hide, !banner->shown->fatal);
    }
    gtk_revealer_set_reveal_child(GTK_REVEALER(banner->revealer), banner->shown != NULL);
}

/* Looks at the computer; worker thread. */
static void look(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    g_autofree char *folder = oriel_library_folder(FALSE, NULL);

    g_task_return_pointer(task, oriel_host_check(folder ? folder : g_get_user_data_dir()),
                          (GDestroyNotify)g_ptr_array_unref);
}

static void looked(GObject *source, GAsyncResult *result, gpointer data)
{
    OrielHostBanner *banner = ORIEL_HOST_BANNER(source);
    GPtrArray *findings = g_task_propagate_pointer(G_TASK(result), NULL);

    if (!findings) {
        return;
    }
    g_clear_pointer(&banner->findings, g_ptr_array_unref);
    banner->findings = findings;
    show(banner);
    if (banner->show_all) {
        banner->show_all = FALSE;
        oriel_host_banner_show_all(banner);
    }
}

void oriel_host_banner_check(OrielHostBanner *banner)
{
    g_autoptr(GTask) task = NULL;

    if (!banner->cancellable) {
        banner->cancellable = g_cancellable_new();
    }
    task = g_task_new(banner, banner->cancellable, looked, NULL);
    g_task_run_in_thread(task, look);
}

void oriel_host_banner_show_all(OrielHostBanner *banner)
{
    g_autoptr(GtkBuilder) builder = NULL;
    GtkWindow *window;
    GtkRoot *root = gtk_widget_get_root(GTK_WIDGET(banner));

    if (!banner->findings) {
        banner->show_all = TRUE;
        return;
    }
    builder =
        gtk_builder_new_from_resource("/io/github/oriel_vm/Oriel/library/oriel-host-window.ui");
    window = GTK_WINDOW(gtk_builder_get_object(builder, "window"));
    for (guint i = 0; i < banner->findings->len; i++) {
        OrielFinding *finding = g_ptr_array_index(banner->findings, i);
        GtkWidget *row = adw_action_row_new();

        adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
        adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), finding->what);
        adw_action_row_set_subtitle(ADW_ACTION_ROW(row), finding->fix);
        adw_action_row_set_title_lines(ADW_ACTION_ROW(row), 0);
        adw_action_row_set_subtitle_lines(ADW_ACTION_ROW(row), 0);
        adw_action_row_set_icon_name(ADW_ACTION_ROW(row), finding->fatal
                                                              ? "dialog-error-symbolic"
                                                              : "dialog-warning-symbolic");
        adw_preferences_group_add(ADW_PREFERENCES_GROUP(gtk_builder_get_object(builder, "group")),
                                  row);
    }
    gtk_stack_set_visible_child_name(GTK_STACK(gtk_builder_get_object(builder, "stack")),
                                     banner->findings->len ? "findings" : "well");
    gtk_window_set_transient_for(window, GTK_IS_WINDOW(root) ? GTK_WINDOW(root) : NULL);
    gtk_window_present(window);
}

void oriel_host_banner_set_preferences(OrielHostBanner *banner, OrielPreferences *preferences)
{
    g_set_object(&banner->preferences, preferences);
}

static void hide_clicked(OrielHostBanner *banner)
{
    if (banner->shown) {
        oriel_preferences_hide(banner->preferences, banner->shown->id);
        show(banner);
    }
}

static void oriel_host_banner_dispose(GObject *object)
{
    OrielHostBanner *banner = ORIEL_HOST_BANNER(object);

    g_cancellable_cancel(banner->cancellable);
    g_clear_object(&banner->cancellable);
    g_clear_object(&banner->preferences);
    g_clear_pointer(&banner->findings, g_ptr_array_unref);
    gtk_widget_dispose_template(GTK_WIDGET(banner), ORIEL_TYPE_HOST_BANNER);
    G_OBJECT_CLASS(oriel_host_banner_parent_class)->dispose(object);
}

static void oriel_host_banner_class_init(OrielHostBannerClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_host_banner_dispose;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/library/oriel-host-banner.ui");
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_bind_template_child(widget_class, OrielHostBanner, revealer);
    gtk_widget_class_bind_template_child(widget_class, OrielHostBanner, hide);
    gtk_widget_class_bind_template_child(widget_class, OrielHostBanner, label);
    gtk_widget_class_bind_template_callback(widget_class, oriel_host_banner_show_all);
    gtk_widget_class_bind_template_callback(widget_class, hide_clicked);
}

static void oriel_host_banner_init(OrielHostBanner *banner)
{
    gtk_widget_init_template(GTK_WIDGET(banner));
}
