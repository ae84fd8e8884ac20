/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What oriel-worker does with disk images: the other half of oriel-disk.h, which has the meaning of
 * arguments and results. New files are the caller's, open descriptors without a name.
 *
 * Threads: blocking; any thread. `progress` is called from the calling thread.
 */
#ifndef ORIEL_DISK_WORK_H
#define ORIEL_DISK_WORK_H

#include "block/chain.h"
#include "disk/oriel-disk.h"

/* An image to be changed; format NULL: by content. image_free(). */
struct image *disk_work_open(const char *path, const char *format, enum chain_follow follow,
                             GError **error);

JsonNode *disk_work_info(const char *path, const char *format, GError **error);
/* Into the empty `file`, which will be called `target`. */
gboolean disk_work_convert(const char *path, int file, const char *target,
                           const OrielDiskOptions *options, OrielProgress progress, gpointer data,
                           GCancellable *cancellable, GError **error);
JsonNode *disk_work_check(const char *path, const char *format, OrielProgress progress,
                          gpointer data, GCancellable *cancellable, GError **error);
JsonNode *disk_work_repair(const char *path, OrielProgress progress, gpointer data,
                           GCancellable *cancellable, GError **error);
/* disk-resize.c */
JsonNode *disk_work_resize(const char *path, const char *format, const OrielDiskResize *resize,
                           GError **error);
/*
 * Raw images get holes. A qcow2 image is written into the empty `file`, which is to take its place
 * then (*rewritten); until this process ends the image stays locked.
 */
gboolean disk_work_compact(const char *path, const char *format, int file, gboolean *rewritten,
                           OrielProgress progress, gpointer data, GCancellable *cancellable,
                           GError **error);
gboolean disk_work_commit(const char *path, OrielProgress progress, gpointer data,
                          GCancellable *cancellable, GError **error);
gboolean disk_work_delete_snapshot(const char *path, const char *snapshot, GError **error);

#endif
