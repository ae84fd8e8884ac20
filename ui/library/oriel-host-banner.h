/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What this computer lacks to run machines well, in a strip over the library: the worst finding and
 * its remedy, a way to read all of them, and to be left alone (not with fatal ones).
 */
#ifndef ORIEL_HOST_BANNER_H
#define ORIEL_HOST_BANNER_H

#include <adwaita.h>

#include "base/oriel-preferences.h"

#define ORIEL_TYPE_HOST_BANNER (oriel_host_banner_get_type())
G_DECLARE_FINAL_TYPE(OrielHostBanner, oriel_host_banner, ORIEL, HOST_BANNER, GtkWidget)

void oriel_host_banner_set_preferences(OrielHostBanner *banner, OrielPreferences *preferences);
/* Looks at the computer again, on a worker thread. */
void oriel_host_banner_check(OrielHostBanner *banner);
/* Shows everything that was found in a window of its own, also that all is well. */
void oriel_host_banner_show_all(OrielHostBanner *banner);

#endif
