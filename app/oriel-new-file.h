/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that gets its name when it is whole: until then it has none, so that a killed process
 * leaves nothing. Where the file system has no nameless files (FAT, say) it has a hidden name,
 * which is removed on failure, and after a kill by the next new file in that folder.
 *
 * Threads: blocking; any, one file in one thread at a time. Errors: EXISTS, PERMISSION, NO_SPACE,
 * HOST, ...
 */
#ifndef ORIEL_NEW_FILE_H
#define ORIEL_NEW_FILE_H

#include <glib.h>

#include "block/storage.h"

typedef struct {
    int fd;             /* for reading and writing */
    char *hidden;       /* NULL: nameless */
    const char *target; /* the caller's, kept as long as the file */
} OrielNewFile;

/* `target` must not exist. oriel_new_file_clear() after this, whatever it returns. */
gboolean oriel_new_file_open(OrielNewFile *file, const char *target, GError **error);
/* The same for a file that takes the place of the one at `target`, if there is one. */
gboolean oriel_new_file_open_over(OrielNewFile *file, const char *target, GError **error);
/* Gives the file its name, in the place of another one if `replace`, durably. */
gboolean oriel_new_file_name(OrielNewFile *file, gboolean replace, GError **error);
/* Closes it, and removes it if it has not got its name. */
void oriel_new_file_clear(OrielNewFile *file);

#endif
