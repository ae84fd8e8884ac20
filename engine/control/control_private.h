/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What control.c (server, properties) and commands.c (methods) share. */
#ifndef ENGINE_CONTROL_PRIVATE_H
#define ENGINE_CONTROL_PRIVATE_H

#include <gio/gio.h>

#include "control/control.h"
#include "oriel-engine-contract.h"

struct control {
    struct machine *machine;
    GDBusServer *server;
    OrielEngine *skeleton;
    GHashTable *connections; /* GDBusConnection */
    char *socket_path;
};

/* Connects a handler to every method of the skeleton. */
void commands_connect(struct control *control);

#endif
