/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A display server: shows the console to network clients and takes their input. Servers are modules
 * that are loaded when the first client comes, so that a machine nobody looks at carries none of
 * their code.
 *
 * Threads: main loop only.
 */
#ifndef ENGINE_DISPLAY_SERVER_H
#define ENGINE_DISPLAY_SERVER_H

#include "display/console.h"
#include "input/input_router.h"

enum {
    DISPLAY_SERVER_CLIENTS_MAX = 16,
};

/* What a module exports under the name "display_server". */
struct display_server {
    /* `password` NULL: none is asked for. Console and input router outlive the server. */
    void *(*start)(struct console *console, struct input *input, const char *name,
                   const char *password);
    /* Takes over a connected socket. */
    void (*add_client)(void *server, int fd);
    /* Disconnects everybody. */
    void (*stop)(void *server);
};

struct display_listener;

/*
 * Listens on an address, "unix:PATH" or "ADDRESS:PORT", and loads the module ("vnc") at the first
 * connection. A TCP address needs a password. NULL with *error set if it cannot listen.
 */
struct display_listener *display_listener_new(const char *module, const char *address,
                                              const char *password, struct console *console,
                                              struct input *input, const char *name,
                                              GError **error);
void display_listener_free(struct display_listener *listener);
/* Where it listens, in the form given to display_listener_new(); port 0 has become the real one. */
const char *display_listener_address(const struct display_listener *listener);

#endif
