/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Display interface of the contract: shared memory for viewers, and what they need to know. */
#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "control/control_private.h"
#include "input/input_router.h"

static struct console *console_of(struct control *control)
{
    return machine_console(control->machine);
}

/* --- Frames
 * ----------------------------------------------------------------------------------------- */

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

/* The connection's viewer; NULL if the connection has just closed. */
static struct viewer *viewer_of(struct control *control, GDBusMethodInvocation *invocation)
{
    struct peer *peer = g_hash_table_lookup(control->connections,
                                            g_dbus_method_invocation_get_connection(invocation));

    if (peer && !peer->viewer) {
        peer->viewer = viewer_new(console_of(control), next_frame_answer);
    }
    if (!peer) {
        g_dbus_method_invocation_return_error_literal(invocation, ORIEL_ERROR, ORIEL_ERROR_STATE,
                                                      "The connection is closed.");
        return NULL;
    }
    return peer->viewer;
}

static gboolean on_next_frame(OrielEngineDisplay *display, GDBusMethodInvocation *invocation,
                              guint shown, struct control *control)
{
    struct viewer *viewer = viewer_of(control, invocation);

    if (viewer) {
        viewer_next(viewer, shown, invocation);
    }
    return TRUE;
}

static gboolean on_get_scanout(OrielEngineDisplay *display, GDBusMethodInvocation *invocation,
                               GUnixFDList *fds, struct control *control)
{
    g_autoptr(GUnixFDList) list = g_unix_fd_list_new();
    g_autoptr(GError) error = NULL;
    const struct scanout *scanout;
    int handle;

    if (!viewer_of(control, invocation)) {
        return TRUE;
    }
    scanout = console_scanout(console_of(control));
    if (scanout->memory < 0) {
        g_dbus_method_invocation_return_error(
            invocation, ORIEL_ERROR, ORIEL_ERROR_HOST,
            "The picture of “%s” cannot be shared: this computer gives no sealed memory. Use VNC.",
            machine_config(control->machine)->name);
        return TRUE;
    }
    handle = g_unix_fd_list_append(list, scanout->memory, &error);
    if (handle < 0) {
        g_dbus_method_invocation_return_gerror(invocation, error);
        return TRUE;
    }
    oriel_engine_display_complete_get_scanout(display, invocation, list, scanout->id,
                                              g_variant_new_handle(handle), scanout->surface.width,
                                              scanout->surface.height,
                                              scanout->surface.stride * (guint32)sizeof(uint32_t));
    return TRUE;
}

static gboolean on_set_size(OrielEngineDisplay *display, GDBusMethodInvocation *invocation,
                            guint width, guint height, struct control *control)
{
    if (!console_can_resize(console_of(control))) {
        g_dbus_method_invocation_return_error(
            invocation, ORIEL_ERROR, ORIEL_ERROR_STATE,
            "The display adapter of “%s” cannot tell the guest a size.",
            machine_config(control->machine)->name);
        return TRUE;
    }
    console_set_size(console_of(control), width, height);
    oriel_engine_display_complete_set_size(display, invocation);
    return TRUE;
}

/* --- Properties
 * ------------------------------------------------------------------------------------- */

static void input_changed(void *context)
{
    struct control *control = context;
    struct input *input = machine_input(control->machine);

    oriel_engine_display_set_absolute_pointer(control->display, input_is_absolute(input));
    oriel_engine_display_set_leds(control->display, input_leds(input));
    g_dbus_interface_skeleton_flush(G_DBUS_INTERFACE_SKELETON(control->display));
}

void display_connect(struct control *control)
{
    control->display = oriel_engine_display_skeleton_new();
    g_signal_connect(control->display, "handle-next-frame", G_CALLBACK(on_next_frame), control);
    g_signal_connect(control->display, "handle-get-scanout", G_CALLBACK(on_get_scanout), control);
    g_signal_connect(control->display, "handle-set-size", G_CALLBACK(on_set_size), control);
    oriel_engine_display_set_can_resize(control->display, console_can_resize(console_of(control)));
    input_listen(machine_input(control->machine), input_changed, control);
    input_changed(control);
}

void display_disconnect(struct control *control)
{
    GHashTableIter iter;
    gpointer peer;

    interface_refuse(G_DBUS_INTERFACE_SKELETON(control->display));
    input_listen(machine_input(control->machine), NULL, NULL);
    g_hash_table_iter_init(&iter, control->connections);
    while (g_hash_table_iter_next(&iter, NULL, &peer)) {
        g_clear_pointer(&((struct peer *)peer)->viewer, viewer_free);
    }
}
