/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What control.c (server, properties), commands.c and display.c (methods) share. */
#ifndef ENGINE_CONTROL_PRIVATE_H
#define ENGINE_CONTROL_PRIVATE_H

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "control/control.h"
#include "display.h"
#include "display/viewer.h"
#include "input/input_router.h"
#include "oriel-engine-contract.h"

enum {
    CONTROL_KEYS_MAX = 768, /* evdev codes */
};

/* One connection. */
struct peer {
    bool pressed[CONTROL_KEYS_MAX];            /* keys that it holds down */
    bool holds_buttons;                        /* of the pointer */
    struct viewer *viewers[DISPLAY_HEADS_MAX]; /* from the first look at that head on, else NULL */
};

/* One display: an object of the Display interface. */
struct control_display {
    struct control *control;
    unsigned head;
    char *path;
    OrielEngineDisplay *skeleton;
};

struct control {
    struct machine *machine;
    GDBusServer *server;
    OrielEngine *skeleton;
    struct control_display displays[DISPLAY_HEADS_MAX];
    unsigned n_displays;
    struct input_listener input_listener;
    GHashTable *connections; /* GDBusConnection -> struct peer */
    char *socket_path;
    unsigned running;   /* commands on worker threads */
    unsigned unflushed; /* connections that have not taken all we sent */
    unsigned saves;     /* Save among the running commands */
    guint save_watch;   /* timeout that looks how far a save is; 0: none */
};

struct slow_command;
typedef bool (*slow_function)(struct slow_command *command, GError **error);

/* One slow command under way: runs on a worker, answers on the main loop. */
struct slow_command {
    struct control *control;
    struct machine *machine;
    slow_function function;
    bool (*transition)(struct machine *machine, GError **error); /* of those that are only that */
    char *drive, *path; /* of InsertMedia and EjectMedia; drive: of Plug and Unplug, the device */
    gboolean force;
    guint64 bytes; /* of SetBalloon; of LimitDrive, with the next one */
    guint64 operations;
    char *network, *forward;      /* of what is about network cards */
    gboolean up;                  /* of SetLink */
    guint64 to_guest, from_guest; /* of LimitNetwork */
    GVariant *answer;             /* what the function leaves to be returned; NULL: nothing */
    struct surface picture;       /* of Screenshot and Save, a copy */
    int fd;
};

struct slow_command *slow_new(struct control *control, slow_function function);
/* Takes the command. */
gboolean slow_start(struct slow_command *command, GDBusMethodInvocation *invocation);
/* The file descriptor that an argument of type h names; -1 with *error set. The caller closes it.
 */
int fd_argument(GUnixFDList *fds, GVariant *handle, GError **error);
/* A regular file: writing to anything else might never end. */
bool fd_is_file(int fd);

/* Keeps the property SaveProgress up to date while commands run. */
void control_watch_save(struct control *control);

/* Connects a handler to every method of the Engine interface. */
void commands_connect(struct control *control);
/* Those about network cards. */
void network_connect(struct control *control);
/* Those by which devices come and go. */
void plug_connect(struct control *control);
/* Makes the Display interfaces, with their methods connected and their properties kept true. */
void display_connect(struct control *control);
/* Offers them to a connection, and takes them away again. */
gboolean display_export(struct control *control, GDBusConnection *connection, GError **error);
void display_unexport(struct control *control, GDBusConnection *connection);
/* From here on nothing of them refers to the machine. */
void display_disconnect(struct control *control);
/* Only then. */
void display_free(struct control *control);
/* The console of display number `display`, counted from 1; NULL with *error set: there is none. */
struct console *display_console(struct control *control, guint display, GError **error);
/* The machine's state changed, which may have brought other monitors. */
void display_look(struct control *control);
/* Input may change the pictures: look soon. */
void display_wake(struct control *control);

/* From here on no method of the interface runs: each call is answered with the error State, until
 * the connection closes. */
void interface_refuse(GDBusInterfaceSkeleton *skeleton);

#endif
