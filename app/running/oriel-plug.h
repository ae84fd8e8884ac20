/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Disks and network cards that come and go while their machine runs: what the settings have in a
 * slot ("port"), the engine puts in and takes out.
 *
 * Threads: blocking; any thread.
 */
#ifndef ORIEL_PLUG_H
#define ORIEL_PLUG_H

#include "oriel-engine-contract.h"
#include "library/oriel-library.h"

/* The engine of a running machine, *engine NULL if it does not run. FALSE with *error set if it
 * runs but cannot be reached. Unref. */
gboolean oriel_plug_engine(const OrielMachine *machine, OrielEngine **engine, GError **error);
/* Puts in what the settings have under that id. Errors: those of machine_plug(). */
gboolean oriel_plug(OrielEngine *engine, const char *id, GError **error);
/* Takes it out once the guest has let go of it, or at once. It may not be there, if whoever added
 * it was killed before it was put in. Errors: the others of machine_unplug(). */
gboolean oriel_plug_take_out(OrielEngine *engine, const char *id, gboolean force, GError **error);
/* A slot for something new, or 0 with *error set. */
guint oriel_plug_free_port(const OrielConfig *config, GError **error);

#endif
