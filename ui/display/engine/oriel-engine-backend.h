/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The picture of our own engine: frames in shared memory, damage and input over its D-Bus
 * connection (data/io.github.oriel_vm.Oriel.Engine.xml). */
#ifndef ORIEL_ENGINE_BACKEND_H
#define ORIEL_ENGINE_BACKEND_H

#include "display/oriel-display-backend.h"

#define ORIEL_TYPE_ENGINE_BACKEND (oriel_engine_backend_get_type())
G_DECLARE_FINAL_TYPE(OrielEngineBackend, oriel_engine_backend, ORIEL, ENGINE_BACKEND,
                     OrielDisplayBackend)

/* `connection` is that of the machine's engine, kept while the backend lives; `display` the number
 * of the display, the first of which is 1. */
OrielDisplayBackend *oriel_engine_backend_new(GDBusConnection *connection, guint display);
/* Plugs a monitor in at that display, or out; not the first one. */
void oriel_engine_backend_set_connected(OrielEngineBackend *engine, gboolean connected);

#endif
