/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See control.h. */
#include "control/control.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "config/runtime.h"
#include "control/control_private.h"
#include "input/input_router.h"

enum {
    FLUSH_SECONDS = 2,
    SAVE_LOOK_MS = 100,
};

/* The one mechanism that tells who is there; others would only ask for files in the home folder. */
static gboolean mechanism_allow(GDBusAuthObserver *observer, const char *mechanism, gpointer data)
{
    return strcmp(mechanism, "EXTERNAL") == 0;
}

static gboolean peer_authorize(GDBusAuthObserver *observer, GIOStream *stream,
                               GCredentials *credentials, gpointer data)
{
    return credentials && g_credentials_get_unix_user(credentials, NULL) == getuid();
}

static void peer_free(gpointer data)
{
    struct peer *peer = data;

    for (unsigned head = 0; head < DISPLAY_HEADS_MAX; head++) {
        viewer_free(peer->viewers[head]);
    }
    g_free(peer);
}

/* `context` is the call of TypeText that waits. */
static bool is_of_connection(void *context, const void *connection)
{
    return g_dbus_method_invocation_get_connection(context) == connection;
}

/* Nobody is left who could let go of what is down, or wants what is still to be typed. */
static void connection_closed(GDBusConnection *connection, gboolean remote_peer_vanished,
                              GError *error, gpointer data)
{
    struct control *control = data;
    const struct peer *peer = g_hash_table_lookup(control->connections, connection);

    input_cancel(machine_input(control->machine), is_of_connection, connection);
    for (uint16_t code = 1; code < CONTROL_KEYS_MAX; code++) {
        if (peer->pressed[code]) {
            input_key(machine_input(control->machine), code, false);
        }
    }
    if (peer->holds_buttons) {
        input_release_buttons(machine_input(control->machine));
    }
    g_dbus_interface_skeleton_unexport_from_connection(G_DBUS_INTERFACE_SKELETON(control->skeleton),
                                                       connection);
    display_unexport(control, connection);
    g_signal_handlers_disconnect_by_data(connection, control);
    g_hash_table_remove(control->connections, connection);
}

static gboolean connection_new(GDBusServer *server, GDBusConnection *connection, gpointer data)
{
    struct control *control = data;
    g_autoptr(GError) error = NULL;

    if (g_dbus_connection_is_closed(connection)) {
        return FALSE; /* it has said so already, and will not again */
    }
    if (!g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(control->skeleton), connection,
                                          ORIEL_ENGINE_PATH, &error) ||
        !display_export(control, connection, &error)) {
        g_warning("A control connection was refused: %s", error->message);
        return FALSE;
    }
    g_hash_table_insert(control->connections, g_object_ref(connection), g_new0(struct peer, 1));
    g_signal_connect(connection, "closed", G_CALLBACK(connection_closed), control);
    return TRUE;
}

static void properties_set(struct control *control, const char *const *vnc_addresses,
                           const char *const *serial_sockets)
{
    const OrielConfig *config = machine_config(control->machine);

    oriel_engine_set_protocol_version(control->skeleton, ORIEL_PROTOCOL_VERSION);
    oriel_engine_set_uuid(control->skeleton, config->uuid);
    oriel_engine_set_folder(control->skeleton, machine_folder(control->machine));
    oriel_engine_set_name(control->skeleton, config->name);
    oriel_engine_set_vnc_addresses(control->skeleton, vnc_addresses);
    oriel_engine_set_serial_sockets(control->skeleton, serial_sockets);
}

static gboolean server_start(struct control *control, GError **error)
{
    g_autoptr(GDBusAuthObserver) observer = g_dbus_auth_observer_new();
    g_autoptr(GError) cause = NULL;

    g_signal_connect(observer, "allow-mechanism", G_CALLBACK(mechanism_allow), NULL);
    g_signal_connect(observer, "authorize-authenticated-peer", G_CALLBACK(peer_authorize), NULL);
    control->server = oriel_runtime_listen(control->socket_path, observer, &cause);
    if (!control->server) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                    "The machine cannot be reached under “%s”: %s.", control->socket_path,
                    cause->message);
        return FALSE;
    }
    g_signal_connect(control->server, "new-connection", G_CALLBACK(connection_new), control);
    g_dbus_server_start(control->server);
    return TRUE;
}

struct control *control_new(struct machine *machine, const char *runtime_folder,
                            const char *const *vnc_addresses, const char *const *serial_sockets,
                            GError **error)
{
    struct control *control = g_new0(struct control, 1);
    enum machine_reason reason;
    enum machine_state state = machine_state(machine, &reason);

    oriel_error_register_dbus();
    control->machine = machine;
    control->socket_path = g_build_filename(runtime_folder, "engine", NULL);
    control->skeleton = oriel_engine_skeleton_new();
    control->connections =
        g_hash_table_new_full(g_direct_hash, g_direct_equal, g_object_unref, peer_free);
    properties_set(control, vnc_addresses, serial_sockets);
    control_state_changed(control, state, reason, "");
    commands_connect(control);
    display_connect(control);
    if (!server_start(control, error)) {
        control_end(control);
        control_free(control);
        return NULL;
    }
    return control;
}

