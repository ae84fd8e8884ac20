/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forms (ui/new/, ui/settings/, ui/dialogs/) on a screen: what a test shows, finds and sets in
 * them. Machines and waiting are those of tests/app/model/model_fixture.h. */
#ifndef TESTS_FORMS_FIXTURE_H
#define TESTS_FORMS_FIXTURE_H

#include <adwaita.h>

#include "model_fixture.h"
#include "base/oriel-preferences.h"

/* Once, first. A warning of a library ends the test. */
void forms_start(void);

/* Preferences that are forgotten with the program. */
OrielPreferences *forms_preferences(void);

/* Shows a window and waits until it has been drawn. The window is returned. */
GtkWindow *forms_show(GtkWindow *window, int width, int height);
/* Makes all text that much larger than usual, as “Large Text” does with 1.25; 1: as usual. */
void forms_scale_text(double factor);
/* Closes a window that still is there. */
void forms_close(GtkWindow *window);
/* The newest window of the program but `below`, or NULL. */
GtkWindow *forms_window_above(GtkWindow *below);

/*
 * Saves what a window shows as $ORIEL_ARTIFACTS/NAME.png, for people to look at; nothing without
 * that variable.
 */
void forms_picture(GtkWindow *window, const char *name);

/* The row with that title (AdwPreferencesRow) below `root`, or NULL. */
GtkWidget *forms_find_row(gpointer root, const char *title);
/* The row with that title; the test fails without it. */
GtkWidget *forms_row(gpointer root, const char *title);
/* The line of a list, other than such a row, with that text, or NULL. */
GtkWidget *forms_line(gpointer root, const char *text);
/* The first widget of that type below `root` that is on the page shown, or NULL. */
GtkWidget *forms_find(gpointer root, GType type);
/* The button with that label, tooltip or accessible icon below `root`, or NULL. */
GtkWidget *forms_find_button(gpointer root, const char *text);
void forms_click(gpointer root, const char *button);
/* Whether a visible label below `root` has this text in it. */
gboolean forms_says(gpointer root, const char *text);
/* What is said below a row, or NULL. */
const char *forms_problem(GtkWidget *row);

/* Sets a row as a user does, and applies it. For a switch "true" or "false"; for a list the text of
 * the entry. */
void forms_set(GtkWidget *row, const char *text);
/* What a row shows, in the same form. g_free(). */
char *forms_get(GtkWidget *row);

#endif
