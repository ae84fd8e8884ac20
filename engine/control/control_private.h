/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What control.c (server, properties) and commands.c (methods) share. */
#ifndef ENGINE_CONTROL_PRIVATE_H
#define ENGINE_CONTROL_PRIVATE_H

#include <gio/gio.h>

#include "control/control.h"
#include "oriel-engine-contract.h"

enum {
    CONTROL_KEYS_MAX = 768, /* evdev codes */
};

/* One connection. */
struct peer {
    bool pressed[CONTROL_KEYS_MAX]; /* keys that it holds down */
};

struct control {
    struct machine *machine;
    GDBusServer *server;
    OrielEngine *skeleton;
    GHashTable *connections; /* GDBusConnection -> struct peer */
    char *socket_path;
    unsigned running;   /* commands on worker threads */
    unsigned unflushed; /* connections that have not taken all we sent */
};

/* Connects a handler to every method of the skeleton. */
void commands_connect(struct control *control);

#endif
