/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files and folders of machines: copying disks, removing folders, syncing. Blocking; any thread.
 */
#ifndef ORIEL_FILES_H
#define ORIEL_FILES_H

#include <gio/gio.h>

typedef void (*OrielProgress)(guint64 done, guint64 total, gpointer data);

/*
 * Copies a regular file to one that must not exist: by reference where the file system can,
 * otherwise its data without its holes. Durable when it returns. On failure or cancellation the new
 * file is removed.
 */
gboolean oriel_file_copy(const char *from, const char *to, OrielProgress progress, gpointer data,
                         GCancellable *cancellable, GError **error);

/* Removes a folder with all it holds; follows no links. */
gboolean oriel_folder_remove(const char *folder, GError **error);

/* Makes renames in a folder durable. */
gboolean oriel_folder_sync(const char *folder, GError **error);

#endif
