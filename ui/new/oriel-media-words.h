/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the window for new machines says of a file. Main context only. */
#ifndef ORIEL_MEDIA_WORDS_H
#define ORIEL_MEDIA_WORDS_H

#include "media/oriel-media.h"

/* Why no machine can be made of the file, as a sentence; NULL if one can. g_free(). */
char *media_problem(const OrielMedia *media);
/* Whether it has, or may have, a machine of another program inside. NULL has none. */
gboolean media_is_appliance(const OrielMedia *media);

/* What it is, for one to start from: "Disk image", "Live CD". */
const char *media_title(const OrielMedia *media);
/*
 * What a machine with it could be called: `system`, the name of the system that is on it, or the
 * file's own if that is not known. g_free().
 */
char *media_machine_name(const OrielMedia *media, const char *system);

#endif
