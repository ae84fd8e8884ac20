/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the settings pages call drives. Any thread. */
#ifndef ORIEL_DRIVE_WORDS_H
#define ORIEL_DRIVE_WORDS_H

#include "library/oriel-library.h"

/* "Disk 1", "CD Drive 2": numbered from one, by the number in the id. g_free(). */
char *drive_title(const OrielDrive *drive);

/*
 * What `config` has that `other` has not, as the pages show it: settings by `describe` (with the
 * key and the value in `config`; NULL for keys that it does not know), drives by their titles.
 * Empty if they are the same. g_free().
 */
char *settings_difference(const OrielConfig *config, const OrielConfig *other,
                          char *(*describe)(gpointer data, const char *key, const char *value),
                          gpointer data);

#endif
