/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Moving a machine to another folder. Blocking; any thread. */
#ifndef ORIEL_MOVE_H
#define ORIEL_MOVE_H

#include "oriel-files.h"
#include "oriel-library.h"

/*
 * Moves the machine's folder into the folder `parent`, also on another file system. The machine
 * must not run. Returns its new folder. Killed at any moment, the machine is at its old or its new
 * place, whole; between file systems, just before the end, at both. Errors: LOCKED, EXISTS,
 * NO_SPACE, INVALID, ... g_free().
 */
char *oriel_move(const OrielMachine *machine, const char *parent, OrielProgress progress,
                 gpointer data, GCancellable *cancellable, GError **error);

#endif
