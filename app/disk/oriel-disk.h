/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Disk images outside of machines: what they are, converting, checking, repairing, resizing,
 * compacting, committing. An image that a running machine uses is refused (LOCKED), and so is
 * changing one of a machine that is saved (STATE). New files appear whole or not at all, whatever
 * fails, is cancelled or killed in between.
 *
 * The format of an image is detected by its content unless it is given. Files that an image refers
 * to are read only with `chain`, and only from its own folder.
 *
 * Threads: blocking; any thread. `progress` is called from the calling thread.
 */
#ifndef ORIEL_DISK_H
#define ORIEL_DISK_H

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "oriel-files.h"

typedef struct {
    const char *from;         /* format of the source; NULL: by content */
    const char *to;           /* qcow2, raw, vmdk, vhd, vhdx; NULL: by the new file's name */
    const char *snapshot;     /* an internal snapshot of a qcow2 image, or NULL: the disk */
    const char *cluster_size; /* qcow2, such as "64K"; NULL: default */
    gboolean chain;           /* read what the image builds on too */
    gboolean compress;        /* qcow2 */
    gboolean zstd;            /* ... with zstd, which older programs lack */
    gboolean fixed;           /* VHD, VHDX: as large as the disk from the start */
} OrielDiskOptions;

/*
 * What an image is: file, format, sizes, what it builds on, snapshots, all that its format says.
 * json_node_unref(). Errors: NOT_FOUND, PERMISSION, INVALID, LOCKED, HOST,
 * G_IO_ERROR_CANCELLED.
 */
JsonNode *oriel_disk_info(const char *path, const char *format, GCancellable *cancellable,
                          GError **error);

/*
 * Copies the disk to a new file, which must not exist. Errors also: EXISTS, NO_SPACE,
 * G_IO_ERROR_CANCELLED.
 */
gboolean oriel_disk_convert(const char *path, const char *target, const OrielDiskOptions *options,
                            OrielProgress progress, gpointer data, GCancellable *cancellable,
                            GError **error);

/*
 * Looks for damage without changing anything: qcow2's tables, of other formats whether all can be
 * read. The result has "clean" (boolean) and, for qcow2, "leaks", "corruptions", "flags",
 * "clusters" and "first-problem".
 */
JsonNode *oriel_disk_check(const char *path, const char *format, OrielProgress progress,
                           gpointer data, GCancellable *cancellable, GError **error);

/*
 * Mends a qcow2 image; the same result, of what was found, with "lost-clusters". Cancelled, the
 * image stays as it was; if it is too late for that, the work goes on to its end. Images of other
 * formats are INVALID.
 */
JsonNode *oriel_disk_repair(const char *path, OrielProgress progress, gpointer data,
                            GCancellable *cancellable, GError **error);

typedef struct {
    const char *size;        /* "20G", or "+5G" for more */
    gboolean shrink;         /* it may be smaller: what lies behind is lost */
    gboolean grow_partition; /* the last partition takes the space behind it */
} OrielDiskResize;

/*
 * Another size. The result has "disk-size" and, if the disk has not become smaller, what its
 * partition table (partitions.h) is about: "partition-table", "partition" (0: none), "content",
 * "partition-size", "partition-grown", and "next": what there is to do now, for people. With
 * `grow_partition` also the images that it builds on are read, in its folder, and the size may be
 * the one that it has. json_node_unref().
 */
JsonNode *oriel_disk_resize(const char *path, const char *format, const OrielDiskResize *resize,
                            GError **error);

/*
 * Gives space back that the image does not need: raw images get holes, qcow2 images are written
 * anew. `saved`: bytes on the host.
 */
gboolean oriel_disk_compact(const char *path, const char *format, guint64 *saved,
                            OrielProgress progress, gpointer data, GCancellable *cancellable,
                            GError **error);

/*
 * Writes what the image has over the one that it builds on, in its folder, into that one. The image
 * stays as it is, and whole at every moment: what is cancelled, killed or out of space is done
 * again. Other images that build on the same one are worth nothing afterwards. Errors also:
 * CORRUPT, NO_SPACE, G_IO_ERROR_CANCELLED.
 */
gboolean oriel_disk_commit(const char *path, OrielProgress progress, gpointer data,
                           GCancellable *cancellable, GError **error);

/* Deletes a snapshot inside a qcow2 image, by id or name. Errors: NOT_FOUND, INVALID, LOCKED, ...
 */
gboolean oriel_disk_delete_snapshot(const char *path, const char *snapshot, GError **error);

#endif
