/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine's side of the D-Bus contract (data/io.github.oriel_vm.Oriel.Engine.xml): a
 * peer-to-peer server on a Unix socket in the machine's runtime folder.
 *
 * Threads: main loop only. Commands that may take time run on a worker thread and answer when they
 * are done.
 */
#ifndef ENGINE_CONTROL_H
#define ENGINE_CONTROL_H

#include <glib.h>

#include "machine.h"

struct control;

/* Listens on FOLDER/engine. NULL with *error set if it cannot. The machine
 * lives until control_end(). */
struct control *control_new(struct machine *machine, const char *runtime_folder,
                            const char *const *vnc_addresses, const char *const *serial_sockets,
                            GError **error);
/*
 * Takes no more commands, waits for those under way, and gives clients the last answers. Runs the
 * main loop meanwhile. From here on nothing refers to the machine, which may be freed.
 */
void control_end(struct control *control);
/* Closes the connections. */
void control_free(struct control *control);

/* To be called from the machine's callbacks. */
void control_state_changed(struct control *control, enum machine_state state,
                           enum machine_reason reason, const char *message);
void control_was_reset(struct control *control);
void control_media_changed(struct control *control, const char *drive);

#endif
