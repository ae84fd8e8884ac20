/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-fullscreen-box.h. */
#include "oriel-fullscreen-box.h"

enum {
    EDGE = 2,         /* pixels from the upper edge that call the bar */
    DWELL_MS = 400,   /* how long the pointer must rest there */
    LINGER_MS = 3000, /* how long the bar stays when it is no longer used */
};

struct _OrielFullscreenBox {
    GtkWidget parent_instance;
    GtkWidget *box, *overlay, *revealer;
    GtkWidget *header, *content;
    gboolean fullscreen;
    guint dwell, linger; /* sources */
};

static void buildable_init(GtkBuildableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE(OrielFullscreenBox, oriel_fullscreen_box, GTK_TYPE_WIDGET,
                              G_IMPLEMENT_INTERFACE(GTK_TYPE_BUILDABLE, buildable_init))

enum {
    PROP_FULLSCREEN = 1,
    N_PROPS,
};

static GParamSpec *properties[N_PROPS];

/* A popover of one of the bar's buttons is open, or the focus is in the bar. */
static gboolean in_use(OrielFullscreenBox *box)
{
    GtkRoot *root = gtk_widget_get_root(GTK_WIDGET(box));
    GtkWidget *focus = root ? gtk_root_get_focus(root) : NULL;

    return (focus && gtk_widget_is_ancestor(focus, box->header)) ||
           (gtk_widget_get_state_flags(box->header) & GTK_STATE_FLAG_PRELIGHT);
}

static gboolean linger_ended(gpointer data)
{
    OrielFullscreenBox *box = data;

    if (in_use(box)) {
        return G_SOURCE_CONTINUE;
    }
    box->linger = 0;
    gtk_revealer_set_reveal_child(GTK_REVEALER(box->revealer), FALSE);
    return G_SOURCE_REMOVE;
}

void oriel_fullscreen_box_reveal(OrielFullscreenBox *box)
{
    if (!box->fullscreen) {
        return;
    }
    gtk_revealer_set_reveal_child(GTK_REVEALER(box->revealer), TRUE);
    g_clear_handle_id(&box->linger, g_source_remove);
    box->linger = g_timeout_add(LINGER_MS, linger_ended, box);
}

static gboolean dwell_ended(gpointer data)
{
    OrielFullscreenBox *box = data;

    box->dwell = 0;
    oriel_fullscreen_box_reveal(box);
    return G_SOURCE_REMOVE;
}

static void pointer_moved(OrielFullscreenBox *box, double x, double y)
{
    if (!box->fullscreen || y > EDGE) {
        g_clear_handle_id(&box->dwell, g_source_remove);
    } else if (!box->dwell) {
        box->dwell = g_timeout_add(DWELL_MS, dwell_ended, box);
    }
}

static void pointer_left(OrielFullscreenBox *box)
{
    g_clear_handle_id(&box->dwell, g_source_remove);
}

void oriel_fullscreen_box_set_fullscreen(OrielFullscreenBox *box, gboolean fullscreen)
{
    if (box->fullscreen == fullscreen) {
        return;
    }
    box->fullscreen = fullscreen;
    g_clear_handle_id(&box->dwell, g_source_remove);
    g_clear_handle_id(&box->linger, g_source_remove);
    g_object_ref(box->header);
    if (fullscreen) {
        gtk_box_remove(GTK_BOX(box->box), box->header);
        gtk_revealer_set_child(GTK_REVEALER(box->revealer), box->header);
        oriel_fullscreen_box_reveal(box);
    } else {
        gtk_revealer_set_child(GTK_REVEALER(box->revealer), NULL);
        gtk_box_prepend(GTK_BOX(box->box), box->header);
    }
    g_object_unref(box->header);
    g_object_notify_by_pspec(G_OBJECT(box), properties[PROP_FULLSCREEN]);
}

void oriel_fullscreen_box_set_content(OrielFullscreenBox *box, GtkWidget *content)
{
    g_return_if_fail(!box->content);
    box->content = content;
    gtk_widget_set_vexpand(content, TRUE);
    gtk_box_append(GTK_BOX(box->box), content);
}

/* Children in templates: type "header", and the content. */
static void add_child(GtkBuildable *buildable, GtkBuilder *builder, GObject *child,
                      const char *type)
{
    OrielFullscreenBox *box = ORIEL_FULLSCREEN_BOX(buildable);

    if (g_strcmp0(type, "header") == 0) {
        box->header = GTK_WIDGET(child);
        gtk_box_prepend(GTK_BOX(box->box), box->header);
    } else if (GTK_IS_WIDGET(child)) {
        oriel_fullscreen_box_set_content(box, GTK_WIDGET(child));
    }
}

static void buildable_init(GtkBuildableIface *iface)
{
    iface->add_child = add_child;
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    g_value_set_boolean(value, ORIEL_FULLSCREEN_BOX(object)->fullscreen);
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
    oriel_fullscreen_box_set_fullscreen(ORIEL_FULLSCREEN_BOX(object), g_value_get_boolean(value));
}

static void oriel_fullscreen_box_dispose(GObject *object)
{
    OrielFullscreenBox *box = ORIEL_FULLSCREEN_BOX(object);

    g_clear_handle_id(&box->dwell, g_source_remove);
    g_clear_handle_id(&box->linger, g_source_remove);
    g_clear_pointer(&box->overlay, gtk_widget_unparent);
    G_OBJECT_CLASS(oriel_fullscreen_box_parent_class)->dispose(object);
}

static void oriel_fullscreen_box_class_init(OrielFullscreenBoxClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);

    object_class->dispose = oriel_fullscreen_box_dispose;
    object_class->get_property = get_property;
    object_class->set_property = set_property;
    properties[PROP_FULLSCREEN] =
        g_param_spec_boolean("fullscreen", NULL, NULL, FALSE,
                             G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(object_class, N_PROPS, properties);
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
}

static void oriel_fullscreen_box_init(OrielFullscreenBox *box)
{
    GtkEventController *motion = gtk_event_controller_motion_new();

    box->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    box->overlay = gtk_overlay_new();
    box->revealer = gtk_revealer_new();
    gtk_revealer_set_transition_type(GTK_REVEALER(box->revealer),
                                     GTK_REVEALER_TRANSITION_TYPE_SLIDE_DOWN);
    gtk_widget_set_valign(box->revealer, GTK_ALIGN_START);
    gtk_overlay_set_child(GTK_OVERLAY(box->overlay), box->box);
    gtk_overlay_add_overlay(GTK_OVERLAY(box->overlay), box->revealer);
    gtk_widget_set_parent(box->overlay, GTK_WIDGET(box));
    gtk_event_controller_set_propagation_phase(motion, GTK_PHASE_CAPTURE);
    g_signal_connect_swapped(motion, "motion", G_CALLBACK(pointer_moved), box);
    g_signal_connect_swapped(motion, "leave", G_CALLBACK(pointer_left), box);
    gtk_widget_add_controller(GTK_WIDGET(box), motion);
}
