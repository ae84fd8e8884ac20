/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-machine-list.h. A worker thread lists the folders, reads those that are new and looks
 * which of the others have changed; an item that is watched learns of that at once by itself.
 * Making and deleting machines is in oriel-machine-list-changes.c.
 */
#include "oriel-machine-list-private.h"
#include "library/oriel-building.h"
#include "oriel-monitor.h"
#include "oriel-objects.h"

#include <string.h>

enum {
    SCAN_MS = 100, /* changes of folders come in groups */
};

enum {
    PROP_LOADING = 1,
    PROP_N_ACTIVE,
    N_PROPS,
};

static GParamSpec *properties[N_PROPS];
static guint signal_ready;

static void list_model_init(GListModelInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE(OrielMachineList, oriel_machine_list, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL, list_model_init))

/* --- Rows ------------------------------------------------------------------------------------- */

static GType get_item_type(GListModel *model)
{
    return ORIEL_TYPE_MACHINE_ITEM;
}

static guint get_n_items(GListModel *model)
{
    return ORIEL_MACHINE_LIST(model)->items->len;
}

static gpointer get_item(GListModel *model, guint position)
{
    OrielMachineList *list = ORIEL_MACHINE_LIST(model);

    return position < list->items->len ? g_object_ref(list->items->pdata[position]) : NULL;
}

static void list_model_init(GListModelInterface *interface)
{
    interface->get_item_type = get_item_type;
    interface->get_n_items = get_n_items;
    interface->get_item = get_item;
}

static void count_active(OrielMachineList *list)
{
    guint n = 0;

    for (guint i = 0; i < list->items->len; i++) {
        n += oriel_machine_item_is_active(list->items->pdata[i]);
    }
    if (list->n_active != n) {
        list->n_active = n;
        g_object_notify_by_pspec(G_OBJECT(list), properties[PROP_N_ACTIVE]);
    }
}

static void on_state(OrielMachineItem *item, GParamSpec *spec, OrielMachineList *list)
{
    count_active(list);
}

/* An engine may run the machine already. */
static void on_uuid(OrielMachineItem *item, GParamSpec *spec, OrielMachineList *list)
{
    if (item->supervisor && oriel_runtime_watch_has(list->runtime, item->uuid)) {
        oriel_supervisor_look(item->supervisor);
    }
}

void machine_list_add(OrielMachineList *list, GPtrArray *items)
{
    guint position = list->items->len;

    for (guint i = 0; i < items->len; i++) {
        OrielMachineItem *item = items->pdata[i];

        g_signal_connect(item, "notify::state", G_CALLBACK(on_state), list);
        g_signal_connect(item, "notify::uuid", G_CALLBACK(on_uuid), list);
        g_ptr_array_add(list->items, g_object_ref(item));
    }
    if (items->len > 0) {
        g_list_model_items_changed(G_LIST_MODEL(list), position, 0, items->len);
        count_active(list);
    }
    for (guint i = 0; i < items->len; i++) {
        on_uuid(items->pdata[i], NULL, list);
    }
}

void machine_list_add_one(OrielMachineList *list, OrielMachineItem *item)
{
    g_autoptr(GPtrArray) items = g_ptr_array_new();

    g_ptr_array_add(items, item);
    machine_list_add(list, items);
}

gboolean machine_list_remove(OrielMachineList *list, OrielMachineItem *item)
{
    guint position;

    if (!g_ptr_array_find(list->items, item, &position)) {
        return FALSE;
    }
    g_signal_handlers_disconnect_by_data(item, list);
    g_ptr_array_remove_index(list->items, position);
    g_list_model_items_changed(G_LIST_MODEL(list), position, 1, 0);
    count_active(list);
    return TRUE;
}

/* --- Looking for machines --------------------------------------------------------------------- */

struct scan {
    GHashTable *known; /* folders that have items, not to be read -> MachineStamp of the reading */
    gboolean first;    /* monitors are wanted */
    GHashTable *folders; /* found: all folders of machines */
    GPtrArray *readings; /* found: of those that are not known */
    GHashTable *changed; /* found: known folders that have changed */
    GFileMonitor *folder_monitor, *registry_monitor;
};

