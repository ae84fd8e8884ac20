/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The database of systems (osinfo-db) by libosinfo, read on first use and kept. libosinfo is not
 * thread-safe: everything here takes one lock. Blocking (the first call for some hundred
 * milliseconds); any thread.
 */
#ifndef ORIEL_OSINFO_H
#define ORIEL_OSINFO_H

#include "oriel-media-private.h"

/*
 * What the module oriel-osinfo, which alone is linked to libosinfo, exports as osinfo_functions;
 * the functions below, with the same names, call it. Without the module they find nothing.
 */
struct osinfo_functions {
    OrielSystem *(*system_find)(const char *id);
    char **(*system_ids)(void);
    gboolean (*media_identify)(OrielMedia *media, GCancellable *cancellable);
};

/* Loads the module, for a process that soon may load nothing more. */
void osinfo_module_load(void);
/* The system with this short id as a new structure, or NULL if the database does not have it. */
OrielSystem *osinfo_system_find(const char *id);
/* The short ids of all systems that a PC runs and that are no mere family. g_strfreev(). */
char **osinfo_system_ids(void);
/* Which system the image at media->path installs or runs: sets media->system and media->live. */
gboolean osinfo_media_identify(OrielMedia *media, GCancellable *cancellable);

#endif
