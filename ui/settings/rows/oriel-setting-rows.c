/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-setting-rows.h. */
#include "oriel-setting-rows.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/oriel-message.h"
#include "oriel-row-value.h"
#include "widgets/oriel-spin-row.h"

enum {
    SETTLE_MS = 400, /* a value that is being stepped through is saved when it rests */
};

/* One row and its setting; lives as long as the row, which owns it. */
typedef struct {
    OrielSettingRows *rows; /* NULL after its end */
    GtkWidget *row;
    const char *key;
    const char *const *choices;
    char *shown;        /* the value that was put into the row last */
    GtkWidget *waiting; /* the mark, made when first needed */
    guint settle;       /* GSource */

    const char *needing; /* the choice that needs another setting, or NULL */
    const char *needed;  /* the key of that */
    OrielSettingFallback fallback;
    gpointer fallback_data;
} Binding;

struct _OrielSettingRows {
    GObject parent_instance;
    OrielMachineItem *item;
    GPtrArray *bindings; /* Binding, borrowed */
    gboolean showing;    /* rows are being set from the settings */
};

G_DEFINE_FINAL_TYPE(OrielSettingRows, oriel_setting_rows, G_TYPE_OBJECT)

/* --- What is wrong ---------------------------------------------------------------------------- */

void oriel_setting_row_set_problem(GtkWidget *row, const char *message)
{
    GtkWidget *list = gtk_widget_get_parent(row);
    GtkWidget *said = g_object_get_data(G_OBJECT(row), "oriel-problem");

    if (!message) {
        gtk_widget_remove_css_class(row, "error");
        if (said && GTK_IS_LIST_BOX(list)) {
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
        gtk_widget_set_name(label, "problem");
        /* Groups take every row in them for one of this type. */
        said = g_object_new(ADW_TYPE_PREFERENCES_ROW, "activatable", FALSE, "selectable", FALSE,
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

/* --- Saving ----------------------------------------------------------------------------------- */

static char *setting_value(const Binding *binding, const char *key)
{
    const OrielConfig *config = oriel_machine_item_get_config(binding->rows->item);

    return config ? oriel_config_get(config, key, NULL) : NULL;
}

static char *present_value(const Binding *binding)
{
    return setting_value(binding, binding->key);
}

/* What has to be saved with the value for the setting that it needs, or NULL. */
static char *needed_value(const Binding *binding, const char *value)
{
    g_autofree char *present = NULL;

    if (g_strcmp0(value, binding->needing) != 0) {
        return NULL;
    }
    present = setting_value(binding, binding->needed);
    return present && *present ? NULL : binding->fallback(binding->fallback_data);
}

static void row_set(Binding *binding, const char *value)
{
    gboolean before = binding->rows->showing;

    binding->rows->showing = TRUE;
    oriel_row_value_set(binding->row, binding->choices, value);
    binding->rows->showing = before;
    g_free(binding->shown);
    binding->shown = g_strdup(value);
}

char *oriel_setting_rows_sentence(OrielSettingRows *rows, const char *message)
{
    g_autoptr(GString) text = g_string_new(message);

    for (guint i = 0; rows && i < rows->bindings->len; i++) {
        const Binding *binding = g_ptr_array_index(rows->bindings, i);
        g_autofree char *key = g_strdup_printf("“%s”", binding->key);
        g_autofree char *title = g_strdup_printf(
            "“%s”", adw_preferences_row_get_title(ADW_PREFERENCES_ROW(binding->row)));

        g_string_replace(text, key, title, 0);
    }
    return g_strdup(text->str);
}

void oriel_setting_rows_tell(OrielSettingRows *rows, GtkWidget *near, const char *heading,
                             const GError *error)
{
    g_autofree char *sentence = oriel_setting_rows_sentence(rows, error->message);
    g_autoptr(GError) told = g_error_new_literal(error->domain, error->code, sentence);

    oriel_message_error(near, heading, told);
}

/* What was typed stays to be mended; other rows show again what is. */
static void refused(Binding *binding, const GError *error)
{
    g_autofree char *message = oriel_setting_rows_sentence(binding->rows, error->message);
    g_autofree char *value = binding->rows ? present_value(binding) : NULL;

    if (value && !ADW_IS_ENTRY_ROW(binding->row)) {
        row_set(binding, value);
    }
    oriel_setting_row_set_problem(binding->row, message);
}

static void saved(GObject *item, GAsyncResult *result, gpointer data)
{
    g_autoptr(GtkWidget) row = data;
    g_autoptr(GError) error = NULL;

    if (oriel_machine_item_set_finish(ORIEL_MACHINE_ITEM(item), result, &error)) {
        oriel_setting_row_set_problem(row, NULL);
    } else {
        refused(g_object_get_data(G_OBJECT(row), "oriel-setting"), error);
    }
}

static void save(Binding *binding)
{
    g_autofree char *value = oriel_row_value_get(binding->row, binding->choices);
    g_autofree char *old = present_value(binding);
    g_autofree char *needed = needed_value(binding, value);
    const char *with[] = { binding->needed, needed, binding->key, value, NULL };
    const char *alone[] = { binding->key, value, NULL };
    const char *const *pairs = needed ? with : alone;

    g_clear_handle_id(&binding->settle, g_source_remove);
    if (g_strcmp0(value, old) != 0) {
        oriel_machine_item_set_async(binding->rows->item, pairs, NULL, saved,
                                     g_object_ref(binding->row));
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

/* --- Showing ---------------------------------------------------------------------------------- */

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

/* What is being typed stays, unless the setting itself has become another one. */
static void show(Binding *binding)
{
    const char *const *waiting = oriel_machine_item_get_waiting_keys(binding->rows->item);
    g_autofree char *value = present_value(binding);

    if (value && !binding->settle && g_strcmp0(value, binding->shown) != 0) {
        row_set(binding, value);
        oriel_setting_row_set_problem(binding->row, NULL);
    }
    gtk_widget_set_sensitive(binding->row, value != NULL);
    waiting_show(binding, waiting && g_strv_contains(waiting, binding->key));
}

static void show_all(OrielSettingRows *self)
{
    for (guint i = 0; i < self->bindings->len; i++) {
        show(g_ptr_array_index(self->bindings, i));
    }
}

char *oriel_setting_rows_describe(OrielSettingRows *rows, const char *key, const char *value)
{
    for (guint i = 0; i < rows->bindings->len; i++) {
        const Binding *binding = g_ptr_array_index(rows->bindings, i);

        if (g_str_equal(binding->key, key)) {
            g_autofree char *text = oriel_row_value_text(binding->row, binding->choices, value);

            /* Translators: the name of a setting and its value. */
            return g_strdup_printf(_("%s: %s"),
                                   adw_preferences_row_get_title(ADW_PREFERENCES_ROW(binding->row)),
                                   text);
        }
    }
    return NULL;
}

/* --- The object ------------------------------------------------------------------------------- */

static void binding_free(gpointer data)
{
    Binding *binding = data;

    g_clear_handle_id(&binding->settle, g_source_remove);
    if (binding->rows) {
        g_ptr_array_remove(binding->rows->bindings, binding);
    }
    g_free(binding->shown);
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
        g_signal_connect_swapped(oriel_row_switch(row), "notify::active", G_CALLBACK(applied),
                                 binding);
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
    show(binding);
    watch(binding);
}

void oriel_setting_row_needs(GtkWidget *row, const char *value, const char *key,
                             OrielSettingFallback fallback, gpointer data)
{
    Binding *binding = g_object_get_data(G_OBJECT(row), "oriel-setting");

    binding->needing = g_intern_string(value);
    binding->needed = g_intern_string(key);
    binding->fallback = fallback;
    binding->fallback_data = data;
}

void oriel_setting_rows_flush(OrielSettingRows *rows)
{
    for (guint i = 0; i < rows->bindings->len; i++) {
        Binding *binding = g_ptr_array_index(rows->bindings, i);

        if (ORIEL_IS_SPIN_ROW(binding->row)) {
            oriel_spin_row_get_value(ORIEL_SPIN_ROW(binding->row)); /* takes what is typed */
        }
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
