/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The drives of a machine: adding, removing, ordering. Each is done whole or not at all,
 * also when the process is killed: a disk's file is complete and in its place before the settings
 * name it, and no longer named before it goes to the trash.
 *
 * What touches a disk's file needs a machine that does not run (LOCKED), or one with "hotplug":
 * there a new disk is put into a slot, and one in a slot is removed, while it runs. CD drives and
 * the order are settings, which a running machine takes at its next start.
 *
 * Threads: blocking; any thread.
 */
#ifndef ORIEL_DRIVES_H
#define ORIEL_DRIVES_H

#include "oriel-files.h"
#include "library/oriel-library.h"

/* Whether the source of a disk is a size ("20G"), and not the name of an image. */
gboolean oriel_disk_is_size(const char *source);
/*
 * The format that a disk made from `source` gets: qcow2, but a raw image stays raw, so that it is
 * shared with its original where the file system can. Errors: those of oriel_disk_info().
 */
gboolean oriel_disk_format_for(const char *source, OrielDiskFormat *format,
                               GCancellable *cancellable, GError **error);
/* The ending of its file's name: ".raw", ".qcow2". */
const char *oriel_disk_suffix(OrielDiskFormat format);
/* A name in disks/ that nothing has, relative to the machine's folder. g_free(). */
char *oriel_disk_new_name(const OrielMachine *machine, OrielDiskFormat format);
/*
 * Makes the file of a disk, which must not exist: empty, if `source` is a size ("20G"), otherwise a
 * copy of the image `source`, whose content is in the format that oriel_disk_format_for() gave.
 * Durable when it returns; removed if it fails.
 */
gboolean oriel_disk_make(const char *target, const char *source, OrielDiskFormat format,
                         OrielProgress progress, gpointer data, GCancellable *cancellable,
                         GError **error);

/* `source` as above. Returns the new drive's id. Errors: LOCKED, STATE (no slot is free), INVALID,
 * NO_SPACE, ... g_free(). */
char *oriel_add_disk(const OrielMachine *machine, const char *source, OrielProgress progress,
                     gpointer data, GCancellable *cancellable, GError **error);

/* Adds a CD drive, with a medium or (path NULL) without. Returns its id. g_free(). */
char *oriel_add_cdrom(const OrielMachine *machine, const char *path, GError **error);

/*
 * Takes a drive out; a disk's file goes to the trash. If that is not possible nothing changes. The
 * guest of a running machine is asked to let go of it first, and not with `force`. Errors:
 * NOT_FOUND, LOCKED, TIMEOUT (the guest keeps it), HOST, ...
 */
gboolean oriel_remove_drive(const OrielMachine *machine, const char *id, gboolean force,
                            GError **error);

/* Puts the drives into the order of `ids`, which names each once: their ports, first to last. */
gboolean oriel_reorder_drives(const OrielMachine *machine, const char *const *ids, GError **error);

#endif
