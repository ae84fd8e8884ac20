/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How large the disks of a machine are for its guest, and in which format they are kept. */
#ifndef ORIEL_DISK_SIZES_H
#define ORIEL_DISK_SIZES_H

#include "model/oriel-machine-item.h"

typedef struct {
    guint64 size; /* bytes that the guest sees */
    char *format; /* "qcow2", "raw" */
} DiskSize;

/* A table of drive ids and their DiskSize. g_hash_table_unref(). */
GHashTable *disk_sizes_new(void);

/* Looks into the files on a worker thread. */
void disk_sizes_read_async(GObject *source, OrielMachineItem *item, GCancellable *cancellable,
                           GAsyncReadyCallback callback);
/*
 * Puts what was read into `sizes`; disks that could not be read, as those of a running machine,
 * keep what they had. TRUE if something is another than before.
 */
gboolean disk_sizes_read_finish(GAsyncResult *result, GHashTable *sizes);

#endif
