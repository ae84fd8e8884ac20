/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An oriel-net process from the engine's side: started with the two pairs of sockets of wire.h,
 * asked on one of them. Threads: one at a time, which the caller sees to.
 */
#ifndef ENGINE_NET_PROCESS_H
#define ENGINE_NET_PROCESS_H

#include <glib.h>
#include <stdbool.h>

#include "net/wire.h"

struct net_process {
    GPid pid;    /* 0: none runs */
    int frames;  /* not blocking; -1 */
    int control; /* -1 */
};

/*
 * Starts the program that ORIEL_NET names, or the one beside the engine, and gives it its first
 * request. HOST with *error set; nothing runs then.
 */
bool net_process_start(struct net_process *process, const struct wire_start *start, GError **error);
/*
 * Sends a request, with a descriptor if `fd` is not -1, and waits for the answer, a few seconds at
 * most. `connections` (or NULL) has room for WIRE_CONNECTIONS_MAX; *n becomes their number. Returns
 * 0 or an errno value: the process's, or ETIMEDOUT, EPIPE, EPROTO if it does not answer well.
 */
int net_process_request(struct net_process *process, const struct wire_request *request, int fd,
                        struct wire_connection *connections, unsigned *n);
/* Ends it at once. */
void net_process_end(struct net_process *process);

#endif
