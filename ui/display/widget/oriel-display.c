/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-display.h. Object and drawing. */
#include "oriel-display.h"

#include <glib/gi18n-lib.h>

#include "display/keys/oriel-keymap.h"
#include "oriel-display-private.h"

enum {
    MINIMUM_WIDTH = 160,
    MINIMUM_HEIGHT = 100,
    NATURAL_WIDTH = 720,
    NATURAL_HEIGHT = 400,
};

G_DEFINE_FINAL_TYPE(OrielDisplay, oriel_display, GTK_TYPE_WIDGET)

enum {
    PROP_0,
    PROP_BACKEND,
    PROP_SCALING,
    PROP_GRAB_POLICY,
    PROP_RELEASE_CHORD,
    PROP_MACHINE_NAME,
    PROP_GRABBED,
    PROP_CAPTURED,
    PROP_POINTER_LOCKED,
    PROP_TYPING,
    PROP_GUEST_WIDTH,
    PROP_GUEST_HEIGHT,
    PROP_SELECTING_TEXT,
    N_PROPS,
};
static GParamSpec *properties[N_PROPS];

enum {
    NOTICE,
    N_SIGNALS,
};
static guint signals[N_SIGNALS];

void oriel_display_notice(OrielDisplay *display, const char *text)
{
    g_signal_emit(display, signals[NOTICE], 0, text);
}

void oriel_display_set_flag(OrielDisplay *display, gboolean *flag, gboolean value,
                            const char *property)
{
    if (*flag != !!value) {
        *flag = !!value;
        g_object_notify(G_OBJECT(display), property);
    }
}

gboolean oriel_display_has_input(OrielDisplay *display)
{
    return display->backend && oriel_display_backend_get_accepts_input(display->backend);
}

gboolean oriel_display_has_pointer_mode(OrielDisplay *display, OrielPointerMode mode)
{
    return oriel_display_backend_get_pointer_mode(display->backend) == mode;
}

/* --- Layout */

static void oriel_display_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
    OrielDisplay *display = ORIEL_DISPLAY(widget);

    oriel_display_layout_update(display);
    oriel_display_layout_scrollbars(display, width, height);
    oriel_display_resize_later(display);
}

static void oriel_display_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                                  int *minimum, int *natural, int *minimum_baseline,
                                  int *natural_baseline)
{
    /* Not the guest's size: a window that followed it, and a guest that followed the window, would
     * never come to rest. */
    *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? MINIMUM_WIDTH : MINIMUM_HEIGHT;
    *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? NATURAL_WIDTH : NATURAL_HEIGHT;
}

/* --- Drawing */

static void oriel_display_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    OrielDisplay *display = ORIEL_DISPLAY(widget);
    const OrielGeometry *place = &display->geometry;

    oriel_display_update_geometry(display);
    oriel_picture_set_cairo(display->picture, GSK_IS_CAIRO_RENDERER(gtk_native_get_renderer(
                                                  gtk_widget_get_native(widget))));
    if (place->width > 0) {
        gtk_snapshot_push_clip(snapshot,
                               &GRAPHENE_RECT_INIT(0, 0, (float)gtk_widget_get_width(widget),
                                                   (float)gtk_widget_get_height(widget)));
        oriel_picture_snapshot(display->picture, snapshot,
                               &GRAPHENE_RECT_INIT((float)place->x, (float)place->y,
                                                   (float)place->width, (float)place->height),
                               place->zoom);
        oriel_display_cursor_snapshot(display, snapshot);
        oriel_display_selection_snapshot(display, snapshot);
        gtk_snapshot_pop(snapshot);
    }
    for (int i = 0; i < 2; i++) {
        gtk_widget_snapshot_child(widget, display->scrollbars[i], snapshot);
    }
    if (display->frame_pending) {
        display->frame_pending = FALSE;
        oriel_display_backend_frame_shown(display->backend);
    }
}

static void on_pan(OrielDisplay *display)
{
    gtk_widget_queue_draw(GTK_WIDGET(display));
}

