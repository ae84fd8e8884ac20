/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The folder `saved` of a machine (engine/config/saved.h says how it comes and goes):
 *
 *   manifest.json  what the state is of: machine type, configuration, files of the host, devices
 *   state          sections (sections.h): devices, processors, interrupt controllers, clocks
 *   ram            memories (memory_file.h)
 *   thumbnail.png  the picture
 *
 * saved_open() checks whether the state fits the machine and the files that the guest was using:
 * the state of a guest whose disks have changed since would destroy its file systems. Everything
 * read is hostile.
 *
 * Threads: blocking; any thread, one at a time.
 */
#ifndef ENGINE_SNAPSHOT_SAVED_H
#define ENGINE_SNAPSHOT_SAVED_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "snapshot/memory_file.h"
#include "snapshot/sections.h"

#define SAVED_MACHINE_TYPE "pc-1"

/* A device of the machine, as the manifest lists it. */
struct saved_device {
    const char *name, *class;
    unsigned version;
};

/* What is to be saved; all belongs to the caller. */
struct saved_content {
    const char *folder;        /* the machine's */
    const OrielConfig *config; /* with which the machine runs, its CD drives as they are now */
    const struct saved_device *devices;
    unsigned n_devices;
    const struct memory_region *regions;
    unsigned n_regions;
    GByteArray *state; /* of sections.h; the index of the memories is added */
    GBytes *picture;   /* PNG, or NULL */
    struct memory_work *work;
};

/*
 * Refuses, with NO_SPACE, what will not fit on the disk. To be asked while the guest still runs.
 */
bool saved_check_space(const char *folder, const struct memory_region *regions, unsigned n,
                       GError **error);
/* Writes the whole of it, durably, or nothing. Errors: NO_SPACE, HOST, STATE (cancelled). */
bool saved_write(const struct saved_content *content, GError **error);

struct saved;

/*
 * Reads the saved state of the machine in `folder`, whose settings are `config` now. NULL with a
 * sentence that says what does not fit and what leads out: INVALID, CORRUPT, NOT_FOUND, HOST.
 */
struct saved *saved_open(const char *folder, const OrielConfig *config, GError **error);
void saved_free(struct saved *saved);
/* The configuration to run with: as it was, except for what the guest does not see. */
const OrielConfig *saved_config(const struct saved *saved);
/* Of struct section. */
const GArray *saved_sections(const struct saved *saved);
bool saved_check_devices(const struct saved *saved, const struct saved_device *devices, unsigned n,
                         GError **error);
bool saved_read_memory(const struct saved *saved, const struct memory_region *regions, unsigned n,
                       GError **error);
/* Refuses the state: "“Name” cannot go on from its saved state: WHY. ..." Returns false. */
bool saved_refuse(const OrielConfig *config, GError **error, OrielError code, const char *why, ...)
    G_GNUC_PRINTF(4, 5);

/* What saved_open() makes of the bytes of a manifest; for tests. */
bool saved_manifest_check(const char *text, size_t length, const char *folder,
                          const OrielConfig *config, GError **error);

#endif
