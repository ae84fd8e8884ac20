/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-spin-row.h. */
#include "widgets/oriel-spin-row.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

struct _OrielSpinRow {
    AdwActionRow parent_instance;
    GtkSpinButton *spin;
    GtkAdjustment *adjustment;
    gboolean sizes;
};

G_DEFINE_FINAL_TYPE(OrielSpinRow, oriel_spin_row, ADW_TYPE_ACTION_ROW)

enum {
    PROP_VALUE = 1,
    PROP_LOWER,
    PROP_UPPER,
    PROP_STEP,
    PROP_SIZES,
    N_PROPS,
};

static GParamSpec *properties[N_PROPS];

enum {
    MIB_PER_GIB = 1024,
    MIB_PER_TIB = 1024 * 1024,
};

char *oriel_spin_row_size_text(double mib)
{
    gboolean large = mib >= MIB_PER_GIB;
    g_autofree char *number = g_strdup_printf("%.3f", large ? mib / MIB_PER_GIB : mib);
    char *end = number + strlen(number);

    while (end[-1] == '0') {
        *--end = '\0';
    }
    if (!g_ascii_isdigit(end[-1])) {
        end[-1] = '\0'; /* the decimal point, whatever it is here */
    }
    /* Translators: a size of memory or disk in binary units. */
    return g_strdup_printf(large ? _("%s GiB") : _("%s MiB"), number);
}

/* A number with an optional unit, of which the first letter counts. */
static gboolean size_parse(const char *text, double *mib)
{
    char *unit;
    double number = g_strtod(text, &unit);

    while (*unit == ' ' || *unit == '\xc2' || *unit == '\xa0') {
        unit++;
    }
    if (unit == text || !isfinite(number)) {
        return FALSE;
    }
    switch (g_ascii_toupper(*unit)) {
    case 'M':
        *mib = number;
        return TRUE;
    case 'T':
        *mib = number * MIB_PER_TIB;
        return TRUE;
    case 'G':
    case '\0':
        *mib = number * MIB_PER_GIB;
        return TRUE;
    default:
        return FALSE;
    }
}

static gboolean on_output(GtkSpinButton *spin, OrielSpinRow *self)
{
    if (!self->sizes) {
        return FALSE;
    }
    g_autofree char *text = oriel_spin_row_size_text(gtk_adjustment_get_value(self->adjustment));

    if (strcmp(gtk_editable_get_text(GTK_EDITABLE(spin)), text) != 0) {
        gtk_editable_set_text(GTK_EDITABLE(spin), text);
    }
    return TRUE;
}

/* What cannot be read leaves the value as it was. */
static int on_input(GtkSpinButton *spin, double *value, OrielSpinRow *self)
{
    if (!self->sizes) {
        return FALSE;
    }
    if (!size_parse(gtk_editable_get_text(GTK_EDITABLE(spin)), value)) {
        *value = gtk_adjustment_get_value(self->adjustment);
    }
    return TRUE;
}

static void on_value_changed(OrielSpinRow *self)
{
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_VALUE]);
}

static void on_title_changed(OrielSpinRow *self)
{
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->spin), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   adw_preferences_row_get_title(ADW_PREFERENCES_ROW(self)), -1);
}

double oriel_spin_row_get_value(OrielSpinRow *row)
{
    gtk_spin_button_update(row->spin);
    return gtk_adjustment_get_value(row->adjustment);
}

void oriel_spin_row_set_value(OrielSpinRow *row, double value)
{
    gtk_adjustment_set_value(row->adjustment, value);
}

void oriel_spin_row_set_range(OrielSpinRow *row, double lower, double upper)
{
    g_object_freeze_notify(G_OBJECT(row->adjustment));
    gtk_adjustment_set_lower(row->adjustment, lower);
    gtk_adjustment_set_upper(row->adjustment, MAX(lower, upper));
    gtk_adjustment_set_value(row->adjustment, gtk_adjustment_get_value(row->adjustment));
    g_object_thaw_notify(G_OBJECT(row->adjustment));
}

