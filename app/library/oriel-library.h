/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The library: which machines the user has, and where. Machines live in
 * $XDG_DATA_HOME/oriel/machines/NAME.oriel; folders elsewhere (a removable disk, say) are listed in
 * $XDG_DATA_HOME/oriel/folders, one path a line.
 *
 * Threads: functions block on files; any thread, one library from one thread at a time. The window
 * calls them from worker threads.
 */
#ifndef ORIEL_LIBRARY_H
#define ORIEL_LIBRARY_H

#include <glib.h>

#include "config/config.h"

typedef struct {
    char *folder;
    char *name; /* as the configuration says, or from the folder's name if that cannot be read */
    OrielConfig *config; /* NULL if it cannot be used; `problem` then says why */
    GError *problem;
} OrielMachine;

void oriel_machine_free(OrielMachine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrielMachine, oriel_machine_free)
OrielMachine *oriel_machine_copy(const OrielMachine *machine);
/* Reads the machine in a folder; never NULL: if it cannot be used, `problem` says why. */
OrielMachine *oriel_machine_load(const char *folder);

/* $XDG_DATA_HOME/oriel/machines; made if it is missing when `create` is set. g_free(). */
char *oriel_library_folder(gboolean create, GError **error);

/* Whether that is the folder, by whatever path: machines in it are in no list of folders. */
gboolean oriel_library_is_own(const char *folder);

/* The path under which the library has the machine's folder, which links may lead to as well; NULL
 * if it is none of the library's. g_free(). */
char *oriel_library_find_folder(const char *folder);

/* The folders of all machines, in no order; also those that are absent, and none that
 * oriel_library_check_folder() refuses. g_strfreev(). */
char **oriel_library_folders(void);

/* All machines, sorted by name; also those whose folder is absent or damaged (with a problem). */
GPtrArray *oriel_library_list(void);

/*
 * The machine of that name, or else with that UUID, or in that folder if `name` contains a slash.
 * NULL with *error set: NOT_FOUND, or the machine's problem.
 */
OrielMachine *oriel_library_find(const char *name, GError **error);

/* The same, also for a machine that has a problem; NULL with NOT_FOUND. */
OrielMachine *oriel_library_look_up(const char *name, GError **error);

/* True if no machine has the name and a machine may be called so. Errors: INVALID, EXISTS. */
gboolean oriel_library_check_name(const char *name, GError **error);

/* What of a text, in any encoding, can be a machine's name, with room for a number behind it; "" if
 * nothing can. g_free(). */
char *oriel_library_clean_name(const char *wish);

/*
 * True if machines can be in the folder: the list of those outside the library has one path a line,
 * and windows and engines exchange paths as UTF-8. INVALID otherwise.
 */
gboolean oriel_library_check_folder(const char *folder, GError **error);

/* Remembers, or forgets, a machine's folder outside the library's own. Nothing is remembered where
 * the list is there and cannot be read. */
gboolean oriel_library_register(const char *folder, GError **error);
gboolean oriel_library_forget(const char *folder, GError **error);

/*
 * Reads a machine's configuration, lets `change` alter it, and saves the result, alone among all
 * processes. Returns FALSE, nothing changed, if one of them fails. STATE if the machine is saved
 * and its guest would see the change.
 */
gboolean oriel_machine_edit(const char *folder,
                            gboolean (*change)(OrielConfig *config, gpointer data, GError **error),
                            gpointer data, GError **error);

/*
 * Refuses, with STATE, what a guest would see of a change of the setting or drive `key` if the
 * machine has a saved state.
 */
gboolean oriel_machine_check_saved(const char *folder, const OrielConfig *config, const char *key,
                                   GError **error);

#endif
