/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-row-value.h. */
#include "oriel-row-value.h"

#include <glib/gi18n.h>
#include <string.h>

#include "library/oriel-library.h"
#include "widgets/oriel-spin-row.h"

#define MIB (G_GUINT64_CONSTANT(1) << 20)

GtkSwitch *oriel_row_switch(GtkWidget *row)
{
    return GTK_SWITCH(adw_action_row_get_activatable_widget(ADW_ACTION_ROW(row)));
}

static gboolean has_sizes(GtkWidget *row)
{
    gboolean sizes;

    g_object_get(row, "sizes", &sizes, NULL);
    return sizes;
}

char *oriel_row_value_get(GtkWidget *row, const char *const *choices)
{
    if (ADW_IS_ENTRY_ROW(row)) {
        return g_strdup(gtk_editable_get_text(GTK_EDITABLE(row)));
    }
    if (ORIEL_IS_SPIN_ROW(row)) {
        return g_strdup_printf(has_sizes(row) ? "%.0fM" : "%.0f",
                               oriel_spin_row_get_value(ORIEL_SPIN_ROW(row)));
    }
    if (ADW_IS_COMBO_ROW(row)) {
        guint selected = adw_combo_row_get_selected(ADW_COMBO_ROW(row));

        return g_strdup(selected < g_strv_length((char **)choices) ? choices[selected] : "");
    }
    return g_strdup(gtk_switch_get_active(oriel_row_switch(row)) ? "true" : "false");
}

static guint choice_index(const char *const *choices, const char *value)
{
    guint i = 0;

    while (choices[i] && strcmp(choices[i], value) != 0) {
        i++;
    }
    return choices[i] ? i : GTK_INVALID_LIST_POSITION;
}

/* The number of a spin row: in its own unit, MiB for sizes. */
static gboolean number_of(GtkWidget *row, const char *value, double *number)
{
    guint64 bytes;

    if (!has_sizes(row)) {
        *number = g_ascii_strtod(value, NULL);
        return TRUE;
    }
    if (!oriel_size_parse(value, &bytes, NULL)) {
        return FALSE;
    }
    *number = (double)bytes / MIB;
    return TRUE;
}

static void number_set(OrielSpinRow *row, double number)
{
    double lower, upper;

    g_object_get(row, "lower", &lower, "upper", &upper, NULL);
    if (number < lower || number > upper) {
        oriel_spin_row_set_range(row, MIN(lower, number), MAX(upper, number));
    }
    oriel_spin_row_set_value(row, number);
}

void oriel_row_value_set(GtkWidget *row, const char *const *choices, const char *value)
{
    double number;

    if (ADW_IS_ENTRY_ROW(row)) {
        if (strcmp(gtk_editable_get_text(GTK_EDITABLE(row)), value) != 0) {
            gtk_editable_set_text(GTK_EDITABLE(row), value);
        }
    } else if (ORIEL_IS_SPIN_ROW(row)) {
        if (number_of(row, value, &number)) {
            number_set(ORIEL_SPIN_ROW(row), number);
        }
    } else if (ADW_IS_COMBO_ROW(row)) {
        adw_combo_row_set_selected(ADW_COMBO_ROW(row), choice_index(choices, value));
    } else {
        gtk_switch_set_active(oriel_row_switch(row), strcmp(value, "true") == 0);
    }
}

static char *choice_text(AdwComboRow *row, const char *const *choices, const char *value)
{
    GListModel *model = adw_combo_row_get_model(row);
    guint index = choice_index(choices, value);
    g_autoptr(GObject) object =
        index < g_list_model_get_n_items(model) ? g_list_model_get_item(model, index) : NULL;

    return g_strdup(object ? gtk_string_object_get_string(GTK_STRING_OBJECT(object)) : value);
}

char *oriel_row_value_text(GtkWidget *row, const char *const *choices, const char *value)
{
    double number;

    if (ADW_IS_PASSWORD_ENTRY_ROW(row)) {
        return g_strdup(*value ? "••••" : _("none"));
    }
    if (ADW_IS_ENTRY_ROW(row)) {
        return *value ? g_strdup_printf("“%s”", value) : g_strdup(_("none"));
    }
    if (ORIEL_IS_SPIN_ROW(row) && has_sizes(row)) {
        return number_of(row, value, &number) ? oriel_spin_row_size_text(number) : g_strdup(value);
    }
    if (ADW_IS_COMBO_ROW(row)) {
        return choice_text(ADW_COMBO_ROW(row), choices, value);
    }
    if (ORIEL_IS_SPIN_ROW(row)) {
        return g_strdup(value);
    }
    return g_strdup(strcmp(value, "true") == 0 ? _("on") : _("off"));
}
