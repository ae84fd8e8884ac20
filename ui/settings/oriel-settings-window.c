/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-settings-window.h. Pages that are nothing but rows for settings are the files
 * page-*.ui: a row whose id is a key is tied to it here. Pages with more to them are classes of
 * their own.
 */
#include "settings/oriel-settings-window.h"

#include <glib/gi18n.h>

#include "oriel-system.h"
#include "settings/drives/oriel-drives-page.h"
#include "settings/oriel-settings-sidebar.h"
#include "settings/pages/oriel-general-page.h"
#include "settings/pages/oriel-history-page.h"
#include "settings/pages/oriel-network-page.h"
#include "settings/rows/oriel-setting-rows.h"
#include "widgets/oriel-button-names.h"
#include "widgets/oriel-spin-row.h"

#define RESOURCES "/io/github/oriel_vm/Oriel/settings/"
#define MIB       (G_GUINT64_CONSTANT(1) << 20)

struct _OrielSettingsWindow {
    AdwWindow parent_instance;
    AdwLeaflet *leaflet;
    GtkWidget *pages, *content, *back_button; /* of the leaflet */
    AdwWindowTitle *machine, *title;
    OrielSettingsSidebar *sidebar;
    GtkStack *stack;

    OrielMachineItem *item;
    OrielSettingRows *rows;
    GtkWidget *page;    /* selected in the sidebar; borrowed */
    GtkWidget *subpage; /* shown in its place, or NULL; borrowed */
};

G_DEFINE_FINAL_TYPE(OrielSettingsWindow, oriel_settings_window, ADW_TYPE_WINDOW)

static const char *const firmwares[] = { "bios", "uefi", NULL };
static const char *const clocks[] = { "utc", "local", NULL };
static const char *const scalings[] = { "default", "fit", "integer", "actual", "follow", NULL };
static const char *const pointers[] = { "ps2", "virtio-tablet", NULL };
static const char *const video_models[] = { "stdvga", "virtio-gpu", NULL };
static const char *const video_memories[] = { "8M", "16M", "32M", "64M", "128M", "256M", NULL };

static const struct {
    const char *page, *key;
    const char *const *choices;
} settings[] = {
    { "page-system.ui", "firmware", firmwares },
    { "page-system.ui", "boot-menu", NULL },
    { "page-system.ui", "clock", clocks },
    { "page-system.ui", "kernel", NULL },
    { "page-system.ui", "initrd", NULL },
    { "page-system.ui", "append", NULL },
    { "page-hardware.ui", "cpus", NULL },
    { "page-hardware.ui", "memory", NULL },
    { "page-hardware.ui", "display.scaling", scalings },
    { "page-hardware.ui", "video.model", video_models },
    { "page-hardware.ui", "video.displays", NULL },
    { "page-hardware.ui", "video-memory", video_memories },
    { "page-hardware.ui", "input.pointer", pointers },
    { "page-hardware.ui", "balloon", NULL },
    { "page-hardware.ui", "rng", NULL },
    { "page-hardware.ui", "console", NULL },
    { "page-remote.ui", "vnc.listen", NULL },
    { "page-remote.ui", "vnc.password", NULL },
    { "page-remote.ui", "serials", NULL },
};

/* Processors and memory within what the host has; a machine from a larger one keeps its own. */
static void host_limit(OrielSettingsWindow *self, GtkBuilder *builder)
{
    const OrielConfig *config = oriel_machine_item_get_config(self->item);
    GtkWidget *cpus = GTK_WIDGET(gtk_builder_get_object(builder, "cpus"));
    GtkWidget *memory = GTK_WIDGET(gtk_builder_get_object(builder, "memory"));
    OrielHostResources host;

    if (!cpus || !config) {
        return;
    }
    oriel_host_resources(oriel_machine_item_get_folder(self->item), &host);
    g_autofree char *size = g_format_size_full(host.memory, G_FORMAT_SIZE_IEC_UNITS);
    /* Translators: %u is the number of processors of the computer. */
    g_autofree char *of_cpus = g_strdup_printf(
        ngettext("This computer has %u", "This computer has %u", host.cpus), host.cpus);
    /* Translators: %s is all the memory of the computer. */
    g_autofree char *of_memory = g_strdup_printf(_("This computer has %s"), size);

    oriel_spin_row_set_range(ORIEL_SPIN_ROW(cpus), 1, MAX(host.cpus, config->cpus));
    oriel_spin_row_set_range(ORIEL_SPIN_ROW(memory), (double)(CONFIG_MEMORY_MIN / MIB),
                             (double)(MAX(host.memory, config->memory) / MIB));
    adw_action_row_set_subtitle(ADW_ACTION_ROW(cpus), of_cpus);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(memory), of_memory);
}

