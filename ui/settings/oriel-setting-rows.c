/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-setting-rows.h. */
#include "settings/oriel-setting-rows.h"

#include <glib/gi18n.h>
#include <string.h>

#include "widgets/oriel-spin-row.h"

enum {
    SETTLE_MS = 400, /* a value that is being stepped through is saved when it rests */
};

#define MIB (G_GUINT64_CONSTANT(1) << 20)

/* One row and its setting; lives as long as the row, which owns it. */
typedef struct {
    OrielSettingRows *rows; /* NULL after its end */
    GtkWidget *row;
    const char *key;
    const char *const *choices;
    GtkWidget *waiting; /* the mark, made when first needed */
    guint settle;       /* GSource */
} Binding;

struct _OrielSettingRows {
    GObject parent_instance;
    OrielMachineItem *item;
    GPtrArray *bindings; /* Binding, borrowed */
    gboolean showing;    /* rows are being set from the settings */
};

G_DEFINE_FINAL_TYPE(OrielSettingRows, oriel_setting_rows, G_TYPE_OBJECT)

/* --- A row's value as text
 * ------------------------------------------------------------------------- */

static GtkSwitch *row_switch(GtkWidget *row)
{
    return GTK_SWITCH(adw_action_row_get_activatable_widget(ADW_ACTION_ROW(row)));
}

static gboolean row_has_sizes(GtkWidget *row)
{
    gboolean sizes;

    g_object_get(row, "sizes", &sizes, NULL);
    return sizes;
}

static char *row_value(const Binding *binding)
{
    GtkWidget *row = binding->row;

    if (ADW_IS_ENTRY_ROW(row)) {
        return g_strdup(gtk_editable_get_text(GTK_EDITABLE(row)));
    }
    if (ORIEL_IS_SPIN_ROW(row)) {
        return g_strdup_printf(row_has_sizes(row) ? "%.0fM" : "%.0f",
                               oriel_spin_row_get_value(ORIEL_SPIN_ROW(row)));
    }
    if (ADW_IS_COMBO_ROW(row)) {
        return g_strdup(binding->choices[adw_combo_row_get_selected(ADW_COMBO_ROW(row))]);
    }
    return g_strdup(gtk_switch_get_active(row_switch(row)) ? "true" : "false");
}

static guint choice_index(const char *const *choices, const char *value)
{
    guint i = 0;

    while (choices[i] && strcmp(choices[i], value) != 0) {
        i++;
    }
    return choices[i] ? i : GTK_INVALID_LIST_POSITION;
}

static void row_set_value(const Binding *binding, const char *value)
{
    GtkWidget *row = binding->row;

    if (ADW_IS_ENTRY_ROW(row)) {
        if (strcmp(gtk_editable_get_text(GTK_EDITABLE(row)), value) != 0) {
            gtk_editable_set_text(GTK_EDITABLE(row), value);
        }
    } else if (ORIEL_IS_SPIN_ROW(row) && row_has_sizes(row)) {
        guint64 bytes;

        if (oriel_size_parse(value, &bytes, NULL)) {
            oriel_spin_row_set_value(ORIEL_SPIN_ROW(row), (double)bytes / MIB);
        }
    } else if (ORIEL_IS_SPIN_ROW(row)) {
        oriel_spin_row_set_value(ORIEL_SPIN_ROW(row), g_ascii_strtod(value, NULL));
    } else if (ADW_IS_COMBO_ROW(row)) {
        adw_combo_row_set_selected(ADW_COMBO_ROW(row), choice_index(binding->choices, value));
    } else {
        gtk_switch_set_active(row_switch(row), strcmp(value, "true") == 0);
    }
}

/* --- What is wrong
 * --------------------------------------------------------------------------------- */

