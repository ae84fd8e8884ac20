/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Display interface of the contract: shared memory for viewers, and what they need to know. */
#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "config/runtime.h"
#include "control/control_private.h"
#include "input/input_router.h"

static struct console *console_of(const struct control_display *display)
{
    return machine_console(display->control->machine, display->head);
}

struct console *display_console(struct control *control, guint display, GError **error)
{
    if (display >= 1 && display <= control->n_displays) {
        return machine_console(control->machine, display - 1);
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                "“%s” has no display %u; its displays are 1 to %u.",
                machine_config(control->machine)->name, display, control->n_displays);
    return NULL;
}

void display_wake(struct control *control)
{
    for (unsigned head = 0; head < control->n_displays; head++) {
        console_wake(machine_console(control->machine, head));
    }
}

/* --- Frames ----------------------------------------------------------------------------------- */

/* `call` is the GDBusMethodInvocation of a NextFrame. */
static void next_frame_answer(void *call, guint32 scanout, const struct damage *damage,
                              const GError *error)
{
    GVariantBuilder rectangles;

    if (error) {
        g_dbus_method_invocation_return_gerror(call, error);
        return;
    }
    g_variant_builder_init(&rectangles, G_VARIANT_TYPE("a(uuuu)"));
    for (unsigned i = 0; i < damage->n; i++) {
        const struct rect *r = &damage->rects[i];

        g_variant_builder_add(&rectangles, "(uuuu)", r->x, r->y, r->width, r->height);
    }
    g_dbus_method_invocation_return_value(call, g_variant_new("(ua(uuuu))", scanout, &rectangles));
}

/* `call` is the GDBusMethodInvocation of a NextCursor. */
static void next_cursor_answer(void *call, const struct display_cursor *cursor, bool pixels,
                               const GError *error)
{
    GVariant *bytes;

    if (error) {
        g_dbus_method_invocation_return_gerror(call, error);
        return;
    }
    bytes = g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, cursor->pixels,
                                      pixels ? sizeof(cursor->pixels) : 0, 1);
    g_dbus_method_invocation_return_value(
        call, g_variant_new("(ubiiuuuu@ay)", cursor->shape, cursor->visible, cursor->x, cursor->y,
                            cursor->hot_x, cursor->hot_y, DISPLAY_CURSOR_SIDE, DISPLAY_CURSOR_SIDE,
                            bytes));
}

/* The connection's viewer; NULL if the connection has just closed. */
static struct viewer *viewer_of(struct control_display *display, GDBusMethodInvocation *invocation)
{
    struct peer *peer = g_hash_table_lookup(display->control->connections,
                                            g_dbus_method_invocation_get_connection(invocation));

    if (!peer) {
        g_dbus_method_invocation_return_error_literal(invocation, ORIEL_ERROR, ORIEL_ERROR_STATE,
                                                      "The connection is closed.");
        return NULL;
    }
    if (!peer->viewers[display->head]) {
        peer->viewers[display->head] =
            viewer_new(console_of(display), next_frame_answer, next_cursor_answer);
    }
    return peer->viewers[display->head];
}

static gboolean on_next_frame(OrielEngineDisplay *skeleton, GDBusMethodInvocation *invocation,
                              guint shown, struct control_display *display)
{
    struct viewer *viewer = viewer_of(display, invocation);

    if (viewer) {
        viewer_next(viewer, shown, invocation);
    }
    return TRUE;
}

static gboolean on_next_cursor(OrielEngineDisplay *skeleton, GDBusMethodInvocation *invocation,
                               guint shown, struct control_display *display)
{
    struct viewer *viewer = viewer_of(display, invocation);

    if (viewer) {
        viewer_next_cursor(viewer, shown, invocation);
    }
    return TRUE;
}

static gboolean on_get_scanout(OrielEngineDisplay *skeleton, GDBusMethodInvocation *invocation,
                               GUnixFDList *fds, struct control_display *display)
{
    g_autoptr(GUnixFDList) list = g_unix_fd_list_new();
    g_autoptr(GError) error = NULL;
    const struct scanout *scanout;
    int handle;

    if (!viewer_of(display, invocation)) {
        return TRUE;
    }
    scanout = console_scanout(console_of(display));
    if (scanout->memory < 0) {
        g_dbus_method_invocation_return_error(
            invocation, ORIEL_ERROR, ORIEL_ERROR_HOST,
            "The picture of “%s” cannot be shared: this computer gives no sealed memory. Use VNC.",
            machine_config(display->control->machine)->name);
        return TRUE;
    }
    handle = g_unix_fd_list_append(list, scanout->memory, &error);
    if (handle < 0) {
        g_dbus_method_invocation_return_gerror(invocation, error);
        return TRUE;
    }
    oriel_engine_display_complete_get_scanout(skeleton, invocation, list, scanout->id,
                                              g_variant_new_handle(handle), scanout->surface.width,
                                              scanout->surface.height,
                                              scanout->surface.stride * (guint32)sizeof(uint32_t));
    return TRUE;
}

