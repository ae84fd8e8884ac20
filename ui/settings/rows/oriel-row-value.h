/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The value of a row as oriel_config_set() takes it, and as people read it. Which rows there are:
 * oriel-setting-rows.h. `choices` are those that a combo row was tied with, otherwise NULL.
 *
 * Threads: main context only.
 */
#ifndef ORIEL_ROW_VALUE_H
#define ORIEL_ROW_VALUE_H

#include <adwaita.h>

/* The switch of a row that has one. Borrowed. */
GtkSwitch *oriel_row_switch(GtkWidget *row);

/* g_free(). */
char *oriel_row_value_get(GtkWidget *row, const char *const *choices);
/* Shows a value. A number that the row does not allow widens its range: it is what is. */
void oriel_row_value_set(GtkWidget *row, const char *const *choices, const char *value);
/* What the row would show for this value: "2 GiB", "Local time", "On". g_free(). */
char *oriel_row_value_text(GtkWidget *row, const char *const *choices, const char *value);

#endif
