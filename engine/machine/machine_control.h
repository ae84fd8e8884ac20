/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The transitions of a machine. The caller holds machine->control, no other lock, and is no vCPU.
 */
#ifndef ENGINE_MACHINE_CONTROL_H
#define ENGINE_MACHINE_CONTROL_H

#include "machine/machine_private.h"

/* Makes the thread that carries out what guest and host ask for. */
bool control_thread_start(struct machine *machine, GError **error);
void control_thread_end(struct machine *machine);

void control_state_set(struct machine *machine, enum machine_state state,
                       enum machine_reason reason, const char *message);
/* vCPUs, clock and disks stand still on return. */
void control_halt(struct machine *machine);
/* The opposite. */
void control_go(struct machine *machine);
/* While halted: everything as after power on (cold) or the reset button. */
void control_reset(struct machine *machine, enum reset_kind kind);
/* Halts for good, disks flushed. */
void control_stop(struct machine *machine, enum machine_reason reason);
/* Tells every device. */
void control_event_send(struct machine *machine, enum device_event event);
/* Leaves S3. */
void control_wake(struct machine *machine);

#endif
