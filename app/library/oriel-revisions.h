/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Going back to earlier settings of a machine (oriel_config_list_revisions()), also when the
 * present ones are damaged. A running machine takes them at its next start. Blocking; any thread.
 */
#ifndef ORIEL_REVISIONS_H
#define ORIEL_REVISIONS_H

#include "oriel-library.h"

/*
 * Makes the settings of a revision the present ones; those become a revision in turn. Name and
 * identity stay. Errors: NOT_FOUND; INVALID if they need a disk that is not there any more.
 */
gboolean oriel_restore(const OrielMachine *machine, guint number, GError **error);

/* The number of the last settings that worked and are not the present ones, or 0 with NOT_FOUND. */
guint oriel_last_worked(const OrielMachine *machine, GError **error);

/*
 * Takes back the last change and forgets it. Errors: NOT_FOUND if there is none, STATE if it was a
 * rename, INVALID as above.
 */
gboolean oriel_undo(const OrielMachine *machine, GError **error);

#endif