void oriel_setting_row_set_problem(GtkWidget *row, const char *message)
{
    GtkWidget *list = gtk_widget_get_parent(row);
    GtkWidget *said = g_object_get_data(G_OBJECT(row), "oriel-problem");

    if (!message) {
        gtk_widget_remove_css_class(row, "error");
        if (said) {
            gtk_list_box_remove(GTK_LIST_BOX(list), said);
            g_object_set_data(G_OBJECT(row), "oriel-problem", NULL);
        }
        return;
    }
    if (!said && GTK_IS_LIST_BOX(list)) {
        GtkWidget *label = g_object_new(
            GTK_TYPE_LABEL, "accessible-role", GTK_ACCESSIBLE_ROLE_ALERT, "wrap", TRUE, "xalign",
            0.0, "margin-start", 12, "margin-end", 12, "margin-top", 8, "margin-bottom", 8, NULL);

        gtk_widget_add_css_class(label, "error");
        said = g_object_new(GTK_TYPE_LIST_BOX_ROW, "activatable", FALSE, "selectable", FALSE,
                            "focusable", FALSE, "child", label, NULL);
        gtk_list_box_insert(GTK_LIST_BOX(list), said,
                            gtk_list_box_row_get_index(GTK_LIST_BOX_ROW(row)) + 1);
        g_object_set_data(G_OBJECT(row), "oriel-problem", said);
    }
    gtk_widget_add_css_class(row, "error");
    if (said) {
        gtk_label_set_label(GTK_LABEL(gtk_list_box_row_get_child(GTK_LIST_BOX_ROW(said))), message);
    }
}

/* --- Saving
 * ---------------------------------------------------------------------------------------- */

static void saved(GObject *item, GAsyncResult *result, gpointer data)
{
    g_autoptr(GtkWidget) row = data;
    g_autoptr(GError) error = NULL;

    oriel_machine_item_set_finish(ORIEL_MACHINE_ITEM(item), result, &error);
    oriel_setting_row_set_problem(row, error ? error->message : NULL);
}

static void save(Binding *binding)
{
    OrielSettingRows *self = binding->rows;
    const OrielConfig *config = oriel_machine_item_get_config(self->item);
    g_autofree char *value = row_value(binding);
    g_autofree char *old = config ? oriel_config_get(config, binding->key, NULL) : NULL;
    const char *pairs[] = { binding->key, value, NULL };

    g_clear_handle_id(&binding->settle, g_source_remove);
    if (value && g_strcmp0(value, old) != 0) {
        oriel_machine_item_set_async(self->item, pairs, NULL, saved, g_object_ref(binding->row));
    } else {
        oriel_setting_row_set_problem(binding->row, NULL);
    }
}

static gboolean settled(gpointer data)
{
    Binding *binding = data;

    binding->settle = 0;
    save(binding);
    return G_SOURCE_REMOVE;
}

static void changed(Binding *binding)
{
    if (binding->rows && !binding->rows->showing) {
        g_clear_handle_id(&binding->settle, g_source_remove);
        binding->settle = g_timeout_add(SETTLE_MS, settled, binding);
    }
}

static void applied(Binding *binding)
{
    if (binding->rows && !binding->rows->showing) {
        save(binding);
    }
}

/* --- Showing
 * --------------------------------------------------------------------------------------- */

