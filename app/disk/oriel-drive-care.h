/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Work on the disks of a machine that is off: growing, checking, repairing, compacting, another
 * format. oriel-worker opens the images, as the settings say and never by their content; the
 * machine's lock is held meanwhile.
 *
 * Threads: blocking; any thread. `progress` is called from the calling thread. Errors: NOT_FOUND
 * and INVALID (no such disk), LOCKED (the machine runs), STATE (it is saved; checking is allowed),
 * and those of oriel-disk.h.
 */
#ifndef ORIEL_DRIVE_CARE_H
#define ORIEL_DRIVE_CARE_H

#include <json-glib/json-glib.h>

#include "oriel-files.h"
#include "library/oriel-library.h"

/*
 * Makes a disk larger; what is on it stays, and the guest finds free space behind it, or, with
 * `partition`, its last partition larger. `bytes` is rounded up to 1 MiB. The result is that of
 * oriel_disk_resize(). json_node_unref(). Errors also: INVALID if that is less than it has, or,
 * without `partition`, as much; NO_SPACE.
 */
JsonNode *oriel_grow_disk(const OrielMachine *machine, const char *id, guint64 bytes,
                          gboolean partition, GError **error);

/* oriel_disk_check() and oriel_disk_repair() of a disk. json_node_unref(). */
JsonNode *oriel_drive_check(const OrielMachine *machine, const char *id, OrielProgress progress,
                            gpointer data, GCancellable *cancellable, GError **error);
JsonNode *oriel_drive_repair(const OrielMachine *machine, const char *id, OrielProgress progress,
                             gpointer data, GCancellable *cancellable, GError **error);

/* oriel_disk_compact() of a disk. `saved`: bytes on the host. */
gboolean oriel_drive_compact(const OrielMachine *machine, const char *id, guint64 *saved,
                             OrielProgress progress, gpointer data, GCancellable *cancellable,
                             GError **error);

/*
 * Another format: a new file takes the disk's place in the settings, and the old one goes to the
 * trash. INVALID if it has that format.
 */
gboolean oriel_drive_convert(const OrielMachine *machine, const char *id, OrielDiskFormat format,
                             OrielProgress progress, gpointer data, GCancellable *cancellable,
                             GError **error);

#endif
