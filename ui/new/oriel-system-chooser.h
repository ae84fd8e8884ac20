/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A searchable list of the systems that Oriel knows something about.
 *
 * Signal: "chosen" (s id).
 */
#ifndef ORIEL_SYSTEM_CHOOSER_H
#define ORIEL_SYSTEM_CHOOSER_H

#include <gtk/gtk.h>

#define ORIEL_TYPE_SYSTEM_CHOOSER (oriel_system_chooser_get_type())
G_DECLARE_FINAL_TYPE(OrielSystemChooser, oriel_system_chooser, ORIEL, SYSTEM_CHOOSER, GtkWidget)

GtkWidget *oriel_system_chooser_new(void);
/* Fills the list, the first time from the database on a worker thread, and puts the cursor into the
 * search field. */
void oriel_system_chooser_open(OrielSystemChooser *chooser);

#endif
