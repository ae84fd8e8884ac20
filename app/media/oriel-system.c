/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-system.h. Systems that have been asked for stay in a table as long as the process. */
#include "oriel-system.h"

#include <string.h>

#include "oriel-media-private.h"
#include "oriel-osinfo.h"

#define MIB (G_GUINT64_CONSTANT(1) << 20)
#define GIB (G_GUINT64_CONSTANT(1) << 30)

static GMutex systems_lock;
static GHashTable *systems; /* id -> OrielSystem; under the lock */

/* Icons that data/icons/ has, by the beginning of the id. */
static const char *const icons[][2] = {
    { "win", "oriel-system-windows-symbolic" },   { "debian", "oriel-system-debian-symbolic" },
    { "ubuntu", "oriel-system-ubuntu-symbolic" }, { "fedora", "oriel-system-fedora-symbolic" },
    { "freebsd", "oriel-system-bsd-symbolic" },   { "openbsd", "oriel-system-bsd-symbolic" },
    { "netbsd", "oriel-system-bsd-symbolic" },
};

static const char *icon_for(const OrielSystem *system)
{
    for (gsize i = 0; i < G_N_ELEMENTS(icons); i++) {
        if (g_str_has_prefix(system->id, icons[i][0])) {
            return icons[i][1];
        }
    }
    return strcmp(system->family, "linux") == 0 ? "oriel-system-linux-symbolic"
                                                : "oriel-system-other-symbolic";
}

static OrielSystem *system_from_row(const SystemRow *row)
{
    OrielSystem *system = g_new0(OrielSystem, 1);

    system->id = g_strdup(row->id);
    system->name = g_strdup(row->name);
    system->family = g_strdup(row->family);
    system->memory_minimum = row->memory_minimum * MIB;
    system->memory_recommended = row->memory_recommended * MIB;
    system->disk_recommended = row->disk_recommended * GIB;
    system->uefi = row->uefi;
    system->virtio = row->virtio;
    system->clock_local = row->clock_local;
    return system;
}

static const SystemRow *row_find(const char *id)
{
    for (gsize i = 0; i < system_table_rows; i++) {
        if (strcmp(system_table[i].id, id) == 0) {
            return &system_table[i];
        }
    }
    return NULL;
}

const OrielSystem *oriel_system_find(const char *id)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&systems_lock);
    const SystemRow *row = row_find(id ? id : "other");
    OrielSystem *system;

    if (!systems) {
        systems = g_hash_table_new(g_str_hash, g_str_equal);
    }
    system = g_hash_table_lookup(systems, id ? id : "other");
    if (!system) {
        system = row ? system_from_row(row) : osinfo_system_find(id);
        if (!system) {
            system = system_from_row(row_find("other"));
            g_free(system->id);
            system->id = g_strdup(id);
        }
        system->icon = icon_for(system);
        g_hash_table_insert(systems, system->id, system);
    }
    return system;
}

static gint compare_systems(gconstpointer a, gconstpointer b)
{
    const OrielSystem *one = *(OrielSystem *const *)a, *two = *(OrielSystem *const *)b;
    int families = strcmp(one->family, two->family);

    return families ? families : g_utf8_collate(one->name, two->name);
}

GPtrArray *oriel_system_list(void)
{
    g_auto(GStrv) ids = osinfo_system_ids();
    GPtrArray *list = g_ptr_array_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (gsize i = 0; i < system_table_rows; i++) {
        g_hash_table_add(seen, (gpointer)system_table[i].id);
        g_ptr_array_add(list, (gpointer)oriel_system_find(system_table[i].id));
    }
    for (char **id = ids; *id; id++) {
        if (g_hash_table_add(seen, *id)) {
            g_ptr_array_add(list, (gpointer)oriel_system_find(*id));
        }
    }
    g_ptr_array_sort(list, compare_systems);
    return list;
}

void iso_identify_system(OrielMedia *media, GCancellable *cancellable)
{
    const SystemRow *row;

    if (osinfo_media_identify(media, cancellable)) {
        return;
    }
    row = system_by_label(media->label);
    media->system = g_strdup(row ? row->id : NULL);
}
