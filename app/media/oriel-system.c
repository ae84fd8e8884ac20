/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-system.h. Systems that have been asked for stay in a table as long as the process. */
#include "oriel-system.h"

#include <glib/gi18n-lib.h>
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

/* Those without virtio that bring a driver for NVMe; osinfo-db does not tell. */
static gboolean knows_nvme(const OrielSystem *system)
{
    static const char *const ids[] = { "win8.1",  "win10",   "win11",   "win2k12r2",
                                       "win2k16", "win2k19", "win2k22", NULL };

    return g_strv_contains(ids, system->id);
}

static OrielSystem *system_from_row(const SystemRow *row)
{
    OrielSystem *system = g_new0(OrielSystem, 1);

    system->id = g_strdup(row->id);
    system->name = g_strdup(_(row->name));
    system->family = g_strdup(row->family);
    system->memory_minimum = row->memory_minimum * MIB;
    system->memory_recommended = row->memory_recommended * MIB;
    system->disk_recommended = row->disk_recommended * GIB;
    system->uefi = row->uefi;
    system->virtio = row->virtio;
    system->clock_local = row->clock_local;
    return system;
}

/* The row of this id; or that of which the id is a release ("debian12": "debian", "12"). */
static const SystemRow *row_find(const char *id, const char **release)
{
    const SystemRow *found = NULL;
    gsize longest = 0;

    for (gsize i = 0; i < system_table_rows; i++) {
        gsize length = strlen(system_table[i].id);
        const char *rest = id + length;

        if (length > longest && g_str_has_prefix(id, system_table[i].id) &&
            strspn(rest, "0123456789.-") == strlen(rest)) {
            found = &system_table[i];
            longest = length;
            *release = rest;
        }
    }
    return found;
}

/* What is known without the database. */
static OrielSystem *system_from_table(const char *id)
{
    const char *release = "";
    const SystemRow *row = row_find(id, &release);
    OrielSystem *system = system_from_row(row ? row : row_find("other", &release));

    if (row && row->virtio_display != 0) {
        system->virtio_display =
            !*release || g_ascii_strtoull(release, NULL, 10) >= row->virtio_display;
    }
    if (row && *release) {
        g_free(system->name);
        system->name = g_strdup_printf("%s %s", row->name, release);
    }
    g_free(system->id);
    system->id = g_strdup(id);
    return system;
}

/* Under the lock. What was there before stays, because others may hold it. */
static const OrielSystem *remember(OrielSystem *system)
{
    system->icon = icon_for(system);
    system->nvme = knows_nvme(system);
    g_hash_table_replace(systems, system->id, system);
    return system;
}

static OrielSystem *known(const char *id)
{
    if (!systems) {
        systems = g_hash_table_new(g_str_hash, g_str_equal);
    }
    return g_hash_table_lookup(systems, id);
}

const char *oriel_system_network(const OrielSystem *system)
{
    return system->virtio || strcmp(system->family, "linux") == 0 ? "virtio" : "e1000e";
}

const char *oriel_system_controller(const OrielSystem *system, gboolean uefi)
{
    if (system->virtio) {
        return "virtio";
    }
    return system->nvme && uefi ? "nvme" : "ahci";
}

const char *oriel_system_video(const OrielSystem *system)
{
    return system->virtio_display && strcmp(system->family, "linux") == 0 ? "virtio-gpu" : "stdvga";
}

const OrielSystem *oriel_system_find(const char *id)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&systems_lock);
    const char *wanted = id && *id ? id : "other";
    const OrielSystem *system = known(wanted);

    return system ? system : remember(system_from_table(wanted));
}

/* Many entries of the database say only what a system cannot do without. */
static void recommendations_add(OrielSystem *system)
{
    const char *release = "";
    const SystemRow *row = row_find(system->id, &release);

    if (row && !system->memory_recommended) {
        system->memory_recommended = row->memory_recommended * MIB;
    }
    if (row && !system->disk_recommended) {
        system->disk_recommended = row->disk_recommended * GIB;
    }
}

const OrielSystem *oriel_system_load(const char *id)
{
    OrielSystem *found = osinfo_system_find(id);

    if (!found) {
        return oriel_system_find(id);
    }
    recommendations_add(found);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&systems_lock);

    known(id);
    return remember(found);
}

void oriel_system_prepare(void)
{
    osinfo_module_load();
}

/* What most people look for comes first. */
static int family_rank(const char *family)
{
    static const char *const families[] = { "linux", "windows", "bsd" };
    int rank = 0;

    while (rank < (int)G_N_ELEMENTS(families) && strcmp(families[rank], family) != 0) {
        rank++;
    }
    return rank;
}

static gint compare_systems(gconstpointer a, gconstpointer b)
{
    const OrielSystem *one = *(OrielSystem *const *)a, *two = *(OrielSystem *const *)b;
    int families = family_rank(one->family) - family_rank(two->family);

    return families ? families : g_utf8_collate(one->name, two->name);
}

GPtrArray *oriel_system_list(void)
{
    g_auto(GStrv) ids = osinfo_system_ids();
    GPtrArray *list = g_ptr_array_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (char **id = ids; *id; id++) {
        if (g_hash_table_add(seen, *id)) {
            g_ptr_array_add(list, (gpointer)oriel_system_load(*id));
        }
    }
    for (gsize i = 0; i < system_table_rows; i++) {
        if (g_hash_table_add(seen, (gpointer)system_table[i].id)) {
            g_ptr_array_add(list, (gpointer)oriel_system_find(system_table[i].id));
        }
    }
    g_ptr_array_sort(list, compare_systems);
    return list;
}

void iso_identify_system(int fd, OrielMedia *media, GCancellable *cancellable)
{
    /* Elsewhere libosinfo follows directories whose sizes it trusts: with one of 0 it never ends.
     */
    if (!iso_begins_with_boot_record(fd) || !osinfo_media_identify(media, cancellable)) {
        media->system = system_by_label(media->label);
    }
}