static void waiting_show(Binding *binding, gboolean waiting)
{
    if (waiting && !binding->waiting) {
        const char *text = _("Takes effect when the machine is restarted");

        binding->waiting = gtk_image_new_from_icon_name("system-reboot-symbolic");
        gtk_widget_set_tooltip_text(binding->waiting, text);
        gtk_accessible_update_property(GTK_ACCESSIBLE(binding->waiting),
                                       GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
        if (ADW_IS_ENTRY_ROW(binding->row)) {
            adw_entry_row_add_suffix(ADW_ENTRY_ROW(binding->row), binding->waiting);
        } else {
            adw_action_row_add_suffix(ADW_ACTION_ROW(binding->row), binding->waiting);
        }
    }
    if (binding->waiting) {
        gtk_widget_set_visible(binding->waiting, waiting);
    }
}

static void show(OrielSettingRows *self, Binding *binding)
{
    const OrielConfig *config = oriel_machine_item_get_config(self->item);
    const char *const *waiting = oriel_machine_item_get_waiting_keys(self->item);
    g_autofree char *value = config ? oriel_config_get(config, binding->key, NULL) : NULL;

    if (value && !binding->settle) {
        row_set_value(binding, value);
    }
    gtk_widget_set_sensitive(binding->row, value != NULL);
    waiting_show(binding, waiting && g_strv_contains(waiting, binding->key));
}

static void show_all(OrielSettingRows *self)
{
    self->showing = TRUE;
    for (guint i = 0; i < self->bindings->len; i++) {
        show(self, g_ptr_array_index(self->bindings, i));
    }
    self->showing = FALSE;
}

/* --- The object
 * ------------------------------------------------------------------------------------ */

static void binding_free(gpointer data)
{
    Binding *binding = data;

    g_clear_handle_id(&binding->settle, g_source_remove);
    if (binding->rows) {
        g_ptr_array_remove(binding->rows->bindings, binding);
    }
    g_free(binding);
}

static void watch(Binding *binding)
{
    GtkWidget *row = binding->row;

    if (ADW_IS_ENTRY_ROW(row)) {
        adw_entry_row_set_show_apply_button(ADW_ENTRY_ROW(row), TRUE);
        g_signal_connect_swapped(row, "apply", G_CALLBACK(applied), binding);
    } else if (ORIEL_IS_SPIN_ROW(row)) {
        g_signal_connect_swapped(row, "notify::value", G_CALLBACK(changed), binding);
    } else if (ADW_IS_COMBO_ROW(row)) {
        g_signal_connect_swapped(row, "notify::selected", G_CALLBACK(applied), binding);
    } else {
        g_signal_connect_swapped(row_switch(row), "notify::active", G_CALLBACK(applied), binding);
    }
}

void oriel_setting_rows_bind(OrielSettingRows *rows, GtkWidget *row, const char *key,
                             const char *const *choices)
{
    Binding *binding = g_new0(Binding, 1);

    g_assert(ADW_IS_COMBO_ROW(row) == (choices != NULL));
    binding->rows = rows;
    binding->row = row;
    binding->key = g_intern_string(key);
    binding->choices = choices;
    g_ptr_array_add(rows->bindings, binding);
    g_object_set_data_full(G_OBJECT(row), "oriel-setting", binding, binding_free);
    rows->showing = TRUE;
    show(rows, binding);
    rows->showing = FALSE;
    watch(binding);
}

void oriel_setting_rows_flush(OrielSettingRows *rows)
{
    for (guint i = 0; i < rows->bindings->len; i++) {
        Binding *binding = g_ptr_array_index(rows->bindings, i);

        if (binding->settle) {
            save(binding);
        }
    }
}

static void oriel_setting_rows_dispose(GObject *object)
{
    OrielSettingRows *self = ORIEL_SETTING_ROWS(object);

    for (guint i = 0; i < self->bindings->len; i++) {
        Binding *binding = g_ptr_array_index(self->bindings, i);

        g_clear_handle_id(&binding->settle, g_source_remove);
        binding->rows = NULL;
    }
    g_ptr_array_set_size(self->bindings, 0);
    g_clear_object(&self->item);
    G_OBJECT_CLASS(oriel_setting_rows_parent_class)->dispose(object);
}

static void oriel_setting_rows_finalize(GObject *object)
{
    g_ptr_array_unref(ORIEL_SETTING_ROWS(object)->bindings);
    G_OBJECT_CLASS(oriel_setting_rows_parent_class)->finalize(object);
}

static void oriel_setting_rows_class_init(OrielSettingRowsClass *class)
{
    G_OBJECT_CLASS(class)->dispose = oriel_setting_rows_dispose;
    G_OBJECT_CLASS(class)->finalize = oriel_setting_rows_finalize;
}

static void oriel_setting_rows_init(OrielSettingRows *self)
{
    self->bindings = g_ptr_array_new();
}

OrielSettingRows *oriel_setting_rows_new(OrielMachineItem *item)
{
    OrielSettingRows *self = g_object_new(ORIEL_TYPE_SETTING_ROWS, NULL);

    self->item = g_object_ref(item);
    g_signal_connect_object(item, "notify::config", G_CALLBACK(show_all), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(item, "notify::waiting-keys", G_CALLBACK(show_all), self,
                            G_CONNECT_SWAPPED);
    return self;
}