/* --- What the backend says */

static void on_damaged(OrielDisplay *display, const cairo_region_t *region)
{
    oriel_picture_damage(display->picture, region);
    display->frame_pending = TRUE;
    gtk_widget_queue_draw(GTK_WIDGET(display));
}

static void on_framebuffer(OrielDisplay *display)
{
    OrielFramebuffer *framebuffer =
        display->backend ? oriel_display_backend_get_framebuffer(display->backend) : NULL;

    oriel_picture_set_framebuffer(display->picture, framebuffer);
    display->frame_pending = framebuffer != NULL;
    oriel_display_selection_clear(display);
    if (gtk_widget_get_mapped(GTK_WIDGET(display))) {
        oriel_display_layout_update(display);
        oriel_display_resize_happened(display);
    }
    oriel_display_update_cursor(display);
    gtk_widget_queue_draw(GTK_WIDGET(display));
    g_object_notify_by_pspec(G_OBJECT(display), properties[PROP_GUEST_WIDTH]);
    g_object_notify_by_pspec(G_OBJECT(display), properties[PROP_GUEST_HEIGHT]);
}

static void on_pointer_mode(OrielDisplay *display)
{
    oriel_display_unlock_pointer(display);
    oriel_display_release_buttons(display);
    oriel_display_show_place(display);
    oriel_display_update_cursor(display);
}

static void on_can_resize(OrielDisplay *display)
{
    oriel_display_resize_reset(display);
    oriel_display_resize_later(display);
}

static void on_accepts_input(OrielDisplay *display)
{
    if (!oriel_display_has_input(display)) {
        oriel_display_release_keys(display);
        oriel_display_unlock_pointer(display);
        oriel_display_release_buttons(display);
        oriel_display_cancel_typing(display);
    }
}

static void on_status(OrielDisplay *display)
{
    OrielDisplayStatus status = oriel_display_backend_get_status(display->backend);

    if (status == ORIEL_DISPLAY_STATUS_FAILED || status == ORIEL_DISPLAY_STATUS_CLOSED) {
        oriel_display_release(display);
    }
}

/* --- Functions */

GtkWidget *oriel_display_new(void)
{
    return g_object_new(ORIEL_TYPE_DISPLAY, NULL);
}

void oriel_display_set_backend(OrielDisplay *display, OrielDisplayBackend *backend)
{
    if (display->backend == backend) {
        return;
    }
    oriel_display_release(display);
    oriel_display_cancel_typing(display);
    oriel_display_resize_reset(display);
    memset(display->lock_taps, 0, sizeof(display->lock_taps));
    g_signal_group_set_target(display->backend_signals, backend);
    if (display->backend) {
        oriel_display_backend_close(display->backend);
    }
    g_set_object(&display->backend, backend);
    if (backend) {
        oriel_display_backend_set_visible(backend, gtk_widget_get_mapped(GTK_WIDGET(display)));
        oriel_display_backend_start(backend);
    }
    oriel_display_selection_set_active(display, FALSE);
    on_framebuffer(display);
    oriel_display_resize_later(display);
    g_object_notify_by_pspec(G_OBJECT(display), properties[PROP_BACKEND]);
}

void oriel_display_set_scaling(OrielDisplay *display, OrielScaling scaling)
{
    if (display->scaling != scaling) {
        display->scaling = scaling;
        oriel_display_resize_reset(display);
        gtk_widget_queue_allocate(GTK_WIDGET(display));
        gtk_widget_queue_draw(GTK_WIDGET(display));
        g_object_notify_by_pspec(G_OBJECT(display), properties[PROP_SCALING]);
    }
}

OrielScaling oriel_display_get_scaling(OrielDisplay *display)
{
    return display->scaling;
}

void oriel_display_set_grab_policy(OrielDisplay *display, OrielGrabPolicy policy)
{
    if (display->grab_policy != policy) {
        display->grab_policy = policy;
        oriel_display_update_grab(display, NULL);
        g_object_notify_by_pspec(G_OBJECT(display), properties[PROP_GRAB_POLICY]);
    }
}

