/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What control.c (server, properties), commands.c and display.c (methods) share. */
#ifndef ENGINE_CONTROL_PRIVATE_H
#define ENGINE_CONTROL_PRIVATE_H

#include <gio/gio.h>

#include "control/control.h"
#include "display/viewer.h"
#include "oriel-engine-contract.h"

enum {
    CONTROL_KEYS_MAX = 768, /* evdev codes */
};

/* One connection. */
struct peer {
    bool pressed[CONTROL_KEYS_MAX]; /* keys that it holds down */
    struct viewer *viewer;          /* from its first look at the picture on, else NULL */
};

struct control {
    struct machine *machine;
    GDBusServer *server;
    OrielEngine *skeleton;
    OrielEngineDisplay *display;
    GHashTable *connections; /* GDBusConnection -> struct peer */
    char *socket_path;
    unsigned running;   /* commands on worker threads */
    unsigned unflushed; /* connections that have not taken all we sent */
    unsigned saves;     /* Save among the running commands */
    guint save_watch;   /* timeout that looks how far a save is; 0: none */
};

/* Keeps the property SaveProgress up to date while commands run. */
void control_watch_save(struct control *control);

/* Connects a handler to every method of the Engine interface. */
void commands_connect(struct control *control);
/* Makes the Display interface, with its methods connected and its properties kept true. */
void display_connect(struct control *control);
/* From here on nothing of it refers to the machine. */
void display_disconnect(struct control *control);

/* From here on no method of the interface runs: each call is answered with the error State, until the
 * connection closes. */
void interface_refuse(GDBusInterfaceSkeleton *skeleton);

#endif