static void scan_free(gpointer data)
{
    struct scan *scan = data;

    g_hash_table_unref(scan->known);
    g_hash_table_unref(scan->folders);
    g_ptr_array_unref(scan->readings);
    g_hash_table_unref(scan->changed);
    g_clear_object(&scan->folder_monitor);
    g_clear_object(&scan->registry_monitor);
    g_free(scan);
}

static void monitors_make(struct scan *scan, const char *library)
{
    g_autofree char *parent = g_path_get_dirname(library);
    g_autofree char *registry = g_build_filename(parent, "folders", NULL);

    scan->folder_monitor = oriel_monitor_new(library, TRUE);
    scan->registry_monitor = oriel_monitor_new(registry, FALSE);
}

static void scan_run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    struct scan *scan = data;
    g_autofree char *library = oriel_library_folder(TRUE, NULL);

    if (scan->first && library) {
        oriel_building_clean(library);
        monitors_make(scan, library);
    }
    g_auto(GStrv) folders = oriel_library_folders();

    for (char **folder = folders; *folder; folder++) {
        g_autofree char *path = g_canonicalize_filename(*folder, NULL);

        if (g_hash_table_contains(scan->folders, path)) {
            continue;
        }
        const MachineStamp *known = g_hash_table_lookup(scan->known, path);
        MachineStamp now = { 0 };

        if (known) {
            now = machine_stamp_take(path);
        } else {
            g_ptr_array_add(scan->readings, machine_reading_new(path));
        }
        if (known && !machine_stamps_equal(known, &now)) {
            g_hash_table_add(scan->changed, g_strdup(path));
        }
        g_hash_table_add(scan->folders, g_steal_pointer(&path));
    }
    g_task_return_boolean(task, TRUE);
}

/* A machine that has moved keeps its item. */
static OrielMachineItem *find_moved(OrielMachineList *list, const struct scan *scan,
                                    const MachineReading *reading)
{
    const OrielConfig *config = reading->machine->config;

    for (guint i = 0; config && i < list->items->len; i++) {
        OrielMachineItem *item = list->items->pdata[i];

        if (item->folder && g_strcmp0(item->uuid, config->uuid) == 0 &&
            !g_hash_table_contains(scan->folders, item->folder)) {
            return item;
        }
    }
    return NULL;
}

