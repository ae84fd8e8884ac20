/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a running machine is found, and the lock that keeps a second engine away. Shared by the
 * engine and the app. Any thread.
 */
#ifndef ENGINE_RUNTIME_H
#define ENGINE_RUNTIME_H

#include <gio/gio.h>

#define ORIEL_APP_ID           "io.github.oriel_vm.Oriel"
#define ORIEL_ENGINE_PATH      "/io/github/oriel_vm/Oriel/Engine"
#define ORIEL_PROTOCOL_VERSION 1

/*
 * The folder that holds one folder for each running machine: $XDG_RUNTIME_DIR/oriel, inside a
 * Flatpak $XDG_RUNTIME_DIR/app/APP-ID, without XDG_RUNTIME_DIR a folder in /tmp that belongs to the
 * user alone. NULL with *error set if /tmp has such a folder of somebody else. g_free().
 */
char *oriel_runtime_base(GError **error);

/* The runtime folder of the machine with that UUID, which need not exist. g_free(). */
char *oriel_runtime_folder(const char *uuid, GError **error);

/*
 * Makes the runtime folder, mode 0700; one left by a killed engine is emptied. *lock becomes a
 * descriptor that keeps engines of the machine's copies away until it is closed. LOCKED if one of
 * them runs.
 */
char *oriel_runtime_create(const char *uuid, int *lock, GError **error);
/* Removes the folder and the sockets in it, and closes the lock. */
void oriel_runtime_remove(const char *folder, int lock);
/*
 * A D-Bus server, not started, at the socket `path` of a runtime folder. Whoever sees the socket
 * can connect to it. `observer`: NULL for none. NULL with *error (G_IO_ERROR) set if it cannot be
 * made.
 */
GDBusServer *oriel_runtime_listen(const char *path, GDBusAuthObserver *observer, GError **error);

/*
 * Locks a machine's folder for one engine (or for one change that a running engine must not see).
 * Returns a file descriptor for oriel_machine_unlock(), which the end of the process does too; -1
 * with *error set, LOCKED if another process has it. One that is ending is waited for.
 */
int oriel_machine_lock(const char *folder, GError **error);
/*
 * The same for who removes what a killed process has left: -1 also if somebody has the lock of
 * oriel_machine_lock_edit(), as one has who passes the machine's lock on.
 */
int oriel_machine_lock_remains(const char *folder);
/* The same for an engine: waits a second for any holder, since a killed engine, which can say
 * nothing, lets go of its lock last of all. */
int oriel_machine_lock_to_run(const char *folder, GError **error);
/* Whether somebody has that lock now: FALSE says that no engine runs the machine in this folder,
 * whatever runs under its UUID. */
gboolean oriel_machine_is_locked(const char *folder);
/*
 * Lets go of any of the locks here and closes the descriptor. Closing alone is not enough: a
 * process that another thread has just made, and that is not yet the program it is to be, has it
 * open too.
 */
void oriel_machine_unlock(int lock);
/* Says that the holder of this lock is about to let go, and that waiting is worth it. */
void oriel_machine_lock_ending(int lock);

/*
 * Waits for and takes the lock that keeps two changes of machine.json apart; a running engine does
 * not hold it. As above.
 */
int oriel_machine_lock_edit(const char *folder, GError **error);

/* Registers the D-Bus names of OrielError; once in each process that speaks the contract. */
void oriel_error_register_dbus(void);

#endif
