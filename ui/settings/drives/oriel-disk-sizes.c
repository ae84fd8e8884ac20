/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-disk-sizes.h. */
#include "oriel-disk-sizes.h"

#include <string.h>

#include "disk/oriel-disk.h"

static void disk_size_free(gpointer data)
{
    DiskSize *size = data;

    g_free(size->format);
    g_free(size);
}

GHashTable *disk_sizes_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, disk_size_free);
}

/* The format is the one of the settings: a guest can make any disk look like another. */
static DiskSize *disk_size_read(const OrielMachine *machine, const OrielDrive *drive,
                                GCancellable *cancellable)
{
    g_autofree char *path = g_build_filename(machine->folder, drive->path, NULL);
    g_autofree char *key = g_strconcat(drive->id, ".format", NULL);
    g_autofree char *format = oriel_config_get(machine->config, key, NULL);
    g_autoptr(JsonNode) info = format ? oriel_disk_info(path, format, cancellable, NULL) : NULL;
    DiskSize *size;

    if (!info) {
        return NULL;
    }
    size = g_new0(DiskSize, 1);
    size->size = (guint64)json_object_get_int_member(json_node_get_object(info), "disk-size");
    size->format = g_steal_pointer(&format);
    return size;
}

static void read_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    const OrielMachine *machine = data;
    GHashTable *sizes = disk_sizes_new();

    for (guint i = 0; machine->config && i < machine->config->drives->len; i++) {
        const OrielDrive *drive = g_ptr_array_index(machine->config->drives, i);
        DiskSize *size =
            drive->kind == ORIEL_DRIVE_DISK ? disk_size_read(machine, drive, cancellable) : NULL;

        if (size) {
            g_hash_table_insert(sizes, g_strdup(drive->id), size);
        }
    }
    g_task_return_pointer(task, sizes, (GDestroyNotify)g_hash_table_unref);
}

void disk_sizes_read_async(GObject *source, OrielMachineItem *item, GCancellable *cancellable,
                           GAsyncReadyCallback callback)
{
    g_autoptr(GTask) task = g_task_new(source, cancellable, callback, NULL);

    g_task_set_task_data(task, oriel_machine_item_dup_machine(item),
                         (GDestroyNotify)oriel_machine_free);
    g_task_run_in_thread(task, read_in_thread);
}

gboolean disk_sizes_read_finish(GAsyncResult *result, GHashTable *sizes)
{
    g_autoptr(GHashTable) read = g_task_propagate_pointer(G_TASK(result), NULL);
    gboolean changed = FALSE;
    GHashTableIter iter;
    gpointer id, value;

    if (!read) {
        return FALSE;
    }
    g_hash_table_iter_init(&iter, read);
    while (g_hash_table_iter_next(&iter, &id, &value)) {
        const DiskSize *now = value, *before = g_hash_table_lookup(sizes, id);

        changed |= !before || before->size != now->size || strcmp(before->format, now->format) != 0;
        g_hash_table_iter_steal(&iter);
        g_hash_table_replace(sizes, id, value);
    }
    return changed;
}
