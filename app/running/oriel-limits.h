/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much a running machine gets of its drives. Blocking functions; any thread. */
#ifndef ORIEL_LIMITS_H
#define ORIEL_LIMITS_H

#include "library/oriel-library.h"

/*
 * Gives a running machine the limits that the settings of its drives have now, if one of the keys
 * is such a setting. TRUE if it does not run. Drives that come with the next start are left out.
 */
gboolean oriel_limits_apply_keys(const OrielMachine *machine, const char *const *keys,
                                 GError **error);

#endif