static gboolean on_set_size(OrielEngineDisplay *skeleton, GDBusMethodInvocation *invocation,
                            guint width, guint height, struct control_display *display)
{
    if (!console_can_resize(console_of(display))) {
        g_dbus_method_invocation_return_error(
            invocation, ORIEL_ERROR, ORIEL_ERROR_STATE,
            "The display adapter of “%s” cannot tell the guest a size.",
            machine_config(display->control->machine)->name);
        return TRUE;
    }
    console_set_size(console_of(display), width, height);
    oriel_engine_display_complete_set_size(skeleton, invocation);
    return TRUE;
}

static gboolean on_set_connected(OrielEngineDisplay *skeleton, GDBusMethodInvocation *invocation,
                                 gboolean connected, struct control_display *display)
{
    if (display->head == 0) {
        g_dbus_method_invocation_return_error(invocation, ORIEL_ERROR, ORIEL_ERROR_STATE,
                                              "The first display of “%s” is always connected.",
                                              machine_config(display->control->machine)->name);
        return TRUE;
    }
    console_set_connected(console_of(display), connected);
    oriel_engine_display_set_connected(skeleton, connected);
    oriel_engine_display_complete_set_connected(skeleton, invocation);
    return TRUE;
}

/* --- Properties ------------------------------------------------------------------------------- */

static void input_changed(void *context)
{
    struct control *control = context;
    struct input *input = machine_input(control->machine);

    for (unsigned i = 0; i < control->n_displays; i++) {
        OrielEngineDisplay *skeleton = control->displays[i].skeleton;

        oriel_engine_display_set_pointer_mode(skeleton,
                                              pointer_mode_name(input_pointer_mode(input)));
        oriel_engine_display_set_leds(skeleton, input_leds(input));
        g_dbus_interface_skeleton_flush(G_DBUS_INTERFACE_SKELETON(skeleton));
    }
}

/* --- Life ------------------------------------------------------------------------------------- */

static void display_init(struct control_display *display, struct control *control, unsigned head)
{
    const struct {
        const char *signal;
        GCallback handler;
    } methods[] = {
        { "handle-next-frame", G_CALLBACK(on_next_frame) },
        { "handle-next-cursor", G_CALLBACK(on_next_cursor) },
        { "handle-get-scanout", G_CALLBACK(on_get_scanout) },
        { "handle-set-size", G_CALLBACK(on_set_size) },
        { "handle-set-connected", G_CALLBACK(on_set_connected) },
    };
    struct console *console = machine_console(control->machine, head);

    display->control = control;
    display->head = head;
    display->path = head == 0 ? g_strdup(ORIEL_ENGINE_PATH)
                              : g_strdup_printf(ORIEL_ENGINE_PATH "/Display%u", head + 1);
    display->skeleton = oriel_engine_display_skeleton_new();
    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
        g_signal_connect(display->skeleton, methods[i].signal, methods[i].handler, display);
    }
    oriel_engine_display_set_can_resize(display->skeleton, console_can_resize(console));
    oriel_engine_display_set_connected(display->skeleton, console_is_connected(console));
}

void display_connect(struct control *control)
{
    while (machine_console(control->machine, control->n_displays)) {
        display_init(&control->displays[control->n_displays], control, control->n_displays);
        control->n_displays++;
    }
    oriel_engine_set_displays(control->skeleton, control->n_displays);
    control->input_listener = (struct input_listener){ input_changed, control };
    input_listen(machine_input(control->machine), &control->input_listener);
    input_changed(control);
}

void display_look(struct control *control)
{
    for (unsigned i = 0; i < control->n_displays; i++) {
        struct control_display *display = &control->displays[i];

        oriel_engine_display_set_connected(display->skeleton,
                                           console_is_connected(console_of(display)));
    }
}

gboolean display_export(struct control *control, GDBusConnection *connection, GError **error)
{
    for (unsigned i = 0; i < control->n_displays; i++) {
        struct control_display *display = &control->displays[i];

        if (!g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(display->skeleton),
                                              connection, display->path, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

void display_unexport(struct control *control, GDBusConnection *connection)
{
    for (unsigned i = 0; i < control->n_displays; i++) {
        g_dbus_interface_skeleton_unexport_from_connection(
            G_DBUS_INTERFACE_SKELETON(control->displays[i].skeleton), connection);
    }
}

void display_disconnect(struct control *control)
{
    GHashTableIter iter;
    gpointer value;

    for (unsigned i = 0; i < control->n_displays; i++) {
        interface_refuse(G_DBUS_INTERFACE_SKELETON(control->displays[i].skeleton));
    }
    input_unlisten(machine_input(control->machine), &control->input_listener);
    g_hash_table_iter_init(&iter, control->connections);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct peer *peer = value;

        for (unsigned head = 0; head < DISPLAY_HEADS_MAX; head++) {
            g_clear_pointer(&peer->viewers[head], viewer_free);
        }
    }
}

void display_free(struct control *control)
{
    for (unsigned i = 0; i < control->n_displays; i++) {
        g_clear_object(&control->displays[i].skeleton);
        g_clear_pointer(&control->displays[i].path, g_free);
    }
}
