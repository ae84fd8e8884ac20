/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-display-backend.h. */
#include "oriel-display-backend.h"

typedef struct {
    OrielDisplayStatus status;
    char *message, *title;
    OrielFramebuffer *framebuffer;
    OrielGuestCursor *cursor;
    gboolean cursor_placed;
    int cursor_x, cursor_y;
    OrielPointerMode pointer_mode;
    gboolean can_resize, accepts_input;
    gboolean started, closed;
    guint leds;
} OrielDisplayBackendPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(OrielDisplayBackend, oriel_display_backend, G_TYPE_OBJECT)

enum {
    PROP_0,
    PROP_STATUS,
    PROP_MESSAGE,
    PROP_FRAMEBUFFER,
    PROP_CURSOR,
    PROP_POINTER_MODE,
    PROP_CAN_RESIZE,
    PROP_LEDS,
    PROP_TITLE,
    PROP_ACCEPTS_INPUT,
    N_PROPS,
};
static GParamSpec *properties[N_PROPS];

enum {
    DAMAGED,
    CURSOR_MOVED,
    N_SIGNALS,
};
static guint signals[N_SIGNALS];

GType oriel_display_status_get_type(void)
{
    static const GEnumValue values[] = {
        { ORIEL_DISPLAY_STATUS_CONNECTING, "ORIEL_DISPLAY_STATUS_CONNECTING", "connecting" },
        { ORIEL_DISPLAY_STATUS_CONNECTED, "ORIEL_DISPLAY_STATUS_CONNECTED", "connected" },
        { ORIEL_DISPLAY_STATUS_FAILED, "ORIEL_DISPLAY_STATUS_FAILED", "failed" },
        { ORIEL_DISPLAY_STATUS_CLOSED, "ORIEL_DISPLAY_STATUS_CLOSED", "closed" },
        { 0 },
    };
    static gsize type;

    if (g_once_init_enter(&type)) {
        g_once_init_leave(&type, g_enum_register_static("OrielDisplayStatus", values));
    }
    return type;
}

GType oriel_pointer_mode_get_type(void)
{
    static const GEnumValue values[] = {
        { ORIEL_POINTER_MODE_NONE, "ORIEL_POINTER_MODE_NONE", "none" },
        { ORIEL_POINTER_MODE_RELATIVE, "ORIEL_POINTER_MODE_RELATIVE", "relative" },
        { ORIEL_POINTER_MODE_ABSOLUTE, "ORIEL_POINTER_MODE_ABSOLUTE", "absolute" },
        { 0 },
    };
    static gsize type;

    if (g_once_init_enter(&type)) {
        g_once_init_leave(&type, g_enum_register_static("OrielPointerMode", values));
    }
    return type;
}

static OrielDisplayBackendPrivate *private_of(OrielDisplayBackend *backend)
{
    return oriel_display_backend_get_instance_private(backend);
}

static OrielDisplayBackendClass *class_of(OrielDisplayBackend *backend)
{
    return ORIEL_DISPLAY_BACKEND_GET_CLASS(backend);
}

/* --- What the widget asks for */

static gboolean is_open(OrielDisplayBackend *backend)
{
    OrielDisplayBackendPrivate *self = private_of(backend);

    return self->started && !self->closed && self->status != ORIEL_DISPLAY_STATUS_FAILED &&
           self->status != ORIEL_DISPLAY_STATUS_CLOSED;
}

void oriel_display_backend_start(OrielDisplayBackend *backend)
{
    OrielDisplayBackendPrivate *self = private_of(backend);

    if (!self->started && !self->closed) {
        self->started = TRUE;
        class_of(backend)->start(backend);
    }
}

void oriel_display_backend_close(OrielDisplayBackend *backend)
{
    OrielDisplayBackendPrivate *self = private_of(backend);

    if (!self->closed) {
        self->closed = TRUE;
        class_of(backend)->close(backend);
    }
}

void oriel_display_backend_set_visible(OrielDisplayBackend *backend, gboolean visible)
{
    if (!private_of(backend)->closed) {
        class_of(backend)->set_visible(backend, visible);
    }
}

void oriel_display_backend_frame_shown(OrielDisplayBackend *backend)
{
    if (is_open(backend)) {
        class_of(backend)->frame_shown(backend);
    }
}

void oriel_display_backend_key(OrielDisplayBackend *backend, guint code, guint keysym,
                               gboolean down)
{
    if (is_open(backend)) {
        class_of(backend)->key(backend, code, keysym, down);
    }
}

void oriel_display_backend_pointer(OrielDisplayBackend *backend, guint x, guint y, guint buttons)
{
    if (is_open(backend)) {
        class_of(backend)->pointer(backend, x, y, buttons);
    }
}

void oriel_display_backend_motion(OrielDisplayBackend *backend, int dx, int dy, guint buttons)
{
    if (is_open(backend)) {
        class_of(backend)->motion(backend, dx, dy, buttons);
    }
}