gboolean oriel_display_is_grabbed(OrielDisplay *display)
{
    return display->grabbed;
}

gboolean oriel_display_is_pointer_locked(OrielDisplay *display)
{
    return display->pointer_locked;
}

const char *oriel_display_get_release_chord(OrielDisplay *display)
{
    return display->release_chord;
}

static void describe(OrielDisplay *display)
{
    g_autofree char *label = NULL;
    g_autofree char *keys = oriel_keymap_chord_words(display->release_chord);
    /* Translators: %s is "Ctrl + Alt". */
    g_autofree char *description = g_strdup_printf(
        _("Keys go to the machine. Press and let go of %s to leave the screen."), keys);

    label = display->machine_name ? g_strdup_printf(_("Screen of %s"), display->machine_name)
                                  : g_strdup(_("Screen"));
    gtk_accessible_update_property(GTK_ACCESSIBLE(display), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                   GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, description, -1);
}

void oriel_display_set_machine_name(OrielDisplay *display, const char *name)
{
    if (g_strcmp0(display->machine_name, name) != 0) {
        g_free(display->machine_name);
        display->machine_name = g_strdup(name);
        describe(display);
        g_object_notify_by_pspec(G_OBJECT(display), properties[PROP_MACHINE_NAME]);
    }
}

void oriel_display_release(OrielDisplay *display)
{
    oriel_display_ungrab(display);
    oriel_display_release_keys(display);
    oriel_display_unlock_pointer(display);
    oriel_display_release_buttons(display);
}

/* --- The object */

static void oriel_display_map(GtkWidget *widget)
{
    OrielDisplay *display = ORIEL_DISPLAY(widget);

    GTK_WIDGET_CLASS(oriel_display_parent_class)->map(widget);
    if (display->backend) {
        oriel_display_backend_set_visible(display->backend, TRUE);
    }
}

static void oriel_display_unmap(GtkWidget *widget)
{
    OrielDisplay *display = ORIEL_DISPLAY(widget);

    oriel_display_release(display);
    if (display->backend) {
        oriel_display_backend_set_visible(display->backend, FALSE);
    }
    GTK_WIDGET_CLASS(oriel_display_parent_class)->unmap(widget);
}

static void oriel_display_root(GtkWidget *widget)
{
    GTK_WIDGET_CLASS(oriel_display_parent_class)->root(widget);
    oriel_display_keys_root(ORIEL_DISPLAY(widget));
    oriel_display_grab_root(ORIEL_DISPLAY(widget));
}

static void oriel_display_unroot(GtkWidget *widget)
{
    oriel_display_grab_unroot(ORIEL_DISPLAY(widget));
    oriel_display_keys_unroot(ORIEL_DISPLAY(widget));
    GTK_WIDGET_CLASS(oriel_display_parent_class)->unroot(widget);
}

static void oriel_display_realize(GtkWidget *widget)
{
    GTK_WIDGET_CLASS(oriel_display_parent_class)->realize(widget);
    oriel_display_grab_realize(ORIEL_DISPLAY(widget));
}

static void oriel_display_unrealize(GtkWidget *widget)
{
    oriel_display_grab_unrealize(ORIEL_DISPLAY(widget));
    GTK_WIDGET_CLASS(oriel_display_parent_class)->unrealize(widget);
}