/* Only a virtual display has more than one monitor. */
static void displays_follow(GObject *model, GParamSpec *pspec, GtkWidget *displays)
{
    guint selected = adw_combo_row_get_selected(ADW_COMBO_ROW(model));

    gtk_widget_set_sensitive(displays, selected < G_N_ELEMENTS(video_models) - 1 &&
                                           g_str_equal(video_models[selected], "virtio-gpu"));
}

static void displays_watch(GtkBuilder *builder)
{
    GObject *model = gtk_builder_get_object(builder, "video.model");
    GObject *displays = gtk_builder_get_object(builder, "video.displays");

    if (model) {
        g_signal_connect_object(model, "notify::selected", G_CALLBACK(displays_follow), displays,
                                0);
        displays_follow(model, NULL, GTK_WIDGET(displays));
    }
}

static void page_add(OrielSettingsWindow *self, AdwPreferencesPage *page)
{
    gtk_stack_add_child(self->stack, GTK_WIDGET(page));
    oriel_settings_sidebar_add(self->sidebar, page);
}

static void file_add(OrielSettingsWindow *self, const char *file)
{
    g_autofree char *path = g_strconcat(RESOURCES, file, NULL);
    g_autoptr(GtkBuilder) builder = gtk_builder_new_from_resource(path);

    host_limit(self, builder);
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
        if (g_str_equal(settings[i].page, file)) {
            GObject *row = gtk_builder_get_object(builder, settings[i].key);

            g_assert(row);
            oriel_setting_rows_bind(self->rows, GTK_WIDGET(row), settings[i].key,
                                    settings[i].choices);
        }
    }
    displays_watch(builder);
    page_add(self, ADW_PREFERENCES_PAGE(gtk_builder_get_object(builder, "page")));
}

/* --- From page to page ------------------------------------------------------------------------ */

/* In a narrow window there is either the list of pages or one of them. */
static void header_follow(OrielSettingsWindow *self)
{
    gboolean folded = adw_leaflet_get_folded(self->leaflet);
    const char *name = self->item ? oriel_machine_item_get_name(self->item) : NULL;

    gtk_widget_set_visible(self->back_button, self->subpage || folded);
    adw_window_title_set_subtitle(self->machine, folded ? name : NULL);
    adw_window_title_set_subtitle(self->title, name);
}

static void page_show(OrielSettingsWindow *self)
{
    gtk_stack_set_visible_child(self->stack, self->page);
    adw_window_title_set_title(self->title,
                               adw_preferences_page_get_title(ADW_PREFERENCES_PAGE(self->page)));
    if (self->subpage) {
        gtk_stack_remove(self->stack, self->subpage);
        self->subpage = NULL;
    }
    header_follow(self);
}

static void page_selected(OrielSettingsWindow *self, AdwPreferencesPage *page)
{
    self->page = GTK_WIDGET(page);
    page_show(self);
}

/* The user goes to a page, or to a row of one. */
static void page_activated(OrielSettingsWindow *self, GtkWidget *target)
{
    gboolean folded = adw_leaflet_get_folded(self->leaflet);

    page_show(self);
    adw_leaflet_set_visible_child(self->leaflet, self->content);
    if (target != self->page) {
        gtk_widget_grab_focus(target);
    } else if (folded) {
        gtk_widget_child_focus(target, GTK_DIR_TAB_FORWARD);
    }
}

void oriel_settings_present_subpage(GtkWidget *page, GtkWidget *subpage, const char *title)
{
    OrielSettingsWindow *self = ORIEL_SETTINGS_WINDOW(gtk_widget_get_root(page));

    self->subpage = subpage;
    gtk_stack_add_child(self->stack, subpage);
    gtk_stack_set_visible_child(self->stack, subpage);
    adw_window_title_set_title(self->title, title);
    header_follow(self);
}

void oriel_settings_close_subpage(GtkWidget *page)
{
    page_show(ORIEL_SETTINGS_WINDOW(gtk_widget_get_root(page)));
}

static void act_back(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielSettingsWindow *self = ORIEL_SETTINGS_WINDOW(widget);

    if (self->subpage) {
        page_show(self);
        gtk_widget_child_focus(self->page, GTK_DIR_TAB_FORWARD);
    } else if (adw_leaflet_navigate(self->leaflet, ADW_NAVIGATION_DIRECTION_BACK)) {
        oriel_settings_sidebar_focus(self->sidebar);
    }
}

static void act_escape(GtkWidget *widget, const char *action, GVariant *parameter)
{
    if (ORIEL_SETTINGS_WINDOW(widget)->subpage) {
        act_back(widget, action, parameter);
    } else {
        gtk_window_close(GTK_WINDOW(widget));
    }
}

