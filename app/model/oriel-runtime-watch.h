/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tells when an engine appears in the runtime folder, whoever started it. Its end is told by its
 * connection (oriel-supervisor.h). Threads: main context only.
 *
 * Signal: "appeared" (s uuid): the control socket of that machine has been made.
 */
#ifndef ORIEL_RUNTIME_WATCH_H
#define ORIEL_RUNTIME_WATCH_H

#include <gio/gio.h>

#define ORIEL_TYPE_RUNTIME_WATCH (oriel_runtime_watch_get_type())
G_DECLARE_FINAL_TYPE(OrielRuntimeWatch, oriel_runtime_watch, ORIEL, RUNTIME_WATCH, GObject)

OrielRuntimeWatch *oriel_runtime_watch_new(void);
/* Whether the machine with that UUID has a runtime folder, as far as it has been seen. */
gboolean oriel_runtime_watch_has(OrielRuntimeWatch *watch, const char *uuid);
/* Unref ends it as well, unless a look at the folder is under way. */
void oriel_runtime_watch_close(OrielRuntimeWatch *watch);

#endif
