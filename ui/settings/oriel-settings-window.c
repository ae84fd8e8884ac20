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
#include "settings/pages/oriel-general-page.h"
#include "settings/pages/oriel-history-page.h"
#include "settings/pages/oriel-network-page.h"
#include "settings/rows/oriel-setting-rows.h"
#include "widgets/oriel-button-names.h"
#include "widgets/oriel-spin-row.h"

#define RESOURCES "/io/github/oriel_vm/Oriel/settings/"
#define MIB       (G_GUINT64_CONSTANT(1) << 20)

struct _OrielSettingsWindow {
    AdwPreferencesWindow parent_instance;
    OrielMachineItem *item;
    OrielSettingRows *rows;
};

G_DEFINE_FINAL_TYPE(OrielSettingsWindow, oriel_settings_window, ADW_TYPE_PREFERENCES_WINDOW)

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

static void page_add(OrielSettingsWindow *self, const char *file)
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
    adw_preferences_window_add(ADW_PREFERENCES_WINDOW(self),
                               ADW_PREFERENCES_PAGE(gtk_builder_get_object(builder, "page")));
}

static void title_show(OrielSettingsWindow *self)
{
    /* Translators: %s is the name of a machine. */
    g_autofree char *title =
        g_strdup_printf(_("%s — Settings"), oriel_machine_item_get_name(self->item));

    gtk_window_set_title(GTK_WINDOW(self), title);
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
    G_OBJECT_CLASS(class)->dispose = oriel_settings_window_dispose;
    GTK_WINDOW_CLASS(class)->close_request = oriel_settings_window_close_request;
    g_type_ensure(ORIEL_TYPE_SPIN_ROW);
}

static void oriel_settings_window_init(OrielSettingsWindow *self)
{
    gtk_window_set_default_size(GTK_WINDOW(self), 640, 620);
    gtk_widget_set_size_request(GTK_WIDGET(self), 360, 294);
}

void oriel_settings_toast(GtkWidget *page, const char *text)
{
    GtkRoot *root = gtk_widget_get_root(page);
    g_autofree char *escaped = g_markup_escape_text(text, -1);

    if (root) {
        adw_preferences_window_add_toast(ADW_PREFERENCES_WINDOW(root), adw_toast_new(escaped));
    }
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
    OrielSettingsWindow *self = g_object_new(ORIEL_TYPE_SETTINGS_WINDOW, "modal", FALSE, NULL);
    AdwPreferencesWindow *window = ADW_PREFERENCES_WINDOW(self);

    self->item = g_object_ref(item);
    oriel_machine_item_watch(item);
    self->rows = oriel_setting_rows_new(item);
    adw_preferences_window_add(window, oriel_general_page_new(item, list, self->rows));
    page_add(self, "page-system.ui");
    page_add(self, "page-hardware.ui");
    adw_preferences_window_add(window, oriel_drives_page_new(item, self->rows));
    adw_preferences_window_add(window, oriel_network_page_new(item, self->rows));
    page_add(self, "page-remote.ui");
    adw_preferences_window_add(window, oriel_history_page_new(item, self->rows));
    g_signal_connect_object(item, "notify::name", G_CALLBACK(title_show), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(list, "items-changed", G_CALLBACK(library_changed), self,
                            G_CONNECT_SWAPPED);
    title_show(self);
    oriel_button_names_add(GTK_WIDGET(self));
    return GTK_WINDOW(self);
}
