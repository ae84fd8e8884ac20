/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The saved state of a machine as a folder in the machine's own: whether there is one, how it goes,
 * and which settings it fixes. What is in it is engine/snapshot/'s affair.
 *
 *   saved/            complete and durable: the next start goes on from it
 *   .saved-XXXXXX/    being written, or no longer wanted: removed by whoever holds the machine's
 * lock
 *
 * A save makes the second and renames it to the first. A start that has everything in memory
 * renames the first to the second, durably, before the guest executes an instruction or a disk is
 * written. So a state is resumed once: whenever a process is killed, the disks are those of the
 * state, or the state is gone.
 *
 * Threads: any. The caller holds the machine's lock (oriel_machine_lock()), except for
 * oriel_saved_exists().
 */
#ifndef ENGINE_CONFIG_SAVED_H
#define ENGINE_CONFIG_SAVED_H

#include "config/config.h"

gboolean oriel_saved_exists(const char *folder);
/* Makes an empty hidden folder for a state, mode 0700; its path, g_free(). */
char *oriel_saved_begin(const char *folder, GError **error);
/* Makes the whole state at `hidden` the machine's saved state. On failure there is none. */
gboolean oriel_saved_commit(const char *folder, const char *hidden, GError **error);
/* From now on, durably, the machine has no saved state. The files go with oriel_saved_clean(). */
gboolean oriel_saved_retire(const char *folder, GError **error);
/* Removes hidden folders, also those that a killed process left. */
void oriel_saved_clean(const char *folder);

/*
 * The key of a setting that differs and that a guest could see, so that it must not change under a
 * saved state; NULL if there is none. g_free().
 */
char *oriel_config_guest_difference(const OrielConfig *a, const OrielConfig *b);
/* Sets all others as they are in `from`. */
void oriel_config_take_unseen(OrielConfig *to, const OrielConfig *from);

#endif