static gboolean save_look(gpointer data)
{
    struct control *control = data;

    oriel_engine_set_save_progress(control->skeleton, machine_save_progress(control->machine));
    if (control->running > 0) {
        return G_SOURCE_CONTINUE;
    }
    control->save_watch = 0;
    return G_SOURCE_REMOVE;
}

void control_watch_save(struct control *control)
{
    if (control->save_watch == 0) {
        control->save_watch = g_timeout_add(SAVE_LOOK_MS, save_look, control);
    }
}

static void flushed(GObject *connection, GAsyncResult *result, gpointer data)
{
    struct control *control = data;

    g_dbus_connection_flush_finish(G_DBUS_CONNECTION(connection), result, NULL);
    control->unflushed--;
}

static gboolean time_is_over(gpointer data)
{
    *(bool *)data = true;
    return G_SOURCE_REMOVE;
}

/* Sends what is still to be sent; a client that does not read is not waited for long. */
static void connections_flush(struct control *control)
{
    bool over = false;
    guint timeout = g_timeout_add_seconds(FLUSH_SECONDS, time_is_over, &over);
    GHashTableIter iter;
    gpointer connection;

    g_hash_table_iter_init(&iter, control->connections);
    while (g_hash_table_iter_next(&iter, &connection, NULL)) {
        control->unflushed++;
        g_dbus_connection_flush(connection, NULL, flushed, control);
    }
    while (control->unflushed > 0 && !over) {
        g_main_context_iteration(NULL, TRUE);
    }
    if (!over) {
        g_source_remove(timeout);
    }
}

/* GLib calls it on a thread of its own. */
static gboolean refuse(GDBusInterfaceSkeleton *skeleton, GDBusMethodInvocation *invocation,
                       gpointer data)
{
    g_dbus_method_invocation_return_error_literal(invocation, ORIEL_ERROR, ORIEL_ERROR_STATE,
                                                  "The machine is ending.");
    return FALSE;
}

void interface_refuse(GDBusInterfaceSkeleton *skeleton)
{
    g_signal_connect(skeleton, "g-authorize-method", G_CALLBACK(refuse), NULL);
}

void control_end(struct control *control)
{
    GHashTableIter iter;
    gpointer connection;

    if (control->server) {
        g_dbus_server_stop(control->server);
    }
    unlink(control->socket_path);
    interface_refuse(G_DBUS_INTERFACE_SKELETON(control->skeleton));
    display_disconnect(control);
    input_cancel(machine_input(control->machine), NULL, NULL);
    while (control->running > 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_clear_handle_id(&control->save_watch, g_source_remove);
    connections_flush(control);
    g_hash_table_iter_init(&iter, control->connections);
    while (g_hash_table_iter_next(&iter, &connection, NULL)) {
        g_signal_handlers_disconnect_by_data(connection, control);
    }
    if (control->server) {
        g_signal_handlers_disconnect_by_data(control->server, control);
    }
}

void control_free(struct control *control)
{
    GHashTableIter iter;
    gpointer connection;

    if (!control) {
        return;
    }
    g_hash_table_iter_init(&iter, control->connections);
    /* Closing waits for what is unsent; those that do not read are closed by the end of the
     * process. */
    while (control->unflushed == 0 && g_hash_table_iter_next(&iter, &connection, NULL)) {
        g_dbus_connection_close_sync(connection, NULL, NULL);
    }
    g_clear_object(&control->server);
    g_clear_object(&control->skeleton);
    display_free(control);
    g_hash_table_unref(control->connections);
    g_free(control->socket_path);
    g_free(control);
}

void control_state_changed(struct control *control, enum machine_state state,
                           enum machine_reason reason, const char *message)
{
    g_object_freeze_notify(G_OBJECT(control->skeleton));
    oriel_engine_set_state(control->skeleton, machine_state_name(state));
    oriel_engine_set_reason(control->skeleton, machine_reason_name(reason));
    oriel_engine_set_message(control->skeleton, message ? message : "");
    g_object_thaw_notify(G_OBJECT(control->skeleton));
    g_dbus_interface_skeleton_flush(G_DBUS_INTERFACE_SKELETON(control->skeleton));
    display_look(control);
}

void control_was_reset(struct control *control)
{
    oriel_engine_emit_was_reset(control->skeleton);
}

void control_media_changed(struct control *control, const char *drive)
{
    oriel_engine_emit_media_changed(control->skeleton, drive);
}
