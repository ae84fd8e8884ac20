/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What oriel-worker and its caller have in common. The caller starts the process with its rights as
 * arguments and one end of a pair of sockets at WORKER_FD, where D-Bus is spoken, peer to peer, the
 * caller as the authenticating side. There is one object with one interface:
 *
 *   Run(s operation, a{sv} options) -> (a{sv} answer)   once; with a descriptor: "file" of the work
 *   Cancel()
 *   signal Progress(t done, t total)                     bytes; total 0: not known
 *
 * Both sides come from the same build; this is no contract with others.
 */
#ifndef ORIEL_WORKER_PROTOCOL_H
#define ORIEL_WORKER_PROTOCOL_H

#define WORKER_PATH      "/io/github/oriel_vm/Oriel/Worker"
#define WORKER_INTERFACE "io.github.oriel_vm.Oriel.Worker"
#define WORKER_RUN       "Run"
#define WORKER_CANCEL    "Cancel"
#define WORKER_PROGRESS  "Progress"

/* Arguments, each followed by a path. */
#define WORKER_READ      "--read"
#define WORKER_CHANGE    "--change"
#define WORKER_FILL      "--fill"
/* By itself: the database of systems will be asked. */
#define WORKER_SYSTEMS   "--systems"
/* By itself: texts will be read, in whatever encoding. */
#define WORKER_TEXTS     "--texts"

enum {
    WORKER_FD = 3,
    WORKER_PATHS_MAX = 8,
};

#endif