static void act_search(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielSettingsWindow *self = ORIEL_SETTINGS_WINDOW(widget);

    adw_leaflet_set_visible_child(self->leaflet, self->pages);
    oriel_settings_sidebar_search(self->sidebar);
}

/* --- The window ------------------------------------------------------------------------------- */

static void title_show(OrielSettingsWindow *self)
{
    /* Translators: %s is the name of a machine. */
    g_autofree char *title =
        g_strdup_printf(_("%s — Settings"), oriel_machine_item_get_name(self->item));

    gtk_window_set_title(GTK_WINDOW(self), title);
    header_follow(self);
}

static gboolean oriel_settings_window_close_request(GtkWindow *window)
{
    oriel_setting_rows_flush(ORIEL_SETTINGS_WINDOW(window)->rows);
    return GTK_WINDOW_CLASS(oriel_settings_window_parent_class)->close_request(window);
}

static void oriel_settings_window_dispose(GObject *object)
{
    OrielSettingsWindow *self = ORIEL_SETTINGS_WINDOW(object);

    if (self->rows) {
        oriel_setting_rows_flush(self->rows);
    }
    g_clear_object(&self->rows);
    if (self->item) {
        oriel_machine_item_unwatch(self->item);
    }
    g_clear_object(&self->item);
    G_OBJECT_CLASS(oriel_settings_window_parent_class)->dispose(object);
}

static void oriel_settings_window_class_init(OrielSettingsWindowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_settings_window_dispose;
    GTK_WINDOW_CLASS(class)->close_request = oriel_settings_window_close_request;
    g_type_ensure(ORIEL_TYPE_SPIN_ROW);
    g_type_ensure(ORIEL_TYPE_SETTINGS_SIDEBAR);
    gtk_widget_class_set_template_from_resource(widget_class, RESOURCES "oriel-settings-window.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielSettingsWindow, leaflet);
    gtk_widget_class_bind_template_child(widget_class, OrielSettingsWindow, pages);
    gtk_widget_class_bind_template_child(widget_class, OrielSettingsWindow, content);
    gtk_widget_class_bind_template_child(widget_class, OrielSettingsWindow, back_button);
    gtk_widget_class_bind_template_child(widget_class, OrielSettingsWindow, machine);
    gtk_widget_class_bind_template_child(widget_class, OrielSettingsWindow, title);
    gtk_widget_class_bind_template_child(widget_class, OrielSettingsWindow, sidebar);
    gtk_widget_class_bind_template_child(widget_class, OrielSettingsWindow, stack);
    gtk_widget_class_bind_template_callback(widget_class, header_follow);
    gtk_widget_class_bind_template_callback(widget_class, page_selected);
    gtk_widget_class_bind_template_callback(widget_class, page_activated);
    gtk_widget_class_install_action(widget_class, "settings.back", NULL, act_back);
    gtk_widget_class_install_action(widget_class, "settings.escape", NULL, act_escape);
    gtk_widget_class_install_action(widget_class, "settings.search", NULL, act_search);
    gtk_widget_class_add_binding_action(widget_class, GDK_KEY_Escape, 0, "settings.escape", NULL);
    gtk_widget_class_add_binding_action(widget_class, GDK_KEY_f, GDK_CONTROL_MASK,
                                        "settings.search", NULL);
}

static void oriel_settings_window_init(OrielSettingsWindow *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    header_follow(self);
}

/* The list changed: is the machine still in it? */
static void library_changed(OrielSettingsWindow *self, guint position, guint removed, guint added,
                            OrielMachineList *list)
{
    const char *folder = oriel_machine_item_get_folder(self->item);

    if (removed > added && oriel_machine_list_find_folder(list, folder) != self->item) {
        gtk_window_close(GTK_WINDOW(self));
    }
}

GtkWindow *oriel_settings_window_new(OrielMachineItem *item, OrielMachineList *list)
{
    OrielSettingsWindow *self = g_object_new(ORIEL_TYPE_SETTINGS_WINDOW, NULL);

    self->item = g_object_ref(item);
    oriel_machine_item_watch(item);
    self->rows = oriel_setting_rows_new(item);
    page_add(self, oriel_general_page_new(item, list, self->rows));
    file_add(self, "page-system.ui");
    file_add(self, "page-hardware.ui");
    page_add(self, oriel_drives_page_new(item, self->rows));
    page_add(self, oriel_network_page_new(item, list, self->rows));
    file_add(self, "page-remote.ui");
    page_add(self, oriel_history_page_new(item, self->rows));
    g_signal_connect_object(item, "notify::name", G_CALLBACK(title_show), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(list, "items-changed", G_CALLBACK(library_changed), self,
                            G_CONNECT_SWAPPED);
    title_show(self);
    oriel_button_names_add(GTK_WIDGET(self));
    oriel_settings_sidebar_focus(self->sidebar);
    return GTK_WINDOW(self);
}