static void oriel_display_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    OrielDisplay *display = ORIEL_DISPLAY(object);
    OrielFramebuffer *framebuffer = oriel_picture_get_framebuffer(display->picture);

    switch (id) {
    case PROP_BACKEND:
        g_value_set_object(value, display->backend);
        break;
    case PROP_SCALING:
        g_value_set_enum(value, (int)display->scaling);
        break;
    case PROP_GRAB_POLICY:
        g_value_set_enum(value, (int)display->grab_policy);
        break;
    case PROP_RELEASE_CHORD:
        g_value_set_string(value, display->release_chord);
        break;
    case PROP_MACHINE_NAME:
        g_value_set_string(value, display->machine_name);
        break;
    case PROP_GRABBED:
        g_value_set_boolean(value, display->grabbed);
        break;
    case PROP_CAPTURED:
        g_value_set_boolean(value, display->captured);
        break;
    case PROP_POINTER_LOCKED:
        g_value_set_boolean(value, display->pointer_locked);
        break;
    case PROP_TYPING:
        g_value_set_boolean(value, display->typing != NULL);
        break;
    case PROP_GUEST_WIDTH:
        g_value_set_uint(value, framebuffer ? oriel_framebuffer_get_width(framebuffer) : 0);
        break;
    case PROP_GUEST_HEIGHT:
        g_value_set_uint(value, framebuffer ? oriel_framebuffer_get_height(framebuffer) : 0);
        break;
    case PROP_SELECTING_TEXT:
        g_value_set_boolean(value, display->selection.active);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void oriel_display_set_property(GObject *object, guint id, const GValue *value,
                                       GParamSpec *pspec)
{
    OrielDisplay *display = ORIEL_DISPLAY(object);

    switch (id) {
    case PROP_BACKEND:
        oriel_display_set_backend(display, g_value_get_object(value));
        break;
    case PROP_SCALING:
        oriel_display_set_scaling(display, (OrielScaling)g_value_get_enum(value));
        break;
    case PROP_GRAB_POLICY:
        oriel_display_set_grab_policy(display, (OrielGrabPolicy)g_value_get_enum(value));
        break;
    case PROP_RELEASE_CHORD:
        g_free(display->release_chord);
        display->release_chord = g_value_dup_string(value);
        describe(display);
        break;
    case PROP_MACHINE_NAME:
        oriel_display_set_machine_name(display, g_value_get_string(value));
        break;
    case PROP_SELECTING_TEXT:
        oriel_display_selection_set_active(display, g_value_get_boolean(value));
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void oriel_display_dispose(GObject *object)
{
    OrielDisplay *display = ORIEL_DISPLAY(object);

    oriel_display_set_backend(display, NULL);
    g_clear_object(&display->backend_signals);
    for (int i = 0; i < 2; i++) {
        g_clear_pointer(&display->scrollbars[i], gtk_widget_unparent);
    }
    G_OBJECT_CLASS(oriel_display_parent_class)->dispose(object);
}

static void oriel_display_finalize(GObject *object)
{
    OrielDisplay *display = ORIEL_DISPLAY(object);

    oriel_picture_free(display->picture);
    g_free(display->release_chord);
    g_free(display->machine_name);
    G_OBJECT_CLASS(oriel_display_parent_class)->finalize(object);
}

static void install_properties(GObjectClass *class)
{
    const GParamFlags readable =
        G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
    const GParamFlags writable = readable | G_PARAM_WRITABLE;

    properties[PROP_BACKEND] =
        g_param_spec_object("backend", NULL, NULL, ORIEL_TYPE_DISPLAY_BACKEND, writable);
    properties[PROP_SCALING] =
        g_param_spec_enum("scaling", NULL, NULL, ORIEL_TYPE_SCALING, ORIEL_SCALING_FIT, writable);
    properties[PROP_GRAB_POLICY] = g_param_spec_enum(
        "grab-policy", NULL, NULL, ORIEL_TYPE_GRAB_POLICY, ORIEL_GRAB_FULLSCREEN, writable);
    properties[PROP_RELEASE_CHORD] =
        g_param_spec_string("release-chord", NULL, NULL, "ctrl+alt", writable);
    properties[PROP_MACHINE_NAME] = g_param_spec_string("machine-name", NULL, NULL, NULL, writable);
    properties[PROP_GRABBED] = g_param_spec_boolean("grabbed", NULL, NULL, FALSE, readable);
    properties[PROP_CAPTURED] = g_param_spec_boolean("captured", NULL, NULL, FALSE, readable);
    properties[PROP_POINTER_LOCKED] =
        g_param_spec_boolean("pointer-locked", NULL, NULL, FALSE, readable);
    properties[PROP_TYPING] = g_param_spec_boolean("typing", NULL, NULL, FALSE, readable);
    properties[PROP_GUEST_WIDTH] =
        g_param_spec_uint("guest-width", NULL, NULL, 0, ORIEL_FRAMEBUFFER_MAX, 0, readable);
    properties[PROP_GUEST_HEIGHT] =
        g_param_spec_uint("guest-height", NULL, NULL, 0, ORIEL_FRAMEBUFFER_MAX, 0, readable);
    properties[PROP_SELECTING_TEXT] =
        g_param_spec_boolean("selecting-text", NULL, NULL, FALSE, writable);
    g_object_class_install_properties(class, N_PROPS, properties);
}

static void oriel_display_class_init(OrielDisplayClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    object_class->get_property = oriel_display_get_property;
    object_class->set_property = oriel_display_set_property;
    object_class->dispose = oriel_display_dispose;
    object_class->finalize = oriel_display_finalize;
    widget_class->measure = oriel_display_measure;
    widget_class->size_allocate = oriel_display_size_allocate;
    widget_class->snapshot = oriel_display_snapshot;
    widget_class->map = oriel_display_map;
    widget_class->unmap = oriel_display_unmap;
    widget_class->root = oriel_display_root;
    widget_class->unroot = oriel_display_unroot;
    widget_class->realize = oriel_display_realize;
    widget_class->unrealize = oriel_display_unrealize;

    install_properties(object_class);
    signals[NOTICE] = g_signal_new("notice", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
    oriel_display_install_actions(widget_class);
    gtk_widget_class_set_css_name(widget_class, "oriel-display");
    gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void backend_signals_connect(OrielDisplay *display)
{
    static const struct {
        const char *signal;
        GCallback handler;
    } handlers[] = {
        { "damaged", G_CALLBACK(on_damaged) },
        { "notify::framebuffer", G_CALLBACK(on_framebuffer) },
        { "notify::cursor", G_CALLBACK(oriel_display_update_cursor) },
        { "cursor-moved", G_CALLBACK(oriel_display_cursor_moved) },
        { "notify::pointer-mode", G_CALLBACK(on_pointer_mode) },
        { "notify::leds", G_CALLBACK(oriel_display_leds_changed) },
        { "notify::can-resize", G_CALLBACK(on_can_resize) },
        { "notify::accepts-input", G_CALLBACK(on_accepts_input) },
        { "notify::status", G_CALLBACK(on_status) },
    };

    display->backend_signals = g_signal_group_new(ORIEL_TYPE_DISPLAY_BACKEND);
    for (gsize i = 0; i < G_N_ELEMENTS(handlers); i++) {
        g_signal_group_connect_swapped(display->backend_signals, handlers[i].signal,
                                       handlers[i].handler, display);
    }
}

static void oriel_display_init(OrielDisplay *display)
{
    GtkWidget *widget = GTK_WIDGET(display);

    display->picture = oriel_picture_new();
    display->release_chord = g_strdup("ctrl+alt");
    backend_signals_connect(display);
    for (int i = 0; i < 2; i++) {
        display->scrollbars[i] = gtk_scrollbar_new((GtkOrientation)i, NULL);
        gtk_widget_set_parent(display->scrollbars[i], widget);
        g_signal_connect_object(oriel_display_adjustment(display, (GtkOrientation)i),
                                "value-changed", G_CALLBACK(on_pan), display, G_CONNECT_SWAPPED);
    }
    gtk_widget_set_focusable(widget, TRUE);
    gtk_widget_set_overflow(widget, GTK_OVERFLOW_HIDDEN);
    gtk_widget_add_css_class(widget, "view");
    oriel_display_keys_init(display);
    oriel_display_pointer_init(display);
    describe(display);
}
