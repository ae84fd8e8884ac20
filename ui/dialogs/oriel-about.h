/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ORIEL_ABOUT_H
#define ORIEL_ABOUT_H

#include <gtk/gtk.h>

/* Shows what Oriel is, its licence, and what helps to find a fault. */
void oriel_about_show(GtkWindow *parent);

#endif
