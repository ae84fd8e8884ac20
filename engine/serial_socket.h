/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A serial port of the machine for the host: a Unix socket that any number of clients may connect
 * to, and a log file of everything the guest has said since the engine started.
 *
 * A client that does not read misses output; it never holds up the guest. Input of all clients goes
 * to the guest in the order it arrives, as fast as the guest takes it.
 *
 * Threads: main loop only.
 */
#ifndef ENGINE_SERIAL_SOCKET_H
#define ENGINE_SERIAL_SOCKET_H

#include <glib.h>

#include "machine.h"

struct serial_socket;

/* Listens on `path` and writes the log to `log_path`, emptied. NULL with *error set if it cannot.
 */
struct serial_socket *serial_socket_new(struct machine *machine, unsigned port, const char *path,
                                        const char *log_path, GError **error);
void serial_socket_free(struct serial_socket *serial);

#endif
