/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names for what libadwaita 1.2 gives none. Main context only. */
#ifndef ORIEL_BUTTON_NAMES_H
#define ORIEL_BUTTON_NAMES_H

#include <gtk/gtk.h>

/* Gives the icon buttons that windows and rows of preferences bring along (search, apply, show the
 * password) names for screen readers, in everything below `widget`. */
void oriel_button_names_add(GtkWidget *widget);

#endif
