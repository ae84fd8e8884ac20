/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The methods of the contract about network cards. They wait for oriel-net, so they run on workers.
 */
#include <gio/gio.h>
#include <unistd.h>

#include "control/control_private.h"

static struct slow_command *network_new(struct control *control, slow_function function,
                                        const char *network)
{
    struct slow_command *command = slow_new(control, function);

    command->network = g_strdup(network);
    return command;
}

static bool set_link_run(struct slow_command *command, GError **error)
{
    return machine_set_link(command->machine, command->network, command->up, error);
}

static gboolean on_set_link(OrielEngine *engine, GDBusMethodInvocation *invocation,
                            const char *network, gboolean up, struct control *control)
{
    struct slow_command *command = network_new(control, set_link_run, network);

    command->up = up;
    return slow_start(command, invocation);
}

static bool add_forward_run(struct slow_command *command, GError **error)
{
    return machine_add_forward(command->machine, command->network, command->forward, error);
}

static gboolean on_add_forward(OrielEngine *engine, GDBusMethodInvocation *invocation,
                               const char *network, const char *forward, struct control *control)
{
    struct slow_command *command = network_new(control, add_forward_run, network);

    command->forward = g_strdup(forward);
    return slow_start(command, invocation);
}

static bool remove_forward_run(struct slow_command *command, GError **error)
{
    return machine_remove_forward(command->machine, command->network, command->forward, error);
}

static gboolean on_remove_forward(OrielEngine *engine, GDBusMethodInvocation *invocation,
                                  const char *network, const char *forward, struct control *control)
{
    struct slow_command *command = network_new(control, remove_forward_run, network);

    command->forward = g_strdup(forward);
    return slow_start(command, invocation);
}

static bool list_forwards_run(struct slow_command *command, GError **error)
{
    g_autofree char *text = machine_list_forwards(command->machine, command->network, error);
    g_auto(GStrv) forwards = text ? g_strsplit(text, ", ", -1) : NULL;

    if (forwards) {
        command->answer = g_variant_ref_sink(g_variant_new("(^as)", forwards));
    }
    return forwards != NULL;
}

static gboolean on_list_forwards(OrielEngine *engine, GDBusMethodInvocation *invocation,
                                 const char *network, struct control *control)
{
    return slow_start(network_new(control, list_forwards_run, network), invocation);
}

static bool capture_run(struct slow_command *command, GError **error)
{
    return machine_capture(command->machine, command->network, command->fd, error);
}

static gboolean on_start_capture(OrielEngine *engine, GDBusMethodInvocation *invocation,
                                 GUnixFDList *fds, const char *network, GVariant *handle,
                                 struct control *control)
{
    g_autoptr(GError) error = NULL;
    int fd = fd_argument(fds, handle, &error);
    struct slow_command *command;

    if (fd >= 0 && !fd_is_file(fd)) {
        g_set_error(&error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "The network can be captured into a file only.");
        close(fd);
    }
    if (error) {
        g_dbus_method_invocation_return_gerror(invocation, error);
        return TRUE;
    }
    command = network_new(control, capture_run, network);
    command->fd = fd;
    return slow_start(command, invocation);
}

static gboolean on_stop_capture(OrielEngine *engine, GDBusMethodInvocation *invocation,
                                const char *network, struct control *control)
{
    return slow_start(network_new(control, capture_run, network), invocation);
}

static bool limit_run(struct slow_command *command, GError **error)
{
    return machine_limit_network(command->machine, command->network, command->to_guest,
                                 command->from_guest, error);
}

static gboolean on_limit_network(OrielEngine *engine, GDBusMethodInvocation *invocation,
                                 const char *network, guint64 to_guest, guint64 from_guest,
                                 struct control *control)
{
    struct slow_command *command = network_new(control, limit_run, network);

    command->to_guest = to_guest;
    command->from_guest = from_guest;
    return slow_start(command, invocation);
}

static bool list_connections_run(struct slow_command *command, GError **error)
{
    GVariant *connections = machine_list_connections(command->machine, command->network, error);

    if (connections) {
        command->answer = g_variant_ref_sink(g_variant_new("(@a(sqsqsttub))", connections));
    }
    return connections != NULL;
}

static gboolean on_list_connections(OrielEngine *engine, GDBusMethodInvocation *invocation,
                                    const char *network, struct control *control)
{
    return slow_start(network_new(control, list_connections_run, network), invocation);
}

void network_connect(struct control *control)
{
    static const struct {
        const char *signal;
        GCallback handler;
    } methods[] = {
        { "handle-set-link", G_CALLBACK(on_set_link) },
        { "handle-add-forward", G_CALLBACK(on_add_forward) },
        { "handle-remove-forward", G_CALLBACK(on_remove_forward) },
        { "handle-list-forwards", G_CALLBACK(on_list_forwards) },
        { "handle-start-capture", G_CALLBACK(on_start_capture) },
        { "handle-stop-capture", G_CALLBACK(on_stop_capture) },
        { "handle-limit-network", G_CALLBACK(on_limit_network) },
        { "handle-list-connections", G_CALLBACK(on_list_connections) },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
        g_signal_connect(control->skeleton, methods[i].signal, methods[i].handler, control);
    }
}