void oriel_display_backend_scroll(OrielDisplayBackend *backend, int dx, int dy)
{
    if (is_open(backend)) {
        class_of(backend)->scroll(backend, dx, dy);
    }
}

void oriel_display_backend_set_size(OrielDisplayBackend *backend, guint width, guint height)
{
    if (is_open(backend) && private_of(backend)->can_resize) {
        class_of(backend)->set_size(backend, width, height);
    }
}

/* --- What the properties say */

OrielDisplayStatus oriel_display_backend_get_status(OrielDisplayBackend *backend)
{
    return private_of(backend)->status;
}

const char *oriel_display_backend_get_message(OrielDisplayBackend *backend)
{
    return private_of(backend)->message;
}

OrielFramebuffer *oriel_display_backend_get_framebuffer(OrielDisplayBackend *backend)
{
    return private_of(backend)->framebuffer;
}

OrielGuestCursor *oriel_display_backend_get_cursor(OrielDisplayBackend *backend)
{
    return private_of(backend)->cursor;
}

gboolean oriel_display_backend_get_cursor_place(OrielDisplayBackend *backend, int *x, int *y)
{
    *x = private_of(backend)->cursor_x;
    *y = private_of(backend)->cursor_y;
    return private_of(backend)->cursor_placed;
}

OrielPointerMode oriel_display_backend_get_pointer_mode(OrielDisplayBackend *backend)
{
    return private_of(backend)->pointer_mode;
}

gboolean oriel_display_backend_get_can_resize(OrielDisplayBackend *backend)
{
    return private_of(backend)->can_resize;
}

guint oriel_display_backend_get_leds(OrielDisplayBackend *backend)
{
    return private_of(backend)->leds;
}

const char *oriel_display_backend_get_title(OrielDisplayBackend *backend)
{
    return private_of(backend)->title;
}

gboolean oriel_display_backend_get_accepts_input(OrielDisplayBackend *backend)
{
    return private_of(backend)->accepts_input;
}

static void property_notify(OrielDisplayBackend *backend, guint property)
{
    g_object_notify_by_pspec(G_OBJECT(backend), properties[property]);
}

static void flag_set(OrielDisplayBackend *backend, gboolean *flag, gboolean value, guint property)
{
    if (*flag != !!value) {
        *flag = !!value;
        property_notify(backend, property);
    }
}

void oriel_display_backend_set_status(OrielDisplayBackend *backend, OrielDisplayStatus status,
                                      const char *message)
{
    OrielDisplayBackendPrivate *self = private_of(backend);

    if (g_strcmp0(self->message, message) != 0) {
        g_free(self->message);
        self->message = g_strdup(message);
        property_notify(backend, PROP_MESSAGE);
    }
    if (self->status != status) {
        self->status = status;
        property_notify(backend, PROP_STATUS);
    }
}

void oriel_display_backend_set_framebuffer(OrielDisplayBackend *backend,
                                           OrielFramebuffer *framebuffer)
{
    if (g_set_object(&private_of(backend)->framebuffer, framebuffer)) {
        property_notify(backend, PROP_FRAMEBUFFER);
    }
}

void oriel_display_backend_set_cursor(OrielDisplayBackend *backend, OrielGuestCursor *cursor)
{
    OrielDisplayBackendPrivate *self = private_of(backend);

    if (self->cursor != cursor) {
        g_clear_pointer(&self->cursor, oriel_guest_cursor_unref);
        self->cursor = cursor ? oriel_guest_cursor_ref(cursor) : NULL;
        property_notify(backend, PROP_CURSOR);
    }
}

void oriel_display_backend_move_cursor(OrielDisplayBackend *backend, int x, int y)
{
    OrielDisplayBackendPrivate *self = private_of(backend);

    if (!self->cursor_placed || self->cursor_x != x || self->cursor_y != y) {
        self->cursor_placed = TRUE;
        self->cursor_x = x;
        self->cursor_y = y;
        g_signal_emit(backend, signals[CURSOR_MOVED], 0);
    }
}

void oriel_display_backend_set_pointer_mode(OrielDisplayBackend *backend, OrielPointerMode mode)
{
    OrielDisplayBackendPrivate *self = private_of(backend);

    if (self->pointer_mode != mode) {
        self->pointer_mode = mode;
        property_notify(backend, PROP_POINTER_MODE);
    }
}

void oriel_display_backend_set_can_resize(OrielDisplayBackend *backend, gboolean can_resize)
{
    flag_set(backend, &private_of(backend)->can_resize, can_resize, PROP_CAN_RESIZE);
}

void oriel_display_backend_set_accepts_input(OrielDisplayBackend *backend, gboolean accepts)
{
    flag_set(backend, &private_of(backend)->accepts_input, accepts, PROP_ACCEPTS_INPUT);
}

