/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The methods of the contract by which devices come and go. They wait for the guest, so they run on
 * workers. */
#include "control/control_private.h"

static bool plug_run(struct slow_command *command, GError **error)
{
    return machine_plug(command->machine, command->drive, error);
}

static gboolean on_plug(OrielEngine *engine, GDBusMethodInvocation *invocation, const char *device,
                        struct control *control)
{
    struct slow_command *command = slow_new(control, plug_run);

    command->drive = g_strdup(device);
    return slow_start(command, invocation);
}

static bool unplug_run(struct slow_command *command, GError **error)
{
    return machine_unplug(command->machine, command->drive, command->force, error);
}

static gboolean on_unplug(OrielEngine *engine, GDBusMethodInvocation *invocation,
                          const char *device, gboolean force, struct control *control)
{
    struct slow_command *command = slow_new(control, unplug_run);

    command->drive = g_strdup(device);
    command->force = force;
    return slow_start(command, invocation);
}

void plug_connect(struct control *control)
{
    g_signal_connect(control->skeleton, "handle-plug", G_CALLBACK(on_plug), control);
    g_signal_connect(control->skeleton, "handle-unplug", G_CALLBACK(on_unplug), control);
}
