/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-monitor.h. The note is written and read on the main context. */
#include "oriel-monitor.h"

#define CHANGED "oriel-changed"

static void note(GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event,
                 gpointer data)
{
    g_object_set_data(G_OBJECT(monitor), CHANGED, GINT_TO_POINTER(TRUE));
}

GFileMonitor *oriel_monitor_new(const char *path, gboolean folder)
{
    g_autoptr(GFile) file = g_file_new_for_path(path);
    GFileMonitor *monitor =
        folder ? g_file_monitor_directory(file, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL)
               : g_file_monitor_file(file, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL);

    if (monitor) {
        g_signal_connect(monitor, "changed", G_CALLBACK(note), NULL);
    }
    return monitor;
}

gboolean oriel_monitor_take(GFileMonitor *monitor, GCallback callback, gpointer data)
{
    g_signal_handlers_disconnect_by_func(monitor, note, NULL);
    g_signal_connect(monitor, "changed", callback, data);
    return g_object_get_data(G_OBJECT(monitor), CHANGED) != NULL;
}

void oriel_monitor_clear(GFileMonitor **monitor, gpointer data)
{
    if (*monitor) {
        g_signal_handlers_disconnect_by_data(*monitor, data);
        g_file_monitor_cancel(*monitor);
        g_clear_object(monitor);
    }
}
