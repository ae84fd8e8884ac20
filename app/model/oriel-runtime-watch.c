/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-runtime-watch.h. The base folder is watched for folders of machines, and each of those
 * for its socket, which comes later. All of it is set up on worker threads.
 */
#include "oriel-runtime-watch.h"

#include "config/runtime.h"
#include "oriel-monitor.h"

#define SOCKET_NAME "engine"

struct _OrielRuntimeWatch {
    GObject parent;
    gboolean closed;
    GFileMonitor *base;
    GHashTable *folders; /* uuid -> GFileMonitor */
};

static guint signal_appeared;

G_DEFINE_FINAL_TYPE(OrielRuntimeWatch, oriel_runtime_watch, G_TYPE_OBJECT)

static void monitor_end(gpointer data)
{
    GFileMonitor *monitor = data;

    g_signal_handlers_disconnect_matched(monitor, G_SIGNAL_MATCH_ID,
                                         g_signal_lookup("changed", G_TYPE_FILE_MONITOR), 0, NULL,
                                         NULL, NULL);
    g_file_monitor_cancel(monitor);
    g_object_unref(monitor);
}

/* What a worker has set up. */
struct look {
    char *uuid; /* NULL: the base folder */
    gboolean with_monitor;
    GFileMonitor *monitor;
    GPtrArray *uuids; /* in the base folder */
    gboolean appeared;
};

static void look_free(gpointer data)
{
    struct look *look = data;

    g_clear_object(&look->monitor);
    g_clear_pointer(&look->uuids, g_ptr_array_unref);
    g_free(look->uuid);
    g_free(look);
}

static void look_at_base(struct look *look, const char *base)
{
    g_autoptr(GDir) dir = NULL;
    const char *name;

    g_mkdir_with_parents(base, 0700);
    if (look->with_monitor) {
        look->monitor = oriel_monitor_new(base, TRUE);
    }
    look->uuids = g_ptr_array_new_with_free_func(g_free);
    dir = g_dir_open(base, 0, NULL);
    while (dir && (name = g_dir_read_name(dir))) {
        if (g_uuid_string_is_valid(name)) {
            g_ptr_array_add(look->uuids, g_strdup(name));
        }
    }
}

static void look_at_machine(struct look *look, const char *base)
{
    g_autofree char *folder = g_build_filename(base, look->uuid, NULL);
    g_autofree char *socket = g_build_filename(folder, SOCKET_NAME, NULL);

    if (g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        look->monitor = oriel_monitor_new(folder, TRUE);
    }
    look->appeared = g_file_test(socket, G_FILE_TEST_EXISTS);
}

static void look_run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    struct look *look = data;
    g_autofree char *base = oriel_runtime_base(NULL);

    if (base && look->uuid) {
        look_at_machine(look, base);
    } else if (base) {
        look_at_base(look, base);
    }
    g_task_return_boolean(task, TRUE);
}

static void look_end(GObject *object, GAsyncResult *result, gpointer data);

static void look_start(OrielRuntimeWatch *watch, const char *uuid)
{
    struct look *look = g_new0(struct look, 1);
    g_autoptr(GTask) task = g_task_new(watch, NULL, look_end, NULL);

    look->uuid = g_strdup(uuid);
    look->with_monitor = uuid || !watch->base;
    g_task_set_task_data(task, look, look_free);
    g_task_run_in_thread(task, look_run);
}

static void on_machine_changed(GFileMonitor *monitor, GFile *file, GFile *other,
                               GFileMonitorEvent event, OrielRuntimeWatch *watch)
{
    g_autofree char *name = g_file_get_basename(file);

    if (event == G_FILE_MONITOR_EVENT_CREATED && g_strcmp0(name, SOCKET_NAME) == 0) {
        g_signal_emit(watch, signal_appeared, 0, g_object_get_data(G_OBJECT(monitor), "uuid"));
    }
}

static void on_base_changed(GFileMonitor *monitor, GFile *file, GFile *other,
                            GFileMonitorEvent event, OrielRuntimeWatch *watch)
{
    g_autofree char *name = g_file_get_basename(file);

    if (!name || !g_uuid_string_is_valid(name)) {
        return;
    }
    if (event == G_FILE_MONITOR_EVENT_CREATED) {
        look_start(watch, name);
    } else if (event == G_FILE_MONITOR_EVENT_DELETED) {
        g_hash_table_remove(watch->folders, name);
    }
}

static void look_end(GObject *object, GAsyncResult *result, gpointer data)
{
    OrielRuntimeWatch *watch = ORIEL_RUNTIME_WATCH(object);
    struct look *look = g_task_get_task_data(G_TASK(result));

    if (watch->closed) {
        return;
    }
    if (look->uuid && look->monitor) {
        g_object_set_data_full(G_OBJECT(look->monitor), "uuid", g_strdup(look->uuid), g_free);
        look->appeared |= oriel_monitor_take(look->monitor, G_CALLBACK(on_machine_changed), watch);
        g_hash_table_replace(watch->folders, g_strdup(look->uuid), g_steal_pointer(&look->monitor));
    } else if (look->monitor) {
        watch->base = g_steal_pointer(&look->monitor);
        if (oriel_monitor_take(watch->base, G_CALLBACK(on_base_changed), watch)) {
            look_start(watch, NULL);
        }
    }
    for (guint i = 0; look->uuids && i < look->uuids->len; i++) {
        if (!oriel_runtime_watch_has(watch, look->uuids->pdata[i])) {
            look_start(watch, look->uuids->pdata[i]);
        }
    }
    if (look->appeared) {
        g_signal_emit(watch, signal_appeared, 0, look->uuid);
    }
}

OrielRuntimeWatch *oriel_runtime_watch_new(void)
{
    OrielRuntimeWatch *watch = g_object_new(ORIEL_TYPE_RUNTIME_WATCH, NULL);

    look_start(watch, NULL);
    return watch;
}

gboolean oriel_runtime_watch_has(OrielRuntimeWatch *watch, const char *uuid)
{
    return g_hash_table_contains(watch->folders, uuid);
}

void oriel_runtime_watch_close(OrielRuntimeWatch *watch)
{
    watch->closed = TRUE;
    oriel_monitor_clear(&watch->base, watch);
    g_hash_table_remove_all(watch->folders);
}

static void finalize(GObject *object)
{
    OrielRuntimeWatch *watch = ORIEL_RUNTIME_WATCH(object);

    oriel_runtime_watch_close(watch);
    g_hash_table_unref(watch->folders);
    G_OBJECT_CLASS(oriel_runtime_watch_parent_class)->finalize(object);
}

static void oriel_runtime_watch_class_init(OrielRuntimeWatchClass *class)
{
    G_OBJECT_CLASS(class)->finalize = finalize;
    signal_appeared = g_signal_new("appeared", ORIEL_TYPE_RUNTIME_WATCH, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void oriel_runtime_watch_init(OrielRuntimeWatch *watch)
{
    watch->folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, monitor_end);
}
