/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the host has, and what a new machine gets of it. See oriel-system.h. */
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "config/config.h"
#include "oriel-system.h"

#define MIB (G_GUINT64_CONSTANT(1) << 20)
#define GIB (G_GUINT64_CONSTANT(1) << 30)

enum {
    CPUS_CAP = 8,            /* more help few guests, and disturb the host */
    HOST_RESERVE_MIB = 1024, /* memory that stays the host's, as far as that goes */
};

#define MEMORY_CAP   (8 * GIB)
#define MEMORY_FLOOR (64 * MIB)

/* A figure of /proc/meminfo in bytes; 0 if it is not there. */
static guint64 meminfo(const char *text, const char *name)
{
    const char *line = strstr(text, name);

    return line ? g_ascii_strtoull(line + strlen(name), NULL, 10) * 1024 : 0;
}

void oriel_host_resources(const char *library, OrielHostResources *resources)
{
    g_autofree char *text = NULL;
    g_autofree char *folder = g_strdup(library);
    struct statvfs status;

    memset(resources, 0, sizeof(*resources));
    if (g_file_get_contents("/proc/meminfo", &text, NULL, NULL)) {
        resources->memory = meminfo(text, "MemTotal:");
        resources->memory_free = meminfo(text, "MemAvailable:");
    }
    resources->cpus = g_get_num_processors();
    /* The folder may not have been made yet: then its parent counts. */
    while (statvfs(folder, &status) < 0 && strcmp(folder, "/") != 0 && strcmp(folder, ".") != 0) {
        char *parent = g_path_get_dirname(folder);

        g_free(folder);
        folder = parent;
    }
    if (statvfs(folder, &status) == 0) {
        resources->disk_free = (guint64)status.f_bavail * status.f_frsize;
    }
}

static guint64 memory_for(const OrielSystem *system, const OrielHostResources *host)
{
    guint64 wanted = host->memory / 4;
    guint64 reserve = HOST_RESERVE_MIB * MIB;
    guint64 most = host->memory > 2 * reserve ? host->memory - reserve : host->memory / 2;

    if (system->memory_recommended) {
        /* A small system does not need a quarter of a large host; a large one gets what it likes.
         */
        wanted =
            CLAMP(wanted, system->memory_recommended, MAX(2 * system->memory_recommended, GIB));
    }
    wanted = MIN(wanted, MAX(MEMORY_CAP, system->memory_recommended));
    wanted = MAX(wanted, MAX(system->memory_minimum, MEMORY_FLOOR));
    if (host->memory) {
        wanted = MIN(wanted, MAX(most, CONFIG_MEMORY_MIN));
    }
    return wanted / MIB * MIB;
}

static guint64 disk_for(const OrielSystem *system)
{
    guint64 usual = strcmp(system->family, "windows") == 0 ? 64 * GIB
                    : strcmp(system->family, "linux") == 0 ? 40 * GIB
                                                           : 20 * GIB;
    guint64 wanted = system->disk_recommended ? system->disk_recommended : usual;

    wanted = MAX(wanted, system->disk_minimum);
    if (strcmp(system->family, "linux") == 0 || strcmp(system->family, "windows") == 0) {
        wanted = MAX(wanted, system->disk_recommended && system->disk_recommended < 20 * GIB
                                 ? system->disk_recommended
                                 : usual);
    }
    return (wanted + GIB - 1) / GIB * GIB;
}

void oriel_defaults_for(const OrielSystem *system, const OrielHostResources *host,
                        OrielDefaults *defaults)
{
    guint cpus = CLAMP(host->cpus / 2, 1, CPUS_CAP);

    cpus = MAX(cpus, MAX(system->cpus_recommended, system->cpus_minimum));
    defaults->cpus = CLAMP(cpus, 1, MAX(host->cpus, 1));
    defaults->memory = memory_for(system, host);
    defaults->disk = disk_for(system);
    defaults->uefi = system->uefi;
}
