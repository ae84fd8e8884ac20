/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state of a machine in words and pictures, the same everywhere in the window. */
#ifndef ORIEL_STATE_H
#define ORIEL_STATE_H

#include "model/oriel-machine-item.h"

/* "Running", translated; of one that paused itself because of the host's disk, what is wrong with
 * it. Static. */
const char *oriel_state_label(OrielMachineItem *item);
/* Name of a symbolic icon for the state, or NULL where none is needed (stopped). Static. */
const char *oriel_state_icon(OrielMachineItem *item);
/* Where the state stands when machines are sorted by it: running ones first. */
int oriel_state_rank(OrielMachineState state);
/* True if the machine paused itself, because the host's disk is full or fails. */
gboolean oriel_state_waits_for_disk(OrielMachineItem *item);

/* The value of a setting as text, "" if it is absent or the machine's settings cannot be read.
 * g_free(). */
char *oriel_state_setting(OrielMachineItem *item, const char *key);
/* The symbolic icon of the system in the machine. Static. */
const char *oriel_state_system_icon(OrielMachineItem *item);

#endif
