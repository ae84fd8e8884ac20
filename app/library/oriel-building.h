/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Building a machine's folder so that it is there whole or not at all: in a hidden folder beside
 * its place, which is then renamed. Blocking; any thread.
 */
#ifndef ORIEL_BUILDING_H
#define ORIEL_BUILDING_H

#include "oriel-library.h"

/* Long enough that nothing of the user's own is called so: what begins with it may be removed. */
#define ORIEL_HIDDEN_PREFIX ".oriel-unfinished-"

/* A machine under construction: PARENT/.oriel-unfinished-XXXXXX, to become PARENT/NAME.oriel. */
typedef struct {
    char *parent, *folder, *final;
} Building;

/* Removes the hidden folders of operations that were killed: nobody holds their lock any more.
 * oriel_building_start() does so, too. */
void oriel_building_clean(const char *parent);

/* Removes what has not been finished. */
void oriel_building_clear(Building *building);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Building, oriel_building_clear)

/*
 * Makes the hidden folder, with disks/ in it; `parent` NULL: in the library. Returns the lock on
 * it, or -1 with *error set: EXISTS, ...
 */
int oriel_building_start(Building *building, const char *parent, const char *name, GError **error);

/*
 * Writes the configuration and puts the machine in its place; `elsewhere`: and into the list of
 * machines outside the library. Returns its folder. g_free().
 */
char *oriel_building_finish(Building *building, const OrielConfig *config, gboolean elsewhere,
                            GError **error);

/*
 * The same two steps for a folder of another kind, with the name `final`. Its lock is a file in it,
 * which goes at the end.
 */
int oriel_building_start_at(Building *building, const char *final, GError **error);
gboolean oriel_building_place(Building *building, GError **error);

/*
 * The absolute path of one inside the machine's folder, or NULL with *error set if links lead out
 * of it: the machine may be a stranger's. g_free().
 */
char *oriel_path_inside(const OrielMachine *machine, const char *path, GError **error);

#endif
