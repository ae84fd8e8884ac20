/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Following a machine's folder. A kernel gives a user a limited number of watches, and a large
 * library would take one for each machine, so only folders that somebody looks at have one.
 */
#include "oriel-machine-item-private.h"
#include "oriel-monitor.h"

/* What a worker thread sets up. */
struct watching {
    char *folder;
    GFileMonitor *monitor;
    MachineStamp stamp; /* later than the monitor */
};

static void watching_free(gpointer data)
{
    struct watching *watching = data;

    g_clear_object(&watching->monitor);
    g_free(watching->folder);
    g_free(watching);
}

static gboolean is_read(GFile *file)
{
    static const char *const names[] = { "machine.json", "thumbnail.png", "saved", NULL };
    g_autofree char *name = file ? g_file_get_basename(file) : NULL;

    return name && g_strv_contains(names, name);
}

static void on_folder_changed(GFileMonitor *monitor, GFile *file, GFile *other,
                              GFileMonitorEvent event, OrielMachineItem *item)
{
    if (is_read(file) || is_read(other)) {
        oriel_machine_item_reload(item);
    }
}

static void watching_run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    struct watching *watching = data;

    watching->monitor = oriel_monitor_new(watching->folder, TRUE);
    watching->stamp = machine_stamp_take(watching->folder);
    g_task_return_boolean(task, TRUE);
}

/*
 * A machine that cannot be read is followed in any case: it may be one that is just being copied.
 * A monitor on a folder that is not there would look for it all the time.
 */
static gboolean is_wanted(OrielMachineItem *item)
{
    const MachineReading *reading = item->reading;

    return reading && reading->stamp.exists && !item->disposed &&
           (item->watchers > 0 || reading->machine->problem);
}

static void watching_end(GObject *object, GAsyncResult *result, gpointer data)
{
    OrielMachineItem *item = ORIEL_MACHINE_ITEM(object);
    struct watching *watching = g_task_get_task_data(G_TASK(result));

    item->watch_begins = FALSE;
    if (g_strcmp0(watching->folder, item->folder) != 0) {
        machine_item_watch_follow(item);
        return;
    }
    if (!is_wanted(item)) {
        return;
    }
    item->monitor = g_steal_pointer(&watching->monitor);
    if ((item->monitor && oriel_monitor_take(item->monitor, G_CALLBACK(on_folder_changed), item)) ||
        !machine_stamps_equal(&watching->stamp, &item->reading->stamp)) {
        oriel_machine_item_reload(item);
    }
}

void machine_item_watch_follow(OrielMachineItem *item)
{
    struct watching *watching;
    g_autoptr(GTask) task = NULL;

    if (!is_wanted(item)) {
        oriel_monitor_clear(&item->monitor, item);
    } else if (!item->monitor && !item->watch_begins) {
        item->watch_begins = TRUE;
        watching = g_new0(struct watching, 1);
        watching->folder = g_strdup(item->folder);
        task = g_task_new(item, NULL, watching_end, NULL);
        g_task_set_task_data(task, watching, watching_free);
        g_task_run_in_thread(task, watching_run);
    }
}

void oriel_machine_item_watch(OrielMachineItem *item)
{
    item->watchers++;
    machine_item_watch_follow(item);
}

void oriel_machine_item_unwatch(OrielMachineItem *item)
{
    g_return_if_fail(item->watchers > 0);
    item->watchers--;
    machine_item_watch_follow(item);
}