/* Whether the row that is being made will be this machine. */
static gboolean is_being_made(OrielMachineList *list, const MachineReading *reading)
{
    for (guint i = 0; i < list->items->len; i++) {
        const OrielMachineItem *item = list->items->pdata[i];

        if (!item->folder && g_strcmp0(item->name, reading->machine->name) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean is_deleted(OrielMachineList *list, const char *folder)
{
    return machine_items_find(list->deleted, oriel_machine_item_get_folder, folder) ||
           machine_items_find(list->deleting, oriel_machine_item_get_folder, folder) ||
           g_hash_table_contains(list->ignored, folder);
}

static void take_new(OrielMachineList *list, struct scan *scan)
{
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(g_object_unref);

    for (guint i = 0; i < scan->readings->len; i++) {
        MachineReading *reading = scan->readings->pdata[i];
        const char *folder = reading->machine->folder;
        OrielMachineItem *moved = find_moved(list, scan, reading);

        if (oriel_machine_list_find_folder(list, folder) || is_deleted(list, folder) ||
            is_being_made(list, reading)) {
            continue;
        }
        scan->readings->pdata[i] = NULL;
        if (moved) {
            machine_item_take_reading(moved, reading);
        } else {
            g_ptr_array_add(items, machine_item_new(reading));
        }
    }
    machine_list_add(list, items);
}

/* Machines whose folders have gone go; those of an absent drive stay in the list of folders. */
static void drop_gone(OrielMachineList *list, const struct scan *scan)
{
    g_autoptr(GPtrArray) all = oriel_objects_hold(list->items);

    for (guint i = 0; i < all->len; i++) {
        OrielMachineItem *item = all->pdata[i];

        if (!item->folder) {
            continue;
        }
        if (g_hash_table_contains(scan->changed, item->folder)) {
            oriel_machine_item_reload(item);
        } else if (!g_hash_table_contains(scan->folders, item->folder) && !item->operation &&
                   g_hash_table_contains(scan->known, item->folder)) {
            machine_list_remove(list, item);
        }
    }
}

static void on_files_changed(GFileMonitor *monitor, GFile *file, GFile *other,
                             GFileMonitorEvent event, OrielMachineList *list)
{
    machine_list_scan(list);
}

static void monitor_take(OrielMachineList *list, GFileMonitor **to, GFileMonitor *monitor)
{
    if (monitor) {
        *to = g_object_ref(monitor);
        list->scan_again |= oriel_monitor_take(monitor, G_CALLBACK(on_files_changed), list);
    }
}

static void scan_end(GObject *object, GAsyncResult *result, gpointer data)
{
    OrielMachineList *list = ORIEL_MACHINE_LIST(object);
    struct scan *scan = g_task_get_task_data(G_TASK(result));

    list->scanning = FALSE;
    if (list->disposed) {
        return;
    }
    if (scan->first) {
        monitor_take(list, &list->folder_monitor, scan->folder_monitor);
        monitor_take(list, &list->registry_monitor, scan->registry_monitor);
    }
    take_new(list, scan);
    drop_gone(list, scan);
    if (list->loading) {
        list->loading = FALSE;
        g_object_notify_by_pspec(G_OBJECT(list), properties[PROP_LOADING]);
        g_signal_emit(list, signal_ready, 0);
    }
    if (list->scan_again) {
        list->scan_again = FALSE;
        machine_list_scan(list);
    }
}

static gboolean scan_now(gpointer data)
{
    OrielMachineList *list = data;
    struct scan *scan = g_new0(struct scan, 1);
    g_autoptr(GTask) task = g_task_new(list, NULL, scan_end, NULL);

    list->scan = 0;
    list->scanning = TRUE;
    scan->first = !list->folder_monitor;
    scan->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    scan->folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    scan->changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    scan->readings = g_ptr_array_new_with_free_func((GDestroyNotify)machine_reading_free);
    for (guint i = 0; i < list->items->len; i++) {
        const OrielMachineItem *item = list->items->pdata[i];

        if (item->folder) {
            static const MachineStamp none;
            const MachineStamp *stamp = item->reading ? &item->reading->stamp : &none;

            g_hash_table_insert(scan->known, g_strdup(item->folder),
                                g_memdup2(stamp, sizeof(*stamp)));
        }
    }
    g_task_set_task_data(task, scan, scan_free);
    g_task_run_in_thread(task, scan_run);
    return G_SOURCE_REMOVE;
}

void machine_list_scan(OrielMachineList *list)
{
    if (list->disposed) {
        return;
    }
    if (list->scanning) {
        list->scan_again = TRUE;
    } else if (list->scan == 0) {
        list->scan = g_timeout_add(list->loading ? 0 : SCAN_MS, scan_now, list);
    }
}

void oriel_machine_list_reload(OrielMachineList *list)
{
    machine_list_scan(list);
}

static void on_mounts_changed(GUnixMountMonitor *mounts, OrielMachineList *list)
{
    machine_list_scan(list);
}

static void on_appeared(OrielRuntimeWatch *watch, const char *uuid, OrielMachineList *list)
{
    for (guint i = 0; i < list->items->len; i++) {
        const OrielMachineItem *item = list->items->pdata[i];

        if (item->supervisor && g_strcmp0(item->uuid, uuid) == 0) {
            oriel_supervisor_look(item->supervisor);
        }
    }
}

/* --- Finding ---------------------------------------------------------------------------------- */

OrielMachineItem *machine_items_find(const GPtrArray *items,
                                     const char *(*get)(OrielMachineItem *item), const char *text)
{
    for (guint i = 0; i < items->len; i++) {
        if (g_strcmp0(get(items->pdata[i]), text) == 0) {
            return items->pdata[i];
        }
    }
    return NULL;
}

OrielMachineItem *oriel_machine_list_find_name(OrielMachineList *list, const char *name)
{
    return machine_items_find(list->items, oriel_machine_item_get_name, name);
}

OrielMachineItem *oriel_machine_list_find_folder(OrielMachineList *list, const char *folder)
{
    return machine_items_find(list->items, oriel_machine_item_get_folder, folder);
}

/* --- The object ------------------------------------------------------------------------------- */

OrielMachineList *oriel_machine_list_new(void)
{
    OrielMachineList *list = g_object_new(ORIEL_TYPE_MACHINE_LIST, NULL);

    list->mounts = g_unix_mount_monitor_get();
    g_signal_connect(list->mounts, "mounts-changed", G_CALLBACK(on_mounts_changed), list);
    list->runtime = oriel_runtime_watch_new();
    g_signal_connect(list->runtime, "appeared", G_CALLBACK(on_appeared), list);
    machine_list_scan(list);
    return list;
}

gboolean oriel_machine_list_is_loading(OrielMachineList *list)
{
    return list->loading;
}

guint oriel_machine_list_get_n_active(OrielMachineList *list)
{
    return list->n_active;
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    OrielMachineList *list = ORIEL_MACHINE_LIST(object);

    switch (id) {
    case PROP_LOADING:
        g_value_set_boolean(value, list->loading);
        break;
    case PROP_N_ACTIVE:
        g_value_set_uint(value, list->n_active);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void dispose(GObject *object)
{
    OrielMachineList *list = ORIEL_MACHINE_LIST(object);

    list->disposed = TRUE;
    g_clear_handle_id(&list->scan, g_source_remove);
    oriel_monitor_clear(&list->folder_monitor, list);
    oriel_monitor_clear(&list->registry_monitor, list);
    if (list->mounts) {
        g_signal_handlers_disconnect_by_data(list->mounts, list);
        g_clear_object(&list->mounts);
    }
    if (list->runtime) {
        g_signal_handlers_disconnect_by_data(list->runtime, list);
        oriel_runtime_watch_close(list->runtime);
        g_clear_object(&list->runtime);
    }
    for (guint i = 0; i < list->items->len; i++) {
        g_signal_handlers_disconnect_by_data(list->items->pdata[i], list);
    }
    g_ptr_array_set_size(list->items, 0);
    g_ptr_array_set_size(list->deleted, 0);
    g_ptr_array_set_size(list->deleting, 0);
    G_OBJECT_CLASS(oriel_machine_list_parent_class)->dispose(object);
}

static void finalize(GObject *object)
{
    OrielMachineList *list = ORIEL_MACHINE_LIST(object);

    g_ptr_array_unref(list->items);
    g_ptr_array_unref(list->deleted);
    g_ptr_array_unref(list->deleting);
    g_hash_table_unref(list->ignored);
    G_OBJECT_CLASS(oriel_machine_list_parent_class)->finalize(object);
}

static void oriel_machine_list_class_init(OrielMachineListClass *class)
{
    const GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
    GObjectClass *object_class = G_OBJECT_CLASS(class);

    object_class->get_property = get_property;
    object_class->dispose = dispose;
    object_class->finalize = finalize;
    properties[PROP_LOADING] = g_param_spec_boolean("loading", NULL, NULL, TRUE, flags);
    properties[PROP_N_ACTIVE] = g_param_spec_uint("n-active", NULL, NULL, 0, G_MAXUINT, 0, flags);
    g_object_class_install_properties(object_class, N_PROPS, properties);
    signal_ready = g_signal_new("ready", ORIEL_TYPE_MACHINE_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 0);
}

static void oriel_machine_list_init(OrielMachineList *list)
{
    list->items = g_ptr_array_new_with_free_func(g_object_unref);
    list->deleted = g_ptr_array_new_with_free_func(g_object_unref);
    list->deleting = g_ptr_array_new_with_free_func(g_object_unref);
    list->ignored = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    list->loading = TRUE;
}