static void oriel_spin_row_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    OrielSpinRow *self = ORIEL_SPIN_ROW(object);

    switch (id) {
    case PROP_VALUE:
        g_value_set_double(value, gtk_adjustment_get_value(self->adjustment));
        break;
    case PROP_LOWER:
        g_value_set_double(value, gtk_adjustment_get_lower(self->adjustment));
        break;
    case PROP_UPPER:
        g_value_set_double(value, gtk_adjustment_get_upper(self->adjustment));
        break;
    case PROP_STEP:
        g_value_set_double(value, gtk_adjustment_get_step_increment(self->adjustment));
        break;
    case PROP_SIZES:
        g_value_set_boolean(value, self->sizes);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void oriel_spin_row_set_property(GObject *object, guint id, const GValue *value,
                                        GParamSpec *spec)
{
    OrielSpinRow *self = ORIEL_SPIN_ROW(object);

    switch (id) {
    case PROP_VALUE:
        gtk_adjustment_set_value(self->adjustment, g_value_get_double(value));
        break;
    case PROP_LOWER:
        gtk_adjustment_set_lower(self->adjustment, g_value_get_double(value));
        break;
    case PROP_UPPER:
        gtk_adjustment_set_upper(self->adjustment, g_value_get_double(value));
        break;
    case PROP_STEP:
        gtk_adjustment_set_step_increment(self->adjustment, g_value_get_double(value));
        gtk_adjustment_set_page_increment(self->adjustment, 4 * g_value_get_double(value));
        break;
    case PROP_SIZES:
        self->sizes = g_value_get_boolean(value);
        gtk_spin_button_set_numeric(self->spin, !self->sizes);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void oriel_spin_row_class_init(OrielSpinRowClass *class)
{
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
    GObjectClass *object_class = G_OBJECT_CLASS(class);

    object_class->get_property = oriel_spin_row_get_property;
    object_class->set_property = oriel_spin_row_set_property;
    properties[PROP_VALUE] = g_param_spec_double("value", NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE, 0,
                                                 flags | G_PARAM_EXPLICIT_NOTIFY);
    properties[PROP_LOWER] =
        g_param_spec_double("lower", NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE, 0, flags);
    properties[PROP_UPPER] =
        g_param_spec_double("upper", NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE, 100, flags);
    properties[PROP_STEP] = g_param_spec_double("step", NULL, NULL, 0, G_MAXDOUBLE, 1, flags);
    properties[PROP_SIZES] =
        g_param_spec_boolean("sizes", NULL, NULL, FALSE, flags | G_PARAM_CONSTRUCT_ONLY);
    g_object_class_install_properties(object_class, N_PROPS, properties);
}

static void oriel_spin_row_init(OrielSpinRow *self)
{
    self->adjustment = gtk_adjustment_new(0, 0, 100, 1, 4, 0);
    self->spin = GTK_SPIN_BUTTON(gtk_spin_button_new(self->adjustment, 1, 0));
    gtk_editable_set_width_chars(GTK_EDITABLE(self->spin), 8);
    gtk_widget_set_valign(GTK_WIDGET(self->spin), GTK_ALIGN_CENTER);
    g_signal_connect_object(self->spin, "output", G_CALLBACK(on_output), self, 0);
    g_signal_connect_object(self->spin, "input", G_CALLBACK(on_input), self, 0);
    g_signal_connect_object(self->adjustment, "value-changed", G_CALLBACK(on_value_changed), self,
                            G_CONNECT_SWAPPED);
    adw_action_row_add_suffix(ADW_ACTION_ROW(self), GTK_WIDGET(self->spin));
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(self), GTK_WIDGET(self->spin));
    g_signal_connect(self, "notify::title", G_CALLBACK(on_title_changed), NULL);
}
