/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opening, locking and making the files that images lie in.
 *
 * Locks are open file description locks on the whole file: readers share, a writer is alone. The
 * kernel drops them with the last copy of the descriptor. Any thread; errors are ORIEL_ERROR with a
 * sentence.
 */
#ifndef ENGINE_BLOCK_FILES_H
#define ENGINE_BLOCK_FILES_H

#include <glib.h>
#include <stdbool.h>

/*
 * Opens and locks an image. With `folder` the path is relative to it and cannot lead out of it, be
 * it through a symbolic link; NULL: any path. `drive` names the drive in messages ("disk0"), NULL:
 * none. The descriptor, or -1 with NOT_FOUND, PERMISSION, INVALID (a link), LOCKED or HOST.
 */
int image_file_open(const char *drive, const char *folder, const char *path, bool read_only,
                    GError **error);
/* Makes a file that must not exist, mode 0600, locked; -1 with EXISTS, NOT_FOUND, PERMISSION, ...
 */
int image_file_create(const char *path, GError **error);
/* Makes a new file's entry in its folder durable. */
bool image_file_sync_parent(const char *path, GError **error);

#endif
