/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * File monitors that are made on a worker thread, before it reads what they watch, and used on the
 * main context later: what changes in between is not lost.
 */
#ifndef ORIEL_MONITOR_H
#define ORIEL_MONITOR_H

#include <gio/gio.h>

/* Watches a folder, or a file, for the main context. Worker thread: may block. NULL if it cannot.
 */
GFileMonitor *oriel_monitor_new(const char *path, gboolean folder);

/*
 * From now on changes go to `callback` (a handler of GFileMonitor::changed). Main context. TRUE if
 * something has changed since the monitor was made: the caller looks again.
 */
gboolean oriel_monitor_take(GFileMonitor *monitor, GCallback callback, gpointer data);

/* Ends a monitor, whose handlers have `data`, and its reference; does nothing if *monitor is NULL.
 */
void oriel_monitor_clear(GFileMonitor **monitor, gpointer data);

#endif
