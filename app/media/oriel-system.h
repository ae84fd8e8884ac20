/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Systems that run in machines: their names, and what they need. From libosinfo and osinfo-db when
 * they are there, otherwise from a small table of ours.
 *
 * Threads: any. What blocks, the first time for some hundred milliseconds, says so.
 */
#ifndef ORIEL_SYSTEM_H
#define ORIEL_SYSTEM_H

#include <glib.h>

typedef struct {
    char *id; /* short id of osinfo-db: "debian12", "win11", or ours: "linux", "windows", "other" */
    char *name;                                 /* "Debian 12", for people */
    char *family;                               /* "linux", "windows", "bsd", "other" */
    guint64 memory_minimum, memory_recommended; /* bytes; 0: not known */
    guint64 disk_minimum, disk_recommended;     /* bytes; 0: not known */
    guint cpus_minimum, cpus_recommended;       /* 0: not known */
    gboolean uefi;                              /* wants UEFI */
    gboolean virtio;                            /* its installer knows virtio disks and cards */
    gboolean nvme;                              /* its installer knows NVMe disks */
    gboolean virtio_display;                    /* it brings a driver for virtio-gpu */
    gboolean clock_local;                       /* its clock shows local time */
    const char *icon; /* icon name of ours for it: "oriel-system-debian-symbolic", ...; static */
} OrielSystem;

/*
 * What is known of a system without reading the database; never blocks, never NULL: an unknown or
 * NULL id gives what "other" has. Valid as long as the process.
 */
const OrielSystem *oriel_system_find(const char *id);
/* The same with the database, which oriel_system_find() then knows as well. Blocking. */
const OrielSystem *oriel_system_load(const char *id);
/*
 * The network card that a machine for it gets, as config.h names the models: virtio if the system
 * knows that, as every Linux does. Static.
 */
const char *oriel_system_network(const OrielSystem *system);
/*
 * The controller that its disk gets in a new machine with that firmware, as config.h names them:
 * virtio if the system knows that, otherwise NVMe if it knows that and starts by UEFI (with a BIOS,
 * Windows is not meant to start from NVMe), otherwise AHCI. Static.
 */
const char *oriel_system_controller(const OrielSystem *system, gboolean uefi);
/*
 * The display adapter that a machine for it gets, as config.h names the models: virtio-gpu for a
 * Linux that the database says to know it, otherwise a VGA. Static.
 */
const char *oriel_system_video(const OrielSystem *system);
/* For a process that soon may load no code any more: loads what reads the database. Blocking. */
void oriel_system_prepare(void);
/* All systems for a chooser, by family and name; borrowed elements. Blocking. g_ptr_array_unref().
 */
GPtrArray *oriel_system_list(void);

/* What the host can give; filled by oriel_host_resources(). */
typedef struct {
    guint64 memory;      /* bytes in all */
    guint64 memory_free; /* bytes available now */
    guint cpus;          /* online */
    guint64 disk_free;   /* bytes, where machines are kept */
} OrielHostResources;

/* `library` is the folder whose file system counts. */
void oriel_host_resources(const char *library, OrielHostResources *resources);

/* What a new machine gets: never more than the host has. */
typedef struct {
    guint64 memory; /* bytes, whole MiB */
    guint cpus;
    guint64 disk; /* bytes, whole GiB; the image grows as it is used */
    gboolean uefi;
} OrielDefaults;

/*
 * About a quarter of the host's memory and half of its CPUs within what the system recommends and
 * sensible caps; disk as recommended, 40 GiB for Linux, 64 GiB for Windows, 20 GiB for others.
 */
void oriel_defaults_for(const OrielSystem *system, const OrielHostResources *host,
                        OrielDefaults *defaults);

#endif
