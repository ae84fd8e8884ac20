/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-scroll-pacer.h. The child has a vertical adjustment of its own (inner), which follows
 * that of the scrolled window (outer) after a layout; what the child says of its size, and of where
 * it really is, goes the other way at once.
 */
#include "widgets/oriel-scroll-pacer.h"

#include <math.h>

struct _OrielScrollPacer {
    GtkWidget parent_instance;
    GtkWidget *child;
    GtkAdjustment *horizontal, *outer, *inner;
    GtkScrollablePolicy policies[2]; /* horizontal, vertical */
    gboolean scrolled;               /* outer says where to, and inner does not yet */
    gboolean telling;                /* outer is being told */
};

enum {
    PROP_CHILD = 1,
    N_PROPS,
    PROP_HADJUSTMENT = N_PROPS,
    PROP_VADJUSTMENT,
    PROP_HSCROLL_POLICY,
    PROP_VSCROLL_POLICY,
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE_WITH_CODE(OrielScrollPacer, oriel_scroll_pacer, GTK_TYPE_WIDGET,
                              G_IMPLEMENT_INTERFACE(GTK_TYPE_SCROLLABLE, NULL))

static void outer_moved(OrielScrollPacer *self)
{
    if (!self->telling) {
        self->scrolled = TRUE;
        gtk_widget_queue_allocate(GTK_WIDGET(self));
    }
}

/* Less than a pixel is the child's rounding, which would disturb movements of the outer one. */
static void outer_tell(OrielScrollPacer *self)
{
    double value = gtk_adjustment_get_value(self->inner);

    if (!self->outer) {
        return;
    }
    if (self->scrolled || fabs(value - gtk_adjustment_get_value(self->outer)) < 1) {
        value = gtk_adjustment_get_value(self->outer);
    }
    self->telling = TRUE;
    gtk_adjustment_configure(
        self->outer, value, gtk_adjustment_get_lower(self->inner),
        gtk_adjustment_get_upper(self->inner), gtk_adjustment_get_step_increment(self->inner),
        gtk_adjustment_get_page_increment(self->inner), gtk_adjustment_get_page_size(self->inner));
    self->telling = FALSE;
}

static void outer_set(OrielScrollPacer *self, GtkAdjustment *outer)
{
    if (self->outer == outer) {
        return;
    }
    if (self->outer) {
        g_signal_handlers_disconnect_by_data(self->outer, self);
        self->scrolled = FALSE;
    }
    g_set_object(&self->outer, outer);
    if (outer) {
        g_signal_connect_swapped(outer, "value-changed", G_CALLBACK(outer_moved), self);
        outer_tell(self);
    }
}

static void child_set(OrielScrollPacer *self, GtkWidget *child)
{
    g_return_if_fail(!self->child && GTK_IS_SCROLLABLE(child));
    self->child = child;
    gtk_widget_set_parent(child, GTK_WIDGET(self));
    g_object_set(child, "hadjustment", self->horizontal, "vadjustment", self->inner,
                 "hscroll-policy", self->policies[0], "vscroll-policy", self->policies[1], NULL);
}

static void oriel_scroll_pacer_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
    OrielScrollPacer *self = ORIEL_SCROLL_PACER(widget);

    gtk_widget_allocate(self->child, width, height, baseline, NULL);
    if (self->scrolled) {
        self->scrolled = FALSE;
        gtk_adjustment_set_value(self->inner, gtk_adjustment_get_value(self->outer));
        gtk_widget_allocate(self->child, width, height, baseline, NULL);
    }
}

static void oriel_scroll_pacer_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                                       int *minimum, int *natural, int *minimum_baseline,
                                       int *natural_baseline)
{
    gtk_widget_measure(ORIEL_SCROLL_PACER(widget)->child, orientation, for_size, minimum, natural,
                       minimum_baseline, natural_baseline);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    OrielScrollPacer *self = ORIEL_SCROLL_PACER(object);

    switch (id) {
    case PROP_CHILD:
        g_value_set_object(value, self->child);
        break;
    case PROP_HADJUSTMENT:
        g_value_set_object(value, self->horizontal);
        break;
    case PROP_VADJUSTMENT:
        g_value_set_object(value, self->outer);
        break;
    case PROP_HSCROLL_POLICY:
    case PROP_VSCROLL_POLICY:
        g_value_set_enum(value, self->policies[id - PROP_HSCROLL_POLICY]);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
    OrielScrollPacer *self = ORIEL_SCROLL_PACER(object);

    switch (id) {
    case PROP_CHILD:
        child_set(self, g_value_get_object(value));
        break;
    case PROP_HADJUSTMENT:
        g_set_object(&self->horizontal, g_value_get_object(value));
        break;
    case PROP_VADJUSTMENT:
        outer_set(self, g_value_get_object(value));
        return; /* the child has the inner one */
    case PROP_HSCROLL_POLICY:
    case PROP_VSCROLL_POLICY:
        self->policies[id - PROP_HSCROLL_POLICY] = g_value_get_enum(value);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    if (self->child && id != PROP_CHILD) {
        g_object_set_property(G_OBJECT(self->child), pspec->name, value);
    }
}

static void oriel_scroll_pacer_dispose(GObject *object)
{
    OrielScrollPacer *self = ORIEL_SCROLL_PACER(object);

    outer_set(self, NULL);
    g_signal_handlers_disconnect_by_data(self->inner, self);
    g_clear_pointer(&self->child, gtk_widget_unparent);
    g_clear_object(&self->horizontal);
    G_OBJECT_CLASS(oriel_scroll_pacer_parent_class)->dispose(object);
}

static void oriel_scroll_pacer_finalize(GObject *object)
{
    g_object_unref(ORIEL_SCROLL_PACER(object)->inner);
    G_OBJECT_CLASS(oriel_scroll_pacer_parent_class)->finalize(object);
}

static void oriel_scroll_pacer_class_init(OrielScrollPacerClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    object_class->dispose = oriel_scroll_pacer_dispose;
    object_class->finalize = oriel_scroll_pacer_finalize;
    object_class->get_property = get_property;
    object_class->set_property = set_property;
    widget_class->measure = oriel_scroll_pacer_measure;
    widget_class->size_allocate = oriel_scroll_pacer_size_allocate;
    properties[PROP_CHILD] = g_param_spec_object("child", NULL, NULL, GTK_TYPE_WIDGET,
                                                 G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(object_class, N_PROPS, properties);
    g_object_class_override_property(object_class, PROP_HADJUSTMENT, "hadjustment");
    g_object_class_override_property(object_class, PROP_VADJUSTMENT, "vadjustment");
    g_object_class_override_property(object_class, PROP_HSCROLL_POLICY, "hscroll-policy");
    g_object_class_override_property(object_class, PROP_VSCROLL_POLICY, "vscroll-policy");
}

static void oriel_scroll_pacer_init(OrielScrollPacer *self)
{
    self->inner = g_object_ref_sink(gtk_adjustment_new(0, 0, 0, 0, 0, 0));
    g_signal_connect_swapped(self->inner, "changed", G_CALLBACK(outer_tell), self);
    g_signal_connect_swapped(self->inner, "value-changed", G_CALLBACK(outer_tell), self);
    gtk_widget_set_overflow(GTK_WIDGET(self), GTK_OVERFLOW_HIDDEN);
}
