/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks after one machine's engine: starts it, finds it, gives it commands, and notices its end.
 *
 * The end of an engine is seen in three ways: its process exits, its connection closes, its
 * property State says “stopped”. All of them, and everything else that happens, go through one
 * state machine; the first one counts. Each run of an engine has a generation number, and what
 * belongs to an earlier run is dropped. Nothing is started by itself.
 *
 * While somebody waits for the engine (a start, a command, oriel_supervisor_check()), it is asked
 * for a property now and then; one that has no answer within the patience is LOST, until it does
 * answer. An engine that nobody waits for is never asked: it sleeps when its guest does.
 *
 * Threads: main context only; nothing blocks.
 *
 * Signals: "changed": state, message or engine; "unexpected" (s message): the engine ended or the
 * guest crashed, and nobody had asked for it; "was-reset"; "media-changed" (s drive).
 */
#ifndef ORIEL_SUPERVISOR_H
#define ORIEL_SUPERVISOR_H

#include "model/oriel-machine-item.h"
#include "oriel-session.h"

#define ORIEL_TYPE_SUPERVISOR (oriel_supervisor_get_type())
G_DECLARE_FINAL_TYPE(OrielSupervisor, oriel_supervisor, ORIEL, SUPERVISOR, GObject)

/* `machine`, which is copied, has a configuration. */
OrielSupervisor *oriel_supervisor_new(const OrielMachine *machine);
/* The same machine under another name or in another folder. */
void oriel_supervisor_set_machine(OrielSupervisor *supervisor, const OrielMachine *machine);
/* Lets go of everything; the engine goes on. Commands under way end with CANCELLED. */
void oriel_supervisor_close(OrielSupervisor *supervisor);

/* STOPPED to LOST of OrielMachineState. */
OrielMachineState oriel_supervisor_get_state(OrielSupervisor *supervisor);
/* A sentence for people, or "". */
const char *oriel_supervisor_get_message(OrielSupervisor *supervisor);
/* NULL while none is connected. */
OrielEngine *oriel_supervisor_get_engine(OrielSupervisor *supervisor);
/* The number of the present run, or of the next one; it only grows. */
guint64 oriel_supervisor_get_generation(OrielSupervisor *supervisor);

/* The engine's process if this supervisor started it, otherwise NULL. */
GSubprocess *oriel_supervisor_get_process(OrielSupervisor *supervisor);
/* Whether the last run ended with its state saved. */
gboolean oriel_supervisor_was_saved(OrielSupervisor *supervisor);
/* Whether a look for an engine is under way. */
gboolean oriel_supervisor_is_looking(OrielSupervisor *supervisor);

/* How long an engine may take to answer, in milliseconds, at least 1. Default:
 * ORIEL_SESSION_PATIENCE. */
void oriel_supervisor_set_patience(OrielSupervisor *supervisor, guint milliseconds);

/* Looks whether an engine runs the machine, unless one is known. */
void oriel_supervisor_look(OrielSupervisor *supervisor);
/* Asks the engine, if there is one, whether it still answers. */
void oriel_supervisor_check(OrielSupervisor *supervisor);

void oriel_supervisor_start_async(OrielSupervisor *supervisor, OrielStartFlags flags,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer data);
/* Errors: those of oriel_session_start(); TIMEOUT when it has become LOST. */
gboolean oriel_supervisor_start_finish(OrielSupervisor *supervisor, GAsyncResult *result,
                                       GError **error);

void oriel_supervisor_command_async(OrielSupervisor *supervisor, OrielCommand command,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer data);
/* Errors: STATE, the engine's own; TIMEOUT when it has become LOST. */
gboolean oriel_supervisor_command_finish(OrielSupervisor *supervisor, GAsyncResult *result,
                                         GError **error);

#endif