void oriel_display_backend_set_leds(OrielDisplayBackend *backend, guint leds)
{
    OrielDisplayBackendPrivate *self = private_of(backend);

    if (self->leds != leds) {
        self->leds = leds;
        property_notify(backend, PROP_LEDS);
    }
}

void oriel_display_backend_set_title(OrielDisplayBackend *backend, const char *title)
{
    OrielDisplayBackendPrivate *self = private_of(backend);

    if (g_strcmp0(self->title, title) != 0) {
        g_free(self->title);
        self->title = g_strdup(title);
        property_notify(backend, PROP_TITLE);
    }
}

void oriel_display_backend_damaged(OrielDisplayBackend *backend, const cairo_region_t *region)
{
    g_signal_emit(backend, signals[DAMAGED], 0, region);
}

/* --- The object */

static void oriel_display_backend_get_property(GObject *object, guint id, GValue *value,
                                               GParamSpec *pspec)
{
    OrielDisplayBackendPrivate *self = private_of(ORIEL_DISPLAY_BACKEND(object));

    switch (id) {
    case PROP_STATUS:
        g_value_set_enum(value, (int)self->status);
        break;
    case PROP_MESSAGE:
        g_value_set_string(value, self->message);
        break;
    case PROP_FRAMEBUFFER:
        g_value_set_object(value, self->framebuffer);
        break;
    case PROP_CURSOR:
        g_value_set_boxed(value, self->cursor);
        break;
    case PROP_POINTER_MODE:
        g_value_set_enum(value, (int)self->pointer_mode);
        break;
    case PROP_CAN_RESIZE:
        g_value_set_boolean(value, self->can_resize);
        break;
    case PROP_LEDS:
        g_value_set_uint(value, self->leds);
        break;
    case PROP_TITLE:
        g_value_set_string(value, self->title);
        break;
    case PROP_ACCEPTS_INPUT:
        g_value_set_boolean(value, self->accepts_input);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void oriel_display_backend_dispose(GObject *object)
{
    OrielDisplayBackendPrivate *self = private_of(ORIEL_DISPLAY_BACKEND(object));

    oriel_display_backend_close(ORIEL_DISPLAY_BACKEND(object));
    g_clear_object(&self->framebuffer);
    g_clear_pointer(&self->cursor, oriel_guest_cursor_unref);
    G_OBJECT_CLASS(oriel_display_backend_parent_class)->dispose(object);
}

static void oriel_display_backend_finalize(GObject *object)
{
    OrielDisplayBackendPrivate *self = private_of(ORIEL_DISPLAY_BACKEND(object));

    g_free(self->message);
    g_free(self->title);
    G_OBJECT_CLASS(oriel_display_backend_parent_class)->finalize(object);
}

static void oriel_display_backend_class_init(OrielDisplayBackendClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

    object_class->get_property = oriel_display_backend_get_property;
    object_class->dispose = oriel_display_backend_dispose;
    object_class->finalize = oriel_display_backend_finalize;

    properties[PROP_STATUS] = g_param_spec_enum("status", NULL, NULL, ORIEL_TYPE_DISPLAY_STATUS,
                                                ORIEL_DISPLAY_STATUS_CONNECTING, flags);
    properties[PROP_MESSAGE] = g_param_spec_string("message", NULL, NULL, NULL, flags);
    properties[PROP_FRAMEBUFFER] =
        g_param_spec_object("framebuffer", NULL, NULL, ORIEL_TYPE_FRAMEBUFFER, flags);
    properties[PROP_CURSOR] =
        g_param_spec_boxed("cursor", NULL, NULL, ORIEL_TYPE_GUEST_CURSOR, flags);
    properties[PROP_POINTER_MODE] = g_param_spec_enum(
        "pointer-mode", NULL, NULL, ORIEL_TYPE_POINTER_MODE, ORIEL_POINTER_MODE_NONE, flags);
    properties[PROP_CAN_RESIZE] = g_param_spec_boolean("can-resize", NULL, NULL, FALSE, flags);
    properties[PROP_LEDS] =
        g_param_spec_uint("leds", NULL, NULL, 0, G_MAXUINT, ORIEL_LEDS_UNKNOWN, flags);
    properties[PROP_TITLE] = g_param_spec_string("title", NULL, NULL, NULL, flags);
    properties[PROP_ACCEPTS_INPUT] = g_param_spec_boolean("accepts-input", NULL, NULL, TRUE, flags);
    g_object_class_install_properties(object_class, N_PROPS, properties);

    signals[CURSOR_MOVED] = g_signal_new("cursor-moved", G_TYPE_FROM_CLASS(class),
                                         G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[DAMAGED] = g_signal_new("damaged", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
}

static void oriel_display_backend_init(OrielDisplayBackend *backend)
{
    private_of(backend)->accepts_input = TRUE;
    private_of(backend)->leds = ORIEL_LEDS_UNKNOWN;
}
