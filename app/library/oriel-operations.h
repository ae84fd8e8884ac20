/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a user does with whole machines: create, clone, rename, delete, change media. Each is done
 * whole or not at all, also when the process is killed: a new machine is built in a hidden folder
 * beside its place and then renamed.
 *
 * Threads: blocking; any thread.
 */
#ifndef ORIEL_OPERATIONS_H
#define ORIEL_OPERATIONS_H

#include "oriel-files.h"
#include "oriel-library.h"

typedef struct {
    const char *name;
    const char *cdrom;      /* ISO image, or NULL */
    const char *disk;       /* a size ("20G") for a new disk, or an image to copy, or NULL */
    const char *controller; /* of that disk, as its key takes it, or NULL */
    const char *memory;     /* a size, or NULL: default */
    const char *cpus;       /* a number, or NULL: default */
    const char *firmware;   /* "bios", "uefi", or NULL: default */
    const char *kernel, *initrd, *append; /* direct boot, or NULL */
    const char *folder; /* where the machine's folder goes; NULL: the library's own */
    /* More settings, or NULL: key, value, ..., NULL as oriel_config_set() takes them. */
    const char *const *settings;
} OrielCreateOptions;

/* Returns the new machine's folder. Errors: EXISTS, INVALID, NOT_FOUND, NO_SPACE, ... g_free(). */
char *oriel_create(const OrielCreateOptions *options, OrielProgress progress, gpointer data,
                   GCancellable *cancellable, GError **error);

/* A full copy under another name, with ids of its own and no saved state. The machine must not run.
 */
char *oriel_clone(const OrielMachine *machine, const char *name, OrielProgress progress,
                  gpointer data, GCancellable *cancellable, GError **error);

/*
 * Also renames the folder if it is called after the machine. The machine must not run. Returns the
 * machine's folder from now on. g_free().
 */
char *oriel_rename(const OrielMachine *machine, const char *name, GError **error);

/* To the trash, or for good. The machine must not run. */
gboolean oriel_delete(const OrielMachine *machine, gboolean permanently, GError **error);

/* The id of the machine's first CD drive. NOT_FOUND if it has none. */
const char *oriel_cdrom_id(const OrielConfig *config, GError **error);

/*
 * Puts a medium into a CD drive (NULL: the first), or takes it out (path NULL): in the
 * configuration, and in the guest if it runs.
 */
gboolean oriel_change_medium(const OrielMachine *machine, const char *drive, const char *path,
                             gboolean force, GError **error);

#endif
